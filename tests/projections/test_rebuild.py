"""Rebuilding: equal to what was written inline, and unnoticed by whoever reads or records."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.sql import SQL, Identifier

from ledger import persons, states
from ledger.database import connect
from ledger.record import Ledger
from ledger.recorder import LedgerRecorder, ledger_datastore
from ledger.refusal import Unusable
from migrations import session
from projections import RULES, TABLES, rules
from projections import rebuild as rebuilding
from projections.rebuild import RebuildReport, rebuild
from tests.projections.register import annulled, opened_ledger, proposed, received, record_at_random

Content = dict[str, list[tuple[Any, ...]]]

DERIVED = [
    *(("projections", table.name) for table in TABLES),
    ("projections", "rules"),
    ("ledger", "records"),
    ("ledger", "record_references"),
]

DEFINITIONS = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull::text
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r' AND attnum > 0
    UNION ALL
    SELECT tablename, indexname, indexdef, NULL FROM pg_indexes WHERE schemaname = 'projections'
    UNION ALL
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL
      FROM pg_constraint WHERE connamespace = 'projections'::regnamespace
    UNION ALL
    SELECT table_name, grantee, privilege_type, is_grantable
      FROM information_schema.table_privileges
     WHERE table_schema = 'projections'
    UNION ALL
    SELECT nspname, nspowner::regrole::text, acl.grantee::regrole::text, privilege_type
      FROM pg_namespace CROSS JOIN aclexplode(nspacl) AS acl WHERE nspname LIKE 'projections%'
     ORDER BY 1, 2, 3, 4
"""

CURRENT_STATES = "SELECT count(*) FROM projections.states WHERE upper_inf(known)"


