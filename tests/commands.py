"""Running commands: in a process of their own as a user does, or in this one, which is faster.

A test module takes the fixture by name: `here = commands.here`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

import server

ROOT = Path(server.__file__).parent
EXAMPLE = ROOT / "examples" / "cica-2023"
POSITION = "{ ledger { asOf { position } } }"
SECONDS_TO_WAIT = 60


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "server", *map(str, words)]


def environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SECRETARIAT")}
    return ours | {"PYTHONPATH": str(ROOT)} | more


def run(
    *words: str | Path, given: bytes = b"", more: Mapping[str, str] = MappingProxyType({})
) -> Ended:
    """Run a command to its end, with `given` on standard input and `more` in its environment."""
    ended = subprocess.run(
        command(*words),
        cwd=ROOT,
        env=environment(**more),
        input=given,
        capture_output=True,
        timeout=SECONDS_TO_WAIT,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@contextmanager
def started(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and kill it in the end if it still runs."""
    with subprocess.Popen(
        command(*words),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(place: Path | str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the ledger in a data folder, or in the database at a URL, at any free port.

    Gives the process and the address that it prints.
    """
    option = "--database" if isinstance(place, str) else "--data"
    with started("serve", "--port", "0", option, place) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving GraphQL at http://127.0.0.1:")
        yield process, line.split()[-1]


def asked(address: str, document: str, **variables: Any) -> bytes:
    """The answer of a server, as it came."""
    body = {"query": document, "variables": variables}
    response = httpx.post(address, json=body, headers={"accept": "application/json"}, timeout=30)
    assert response.status_code == 200
    return response.content


class Here:
    """Runs commands in this process: all of a command but what `main` does with signals."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capture = capture

    def run(self, *words: str | Path) -> Ended:
        """Run a command to its end."""
        self._monkeypatch.setattr(sys, "argv", ["secretariat", *map(str, words)])
        self._capture.readouterr()
        status = server._run()
        return Ended(status, *self._capture.readouterr())

    def printed(self, *words: str | Path) -> str:
        """What a command prints that does all it was asked for, and has nothing to complain of."""
        return printed(self.run(*words))

    def complaint(self, *words: str | Path, status: int = 1) -> str:
        """The one line of a command that does nothing but complain."""
        ended = self.run(*words)
        assert (ended.status, ended.out) == (status, ""), ended
        (line,) = ended.err.splitlines()
        assert line.startswith("secretariat: ")
        return line.removeprefix("secretariat: ")

    def position(self, *words: str | Path) -> int:
        """The position of the last entry of the ledger that the words name."""
        return position_in(self.printed("query", POSITION, *words))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs commands in this process, with nothing of ours in the environment."""
    for name in ("SECRETARIAT_DATA", "SECRETARIAT_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    return Here(monkeypatch, capsys)


def printed(ended: Ended) -> str:
    """What a command printed that did all it was asked for, and had nothing to complain of."""
    assert (ended.status, ended.err) == (0, "")
    return ended.out


def position_in(answer: str) -> int:
    """The position in the answer to `POSITION`."""
    return int(json.loads(answer)["data"]["ledger"]["asOf"]["position"])


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def rows_of(register: Path) -> int:
    """How many entries a register has."""
    return sum(len(file.read_text().splitlines()) - 1 for file in register.glob("*.csv"))


def is_used(data: Path) -> bool:
    """Whether a PostgreSQL runs on a data folder."""
    return any(
        str(data / "postgres") in process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"]
    )
