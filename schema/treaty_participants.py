"""Participants in treaties as clients see them: the lines of a status table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import strawberry

from ledger.dates import parse_edtf
from ledger.entry_into_force import Instrument
from ledger.treaty_participants import Status
from projections import entry_into_force as force
from schema.organizations import Organization
from schema.pagination import Connection
from schema.reading import (
    Info,
    Shared,
    ToOne,
    ToPage,
    any_of,
    column,
    looked_up,
    made,
    planned,
    reads,
)
from schema.record import Record
from schema.states import State
from schema.values import Certainty, DayRange, ImpreciseDate, if_any

if TYPE_CHECKING:
    # It lists participants, so it imports this module.
    from schema.treaties import Treaty

DAY = "%(day)s::date"

strawberry.enum(
    Instrument,
    description="By what a state or an organization consents to be bound. UNSPECIFIED is for old"
    " records that give a party and not how it became one.",
)
strawberry.enum(
    Status,
    name="TreatyParticipantStatus",
    description="How a participant stands to its treaty, in force or not.",
)

_MARKS = {
    Instrument.ACCEPTANCE: " A",
    Instrument.APPROVAL: " AA",
    Instrument.ACCESSION: " a",
    Instrument.SUCCESSION: " d",
    Instrument.DEFINITIVE_SIGNATURE: " s",
    Instrument.FORMAL_CONFIRMATION: " c",
}
"""What the United Nations Treaty Collection puts after the dates in its status tables."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _printed(edtf: str | None) -> str | None:
    """A date as a status table has it: 8 Jun 2010; in words, if it is less precise."""
    if edtf is None:
        return None
    stated = parse_edtf(edtf)
    day = stated.earliest
    if edtf != day.isoformat():
        return stated.in_words
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _printed_instrument(deposited: str | None, instrument: str | None, status: str) -> str | None:
    """The date and the mark of an instrument; in brackets once it was taken back."""
    if deposited is None or instrument is None:
        return None
    printed = f"{_printed(deposited)}" + _MARKS.get(Instrument(instrument), "")
    return printed if status == Status.BOUND else f"[{printed}]"


def _in_force(known: str, key: str, day: date) -> Certainty:
    return Certainty.of(force.in_force_for(force.facts_of(known), key, day))


def held_of(
    answer: Callable[[force.Facts, force.Held, date], Any], *, otherwise: Any = None
) -> Callable[[str, str, int, date], Any]:
    """What is answered of a participant's instrument, and of its lack."""

    def answered(known: str, key: str, number: int, day: date) -> Any:
        facts = force.facts_of(known)
        held = facts.held.get(key, {}).get(number)
        return otherwise if held is None else answer(facts, held, day)

    return answered


KNOWN = Shared("known", force.known_of("{a}.treaty"))
HELD = (KNOWN, "key", "instrument_number", DAY)
"""The columns of a participant that `held_of` answers by."""

is_party = held_of(
    lambda facts, held, day: Certainty.of(force.is_party(facts, held, day)),
    otherwise=Certainty(certain=False, possible=False),
)
party_since = held_of(lambda facts, held, _: DayRange.of(force.party_since(facts, held)))
party_until = held_of(lambda facts, held, _: DayRange.of(force.party_until(facts, held)))


@strawberry.type(description="A state or an organization that signed a treaty, or is bound by it.")
class TreatyParticipant(Record):
    kind_name: ClassVar[str] = "treaty_participant"
    table: ClassVar[str] = "projections.treaty_participants"

    treaty: Annotated[Treaty, strawberry.lazy("schema.treaties")] | None = reads(
        ToOne("projections.treaties", "{t}.key = {a}.treaty"), "The treaty."
    )
    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The state.")
    organization: Organization | None = reads(
        ToOne(Organization.table, "{t}.key = {a}.organization"), "The organization."
    )
    status: Status = made("How it stands to the treaty.", Status, "status")
    signed: ImpreciseDate | None = made(
        "When it signed.", ImpreciseDate.of, "signed", "signed_latest", "signed_earliest"
    )
    instrument: Instrument | None = made(
        "By what it consented to be bound, the last time.", if_any(Instrument), "instrument"
    )
    instrument_date: ImpreciseDate | None = made(
        "The date of the instrument.", ImpreciseDate.of, "instrument_date"
    )
    deposited: ImpreciseDate | None = made(
        "When that was deposited.",
        *(ImpreciseDate.of, "deposited", "deposited_latest", "deposited_earliest"),
    )
    share: Decimal | None = column("What share it accounts for, in per cent.", "share")
    stated_effect: ImpreciseDate | None = made(
        "The date of effect that is stated.",
        *(ImpreciseDate.of, "effect", "effect_latest", "effect_earliest"),
    )
    effect_by_rule: DayRange | None = made(
        "The date of effect by the treaty's rule alone, as far as instruments were known.",
        held_of(lambda facts, held, _: DayRange.of(force.party_since_by_rule(facts, held))),
        *HELD,
    )
    in_force: Certainty = made(
        "Whether the treaty is in force for it, by this instrument or one before or after it.",
        _in_force,
        *(HELD[0], "key", DAY),
    )
    in_force_since: DayRange | None = made(
        "Since when: by the date that is stated, or else by the rule; as far as is known, so that"
        " it may lie ahead.",
        party_since,
        *HELD,
    )
    in_force_until: DayRange | None = made(
        "The day from which it is in force for it no more, as far as is known.", party_until, *HELD
    )
    left: ImpreciseDate | None = made(
        "When it withdrew its instrument, or its denunciation was received.",
        *(ImpreciseDate.of, "left", "left_latest", "left_earliest"),
    )
    printed_signature: str | None = made(
        "The date of signature as the United Nations Treaty Collection prints it.",
        _printed,
        "signed",
    )
    printed_instrument: str | None = made(
        "The date and the mark of the instrument as the United Nations Treaty Collection prints"
        " them: none for a ratification, A for an acceptance, AA approval, a accession, d"
        " succession, s definitive signature, c formal confirmation; in brackets once it was taken"
        " back or the treaty denounced.",
        _printed_instrument,
        *("deposited", "instrument", "status"),
    )


@strawberry.input(description="Which participants in treaties; what is left out asks nothing.")
class TreatyParticipantFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    treaty: list[strawberry.ID] | None = any_of("In these treaties.", "treaty")
    state: list[strawberry.ID] | None = any_of("These states.", "state")
    organization: list[strawberry.ID] | None = any_of("These organizations.", "organization")
    status: list[Status] | None = any_of("That stand so to the treaty.", "status")
    instrument: list[Instrument] | None = any_of("With such an instrument.", "instrument")


@strawberry.enum(description="The order of participants in treaties.")
class TreatyParticipantOrder(Enum):
    KEY = "KEY"
    STATUS = "STATUS"


def participants_page(on: str = "") -> ToPage:
    """A connection over participants, linked by `on` to the row above."""
    orders = {"KEY": ("key", "text"), "STATUS": ("status", "text")}
    return ToPage(TreatyParticipant.table, orders, on=on)


@strawberry.type
class TreatyParticipants:
    @planned(participants_page(), "Who takes part in which treaties.")
    def treaty_participants(
        self,
        info: Info,
        *,
        filter: TreatyParticipantFilter | None = None,
        order_by: TreatyParticipantOrder = TreatyParticipantOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[TreatyParticipant]:
        return looked_up(self, info)
