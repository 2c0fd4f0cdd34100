"""Which treaties are in force on a day, since when, and for whom, with what was known by then.

A treaty is in force for a party from that party's date of effect, stated or by the treaty's rule.
Since some take effect before they are deposited, what is asked of a day is answered with every
instrument that was known, those of later days included. Where dates are not exact, there are three
readings of them: the cautious one, which is shown; the one by which all happened as early as it
may have, and instruments were taken back as late; and the reverse.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from ledger.entry_into_force import (
    Consent,
    Force,
    Instrument,
    Period,
    Rule,
    effect_by_rule,
    entry_into_force,
)
from ledger.treaties import rule_of
from ledger.treaty_participants import Status

NONE = Decimal(0)


def known_of(treaty: str) -> str:
    """SQL for all that was known of the treaty whose key `treaty` gives: JSON for `facts_of`.

    Of each instrument, and of each signature without one, the last that was known of it.
    """
    return f"""
    (SELECT json_build_array(json_build_array(
                rule.instruments_required, rule.instrument_kinds, rule.organizations_counted,
                rule.share_required::text, rule."offset", rule.party_offset,
                rule.denunciation_offset),
            (SELECT json_agg(json_build_array(
                        key, instrument_number, status, organization IS NOT NULL, instrument,
                        share::text, signed_earliest, signed_latest, deposited_earliest,
                        deposited_latest, effect_earliest, effect_latest, left_earliest,
                        left_latest, leaving_earliest, leaving_latest,
                        before_left_earliest, before_left_latest,
                        before_leaving_earliest, before_leaving_latest)
                        ORDER BY key, instrument_number)
               FROM (SELECT DISTINCT ON (key, instrument_number) *
                       FROM projections.treaty_participants
                      WHERE treaty = rule.key AND known @> %(position)s::int8
                      ORDER BY key, instrument_number, step DESC) AS last))::text
       FROM projections.treaties AS rule
      WHERE rule.key = {treaty} AND rule.known @> %(position)s::int8
      ORDER BY rule.step DESC LIMIT 1)"""  # noqa: S608 - our own column, not a value


class Between(NamedTuple):
    """Two days between which something happened."""

    earliest: date
    latest: date

    @classmethod
    def of(cls, earliest: str | None, latest: str | None) -> Between | None:
        """The two days as JSON has them; None of nothing."""
        if earliest is None or latest is None:
            return None
        return cls(date.fromisoformat(earliest), date.fromisoformat(latest))


class Reading(Enum):
    """How inexact dates are read: of deposits and effects, and of what ends them."""

    SHOWN = ("latest", "latest")
    EARLIEST = ("earliest", "latest")
    LATEST = ("latest", "earliest")

    def begins(self, between: Between) -> date:
        """When an instrument, or its effect, began."""
        return self._day(self.value[0], between)

    def ends(self, between: Between) -> date:
        """When it was taken back, or ceased to have effect."""
        return self._day(self.value[1], between)

    @staticmethod
    def _day(which: str, between: Between) -> date:
        return between.earliest if which == "earliest" else between.latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An instrument, and the days on which it was deposited, took effect by its words, and ended.

    `ended` is when it was withdrawn, or when its denunciation took effect.
    """

    instrument: Instrument
    organization: bool
    share: Decimal
    deposited: Between
    effect: Between | None
    ended: Between | None


Instruments: TypeAlias = Mapping[str, Mapping[int, Held]]
"""Those of each participant, by their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was known of a treaty: its rule, if one is stated, its signatures and instruments.

    `signed` are by participant.
    """

    rule: Rule | None
    signed: Mapping[str, Between]
    held: Instruments
    forces: Mapping[Reading, Force | None]


class Days(NamedTuple):
    """A day on the cautious reading, and the days between which it lies; None is never."""

    day: date | None
    earliest: date
    latest: date | None


class Counted(NamedTuple):
    """How many certainly, and how many possibly."""

    certain: int
    possible: int


# ---------------------------------------------------------------- what is known


@lru_cache(maxsize=64)
def facts_of(known: str) -> Facts:
    """The facts that `known_of` gave. Kept, since each participant of a page asks for the same."""
    terms, rows = json.loads(known)
    required, kinds, organizations, share, period, party_period, notice = terms
    rule = rule_of(
        required=required,
        kinds=kinds,
        organizations=organizations,
        share=None if share is None else Decimal(share),
        offset=period,
        party_offset=party_period,
    )
    signed: dict[str, Between] = {}
    held: dict[str, dict[int, Held]] = {}
    for key, theirs in _by_participant(rows or ()):
        signature = Between.of(*theirs[-1][4:6])
        if signature is not None:
            signed[key] = signature
        held[key] = dict(_instruments(theirs, notice))
    forces = {reading: _force(rule, held, reading) for reading in Reading}
    return Facts(rule=rule, signed=signed, held=held, forces=forces)


def _by_participant(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[list[Any]]]]:
    """Each participant's rows in order: what `known_of` lists, without the key and the number."""
    found: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for key, number, *rest in rows:
        # So that the place of a row in its list is the number of its instrument.
        while len(found[key]) < number:
            found[key].append([])
        found[key].append(rest)
    yield from found.items()


