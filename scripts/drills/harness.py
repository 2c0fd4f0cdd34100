"""What a round has at hand: a folder, programs in it, somebody to kill, a look at what goes on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random

import psutil
import psycopg

from ledger import embedded
from ledger.embedded_folder import DataFolder

ROOT = Path(__file__).resolve().parents[2]

SECONDS_TO_WAIT = 150
"""What does not come about in so many seconds does not come about.

A PostgreSQL that hangs while it stops on a full disk is given sixty of them by its starter.
"""

SECONDS_BETWEEN_LOOKS = 0.02

MARK = "SECRETARIAT_DRILL"
"""In the environment of all programs of a round, so that none is left behind unseen."""

ROOM = 2 * 2**30
"""In bytes; more than a round takes."""


class Failed(Exception):
    """The ledger did not keep what it promises; the message says what."""


class Victim(Enum):
    """Who is killed with SIGKILL."""

    PROGRAM = "the program"
    GROUP = "the program and all that it started"
    BACKEND = "a process of the database"
    POSTMASTER = "the postmaster"
    EVERYTHING = "the whole database at once"


PROGRAMS = (Victim.PROGRAM, Victim.GROUP)

# What a session is about, by its statement of the moment: the first that fits any session.
PHASES = (
    ("swapping", "ALTER SCHEMA", "fresh_references"),
    ("dropping", "DROP SCHEMA"),
    ("filling", "projections_next", "ORDER BY record_id, version"),
    ("migrating", "ledger.migrations", "CREATE TABLE", "CREATE INDEX", "GRANT ", "ALTER TABLE"),
    ("reading the log", "DECLARE", "FETCH"),
    ("committing", "COMMIT", "pg_notify"),
    ("recording", "ledger.entries", "ledger.head", "unnest", "projections."),
)

COMPLAINT = re.compile(r"secretariat: .+\n")
"""All that a command says on standard error which could not do what it was asked for."""

IS_LOCKED = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND database =
                   (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@dataclass(slots=True)
class Round:
    """One round: everything in it is drawn from its seed.

    `spans` are how long each kind of work takes undisturbed, in seconds, on this machine.
    """

    number: int
    seed: str
    folder: Path
    templates: Path
    spans: dict[str, float]
    random: Random
    victim: Victim | None = None
    phase: str = "nothing yet"
    told: list[str] = field(default_factory=list)
    programs: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The data folder of the round's ledger."""
        return self.folder / "data"

    @property
    def data_folder(self) -> DataFolder:
        """The same, as the launcher sees it; nothing is made or changed."""
        return DataFolder(self.data, None)

    @property
    def url(self) -> str:
        """The address of the ledger's database, as its superuser."""
        return self.data_folder.url(embedded.DATABASE)

    def copy(self, template: str) -> None:
        """Begin with a copy of a ledger that was prepared."""
        copy(self.templates / template, self.data)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start `secretariat` with these words, in a session of its own."""
        return self.run_python("-m", "server", *words)

    def record(self, name: str, place: str | Path, *options: str) -> subprocess.Popen[str]:
        """Start a recorder; `outcomes` is where it writes what it is told."""
        words = ("-m", "drills.recorder", name, place, self.outcomes(name), *options)
        return self.run_python(*words)

    def outcomes(self, name: str) -> Path:
        """The file of what a recorder was told."""
        return self.folder / f"{name}.jsonl"

    def run_python(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a Python program of this checkout."""
        process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=ROOT,
            env=environment() | {MARK: str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.programs.append(process)
        return process

    def moment(self, work: str, share: float = 1) -> None:
        """Wait for the moment of the kill: in the time that a `share` of the work takes."""
        time.sleep(self.random.random() * self.spans[work] * share)

    def moment_under_lock(
        self, program: subprocess.Popen[str], work: str, share: float = 1
    ) -> None:
        """As `moment`, counted from when a session has the lock of rebuilds, or of migrations.

        Before that a program only starts, which takes longer than a migration.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Without a rest, as a migration is soon done.
            while connection.execute(IS_LOCKED).fetchone() != (True,) and program.poll() is None:
                pass
        self.moment(work, share)

    def choose(self, *victims: Victim) -> Victim:
        """Draw who is killed, of all or of these."""
        self.victim = self.random.choice(victims or tuple(Victim))
        return self.victim

    def kill(self, program: subprocess.Popen[str]) -> bool:
        """Kill the victim; False if there was nothing to kill any more, or yet."""
        assert self.victim is not None, "it was drawn before"
        self.phase = phase(self.url)
        if self.victim in PROGRAMS:
            if program.poll() is not None:
                self.phase = "done"
                return False
            if self.victim is Victim.GROUP:
                os.killpg(program.pid, signal.SIGKILL)
            else:
                program.kill()
            program.wait(SECONDS_TO_WAIT)
            return True
        return self.strike(self.victim)

    def strike(self, victim: Victim) -> bool:
        """Kill processes of the database; False if there are none."""
        postmaster = self.data_folder.postmaster()
        if postmaster is None:
            self.phase = "not started"
            return False
        with suppress(psutil.Error):
            children = postmaster.children()
            match victim:
                case Victim.BACKEND:
                    if not children:
                        return False
                    self.random.choice(sorted(children, key=_rank)).kill()
                case Victim.POSTMASTER:
                    postmaster.kill()
                case _:
                    postmaster.suspend()
                    for process in (*postmaster.children(), postmaster):
                        process.kill()
        return True

    def end(self, program: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Close a program's standard input and wait for its end: its status and what it said."""
        try:
            out, err = program.communicate(timeout=SECONDS_TO_WAIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"{program.args!r} goes on for {SECONDS_TO_WAIT} seconds") from None
        if "Traceback" in err:
            raise Failed(f"{program.args!r} failed with a traceback:\n{err}")
        if program.returncode > 0 and not COMPLAINT.fullmatch(err):
            raise Failed(f"{program.args!r} did not say in a line what is wrong:\n{err}")
        return program.returncode, out, err

    def run(self, *words: str | Path) -> str:
        """Run `secretariat` to its end, which must be a good one, and return what it printed."""
        status, out, err = self.end(self.start(*words))
        if status != 0:
            raise Failed(f"secretariat {' '.join(map(str, words))} ended with {status}: {err}")
        return out

    def left_behind(self) -> list[psutil.Process]:
        """The processes of this round that live still, the database's aside."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == str(self.folder):
                    found.append(process)
        return found

    def check_nothing_is_left_behind(self) -> None:
        """See that all programs end by themselves, and then the database, whoever was killed."""
        try:
            wait_until(lambda: not self.left_behind(), "the programs' end")
            wait_until(lambda: not embedded._is_running(self.data_folder), "the database's end")  # noqa: SLF001  # There is no other way to see that it runs.
        except Failed as failed:
            raise Failed(f"{failed}: {self.left_behind()}") from None

    def clean_up(self) -> None:
        """End all programs that are left, after a failure too."""
        for process in self.left_behind():
            with suppress(psutil.Error):
                process.kill()
        for program in self.programs:
            program.communicate()
        postmaster = self.data_folder.postmaster()
        if postmaster is not None:
            with suppress(psutil.Error):
                for process in (postmaster, *postmaster.children()):
                    process.kill()


def _rank(process: psutil.Process) -> str:
    # Their titles, so that a seed draws from them in the same order, whatever their numbers are.
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def environment() -> dict[str, str]:
    """The environment of a program that is to find this checkout, and no ledger but ours."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SECRETARIAT")}
    return ours | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}


def phase(url: str) -> str:
    """What the ledger's sessions are about in this moment."""
    try:
        with psycopg.connect(f"{url}&connect_timeout=2") as connection:
            sessions = connection.execute(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            ).fetchall()
            is_locked = connection.execute(IS_LOCKED).fetchone() == (True,)
    except (OSError, psycopg.Error):
        return "no database to ask"
    statements = " ".join(statement for (statement,) in sessions)
    found = (name for name, *marks in PHASES if any(mark in statements for mark in marks))
    return next(found, "under its lock" if is_locked else "between transactions")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when the condition holds; `Failed` if it doesn't come to hold."""
    end = time.monotonic() + SECONDS_TO_WAIT
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited {SECONDS_TO_WAIT} seconds for {what}")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners."""
    subprocess.run(["/bin/cp", "-a", source, target], check=True)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that everybody may enter, as root's database is somebody else; in memory, if so."""
    memory = Path("/dev/shm")  # noqa: S108  # A folder of its own is made in it.
    is_used = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="drill-", dir=memory if is_used else None))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
