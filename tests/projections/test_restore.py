"""Restoring: all that the manifest says, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.backup_file import Manifest
from ledger.refusal import SecretariatError
from migrations import MigrationError, RolesMissing
from projections.place import Place
from projections.restore import is_not_empty
from tests.projections.backups import backed_up, contents, forged, manifest_of, restored


@pytest.fixture(scope="module")
def file(register_template: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the register."""
    path = tmp_path_factory.mktemp("backups") / "register.backup"
    backed_up(register_template, path)
    return path


def refusal(url: str, file: Path) -> str:
    """Why a backup is not restored; the database stays as it is."""
    before = contents(url)
    with pytest.raises((SecretariatError, MigrationError)) as caught:
        restored(url, file)
    assert contents(url) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_line_says_what_was_restored(empty_database: str, file: Path) -> None:
    told: list[tuple[int, int]] = []
    report = restored(empty_database, file, lambda done, total: told.append((done, total)))
    manifest = manifest_of(file)
    assert report.summary == (
        f"restored {manifest.size} entries as of {manifest.created_at}:"
        f" root {manifest.root_hash}, as in the manifest"
    )
    assert told == sorted(told)
    assert Place(empty_database).open_current().name == manifest.home_zone


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE public.theirs (x int)", "CREATE SCHEMA ledger", "CREATE SEQUENCE public.theirs"],
)
def test_a_database_that_is_not_empty_is_refused(
    empty_database: str, file: Path, statement: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(statement.encode())
    told = refusal(empty_database, file)
    assert "is not empty (it has " in told
    assert told.endswith("name a new folder with --data, or a new database with --database")


def test_a_ledger_is_not_overwritten(register: str, file: Path) -> None:
    assert "is not empty (it has ledger.entries)" in refusal(register, file)


def test_a_second_time_is_refused(empty_database: str, file: Path) -> None:
    restored(empty_database, file)
    assert "is not empty" in refusal(empty_database, file)


def test_an_extension_is_nothing_in_the_way(empty_database: str, file: Path) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE VIEW public.counters AS SELECT 1 AS one")
        connection.execute("CREATE SCHEMA theirs")
        assert is_not_empty(empty_database) is False, "nothing of it is committed"
        # As managed servers have one that counts statements.
        connection.execute(
            "INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid,"
            " deptype) SELECT 'pg_class'::regclass, 'public.counters'::regclass, 0,"
            " 'pg_extension'::regclass, oid, 0, 'e' FROM pg_extension WHERE extname = 'plpgsql'"
        )
    restored(empty_database, file)


def test_a_newer_schema_is_refused(empty_database: str, file: Path, tmp_path: Path) -> None:
    manifest = replace(manifest_of(file), migration=999, program="9.9.9")
    newer = forged(file, tmp_path / "newer", b"SET", b"SET", manifest)
    told = refusal(empty_database, newer)
    assert told.startswith("this backup's schema has migration 0999 (program 9.9.9), while")
    assert told.endswith("restore it with a newer version of the program")


def test_a_newer_schema_that_the_manifest_hides_is_refused(
    empty_database: str, file: Path, tmp_path: Path
) -> None:
    row = b"999\t0999_x.sql\t" + b"0" * 64 + b"\t2023-12-07 00:00:00+00\t1\n"
    columns = b"COPY ledger.migrations (number, name, sha256, applied_at, runner) FROM stdin;\n"
    newer = forged(file, tmp_path / "newer", columns, columns + row, manifest_of(file))
    assert "use the program's newer version" in refusal(empty_database, newer)


def test_an_older_server_is_refused(empty_database: str, file: Path, tmp_path: Path) -> None:
    manifest = replace(manifest_of(file), postgresql="99.1")
    newer = forged(file, tmp_path / "newer", b"SET", b"SET", manifest)
    told = refusal(empty_database, newer)
    assert told.endswith(": restore it into PostgreSQL 99 or later")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"size": 1}, "its number of entries should be 1, and is "),
        ({"root_hash": "00"}, "its root hash should be 00, and is "),
        ({"last_leaf_hash": "00"}, "its last entry's hash should be 00, and is "),
        ({"last_leaf_hash": None}, "its last entry's hash should be None, and is "),
        ({"home_zone": "UTC"}, "its home time zone should be UTC, and is Asia/Almaty"),
        ({"rules": "0"}, "its read models' rules should be 0, and is "),
    ],
    ids=str,
)
def test_another_log_than_the_manifests_is_refused(
    empty_database: str, file: Path, tmp_path: Path, change: dict[str, Any], what: str
) -> None:
    other = forged(file, tmp_path / "x", b"SET", b"SET", replace(manifest_of(file), **change))
    told = refusal(empty_database, other)
    assert told.startswith("the backup is not what its manifest says, and nothing of it was kept:")
    assert what in told