def content(url: str) -> Content:
    """Every row of every table that follows from the log."""
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{name}": sorted(
                connection.execute(
                    SQL("SELECT {0}::text FROM {1}").format(
                        Identifier(name), Identifier(schema, name)
                    )
                ).fetchall()
            )
            for schema, name in DERIVED
        }


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def change(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def schemas(url: str) -> set[str]:
    found = query(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'proj%'")
    return {name for (name,) in found}


def at_first_progress(act: Callable[[], None]) -> Callable[[int, int], None]:
    """What `rebuild` is to call: it acts once, while the tables are being filled."""
    acts = [act]
    return lambda done, total: acts.pop()() if acts else None


@contextmanager
def running(work: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Work over and over in a thread until the block ends; give what it raised."""
    raised: list[BaseException] = []
    stop, began = threading.Event(), threading.Event()

    def loop() -> None:
        try:
            while not stop.is_set():
                work()
                began.set()
        except BaseException as error:  # noqa: BLE001  # It is the test that judges what happened.
            raised.append(error)
        finally:
            began.set()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        began.wait()
        yield raised
    finally:
        stop.set()
        thread.join()


def admit_states(ledger: Ledger, *keys: str) -> None:
    for key in keys:
        event = states.Admitted(status=states.Status.OBSERVER, name_en=key)
        ledger.record(proposed("state", key, event, "2023"))


def test_rebuilt_tables_equal_the_inline_ones(register: str) -> None:
    before, definitions = content(register), query(register, DEFINITIONS)
    seen: list[tuple[int, int]] = []
    report = rebuild(register, TABLES, progress=lambda done, total: seen.append((done, total)))
    assert content(register) == before
    assert query(register, DEFINITIONS) == definitions
    assert all(before[f"projections.{table.name}"] for table in TABLES)
    (head,) = query(register, "SELECT position FROM ledger.head")[0]
    assert (report.position, report.caught_up, report.old_dropped) == (head, 0, True)
    assert seen == sorted(seen)
    assert seen[-1] == (head, head)
    assert schemas(register) == {"projections"}


def test_lost_and_altered_rows_are_made_good(register: str) -> None:
    before = content(register)
    change(
        register,
        "DELETE FROM projections.states WHERE key = 'KAZ'",
        "UPDATE projections.contributions SET received = received + 1",
        "INSERT INTO projections.accounts SELECT (account).* FROM"
        ' (SELECT jsonb_populate_record(account, \'{"key": "NONE"}\') AS account'
        " FROM projections.accounts AS account) AS forged",
        "UPDATE projections.rules SET version = 'older'",
        "UPDATE ledger.records SET version = version + 1, is_open = NOT is_open WHERE key < 'M'",
        "INSERT INTO ledger.records VALUES ('state', 'ZZZ', 1, true)",
        "DELETE FROM ledger.record_references WHERE to_key = 'KAZ'",
        "INSERT INTO ledger.record_references VALUES ('state', 'KAZ', 'state', 'UZB')",
    )
    assert {name for name, rows in content(register).items() if rows != before[name]} == {
        f"projections.{name}" for name in ("states", "contributions", "accounts", "rules")
    } | {"ledger.records", "ledger.record_references"}
    rebuild(register, TABLES)
    assert content(register) == before


@pytest.mark.parametrize("few", [0, 200])
def test_what_is_recorded_meanwhile_is_caught_up(
    register: str, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(rebuilding, "FEW", few)
    with opened_ledger(register) as ledger:

        def record() -> None:
            admit_states(ledger, "AFG")
            ledger.record(proposed("contribution", "C-NEW", received("AFG", "7.00"), "2023"))
            ledger.record(proposed("person", "P-2", persons.Renamed(name="Later name"), "2023"))
            ledger.record(annulled("contribution", "C-NEW", 1))

        report = rebuild(register, TABLES, progress=at_first_progress(record))
        assert report.caught_up == 4
        rebuilt = content(register)
        # The writer's own statements were prepared for the tables that are gone now.
        admit_states(ledger, "AZE")
    (row,) = query(register, "SELECT count(*) FROM projections.states WHERE key IN ('AFG', 'AZE')")
    assert row == (2,)
    assert len(content(register)["projections.states"]) == len(rebuilt["projections.states"]) + 1
    after = content(register)
    rebuild(register, TABLES)
    assert content(register) == after


def test_neither_a_writer_nor_a_reader_notices(register: str) -> None:
    (states_before,) = query(register, CURRENT_STATES)[0]
    seeds = iter(range(1_000, 100_000))
    counts: list[int] = []
    with (
        opened_ledger(register) as ledger,
        psycopg.connect(register, autocommit=True, prepare_threshold=0) as reader,
        running(lambda: _count_into(counts, reader)) as reader_raised,
        running(lambda: _record_one(ledger, next(seeds))) as writer_raised,
    ):
        positions = [rebuild(register, TABLES).position for _ in range(3)]
    assert (reader_raised, writer_raised) == ([], [])
    assert set(counts) == {states_before}
    assert positions == sorted(set(positions))
    after = content(register)
    rebuild(register, TABLES)
    assert content(register) == after


def _count_into(counts: list[int], reader: psycopg.Connection[tuple[Any, ...]]) -> None:
    row = reader.execute(CURRENT_STATES).fetchone()
    assert row is not None
    counts.append(row[0])


def _record_one(ledger: Ledger, seed: int) -> None:
    record_at_random(ledger, seed=seed, count=1)


def test_a_prepared_statement_reads_the_new_tables(register: str) -> None:
    with (
        opened_ledger(register) as ledger,
        psycopg.connect(register, autocommit=True, prepare_threshold=0) as reader,
    ):
        before = reader.execute(CURRENT_STATES).fetchone()
        rebuild(register, TABLES)
        assert reader.execute(CURRENT_STATES).fetchone() == before
        admit_states(ledger, "AFG")
        after = reader.execute(CURRENT_STATES).fetchone()
        prepared = reader.execute(
            "SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements"
            " WHERE statement LIKE '%projections.states%' AND statement NOT LIKE '%prepared%'"
        ).fetchone()
    assert before is not None
    assert after == (before[0] + 1,)
    assert prepared is not None
    assert prepared[0] >= 3


def test_a_transaction_that_goes_on_reading_keeps_only_the_old_tables(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "OLD_READERS_MAY_TAKE", "100ms")
    with psycopg.connect(register) as reader:
        before = reader.execute(CURRENT_STATES).fetchone()
        assert not rebuild(register, TABLES).old_dropped
        assert reader.execute(CURRENT_STATES).fetchone() == before
        assert schemas(register) == {"projections", "projections_old"}
        with pytest.raises(Unusable, match="a transaction still reads projections_old"):
            rebuild(register, TABLES)
    assert rebuild(register, TABLES).old_dropped
    assert schemas(register) == {"projections"}


def test_two_at_once_are_one_too_many(register: str) -> None:
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(Unusable) as caught:
            rebuild(register, TABLES)
        refused.append(str(caught.value))

    rebuild(register, TABLES, progress=at_first_progress(second))
    assert refused == [
        "the read models are being rebuilt or verified by another process: wait until it ends"
    ]


def test_one_that_is_interrupted_leaves_nothing_behind(register: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    before = content(register)
    with pytest.raises(KeyboardInterrupt):
        rebuild(register, TABLES, progress=at_first_progress(interrupt))
    assert content(register) == before
    assert schemas(register) == {"projections"}


def test_one_that_is_killed_leaves_the_live_tables(register: str) -> None:
    def kill() -> None:
        found = query(
            register,
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        assert found == [(True,)]

    before = content(register)
    with pytest.raises(Unusable, match="run `secretariat rebuild` again"):
        rebuild(register, TABLES, progress=at_first_progress(kill))
    assert content(register) == before
    assert schemas(register) == {"projections", "projections_next"}
    rebuild(register, TABLES)
    assert content(register) == before
    assert schemas(register) == {"projections"}


def test_tables_that_a_migration_has_changed_meanwhile_are_not_swapped_in(register: str) -> None:
    alter = "ALTER TABLE projections.states ADD COLUMN motto text"
    note = (
        "INSERT INTO ledger.migrations (number, name, sha256, runner)"
        " VALUES (9999, '9999_motto.sql', repeat('0', 64), 1)"
    )
    act = at_first_progress(lambda: change(register, alter, note))
    with pytest.raises(Unusable, match="the database was migrated meanwhile"):
        rebuild(register, TABLES, progress=act)
    assert schemas(register) == {"projections"}
    assert "motto" in str(query(register, DEFINITIONS))


def test_a_migration_under_way_is_waited_for(register: str) -> None:
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with psycopg.connect(register, autocommit=True) as runner:
        session.take_runner_lock(runner)
        with ThreadPoolExecutor() as pool:
            rebuilt = pool.submit(rebuild, register, TABLES)
            deadline = time.monotonic() + 30
            while query(register, waiting) != [(1,)] and time.monotonic() < deadline:
                time.sleep(0.01)
            assert query(register, waiting) == [(1,)]
            assert schemas(register) == {"projections"}
            runner.close()
            assert rebuilt.result().old_dropped


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE VIEW public.members AS SELECT key FROM projections.states", "public.members"),
        ("CREATE TABLE projections.notes (note text)", "projections.notes"),
        (
            "CREATE MATERIALIZED VIEW projections.years AS SELECT 2023 AS year",
            "projections.years",
        ),
    ],
)
def test_what_a_swap_would_lose_is_named_first(register: str, statement: str, named: str) -> None:
    change(register, statement)
    with pytest.raises(Unusable, match=f"a rebuild would lose {named}, which"):
        rebuild(register, TABLES)
    assert schemas(register) == {"projections"}


def test_rights_that_were_given_stay(register: str) -> None:
    role = f"auditor_{secrets.token_hex(4)}"
    change(
        register,
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON SCHEMA projections TO {role}",
        f"GRANT SELECT ON projections.states TO {role} WITH GRANT OPTION",
        "GRANT SELECT ON projections.budgets TO PUBLIC",
    )
    try:
        before = query(register, DEFINITIONS)
        assert role in str(before)
        rebuild(register, TABLES)
        assert query(register, DEFINITIONS) == before
    finally:
        change(register, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_an_entry_that_cannot_be_read_stops_it(register: str) -> None:
    before = content(register)
    change(
        register,
        "SET session_replication_role = replica",
        "UPDATE ledger.entries SET data = 'nonsense' WHERE position = 5",
    )
    with pytest.raises(Unusable, match=r"entry 5 can't be read .*: run `secretariat verify`"):
        rebuild(register, TABLES)
    assert content(register) == before


def test_what_the_library_appended_is_left_out(register: str) -> None:
    before = content(register)
    with ledger_datastore(register) as datastore:
        LedgerRecorder(datastore).insert_events([StoredEvent(uuid4(), 1, "any.thing", b"1")])
    rebuild(register, TABLES)
    assert content(register) == before


def test_a_database_without_a_ledger_has_nothing_to_rebuild(database: str) -> None:
    with pytest.raises(Unusable, match="holds no ledger yet"):
        rebuild(database, TABLES)


def test_a_ledger_without_entries_is_rebuilt_too(database: str) -> None:
    with opened_ledger(database):
        report = rebuild(database, TABLES)
    assert report == RebuildReport(position=0, caught_up=0, old_dropped=True)


def test_a_report_is_one_line() -> None:
    assert RebuildReport(position=1_234, caught_up=0, old_dropped=True).summary == (
        "rebuilt from 1,234 entries"
    )
    assert RebuildReport(position=9, caught_up=2, old_dropped=False).summary == (
        "rebuilt from 9 entries, 2 of them recorded meanwhile;"
        " the old tables are still read, the next rebuild drops them"
    )


class TestRules:
    """Which rules filled the read models."""

    def test_a_new_ledger_gets_those_of_this_program(self, database: str) -> None:
        with connect(database) as connection:
            rules.check(connection)
            rules.ensure(connection)
            rules.ensure(connection)
            rules.check(connection)
        assert query(database, "SELECT version FROM projections.rules") == [(RULES,)]

    def test_those_of_another_program_are_kept_and_refused(self, register: str) -> None:
        change(register, "UPDATE projections.rules SET version = 'older'")
        with connect(register) as connection:
            rules.ensure(connection)
            with pytest.raises(Unusable, match=r"filled by rules older, .*`secretariat rebuild`"):
                rules.check(connection)
        rebuild(register, TABLES)
        with connect(register) as connection:
            rules.check(connection)

    def test_entries_without_any_are_refused(self, register: str) -> None:
        change(register, "DELETE FROM projections.rules")
        with connect(register) as connection:
            rules.ensure(connection)
            with pytest.raises(Unusable, match="filled by rules that were not noted"):
                rules.check(connection)


def test_the_key_of_the_migrations_lock_is_theirs() -> None:
    assert rebuilding.MIGRATING == session._RUNNER_LOCK
