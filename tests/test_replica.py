"""A streaming replica of the ledger: it answers as the primary does, or says that it can't yet."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from graphql import GraphQLError
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL

from ledger.database import connect
from ledger.refusal import Unusable
from ledger.settings import initialise
from migrations import migrate, runner
from projections.place import Place
from schema import schema
from schema.connections import LoneConnection
from schema.context import Context
from schema.statement import Statement
from tests.commands import EXAMPLE, POSITION, Ended, asked, printed, rows_of, run, serving
from tests.ledger.embedded_servers import execute, open_folder, wait_until
from tests.ledger.recording import ZONE, renamed
from tests.projections.backups import contents
from tests.projections.register import opened_ledger
from tests.replicas import Replicated, replicated
from tests.schema.reader import reading

DOCUMENTS = [
    f"""
    query ($on: Date, $at: BigInt) {{
      ledger(asOf: {{effectiveOn: $on, position: $at}}) {{ asOf {{ position rules }} {asked} }}
    }}
    """
    for asked in (
        "states(first: 50) { totalCount { certain possible } nodes { id key version nameEn } }",
        "contributions(first: 100) { nodes { key net { amount } state { key } account { key } } }",
        "contributionTotals { currency contributions { certain possible } net { low high } }",
        'treaty(key: "CPI") { status { deposited { certain possible } ifRemainingDeposited } }',
    )
]
"""What is asked of both: lists, joins, counts, totals, and what is computed."""

POINTS: list[dict[str, Any]] = [
    {"on": on, "at": at} for on in ("2013-06-01", "2023-12-31") for at in ("0", "200", "370")
]

SLOW = "SELECT pg_sleep(60) FROM public.dropped"
RUNNING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%dropped'"

NAME = """
    query ($at: BigInt) {
      record(kind: "state", id: "KAZ", asOf: {position: $at}) { ... on State { version nameEn } }
    }
