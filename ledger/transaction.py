"""The two network trips of a recording transaction: read under the lock, then write and commit.

The server goes from one statement to the next without waiting for the program, which decides only
in between. What is written beside the projections is one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from ledger import store
from ledger.admission import Batch, History, Prepared, RecordName
from ledger.arrays import (
    Form,
    bigint,
    bigints,
    booleans,
    byteas,
    columns,
    moment,
    text,
    texts,
    uuids,
)
from ledger.codec import EntryMapper
from ledger.entry import Entry, record_id
from ledger.kind import references_of
from ledger.store import Head
from ledger.trip import BEGIN, Asked, Trips

# Each statement finds its rows by their keys. Planned once for all values, a plan from when the
# tables were empty would scan them still when they have grown; and all that a scan found would be
# kept, to be looked through for each key.
AS_PLANNED = """
    SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
           set_config('enable_seqscan', 'off', false),
           set_config('enable_hashjoin', 'off', false),
           set_config('enable_mergejoin', 'off', false),
           set_config('enable_bitmapscan', 'off', false),
           set_config('enable_material', 'off', false),
           set_config('jit', 'off', false)
"""

ANSWERED = """
    SELECT principal, idempotency.key, position, digest
      FROM ledger.idempotency
      JOIN unnest(%s::text[], %s::text[]) AS asked (principal, key) USING (principal, key)
"""

OPEN_RECORDS = """
    SELECT kind, key, is_open
      FROM ledger.records JOIN unnest(%s::text[], %s::text[]) AS asked (kind, key) USING (kind, key)
"""

REFERRING = """
    SELECT kind, key FROM ledger.record_references
     WHERE to_kind = %s AND to_key = %s AND (kind, key) <> (to_kind, to_key)
"""

_APPENDED = f"""
    appended AS ({store.APPEND}),
    moved AS (
        UPDATE ledger.head SET position = %s, recorded_at = %s, live_from = %s),
    known AS (
        INSERT INTO ledger.records (kind, key, version, is_open)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::boolean[])
        ON CONFLICT (kind, key) DO UPDATE
        SET version = excluded.version, is_open = excluded.is_open)"""  # noqa: S608  # APPEND is a constant of ours.

_MADE = """
    made AS (
        INSERT INTO ledger.person_keys (record_id, key)
        SELECT * FROM unnest(%s::uuid[], %s::bytea[]))"""

_ANSWERED = """
    answered AS (
        INSERT INTO ledger.idempotency (principal, key, position, digest)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bytea[]))"""

_DROPPED = """
    dropped AS (
        DELETE FROM ledger.record_references
         USING unnest(%s::text[], %s::text[], %s::text[], %s::text[])
               AS gone (kind, key, to_kind, to_key)
         WHERE record_references.kind = gone.kind AND record_references.key = gone.key
           AND record_references.to_kind = gone.to_kind
           AND record_references.to_key = gone.to_key)"""

_REFERRING = """
    referring AS (
        INSERT INTO ledger.record_references (kind, key, to_kind, to_key)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
        ON CONFLICT DO NOTHING)"""

# The first always has something to do; of the others, only those are sent that have.
PARTS = (_APPENDED, _MADE, _ANSWERED, _DROPPED, _REFERRING)


@cache
def writing(*parts: str) -> str:
    """The statement of some of the parts.

    Why one statement: of several, each would be sent, planned and begun by itself. No two parts
    touch the same row; all see the tables as they were.
    """
    return f"WITH {', '.join(parts)} SELECT pg_notify('stored_events', '')"


WRITE = writing(*PARTS)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the lock holder finds, of what it asked for.

    `rules` and `home_zone` are what the database goes by; None where nothing is said yet.
    """

    head: Head
    rules: str | None
    home_zone: str | None
    entries: list[Entry]
    person_keys: dict[UUID, bytes]
    is_open: dict[RecordName, bool]
    answered: dict[tuple[str, str], tuple[int, bytes]]


