"""Applies the numbered SQL files to a database, and compares a database with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from migrations import roles, session
from migrations.files import MigrationFile, Statement, read_files
from migrations.refusal import (
    ChecksumDiffers,
    MigrationFailed,
    RolesMissing,
    SchemaBehind,
    SchemaTooNew,
)

FOLDER = Path(__file__).parent
"""The folder of the ledger's own SQL files."""

RUNNER_VERSION = 1
"""Recorded with each file. It is raised whenever the way in which files are run changes, so that
of any database it can be told how it came about."""

_CREATE_RECORDS = sql.SQL("""
    CREATE TABLE IF NOT EXISTS ledger.migrations (
        number     integer     PRIMARY KEY CHECK (number > 0),
        name       text        NOT NULL UNIQUE,
        sha256     text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{{64}}$'),
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        runner     integer     NOT NULL
    );
    GRANT SELECT ON ledger.migrations TO {server};
""")
_SELECT_RECORDS = "SELECT number, name, sha256, applied_at FROM ledger.migrations ORDER BY number"
_INSERT_RECORD = """
    INSERT INTO ledger.migrations (number, name, sha256, runner) VALUES (%s, %s, %s, %s)
"""


@dataclass(frozen=True)
class _Record:
    number: int
    name: str
    sha256: str
    applied_at: datetime


def migrate(url: str, *, folder: Path | None = None) -> list[str]:
    """Apply to the database at `url` the files that it lacks; return their names, in order.

    `url` names the login role that does it; `folder` holds the files, by default the ledger's own.
    Safe to call from several processes at once and to call again. Raises a MigrationError of any
    kind but SchemaBehind; then the files before the one that failed are applied, and nothing of it.
    """
    files = read_files(folder or FOLDER)
    with session.connect(url) as connection:
        try:
            session.take_runner_lock(connection)
            roles.prepare(connection)
            with session.acting_as(connection, roles.OWNER):
                connection.execute(_CREATE_RECORDS.format(server=sql.Identifier(roles.SERVER)))
                recorded = _recorded(connection)
            pending = _pending(connection, recorded, files)
            for file in pending:
                _apply(connection, file)
        except psycopg.Error as error:
            raise MigrationFailed(
                f"{session.where(connection)}: {error}; remove the cause and run again"
            ) from error
    return [file.name for file in pending]


def check(connection: psycopg.Connection[Any], *, folder: Path | None = None) -> None:
    """Return only if the connection's database has exactly the migrations of this code.

    `folder` is as for `migrate`. Changes nothing, and leaves no transaction open that was not open
    before. Raises SchemaBehind, SchemaTooNew or ChecksumDiffers; RolesMissing if the connection's
    role may not read the record of migrations.
    """
    files = read_files(folder or FOLDER)
    try:
        with connection.transaction():
            recorded = _recorded(connection)
    except psycopg.errors.UndefinedTable:
        recorded = []
    except psycopg.errors.InsufficientPrivilege as error:
        raise RolesMissing(
            f"{session.where(connection)}: the connection's role may not read ledger.migrations;"
            f" connect as a member of {roles.SERVER}"
        ) from error
    pending = _pending(connection, recorded, files)
    if pending:
        raise SchemaBehind(
            f"{session.where(connection)} lacks {', '.join(file.name for file in pending)};"
            " migrate it first"
        )


def _recorded(connection: psycopg.Connection[Any]) -> list[_Record]:
    with connection.cursor(row_factory=class_row(_Record)) as cursor:
        return cursor.execute(_SELECT_RECORDS).fetchall()


def _pending(
    connection: psycopg.Connection[Any], recorded: list[_Record], files: list[MigrationFile]
) -> list[MigrationFile]:
    """The files that are not recorded, once it is certain that the others are the recorded ones."""
    if len(recorded) > len(files):
        raise SchemaTooNew(
            f"{session.where(connection)} has {recorded[len(files)].name},"
            f" while this program's last migration is {files[-1].name};"
            " use the program's newer version"
        )
    for record, file in zip(recorded, files, strict=False):
        if (record.number, record.name, record.sha256) != (file.number, file.name, file.sha256):
            raise ChecksumDiffers(
                f"{session.where(connection)}: {file.name} (SHA-256 {file.sha256[:12]}…) is not"
                f" what was applied on {record.applied_at:%Y-%m-%d} as {record.name}"
                f" (SHA-256 {record.sha256[:12]}…); restore that file,"
                " and write what is new into a new one"
            )
    return files[len(recorded) :]


def _apply(connection: psycopg.Connection[Any], file: MigrationFile) -> None:
    running: Statement | None = None
    try:
        with session.acting_as(connection, roles.OWNER):
            for running in file.statements:
                connection.execute(running.text.encode())
            running = None
            connection.execute(
                _INSERT_RECORD, [file.number, file.name, file.sha256, RUNNER_VERSION]
            )
    except psycopg.Error as error:
        raise MigrationFailed(
            f"{session.where(connection)}: {_place(file, running, error)}: {_said(error)};"
            f" {_advice(connection, error)}"
        ) from error


def _place(file: MigrationFile, running: Statement | None, error: psycopg.Error) -> str:
    # A constraint that is deferred to the transaction's end fails when no statement runs.
    if running is None:
        return f"{file.name}, at its end"
    position = error.diag.statement_position
    offset = running.offset + (int(position) - 1 if position else 0)
    return f"{file.name}, line {file.line(offset)}"


def _said(error: psycopg.Error) -> str:
    diag = error.diag
    if diag.message_primary is None:
        return str(error)
    parts = [diag.message_primary]
    if diag.message_detail:
        parts.append(diag.message_detail)
    if diag.message_hint:
        parts.append(diag.message_hint)
    return " — ".join(parts)


def _advice(connection: psycopg.Connection[Any], error: psycopg.Error) -> str:
    if connection.broken:
        return "the connection is lost; run again when the database is back"
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return "nothing of this file is kept; stop what else uses the table and run again"
    return "nothing of this file is kept; remove the cause and run again"