def _instruments(theirs: Sequence[Sequence[Any]], notice: str | None) -> Iterator[tuple[int, Held]]:
    # What ended an instrument is told by the row of the next: of what happened on the day itself of
    # that deposit there is no row, as it held on no day.
    taken_back: Between | None = None
    for number in range(len(theirs) - 1, 0, -1):
        if not theirs[number]:
            continue
        status, organization, instrument, share, _, _, *days = theirs[number]
        deposited, effect, left, leaving, before_left, before_leaving = (
            Between.of(*days[place : place + 2]) for place in range(0, 12, 2)
        )
        assert deposited is not None, "an instrument has a day of deposit"
        yield (
            number,
            Held(
                instrument=Instrument(instrument),
                organization=organization,
                share=NONE if share is None else Decimal(share),
                deposited=deposited,
                effect=effect,
                ended=taken_back or _ended(status, left, leaving, notice),
            ),
        )
        taken_back = _ended(Status.DENOUNCED, before_left, before_leaving, notice)


def _ended(
    status: str, left: Between | None, leaving: Between | None, notice: str | None
) -> Between | None:
    """When an instrument ceased to bind: at once if withdrawn, after notice if denounced."""
    if left is None or status == Status.WITHDRAWN:
        return left
    if leaving is not None:
        return leaving
    period = Period.of(notice or "P0D")
    return Between(period.after(left.earliest), period.after(left.latest))


def _force(rule: Rule | None, held: Instruments, reading: Reading) -> Force | None:
    if rule is not None:
        return entry_into_force(rule, _consents(rule, held, reading))
    stated = [
        (reading.begins(one.deposited), since)
        for theirs in held.values()
        for one in theirs.values()
        if one.effect is not None
        for since in (reading.begins(one.effect),)
        if one.ended is None or since < reading.ends(one.ended)
    ]
    if not stated:
        return None
    return Force(min(min(days) for days in stated), min(since for _, since in stated))


def _consents(rule: Rule | None, held: Instruments, reading: Reading) -> Iterator[Consent]:
    """What counts, never two at once of one participant; without a rule, every instrument does."""
    for theirs in held.values():
        yield from _united(
            [
                Consent(
                    reading.begins(one.deposited),
                    None if one.ended is None else reading.ends(one.ended),
                    one.share,
                )
                for one in theirs.values()
                if rule is None or rule.counts(one.instrument, organization=one.organization)
            ]
        )


def _united(theirs: Sequence[Consent]) -> Iterator[Consent]:
    """The consents of one participant as if they were one, with the largest share of them.

    It may have deposited anew before the notice of its denunciation was over; and where dates are
    not exact, they may overlap on one reading.
    """
    if len(theirs) < 2:
        yield from theirs
        return
    days = sorted({day for one in theirs for day in (one.since, one.until or date.max)})
    for since, until in pairwise(days):
        shares = [one.share for one in theirs if _stands(one, since)]
        if shares:
            yield Consent(since, None if until == date.max else until, max(shares))


def _stands(consent: Consent, day: date) -> bool:
    return consent.since <= day and (consent.until is None or day < consent.until)


# ---------------------------------------------------------------- of the treaty


def signatories(facts: Facts, day: date) -> Counted:
    """Who had signed by `day`, bound since or not."""
    return _counted(facts.signed.values(), day)


def deposited(facts: Facts, day: date) -> Counted:
    """How many stood by an instrument that counts on `day`."""
    certain, possible = (
        len(_standing(facts, reading, day)) for reading in (Reading.LATEST, Reading.EARLIEST)
    )
    return Counted(certain, possible)


def share_deposited(facts: Facts, day: date) -> tuple[Decimal, Decimal, Decimal]:
    """What share those account for who deposited them: cautiously, at the least, at the most."""
    value, low, high = (
        sum((consent.share for consent in _standing(facts, reading, day)), NONE)
        for reading in (Reading.SHOWN, Reading.LATEST, Reading.EARLIEST)
    )
    return value, low, high


def remaining(facts: Facts, day: date) -> Counted | None:
    """How many instruments are wanted still; none once it is in force, and None without a rule."""
    if facts.rule is None:
        return None
    required, standing, (in_force, may_be) = (
        facts.rule.required,
        deposited(facts, day),
        in_force_on(facts, day),
    )
    return Counted(
        0 if may_be else max(required - standing.possible, 0),
        0 if in_force else max(required - standing.certain, 0),
    )


def in_force_on(facts: Facts, day: date) -> tuple[bool, bool]:
    """Whether the treaty is in force on `day`: certainly, possibly."""
    return _has_begun(facts, Reading.LATEST, day), _has_begun(facts, Reading.EARLIEST, day)


def entry(facts: Facts, day: date) -> Days | None:
    """The day of entry into force, once its condition is met; it may lie ahead of `day`."""
    met = {
        reading: force.since
        for reading, force in facts.forces.items()
        if force is not None and force.met_on <= day
    }
    if Reading.EARLIEST not in met:
        return None
    return Days(met.get(Reading.SHOWN), met[Reading.EARLIEST], met.get(Reading.LATEST))


