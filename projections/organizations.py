"""The `organizations` table: organizations of states, and what they were called when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.organizations import ORGANIZATION, Registered, Renamed
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """`registered` is the date as stated, `registered_on` its latest day."""

    name_en: str
    name_ru: str | None
    registered: str
    registered_on: date


def fold(row: Organization | None, step: Step) -> Organization:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Registered):
        return Organization(
            name_en=event.name_en,
            name_ru=event.name_ru,
            registered=step.effective.text,
            registered_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Renamed():
            return replace(row, name_en=event.name_en, name_ru=event.name_ru)
    raise TypeError(f"{event.stored_as} is not an event of an organization")


ORGANIZATIONS = Table(name="organizations", kind=ORGANIZATION, row=Organization, fold=fold)
