"""Made-up treaties: their final clauses, and what their participants did, mostly as they may.

What becomes of each move is seen before the next one is drawn, as in the histories of any kind of
record; but here several participants have to meet in one treaty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ledger import treaties
from ledger.dates import Edtf, parse_edtf
from ledger.entry_into_force import Instrument
from ledger.kind import AnyEvent
from ledger.organizations import ORGANIZATION
from ledger.states import STATE
from ledger.treaties import TREATY
from ledger.treaty_participants import (
    TREATY_PARTICIPANT,
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
    Signed,
)
from tests.properties.naive import is_live
from tests.properties.playing import BEGIN, Move, Played, fact
from tests.properties.records import plain_event, refusal
from tests.properties.strategies import dates, days, mostly
from tests.schema.naive_treaties import later

TREATIES = ["T1", "T2", "T3"]
STATES = ["KAZ", "KGZ", "TJK", "UZB"]
EUROPEAN_UNION = "EU"
PERIODS = ["P0D", "P7D", "P1M", "P5D first-of-next-month"]

_BEFORE = [
    *(
        Move(kind=STATE.name, key=key, event=plain_event(STATE, key), effective="2001")
        for key in STATES
    ),
    Move(
        kind=ORGANIZATION.name,
        key=EUROPEAN_UNION,
        event=plain_event(ORGANIZATION, EUROPEAN_UNION),
        effective="2001",
    ),
]

# Whole numbers, and parts of one that no binary fraction is equal to.
_SHARES = st.none() | st.integers(1, 60).map(Decimal) | st.sampled_from([Decimal("19.9")])
_RULES = st.fixed_dictionaries(
    {
        "instruments_required": st.sampled_from([1, 1, 2, 2, 2, 3, 4]),
        "instrument_kinds": st.sampled_from(
            [None, None, "ratification accession", "ratification succession unspecified"]
        ),
        "organizations_counted": st.sampled_from([None, False, True, True]),
        "share_required": st.sampled_from([None, None, Decimal(30), Decimal("59.8")]),
        "offset": st.sampled_from(PERIODS),
        "party_offset": st.sampled_from([None, *PERIODS]),
    }
)
_NO_RULE: st.SearchStrategy[Mapping[str, Any]] = st.just({})
_CLAUSES = st.sampled_from([_RULES, _RULES, _RULES, _NO_RULE]).flatmap(lambda clauses: clauses)
_NOTICES = st.none() | st.sampled_from(PERIODS)

# Dates of effect may lie long before what they are stated in, and after it.
_EFFECTS = st.integers(-40, 90).map(lambda number: date(2023, 1, 1) + timedelta(number))


def not_far(text: str) -> bool:
    """Whether a date is near enough for every day up to it to be lived through."""
    return parse_edtf(text).earliest.year > 2020 and parse_edtf(text).latest.year < 2030


_DATES = dates().filter(not_far)
_EXACT = days().map(date.isoformat)


@st.composite
def opened(draw: st.DrawFn) -> AnyEvent:
    """The opening of a treaty, with a rule or without one."""
    clause: Mapping[str, Any] = draw(_CLAUSES)
    share_of = None if clause.get("share_required") is None else "tonnage"
    return treaties.Opened(
        title_en="Alpha", share_of=share_of, denunciation_offset=draw(_NOTICES), **clause
    )


@st.composite
def registers(draw: st.DrawFn, *, names: list[str], exact: bool, fewest: int, most: int) -> Played:
    """Treaties of these names with two to five participants each, and what these did."""
    played = Played.of(_BEFORE)
    for name in names:
        played.play(Move(kind=TREATY.name, key=name, event=draw(opened()), effective="2001"))
    may_take_part = [*STATES, EUROPEAN_UNION]
    taking_part = {
        name: draw(st.permutations(may_take_part))[: draw(st.sampled_from([2, 3, 3, 4, 5]))]
        for name in names
    }
    moment = BEGIN
    for _ in range(draw(st.integers(fewest, most))):
        moment += timedelta(hours=draw(st.sampled_from([0, 0, 24]) | st.integers(0, 500)))
        name = draw(st.sampled_from(names))
        if draw(st.integers(0, 19)) == 0:
            move = _about_treaty(draw, name, played)
        else:
            whose = draw(st.sampled_from(taking_part[name]))
            move = _about_participant(draw, name, whose, played, exact=exact)
        played.play(replace(move, moment=moment))
    assert all(entry is not None for entry in played.recorded[: len(_BEFORE) + len(names)])
    return played


def _about_treaty(draw: st.DrawFn, name: str, played: Played) -> Move:
    """A new title, or a correction of the final clause."""
    if draw(st.booleans()):
        event: AnyEvent = treaties.Renamed(title_en="Beta")
        return Move(kind=TREATY.name, key=name, event=event, effective=draw(_EXACT))
    live = _live(played, TREATY.name, name)
    aim = next(number for number, event in live.items() if isinstance(event, treaties.Opened))
    return Move(kind=TREATY.name, key=name, event=draw(opened()), effective=None, aim=aim)


def _about_participant(
    draw: st.DrawFn, treaty: str, whose: str, played: Played, *, exact: bool
) -> Move:
    """The next event of a participant, a correction of one, or an annulment."""
    key = TREATY_PARTICIPANT.natural_key(_by(treaty, whose))
    about = Move(kind=TREATY_PARTICIPANT.name, key=key, event=None, effective=None)
    live = _live(played, TREATY_PARTICIPANT.name, key)
    what = draw(st.sampled_from(["next"] * 7 + ["correct"] * 2 + ["annul"])) if live else "next"
    if what == "annul":
        return replace(about, aim=draw(st.sampled_from(list(live))))
    effective = draw(_date_of(key, treaty, played, exact=exact))
    happened = [number for number, event in live.items() if event is not None]
    if what == "correct" and happened:
        aim = draw(st.sampled_from(happened))
        corrected = live[aim]
        assert corrected is not None, "only what happened is corrected"
        event = _event(draw, type(corrected), _by(treaty, whose), exact=exact)
        return replace(about, event=event, effective=effective, aim=aim)
    state = played.state(TREATY_PARTICIPANT, key)
    by = _by(treaty, whose)
    may_follow = [each for each in _LIKELY if refusal(_plain(each, by), state) is None]
    event = _event(draw, draw(st.sampled_from(may_follow)), by, exact=exact)
    return replace(about, event=event, effective=effective)


def _date_of(key: str, treaty: str, played: Played, *, exact: bool) -> st.SearchStrategy[str]:
    """A date; often one that the participant has already, or on which something may be due."""
    used = [
        (move.key, move.effective)
        for move in played.plan
        if move.effective is not None and move.key.startswith(f"{treaty}-")
    ]
    any_date = _EXACT if exact else _DATES
    chosen = [any_date] * 4
    if used:
        theirs = [effective for whose, effective in used if whose == key] or [used[-1][1]]
        before = st.sampled_from([parse_edtf(effective).latest for _, effective in used])
        chosen += [
            st.sampled_from(theirs),
            st.just(theirs[-1]),
            st.builds(later, before, st.sampled_from(PERIODS)).map(date.isoformat),
        ]
    return st.sampled_from(chosen).flatmap(lambda strategy: strategy)


# Signatures are of no consequence, and instruments of most.
_LIKELY: list[type[AnyEvent]] = [
    *(Signed, Deposited, Deposited, Deposited),
    *(InstrumentWithdrawn, Denounced, Denounced, DenunciationWithdrawn),
]


def _by(treaty: str, whose: str) -> dict[str, str]:
    """What the key of a participant is made of."""
    return {"treaty": treaty, "organization" if whose == EUROPEAN_UNION else "state": whose}


def _plain(event_class: type[AnyEvent], by: Mapping[str, Any]) -> AnyEvent:
    if event_class is Deposited:
        return Deposited(**by, instrument=Instrument.RATIFICATION)
    return Signed(**by) if event_class is Signed else event_class()


def _event(
    draw: st.DrawFn, event_class: type[AnyEvent], by: Mapping[str, Any], *, exact: bool
) -> AnyEvent:
    plain = _plain(event_class, by)
    stated = _EFFECTS.map(date.isoformat) if exact else _DATES
    if isinstance(plain, Denounced):
        return replace(plain, takes_effect=draw(_perhaps(stated)))
    if isinstance(plain, Deposited):
        return replace(
            plain,
            instrument=draw(mostly(Instrument.RATIFICATION, *Instrument)),
            takes_effect=draw(_perhaps(stated)),
            share=draw(_SHARES),
        )
    return plain


def _perhaps(stated: st.SearchStrategy[str]) -> st.SearchStrategy[Edtf | None]:
    """A date of effect one time out of three."""
    return st.one_of(st.none(), st.none(), stated.map(parse_edtf))


def _live(played: Played, kind: str, key: str) -> dict[int, AnyEvent | None]:
    """The events of a record's live entries, None of annulments, by the number of their moves."""
    facts = {
        number: fact(entry)
        for number, entry in enumerate(played.recorded)
        if entry is not None and (entry.kind, entry.key) == (kind, key)
    }
    known = list(facts.values())
    return {number: one.event for number, one in facts.items() if is_live(one, known)}
