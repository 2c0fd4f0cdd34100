"""The `priority_areas` table: the areas by number, each in its dimension."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.priority_areas import PRIORITY_AREA, Defined, Renamed
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityArea:
    """`defined` is the date as stated, `defined_on` its latest day."""

    number: int
    dimension: str
    name_en: str
    defined: str
    defined_on: date


def fold(row: PriorityArea | None, step: Step) -> PriorityArea:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Defined):
        return PriorityArea(
            number=event.number,
            dimension=event.dimension,
            name_en=event.name_en,
            defined=step.effective.text,
            defined_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Renamed():
            return replace(row, name_en=event.name_en)
    raise TypeError(f"{event.stored_as} is not an event of a priority area")


PRIORITY_AREAS = Table(name="priority_areas", kind=PRIORITY_AREA, row=PriorityArea, fold=fold)
