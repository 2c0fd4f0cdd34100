"""The rules of depositary notifications."""

from dataclasses import replace

from ledger.dates import parse_edtf
from ledger.depositary_notifications import (
    DEPOSITARY_NOTIFICATION,
    Circulated,
    DepositaryNotification,
    Subject,
)
from tests.ledger.given import check_keys, given

CIRCULATED = Circulated(
    treaty="CPI", subject=Subject.DEPOSIT, state="KAZ", action_date=parse_edtf("2023-05-12")
)


def test_a_notification_is_circulated_once() -> None:
    given().when(CIRCULATED).then(DepositaryNotification())
    given(CIRCULATED).when(CIRCULATED).then_on_record_already()


def test_a_notification_need_not_be_about_a_participant() -> None:
    entry = Circulated(treaty="CPI", subject=Subject.ENTRY_INTO_FORCE)
    given().when(entry).then(DepositaryNotification())


def test_a_notification_is_about_one_participant_at_the_most() -> None:
    given().when(replace(CIRCULATED, organization="EU")).then_refused(
        "MALFORMED", "name a state or an organization, not both", field="organization"
    )


def test_keys() -> None:
    check_keys(
        DEPOSITARY_NOTIFICATION,
        fit=["C.N.123.2023", "C.N.123.2023.TREATIES-III.2"],
        unfit=["", "c.n.1", "C.N. 1", ".N"],
    )
