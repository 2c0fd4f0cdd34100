"""The `persons` table: the one read model that holds personal text in plain form."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.persons import PERSON, Registered, Renamed
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person's name, in plain text nowhere else."""

    name: str


def fold(row: Person | None, step: Step) -> Person:
    """The row after `step`."""
    match step.event:
        case Registered(name=name) | Renamed(name=name):
            return Person(name=name)
    raise TypeError(f"{step.event.stored_as} is not an event of a person")


PERSONS = Table(name="persons", kind=PERSON, row=Person, fold=fold)
