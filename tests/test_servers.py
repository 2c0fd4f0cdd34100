"""Several servers and several writers, each a process of its own, on one database."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from ledger import settings
from ledger.database import connect
from migrations import check as check_schema
from migrations import migrate, runner, session
from projections import TABLES, rules
from projections.place import Place
from projections.rebuild import rebuild
from tests.commands import (
    POSITION,
    ROOT,
    SECONDS_TO_WAIT,
    asked,
    environment,
    position_in,
    serving,
    started,
)
from tests.ledger.recording import ZONE, account, log, open_ledger, rows, state
from tests.ledger.waiting import wait_until_somebody_waits

QUESTIONS = 12
"""So many are asked of both servers while both writers record."""

# Records contributions one after the other until its standard input is closed; every other one of
# a record that the other writer writes to as well.
WRITER = """
import sys
from itertools import count
from select import select
from projections.place import Place
from tests.ledger.recording import ZONE, received
url, name = sys.argv[1:]
with Place(url).writer(ZONE) as ledger:
    for number in count():
        if number and select([sys.stdin], [], [], 0)[0]:
            break
        key = "C-SHARED" if number % 2 else f"C-{name}-{number}"
        answer = ledger.record(received(key, "1.00"))
        print(answer.entry.position, flush=True)
"""

DOCUMENT = """
    query ($at: BigInt) {
      ledger(asOf: {position: $at, effectiveOn: "2023-12-31"}) {
        asOf { position knownAt rules }
        contributions(first: 1000) {
          totalCount { certain possible } nodes { key version net { amount } }
        }
        contributionTotals { currency contributions { certain possible } net { amount low high } }
      }
    }
"""


def test_two_servers_answer_alike_while_two_writers_record(database: str) -> None:
    with Place(database).writer(ZONE) as ledger:
        ledger.submit([state("KAZ"), account("MAIN")]).result()
    with (
        serving(database) as (_, one),
        serving(database) as (_, other),
        writing(database, "A") as first_writer,
        writing(database, "B") as second_writer,
    ):
        servers, writers = [one, other], [first_writer, second_writer]
        told = [[first_of(writer)] for writer in writers]
        answers: dict[int, bytes] = {}
        for number in range(QUESTIONS):
            position = newest(servers[number % 2])
            first, second = (asked(server, DOCUMENT, at=str(position)) for server in servers)
            assert b"errors" not in first
            assert first == second
            # What was answered once as of a position stays the answer.
            assert answers.setdefault(position, first) == first
        told = [[*some, *rest_of(writer)] for writer, some in zip(writers, told, strict=True)]
        assert len(answers) > QUESTIONS / 2, "they were not asked while it was recorded"
        for position, answer in answers.items():
            again = {asked(server, DOCUMENT, at=str(position)) for server in servers}
            assert again == {answer}
    check(database, *told)


def check(database: str, first: list[int], second: list[int]) -> None:
    """Hold the log to the positions that the two writers were told, behind the two grounds."""
    recorded = [position for position, _, _, _ in log(database)]
    assert recorded == list(range(1, len(recorded) + 1))
    assert sorted(first + second) == recorded[2:]
    assert (first, second) == (sorted(first), sorted(second))
    assert first[0] < second[-1], "one waited for the other to end"
    assert second[0] < first[-1], "one waited for the other to end"
    shared = "SELECT net FROM projections.contributions WHERE key = 'C-SHARED' AND upper_inf(known)"
    assert max(net for (net,) in rows(database, shared)) == len(first) // 2 + len(second) // 2


def test_a_server_that_starts_during_a_rebuild_answers_then_and_afterwards(database: str) -> None:
    with Place(database).writer(ZONE) as ledger:
        ledger.submit([state("KAZ"), account("MAIN")]).result()
    answers: list[bytes] = []

    def serve_meanwhile(done: int, total: int) -> None:
        if not answers:
            server = running.enter_context(serving(database))[1]
            answers.append(asked(server, DOCUMENT))
            servers.append(server)

    servers: list[str] = []
    with ExitStack() as running:
        rebuild(database, TABLES, progress=serve_meanwhile)
        assert b"errors" not in answers[0]
        assert asked(servers[0], DOCUMENT) == answers[0]
        # What is recorded after the swap is seen, too.
        with Place(database).writer(ZONE) as ledger:
            ledger.record(state("AZE"))
        assert newest(servers[0]) == 3


def test_a_server_that_starts_during_a_migration_waits_for_it(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Starting a server takes longer than a migration usually waits for a table.
    monkeypatch.setattr(session, "LOCK_TIMEOUT", f"{SECONDS_TO_WAIT}s")
    with_entries_before_the_last_migration(empty_database, tmp_path)
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(empty_database) as user:
            user.execute("LOCK TABLE projections.states IN ACCESS EXCLUSIVE MODE")
            migration = pool.submit(migrate, empty_database)
            held_up = wait_until_somebody_waits(empty_database)
            with started("serve", "--port", "0", "--database", empty_database) as server:
                wait_until_somebody_waits(empty_database, other_than=held_up)
                assert server.poll() is None
                user.rollback()
                assert server.stdout is not None
                address = server.stdout.readline().split()[-1]
                assert newest(address) == 1
        assert len(migration.result(SECONDS_TO_WAIT)) == 1
    with connect(empty_database) as connection:
        check_schema(connection)


def with_entries_before_the_last_migration(url: str, folder: Path) -> None:
    """Make the schema that a database had before the last migration, and record in it."""
    for file in sorted(runner.FOLDER.glob("*.sql"))[:-1]:
        shutil.copy(file, folder)
    migrate(url, folder=folder)
    with connect(url) as connection:
        settings.initialise(connection, name="secretariat", home_zone=ZONE.name)
        rules.ensure(connection)
    with open_ledger(url) as ledger:
        ledger.record(state("KAZ"))


@contextmanager
def writing(url: str, name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that records, and prints the positions."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, name],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_of(writer: subprocess.Popen[str]) -> int:
    """The first position that a writer prints: from then on it records."""
    assert writer.stdout is not None
    return int(writer.stdout.readline())


def rest_of(writer: subprocess.Popen[str]) -> list[int]:
    """Let a writer end; the positions that it has printed and nobody has read."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.close()
    positions = [int(line) for line in writer.stdout]
    assert writer.wait() == 0
    return positions


def newest(server: str) -> int:
    """The position of the last entry that a server knows."""
    return position_in(asked(server, POSITION).decode())
