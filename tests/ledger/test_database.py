"""What is said of what went wrong with a database."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from ledger.database import complaint, one_line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            errors.InsufficientPrivilege("permission denied for table entries"),
            "the database refuses this: permission denied for table entries; ask who may grant it",
        ),
        (
            errors.DiskFull("could not extend file"),
            (
                "the database's disk is full: could not extend file; nothing was changed: make"
                " room, then try again"
            ),
        ),
        (
            psycopg.OperationalError("server closed the connection unexpectedly\n\tThis probably"),
            (
                "the database is gone: server closed the connection unexpectedly This probably; try"
                " again when it is back"
            ),
        ),
        (
            errors.AdminShutdown("terminating connection due to administrator command"),
            (
                "the database is gone: terminating connection due to administrator command; try"
                " again when it is back"
            ),
        ),
        (
            errors.DeadlockDetected("deadlock detected"),
            "the database gave up a statement: deadlock detected; try again",
        ),
    ],
)
def test_a_failure_is_told_with_what_to_do(
    error: psycopg.OperationalError | errors.InsufficientPrivilege, told: str
) -> None:
    assert complaint(error) == told


def test_what_the_server_said_is_told_without_our_statement(database: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(errors.UndefinedTable) as caught:
        connection.execute("SELECT FROM nowhere")
    assert "LINE 1" in str(caught.value)
    assert one_line(caught.value) == 'relation "nowhere" does not exist'


def test_what_says_nothing_is_named() -> None:
    assert one_line(KeyError()) == "KeyError"
