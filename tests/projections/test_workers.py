"""Rebuilding with several processes: the same rows, and none of them outlives the rebuild."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from ledger.refusal import Unusable
from projections import TABLES, filling, workers
from projections import rebuild as rebuilding
from projections.rebuild import rebuild
from tests.projections.test_rebuild import change, content, query, schemas

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 3

WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%log%'
"""

PROGRAM = f"""
import os, sys
from projections import TABLES, rebuild as rebuilding
rebuilding.FEWEST_FOR_A_WORKER, rebuilding.MOST_WORKERS = 1, {WORKERS}
os.cpu_count = lambda: {WORKERS}
try:
    rebuilding.rebuild(sys.argv[1], TABLES)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture(autouse=True)
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start several workers for the few entries of a test."""
    monkeypatch.setattr(rebuilding, "FEWEST_FOR_A_WORKER", 1)
    monkeypatch.setattr(rebuilding, "MOST_WORKERS", WORKERS)
    monkeypatch.setattr(os, "cpu_count", lambda: WORKERS)


@contextmanager
def log_withheld(url: str) -> Iterator[None]:
    """Let whoever reads entries wait until the end of the block."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE ledger.entries IN ACCESS EXCLUSIVE MODE")
        yield


def wait_for_workers(url: str) -> None:
    """Wait until all workers have begun to read the log, which is withheld from them."""
    deadline = time.monotonic() + 60
    while query(url, WAITING) != [(WORKERS,)] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert query(url, WAITING) == [(WORKERS,)]


def started(url: str) -> subprocess.Popen[str]:
    """A program that rebuilds, whose workers have its standard error too."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_every_id_is_in_one_part() -> None:
    for number in (1, 2, 3, 7):
        bounds = filling.parts(number)
        assert (bounds[0][0].int, bounds[-1][1].int) == (0, 2**128 - 1)
        assert all(before[1].int + 1 == after[0].int for before, after in pairwise(bounds))


def test_rebuilt_tables_equal_the_inline_ones(register: str) -> None:
    before = content(register)
    change(register, "DELETE FROM projections.contributions", "DELETE FROM ledger.records")
    counted: list[tuple[int, int]] = []
    report = rebuild(register, TABLES, progress=lambda done, total: counted.append((done, total)))
    assert content(register) == before
    assert counted == sorted(counted)
    assert counted[-1] == (report.position, report.position)
    assert multiprocessing.active_children() == []


def test_texts_with_signs_of_the_format_arrive(register: str) -> None:
    change(
        register,
        "SET session_replication_role = replica",
        r"""UPDATE ledger.entries SET data = convert_to(replace(convert_from(data, 'UTF8'),
            '"name_en":"', '"name_en":"a\tb\nc\\N\r'), 'UTF8') WHERE kind = 'state'""",
    )
    rebuild(register, TABLES)
    names = query(register, "SELECT DISTINCT left(name_en, 8) FROM projections.states")
    assert ("a\tb\nc\\N\r",) in names


def test_an_entry_that_cannot_be_read_stops_all(register: str) -> None:
    before = content(register)
    change(
        register,
        "SET session_replication_role = replica",
        "UPDATE ledger.entries SET data = 'nonsense' WHERE position = 5",
    )
    with pytest.raises(Unusable, match=r"entry 5 can't be read .*: run `secretariat verify`"):
        rebuild(register, TABLES)
    assert content(register) == before
    assert schemas(register) == {"projections"}
    assert multiprocessing.active_children() == []


def test_a_worker_that_is_killed_ends_it(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(register)
    starting = workers._interrupts_blocked

    @contextmanager
    def kill_the_first() -> Iterator[None]:
        with starting():
            yield
        [first, *_] = multiprocessing.active_children()
        first.kill()

    monkeypatch.setattr(workers, "_interrupts_blocked", kill_the_first)
    with pytest.raises(Unusable, match="ended early: run `secretariat rebuild` again"):
        rebuild(register, TABLES)
    assert content(register) == before
    assert multiprocessing.active_children() == []


def test_workers_end_with_whoever_is_killed(register: str) -> None:
    with log_withheld(register):
        program = started(register)
        wait_for_workers(register)
        program.kill()
        # It ends when the last process that has this pipe does.
        assert program.communicate(timeout=30) == ("", "")
    assert schemas(register) == {"projections", "projections_next"}
    rebuild(register, TABLES)
    assert schemas(register) == {"projections"}


def test_an_interrupt_at_the_terminal_is_quiet_and_ends_all(register: str) -> None:
    before = content(register)
    with log_withheld(register):
        program = started(register)
        wait_for_workers(register)
        os.killpg(program.pid, signal.SIGINT)
        # Dropping what was filled waits for those who are killed, and these for the log.
        time.sleep(0.5)
    assert (*program.communicate(timeout=60), program.returncode) == ("interrupted\n", "", 0)
    assert schemas(register) == {"projections"}
    assert content(register) == before
