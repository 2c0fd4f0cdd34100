"""Audit reports as clients see them."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import ClassVar

import strawberry

from schema.activities import Activity
from schema.pagination import Connection
from schema.reading import (
    Info,
    ToOne,
    ToPage,
    any_of,
    column,
    condition,
    looked_up,
    made,
    planned,
    reads,
)
from schema.record import Record
from schema.values import ImpreciseDate, Period


@strawberry.type(description="What an external auditor found about a period.")
class AuditReport(Record):
    kind_name: ClassVar[str] = "audit_report"
    table: ClassVar[str] = "projections.audit_reports"

    auditor: str = column("The office or the firm that audited.", "auditor")
    period: Period = made("The days audited.", Period.of, "period_start", "period_end")
    issued: ImpreciseDate = made("When it was issued.", ImpreciseDate.of, "issued", "issued_on")
    considered_by: Activity | None = reads(
        ToOne(Activity.table, "{t}.key = {a}.considered_by"), "The meeting that considered it."
    )


@strawberry.input(description="Which audit reports; what is left out asks nothing.")
class AuditReportFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    auditor: list[str] | None = any_of("By these auditors.", "auditor")
    covers: date | None = condition(
        "Whose `period` includes this day.",
        "{value} BETWEEN {a}.period_start AND {a}.period_end",
        "date",
    )


@strawberry.enum(description="The order of audit reports.")
class AuditReportOrder(Enum):
    KEY = "KEY"
    PERIOD_START = "PERIOD_START"
    ISSUED = strawberry.enum_value(
        "ISSUED", description="By the day by which they had been issued."
    )


ORDERS = {
    "KEY": ("key", "text"),
    "PERIOD_START": ("period_start", "date"),
    "ISSUED": ("issued_on", "date"),
}


@strawberry.type
class AuditReports:
    @planned(ToPage(AuditReport.table, ORDERS), "The audit reports.")
    def audit_reports(
        self,
        info: Info,
        *,
        filter: AuditReportFilter | None = None,
        order_by: AuditReportOrder = AuditReportOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditReport]:
        return looked_up(self, info)
