"""Several statements in one network trip, over libpq's pipeline mode.

The driver's own pipeline sends each statement by itself and looks each time whether anything came
back; among many threads, every such look costs the interpreter's lock. Here all are sent at once,
prepared by name the first time, and the results are waited for once.
"""

from __future__ import annotations

import select
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from ledger.arrays import Parameter
from ledger.database import AnyConnection

Asked = tuple[str, Sequence[Parameter]]
"""A statement with `%s` for each parameter, and the parameters."""

UNPLANNED = ("BEGIN", "COMMIT", "ROLLBACK", "DISCARD PLANS")
BEGIN, COMMIT, ROLLBACK, DISCARD_PLANS = UNPLANNED
"""Statements that have no plan, so that nothing is gained by preparing them."""

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)
_READ, _READ_OR_WRITE = select.POLLIN, select.POLLIN | select.POLLOUT


class Trips:
    """Trips over one connection, which no other thread may use meanwhile.

    The connection must be in autocommit mode: a transaction begins and ends by statements of its
    own. A statement that fails ends its trip; its error is raised after the trip.
    """

    def __init__(self, connection: AnyConnection) -> None:
        self._connection = connection
        self._pgconn: PGconn = connection.pgconn
        self._names: dict[str, bytes] = {}
        self._numbers = count()

    def make(self, asked: Iterable[Asked]) -> list[list[tuple[Any, ...]]]:
        """Run the statements in order, and return the rows of each."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        prepared: list[str] = []
        expected: list[bool] = []
        for statement, parameters in asked:
            if statement in UNPLANNED:
                expected.append(True)
                pgconn.send_query_params(statement.encode(), None)
                continue
            if statement not in self._names:
                self._names[statement] = b"trip_%d" % next(self._numbers)
                prepared.append(statement)
                expected.append(False)
                types = [parameter.type for parameter in parameters]
                pgconn.send_prepare(self._names[statement], _numbered(statement), types)
            expected.append(True)
            forms = [parameter.form for parameter in parameters]
            binary = [Format.BINARY] * len(forms)
            name = self._names[statement]
            pgconn.send_query_prepared(name, forms, binary, result_format=Format.BINARY)
        pgconn.pipeline_sync()
        try:
            results = self._results()
        except BaseException:
            # Which of them the server has prepared is not known, so these names are given up.
            for statement in prepared:
                del self._names[statement]
            raise
        pgconn.exit_pipeline_mode()
        return [
            self._rows(result)
            for result, has_rows in zip(results, expected, strict=True)
            if has_rows
        ]

    def _results(self) -> list[PGresult]:
        """Send what is to be sent, and take the results up to the end of the pipeline."""
        pgconn = self._pgconn
        results: list[PGresult] = []
        error: Exception | None = None
        try:
            for result in self._received():
                if result.status not in _FAILED:
                    results.append(result)
                elif error is None:
                    error = error_from_result(result, encoding="utf-8")
        except OperationalError as lost:
            # Before a session ends, it may have said why.
            raise error or lost from None
        if error is None:
            return results
        if pgconn.status != ConnStatus.BAD:
            pgconn.exit_pipeline_mode()
        raise error

    def _received(self) -> Iterator[PGresult]:
        """Yield the results as they come in, and end with the pipeline or with the session."""
        pgconn = self._pgconn
        poll = select.poll()
        poll.register(pgconn.socket, _READ_OR_WRITE)
        is_sent = False
        while pgconn.status != ConnStatus.BAD:
            while pgconn.is_busy() or not is_sent:
                if not is_sent:
                    is_sent = pgconn.flush() == 0
                    if is_sent:
                        poll.modify(pgconn.socket, _READ)
                if any(event & ~select.POLLOUT for _, event in poll.poll()):
                    pgconn.consume_input()
            result = pgconn.get_result()
            # Between two results there is a None.
            if result is not None:
                if result.status == ExecStatus.PIPELINE_SYNC:
                    return
                yield result

    def _rows(self, result: PGresult) -> list[tuple[Any, ...]]:
        if not result.ntuples:
            return []
        reading = Transformer(self._connection)
        reading.set_pgresult(result)
        return reading.load_rows(0, result.ntuples, tuple)


def _numbered(statement: str) -> bytes:
    """The statement with `$1`, `$2` … for its parameters, as the server knows them."""
    first, *others = statement.split("%s")
    return "".join([first, *(f"${number}{part}" for number, part in enumerate(others, 1))]).encode()
