"""The rules of bank accounts."""

from ledger.accounts import ACCOUNT, Account, Closed, Opened
from tests.ledger.given import check_keys, given

OPENED = Opened(fund="General", currency="USD")


def test_an_account_is_opened_once() -> None:
    given().when(OPENED).then(Account(closed=False))
    given(OPENED).when(OPENED).then_on_record_already()


def test_an_account_has_a_currency_that_there_is() -> None:
    given().when(Opened(fund="General", currency="US$")).then_refused(
        "MALFORMED", "'US$' is not an ISO 4217 currency code such as USD", field="currency"
    )


def test_an_account_is_closed_once() -> None:
    given(OPENED).when(Closed()).then(Account(closed=True))
    given(OPENED, Closed()).when(Closed()).then_refused(
        "NOT_PERMITTED", "the account is closed already"
    )


def test_an_account_is_not_closed_before_it_was_opened() -> None:
    given().when(Closed()).then_no_such_record()


def test_keys() -> None:
    check_keys(ACCOUNT, fit=["MAIN", "KZ-2"], unfit=["", "MAIN ACCOUNT", "KZ/2"])
