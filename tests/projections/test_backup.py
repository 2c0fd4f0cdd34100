"""Backing up: what comes back is what was there at one moment, and what can't be saved is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger import dump, tree_head
from ledger.database import connect
from ledger.embedded_program import binaries
from ledger.merkle import Frontier, leaf_hash
from ledger.refusal import Unusable
from ledger.settings import initialise
from migrations import SchemaTooNew, migrate, runner, session
from projections import REGISTRY, RULES, TABLES
from projections.backup import backup
from projections.rebuild import MIGRATING, REBUILDING
from projections.verify import verify
from tests.migrations.test_schema import schema_of
from tests.projections.backups import backed_up, contents, restored
from tests.projections.forgery import errors, forge, removed
from tests.projections.register import (
    ZONE,
    opened_ledger,
    record_at_random,
    record_register,
)

NAMES = "SELECT name FROM projections.persons WHERE upper_inf(known) ORDER BY key, step"


def test_a_ledger_comes_back_as_it_was_and_goes_on(
    register: str, empty_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.backup"
    manifest = backed_up(register, file)
    report = restored(empty_database, file)
    assert (report.manifest, report.migrated) == (manifest, 0)
    assert contents(empty_database) == contents(register)
    assert schema_of(empty_database) == schema_of(register)
    assert errors(verify(empty_database, REGISTRY, TABLES, ZONE)) == []
    with psycopg.connect(empty_database) as connection:
        assert ("Other name",) in connection.execute(NAMES).fetchall()
    with opened_ledger(empty_database) as ledger:
        assert record_at_random(ledger, seed=9, count=20) > 0
    found = verify(empty_database, REGISTRY, TABLES, ZONE)
    assert found.entries > manifest.size
    # Which can only be if the names of persons can still be read.
    assert errors(found) == []


def test_the_manifest_says_what_was_there(register: str, tmp_path: Path) -> None:
    manifest = backed_up(register, tmp_path / "a.backup")
    with connect(register) as connection:
        rows = connection.execute("SELECT header FROM ledger.entries ORDER BY position").fetchall()
    frontier = Frontier()
    for (header,) in rows:
        frontier.append(leaf_hash(header))
    assert (manifest.size, manifest.root_hash) == (len(rows), frontier.root().hex())
    assert manifest.last_leaf_hash == leaf_hash(rows[-1][0]).hex()
    assert (manifest.name, manifest.home_zone) == ("test", ZONE.name)
    assert (manifest.migration, manifest.rules) == (len(list(runner.FOLDER.glob("*.sql"))), RULES)
    assert manifest.program == "0.1.0"


def test_what_is_recorded_meanwhile_is_left_out_whole(
    register: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(register)
    with opened_ledger(register) as ledger:
        pg_dump = dump.dumped

        def while_recording(program: Path, url: str, snapshot: str) -> Generator[bytes]:
            # After the manifest and before the dump, and again while it runs.
            record_at_random(ledger, seed=1, count=30)
            for piece in pg_dump(program, url, snapshot):
                record_at_random(ledger, seed=2, count=30)
                yield piece

        monkeypatch.setattr(dump, "dumped", while_recording)
        manifest = backed_up(register, tmp_path / "a.backup")
    assert len(contents(register)["ledger.entries"]) > manifest.size
    restored(empty_database, tmp_path / "a.backup")
    assert contents(empty_database) == before


def test_a_ledger_without_entries_comes_back(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    with connect(database) as connection:
        initialise(connection, name="new", home_zone=ZONE.name)
    manifest = backed_up(database, tmp_path / "a.backup")
    assert (manifest.size, manifest.last_leaf_hash, manifest.rules) == (0, None, None)
    report = restored(empty_database, tmp_path / "a.backup")
    assert report.summary.startswith("restored 0 entries as of ")
    with opened_ledger(empty_database) as ledger:
        record_register(ledger)


def test_a_ledger_of_an_older_schema_is_saved_as_it_is_and_migrated_when_restored(
    server_url: str, empty_database: str, tmp_path: Path, database: str
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for path in sorted(runner.FOLDER.glob("*.sql"))[:-1]:
        shutil.copy(path, older)
    migrate(empty_database, folder=older)
    with opened_ledger(empty_database) as ledger:
        record_register(ledger)
    manifest = backed_up(empty_database, tmp_path / "a.backup")
    assert manifest.migration == len(list(older.iterdir()))
    forge_away(database)
    report = restored(database, tmp_path / "a.backup")
    assert report.summary.endswith("; 1 migration applied")
    assert errors(verify(database, REGISTRY, TABLES, ZONE)) == []
    assert contents(database)["ledger.entries"] == contents(empty_database)["ledger.entries"]


def forge_away(url: str) -> None:
    """Make a database as empty as a new one."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA ledger, projections CASCADE")


