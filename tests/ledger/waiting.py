"""Making a writer wait, so that what is proposed meanwhile is sure to wait with it."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager

import psycopg

from ledger.admission import Answer
from ledger.entry import Proposal
from ledger.record import Ledger
from tests.ledger.recording import IN_TIME

WAITING = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
       AND pid <> %s
"""


@contextmanager
def held_up(ledger: Ledger, url: str, first: Proposal) -> Generator[Future[list[Answer]]]:
    """Let the writer begin with `first`, and hold it up at the lock until the block ends.

    What is submitted in the block waits in one queue, and so becomes one group.
    """
    with psycopg.connect(url) as holder:
        holder.execute("SELECT FROM ledger.head FOR UPDATE")
        future = ledger.submit([first])
        wait_until_somebody_waits(url)
        yield future


def wait_until_somebody_waits(url: str, *, other_than: int = 0) -> int:
    """Wait until a session, another than that, waits for a lock, and give its process id."""
    until = time.monotonic() + IN_TIME
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            found = connection.execute(WAITING, [other_than]).fetchone()
            if found is not None:
                return int(found[0])
            time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
