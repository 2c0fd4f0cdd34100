"""Plans as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.activities import Activity, ActivityFilter, ActivityOrder, activities_page
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
from schema.values import ImpreciseDate


@strawberry.type(description="What the organization set out to do in a year.")
class Plan(Record):
    kind_name: ClassVar[str] = "plan"
    table: ClassVar[str] = "projections.plans"

    year: int = column("The year.", "year")
    items: int = column("How many items it has, after the last revision.", "items")
    adopted_by: Body | None = reads(
        ToOne(Body.table, "{t}.key = {a}.adopted_by"), "The body that adopted it."
    )
    adopted: ImpreciseDate = made("When it was adopted.", ImpreciseDate.of, "adopted", "adopted_on")
    revised_by: Body | None = reads(
        ToOne(Body.table, "{t}.key = {a}.decided_by"), "The body that decided the last revision."
    )
    revised: ImpreciseDate | None = made(
        "When it was last revised.", ImpreciseDate.of, "revised", "revised_on"
    )

    @planned(activities_page("{t}.plan = {a}.key"), "The activities that are items of it.")
    def activities(
        self,
        info: Info,
        *,
        filter: ActivityFilter | None = None,
        order_by: ActivityOrder = ActivityOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Activity]:
        return looked_up(self, info)


@strawberry.input(description="Which plans; what is left out asks nothing.")
class PlanFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    year: list[int] | None = condition("Of these years.", "{a}.year = ANY({value})", "int8[]")


@strawberry.enum(description="The order of plans.")
class PlanOrder(Enum):
    KEY = "KEY"
    YEAR = "YEAR"


ORDERS = {"KEY": ("key", "text"), "YEAR": ("year", "int8")}


@strawberry.type
class Plans:
    @planned(
        ToKeyed(Plan.table, ("year", "int8")),
        "The plan of a year: if it has several, the first in the order of keys.",
    )
    def plan(self, info: Info, year: int) -> Plan | None:
        return looked_up(self, info)

    @planned(ToPage(Plan.table, ORDERS), "The plans adopted.")
    def plans(
        self,
        info: Info,
        *,
        filter: PlanFilter | None = None,
        order_by: PlanOrder = PlanOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Plan]:
        return looked_up(self, info)
