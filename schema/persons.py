"""Persons as clients see them. Their names are personal data."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.pagination import Connection
from schema.reading import Info, ToPage, any_of, column, looked_up, planned
from schema.record import Record


@strawberry.type(description="Somebody whom other records refer to by an opaque id.")
class Person(Record):
    kind_name: ClassVar[str] = "person"
    table: ClassVar[str] = "projections.persons"

    name: str = column("The name: personal data, stored encrypted in the ledger.", "name")


@strawberry.input(description="Which persons; what is left out asks nothing.")
class PersonFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")


@strawberry.enum(description="The order of persons.")
class PersonOrder(Enum):
    KEY = "KEY"


ORDERS = {"KEY": ("key", "text")}


@strawberry.type
class Persons:
    @planned(ToPage(Person.table, ORDERS), "The persons on record.")
    def persons(
        self,
        info: Info,
        *,
        filter: PersonFilter | None = None,
        order_by: PersonOrder = PersonOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Person]:
        return looked_up(self, info)
