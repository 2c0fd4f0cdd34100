"""Rebuilding: the read models filled anew from the log, beside the live ones, and swapped in.

The schema `projections_next` is filled with everything up to some position, caught up until little
is missing, and then, under the log's lock, caught up with the rest and renamed. So nobody writes
while the last entries are taken in, and whoever reads never waits: renaming a schema locks no
table, and PostgreSQL looks the names in prepared statements up again. The one exception is a
transaction of REPEATABLE READ: its snapshot may be older than the new tables' rows, so it must
share `REBUILDING`, as verifying does.

What the log alone decides beside the read models (`ledger.records`, `ledger.record_references`) is
brought in line in the same transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from ledger import settings, store
from ledger.counts import counted
from ledger.database import OWNER, AnyConnection, connect, one_line
from ledger.dates import HomeZone
from ledger.memory import uncollected
from ledger.refusal import Unusable
from projections import RULES, workers
from projections.filling import CHANGED, FRESH, NEXT, PART, Filling, parts
from projections.timeline import SCHEMA, Table

OLD = "projections_old"
"""The schema that was swapped out."""

REBUILDING = int.from_bytes(b"rebuildr")
"""The key of the advisory lock that a rebuild holds, and that whoever must not meet one shares."""

MIGRATING = int.from_bytes(b"secretar")
"""The key of the advisory lock that the runner of migrations holds (migrations/session.py)."""

FEWEST_FOR_A_WORKER = 10_000
"""For so many entries a process more is started, which takes as long as folding a few thousand."""

MOST_WORKERS = 8
"""Each takes about 75 MB and a connection."""

FEW = 200
"""So many entries may be left to take in under the lock."""

MOST_ROUNDS = 10
"""So many times, at the most, the tables are caught up before the lock is taken.

Each round has less to do than the one before, unless entries come in faster than they can be
folded; then only the lock ends it.
"""

OLD_READERS_MAY_TAKE = "1min"
"""How long dropping waits for transactions that read the tables that were swapped out."""

Progress = Callable[[int, int], None]
"""Called with the number of entries taken in, and how many there are."""

# What a migration or somebody else made in the schema, or on top of it, and a swap would lose.
OTHERS = """
    SELECT format('%%I.%%I', nspname, relname)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = 'projections' AND relkind IN ('r', 'p', 'f', 'v', 'm')
       AND relname <> ALL(%s)
     UNION
    SELECT format('%%I.%%I', view_schema.nspname, view.relname)
      FROM pg_depend
      JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid
      JOIN pg_class AS view ON view.oid = ev_class
      JOIN pg_namespace AS view_schema ON view_schema.oid = view.relnamespace
      JOIN pg_class AS read ON refclassid = 'pg_class'::regclass AND read.oid = refobjid
     WHERE read.relnamespace = 'projections'::regnamespace
     ORDER BY 1
