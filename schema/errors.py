"""Errors as clients may see them: a mistake keeps its message, a bug and an outage don't."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import psycopg
import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext

from ledger.database import is_gone, one_line
from ledger.refusal import Refused

logger = logging.getLogger(__name__)

INTERNAL = "INTERNAL"
"""The code, in an error's `extensions`, of a bug of ours."""

UNAVAILABLE = "UNAVAILABLE"
"""The code of an error that goes away by itself: the same request can be sent again."""

TIMEOUT = "TIMEOUT"
"""The code of an error that a smaller request does not have."""

# The first characters of the states of a server that lacks something: connections, memory, room.
_OUT_OF_RESOURCES = "53"


class Schema(strawberry.Schema):
    """A schema whose errors tell a client what it did wrong, and nothing about the server."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log what is not the client's mistake, and put what it may see in its place."""
        errors[:] = [_for_clients(error) for error in errors]


def is_internal(error: GraphQLError) -> bool:
    """Whether an error that a client sees stands for a bug of ours."""
    return error.extensions is not None and error.extensions.get("code") == INTERNAL


def report_bug(error: BaseException, where: str) -> None:
    """Log where an unexpected error came from; never its message, which may quote a record."""
    logger.error(
        "internal error in %s: %s\n%s", where, _names(error), "".join(_frames(error)).rstrip()
    )


def _for_clients(error: GraphQLError) -> GraphQLError:
    cause = error.original_error
    match cause:
        case None | GraphQLError() | Refused():
            return error
        case RecursionError():
            return _instead_of(error, "the document is nested too deeply")
        case psycopg.errors.QueryCanceled():
            logger.warning("a query took too long: %s", _path(error))
            return _instead_of(
                error, "the query took too long: ask for fewer records, or less of each", TIMEOUT
            )
        case psycopg.errors.SerializationFailure():
            # Only a replica does this to a reader: what it has to replay would remove rows that
            # the query may still want to see.
            logger.warning("a replica gave up a query to keep up: %s", _path(error))
            return _instead_of(
                error, "the replica gave up this query to keep up: ask again", UNAVAILABLE
            )
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            logger.warning("the database gave up a query: %s", one_line(cause))
            return _instead_of(error, "the database gave up this query: ask again", UNAVAILABLE)
        case psycopg.OperationalError() if _is_outage(cause):
            logger.warning("the ledger's database can't be reached: %s", one_line(cause))
            return _instead_of(
                error, "the ledger's database can't be reached: try again later", UNAVAILABLE
            )
    report_bug(cause, _path(error))
    return _instead_of(error, "internal error", INTERNAL)


def _instead_of(error: GraphQLError, message: str, code: str | None = None) -> GraphQLError:
    extensions = None if code is None else {"code": code}
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)


def _is_outage(error: psycopg.OperationalError) -> bool:
    return is_gone(error) or (error.sqlstate or "").startswith(_OUT_OF_RESOURCES)


def _path(error: GraphQLError) -> str:
    return ".".join(map(str, error.path)) if error.path else "the operation"


def _names(error: BaseException) -> str:
    """The names of an error's class and of those that it was raised from."""
    names = [f"{type(each).__module__}.{type(each).__qualname__}" for each in _chain(error)]
    return ", from ".join(names)


def _frames(error: BaseException) -> Iterator[str]:
    for each in reversed(list(_chain(error))):
        yield from traceback.format_tb(each.__traceback__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__
