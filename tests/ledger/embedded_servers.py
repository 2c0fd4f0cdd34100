"""What the tests of the embedded PostgreSQL share: folders, programs using them, ways to wait.

A test module takes a fixture by name: `place = embedded_servers.place`. Imported by name, it would
look unused, and then redefined by each argument that asks for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from ledger import embedded
from ledger.embedded import start
from ledger.embedded_folder import DataFolder, claim

ROOT = Path(__file__).resolve().parents[2]

IS_ROOT = os.geteuid() == 0

only_root = pytest.mark.skipif(not IS_ROOT, reason="needs root, who may become other users")
only_others = pytest.mark.skipif(IS_ROOT, reason="root may do anything")

SECONDS_TO_WAIT = 30

ROOM_FOR_TESTS_BYTES = 1_000_000_000

MUCH = "INSERT INTO note SELECT repeat('x', 1000) FROM generate_series(1, 100000)"
"""Takes PostgreSQL some time to replay."""

# Says where the server is, and uses it until its standard input is closed.
USER = """
import sys
from pathlib import Path
from ledger import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
"""

# As USER, with a forked child that lives on for a while.
PARENT = USER.replace("print(", "import os, time\nif os.fork() == 0: time.sleep(60)\nprint(")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that everybody may enter, unlike pytest's own: root's server is somebody."""
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=_memory()))
    folder.chmod(0o711)
    try:
        yield folder
        for data in folder.iterdir():
            if (data / "postgres").exists() and data.stat().st_uid == os.geteuid():
                kill(claim(data))
    finally:
        shutil.rmtree(folder)


def _memory() -> Path | None:
    # A server's files are copied for each test, which takes a disk longer than the test does.
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of its own in it
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return None
    return memory if shutil.disk_usage(memory).free > ROOM_FOR_TESTS_BYTES else None


@contextmanager
def used_data_folder() -> Iterator[Path]:
    """Make a data folder with a table in it, to be copied and left alone."""
    with open_folder() as folder:
        with start(folder / "data") as server:
            execute(server.url, "CREATE TABLE note (words text)")
        yield folder / "data"


def copy(source: Path, target: Path) -> Path:
    subprocess.run(["/bin/cp", "-a", source, target], check=True)
    return target


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder that everybody may enter."""
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A data folder with a table in it, to be copied and left alone."""
    with used_data_folder() as folder:
        yield folder


@pytest.fixture
def data(template: Path, place: Path) -> Path:
    """A copy of the template, of the test's own."""
    return copy(template, place / "data")


@pytest.fixture
def crashed(data: Path) -> Path:
    """The data folder of a server that was killed with much to recover."""
    with start(data) as server:
        execute(server.url, MUCH)
        kill(claim(data))
    return data


def execute(url: str, statement: str) -> list[str]:
    """Execute a statement in a transaction, and return the first column of its rows as text."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return [str(row[0]) for row in cursor] if cursor.description else []


def postmaster(data: Path) -> psutil.Process:
    process = claim(data).postmaster()
    assert process is not None, "no server runs"
    return process


def is_running(data: Path) -> bool:
    return embedded._is_running(claim(data))


def kill(folder: DataFolder) -> None:
    """Kill the postmaster if there is one; return when its children are gone, too."""
    process = folder.postmaster()
    if process is not None:
        process.kill()

    def is_gone() -> bool:
        # Whoever looks after the server may have another one by now, which it has not before.
        return not embedded._is_running(folder) or folder.postmaster() not in {None, process}

    wait_until(is_gone)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS_TO_WAIT
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@contextmanager
def running(data: Path, program: str = USER) -> Iterator[subprocess.Popen[str]]:
    """Run a program of the above on a data folder; it may not have begun yet."""
    with subprocess.Popen(
        [sys.executable, "-c", program, data],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def child_of(server: psutil.Process, name: str) -> psutil.Process | None:
    """A process of a server that does what `name` says."""
    for child in server.children():
        try:
            if name in " ".join(child.cmdline()):
                return child
        except psutil.Error:
            continue
    return None


def suspended_recovery(data: Path) -> psutil.Process:
    """The process that replays the log of a server that starts, held in the middle."""
    found: list[psutil.Process] = []

    def is_held() -> bool:
        server = claim(data).postmaster()
        startup = None if server is None else child_of(server, "startup")
        if startup is not None:
            startup.suspend()
            found.append(startup)
        return bool(found)

    wait_until(is_held)
    return found[0]
