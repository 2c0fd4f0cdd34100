"""Organizations of states as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.pagination import Connection
from schema.reading import Info, ToPage, any_of, column, looked_up, made, planned
from schema.record import Record
from schema.values import ImpreciseDate


@strawberry.type(description="An organization of states that may become a party to treaties.")
class Organization(Record):
    kind_name: ClassVar[str] = "organization"
    table: ClassVar[str] = "projections.organizations"

    name_en: str = column("The name in English.", "name_en")
    name_ru: str | None = column("The name in Russian.", "name_ru")
    registered: ImpreciseDate = made(
        "When it was taken into the register.", ImpreciseDate.of, "registered", "registered_on"
    )


@strawberry.input(description="Which organizations; what is left out asks nothing.")
class OrganizationFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")


@strawberry.enum(description="The order of organizations.")
class OrganizationOrder(Enum):
    KEY = "KEY"
    NAME = "NAME"


ORDERS = {"KEY": ("key", "text"), "NAME": ("name_en", "text")}


@strawberry.type
class Organizations:
    @planned(ToPage(Organization.table, ORDERS), "The organizations of states.")
    def organizations(
        self,
        info: Info,
        *,
        filter: OrganizationFilter | None = None,
        order_by: OrganizationOrder = OrganizationOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Organization]:
        return looked_up(self, info)
