"""The `audit_reports` table: who audited which period, and who considered the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.audit_reports import AUDIT_REPORT, Issued
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The period runs from `period_start` to `period_end`, both included.

    `issued` is the date as stated, `issued_on` its latest day.
    """

    auditor: str
    period_start: date
    period_end: date
    considered_by: str | None
    issued: str
    issued_on: date


def fold(row: AuditReport | None, step: Step) -> AuditReport:
    """The row after `step`."""
    match step.event:
        case Issued() as event:
            return AuditReport(
                auditor=event.auditor,
                period_start=event.period_start,
                period_end=event.period_end,
                considered_by=event.considered_by,
                issued=step.effective.text,
                issued_on=step.latest,
            )
    raise TypeError(f"{step.event.stored_as} is not an event of an audit report")


AUDIT_REPORTS = Table(name="audit_reports", kind=AUDIT_REPORT, row=AuditReport, fold=fold)
