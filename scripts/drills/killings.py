"""The kinds of rounds in which somebody is killed: who works, until when, and what must hold."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import product
from pathlib import Path

from drills import workload
from drills.asking import NotAnswered, ask
from drills.checks import check
from drills.harness import PROGRAMS, Failed, Round, wait_until
from drills.recorder import Notebook, record
from drills.workload import Turn
from ledger import embedded, settings
from ledger.database import connect
from ledger.kind import Registry
from ledger.record import Ledger
from migrations import migrate, runner
from projections import TABLES, rules
from projections.timeline import Projector
from tests.ledger.recording import ZONE

SECONDS_OF_RECORDING = 1.5
TURNS_IN_OLDER_SCHEMA = 20
"""So many does each thread have before the migration."""

FIRST_WITH_CONTRIBUTIONS = 7
"""The number of the migration from which on a schema has all tables that recorders write to."""

REGISTERS = ("large register", "small register", "small register")
"""What is imported; only a large one takes in more than one portion (ledger/portions.py)."""

REGISTER_OPTIONS = ("--home-zone", ZONE.name)


def importing(round: Round) -> None:
    """An import, into a new folder, an empty ledger, or one that others record in."""
    variety = round.random.choice(("a new folder", "an empty ledger", "a live ledger"))
    register = round.templates / round.random.choice(REGISTERS)
    round.told.append(f"{register.name} into {variety}")
    recorders = ["A"] if variety == "a live ledger" else []
    is_new = variety == "a new folder"
    if not is_new:
        round.copy("grounded" if recorders else "empty")
    words: list[str | Path] = ["import", register, *REGISTER_OPTIONS, "--data", round.data]
    words += ["--late"] if recorders else []
    round.choose()
    with recording(round, recorders, round.data):
        program = round.start(*words)
        round.moment(f"{register.name} into a new folder" if is_new else register.name)
        round.kill(program)
        status, out, _ = round.end(program)
        # The next start is the import itself: whatever was killed, it goes through.
        again = round.run(*words)
        go_on(round, recorders)
    now, before = (int(word) for word in again.split() if word.isdigit())
    total = rows_of(register)
    if (now, before) not in {(total, 0), (0, total)}:
        raise Failed(f"of {total} rows {before} were recorded by an import that was killed")
    if status == 0 and now:
        raise Failed(f"the import said {out.strip()!r}, and nothing was there")
    round.told.append("everything" if before else "nothing")
    finish(round, recorders)


def recording_together(round: Round) -> None:
    """Two recorders of several threads each; one of them is killed, or the database."""
    round.copy("grounded")
    round.choose()
    names = list(workload.RECORDERS)
    with recording(round, names, round.data) as programs:
        time.sleep(round.random.uniform(0, SECONDS_OF_RECORDING))
        killed = round.random.randrange(len(names))
        round.kill(programs[killed])
        left = [name for index, name in enumerate(names) if index != killed]
        go_on(round, left if round.victim in PROGRAMS else names)
    finish(round, names)


def rebuilding(round: Round) -> None:
    """A rebuild while somebody records."""
    round.copy("full")
    round.choose()
    with recording(round, ["A"], round.data):
        program = round.start("rebuild", "--data", round.data)
        round.moment_under_lock(program, "rebuild")
        round.kill(program)
        round.end(program)
        go_on(round, ["A"])
    finish(round, ["A"])


def migrating(round: Round) -> None:
    """A migration from an older schema that has entries in it."""
    round.copy("bare")
    files = len(list(runner.FOLDER.glob("0*.sql")))
    number = round.random.randint(2, files - 1)
    round.told.append(f"from schema {number}")
    states_only = number < FIRST_WITH_CONTRIBUTIONS
    with embedded.start(round.data) as server:
        _record_in_older_schema(round, server.url, number, states_only=states_only)
    round.choose()
    with embedded.start(round.data):
        program = round.start("verify", "--data", round.data)
        round.moment_under_lock(program, "migrate", (files - number) / files)
        round.kill(program)
        round.end(program)
    told = round.run("verify", "--data", round.data)
    if "0 errors" not in told:
        raise Failed(f"after the migration: {told}")
    finish(round, ["A"], states_only=states_only)


def _record_in_older_schema(round: Round, url: str, number: int, *, states_only: bool) -> None:
    """Record by the writer of today with the kinds that an older schema has tables for."""
    folder = round.folder / "migrations"
    folder.mkdir()
    for file in sorted(runner.FOLDER.glob("0*.sql"))[:number]:
        shutil.copy(file, folder)
    migrate(url, folder=folder)
    with connect(url) as connection:
        settings.initialise(connection, name="secretariat", home_zone=ZONE.name)
        rules.ensure(connection)
        present = {
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'projections'"
            )
        }
    tables = [table for table in TABLES if table.name in present]
    registry = Registry([table.kind for table in tables])
    notebook = Notebook(round.outcomes("A"))
    with Ledger(lambda: connect(url), registry, ZONE, Projector(tables, ZONE)) as ledger:
        grounds = workload.grounds()
        ledger.submit(grounds[:1] if states_only else grounds).result()
        for thread, turn in product(range(workload.THREADS), range(TURNS_IN_OLDER_SCHEMA)):
            record(ledger, Turn("A", thread, turn), notebook, states_only=states_only)


def serving(round: Round) -> None:
    """A server that is asked again and again while somebody records."""
    round.copy("full")
    round.choose()
    with recording(round, ["A"], round.data):
        program, address = serve(round)
        answer = ask(address)
        end = time.monotonic() + round.random.uniform(0, SECONDS_OF_RECORDING)
        while time.monotonic() < end:
            _check_answer(answer, ask(address))
        round.kill(program)
        # Of a server whose database was killed it is expected that it starts it anew by itself.
        if round.victim in PROGRAMS:
            program, address = serve(round)
        wait_until(lambda: _is_answered(address, answer), "an answer of the server")
        go_on(round, ["A"])
        program.terminate()
        round.end(program)
    finish(round, ["A"])


def _is_answered(address: str, expected: bytes) -> bool:
    with suppress(OSError, NotAnswered):
        _check_answer(expected, ask(address))
        return True
    return False


def _check_answer(expected: bytes, answer: bytes) -> None:
    if answer != expected:
        raise Failed(f"asked as of one position, and answered {answer!r} after {expected!r}")


def serve(round: Round) -> tuple[subprocess.Popen[str], str]:
    """Start a server; its address."""
    program = round.start("serve", "--port", "0", "--data", round.data)
    assert program.stdout is not None, "it is a pipe"
    line = program.stdout.readline()
    if "http://" not in line:
        raise Failed(f"the server did not start: {round.end(program)}")
    return program, line.split()[-1]


@contextmanager
def recording(
    round: Round, names: list[str], place: str | Path
) -> Iterator[list[subprocess.Popen[str]]]:
    """Recorders that all have begun, and that end in order, unless they were killed."""
    programs = [round.record(name, place) for name in names]
    for name, program in zip(names, programs, strict=True):
        begun = partial(_has_begun, round, name, program)
        wait_until(begun, f"the first entry of recorder {name}")
    yield programs
    for program in programs:
        if program.poll() is None:
            status, _, err = round.end(program)
            if status != 0:
                raise Failed(f"a recorder ended with {status}: {err}")


def _has_begun(round: Round, name: str, program: subprocess.Popen[str]) -> bool:
    if program.poll() is not None:
        raise Failed(f"recorder {name} did not start: {round.end(program)}")
    return acknowledged(round, name) > 0


def go_on(round: Round, names: list[str]) -> None:
    """See that recorders go on, once the database was started again if that is what it takes."""
    with embedded.start(round.data):
        for name in names:
            before = acknowledged(round, name)
            goes_on = partial(_goes_on, round, name, before)
            wait_until(goes_on, f"recorder {name} to go on")


def _goes_on(round: Round, name: str, before: int) -> bool:
    return acknowledged(round, name) > before


def acknowledged(round: Round, name: str) -> int:
    """How many sets a recorder was told to be recorded so far."""
    outcomes = round.outcomes(name)
    return outcomes.read_bytes().count(b'"entries"') if outcomes.exists() else 0


def finish(round: Round, names: list[str], *, states_only: bool = False) -> None:
    """Hold the ledger to everything that it promises, then see that nothing is left running."""
    with embedded.start(round.data) as server:
        outcomes = {name: round.outcomes(name) for name in names}
        round.told += sorted(set(check(server.url, outcomes, states_only=states_only)))
    round.check_nothing_is_left_behind()


def rows_of(register: Path) -> int:
    """How many rows a register has."""
    return sum(len(file.read_text().splitlines()) - 1 for file in register.glob("*.csv"))
