"""The embedded PostgreSQL's life: who starts it, who shares it, what it outlives, when it stops.

Every test runs real servers. As root they run once more, as an ordinary user, at the end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from ledger import embedded
from ledger.embedded import binaries, start
from ledger.embedded_folder import DataFolder, claim
from ledger.refusal import Unusable
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import (
    IS_ROOT,
    PARENT,
    ROOT,
    copy,
    execute,
    is_running,
    kill,
    leave,
    only_root,
    postmaster,
    running,
    url_of,
    wait_until,
)

place = embedded_servers.place
template = embedded_servers.template
data = embedded_servers.data


def test_a_new_folder_gets_a_private_and_durable_server(place: Path) -> None:
    data = place / "below" / "data"
    with start(data) as server:
        settings = {
            "fsync": "on",
            "full_page_writes": "on",
            "server_encoding": "UTF8",
            "timezone": "UTC",
            "listen_addresses": "",
        }
        for name, value in settings.items():
            assert execute(server.url, f"SHOW {name}") == [value], name
        assert execute(server.url, "SELECT current_database()") == ["secretariat"]
        assert postmaster(data).net_connections("inet") == []
        modes = {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()}
        shared = 0o640 if IS_ROOT else 0o600
        assert modes == {
            "postgres": 0o700,
            "socket": 0o700,
            "postgres.log": 0o600,
            "start.lock": 0o600,
            "users.lock": 0o600,
            "server.lock": 0o600,
            "pg_hba.conf": shared,
            "pg_ident.conf": shared,
        }
        assert data.stat().st_mode & 0o777 == (0o710 if IS_ROOT else 0o700)


def test_what_was_committed_is_there_after_a_stop(data: Path) -> None:
    server = start(data)
    execute(server.url, "INSERT INTO note VALUES ('kept')")
    server.close()
    assert not is_running(data)
    server.close()
    with start(data) as server:
        assert execute(server.url, "SELECT words FROM note") == ["kept"]


def test_durability_can_not_be_switched_off(data: Path) -> None:
    with start(data) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
    with start(data) as server:
        assert execute(server.url, "SHOW fsync") == ["on"]


def test_four_who_start_at_once_on_a_new_folder_share_a_server(place: Path) -> None:
    data = place / "data"
    with ExitStack() as stack:
        users = [stack.enter_context(running(data)) for _ in range(4)]
        began = {execute(url_of(user), "SELECT pg_postmaster_start_time()")[0] for user in users}
        assert len(began) == 1
        for user in users:
            leave(user)
        assert [user.wait() for user in users] == [0, 0, 0, 0]
        assert not is_running(data)


def test_a_server_outlives_its_starter_as_long_as_it_is_used(data: Path) -> None:
    with running(data) as starter:
        url_of(starter)
        server = start(data)
        starter.kill()
        starter.wait()
    # Time enough for a watchdog that is mistaken.
    time.sleep(0.5)
    assert execute(server.url, "SELECT 1") == ["1"]
    server.close()
    assert not is_running(data)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_server_stops_when_its_only_user_is_ended(data: Path, number: signal.Signals) -> None:
    with running(data) as user:
        url = url_of(user)
        execute(url, "INSERT INTO note VALUES ('kept')")
        user.send_signal(number)
        user.wait()
    wait_until(lambda: not is_running(data))
    log = (data / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down"), "it was not stopped in order"
    with start(data) as server:
        assert execute(server.url, "SELECT words FROM note") == ["kept"]


def test_a_forked_child_does_not_hold_the_server(data: Path) -> None:
    with running(data, PARENT) as parent:
        url_of(parent)
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
        wait_until(lambda: not is_running(data))
        assert child.is_running()
        child.kill()


def test_a_user_who_forgets_to_close_stops_the_server_at_exit(data: Path) -> None:
    with running(data) as user:
        url_of(user)
        leave(user)
        assert user.wait() == 0
        assert not is_running(data)


def test_closing_stops_the_server_without_its_watchdog(data: Path) -> None:
    server = start(data)
    watchdog = postmaster(data).parent()
    assert watchdog is not None
    assert "embedded_watchdog.py" in " ".join(watchdog.cmdline())
    watchdog.kill()
    server.close()
    assert not is_running(data)


def test_a_killed_server_is_replaced_with_all_that_was_committed(data: Path) -> None:
    with start(data) as before, psycopg.connect(before.url) as idle:
        execute(before.url, "INSERT INTO note VALUES ('kept')")
        postmaster(data).kill()
        with start(data) as after:
            assert execute(after.url, "SELECT words FROM note") == ["kept"]
            # Whoever used the old one uses the new one.
            assert execute(before.url, "SELECT words FROM note") == ["kept"]
        assert is_running(data)
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
    assert not is_running(data)


@contextmanager
def a_stranger(place: Path, template: Path) -> Iterator[int]:
    del place, template
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        try:
            yield process.pid
            assert process.poll() is None, "a stranger was killed"
        finally:
            process.kill()


@contextmanager
def another_server(place: Path, template: Path) -> Iterator[int]:
    other = copy(template, place / "other")
    with start(other) as server:
        number = postmaster(other).pid
        yield number
        assert execute(server.url, "SELECT 1") == ["1"]
        assert postmaster(other).pid == number


@contextmanager
def whoever_starts(place: Path, template: Path) -> Iterator[int]:
    yield os.getpid()


@contextmanager
def the_first_process(place: Path, template: Path) -> Iterator[int]:
    # In a container this is a server of ours, and often was one of the container before.
    yield 1


@pytest.mark.parametrize(
    "stranger", [a_stranger, another_server, whoever_starts, the_first_process]
)
def test_a_number_that_came_to_belong_to_another_is_left_alone(
    data: Path,
    place: Path,
    template: Path,
    stranger: Callable[[Path, Path], AbstractContextManager[int]],
) -> None:
    server = start(data)
    stale = {path: path.read_text() for path in (data / "postgres").glob("postmaster.pid")}
    stale |= {path: path.read_text() for path in (data / "socket").glob("*.lock")}
    assert len(stale) == 2
    number = str(postmaster(data).pid)
    kill(claim(data))
    server.close()
    with stranger(place, template) as other:
        for path, text in stale.items():
            path.write_text(text.replace(number, str(other), 1))
        with start(data) as server:
            assert execute(server.url, "SELECT 1") == ["1"]
            assert postmaster(data).pid != other


def test_a_server_that_is_slow_to_answer_is_waited_for(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_SECONDS_BEFORE_A_NOTICE", 0.1)
    with running(data) as user:
        execute(url_of(user), "INSERT INTO note VALUES ('kept')")
        process = postmaster(data)
        process.suspend()
        notices: list[str] = []

        def resume(text: str) -> None:
            notices.append(text)
            process.resume()

        with start(data, resume) as server:
            assert execute(server.url, "SELECT words FROM note") == ["kept"]
        assert len(notices) == 1
        assert str(data) in notices[0]


def test_a_server_that_dies_just_after_it_answered_is_started_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = embedded._answers
    deaths: list[int] = []

    def answers_and_dies(folder: DataFolder) -> bool:
        if not answers(folder):
            return False
        if not deaths:
            deaths.append(postmaster(data).pid)
            kill(folder)
        return True

    monkeypatch.setattr(embedded, "_answers", answers_and_dies)
    with start(data) as server:
        assert execute(server.url, "SELECT count(*) FROM note") == ["0"]
        assert postmaster(data).pid != deaths[0]


def test_a_server_that_can_not_start_says_why(data: Path) -> None:
    with (data / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("\nmax_connections = plenty\n")
    with pytest.raises(Unusable, match=r'did not start.*max_connections": "plenty"') as told:
        start(data)
    assert "\n" not in str(told.value)


def test_a_server_that_somebody_else_started_is_left_alone(data: Path, place: Path) -> None:
    folder = claim(data)
    sockets = place / "sockets"
    sockets.mkdir()
    if folder.account is not None:
        os.chown(sockets, folder.account, folder.account)
    with subprocess.Popen(
        [binaries() / "postgres", "-D", folder.cluster, "-k", sockets, "-h", ""],
        user=folder.account,
        group=folder.account,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: folder.says("ready"))
        with pytest.raises(Unusable, match=f"started by other means.*process {process.pid}"):
            start(data)
        process.send_signal(signal.SIGINT)


def test_no_value_reaches_the_log(data: Path) -> None:
    with start(data) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE UNIQUE INDEX ON note (words)")
        connection.execute("INSERT INTO note VALUES ('Aigerim')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="Aigerim"):
            connection.execute("INSERT INTO note VALUES (%s)", ["Aigerim"])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="Aigerim"):
            connection.execute("SELECT 'Aigerim'::int")
    assert "Aigerim" not in (data / "postgres.log").read_text()


@only_root
def test_all_this_as_an_ordinary_user() -> None:
    account = pwd.getpwnam("nobody")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/",
    }

    def run(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, *arguments],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def works(python: str) -> bool:
        try:
            return not run(python, "-c", "import psycopg, pytest, ledger.embedded").returncode
        except PermissionError:
            return False

    pythons = [sys.executable, *filter(None, map(shutil.which, ("python3", "/usr/bin/python3")))]
    python = next(filter(works, pythons), None)
    if python is None:
        pytest.skip("no Python, or not this checkout, is open to an ordinary user")
    files = [str(path) for path in Path(__file__).parent.glob("test_embedded*.py")]
    assert len(files) == 3
    outcome = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
