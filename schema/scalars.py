"""Scalars beside GraphQL's own: whole numbers beyond 32 bits, and moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

from ledger.dates import format_moment

_LARGEST = 2**63 - 1


def _parse_big_int(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) > _LARGEST:
        raise GraphQLError(f"{value!r} is not a whole number from 0 to {_LARGEST}")
    return int(text)


def _parse_instant(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"{value!r} is not text with a moment or a day")
    return value


def _serialize_instant(value: Any) -> str:
    return format_moment(value) if isinstance(value, datetime) else str(value)


BigInt = NewType("BigInt", int)
Instant = NewType("Instant", object)

SCALARS: dict[object, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number as text, since it may have more than 53 bits. Input may be a"
        " number.",
        serialize=str,
        parse_value=_parse_big_int,
    ),
    Instant: strawberry.scalar(
        name="Instant",
        description="A moment in ISO 8601 with its offset, such as 2023-06-30T12:00:00Z. In input"
        " also a plain day, which includes all of that day at the organization's home.",
        serialize=_serialize_instant,
        parse_value=_parse_instant,
    ),
}

ALL_SCALARS = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}
"""Every scalar of the schema, as Strawberry's conversion of arguments wants them."""
