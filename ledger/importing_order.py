"""In which order the rows of a register are recorded.

First by the moment that the register states; what is recorded now comes last. Rows of the same
moment stand as they can have been recorded: kind by kind as registered, what is referred to first;
of a kind, openings before changes; these as they happened, so that each finds what came before it;
then as the kind lists its events, and then by line. So neither the order of the files nor that of
the rows of one moment makes a difference, but where all else is equal.

A correction or an annulment stands before the new rows of its moment and kind, since these may need
it, unless it aims at one of them: then it waits for its target. What stands below it in its file
about the same record was written with it in mind, and waits for it.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from ledger.dates import accomplished
from ledger.importing_cells import is_id, version_named
from ledger.importing_file import Occasion, RegisterRow
from ledger.importing_problem import Problem

_LAST = datetime.max.replace(tzinfo=UTC)

Place = tuple[str, int]
"""The file and the line of a row."""

Waits = dict[Place, set[Place]]
"""For each row that has to wait, the rows of the same moment that it waits for."""


def moment_of(row: RegisterRow) -> datetime:
    """The moment that a row is sorted by."""
    return _LAST if row.moment is None else row.moment


def recording_order(
    rows: Iterable[RegisterRow], occasion: Occasion, problems: list[Problem]
) -> list[RegisterRow]:
    """The rows in the order of recording. Adds to `problems` what has no place in it.

    If there are problems already, rows are missing, and what aims at them isn't at fault.
    """
    are_all_read = not problems
    in_time = sorted(rows, key=lambda row: (moment_of(row), row.place))
    labelled = _labelled(in_time, problems)
    problems += _wrong_targets(in_time, labelled, are_all_read=are_all_read)
    priority = _Priority(occasion)
    recorded: Counter[tuple[str, str]] = Counter()
    ordered: list[RegisterRow] = []
    for _, group in groupby(in_time, moment_of):
        together = list(group)
        waits = _waits(together, labelled, recorded)
        placed = _placed(together, waits, priority)
        missing = {row.place for row in together} - {row.place for row in placed}
        problems += (
            _of_target(row, "this row and another one wait for each other; state other moments")
            for row in together
            if row.place in missing and row.target is not None
        )
        ordered += placed
        recorded.update(row.record for row in together)
    return ordered


class _Priority:
    """Which of two rows of the same moment comes first, if neither waits for the other."""

    def __init__(self, occasion: Occasion) -> None:
        self._today = occasion.zone.day_of(occasion.now)
        kinds = occasion.registry.kinds
        self._kinds = {kind.name: rank for rank, kind in enumerate(kinds)}
        self._events = {event: rank for kind in kinds for rank, event in enumerate(kind.events)}

    def of(self, row: RegisterRow) -> tuple[Any, ...]:
        kind, event = self._kinds[row.sheet.kind.name], row.sheet.event
        among_events = (self._events[event], row.line)
        effective = row.statement.effective
        if row.target is not None or effective is None:
            return (kind, 0, True, date.min, *among_events)
        latest = accomplished(effective, row.day or self._today).latest
        return (kind, 1, not event.is_opening, latest, *among_events)


def _labelled(rows: Iterable[RegisterRow], problems: list[Problem]) -> dict[str, RegisterRow]:
    labelled: dict[str, RegisterRow] = {}
    for row in rows:
        if row.label is not None:
            first = labelled.setdefault(row.label, row)
            if first is not row:
                problems.append(
                    Problem(
                        file=row.sheet.file,
                        line=row.line,
                        column="label",
                        value=row.label,
                        reason=f"{_named(first)} has this label too",
                    )
                )
    return labelled


def _wrong_targets(
    rows: Iterable[RegisterRow], labelled: Mapping[str, RegisterRow], *, are_all_read: bool
) -> Iterator[Problem]:
    for row in rows:
        if row.target is None:
            continue
        aim = labelled.get(row.target)
        if aim is None:
            is_an_entrys = version_named(row.target) is not None or is_id(row.target)
            if are_all_read and not is_an_entrys:
                reason = "no row has this label, and it is no entry's id or kind/key/version"
                yield _of_target(row, reason)
        elif aim is row:
            yield _of_target(row, "it is the label of this row itself")
        elif moment_of(aim) > moment_of(row):
            yield _of_target(row, f"{_named(aim)} has this label, and is recorded later")


@dataclass(slots=True)
class _Above:
    """What stands above a row in its file about the same record."""

    aiming: set[Place] = field(default_factory=set)
    """The last row that corrects or annuls, which has waited for those before it."""
    plain: set[Place] = field(default_factory=set)
    """The rows that it hasn't waited for."""
    waited_elsewhere: bool = False
    """Whether a row has waited for the beginnings of the other files."""


