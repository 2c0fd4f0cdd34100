"""The `bodies` table: the organization's organs, and whether they operate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.bodies import BODY, BeganOperating, Category, CeasedOperating, Established, Renamed
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """`established` is the date as stated, `established_on` its latest day."""

    name_en: str
    category: Category
    operational: bool
    established: str
    established_on: date


def fold(row: Body | None, step: Step) -> Body:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Established):
        return Body(
            name_en=event.name_en,
            category=event.category,
            operational=event.operational,
            established=step.effective.text,
            established_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case BeganOperating():
            return replace(row, operational=True)
        case CeasedOperating():
            return replace(row, operational=False)
        case Renamed():
            return replace(row, name_en=event.name_en)
    raise TypeError(f"{event.stored_as} is not an event of a body")


BODIES = Table(name="bodies", kind=BODY, row=Body, fold=fold)
