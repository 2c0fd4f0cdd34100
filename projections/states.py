"""The `states` table: each state's status and names over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.states import STATE, Admitted, Renamed, Status, StatusChanged
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`status_since` is the date of the status as stated, `status_on` its latest day."""

    status: Status
    status_since: str
    status_on: date
    name_en: str
    name_ru: str | None


def fold(row: State | None, step: Step) -> State:
    """The row after `step`."""
    event, since = step.event, step.effective.text
    if isinstance(event, Admitted):
        return State(
            status=event.status,
            status_since=since,
            status_on=step.latest,
            name_en=event.name_en,
            name_ru=event.name_ru,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case StatusChanged():
            return replace(row, status=event.status, status_since=since, status_on=step.latest)
        case Renamed():
            return replace(row, name_en=event.name_en, name_ru=event.name_ru or row.name_ru)
    raise TypeError(f"{event.stored_as} is not an event of a state")


STATES = Table(name="states", kind=STATE, row=State, fold=fold)
