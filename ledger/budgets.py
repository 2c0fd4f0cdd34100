"""Budgets: what was approved for a fiscal year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ledger.bodies import BodyKey
from ledger.kind import Kind, Opening
from ledger.money import check_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a rule needs to know of a budget: that it was approved, in which currency."""

    currency: str


class Approved(Opening[Budget], stored_as="budget.approved", personal=()):
    """A body approved the budget of a fiscal year; the year is the record's key."""

    amount: Decimal
    currency: str
    decided_by: BodyKey | None = None

    def admit(self) -> None:
        check_amount(self.amount, self.currency)

    def begin(self) -> Budget:
        return Budget(currency=self.currency)


BUDGET = Kind(
    name="budget",
    family="finance",
    events=(Approved,),
    key_column="fiscal_year",
    key_form=re.compile(r"[12][0-9]{3}"),
    key_example="2023",
)
