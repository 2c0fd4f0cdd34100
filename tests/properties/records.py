"""The records of a kind that are tried, and plain events of theirs, by its declaration alone.

An event of which nothing but the types of its fields is known may be one that no rule admits. Then
the rules themselves say which field is at fault, and others of its values are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from string import ascii_uppercase, digits
from typing import Any

from ledger.dates import Edtf, parse_edtf
from ledger.kind import AnyEvent, Field, Kind, fields_of
from ledger.refusal import Refused
from projections import REGISTRY

# ---------------------------------------------------------------- keys


def keys_of(kind: Kind) -> list[str]:
    """Four keys of `kind`: two of records that others refer to, two of records to be tried."""
    if kind.key_fields:
        return list(_natural_keys(kind))
    # From the end, so that a year that is a key is none of those in the dates.
    endings = reversed(ascii_uppercase + digits)
    keys = [kind.key_example[:-1] + ending for ending in endings]
    fitting = [key for key in keys if kind.key_form.fullmatch(key) and key != kind.key_example]
    assert len(fitting) >= 3, f"the keys of a {kind.name} are not made from their example"
    return [kind.key_example, *fitting[:3]]


@cache
def _natural_keys(kind: Kind) -> dict[str, dict[str, str]]:
    """Four natural keys of `kind`, and the values that each is made of.

    Beside the fields that are never empty, each is made of one of the others; those that are tried
    of different ones, if there are several. Swapping the keys of all records referred to makes
    four keys of the same four.
    """
    required = [part for part in kind.key_parts() if not part.optional]
    optional = [part for part in kind.key_parts() if part.optional]
    one, *others = [[*required, part] for part in optional] or [required]
    other = others[0] if others else one
    founded = [(one, 1, 1), (other, 0, 0)] if others else [(one, 1, 0), (one, 0, 1)]
    made = [_made_of(*choice) for choice in (*founded, (one, 0, 0), (other, 1, 1))]
    keys = {kind.natural_key(values): values for values in made}
    assert len(keys) == len(made), f"the keys of a {kind.name} can't be told apart"
    return keys


def _made_of(parts: Sequence[Field], first: int, last: int) -> dict[str, str]:
    """What a key is made of: each part's value number `first`, that of the last number `last`."""
    *others, end = parts
    values = {part.name: _key_values(part)[first] for part in others}
    return values | {end.name: _key_values(end)[last]}


def _key_values(part: Field) -> list[str]:
    """Two values of a field that keys are made of."""
    return ["A", "B"] if part.refers_to is None else founded_keys(REGISTRY.kind(part.refers_to))


def founded_keys(kind: Kind) -> list[str]:
    """The keys of the records of `kind` that other records refer to."""
    return keys_of(kind)[:2]


def tried_keys(kind: Kind) -> list[str]:
    """The keys of the records of `kind` whose histories are made up."""
    return keys_of(kind)[2:]


def values_of(kind: Kind, key: str) -> Mapping[str, str]:
    """What the natural key of a record is made of, by the names of the fields."""
    return _natural_keys(kind)[key]


def of_record(event: AnyEvent, kind: Kind, key: str) -> AnyEvent:
    """The event as one of the record of that key, if it states what the key is made of."""
    parts = kind.key_parts_of(type(event))
    values = values_of(kind, key) if parts else {}
    return changed(event, {part.name: values.get(part.name) for part in parts})


def changed(event: AnyEvent, changes: dict[str, Any]) -> AnyEvent:
    """The event with other values in some of its fields."""
    given = {field.name: getattr(event, field.name) for field in fields_of(type(event))}
    return type(event)(**(given | changes))


# ---------------------------------------------------------------- plain events


def plain_event(kind: Kind, key: str) -> AnyEvent:
    """An event that opens the record of `kind` and `key`, and says no more than it must."""
    return plain_event_of(kind.events[0], kind, key, None)


def plain_event_of(event_class: type[AnyEvent], kind: Kind, key: str, state: Any) -> AnyEvent:
    """An event of a class about a record in `state` (None: no such record) that says no more."""
    plain = {f.name: None if f.optional else next(_others(f)) for f in fields_of(event_class)}
    return mended(of_record(event_class(**plain), kind, key), state)


def refusal(event: AnyEvent, state: Any) -> Refused | None:
    """Why the rules of its kind refuse an event about a record in `state`; None if they don't."""
    try:
        event.admit_to(state)
    except Refused as refused:
        return refused
    return None


def mended(event: AnyEvent, state: Any, turn: int = 0) -> AnyEvent:
    """The event, each field at fault having another value, as far as the rules then admit it.

    `turn` is how many of the values that there are to try come last.
    """
    fields = {field.name: field for field in fields_of(type(event))}
    for _ in fields:
        refused = refusal(event, state)
        if refused is None or refused.field not in fields:
            return event
        values = list(_others(fields[refused.field]))
        turned = turn % len(values)
        for value in (*values[turned:], *values[:turned]):
            other = changed(event, {refused.field: value})
            still = refusal(other, state)
            if still is None or still.field != refused.field:
                event = other
                break
    return event


def _others(field: Field) -> Iterator[Any]:
    """Values of a field, those that are usual first."""
    if field.refers_to is not None:
        yield from founded_keys(REGISTRY.kind(field.refers_to))
    elif issubclass(field.type, Enum):
        yield from field.type
    else:
        yield from _USUAL[field.type]
    if field.optional:
        yield None


# Not in every text may stand any word: these are a currency, a code, periods, instruments.
_USUAL: dict[Any, list[Any]] = {
    str: ["Alpha", "USD", "STAFF", "P30D", "ratification"],
    int: [2023, 1],
    bool: [False, True],
    Decimal: [Decimal(1), Decimal(100), Decimal("0.01")],
    date: [date(2001, 1, 1), date(2030, 1, 1)],
    Edtf: [parse_edtf(text) for text in ("2001", "2030", "9999")],
}
