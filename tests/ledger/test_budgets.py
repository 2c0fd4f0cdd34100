"""The rules of budgets."""

from decimal import Decimal

from ledger.budgets import BUDGET, Approved, Budget
from tests.ledger.given import check_keys, given

APPROVED = Approved(amount=Decimal("1973450.00"), currency="USD", decided_by="SOC")


def test_a_budget_is_approved_once() -> None:
    given().when(APPROVED).then(Budget(currency="USD"))
    given(APPROVED).when(APPROVED).then_on_record_already()


def test_who_decided_need_not_be_known() -> None:
    given().when(Approved(amount=Decimal(1), currency="KZT")).then(Budget(currency="KZT"))


def test_the_amount_is_one() -> None:
    given().when(Approved(amount=Decimal(0), currency="USD")).then_refused(
        "NOT_PERMITTED", "the amount must be more than zero, not 0", field="amount"
    )
    given().when(Approved(amount=Decimal("0.001"), currency="USD")).then_refused(
        "MALFORMED", "0.001 is more precise than USD, which has 2 decimals", field="amount"
    )
    given().when(Approved(amount=Decimal(1), currency="XXQ")).then_refused(
        "MALFORMED", "'XXQ' is not an ISO 4217 currency code such as USD", field="currency"
    )


def test_the_key_is_the_fiscal_year() -> None:
    check_keys(
        BUDGET, fit=["1999", "2024"], unfit=["23", "20233", "0999", "3000", "2023/24", "٢٠٢٣"]
    )