"""


@pytest.fixture(scope="module")
def pair() -> Iterator[Replicated]:
    """The example register at a primary and at its replica."""
    with open_folder() as place, replicated(place) as both:
        done = run("import", EXAMPLE, "--home-zone", ZONE.name, "--database", both.primary)
        assert printed(done).startswith(f"recorded {rows_of(EXAMPLE)} entries")
        both.wait_until_replayed()
        yield both


@pytest.fixture(scope="module")
def served(pair: Replicated) -> Iterator[tuple[str, str]]:
    """The addresses of a server at the primary and of one at the replica."""
    with serving(pair.primary) as (_, at_primary), serving(pair.replica) as (_, at_replica):
        yield at_primary, at_replica


@pytest.mark.parametrize("document", DOCUMENTS)
def test_it_answers_byte_for_byte_as_the_primary(served: tuple[str, str], document: str) -> None:
    for point in POINTS:
        # The first time a document is executed, from then on it is compiled.
        answers = [asked(address, document, **point) for address in served for _ in range(3)]
        assert b"errors" not in answers[0]
        assert set(answers) == {answers[0]}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_compiled_operations_answer_at_it_too(pair: Replicated, document: str) -> None:
    with reading(pair.primary) as primary, reading(pair.replica) as replica:
        for point in POINTS:
            assert replica.data(document, **point) == primary.data(document, **point)
            compiled = replica.compiled(document, **point)
            assert compiled is not None
            assert compiled == primary.compiled(document, **point)


def test_a_position_is_refused_until_it_is_replayed(
    pair: Replicated, served: tuple[str, str]
) -> None:
    at_primary, at_replica = served
    before = asked(at_replica, NAME, at=str(newest(pair.primary)))
    with pair.lagging():
        with opened_ledger(pair.primary) as ledger:
            answer = ledger.record(renamed("KAZ", "Republic of Kazakhstan"))
        position = str(answer.entry.position)
        primarys = asked(at_primary, NAME, at=position)
        assert "Republic of Kazakhstan" in primarys.decode()
        for _ in range(3):
            (error,) = json.loads(asked(at_replica, NAME, at=position))["errors"]
            assert error["message"] == f"`position`: the ledger has no entry {position} yet"
            assert error["extensions"] == {"code": "NOT_YET"}
        (cited,) = POSITION_CITED.findall(asked(at_replica, POSITION))
        assert int(cited) == int(position) - 1
        # What is known there is answered meanwhile, as it was.
        assert asked(at_replica, NAME, at=str(int(position) - 1)) == before
    wait_until(lambda: asked(at_replica, NAME, at=position) == primarys)


POSITION_CITED = re.compile(rb'"position":"(\d+)"')


def newest(url: str) -> int:
    """The position of the last entry."""
    (position,) = execute(url, "SELECT position FROM ledger.head")
    return int(position)


def test_with_remote_apply_it_has_what_was_acknowledged(
    pair: Replicated, served: tuple[str, str]
) -> None:
    _, at_replica = served
    execute_alone(pair.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    execute(pair.primary, "SELECT pg_reload_conf()")
    wait_until(
        lambda: execute(pair.primary, "SELECT sync_state FROM pg_stat_replication") == ["sync"]
    )
    applied = make_conninfo(pair.primary, options="-c synchronous_commit=remote_apply")
    with opened_ledger(applied) as ledger:
        for number in range(5):
            position = ledger.record(renamed("KAZ", f"Name {number}")).entry.position
            assert f"Name {number}" in asked(at_replica, NAME, at=str(position)).decode()
    execute_alone(pair.primary, "ALTER SYSTEM RESET synchronous_standby_names")
    execute(pair.primary, "SELECT pg_reload_conf()")


def test_commands_read_at_it(pair: Replicated) -> None:
    variables = json.dumps({"on": "2023-12-31", "at": "370"})
    words = ("query", DOCUMENTS[0], "-v", variables, "--database")
    assert printed(run(*words, pair.replica)) == printed(run(*words, pair.primary))
    pair.wait_until_replayed()
    found = printed(run("verify", "--database", pair.replica))
    assert found.startswith(f"{newest(pair.primary)} entries verified: 0 errors")


def test_it_can_be_backed_up_instead_of_the_primary(
    pair: Replicated, empty_database_as_new: str, tmp_path: Path
) -> None:
    pair.wait_until_replayed()
    file = tmp_path / "replica.backup"
    printed(run("backup", file, "--database", pair.replica))
    printed(run("restore", file, "--database", empty_database_as_new))
    assert contents(empty_database_as_new) == contents(pair.primary)
    ended = run("restore", file, "--database", pair.replica)
    told = "this database is a replica, which can only be read: restore at the primary"
    assert ended == Ended(1, "", f"secretariat: {told}\n")


@pytest.mark.parametrize(
    ("words", "advice"),
    [(("import", EXAMPLE), "record at the primary"), (("rebuild",), "rebuild at the primary")],
)
def test_commands_that_write_are_refused(
    pair: Replicated, words: tuple[str | Path, ...], advice: str
) -> None:
    ended = run(*words, "--database", pair.replica)
    told = f"secretariat: this database is a replica, which can only be read: {advice}\n"
    assert ended == Ended(1, "", told)


def test_it_is_migrated_at_the_primary(pair: Replicated, tmp_path: Path) -> None:
    for file in sorted(runner.FOLDER.glob("*.sql"))[:-1]:
        shutil.copy(file, tmp_path)
    execute_alone(pair.primary, "CREATE DATABASE older")
    older = Replicated(database(pair.primary, "older"), database(pair.replica, "older"))
    migrate(older.primary, folder=tmp_path)
    with connect(older.primary) as connection:
        initialise(connection, name="older", home_zone=ZONE.name)
    older.wait_until_replayed()
    with pytest.raises(Unusable, match="run this version at the primary first"):
        Place(older.replica).open_current()
    assert Place(older.primary).open_current() == ZONE
    older.wait_until_replayed()
    assert Place(older.replica).open_current() == ZONE


def execute_alone(url: str, statement: str) -> None:
    """Execute a statement that no transaction may have around it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_conninfo(url, dbname=name)


def test_a_query_given_up_for_the_replay_can_be_asked_again(pair: Replicated) -> None:
    execute(pair.primary, "CREATE TABLE public.dropped AS SELECT 1 AS one")
    execute(pair.primary, "GRANT SELECT ON public.dropped TO secretariat_server")
    pair.wait_until_replayed()
    # A replica waits half a minute before it gives a query up, and none of ours takes that long.
    execute_alone(pair.replica, "ALTER SYSTEM SET max_standby_streaming_delay = 0")
    execute(pair.replica, "SELECT pg_reload_conf()")
    slow = Statement(SQL(SLOW), {}, list)
    again = Statement(SQL("SELECT position FROM ledger.head"), {}, list)

    async def asked_twice() -> Any:
        async with LoneConnection(pair.replica) as lone:
            context = Context(lone, ZONE)
            asking = asyncio.create_task(context.run([slow]))
            await asyncio.to_thread(wait_until, lambda: execute(pair.replica, RUNNING) != [])
            execute(pair.primary, "DROP TABLE public.dropped")
            with pytest.raises(psycopg.errors.SerializationFailure) as caught:
                await asking
            return caught.value, await context.run([again])

    given_up, answered = asyncio.run(asked_twice())
    assert answered == [[(newest(pair.primary),)]]
    errors = [GraphQLError("as it was", path=["ledger"], original_error=given_up)]
    schema.process_errors(errors)
    assert errors[0].message == "the replica gave up this query to keep up: ask again"