def refusal(url: str, file: Path) -> str:
    """Why a ledger is not backed up; nothing is left where the file would be."""
    with pytest.raises(Unusable) as caught:
        backed_up(url, file)
    assert list(file.parent.iterdir()) == []
    return str(caught.value)


def test_a_log_with_a_gap_has_no_root(register: str, tmp_path: Path) -> None:
    forge(register, removed(17))
    told = refusal(register, tmp_path / "a.backup")
    assert told.startswith("the log has a gap before entry 18, so it has no root hash")


def test_a_log_without_its_last_entry_is_not_the_one_of_its_head(
    register: str, tmp_path: Path
) -> None:
    with connect(register) as connection, connection.transaction():
        size = tree_head.read(connection).size
    forge(register, removed(size))
    told = refusal(register, tmp_path / "a.backup")
    assert told.startswith(f"the log ends with entry {size - 1}, and its head says {size}")


@pytest.mark.parametrize(
    ("key", "told"),
    [(REBUILDING, "the read models are being rebuilt"), (MIGRATING, "is being migrated")],
)
def test_rebuilding_and_migrating_come_first(
    database: str, tmp_path: Path, key: int, told: str
) -> None:
    with psycopg.connect(database) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [key])
        assert told in refusal(database, tmp_path / "a.backup")


def test_a_newer_schema_is_not_ours_to_save(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FOLDER", tmp_path)
    (tmp_path / "0001_log.sql").write_text("-- A reason.\n")
    with pytest.raises(SchemaTooNew, match="use the program's newer version"):
        backed_up(database, tmp_path / "a.backup")


def test_what_pg_dump_complains_of_is_told(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump, "OWNER", "nobody_at_all")
    told = refusal(register, tmp_path / "a.backup")
    assert told.startswith("the ledger could not be dumped: ")
    assert "nobody_at_all" in told


def test_a_connection_that_is_cut_leaves_nothing(
    register: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pg_dump = dump.dumped

    def cut(program: Path, url: str, snapshot: str) -> Iterator[bytes]:
        yield from pg_dump(program, url, snapshot)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    monkeypatch.setattr(dump, "dumped", cut)
    # The dump is whole by then; but rebuilds and migrations were not kept away to its end.
    assert "the backup was cut short" in refusal(register, tmp_path / "a.backup")


def test_an_interruption_ends_pg_dump_and_leaves_nothing(register: str, tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(
            register, tmp_path / "a.backup", program="0.1.0", overwrite=False, progress=interrupt
        )
    assert list(tmp_path.iterdir()) == []
    with session.connect(register) as connection:
        session.take_runner_lock(connection)


def test_the_password_is_not_on_the_command_line() -> None:
    command, environment = dump._command(
        Path("pg_dump"), "postgresql://clerk:hush@127.0.0.1/x", "00000003-00000002-1"
    )
    assert "hush" not in " ".join(map(str, command))
    assert environment["PGPASSWORD"] == "hush"


def program(folder: Path, text: str) -> Path:
    """A pg_dump of somebody's, first on the path."""
    folder.mkdir()
    path = folder / "pg_dump"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is not there yet, and all of PATH but the folders of the system."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    return tmp_path / "bin"


def test_our_own_pg_dump_comes_first(path: Path) -> None:
    program(path, "echo 'pg_dump (PostgreSQL) 99.1'")
    assert dump.pg_dump_for(15).parent == binaries()


def test_a_newer_server_takes_the_pg_dump_on_the_path(path: Path) -> None:
    newer = program(path, "echo 'pg_dump (PostgreSQL) 99.1 (Debian 99.1-1)'")
    assert dump.pg_dump_for(99) == newer


@pytest.mark.parametrize("text", ["echo 'pg_dump (PostgreSQL) 17.2'", "exit 1", "echo 99", ""])
def test_a_newer_server_without_one_says_what_to_install(path: Path, text: str) -> None:
    program(path, text)
    with pytest.raises(Unusable) as caught:
        dump.pg_dump_for(99)
    assert str(caught.value) == (
        "this database is PostgreSQL 99, and the pg_dump that is installed here only reads"
        " PostgreSQL up to 18: install the client programs of PostgreSQL 99, so that their pg_dump"
        " is on PATH"
    )


def test_without_any_pg_dump_that_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise Unusable("not installed")

    monkeypatch.setattr(dump, "binaries", missing)
    with pytest.raises(Unusable, match="the pg_dump that is installed here is missing"):
        dump.pg_dump_for(15)


def test_another_pg_dump_does_as_well(
    register: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose version is that of the server, or newer, as an administrator may have put there."""
    ours = binaries() / "pg_dump"
    theirs = program(tmp_path / "bin", f'exec "{ours}" "$@"')
    monkeypatch.setenv("PATH", f"{theirs.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(dump, "binaries", lambda: tmp_path / "none")
    address = make_conninfo(register, application_name="a backup's")
    backed_up(address, tmp_path / "a.backup")
    restored(empty_database, tmp_path / "a.backup")
    assert contents(empty_database) == contents(register)
