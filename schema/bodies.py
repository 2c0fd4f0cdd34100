"""Bodies as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from ledger.bodies import Category
from schema.pagination import Connection
from schema.reading import Info, ToPage, any_of, column, condition, looked_up, made, planned
from schema.record import Record
from schema.values import ImpreciseDate

strawberry.enum(Category, name="BodyCategory", description="What sort of body.")


@strawberry.type(description="An organ or mechanism of the organization.")
class Body(Record):
    kind_name: ClassVar[str] = "body"
    table: ClassVar[str] = "projections.bodies"

    name_en: str = column("The name in English.", "name_en")
    category: Category = made("What sort of body it is.", Category, "category")
    operational: bool = column("Whether it has taken up its work.", "operational")
    established: ImpreciseDate = made(
        "When it was established.", ImpreciseDate.of, "established", "established_on"
    )


@strawberry.input(description="Which bodies; what is left out asks nothing.")
class BodyFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    category: list[Category] | None = any_of("Of these categories.", "category")
    operational: bool | None = condition(
        "That operate, or that do not.", "{a}.operational = {value}", "bool"
    )


@strawberry.enum(description="The order of bodies.")
class BodyOrder(Enum):
    KEY = "KEY"
    NAME = "NAME"


ORDERS = {"KEY": ("key", "text"), "NAME": ("name_en", "text")}


@strawberry.type
class Bodies:
    @planned(ToPage(Body.table, ORDERS), "The bodies, operating or not.")
    def bodies(
        self,
        info: Info,
        *,
        filter: BodyFilter | None = None,
        order_by: BodyOrder = BodyOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Body]:
        return looked_up(self, info)
