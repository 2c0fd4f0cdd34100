"""Treaties by the plainest of ways: every day is lived through, each way in which it may have gone.

What happened to a participant happened in an order, each time on a day between two. A *course*
says on which, and with it everything is certain: when each instrument was deposited, took effect
and ended. To find what is certain and what is possible, it is enough to try the courses in which
the first so many things happened as early as they may have, and all others as late.

Where the text leaves a choice, this is the reading taken:

* What is asked of a day is answered with every instrument that was known, those of later days
  included. A denunciation that was withdrawn never had effect.
* A participant counts once, however many of its instruments stand, with the largest share that one
  of them accounts for. Others may follow before the notice of a denunciation is over.
* Where no rule is on record, a treaty enters into force with the first date of effect that is
  stated of an instrument that had not ended by then; that is known once the first of those is
  deposited or has effect.
* An instrument that was taken back and followed by another all on the day of its deposit leaves no
  trace, as anything that held on no day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import product
from random import Random
from typing import NamedTuple

from ledger.kind import AnyEvent
from ledger.treaties import Opened
from ledger.treaty_participants import (
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
)
from tests.properties import naive

NOTHING = Decimal(0)


def later(day: date, period: str) -> date:
    """The day a period after `day`; the periods tried are of days or of months alone."""
    length, _, to_first = period.partition(" ")
    number = int(length[1:-1])
    if length[-1] == "D":
        reached = day + timedelta(number)
    else:
        year, month = divmod(12 * day.year + day.month - 1 + number, 12)
        reached = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    if to_first:
        year, month = divmod(12 * reached.year + reached.month, 12)
        reached = date(year, month + 1, 1)
    return reached


@dataclass(frozen=True, kw_only=True)
class Law:
    """A treaty's final clause; without `required` there is no rule."""

    required: int | None
    kinds: list[str] | None
    organizations: bool
    share: Decimal | None
    period: str
    party_period: str
    notice: str

    @classmethod
    def of(cls, facts: naive.Facts, position: int) -> Law:
        """The clause as known at a position."""
        opened = naive.in_order(naive.known_by(facts, position))[0].event
        assert isinstance(opened, Opened)
        period = opened.offset or "P0D"
        return cls(
            required=opened.instruments_required,
            kinds=None if opened.instrument_kinds is None else opened.instrument_kinds.split(),
            organizations=opened.organizations_counted is True,
            share=opened.share_required,
            period=period,
            party_period=opened.party_offset or period,
            notice=opened.denunciation_offset or "P0D",
        )

    @cached_property
    def is_plain(self) -> bool:
        """Whether later parties never wait longer than those who brought it into force.

        Then nobody becomes a party the earlier for what happened later.
        """
        days = [date(2022, 1, 1) + timedelta(number) for number in range(730)]
        return all(later(day, self.party_period) <= later(day, self.period) for day in days)


class Happening(NamedTuple):
    """An event of a participant, and the days between which it happened."""

    event: AnyEvent
    first: date
    last: date

    def stated(self) -> tuple[date | None, ...]:
        """The first and the last day of the date of effect that it states, if it does."""
        effect = getattr(self.event, "takes_effect", None)
        return (None,) if effect is None else (effect.earliest, effect.latest)


Course = Sequence[tuple[date, date | None]]
"""The day of each happening, and that of the effect which it states."""


class Bond(NamedTuple):
    """An instrument as it was on a course."""

    number: int
    instrument: str
    share: Decimal
    deposited: date
    effect: date | None
    ended: date | None

    def stands(self, day: date) -> bool:
        """Whether it was deposited by a day and had not ended."""
        return self.deposited <= day and not self.has_ended(day)

    def has_ended(self, day: date) -> bool:
        """Whether it had ended by a day."""
        return self.ended is not None and self.ended <= day


class Force(NamedTuple):
    """When the condition was met, and when the treaty enters into force."""

    met_on: date
    since: date


Bonds = tuple[Bond, ...]
Present = Callable[[date], Sequence[Decimal]]
"""The shares of those whose instruments stand on a day."""


# ---------------------------------------------------------------- a participant


