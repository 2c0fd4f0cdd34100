"""Several statements in one trip: what goes there comes back, and what fails is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ledger.arrays import (
    Parameter,
    bigint,
    bigints,
    booleans,
    byteas,
    columns,
    moment,
    moments,
    text,
    texts,
    uuids,
)
from ledger.database import AnyConnection, connect
from ledger.trip import BEGIN, COMMIT, ROLLBACK, Trips

Form = Callable[[Iterable[Any]], Parameter]


@pytest.fixture
def connection(database: str) -> Iterator[AnyConnection]:
    """A connection to the test's database."""
    with connect(database) as connection:
        yield connection


@pytest.mark.parametrize(
    ("form", "type", "values"),
    [
        (texts, "text", ["", "a,b", '"{}\\', "Казахстан", None, "NULL", "line\nbreak"]),
        (bigints, "bigint", [0, -1, 2**63 - 1, -(2**63), None]),
        (byteas, "bytea", [b"", b"\x00\xff", None]),
        (uuids, "uuid", [UUID(int=0), UUID(int=2**128 - 1)]),
        (booleans, "boolean", [True, False]),
        (
            moments,
            "timestamptz",
            [
                datetime(1, 1, 1, tzinfo=UTC),
                datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            ],
        ),
        (texts, "text", []),
        (bigints, "bigint", [None]),
    ],
)
def test_an_array_comes_back(
    connection: AnyConnection, form: Form, type: str, values: list[Any]
) -> None:
    statement = f"SELECT * FROM unnest(%s::{type}[])"  # noqa: S608  # The types above.
    trips = Trips(connection)
    for _ in range(2):
        assert trips.make([(statement, [form(values)])]) == [[(value,) for value in values]]


def test_single_values_come_back(connection: AnyConnection) -> None:
    at = datetime(2023, 5, 12, 18, 0, 0, 1, tzinfo=UTC)
    [[row], [nothing]] = Trips(connection).make(
        [
            ("SELECT %s, %s, %s", [bigint(-5), text("это"), moment(at)]),
            ("SELECT %s, %s", [bigint(None), moment(None)]),
        ]
    )
    assert (row, nothing) == ((-5, "это", at), (None, None))


def test_rows_become_columns() -> None:
    assert columns([(1, "a"), (2, "b")], bigints, texts) == [bigints([1, 2]), texts(["a", "b"])]
    assert columns([], bigints, texts) == [bigints([]), texts([])]


def test_a_failure_ends_the_trip_and_not_the_connection(connection: AnyConnection) -> None:
    trips = Trips(connection)
    failing = [(BEGIN, ()), ("SELECT 1 / %s", [bigint(0)]), ("SELECT 1", ()), (COMMIT, ())]
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            trips.make(failing)
        assert trips.make([(ROLLBACK, ())]) == [[]]
    with pytest.raises(psycopg.errors.UndefinedTable):
        trips.make([("SELECT 2", ()), ("SELECT FROM nowhere", ())])
    assert trips.make([("SELECT 2", ()), ("SELECT 1 / %s", [bigint(1)])]) == [[(2,)], [(1,)]]


def test_more_than_the_network_holds_goes_and_comes(connection: AnyConnection) -> None:
    many = ["x" * 1_000] * 5_000
    statement = "SELECT * FROM unnest(%s::text[])"
    results = Trips(connection).make([(statement, [texts(many)])] * 3)
    assert [len(rows) for rows in results] == [5_000] * 3


def test_a_session_that_ends_says_why(connection: AnyConnection) -> None:
    trips = Trips(connection)
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        trips.make([("SET ROLE NONE", ()), ("SELECT pg_terminate_backend(pg_backend_pid())", ())])
    assert connection.closed
    with pytest.raises(psycopg.OperationalError):
        trips.make([("SELECT 1", ())])
