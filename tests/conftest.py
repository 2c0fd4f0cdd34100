"""Databases for the tests: one server a session, one database a test.

The server is the embedded one, started in a temporary folder; or, if the environment has
SECRETARIAT_TEST_DATABASE, the one at that URL, whose login role must be a superuser.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ledger import embedded
from ledger.embedded_program import binaries, major_version
from migrations import migrate

# A shell has what it runs in the background ignore this, as would the programs that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOM = 4 * 2**30
"""In bytes; more than all the tests' databases and their logs have ever taken."""

_URL = re.compile(r"(?P<server>postgres(?:ql)?://[^/?]*)(?:/[^?]*)?(?P<parameters>\?.*)?")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a database on the server that the tests use, as a superuser."""
    given = os.environ.get("SECRETARIAT_TEST_DATABASE")
    if given:
        yield given
        return
    # Not under pytest's own folders: those are closed to the account that root starts servers as.
    with (
        tempfile.TemporaryDirectory(prefix="secretariat-", dir=_in_memory()) as folder,
        embedded.start(Path(folder)) as server,
    ):
        yield server.url


def _in_memory() -> str | None:
    """A folder in memory, where an fsync costs nothing; None if there is none with enough room."""
    folder = Path("/dev/shm")  # noqa: S108 - files of a folder of our own in it
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return None
    return str(folder) if shutil.disk_usage(folder).free >= ROOM else None


@pytest.fixture
def empty_database(server_url: str) -> Iterator[str]:
    """The URL of a database of the test's own, without anything in it."""
    with fresh_database(server_url, template="template1") as url:
        yield url


@pytest.fixture
def empty_database_as_new(empty_database: str) -> str:
    """As `empty_database`, on a server that takes what the embedded one of other tests dumped."""
    with psycopg.connect(empty_database) as connection:
        theirs = connection.info.server_version // 10_000
    # What a pg_dump writes is read by its own version and later ones, and so is a backup.
    if theirs < int(major_version(binaries())):
        pytest.skip(f"what the embedded PostgreSQL dumped is not restored into PostgreSQL {theirs}")
    return empty_database


@pytest.fixture(scope="session")
def migrated_template(server_url: str) -> Iterator[str]:
    """The URL of a database with all migrations applied, to be copied and left alone."""
    with fresh_database(server_url, template="template1") as url:
        migrate(url)
        yield url


@pytest.fixture
def database(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database of the test's own, with all migrations applied."""
    template = str(conninfo_to_dict(migrated_template)["dbname"])
    with fresh_database(server_url, template=template) as url:
        # A copy has everything but the grants on the database itself, which this makes anew.
        migrate(url)
        yield url


@contextmanager
def fresh_database(server_url: str, *, template: str) -> Generator[str]:
    """A database of a random name, copied from `template`, until the block ends."""
    name = f"test_{secrets.token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield _with_database(server_url, name)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(drop.format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    # urllib takes the two slashes of an empty host away, which libpq needs.
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError(f"SECRETARIAT_TEST_DATABASE is not like postgresql://…: {url}")
    return f"{parts['server']}/{name}{parts['parameters'] or ''}"
