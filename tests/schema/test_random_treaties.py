"""Made-up treaties, asked on several days and at several positions, held against the naive reading.

Without a database, rows are folded and asked by the functions that the schema calls; with one, they
are asked by GraphQL. SECRETARIAT_EXAMPLES=50 runs fifty times as many, other ones each time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import psycopg
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger.treaties import TREATY
from ledger.treaty_participants import (
    TREATY_PARTICIPANT,
    Denounced,
    Deposited,
    Status,
)
from projections.entry_into_force import known_of as known_to_sql
from tests.properties import naive
from tests.properties.playing import Played, fact
from tests.properties.strategies import examples
from tests.properties.test_two_times import recorded_in_a_database
from tests.schema.asked_treaties import (
    Days,
    Found,
    Line,
    Pair,
    Party,
    Register,
    found_by_functions,
    found_by_graphql,
    known_of,
)
from tests.schema.made_up_treaties import EUROPEAN_UNION, TREATIES, registers
from tests.schema.naive_treaties import Bonds, Force, Law, Participant, Treaty
from tests.schema.reader import reading

# ---------------------------------------------------------------- as it should be


def read_naively(register: Register, name: str, position: int) -> Treaty:
    """A treaty as known at a position."""
    law = Law.of([fact(entry) for entry in register.records[TREATY.name, name]], position)
    participants = {
        key: Participant(
            [fact(entry) for entry in register.records[TREATY_PARTICIPANT.name, key]],
            position,
            organization=key.endswith(f"-{EUROPEAN_UNION}"),
            law=law,
        )
        for key in register.participants(name)
    }
    return Treaty(law, participants)


def expected(treaty: Treaty, day: date) -> Found:
    """What should be answered of a treaty on a day."""
    law, each = treaty.law, treaty.participants.values()
    deposited = (
        sum(one.least_on(day) is not None for one in each),
        sum(one.most_on(day) is not None for one in each),
    )
    in_force = _has_begun(treaty.latest, day), _has_begun(treaty.earliest, day)
    parties = {
        (key, number): party
        for key, one in treaty.participants.items()
        for number, party in _parties(treaty, one, day).items()
    }
    by_participant = {
        key: [party.in_force for (whose, _), party in parties.items() if whose == key]
        for key in treaty.participants
    }
    in_force_for = {key: (_any(held, 0), _any(held, 1)) for key, held in by_participant.items()}
    return Found(
        signatories=(
            sum(naive.is_certain(one.facts, day, one.position, _has_signed) for one in each),
            sum(naive.is_possible(one.facts, day, one.position, _has_signed) for one in each),
        ),
        required=law.required,
        deposited=deposited,
        remaining=_remaining(law, deposited, in_force),
        share=None if law.share is None else _shares(treaty, day),
        in_force=in_force,
        entry=_entry(treaty, day),
        parties=(
            sum(held[0] for held in in_force_for.values()),
            sum(held[1] for held in in_force_for.values()),
        ),
        if_next=treaty.if_deposited(day, all_remaining=False),
        if_remaining=treaty.if_deposited(day, all_remaining=True),
        listed={place: party for place, party in parties.items() if party.in_force[1]},
        participants={
            key: _line(treaty, key, number, in_force_for[key], parties.get((key, number)))
            for key, one in treaty.participants.items()
            for number in (one.number_on(day),)
            if number is not None
        },
    )


def _remaining(law: Law, deposited: Pair, in_force: Pair) -> Pair | None:
    if law.required is None:
        return None
    return (
        0 if in_force[1] else max(law.required - deposited[1], 0),
        0 if in_force[0] else max(law.required - deposited[0], 0),
    )


def _any(held: Sequence[Pair], which: int) -> bool:
    return any(each[which] for each in held)


def _has_begun(entry: Force | None, day: date) -> bool:
    return entry is not None and entry.since <= day


def _has_signed(prefix: naive.Prefix) -> bool:
    return bool(prefix) and naive.state_after(prefix).signed


def _shares(treaty: Treaty, day: date) -> tuple[Decimal, Decimal, Decimal]:
    each = treaty.participants.values()
    return (
        sum((one.share_on(one.cautious, day) or Decimal(0) for one in each), Decimal(0)),
        sum((one.least_on(day) or Decimal(0) for one in each), Decimal(0)),
        sum((one.most_on(day) or Decimal(0) for one in each), Decimal(0)),
    )


def _entry(treaty: Treaty, day: date) -> Days | None:
    """The day of entry into force, the first and the last, as far as its condition is met."""
    shown, earliest, latest = (
        None if entry is None or entry.met_on > day else entry.since
        for entry in (treaty.shown, treaty.earliest, treaty.latest)
    )
    return None if earliest is None else (shown, earliest, latest)


def _parties(treaty: Treaty, one: Participant, day: date) -> dict[int, Party]:
    """For each instrument by which it is a party on some reading, since when and on the day."""
    found = {}
    for shown in one.cautious:
        bonds = [bond for way in one.ways for bond in way if bond.number == shown.number]
        since = _bounds(
            treaty.effect(shown, treaty.shown),
            [treaty.effect(bond, treaty.earliest) for bond in bonds],
            [treaty.effect(bond, treaty.latest) for bond in bonds],
        )
        ends = [bond.ended for bond in bonds]
        until = _bounds(shown.ended, ends, ends)
        if since is None:
            continue
        if since[0] is None or shown.has_ended(since[0]):
            if until is not None and until[2] is not None and until[2] <= since[1]:
                continue
            since = None, since[1], None
        certain = since[2] is not None and since[2] <= day and (until is None or until[1] > day)
        possible = since[1] <= day and (until is None or until[2] is None or until[2] > day)
        found[shown.number] = Party(shown.instrument, (certain, possible), since, until)
    return found


def _bounds(
    day: date | None, early: Sequence[date | None], late: Sequence[date | None]
) -> Days | None:
    first = [each for each in early if each is not None]
    last = [each for each in late if each is not None]
    if not first:
        return None
    return day, min(first), max(last) if len(last) == len(late) else None


def _line(treaty: Treaty, key: str, number: int, in_force: Pair, party: Party | None) -> Line:
    one = treaty.participants[key]
    bonds = [bond for way in one.ways for bond in way if bond.number == number]
    if not bonds:
        return Line(in_force, None, None, None)
    (shown,) = [bond for bond in one.cautious if bond.number == number]
    return Line(
        in_force=in_force,
        since=None if party is None else party.since,
        until=None if party is None else party.until,
        by_rule=_bounds(
            treaty.by_rule(shown.deposited, treaty.shown),
            [treaty.by_rule(bond.deposited, treaty.earliest) for bond in bonds],
            [treaty.by_rule(bond.deposited, treaty.latest) for bond in bonds],
        ),
    )


def check(found: Found, treaty: Treaty, day: date) -> None:
    """Hold what was answered of a treaty on a day to the naive reading."""
    should_be = expected(treaty, day)
    if not treaty.law.is_plain and any(len(one.ways) > 1 for one in treaty.participants.values()):
        # Then the first and the last days of parties are held by their courses alone.
        found, should_be = _cautiously(found), _cautiously(should_be)
    assert found == should_be


def _cautiously(found: Found) -> Found:
    """The same without what inexact dates may have made of parties."""
    lines = {
        key: line._replace(
            in_force=(None, None),
            since=(None if line.since is None else line.since[0], date.min, None),
            until=None,
            by_rule=line.by_rule and (line.by_rule[0], date.min, None),
        )
        for key, line in found.participants.items()
    }
    return found._replace(parties=(0, 0), listed={}, participants=lines)


def check_prefixes(treaty: Treaty, day: date) -> None:
    """Hold the naive reading itself to the definition of what is certain and what is possible.

    When notice is over, no prefix of a history tells; so this is about those who never denounced.
    """
    for one in treaty.participants.values():
        if any(isinstance(happening.event, Denounced) for happening in one.happenings):
            continue

        def counts(prefix: naive.Prefix, one: Participant = one) -> bool:
            if not prefix or naive.state_after(prefix).status is not Status.BOUND:
                return False
            deposits = [fact.event for fact in prefix if isinstance(fact.event, Deposited)]
            return one.may_count(deposits[-1].instrument.name)

        certain = naive.is_certain(one.facts, day, one.position, counts)
        possible = naive.is_possible(one.facts, day, one.position, counts)
        assert (one.least_on(day) is not None) == certain
        assert (one.most_on(day) is not None) == possible


# ---------------------------------------------------------------- as it may have been


class World(NamedTuple):
    """One way in which all may have gone: each participant's instruments, and what followed."""

    treaty: Treaty
    held: Mapping[str, Bonds]
    entry: Force | None

    @classmethod
    def of(cls, treaty: Treaty, course: Sequence[Bonds]) -> World:
        """The world in which the participants' instruments are these, in their order."""
        held = dict(zip(treaty.participants, course, strict=True))
        return cls(treaty, held, treaty.entry(course))


