"""Budgets: what was approved for a fiscal year, and what it was revised to.

What was approved first stays on record beside what stands now: financial statements show both, the
original and the final budget (IPSAS 24, 14).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ledger.bodies import BodyKey
from ledger.kind import Change, Kind, Opening, check_same
from ledger.money import check_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a rule needs to know of a budget: that it was approved, in which currency."""

    currency: str


class Approved(Opening[Budget], stored_as="budget.approved", personal=()):
    """A body approved the budget of a fiscal year; the year is the record's key.

    A fund with a budget of its own has it behind a hyphen: `2023-FUND`. `fund` is that of the
    accounts whose money the budget is about, as they state it; of all, if it is not said.
    """

    amount: Decimal
    currency: str
    decided_by: BodyKey | None = None
    fund: str | None = None

    def admit(self) -> None:
        check_amount(self.amount, self.currency)

    def begin(self) -> Budget:
        return Budget(currency=self.currency)


class Revised(Change[Budget], stored_as="budget.revised", personal=()):
    """A body decided on another amount: the whole budget as it is from then on, no difference."""

    amount: Decimal
    currency: str
    decided_by: BodyKey | None = None

    def admit(self, current: Budget) -> None:
        check_amount(self.amount, self.currency)
        check_same("budget", "currency", self.currency, current.currency)

    def apply(self, current: Budget) -> Budget:
        return current


BUDGET = Kind(
    name="budget",
    family="finance",
    events=(Approved, Revised),
    key_column="fiscal_year",
    key_form=re.compile(r"[12][0-9]{3}(-[A-Z0-9]{1,20})?"),
    key_example="2023",
)
