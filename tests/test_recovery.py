"""A database that takes its time: to recover, to stop, as the first process of a container."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from ledger import embedded
from ledger.embedded_folder import claim
from tests.commands import (
    POSITION,
    ROOT,
    asked,
    command,
    environment,
    position_in,
    printed,
    run,
    serving,
)
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import (
    IS_ROOT,
    SECONDS_TO_WAIT,
    child_of,
    execute,
    is_running,
    kill,
    postmaster,
    running,
    suspended_recovery,
    wait_until,
)
from tests.ledger.registers import GROUNDS, written
from tests.test_command_line import read_all

place = embedded_servers.place
template = embedded_servers.template
data = embedded_servers.data
crashed = embedded_servers.crashed

SECONDS_LONGER_THAN_OTHERS_WAIT = 10.5


def test_a_recovery_is_waited_for_and_a_terminal_is_told_so(crashed: Path) -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(
        command("verify", "--data", crashed),
        cwd=ROOT,
        env=environment(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    ) as process:
        os.close(slave)
        startup = suspended_recovery(crashed)
        time.sleep(SECONDS_LONGER_THAN_OTHERS_WAIT)
        assert process.poll() is None, "it did not wait"
        startup.resume()
        shown = read_all(master)
        # Whoever waited gets an answer: there is a database, and no ledger in it.
        assert process.wait(SECONDS_TO_WAIT) == 1
    waiting, last = (line for line in shown.splitlines() if line.startswith("secretariat: "))
    assert waiting == (
        f"secretariat: waiting for PostgreSQL in {crashed} (after a crash it recovers, which takes"
        " a while)"
    )
    assert "this database holds no ledger yet" in last


def test_whoever_gives_up_during_a_recovery_leaves_no_server(crashed: Path) -> None:
    with running(crashed) as user:
        startup = suspended_recovery(crashed)
        user.send_signal(signal.SIGTERM)
        user.wait()
        startup.resume()
    wait_until(lambda: not is_running(crashed))
    with embedded.start(crashed) as server:
        assert execute(server.url, "SELECT count(*) FROM note") == ["100000"]


def test_a_server_that_hangs_while_it_stops_is_stopped_at_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_SECONDS_FOR_AN_ORDERLY_STOP", 0.5)
    server = embedded.start(data)
    execute(server.url, "INSERT INTO note VALUES ('kept')")
    checkpointer = child_of(postmaster(data), "checkpointer")
    assert checkpointer is not None
    # Without it no stop is in order.
    checkpointer.suspend()
    server.close()
    assert not is_running(data)
    with embedded.start(data) as server:
        assert execute(server.url, "SELECT words FROM note") == ["kept"]


def test_a_server_whose_database_is_killed_starts_it_again(place: Path) -> None:
    data = place / "ledger"
    register = written(place / "register", GROUNDS)
    printed(run("import", register, "--data", data))
    with serving(data) as (process, address):
        before = asked(address, POSITION)
        for _ in range(2):
            kill(claim(data))
            # Only now, as a process of the dead server may still have had an answer.
            wait_until(lambda: _answer(address) == before)
        process.terminate()
        _, err = process.communicate()
    assert not is_running(data)
    assert "secretariat: PostgreSQL had ended, and was started again\n" in err


def _answer(address: str) -> bytes:
    with suppress(httpx.HTTPError):
        return asked(address, POSITION)
    return b""


# ---------------------------------------------------------------- a container

only_where_namespaces_are = pytest.mark.skipif(
    not (IS_ROOT and shutil.which("unshare") and Path("/proc/self/ns/pid").exists()),
    reason="needs root on Linux, who may make a namespace of processes",
)


NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Runs a program as the process number 1 of a namespace of its own, as in a container."""


def ended_first_process(*program: str | Path) -> subprocess.CompletedProcess[str]:
    """A program that ran to its end as such a process."""
    return subprocess.run(
        [*NAMESPACE, *program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder with three entries, imported by a process number 1; to be left alone."""
    with embedded_servers.open_folder() as folder, tempfile.TemporaryDirectory() as register:
        words = ("import", written(Path(register), GROUNDS), "--data", folder / "ledger")
        ended = ended_first_process(*command(*words))
        if "unshare" in ended.stderr:
            pytest.skip(ended.stderr.strip())
        assert (ended.returncode, ended.stderr) == (0, "")
        assert not is_running(folder / "ledger")
        yield folder / "ledger"


@pytest.fixture
def ledger(made: Path, place: Path) -> Path:
    """A copy of that ledger, of the test's own."""
    return embedded_servers.copy(made, place / "ledger")


@pytest.fixture
def first_process(ledger: Path) -> Iterator[subprocess.Popen[str]]:
    """A server of that ledger as process number 1; it answers."""
    with subprocess.Popen(
        [*NAMESPACE, *command("serve", "--port", "0", "--data", ledger)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert re.match("serving GraphQL at ", process.stdout.readline())
            yield process
        finally:
            process.kill()


def query(data: Path) -> int:
    """The position of a ledger's last entry, asked by a process number 1."""
    return position_in(ended_first_process(*command("query", POSITION, "--data", data)).stdout)


@only_where_namespaces_are
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_container_stops_in_order_with_its_first_process(
    ledger: Path, first_process: subprocess.Popen[str], number: signal.Signals
) -> None:
    (child,) = psutil.Process(first_process.pid).children()
    child.send_signal(number)
    # The kernel lets no signal end a process number 1, which therefore ends by itself.
    assert first_process.wait(SECONDS_TO_WAIT) == 128 + number
    assert not is_running(ledger)
    log = (ledger / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


@only_where_namespaces_are
def test_a_container_that_was_killed_starts_again(
    ledger: Path, first_process: subprocess.Popen[str]
) -> None:
    pid_file = ledger / "postgres" / "postmaster.pid"
    _, rest = pid_file.read_text().split("\n", 1)
    (child,) = psutil.Process(first_process.pid).children()
    child.kill()
    first_process.wait(SECONDS_TO_WAIT)
    wait_until(lambda: not is_running(ledger))
    # Numbers begin anew in each container: that of the dead server is the new first process's. (A
    # first process gives its locks back a moment before all others are killed, so that now and then
    # the watchdog has stopped the server in order.)
    pid_file.write_text(f"1\n{rest}")
    assert query(ledger) == 3


@only_where_namespaces_are
def test_two_containers_on_one_volume_share_a_server(
    ledger: Path, first_process: subprocess.Popen[str]
) -> None:
    # The socket lies on the volume, and a number of the other namespace means nothing here.
    assert query(ledger) == 3
    assert first_process.poll() is None


ORPHANS = """
import sys, time
from pathlib import Path
from ledger import embedded
for _ in range(2):
    embedded.start(Path(sys.argv[1])).close()
def alive():
    stats = [stat.read_text() for stat in Path("/proc").glob("[0-9]*/stat")]
    return [stat for stat in stats if ") Z " not in stat and not stat.startswith("1 ")]
until = time.monotonic() + 10
while alive() and time.monotonic() < until:
    time.sleep(0.1)
print(*alive())
"""


@only_where_namespaces_are
def test_a_first_process_goes_on_among_orphans_that_nobody_reaps(ledger: Path) -> None:
    ended = ended_first_process(sys.executable, "-c", ORPHANS, ledger)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not is_running(ledger)
    # What is left are zombies, which hold no lock: else the second start would not have come.
    assert ended.stdout == "\n"
