"""What becomes of instruments that were taken back: cases that made-up treaties seldom have."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.dates import parse_edtf
from ledger.entry_into_force import Instrument
from ledger.kind import AnyEvent
from ledger.states import STATE
from ledger.treaties import TREATY, Opened
from ledger.treaty_participants import (
    TREATY_PARTICIPANT,
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
)
from tests.properties.playing import Move, Played
from tests.properties.records import plain_event
from tests.schema.asked_treaties import Found, Register, found_by_functions

ACCEDED = Deposited(treaty="T", state="KAZ", instrument=Instrument.ACCESSION)
NO_RULE = Opened(title_en="Alpha", denunciation_offset="P3M")


def answered(treaty: Opened, *events: tuple[str, AnyEvent], on: str) -> Found:
    """What is answered on a day of a treaty and of what Kazakhstan did, all of it known."""
    moves: list[tuple[Any, str, AnyEvent, str]] = [
        (STATE, "KAZ", plain_event(STATE, "KAZ"), "1991"),
        (TREATY, "T", treaty, "1995"),
        *((TREATY_PARTICIPANT, "T-KAZ", event, effective) for effective, event in events),
    ]
    played = Played.of(
        [
            Move(kind=kind.name, key=key, event=event, effective=effective)
            for kind, key, event, effective in moves
        ]
    )
    assert not played.refused
    return found_by_functions(
        Register(played.entries), "T", date.fromisoformat(on), len(played.entries)
    )


def acceded(effect: str) -> Deposited:
    return Deposited(
        treaty="T", state="KAZ", instrument=Instrument.ACCESSION, takes_effect=parse_edtf(effect)
    )


def test_who_denounces_and_accedes_anew_on_one_day_is_bound_until_the_notice_is_over() -> None:
    # As Guyana did with the Optional Protocol to the Covenant on Civil and Political Rights.
    found = answered(
        NO_RULE,
        ("1993-05-10", acceded("1993-08-10")),
        ("1999-01-05", Denounced()),
        ("1999-01-05", acceded("1999-04-05")),
        on="1999-03-01",
    )
    first = date(1993, 8, 10), date(1999, 4, 5)
    assert [
        (number, party.in_force, party.since[0], party.until and party.until[0])
        for (_, number), party in found.listed.items()
    ] == [(1, (True, True), *first)]
    assert (found.parties, found.deposited) == ((1, 1), (1, 1))
    assert found.participants["T-KAZ"].in_force == (True, True)


def test_what_was_done_last_before_another_instrument_is_what_ended_the_one_before() -> None:
    # On the day of the second accession the first denunciation was withdrawn, and another made.
    denounced = Denounced(takes_effect=parse_edtf("2001-01-01"))
    found = answered(
        NO_RULE,
        ("1999-01-01", acceded("1999-01-01")),
        ("2000-01-01", Denounced()),
        ("2000-02-01", DenunciationWithdrawn()),
        ("2000-02-01", denounced),
        ("2000-02-01", acceded("2002-01-01")),
        on="2000-12-31",
    )
    assert [party.until and party.until[0] for party in found.listed.values()] == [date(2001, 1, 1)]


def test_an_instrument_of_which_nothing_is_left_leaves_what_ended_the_one_before() -> None:
    found = answered(
        NO_RULE,
        ("1993-05-10", acceded("1993-08-10")),
        ("1999-01-05", Denounced()),
        ("1999-01-05", acceded("1999-04-05")),
        ("1999-01-05", InstrumentWithdrawn()),
        ("1999-01-05", acceded("1999-05-05")),
        on="1999-03-01",
    )
    assert [
        (number, party.until and party.until[0]) for (_, number), party in found.listed.items()
    ] == [(1, date(1999, 4, 5))]


def test_an_instrument_that_ended_before_its_effect_was_never_in_force() -> None:
    found = answered(
        NO_RULE,
        ("1999-01-01", acceded("2000-01-01")),
        ("1999-06-01", InstrumentWithdrawn()),
        on="2001-01-01",
    )
    assert (found.entry, found.in_force, found.parties) == (None, (False, False), (0, 0))
    line = found.participants["T-KAZ"]
    assert (line.since, line.until) == (None, None)


def test_none_remains_certainly_where_it_may_have_entered_into_force() -> None:
    found = answered(
        Opened(title_en="Alpha", instruments_required=1, offset="P0D"),
        ("[2000-01-01..2000-01-10]", ACCEDED),
        ("[2000-01-05..2000-01-20]", InstrumentWithdrawn()),
        on="2000-02-01",
    )
    assert (found.deposited, found.in_force, found.remaining) == ((0, 0), (False, True), (0, 1))
