"""Nobody changes an entry: by privilege for the ledger's roles, by trigger for whoever else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from ledger import store
from ledger.database import OWNER, SERVER, connect
from ledger.record import Ledger
from tests.ledger.recording import log, state

CHANGES = {
    "UPDATE": "UPDATE ledger.entries SET recorded_by = 'another'",
    "UPDATE nothing": "UPDATE ledger.entries SET recorded_by = 'another' WHERE false",
    "UPDATE by INSERT": """
        INSERT INTO ledger.entries SELECT * FROM ledger.stored
        ON CONFLICT (position) DO UPDATE SET recorded_by = 'another'
    """,
    "DELETE": "DELETE FROM ledger.entries WHERE position = 1",
    "TRUNCATE": "TRUNCATE ledger.entries",
    "TRUNCATE CASCADE": "TRUNCATE ledger.entries, ledger.head RESTART IDENTITY CASCADE",
    "MERGE": """
        MERGE INTO ledger.entries USING ledger.head ON entries.position = head.position
         WHEN MATCHED THEN DELETE
    """,
}


@pytest.fixture
def entries(ledger: Ledger, database: str) -> str:
    """The URL of a database with an entry, and a copy of it that everybody may read."""
    ledger.record(state("KAZ"))
    copy = f"CREATE TABLE ledger.stored AS SELECT {store.COLUMNS} FROM ledger.entries"  # noqa: S608  # The columns are a constant.
    with psycopg.connect(database) as connection:
        connection.execute(copy.encode())
        connection.execute("GRANT SELECT ON ledger.stored TO PUBLIC")
    return database


@pytest.mark.parametrize("role", [SERVER, OWNER])
@pytest.mark.parametrize("change", CHANGES)
def test_the_ledgers_roles_have_no_right_to(entries: str, role: str, change: str) -> None:
    with (
        connect(entries, role) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="permission denied for table entries"),
    ):
        connection.execute(CHANGES[change].encode())
    assert log(entries) == [(1, "state", "KAZ", 1)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_superuser_is_stopped_all_the_same(entries: str, change: str) -> None:
    verb = change.split(maxsplit=1)[0].replace("MERGE", "DELETE")
    with psycopg.connect(entries) as connection:
        with pytest.raises(errors.RaiseException) as caught:
            connection.execute(CHANGES[change].encode())
        diagnostics = caught.value.diag
        assert diagnostics.message_primary == (
            f"the ledger is append-only: {verb} on entries is refused"
        )
        assert diagnostics.message_hint == "Record a correction or an annulment instead."
    assert log(entries) == [(1, "state", "KAZ", 1)]


@pytest.mark.parametrize(
    ("role", "table", "rights"),
    [
        (SERVER, "entries", {"SELECT", "INSERT"}),
        (OWNER, "entries", {"SELECT", "INSERT", "REFERENCES", "TRIGGER"}),
        (SERVER, "stored_events", {"SELECT"}),
        (SERVER, "idempotency", {"SELECT", "INSERT"}),
        (SERVER, "person_keys", {"SELECT", "INSERT"}),
        (SERVER, "settings", {"SELECT", "INSERT"}),
        (SERVER, "head", {"SELECT", "UPDATE"}),
        (SERVER, "migrations", {"SELECT"}),
    ],
)
def test_each_role_has_the_rights_that_it_needs_and_no_others(
    database: str, role: str, table: str, rights: set[str]
) -> None:
    every = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    with psycopg.connect(database) as connection:
        query = "SELECT has_table_privilege(%s, %s, %s)"
        held = {
            right
            for right in every
            if connection.execute(query, [role, f"ledger.{table}", right]).fetchone() == (True,)
        }
    assert held == rights


# Where an entry's position, record, version and id would be those of the one there is.
PLACES = {
    "entries_pkey": "position, gen_random_uuid(), version, gen_random_uuid()",
    "entries_id_key": "position + 1, gen_random_uuid(), version, id",
    "entries_record_id_version_key": "position + 1, record_id, version, gen_random_uuid()",
}


@pytest.mark.parametrize("constraint", PLACES)
def test_nobody_takes_a_place_twice(entries: str, constraint: str) -> None:
    rest = store.COLUMNS.partition(" id, ")[2]
    insert = f"""
        INSERT INTO ledger.entries ({store.COLUMNS})
        SELECT {PLACES[constraint]}, {rest} FROM ledger.entries
    """  # noqa: S608  # The columns are constants.
    with (
        connect(entries, SERVER) as connection,
        pytest.raises(errors.UniqueViolation, match=constraint),
    ):
        connection.execute(insert.encode())
