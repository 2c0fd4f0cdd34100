"""The rules of audit reports."""

from dataclasses import replace
from datetime import date

from ledger.audit_reports import AUDIT_REPORT, AuditReport, Issued
from tests.ledger.given import check_keys, given

ISSUED = Issued(
    auditor="external auditor",
    period_start=date(2020, 10, 1),
    period_end=date(2022, 12, 31),
    considered_by="SOC-2023-1",
)


def test_a_report_is_issued_once() -> None:
    given().when(ISSUED).then(AuditReport())
    given(ISSUED).when(ISSUED).then_on_record_already()


def test_a_report_need_not_have_been_considered() -> None:
    given().when(replace(ISSUED, considered_by=None)).then(AuditReport())


def test_a_period_is_a_day_or_more() -> None:
    given().when(replace(ISSUED, period_end=ISSUED.period_start)).then(AuditReport())
    given().when(replace(ISSUED, period_end=date(2020, 9, 30))).then_refused(
        "MALFORMED",
        "the period ends on 2020-09-30, before it begins on 2020-10-01",
        field="period_end",
    )


def test_keys() -> None:
    check_keys(AUDIT_REPORT, fit=["AUDIT-2023"], unfit=["", "AUDIT 2023", "AUDIT-2020/2022"])
