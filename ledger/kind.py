"""What every kind of record is made of: events that open it and change it, and a state.

An event is the command: what is proposed is what is stored. `admit` may refuse; `apply` must never
fail, since it replays history (commanded, guides/Aggregates.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from ledger.refusal import AlreadyExists, Malformed, NotFound, NotPermitted

S = TypeVar("S")

ANNULLED = "entry.annulled"
"""The stored name of an annulment, whatever kind of record its target belongs to."""

_STORED_NAME = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
# One case only, so that no two keys differ by it alone.
_KEY = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,119}")


@dataclass(frozen=True, slots=True)
class RefersTo:
    """Marks a field that holds the key of another record: `Annotated[str, RefersTo("state")]`."""

    kind: str


class Reference(NamedTuple):
    """A record that an event refers to, and the field that does so."""

    kind: str
    key: str
    field: str


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event(Generic[S]):
    """Something that happened to a record; immutable, built by keyword.

    `stored_as` is written beside every event of a class: it never changes and is never used again,
    whatever becomes of the class. `personal` names the fields whose text is about a person and is
    stored encrypted; a class that doesn't say does not load. What is `accomplished` can't be on
    record before the day that it is dated; of other events that is a plan, or a stated future
    effect. `class_version` counts the shapes that the body has had; `upcast_v1_v2(body)` brings a
    stored body of shape 1 to shape 2.
    """

    stored_as: ClassVar[str]
    personal: ClassVar[tuple[str, ...]]
    accomplished: ClassVar[bool] = False
    class_version: ClassVar[int] = 1
    is_opening: ClassVar[bool] = False

    def __init_subclass__(
        cls,
        *,
        stored_as: str | None = None,
        personal: tuple[str, ...] | None = None,
        accomplished: bool = False,
    ) -> None:
        super().__init_subclass__()
        if stored_as is None:
            return
        if not _STORED_NAME.fullmatch(stored_as):
            raise TypeError(f"{cls.__name__}: {stored_as!r} is not of the form record.happened")
        if personal is None:
            raise TypeError(f"{cls.__name__} must say which of its fields are personal")
        cls.stored_as = stored_as
        cls.personal = personal
        cls.accomplished = accomplished
        dataclass(frozen=True, kw_only=True)(cls)

    def admit_to(self, current: S | None) -> None:
        """Raise `Refused` if this may not follow `current` (None: no such record)."""
        raise NotImplementedError

    def apply_to(self, current: S | None) -> S:
        """Return the state after this. Replays history, so must not fail."""
        raise NotImplementedError


class Opening(Event[S]):
    """An event that begins a record, and sorts before all that follows in it."""

    is_opening = True

    def admit(self) -> None:
        """Raise `Refused` if this may not be recorded."""

    def begin(self) -> S:
        """Return the record's first state."""
        raise NotImplementedError

    def admit_to(self, current: S | None) -> None:
        if current is not None:
            raise AlreadyExists("this record is on record already; correct its opening instead")
        self.admit()

    def apply_to(self, current: S | None) -> S:
        return self.begin()


class Change(Event[S]):
    """An event in the life of a record that exists."""

    def admit(self, current: S) -> None:
        """Raise `Refused` if this may not follow `current`."""

    def apply(self, current: S) -> S:
        """Return the state after this."""
        raise NotImplementedError

    def admit_to(self, current: S | None) -> None:
        if current is None:
            raise NotFound("there is no such record yet; record its opening first")
        self.admit(current)

    def apply_to(self, current: S | None) -> S:
        assert current is not None, "a history begins with its opening"
        return self.apply(current)


