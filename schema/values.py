"""Values that several kinds of record share: money, imprecise dates, counts, ranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from ledger.dates import parse_edtf
from schema.reading import column_by_column, made


def if_any(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What `make` makes of a value, and nothing of nothing."""
    return lambda value: None if value is None else make(value)


@strawberry.type(description="An amount in one currency. Amounts are decimals, as text.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="The ISO 4217 code.")

    @classmethod
    @column_by_column("amount", "currency")
    def of(cls, amount: Decimal | None, currency: str) -> Money | None:
        """The amount with its currency; None of nothing."""
        return None if amount is None else cls(amount=amount, currency=currency)


@strawberry.type(description="A date as precisely as it is known, in EDTF (ISO 8601-2).")
class ImpreciseDate:
    edtf: str = strawberry.field(description="As stated: 2023-05-12, 2023-05, 2023~, a duration …")
    earliest: date = strawberry.field(description="The first day that it may mean.")
    latest: date = strawberry.field(
        description="The last day that it may mean; an accomplished fact had happened by the day"
        " on which it was recorded."
    )
    words: str = strawberry.field(description="In English words: “May 2023”.")
    text: str | None = strawberry.field(default=None, description="The words of the source.")

    @classmethod
    def of(
        cls, edtf: str | None, latest: date | None = None, earliest: date | None = None
    ) -> ImpreciseDate | None:
        """The date that `edtf` states, within the bounds that the ledger found for it."""
        if edtf is None:
            return None
        stated = parse_edtf(edtf)
        last = stated.latest if latest is None else latest
        first = min(stated.earliest, last) if earliest is None else earliest
        return cls(edtf=edtf, earliest=first, latest=last, words=stated.in_words)


@strawberry.type(
    description="A count of records on a day when some of what happened is not dated exactly:"
    " those that certainly satisfy the condition, and those that possibly do."
)
class Count:
    certain: int = strawberry.field(description="However the dates are read.")
    possible: int = strawberry.field(description="If the dates are read so as to count the most.")

    @classmethod
    def of(cls, counted: tuple[int, int]) -> Count:
        """The count of the two numbers."""
        return cls(certain=counted[0], possible=counted[1])


@strawberry.type(
    description="A number on the cautious reading of the dates, between the least and the greatest"
    " that it may have been."
)
class DecimalRange:
    value: Decimal = strawberry.field(description="On the cautious reading.")
    low: Decimal = strawberry.field(description="The least.")
    high: Decimal = strawberry.field(description="The greatest.")


@strawberry.type(
    description="An amount on the cautious reading of the dates, between the least and the"
    " greatest that it may have been."
)
class MoneyRange:
    amount: Decimal = strawberry.field(description="On the cautious reading.")
    low: Decimal = strawberry.field(description="The least.")
    high: Decimal = strawberry.field(description="The greatest.")
    currency: str = strawberry.field(description="The ISO 4217 code.")

    @classmethod
    @column_by_column("amount", "low", "high", "currency")
    def of(cls, amount: Decimal, low: Decimal, high: Decimal, currency: str) -> MoneyRange:
        """The range of the three amounts."""
        return cls(amount=amount, low=low, high=high, currency=currency)


def money_range(description: str, name: str) -> Any:
    """A field that reads a `MoneyRange` from the columns `name`, `name_low` and `name_high`."""
    return made(description, MoneyRange.of, name, f"{name}_low", f"{name}_high", "currency")


@strawberry.type(description="A span of days, both its ends included.")
class Period:
    start: date = strawberry.field(description="The first day.")
    end: date = strawberry.field(description="The last day.")

    @classmethod
    def of(cls, start: date | None, end: date | None) -> Period | None:
        """The period between the two days; None without them."""
        return None if start is None or end is None else cls(start=start, end=end)


@strawberry.type(
    description="Whether something holds on a day when some of what happened is not dated exactly."
)
class Certainty:
    certain: bool = strawberry.field(description="However the dates are read.")
    possible: bool = strawberry.field(description="If the dates are read in its favour.")

    @classmethod
    def of(cls, held: tuple[bool, bool]) -> Certainty:
        """The answer of the two truths."""
        return cls(certain=held[0], possible=held[1])


@strawberry.type(
    description="A day that follows from others, some of which may not be dated exactly."
)
class DayRange:
    day: date | None = strawberry.field(
        description="On the cautious reading of the dates; nothing if it does not come by that."
    )
    earliest: date = strawberry.field(description="The first day that it may be.")
    latest: date | None = strawberry.field(
        description="The last day that it may be; nothing if it may not come at all."
    )

    @classmethod
    def of(cls, days: tuple[date | None, date, date | None] | None) -> DayRange | None:
        """The range of the three days; None of nothing."""
        return None if days is None else cls(day=days[0], earliest=days[1], latest=days[2])
