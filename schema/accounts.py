"""Bank accounts as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from schema.pagination import Connection
from schema.reading import Info, ToPage, any_of, column, looked_up, made, planned
from schema.record import Record
from schema.values import ImpreciseDate


@strawberry.type(description="A bank account: one fund, one currency.")
class Account(Record):
    kind_name: ClassVar[str] = "account"
    table: ClassVar[str] = "projections.accounts"

    fund: str = column("The fund whose money it holds.", "fund")
    currency: str = column("The ISO 4217 code.", "currency")
    opened: ImpreciseDate = made("When it was opened.", ImpreciseDate.of, "opened", "opened_on")
    closed: ImpreciseDate | None = made(
        "When it was closed.", ImpreciseDate.of, "closed", "closed_on"
    )


@strawberry.input(description="Which accounts; what is left out asks nothing.")
class AccountFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    fund: list[str] | None = any_of("Of these funds.", "fund")
    currency: list[str] | None = any_of("In these currencies.", "currency")


@strawberry.enum(description="The order of accounts.")
class AccountOrder(Enum):
    KEY = "KEY"


ORDERS = {"KEY": ("key", "text")}


@strawberry.type
class Accounts:
    @planned(ToPage(Account.table, ORDERS), "The bank accounts.")
    def accounts(
        self,
        info: Info,
        *,
        filter: AccountFilter | None = None,
        order_by: AccountOrder = AccountOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Account]:
        return looked_up(self, info)
