"""`secretariat backup` and `secretariat restore`, as a user meets them, on embedded databases."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger import embedded
from tests.commands import (
    EXAMPLE,
    ROOT,
    SECONDS_TO_WAIT,
    Here,
    command,
    environment,
    is_used,
    printed,
    rows_of,
    run,
    started,
)
from tests.ledger.embedded_servers import open_folder, running, url_of, wait_until
from tests.projections.backups import contents, manifest_of
from tests.test_command_line import read_all, wait_for_a_waiter

ENTRIES = rows_of(EXAMPLE)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs commands in this process."""
    return Here(monkeypatch, capsys)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data(place: Path) -> Iterator[Path]:
    """A data folder with the example, whose database runs all the while."""
    folder = place / "example"
    printed(run("import", EXAMPLE, "--home-zone", "Asia/Almaty", "--data", folder))
    with embedded.start(folder):
        yield folder


@pytest.fixture(scope="module")
def file(place: Path, data: Path) -> Path:
    """A backup of it."""
    path = place / "example.backup"
    done = printed(run("backup", path, "--data", data))
    root = manifest_of(path).root_hash
    assert done == f"backed up {ENTRIES} entries to {path}: root {root}\n"
    return path


@pytest.fixture
def url(data: Path) -> Iterator[str]:
    """The address of the example's database."""
    with embedded.start(data) as server:
        yield server.url


def test_a_new_folder_is_filled_and_the_ledger_goes_on(
    place: Path, file: Path, url: str, here: Here
) -> None:
    new = place / "deep" / "new"
    manifest = manifest_of(file)
    assert here.printed("restore", file, "--data", new) == (
        f"restored {ENTRIES} entries as of {manifest.created_at}:"
        f" root {manifest.root_hash}, as in the manifest\n"
    )
    assert not is_used(new)
    with embedded.start(new) as server:
        assert contents(server.url) == contents(url)
        found = here.printed("verify", "--data", new)
        assert found == f"{ENTRIES} entries verified: 0 errors, 0 warnings\n"
        again = here.printed("import", EXAMPLE, "--data", new)
        assert again == f"recorded 0 entries; {ENTRIES} were on record already\n"
        told = here.complaint("restore", file, "--data", new)
        assert "is not empty (it has ledger.entries)" in told
        assert here.position("--data", new) == ENTRIES


def test_the_embedded_one_moves_to_a_server_and_back(
    place: Path, file: Path, url: str, here: Here, empty_database_as_new: str
) -> None:
    here.printed("restore", file, "--database", empty_database_as_new)
    assert contents(empty_database_as_new) == contents(url)
    back = place / "back.backup"
    here.printed("backup", back, "--database", empty_database_as_new)
    assert manifest_of(back).root_hash == manifest_of(file).root_hash


def test_a_backup_is_its_owners_alone_and_stays(data: Path, file: Path, here: Here) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    told = here.complaint("backup", file, "--data", data)
    assert told == f"{file} exists: name another file, or overwrite it with --force"
    assert file.read_bytes() == before


def test_it_is_overwritten_on_demand(place: Path, data: Path, here: Here) -> None:
    path = place / "other.backup"
    path.write_text("something else")
    path.chmod(0o644)
    here.printed("backup", path, "--force", "--data", data)
    assert manifest_of(path).size == ENTRIES
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_the_help_says_what_is_at_stake(here: Here, name: str) -> None:
    told = " ".join(here.printed(name, "--help").split())
    said = {"backup": "It holds personal data and its keys", "restore": "all of it, or nothing"}
    assert said[name] in told


def test_without_a_ledger_there_is_nothing_to_back_up(
    place: Path, here: Here, empty_database: str
) -> None:
    path = place / "nothing.backup"
    assert "no ledger in" in here.complaint("backup", path, "--data", place / "nowhere")
    told = here.complaint("backup", path, "--database", empty_database)
    assert told == "this database holds no ledger yet: import a register first"
    assert not path.exists()
    assert not (place / "nowhere").exists()


