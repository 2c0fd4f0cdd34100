"""The `secondments` table: who served from when to when, lent by which state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from ledger.daycount import Convention, person_years_exact, to_decimal
from ledger.secondments import SECONDMENT, Extended, Joined, Left
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Secondment:
    """`joined` and `left` are dates as stated, between their earliest and latest days.

    `until` is the end agreed on, as stated. The day of leaving counts as served.
    """

    person: str
    state: str
    title: str
    joined: str
    joined_earliest: date
    joined_latest: date
    until: str | None
    left: str | None = None
    left_earliest: date | None = None
    left_latest: date | None = None


def fold(row: Secondment | None, step: Step) -> Secondment:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    if isinstance(event, Joined):
        return Secondment(
            person=event.person,
            state=event.state,
            title=event.title,
            joined=stated,
            joined_earliest=step.earliest,
            joined_latest=step.latest,
            until=None if event.until is None else event.until.text,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Extended():
            return replace(row, until=event.until.text)
        case Left():
            return replace(row, left=stated, left_earliest=step.earliest, left_latest=step.latest)
    raise TypeError(f"{event.stored_as} is not an event of a secondment")


# An array of records for each state, each with whether all its candidates count and it exists on
# the cautious reading, and its candidates: (shown, joined between …, left between …).
PERSON_YEARS = """
    WITH several AS MATERIALIZED (
        SELECT key FROM projections.secondments
         WHERE coalesce(known @> %(position)s::int8, false)
           AND coalesce(possible @> %(day)s::date, false)
           AND NOT effective @> %(day)s::date AND effective <> possible),
    candidates AS (
        SELECT key, state, effective @> %(day)s::date AS shown,
               joined_earliest, joined_latest, left_earliest, left_latest,
               (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s::text[]))
               AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s::text[]))
               AND (%(persons)s::text[] IS NULL OR person = ANY(%(persons)s::text[]))
               AND (%(serving)s::bool IS NULL OR %(serving)s::bool
                    = (left_earliest IS NULL OR left_earliest >= %(day)s::date))
               AND (%(joined_from)s::date IS NULL OR joined_latest >= %(joined_from)s::date)
               AND (%(joined_to)s::date IS NULL OR joined_latest <= %(joined_to)s::date) AS asked
          FROM projections.secondments
         WHERE {known} AND coalesce(possible @> %(day)s::date, false)),
    existing AS (
        SELECT key, count(*) AS candidates, bool_or(shown) AS shown
          FROM candidates WHERE key IN (SELECT key FROM several) GROUP BY key),
    records AS (
        SELECT state, true AS always,
               ARRAY[ROW(shown, joined_earliest, joined_latest, left_earliest, left_latest)]
                   AS candidates
          FROM candidates AS c
         WHERE asked IS TRUE AND NOT EXISTS (SELECT FROM several WHERE several.key = c.key)
         UNION ALL
        SELECT c.state, count(*) = e.candidates AND e.shown AS always,
               array_agg(ROW(c.shown, c.joined_earliest, c.joined_latest, c.left_earliest,
                             c.left_latest)) AS candidates
          FROM candidates AS c JOIN existing AS e USING (key)
         WHERE c.asked IS TRUE
         GROUP BY key, e.candidates, e.shown, c.state)
    SELECT state, %(convention)s::text AS convention, %(day)s::date AS day,
           count(*) FILTER (WHERE always) AS certain, count(*) AS possible,
           array_agg(ROW(always, candidates)) AS spans
      FROM records GROUP BY state
"""

PERSON_YEARS_ORDER = "figure.state"

Candidate: TypeAlias = tuple[bool, date, date, date | None, date | None]
Spans: TypeAlias = tuple[bool, Sequence[Candidate]]


def person_years(
    convention: Convention, day: date, records: Iterable[Spans]
) -> tuple[Decimal, Decimal, Decimal]:
    """Person-years served until `day`, that day included: the cautious, the least, the greatest.

    Someone who serves still is counted to `day`; the day of leaving counts as served.
    """
    value = low = high = Fraction(0)
    for always, candidates in records:
        ranges = [_range(convention, day, candidate) for candidate in candidates]
        low += min(least for least, _ in ranges) if always else 0
        high += max(greatest for _, greatest in ranges)
        value += sum(
            person_years_exact(joined, left or day, convention)
            for shown, _, joined, _, left in candidates
            if shown
        )
    return to_decimal(value), to_decimal(low), to_decimal(high)


def _range(convention: Convention, day: date, candidate: Candidate) -> tuple[Fraction, Fraction]:
    """The least and the greatest time that a candidate may have served by `day`."""
    _, joined_earliest, joined_latest, left_earliest, left_latest = candidate
    last = day if left_latest is None else min(left_latest, day)
    first, soonest = min(joined_latest, last), left_earliest or last
    if first <= soonest:
        least = person_years_exact(first, soonest, convention)
    else:
        least = _least_day(convention, max(joined_earliest, soonest), first)
    return least, person_years_exact(joined_earliest, last, convention)


def _least_day(convention: Convention, first: date, last: date) -> Fraction:
    """What joining and leaving on the same day, between these two, counts at the least."""
    # By 30/360 some days count nothing, and of any 61 days in a row one does.
    days = range(first.toordinal(), min(last.toordinal(), first.toordinal() + 60) + 1)
    return min(person_years_exact(day, day, convention) for day in map(date.fromordinal, days))


SECONDMENTS = Table(name="secondments", kind=SECONDMENT, row=Secondment, fold=fold)