def _waits(
    rows: Sequence[RegisterRow],
    labelled: Mapping[str, RegisterRow],
    recorded: Mapping[tuple[str, str], int],
) -> Waits:
    """What the rows of one moment wait for; `recorded` counts those of earlier ones by record."""
    by_record: dict[tuple[str, str], list[RegisterRow]] = defaultdict(list)
    aimed_at = {row.record for row in rows if row.target is not None}
    for row in rows:
        if row.record in aimed_at:
            by_record[row.record].append(row)
    waits: Waits = {}
    for record, theirs in by_record.items():
        waits |= _waits_within(theirs, labelled, recorded.get(record, 0))
    return waits


def _waits_within(
    rows: Sequence[RegisterRow], labelled: Mapping[str, RegisterRow], recorded: int
) -> Waits:
    """The same for the rows of one record, which are in the order of files and lines."""
    places = {row.place for row in rows}
    waits: Waits = {}
    above: dict[str, _Above] = defaultdict(_Above)
    begun, awaited_above = _beginnings(rows), _awaited_above(rows, labelled)
    for row in rows:
        upper = above[row.sheet.file]
        waits[row.place] = set() if row.place in awaited_above else set(upper.aiming)
        if row.target is None:
            upper.plain.add(row.place)
            continue
        aim = labelled.get(row.target)
        if aim is not None:
            waits[row.place] |= {aim.place} & places - {row.place}
        elif (version_named(row.target) or 0) > recorded:
            # Only recording will tell which of the rows gets this version.
            waits[row.place] |= upper.plain
            if not upper.waited_elsewhere:
                waits[row.place] |= {place for place in begun if place[0] != row.sheet.file}
            upper.plain, upper.waited_elsewhere = set(), True
        upper.aiming = {row.place}
    return waits


def _beginnings(rows: Iterable[RegisterRow]) -> set[Place]:
    """The rows above which no row of their file about the same record corrects or annuls."""
    begun: set[Place] = set()
    ended: set[str] = set()
    for row in rows:
        if row.target is not None:
            ended.add(row.sheet.file)
        elif row.sheet.file not in ended:
            begun.add(row.place)
    return begun


def _awaited_above(rows: Iterable[RegisterRow], labelled: Mapping[str, RegisterRow]) -> set[Place]:
    """The rows that a row above them in their file aims at, so that they can't wait for it."""
    aims = ((row, labelled.get(row.target or "")) for row in rows)
    return {
        aim.place
        for row, aim in aims
        if aim is not None and aim.sheet is row.sheet and aim.line > row.line
    }


def _placed(rows: Iterable[RegisterRow], waits: Waits, priority: _Priority) -> list[RegisterRow]:
    """The rows by priority, each after what it waits for; those that wait in a circle left out."""
    by_place = {row.place: row for row in rows}
    waited_for: dict[Place, list[Place]] = defaultdict(list)
    for place, others in waits.items():
        for other in others:
            waited_for[other].append(place)
    ready = [(priority.of(row), place) for place, row in by_place.items() if not waits.get(place)]
    heapq.heapify(ready)
    placed: list[RegisterRow] = []
    while ready:
        _, place = heapq.heappop(ready)
        placed.append(by_place[place])
        for waiting in waited_for[place]:
            waits[waiting].discard(place)
            if not waits[waiting]:
                heapq.heappush(ready, (priority.of(by_place[waiting]), waiting))
    return placed


def _named(row: RegisterRow) -> str:
    return f"{row.sheet.file}:{row.line}"


def _of_target(row: RegisterRow, reason: str) -> Problem:
    """A problem of what the row says that it corrects or annuls."""
    return Problem(
        file=row.sheet.file,
        line=row.line,
        column="annuls" if row.corrects is None else "corrects",
        value=row.target,
        reason=reason,
    )