@pytest.mark.parametrize("words", [("no such file",), ("--data",)])
def test_what_is_no_backup_makes_no_folder(place: Path, here: Here, words: tuple[str, ...]) -> None:
    path = place / "register.csv"
    path.write_text("a,b\n")
    told = here.complaint("restore", path, "--data", place / "unmade")
    assert told == (f"{path} is no backup of a ledger: name a file that `secretariat backup` wrote")
    assert not (place / "unmade").exists()


def test_a_damaged_file_makes_no_folder(place: Path, file: Path, here: Here) -> None:
    damaged = place / "damaged.backup"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    told = here.complaint("restore", damaged, "--data", place / "unmade")
    assert told.startswith(f"the backup {damaged} is damaged (")
    assert not (place / "unmade").exists()


def bad(place: Path, file: Path) -> Path:
    """A backup that only shows at the end of restoring what is wrong with it."""
    path = place / "bad.backup"
    shutil.copy(file, path)
    root = manifest_of(file).root_hash.encode()
    path.write_bytes(path.read_bytes().replace(root, b"0" * len(root)))
    return path


def test_what_fails_late_leaves_no_folder(place: Path, file: Path, here: Here) -> None:
    told = here.complaint("restore", bad(place, file), "--data", place / "far" / "unmade")
    assert told.startswith("the backup is not what its manifest says")
    assert not (place / "far").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server is another account's")
def test_a_folder_that_the_server_can_not_enter_is_not_made(
    place: Path, file: Path, here: Here
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    told = here.complaint("restore", file, "--data", closed / "new")
    assert f"to which {closed} is closed" in told
    assert list(closed.iterdir()) == []


def test_what_fails_late_leaves_an_empty_folder_empty(place: Path, file: Path, here: Here) -> None:
    empty = place / "empty"
    empty.mkdir()
    here.complaint("restore", bad(place, file), "--data", empty)
    assert list(empty.iterdir()) == []


def test_a_folder_that_somebody_else_uses_is_left_to_them(
    place: Path, file: Path, here: Here
) -> None:
    shared = place / "shared"
    with embedded.start(shared), running(shared) as other:
        address = url_of(other)
        here.complaint("restore", bad(place, file), "--data", shared)
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (shared / "postgres").exists()
    # There is still no ledger in it, so it can be restored into.
    here.printed("restore", file, "--data", shared)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_restore_that_is_stopped_leaves_no_folder(
    place: Path, file: Path, number: signal.Signals
) -> None:
    new = place / f"stopped-{number}"
    with started("restore", file, "--data", new) as process:
        wait_until((new / "postgres" / "postmaster.pid").exists)
        process.send_signal(number)
        assert process.wait(SECONDS_TO_WAIT) == -number
        assert process.communicate() == ("", "")
    assert not new.exists()


def test_a_backup_that_is_stopped_leaves_no_file(place: Path, data: Path, url: str) -> None:
    path = place / "stopped" / "a.backup"
    path.parent.mkdir()
    with psycopg.connect(url) as holder:
        # pg_dump waits for whoever changes a table.
        holder.execute("LOCK TABLE projections.states")
        with started("backup", path, "--data", data) as process:
            wait_for_a_waiter(url)
            assert [each.suffix for each in path.parent.iterdir()] == [".part"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS_TO_WAIT) == -signal.SIGTERM
            assert process.communicate() == ("", "")
    assert list(path.parent.iterdir()) == []


def test_progress_is_shown_on_a_terminal(
    place: Path, file: Path, empty_database_as_new: str
) -> None:
    shown = ""
    for words in (("restore", file), ("backup", place / "shown.backup")):
        master, slave = pty.openpty()
        with subprocess.Popen(
            command(*words, "--database", empty_database_as_new),
            cwd=ROOT,
            env=environment(TERM="xterm"),
            stdout=subprocess.DEVNULL,
            stderr=slave,
        ):
            os.close(slave)
            shown += read_all(master)
    assert [word for word in ("checking", "restoring", "dumping") if word not in shown] == []
