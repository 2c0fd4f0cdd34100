"""The `activities` table: what was planned, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.activities import (
    ACTIVITY,
    Cancelled,
    Category,
    Format,
    Held,
    OrganizerRole,
    Planned,
    Postponed,
    Qualifier,
    Rescheduled,
    Status,
)
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """`title_en` is the title under which it was held, or else planned.

    `planned_dates` are as stated, and so is `held`, a date between its earliest and latest days.
    `reason` is why it was last rescheduled, postponed or cancelled.
    """

    plan: str | None
    category: Category
    body: str | None
    area: str | None
    organizer: str | None
    organizer_role: OrganizerRole | None
    title_en: str
    planned_dates: str | None
    status: Status = Status.PLANNED
    reason: str | None = None
    held: str | None = None
    held_earliest: date | None = None
    held_latest: date | None = None
    format: Format | None = None
    place: str | None = None
    participants: int | None = None
    participants_qualifier: Qualifier | None = None
    states: int | None = None


def fold(row: Activity | None, step: Step) -> Activity:
    """The row after `step`."""
    event = step.event
    if isinstance(event, Planned):
        return _planned(event)
    assert row is not None, "a history begins with its opening"
    match event:
        case Rescheduled():
            return replace(
                row,
                planned_dates=event.to_dates.text,
                status=Status.PLANNED,
                reason=event.reason,
            )
        case Postponed():
            return replace(row, status=Status.POSTPONED, reason=event.reason)
        case Cancelled():
            return replace(row, status=Status.CANCELLED, reason=event.reason)
        case Held():
            return _held(row, event, step)
    raise TypeError(f"{event.stored_as} is not an event of an activity")


def _planned(event: Planned) -> Activity:
    return Activity(
        plan=event.plan,
        category=event.category,
        body=event.body,
        area=event.area,
        organizer=event.organizer,
        organizer_role=event.organizer_role,
        title_en=event.title_en,
        planned_dates=None if event.planned_dates is None else event.planned_dates.text,
    )


def _held(row: Activity, event: Held, step: Step) -> Activity:
    return replace(
        row,
        title_en=event.title_en or row.title_en,
        status=Status.HELD,
        held=step.effective.text,
        held_earliest=step.earliest,
        held_latest=step.latest,
        format=event.format,
        place=event.place,
        participants=event.participants,
        participants_qualifier=event.participants_qualifier,
        states=event.states,
    )


ACTIVITIES = Table(name="activities", kind=ACTIVITY, row=Activity, fold=fold)


# Each record counts once for each group that one of its candidates falls in; `always` says that all
# of them do, and that the record exists on the cautious reading. The year of a plan and the
# dimension of an area are the same in every state that they are known in, whatever the day.
TOTALS = """
    WITH several AS MATERIALIZED (
        SELECT key FROM projections.activities
         WHERE coalesce(known @> %(position)s::int8, false)
           AND coalesce(possible @> %(day)s::date, false)
           AND NOT effective @> %(day)s::date AND effective <> possible),
    placed AS (
        SELECT activity.*, effective @> %(day)s::date AS shown,
               (SELECT plan.year FROM projections.plans AS plan
                 WHERE plan.key = activity.plan AND plan.known @> %(position)s::int8
                 LIMIT 1) AS year,
               (SELECT area.dimension FROM projections.priority_areas AS area
                 WHERE area.key = activity.area AND area.known @> %(position)s::int8
                 LIMIT 1) AS dimension
          FROM projections.activities AS activity
         WHERE {known} AND coalesce(possible @> %(day)s::date, false)),
    candidates AS (
        SELECT key, shown,
               CASE WHEN %(by_year)s::bool THEN year END AS year,
               CASE WHEN %(by_category)s::bool THEN category END AS category,
               CASE WHEN %(by_status)s::bool THEN status END AS status,
               CASE WHEN %(by_body)s::bool THEN body END AS body,
               CASE WHEN %(by_dimension)s::bool THEN dimension END AS dimension,
               CASE WHEN %(by_area)s::bool THEN area END AS area,
               CASE WHEN %(by_organizer)s::bool THEN organizer END AS organizer,
               (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s::text[]))
               AND (%(plans)s::text[] IS NULL OR plan = ANY(%(plans)s::text[]))
               AND (%(years)s::int8[] IS NULL OR year = ANY(%(years)s::int8[]))
               AND (%(categories)s::text[] IS NULL OR category = ANY(%(categories)s::text[]))
               AND (%(bodies)s::text[] IS NULL OR body = ANY(%(bodies)s::text[]))
               AND (%(areas)s::text[] IS NULL OR area = ANY(%(areas)s::text[]))
               AND (%(dimensions)s::text[] IS NULL OR dimension = ANY(%(dimensions)s::text[]))
               AND (%(organizers)s::text[] IS NULL OR organizer = ANY(%(organizers)s::text[]))
               AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s::text[]))
               AND (%(held_from)s::date IS NULL OR held_latest >= %(held_from)s::date)
               AND (%(held_to)s::date IS NULL OR held_latest <= %(held_to)s::date) AS asked
          FROM placed),
    existing AS (
        SELECT key, count(*) AS candidates, bool_or(shown) AS shown
          FROM candidates WHERE key IN (SELECT key FROM several) GROUP BY key),
    records AS (
        SELECT year, category, status, body, dimension, area, organizer, true AS always
          FROM candidates AS c
         WHERE asked IS TRUE AND NOT EXISTS (SELECT FROM several WHERE several.key = c.key)
         UNION ALL
        SELECT c.year, c.category, c.status, c.body, c.dimension, c.area, c.organizer,
               count(*) = e.candidates AND e.shown AS always
          FROM candidates AS c JOIN existing AS e USING (key)
         WHERE c.asked IS TRUE
         GROUP BY key, e.candidates, e.shown, c.year, c.category, c.status, c.body, c.dimension,
                  c.area, c.organizer)
    SELECT year, category, status, body, dimension, area, organizer,
           count(*) FILTER (WHERE always) AS certain, count(*) AS possible
      FROM records GROUP BY year, category, status, body, dimension, area, organizer
"""

TOTALS_ORDER = ", ".join(
    f"figure.{name}"
    for name in ("year", "category", "status", "body", "dimension", "area", "organizer")
)
