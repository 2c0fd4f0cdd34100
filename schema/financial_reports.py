"""Financial reports as clients see them."""

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


@strawberry.type(description="A report on the finances of a fiscal year, or of another period.")
class FinancialReport(Record):
    kind_name: ClassVar[str] = "financial_report"
    table: ClassVar[str] = "projections.financial_reports"

    fiscal_year: int | None = column(
        "The fiscal year that it is for; nothing if it is for a period.", "fiscal_year"
    )
    period: Period | None = made(
        "The days that it is for; nothing if it is for a fiscal year, whose days are not stated.",
        Period.of,
        *("period_start", "period_end"),
    )
    issued: ImpreciseDate = made("When it was issued.", ImpreciseDate.of, "issued", "issued_on")
    considered_by: Activity | None = reads(
        ToOne(Activity.table, "{t}.key = {a}.considered_by"), "The meeting that considered it."
    )


@strawberry.input(description="Which financial reports; what is left out asks nothing.")
class FinancialReportFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    fiscal_year: list[int] | None = condition(
        "For these fiscal years.", "{a}.fiscal_year = ANY({value})", "int8[]"
    )
    covers: date | None = condition(
        "Whose `period` includes this day; a fiscal year states none.",
        "{value} BETWEEN {a}.period_start AND {a}.period_end",
        "date",
    )


@strawberry.enum(description="The order of financial reports.")
class FinancialReportOrder(Enum):
    KEY = "KEY"
    ISSUED = strawberry.enum_value(
        "ISSUED", description="By the day by which they had been issued."
    )


ORDERS = {"KEY": ("key", "text"), "ISSUED": ("issued_on", "date")}


@strawberry.type
class FinancialReports:
    @planned(ToPage(FinancialReport.table, ORDERS), "The financial reports.")
    def financial_reports(
        self,
        info: Info,
        *,
        filter: FinancialReportFilter | None = None,
        order_by: FinancialReportOrder = FinancialReportOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[FinancialReport]:
        return looked_up(self, info)
