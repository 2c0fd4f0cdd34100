"""What somebody with the rights of a superuser might do to a ledger, and what verifying says."""

from __future__ import annotations

import re

import psycopg

from projections import REGISTRY, TABLES
from projections.verify import Report, verify
from tests.projections.register import ZONE

KAZ, MAIN, ANNULLED_ONE = 4, 12, 14
"""Positions of entries of the register: a state was admitted, an account opened, money received."""


def forge(url: str, *statements: str) -> None:
    """Do what nobody may, as a superuser for whom no trigger fires; each changes something."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor = connection.execute(statement.encode())
            assert cursor.rowcount != 0, f"nothing to forge by {statement}"


def errors(report: Report) -> list[tuple[str, str]]:
    found = [(p.where, p.what) for p in report.problems if p.severity == "error"]
    assert len(found) == report.errors
    assert report.sound == (not found)
    return found


def warnings(report: Report) -> list[tuple[str, str]]:
    found = [(p.where, p.what) for p in report.problems if p.severity == "warning"]
    assert len(found) == report.warnings
    return found


def assert_found(url: str, expected: list[tuple[str, str]]) -> None:
    """Each error is one of those expected (patterns of where and what), and each of them is found.

    Whether an error is found once or for several entries is not looked at.
    """
    found = errors(verify(url, REGISTRY, TABLES, ZONE))
    unmatched = [
        error for error in found if not any(_matches(error, pattern) for pattern in expected)
    ]
    unfound = [
        pattern for pattern in expected if not any(_matches(error, pattern) for error in found)
    ]
    assert (unmatched, unfound) == ([], [])


def _matches(error: tuple[str, str], pattern: tuple[str, str]) -> bool:
    where, what = pattern
    return bool(re.fullmatch(where, error[0]) and re.search(what, error[1]))


def altered(position: int, assignment: str) -> str:
    """A statement that alters an entry: `assignment` is `column = expression`."""
    return f"UPDATE ledger.entries SET {assignment} WHERE position = {position}"  # noqa: S608  # A test's own text.


def removed(position: int) -> str:
    """A statement that removes an entry."""
    return f"DELETE FROM ledger.entries WHERE position = {position}"  # noqa: S608  # The position is a number.


def reworded(position: int, column: str, was: str, is_: str) -> str:
    """A statement that replaces text in an entry's header or data; it changes no entry without."""
    text = f"convert_from({column}, 'UTF8')"
    changed = f"{column} = convert_to(replace({text}, '{was}', '{is_}'), 'UTF8')"
    return f"{altered(position, changed)} AND position('{was}' in {text}) > 0"
