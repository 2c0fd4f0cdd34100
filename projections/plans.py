"""The `plans` table: the plan of each year, and how many items it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.plans import PLAN, Adopted, Revised
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`adopted` is the date as stated, `adopted_on` its latest day; `revised` is that of the last.

    `items` is how many there are after the last revision, and `decided_by` is who decided that.
    """

    year: int
    items: int
    adopted_by: str | None
    adopted: str
    adopted_on: date
    decided_by: str | None = None
    revised: str | None = None
    revised_on: date | None = None


def fold(row: Plan | None, step: Step) -> Plan:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    if isinstance(event, Adopted):
        return Plan(
            year=event.year,
            items=event.items,
            adopted_by=event.adopted_by,
            adopted=stated,
            adopted_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Revised():
            return replace(
                row,
                items=event.items,
                decided_by=event.decided_by,
                revised=stated,
                revised_on=step.latest,
            )
    raise TypeError(f"{event.stored_as} is not an event of a plan")


PLANS = Table(name="plans", kind=PLAN, row=Plan, fold=fold)
