"""The rules of priority areas."""

from dataclasses import replace

import pytest

from ledger.priority_areas import PRIORITY_AREA, Defined, PriorityArea, Renamed
from tests.ledger.given import check_keys, given

DEFINED = Defined(number=10, dimension="ECO", name_en="Tourism")
RENAMED = Renamed(name_en="Travel and tourism")


def test_an_area_is_defined_once() -> None:
    given().when(DEFINED).then(PriorityArea())
    given(DEFINED).when(DEFINED).then_on_record_already()


def test_areas_are_numbered_from_one() -> None:
    given().when(replace(DEFINED, number=1)).then(PriorityArea())


@pytest.mark.parametrize("number", [0, -1, 1_000_000_000])
def test_a_number_is_a_place_in_the_catalogue(number: int) -> None:
    given().when(replace(DEFINED, number=number)).then_refused(
        "MALFORMED", f"the number must be from 1 to 999999999, not {number}", field="number"
    )


def test_an_area_is_renamed_once_it_is_defined() -> None:
    given(DEFINED, RENAMED).when(RENAMED).then(PriorityArea())
    given().when(RENAMED).then_no_such_record()


def test_keys() -> None:
    check_keys(PRIORITY_AREA, fit=["PA18"], unfit=["", "PA 18", "PA/18", "pa18"])
