"""The rules of secondments."""

import pytest

from ledger.dates import parse_edtf
from ledger.secondments import SECONDMENT, Extended, Joined, Left, Secondment
from tests.ledger.given import check_keys, given

JOINED = Joined(person="P-001", state="KAZ", title="Director")
JOINED_UNTIL = Joined(person="P-001", state="KAZ", title="Director", until=parse_edtf("2024-08"))
UNTIL_AUGUST, UNTIL_2025 = parse_edtf("2024-08"), parse_edtf("2025")


def test_a_secondee_joins_once_with_an_end_or_without() -> None:
    given().when(JOINED).then(Secondment(until=None))
    given().when(JOINED_UNTIL).then(Secondment(until=UNTIL_AUGUST))
    given(JOINED).when(JOINED).then_on_record_already()


def test_a_secondment_is_extended_beyond_the_end_agreed_on() -> None:
    extended = Secondment(until=UNTIL_2025)
    given(JOINED_UNTIL).when(Extended(until=UNTIL_2025)).then(extended)
    given(JOINED).when(Extended(until=UNTIL_2025)).then(extended)


@pytest.mark.parametrize("until", ["2024-08", "2024-08-31", "2024-07", "2023"])
def test_an_extension_ends_later_than_was_agreed(until: str) -> None:
    given(JOINED_UNTIL).when(Extended(until=parse_edtf(until))).then_refused(
        "NOT_PERMITTED", f"{until} is not later than 2024-08, the end agreed on", field="until"
    )


def test_the_last_extension_is_the_end_agreed_on() -> None:
    extended = Extended(until=UNTIL_2025)
    given(JOINED, extended).when(extended).then_refused(
        "NOT_PERMITTED", "2025 is not later than 2025, the end agreed on", field="until"
    )


def test_a_secondee_leaves_once_before_the_end_or_after() -> None:
    given(JOINED).when(Left()).then(Secondment(until=None, left=True))
    given(JOINED_UNTIL).when(Left()).then(Secondment(until=UNTIL_AUGUST, left=True))
    given(JOINED, Left()).when(Left()).then_refused("NOT_PERMITTED", "the secondee has left")


def test_who_has_left_is_not_extended() -> None:
    given(JOINED, Left()).when(Extended(until=UNTIL_2025)).then_refused(
        "NOT_PERMITTED", "the secondee has left"
    )


def test_nobody_stays_or_leaves_who_never_joined() -> None:
    given().when(Extended(until=UNTIL_2025)).then_no_such_record()
    given().when(Left()).then_no_such_record()


def test_keys() -> None:
    check_keys(
        SECONDMENT,
        fit=["S-KAZ-2023-I", "S-1", "S-1-2-3-4-5", f"S-{'A' * 12}" + f"-{'9' * 12}" * 4],
        unfit=[
            *("", "S KAZ", "S/1", "S", "S-", "S--1", "S-1-", "S-1-2-3-4-5-6", f"S-{'A' * 13}"),
            *("KAZ-2023-I", "T-KAZ-2023-I", "s-1", "S-Testova", "S-A.B", "S-A_B", "S-1\n"),
        ],
    )
