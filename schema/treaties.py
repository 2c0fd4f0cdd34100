"""Treaties as clients see them: their rules, where they stand, and for whom they are in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

import strawberry

from ledger.entry_into_force import Instrument, instruments_named
from projections import entry_into_force as force
from schema.bodies import Body
from schema.depositary_notifications import (
    DepositaryNotification,
    DepositaryNotificationFilter,
    DepositaryNotificationOrder,
    notifications_page,
)
from schema.organizations import Organization
from schema.pagination import Connection
from schema.reading import (
    Columns,
    Info,
    ToComputed,
    ToKeyed,
    ToList,
    ToOne,
    ToPage,
    any_of,
    column,
    condition,
    looked_up,
    made,
    planned,
    reads,
)
from schema.record import Record
from schema.states import State
from schema.treaty_participants import (
    DAY,
    HELD,
    TreatyParticipant,
    TreatyParticipantFilter,
    TreatyParticipantOrder,
    is_party,
    participants_page,
    party_since,
    party_until,
)
from schema.treaty_statements import (
    TreatyStatement,
    TreatyStatementFilter,
    TreatyStatementOrder,
    statements_page,
)
from schema.values import Certainty, Count, DayRange, DecimalRange, ImpreciseDate


@strawberry.type(description="The rule by which a treaty enters into force, as data.")
class EntryIntoForceRule:
    instruments_required: int = strawberry.field(description="How many instruments are required.")
    instrument_kinds: list[Instrument] = strawberry.field(description="Of which kinds.")
    organizations_counted: bool = strawberry.field(
        description="Whether the instruments of organizations count."
    )
    share_required: Decimal | None = strawberry.field(
        description="What share the participants must account for together, in per cent."
    )
    share_of: str | None = strawberry.field(description="What it is a share of.")
    offset: str = strawberry.field(
        description="How long after the last instrument required it enters into force, as an ISO"
        " 8601 duration; the first day of the month after it with `first-of-next-month`."
    )
    party_offset: str = strawberry.field(
        description="How long after its own deposit it is in force for a later party."
    )


def _rule(*terms: Any) -> EntryIntoForceRule | None:
    """The rule with the terms that the columns of a treaty have; None if they are empty."""
    required, kinds, organizations, share, share_of, offset, party_offset = terms
    if required is None:
        return None
    named = set(Instrument) if kinds is None else instruments_named(kinds)
    return EntryIntoForceRule(
        instruments_required=required,
        instrument_kinds=[instrument for instrument in Instrument if instrument in named],
        organizations_counted=bool(organizations),
        share_required=share,
        share_of=share_of,
        offset=offset,
        party_offset=party_offset or offset,
    )


def _of_treaty(description: str, answer: Callable[[force.Facts, date], Any]) -> Any:
    """A field that is answered by all that was known of the treaty, as of the day."""
    return made(description, lambda known, day: answer(force.facts_of(known), day), "known", "day")


def _deposited_on(*, all_remaining: bool) -> Callable[[force.Facts, date], date | None]:
    return lambda facts, day: force.if_deposited(facts, day, all_remaining=all_remaining)


def _required(facts: force.Facts, _: date) -> int | None:
    return None if facts.rule is None else facts.rule.required


def _remaining(facts: force.Facts, day: date) -> Count | None:
    remaining = force.remaining(facts, day)
    return None if remaining is None else Count.of(remaining)


def _share(facts: force.Facts, day: date) -> DecimalRange | None:
    if facts.rule is None or facts.rule.share is None:
        return None
    value, low, high = force.share_deposited(facts, day)
    return DecimalRange(value=value, low=low, high=high)


@strawberry.type(
    description="Where a treaty stands on a day: what had been deposited by it, and for whom it was"
    " in force, with every instrument known at the point, those deposited later included."
)
class TreatyStatus:
    signatories: Count = _of_treaty(
        "How many had signed it, bound since or not.",
        lambda facts, day: Count.of(force.signatories(facts, day)),
    )
    required: int | None = _of_treaty(
        "How many instruments its entry into force requires; nothing if no rule is on record.",
        _required,
    )
    deposited: Count = _of_treaty(
        "How many instruments stood that count towards it.",
        lambda facts, day: Count.of(force.deposited(facts, day)),
    )
    remaining: Count | None = _of_treaty(
        "How many are wanted still, by number alone: none once it is in force.", _remaining
    )
    share_deposited: DecimalRange | None = _of_treaty(
        "What share those account for who deposited them, in per cent, if the rule asks for one.",
        _share,
    )
    in_force: Certainty = _of_treaty(
        "Whether it was in force.", lambda facts, day: Certainty.of(force.in_force_on(facts, day))
    )
    entry_into_force: DayRange | None = _of_treaty(
        "The day of its entry into force, once the condition for it is met: it may lie ahead."
        " Without a rule, the first date of effect that is stated.",
        lambda facts, day: DayRange.of(force.entry(facts, day)),
    )
    parties: Count = _of_treaty(
        "For how many it was in force.", lambda facts, day: Count.of(force.parties(facts, day))
    )
    if_next_deposited: date | None = _of_treaty(
        "If the next instrument that counts came on that day, the day on which the treaty would"
        " enter into force; once it is in force, for the party that comes. Nothing if more would"
        " be wanted.",
        _deposited_on(all_remaining=False),
    )
    if_remaining_deposited: date | None = _of_treaty(
        "The same if all instruments that remain came on that day.",
        _deposited_on(all_remaining=True),
    )


# Of each instrument the last row known, whatever the day; deposits to come may have had effect.
EVERY_INSTRUMENT = """
    {t}.treaty = {a}.key AND {t}.known @> %(position)s::int8 AND {t}.instrument_number > 0
    AND NOT EXISTS (
        SELECT FROM projections.treaty_participants AS later
         WHERE later.key = {t}.key AND later.known @> %(position)s::int8
           AND later.instrument_number = {t}.instrument_number AND later.step > {t}.step)"""


@strawberry.type(description="A state or an organization for which a treaty is in force.")
class TreatyParty:
    key: strawberry.ID = column("The key of the participant in the treaty.", "key")
    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The state.")
    organization: Organization | None = reads(
        ToOne(Organization.table, "{t}.key = {a}.organization"), "The organization."
    )
    participant: TreatyParticipant | None = reads(
        ToOne(TreatyParticipant.table, "{t}.key = {a}.key"),
        "Its record on the day; nothing if it had not deposited anything by then.",
    )
    instrument: Instrument = made("By what it is bound.", Instrument, "instrument")
    in_force: Certainty = made("Whether it is in force for it on the day.", is_party, *HELD)
    since: DayRange = made("Since when.", party_since, *HELD)
    until: DayRange | None = made("The day from which it is no more.", party_until, *HELD)


@strawberry.type(description="A treaty, with the rule by which it enters into force.")
class Treaty(Record):
    kind_name: ClassVar[str] = "treaty"
    table: ClassVar[str] = "projections.treaties"

    title_en: str = column("The title in English.", "title_en")
    depositary: Body | None = reads(
        ToOne(Body.table, "{t}.key = {a}.depositary"), "The body that keeps it."
    )
    clause: str | None = column("The clause on its entry into force.", "clause")
    opened: ImpreciseDate = made(
        "When it was opened for signature.", ImpreciseDate.of, "opened", "opened_on"
    )
    rule: EntryIntoForceRule | None = made(
        "The rule, if one is on record; else only dates of effect that are stated count.",
        _rule,
        *("instruments_required", "instrument_kinds", "organizations_counted"),
        *("share_required", "share_of", "offset", "party_offset"),
    )
    denunciation_offset: str | None = column(
        "How long after its receipt a denunciation has effect that states no date; it has it at"
        " once, if nothing is on record.",
        "denunciation_offset",
    )
    status: TreatyStatus = reads(
        ToComputed(f"SELECT {force.known_of('{a}.key')} AS known, {DAY} AS day"),
        "Where it stands on the day.",
    )
    parties: list[TreatyParty] = reads(
        ToList(
            "projections.treaty_participants",
            EVERY_INSTRUMENT,
            "{t}.key, {t}.instrument_number",
            keep=Columns(HELD, lambda *held: is_party(*held).possible),
        ),
        "For whom it is in force on the day, certainly or possibly.",
    )

    @planned(participants_page("{t}.treaty = {a}.key"), "Who signed it or is bound by it.")
    def participants(
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

    @planned(
        statements_page("{t}.treaty = {a}.key"), "The reservations, declarations and objections."
    )
    def statements(
        self,
        info: Info,
        *,
        filter: TreatyStatementFilter | None = None,
        order_by: TreatyStatementOrder = TreatyStatementOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[TreatyStatement]:
        return looked_up(self, info)

    @planned(
        notifications_page("{t}.treaty = {a}.key"), "What the depositary let the states know of it."
    )
    def notifications(
        self,
        info: Info,
        *,
        filter: DepositaryNotificationFilter | None = None,
        order_by: DepositaryNotificationOrder = DepositaryNotificationOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[DepositaryNotification]:
        return looked_up(self, info)


@strawberry.input(description="Which treaties; what is left out asks nothing.")
class TreatyFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    has_rule: bool | None = condition(
        "With a rule of entry into force on record, or without.",
        "({a}.instruments_required IS NOT NULL) = {value}",
        "bool",
    )


@strawberry.enum(description="The order of treaties.")
class TreatyOrder(Enum):
    KEY = "KEY"
    OPENED = strawberry.enum_value("OPENED", description="By the day by which they were opened.")


ORDERS = {"KEY": ("key", "text"), "OPENED": ("opened_on", "date")}


@strawberry.type
class Treaties:
    @planned(ToKeyed(Treaty.table), "The treaty of that key.")
    def treaty(self, info: Info, key: strawberry.ID) -> Treaty | None:
        return looked_up(self, info)

    @planned(ToPage(Treaty.table, ORDERS), "The treaties, in force or not.")
    def treaties(
        self,
        info: Info,
        *,
        filter: TreatyFilter | None = None,
        order_by: TreatyOrder = TreatyOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Treaty]:
        return looked_up(self, info)