def test_an_altered_entry_has_another_root(empty_database: str, file: Path, tmp_path: Path) -> None:
    # A header in hexadecimal: `"kind":"state"` becomes that of another kind.
    old, new = (f'"kind":"{kind}"'.encode().hex().encode() for kind in ("state", "stale"))
    altered = forged(file, tmp_path / "altered", old, new, manifest_of(file))
    assert "its root hash should be" in refusal(empty_database, altered)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((b"CREATE VIEW", b"CREATE VIE"), "syntax error"),
        ((b"ADD CONSTRAINT entries_pkey", b"ADD CONSTRAINT entries_pkey x"), "syntax error"),
        ((b"TO secretariat_server", b"TO reporters"), 'role "reporters" does not exist'),
    ],
    ids=["early", "late", "a role that is not there"],
)
def test_sql_that_fails_leaves_nothing(
    empty_database: str, file: Path, change: tuple[bytes, bytes], told: str
) -> None:
    bad = file.with_name(f"bad-{secrets.token_hex(4)}")
    line = refusal(empty_database, forged(file, bad, *change, manifest_of(file)))
    assert line.startswith("the backup could not be restored, and nothing of it was kept: ")
    assert told in line
    assert not is_not_empty(empty_database)


def test_an_interruption_leaves_nothing(empty_database: str, file: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restored(empty_database, file, interrupt)
    assert not is_not_empty(empty_database)
    restored(empty_database, file)


def test_a_backend_that_is_killed_leaves_nothing(
    server_url: str, empty_database: str, file: Path
) -> None:
    def kill(done: int, total: int) -> None:
        if done:
            with psycopg.connect(server_url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = %s",
                    [psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]],
                )

    with pytest.raises(SecretariatError, match="nothing of it was kept"):
        restored(empty_database, file, kill)
    assert not is_not_empty(empty_database)


def test_other_rules_ask_for_a_rebuild(empty_database: str, file: Path, tmp_path: Path) -> None:
    manifest = manifest_of(file)
    columns = b"COPY projections.rules (only_row, version) FROM stdin;\n"
    row = f"t\t{manifest.rules}\n".encode()
    older = replace(manifest, rules="0")
    other = forged(file, tmp_path / "other", columns + row, columns + b"t\t0\n", older)
    report = restored(empty_database, other)
    assert report.summary.endswith(
        "; other rules filled the read models: run `secretariat rebuild`"
    )


@contextmanager
def clerk(server_url: str, *grants: str) -> Iterator[str]:
    """A login with few rights, and its password."""
    name, password = f"login_{secrets.token_hex(6)}", secrets.token_hex()
    with psycopg.connect(server_url, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(identifier, sql.Literal(password))
        )
        for grant in grants:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(grant), identifier))
        try:
            yield make_conninfo(user=name, password=password)
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(identifier))


def test_a_login_without_rights_is_told_the_statements(
    server_url: str, empty_database: str, file: Path
) -> None:
    with clerk(server_url) as login:
        address = make_conninfo(empty_database, **psycopg.conninfo.conninfo_to_dict(login))
        with pytest.raises(RolesMissing, match="ask an administrator to run"):
            restored(address, file)
    assert not is_not_empty(empty_database)


def test_who_may_take_the_two_roles_can_back_up_and_restore(
    server_url: str, register: str, empty_database: str, tmp_path: Path
) -> None:
    with clerk(server_url, "secretariat_owner", "secretariat_server") as login:
        as_clerk = psycopg.conninfo.conninfo_to_dict(login)
        with psycopg.connect(empty_database) as connection:
            database = sql.Identifier(connection.info.dbname)
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO secretariat_owner").format(database)
            )
        manifest: Manifest = backed_up(make_conninfo(register, **as_clerk), tmp_path / "a")
        report = restored(make_conninfo(empty_database, **as_clerk), tmp_path / "a")
    assert report.manifest == manifest
    assert contents(empty_database) == contents(register)
