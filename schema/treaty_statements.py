"""Reservations, declarations and objections as clients see them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, ClassVar

import strawberry

from projections.treaty_statements import Type
from schema.organizations import Organization
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
from schema.states import State
from schema.values import ImpreciseDate

if TYPE_CHECKING:
    # It lists what is here, so it imports this module.
    from schema.treaties import Treaty

strawberry.enum(
    Type, name="TreatyStatementType", description="What sort of statement on a treaty it is."
)


@strawberry.input(description="Which statements on treaties; what is left out asks nothing.")
class TreatyStatementFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    type: list[Type] | None = any_of("Of these sorts.", "type")
    treaty: list[strawberry.ID] | None = any_of("On these treaties.", "treaty")
    state: list[strawberry.ID] | None = any_of("Of these states.", "state")
    organization: list[strawberry.ID] | None = any_of("Of these organizations.", "organization")
    objects_to: list[strawberry.ID] | None = any_of("That object to these.", "objects_to")
    withdrawn: bool | None = condition(
        "That were withdrawn, or that stand.", "({a}.withdrawn IS NOT NULL) = {value}", "bool"
    )


@strawberry.enum(description="The order of statements on treaties.")
class TreatyStatementOrder(Enum):
    KEY = "KEY"
    MADE = strawberry.enum_value("MADE", description="By the day by which they were made.")


def statements_page(on: str = "") -> ToPage:
    """A connection over them, linked by `on` to the row above."""
    orders = {"KEY": ("key", "text"), "MADE": ("made_on", "date")}
    return ToPage("projections.treaty_statements", orders, on=on)


@strawberry.type(description="A reservation, a declaration, or an objection to one of them.")
class TreatyStatement(Record):
    kind_name: ClassVar[str] = "treaty_statement"
    table: ClassVar[str] = "projections.treaty_statements"

    type: Type = made("What sort of statement it is.", Type, "type")
    treaty: Annotated[Treaty, strawberry.lazy("schema.treaties")] | None = reads(
        ToOne("projections.treaties", "{t}.key = {a}.treaty"), "The treaty."
    )
    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The state.")
    organization: Organization | None = reads(
        ToOne(Organization.table, "{t}.key = {a}.organization"), "The organization."
    )
    provisions: str | None = column("The provisions that it is about.", "provisions")
    text: str = column("What it says.", "text")
    objects_to: TreatyStatement | None = reads(
        ToOne("projections.treaty_statements", "{t}.key = {a}.objects_to"),
        "The statement that it objects to.",
    )
    precludes_entry_into_force: bool | None = column(
        "Whether the objection keeps the treaty from being in force between the two.",
        "precludes_entry_into_force",
    )
    stated: ImpreciseDate = made("When it was made.", ImpreciseDate.of, "made", "made_on")
    withdrawn: ImpreciseDate | None = made(
        "When it was withdrawn.", ImpreciseDate.of, "withdrawn", "withdrawn_on"
    )

    @planned(
        statements_page("{t}.objects_to = {a}.key"),
        "The objections to it.",
    )
    def objections(
        self,
        info: Info,
        *,
        filter: TreatyStatementFilter | None = None,
        order_by: TreatyStatementOrder = TreatyStatementOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[TreatyStatement]:
        return looked_up(self, info)


@strawberry.type
class TreatyStatements:
    @planned(statements_page(), "The reservations, declarations and objections.")
    def treaty_statements(
        self,
        info: Info,
        *,
        filter: TreatyStatementFilter | None = None,
        order_by: TreatyStatementOrder = TreatyStatementOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[TreatyStatement]:
        return looked_up(self, info)
