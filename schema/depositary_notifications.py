"""Depositary notifications as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, ClassVar

import strawberry

from ledger.depositary_notifications import Subject
from schema.organizations import Organization
from schema.pagination import Connection
from schema.reading import Info, ToOne, ToPage, any_of, column, looked_up, made, planned, reads
from schema.record import Record
from schema.states import State
from schema.values import ImpreciseDate

if TYPE_CHECKING:
    # It lists what is here, so it imports this module.
    from schema.treaties import Treaty

strawberry.enum(
    Subject, name="NotificationSubject", description="What a depositary notification is about."
)


def notifications_page(on: str = "") -> ToPage:
    """A connection over them, linked by `on` to the row above."""
    orders = {"KEY": ("key", "text"), "CIRCULATED": ("circulated_on", "date")}
    return ToPage("projections.depositary_notifications", orders, on=on)


@strawberry.type(description="What the depositary let the states know of a treaty.")
class DepositaryNotification(Record):
    kind_name: ClassVar[str] = "depositary_notification"
    table: ClassVar[str] = "projections.depositary_notifications"

    treaty: Annotated[Treaty, strawberry.lazy("schema.treaties")] | None = reads(
        ToOne("projections.treaties", "{t}.key = {a}.treaty"), "The treaty."
    )
    subject: Subject = made("What it is about.", Subject, "subject")
    title_en: str | None = column("The title in English.", "title_en")
    state: State | None = reads(
        ToOne(State.table, "{t}.key = {a}.state"), "The state that did what it tells of."
    )
    organization: Organization | None = reads(
        ToOne(Organization.table, "{t}.key = {a}.organization"),
        "The organization that did what it tells of.",
    )
    action_date: ImpreciseDate | None = made(
        "When what it tells of was done.", ImpreciseDate.of, "action_date"
    )
    circulated: ImpreciseDate = made(
        "When it went out.", ImpreciseDate.of, "circulated", "circulated_on"
    )


@strawberry.input(description="Which notifications; what is left out asks nothing.")
class DepositaryNotificationFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    treaty: list[strawberry.ID] | None = any_of("On these treaties.", "treaty")
    subject: list[Subject] | None = any_of("About one of these.", "subject")


@strawberry.enum(description="The order of depositary notifications.")
class DepositaryNotificationOrder(Enum):
    KEY = "KEY"
    CIRCULATED = strawberry.enum_value(
        "CIRCULATED", description="By the day by which they had gone out."
    )


@strawberry.type
class DepositaryNotifications:
    @planned(notifications_page(), "What the depositary let states know.")
    def depositary_notifications(
        self,
        info: Info,
        *,
        filter: DepositaryNotificationFilter | None = None,
        order_by: DepositaryNotificationOrder = DepositaryNotificationOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[DepositaryNotification]:
        return looked_up(self, info)
