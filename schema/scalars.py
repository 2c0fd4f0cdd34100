"""Scalars beside GraphQL's own: whole numbers beyond 32 bits, and moments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.types.base_scalars import DecimalDefinition
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

from ledger.dates import format_moment

_LARGEST = 2**63 - 1
_LONGEST_SHOWN = 60
_DIGITS = re.compile("[0-9]{1,19}")


def _parse_big_int(value: Any) -> int:
    is_digits = type(value) in {int, str} and _DIGITS.fullmatch(str(value))
    if not is_digits or int(value) > _LARGEST:
        raise GraphQLError(f"{_shown(value)} is not a whole number from 0 to {_LARGEST}")
    return int(value)


def _parse_instant(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"{_shown(value)} is not text with a moment or a day")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _serialize_instant(value: Any) -> str:
    return format_moment(value) if isinstance(value, datetime) else str(value)


def _serialize_decimal(value: Any) -> str:
    # Never with an exponent, which `str` has for 0.0000000000.
    return format(value, "f")


BigInt = NewType("BigInt", int)
Instant = NewType("Instant", object)

SCALARS: dict[object, Any] = {
    Decimal: replace(
        DecimalDefinition,
        description="A decimal number as text, without an exponent.",
        serialize=_serialize_decimal,
    ),
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
