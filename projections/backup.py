"""Backing up: the whole ledger as of one moment, in one file, with what it must be again.

The manifest is read, and pg_dump reads, in one snapshot. Recording goes on meanwhile; rebuilds and
migrations wait, since what they do to tables shows in no snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from ledger import backup_file, dump, durable, settings, tree_head
from ledger.backup_file import Manifest
from ledger.counts import counted
from ledger.database import AnyConnection, connect, one_line
from ledger.dates import format_moment
from ledger.refusal import Unusable
from migrations import SchemaBehind, check
from projections import rules
from projections.rebuild import MIGRATING, locked

LAST_MIGRATION = "SELECT max(number) FROM ledger.migrations"

Progress = Callable[[int], None]
"""Called with the number of kilobytes written; how many there will be, nobody knows."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was backed up, and where to."""

    file: Path
    manifest: Manifest

    @property
    def summary(self) -> str:
        """One line on what was done."""
        size = counted(self.manifest.size, "entry", "entries")
        return f"backed up {size} to {self.file}: root {self.manifest.root_hash}"


def backup(
    url: str, file: Path, *, program: str, overwrite: bool, progress: Progress
) -> BackupReport:
    """Write the ledger at `url` to `file`; `program` is this one's version.

    A ledger of an older schema is backed up as it is. `Unusable` if the file exists and is not to
    be overwritten, if the ledger can't be dumped, or if its log has gaps.
    """
    durable.refuse_taken(file, overwrite=overwrite)
    rebuilding = "the read models are being rebuilt: wait until that ends"
    migrating = "the database is being migrated: wait until that ends"
    with (
        # Its transaction lasts for as long as pg_dump takes.
        connect(url, idle_in_transaction_session_timeout="0") as connection,
        locked(connection, rebuilding, shared=True),
        locked(connection, migrating, shared=True, key=MIGRATING),
    ):
        with suppress(SchemaBehind):
            check(connection)
        pg_dump = dump.pg_dump_for(connection.info.server_version // 10_000)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            with connection.transaction():
                manifest = _manifest(connection, program)
                row = connection.execute("SELECT pg_export_snapshot()").fetchone()
                assert row is not None, "a SELECT without FROM has one row"
                with closing(dump.dumped(pg_dump, url, row[0])) as pieces:
                    counting = _counted(pieces, connection, progress)
                    written = backup_file.write(file, counting, manifest, overwrite=overwrite)
        except psycopg.OperationalError as error:
            raise Unusable(f"the backup was cut short: {one_line(error)}; run it again") from error
    return BackupReport(file, written)


def _manifest(connection: AnyConnection, program: str) -> Manifest:
    kept = settings.read(connection)
    head = tree_head.read(connection)
    row = connection.execute(LAST_MIGRATION).fetchone()
    assert row is not None, "an aggregate has one row"
    return Manifest(
        created_at=format_moment(datetime.now(UTC)),
        program=program,
        postgresql=connection.info.parameter_status("server_version") or "",
        name=kept.name,
        home_zone=kept.home_zone.name,
        migration=row[0],
        rules=rules.filled_by(connection),
        size=head.size,
        root_hash=head.root_hash.hex(),
        last_leaf_hash=None if head.last_leaf_hash is None else head.last_leaf_hash.hex(),
    )


def _counted(
    pieces: Iterable[bytes], connection: AnyConnection, progress: Progress
) -> Iterator[bytes]:
    """The pieces; fails at their end if the connection, with its snapshot and locks, was lost."""
    written = 0
    for piece in pieces:
        yield piece
        written += len(piece)
        progress(written // 1024)
    connection.execute("SELECT")
