"""The `financial_reports` table: what each is for, and who considered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.financial_reports import FINANCIAL_REPORT, Issued
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class FinancialReport:
    """For a fiscal year, or for the days from `period_start` to `period_end`, both included.

    `issued` is the date as stated, `issued_on` its latest day.
    """

    fiscal_year: int | None
    period_start: date | None
    period_end: date | None
    considered_by: str | None
    issued: str
    issued_on: date


def fold(row: FinancialReport | None, step: Step) -> FinancialReport:
    """The row after `step`."""
    match step.event:
        case Issued() as event:
            return FinancialReport(
                fiscal_year=event.fiscal_year,
                period_start=event.period_start,
                period_end=event.period_end,
                considered_by=event.considered_by,
                issued=step.effective.text,
                issued_on=step.latest,
            )
    raise TypeError(f"{step.event.stored_as} is not an event of a financial report")


FINANCIAL_REPORTS = Table(
    name="financial_reports", kind=FINANCIAL_REPORT, row=FinancialReport, fold=fold
)
