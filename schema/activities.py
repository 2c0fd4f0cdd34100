"""Activities as clients see them, and how many there are of each sort."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import strawberry

from ledger.activities import Category, Format, OrganizerRole, Qualifier, Status
from projections import activities as rows
from schema.bodies import Body
from schema.pagination import Connection
from schema.reading import (
    Info,
    ToFigure,
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
from schema.values import Count, ImpreciseDate, if_any

if TYPE_CHECKING:
    # These list activities, so they import this module.
    from schema.dimensions import Dimension
    from schema.plans import Plan
    from schema.priority_areas import PriorityArea

strawberry.enum(Category, name="ActivityCategory", description="What sort of activity.")
strawberry.enum(Status, name="ActivityStatus", description="What became of an activity so far.")
strawberry.enum(Format, name="ActivityFormat", description="How participants met.")
strawberry.enum(OrganizerRole, description="As what a state organizes an activity.")
strawberry.enum(
    Qualifier, description="What a source says before a number that it does not give exactly."
)


@strawberry.type(description="How many took part.")
class Participants:
    number: int = strawberry.field(description="The number.")
    qualifier: Qualifier | None = strawberry.field(
        description="What the source says before it; nothing if the number is exact."
    )

    @classmethod
    def of(cls, number: int | None, qualifier: str | None) -> Participants | None:
        """The number with its qualifier; None of nothing."""
        return None if number is None else cls(number=number, qualifier=_qualifier(qualifier))


_qualifier = if_any(Qualifier)


@strawberry.type(description="A meeting or an event: planned, put off, dropped or held.")
class Activity(Record):
    kind_name: ClassVar[str] = "activity"
    table: ClassVar[str] = "projections.activities"

    plan: Annotated[Plan, strawberry.lazy("schema.plans")] | None = reads(
        ToOne("projections.plans", "{t}.key = {a}.plan"), "The plan that it is an item of."
    )
    category: Category = made("What sort of activity it is.", Category, "category")
    body: Body | None = reads(ToOne(Body.table, "{t}.key = {a}.body"), "The body that meets.")
    area: Annotated[PriorityArea, strawberry.lazy("schema.priority_areas")] | None = reads(
        ToOne("projections.priority_areas", "{t}.key = {a}.area"), "The area that it belongs to."
    )
    organizer: State | None = reads(
        ToOne(State.table, "{t}.key = {a}.organizer"), "The state that organizes it."
    )
    organizer_role: OrganizerRole | None = made(
        "As what that state does so.", if_any(OrganizerRole), "organizer_role"
    )
    title_en: str = column("The title under which it was held, or else planned.", "title_en")
    planned_dates: ImpreciseDate | None = made(
        "When it is, or was, to be held.", ImpreciseDate.of, "planned_dates"
    )
    status: Status = made("What became of it so far.", Status, "status")
    held: ImpreciseDate | None = made(
        "When it was held.", ImpreciseDate.of, "held", "held_latest", "held_earliest"
    )
    format: Format | None = made("How its participants met.", if_any(Format), "format")
    place: str | None = column("Where it was held.", "place")
    participants: Participants | None = made(
        "How many took part.", Participants.of, "participants", "participants_qualifier"
    )
    states_represented: int | None = column("How many states were represented.", "states")
    reason: str | None = column("Why it was last rescheduled, postponed or cancelled.", "reason")


@strawberry.input(description="Which activities; what is left out asks nothing.")
class ActivityFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    plan: list[strawberry.ID] | None = any_of("Of these plans.", "plan")
    year: list[int] | None = condition(
        "Of the plans of these years.",
        "EXISTS (SELECT FROM projections.plans AS plan WHERE plan.key = {a}.plan"
        " AND plan.known @> %(position)s::int8 AND plan.year = ANY({value}))",
        "int8[]",
    )
    category: list[Category] | None = any_of("Of these categories.", "category")
    body: list[strawberry.ID] | None = any_of("Meetings of these bodies.", "body")
    area: list[strawberry.ID] | None = any_of("In these priority areas.", "area")
    dimension: list[strawberry.ID] | None = condition(
        "In priority areas of these dimensions.",
        "EXISTS (SELECT FROM projections.priority_areas AS area WHERE area.key = {a}.area"
        " AND area.known @> %(position)s::int8 AND area.dimension = ANY({value}))",
        "text[]",
    )
    organizer: list[strawberry.ID] | None = any_of("Organized by these states.", "organizer")
    status: list[Status] | None = any_of("With one of these statuses.", "status")
    held_from: date | None = condition(
        "Whose `held.latest` is this day or later.", "{a}.held_latest >= {value}", "date"
    )
    held_to: date | None = condition(
        "Whose `held.latest` is this day or before.", "{a}.held_latest <= {value}", "date"
    )


@strawberry.enum(description="The order of activities.")
class ActivityOrder(Enum):
    KEY = "KEY"
    TITLE = "TITLE"


ORDERS = {"KEY": ("key", "text"), "TITLE": ("title_en", "text")}


def activities_page(on: str = "") -> ToPage:
    """A connection over activities, linked by `on` to the row above."""
    return ToPage(Activity.table, ORDERS, on=on)


@strawberry.enum(description="What activities are counted by.")
class ActivityGrouping(Enum):
    YEAR = "year"
    CATEGORY = "category"
    STATUS = "status"
    BODY = "body"
    DIMENSION = "dimension"
    AREA = "area"
    ORGANIZER = "organizer"


@strawberry.type(
    description="How many activities there are in a group. What they are not counted by is"
    " nothing, and so is what none of the group has."
)
class ActivityTotal:
    year: int | None = column("The year of their plan.", "year")
    category: Category | None = made("What sort they are.", if_any(Category), "category")
    status: Status | None = made("What became of them.", if_any(Status), "status")
    body: Body | None = reads(ToOne(Body.table, "{t}.key = {a}.body"), "The body that meets.")
    dimension: Annotated[Dimension, strawberry.lazy("schema.dimensions")] | None = reads(
        ToOne("projections.dimensions", "{t}.key = {a}.dimension"), "The dimension of their area."
    )
    area: Annotated[PriorityArea, strawberry.lazy("schema.priority_areas")] | None = reads(
        ToOne("projections.priority_areas", "{t}.key = {a}.area"), "Their priority area."
    )
    organizer: State | None = reads(
        ToOne(State.table, "{t}.key = {a}.organizer"), "The state that organizes them."
    )
    activities: Count = made(
        "How many there are.", lambda *counted: Count.of(counted), "certain", "possible"
    )


def _parameters(
    filter: ActivityFilter | None = None, by: list[ActivityGrouping] | None = None
) -> dict[str, Any]:
    asked = filter or ActivityFilter()
    groups = {group.value for group in by or []}
    return {
        "keys": asked.key,
        "plans": asked.plan,
        "years": asked.year,
        "categories": _values(asked.category),
        "bodies": asked.body,
        "areas": asked.area,
        "dimensions": asked.dimension,
        "organizers": asked.organizer,
        "statuses": _values(asked.status),
        "held_from": asked.held_from,
        "held_to": asked.held_to,
        **{f"by_{group.value}": group.value in groups for group in ActivityGrouping},
    }


def _values(chosen: list[Any] | None) -> list[str] | None:
    return None if chosen is None else [choice.value for choice in chosen]


@strawberry.type
class Activities:
    @planned(activities_page(), "The activities, whatever became of them.")
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

    @planned(
        ToFigure(rows.TOTALS, rows.TOTALS_ORDER, _parameters),
        "How many activities there are: a row for each group asked for that has any.",
    )
    def activity_totals(
        self,
        info: Info,
        *,
        filter: ActivityFilter | None = None,
        by: list[ActivityGrouping] | None = None,
    ) -> list[ActivityTotal]:
        return looked_up(self, info)
