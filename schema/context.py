"""What a request works with: the connections, the home time zone, and how statements are run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import strawberry
from graphql import DocumentNode
from psycopg import AsyncConnection, AsyncCursor

from ledger.dates import HomeZone
from schema.statement import Row, Statement

Connection: TypeAlias = AsyncConnection[Row]


class Connections(Protocol):
    """Where a request's connection comes from: a server's pool, or one that a command opens."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for one request at a time."""


@dataclass(slots=True)
class Context:
    """One request's context. `statements` counts what was sent, for tests and for the log.

    `families` are those whose records the request may see; None means all. `document` is what was
    asked, once it is found valid; with `is_only_read` it is not executed then.
    """

    connections: Connections
    zone: HomeZone
    families: list[str] | None = None
    statements: int = 0
    document: DocumentNode | None = None
    is_only_read: bool = False

    async def run(self, statements: Sequence[Statement]) -> list[Any]:
        """Run statements pipelined on one connection; what each finishes into, in order."""
        if not statements:
            return []
        self.statements += len(statements)
        async with self.connections.connection() as connection:
            if len(statements) == 1:
                rows = [await (await _sent(connection, statements[0])).fetchall()]
            else:
                async with connection.pipeline():
                    cursors = [await _sent(connection, statement) for statement in statements]
                    rows = [await cursor.fetchall() for cursor in cursors]
        return [statement.finish(found) for statement, found in zip(statements, rows, strict=True)]


async def _sent(connection: Connection, statement: Statement) -> AsyncCursor[Row]:
    cursor = connection.cursor(binary=True)
    return await cursor.execute(statement.sql, statement.parameters)


Info: TypeAlias = strawberry.Info[Context, None]
