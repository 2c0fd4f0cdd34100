"""Random histories of records of any kind that is registered, wrong proposals among them.

Everything is driven by the registry: events are built from the types of their fields, so a new kind
of record is covered by its registration. Each move of a plan is drawn in view of what became of
those before it. Most are admitted; a share is refused, by the rules of their kind or for what they
aim at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ledger.dates import Edtf, parse_edtf
from ledger.entry import Entry
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
    proposal,
)

T = TypeVar("T")

# The days lie close together, so that what happened and what was recorded often meet; on a few of
# them, what happened often meets.
FIRST_DAY = date(2022, 11, 20)
DAYS = 130
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


def rarely(other: st.SearchStrategy[T], usual: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """The other strategy once in sixteen times; `one_of` would not count a strategy twice."""
    return st.integers(1, 16).flatmap(lambda chance: other if chance == 16 else usual)


# ---------------------------------------------------------------- dates


def days() -> st.SearchStrategy[date]:
    """Days around those on which plans are recorded."""
    any_day = st.integers(0, DAYS).map(lambda days: FIRST_DAY + timedelta(days))
    return st.sampled_from(BUSY_DAYS) | any_day


@st.composite
def dates(draw: st.DrawFn) -> str:
    """An effective date in any of the forms, exact as often as not."""
    form = draw(st.sampled_from(["a", "a", "a", "a/b", "[a..b]", "[a..b]", "a/.."]))
    a = draw(_spans())
    if form == "a":
        return a
    if form == "a/..":
        return f"{a}/.."
    b = draw(_spans())
    if parse_edtf(b).latest < parse_edtf(a).earliest:
        a, b = b, a
    return f"{a}/{b}" if form == "a/b" else f"[{a}..{b}]"


def _spans() -> st.SearchStrategy[str]:
    """A day, or the month or the year it is in; perhaps approximate; rarely far away."""
    ordinary = st.builds(
        lambda day, length, about: day.isoformat()[:length] + about,
        days(),
        mostly(10, 7, 7, 4),
        mostly("", "~"),
    )
    return rarely(st.sampled_from(["0001-01-01", "1999", "9999-12-31"]), ordinary)


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
    fitting = st.builds(
        lambda units, places: Decimal(units).scaleb(-places), st.integers(1, 900), st.integers(0, 2)
    )
    return rarely(st.sampled_from([Decimal(0), Decimal("0.005")]), fitting)


_VALUES: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
    str: lambda: st.sampled_from(["Alpha", "Beta", "Гамма"]),
    int: lambda: mostly(2023, 2022),
    bool: st.booleans,
    Decimal: _amounts,
    date: days,
    Edtf: lambda: dates().map(parse_edtf),
}


# ---------------------------------------------------------------- plans

RecordName = tuple[Kind, str]


@st.composite
def plans(draw: st.DrawFn, names: Sequence[RecordName], *, fewest: int = 3, most: int = 12) -> Plan:
    """Moves about the records named, `fewest` to `most` of them, on their kinds' foundations."""
    plan = foundations([kind for kind, _ in names])
    played = Played()
    recorded = played.play(plan)
    assert not played.refused, [str(refused) for refused in played.refused]
    moment = BEGIN
    for _ in range(draw(st.integers(fewest, most))):
        moment += timedelta(hours=draw(st.sampled_from([0, 0, 3, 17, 24]) | st.integers(0, 720)))
        kind, key = draw(st.sampled_from(names))
        move = replace(draw(_moves(kind, key, plan, recorded)), moment=moment)
        recorded.append(played.propose(proposal(move, recorded)))
        plan.append(move)
    return plan


@st.composite
def _moves(
    draw: st.DrawFn, kind: Kind, key: str, plan: Plan, recorded: Sequence[Entry | None]
) -> Move:
    """A move about a record, after what was recorded of it."""
    theirs = {
        number: entry
        for number, entry in enumerate(recorded)
        if entry is not None and (entry.kind, entry.key) == (kind.name, key)
    }
    live = _live(theirs)
    events_live = [number for number in live if plan[number].event is not None]
    changes = [event_class for event_class in kind.events if not event_class.is_opening]
    what = draw(st.sampled_from(["change", "change", "correct", "correct", "annul"]))
    if not theirs or (what != "annul" and not events_live):
        return Move(kind=kind.name, key=key, **draw(_stated(mostly(kind.events[0], *kind.events))))
    if what == "change" and changes:
        return Move(kind=kind.name, key=key, **draw(_stated(_any_of(changes, kind.events))))
    if what == "annul":
        aim = draw(_any_of(live, list(theirs)))
        return Move(kind=kind.name, key=key, event=None, effective=None, aim=aim)
    # What is dead has been corrected or annulled already, so it is refused.
    aim = draw(_any_of(events_live, list(theirs)))
    return Move(kind=kind.name, key=key, aim=aim, **draw(_corrected(kind, plan[aim])))


def _live(theirs: dict[int, Entry]) -> list[int]:
    known = [fact(entry) for entry in theirs.values()]
    return [number for number, entry in theirs.items() if is_live(fact(entry), known)]


def _any_of(usual: Sequence[T], others: Sequence[T]) -> st.SearchStrategy[T]:
    """One of the usual, if there are any; rarely one of the others."""
    return st.sampled_from([*usual] * 9 + [*others])


@st.composite
def _stated(draw: st.DrawFn, event_classes: st.SearchStrategy[type[AnyEvent]]) -> dict[str, Any]:
    return {"event": draw(events(draw(event_classes))), "effective": draw(dates())}


@st.composite
def _corrected(draw: st.DrawFn, kind: Kind, target: Move) -> dict[str, Any]:
    """A correction of the event, of its date, or of both; rarely by an event of another class."""
    if target.event is None:
        return draw(_stated(st.sampled_from(kind.events)))
    event_class = draw(_any_of([type(target.event)], kind.events))
    event = draw(st.just(target.event) | events(event_class))
    effective = draw(st.one_of(st.none(), st.just(target.effective), dates(), dates()))
    return {"event": event, "effective": effective}
