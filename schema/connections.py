"""Connections for reading: they can't write, and no statement on them runs without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from psycopg import AsyncConnection

from ledger.database import SERVER, as_role
from schema.context import Connection

MOST_TIME = "15s"
"""How long a statement may run: a document can ask for more than any server has."""


def reading_address(url: str, **settings: str) -> str:
    """The address `url` for a session that only reads, with further settings."""
    limits = {"default_transaction_read_only": "on", "statement_timeout": MOST_TIME}
    return as_role(url, SERVER, **limits, **settings)


class LoneConnection:
    """One connection for one request, opened when it is first wanted.

    A pool would be workers to start, and a package to import, for what is done after one answer.
    """

    def __init__(self, url: str) -> None:
        self._address = reading_address(url)
        self._turn = asyncio.Lock()
        self._opened: Connection | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """The connection, for one at a time; another one if it was lost."""
        async with self._turn:
            if self._opened is None or self._opened.closed:
                self._opened = await AsyncConnection.connect(self._address, autocommit=True)
            yield self._opened

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.close()