def check_world(found: Found, world: World, day: date) -> None:
    """See that what was answered has room for a world."""
    treaty, entry = world.treaty, world.entry
    shares = [
        share
        for key, bonds in world.held.items()
        for share in (treaty.participants[key].share_on(bonds, day),)
        if share is not None
    ]
    has_room(found.deposited, len(shares))
    if found.share is not None:
        has_room(found.share[1:], sum(shares))
    if found.remaining is not None and found.required is not None:
        wanted = 0 if _has_begun(entry, day) else max(found.required - len(shares), 0)
        has_room(found.remaining, wanted)
    is_true_if(found.in_force, holds=_has_begun(entry, day))
    lies_within(found.entry, None if entry is None or entry.met_on > day else entry.since)
    has_room(found.parties, sum(_is_party(found, world, key, day) for key in world.held))


def _is_party(found: Found, world: World, key: str, day: date) -> bool:
    """Whether a participant is a party; see that there is room for its instruments."""
    treaty, entry = world.treaty, world.entry
    line, number = found.participants.get(key), treaty.participants[key].number_on(day)
    is_party = False
    for bond in world.held[key]:
        since = treaty.effect(bond, entry)
        holds = since is not None and since <= day and not bond.has_ended(day)
        is_party = is_party or holds
        party = found.listed.get((key, bond.number))
        is_true_if((False, False) if party is None else party.in_force, holds=holds)
        never = since is None or bond.has_ended(since)
        if party is not None and not never:
            lies_within(party.since, since)
            lies_within(party.until, bond.ended)
        if line is not None and bond.number == number:
            if not never:
                lies_within(line.since, since)
                lies_within(line.until, bond.ended)
            lies_within(line.by_rule, treaty.by_rule(bond.deposited, entry))
    if line is not None:
        is_true_if(line.in_force, holds=is_party)
    return is_party


