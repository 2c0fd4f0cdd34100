"""The runner's connection: what it needs of a server, one runner at a time, its settings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from migrations.refusal import DatabaseUnusable, MigrationFailed

OLDEST_SERVER = 15_00_00
"""PostgreSQL's oldest release that is known to do, as libpq writes a release: 150004 is 15.4."""

LOCK_TIMEOUT = "5s"
"""How long a statement waits for a table.

Whoever comes after a waiting ALTER TABLE waits with it, readers too. The ledger's own transactions
take milliseconds; so five seconds are enough unless something long is under way, and then giving up
costs less than holding up everybody until it ends.
"""

STATEMENT_TIMEOUT = "10min"
"""How long a statement runs, or a runner waits for another one.

Far more than building an index over a few million entries takes, and an end to a mistake that would
hold its locks for ever.
"""

_SET = """
    SELECT set_config('role', %s, true),
           set_config('search_path', 'ledger, projections', true),
           set_config('timezone', 'UTC', true),
           set_config('lock_timeout', %s, true),
           set_config('statement_timeout', %s, true)
"""

_RUNNER_LOCK = int.from_bytes(b"secretar")
"""The key of the advisory lock: a number that no other program takes by chance."""


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection as the URL's login role, in autocommit mode, with the runner's lock not taken.

    Raises DatabaseUnusable.
    """
    try:
        given = conninfo_to_dict(url)
    except (psycopg.ProgrammingError, UnicodeError):
        # The driver's message repeats parts of the URL, and so perhaps the password.
        raise DatabaseUnusable(
            "the database's address cannot be read; write it like"
            " postgresql://user@host:5432/name, with special characters percent-encoded"
        ) from None
    # A firewall that drops packets would otherwise keep the user waiting for minutes.
    address = make_conninfo("", **{"connect_timeout": 10, **given, "client_encoding": "utf8"})
    try:
        connection = psycopg.connect(address, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnusable(
            f"the database cannot be reached: {error}; check its address and that it runs"
        ) from error
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        place = where(connection)
        connection.close()
        raise DatabaseUnusable(
            f"{place}: PostgreSQL {_release(version)} is too old;"
            f" use PostgreSQL {_release(OLDEST_SERVER)} or newer"
        )
    return connection


def _release(version: int) -> str:
    major, minor = divmod(version, 10_000)
    return f"{major}.{minor}" if minor else str(major)


def where(connection: psycopg.Connection[Any]) -> str:
    """The database, as a message names it."""
    return f"database {connection.info.dbname} on {connection.info.host}"


def take_runner_lock(connection: psycopg.Connection[Any]) -> None:
    """Wait until no other runner works on this database; raises MigrationFailed.

    Two servers that are started together both find the same files missing. Without the lock, the
    slower one would fail on tables that the faster one has just made; with it, it finds nothing
    left to do. The lock belongs to the session and not to a transaction, since each file has a
    transaction of its own; PostgreSQL gives it up when the connection ends, however it ends.
    """
    try:
        with acting_as(connection, "none"):
            # Another runner is waited for as long as one of its statements may take.
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SELECT pg_advisory_lock(%s)", [_RUNNER_LOCK])
    except psycopg.errors.QueryCanceled as error:
        raise MigrationFailed(
            f"{where(connection)}: another process has been migrating it for {STATEMENT_TIMEOUT};"
            " wait until that ends, and run again"
        ) from error


@contextmanager
def acting_as(connection: psycopg.Connection[Any], role: str) -> Generator[None]:
    """One transaction in `role` ("none" is the login role itself), with the runner's settings.

    Whatever an earlier file has set for the session is undone first, so that a file does the same
    in a run of its own as in a run of many.
    """
    with connection.transaction():
        connection.execute("RESET ALL")
        connection.execute(_SET, [role, LOCK_TIMEOUT, STATEMENT_TIMEOUT])
        yield
