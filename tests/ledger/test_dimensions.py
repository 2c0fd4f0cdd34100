"""The rules of dimensions."""

from ledger.dimensions import DIMENSION, Defined, Dimension, Renamed
from tests.ledger.given import check_keys, given

DEFINED, RENAMED = Defined(name_en="Economic"), Renamed(name_en="Economy")


def test_a_dimension_is_defined_once() -> None:
    given().when(DEFINED).then(Dimension())
    given(DEFINED).when(DEFINED).then_on_record_already()


def test_a_dimension_is_renamed_once_it_is_defined() -> None:
    given(DEFINED, RENAMED).when(RENAMED).then(Dimension())
    given().when(RENAMED).then_no_such_record()


def test_keys() -> None:
    check_keys(DIMENSION, fit=["MP", "NCT"], unfit=["", "eco", "MP 1"])
