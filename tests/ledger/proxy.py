"""A network between a writer and its server that fails: around a COMMIT, at any byte, or slowly."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

COMMIT = b"COMMIT"


class Fault(Enum):
    """What becomes of a client's COMMIT."""

    REPLY_LOST = "the server commits, the client never hears of it"
    NEVER_SENT = "the server never hears of it"
    LATE = "the client's connection breaks, and the server hears of it a while later"
    STRUCK = "the server hears of it, and is struck by `strike` before it can answer"


@dataclass
class Proxy:
    """Passes bytes on, until `fault` befalls the COMMIT number `at` (counted from 1).

    With `dies` nobody can connect any more from then on. `delay` is how late a late COMMIT is, in
    seconds. `url` is how to connect through it. `strike` is what befalls a server that is struck.

    Besides, once `cut_after` bytes have passed, in whichever direction, the connection that they
    passed over is cut in the middle of what it was sending. Each piece takes `pause` seconds.
    """

    url: str
    upstream: str | tuple[str, int]
    listener: socket.socket
    fault: Fault | None = None
    at: int = 1
    dies: bool = False
    delay: float = 0.3
    strike: Callable[[], object] = field(default=bool)
    cut_after: int | None = None
    pause: float = 0.0
    commits: int = 0
    cuts: int = 0
    connections: int = 0
    open_sockets: list[socket.socket] = field(default_factory=list)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def accept(self) -> None:
        """Serve whoever connects, until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                try:
                    link = Link(self, client, self._connect())
                except OSError:
                    # The server is not there now; it may be again for whoever comes next.
                    close(client)
                    continue
                self.open_sockets += [client, link.server]
                threading.Thread(target=link.pass_requests, daemon=True).start()
                threading.Thread(target=link.pass_replies, daemon=True).start()

    def fault_of_next_commit(self) -> Fault | None:
        """Count a COMMIT, and say what becomes of it."""
        self.commits += 1
        return self.fault if self.commits == self.at else None

    def passes(self, data: bytes) -> bytes:
        """As much of what is sent as passes; if that is not all, the connection is to be cut."""
        time.sleep(self.pause)
        with self._counting:
            if self.cut_after is None:
                return data
            passed = data[: self.cut_after]
            self.cut_after -= len(passed)
            if len(passed) < len(data):
                self.cut_after, self.cuts = None, self.cuts + 1
            return passed

    def die(self) -> None:
        """Let nobody connect any more, as far as the proxy was meant to die."""
        if self.dies:
            close(self.listener)

    def _connect(self) -> socket.socket:
        if isinstance(self.upstream, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.upstream)
            return server
        return socket.create_connection(self.upstream)


@dataclass
class Link:
    """One client and its session on the server."""

    proxy: Proxy
    client: socket.socket
    server: socket.socket
    is_mute: bool = False
    replied: threading.Event = field(default_factory=threading.Event)

    def pass_requests(self) -> None:
        """Pass on what the client sends."""
        with suppress(OSError):
            while data := self.client.recv(65_536):
                fault = self.proxy.fault_of_next_commit() if COMMIT in data else None
                if fault is not None:
                    self._fail(fault, data)
                    break
                passed = self.proxy.passes(data)
                self.server.sendall(passed)
                if len(passed) < len(data):
                    break
        close(self.client)
        close(self.server)

    def pass_replies(self) -> None:
        """Pass on what the server sends."""
        with suppress(OSError):
            while data := self.server.recv(65_536):
                self.replied.set()
                if not self.is_mute:
                    passed = self.proxy.passes(data)
                    self.client.sendall(passed)
                    if len(passed) < len(data):
                        break
        self.replied.set()
        close(self.client)

    def _fail(self, fault: Fault, data: bytes) -> None:
        self.is_mute = True
        self.proxy.die()
        if fault is Fault.STRUCK:
            self.server.sendall(data)
            self.proxy.strike()
        elif fault is Fault.REPLY_LOST:
            self.replied.clear()
            self.server.sendall(data)
            self.replied.wait(30)
        elif fault is Fault.LATE:
            close(self.client)
            time.sleep(self.proxy.delay)
            self.server.sendall(data)
            # Closed before it has answered, a session may not even read what was sent to it.
            self.replied.wait(30)


def close(connection: socket.socket) -> None:
    """Close a socket that another thread may be waiting for."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def proxy_to(url: str) -> Generator[Proxy]:
    """A proxy to the database at `url`, until the block ends."""
    with psycopg.connect(url) as connection:
        host, port = connection.info.host, connection.info.port
    upstream = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    # A socket's path is short, which pytest's temporary folders are not.
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(Path(folder) / ".s.PGSQL.5432"))
        listener.listen()
        address = make_conninfo(url, host=folder, port=5432)
        proxy = Proxy(address, upstream, listener)
        acceptor = threading.Thread(target=proxy.accept, daemon=True)
        acceptor.start()
        try:
            yield proxy
        finally:
            for connection_or_listener in (listener, *proxy.open_sockets):
                close(connection_or_listener)
            acceptor.join(30)
