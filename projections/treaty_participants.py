"""The `treaty_participants` table: who signed, is bound, or has left, treaty by treaty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from ledger.entry_into_force import Instrument
from ledger.timeline import Step
from ledger.treaty_participants import (
    TREATY_PARTICIPANT,
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
    Signed,
    Status,
)
from projections.timeline import Table

Day: TypeAlias = date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyParticipant:
    """Dates as stated, each with the days between which it may lie.

    `instrument_number` counts the instruments that the participant has deposited; what follows it
    is about the last of them. `left` is when that instrument was withdrawn, or the denunciation
    received; `leaving` the date of effect that the denunciation states. `before_left` and
    `before_leaving` are those of the instrument before it, both the day itself if that was
    withdrawn. For who denounces and deposits anew on the same day is bound until the notice is
    over, and no row is about a state that held on no day.
    """

    treaty: str
    state: str | None
    organization: str | None
    status: Status
    signed: str | None = None
    signed_earliest: Day = None
    signed_latest: Day = None
    instrument_number: int = 0
    instrument: Instrument | None = None
    instrument_date: str | None = None
    share: Decimal | None = None
    deposited: str | None = None
    deposited_earliest: Day = None
    deposited_latest: Day = None
    effect: str | None = None
    effect_earliest: Day = None
    effect_latest: Day = None
    left: str | None = None
    left_earliest: Day = None
    left_latest: Day = None
    leaving: str | None = None
    leaving_earliest: Day = None
    leaving_latest: Day = None
    before_left_earliest: Day = None
    before_left_latest: Day = None
    before_leaving_earliest: Day = None
    before_leaving_latest: Day = None


def fold(row: TreatyParticipant | None, step: Step) -> TreatyParticipant:
    """The row after `step`."""
    event = step.event
    match event:
        case Signed():
            before = row or _participant(event, Status.SIGNATORY)
            return replace(
                before,
                signed=step.effective.text,
                signed_earliest=step.possible_from,
                signed_latest=step.latest,
            )
        case Deposited():
            return _deposited(row or _participant(event, Status.BOUND), event, step)
    assert row is not None, "a history begins with a signature or an instrument"
    match event:
        case InstrumentWithdrawn():
            return _left(replace(row, status=Status.WITHDRAWN), step)
        case Denounced():
            effect = event.takes_effect
            return replace(
                _left(replace(row, status=Status.DENOUNCED), step),
                leaving=None if effect is None else effect.text,
                leaving_earliest=None if effect is None else effect.earliest,
                leaving_latest=None if effect is None else effect.latest,
            )
        case DenunciationWithdrawn():
            return replace(_staying(row), status=Status.BOUND)
    raise TypeError(f"{event.stored_as} is not an event of a participant in a treaty")


def _participant(event: Signed | Deposited, status: Status) -> TreatyParticipant:
    return TreatyParticipant(
        treaty=event.treaty, state=event.state, organization=event.organization, status=status
    )


def _deposited(row: TreatyParticipant, event: Deposited, step: Step) -> TreatyParticipant:
    effect = event.takes_effect
    return replace(
        _staying(_followed(row, step)),
        status=Status.BOUND,
        instrument_number=row.instrument_number + 1,
        instrument=event.instrument,
        instrument_date=None if event.instrument_date is None else event.instrument_date.text,
        share=event.share,
        deposited=step.effective.text,
        deposited_earliest=step.possible_from,
        deposited_latest=step.latest,
        effect=None if effect is None else effect.text,
        effect_earliest=None if effect is None else effect.earliest,
        effect_latest=None if effect is None else effect.latest,
    )


def _followed(row: TreatyParticipant, step: Step) -> TreatyParticipant:
    """The row before another instrument, with what ended the last one kept."""
    if row.deposited_earliest is not None and row.deposited_earliest >= step.latest:
        # No row is about the last one; what is kept is of the one before.
        return row
    was_withdrawn = row.status is Status.WITHDRAWN
    return replace(
        row,
        before_left_earliest=row.left_earliest,
        before_left_latest=row.left_latest,
        before_leaving_earliest=row.left_earliest if was_withdrawn else row.leaving_earliest,
        before_leaving_latest=row.left_latest if was_withdrawn else row.leaving_latest,
    )


def _left(row: TreatyParticipant, step: Step) -> TreatyParticipant:
    return replace(
        row,
        left=step.effective.text,
        left_earliest=step.possible_from,
        left_latest=step.latest,
    )


def _staying(row: TreatyParticipant) -> TreatyParticipant:
    return replace(
        row,
        left=None,
        left_earliest=None,
        left_latest=None,
        leaving=None,
        leaving_earliest=None,
        leaving_latest=None,
    )


TREATY_PARTICIPANTS = Table(
    name="treaty_participants", kind=TREATY_PARTICIPANT, row=TreatyParticipant, fold=fold
)
