"""States as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from ledger.states import Status
from schema.pagination import Connection
from schema.reading import Info, ToPage, any_of, column, looked_up, made, planned
from schema.record import Record
from schema.values import ImpreciseDate

strawberry.enum(Status, name="StateStatus", description="How a state stands to the organization.")


@strawberry.type(description="A state: member, observer, or neither any more.")
class State(Record):
    kind_name: ClassVar[str] = "state"
    table: ClassVar[str] = "projections.states"

    name_en: str = column("The name in English.", "name_en")
    name_ru: str | None = column("The name in Russian.", "name_ru")
    status: Status = made("Member, observer, or former.", Status, "status")
    status_since: ImpreciseDate = made(
        "Since when it has that status.", ImpreciseDate.of, "status_since", "status_on"
    )


@strawberry.input(description="Which states; what is left out asks nothing.")
class StateFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    status: list[Status] | None = any_of("With one of these statuses.", "status")


@strawberry.enum(description="The order of states.")
class StateOrder(Enum):
    KEY = "KEY"
    NAME = "NAME"


ORDERS = {"KEY": ("key", "text"), "NAME": ("name_en", "text")}


@strawberry.type
class States:
    @planned(ToPage(State.table, ORDERS), "The states, members and observers.")
    def states(
        self,
        info: Info,
        *,
        filter: StateFilter | None = None,
        order_by: StateOrder = StateOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[State]:
        return looked_up(self, info)
