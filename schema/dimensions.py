"""Dimensions of cooperation as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.pagination import Connection
from schema.priority_areas import (
    PriorityArea,
    PriorityAreaFilter,
    PriorityAreaOrder,
    areas_page,
)
from schema.reading import Info, ToPage, any_of, column, looked_up, made, planned
from schema.record import Record
from schema.values import ImpreciseDate


@strawberry.type(description="A field of cooperation, which has priority areas.")
class Dimension(Record):
    kind_name: ClassVar[str] = "dimension"
    table: ClassVar[str] = "projections.dimensions"

    name_en: str = column("The name in English.", "name_en")
    defined: ImpreciseDate = made("When it was defined.", ImpreciseDate.of, "defined", "defined_on")

    @planned(areas_page("{t}.dimension = {a}.key"), "Its priority areas.")
    def areas(
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


@strawberry.input(description="Which dimensions; what is left out asks nothing.")
class DimensionFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")


@strawberry.enum(description="The order of dimensions.")
class DimensionOrder(Enum):
    KEY = "KEY"
    NAME = "NAME"


ORDERS = {"KEY": ("key", "text"), "NAME": ("name_en", "text")}


@strawberry.type
class Dimensions:
    @planned(ToPage(Dimension.table, ORDERS), "The dimensions of cooperation.")
    def dimensions(
        self,
        info: Info,
        *,
        filter: DimensionFilter | None = None,
        order_by: DimensionOrder = DimensionOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Dimension]:
        return looked_up(self, info)
