"""The `contributions` table: what each was promised at, brought in, and gave back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.contributions import CONTRIBUTION, Pledged, Received, Returned
from ledger.timeline import Step
from projections.timeline import Table

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """`received` is what came in, `returned` what went back; `net` is what remains of it.

    `pledged` is None where nothing was pledged. `first_received` and `last_received` are dates as
    stated, `first_received_on` and `received_on` their latest days.
    """

    state: str
    fiscal_year: int
    account: str | None
    currency: str
    pledged: Decimal | None
    received: Decimal = NOTHING
    returned: Decimal = NOTHING
    net: Decimal = NOTHING
    first_received: str | None = None
    first_received_on: date | None = None
    last_received: str | None = None
    received_on: date | None = None


def fold(row: Contribution | None, step: Step) -> Contribution:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    match event:
        case Pledged():
            return Contribution(
                state=event.state,
                fiscal_year=event.fiscal_year,
                account=event.account,
                currency=event.currency,
                pledged=event.amount,
            )
        case Received():
            before = row or Contribution(
                state=event.state,
                fiscal_year=event.fiscal_year,
                account=event.account,
                currency=event.currency,
                pledged=None,
            )
            return replace(
                before,
                account=event.account,
                received=before.received + event.amount,
                net=before.net + event.amount,
                first_received=before.first_received or stated,
                first_received_on=before.first_received_on or step.latest,
                last_received=stated,
                received_on=step.latest,
            )
        case Returned():
            assert row is not None, "what is returned was received"
            return replace(row, returned=row.returned + event.amount, net=row.net - event.amount)
    raise TypeError(f"{event.stored_as} is not an event of a contribution")


CONTRIBUTIONS = Table(name="contributions", kind=CONTRIBUTION, row=Contribution, fold=fold)


# Each record counts once for each group that one of its candidates falls in; `always` says that all
# of them do, and that the record exists on the cautious reading. Sums are over records, each at its
# own least or greatest: what one record may have been doesn't depend on another.
#
# Where the dates are exact a record has one candidate, which is all that it may have been; so only
# the few that have `several` are looked at one by one, found by an index of their own. `{known}` is
# which rows were known; `wants_…` is whether anybody asks for a sum.
TOTALS = """
    WITH several AS MATERIALIZED (
        SELECT key FROM projections.contributions
         WHERE coalesce(known @> %(position)s::int8, false)
           AND coalesce(possible @> %(day)s::date, false)
           AND NOT effective @> %(day)s::date AND effective <> possible),
    exact AS (
        SELECT currency, state AS contributor,
               CASE WHEN %(by_account)s::bool THEN account END AS account,
               CASE WHEN %(by_fiscal_year)s::bool THEN fiscal_year END AS fiscal_year,
               count(*) AS records,
               bool_or(received > 0) FILTER (WHERE %(wants_contributors)s) AS gave,
               sum(coalesce(pledged, 0)) FILTER (WHERE %(wants_pledged)s) AS pledged,
               sum(received) FILTER (WHERE %(wants_received)s) AS received,
               sum(returned) FILTER (WHERE %(wants_returned)s) AS returned,
               sum(net) FILTER (WHERE %(wants_net)s) AS net
          FROM projections.contributions AS contribution
         WHERE {known} AND coalesce(effective @> %(day)s::date, false) AND {asked}
           AND NOT EXISTS (SELECT FROM several WHERE several.key = contribution.key)
         GROUP BY 1, 2, 3, 4),
    candidates AS (
        SELECT key, effective @> %(day)s::date AS shown, currency, state AS contributor,
               CASE WHEN %(by_account)s::bool THEN account END AS account,
               CASE WHEN %(by_fiscal_year)s::bool THEN fiscal_year END AS fiscal_year,
               CASE WHEN %(by_state)s::bool THEN state END AS state,
               coalesce(pledged, 0) AS pledged, received, returned, net, {asked} AS asked
          FROM projections.contributions
         WHERE key IN (SELECT key FROM several)
           AND {known} AND coalesce(possible @> %(day)s::date, false)),
    existing AS (
        SELECT key, count(*) AS candidates, bool_or(shown) AS shown FROM candidates GROUP BY key),
    records AS (
        SELECT c.currency, c.contributor, c.account, c.fiscal_year,
               count(*) = e.candidates AND e.shown AS always,
               bool_and(c.received > 0) AS gave, bool_or(c.received > 0) AS may_have_given,
               sum(c.pledged) FILTER (WHERE c.shown) AS pledged,
               min(c.pledged) AS pledged_low, max(c.pledged) AS pledged_high,
               sum(c.received) FILTER (WHERE c.shown) AS received,
               min(c.received) AS received_low, max(c.received) AS received_high,
               sum(c.returned) FILTER (WHERE c.shown) AS returned,
               min(c.returned) AS returned_low, max(c.returned) AS returned_high,
               sum(c.net) FILTER (WHERE c.shown) AS net,
               min(c.net) AS net_low, max(c.net) AS net_high
          FROM candidates AS c JOIN existing AS e USING (key)
         WHERE c.asked IS TRUE
         GROUP BY key, e.candidates, e.shown, c.currency, c.contributor, c.state, c.account,
                  c.fiscal_year),
    parts AS (
        SELECT currency, contributor, account, fiscal_year, records AS certain, records AS possible,
               gave, gave AS may_have_given, pledged, pledged AS pledged_low,
               pledged AS pledged_high, received, received AS received_low,
               received AS received_high, returned, returned AS returned_low,
               returned AS returned_high, net, net AS net_low, net AS net_high
          FROM exact
         UNION ALL
        SELECT currency, contributor, account, fiscal_year, always::int, 1, always AND gave,
               may_have_given,
               coalesce(pledged, 0), CASE WHEN always THEN pledged_low ELSE 0 END, pledged_high,
               coalesce(received, 0), CASE WHEN always THEN received_low ELSE 0 END, received_high,
               coalesce(returned, 0), CASE WHEN always THEN returned_low ELSE 0 END, returned_high,
               coalesce(net, 0), CASE WHEN always THEN net_low ELSE 0 END, net_high
          FROM records),
    totals AS (
        SELECT currency, CASE WHEN %(by_state)s::bool THEN contributor END AS state, account,
               fiscal_year, sum(certain)::int8 AS certain, sum(possible)::int8 AS possible,
               count(DISTINCT contributor) FILTER (WHERE gave) AS contributors_certain,
               count(DISTINCT contributor) FILTER (WHERE may_have_given) AS contributors_possible,
               sum(pledged) AS pledged, sum(pledged_low) AS pledged_low,
               sum(pledged_high) AS pledged_high, sum(received) AS received,
               sum(received_low) AS received_low, sum(received_high) AS received_high,
               sum(returned) AS returned, sum(returned_low) AS returned_low,
               sum(returned_high) AS returned_high,
               sum(net) AS net, sum(net_low) AS net_low, sum(net_high) AS net_high
          FROM parts GROUP BY 1, 2, 3, 4)
    SELECT *, sum(net) OVER each AS all_net, sum(net_low) OVER each AS all_net_low,
           sum(net_high) OVER each AS all_net_high
      FROM totals WINDOW each AS (PARTITION BY currency)
