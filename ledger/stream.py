"""Reading a result that may be larger than memory, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import ClientCursor
from psycopg.sql import SQL, Composable, Identifier

from ledger.database import AnyConnection

BATCH = 1_000
"""So many rows are fetched at a time."""


def streamed(
    connection: AnyConnection,
    name: str,
    statement: str | Composable,
    parameters: Sequence[Any] = (),
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `statement` by a server-side cursor called `name`, in the open transaction.

    Other statements may run on the connection in between. The cursor is closed after its last row,
    or with the transaction. (The driver's own server-side cursor warns of itself when the
    connection is lost, and warnings are errors here.)
    """
    text = statement if isinstance(statement, str) else statement.as_string(connection)
    cursor_name = Identifier(name)
    declare = SQL("DECLARE {} NO SCROLL CURSOR FOR ").format(cursor_name).as_string(connection)
    # A declaration takes no parameters from the server's protocol, so the client puts them in.
    with ClientCursor(connection) as declaring:
        declaring.execute((declare + text).encode(), list(parameters) or None)
    fetch = SQL("FETCH {} FROM {}").format(BATCH, cursor_name)
    # Not prepared: another cursor may get the same name later, and give rows of another form.
    # In binary form, bytes come as they are instead of as twice as many digits.
    while rows := connection.execute(fetch, prepare=False, binary=True).fetchall():
        yield from rows
    connection.execute(SQL("CLOSE {}").format(cursor_name))
