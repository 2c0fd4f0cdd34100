"""What a command imports before it answers: what it doesn't need would only make it slow."""

from __future__ import annotations

import json
import subprocess
import sys

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger.dates import HomeZone
from projections.place import Place
from tests.commands import POSITION, ROOT, environment, position_in, printed, run
from tests.ledger.embedded_servers import wait_until

RARELY_NEEDED = {
    "babel.dates",
    "cryptography",
    "edtf",
    "eventsourcing",
    "ledger.backup_file",
    "ledger.codec",
    "ledger.dump",
    "ledger.embedded",
    "ledger.importing",
    "ledger.record",
    "projections.backup",
    "projections.rebuild",
    "projections.restore",
    "projections.verify",
    "psutil",
    "psycopg_pool",
    "pydantic",
    "rich",
    "starlette",
    "uvicorn",
    "uvloop",
    "yaml",
}
"""What takes long to import, and is not needed to answer a document and end."""

WRITERS = {
    "cryptography",
    "eventsourcing",
    "ledger.embedded",
    "ledger.importing",
    "ledger.record",
    "psutil",
    "pydantic",
    "rich",
}
"""What takes long to import, and is not needed to serve readers."""

# Runs a command and says at the end what was imported; `serve` ends where it would serve.
PROGRAM = """
import json, sys
import server
from unittest import mock
with mock.patch("uvicorn.Server.run") if sys.argv[1] == "serve" else mock.MagicMock():
    status = server._run()
print(json.dumps(sorted(sys.modules)))
sys.exit(status)
"""


def imported_by(*words: str) -> set[str]:
    """The modules that a command has imported when it is done."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def under(names: set[str], imported: set[str]) -> set[str]:
    """Those of the names of which a module or a part was imported."""
    return {name for name in names for one in imported if one == name or one.startswith(f"{name}.")}


@pytest.fixture
def ledger(database: str) -> str:
    """The URL of a database that holds a ledger without entries."""
    Place(database).writer(HomeZone("UTC")).close()
    return database


def test_a_query_imports_no_more_than_it_needs(ledger: str) -> None:
    imported = imported_by("query", POSITION, "--database", ledger)
    assert under({"psycopg", "schema", "strawberry"}, imported) == {
        "psycopg",
        "schema",
        "strawberry",
    }
    assert under(RARELY_NEEDED, imported) == set()


def test_serving_imports_nothing_that_records(ledger: str) -> None:
    imported = imported_by("serve", "--port", "0", "--database", ledger)
    assert under({"schema.http", "uvicorn"}, imported) == {"schema.http", "uvicorn"}
    assert under(WRITERS, imported) == set()


def test_a_query_opens_one_connection_to_look_and_one_to_ask(server_url: str, ledger: str) -> None:
    before = ended_sessions(server_url, ledger)
    assert position_in(printed(run("query", POSITION, "--database", ledger))) == 0
    assert ended_sessions(server_url, ledger) - before == 2


def ended_sessions(server_url: str, url: str) -> int:
    """How many sessions there ever were in a database, once all of them have ended."""
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:

        def has_no_session() -> bool:
            asked = "SELECT FROM pg_stat_activity WHERE datname = %s"
            return connection.execute(asked, [name]).fetchone() is None

        wait_until(has_no_session)
        asked = "SELECT sessions FROM pg_stat_database WHERE datname = %s"
        row = connection.execute(asked, [name]).fetchone()
    assert row is not None, "the database is there"
    return int(row[0])
