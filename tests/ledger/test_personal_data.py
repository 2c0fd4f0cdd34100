"""No person's name is to be read but in the one read model that erasing empties.

Not in the log of entries, in none of the other tables, not in a dump of the ledger, and not in what
the server writes into its own log, whatever fails. Whenever something is not found here, it is
also shown that it would have been.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from ledger import embedded, persons, secondments
from ledger.record import Ledger
from ledger.refusal import Refused
from migrations import migrate
from tests.ledger.embedded_servers import open_folder
from tests.ledger.recording import (
    IN_TIME,
    annulled,
    open_ledger,
    person,
    proposed,
    rows,
    state,
)

NAMES = ("Aigerim Testova", "Әйгерім Тестова", 'Zoë "Zoe" O\'Neill', "Aigerim Marriedova")
UNRECORDED = ("Dryrun Onlyova", "Refused Neverova")


@dataclass(frozen=True)
class Recorded:
    """A server, its log, and the address of its database with persons in it."""

    url: str
    log: Path


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    """A server of these tests' own, since they read its log."""
    with open_folder() as folder:
        data = folder / "data"
        with embedded.start(data) as server:
            migrate(server.url)
            with open_ledger(server.url) as ledger:
                record_persons(ledger)
            yield Recorded(server.url, data / "postgres.log")


def record_persons(ledger: Ledger) -> None:
    """Register, rename, correct, annul, retry, try and refuse persons, and refer to one."""
    first, cyrillic, quoted, married = NAMES
    set_ = [person("P-1", first, idempotency_key="1"), person("P-2", cyrillic), state("KAZ")]
    for _ in range(2):
        ledger.submit([set_[0]]).result(IN_TIME)
    ledger.submit(set_[1:]).result(IN_TIME)
    ledger.record(proposed("person", "P-1", persons.Renamed(name=married)))
    ledger.record(person("P-2", quoted, effective=None, corrects="person/P-2/1"))
    joined = secondments.Joined(person="P-1", state="KAZ", title="Director")
    ledger.record(proposed("secondment", "S-1", joined, by="P-2"))
    ledger.record(annulled("person", "P-2", "2"))
    ledger.submit([person("P-3", UNRECORDED[0])], dry_run=True).result(IN_TIME)
    for refused in (person("P-1", UNRECORDED[1]), person("P-1", UNRECORDED[1], corrects="no")):
        with suppress(Refused):
            ledger.record(refused)


def spellings(name: str) -> list[bytes]:
    """The bytes by which somebody would find a name: in a text, in JSON, in base64, in a dump."""
    text = name.encode()
    found = [text, name.encode("utf-16-le"), json.dumps(name)[1:-1].encode()]
    found.append(json.dumps(name, ensure_ascii=False)[1:-1].encode())
    # Base64 depends on how many bytes come before; the ends depend on the bytes beside.
    found += [base64.b64encode(bytes(before) + text)[4:-4] for before in range(3)]
    return found + [spelling.hex().encode() for spelling in found]


def found_in(data: bytes) -> list[str]:
    """The names that can be read in `data`."""
    lower = data.lower()
    return [
        name
        for name in (*NAMES, *UNRECORDED)
        if any(spelling in data or spelling.lower() in lower for spelling in spellings(name))
    ]


def test_a_name_is_found_where_it_is() -> None:
    for name in NAMES:
        for data in (
            name.upper().encode() if name.isascii() else name.encode(),
            json.dumps([name]).encode(),
            base64.b64encode(b"ab" + name.encode() + b"c"),
            (b"x" + name.encode()).hex().encode(),
        ):
            assert found_in(b"..." + data + b"...") == [name]


def test_no_name_is_in_the_log_of_entries(recorded: Recorded) -> None:
    query = "SELECT entries::text, header, data FROM ledger.entries ORDER BY position"
    entries = rows(recorded.url, query)
    assert len(entries) == 7
    for text, header, data in entries:
        for stored in (text.encode(), header, data):
            assert found_in(stored) == []


def test_names_are_in_one_read_model_and_in_no_other_table(recorded: Recorded) -> None:
    tables = rows(
        recorded.url,
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    holding = {}
    for (table,) in tables:
        texts = rows(recorded.url, f"SELECT t::text FROM {table} AS t")  # noqa: S608  # From the catalogue.
        names = found_in("\n".join(text for (text,) in texts).replace('""', '"').encode())
        if names:
            holding[table] = names
    assert holding == {"projections.persons": list(NAMES)}


@pytest.mark.parametrize("part", ["--table=ledger.entries", "--schema=ledger"])
def test_no_name_is_in_a_dump_of_the_ledger(recorded: Recorded, part: str) -> None:
    assert found_in(dump(recorded.url, part)) == []
    assert found_in(dump(recorded.url, part, "--inserts")) == []


def test_a_dump_of_the_read_model_would_show_them(recorded: Recorded) -> None:
    data = dump(recorded.url, "--table=projections.persons")
    assert found_in(data) == list(NAMES)


def dump(url: str, *options: str) -> bytes:
    """What PostgreSQL's own program for backups writes."""
    program = embedded.binaries() / "pg_dump"
    run = subprocess.run([program, *options, url], capture_output=True, check=True)
    assert b"PostgreSQL database dump complete" in run.stdout
    return run.stdout


# ---------------------------------------------------------------- the server's own log

NAME = NAMES[0]
FAILURES = {
    "a value of the wrong type": ("SELECT %s::int", [NAME]),
    "an array of it": ("SELECT %s::text[]", [f"{{{NAME}"]),
    "text in a statement": (f"SELECT '{NAME}'::int", []),
    "a statement of no grammar": (f"SELEKT '{NAME}'", []),
    "a table called so": (f'SELECT FROM "{NAME}"', []),
    "a duplicate": (
        f"CREATE TEMP TABLE t (n text UNIQUE); INSERT INTO t VALUES ('{NAME}'), ('{NAME}')",  # noqa: S608  # Nobody's name.
        [],
    ),
    "a row without a key": (
        "INSERT INTO projections.persons (name) VALUES (%s)",
        [NAME],
    ),
    "an exception": (f"DO $$ BEGIN RAISE EXCEPTION '{NAME}'; END $$", []),
    "a warning": (f"DO $$ BEGIN RAISE WARNING '{NAME}'; END $$", []),
}


def test_no_name_gets_into_the_servers_log(recorded: Recorded) -> None:
    with psycopg.connect(recorded.url, autocommit=True) as connection:
        for failing, (statement, parameters) in FAILURES.items():
            with suppress(psycopg.Error):
                connection.execute(statement.encode(), parameters or None)
                assert failing == "a warning"
        connection.execute("DO $$ BEGIN RAISE LOG 'this is the log'; END $$")
        connection.execute("ALTER TABLE projections.persons ADD CHECK (key <> 'P-9') NOT VALID")
    with open_ledger(recorded.url) as ledger, pytest.raises(psycopg.errors.CheckViolation):
        ledger.record(person("P-9", NAME))
    log = recorded.log.read_bytes()
    assert b"this is the log" in log
    assert found_in(log) == []


def test_what_failed_would_have_been_told_with_the_name(recorded: Recorded) -> None:
    told: list[str] = []
    with psycopg.connect(recorded.url, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        for statement, parameters in FAILURES.values():
            try:
                connection.execute(statement.encode(), parameters or None)
            except psycopg.Error as error:
                told.append(str(error))
    assert len(told) == len(FAILURES)
    assert [text for text in told if NAME not in text] == []
