"""Durable entries a second, by one proposer and by 64 that wait, beside other event stores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from benchmarks import peers
from benchmarks.harness import Goal, Measured, ask_program, in_turn, module, ratio, ratio_to_best
from benchmarks.stage import Stage

LEDGER = "Secretariat Ledger"
LIBRARY = "eventsourcing"
MESSAGE_DB = "message-db, 8 categories"
EMMETT = "emmett"
RAW = "psycopg INSERT and commit"

MESSAGE_DB_PARTS = (
    "roles",
    "schema",
    "tables",
    "types",
    "functions",
    "indexes",
    "views",
    "privileges",
)

OURS_DOES_MORE = (
    "Ours does everything in the transaction: header, hashes, rules, references, read models. The"
    " others store the event. Raw INSERT is the limit of one row a commit."
)
SESSIONS = (
    "64 clients share 32 sessions (message-db, raw) or 16 (the library): with so many each was"
    " fastest. The library's clients are threads, emmett's pool is its own."
)


def measure(stage: Stage) -> list[Measured]:
    """Two tables: 64 clients, and one."""
    commands = _commands(stage)
    spent: dict[str, list[float]] = defaultdict(list)
    many = in_turn(_samplers(commands, stage, spent, clients=64), stage.rounds)
    one = in_turn(_samplers(commands, stage, spent, clients=1), stage.rounds)
    others = (LIBRARY, MESSAGE_DB, EMMETT)
    return [
        Measured(
            "Appending, 64 clients that wait",
            "entries/s",
            many,
            [Goal("append, 64 clients: ours / best peer", ratio_to_best(many, LEDGER, others), 2)],
            [OURS_DOES_MORE, SESSIONS],
        ),
        Measured(
            "Appending, one client",
            "entries/s",
            one,
            [Goal("append, 1 client: ours / eventsourcing", ratio(one, LEDGER, LIBRARY), 1.5)],
        ),
        Measured(
            "What works for an entry of ours",
            "µs of a processor",
            dict(spent),
            [],
            ["The writer and the proposers are one process, of which one thread works at a time."],
        ),
    ]


Command = Callable[[str, str], tuple[str, ...]]
"""The command of a contestant, given the number of clients and of seconds."""


def _commands(stage: Stage) -> dict[str, Command]:
    folder = stage.peers()

    def ours(which: str) -> Command:
        url = stage.database(f"append_{which}")
        return lambda *measures: module("append_clients", which, url, *measures)

    def theirs(which: str, url: str) -> Command:
        return lambda *measures: peers.node(folder, "append.mjs", which, url, *measures)

    message_db = stage.database("append_message_db")
    install_message_db(folder, message_db)
    return {
        LEDGER: ours("ledger"),
        LIBRARY: ours("library"),
        MESSAGE_DB: theirs("message-db", message_db),
        EMMETT: theirs("emmett", stage.database("append_emmett")),
        RAW: ours("raw"),
    }


def _samplers(
    commands: dict[str, Command], stage: Stage, spent: dict[str, list[float]], *, clients: int
) -> dict[str, Callable[[], float]]:
    whose = "64 clients" if clients > 1 else "one client"
    return {
        name: partial(_rate, command(str(clients), str(stage.seconds)), spent, whose)
        for name, command in commands.items()
    }


def _rate(command: tuple[str, ...], spent: dict[str, list[float]], whose: str) -> float:
    answer = ask_program(*command)
    for who, microseconds in answer.get("processor", {}).items():
        spent[f"{who}, {whose}"].append(microseconds)
    return float(answer["count"]) / float(answer["seconds"])


def install_message_db(folder: Path, url: str) -> None:
    """Put message-db's tables and functions into a database: the files of its own script.

    All but the extension pgcrypto, which the embedded PostgreSQL doesn't have: the one function
    that message-db wants of it, gen_random_uuid, has been part of PostgreSQL since 13.
    """
    files = folder / "node_modules/@eventide/message-db/database"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path TO message_store, public")
        for part in MESSAGE_DB_PARTS:
            for file in sorted((files / part).glob("*.sql")):
                connection.execute(file.read_bytes())
