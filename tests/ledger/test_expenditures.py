"""The rules of expenditures."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.expenditures import EXPENDITURE, Expenditure, Incurred, Refunded
from tests.ledger.given import check_keys, given

INCURRED = Incurred(
    account="MAIN", fiscal_year=2023, line="STAFF", amount=Decimal("295000.00"), currency="USD"
)
SPENT = Expenditure(currency="USD", spent=Decimal("295000.00"))


def refunded(amount: str, currency: str = "USD") -> Refunded:
    return Refunded(amount=Decimal(amount), currency=currency)


def test_money_is_spent_once() -> None:
    given().when(INCURRED).then(SPENT)
    given(INCURRED).when(INCURRED).then_on_record_already()


@pytest.mark.parametrize("line", ["STAFF", "S", "T-2", "IT_5.X", "PREMISES-RENT-2023", "A" * 40])
def test_a_line_is_named_by_its_code(line: str) -> None:
    given().when(replace(INCURRED, line=line)).then(SPENT)


@pytest.mark.parametrize(
    "line",
    ["Staff", "", "STAFF ", "STAFF COSTS", "-STAFF", "STAFF-", "A--B", "5", "ПЕРСОНАЛ", "A" * 41],
)
def test_nothing_else_names_a_line(line: str) -> None:
    given().when(replace(INCURRED, line=line)).then_refused(
        "MALFORMED",
        f"{line!r} is not the code of a budget's line: it has at the most 40 capital letters and"
        " digits, in parts joined by - _ or a point, as in STAFF",
        field="line",
    )


def test_a_long_text_for_a_line_is_shown_in_part() -> None:
    given().when(replace(INCURRED, line="x" * 1000)).then_refused(
        "MALFORMED",
        f"{'x' * 60!r} is not the code of a budget's line: it has at the most 40 capital letters"
        " and digits, in parts joined by - _ or a point, as in STAFF",
        field="line",
    )


@pytest.mark.parametrize("year", [1899, 2201, -2023])
def test_a_fiscal_year_is_one(year: int) -> None:
    given().when(replace(INCURRED, fiscal_year=year)).then_refused(
        "MALFORMED", f"{year} is not a fiscal year", field="fiscal_year"
    )


@pytest.mark.parametrize(
    ("amount", "code", "message"),
    [
        ("0", "NOT_PERMITTED", "the amount must be more than zero, not 0"),
        ("-1.00", "NOT_PERMITTED", "the amount must be more than zero, not -1.00"),
        ("0.001", "MALFORMED", "0.001 is more precise than USD, which has 2 decimals"),
    ],
)
def test_every_amount_is_one(amount: str, code: str, message: str) -> None:
    spent = replace(INCURRED, amount=Decimal(amount))
    given().when(spent).then_refused(code, message, field="amount")
    given(INCURRED).when(refunded(amount)).then_refused(code, message, field="amount")


def test_money_comes_back_up_to_all_that_was_spent() -> None:
    given(INCURRED).when(refunded("5000.00")).then(replace(SPENT, spent=Decimal("290000.00")))
    given(INCURRED, refunded("294999.99")).when(refunded("0.01")).then(
        replace(SPENT, spent=Decimal("0.00"))
    )


def test_no_more_comes_back_than_was_spent_and_did_not_come_back() -> None:
    given(INCURRED).when(refunded("295000.01")).then_refused(
        "NOT_PERMITTED", "295000.01 can't be refunded of 295000.00 spent", field="amount"
    )
    given(INCURRED, refunded("5000.00")).when(refunded("290000.01")).then_refused(
        "NOT_PERMITTED", "290000.01 can't be refunded of 290000.00 spent", field="amount"
    )


def test_money_comes_back_in_its_currency() -> None:
    given(INCURRED).when(refunded("1.00", "KZT")).then_refused(
        "NOT_PERMITTED", "the expenditure's currency is USD, not KZT", field="currency"
    )


def test_nothing_comes_back_of_what_never_was_spent() -> None:
    given().when(refunded("1.00")).then_no_such_record()


def test_keys() -> None:
    check_keys(EXPENDITURE, fit=["E-2023-AUDIT-4"], unfit=["", "E 2023", "e-2023-staff-1"])
