"""The compiled operations that a server keeps, and the answers that they give.

A document is compiled once the ordinary way has found it valid, our limits included. Whatever a
compiled operation can't answer, it leaves to the ordinary way by giving no answer: a document that
the compiler doesn't know, a variable or an argument that is wrong, any failure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import psycopg
from graphql import DocumentNode, GraphQLError, GraphQLSchema

from ledger.dates import HomeZone
from schema.binding import Bound
from schema.channel import Channels, Found, Sent
from schema.compiling import Compiled, CompiledDocument
from schema.distance import Distances
from schema.errors import Schema, report_bug
from schema.operation import Operation
from schema.rendering import NotCompiled, Unwritable

MOST_DOCUMENTS = 200
"""So many documents, the last asked, are kept compiled."""

LONGEST_DOCUMENT = 20_000
"""Longer documents, in characters, are not kept."""


class Operations:
    """Compiled operations by document and operation name."""

    def __init__(
        self,
        schema: Schema,
        zone: HomeZone,
        channels: Channels,
        families: list[str] | None = None,
        distances: Distances | None = None,
    ) -> None:
        # Strawberry gives no other way to the schema that it makes.
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001  # As said above.
        self._zone = zone
        self._channels = channels
        self._families = families
        self._distances = distances or Distances()
        self._documents: OrderedDict[tuple[str, str | None], CompiledDocument | None] = (
            OrderedDict()
        )

    def __len__(self) -> int:
        return len(self._documents)

    def plans(self, operation: Operation) -> int:
        """In how many shapes the document of an operation is kept compiled."""
        return len(self._documents.get((operation.document, operation.name)) or ())

    def learn(self, operation: Operation, document: DocumentNode | None) -> None:
        """Keep a document to be compiled when it is asked again, if it was found valid."""
        key = operation.document, operation.name
        if document is None or len(operation.document) > LONGEST_DOCUMENT or key in self._documents:
            return
        try:
            self._documents[key] = CompiledDocument(self._schema, document, operation.name)
        except NotCompiled:
            self._documents[key] = None
        if len(self._documents) > MOST_DOCUMENTS:
            self._documents.popitem(last=False)

    async def answer(self, operation: Operation) -> bytes | None:
        """The response to an operation, as JSON; None if the ordinary way is to answer it."""
        ready = self._ready(operation)
        if ready is None:
            return None
        found: Found
        try:
            found = await self._run(ready) if ready.statements else []
        except psycopg.Error as error:
            found = error
        return self._written(ready, found)

    def begin(self, operation: Operation, done: Callable[[bytes | None], None]) -> bool:
        """Have `done` called with what `answer` would give; False if that is None already.

        No task is made for it, and nothing awaited.
        """
        ready = self._ready(operation)
        if ready is None or not ready.statements:
            return False
        channel = self._channels.ready(gathers=ready.compiled.gathers)
        if channel is None:
            return False
        channel.send(ready.statements, lambda found: done(self._written(ready, found)))
        return True

    async def _run(self, ready: _Ready) -> Found:
        return await self._channels.run(ready.statements, gathers=ready.compiled.gathers)

    def _ready(self, operation: Operation) -> _Ready | None:
        key = operation.document, operation.name
        document = self._documents.get(key)
        if document is None:
            return None
        self._documents.move_to_end(key)
        try:
            variables = operation.variables or {}
            request = document.request(variables, self._zone, self._families, self._distances)
            compiled, bounds = document.compiled(request)
            return _Ready(compiled, bounds, compiled.statements(bounds))
        except NotCompiled:
            # What is selected is what the compiler doesn't know. Other flags may leave it out, and
            # the ordinary way answers these as well.
            self._documents[key] = None
        except (GraphQLError, TypeError):
            # The ordinary way says what is wrong, and where.
            pass
        except Exception as error:  # noqa: BLE001  # The ordinary way may still have the answer.
            report_bug(error, "a compiled operation")
        return None

    def _written(self, ready: _Ready, found: Found) -> bytes | None:
        """The response, of the rows that were found; None if they can't be written."""
        try:
            if isinstance(found, Exception):
                raise found
            for place, step in ready.compiled.points:
                for position, _, _, end, *_ in found[step]:
                    self._distances.learn(position, ready.bounds[place].values[-1], end)
            return b'{"data":%s}' % ready.compiled.write(found, ready.bounds).encode()
        except (GraphQLError, TypeError, Unwritable, psycopg.Error):
            # The ordinary way says what is wrong, and where.
            pass
        except Exception as error:  # noqa: BLE001  # The ordinary way may still have the answer.
            report_bug(error, "a compiled operation")
        return None


class _Ready(NamedTuple):
    """A compiled operation with what a request brings to it, and its statements."""

    compiled: Compiled
    bounds: list[Bound]
    statements: list[Sent]
