"""Random histories of records of any kind that is registered, wrong proposals among them.

Everything is driven by the registry: events are built from the types of their fields, so a new kind
of record is covered by its registration. Each move of a plan is drawn in view of what became of
those before it. Most are admitted; a share is refused, by the rules of their kind or for what they
aim at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ledger.dates import Edtf, parse_edtf
from ledger.kind import AnyEvent, Field, Kind, fields_of
from projections import REGISTRY
from tests.properties.naive import is_live
from tests.properties.playing import (
    BEGIN,
    Move,
    Plan,
    Played,
    fact,
    foundations,
    founded_keys,
)

T = TypeVar("T")

# The days lie close together, so that what happened and what was recorded often meet; on a few of
# them, what happened often meets.
FIRST_DAY = date(2022, 11, 20)
BUSY_DAYS = [date(2022, 11, 30), date(2022, 12, 1), date(2022, 12, 31), date(2023, 1, 15)]

TIMES = int(os.environ.get("SECRETARIAT_EXAMPLES", "1"))


def examples(count: int) -> settings:
    """So many examples, always the same; or SECRETARIAT_EXAMPLES times as many, other ones."""
    return settings(
        max_examples=count * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """The usual value three times out of four."""
    return st.sampled_from([usual] * (3 * len(others)) + list(others))


# ---------------------------------------------------------------- dates


def days() -> st.SearchStrategy[date]:
    """Days around those on which plans are recorded."""
    return st.sampled_from(BUSY_DAYS) | st.integers(0, 130).map(lambda n: FIRST_DAY + timedelta(n))


# A day, or the month or the year it is in; perhaps approximate.
_SPANS: st.SearchStrategy[str] = st.builds(
    lambda day, length, about: day.isoformat()[:length] + about,
    days(),
    mostly(10, 7, 7, 4),
    mostly("", "~"),
)
_FORMS = st.sampled_from(["a"] * 9 + ["a/b"] * 3 + ["[a..b]"] * 6 + ["a/.."] * 2 + ["far"])
_FAR = st.sampled_from(["0001-01-01", "1999", "9999-12-31"])


@cache
@st.composite
def dates(draw: st.DrawFn) -> str:
    """An effective date in any of the forms, exact as often as not, and rarely far away."""
    form = draw(_FORMS)
    if form == "far":
        return draw(_FAR)
    a = draw(_SPANS)
    if form == "a":
        return a
    if form == "a/..":
        return f"{a}/.."
    b = draw(_SPANS)
    if parse_edtf(b).latest < parse_edtf(a).earliest:
        a, b = b, a
    return f"{a}/{b}" if form == "a/b" else f"[{a}..{b}]"


# ---------------------------------------------------------------- events


def events(event_class: type[AnyEvent]) -> st.SearchStrategy[AnyEvent]:
    """Events of a class, most of them admissible after most others of the same record."""
    return st.builds(event_class, **{field.name: values(field) for field in fields_of(event_class)})


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values of a field; those that all events of a record share are mostly the same."""
    plain = _values_given(field)
    return st.one_of(plain, plain, st.none()) if field.optional else plain


def _values_given(field: Field) -> st.SearchStrategy[Any]:
    if field.refers_to is not None:
        return mostly(*founded_keys(REGISTRY.kind(field.refers_to)))
    if field.name == "currency":
        return mostly("USD", "KZT")
    if issubclass(field.type, Enum):
        return st.sampled_from(list(field.type))
    return _VALUES[field.type]()


def _amounts() -> st.SearchStrategy[Decimal]:
    """Positive with up to two decimals, nearly always; else none, or one too precise."""
    return st.builds(
        lambda units, places, wrong: Decimal(units).scaleb(-places) if wrong is None else wrong,
        st.integers(1, 900),
        st.integers(0, 2),
        st.sampled_from([None] * 30 + [Decimal(0), Decimal("0.005")]),
    )


_VALUES: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
    str: lambda: st.sampled_from(["Alpha", "Beta", "Гамма"]),
    int: lambda: mostly(2023, 2022),
    bool: st.booleans,
    Decimal: _amounts,
    date: days,
    Edtf: lambda: dates().map(parse_edtf),
}