""".replace(
    "{asked}",
    """(
               (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s::text[]))
               AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s::text[]))
               AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s::text[]))
               AND (%(currencies)s::text[] IS NULL OR currency = ANY(%(currencies)s::text[]))
               AND (%(years)s::int8[] IS NULL OR fiscal_year = ANY(%(years)s::int8[])))""",
)

MEASURES = ("contributors", "pledged", "received", "returned", "net")

TOTALS_ORDER = "figure.currency, figure.fiscal_year, figure.net DESC, figure.state, figure.account"

_PLACES = Decimal("1e-10")


class Range(NamedTuple):
    """An amount on the cautious reading, the least that it may be, and the greatest."""

    value: Decimal
    low: Decimal
    high: Decimal


def share(group: Range, everything: Range) -> Range | None:
    """The part that a group is of all groups, from 0 to 1, to ten places.

    None if all of it is nothing. A part is least when it is itself least and the rest greatest.
    """
    if not everything.value:
        return None
    return Range(
        _part(group.value, everything.value - group.value),
        _part(group.low, everything.high - group.high),
        _part(group.high, everything.low - group.low),
    )


def _part(part: Decimal, rest: Decimal) -> Decimal:
    whole = part + rest
    return (part / whole if whole else Decimal(0)).quantize(_PLACES)
