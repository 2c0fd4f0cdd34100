"""The kinds of rounds with a fault instead of a kill: in the network, and on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event

import psycopg

from drills.checks import Told
from drills.harness import Failed, Round, Victim, copy, wait_until
from drills.killings import finish, go_on, recording
from ledger import embedded
from tests.ledger.proxy import Fault, Proxy, proxy_to

CUTS = 12
"""So many connections are cut in a round, each at a byte of its own."""

FURTHEST_CUT = 60_000
"""In bytes; some twenty sets of proposals with their answers."""

LONGEST_COMMIT = 0.004
"""In seconds; about as long as a COMMIT takes, so that a kill comes before, in or behind it."""

LONGEST_PAUSE = 0.03
SECONDS_OF_SLOWNESS = 1.5

MOST_ROOM = 4_000_000
"""In bytes; less than one more segment of PostgreSQL's log takes."""

SECONDS_BETWEEN_SEGMENTS = 0.05

NO_SPACE = "No space left on device"

ENOUGH_ROOM = 200_000_000


class Skipped(Exception):
    """A fault that can't be had on this machine; the message says why."""


def network(round: Round) -> None:
    """A network that fails around a COMMIT, is cut at some byte, or is slow."""
    round.copy("grounded")
    with embedded.start(round.data) as server, proxy_to(server.url) as proxy:
        variety = round.random.choice((*Fault, "cut", "slow"))
        round.phase = variety.name.lower() if isinstance(variety, Fault) else variety
        with recording(round, ["A"], proxy.url):
            match variety:
                case Fault():
                    _fail_at_commit(round, proxy, variety)
                case "cut":
                    _cut(round, proxy)
                case _:
                    proxy.pause = round.random.uniform(0.001, LONGEST_PAUSE)
                    time.sleep(SECONDS_OF_SLOWNESS)
                    proxy.pause = 0
            go_on(round, ["A"])
    finish(round, ["A"])


def _fail_at_commit(round: Round, proxy: Proxy, fault: Fault) -> None:
    """Have some COMMIT fail that comes soon; or kill the database while it is at it."""
    delay, is_struck = round.random.uniform(0, LONGEST_COMMIT), Event()

    def strike() -> None:
        time.sleep(delay)
        round.strike(Victim.EVERYTHING)
        is_struck.set()

    proxy.strike, proxy.fault = strike, fault
    proxy.at = proxy.commits + round.random.randint(5, 60)
    wait_until(partial(_is_past, proxy, proxy.at - 1), "the COMMIT that fails")
    if fault is Fault.STRUCK:
        round.victim = Victim.EVERYTHING
        # Whoever started the server before that would only join the one that is about to die.
        wait_until(is_struck.is_set, "the database's end")


def _is_past(proxy: Proxy, number: int) -> bool:
    return proxy.commits > number


def _cut(round: Round, proxy: Proxy) -> None:
    for number in range(1, CUTS + 1):
        proxy.cut_after = round.random.randrange(FURTHEST_CUT)
        wait_until(partial(_is_cut, proxy, number), "the next cut")


def _is_cut(proxy: Proxy, number: int) -> bool:
    return proxy.cuts >= number


def disk(round: Round) -> None:
    """A disk that gets full while somebody records, and on which room is made."""
    template = round.templates / "grounded"
    fills = round.random.choice((_fill_for_tables, _fill_for_log))
    with small_disk(round.folder / "disk", _size(template) + ENOUGH_ROOM) as place:
        copy(template, place / "data")
        round.data.symlink_to(place / "data")
        filler = place / "filler"
        with recording(round, ["A"], round.data):
            fills(round, filler)
            _check_message(round)
            time.sleep(round.random.uniform(0, 1))
            filler.unlink()
            go_on(round, ["A"])
        finish(round, ["A"])


def _fill_for_tables(round: Round, filler: Path) -> None:
    """Leave so little room that a table can't grow, of which a statement fails."""
    round.phase = "no room for a table"
    _fill(filler, round.random.randint(0, MOST_ROOM))
    wait_until(partial(_is_in_trouble, round), "the disk to be full")


def _fill_for_log(round: Round, filler: Path) -> None:
    """Leave no room for another segment of PostgreSQL's log, by which the whole server ends."""
    round.phase = "no room for PostgreSQL's log"
    _fill(filler, MOST_ROOM)
    with suppress(psycopg.Error), psycopg.connect(round.url, autocommit=True) as connection:
        while not _is_in_trouble(round):
            connection.execute("SELECT pg_switch_wal()")
            time.sleep(SECONDS_BETWEEN_SEGMENTS)
    wait_until(partial(_is_in_trouble, round), "the disk to be full")


def _is_in_trouble(round: Round) -> bool:
    return bool(Told.by("A", round.outcomes("A")).trouble)


def _check_message(round: Round) -> None:
    """Whoever runs a command now is told in one line what is wrong."""
    words = ("import", round.templates / "small register", "--late", "--data", round.data)
    status, out, err = round.end(round.start(*words))
    if status != 1 or out or len(err.splitlines()) != 1 or NO_SPACE not in err:
        raise Failed(f"the disk is full, and a command ends with {status} and says {out}{err}")
    round.told.append(err.strip().replace(str(round.folder), "…"))


def _fill(filler: Path, room: int) -> None:
    """Write a file that leaves so many bytes free."""
    wait_until(partial(_is_filled, filler, room), "the disk to be filled")


def _is_filled(filler: Path, room: int) -> bool:
    free = shutil.disk_usage(filler.parent).free
    # The recorder may take some of it meanwhile; then there is less to fill.
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, free - room))
        return True
    return False


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """A disk in memory of so many bytes; `Skipped` where none may be mounted."""
    place.mkdir()
    options = f"size={size},mode=711"
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "drill", place],  # noqa: S607  # Wherever it lies.
        capture_output=True,
        text=True,
        check=False,
    )
    if mounting.returncode:
        raise Skipped(f"no disk of its own may be mounted here: {mounting.stderr.strip()}")
    try:
        yield place
    finally:
        # Lazily, as a failed round may have left a database that is only just ending.
        subprocess.run(["umount", "-l", place], check=True)  # noqa: S607  # As above.
