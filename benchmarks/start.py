"""How soon a command answers, and how soon a server does; the database runs already."""

from __future__ import annotations

import sys
from functools import partial

from benchmarks.harness import Goal, Measured, in_turn, ratio, run_program, secretariat
from benchmarks.stage import Stage, serving

QUERY = "secretariat query, one record"
IMPORTS = "python -c 'import strawberry, psycopg'"
SERVE = "secretariat serve, until it answers"

DOCUMENT = '{ record(kind: "state", id: "AKX") { key version } }'

LEAST_ROUNDS = 3

MODULES = ("ledger", "migrations", "projections", "schema", "server.py")


def measure(stage: Stage) -> list[Measured]:
    """One table: seconds from the start of a process to its end, or to its first answer."""
    url = stage.register(stage.sizes[0])
    # What is measured is a program that was started before, also where Python is told to write
    # no bytecode: the packages of others were compiled when they were installed.
    run_program(sys.executable, "-m", "compileall", "-q", *MODULES)
    query = secretariat("query", DOCUMENT, "--database", url)
    samples = in_turn(
        {
            QUERY: partial(_seconds, query),
            IMPORTS: partial(_seconds, (sys.executable, "-c", "import strawberry, psycopg")),
            SERVE: partial(_until_it_answers, url),
        },
        max(stage.rounds, LEAST_ROUNDS),
    )
    goal = Goal("query of one record / the imports", ratio(samples, QUERY, IMPORTS), 3, "at most")
    return [Measured("Start", "s", samples, [goal])]


def _seconds(command: tuple[str, ...]) -> float:
    return run_program(*command).seconds


def _until_it_answers(url: str) -> float:
    with serving(*secretariat("serve", "--port", "0", "--database", url)) as server:
        return server.started_in
