"""Entry into force: the rule of a treaty as data, and the days that follow from it.

A final clause says how many instruments, of which kinds and from whom, bring a treaty into force,
and how long after; some ask besides that those who consented account for a share of something
(55 per cent of emissions). Whoever consents later becomes a party some time after its own deposit.

A period is an ISO 8601 duration of years, months and days, counted from the day of deposit, which
is not counted itself: P30D is the thirtieth day after it, P3M the same day three months later, or
the last day of a shorter month. `P60D first-of-next-month` is the first day of the month after the
sixtieth day; the first day of the sixth month after the deposit is `P5M first-of-next-month`.

Source: the United Nations' Treaty Handbook (sections 3 and 4.2) and its Summary of Practice of the
Secretary-General as Depositary (ST/LEG/7/Rev.1, chapter VIII).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from ledger.refusal import Malformed

_FIRST_OF_NEXT_MONTH = " first-of-next-month"
_FIRST_OF_NEXT = relativedelta(months=1, day=1)
_PERIOD = re.compile(
    r"P(?=[0-9])(?:(?P<years>[0-9]{1,3})Y)?(?:(?P<months>[0-9]{1,3})M)?(?:(?P<days>[0-9]{1,4})D)?"
    rf"(?P<first>{_FIRST_OF_NEXT_MONTH})?"
)


class Instrument(StrEnum):
    """By what a state or an organization consents to be bound.

    `UNSPECIFIED` is for old records that give a party and not how it became one.
    """

    RATIFICATION = "ratification"
    ACCEPTANCE = "acceptance"
    APPROVAL = "approval"
    ACCESSION = "accession"
    SUCCESSION = "succession"
    DEFINITIVE_SIGNATURE = "definitive_signature"
    FORMAL_CONFIRMATION = "formal_confirmation"
    CONTINUED_APPLICATION = "continued_application"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Period:
    """A time after a day, in whole months and days; perhaps to the first of the month after it."""

    months: int
    days: int
    first_of_next_month: bool = False

    @classmethod
    def of(cls, text: str, *, field: str | None = None) -> Period:
        """The period that `text` writes, or `Malformed`."""
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise Malformed(
                f"{text!r} is not a period such as P30D, P3M or 'P60D first-of-next-month'",
                field=field,
            )
        years, months, days = (int(match[part] or 0) for part in ("years", "months", "days"))
        return cls(12 * years + months, days, match["first"] is not None)

    def after(self, day: date) -> date:
        """The day so long after `day`; the last one that a calendar has, if it lies beyond."""
        try:
            reached = day + relativedelta(months=self.months, days=self.days)
            return reached + _FIRST_OF_NEXT if self.first_of_next_month else reached
        except (ValueError, OverflowError):
            return date.max


def instruments_named(text: str, *, field: str | None = None) -> frozenset[Instrument]:
    """The kinds of instrument that `text` lists, blanks between them, or `Malformed`."""
    try:
        named = [Instrument(word) for word in text.split(" ")]
        if len(set(named)) < len(named):
            raise ValueError("one of them is there twice")
    except ValueError:
        known = ", ".join(Instrument)
        raise Malformed(
            f"{text!r} does not list kinds of instrument, each once and with a blank between them;"
            f" they are {known}",
            field=field,
        ) from None
    return frozenset(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a treaty enters into force, and when for those who consent later.

    `required` instruments of `kinds` (any, if None) are wanted, those of organizations counted or
    not; `share` is the sum that theirs must reach, in per cent, if the clause asks for one.
    """

    required: int
    kinds: frozenset[Instrument] | None
    organizations: bool
    share: Decimal | None
    period: Period
    party_period: Period

    def counts(self, instrument: Instrument, *, organization: bool) -> bool:
        """Whether an instrument is one of those that bring the treaty into force."""
        is_of_kind = self.kinds is None or instrument in self.kinds
        return is_of_kind and (self.organizations or not organization)


class Consent(NamedTuple):
    """An instrument that counts: from its deposit `since` until it was taken back, if it was.

    `share` is the part, in per cent, of whatever the rule's second condition sums up.
    """

    since: date
    until: date | None
    share: Decimal


class Force(NamedTuple):
    """A treaty's entry into force: the day on which its condition was met, and the day itself."""

    met_on: date
    since: date


def entry_into_force(rule: Rule, consents: Iterable[Consent]) -> Force | None:
    """When the treaty enters into force with these consents; None if its condition is not met.

    The condition must go on being met until the day of entry into force: an instrument may be
    withdrawn before it. After it, the treaty stays in force whoever leaves (Vienna Convention on
    the Law of Treaties, article 55).
    """
    for met_on, lost_on in _times_met(rule, consents):
        since = rule.period.after(met_on)
        if lost_on is None or since <= lost_on:
            return Force(met_on, since)
    return None


def _times_met(rule: Rule, consents: Iterable[Consent]) -> Iterator[tuple[date, date | None]]:
    """The times during which the condition is met, each with the day on which it is lost."""
    changes: defaultdict[date, list[tuple[int, Decimal]]] = defaultdict(list)
    for since, until, share in consents:
        if until is None or since < until:
            changes[since].append((1, share))
            if until is not None:
                changes[until].append((-1, -share))
    count, total, met_on = 0, Decimal(0), None
    for day in sorted(changes):
        count += sum(change for change, _ in changes[day])
        total += sum(share for _, share in changes[day])
        is_met = count >= rule.required and (rule.share is None or total >= rule.share)
        if is_met and met_on is None:
            met_on = day
        elif not is_met and met_on is not None:
            yield met_on, day
            met_on = None
    if met_on is not None:
        yield met_on, None


def effect_by_rule(rule: Rule, force: Force | None, deposited: date) -> date | None:
    """The day from which whoever deposited on `deposited` is a party; None while nobody is.

    Nobody is one before the treaty itself is in force.
    """
    if force is None:
        return None
    if deposited <= force.met_on:
        return force.since
    return max(rule.party_period.after(deposited), force.since)
