"""Values that several kinds of record share: money, imprecise dates, counts, ranges."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from ledger.dates import parse_edtf


@strawberry.type(description="An amount in one currency. Amounts are decimals, as text.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="The ISO 4217 code.")

    @classmethod
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
