"""Secondments as clients see them, and the person-years that they make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Any, ClassVar

import strawberry

from ledger.daycount import Convention
from projections import secondments as rows
from schema.pagination import Connection
from schema.persons import Person
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
from schema.values import Count, DecimalRange, ImpreciseDate


@strawberry.type(description="Somebody whom a state lends to the Secretariat and goes on paying.")
class Secondment(Record):
    kind_name: ClassVar[str] = "secondment"
    table: ClassVar[str] = "projections.secondments"

    person: Person | None = reads(ToOne(Person.table, "{t}.key = {a}.person"), "The secondee.")
    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The sending state.")
    title: str = column("The post.", "title")
    joined: ImpreciseDate = made(
        "The first day of service.", ImpreciseDate.of, "joined", "joined_latest", "joined_earliest"
    )
    until: ImpreciseDate | None = made("The end agreed on.", ImpreciseDate.of, "until")
    left: ImpreciseDate | None = made(
        "The last day of service.", ImpreciseDate.of, "left", "left_latest", "left_earliest"
    )


@strawberry.input(description="Which secondments; what is left out asks nothing.")
class SecondmentFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    state: list[strawberry.ID] | None = any_of("Sent by these states.", "state")
    person: list[strawberry.ID] | None = any_of("Of these persons.", "person")
    serving: bool | None = condition(
        "Who serve on that day, which may be their last, or who have left.",
        "({a}.left_earliest IS NULL OR {a}.left_earliest >= %(day)s::date) = {value}",
        "bool",
    )
    joined_from: date | None = condition(
        "Whose `joined.latest` is this day or later.", "{a}.joined_latest >= {value}", "date"
    )
    joined_to: date | None = condition(
        "Whose `joined.latest` is this day or before.", "{a}.joined_latest <= {value}", "date"
    )


@strawberry.enum(description="The order of secondments.")
class SecondmentOrder(Enum):
    KEY = "KEY"
    STATE = "STATE"
    JOINED = strawberry.enum_value("JOINED", description="By the day by which they had joined.")


ORDERS = {
    "KEY": ("key", "text"),
    "STATE": ("state", "text"),
    "JOINED": ("joined_latest", "date"),
}


@strawberry.enum(description="How days become years; the last day of service is counted.")
class DayCount(Enum):
    ACT_365_25 = strawberry.enum_value(
        "ACT/365.25", description="The days, over a mean year of 365.25."
    )
    ACT_365 = strawberry.enum_value("ACT/365", description="The days, over 365.")
    MONTHS_DAYS_30 = strawberry.enum_value(
        "months+days/30",
        description="Whole months, and the days that remain as thirtieths of one; over 12.",
    )
    THIRTY_360 = strawberry.enum_value(
        "30/360", description="Every month has 30 days, a 31st counting as a 30th: 30E/360."
    )


def _years(convention: str, day: date, spans: Sequence[rows.Spans]) -> DecimalRange:
    value, low, high = rows.person_years(Convention(convention), day, spans)
    return DecimalRange(value=value, low=low, high=high)


@strawberry.type(description="The person-years that a state's secondees have served.")
class PersonYears:
    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The sending state.")
    convention: DayCount = made("How days became years.", DayCount, "convention")
    years: DecimalRange = made(
        "Served until the day asked about, that day included.",
        _years,
        "convention",
        "day",
        "spans",
    )
    secondments: Count = made(
        "How many secondments there were.",
        lambda *counted: Count.of(counted),
        "certain",
        "possible",
    )


def _parameters(
    convention: DayCount = DayCount.ACT_365_25, filter: SecondmentFilter | None = None
) -> dict[str, Any]:
    asked = filter or SecondmentFilter()
    return {
        "convention": convention.value,
        "keys": asked.key,
        "states": asked.state,
        "persons": asked.person,
        "serving": asked.serving,
        "joined_from": asked.joined_from,
        "joined_to": asked.joined_to,
    }


@strawberry.type
class Secondments:
    @planned(ToPage(Secondment.table, ORDERS), "The secondments, past and present.")
    def secondments(
        self,
        info: Info,
        *,
        filter: SecondmentFilter | None = None,
        order_by: SecondmentOrder = SecondmentOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Secondment]:
        return looked_up(self, info)

    @planned(
        ToFigure(rows.PERSON_YEARS, rows.PERSON_YEARS_ORDER, _parameters),
        "Person-years by sending state, by a named convention.",
    )
    def person_years(
        self,
        info: Info,
        convention: DayCount = DayCount.ACT_365_25,
        filter: SecondmentFilter | None = None,
    ) -> list[PersonYears]:
        return looked_up(self, info)