def parties(facts: Facts, day: date) -> Counted:
    """For how many participants the treaty is in force on `day`."""
    in_force = [in_force_for(facts, key, day) for key in facts.held]
    return Counted(
        sum(certain for certain, _ in in_force), sum(possible for _, possible in in_force)
    )


def if_deposited(facts: Facts, day: date, *, all_remaining: bool) -> date | None:
    """In force on which day, if the next instrument that counts came on `day`, or all that remain.

    Of a treaty that is not in force: the day on which it would be; of one that is, for the party
    that comes. None if it would still want something, a share that is yet to be reached included.
    """
    rule, force = facts.rule, facts.forces[Reading.SHOWN]
    if rule is None:
        return None
    if force is not None and force.met_on <= day:
        return effect_by_rule(rule, force, day)
    # What came to an end after the day is not foreseen.
    consents = [
        Consent(since, until if until is not None and until <= day else None, share)
        for since, until, share in _consents(rule, facts.held, Reading.SHOWN)
        if since <= day
    ]
    standing = sum(consent.until is None for consent in consents)
    coming = max(rule.required - standing, 1) if all_remaining else 1
    would_be = entry_into_force(rule, [*consents, *[Consent(day, None, NONE)] * coming])
    return None if would_be is None else would_be.since


def _has_begun(facts: Facts, reading: Reading, day: date) -> bool:
    force = facts.forces[reading]
    return force is not None and force.since <= day


def _standing(facts: Facts, reading: Reading, day: date) -> list[Consent]:
    return [one for one in _consents(facts.rule, facts.held, reading) if _stands(one, day)]


def _counted(happened: Iterable[Between], day: date) -> Counted:
    days = list(happened)
    return Counted(
        sum(between.latest <= day for between in days),
        sum(between.earliest <= day for between in days),
    )


# ---------------------------------------------------------------- of a party


def in_force_for(facts: Facts, key: str, day: date) -> tuple[bool, bool]:
    """Whether the treaty is in force on `day` for a participant, by whichever instrument."""
    held = [is_party(facts, one, day) for one in facts.held.get(key, {}).values()]
    return any(certain for certain, _ in held), any(possible for _, possible in held)


def is_party(facts: Facts, held: Held, day: date) -> tuple[bool, bool]:
    """Whether the treaty is in force on `day` by this instrument: certainly, possibly."""
    since, until = party_since(facts, held), party_until(facts, held)
    if since is None:
        return False, False
    certain = since.latest is not None and since.latest <= day
    return (
        certain and (until is None or until.earliest > day),
        since.earliest <= day and (until is None or until.latest is None or until.latest > day),
    )


def party_since(facts: Facts, held: Held) -> Days | None:
    """Since when it is in force by this instrument: by its stated date of effect, or the rule.

    None if it had ended by then.
    """
    days, ended = _since(facts, held), held.ended
    if days is None or ended is None:
        return days
    if days.earliest >= ended.latest:
        return None
    if days.day is not None and days.day >= ended.latest:
        return Days(None, days.earliest, None)
    return days


def _since(facts: Facts, held: Held) -> Days | None:
    """A stated date holds, but for one before the treaty itself, if the rule tells when that is."""
    if held.effect is None:
        return party_since_by_rule(facts, held)
    stated = held.effect
    if facts.rule is None:
        return Days(stated.latest, stated.earliest, stated.latest)
    days = {
        reading: max(reading.begins(stated), force.since)
        for reading, force in facts.forces.items()
        if force is not None
    }
    if Reading.EARLIEST not in days:
        return None
    return Days(days.get(Reading.SHOWN), days[Reading.EARLIEST], days.get(Reading.LATEST))


def party_until(facts: Facts, held: Held) -> Days | None:
    """The day from which it is in force no more by this instrument; None if it never was."""
    ended = held.ended
    if ended is None or party_since(facts, held) is None:
        return None
    return Days(ended.latest, ended.earliest, ended.latest)


def party_since_by_rule(facts: Facts, held: Held) -> Days | None:
    """Since when it would be in force by the rule alone."""
    rule, deposited = facts.rule, held.deposited
    first, last = facts.forces[Reading.EARLIEST], facts.forces[Reading.LATEST]
    if rule is None or first is None:
        return None
    earliest = effect_by_rule(rule, first, deposited.earliest)
    latest = effect_by_rule(rule, last, deposited.latest)
    assert earliest is not None, "the treaty enters into force on this reading"
    # Later parties may have to wait longer than those who brought it into force; and the later that
    # was, the fewer they are.
    if first.met_on < deposited.earliest and (last is None or deposited.earliest <= last.met_on):
        earliest = min(earliest, rule.period.after(deposited.earliest))
    if last is not None and latest is not None and first.met_on < deposited.latest <= last.met_on:
        latest = max(latest, rule.party_period.after(deposited.latest))
    shown = effect_by_rule(rule, facts.forces[Reading.SHOWN], deposited.latest)
    return Days(shown, earliest, latest)
