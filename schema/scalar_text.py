"""The JSON text of scalars: what orjson writes of what their types make of values.

Each function takes many values, none of them null; it raises if one is not of the scalar's type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, TypeAlias

import orjson

Texts: TypeAlias = Callable[[Sequence[Any]], list[str]]
"""The texts of many values."""

_LEAST_INT, _GREATEST_INT = -(2**31), 2**31 - 1


def dumped(value: Any) -> str:
    """The text of any value."""
    return orjson.dumps(value).decode()


def _all_of(values: Sequence[Any], expected: type) -> None:
    if not {expected}.issuperset(map(type, values)):
        raise TypeError(f"not every value is of the type {expected.__name__}")


def _strings(values: Sequence[Any]) -> list[str]:
    # Raises for whatever is not a text.
    return list(map(encode_basestring, values))


def _integers(values: Sequence[Any]) -> list[str]:
    _all_of(values, int)
    if values and not _LEAST_INT <= min(values) <= max(values) <= _GREATEST_INT:
        raise TypeError("an integer is beyond 32 bits")
    return list(map(str, values))


def _big_integers(values: Sequence[Any]) -> list[str]:
    _all_of(values, int)
    return [f'"{value}"' for value in values]


def _decimals(values: Sequence[Any]) -> list[str]:
    _all_of(values, Decimal)
    return [f'"{value:f}"' for value in values]


def written_decimals(values: Sequence[Any]) -> list[str]:
    """The texts of decimals that PostgreSQL has written already, which it does as we do."""
    _all_of(values, str)
    return [f'"{value}"' for value in values]


def _dates(values: Sequence[Any]) -> list[str]:
    _all_of(values, date)
    return [f'"{value.isoformat()}"' for value in values]


def _booleans(values: Sequence[Any]) -> list[str]:
    _all_of(values, bool)
    return ["true" if value else "false" for value in values]


LEAVES: dict[str, Texts] = {
    "String": _strings,
    "ID": _strings,
    "Int": _integers,
    "BigInt": _big_integers,
    "Decimal": _decimals,
    "Date": _dates,
    "Boolean": _booleans,
}
"""The texts of the scalars that there are many of."""
