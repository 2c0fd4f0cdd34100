"""Bad places for a ledger: folders, disks and databases that can't be used, and what is said."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ledger import embedded
from ledger.embedded_folder import claim
from tests import commands
from tests.commands import POSITION, Here, position_in, printed, run, serving
from tests.conftest import fresh_database
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import IS_ROOT, execute, only_others, wait_until
from tests.ledger.registers import ACCOUNTS, GROUNDS, STATES, written

here = commands.here
place = embedded_servers.place

SMALL = "90m"
"""Room for a ledger, and for hardly more."""

LEFT = 17_000_000
"""In bytes: enough to start PostgreSQL on, and not to record in."""


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """A data folder with three entries in it, to be copied and left alone."""
    with embedded_servers.open_folder() as folder, tempfile.TemporaryDirectory() as register:
        words = ("import", written(Path(register), GROUNDS), "--data", folder / "data")
        assert printed(run(*words)) == "recorded 3 entries; 0 were on record already\n"
        yield folder / "data"


@contextmanager
def mounted(folder: Path, *options: str | Path) -> Iterator[Path]:
    """A file system, mounted on a folder of its own; the test is skipped where nobody may."""
    folder.mkdir()
    words = ["/bin/mount", *options, folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # The last of PostgreSQL's processes may be about to end.
        wait_until(lambda: not subprocess.run(["/bin/umount", folder], check=False).returncode)


only_linux_root = pytest.mark.skipif(
    not (IS_ROOT and Path("/bin/mount").exists() and Path("/proc/mounts").exists()),
    reason="needs root on Linux, who may mount a small file system",
)


# ---------------------------------------------------------------- folders


def test_a_file_is_no_data_folder(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert here.complaint("import", commands.EXAMPLE, "--data", file) == (
        f"{file} is a file: name a folder with --data"
    )
    for words in (["query", POSITION], ["verify"], ["serve", "--port", "0"]):
        assert here.complaint(*words, "--data", file) == (
            f"there is no ledger in {file}: import a register first, or name another folder with"
            " --data"
        )


@pytest.mark.parametrize("name", ["caf\udce9", "two\nlines"])
def test_a_data_folder_has_a_name_in_one_line_of_utf_8(here: Here, place: Path, name: str) -> None:
    # PostgreSQL writes it into a file, of which each line has its meaning.
    folder = place / name
    assert here.complaint("import", commands.EXAMPLE, "--data", folder) == (
        f"the name of the data folder {str(folder)!r} is not UTF-8, or has a line break: name"
        " another folder with --data"
    )
    assert list(place.iterdir()) == []


@only_others
def test_folders_without_permission(here: Here, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    unreadable = f"'{closed}' is not readable; `secretariat import --help` says more"
    told = here.complaint("import", commands.EXAMPLE, "--data", closed, status=2)
    assert told == f"invalid value for '--data': Path {unreadable}"
    told = here.complaint("import", closed, status=2)
    assert told == f"invalid value for 'DIR': Directory {unreadable}"
    told = here.complaint("query", POSITION, "--data", closed / "below")
    assert told == (
        f"the data folder {closed / 'below'} can't be used: Permission denied; mend that, or name"
        " another folder with --data"
    )


@only_linux_root
def test_a_data_folder_that_can_only_be_read(here: Here, filled: Path, place: Path) -> None:
    source = embedded_servers.copy(filled, place / "source")
    with mounted(place / "data", "--bind", "-o", "ro", source) as data:
        told = (
            f"the data folder {data} can't be written to: allow that, or name another folder with"
            " --data"
        )
        for words in (["query", POSITION], ["import", commands.EXAMPLE]):
            assert here.complaint(*words, "--data", data) == told
    assert here.position("--data", source) == 3


def test_a_data_folder_that_is_in_use_is_shared(
    here: Here, filled: Path, place: Path, tmp_path: Path
) -> None:
    data = embedded_servers.copy(filled, place / "data")
    with serving(data):
        more = written(tmp_path, {"state_admitted": STATES.replace("CHN", "UZB")})
        done = here.printed("import", more, "--data", data)
        assert done == "recorded 1 entry; 1 were on record already\n"
        with serving(data) as (_, address):
            assert position_in(commands.asked(address, POSITION).decode()) == 4


# ---------------------------------------------------------------- disks


@only_linux_root
def test_a_disk_that_fills_up_while_an_import_records(
    here: Here, filled: Path, place: Path, tmp_path: Path
) -> None:
    rows = "".join(f"2023,C-{n},MAIN,KAZ,2023,1.00,USD,{'n' * 2_000}\n" for n in range(2_000))
    header = "effective,contribution,account,state,fiscal_year,amount,currency,note\n"
    register = written(tmp_path, {"contribution_received": header + rows})
    with mounted(place / "disk", "-t", "tmpfs", "-o", f"size={SMALL},mode=711", "tmpfs") as disk:
        data = embedded_servers.copy(filled, disk / "data")
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(b"\0" * (free - LEFT))
        told = here.complaint("import", register, "--data", data)
        assert "No space left on device" in told
        (disk / "ballast").unlink()
        assert here.position("--data", data) == 3
        assert here.printed("verify", "--data", data).startswith("3 entries verified: 0 errors")


@only_linux_root
def test_a_disk_that_is_too_small_for_a_database(here: Here, place: Path) -> None:
    with mounted(place / "disk", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs") as disk:
        told = here.complaint("import", commands.EXAMPLE, "--data", disk / "data")
        assert told.startswith(f"initdb could not make a database in {disk / 'data'} (status 1): ")
        assert "No space left on device" in told


# ---------------------------------------------------------------- databases


def test_a_database_of_a_newer_version_is_left_alone(
    here: Here, database: str, tmp_path: Path
) -> None:
    here.printed("import", written(tmp_path, GROUNDS), "--database", database)
    execute(
        database,
        "INSERT INTO ledger.migrations SELECT (jsonb_populate_record(last, jsonb_build_object("
        " 'number', number + 1, 'name', 'from_the_future'))).* FROM ledger.migrations AS last"
        " ORDER BY number DESC LIMIT 1",
    )
    more = written(tmp_path, {"bank_account_opened": ACCOUNTS.replace("MAIN", "OTHER")})
    for words in (["import", more], ["query", POSITION], ["verify"], ["rebuild"]):
        told = here.complaint(*words, "--database", database)
        assert re.fullmatch(
            r"database test_\w+ on \S+ has from_the_future, while this program's last migration is"
            r" \d{4}_\w+\.sql; use the program's newer version",
            told,
        )
    assert execute(database, "SELECT position FROM ledger.head") == ["3"]


def test_a_database_that_is_out_of_reach(here: Here, tmp_path: Path) -> None:
    words = ("import", written(tmp_path, GROUNDS), "--database")
    told = here.complaint(*words, "postgresql://somebody@127.0.0.1:1/ledger")
    assert told.startswith("the database cannot be reached: ")
    assert "Connection refused" in told
    assert told.endswith("; check its address and that it runs")


RULES = "host all all 127.0.0.1/32 scram-sha-256\nlocal all all reject\n"


@contextmanager
def over_tcp(data: Path, port: int) -> Iterator[None]:
    """Serve PostgreSQL's files in a data folder over TCP, to whoever knows a password."""
    with embedded.start(data) as server:
        execute(server.url, "CREATE ROLE clerk LOGIN SUPERUSER PASSWORD 'open sesame'")
    folder = claim(data)
    folder.host_rules.write_text(RULES)
    settings = {"hba_file": folder.host_rules, "listen_addresses": "127.0.0.1", "port": port}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with subprocess.Popen(
        [embedded.binaries() / "postgres", "-D", folder.cluster, "-k", "", *options],
        user=folder.account,
        group=folder.account,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(lambda: folder.says("ready"))
            yield
        finally:
            process.terminate()


def test_a_wrong_password_is_told_and_not_repeated(
    here: Here, filled: Path, place: Path, tmp_path: Path
) -> None:
    data = embedded_servers.copy(filled, place / "data")
    more = written(tmp_path, {"bank_account_opened": ACCOUNTS.replace("MAIN", "OTHER")})
    port = commands.free_port()
    with over_tcp(data, port):
        address = f"127.0.0.1:{port}/{embedded.DATABASE}"
        for words in (["import", more], ["query", POSITION]):
            told = here.complaint(*words, "--database", f"postgresql://clerk:hush@{address}")
            assert 'password authentication failed for user "clerk"' in told
            assert "hush" not in told
            told = here.complaint(*words, "--database", f"postgresql://clerk@{address}")
            assert "no password supplied" in told
        right = f"postgresql://clerk:open%20sesame@{address}"
        assert here.position("--database", right) == 3


def test_a_copy_of_a_database_that_lacks_its_grants(
    here: Here, database: str, server_url: str, tmp_path: Path
) -> None:
    here.printed("import", written(tmp_path, GROUNDS), "--database", database)
    name = str(conninfo_to_dict(database)["dbname"])
    with fresh_database(server_url, template=name) as copied:
        assert here.complaint("rebuild", "--database", copied).startswith(
            "the database refuses this: permission denied for database test_"
        )


@pytest.mark.parametrize("command", ["import", "rebuild", "verify"])
def test_a_database_that_gives_statements_up(
    here: Here, database: str, tmp_path: Path, command: str
) -> None:
    here.printed("import", written(tmp_path, GROUNDS), "--database", database)
    (tmp_path / "state_admitted.csv").write_text(STATES.replace("CHN", "IND"))
    words = [command, tmp_path, "--late"] if command == "import" else [command]
    with psycopg.connect(database) as holder:
        limit = sql.SQL("ALTER DATABASE {} SET lock_timeout = '50ms'")
        holder.execute(limit.format(sql.Identifier(holder.info.dbname)))
        holder.commit()
        holder.execute("LOCK TABLE ledger.records")
        told = here.complaint(*words, "--database", database)
    why = "canceling statement due to lock timeout"
    assert told == {
        "import": f"the database gave up a statement ({why}), so nothing was recorded; try again",
        "rebuild": f"the rebuild was cut short: {why}; run `secretariat rebuild` again",
        "verify": f"verifying was cut short: {why}; run it again",
    }.get(command)
