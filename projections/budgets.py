"""The `budgets` table: what was approved for each fiscal year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.budgets import BUDGET, Approved
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`approved` is the date as stated, `approved_on` its latest day."""

    fiscal_year: int
    amount: Decimal
    currency: str
    decided_by: str | None
    approved: str
    approved_on: date


def fold(row: Budget | None, step: Step) -> Budget:
    """The row after `step`."""
    match step.event:
        case Approved() as event:
            return Budget(
                fiscal_year=int(step.entry.key),
                amount=event.amount,
                currency=event.currency,
                decided_by=event.decided_by,
                approved=step.effective.text,
                approved_on=step.latest,
            )
    raise TypeError(f"{step.event.stored_as} is not an event of a budget")


BUDGETS = Table(name="budgets", kind=BUDGET, row=Budget, fold=fold)
