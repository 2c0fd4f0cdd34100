"""The rules of plans."""

from dataclasses import replace

import pytest

from ledger.plans import PLAN, Adopted, Plan, Revised
from tests.ledger.given import check_keys, given

ADOPTED = Adopted(year=2023, adopted_by="SOC", items=41)
REVISED = Revised(items=30, decided_by="SOC")


def test_a_plan_is_adopted_once() -> None:
    given().when(ADOPTED).then(Plan())
    given(ADOPTED).when(ADOPTED).then_on_record_already()


def test_who_decided_need_not_be_known() -> None:
    given().when(Adopted(year=2023, items=1)).then(Plan())
    given(ADOPTED).when(Revised(items=1)).then(Plan())


@pytest.mark.parametrize("year", [1899, 2201, 23])
def test_a_plan_is_for_a_year(year: int) -> None:
    given().when(replace(ADOPTED, year=year)).then_refused(
        "MALFORMED", f"{year} is not a year", field="year"
    )


@pytest.mark.parametrize("items", [0, -41, 1_000_000_000])
def test_a_plan_has_items(items: int) -> None:
    message = f"the items must be from 1 to 999999999, not {items}"
    given().when(replace(ADOPTED, items=items)).then_refused("MALFORMED", message, field="items")
    given(ADOPTED).when(Revised(items=items)).then_refused("MALFORMED", message, field="items")


def test_a_plan_is_revised_as_often_as_is_decided() -> None:
    given(ADOPTED).when(REVISED).then(Plan())
    given(ADOPTED, REVISED).when(REVISED).then(Plan())


def test_nothing_is_revised_that_was_not_adopted() -> None:
    given().when(REVISED).then_no_such_record()


def test_keys() -> None:
    check_keys(PLAN, fit=["PLAN-2024", "2024"], unfit=["", "PLAN 2024", "plan-2024"])
