"""Priority areas as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, ClassVar

import strawberry

from schema.activities import Activity, ActivityFilter, ActivityOrder, activities_page
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
from schema.values import ImpreciseDate

if TYPE_CHECKING:
    # It lists areas, so it imports this module.
    from schema.dimensions import Dimension


@strawberry.type(description="A numbered subject of cooperation, in one dimension.")
class PriorityArea(Record):
    kind_name: ClassVar[str] = "priority_area"
    table: ClassVar[str] = "projections.priority_areas"

    number: int = column("Its place in the catalogue.", "number")
    dimension: Annotated[Dimension, strawberry.lazy("schema.dimensions")] | None = reads(
        ToOne("projections.dimensions", "{t}.key = {a}.dimension"), "The dimension it belongs to."
    )
    name_en: str = column("The name in English.", "name_en")
    defined: ImpreciseDate = made("When it was defined.", ImpreciseDate.of, "defined", "defined_on")

    @planned(activities_page("{t}.area = {a}.key"), "The activities in this area.")
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


@strawberry.input(description="Which priority areas; what is left out asks nothing.")
class PriorityAreaFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    dimension: list[strawberry.ID] | None = any_of("In these dimensions.", "dimension")
    number: list[int] | None = condition(
        "With these numbers.", "{a}.number = ANY({value})", "int8[]"
    )
    without_activities_in: int | None = condition(
        "In which no activity of a plan of this year is planned or was held, on the cautious"
        " reading of what became of them.",
        "NOT EXISTS (SELECT FROM projections.activities AS activity"
        " JOIN projections.plans AS plan ON plan.key = activity.plan"
        " WHERE activity.area = {a}.key AND activity.status IN ('planned', 'held')"
        " AND activity.known @> %(position)s::int8 AND activity.effective @> %(day)s::date"
        " AND plan.known @> %(position)s::int8 AND plan.year = {value})",
        "int8",
    )


@strawberry.enum(description="The order of priority areas.")
class PriorityAreaOrder(Enum):
    KEY = "KEY"
    NUMBER = "NUMBER"


ORDERS = {"KEY": ("key", "text"), "NUMBER": ("number", "int8")}


def areas_page(on: str = "") -> ToPage:
    """A connection over priority areas, linked by `on` to the row above."""
    return ToPage(PriorityArea.table, ORDERS, on=on)


@strawberry.type
class PriorityAreas:
    @planned(areas_page(), "The priority areas.")
    def priority_areas(
        self,
        info: Info,
        *,
        filter: PriorityAreaFilter | None = None,
        order_by: PriorityAreaOrder = PriorityAreaOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[PriorityArea]:
        return looked_up(self, info)
