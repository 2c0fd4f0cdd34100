"""Relay connections: what a page is, and the cursors that lead from one to the next.

A cursor is opaque to clients: base64url of `[list, order, value, unique]`. It belongs to the list
and the order in which it was given, and says where the next page begins whatever was recorded in
between.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError

from schema.reading import part
from schema.statement import Row
from schema.values import Count

T = TypeVar("T")

DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,99}(\.[0-9]{1,99})?")


@strawberry.type(
    description="Where a page lies among the others. Exact in the direction of paging; the other"
    " way, there are taken to be more nodes if a cursor was given."
)
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether nodes follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether nodes come before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first node.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last node.")


@strawberry.type(description="A node, and the cursor of its place.")
class Edge(Generic[T]):
    cursor: str = part("Give it as `after` or `before` to begin here.")
    node: T = part("The node.")


@strawberry.type(
    description="A page of records, as of one day and one state of knowledge: the `first` so many"
    f" after a cursor, or the `last` before one. There are {DEFAULT_PAGE} nodes unless it is said,"
    f" and at the most {LARGEST_PAGE}."
)
class Connection(Generic[T]):
    edges: list[Edge[T]] = part("The nodes with their cursors.")
    nodes: list[T] = part("The nodes of the edges, for short.")
    page_info: PageInfo = part("Where the page lies among the others.")
    total_count: Count = part(
        "How many records satisfy the filter, whatever the page. Counted only when selected."
    )


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a client asks for: `size` rows, from one end or the other, between cursors."""

    size: int
    backward: bool
    after: str | None
    before: str | None

    @classmethod
    def of(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
        """Check the four arguments; a `GraphQLError` says which one is wrong."""
        if first is not None and last is not None:
            raise GraphQLError("give `first` or `last`, not both")
        name, size = ("last", last) if last is not None else ("first", first)
        if size is None:
            size = DEFAULT_PAGE
        if not 0 <= size <= LARGEST_PAGE:
            raise GraphQLError(f"`{name}` is {size}; a page has from 0 to {LARGEST_PAGE} nodes")
        return cls(size, last is not None, after, before)


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a list: by a column, and among equals by another that is unique.

    A column is its name and its SQL type. `list_name` and `name` are what cursors are bound to.
    """

    list_name: str
    name: str
    column: tuple[str, str]
    unique: tuple[str, str]

    def cursor(self, value: Any, unique: Any) -> str:
        """The cursor of a row that has these values in the two columns."""
        place = [self.list_name, self.name, _written(value), _written(unique)]
        text = json.dumps(place, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def place(self, cursor: str, *, argument: str) -> tuple[Any, Any]:
        """The values that a cursor stands for; a `GraphQLError` if it isn't one of this order's."""
        list_name, order, value, unique = _decoded(cursor)
        if list_name == self.list_name and order != self.name:
            raise GraphQLError(f"`{argument}` is a cursor of another order: begin anew")
        try:
            found = _READ[self.column[1]](value), _READ[self.unique[1]](unique)
        except (ValueError, TypeError):
            found = None
        # Whatever else means the same was not written by this server.
        if found is None or self.cursor(*found) != cursor:
            raise GraphQLError(f"`{argument}` is not a cursor that this list gave")
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page in the order asked for, and whether there are more."""

    rows: Sequence[Row]
    page: Page
    more: bool
    order: Order
    places: Sequence[int]

    @classmethod
    def of(cls, rows: Sequence[Row], page: Page, order: Order, places: Sequence[int]) -> Found:
        """One row more was fetched than the page has, to learn whether there is another page."""
        shown = list(rows[: page.size])
        if page.backward:
            shown.reverse()
        return cls(shown, page, len(rows) > page.size, order, places)

    def cursor(self, index: int) -> str:
        """The cursor of a row."""
        value, unique = (self.rows[index][place] for place in self.places)
        return self.order.cursor(value, unique)

    def page_info(self) -> PageInfo:
        """Relay's four facts about the page."""
        page = self.page
        return PageInfo(
            has_next_page=page.before is not None or (self.more and not page.backward),
            has_previous_page=page.after is not None or (self.more and page.backward),
            start_cursor=self.cursor(0) if self.rows else None,
            end_cursor=self.cursor(-1) if self.rows else None,
        )


def _decoded(cursor: str) -> tuple[Any, Any, Any, Any]:
    """The four parts of a cursor; nothing four times if it has others."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        list_name, order, value, unique = place
    except (ValueError, TypeError, RecursionError):
        return None, None, None, None
    return list_name, order, value, unique


def _written(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("not written as an integer, or beyond all that is stored")
    return int(text)


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not written as a decimal, or beyond all that is stored")
    return Decimal(text)


def _text(text: Any) -> str:
    if type(text) is not str:
        raise TypeError("not a text")
    return text


_READ: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int8": _integer,
    "numeric": _decimal,
    "date": date.fromisoformat,
}
"""How values in a cursor are read, by the SQL types of the columns that lists are ordered by."""
