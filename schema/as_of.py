"""The as-of point: what is true on a day, as far as was known at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

import strawberry
from graphql import GraphQLError
from psycopg.sql import SQL

from ledger.dates import HomeZone, known_before
from ledger.refusal import Malformed
from projections import RULES
from schema.binding import Arguments, Bound
from schema.scalars import BigInt, Instant
from schema.statement import Row, Statement

# With each point the rules that filled the read models, since an answer cites them; and the
# ledger's end, to know how far before it the point lies.
_RULES = "(SELECT version FROM projections.rules)"

NEWEST = SQL(f"SELECT position, recorded_at, {_RULES}, position FROM ledger.head")  # noqa: S608  # _RULES is above.

# A row whatever there is, since the rules are asked even where nothing was known yet.
KNOWN_BEFORE = SQL(f"""
    SELECT coalesce(last.position, 0), last.recorded_at, {_RULES},
           (SELECT position FROM ledger.head)
      FROM (VALUES (true)) AS always LEFT JOIN LATERAL (
           SELECT position, recorded_at FROM ledger.entries WHERE recorded_at < %(before)s
            ORDER BY recorded_at DESC, position DESC LIMIT 1) AS last ON true""")  # noqa: S608  # _RULES is above.

AT_POSITION = SQL(f"""
    SELECT %(position)s::int8, entries.recorded_at, {_RULES}, head.position
      FROM ledger.head LEFT JOIN ledger.entries ON entries.position = %(position)s
     WHERE head.position >= %(position)s""")  # noqa: S608  # _RULES is above.


NOT_YET = "NOT_YET"
"""The code of the error that a position is not reached yet, in an error's `extensions`."""


@strawberry.input(
    description="A point on both axes of time. Left out, a part means now. Give `knownAt` or"
    " `position`, not both."
)
class AsOf:
    effective_on: date | None = strawberry.field(
        default=None, description="The day on which it was true."
    )
    known_at: Instant | None = strawberry.field(
        default=None, description="The moment at which it was known, or the day by whose end."
    )
    position: BigInt | None = strawberry.field(
        default=None, description="The position of the last entry to be taken into account."
    )


@strawberry.type(description="The point that everything below is seen from. Cite this.")
class ResolvedAsOf:
    effective_on: date = strawberry.field(description="The day on which it was true.")
    known_at: Instant | None = strawberry.field(
        description="When the last entry that was taken into account was recorded."
    )
    position: BigInt = strawberry.field(description="The position of that entry; 0 for none.")
    rules: str = strawberry.field(
        description="The version of the folds and figures: the same position and rules give the"
        " same answer for ever."
    )


@dataclass(frozen=True, slots=True)
class PointBound(Bound):
    """The argument `asOf`: the values are the day, and the position or the moment asked for.

    The shape names the statement that resolves it.
    """


POINTS = {"newest": NEWEST, "before": KNOWN_BEFORE, "position": AT_POSITION}
"""The statements that resolve a point, by the shapes of its argument."""

POINT_SLOTS = ("day", "position", "before")
"""The names by which these statements have the values."""


def point_bound(zone: HomeZone, arguments: Arguments) -> PointBound:
    """The argument `asOf` of a field; a `GraphQLError` if it is no point."""
    as_of = arguments.get("as_of") or AsOf()
    day = as_of.effective_on or zone.day_of(datetime.now(UTC))
    if as_of.position is not None:
        if as_of.known_at is not None:
            raise GraphQLError("give `knownAt` or `position`, not both")
        return PointBound("position", (day, as_of.position, None))
    if as_of.known_at is None:
        return PointBound("newest", (day, None, None))
    try:
        before = known_before(str(as_of.known_at), zone)
    except Malformed as malformed:
        raise GraphQLError(f"`knownAt`: {malformed.message}") from None
    return PointBound("before", (day, None, before))


def resolution(bound: PointBound) -> Statement:
    """The statement that resolves a point."""
    parameters = dict(zip(POINT_SLOTS, bound.values, strict=True))
    return Statement(POINTS[str(bound.shape)], parameters, partial(resolved, bound))


def resolved(bound: PointBound, rows: Sequence[Row]) -> ResolvedAsOf:
    """The point that the statement found; a `GraphQLError` if it can't be answered about."""
    day, asked, _ = bound.values
    position, recorded_at, rules = rows[0][:3] if rows else (0, None, None)
    if rules not in {None, RULES}:
        raise GraphQLError(
            f"the read models were filled by rules {rules}, and this server has rules {RULES}:"
            " it must be started anew"
        )
    if asked is not None and asked != position:
        # Or this server's database is a replica, which hasn't come so far: ask again, or elsewhere.
        raise GraphQLError(
            f"`position`: the ledger has no entry {asked} yet", extensions={"code": NOT_YET}
        )
    return ResolvedAsOf(effective_on=day, known_at=recorded_at, position=position, rules=RULES)
