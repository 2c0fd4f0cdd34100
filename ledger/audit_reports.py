"""Audit reports: what an external auditor found about a period, and which meeting considered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.activities import ActivityKey
from ledger.dates import check_period
from ledger.kind import Kind, Opening


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a rule needs to know of an audit report: that it was issued."""


class Issued(Opening[AuditReport], stored_as="audit_report.issued", personal=(), accomplished=True):
    """The report was issued. An audit's period is its own: often several years, or parts of some.

    `auditor` is the office or the firm, not a person's name. `considered_by` is the activity that
    had the report before it: a meeting of a body.
    """

    auditor: str
    period_start: date
    period_end: date
    considered_by: ActivityKey | None = None

    def admit(self) -> None:
        check_period(self.period_start, self.period_end)

    def begin(self) -> AuditReport:
        return AuditReport()


AUDIT_REPORT = Kind(
    name="audit_report",
    family="finance",
    events=(Issued,),
    key_column="report",
    key_example="AUDIT-2020-2022",
)
