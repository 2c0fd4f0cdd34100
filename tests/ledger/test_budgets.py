"""The rules of budgets."""

from decimal import Decimal

import pytest

from ledger.budgets import BUDGET, Approved, Budget, Revised
from tests.ledger.given import check_keys, given

APPROVED = Approved(amount=Decimal("1973450.00"), currency="USD", decided_by="SOC")
REVISED = Revised(amount=Decimal("2100000.00"), currency="USD", decided_by="MC")


def test_a_budget_is_approved_once() -> None:
    given().when(APPROVED).then(Budget(currency="USD"))
    given(APPROVED).when(APPROVED).then_on_record_already()


def test_who_decided_need_not_be_known() -> None:
    given().when(Approved(amount=Decimal(1), currency="KZT")).then(Budget(currency="KZT"))


@pytest.mark.parametrize(
    ("amount", "code", "message"),
    [
        ("0", "NOT_PERMITTED", "the amount must be more than zero, not 0"),
        ("0.001", "MALFORMED", "0.001 is more precise than USD, which has 2 decimals"),
    ],
)
def test_the_amount_is_one(amount: str, code: str, message: str) -> None:
    wrong = Decimal(amount)
    given().when(Approved(amount=wrong, currency="USD")).then_refused(code, message, field="amount")
    given(APPROVED).when(Revised(amount=wrong, currency="USD")).then_refused(
        code, message, field="amount"
    )


def test_the_currency_is_one() -> None:
    given().when(Approved(amount=Decimal(1), currency="XXQ")).then_refused(
        "MALFORMED", "'XXQ' is not an ISO 4217 currency code such as USD", field="currency"
    )


def test_a_budget_is_revised_as_often_as_it_takes() -> None:
    given(APPROVED).when(REVISED).then(Budget(currency="USD"))
    given(APPROVED, REVISED).when(Revised(amount=Decimal("0.01"), currency="USD")).then(
        Budget(currency="USD")
    )


def test_a_budget_stays_in_its_currency() -> None:
    given(APPROVED).when(Revised(amount=Decimal(1), currency="KZT")).then_refused(
        "NOT_PERMITTED", "the budget's currency is USD, not KZT", field="currency"
    )


def test_nothing_is_revised_that_was_not_approved() -> None:
    given().when(REVISED).then_no_such_record()


def test_the_key_is_the_fiscal_year() -> None:
    check_keys(
        BUDGET,
        fit=["1999", "2024", "2023-FUND"],
        unfit=["23", "20233", "0999", "3000", "2023/24", "٢٠٢٣", "2023-", "2023-fund", "2023-A-B"],
    )
