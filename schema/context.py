"""What a request works with: the pool, the home time zone, and how statements are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from ledger.dates import HomeZone
from schema.plan import Statement

Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]


@dataclass(slots=True)
class Context:
    """One request's context. `statements` counts what was sent, for tests and for the log."""

    pool: Pool
    zone: HomeZone
    statements: int = 0

    async def run(self, statements: Sequence[Statement]) -> list[Any]:
        """Run statements pipelined on one connection; what each finishes into, in order."""
        self.statements += len(statements)
        async with self.pool.connection() as connection:
            if len(statements) == 1:
                return [await _fetch(connection, statements[0])]
            async with connection.pipeline():
                cursors = []
                for statement in statements:
                    cursor = connection.cursor(binary=True)
                    await cursor.execute(statement.sql, statement.parameters)
                    cursors.append(cursor)
                rows = [await cursor.fetchall() for cursor in cursors]
        return [
            statement.finish(found) for statement, found in zip(statements, rows, strict=True)
        ]


async def _fetch(connection: AsyncConnection[tuple[Any, ...]], statement: Statement) -> Any:
    cursor = connection.cursor(binary=True)
    await cursor.execute(statement.sql, statement.parameters)
    return statement.finish(await cursor.fetchall())


Info: TypeAlias = strawberry.Info[Context, None]
