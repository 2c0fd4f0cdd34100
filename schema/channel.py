"""Statements of many requests on few connections: pipelined, and prepared by name.

A request sends all its statements at once, in one transaction, and waits for all of them; others
send theirs on the same connection meanwhile. A statement that fails fails its own request only. A
connection that is lost fails all who wait on it; the next request opens another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.adapt import Transformer

from schema.statement import Row

Sent: TypeAlias = tuple[bytes, Sequence[bytes | None]]
"""A statement with `$1`, `$2` …, and its parameters as text."""

MOST_PREPARED = 500
"""So many statements are kept prepared on a connection, before all are forgotten."""

_BINARY = 1

# Statements are planned once for all values: planning would take more than half of the time of a
# short one. Planned so, nothing is known of how many rows are wanted, and a plan would rather read
# whole tables than seek some rows; where these are found by a key, or at their place in an order,
# it is told not to.
PLANNED_TO_SEEK = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""The settings of a channel, for statements that seek."""

PLANNED_TO_GATHER = {name: "on" for name in PLANNED_TO_SEEK if name.startswith("enable_")}
"""The settings for a statement that goes through many rows."""


def as_text(value: Any) -> bytes | None:
    """A parameter as the text that PostgreSQL reads a value of its type from."""
    match value:
        case None:
            return None
        case str():
            return value.encode()
        case bool():
            return b"true" if value else b"false"
        case int() | UUID():
            return str(value).encode()
        case date() | datetime():
            return value.isoformat().encode()
        case Decimal():
            return format(value, "f").encode()
        case list():
            return b"{%s}" % b",".join(map(_as_item, value))
    raise TypeError(f"a {type(value).__name__} is no parameter")


def _as_item(value: Any) -> bytes:
    text = as_text(value)
    if text is None:
        return b"NULL"
    return b'"%s"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


Found: TypeAlias = list[list[Row]] | Exception
"""The rows of each statement of a request, or what PostgreSQL says against one of them."""

Done: TypeAlias = Callable[[Found], None]
"""Is called once with what was found, and must not raise."""


@dataclass(slots=True)
class _Waiting:
    """A request that waits for the rows of its statements."""

    done: Done
    names: list[bytes] = field(default_factory=list)
    rows: list[list[Row]] = field(default_factory=list)
    error: Exception | None = None


