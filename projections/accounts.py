"""The `accounts` table: bank accounts, their fund and their currency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.accounts import ACCOUNT, Closed, Opened
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`opened` is the date as stated, `opened_on` its latest day; likewise `closed`."""

    fund: str
    currency: str
    opened: str
    opened_on: date
    closed: str | None = None
    closed_on: date | None = None


def fold(row: Account | None, step: Step) -> Account:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    if isinstance(event, Opened):
        return Account(
            fund=event.fund, currency=event.currency, opened=stated, opened_on=step.latest
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Closed():
            return replace(row, closed=stated, closed_on=step.latest)
    raise TypeError(f"{event.stored_as} is not an event of an account")


ACCOUNTS = Table(name="accounts", kind=ACCOUNT, row=Account, fold=fold)
