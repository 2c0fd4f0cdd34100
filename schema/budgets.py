"""Budgets as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.bodies import Body
from schema.pagination import Connection
from schema.reading import (
    Info,
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
from schema.record import Record
from schema.values import ImpreciseDate, Money


@strawberry.type(description="What was approved for a fiscal year.")
class Budget(Record):
    kind_name: ClassVar[str] = "budget"
    table: ClassVar[str] = "projections.budgets"

    fiscal_year: int = column("The year.", "fiscal_year")
    amount: Money = made("The amount approved.", Money.of, "amount", "currency")
    decided_by: Body | None = reads(
        ToOne(Body.table, "{t}.key = {a}.decided_by"), "The body that approved it."
    )
    approved: ImpreciseDate = made(
        "When it was approved.", ImpreciseDate.of, "approved", "approved_on"
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
