"""The `treaties` table: what each is called, and the rule by which it enters into force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger.timeline import Step
from ledger.treaties import TREATY, Opened, Renamed
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """`opened` is the date as stated, `opened_on` its latest day.

    Everything between is the final clause as data; see `ledger.treaties.Opened`.
    """

    title_en: str
    depositary: str | None
    clause: str | None
    instruments_required: int | None
    instrument_kinds: str | None
    organizations_counted: bool | None
    share_required: Decimal | None
    share_of: str | None
    offset: str | None
    party_offset: str | None
    denunciation_offset: str | None
    opened: str
    opened_on: date


def fold(row: Treaty | None, step: Step) -> Treaty:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Opened):
        return Treaty(
            title_en=event.title_en,
            depositary=event.depositary,
            clause=event.clause,
            instruments_required=event.instruments_required,
            instrument_kinds=event.instrument_kinds,
            organizations_counted=event.organizations_counted,
            share_required=event.share_required,
            share_of=event.share_of,
            offset=event.offset,
            party_offset=event.party_offset,
            denunciation_offset=event.denunciation_offset,
            opened=step.effective.text,
            opened_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Renamed():
            return replace(row, title_en=event.title_en)
    raise TypeError(f"{event.stored_as} is not an event of a treaty")


TREATIES = Table(name="treaties", kind=TREATY, row=Treaty, fold=fold)