def has_room(bounds: tuple[Any, ...], number: Decimal | int) -> None:
    """See that a number lies between two."""
    assert bounds[0] <= number <= bounds[1]


def is_true_if(answered: Pair, *, holds: bool) -> None:
    """See that what is certain holds, and that what holds is possible."""
    certain, possible = answered
    assert holds or not certain
    assert possible or not holds


def lies_within(bounds: Days | None, day: date | None) -> None:
    """See that a day lies between the first and the last; never, only if there may be none."""
    if day is None:
        assert bounds is None or bounds[2] is None
    else:
        assert bounds is not None
        assert bounds[1] <= day <= (bounds[2] or date.max)


# ---------------------------------------------------------------- the tests


def days_that_matter(treaty: Treaty) -> list[date]:
    """The days on which an answer may change, those before them, and a few others."""
    found = {force.since for force in (treaty.shown, treaty.earliest, treaty.latest) if force}
    found |= {force.met_on for force in (treaty.shown, treaty.earliest, treaty.latest) if force}
    for one in treaty.participants.values():
        for happening in one.happenings:
            found |= {happening.first, happening.last, *filter(None, happening.stated())}
        for bond in one.cautious:
            since = treaty.effect(bond, treaty.shown)
            found |= {day for day in (since, bond.ended) if day is not None}
    return sorted({*found, *(day - timedelta(1) for day in found), date(2023, 1, 15)})


# None are shrunk: with a database that would take a new one for each of a thousand tries, and
# without one it takes minutes, as every day is lived through.
def unshrunk(count: int) -> settings:
    """So many examples, found and told as they are."""
    return settings(examples(count), phases=[Phase.generate])


@unshrunk(100)
@given(data=st.data(), exact=st.sampled_from([False, False, True]))
def test_the_functions_answer_as_the_naive_reading(data: st.DataObject, *, exact: bool) -> None:
    name = TREATIES[0]
    played = data.draw(registers(names=[name], exact=exact, fewest=8, most=24))
    register = Register(played.entries)
    random = data.draw(st.randoms(use_true_random=True))
    for position in {register.last, random.randint(register.opened(name), register.last)}:
        _check_functions(register, name, position, random, count=8)


def _check_functions(
    register: Register, name: str, position: int, random: Random, *, count: int
) -> None:
    """Hold what is answered on some days to the naive reading, and to courses drawn at random."""
    treaty = read_naively(register, name, position)
    each = treaty.participants.values()
    cautious = [one.cautious for one in each]
    courses = [cautious, *([one.on(one.some_course(random)) for one in each] for _ in range(2))]
    worlds = [World.of(treaty, course) for course in courses]
    for day in random.choices(days_that_matter(treaty), k=count):
        found = found_by_functions(register, name, day, position)
        check(found, treaty, day)
        check_prefixes(treaty, day)
        for world in worlds:
            check_world(found, world, day)


@unshrunk(3)
@given(
    played=registers(names=TREATIES, exact=False, fewest=40, most=80),
    random=st.randoms(use_true_random=True),
)
def test_the_database_answers_as_the_functions(
    server_url: str, migrated_template: str, played: Played, random: Random
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, played.plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register(entry for entry in entries if entry is not None)
        first = max(register.opened(name) for name in TREATIES)
        for _ in range(8):
            position = max(random.randint(first, register.last) for _ in range(2))
            treaties = {name: read_naively(register, name, position) for name in TREATIES}
            for name in TREATIES:
                assert _known_to_sql(url, name, position) == json.loads(
                    known_of(register, name, position)
                )
            matter = [day for treaty in treaties.values() for day in days_that_matter(treaty)]
            for day in random.choices(matter, k=6):
                answered = found_by_graphql(reader, day, position)
                for name, treaty in treaties.items():
                    found = found_by_functions(register, name, day, position)
                    check(found, treaty, day)
                    in_order = [(key, party) for (key, _), party in sorted(found.listed.items())]
                    assert answered[name] == {**found._asdict(), "listed": in_order}


def _known_to_sql(url: str, name: str, position: int) -> Any:
    with psycopg.connect(url) as connection:
        statement = f"SELECT {known_to_sql('%(name)s')}"
        row = connection.execute(
            statement.encode(), {"name": name, "position": position}
        ).fetchone()
    assert row is not None
    return json.loads(row[0])
