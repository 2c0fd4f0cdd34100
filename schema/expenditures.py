"""Expenditures as clients see them, and what they add up to."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, ClassVar

import strawberry

from projections import expenditures as rows
from schema.accounts import Account
from schema.pagination import Connection
from schema.reading import (
    Info,
    ToFigure,
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
from schema.values import Count, ImpreciseDate, Money, MoneyRange, money_range


@strawberry.type(description="Money that was spent, and may have come back.")
class Expenditure(Record):
    kind_name: ClassVar[str] = "expenditure"
    table: ClassVar[str] = "projections.expenditures"

    account: Account | None = reads(
        ToOne(Account.table, "{t}.key = {a}.account"), "Where the money was paid from."
    )
    fiscal_year: int = column("The year whose budget it is charged to.", "fiscal_year")
    line: str = column("The code of the budget's line that bears it.", "line")
    spent: Money = made("What was paid.", Money.of, "spent", "currency")
    refunded: Money = made("What came back of it.", Money.of, "refunded", "currency")
    net: Money = made("What was paid and did not come back.", Money.of, "net", "currency")
    incurred: ImpreciseDate = made(
        "When it was incurred.", ImpreciseDate.of, "incurred", "incurred_on"
    )
    last_refunded: ImpreciseDate | None = made(
        "When money last came back.", ImpreciseDate.of, "last_refunded", "last_refunded_on"
    )


@strawberry.input(description="Which expenditures; what is left out asks nothing.")
class ExpenditureFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    account: list[strawberry.ID] | None = any_of("From these accounts.", "account")
    fiscal_year: list[int] | None = condition(
        "For these years.", "{a}.fiscal_year = ANY({value})", "int8[]"
    )
    line: list[str] | None = any_of("On these lines.", "line")
    currency: list[str] | None = any_of("In these currencies.", "currency")
    incurred_from: date | None = condition(
        "Whose `incurred.latest` is this day or later.", "{a}.incurred_on >= {value}", "date"
    )
    incurred_to: date | None = condition(
        "Whose `incurred.latest` is this day or before.", "{a}.incurred_on <= {value}", "date"
    )


@strawberry.enum(description="The order of expenditures.")
class ExpenditureOrder(Enum):
    KEY = "KEY"
    FISCAL_YEAR = "FISCAL_YEAR"
    LINE = "LINE"
    INCURRED = strawberry.enum_value(
        "INCURRED", description="By the day by which they had been incurred."
    )
    SPENT = strawberry.enum_value("SPENT", description="By the amount spent.")


ORDERS = {
    "KEY": ("key", "text"),
    "FISCAL_YEAR": ("fiscal_year", "int8"),
    "LINE": ("line", "text"),
    "INCURRED": ("incurred_on", "date"),
    "SPENT": ("spent", "numeric"),
}


@strawberry.enum(description="What expenditures are added up by; currencies are always apart.")
class ExpenditureGrouping(Enum):
    FISCAL_YEAR = "fiscal_year"
    LINE = "line"
    ACCOUNT = "account"


@strawberry.type(description="What a group of expenditures in one currency adds up to.")
class ExpenditureTotal:
    fiscal_year: int | None = column("The year, if they are added up by it.", "fiscal_year")
    line: str | None = column("The line, if they are added up by it.", "line")
    account: Account | None = reads(
        ToOne(Account.table, "{t}.key = {a}.account"), "The account, if they are added up by it."
    )
    currency: str = column("The ISO 4217 code.", "currency")
    expenditures: Count = made(
        "How many there are.", lambda *counted: Count.of(counted), "certain", "possible"
    )
    spent: MoneyRange = money_range("What was paid.", "spent")
    refunded: MoneyRange = money_range("What came back.", "refunded")
    net: MoneyRange = money_range("What was paid and did not come back.", "net")


def _parameters(
    filter: ExpenditureFilter | None = None, by: list[ExpenditureGrouping] | None = None
) -> dict[str, Any]:
    asked = filter or ExpenditureFilter()
    groups = {group.value for group in by or []}
    return {
        "keys": asked.key,
        "accounts": asked.account,
        "years": asked.fiscal_year,
        "lines": asked.line,
        "currencies": asked.currency,
        "incurred_from": asked.incurred_from,
        "incurred_to": asked.incurred_to,
        **{f"by_{group.value}": group.value in groups for group in ExpenditureGrouping},
    }


@strawberry.type
class Expenditures:
    @planned(ToPage(Expenditure.table, ORDERS), "The expenditures.")
    def expenditures(
        self,
        info: Info,
        *,
        filter: ExpenditureFilter | None = None,
        order_by: ExpenditureOrder = ExpenditureOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Expenditure]:
        return looked_up(self, info)

    @planned(
        ToFigure(rows.TOTALS, rows.TOTALS_ORDER, _parameters, rows.MEASURES),
        "What expenditures add up to: a row for each currency and each group asked for.",
    )
    def expenditure_totals(
        self,
        info: Info,
        *,
        filter: ExpenditureFilter | None = None,
        by: list[ExpenditureGrouping] | None = None,
    ) -> list[ExpenditureTotal]:
        return looked_up(self, info)
