"""A load generator: sends one HTTP request over and over, and measures how long answers take.

    python -m benchmarks.load URL BODY CLIENTS SECONDS [RATE]

`BODY` is a file with the JSON to be POSTed. Without a rate each client asks again as soon as it has
its answer. With one, requests are due at even distances whether or not answers come, and an answer
is as late as it is after the moment when its request was due.

The request is the same bytes each time and an answer is only looked at for its status and its
length, which must be that of the first answer (an answer of errors has another one). So this costs
a small part of what answering does: `busy` is the share of a core that it used, which is printed.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.harness import ask_program, module

WARM_UP = 0.3
"""Seconds at the beginning that are not counted."""

TICK = 0.001
"""Seconds between two looks at what is due: uvloop takes anything less for nothing."""

FEWEST_ANSWERS = 3
"""So many are waited for, however long that takes (but for `PATIENCE`, in seconds)."""

PATIENCE = 60

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of the generator showed: requests a second, latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    busy: float


def put(url: str, body: Path, clients: int, seconds: float, rate: float | None = None) -> Load:
    """Run the generator in a process of its own."""
    more = () if rate is None else (str(rate),)
    answer = ask_program(*module("load", url, str(body), str(clients), str(seconds), *more))
    return Load(**answer)


def request_bytes(url: str, body: bytes) -> bytes:
    """The POST that is sent, keeping the connection."""
    address = urlsplit(url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(slots=True)
class Work:
    """What all connections share: what to send, when requests are due, and what was measured."""

    request: bytes
    begins: float
    ends: float
    interval: float | None
    latencies: list[float] = field(default_factory=list)
    idle: deque[Connection] = field(default_factory=deque)
    due: deque[float] = field(default_factory=deque)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    last: float = 0
    """When the last answer came that counts."""
    length: int | None = None
    """Of the body of the first answer."""

    def answered(self, connection: Connection, since: float) -> None:
        """Note an answer to the request that was due at `since`, and have the next one sent."""
        now = time.perf_counter()
        if now < self.begins:
            pass
        elif now < self.ends or len(self.latencies) < FEWEST_ANSWERS:
            self.latencies.append(now - since)
            self.last = now
        else:
            self.is_over.set()
            return
        if self.interval is None:
            connection.send(now)
        elif self.due:
            connection.send(self.due.popleft())
        else:
            self.idle.append(connection)

    async def keep_rate(self, interval: float) -> None:
        """Have a request sent whenever one is due, or let it wait for a free connection.

        It is timed from when it was due if it had to wait, since that is the server's doing. That
        several may be sent together, once in a `TICK`, is ours: to wake up for each took more of
        a processor than some servers do, and two of them share the machine.
        """
        due = time.perf_counter()
        while due < self.ends:
            now = time.perf_counter()
            while due <= now:
                if self.idle:
                    self.idle.popleft().send(now)
                else:
                    self.due.append(due)
                due += interval
            await asyncio.sleep(max(TICK, due - now))


class Connection(asyncio.Protocol):
    """One connection, with one request on its way at most."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._missing = 0
        self._head = b""
        self._since = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if self._work.interval is None:
            self.send(time.perf_counter())
        else:
            self._work.idle.append(self)

    def send(self, since: float) -> None:
        """Send the request that was due at `since`."""
        self._since = since
        self._transport.write(self._work.request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, found, body = self._head.partition(_HEAD_END)
            if not found:
                return
            self._head = b""
            length = _length(head)
            self._work.length = self._work.length or length
            if length != self._work.length:
                raise SystemExit(f"an answer of another length: {body[:300]!r}")
            self._missing = length - len(body)
        if not self._missing:
            self._work.answered(self, self._since)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


def _length(head: bytes) -> int:
    length = _LENGTH.search(head)
    if length is None or b" 200 " not in head.partition(b"\r\n")[0]:
        raise SystemExit(f"not an answer of a known length: {head!r}")
    return int(length[1])


async def run(url: str, body: bytes, clients: int, seconds: float, rate: float | None) -> Load:
    """Send requests for `seconds` and return what was seen."""
    begins = time.perf_counter() + WARM_UP
    interval = None if rate is None else 1 / rate
    work = Work(request_bytes(url, body), begins, begins + seconds, interval)
    address, loop = urlsplit(url), asyncio.get_running_loop()
    assert address.hostname is not None, "the servers print whole addresses"
    for _ in range(clients):
        await loop.create_connection(lambda: Connection(work), address.hostname, address.port or 80)
    before = time.process_time()
    if interval is None:
        await asyncio.wait_for(work.is_over.wait(), seconds + PATIENCE)
    else:
        await work.keep_rate(interval)
    took = max(work.last, work.ends) - work.begins
    busy = (time.process_time() - before) / (took + WARM_UP)
    if len(work.latencies) < FEWEST_ANSWERS:
        raise SystemExit(f"{len(work.latencies)} answers in {seconds} s")
    percent = quantiles(work.latencies, n=100, method="inclusive")
    return Load(len(work.latencies) / took, percent[49] * 1000, percent[98] * 1000, busy)


def main(url: str, body: str, clients: str, seconds: str, rate: str | None = None) -> None:
    """Run, and print what was seen as JSON."""
    seen = uvloop.run(
        run(
            url,
            Path(body).read_bytes(),
            int(clients),
            float(seconds),
            float(rate) if rate else None,
        )
    )
    fields = ("rate", "p50", "p99", "busy")
    print(json.dumps({name: round(getattr(seen, name), 4) for name in fields}))


if __name__ == "__main__":
    main(*sys.argv[1:])
