"""The rules of contributions."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.contributions import CONTRIBUTION, Contribution, Pledged, Received, Returned
from tests.ledger.given import check_keys, given

PLEDGED = Pledged(state="KAZ", fiscal_year=2023, amount=Decimal(100), currency="USD")
PLEDGED_TO_MAIN = replace(PLEDGED, account="MAIN")
RECEIVED = Received(
    account="MAIN", state="KAZ", fiscal_year=2023, amount=Decimal("60.50"), currency="USD"
)

HELD = Contribution(
    state="KAZ", fiscal_year=2023, currency="USD", account="MAIN", held=Decimal("60.50")
)


def returned(amount: str, currency: str = "USD") -> Returned:
    return Returned(amount=Decimal(amount), currency=currency)


def test_a_pledge_holds_no_money() -> None:
    nothing = replace(HELD, account=None, held=Decimal(0))
    given().when(PLEDGED).then(nothing)
    given().when(PLEDGED_TO_MAIN).then(replace(nothing, account="MAIN"))


def test_a_contribution_is_pledged_once() -> None:
    given(PLEDGED).when(PLEDGED).then_on_record_already()


def test_money_arrives_without_a_pledge_or_against_one() -> None:
    given().when(RECEIVED).then(HELD)
    given(PLEDGED).when(RECEIVED).then(HELD)
    given(PLEDGED_TO_MAIN).when(RECEIVED).then(HELD)


def test_money_arrives_in_instalments_and_may_be_more_than_was_pledged() -> None:
    given(PLEDGED, RECEIVED).when(RECEIVED).then(replace(HELD, held=Decimal("121.00")))


@pytest.mark.parametrize(
    ("received", "field", "message"),
    [
        (replace(RECEIVED, state="AZE"), "state", "state is KAZ, not AZE"),
        (replace(RECEIVED, fiscal_year=2024), "fiscal_year", "fiscal_year is 2023, not 2024"),
        (replace(RECEIVED, currency="KZT"), "currency", "currency is USD, not KZT"),
        (replace(RECEIVED, account="KZ-2"), "account", "account is MAIN, not KZ-2"),
    ],
)
def test_a_receipt_is_of_what_the_contribution_is(
    received: Received, field: str, message: str
) -> None:
    for events in ((PLEDGED_TO_MAIN,), (RECEIVED,), (PLEDGED, RECEIVED)):
        given(*events).when(received).then_refused(
            "NOT_PERMITTED", f"the contribution's {message}", field=field
        )


def test_a_pledge_to_no_account_is_received_in_any() -> None:
    given(PLEDGED).when(replace(RECEIVED, account="KZ-2")).then(replace(HELD, account="KZ-2"))


@pytest.mark.parametrize("year", [1899, 2201, 23, -2023])
def test_a_fiscal_year_is_one(year: int) -> None:
    for event in (PLEDGED, RECEIVED):
        given().when(replace(event, fiscal_year=year)).then_refused(
            "MALFORMED", f"{year} is not a fiscal year", field="fiscal_year"
        )


def test_the_first_and_the_last_fiscal_year() -> None:
    for year in (1900, 2200):
        given().when(replace(RECEIVED, fiscal_year=year)).then(replace(HELD, fiscal_year=year))


@pytest.mark.parametrize(
    ("amount", "code", "message"),
    [
        ("0", "NOT_PERMITTED", "the amount must be more than zero, not 0"),
        ("-1.00", "NOT_PERMITTED", "the amount must be more than zero, not -1.00"),
        ("0.001", "MALFORMED", "0.001 is more precise than USD, which has 2 decimals"),
        ("NaN", "MALFORMED", "NaN is not an amount"),
    ],
)
def test_every_amount_is_one(amount: str, code: str, message: str) -> None:
    wrong = Decimal(amount)
    given().when(replace(PLEDGED, amount=wrong)).then_refused(code, message, field="amount")
    given().when(replace(RECEIVED, amount=wrong)).then_refused(code, message, field="amount")
    given(RECEIVED).when(returned(amount)).then_refused(code, message, field="amount")


def test_money_goes_back_up_to_all_that_is_held() -> None:
    given(RECEIVED).when(returned("0.50")).then(replace(HELD, held=Decimal("60.00")))
    given(RECEIVED, returned("60.00")).when(returned("0.50")).then(
        replace(HELD, held=Decimal("0.00"))
    )


def test_no_more_goes_back_than_is_held() -> None:
    given(RECEIVED, returned("60.00")).when(returned("0.51")).then_refused(
        "NOT_PERMITTED", "0.51 can't be returned of 0.50 received", field="amount"
    )
    given(PLEDGED).when(returned("0.01")).then_refused(
        "NOT_PERMITTED", "0.01 can't be returned of 0 received", field="amount"
    )


def test_money_goes_back_in_its_currency() -> None:
    given(RECEIVED).when(returned("1.00", "KZT")).then_refused(
        "NOT_PERMITTED", "the contribution's currency is USD, not KZT", field="currency"
    )


def test_nothing_goes_back_of_what_never_was() -> None:
    given().when(returned("1.00")).then_no_such_record()


def test_keys() -> None:
    check_keys(CONTRIBUTION, fit=["C-2023-KAZ"], unfit=["", "C 2023", "C/2023"])
