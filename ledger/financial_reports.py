"""Financial reports: for which year or period one was issued, and which meeting considered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.activities import ActivityKey
from ledger.dates import check_period, check_year
from ledger.kind import Kind, Opening
from ledger.refusal import NotPermitted


@dataclass(frozen=True, slots=True)
class FinancialReport:
    """What a rule needs to know of a financial report: that it was issued."""


class Issued(
    Opening[FinancialReport], stored_as="financial_report.issued", personal=(), accomplished=True
):
    """The report was issued, for a fiscal year or for a period with both its ends.

    `considered_by` is the activity that had it before it: a meeting of a body.
    """

    fiscal_year: int | None = None
    period_start: date | None = None
    period_end: date | None = None
    considered_by: ActivityKey | None = None

    def admit(self) -> None:
        match self.fiscal_year, self.period_start, self.period_end:
            case int() as year, None, None:
                check_year(year)
            case None, date() as start, date() as end:
                check_period(start, end)
            case None, None, None:
                raise NotPermitted(
                    "say for which fiscal year the report is, or for which period",
                    field="fiscal_year",
                )
            case None, _, None:
                raise NotPermitted("say when the period ends", field="period_end")
            case None, None, _:
                raise NotPermitted("say when the period begins", field="period_start")
            case _:
                raise NotPermitted(
                    "a report is for a fiscal year or for a period, not both: leave one out",
                    field="fiscal_year",
                )

    def begin(self) -> FinancialReport:
        return FinancialReport()


FINANCIAL_REPORT = Kind(
    name="financial_report",
    family="finance",
    events=(Issued,),
    key_column="report",
    key_example="FIN-2022",
)