"""

# What `LIKE … INCLUDING ALL` leaves out: who may do what.
GRANTS = """
    SELECT format('GRANT %s ON TABLE projections_next.%I TO %s%s', privilege_type, relname,
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
      FROM pg_class CROSS JOIN aclexplode(relacl)
     WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r'
     UNION ALL
    SELECT format('GRANT %s ON SCHEMA projections_next TO %s%s', privilege_type,
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
      FROM pg_namespace CROSS JOIN aclexplode(nspacl)
     WHERE nspname = 'projections'
"""

# `LIKE` would give the indexes other names, and a later migration could not find them by theirs.
# Besides, filling a table first and building its indexes then is faster.
INDEXES = """
    SELECT CASE WHEN conname IS NULL
           THEN replace(pg_get_indexdef(indexrelid), ' ON projections.', ' ON projections_next.')
           ELSE format('ALTER TABLE projections_next.%I ADD CONSTRAINT %I %s',
                       relname, conname, pg_get_constraintdef(pg_constraint.oid))
           END
      FROM pg_index
      JOIN pg_class ON pg_class.oid = indrelid
      LEFT JOIN pg_constraint ON conindid = indexrelid AND conrelid = indrelid
     WHERE relnamespace = 'projections'::regnamespace
     ORDER BY indexrelid
"""

# Nobody needs these after the swap, so what a crash would take of them needs no log.
TABLES_OF_FRESH = (
    "CREATE UNLOGGED TABLE projections_next.fresh_records (LIKE ledger.records)",
    "CREATE UNLOGGED TABLE projections_next.fresh_references (LIKE ledger.record_references)",
)
INDEXES_OF_FRESH = (
    "CREATE UNIQUE INDEX ON projections_next.fresh_records (kind, key)",
    "CREATE INDEX ON projections_next.fresh_references (kind, key)",
)

# Each table holds one kind, so its keys say which records.
DROP_ROWS = """
    DELETE FROM {} WHERE key IN (
        SELECT key FROM ledger.entries WHERE position > %s AND position <= %s AND kind = %s)
"""

DROP_NAMES = """
    DELETE FROM {} WHERE (kind, key) IN (
        SELECT kind, key FROM ledger.entries WHERE position > %s AND position <= %s)
"""

# Most often nothing differs, and then nothing is written.
ALIGN = (
    """
    DELETE FROM ledger.records WHERE NOT EXISTS (
        SELECT FROM projections_next.fresh_records AS fresh
         WHERE (fresh.kind, fresh.key) = (records.kind, records.key))
    """,
    """
    INSERT INTO ledger.records (kind, key, version, is_open)
    SELECT kind, key, version, is_open FROM projections_next.fresh_records
    EXCEPT SELECT kind, key, version, is_open FROM ledger.records
    ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version, is_open = excluded.is_open
    """,
    """
    DELETE FROM ledger.record_references AS stale WHERE NOT EXISTS (
        SELECT FROM projections_next.fresh_references AS fresh
         WHERE (fresh.kind, fresh.key, fresh.to_kind, fresh.to_key)
             = (stale.kind, stale.key, stale.to_kind, stale.to_key))
    """,
    """
    INSERT INTO ledger.record_references (kind, key, to_kind, to_key)
    SELECT kind, key, to_kind, to_key FROM projections_next.fresh_references
    EXCEPT SELECT kind, key, to_kind, to_key FROM ledger.record_references
    """,
    "DROP TABLE projections_next.fresh_records, projections_next.fresh_references",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What was done: the read models hold the log up to `position`.

    `caught_up` counts the entries recorded meanwhile. `old_dropped` is False if a transaction still
    reads the tables that were swapped out; the next rebuild drops them.
    """

    position: int
    caught_up: int
    old_dropped: bool

    @property
    def summary(self) -> str:
        """One line on what was done."""
        done = f"rebuilt from {counted(self.position, 'entry', 'entries')}"
        meanwhile = f", {self.caught_up:,} of them recorded meanwhile" if self.caught_up else ""
        if self.old_dropped:
            return f"{done}{meanwhile}"
        return f"{done}{meanwhile}; the old tables are still read, the next rebuild drops them"


def rebuild(
    url: str,
    tables: Sequence[Table[Any]],
    *,
    progress: Progress = lambda done, total: None,
) -> RebuildReport:
    """Fill every read model of the ledger at `url` anew, and swap them in.

    `tables` are all the two-time tables there are. Until the swap the live tables are untouched,
    and whatever cuts the rebuild short leaves them so. `Unusable` if the database can't be used, if
    another rebuild or a verification is under way, if the schema holds what a swap would lose, or
    if an entry can't be read.
    """
    taken = "the read models are being rebuilt or verified by another process: wait until it ends"
    with uncollected(), connect(url, OWNER) as connection, locked(connection, taken):
        try:
            return _rebuild(url, connection, tables, progress)
        except psycopg.OperationalError as error:
            raise Unusable(
                f"the rebuild was cut short: {one_line(error)}; run `secretariat rebuild` again"
            ) from error


@contextmanager
def locked(
    connection: AnyConnection, taken: str, *, shared: bool = False, key: int = REBUILDING
) -> Iterator[None]:
    """Keep rebuilds away, and unless `shared` verifications too; `Unusable` says `taken` if not.

    With the key `MIGRATING` it is migrations that are kept away.

    The lock is given back before the connection is closed, since the database notices a closed one
    only some time later, and whoever comes next would find the lock still taken.
    """
    form = "_shared" if shared else ""
    row = connection.execute(f"SELECT pg_try_advisory_lock{form}(%s)", [key]).fetchone()
    if row != (True,):
        raise Unusable(taken)
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.execute(f"SELECT pg_advisory_unlock{form}(%s)", [key])


def _rebuild(
    url: str, connection: AnyConnection, tables: Sequence[Table[Any]], progress: Progress
) -> RebuildReport:
    zone = settings.read(connection).home_zone
    names = [table.name for table in tables]
    _check_nothing_is_lost(connection, [*names, "rules"])
    for leftover in (NEXT, OLD):
        if not _drop(connection, leftover):
            raise Unusable(
                f"a transaction still reads {leftover}, which an earlier rebuild left: end that"
                " transaction and run `secretariat rebuild` again"
            )
    try:
        migration = _make_tables(connection, [*names, "rules"])
        rebuilding = _Rebuilding(url, connection, tables, zone, progress)
        first = rebuilding.fill()
        rebuilding.catch_up()
        position = _swap(connection, rebuilding, migration)
    except BaseException:
        with suppress(psycopg.Error):
            _drop(connection, NEXT)
        raise
    return RebuildReport(
        position=position, caught_up=position - first, old_dropped=_drop(connection, OLD)
    )


def _check_nothing_is_lost(connection: AnyConnection, names: list[str]) -> None:
    others = [name for (name,) in connection.execute(OTHERS, [names])]
    if others:
        raise Unusable(
            f"a rebuild would lose {', '.join(others)}, which this program does not fill: drop it"
            " first and make it again afterwards"
        )


def _drop(connection: AnyConnection, schema: str) -> bool:
    """Drop a schema that is not live, once nobody reads it; False if somebody goes on to."""
    try:
        with connection.transaction():
            connection.execute(
                "SELECT set_config('lock_timeout', %s, true)", [OLD_READERS_MAY_TAKE]
            )
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _make_tables(connection: AnyConnection, names: list[str]) -> int:
    """Make the empty tables, without indexes; return the number of the last migration.

    The runner of migrations is kept out meanwhile, so that all are made after the same one.
    """
    like = SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)")
    with connection.transaction():
        migration = _last_migration(connection)
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(NEXT)))
        for name in names:
            connection.execute(like.format(Identifier(NEXT, name), Identifier(SCHEMA, name)))
        for statement in TABLES_OF_FRESH:
            connection.execute(statement)
        for (grant,) in connection.execute(GRANTS).fetchall():
            connection.execute(grant.encode())
        connection.execute("INSERT INTO projections_next.rules (version) VALUES (%s)", [RULES])
    return migration