# Made once, as making a strategy takes longer than drawing from it.
EVENTS = {
    event_class: events(event_class) for kind in REGISTRY.kinds for event_class in kind.events
}

# ---------------------------------------------------------------- plans

RecordName = tuple[Kind, str]

_HOURS = st.sampled_from([0, 0, 3, 17, 24]) | st.integers(0, 720)
_WHAT = st.sampled_from(["change"] * 4 + ["correct"] * 4 + ["annul"] * 2 + ["restore"])
_DATE = st.sampled_from(["none", "same", "another", "another"])


@st.composite
def histories(
    draw: st.DrawFn, names: Sequence[RecordName], *, fewest: int = 3, most: int = 12
) -> Played:
    """What `fewest` to `most` moves about the records named, on foundations, have left behind."""
    played = Played.of(foundations([kind for kind, _ in names]))
    assert not played.refused, [str(refused) for refused in played.refused]
    records = st.sampled_from(names)
    moment = BEGIN
    for _ in range(draw(st.integers(fewest, most))):
        moment += timedelta(hours=draw(_HOURS))
        kind, key = draw(records)
        event, effective, aim = _drawn(draw, kind, key, played)
        played.play(
            Move(kind=kind.name, key=key, event=event, effective=effective, aim=aim, moment=moment)
        )
    return played


def plans(
    names: Sequence[RecordName], *, fewest: int = 3, most: int = 12
) -> st.SearchStrategy[Plan]:
    """The moves of such a history, those that were refused among them."""
    return histories(names, fewest=fewest, most=most).map(lambda played: played.plan)


def _drawn(
    draw: st.DrawFn, kind: Kind, key: str, played: Played
) -> tuple[AnyEvent | None, str | None, int | None]:
    """The event, the date and the aim of a move about a record, after what was recorded of it."""
    theirs = {
        number: fact(entry)
        for number, entry in enumerate(played.recorded)
        if entry is not None and (entry.kind, entry.key) == (kind.name, key)
    }
    known = list(theirs.values())
    live = [number for number, one in theirs.items() if is_live(one, known)]
    happened = [number for number in live if theirs[number].event is not None]
    annulments = [number for number in live if theirs[number].event is None]
    changes = [event_class for event_class in kind.events if not event_class.is_opening]
    dates_used = [one.effective for one in known if one.effective is not None]
    what = draw(_WHAT)
    if what == "restore" and annulments:
        return None, None, draw(st.sampled_from(annulments))
    # Those that are not live have been corrected or annulled already, so they are refused.
    if what == "annul" and theirs:
        return None, None, draw(_nearly_always(live, list(theirs)))
    if what == "correct" and happened:
        aim = draw(_nearly_always(happened, list(theirs)))
        return *_corrected(draw, kind, played.plan[aim], dates_used), aim
    usual = changes if happened and changes else kind.events[:1]
    event_class = draw(_nearly_always(usual, kind.events))
    return draw(EVENTS[event_class]), _date(draw, dates_used), None


def _corrected(
    draw: st.DrawFn, kind: Kind, target: Move, dates_used: Sequence[str]
) -> tuple[AnyEvent, str | None]:
    """A correction of the event, of its date, or of both; rarely by an event of another class."""
    if target.event is None:
        return draw(EVENTS[draw(st.sampled_from(kind.events))]), draw(dates())
    event_class = draw(_nearly_always([type(target.event)], kind.events))
    event = target.event if draw(st.booleans()) else draw(EVENTS[event_class])
    date_of = draw(_DATE)
    if date_of == "another":
        return event, _date(draw, dates_used)
    return event, target.effective if date_of == "same" else None


def _date(draw: st.DrawFn, dates_used: Sequence[str]) -> str:
    """A date; often one that the record has already, since position decides among equals."""
    if dates_used and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(dates_used))
    return draw(dates())


def _nearly_always(usual: Sequence[T], others: Sequence[T]) -> st.SearchStrategy[T]:
    """One of the usual, if there are any; rarely one of the others."""
    return st.sampled_from([*usual] * 9 + [*others])
