"""Budgets as clients see them, and the ratios by which they are reported on."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import ClassVar

import strawberry

from projections import budgets as rows
from schema.bodies import Body
from schema.pagination import Connection
from schema.reading import (
    Info,
    ToComputed,
    ToKeyed,
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
from schema.record import EntryConnection, Record, entries_page
from schema.values import ImpreciseDate, Money, MoneyRange, money_range


@strawberry.type(
    description="What one sum of money is of another, on the cautious reading of the dates and"
    " between the least and the greatest that it may have been; to ten places."
)
class Ratio:
    value: Decimal | None = made(
        "On the cautious reading; nothing if there is nothing to divide by.",
        rows.ratio,
        *("numerator", "denominator"),
    )
    low: Decimal | None = made(
        "The least numerator over the greatest denominator, unless that is nothing.",
        rows.ratio,
        *("numerator_low", "denominator_high"),
    )
    high: Decimal | None = made(
        "The greatest numerator over the least denominator, unless that is nothing.",
        rows.ratio,
        *("numerator_high", "denominator_low"),
    )
    numerator: MoneyRange = money_range("What is divided.", "numerator")
    denominator: MoneyRange = money_range("What it is divided by.", "denominator")

    @planned(
        entries_page(rows.ENTRIES_COUNTED),
        "The entries, as far as was known, about the records that both are computed from.",
    )
    def entries(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntryConnection:
        return looked_up(self, info)


@strawberry.type(description="What was approved for a fiscal year.")
class Budget(Record):
    kind_name: ClassVar[str] = "budget"
    table: ClassVar[str] = "projections.budgets"

    fiscal_year: int = column("The year.", "fiscal_year")
    fund: str | None = column(
        "The fund of the accounts whose money it is about; of all, if nothing is said.", "fund"
    )
    amount: Money = made(
        "The amount that stands: as approved, or as last revised.", Money.of, "amount", "currency"
    )
    original_amount: Money = made(
        "The amount first approved.", Money.of, "original_amount", "currency"
    )
    decided_by: Body | None = reads(
        ToOne(Body.table, "{t}.key = {a}.decided_by"), "The body that approved or last revised it."
    )
    approved: ImpreciseDate = made(
        "When it was approved.", ImpreciseDate.of, "approved", "approved_on"
    )
    revised: ImpreciseDate | None = made(
        "When it was last revised.", ImpreciseDate.of, "revised", "revised_on"
    )
    collection_rate: Ratio = reads(
        ToComputed(rows.COLLECTION_RATE),
        "The contributions for the year, net of what went back, over the budget's amount. Those in"
        " other currencies, or to accounts of another fund than the budget's, are left out.",
    )
    expenses_covered: Ratio = reads(
        ToComputed(rows.EXPENSES_COVERED),
        "The same contributions over the expenditures of the year, net of what was refunded. Those"
        " in other currencies, or from accounts of another fund, are left out.",
    )


@strawberry.input(description="Which budgets; what is left out asks nothing.")
class BudgetFilter:
    fiscal_year: list[int] | None = condition(
        "Of these years.", "{a}.fiscal_year = ANY({value})", "int8[]"
    )
    currency: list[str] | None = any_of("In these currencies.", "currency")


@strawberry.enum(description="The order of budgets.")
class BudgetOrder(Enum):
    KEY = "KEY"


ORDERS = {"KEY": ("key", "text")}


@strawberry.type
class Budgets:
    @planned(ToKeyed(Budget.table), "The budget of a fiscal year.")
    def budget(self, info: Info, fiscal_year: int) -> Budget | None:
        return looked_up(self, info)

    @planned(ToPage(Budget.table, ORDERS), "The budgets approved.")
    def budgets(
        self,
        info: Info,
        *,
        filter: BudgetFilter | None = None,
        order_by: BudgetOrder = BudgetOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Budget]:
        return looked_up(self, info)