class Channel:
    """One connection in pipeline mode, read whenever it has something to say."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepared: dict[bytes, bytes] = {}
        self._named = 0
        self._forgotten = 0
        self._waiting: deque[_Waiting] = deque()
        self._loop = asyncio.get_running_loop()
        self._is_writing = False
        self.is_open = True
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        # libpq forgets it as soon as the connection is lost.
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._read)

    @property
    def load(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    async def run(self, statements: Sequence[Sent]) -> list[list[Row]]:
        """The rows of each statement; raises what PostgreSQL says against the first that fails."""
        future: asyncio.Future[list[list[Row]]] = self._loop.create_future()
        self.send(statements, partial(_resolve, future))
        return await future

    def send(self, statements: Sequence[Sent], done: Done) -> None:
        """Have statements run, and `done` called with what is found."""
        waiting = _Waiting(done)
        self._waiting.append(waiting)
        try:
            # Counted by names, since what a failed request prepared is on the server still.
            if self._named - self._forgotten > MOST_PREPARED:
                self._forget()
            for sql, parameters in statements:
                name = self._prepared.get(sql) or self._prepare(sql)
                waiting.names.append(sql)
                self._pgconn.send_query_prepared(name, parameters, None, _BINARY)
            self._pgconn.pipeline_sync()
            self._flush()
        except psycopg.OperationalError as error:
            self._lose(error)

    def close(self) -> None:
        """Close the connection; whoever waits gets an error."""
        self._lose(psycopg.OperationalError("the connection was closed"))

    def _prepare(self, sql: bytes) -> bytes:
        # A name is never used twice, since a failed transaction may have left one behind.
        self._named += 1
        name = b"s%d" % self._named
        self._pgconn.send_prepare(name, sql)
        self._prepared[sql] = name
        return name

    def _forget(self) -> None:
        self._prepared.clear()
        self._forgotten = self._named
        self._pgconn.send_query_params(b"DEALLOCATE ALL", None)

    def _flush(self) -> None:
        is_writing = self._pgconn.flush() == 1
        if is_writing and not self._is_writing:
            self._loop.add_writer(self._socket, self._write)
        elif self._is_writing and not is_writing:
            self._loop.remove_writer(self._socket)
        self._is_writing = is_writing

    def _write(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError as error:
            self._lose(error)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._waiting and not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is not None:
                    self._take(result)
            if self._pgconn.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the server closed the connection")
        except psycopg.OperationalError as error:
            self._lose(error)

    def _take(self, result: Any) -> None:
        """What the server says next to the first of those who wait."""
        waiting = self._waiting[0]
        match result.status:
            case pq.ExecStatus.TUPLES_OK:
                waiting.rows.append(self._loaded(waiting, result))
            case pq.ExecStatus.PIPELINE_SYNC:
                self._finish(self._waiting.popleft())
            case pq.ExecStatus.FATAL_ERROR:
                waiting.error = psycopg.errors.error_from_result(result)

    def _loaded(self, waiting: _Waiting, result: Any) -> list[Row]:
        self._transformer.set_pgresult(result)
        try:
            return self._transformer.load_rows(0, result.ntuples, tuple)
        except Exception as error:  # noqa: BLE001  # Whatever can't be read is its reader's error.
            waiting.error = error
            return []

    def _finish(self, waiting: _Waiting) -> None:
        if waiting.error is not None:
            # Perhaps they were prepared for tables that are no more, or not at all.
            for sql in waiting.names:
                self._prepared.pop(sql, None)
        waiting.done(waiting.rows if waiting.error is None else waiting.error)

    def _lose(self, error: Exception) -> None:
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._socket)
            if self._is_writing:
                self._loop.remove_writer(self._socket)
            self._pgconn.finish()
        while self._waiting:
            self._waiting.popleft().done(error)


def _load(channel: Channel) -> int:
    return channel.load


def _resolve(future: asyncio.Future[list[list[Row]]], found: Found) -> None:
    if future.done():
        # Whoever waited has given up.
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)


class Channels:
    """A few channels to one database, opened when they are first wanted.

    Those who only seek never wait behind somebody who gathers: these have channels of their own.
    """

    def __init__(self, url: str, *, seeking: int, gathering: int) -> None:
        self._groups = {False: _Group(url, seeking), True: _Group(url, gathering)}

    async def run(self, statements: Sequence[Sent], *, gathers: bool = False) -> list[list[Row]]:
        """The rows of each statement, by the channel on which the fewest requests wait."""
        return await (await self._groups[gathers].free()).run(statements)

    def ready(self, *, gathers: bool) -> Channel | None:
        """The channel on which the fewest requests wait; None if one must be opened first."""
        return self._groups[gathers].ready()

    def close(self) -> None:
        """Close all channels."""
        for group in self._groups.values():
            group.close()


class _Group:
    """Channels of one sort, at the most `size`."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._size = size
        self._open: list[Channel] = []
        self._opening = asyncio.Lock()

    def ready(self) -> Channel | None:
        channel = self._least_loaded()
        is_free = channel is not None and (channel.load == 0 or len(self._open) == self._size)
        return channel if is_free else None

    async def free(self) -> Channel:
        channel = self.ready()
        if channel is not None:
            return channel
        async with self._opening:
            channel = self.ready()
            if channel is not None:
                return channel
            connection = await AsyncConnection.connect(self._url, autocommit=True)
            self._open.append(Channel(connection))
            return self._open[-1]

    def close(self) -> None:
        for channel in self._open:
            channel.close()

    def _least_loaded(self) -> Channel | None:
        self._open = [channel for channel in self._open if channel.is_open]
        return min(self._open, key=_load, default=None)