def _last_migration(connection: AnyConnection) -> int:
    """Keep migrations out until the transaction ends, and return the number of the last one."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATING])
    row = connection.execute("SELECT max(number) FROM ledger.migrations").fetchone()
    assert row is not None, "an aggregate has one row"
    return int(row[0])


class _Rebuilding:
    """Brings the next tables up to a position of the log."""

    def __init__(
        self,
        url: str,
        connection: AnyConnection,
        tables: Sequence[Table[Any]],
        zone: HomeZone,
        progress: Progress,
    ) -> None:
        self.position = 0
        self._url = url
        self._connection = connection
        self._tables = tables
        self._zone = zone
        self._filling = Filling(connection, tables, zone)
        self._progress = progress

    def fill(self) -> int:
        """Take in the whole log and build the indexes; return the position reached."""
        head = _head(self._connection)
        number = min(head // FEWEST_FOR_A_WORKER, os.cpu_count() or 1, MOST_WORKERS)
        if number > 1:
            done = workers.fill(self._url, self._tables, self._zone, head, number)
        else:
            [everything] = parts(1)
            done = self._filling.take_in(PART, everything, head)
        self._count(done, head)
        for (statement,) in self._connection.execute(INDEXES).fetchall():
            self._connection.execute(statement.encode())
        for statement in INDEXES_OF_FRESH:
            self._connection.execute(statement)
        self.position = head
        return head

    def catch_up(self) -> None:
        """Take in what was recorded meanwhile, until little is left for the lock holder."""
        for _ in range(MOST_ROUNDS):
            head = _head(self._connection)
            if head - self.position <= FEW:
                break
            with self._connection.transaction():
                self.catch_up_to(head)
        # New tables have no statistics, and without them the planner may scan where it should seek.
        for table in self._tables:
            self._connection.execute(SQL("ANALYZE {}").format(Identifier(NEXT, table.name)))

    def catch_up_to(self, position: int) -> None:
        """Write anew the records that have entries after the position reached, up to `position`."""
        span = (self.position, position)
        for table in self._tables:
            statement = SQL(DROP_ROWS).format(Identifier(NEXT, table.name))
            self._connection.execute(statement, [*span, table.kind.name])
        for fresh in FRESH:
            self._connection.execute(SQL(DROP_NAMES).format(Identifier(NEXT, fresh)), span)
        self._count(self._filling.take_in(CHANGED, span, position), position)
        self.position = position

    def _count(self, taken_in: Iterable[int], total: int) -> None:
        done = self.position
        for count in taken_in:
            done += count
            self._progress(min(done, total), total)


def _head(connection: AnyConnection) -> int:
    row = connection.execute("SELECT position FROM ledger.head").fetchone()
    assert row is not None, "the migration puts the one row there"
    return int(row[0])


def _swap(connection: AnyConnection, rebuilding: _Rebuilding, migration: int) -> int:
    """Under the log's lock take in the rest and rename the schemas; return the log's end."""
    rename = SQL("ALTER SCHEMA {} RENAME TO {}")
    with connection.transaction():
        # Before the log's lock, so that no writer waits while a migration is waited for.
        if _last_migration(connection) != migration:
            raise Unusable(
                "the database was migrated meanwhile, so the tables that were being filled are not"
                " those that are wanted now: run `secretariat rebuild` again"
            )
        head = store.lock_head(connection)
        rebuilding.catch_up_to(head.position)
        for statement in ALIGN:
            connection.execute(statement)
        connection.execute(rename.format(Identifier(SCHEMA), Identifier(OLD)))
        connection.execute(rename.format(Identifier(NEXT), Identifier(SCHEMA)))
    return head.position
