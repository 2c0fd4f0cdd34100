"""Contributions as clients see them, and what they add up to."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

import strawberry

from projections import contributions as rows
from schema.accounts import Account
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
from schema.values import Count, DecimalRange, ImpreciseDate, Money, MoneyRange, money_range


def _outstanding(pledged: Decimal | None, received: Decimal, currency: str) -> Money | None:
    """What of a pledge has not come in; nothing once more came in than was promised."""
    rest = None if pledged is None else max(pledged - received, Decimal(0))
    return Money.of(rest, currency)


@strawberry.type(description="Money that a state promised, gave, and may have got back.")
class Contribution(Record):
    kind_name: ClassVar[str] = "contribution"
    table: ClassVar[str] = "projections.contributions"

    state: State | None = reads(ToOne(State.table, "{t}.key = {a}.state"), "The contributor.")
    account: Account | None = reads(
        ToOne(Account.table, "{t}.key = {a}.account"), "Where the money is received."
    )
    fiscal_year: int = column("The year that it is for.", "fiscal_year")
    pledged: Money | None = made(
        "What was promised; nothing if it came without a pledge.", Money.of, "pledged", "currency"
    )
    received: Money = made("What came in.", Money.of, "received", "currency")
    returned: Money = made("What went back.", Money.of, "returned", "currency")
    net: Money = made("What came in and did not go back.", Money.of, "net", "currency")
    outstanding: Money | None = made(
        "What of the pledge has not come in.", _outstanding, "pledged", "received", "currency"
    )
    first_received: ImpreciseDate | None = made(
        "When money first came in.", ImpreciseDate.of, "first_received", "first_received_on"
    )
    last_received: ImpreciseDate | None = made(
        "When money last came in.", ImpreciseDate.of, "last_received", "received_on"
    )


@strawberry.input(description="Which contributions; what is left out asks nothing.")
class ContributionFilter:
    key: list[strawberry.ID] | None = any_of("With these keys.", "key")
    state: list[strawberry.ID] | None = any_of("Of these states.", "state")
    account: list[strawberry.ID] | None = any_of("To these accounts.", "account")
    currency: list[str] | None = any_of("In these currencies.", "currency")
    fiscal_year: list[int] | None = condition(
        "For these years.", "{a}.fiscal_year = ANY({value})", "int8[]"
    )


@strawberry.enum(description="The order of contributions.")
class ContributionOrder(Enum):
    KEY = "KEY"
    STATE = "STATE"
    FISCAL_YEAR = "FISCAL_YEAR"
    RECEIVED = strawberry.enum_value("RECEIVED", description="By the amount received.")


ORDERS = {
    "KEY": ("key", "text"),
    "STATE": ("state", "text"),
    "FISCAL_YEAR": ("fiscal_year", "int8"),
    "RECEIVED": ("received", "numeric"),
}


@strawberry.enum(description="What contributions are added up by; currencies are always apart.")
class ContributionGrouping(Enum):
    STATE = "state"
    FISCAL_YEAR = "fiscal_year"
    ACCOUNT = "account"


def _share(*values: Decimal) -> DecimalRange | None:
    share = rows.share(rows.Range(*values[:3]), rows.Range(*values[3:]))
    return (
        None if share is None else DecimalRange(value=share.value, low=share.low, high=share.high)
    )


@strawberry.type(description="What a group of contributions in one currency adds up to.")
class ContributionTotal:
    state: State | None = reads(
        ToOne(State.table, "{t}.key = {a}.state"), "The contributor, if they are added up by state."
    )
    account: Account | None = reads(
        ToOne(Account.table, "{t}.key = {a}.account"), "The account, if they are added up by it."
    )
    fiscal_year: int | None = column("The year, if they are added up by it.", "fiscal_year")
    currency: str = column("The ISO 4217 code.", "currency")
    contributions: Count = made(
        "How many there are.", lambda *counted: Count.of(counted), "certain", "possible"
    )
    contributors: Count = made(
        "From how many states money came.",
        lambda *counted: Count.of(counted),
        "contributors_certain",
        "contributors_possible",
    )
    pledged: MoneyRange = money_range("What was promised.", "pledged")
    received: MoneyRange = money_range("What came in.", "received")
    returned: MoneyRange = money_range("What went back.", "returned")
    net: MoneyRange = money_range("What came in and did not go back.", "net")
    share: DecimalRange | None = made(
        "Which part of the net of all groups in this currency it is, from 0 to 1.",
        _share,
        *("net", "net_low", "net_high", "all_net", "all_net_low", "all_net_high"),
    )


def _parameters(
    filter: ContributionFilter | None = None, by: list[ContributionGrouping] | None = None
) -> dict[str, Any]:
    asked = filter or ContributionFilter()
    groups = {group.value for group in by or []}
    return {
        "keys": asked.key,
        "states": asked.state,
        "accounts": asked.account,
        "currencies": asked.currency,
        "years": asked.fiscal_year,
        **{f"by_{group.value}": group.value in groups for group in ContributionGrouping},
    }


@strawberry.type
class Contributions:
    @planned(ToPage(Contribution.table, ORDERS), "The contributions.")
    def contributions(
        self,
        info: Info,
        *,
        filter: ContributionFilter | None = None,
        order_by: ContributionOrder = ContributionOrder.KEY,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Contribution]:
        return looked_up(self, info)

    @planned(
        ToFigure(rows.TOTALS, rows.TOTALS_ORDER, _parameters, rows.MEASURES),
        "What contributions add up to: a row for each currency and each group asked for.",
    )
    def contribution_totals(
        self,
        info: Info,
        *,
        filter: ContributionFilter | None = None,
        by: list[ContributionGrouping] | None = None,
    ) -> list[ContributionTotal]:
        return looked_up(self, info)
