"""The `treaty_statements` table: reservations, declarations, objections, and which still stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from ledger.timeline import Step
from ledger.treaty_statements import (
    TREATY_STATEMENT,
    Formulated,
    Made,
    Modified,
    Raised,
    Withdrawn,
)
from projections.timeline import Table


class Type(StrEnum):
    """What sort of statement it is."""

    RESERVATION = "reservation"
    DECLARATION = "declaration"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyStatement:
    """`made` and `withdrawn` are dates as stated, `made_on` and `withdrawn_on` their latest days.

    `objects_to` is the statement that an objection is about; `provisions` are what a reservation
    or a declaration is about.
    """

    type: Type
    treaty: str
    state: str | None
    organization: str | None
    text: str
    provisions: str | None = None
    objects_to: str | None = None
    precludes_entry_into_force: bool | None = None
    made: str
    made_on: date
    withdrawn: str | None = None
    withdrawn_on: date | None = None


def fold(row: TreatyStatement | None, step: Step) -> TreatyStatement:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Formulated | Made | Raised):
        return _opened(event, step)
    assert row is not None, "a history begins with its opening"
    match event:
        case Modified():
            return replace(row, text=event.text)
        case Withdrawn():
            return replace(row, withdrawn=step.effective.text, withdrawn_on=step.latest)
    raise TypeError(f"{event.stored_as} is not an event of a statement on a treaty")


def _opened(event: Formulated | Made | Raised, step: Step) -> TreatyStatement:
    types = {Formulated: Type.RESERVATION, Made: Type.DECLARATION, Raised: Type.OBJECTION}
    opened = TreatyStatement(
        type=types[type(event)],
        treaty=event.treaty,
        state=event.state,
        organization=event.organization,
        text=event.text,
        made=step.effective.text,
        made_on=step.latest,
    )
    if isinstance(event, Raised):
        return replace(
            opened,
            objects_to=event.objects_to,
            precludes_entry_into_force=event.precludes_entry_into_force,
        )
    return replace(opened, provisions=event.provisions)


TREATY_STATEMENTS = Table(
    name="treaty_statements", kind=TREATY_STATEMENT, row=TreatyStatement, fold=fold
)
