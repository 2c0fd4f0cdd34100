"""Folders of SQL files, and roles of a test's own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from migrations import roles
from tests.conftest import fresh_database

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files, each name with its text, and return their folder; the reason is put in front.

    So the first line of a text is the second one of its file.
    """

    def write_files(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.sql").write_text(f"-- A reason.\n{text}\n")
        return tmp_path

    return write_files


class Logins:
    """Makes login roles whose names nobody else has, on the server at `server_url`."""

    def __init__(self, server_url: str, suffix: str) -> None:
        self.server_url = server_url
        self.suffix = suffix
        self.password = secrets.token_hex()

    def run(self, statement: str, **names: str) -> None:
        """Run a statement as the server's superuser."""
        identifiers = {name: sql.Identifier(value) for name, value in names.items()}
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(**identifiers))

    def new(self, rights: str = "") -> str:
        """Create a login role that has only the `rights` given; return its name."""
        name = f"login_{secrets.token_hex(4)}_{self.suffix}"
        self.run(f"CREATE ROLE {{name}} LOGIN PASSWORD '{self.password}' {rights}", name=name)
        return name

    def address(self, url: str, login: str) -> str:
        """The database at `url` for that login."""
        return make_conninfo(url, user=login, password=self.password)


@pytest.fixture
def logins(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logins]:
    """Group roles under names of the test's own, not there yet, and logins to make them.

    Roles belong to the whole server, so that the real ones are there as soon as any test has run.
    Ask for it before a database, which must be gone before the roles that own its contents.
    """
    suffix = secrets.token_hex(6)
    monkeypatch.setattr(roles, "OWNER", f"owner_{suffix}")
    monkeypatch.setattr(roles, "SERVER", f"server_{suffix}")
    yield Logins(server_url, suffix)
    with psycopg.connect(server_url, autocommit=True) as connection:
        # The logins come last, since they may be the ones who granted the group roles.
        found = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY rolname LIKE 'login%%'",
            [f"%{suffix}"],
        ).fetchall()
        for (name,) in found:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def blank(logins: Logins, empty_database: str) -> str:
    """The URL of an empty database on a server that has not the test's group roles either."""
    assert roles.OWNER.endswith(logins.suffix)
    return empty_database


@pytest.fixture
def second_database(logins: Logins) -> Iterator[str]:
    """The URL of another empty database on the same server."""
    with fresh_database(logins.server_url, template="template1") as url:
        yield url


def wait_for(url: str, lock_type: str, *, other_than: int = 0) -> int:
    """Wait until a session of the database at `url` waits for a lock of a type; return its pid."""
    until = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            waiting = connection.execute(
                "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
                " AND datname = current_database() AND locktype = %s AND pid <> %s",
                [lock_type, other_than],
            ).fetchone()
            if waiting is not None:
                return int(waiting[0])
            time.sleep(0.01)
    raise AssertionError(f"nobody waits for a lock of the type {lock_type}")