AnyEvent = Event[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record: its name, its family, its events, and the form of its keys.

    `family` is what access is granted by later. `key_column` is the name of the column that holds
    the key in an import file. Keys are natural where there is one (`KAZ`, `C-2023-KAZ`) and never
    a person's name. A kind with `key_fields` has no such column: its keys are made of the values of
    these fields (`CPI-KAZ`), which its first events state and the files of all its events have.
    They are texts or keys of other records. An event has all of them or none.
    """

    name: str
    family: str
    events: tuple[type[AnyEvent], ...]
    key_column: str
    key_form: re.Pattern[str] = _KEY
    key_example: str
    key_fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.key_fields:
            _check_key_parts(self)

    def key_parts(self) -> tuple[Field, ...]:
        """The fields that keys are made of, as the first event that has them states them."""
        return next(filter(None, map(self.key_parts_of, self.events)), ())

    def key_parts_of(self, event: type[AnyEvent]) -> tuple[Field, ...]:
        """Those fields of an event that keys are made of, in the order of a key."""
        by_name = {field.name: field for field in fields_of(event)}
        return tuple(by_name[name] for name in self.key_fields if name in by_name)

    def check_key(self, key: str, *, field: str | None = None) -> None:
        """Raise `Malformed` unless `key`, got from `field`, has the form of this kind's keys."""
        if not self.key_form.fullmatch(key):
            shown = repr(key) if len(key) <= 60 else f"{key[:60]!r}… ({len(key)} characters)"
            raise Malformed(
                f"{shown} is not a key of a {self.name}; one looks like {self.key_example!r}",
                field=field or self.key_column,
            )

    def natural_key(self, values: Mapping[str, str | None]) -> str:
        """The key that `key_fields` make with these values; what has none is left out."""
        return "-".join(value for name in self.key_fields if (value := values.get(name)))


def _check_key_parts(kind: Kind) -> None:
    """Raise `TypeError` for events from which keys can't be made, each time in the same way."""
    names, parts = ", ".join(kind.key_fields), kind.key_parts()
    stated = [found for event in kind.events if (found := kind.key_parts_of(event))]
    if len(parts) < len(kind.key_fields) or any(found != parts for found in stated):
        raise TypeError(
            f"the events of a {kind.name} that have {names} must have all of them, and alike"
        )
    if any(part.type is not str or part.personal for part in parts):
        raise TypeError(f"{names} make keys of a {kind.name}, so they are texts, and not personal")
    if all(part.optional for part in parts):
        raise TypeError(f"one of {names} must never be empty, or a {kind.name} may have no key")


def check_same(record: str, field: str, given: object, before: object) -> None:
    """Refuse, with `NotPermitted`, a value of `field` that a later event of the record changes."""
    if given != before:
        raise NotPermitted(f"the {record}'s {field} is {before}, not {given}", field=field)


class Registry:
    """The kinds that a ledger knows, in their order: what is referred to comes first."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = tuple(kinds)
        self._by_name = {kind.name: kind for kind in self.kinds}
        self._by_event = {
            event.stored_as: (kind, event) for kind in self.kinds for event in kind.events
        }
        if len(self._by_name) != len(self.kinds):
            raise TypeError("two kinds have the same name")
        if len(self._by_event) != sum(len(kind.events) for kind in self.kinds):
            raise TypeError("two events have the same stored name")

    def kind(self, name: str) -> Kind:
        """The kind of that name, or `NotFound`."""
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name)
            raise NotFound(f"{name!r} is not a kind of record; kinds are {known}") from None

    def event(self, stored_as: str) -> tuple[Kind, type[AnyEvent]]:
        """The kind and the class of a stored name, or `NotFound`."""
        try:
            return self._by_event[stored_as]
        except KeyError:
            raise NotFound(f"{stored_as!r} is not the stored name of an event") from None

    def event_names(self) -> Iterable[str]:
        """Every stored name, in the order of the kinds."""
        return self._by_event.keys()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event: its plain type, whether it may be empty, and what it refers to."""

    name: str
    type: Any
    optional: bool
    refers_to: str | None
    personal: bool


_fields: dict[type[AnyEvent], tuple[Field, ...]] = {}


def fields_of(event: type[AnyEvent]) -> tuple[Field, ...]:
    """The fields of an event class, read once from its annotations."""
    if event not in _fields:
        hints = get_type_hints(event, include_extras=True)
        names = [field.name for field in fields(event)]  # type: ignore[arg-type]  # A dataclass by __init_subclass__.
        _fields[event] = tuple(_field(name, hints[name], event) for name in names)
    return _fields[event]


def _field(name: str, hint: Any, event: type[AnyEvent]) -> Field:
    optional = type(None) in get_args(hint)
    if optional:
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    refers_to = None
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        refers_to = next((mark.kind for mark in marks if isinstance(mark, RefersTo)), None)
    return Field(name, hint, optional, refers_to, name in event.personal)


_referring: dict[type[AnyEvent], tuple[tuple[str, str], ...]] = {}


def references_of(event: AnyEvent) -> Iterable[Reference]:
    """The records that `event` refers to."""
    event_class = type(event)
    if event_class not in _referring:
        _referring[event_class] = tuple(
            (field.refers_to, field.name)
            for field in fields_of(event_class)
            if field.refers_to is not None
        )
    for kind, name in _referring[event_class]:
        key = getattr(event, name)
        if key is not None:
            yield Reference(kind, key, name)
