"""The `budgets` table: what was approved for each fiscal year, and what came of it.

Beside it stand the two ratios by which a budget is reported on: how much of it was collected, and
how much of what was spent the receipts covered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from ledger.budgets import BUDGET, Approved, Revised
from ledger.daycount import to_decimal
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`amount` is what stands, `original_amount` what was approved first.

    `decided_by` is the body that took the latest decision. `approved` is the date as stated,
    `approved_on` its latest day; likewise `revised`, of the latest revision.
    """

    fiscal_year: int
    amount: Decimal
    currency: str
    decided_by: str | None
    approved: str
    approved_on: date
    fund: str | None
    original_amount: Decimal
    revised: str | None = None
    revised_on: date | None = None


def fold(row: Budget | None, step: Step) -> Budget:
    """The row after `step`."""
    event, stated = step.event, step.effective.text
    if isinstance(event, Approved):
        return Budget(
            fiscal_year=int(step.entry.key[:4]),
            fund=event.fund,
            amount=event.amount,
            currency=event.currency,
            decided_by=event.decided_by,
            approved=stated,
            approved_on=step.latest,
            original_amount=event.amount,
        )
    assert row is not None, "a history begins with its opening"
    match event:
        case Revised():
            return replace(
                row,
                amount=event.amount,
                decided_by=event.decided_by,
                revised=stated,
                revised_on=step.latest,
            )
    raise TypeError(f"{event.stored_as} is not an event of a budget")


BUDGETS = Table(name="budgets", kind=BUDGET, row=Budget, fold=fold)


def _counted(amount: str, table: str, of: str) -> str:
    """The SQL of a sum over the records of `table` that satisfy `of`.

    Each record is at its own least or greatest, as in the totals of contributions. Nothing that
    `of` asks for ever differs between its states. `positions` leads to the records' entries.
    """
    return f"""
        SELECT coalesce(sum(value), 0) AS value, coalesce(sum(low), 0) AS low,
               coalesce(sum(high), 0) AS high, array_agg(position) AS positions
          FROM (SELECT max(position) AS position,
                       sum({amount}) FILTER (WHERE effective @> %(day)s::date) AS value,
                       CASE WHEN bool_or(effective @> %(day)s::date) THEN min({amount})
                            ELSE 0 END AS low,
                       max({amount}) AS high
                  FROM projections.{table} AS counted
                 WHERE {of} AND {{known}} AND possible @> %(day)s::date
                 GROUP BY key) AS records"""  # noqa: S608  # Names of ours, given below.


def _over(numerator: str, denominator: str) -> str:
    """The SQL of the two sides of a ratio, computed for a row `{a}` of the budgets."""
    return f"""
    SELECT {{a}}.currency AS currency, above.positions || below.positions AS positions,
           above.value AS numerator, above.low AS numerator_low, above.high AS numerator_high,
           below.value AS denominator, below.low AS denominator_low, below.high AS denominator_high
      FROM ({numerator}) AS above, ({denominator}) AS below
    """  # noqa: S608  # Made of the statements above.


# Money of one fund is never counted for another's budget. What fund an account holds, and to which
# account a record belongs, is the same in every state that they are known in, whatever the day; but
# for a pledge, which brings nothing and may not name an account yet.
_OF_BUDGET = """
    counted.fiscal_year = {a}.fiscal_year AND counted.currency = {a}.currency
    AND ({a}.fund IS NULL OR counted.account IS NULL OR {a}.fund = (
        SELECT account.fund FROM projections.accounts AS account
         WHERE account.key = counted.account AND account.known @> %(position)s::int8 LIMIT 1))"""

_RECEIPTS = _counted("net", "contributions", _OF_BUDGET)

COLLECTION_RATE = _over(_RECEIPTS, _counted("amount", "budgets", "counted.key = {a}.key"))

EXPENSES_COVERED = _over(_RECEIPTS, _counted("net", "expenditures", _OF_BUDGET))

ENTRIES_COUNTED = """
    {t}.record_id IN (SELECT record_id FROM ledger.entries WHERE position = ANY({a}.positions))
    AND {t}.position <= %(position)s"""


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """The one over the other, to ten places; None if the denominator is nothing."""
    return to_decimal(Fraction(numerator) / Fraction(denominator)) if denominator else None
