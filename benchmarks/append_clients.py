"""Contestants that append entries from Python: `python -m benchmarks.append_clients WHICH …`.

    WHICH   ledger (everything in the transaction), library (eventsourcing as it comes), raw
    URL     of the database
    CLIENTS how many wait for an answer at any one time
    SECONDS how long

Prints how many were durable within how many seconds, as JSON; of the ledger also how long a
processor worked for each. The same event each time: money that a state gave, as the ledger stores
it, in a stream of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import psutil
import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate

from benchmarks.data import ACCOUNTS, STATES
from ledger import accounts, contributions, states
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Proposal, Source, Statement
from ledger.kind import AnyEvent
from ledger.record import Ledger
from ledger.refusal import AlreadyExists
from projections.place import Place

WARM_UP = 0.5
"""Seconds that each client runs before it is measured: connections, plans, caches."""

LIBRARY_SESSIONS, RAW_SESSIONS = 16, 32
"""So many of them were fastest, on two cores; the embedded server allows 60."""

SESSIONS = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'secretariat'
"""

ADD_RAW = "INSERT INTO plain (stream, body) VALUES (%s, %s)"

BODY: dict[str, Any] = {
    "account": ACCOUNTS[0],
    "state": STATES[0],
    "fiscal_year": 2023,
    "amount": "1250.00",
    "currency": "USD",
    "effective": "2023-05-12",
    "recorded_by": "clerk",
    "source": {"document": "REG/1", "locator": "s.2"},
}


class Counter:
    """Counts what was answered within the time that is measured."""

    def __init__(self, seconds: float) -> None:
        self.begins = time.perf_counter() + WARM_UP
        self.ends = self.begins + seconds
        self._answered = count()
        self._seconds = seconds
        self.all = 0

    def goes_on(self) -> bool:
        """Note an answer, and tell whether to ask for another."""
        now = time.perf_counter()
        self.all += 1
        if self.begins <= now < self.ends:
            next(self._answered)
        return now < self.ends

    def result(self) -> dict[str, float]:
        """What is printed in the end."""
        return {"count": next(self._answered), "seconds": self._seconds}


class Processor:
    """The microseconds that a processor worked for an entry of ours, by who had it work."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            pids = [pid for (pid,) in connection.execute(SESSIONS)]
        self._sessions = [psutil.Process(pid) for pid in pids]
        self._before = self._now()

    def _now(self) -> tuple[float, float, float]:
        proposers = time.thread_time()
        times = [session.cpu_times() for session in self._sessions]
        database = sum(each.user + each.system for each in times)
        return proposers, time.process_time() - proposers, database

    def each_of(self, entries: int) -> dict[str, float]:
        """The microseconds for each of so many entries."""
        spent = [now - before for now, before in zip(self._now(), self._before, strict=True)]
        names = ("the proposers", "the writer", "PostgreSQL")
        return {n: s / entries * 1e6 for n, s in zip(names, spent, strict=True)}


def in_threads(clients: int, client: Callable[[], None]) -> None:
    """Run `client` in so many threads, and wait for them all."""
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ledger(url: str, clients: int, counter: Counter) -> dict[str, float]:
    """The product: each client proposes, waits until its entry is durable, and proposes again."""
    with Place(url).writer(HomeZone("UTC")) as writer:
        for proposal in _grounds():
            # In a ledger that is not new they may be on record.
            with suppress(AlreadyExists):
                writer.record(proposal)
        processor = Processor(url)
        if clients == 1:
            _propose_alone(writer, counter)
        else:
            asyncio.run(_propose(writer, clients, counter))
        return processor.each_of(counter.all)


def _propose_alone(writer: Ledger, counter: Counter) -> None:
    while True:
        writer.record(_received())
        if not counter.goes_on():
            return


async def _propose(writer: Ledger, clients: int, counter: Counter) -> None:
    async def client() -> None:
        while True:
            await asyncio.wrap_future(writer.submit([_received()]))
            if not counter.goes_on():
                return

    await asyncio.gather(*(client() for _ in range(clients)))


def _grounds() -> Iterator[Proposal]:
    state = states.Admitted(status=states.Status.MEMBER, name_en="State")
    account = accounts.Opened(fund="Fund", currency="USD")
    for kind, key, event in (("state", STATES[0], state), ("account", ACCOUNTS[0], account)):
        yield _proposed(kind, key, event, f"bench:{key}")


def _received() -> Proposal:
    event = contributions.Received(
        account=BODY["account"],
        state=BODY["state"],
        fiscal_year=BODY["fiscal_year"],
        amount=Decimal(BODY["amount"]),
        currency=BODY["currency"],
    )
    return _proposed("contribution", f"C-{uuid4().hex.upper()}", event)


def _proposed(kind: str, key: str, event: AnyEvent, idempotency_key: str | None = None) -> Proposal:
    statement = Statement(
        event=event,
        effective=parse_edtf(BODY["effective"]),
        recorded_by=BODY["recorded_by"],
        source=Source(**BODY["source"]),
    )
    return Proposal(kind=kind, key=key, statement=statement, idempotency_key=idempotency_key)


class Contribution(Aggregate):
    """What the library's own documentation would make of it."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body


def library(url: str, clients: int, counter: Counter) -> None:
    """The plain library: one new aggregate a save, its own tables and its own pool."""
    given = parse_qs(urlsplit(url).query)
    application = Application[Any](
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": urlsplit(url).path.strip("/"),
            "POSTGRES_HOST": given["host"][0],
            "POSTGRES_PORT": given["port"][0],
            "POSTGRES_USER": given["user"][0],
            "POSTGRES_PASSWORD": "",
            "POSTGRES_POOL_SIZE": str(min(clients, LIBRARY_SESSIONS)),
            "POSTGRES_POOL_TIMEOUT": "30",
        }
    )

    def client() -> None:
        while True:
            application.save(Contribution(BODY))
            if not counter.goes_on():
                return

    with application:
        in_threads(clients, client)


def raw(url: str, clients: int, counter: Counter) -> None:
    """The limit: one row inserted and committed at a time, in sessions of their own."""
    body = json.dumps(BODY).encode()

    def client() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                connection.execute(ADD_RAW, [uuid4(), body])
                if not counter.goes_on():
                    return

    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS plain (position bigserial PRIMARY KEY, stream uuid,"
            " body bytea)"
        )
    in_threads(min(clients, RAW_SESSIONS), client)


CLIENTS: dict[str, Callable[[str, int, Counter], dict[str, float] | None]] = {
    "ledger": ledger,
    "library": library,
    "raw": raw,
}


def main(which: str, url: str, clients: str, seconds: str) -> None:
    """Run one contestant and print what it did."""
    counter = Counter(float(seconds))
    processor = CLIENTS[which](url, int(clients), counter)
    print(json.dumps(counter.result() | ({"processor": processor} if processor else {})))


if __name__ == "__main__":
    main(*sys.argv[1:])
