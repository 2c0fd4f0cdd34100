"""Bank accounts: where money is received, one currency and one fund each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.money import minor_units
from ledger.refusal import NotPermitted

AccountKey = Annotated[str, RefersTo("account")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the rules below need to know."""

    closed: bool = False


class Opened(Opening[Account], stored_as="bank_account.opened", personal=()):
    """The account was opened for a fund. Funds are kept apart: their money is never mixed."""

    fund: str
    currency: str

    def admit(self) -> None:
        minor_units(self.currency)

    def begin(self) -> Account:
        return Account()


class Closed(Change[Account], stored_as="bank_account.closed", personal=()):
    """The account was closed."""

    def admit(self, current: Account) -> None:
        if current.closed:
            raise NotPermitted("the account is closed already")

    def apply(self, current: Account) -> Account:
        return replace(current, closed=True)


ACCOUNT = Kind(
    name="account",
    family="finance",
    events=(Opened, Closed),
    key_column="account",
    key_example="MAIN",
)
