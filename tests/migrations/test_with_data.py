"""Every migration on a ledger of the schema before it: it keeps all that is there, or does nothing.

What fails in the middle, however it fails, leaves the old state, and the next run succeeds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from ledger.kind import ANNULLED
from migrations import MigrationFailed, migrate, session
from projections import REGISTRY, TABLES
from projections.rebuild import rebuild
from projections.verify import verify
from tests.conftest import fresh_database
from tests.ledger.embedded_servers import wait_until
from tests.migrations.stages import (
    FILES,
    LAST,
    folder_up_to,
    made_in,
    stages,
    with_something_in_the_middle,
)
from tests.migrations.test_schema import schema_of
from tests.projections.backups import contents
from tests.projections.forgery import errors
from tests.projections.register import ZONE

COLUMNS = """
    SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position)
      FROM information_schema.columns WHERE table_schema IN ('ledger', 'projections')
     GROUP BY 1, 2
"""

Rows = dict[tuple[str, str], list[tuple[Any, ...]]]

each_migration = pytest.mark.parametrize("number", range(2, LAST + 1))


@pytest.fixture(scope="module")
def ledgers(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, str]]:
    """A database for each stage of the schema, to be copied and left alone."""
    yield from stages(server_url, tmp_path_factory.mktemp("stages"))


@pytest.fixture
def before(server_url: str, ledgers: dict[int, str], number: int) -> Iterator[str]:
    """The URL of a ledger of the test's own that lacks the migration `number`."""
    name = str(conninfo_to_dict(ledgers[number - 1])["dbname"])
    with fresh_database(server_url, template=name) as url:
        # A copy has everything but the grants on the database itself.
        with session.connect(url) as connection:
            grant = SQL("GRANT CREATE ON DATABASE {} TO secretariat_owner")
            connection.execute(grant.format(Identifier(connection.info.dbname)))
        yield url


def columns_of(url: str) -> dict[tuple[str, str], list[str]]:
    with psycopg.connect(url) as connection:
        found = connection.execute(COLUMNS).fetchall()
    return {(schema, table): columns for schema, table, columns in found}


def rows_of(url: str, columns: dict[tuple[str, str], list[str]]) -> Rows:
    """The rows of tables, or what they have in some of their columns."""
    select = SQL("SELECT {}::text FROM {} ORDER BY 1")
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(
                select.format(
                    SQL("ROW({})").format(SQL(", ").join(map(Identifier, names))),
                    Identifier(*table),
                )
            ).fetchall()
            for table, names in columns.items()
            if table != ("ledger", "migrations")
        }


@each_migration
def test_it_keeps_what_was_recorded_and_what_is_read(
    before: str, number: int, tmp_path: Path
) -> None:
    columns = columns_of(before)
    rows = rows_of(before, columns)
    assert migrate(before, folder=folder_up_to(number, tmp_path / "one")) == [
        FILES[number - 1].name
    ]
    assert rows_of(before, columns) == rows
    assert migrate(before) == [file.name for file in FILES[number:]]
    assert rows_of(before, columns) == rows
    # Whatever it filled is what a rebuild would have written.
    assert errors(verify(before, REGISTRY, TABLES, ZONE)) == []
    migrated = contents(before)
    rebuild(before, TABLES)
    assert contents(before) == migrated


def state_of(url: str) -> tuple[str, dict[str, list[str]]]:
    """All that there is: the schema and the rows."""
    return schema_of(url), contents(url)


@each_migration
def test_one_that_fails_in_the_middle_leaves_the_old_state(
    before: str, number: int, tmp_path: Path
) -> None:
    state = state_of(before)
    broken = with_something_in_the_middle(number, "SELECT 1 / 0", tmp_path / "broken")
    with pytest.raises(MigrationFailed, match="division by zero; nothing of this file is kept"):
        migrate(before, folder=broken)
    assert state_of(before) == state
    assert migrate(before) == [file.name for file in FILES[number - 1 :]]


@pytest.mark.parametrize("number", [18, 22])
def test_one_whose_session_is_ended_leaves_the_old_state(
    before: str, number: int, tmp_path: Path
) -> None:
    state = state_of(before)
    slow = with_something_in_the_middle(number, "SELECT pg_sleep(30)", tmp_path / "slow")
    ending = threading.Thread(target=end_whoever_sleeps, args=(before,))
    ending.start()
    with pytest.raises(MigrationFailed, match="the connection is lost; run again when"):
        migrate(before, folder=slow)
    ending.join()
    assert state_of(before) == state
    assert migrate(before) == [file.name for file in FILES[number - 1 :]]


def end_whoever_sleeps(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:

        def ended() -> bool:
            cursor = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event = 'PgSleep'"
            )
            return cursor.fetchone() == (True,)

        wait_until(ended)


@pytest.mark.parametrize("number", [18, 22])
def test_one_that_waits_too_long_for_a_table_leaves_the_old_state(
    before: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "100ms")
    state = state_of(before)
    with psycopg.connect(before) as holder:
        # A reader alone is in the way of what 18 alters and of what 22 drops at its end.
        holder.execute("SELECT FROM projections.budgets, projections.contributions")
        with pytest.raises(MigrationFailed, match="stop what else uses the table and run again"):
            migrate(before)
    assert state_of(before) == state
    assert migrate(before) == [file.name for file in FILES[number - 1 :]]


def test_every_stage_has_rows_of_every_kind_that_it_knows(ledgers: dict[int, str]) -> None:
    assert ledgers.keys() == set(range(1, LAST + 1))
    for number, url in ledgers.items():
        filled = {name for name, rows in contents(url).items() if rows}
        expected = {f"projections.{table.name}" for table in TABLES if made_in(table) <= number}
        assert expected - filled == set(), number


def test_the_last_stage_has_an_entry_of_every_event(ledgers: dict[int, str]) -> None:
    with psycopg.connect(ledgers[LAST]) as connection:
        recorded = connection.execute("SELECT DISTINCT name FROM ledger.entries").fetchall()
    assert {name for (name,) in recorded} == {*REGISTRY.event_names(), ANNULLED}
