"""What the benches stand on: the ledger's own embedded PostgreSQL, databases, and servers."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from benchmarks import data
from benchmarks.harness import ROOT, Unmeasured, run_program, secretariat
from ledger import embedded
from migrations import migrate

_READY = re.compile(r"http://[\w.\[\]:]+/\S*")
_SECONDS_TO_START = 60


@dataclass(slots=True)
class Stage:
    """A running server, the folder for files, the peers, and how much is to be measured.

    `rounds` is how often each contestant runs, `seconds` how long a sample takes. `sizes` are the
    ledgers (in entries) that growth is shown by. `requests` are those between which the memory of
    the server process is compared. With `is_short` only one of similar questions is asked.
    """

    url: str
    folder: Path
    peers: Callable[[], Path]
    rounds: int
    seconds: float
    sizes: tuple[int, ...]
    requests: tuple[int, int]
    is_short: bool = False
    _registers: dict[int, str] = field(default_factory=dict)

    def database(self, name: str) -> str:
        """The URL of a new, empty database; one of that name that is there is dropped."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
            connection.execute(drop)
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self.url_of(name)

    def has_database(self, name: str) -> bool:
        """Whether an earlier run on the same data folder has left it."""
        with psycopg.connect(self.url) as connection:
            asked = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            return asked.fetchone() is not None

    def url_of(self, name: str) -> str:
        """The URL of a database of this server."""
        address = urlsplit(self.url)
        # urllib would take the two slashes of the empty host away, which libpq needs.
        return f"{address.scheme}://{address.netloc}/{name}?{address.query}"

    def files(self, size: int) -> Path:
        """A folder with a register of about `size` entries."""
        folder = self.folder / f"register-{size}"
        if not folder.exists():
            unfinished = folder.with_suffix(".new")
            unfinished.mkdir(parents=True, exist_ok=True)
            data.write_register(unfinished, size)
            unfinished.rename(folder)
        return folder

    def register(self, size: int) -> str:
        """The URL of a ledger with about `size` entries, imported at the first use."""
        if size not in self._registers:
            name = f"register_{size}"
            if not self.has_database(name):
                self._import(size, name)
            self._registers[size] = self.url_of(name)
        return self._registers[size]

    def copy(self, name: str, *, of: int) -> str:
        """The URL of a new database like the ledger of about `of` entries, which nobody may use."""
        self.register(of)
        with psycopg.connect(self.url, autocommit=True) as connection:
            drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
            connection.execute(drop)
            create = SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(Identifier(name), Identifier(f"register_{of}")))
        # A copy has everything but the grants on the database itself, which this makes anew.
        migrate(self.url_of(name))
        return self.url_of(name)

    def _import(self, size: int, name: str) -> None:
        # It gets its name at the end, so that a run that was cut short leaves none behind.
        url = self.database("importing")
        run_program(*secretariat("import", str(self.files(size)), "--database", url))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        with psycopg.connect(self.url, autocommit=True) as connection:
            rename = SQL("ALTER DATABASE importing RENAME TO {}").format(Identifier(name))
            connection.execute(rename)

    def setting(self, name: str) -> str:
        """What PostgreSQL SHOWs for a setting."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row is not None, "a SELECT without FROM has one row"
        return str(row[0])


@contextmanager
def opened(folder: Path, **measures: Any) -> Iterator[Stage]:
    """A stage whose server and files are in `folder`; the server stops at the end of the block."""
    with embedded.start(folder / "postgres") as server:
        yield Stage(server.url, folder, **measures)


@dataclass(frozen=True, slots=True)
class Served:
    """A server process that answers at `url`."""

    url: str
    process: subprocess.Popen[str]
    started_in: float
    """Seconds from its start until its first answer."""


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[Served]:
    """Start a program that prints its address when it listens; end it with the block."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    )
    with ExitStack() as stack:
        stack.callback(_end, process)
        url = _address(process)
        _wait_until_it_answers(url)
        yield Served(url, process, time.perf_counter() - started)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None, "it was asked for as a pipe"
    for line in process.stdout:
        if found := _READY.search(line):
            return found[0]
    raise Unmeasured(f"{process.args!r} ended without serving")


def _wait_until_it_answers(url: str) -> None:
    address = urlsplit(url)
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("GET", address.path)
            connection.getresponse().read()
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
        finally:
            connection.close()


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
