"""Contributions: money that a state promised, gave, and may have got back.

All contributions are voluntary, so there are no arrears. A pledge is not an asset until money
arrives (IPSAS 23, 47), and money may arrive without one: a receipt opens a contribution of its own
or follows a pledge, in one instalment or several.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.accounts import AccountKey
from ledger.dates import check_year
from ledger.kind import Change, Event, Kind, Opening, check_same
from ledger.money import check_amount
from ledger.refusal import NotPermitted
from ledger.states import StateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What the rules below need to know."""

    state: str
    fiscal_year: int
    currency: str
    account: str | None
    held: Decimal
    """What was received and not returned."""


class Pledged(Opening[Contribution], stored_as="contribution.pledged", personal=()):
    """A state promised an amount for a fiscal year."""

    state: StateKey
    fiscal_year: int
    amount: Decimal
    currency: str
    account: AccountKey | None = None

    def admit(self) -> None:
        check_year(self.fiscal_year)
        check_amount(self.amount, self.currency)

    def begin(self) -> Contribution:
        return Contribution(
            state=self.state,
            fiscal_year=self.fiscal_year,
            currency=self.currency,
            account=self.account,
            held=Decimal(0),
        )


class Received(
    Event[Contribution], stored_as="contribution.received", personal=(), accomplished=True
):
    """Money arrived in an account, against a pledge or without one."""

    account: AccountKey
    state: StateKey
    fiscal_year: int
    amount: Decimal
    currency: str

    def admit_to(self, current: Contribution | None) -> None:
        check_year(self.fiscal_year)
        check_amount(self.amount, self.currency)
        if current is not None:
            for field in ("state", "fiscal_year", "currency"):
                check_same("contribution", field, getattr(self, field), getattr(current, field))
            if current.account is not None:
                check_same("contribution", "account", self.account, current.account)

    def apply_to(self, current: Contribution | None) -> Contribution:
        return Contribution(
            state=self.state,
            fiscal_year=self.fiscal_year,
            currency=self.currency,
            account=self.account,
            held=self.amount + (Decimal(0) if current is None else current.held),
        )


class Returned(
    Change[Contribution], stored_as="contribution.returned", personal=(), accomplished=True
):
    """Money went back to the state that had given it."""

    amount: Decimal
    currency: str

    def admit(self, current: Contribution) -> None:
        check_amount(self.amount, self.currency)
        check_same("contribution", "currency", self.currency, current.currency)
        if self.amount > current.held:
            raise NotPermitted(
                f"{self.amount} can't be returned of {current.held} received", field="amount"
            )

    def apply(self, current: Contribution) -> Contribution:
        return replace(current, held=current.held - self.amount)


CONTRIBUTION = Kind(
    name="contribution",
    family="finance",
    events=(Pledged, Received, Returned),
    key_column="contribution",
    key_example="C-2023-KAZ",
)
