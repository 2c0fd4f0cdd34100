"""Documents executed in process, against one database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from unittest import mock

import orjson
import pytest
from graphql import GraphQLError, parse
from psycopg_pool import AsyncConnectionPool

from ledger.dates import HomeZone
from schema import connections, schema
from schema.compiling import Compiled, CompiledDocument
from schema.context import Connection, Context
from schema.distance import Distances
from schema.http import reading_channels, reading_pool
from schema.operation import Operation
from schema.operations import Operations

ZONE = HomeZone("Asia/Almaty")

INTROSPECTION = re.compile(r"\b__(schema|type)\b")
"""What is selected of `Query` that the compiler leaves to the ordinary way."""


class Answer(NamedTuple):
    """What came back, and how many statements it took."""

    data: Any
    errors: Sequence[GraphQLError]
    statements: int


class Reader:
    """Asks one database; whatever is asked, one after the other."""

    def __init__(
        self,
        runner: asyncio.Runner,
        pool: AsyncConnectionPool[Connection],
        operations: Operations,
        families: list[str] | None = None,
    ) -> None:
        self._runner = runner
        self._pool = pool
        self._operations = operations
        self._families = families

    def ask(self, document: str, **variables: Any) -> Answer:
        """The answer to a document: Strawberry's own, to which that of its compilation is held."""
        context = Context(self._pool, ZONE, self._families)
        executing = schema.execute(document, variable_values=variables, context_value=context)
        result = self._runner.run(executing)
        operation = Operation(document, variables)
        self._operations.learn(operation, context.document)
        compiled = self.compiled(document, **variables)
        if result.errors or INTROSPECTION.search(document):
            assert compiled is None, document
        elif compiled is None:
            # What is wrong is refused, yet nobody sees it in a list that has no rows.
            with pytest.raises(GraphQLError):
                self.compiled_operation(document, **variables)
        else:
            assert compiled == orjson.dumps({"data": result.data}), (document, variables)
        return Answer(result.data, result.errors or (), context.statements)

    def compiled(self, document: str, **variables: Any) -> bytes | None:
        """The answer of the compiled operation, if it has one."""
        return self._runner.run(self._operations.answer(Operation(document, variables)))

    def compiled_operation(self, document: str, **variables: Any) -> Compiled:
        """A document compiled as if nobody had asked it before."""
        found = CompiledDocument(schema._schema, parse(document), None)
        return found.compiled(found.request(variables, ZONE, self._families, Distances()))[0]

    def plans(self, document: str) -> int:
        """In how many shapes a document is kept compiled."""
        return self._operations.plans(Operation(document))

    def data(self, document: str, **variables: Any) -> Any:
        """The data of an answer that has no errors."""
        answer = self.ask(document, **variables)
        assert not answer.errors, answer.errors
        return answer.data

    def ledger(self, selection: str, **as_of: Any) -> Any:
        """What is selected of `Ledger`, as of a point: `effectiveOn`, `knownAt`, `position`."""
        document = f"query ($asOf: AsOf) {{ ledger(asOf: $asOf) {{ {selection} }} }}"
        return self.data(document, asOf=as_of)["ledger"]

    def refusal(self, document: str, **variables: Any) -> tuple[str, list[str | int] | None]:
        """The message and the path of the one error of an answer."""
        (error,) = self.ask(document, **variables).errors
        return error.message, error.path

    @contextmanager
    def traced(self, path: Path) -> Iterator[Path]:
        """Write to a file what libpq sends and receives; only Linux can."""

        async def trace(file: IO[str] | None) -> None:
            async with self._pool.connection() as connection:
                if file is None:
                    connection.pgconn.untrace()
                else:
                    connection.pgconn.trace(file.fileno())

        # The pool has one connection, so it is the one that is asked.
        with path.open("w") as file:
            self._runner.run(trace(file))
            try:
                yield path
            finally:
                self._runner.run(trace(None))


@contextmanager
def reading(url: str, families: list[str] | None = None) -> Iterator[Reader]:
    """A reader of the database at `url`, who may see the records of `families`, or all."""
    # The largest documents may take longer, on a machine that is busy with something else.
    with mock.patch.object(connections, "MOST_TIME", "5min"):
        pool = reading_pool(url, size=1)
        channels = reading_channels(url, seeking=1, gathering=1)
    with asyncio.Runner() as runner:
        runner.run(pool.open())
        try:
            # However few entries there are, what is early is found as in a large ledger.
            distances = Distances(least_length=1)
            operations = Operations(schema, ZONE, channels, families, distances)
            yield Reader(runner, pool, operations, families)
        finally:
            channels.close()
            runner.run(pool.close())
