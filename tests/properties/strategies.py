"""Random histories of records of any kind that is registered, wrong proposals among them.

Everything is driven by the registry: events are built from the types of their fields, so a new kind
of record is covered by its registration. Each move of a plan is drawn in view of what became of
those before it. Most are admitted; a share is refused, by the rules of their kind or for what they
aim at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import groupby
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ledger.dates import Edtf, parse_edtf
from ledger.kind import AnyEvent, Field, Kind, fields_of
from projections import REGISTRY
from tests.properties.naive import is_live
from tests.properties.playing import (
    BEGIN,
    ZONE,
    Move,
    Plan,
    Played,
    fact,
    foundations,
)
from tests.properties.records import (
    founded_keys,
    mended,
    of_record,
    plain_event_of,
    refusal,
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
    if field.type is int and "year" not in field.name:
        return _COUNTS
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


_COUNTS = st.sampled_from([1, 2, 3, 40, 0])

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

# With more of them than that there are too few moves for each.
_MOST_RECORDS = 24

_HOURS = st.sampled_from([0, 0, 3, 17, 24]) | st.integers(0, 720)
_WHAT = st.sampled_from(["change"] * 4 + ["correct"] * 4 + ["annul"] * 2 + ["restore"])
_CARE = st.sampled_from(["great"] * 26 + ["little"] * 3 + ["none"] * 2)
_DATE = st.sampled_from(["none", "same", "another", "another"])


@st.composite
def histories(
    draw: st.DrawFn, names: Sequence[RecordName], *, fewest: int = 3, most: int = 12
) -> Played:
    """What `fewest` to `most` moves about the records named, on foundations, have left behind.

    Are there very many, then they are about one of each kind; those stand together in `names`.
    """
    played = Played.of(foundations([kind for kind, _ in names]))
    assert not played.refused, [str(refused) for refused in played.refused]
    if len(names) > _MOST_RECORDS:
        names = [draw(st.sampled_from(ours)) for ours in _by_kind(names)]
    turns = st.sampled_from([None] * len(names) + list(range(len(names))))
    moment = BEGIN
    for number in range(draw(st.integers(fewest, most))):
        moment += timedelta(hours=draw(_HOURS))
        turn = draw(turns)
        # Every other time it is the next one's turn, so that none is passed over.
        kind, key = names[number % len(names) if turn is None else turn]
        event, effective, aim = _drawn(draw, kind, key, played)
        effective = _happened(draw, event, effective, ZONE.day_of(moment))
        played.play(
            Move(kind=kind.name, key=key, event=event, effective=effective, aim=aim, moment=moment)
        )
    return played


def _by_kind(names: Sequence[RecordName]) -> Iterator[list[RecordName]]:
    for _, ours in groupby(names, lambda name: name[0].name):
        yield list(ours)


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
    dates_used = [one.effective for one in known if one.effective is not None]
    what = draw(_WHAT)
    if what == "restore" and annulments:
        return None, None, draw(st.sampled_from(annulments))
    # Those that are not live have been corrected or annulled already, so they are refused.
    if what == "annul" and theirs:
        return None, None, draw(_nearly_always(live, list(theirs)))
    state = played.state(kind, key)
    may_follow = [
        event_class
        for event_class in kind.events
        if refusal(plain_event_of(event_class, kind, key, state), state) is None
    ]
    if happened and (what == "correct" or not may_follow):
        aim = draw(_nearly_always(happened, list(theirs)))
        before = played.state(kind, key, before=theirs[aim].position)
        return *_corrected(draw, kind, played.plan[aim], before, dates_used), aim
    event_class = draw(_nearly_always(may_follow, kind.events))
    event, effective = _stated(draw, event_class, kind, key, state), _date(draw, dates_used)
    then = played.state(kind, key, on=parse_edtf(effective).latest)
    last = played.last_date(kind, key)
    if last is not None and refusal(event, then) is not None and draw(st.integers(0, 3)) > 0:
        effective = last
    return event, effective, None


def _stated(
    draw: st.DrawFn, event_class: type[AnyEvent], kind: Kind, key: str, state: Any
) -> AnyEvent:
    """An event about a record in `state` that the rules mostly admit; rarely another record's."""
    event, care = draw(EVENTS[event_class]), draw(_CARE)
    if care == "none":
        return event
    ours = of_record(event, kind, key)
    return mended(ours, state, draw(st.integers(0, 4))) if care == "great" else ours


def _corrected(
    draw: st.DrawFn, kind: Kind, target: Move, before: Any, dates_used: Sequence[str]
) -> tuple[AnyEvent, str | None]:
    """A correction of the event, of its date, or of both; rarely by an event of another class.

    `before` is the state of the record before what is corrected.
    """
    if target.event is None:
        return draw(EVENTS[draw(st.sampled_from(kind.events))]), draw(dates())
    event_class = draw(_nearly_always([type(target.event)], kind.events))
    is_kept = draw(st.booleans())
    event = target.event if is_kept else _stated(draw, event_class, kind, target.key, before)
    date_of = draw(_DATE)
    if date_of == "another":
        return event, _date(draw, dates_used)
    return event, target.effective if date_of == "same" else None


def _date(draw: st.DrawFn, dates_used: Sequence[str]) -> str:
    """A date; often one that the record has already, since position decides among equals."""
    if dates_used and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(dates_used))
    return draw(dates())


def _happened(
    draw: st.DrawFn, event: AnyEvent | None, effective: str | None, recorded: date
) -> str | None:
    """The date, mostly put back where what can't lie ahead would: it had happened that day."""
    if event is None or effective is None or not event.accomplished:
        return effective
    lies_ahead = parse_edtf(effective).earliest > recorded
    return recorded.isoformat() if lies_ahead and draw(st.integers(0, 9)) > 0 else effective


def _nearly_always(usual: Sequence[T], others: Sequence[T]) -> st.SearchStrategy[T]:
    """One of the usual, if there are any; once in ten times one of the others, or of all."""
    times = -(-9 * len(others) // len(usual)) if usual else 0
    return st.sampled_from([*usual] * times + [*others])