class Participant:
    """What was known of one at a position."""

    def __init__(self, facts: naive.Facts, position: int, *, organization: bool, law: Law) -> None:
        self.facts = facts
        self.position = position
        self._organization = organization
        self._law = law
        known = naive.known_by(facts, position)
        order = naive.in_order(known)
        self.happenings = [
            Happening(
                _event(fact),
                naive.possible_from(tuple(order[: number + 1]), known),
                naive.bounds(fact, known)[1],
            )
            for number, fact in enumerate(order)
        ]

    def number_on(self, day: date) -> int | None:
        """How many instruments it had deposited by a day, cautiously; None if it was not there."""
        prefix = naive.cautious(self.facts, day, self.position)
        return sum(isinstance(fact.event, Deposited) for fact in prefix) if prefix else None

    @cached_property
    def cautious(self) -> Bonds:
        """Its instruments if all happened as late as it may have."""
        return self.on([(one.last, one.stated()[-1]) for one in self.happenings])

    @cached_property
    def ways(self) -> list[Bonds]:
        """Its instruments on each course that is one of the extremes."""
        return sorted({self.on(course) for course in self._courses()})

    def _courses(self) -> Iterator[Course]:
        effects = list(product(*(one.stated() for one in self.happenings)))
        for early in range(len(self.happenings) + 1):
            days = [
                one.first if number < early else one.last
                for number, one in enumerate(self.happenings)
            ]
            for chosen in effects:
                yield list(zip(days, chosen, strict=True))

    def some_course(self, random: Random) -> Course:
        """Any course."""
        course: list[tuple[date, date | None]] = []
        day = date.min
        for one in self.happenings:
            day = _between(random, max(day, one.first), one.last)
            first, last = one.stated()[0], one.stated()[-1]
            effect = None if first is None or last is None else _between(random, first, last)
            course.append((day, effect))
        return course

    def on(self, course: Course) -> Bonds:
        """Its instruments on a course."""
        found: list[Bond] = []
        for one, (day, effect) in zip(self.happenings, course, strict=True):
            match one.event:
                case Deposited() as event:
                    share = event.share or NOTHING
                    number = len(found) + 1
                    found.append(Bond(number, event.instrument.name, share, day, effect, None))
                case InstrumentWithdrawn():
                    found[-1] = found[-1]._replace(ended=day)
                case Denounced():
                    ended = later(day, self._law.notice) if effect is None else effect
                    found[-1] = found[-1]._replace(ended=ended)
                case DenunciationWithdrawn():
                    found[-1] = found[-1]._replace(ended=None)
        return tuple(bond for bond in found if bond.number in self._traced())

    def _traced(self) -> set[int]:
        """The instruments that were the last for some time, however short it may have been."""
        traced = set()
        for place, one in enumerate(self.happenings):
            following = self.happenings[place + 1 :][:1]
            if all(one.first < other.last for other in following):
                deposits = self.happenings[: place + 1]
                traced.add(sum(isinstance(each.event, Deposited) for each in deposits))
        return traced

    def share_on(self, bonds: Bonds, day: date) -> Decimal | None:
        """The share of those that count and stand on a day; None if there are none."""
        shares = [
            bond.share for bond in bonds if bond.stands(day) and self.may_count(bond.instrument)
        ]
        return max(shares, default=None)

    def may_count(self, instrument: str) -> bool:
        """Whether an instrument of a kind counts, deposited by this participant."""
        law = self._law
        if law.required is None:
            return True
        is_of_kind = law.kinds is None or instrument.lower() in law.kinds
        return is_of_kind and (law.organizations or not self._organization)

    def most_on(self, day: date) -> Decimal | None:
        """The largest share that it may account for on a day; None if it can't count."""
        shares = [self.share_on(way, day) for way in self.ways]
        return max((share for share in shares if share is not None), default=None)

    def least_on(self, day: date) -> Decimal | None:
        """The smallest share that it accounts for on a day; None if it need not count."""
        shares = [self.share_on(way, day) for way in self.ways]
        sure = [share for share in shares if share is not None]
        return min(sure) if len(sure) == len(shares) else None


def _event(fact: naive.Fact) -> AnyEvent:
    assert fact.event is not None, "annulments are not in the order"
    return fact.event


def _between(random: Random, first: date, last: date) -> date:
    """A day between two; often one of them."""
    days = (last - first).days
    return first + timedelta(random.choice([0, days, random.randint(0, days)]))


# ---------------------------------------------------------------- a treaty


