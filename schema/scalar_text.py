"""The JSON text of scalars: what orjson writes of what their types make of a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import orjson

_LEAST_INT, _GREATEST_INT = -(2**31), 2**31 - 1


def dumped(value: Any) -> str:
    """The text of any value."""
    return orjson.dumps(value).decode()


def _integer(value: Any) -> str:
    if type(value) is not int or not _LEAST_INT <= value <= _GREATEST_INT:
        raise TypeError("not an integer of 32 bits")
    return str(value)


def _big_integer(value: Any) -> str:
    if type(value) is not int:
        raise TypeError("not an integer")
    return f'"{value}"'


def _decimal(value: Any) -> str:
    if type(value) is not Decimal:
        raise TypeError("not a decimal")
    return f'"{value:f}"'


def _date(value: Any) -> str:
    if type(value) is not date:
        raise TypeError("not a day")
    return f'"{value.isoformat()}"'


def _boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise TypeError("not a truth")


LEAVES: dict[str, Callable[[Any], str]] = {
    # Raises for whatever is not a text.
    "String": encode_basestring,
    "ID": encode_basestring,
    "Int": _integer,
    "BigInt": _big_integer,
    "Decimal": _decimal,
    "Date": _date,
    "Boolean": _boolean,
}
"""The texts of the scalars that there are many of; a value of another type than theirs raises."""
