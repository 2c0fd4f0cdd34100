"""The rows of a register on disk: put down as they are read, sorted there, taken back in any order.

A private database of SQLite holds them, in a file that has no name and goes with the process,
however that ends. What is in memory is its cache, and 12 bytes a row for their order; beside them,
the few rows that correct or annul, are aimed at, or share a record with one that does.
"""

from __future__ import annotations

import sqlite3
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

import orjson

from ledger.dates import accomplished
from ledger.importing_file import Occasion, RegisterRow, Sheet, read_again
from ledger.refusal import Unusable

CACHE_KIB = 32 * 1024
"""So much of the file is kept in memory, and so much is sorted there at a time."""

WRITTEN_AT_ONCE = 1_000
"""So many rows, at the most, wait to be written together."""

BYTES_WRITTEN_AT_ONCE = 1_000_000
"""So long are their cells together, or they are fewer."""

Rank = tuple[int, bytes]
"""What rows are sorted by: the moment, and then a `_RANK`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NOW = 2**62
"""The moment of what is recorded now: after all that a register states."""

# Sheets are numbered by the names of their files, so that they sort like these.
_ROWS = """
    CREATE TABLE rows (
        number INTEGER PRIMARY KEY, sheet INTEGER, line INTEGER, kind INTEGER, key TEXT,
        moment INTEGER, rank BLOB, label TEXT, ordinal INTEGER, corrects TEXT, annuls TEXT,
        cells BLOB)
"""
SETTINGS = (
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    _ROWS,
)
"""What is run on the new database: nobody else reads it, and nothing of it outlives the process."""

_ADD = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TAKE = "SELECT line, cells FROM rows WHERE number = ?"
_BY_RANK = "SELECT moment, rank, number FROM rows ORDER BY moment, rank"

_ENTANGLED = """
    WITH aiming AS (
        SELECT kind, key, coalesce(corrects, annuls) AS target FROM rows
         WHERE corrects IS NOT NULL OR annuls IS NOT NULL)
    SELECT number, sheet, line, key, moment, label, corrects, annuls FROM rows
     WHERE (kind, key) IN (SELECT kind, key FROM aiming)
        OR label IN (SELECT target FROM aiming)
        OR label IN (SELECT label FROM rows WHERE label IS NOT NULL
                      GROUP BY label HAVING count(*) > 1)
     ORDER BY moment, sheet, line
"""

_PLACES = """
    SELECT number, coalesce(ordinal, row_number() OVER (
               PARTITION BY sheet, key, corrects, annuls ORDER BY moment, line))
      FROM rows
"""

# Only by an ordinal that is stated can two rows have the same place.
_TAKEN_TWICE = """
    WITH numbered AS (
        SELECT sheet, line, moment, key, corrects, annuls, ordinal,
               coalesce(ordinal, row_number() OVER (
                   PARTITION BY sheet, key, corrects, annuls ORDER BY moment, line)) AS place
          FROM rows
         WHERE (sheet, key) IN (SELECT sheet, key FROM rows WHERE ordinal IS NOT NULL)),
    compared AS (
        SELECT sheet, line, ordinal, place, first_value(line) OVER (
                   PARTITION BY sheet, key, corrects, annuls, place ORDER BY moment, line) AS first
          FROM numbered)
    SELECT sheet, line, ordinal, place, first FROM compared WHERE first <> line
"""

# What decides between rows of a moment: the kind; corrections before the rest; openings before
# changes; the latest day; the event; the line.
_RANK = Struct(">HBBIHI")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a row stands among those that it may have to wait for, or they for it."""

    number: int
    sheet: Sheet
    line: int
    key: str
    moment: int
    label: str | None
    corrects: str | None
    annuls: str | None

    @property
    def target(self) -> str | None:
        """The name of the entry that this one corrects or annuls."""
        return self.annuls if self.corrects is None else self.corrects

    @property
    def record(self) -> tuple[str, str]:
        """The kind and the key of the record that the row is about."""
        return self.sheet.kind.name, self.key


@dataclass(frozen=True, slots=True)
class TakenTwice:
    """A row that has the place of another one of its event and record, on the line `first`."""

    sheet: Sheet
    line: int
    ordinal: int | None
    place: int
    first: int