class Treaty:
    """What was known of one at a position; `participants` by key."""

    def __init__(self, law: Law, participants: Mapping[str, Participant]) -> None:
        self.law = law
        self.participants = participants
        one_by_one = participants.values()
        self.shown = self.entry([one.cautious for one in one_by_one])
        if law.required is None:
            # Of each the course that is best for an early entry into force, or worst.
            forces = [[self.entry([way]) for way in one.ways] for one in one_by_one]
            self.earliest = _first([force for each in forces for force in each])
            self.latest = _first([_last(each) for each in forces])
        else:
            self.earliest = self._lived_through(
                lambda day: _known(one.most_on(day) for one in one_by_one)
            )
            self.latest = self._lived_through(
                lambda day: _known(one.least_on(day) for one in one_by_one)
            )

    def entry(self, course: Sequence[Bonds]) -> Force | None:
        """Its entry into force on a course, given the instruments of each participant."""
        if self.law.required is None:
            stated = [
                Force(min(bond.deposited, bond.effect), bond.effect)
                for bonds in course
                for bond in bonds
                if bond.effect is not None and not bond.has_ended(bond.effect)
            ]
            return _first(stated)
        by_participant = list(zip(self.participants.values(), course, strict=True))
        return self._lived_through(
            lambda day: _known(one.share_on(bonds, day) for one, bonds in by_participant)
        )

    def _lived_through(self, present: Present, *, on: date | None = None) -> Force | None:
        """The entry into force, found by living through every day on which something may happen.

        Something happens `on` a day at any rate.
        """
        begin, end = self._days
        met_on = None
        for day in _every_day(min(begin, on or begin), max(end, on or end)):
            if met_on is not None and later(met_on, self.law.period) <= day:
                break
            met_on = (met_on or day) if self.is_met(present(day)) else None
        return None if met_on is None else Force(met_on, later(met_on, self.law.period))

    def is_met(self, shares: Sequence[Decimal]) -> bool:
        """Whether those who account for these shares are enough."""
        assert self.law.required is not None
        enough = self.law.share is None or sum(shares) >= self.law.share
        return enough and len(shares) >= self.law.required

    @cached_property
    def _days(self) -> tuple[date, date]:
        """The days between which all happens."""
        bonds = [bond for one in self.participants.values() for way in one.ways for bond in way]
        begin = min((bond.deposited for bond in bonds), default=date.max)
        end = max((max(bond.deposited, bond.ended or date.min) for bond in bonds), default=date.min)
        return begin, end

    def if_deposited(self, day: date, *, all_remaining: bool) -> date | None:
        """The entry into force, or the effect, if others came on a day, and nothing after it."""
        if self.law.required is None:
            return None
        if self.shown is not None and self.shown.met_on <= day:
            return self.by_rule(day, self.shown)
        past = [
            tuple(
                bond if bond.has_ended(day) else bond._replace(ended=None)
                for bond in one.cautious
                if bond.deposited <= day
            )
            for one in self.participants.values()
        ]
        by_participant = list(zip(self.participants.values(), past, strict=True))

        def present(then: date) -> Sequence[Decimal]:
            return _known(one.share_on(bonds, then) for one, bonds in by_participant)

        wanted = max(self.law.required - len(present(day)), 1) if all_remaining else 1
        force = self._lived_through(
            lambda then: [*present(then), *[NOTHING] * (wanted if then >= day else 0)], on=day
        )
        return force and force.since

    def by_rule(self, deposited: date, force: Force | None) -> date | None:
        """The day of effect, by the rule, of what was deposited on a day."""
        if force is None or self.law.required is None:
            return None
        if deposited <= force.met_on:
            return force.since
        return max(later(deposited, self.law.party_period), force.since)

    def effect(self, bond: Bond, force: Force | None) -> date | None:
        """The day from which it is in force by an instrument."""
        if bond.effect is None:
            return self.by_rule(bond.deposited, force)
        if self.law.required is None:
            return bond.effect
        return None if force is None else max(bond.effect, force.since)


def _every_day(begin: date, end: date) -> Iterator[date]:
    for number in range((end - begin).days + 1):
        yield begin + timedelta(number)


def _known(shares: Iterator[Decimal | None]) -> list[Decimal]:
    return [share for share in shares if share is not None]


def _first(forces: Sequence[Force | None]) -> Force | None:
    """Of dates of effect that are stated: the first of them, and when the first was known."""
    known = [force for force in forces if force is not None]
    if not known:
        return None
    return Force(min(force.met_on for force in known), min(force.since for force in known))


def _last(forces: Sequence[Force | None]) -> Force | None:
    known = [force for force in forces if force is not None]
    if len(known) < len(forces) or not known:
        return None
    return Force(max(force.met_on for force in known), max(force.since for force in known))
