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
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ledger.importing_cells import is_id, version_named
from ledger.importing_problem import Problem
from ledger.importing_spill import Rank, Spill, Standing

Waits = dict[int, set[int]]
"""For each row that has to wait, the rows of the same moment that it waits for, by number."""


def recording_order(spill: Spill, problems: list[Problem]) -> array[int]:
    """The numbers of the rows in the order of recording.

    Adds to `problems` what has no place in it. If there are problems already, rows are missing, and
    what aims at them isn't at fault.
    """
    are_all_read = not problems
    entangled = spill.entangled()
    labelled = _labelled(entangled, problems)
    problems += _wrong_targets(entangled, labelled, are_all_read=are_all_read)
    recorded: Counter[tuple[str, str]] = Counter()
    waits: Waits = {}
    for _, group in groupby(entangled, lambda row: row.moment):
        together = list(group)
        waits |= _waits(together, labelled, recorded)
        recorded.update(row.record for row in together)
    ordered = array("I", _placed(spill.by_rank(), waits))
    problems += (
        _of_target(row, "this row and another one wait for each other; state other moments")
        for row in entangled
        if waits.get(row.number) and row.target is not None
    )
    return ordered


def _labelled(rows: Iterable[Standing], problems: list[Problem]) -> dict[str, Standing]:
    labelled: dict[str, Standing] = {}
    for row in rows:
        if row.label is not None:
            first = labelled.setdefault(row.label, row)
            if first.number != row.number:
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
    rows: Iterable[Standing], labelled: Mapping[str, Standing], *, are_all_read: bool
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
        elif aim.number == row.number:
            yield _of_target(row, "it is the label of this row itself")
        elif aim.moment > row.moment:
            yield _of_target(row, f"{_named(aim)} has this label, and is recorded later")


@dataclass(slots=True)
class _Above:
    """What stands above a row in its file about the same record."""

    aiming: set[int] = field(default_factory=set)
    """The last row that corrects or annuls, which has waited for those before it."""
    plain: set[int] = field(default_factory=set)
    """The rows that it hasn't waited for."""
    waited_elsewhere: bool = False
    """Whether a row has waited for the beginnings of the other files."""


def _waits(
    rows: Sequence[Standing],
    labelled: Mapping[str, Standing],
    recorded: Mapping[tuple[str, str], int],
) -> Waits:
    """What the rows of one moment wait for; `recorded` counts those of earlier ones by record."""
    by_record: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    aimed_at = {row.record for row in rows if row.target is not None}
    for row in rows:
        if row.record in aimed_at:
            by_record[row.record].append(row)
    waits: Waits = {}
    for record, theirs in by_record.items():
        waits |= _waits_within(theirs, labelled, recorded.get(record, 0))
    return waits


def _waits_within(
    rows: Sequence[Standing], labelled: Mapping[str, Standing], recorded: int
) -> Waits:
    """The same for the rows of one record, which are in the order of files and lines."""
    places = {row.number for row in rows}
    waits: Waits = {}
    above: dict[str, _Above] = defaultdict(_Above)
    begun, awaited_above = _beginnings(rows), _awaited_above(rows, labelled)
    for row in rows:
        upper = above[row.sheet.file]
        waits[row.number] = set() if row.number in awaited_above else set(upper.aiming)
        if row.target is None:
            upper.plain.add(row.number)
            continue
        aim = labelled.get(row.target)
        if aim is not None:
            waits[row.number] |= {aim.number} & places - {row.number}
        elif (version_named(row.target) or 0) > recorded:
            # Only recording will tell which of the rows gets this version.
            waits[row.number] |= upper.plain
            if not upper.waited_elsewhere:
                waits[row.number] |= {n for n, file in begun.items() if file != row.sheet.file}
            upper.plain, upper.waited_elsewhere = set(), True
        upper.aiming = {row.number}
    return waits


def _beginnings(rows: Iterable[Standing]) -> dict[int, str]:
    """The rows above which none of their file about the same record corrects or annuls, by file."""
    begun: dict[int, str] = {}
    ended: set[str] = set()
    for row in rows:
        if row.target is not None:
            ended.add(row.sheet.file)
        elif row.sheet.file not in ended:
            begun[row.number] = row.sheet.file
    return begun


def _awaited_above(rows: Iterable[Standing], labelled: Mapping[str, Standing]) -> set[int]:
    """The rows that a row above them in their file aims at, so that they can't wait for it."""
    aims = ((row, labelled.get(row.target or "")) for row in rows)
    return {
        aim.number
        for row, aim in aims
        if aim is not None and aim.sheet is row.sheet and aim.line > row.line
    }


def _placed(rows: Iterable[tuple[Rank, int]], waits: Waits) -> Iterator[int]:
    """The numbers of the rows as they are ranked, each after what it waits for.

    What is placed is taken out of `waits`; rows that wait in a circle keep what they wait for.
    """
    waited_for: dict[int, list[int]] = defaultdict(list)
    for number, others in waits.items():
        for other in others:
            waited_for[other].append(number)
    held: dict[int, Rank] = {}
    ready: list[tuple[Rank, int]] = []

    def placed(number: int) -> int:
        for waiting in waited_for.pop(number, ()):
            waits[waiting].discard(number)
            if waiting in held and not waits[waiting]:
                heapq.heappush(ready, (held.pop(waiting), waiting))
        return number

    for rank, number in rows:
        while ready and ready[0][0] < rank:
            yield placed(heapq.heappop(ready)[1])
        if waits.get(number):
            held[number] = rank
        else:
            yield placed(number)
    while ready:
        yield placed(heapq.heappop(ready)[1])


def _named(row: Standing) -> str:
    return f"{row.sheet.file}:{row.line}"


def _of_target(row: Standing, reason: str) -> Problem:
    """A problem of what the row says that it corrects or annuls."""
    return Problem(
        file=row.sheet.file,
        line=row.line,
        column="annuls" if row.corrects is None else "corrects",
        value=row.target,
        reason=reason,
    )
