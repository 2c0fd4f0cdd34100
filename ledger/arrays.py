"""Columns of values as PostgreSQL's binary arrays, which is how many rows go to it at once.

The driver's own lists are written as text, each value quoted by itself; for a group of entries that
took longer than admitting them. Each function takes the values of one column, None among them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

_LENGTH = struct.Struct("!i")
_HEADER = struct.Struct("!iiIii")
_EMPTY = struct.Struct("!iiI")
_BIGINT = struct.Struct("!iq")
_NULL = _LENGTH.pack(-1)
_BOOLEANS = {False: b"\0\0\0\1\0", True: b"\0\0\0\1\1"}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Parameter(NamedTuple):
    """A statement's parameter in its binary form, None being NULL, and the number of its type."""

    type: int
    form: bytes | None


def bigint(value: int | None) -> Parameter:
    """A `bigint`."""
    return Parameter(20, None if value is None else value.to_bytes(8, signed=True))


def text(value: str) -> Parameter:
    """A `text`; the database's encoding is UTF-8."""
    return Parameter(25, value.encode())


def moment(value: datetime | None) -> Parameter:
    """A `timestamptz`, of an aware moment."""
    return Parameter(1184, None if value is None else _microseconds(value).to_bytes(8, signed=True))


def byteas(values: Iterable[bytes | None]) -> Parameter:
    """A `bytea[]`."""
    pack = _LENGTH.pack
    return _array(
        1001, 17, [_NULL if value is None else pack(len(value)) + value for value in values]
    )


def texts(values: Iterable[str | None]) -> Parameter:
    """A `text[]`."""
    pack = _LENGTH.pack
    items = [
        _NULL if value is None else pack(len(text := value.encode())) + text for value in values
    ]
    return _array(1009, 25, items)


def bigints(values: Iterable[int | None]) -> Parameter:
    """A `bigint[]`."""
    pack = _BIGINT.pack
    return _array(1016, 20, [_NULL if value is None else pack(8, value) for value in values])


def uuids(values: Iterable[UUID]) -> Parameter:
    """A `uuid[]`."""
    return _array(2951, 2950, [b"\0\0\0\x10" + value.bytes for value in values])


def booleans(values: Iterable[bool]) -> Parameter:
    """A `boolean[]`."""
    return _array(1000, 16, [_BOOLEANS[value] for value in values])


def moments(values: Iterable[datetime]) -> Parameter:
    """A `timestamptz[]`, of aware moments."""
    pack = _BIGINT.pack
    return _array(1185, 1184, [pack(8, _microseconds(value)) for value in values])


def _microseconds(value: datetime) -> int:
    return (value - _EPOCH) // _TICK


def _array(type: int, of: int, items: Sequence[bytes]) -> Parameter:
    """An array of items with their lengths before them; the numbers are those of its types."""
    if not items:
        return Parameter(type, _EMPTY.pack(0, 0, of))
    head = _HEADER.pack(1, int(_NULL in items), of, len(items), 1)
    return Parameter(type, head + b"".join(items))


Form = Callable[[Iterable[Any]], Parameter]
"""What makes an array of the values of a column."""


def columns(rows: Iterable[Sequence[Any]], *forms: Form) -> list[Parameter]:
    """Rows turned into columns, as `unnest` takes them; `forms` makes the array of each."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(forms)
    return [form(values) for form, values in zip(forms, by_column, strict=True)]
