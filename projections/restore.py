"""Restoring a backup into an empty database: all of it, as its manifest says, or nothing.

The SQL is run here and not by psql, in one transaction with the comparison that ends it: so
whatever is found wrong, and however it is cut short, the database is as empty as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

import psycopg
from psycopg.sql import SQL, Identifier

from ledger import settings, tree_head
from ledger.backup_file import BackupFile, Manifest
from ledger.counts import counted
from ledger.database import OWNER, AnyConnection, one_line
from ledger.refusal import Unusable
from migrations import SchemaBehind, check, migrate, roles, runner, session
from migrations.files import read_files, split
from projections import RULES, rules

# Whatever somebody made, less what belongs to an extension: managed servers come with some.
CONTENTS = """
    SELECT format('%I.%I', nspname, relname)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_toast%'
       AND nspname NOT LIKE 'pg\\_temp%'
       AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                          AND deptype = 'e')
     UNION
    SELECT format('the schema %I', nspname)
      FROM pg_namespace WHERE nspname IN ('ledger', 'projections')
     ORDER BY 1 LIMIT 1
"""

TABLES = """
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('ledger', 'projections')
"""

# Programs of PostgreSQL 17 and later set it, and older servers don't know it.
_UNKNOWN_BEFORE_17 = "SET transaction_timeout"

# How the program that wrote the SQL and psql agree on what is a command of psql's.
_FOR_PSQL = (rb"\restrict ", rb"\unrestrict ")

_END_OF_ROWS = b"\\.\n"

PIECE_LINES = 512

Progress = Callable[[int, int], None]
"""Called with the number of kilobytes done, and how many there are."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored, and which migrations were applied to it."""

    manifest: Manifest
    migrated: int

    @property
    def summary(self) -> str:
        """One line on what was done, and on what is left to do."""
        kept = self.manifest
        size = counted(kept.size, "entry", "entries")
        done = f"restored {size} as of {kept.created_at}: root {kept.root_hash}, as in the manifest"
        if self.migrated:
            done += f"; {counted(self.migrated, 'migration')} applied"
        if kept.rules not in {RULES, None}:
            done += "; other rules filled the read models: run `secretariat rebuild`"
        return done


def check_backup(backup: BackupFile, progress: Progress) -> None:
    """Read the whole file before anything is touched; `Unusable` if it can't be restored here."""
    manifest = backup.manifest
    newest = read_files(runner.FOLDER)[-1]
    if manifest.migration > newest.number:
        raise Unusable(
            f"this backup's schema has migration {manifest.migration:04} (program"
            f" {manifest.program}), while this program's last one is {newest.name}:"
            " restore it with a newer version of the program"
        )
    backup.check(progress)


def restore(url: str, backup: BackupFile, progress: Progress) -> RestoreReport:
    """Restore into the empty database at `url` a backup that was checked, and migrate it.

    `Unusable` if the database holds anything, or if what was restored is not what the manifest
    says; then nothing is kept.
    """
    manifest = backup.manifest
    with session.connect(url) as connection:
        _refuse_older(connection, manifest)
        session.take_runner_lock(connection)
        refuse_unless_empty(connection)
        roles.prepare_roles(connection)
        try:
            with session.acting_as(connection, OWNER):
                _play(connection, backup.lines(progress))
                _compare(connection, manifest)
        except psycopg.Error as error:
            raise Unusable(
                f"the backup could not be restored, and nothing of it was kept: {one_line(error)}"
            ) from error
    return RestoreReport(manifest, len(migrate(url)))


def is_not_empty(url: str) -> bool:
    """Whether there is anything in a database, so that nothing is restored into it."""
    with session.connect(url) as connection:
        return connection.execute(CONTENTS).fetchone() is not None


def refuse_unless_empty(connection: AnyConnection) -> None:
    """Raise `Unusable` if there is anything in the database."""
    found = connection.execute(CONTENTS).fetchone()
    if found is not None:
        raise Unusable(
            f"{session.where(connection)} is not empty (it has {found[0]}), and a backup is only"
            " restored into an empty one: name a new folder with --data, or a new database with"
            " --database"
        )


def _refuse_older(connection: AnyConnection, manifest: Manifest) -> None:
    theirs = int(manifest.postgresql.split(".")[0])
    ours = connection.info.server_version // 10_000
    if ours < theirs:
        raise Unusable(
            f"{session.where(connection)} is PostgreSQL {ours}, and the backup was taken from"
            f" PostgreSQL {theirs}: restore it into PostgreSQL {theirs} or later"
        )


def _play(connection: AnyConnection, lines: Iterator[bytes]) -> None:
    """Run what pg_dump wrote: statements, and between them the rows of one table after another."""
    statements: list[bytes] = []
    for line in lines:
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            _execute(connection, b"".join(statements))
            statements.clear()
            _copy(connection, line, lines)
        elif not line.startswith(_FOR_PSQL):
            statements.append(line)
    _execute(connection, b"".join(statements))


def _execute(connection: AnyConnection, text: bytes) -> None:
    is_old = connection.info.server_version < 17_00_00
    for statement in split(text.decode()):
        if not (is_old and statement.text.startswith(_UNKNOWN_BEFORE_17)):
            connection.execute(statement.text.encode())


def _copy(connection: AnyConnection, line: bytes, lines: Iterator[bytes]) -> None:
    rows = takewhile(lambda row: row != _END_OF_ROWS, lines)
    with connection.cursor() as cursor, cursor.copy(line.rstrip(b";\n")) as copy:
        while piece := b"".join(row for row, _ in zip(rows, range(PIECE_LINES), strict=False)):
            copy.write(piece)


def _compare(connection: AnyConnection, manifest: Manifest) -> None:
    """Hold what is in the database now to the manifest."""
    with suppress(SchemaBehind):
        check(connection)
    head = tree_head.read(connection)
    kept = settings.read(connection)
    last = None if head.last_leaf_hash is None else head.last_leaf_hash.hex()
    for what, is_, should in (
        ("number of entries", head.size, manifest.size),
        ("last entry's hash", last, manifest.last_leaf_hash),
        ("root hash", head.root_hash.hex(), manifest.root_hash),
        ("home time zone", kept.home_zone.name, manifest.home_zone),
        ("read models' rules", rules.filled_by(connection), manifest.rules),
    ):
        if is_ != should:
            raise Unusable(
                f"the backup is not what its manifest says, and nothing of it was kept: its {what}"
                f" should be {should}, and is {is_}; restore another one"
            )
    for schema, table in connection.execute(TABLES).fetchall():
        # Without statistics the planner may scan where it should seek.
        connection.execute(SQL("ANALYZE {}").format(Identifier(schema, table)))
