"""Records until its standard input ends, and writes down each answer before it proposes more.

    python -m drills.recorder NAME PLACE FILE [--states-only]

PLACE is a data folder or the address of a database. Each line of FILE is a turn's outcome as JSON,
on the disk before the same thread goes on: what a killed recorder was told is there to be read.
Whoever doesn't learn what became of a set proposes it again, under the same key, for as long as it
takes: so a recorder goes on by itself when the database is back.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from drills import workload
from drills.workload import Turn
from ledger import embedded
from ledger.admission import Answer
from ledger.record import Ledger, SetRefused
from ledger.refusal import SecretariatError
from projections.place import Place
from tests.ledger.recording import ZONE

SECONDS_BETWEEN_TRIES = 0.05

SECONDS_BETWEEN_TURNS = 0.003
"""A short rest of each thread, or a slow round would be spent on checking a long log."""


class Notebook:
    """The file of outcomes; safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._gate = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def note(self, turn: Turn, **outcome: Any) -> None:
        """Return when the outcome of a turn is on the disk."""
        line = json.dumps({"thread": turn.thread, "number": turn.number, **outcome}) + "\n"
        with self._gate:
            os.write(self._file, line.encode())
            os.fsync(self._file)


def record(ledger: Ledger, turn: Turn, notebook: Notebook, *, states_only: bool) -> None:
    """Propose a turn's set until it is known what became of it, and note that."""
    proposals = workload.proposals(turn, states_only=states_only)
    told = ""
    while True:
        try:
            answers: list[Answer] = ledger.submit(proposals).result()
        except SetRefused as refused:
            codes = [refusal.code for _, refusal in refused.refusals]
            notebook.note(turn, refused=codes)
            return
        except SecretariatError as error:
            # Noted once in a row: it may take thousands of tries until the database is back.
            if type(error).__name__ != told:
                told = type(error).__name__
                notebook.note(turn, trouble=told, message=str(error))
            time.sleep(SECONDS_BETWEEN_TRIES)
        except Exception as error:
            notebook.note(turn, bug=f"{type(error).__name__}: {error}")
            raise
        else:
            entries = [(answer.entry.position, str(answer.entry.id)) for answer in answers]
            notebook.note(turn, entries=entries)
            return


def main(name: str, place: str, path: str, *options: str) -> None:
    """Record in several threads until nobody wants more."""
    notebook, stop = Notebook(Path(path)), threading.Event()
    with ExitStack() as stack:
        if place.startswith("/"):
            url = stack.enter_context(embedded.start(Path(place))).url
        else:
            url = place
        ledger = stack.enter_context(Place(url).writer(ZONE))

        def go_on(thread: int) -> None:
            for number in count():
                if stop.is_set():
                    return
                turn = Turn(name, thread, number)
                record(ledger, turn, notebook, states_only="--states-only" in options)
                time.sleep(SECONDS_BETWEEN_TURNS)

        threads = [
            threading.Thread(target=go_on, args=[thread], daemon=True)
            for thread in range(workload.THREADS)
        ]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
