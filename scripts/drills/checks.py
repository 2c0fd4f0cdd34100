"""What must hold after each round: nothing lost, nothing twice, nothing that was refused."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from drills import workload
from drills.harness import Failed
from drills.workload import THREADS, Turn
from ledger.entry import Proposal
from ledger.record import Ledger, SetRefused
from projections import REGISTRY, TABLES
from projections.place import Place
from projections.rebuild import rebuild
from projections.verify import verify
from tests.ledger.recording import ZONE, rows, state

DERIVED = (
    ("ledger", "records"),
    ("ledger", "record_references"),
    *(("projections", table.name) for table in TABLES),
)
"""All tables that follow from the log."""

REBUILT_LEFT = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'projections_%'"

Recorded = dict[str, tuple[int, str]]
"""The entries of recorders: their notes, with position and id."""


@dataclass(slots=True)
class Told:
    """What the threads of one recorder were told, turn by turn."""

    recorder: str
    acknowledged: dict[Turn, list[tuple[int, str]]] = field(default_factory=dict)
    refused: dict[Turn, list[str]] = field(default_factory=dict)
    trouble: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def by(cls, recorder: str, outcomes: Path) -> Told:
        """Read what a recorder wrote down; the last line may be cut in the middle."""
        told = cls(recorder)
        text = outcomes.read_text() if outcomes.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            told._take(json.loads(line))
        return told

    def _take(self, outcome: Mapping[str, Any]) -> None:
        turn = Turn(self.recorder, outcome["thread"], outcome["number"])
        if "bug" in outcome:
            raise Failed(f"{turn.name} was told neither yes nor no: {outcome['bug']}")
        if "trouble" in outcome:
            self.trouble.append((outcome["trouble"], outcome["message"]))
        elif "entries" in outcome:
            self.acknowledged[turn] = [(position, id) for position, id in outcome["entries"]]
        else:
            self.refused[turn] = outcome["refused"]

    def under_way(self) -> list[Turn]:
        """The turn of each thread of which nobody was told what became of it."""
        turns = []
        for thread in range(THREADS):
            turn = Turn(self.recorder, thread, 0)
            while turn in self.acknowledged or turn in self.refused:
                turn = turn.then()
            turns.append(turn)
        told = len(self.acknowledged) + len(self.refused)
        if told != sum(turn.number for turn in turns):
            raise Failed(f"{self.recorder} was told of a turn before the one before it")
        return turns


def check(url: str, recorders: Mapping[str, Path], *, states_only: bool = False) -> Iterator[str]:
    """Hold the ledger at `url` to what its recorders wrote down, and yield what was found.

    It goes on recording, so that what was under way comes to an end.
    """
    told = [Told.by(name, outcomes) for name, outcomes in recorders.items()]
    _check_log(url)
    _check_told(url, told, states_only=states_only)
    _check_sound(url)
    yield from _go_on(url, told, states_only=states_only)
    _check_rebuilt(url)


def _check_log(url: str) -> None:
    log = rows(url, "SELECT position, recorded_at FROM ledger.entries ORDER BY position")
    positions, moments = [row[0] for row in log], [row[1] for row in log]
    if positions != list(range(1, len(log) + 1)):
        raise Failed("the positions have gaps")
    if moments != sorted(moments):
        raise Failed("an entry was recorded before the one before it")
    if rows(url, "SELECT position FROM ledger.head") != [(len(log),)]:
        raise Failed("the head is not where the log ends")


def recorded(url: str, recorders: Iterable[str]) -> Recorded:
    """The entries that the recorders proposed; `Failed` if one is there twice."""
    found: Recorded = {}
    names = set(recorders)
    for position, id, data in rows(url, "SELECT position, id, data FROM ledger.entries"):
        note = json.loads(data).get("note") or ""
        if note.split("-")[0] in names and "/" in note:
            if note in found:
                raise Failed(f"{note} was recorded twice: entries {found[note][0]} and {position}")
            found[note] = (position, str(id))
    return found


def _check_told(url: str, told: Iterable[Told], *, states_only: bool) -> None:
    for one in told:
        found = recorded(url, [one.recorder])
        by_turn: dict[str, Counter[str]] = defaultdict(Counter)
        for note in found:
            by_turn[note.split("/")[0]][note] += 1
        for turn, entries in one.acknowledged.items():
            notes = [workload.note(turn, index) for index in range(len(entries))]
            lost = [
                note for note, entry in zip(notes, entries, strict=True) if found.get(note) != entry
            ]
            if lost:
                raise Failed(f"acknowledged and lost, or another: {lost}")
            del by_turn[turn.name]
        for turn in one.refused:
            if turn.name in by_turn:
                raise Failed(f"refused and recorded: {turn.name}")
        for turn in one.under_way():
            whole = len(workload.proposals(turn, states_only=states_only))
            there = by_turn.pop(turn.name, Counter()).total()
            if there not in {0, whole}:
                raise Failed(f"{there} of the {whole} entries of {turn.name} are there")
            if there and not states_only and workload.must_be_refused(turn):
                raise Failed(f"nobody may have recorded {turn.name}")
        if by_turn:
            raise Failed(f"never proposed, or answered otherwise: {sorted(by_turn)}")


def _check_sound(url: str) -> None:
    report = verify(url, REGISTRY, TABLES, ZONE)
    if not report.sound:
        raise Failed(f"{report.summary}: {'; '.join(map(str, report.problems[:5]))}")


def _go_on(url: str, told: Iterable[Told], *, states_only: bool) -> Iterator[str]:
    """Propose again what was under way and some of what was answered: the answers are the same."""
    with Place(url).writer(ZONE) as ledger:
        for one in told:
            before = recorded(url, [one.recorder])
            for turn in one.under_way():
                proposals = workload.proposals(turn, states_only=states_only)
                was_there = workload.note(turn, 0) in before
                answer = _answer(ledger, proposals)
                if was_there:
                    notes = [workload.note(turn, index) for index in range(len(proposals))]
                    if answer != [before[note][0] for note in notes]:
                        raise Failed(f"{turn.name} is on record, and answered by {answer}")
                    yield "on record without an acknowledgement, found again by its key"
            for turn, entries in list(one.acknowledged.items())[-5:]:
                answer = _answer(ledger, workload.proposals(turn, states_only=states_only))
                if answer != [position for position, _ in entries]:
                    raise Failed(f"{turn.name} was acknowledged, and is answered by {answer} now")
        ledger.record(state("END", note="the round is over"))
    for one in told:
        recorded(url, [one.recorder])


def _answer(ledger: Ledger, proposals: list[Proposal]) -> list[int] | None:
    """The positions of a set, or None if it is refused."""
    try:
        return [answer.entry.position for answer in ledger.submit(proposals).result()]
    except SetRefused:
        return None


def _check_rebuilt(url: str) -> None:
    """The read models are, row for row, what a rebuild makes of the log."""
    before = content(url)
    rebuild(url, TABLES)
    after = content(url)
    differing = [name for name in before if before[name] != after[name]]
    if differing:
        raise Failed(f"a rebuild makes other rows of {', '.join(differing)}")
    left = rows(url, REBUILT_LEFT)
    if left:
        raise Failed(f"a rebuild left {left}")


def content(url: str) -> dict[str, list[Any]]:
    """Every row of every table that follows from the log."""
    query = SQL("SELECT {0}::text FROM {1} ORDER BY 1")
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{name}": connection.execute(
                query.format(Identifier(name), Identifier(schema, name))
            ).fetchall()
            for schema, name in DERIVED
        }
