"""A server that hangs: what counts as that, and that it is ended, so that another is started."""

from __future__ import annotations

import fcntl
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from psycopg import pq

from ledger import embedded, embedded_hang
from ledger.embedded_folder import DataFolder, claim
from ledger.embedded_hang import hangs
from ledger.embedded_keeper import kept_running
from ledger.file_lock import FileLock
from ledger.refusal import Unusable
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import (
    MUCH,
    child_of,
    execute,
    is_running,
    kill,
    leave,
    postmaster,
    running,
    suspended_recovery,
    url_of,
    wait_until,
)

place = embedded_servers.place
template = embedded_servers.template
data = embedded_servers.data
crashed = embedded_servers.crashed


@pytest.fixture
def _unseen_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a server that recovers for one in which nothing goes on, as PostgreSQL's fault has it.

    That fault can't be had at will: it took hundreds of full disks to see it.
    """
    monkeypatch.setattr(embedded_hang, "RECOVERY", "what no process is called")
    monkeypatch.setattr(embedded_hang, "SECONDS_BETWEEN_LOOKS", 0.7)


def held_until_its_end(data: Path) -> None:
    """Hold up the recovery of a server until that is told to end, which it then does at once."""
    startup, server = suspended_recovery(data), postmaster(data)

    def resume() -> None:
        wait_until(lambda: not child_of(server, "background writer"))
        startup.resume()

    Thread(target=resume).start()


def test_a_server_that_answers_does_not_hang(data: Path) -> None:
    with embedded.start(data):
        assert not hangs(claim(data))
    assert not hangs(claim(data))


def test_nor_one_that_is_held_up(data: Path) -> None:
    with embedded.start(data):
        process = postmaster(data)
        process.suspend()
        assert not hangs(claim(data))
        process.resume()


def test_nor_one_that_stops(data: Path) -> None:
    with running(data) as user:
        url_of(user)
        checkpointer = child_of(postmaster(data), "checkpointer")
        assert checkpointer is not None
        checkpointer.suspend()
        leave(user)
        wait_until(lambda: claim(data).says("stopping"))
        assert not hangs(claim(data))
        checkpointer.resume()
        user.wait()


def test_nor_one_that_recovers(crashed: Path) -> None:
    with running(crashed) as user:
        startup = suspended_recovery(crashed)
        folder = claim(crashed)
        wait_until(lambda: folder.ping() == pq.Ping.REJECT)
        assert not hangs(folder)
        startup.resume()
        assert url_of(user)
        leave(user)
        user.wait()


@pytest.mark.usefixtures("_unseen_recovery")
def test_whoever_finds_one_that_hangs_starts_another(crashed: Path) -> None:
    folder = claim(crashed)
    # A user who came before and waits for nothing, since it is in the middle of its work.
    with closing(FileLock(folder.users_lock)) as user:
        assert user.take(fcntl.LOCK_SH)
        embedded._launch(folder)
        held_until_its_end(crashed)
        hanging = postmaster(crashed)
        with embedded.start(crashed) as server:
            assert postmaster(crashed) != hanging
            assert execute(server.url, "SELECT count(*) FROM note") == ["100000"]
    wait_until(lambda: not is_running(crashed))


@pytest.mark.usefixtures("_unseen_recovery")
def test_whoever_launched_it_is_told(crashed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = embedded._launch

    def launch_and_hold(folder: DataFolder) -> int:
        size = launch(folder)
        held_until_its_end(crashed)
        return size

    with monkeypatch.context() as patch:
        patch.setattr(embedded, "_launch", launch_and_hold)
        with pytest.raises(Unusable, match=r"^PostgreSQL did not start in "):
            embedded.start(crashed)
    with embedded.start(crashed) as server:
        assert execute(server.url, "SELECT count(*) FROM note") == ["100000"]


@pytest.mark.usefixtures("_unseen_recovery")
def test_one_that_is_looked_after_is_ended_and_started_again(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with embedded.start(data) as server:
        execute(server.url, MUCH)
        with kept_running(server):
            kill(claim(data))
            held_until_its_end(data)
            wait_until(lambda: "PostgreSQL had ended, and was started again" in caplog.messages)
            assert execute(server.url, "SELECT count(*) FROM note") == ["100000"]
