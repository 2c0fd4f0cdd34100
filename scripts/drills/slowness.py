"""The kind of rounds in which statements are slow within the database: held, limited, cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import psycopg
from psycopg import sql

from drills.checks import Told
from drills.harness import PROGRAMS, Round, wait_until
from drills.killings import finish, go_on, recording
from ledger import embedded

HELD = (
    ("ledger", "head"),
    ("ledger", "entries"),
    ("ledger", "records"),
    ("projections", "contributions"),
    ("projections", "persons"),
    ("projections", "states"),
)
"""Tables that every recorder writes to; whoever holds one has its statements wait."""

LONGEST_HOLD = 2.0
CANCELLED = 12
"""So many statements are cancelled in a round."""

LIMITS = ("statement_timeout", "lock_timeout")

SESSIONS = """
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'secretariat'
"""
CANCEL = f"SELECT count(pg_cancel_backend(pid)) {SESSIONS} AND state = 'active'"
END_SESSIONS = f"SELECT count(pg_terminate_backend(pid)) {SESSIONS}"

GIVEN_UP = ("GivenUp", "the database gave up a statement (")


def statements(round: Round) -> None:
    """Statements that take long, over which somebody is killed, or that the server gives up."""
    round.copy("grounded")
    vary = round.random.choice(VARIETIES)
    with embedded.start(round.data), recording(round, ["A"], round.data) as [recorder]:
        vary(round)
        if recorder.poll() is None:
            go_on(round, ["A"])
    finish(round, ["A"])


def _held(round: Round) -> None:
    with _holding(round):
        time.sleep(round.random.uniform(0, LONGEST_HOLD))


def _killed(round: Round) -> None:
    """Kill somebody while a statement is sure to be under way, which then goes on, or not."""
    round.choose()
    with _holding(round):
        phase = round.phase
        round.kill(round.programs[-1])
        round.phase = phase
        time.sleep(round.random.uniform(0, LONGEST_HOLD))
    if round.victim in PROGRAMS:
        # Its session doesn't know yet, and goes on with all that it was sent, a COMMIT too.
        with psycopg.connect(round.url, autocommit=True) as watcher:
            wait_until(lambda: not _is_there(watcher, SESSIONS), "the end of a dead one's session")


def _cancelled(round: Round) -> None:
    """Cancel whatever is under way, wherever it is, again and again."""
    round.phase = "cancelled"
    with psycopg.connect(round.url, autocommit=True) as connection:
        cancelled = 0
        while cancelled < CANCELLED:
            (count,) = connection.execute(CANCEL).fetchone() or (0,)
            cancelled += count
            time.sleep(round.random.uniform(0, 0.1))


def _limited(round: Round) -> None:
    """Have an administrator's limit give up what takes long, until the limit is lifted."""
    limit = sql.Identifier(round.random.choice(LIMITS))
    name = sql.Identifier(embedded.DATABASE)
    with psycopg.connect(round.url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET {} = '50ms'").format(name, limit))
        connection.execute(END_SESSIONS)
        with _holding(round):
            wait_until(partial(_is_given_up, round), "a statement to be given up")
        connection.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(name, limit))
        connection.execute(END_SESSIONS)
    round.phase = f"{limit.as_string()} {round.phase}"


VARIETIES: tuple[Callable[[Round], None], ...] = (
    _held,
    _killed,
    _killed,
    _cancelled,
    _limited,
)


def _is_given_up(round: Round) -> bool:
    kind, message = GIVEN_UP
    return any(
        told == kind and text.startswith(message)
        for told, text in Told.by("A", round.outcomes("A")).trouble
    )


@contextmanager
def _holding(round: Round) -> Iterator[None]:
    """Hold a table, with some statement of the recorder waiting for it, until the block ends."""
    schema, table = round.random.choice(HELD)
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(schema, table))
    # Whoever holds it may be killed with the database.
    with suppress(psycopg.OperationalError), psycopg.connect(round.url) as holder:
        holder.execute("SET LOCAL lock_timeout = 0")
        holder.execute("SET LOCAL statement_timeout = 0")
        holder.execute(lock)
        with psycopg.connect(round.url, autocommit=True) as watcher:
            waits = partial(_is_there, watcher, f"{SESSIONS} AND wait_event_type = 'Lock'")
            wait_until(waits, f"a statement that needs {schema}.{table}")
        round.phase = f"waiting for {schema}.{table}"
        yield


def _is_there(watcher: psycopg.Connection, sessions: str) -> bool:
    return watcher.execute(f"SELECT 1 {sessions}").fetchone() is not None
