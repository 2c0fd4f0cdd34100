"""The `expenditures` table: what was spent on which budget line, and what of it came back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger.expenditures import EXPENDITURE, Incurred, Refunded
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Expenditure:
    """`spent` is what was paid, `refunded` what came back of it; `net` is what remains spent.

    `incurred` is the date as stated, `incurred_on` its latest day; likewise `last_refunded`.
    """

    account: str
    fiscal_year: int
    line: str
    currency: str
    spent: Decimal
    refunded: Decimal = Decimal(0)
    net: Decimal
    incurred: str
    incurred_on: date
    last_refunded: str | None = None
    last_refunded_on: date | None = None


def fold(row: Expenditure | None, step: Step) -> Expenditure:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    if isinstance(event, Incurred):
        return Expenditure(
            account=event.account,
            fiscal_year=event.fiscal_year,
            line=event.line,
            currency=event.currency,
            spent=event.amount,
            net=event.amount,
            incurred=stated,
            incurred_on=step.latest,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Refunded():
            return replace(
                row,
                refunded=row.refunded + event.amount,
                net=row.net - event.amount,
                last_refunded=stated,
                last_refunded_on=step.latest,
            )
    raise TypeError(f"{event.stored_as} is not an event of an expenditure")


EXPENDITURES = Table(name="expenditures", kind=EXPENDITURE, row=Expenditure, fold=fold)


# As for contributions: a record counts for each group that one of its candidates falls in, and is
# at its own least or greatest, whatever another may be at; those with one candidate are added up
# together.
TOTALS = """
    WITH several AS MATERIALIZED (
        SELECT key FROM projections.expenditures
         WHERE coalesce(known @> %(position)s::int8, false)
           AND coalesce(possible @> %(day)s::date, false)
           AND NOT effective @> %(day)s::date AND effective <> possible),
    placed AS (
        SELECT key, effective, possible, known, currency, spent, refunded, net,
               CASE WHEN %(by_fiscal_year)s::bool THEN fiscal_year END AS fiscal_year,
               CASE WHEN %(by_line)s::bool THEN line END AS line,
               CASE WHEN %(by_account)s::bool THEN account END AS account,
               (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s::text[]))
               AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s::text[]))
               AND (%(years)s::int8[] IS NULL OR fiscal_year = ANY(%(years)s::int8[]))
               AND (%(lines)s::text[] IS NULL OR line = ANY(%(lines)s::text[]))
               AND (%(currencies)s::text[] IS NULL OR currency = ANY(%(currencies)s::text[]))
               AND (%(incurred_from)s::date IS NULL OR incurred_on >= %(incurred_from)s::date)
               AND (%(incurred_to)s::date IS NULL OR incurred_on <= %(incurred_to)s::date) AS asked
          FROM projections.expenditures),
    exact AS (
        SELECT currency, fiscal_year, line, account, count(*) AS records,
               sum(spent) FILTER (WHERE %(wants_spent)s) AS spent,
               sum(refunded) FILTER (WHERE %(wants_refunded)s) AS refunded,
               sum(net) FILTER (WHERE %(wants_net)s) AS net
          FROM placed
         WHERE {known} AND coalesce(effective @> %(day)s::date, false) AND asked
           AND NOT EXISTS (SELECT FROM several WHERE several.key = placed.key)
         GROUP BY currency, fiscal_year, line, account),
    candidates AS (
        SELECT *, effective @> %(day)s::date AS shown
          FROM placed
         WHERE key IN (SELECT key FROM several)
           AND {known} AND coalesce(possible @> %(day)s::date, false)),
    existing AS (
        SELECT key, count(*) AS candidates, bool_or(shown) AS shown FROM candidates GROUP BY key),
    records AS (
        SELECT c.currency, c.fiscal_year, c.line, c.account,
               count(*) = e.candidates AND e.shown AS always,
               sum(c.spent) FILTER (WHERE c.shown) AS spent,
               min(c.spent) AS spent_low, max(c.spent) AS spent_high,
               sum(c.refunded) FILTER (WHERE c.shown) AS refunded,
               min(c.refunded) AS refunded_low, max(c.refunded) AS refunded_high,
               sum(c.net) FILTER (WHERE c.shown) AS net,
               min(c.net) AS net_low, max(c.net) AS net_high
          FROM candidates AS c JOIN existing AS e USING (key)
         WHERE c.asked IS TRUE
         GROUP BY key, e.candidates, e.shown, c.currency, c.fiscal_year, c.line, c.account),
    parts AS (
        SELECT currency, fiscal_year, line, account, records AS certain, records AS possible,
               spent, spent AS spent_low, spent AS spent_high, refunded, refunded AS refunded_low,
               refunded AS refunded_high, net, net AS net_low, net AS net_high
          FROM exact
         UNION ALL
        SELECT currency, fiscal_year, line, account, always::int, 1,
               coalesce(spent, 0), CASE WHEN always THEN spent_low ELSE 0 END, spent_high,
               coalesce(refunded, 0), CASE WHEN always THEN refunded_low ELSE 0 END, refunded_high,
               coalesce(net, 0), CASE WHEN always THEN net_low ELSE 0 END, net_high
          FROM records)
    SELECT currency, fiscal_year, line, account,
           sum(certain)::int8 AS certain, sum(possible)::int8 AS possible,
           sum(spent) AS spent, sum(spent_low) AS spent_low, sum(spent_high) AS spent_high,
           sum(refunded) AS refunded, sum(refunded_low) AS refunded_low,
           sum(refunded_high) AS refunded_high,
           sum(net) AS net, sum(net_low) AS net_low, sum(net_high) AS net_high
      FROM parts GROUP BY currency, fiscal_year, line, account
"""

MEASURES = ("spent", "refunded", "net")

TOTALS_ORDER = "figure.currency, figure.fiscal_year, figure.net DESC, figure.line, figure.account"
