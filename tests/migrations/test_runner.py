"""The runner: what it applies, records and refuses, and two of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from migrations import (
    ChecksumDiffers,
    DatabaseUnusable,
    MigrationError,
    MigrationFailed,
    RolesMissing,
    SchemaBehind,
    SchemaTooNew,
    check,
    migrate,
    runner,
    session,
)
from migrations.files import read_files
from tests.migrations.conftest import Logins, Write, wait_for

ONE = "CREATE TABLE one (x int PRIMARY KEY);"
TWO = "CREATE TABLE two (x int);\nINSERT INTO one VALUES (1);"


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def checked(url: str, folder: Path) -> None:
    with psycopg.connect(url) as connection:
        check(connection, folder=folder)


def refusal(url: str, folder: Path) -> MigrationError:
    """What `migrate` raises, once it is certain that its message is one line naming the place."""
    with pytest.raises(MigrationError) as caught:
        migrate(url, folder=folder)
    assert "\n" not in str(caught.value)
    assert rows(url, "SELECT current_database()")[0][0] in str(caught.value)
    return caught.value


@contextmanager
def runner_lock(url: str) -> Iterator[None]:
    """Hold what a runner on the database at `url` holds."""
    with session.connect(url) as connection:
        session.take_runner_lock(connection)
        yield


def test_files_are_applied_in_order_once_and_recorded(empty_database: str, write: Write) -> None:
    folder = write(**{"0002_two": TWO, "0001_one": ONE})
    assert migrate(empty_database, folder=folder) == ["0001_one.sql", "0002_two.sql"]
    assert migrate(empty_database, folder=folder) == []
    checked(empty_database, folder)
    recorded = rows(
        empty_database,
        "SELECT number, name, sha256, runner, now() - applied_at BETWEEN '0' AND '1 minute'"
        " FROM ledger.migrations ORDER BY number",
    )
    assert recorded == [
        (file.number, file.name, file.sha256, runner.RUNNER_VERSION, True)
        for file in read_files(folder)
    ]


def test_a_new_file_is_applied_alone(empty_database: str, write: Write) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE}))
    folder = write(**{"0002_two": TWO})
    with pytest.raises(SchemaBehind, match=r"lacks 0002_two\.sql; migrate it first"):
        checked(empty_database, folder)
    assert migrate(empty_database, folder=folder) == ["0002_two.sql"]
    checked(empty_database, folder)


def test_the_ledgers_own_files_are_applied_by_default(database: str) -> None:
    applied = rows(database, "SELECT name FROM ledger.migrations ORDER BY number")
    assert [name for (name,) in applied] == [file.name for file in read_files(runner.FOLDER)]
    with psycopg.connect(database, options="-c role=secretariat_server") as connection:
        check(connection)


def test_files_run_as_the_owner_in_the_schema_of_the_log(empty_database: str, write: Write) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE}))
    assert rows(
        empty_database, "SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'one'"
    ) == [("ledger", "secretariat_owner")]


def test_each_file_starts_with_the_same_settings(empty_database: str, write: Write) -> None:
    note = """
        INSERT INTO ledger.settings_seen SELECT current_user, current_setting('search_path'),
            current_setting('timezone'), current_setting('lock_timeout'),
            current_setting('statement_timeout'), current_setting('work_mem');
    """
    table = "CREATE TABLE ledger.settings_seen (a text, b text, c text, d text, e text, f text);"
    spoil = "SET search_path = public; SET timezone = 'Asia/Almaty'; SET lock_timeout = 0;"
    spoil += "SET statement_timeout = 0; SET work_mem = '1MB'; SET ROLE secretariat_owner;"
    migrate(empty_database, folder=write(**{"0001_a": table + note + spoil, "0002_b": note}))
    seen = rows(empty_database, "SELECT * FROM ledger.settings_seen")
    default = rows(empty_database, "SHOW work_mem")[0][0]
    settings = ("secretariat_owner", "ledger, projections", "UTC", "5s", "10min", default)
    assert seen == [settings, settings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "CREATE TABLE kept (x int);\n\n-- So.\nSELECT\n  1, nothing;",
            '0002_bad.sql, line 6: column "nothing" does not exist',
        ),
        (
            "CREATE TABLE kept (x int);\n/* é */ CREATE TABLE\none (x int);\nSELECT 1;",
            '0002_bad.sql, line 3: relation "one" already exists',
        ),
        ("CREATE TABLE kept (x int);\nSELEC 1;", "0002_bad.sql, line 3: syntax error at or near"),
        ("CREATE TABLE kept (x int);\nSELECT 'open", "line 3: unterminated quoted string"),
        (
            """CREATE TABLE kept (x int);
            DO $$ BEGIN
            RAISE 'no' USING DETAIL = 'so\nit is', HINT = 'Do else.'; END $$;""",
            "0002_bad.sql, line 3: no — so it is — Do else.; nothing of this file is kept;",
        ),
        (
            """CREATE TABLE kept (x int UNIQUE DEFERRABLE INITIALLY DEFERRED);
            INSERT INTO kept VALUES (1), (1);""",
            "0002_bad.sql, at its end: duplicate key value violates unique constraint",
        ),
        ("CREATE TABLE kept (x int);\nVACUUM;", "line 3: VACUUM cannot run inside a transaction"),
        ("CREATE TABLE kept (x int);\nCOPY kept FROM STDIN;", "0002_bad.sql, line 3: COPY"),
    ],
)
def test_a_failed_file_leaves_the_old_state_and_says_its_line(
    empty_database: str, write: Write, text: str, said: str
) -> None:
    folder = write(**{"0001_one": ONE, "0002_bad": text, "0003_three": "SELECT 1;"})
    error = refusal(empty_database, folder)
    assert isinstance(error, MigrationFailed)
    assert said in str(error)
    assert rows(empty_database, "SELECT name FROM ledger.migrations") == [("0001_one.sql",)]
    assert rows(empty_database, "SELECT to_regclass('ledger.kept')") == [(None,)]
    folder = write(**{"0002_bad": TWO})
    assert migrate(empty_database, folder=folder) == ["0002_bad.sql", "0003_three.sql"]


def test_a_file_that_differs_from_the_applied_one_is_refused_by_name(
    empty_database: str, write: Write
) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE, "0002_two": TWO}))
    folder = write(**{"0002_two": TWO + " -- Edited.", "0003_three": "SELECT 1;"})
    error = refusal(empty_database, folder)
    assert isinstance(error, ChecksumDiffers)
    assert ": 0002_two.sql (SHA-256 " in str(error)
    with pytest.raises(ChecksumDiffers, match=r": 0002_two\.sql \(SHA-256 "):
        checked(empty_database, folder)
    assert rows(empty_database, "SELECT count(*) FROM ledger.migrations") == [(2,)]


def test_a_file_of_another_name_is_refused_with_both_names(
    empty_database: str, write: Write
) -> None:
    folder = write(**{"0001_one": ONE})
    migrate(empty_database, folder=folder)
    (folder / "0001_one.sql").rename(folder / "0001_first.sql")
    error = refusal(empty_database, folder)
    assert isinstance(error, ChecksumDiffers)
    assert "0001_first.sql" in str(error)
    assert "as 0001_one.sql" in str(error)


def test_a_database_newer_than_the_files_is_refused(empty_database: str, write: Write) -> None:
    folder = write(**{"0001_one": ONE, "0002_two": TWO, "0003_three": "SELECT 1;"})
    migrate(empty_database, folder=folder)
    (folder / "0002_two.sql").unlink()
    (folder / "0003_three.sql").unlink()
    error = refusal(empty_database, folder)
    assert isinstance(error, SchemaTooNew)
    assert "has 0002_two.sql, while this program's last migration is 0001_one.sql" in str(error)
    with pytest.raises(SchemaTooNew, match=r"has 0002_two\.sql"):
        checked(empty_database, folder)


def test_an_empty_database_is_behind(empty_database: str, write: Write) -> None:
    folder = write(**{"0001_one": ONE, "0002_two": TWO})
    with pytest.raises(SchemaBehind, match=r"lacks 0001_one\.sql, 0002_two\.sql;"):
        checked(empty_database, folder)


def test_check_leaves_the_connection_as_it_was(empty_database: str, write: Write) -> None:
    folder = write(**{"0001_one": ONE})
    with psycopg.connect(empty_database, row_factory=dict_row) as connection:
        with pytest.raises(SchemaBehind):
            check(connection, folder=folder)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        migrate(empty_database, folder=folder)
        check(connection, folder=folder)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        connection.execute("CREATE TEMPORARY TABLE mine (x int)")
        check(connection, folder=folder)
        connection.execute("SELECT * FROM mine")


def test_check_by_a_role_without_rights_says_which_one_to_take(
    logins: Logins, blank: str, write: Write
) -> None:
    folder = write(**{"0001_one": ONE})
    migrate(blank, folder=folder)
    address = logins.address(blank, logins.new())
    with pytest.raises(RolesMissing, match="connect as a member of server_"):
        checked(address, folder)


def test_a_second_runner_waits_and_finds_nothing_to_do(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(**{"0001_one": ONE})
    in_use = "SELECT pg_advisory_xact_lock(1);"
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(empty_database) as holder:
            holder.execute(in_use.encode())
            first = pool.submit(migrate, empty_database, folder=write(**{"0002_slow": in_use}))
            pid = wait_for(empty_database, "advisory")
            # Its own lock is waited for without the limit that a table's has.
            monkeypatch.setattr(session, "LOCK_TIMEOUT", "100ms")
            second = pool.submit(migrate, empty_database, folder=folder)
            assert wait_for(empty_database, "advisory", other_than=pid) != pid
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        assert first.result(timeout=30) == ["0001_one.sql", "0002_slow.sql"]
        assert second.result(timeout=30) == []


def test_of_several_runners_at_once_one_applies_everything(
    empty_database: str, write: Write
) -> None:
    folder = write(**{"0001_one": ONE, "0002_two": TWO})
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(migrate, empty_database, folder=folder) for _ in range(4)]
        applied = sorted(run.result(timeout=60) for run in runs)
    assert applied == [[], [], [], ["0001_one.sql", "0002_two.sql"]]


def test_a_runner_does_not_wait_for_ever_for_another_one(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(**{"0001_one": ONE})
    with runner_lock(empty_database):
        monkeypatch.setattr(session, "STATEMENT_TIMEOUT", "100ms")
        error = refusal(empty_database, folder)
    assert isinstance(error, MigrationFailed)
    assert "another process has been migrating it for 100ms; wait" in str(error)


def test_a_file_does_not_wait_long_for_a_table_in_use(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE}))
    folder = write(**{"0002_two": "ALTER TABLE one ADD y int;"})
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect(empty_database) as reader:
        reader.execute("SELECT * FROM ledger.one")
        error = refusal(empty_database, folder)
    assert isinstance(error, MigrationFailed)
    assert "0002_two.sql, line 2: canceling statement due to lock timeout" in str(error)
    assert "stop what else uses the table and run again" in str(error)
    assert migrate(empty_database, folder=folder) == ["0002_two.sql"]


def test_a_statement_does_not_run_for_ever(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE}))
    folder = write(**{"0002_two": "SELECT pg_sleep(600);"})
    monkeypatch.setattr(session, "STATEMENT_TIMEOUT", "100ms")
    error = refusal(empty_database, folder)
    assert isinstance(error, MigrationFailed)
    assert "0002_two.sql, line 2: canceling statement due to statement timeout" in str(error)


def test_a_lost_connection_is_told_and_the_next_run_goes_on(
    empty_database: str, write: Write
) -> None:
    migrate(empty_database, folder=write(**{"0001_one": ONE}))
    folder = write(**{"0002_two": "ALTER TABLE one ADD y int;"})
    with ThreadPoolExecutor() as pool, psycopg.connect(empty_database) as reader:
        reader.execute("SELECT * FROM ledger.one")
        run = pool.submit(refusal, empty_database, folder)
        reader.execute("SELECT pg_terminate_backend(%s)", [wait_for(empty_database, "relation")])
        error = run.result(timeout=30)
    assert isinstance(error, MigrationFailed)
    assert "the connection is lost; run again when the database is back" in str(error)
    assert migrate(empty_database, folder=folder) == ["0002_two.sql"]


def test_an_old_server_is_refused_with_its_version(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OLDEST_SERVER", 99_00_00)
    error = refusal(empty_database, write(**{"0001_one": ONE}))
    version = rows(empty_database, "SELECT current_setting('server_version')")[0][0].split()[0]
    assert isinstance(error, DatabaseUnusable)
    assert f": PostgreSQL {version} is too old; use PostgreSQL 99 or newer" in str(error)


def test_a_database_that_refuses_to_be_written_is_told(empty_database: str, write: Write) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    error = refusal(empty_database, write(**{"0001_one": ONE}))
    assert isinstance(error, MigrationFailed)
    assert "read-only transaction; remove the cause and run again" in str(error)


def test_a_database_that_is_not_there_is_told(empty_database: str, write: Write) -> None:
    url = empty_database.replace("/test_", "/gone_test_")
    with pytest.raises(DatabaseUnusable, match=r"gone_test_[^\n]*check its address") as caught:
        migrate(url, folder=write(**{"0001_one": ONE}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://a:sesame@h:1/b?no=1", "sesame", "host='sesame"])
def test_an_address_that_cannot_be_read_is_told_without_its_password(
    write: Write, url: str
) -> None:
    with pytest.raises(DatabaseUnusable, match="address cannot be read; write it") as caught:
        migrate(url, folder=write(**{"0001_one": ONE}))
    assert "sesame" not in str(caught.value)


def test_files_are_utf_8_whatever_the_environment_says(
    empty_database: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    table = "CREATE TABLE words AS SELECT 'Қазақстан'::text AS word;"
    migrate(empty_database, folder=write(**{"0001_words": table}))
    monkeypatch.delenv("PGCLIENTENCODING")
    assert rows(empty_database, "SELECT word FROM ledger.words") == [("Қазақстан",)]