class Spill:
    """The rows of a register. Any thread may use it, one at a time."""

    def __init__(self, occasion: Occasion, sheets: Sequence[Sheet]) -> None:
        self._occasion = occasion
        self._sheets = sorted(sheets, key=lambda sheet: sheet.file)
        self._numbers = {sheet.file: number for number, sheet in enumerate(self._sheets)}
        self._ranks = _Ranks(occasion)
        self._files: list[_File] = []
        self._waiting: list[tuple[Any, ...]] = []
        self._waiting_bytes = 0
        self._count = 0
        with _disk():
            # Without a name the file is private, and is unlinked as soon as it is opened.
            self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._database.close)
            for statement in SETTINGS:
                self._database.execute(statement)

    def __len__(self) -> int:
        return self._count

    def add(self, row: RegisterRow) -> None:
        """Put down a row that nothing is wrong with, by the text of its cells."""
        if not self._files or self._files[-1].sheet is not row.sheet:
            self._files.append(_File(self._count, row.sheet, tuple(row.cells)))
        cells = orjson.dumps([*row.cells.values()])
        self._waiting.append(
            (
                self._count,
                self._numbers[row.sheet.file],
                row.line,
                self._ranks.kinds[row.sheet.kind.name],
                row.key,
                _NOW if row.moment is None else _ticks(row.moment),
                self._ranks.of(row),
                row.label,
                row.ordinal,
                row.corrects,
                row.annuls,
                cells,
            )
        )
        self._count += 1
        self._waiting_bytes += len(cells)
        is_full = self._waiting_bytes >= BYTES_WRITTEN_AT_ONCE
        if is_full or len(self._waiting) >= WRITTEN_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits to be written; before that the rows can't be asked for."""
        with _disk():
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, self._waiting)
            self._database.execute("COMMIT")
        self._waiting.clear()
        self._waiting_bytes = 0

    def entangled(self) -> list[Standing]:
        """The rows whose order may depend on others, as they stand by moment, file and line.

        They correct or annul, or share their record with one that does, or are aimed at by their
        label, or have a label that another one has too.
        """
        return [
            Standing(number, self._sheets[sheet], *others)
            for number, sheet, *others in self._asked(_ENTANGLED)
        ]

    def by_rank(self) -> Iterator[tuple[Rank, int]]:
        """What each row is sorted by and its number, as they come if none waits for another."""
        return (((moment, rank), number) for moment, rank, number in self._asked(_BY_RANK))

    def places(self) -> array[int]:
        """For each row, by its number, which one it is of its event, record and target."""
        places = array("Q", bytes(8 * self._count))
        for number, place in self._asked(_PLACES):
            places[number] = place
        return places

    def taken_twice(self) -> Iterator[TakenTwice]:
        """The rows whose place another row has."""
        return (
            TakenTwice(self._sheets[sheet], *others) for sheet, *others in self._asked(_TAKEN_TWICE)
        )

    def sheet_of(self, number: int) -> Sheet:
        """The sheet of the file that a row is in."""
        return self._file_of(number).sheet

    def take(self, number: int) -> RegisterRow:
        """Read a row again."""
        file = self._file_of(number)
        with _disk():
            line, cells = self._database.execute(_TAKE, (number,)).fetchone()
        texts = dict(zip(file.header, orjson.loads(cells), strict=True))
        return read_again(file.sheet, self._occasion, line, texts)

    def _file_of(self, number: int) -> _File:
        return self._files[bisect_right(self._files, number, key=itemgetter(0)) - 1]

    def _asked(self, statement: str) -> Iterator[tuple[Any, ...]]:
        with _disk():
            yield from self._database.execute(statement)


class _File(NamedTuple):
    """A file by the number of its first row, with what stands over its cells."""

    first: int
    sheet: Sheet
    header: tuple[str, ...]


class _Ranks:
    """Which of two rows of the same moment comes first, if neither waits for the other."""

    def __init__(self, occasion: Occasion) -> None:
        self._today = occasion.zone.day_of(occasion.now)
        kinds = occasion.registry.kinds
        self.kinds = {kind.name: rank for rank, kind in enumerate(kinds)}
        self._events = {event: rank for kind in kinds for rank, event in enumerate(kind.events)}

    def of(self, row: RegisterRow) -> bytes:
        kind, event = self.kinds[row.sheet.kind.name], row.sheet.event
        among_events = (self._events[event], row.line)
        effective = row.statement.effective
        if row.target is not None or effective is None:
            return _RANK.pack(kind, 0, 1, 0, *among_events)
        latest = accomplished(effective, row.day or self._today).latest
        return _RANK.pack(kind, 1, not event.is_opening, latest.toordinal(), *among_events)


# Most rows of a register share their moments with others.
@lru_cache(maxsize=4_096)
def _ticks(moment: datetime) -> int:
    return (moment - _EPOCH) // _TICK


@contextmanager
def _disk() -> Iterator[None]:
    """Say what to do where the rows can't be kept, most likely for want of room."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unusable(
            f"the rows can't be sorted on disk ({error}): make room in the folder for temporary"
            " files, or name another one in the environment's SQLITE_TMPDIR"
        ) from error
