"""The log's statements: the lock, the append, and the reading of histories."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow, class_row, tuple_row

from ledger.arrays import Parameter, bigints, byteas, columns, moments, texts, uuids
from ledger.codec import EntryMapper
from ledger.database import AnyConnection, AnyCursor
from ledger.entry import Entry

# Why a locked row and not a sequence or a table lock: a sequence leaves gaps after a rollback and
# lets a later position commit first, so a reader at position n could miss n − 1 for ever. A table
# lock in EXCLUSIVE mode stalls VACUUM and ANALYZE, which need a mode it conflicts with. Whoever
# holds this row is the only one who may append, and whatever it read after taking it stays true
# until it commits.
LOCK_HEAD = """
    SELECT position, recorded_at, live_from, clock_timestamp() AS now
      FROM ledger.head FOR UPDATE
"""

# What a writer goes by, which a rebuild or another program may have changed since it started.
GROUND = """
    SELECT (SELECT version FROM projections.rules),
           (SELECT value FROM ledger.settings WHERE name = 'home_zone')
"""

MOVE_HEAD = "UPDATE ledger.head SET position = %s, recorded_at = %s, live_from = %s"

COLUMNS = (
    "position, record_id, version, id, family, kind, key, name, corrects, annuls,"
    " recorded_at, appended_at, recorded_by, header, data"
)

APPEND = f"""
    INSERT INTO ledger.entries ({COLUMNS})
    SELECT * FROM unnest(
        %s::bigint[], %s::uuid[], %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[],
        %s::bytea[], %s::bytea[])
"""  # noqa: S608  # COLUMNS is the constant above.

_FORMS = (
    *(bigints, uuids, bigints, uuids, texts, texts, texts, texts, bigints, bigints),
    *(moments, moments, texts, byteas, byteas),
)

# The channel that the library's subscription listens on.
NOTIFY = "NOTIFY stored_events"

SELECT_ENTRIES = """
    SELECT position, entries.record_id, version, id, family, kind, entries.key, name, corrects,
           annuls, recorded_at, appended_at, recorded_by, header, data, person_keys.key
      FROM ledger.entries LEFT JOIN ledger.person_keys USING (record_id)
"""

HISTORIES = SELECT_ENTRIES + " WHERE record_id = ANY(%s) ORDER BY position"


# A UUIDv7's bits behind the time: those that say what it is, and those that are random.
_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)
_RANDOM_BITS = (0xFFF << 64) | (1 << 62) - 1


@dataclass(frozen=True, slots=True)
class Head:
    """The log's end, as its lock holder sees it; `now` is the database's clock."""

    position: int
    recorded_at: datetime | None
    live_from: int | None
    now: datetime


def new_id() -> UUID:
    """A UUIDv7: the milliseconds of the clock, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10)) & _RANDOM_BITS
    return UUID(int=(milliseconds << 80) | _VERSION_AND_VARIANT | random)


def lock_head(connection: AnyConnection) -> Head:
    """Wait for the lock of the log's end and return it; held until the transaction ends."""
    with connection.cursor(row_factory=class_row(Head)) as cursor:
        cursor.execute(LOCK_HEAD)
        head = cursor.fetchone()
    assert head is not None, "the migration puts the one row there"
    return head


def append(cursor: AnyCursor, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows in the order of `COLUMNS` and wake whoever follows the log."""
    cursor.execute(APPEND, [list(column) for column in zip(*rows, strict=True)])
    cursor.execute(NOTIFY)


def entry_columns(entries: Iterable[Entry]) -> list[Parameter]:
    """The parameters of `APPEND`."""
    return columns((entry.row() for entry in entries), *_FORMS)


def entries(
    cursor: AnyCursor, mapper: EntryMapper, statement: str, *parameters: Any
) -> list[Entry]:
    """Run one of the statements above that select entries, and decode what it gives."""
    cursor.row_factory = tuple_row
    return [entry_of(row, mapper) for row in cursor.execute(statement, parameters)]


def entry_of(row: TupleRow, mapper: EntryMapper) -> Entry:
    """Decode a row of `SELECT_ENTRIES`."""
    (position, record, version, id, family, kind, key, name, corrects, annuls) = row[:10]
    recorded_at, appended_at, _, header, data, person_key = row[10:]
    return Entry(
        position=position,
        id=id,
        family=family,
        kind=kind,
        key=key,
        version=version,
        name=name,
        corrects=corrects,
        annuls=annuls,
        recorded_at=recorded_at,
        appended_at=appended_at,
        statement=mapper.decode(name, record, data, person_key),
        header=header,
        data=data,
    )
