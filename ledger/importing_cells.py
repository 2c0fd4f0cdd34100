"""What the cells of a register mean: each function reads the text of one, or raises `Malformed`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from ledger.dates import Edtf, HomeZone, known_before, parse_edtf
from ledger.importing_problem import guess, shown
from ledger.kind import Field, Kind, Registry
from ledger.money import parse_decimal
from ledger.refusal import Malformed

T = TypeVar("T")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_LOCATOR = re.compile(
    r"(ss?|pp?|paras?|arts?|annex|ch|no)\.[0-9a-z][0-9a-z().,–-]*", re.IGNORECASE | re.ASCII
)
_VERSION_NAME = re.compile(r"[a-z][a-z_]*/[^/]+/(?P<version>[1-9][0-9]{0,17})")
_TICK = timedelta(microseconds=1)


def trimmed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """What reads a cell that has no blanks around it; it remembers what cells meant.

    Most of them say what others say that are near.
    """

    @lru_cache(maxsize=1_024)
    def read(text: str) -> T:
        if text != text.strip():
            raise Malformed("there are blanks around it; take them away")
        return parse(text)

    return read


def parser_of(field: Field, registry: Registry) -> Callable[[str], Any]:
    """What reads the cells of an event's field, by its type."""
    if field.refers_to is not None:
        return lambda text: checked_key(registry.kind(str(field.refers_to)), text)
    if isinstance(field.type, type) and issubclass(field.type, StrEnum):
        return lambda text: _choice(field.type, text)
    return _PARSERS[field.type]


def checked_key(kind: Kind, text: str) -> str:
    """The text itself, if it has the form of a key of `kind`."""
    kind.check_key(text)
    return text


def _whole_number(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise Malformed(f"{shown(text)} is not a whole number in plain digits such as 2023")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise Malformed(f"{shown(text)} is neither yes nor no")
    return text == "yes"


def _day(text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError("it has another form")
        return date.fromisoformat(text)
    except ValueError as reason:
        raise Malformed(f"{shown(text)} is not a day such as 2023-05-12: {reason}") from None


def _choice(choices: type[StrEnum], text: str) -> StrEnum:
    try:
        return choices(text)
    except ValueError:
        values = [choice.value for choice in choices]
        raise Malformed(
            f"{shown(text)} is not one of {', '.join(values)}{guess(text, values)}"
        ) from None


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _whole_number,
    bool: _yes_or_no,
    Decimal: parse_decimal,
    date: _day,
    Edtf: parse_edtf,
}


def split_source(text: str) -> tuple[str, str | None]:
    """The document and the place in it: `SOC/1481 s.5` is section 5 of SOC/1481."""
    words = text.split(" ")
    end = len(words)
    while end > 1 and _LOCATOR.fullmatch(words[end - 1]):
        end -= 1
    if end == len(words) or not words[end - 1]:
        return text, None
    return " ".join(words[:end]), " ".join(words[end:])


def recorded_on(text: str, zone: HomeZone, now: datetime) -> tuple[datetime, date]:
    """The moment that an older register states, by itself or by a plain day, and its day."""
    before = known_before(text, zone)
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        is_to_come, moment = day > zone.day_of(now), zone.recorded_on(day, now)
    else:
        moment = before - _TICK
        is_to_come, day = moment > now, zone.day_of(moment)
    if is_to_come:
        raise Malformed("this lies in the future; leave it empty for what is recorded now")
    return moment, day


def label(text: str) -> str:
    """A row's own name in its import; not one that an entry could have."""
    if "/" in text or is_id(text):
        raise Malformed(f"{shown(text)} could be mistaken for an entry; use another word")
    return text


def ordinal(text: str) -> int:
    """Which row of its event and record it is, the first being 1."""
    number = _whole_number(text)
    if number < 1:
        raise Malformed(f"{shown(text)} is no place in an order; the first is 1")
    return number


def version_named(name: str) -> int | None:
    """The version, if `name` has the form of kind/key/version."""
    match = _VERSION_NAME.fullmatch(name)
    return None if match is None else int(match["version"])


def is_id(name: str) -> bool:
    """Whether `name` has the form of an entry's id."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