def read(
    trips: Trips,
    mapper: EntryMapper,
    ids: Iterable[UUID],
    names: Iterable[RecordName],
    asked: Collection[tuple[str, str]],
    *,
    is_begun: bool = False,
) -> Ground:
    """Take the lock, then read the histories `ids`, whether `names` exist, the answers to `asked`.

    Each statement sees what was committed before it began (READ COMMITTED), so what follows the
    lock sees everything that its last holder wrote.
    """
    begin: list[Asked] = [] if is_begun else [(BEGIN, ())]
    # Most proposals of a live ledger have no key that could have been answered.
    answering = [(ANSWERED, columns(asked, texts, texts))] if asked else []
    found = trips.make(
        [
            *begin,
            (store.LOCK_HEAD, ()),
            (store.GROUND, ()),
            (store.HISTORIES, [uuids(ids)]),
            (OPEN_RECORDS, columns(names, texts, texts)),
            *answering,
        ]
    )
    [head], [(rules, home_zone)], histories, opened, *answered = found[len(begin) :]
    answers = answered[0] if answered else []
    return Ground(
        head=Head(*head),
        rules=rules,
        home_zone=home_zone,
        entries=[store.entry_of(row, mapper) for row in histories],
        person_keys={row[1]: row[-1] for row in histories if row[-1] is not None},
        is_open={(kind, key): is_open for kind, key, is_open in opened},
        answered={(owner, key): (position, digest) for owner, key, position, digest in answers},
    )


def open_records(trips: Trips, names: Iterable[RecordName]) -> dict[RecordName, bool]:
    """Whether records exist; those never heard of are left out."""
    [rows] = trips.make([(OPEN_RECORDS, columns(names, texts, texts))])
    return {(kind, key): is_open for kind, key, is_open in rows}


def brought_back(prepared: Sequence[Prepared], entries: Iterable[Entry]) -> set[RecordName]:
    """The records to which what is annulled may bring references back."""
    annulled = {(p.proposal.kind, p.proposal.key) for p in prepared if p.proposal.annuls}
    return {
        (reference.kind, reference.key)
        for entry in entries
        if entry.event is not None and (entry.kind, entry.key) in annulled
        for reference in references_of(entry.event)
    }


def referring(trips: Trips, kind: str, key: str) -> list[RecordName]:
    """The records that refer to one, itself aside."""
    [rows] = trips.make([(REFERRING, [text(kind), text(key)])])
    return [(kind, key) for kind, key in rows]


def write(batch: Batch, before: Sequence[History], after: Sequence[History]) -> Asked:
    """What appends the batch's entries and what the next admission needs of their records.

    `before` and `after` are the histories of the records that these entries are about.
    """
    head, first = batch.head, batch.entries[0].position
    ids = [record_id(entry.kind, entry.key) for entry in batch.entries if entry.version == 1]
    keys = {id: batch.person_keys[id] for id in ids if id in batch.person_keys}
    dropped, added = _references(before, after)
    answered = [(*n, *answer) for n, answer in batch.answered.items() if answer[0] >= first]
    optional: list[tuple[str, Sequence[Any], Sequence[Form]]] = [
        (_MADE, list(keys.items()), (uuids, byteas)),
        (_ANSWERED, answered, (texts, texts, bigints, byteas)),
        (_DROPPED, list(dropped), (texts, texts, texts, texts)),
        (_REFERRING, list(added), (texts, texts, texts, texts)),
    ]
    wanted = [each for each in optional if each[1]]
    parameters = [
        *store.entry_columns(batch.entries),
        bigint(batch.entries[-1].position),
        moment(head.recorded_at),
        bigint(head.live_from),
        *columns(
            ((h.kind.name, h.key, h.version, h.is_open) for h in after),
            *(texts, texts, bigints, booleans),
        ),
        *(parameter for _, rows, forms in wanted for parameter in columns(rows, *forms)),
    ]
    return writing(_APPENDED, *(part for part, _, _ in wanted)), parameters


Link = tuple[str, str, str, str]
"""The kind and the key of a record, and of one that it refers to."""


def _references(before: Sequence[History], after: Sequence[History]) -> tuple[set[Link], set[Link]]:
    """The references that go, and those that come."""
    dropped: set[Link] = set()
    added: set[Link] = set()
    for old, new in zip(before, after, strict=True):
        were, are = _links(old), _links(new)
        dropped |= were - are
        added |= are - were
    return dropped, added


def _links(history: History) -> set[Link]:
    name = (history.kind.name, history.key)
    return {(*name, r.kind, r.key) for r in history.references()}
