"""The command line of the drills; scripts/drill runs it.

scripts/drill [--rounds N] [--seed S] [--only NUMBER] [--kind KIND …] [--short]
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.data import write_register
from drills import faults, killings, slowness, workload
from drills.harness import Round, copy, scratch
from ledger import embedded
from migrations import migrate
from projections import TABLES
from projections.place import Place
from projections.rebuild import rebuild
from tests.ledger.recording import ZONE

KINDS: dict[str, Callable[[Round], None]] = {
    "import": killings.importing,
    "record": killings.recording_together,
    "rebuild": killings.rebuilding,
    "migrate": killings.migrating,
    "serve": killings.serving,
    "network": faults.network,
    "disk": faults.disk,
    "statements": slowness.statements,
}

LARGE_OVER_SMALL = 1.8
"""How much longer an import of the large register takes: less than its rows, with its start."""

SHORT_SEED = "ci"
SHORT_ROUNDS = len(KINDS)
ROUNDS = 200

ROWS = {"large register": 5_200, "small register": 2_000}
"""Of the registers. The small one is there when rebuilding and serving begin."""


@dataclass(slots=True)
class Tally:
    """What came of the rounds so far."""

    rounds: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)


def arguments() -> argparse.Namespace:
    """What stands on the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/drill", description="Kill at random moments, and see that nothing is lost."
    )
    parser.add_argument("--rounds", type=int, help=f"how many (default {ROUNDS})")
    parser.add_argument("--seed", help="of all rounds; without one, a new one is drawn")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this round alone")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument(
        "--short", action="store_true", help=f"a round of each kind, with the seed {SHORT_SEED!r}"
    )
    return parser.parse_args()


def prepare(templates: Path) -> dict[str, float]:
    """Make the ledgers that rounds begin with; return how long work takes undisturbed."""
    for name, rows in ROWS.items():
        _write_register(templates / name, rows)
    with embedded.start(templates / "bare"):
        pass
    copy(templates / "bare", templates / "empty")
    spans = {}
    with embedded.start(templates / "empty") as server:
        spans["migrate"] = _seconds(lambda: migrate(server.url))
        Place(server.url).writer(ZONE).close()
    for name in ("grounded", "full"):
        copy(templates / "empty", templates / name)
    undisturbed = Round(0, "", templates, templates, {}, Random())  # noqa: S311  # It draws nothing.
    for name, into in (("full", ""), ("new", " into a new folder")):
        words = ("import", templates / "small register", "--data", templates / name)
        spans[f"small register{into}"] = _seconds(partial(undisturbed.run, *words))
        spans[f"large register{into}"] = spans[f"small register{into}"] * LARGE_OVER_SMALL
    with embedded.start(templates / "full") as server:
        spans["rebuild"] = _seconds(lambda: rebuild(server.url, TABLES))
    for name in ("grounded", "full"):
        with (
            embedded.start(templates / name) as server,
            Place(server.url).writer(ZONE) as ledger,
        ):
            ledger.submit(workload.grounds()).result()
    return spans


def _write_register(folder: Path, rows: int) -> None:
    folder.mkdir(mode=0o755)
    write_register(folder, rows)
    for file in folder.iterdir():
        # What the recorders refer to has that name.
        file.write_text(file.read_text().replace("MAIN", "CORE"))


def _seconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def run(number: int, seed: str, kind: str, place: Path, spans: dict[str, float]) -> Round:
    """Run one round in a folder of its own."""
    folder = place / f"round-{number}"
    folder.mkdir(mode=0o711)
    random = Random(f"{seed}/{number}")  # noqa: S311  # The same for the same seed, and no secret.
    round = Round(number, seed, folder, place / "templates", spans, random)
    try:
        KINDS[kind](round)
    except faults.Skipped as skipped:
        round.phase, round.told = "skipped", [str(skipped)]
    finally:
        round.clean_up()
    shutil.rmtree(folder)
    return round


def drill(seed: str, numbers: range, kinds: list[str]) -> Tally:
    """Run the rounds, print a line for each, and return what came of them."""
    tally = Tally()
    with scratch() as place:
        templates = place / "templates"
        templates.mkdir(mode=0o711)
        spans = prepare(templates)
        for number in numbers:
            kind = kinds[number % len(kinds)]
            began = time.monotonic()
            try:
                round = run(number, seed, kind, place, spans)
            except Exception:  # noqa: BLE001  # Whatever it is, it is told, and the rest goes on.
                traceback.print_exc()
                tally.failed.append(number)
                print(f"round {number}: {kind}: FAILED; again: --seed {seed} --only {number}")
                continue
            victim = round.victim.value if round.victim else "a fault"
            told = "; ".join(round.told)
            seconds = time.monotonic() - began
            print(
                f"round {number}: {kind}: {victim}, {round.phase}: {told} ({seconds:.1f} s)",
                flush=True,
            )
            if round.phase == "skipped":
                tally.skipped.append(number)
            tally.rounds[kind, victim, round.phase] += 1
    return tally


def main() -> int:
    """Run what is asked for; the status is 0 only if nothing was found."""
    # Whoever ends the drill is to leave nothing of it behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked = arguments()
    seed = asked.seed or (SHORT_SEED if asked.short else secrets.token_hex(4))
    count = asked.rounds or (SHORT_ROUNDS if asked.short else ROUNDS)
    numbers = range(count) if asked.only is None else range(asked.only, asked.only + 1)
    print(f"{len(numbers)} rounds, seed {seed}", flush=True)
    began = time.monotonic()
    tally = drill(seed, numbers, asked.kind)
    for (kind, victim, phase), times in sorted(tally.rounds.items()):
        print(f"{times:4} × {kind}: {victim}, {phase}")
    print(
        f"{len(numbers)} rounds of seed {seed} in {time.monotonic() - began:.0f} s:"
        f" {len(tally.failed)} failed, {len(tally.skipped)} skipped"
    )
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
