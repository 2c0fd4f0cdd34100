"""Processes that fill the next tables together, each from a part of the log.

Folding is Python's work and takes one processor each. A worker is a fresh interpreter, not a fork:
a fork of a process with threads may hang, and macOS refuses much of it. It ends with what started
it, however that ends; an interrupt from the terminal, which reaches all of them, is left to that.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import psycopg

from ledger.database import OWNER, connect
from ledger.dates import HomeZone
from ledger.memory import uncollected
from ledger.refusal import SecretariatError, Unusable
from projections.filling import PART, Filling, IdRange, parts
from projections.timeline import Table

NICENESS = 15
"""Workers give way to whoever reads meanwhile."""

_spawning = multiprocessing.get_context("spawn")


class _Task(NamedTuple):
    """What a worker does: it takes in the records of `ids` as they are at `position`."""

    url: str
    tables: Sequence[Table[Any]]
    zone: str
    position: int
    ids: IdRange


def fill(
    url: str, tables: Sequence[Table[Any]], zone: HomeZone, position: int, number: int
) -> Iterator[int]:
    """Fill the next tables from the log up to `position`, with so many workers.

    Yields how many entries were taken in since it last did.
    """
    tasks = [_Task(url, tables, zone.name, position, ids) for ids in parts(number)]
    with _started(tasks) as answering:
        while answering:
            for answer in wait(answering):
                assert isinstance(answer, Connection), "nothing else is waited for"
                try:
                    done = answer.recv()
                except EOFError:
                    raise Unusable(
                        "a process that was rebuilding ended early: run `secretariat rebuild` again"
                    ) from None
                if isinstance(done, Exception):
                    raise done
                if done is None:
                    answering.remove(answer)
                else:
                    yield done


@contextmanager
def _started(tasks: Iterable[_Task]) -> Iterator[list[Connection]]:
    """The ends of pipes at which workers answer, one a task; they end with the block."""
    answering: list[Connection] = []
    workers = []
    try:
        for task in tasks:
            reading, writing = _spawning.Pipe(duplex=False)
            answering.append(reading)
            worker = _spawning.Process(target=_work, args=(writing, task), daemon=True)
            with _interrupts_blocked():
                worker.start()
            workers.append(worker)
            writing.close()
        yield answering.copy()
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
        for reading in answering:
            reading.close()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from this thread, and for ever from a process that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(answers: Connection, task: _Task) -> None:
    """Take in a part of the log, and send what was done, or what went wrong."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICENESS)
    try:
        with uncollected(), connect(task.url, OWNER) as connection:
            filling = Filling(connection, task.tables, HomeZone(task.zone))
            for done in filling.take_in(PART, task.ids, task.position):
                answers.send(done)
    except (SecretariatError, psycopg.Error) as error:
        answers.send(error)
    else:
        answers.send(None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker was started by somebody"
    parent.join()
    os._exit(1)
