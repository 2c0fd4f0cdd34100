"""Relay connections: what a page is, and the cursors that lead from one to the next.

A cursor is opaque to clients: base64url of `[order, value, key]`. It belongs to the order in which
it was given, and says where the next page begins whatever was recorded in between.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError

from schema.reading import part
from schema.values import Count

T = TypeVar("T")

DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000


@strawberry.type(description="Where a page lies among the others.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="A node, and the cursor of its place.")
class Edge(Generic[T]):
    cursor: str = part("Give it as `after` or `before` to begin here.")
    node: T = part("The node.")


@strawberry.type(description="A page of records, as of one day and one state of knowledge.")
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
    def of(
        cls, first: int | None, after: str | None, last: int | None, before: str | None
    ) -> Page:
        """Check the four arguments; a `GraphQLError` says which one is wrong."""
        if first is not None and last is not None:
            raise GraphQLError("give `first` or `last`, not both")
        name, size = ("last", last) if last is not None else ("first", first)
        if size is None:
            size = DEFAULT_PAGE
        if not 0 <= size <= LARGEST_PAGE:
            raise GraphQLError(f"`{name}` is {size}; a page has from 0 to {LARGEST_PAGE} nodes")
        return cls(size, last is not None, after, before)


def encode_cursor(order: str, value: Any, unique: Any) -> str:
    """The cursor of a row: its place in `order`."""
    place = json.dumps([order, str(value), str(unique)], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, order: str, *, argument: str) -> tuple[str, str]:
    """The values that a cursor stands for; a `GraphQLError` if it isn't one of this order's."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        given, value, unique = place
    except (ValueError, TypeError):
        place = None
    if place is None or not all(type(part) is str for part in place) or "\0" in value + unique:
        raise GraphQLError(f"`{argument}` is not a cursor that this server gave")
    if given != order:
        raise GraphQLError(
            f"`{argument}` is a cursor of the order {given}, not of {order}: begin anew"
        )
    return value, unique
