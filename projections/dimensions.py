"""The `dimensions` table: the dimensions of cooperation and their names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.dimensions import DIMENSION, Defined, Renamed
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """`defined` is the date as stated, `defined_on` its latest day."""

    name_en: str
    defined: str
    defined_on: date


def fold(row: Dimension | None, step: Step) -> Dimension:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Defined):
        return Dimension(name_en=event.name_en, defined=step.effective.text, defined_on=step.latest)
    assert row is not None, "a history begins with its opening"
    match event:
        case Renamed():
            return replace(row, name_en=event.name_en)
    raise TypeError(f"{event.stored_as} is not an event of a dimension")


DIMENSIONS = Table(name="dimensions", kind=DIMENSION, row=Dimension, fold=fold)
