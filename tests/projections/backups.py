"""What the tests of backing up and of restoring share."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from ledger import backup_file
from ledger.backup_file import Manifest
from projections.backup import backup
from projections.restore import RestoreReport, check_backup, restore

TABLES = """
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN
        ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""


def silent(*counts: int) -> None:
    """Progress that nobody looks at."""


def backed_up(url: str, file: Path) -> Manifest:
    """Back the ledger at `url` up to a file."""
    return backup(url, file, program="0.1.0", overwrite=False, progress=silent).manifest


def restored(url: str, file: Path, progress: Callable[[int, int], None] = silent) -> RestoreReport:
    """Restore a file into the database at `url`, as the command does."""
    with backup_file.opened(file) as saved:
        check_backup(saved, silent)
        return restore(url, saved, progress)


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text, in which bytes are digits."""
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{table}": [
                str(row)
                for (row,) in connection.execute(
                    sql.SQL("SELECT each::text FROM {} AS each ORDER BY 1").format(
                        sql.Identifier(schema, table)
                    )
                )
            ]
            for schema, table in connection.execute(TABLES).fetchall()
        }


def manifest_of(file: Path) -> Manifest:
    """The manifest of a backup."""
    with backup_file.opened(file) as saved:
        return saved.manifest


def forged(file: Path, target: Path, old: bytes, new: bytes, manifest: Manifest) -> Path:
    """A backup as somebody makes it who knows how: with other SQL, and hashes that are right."""
    with backup_file.opened(file) as saved:
        text = b"".join(saved.lines(silent))
    assert old in text
    content = gzip.compress(text.replace(old, new, 1), compresslevel=1)
    backup_file.write(target, [content], manifest, overwrite=False)
    return target
