"""What a client sees of an error, by what the error came from."""

from __future__ import annotations

import logging

import psycopg
import pytest
from graphql import GraphQLError
from psycopg import errors
from psycopg_pool import PoolTimeout

from ledger.refusal import Malformed, Unusable
from schema import schema

NAME = "Zhang Ling"
UNREACHABLE = "the ledger's database can't be reached: try again later"


def shown(cause: Exception | None) -> GraphQLError:
    """What becomes of an error that `cause` brought about in a field."""
    found = [GraphQLError("as it was", path=["ledger"], original_error=cause)]
    schema.process_errors(found)
    (error,) = found
    assert error.path == ["ledger"]
    return error


@pytest.mark.parametrize("cause", [None, GraphQLError("as it was"), Malformed("as it was")])
def test_a_mistake_keeps_its_message(
    cause: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert shown(cause).message == "as it was"
    assert caplog.records == []


def test_what_is_nested_too_deeply_is_a_mistake(caplog: pytest.LogCaptureFixture) -> None:
    assert shown(RecursionError(NAME)).message == "the document is nested too deeply"
    assert caplog.records == []


def test_what_takes_too_long_can_be_asked_for_in_parts(caplog: pytest.LogCaptureFixture) -> None:
    error = shown(errors.QueryCanceled(NAME))
    assert error.message == "the query took too long: ask for fewer records, or less of each"
    assert error.extensions == {"code": "TIMEOUT"}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert NAME not in record.getMessage()


def test_what_a_replica_gave_up_can_be_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    error = shown(errors.SerializationFailure(NAME))
    assert error.message == "the replica gave up this query to keep up: ask again"
    assert error.extensions == {"code": "UNAVAILABLE"}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert NAME not in record.getMessage()


@pytest.mark.parametrize("cause", [errors.LockNotAvailable(NAME), errors.DeadlockDetected(NAME)])
def test_what_the_database_gave_up_can_be_asked_again(
    cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    error = shown(cause)
    assert error.message == "the database gave up this query: ask again"
    assert error.extensions == {"code": "UNAVAILABLE"}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.OperationalError("the connection is closed"),
        PoolTimeout("no connection"),
        errors.AdminShutdown("terminating"),
        errors.CannotConnectNow("starting up"),
        errors.TooManyConnections("too many"),
    ],
)
def test_an_outage_is_told_and_warned_of_in_one_line(
    cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert shown(cause).message == UNREACHABLE
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert len(record.getMessage().splitlines()) == 1


@pytest.mark.parametrize(
    "cause",
    [
        RuntimeError(NAME),
        Unusable(NAME),
        errors.InvalidTextRepresentation(NAME),
    ],
)
def test_anything_else_is_a_bug_that_is_logged_without_its_message(
    cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    cause.__cause__ = ValueError(NAME)
    assert shown(cause).message == "internal error"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"{type(cause).__name__}, from builtins.ValueError" in record.getMessage()
    assert NAME not in record.getMessage()
