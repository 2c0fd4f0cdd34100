"""The command line of the benches; scripts/bench runs it.

scripts/bench [NAME …] [--short | --full] [--sizes N,…] [--requests N,N] [--data DIR] [--write]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import (
    append,
    as_of,
    graphql,
    import_and_rebuild,
    memory,
    peers,
    readers,
    report,
    stage,
    start,
)
from benchmarks.harness import Measured, Unmeasured

BENCHES: dict[str, Callable[[stage.Stage], list[Measured]]] = {
    "append": append.measure,
    "graphql": graphql.measure,
    "as_of": as_of.measure,
    "import_and_rebuild": import_and_rebuild.measure,
    "readers": readers.measure,
    "memory": memory.measure,
    "start": start.measure,
}

BRIEF = BENCHES.keys() - {"readers"}
"""What a short run has: a rebuild of so few entries is over before readers notice it."""

SHORT: dict[str, Any] = {
    "rounds": 1,
    "seconds": 0.8,
    "sizes": (1_000, 3_000),
    "requests": (300, 900),
    "is_short": True,
}
NORMAL: dict[str, Any] = {
    "rounds": 3,
    "seconds": 1.5,
    "sizes": (10_000, 100_000),
    "requests": (3_000, 12_000),
}
FULL: dict[str, Any] = {
    "rounds": 5,
    "seconds": 5.0,
    "sizes": (10_000, 100_000, 1_000_000),
    "requests": (10_000, 1_000_000),
}


def arguments() -> argparse.Namespace:
    """What stands on the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="How fast the ledger is beside others, in one run."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--short", action="store_true", help="a few minutes; fails below half of the record"
    )
    extent.add_argument("--full", action="store_true", help="with 1 M entries; hours")
    parser.add_argument("--data", type=Path, help="keep the databases in this folder")
    parser.add_argument(
        "--sizes", help="entries of the ledgers, smallest first, such as 10000,100000"
    )
    parser.add_argument(
        "--requests", help="after how many the server's memory is compared, such as 3000,12000"
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/performance.md and record.json"
    )
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHES):
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    return asked


@contextmanager
def data_folder(kept: Path | None) -> Iterator[Path]:
    """The folder for databases and files: the one that is kept, or one that is thrown away."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="secretariat-bench-") as folder:
        # PostgreSQL runs under an account of its own when root starts it, which must get in.
        Path(folder).chmod(0o711)
        yield Path(folder)


def main() -> int:
    """Run the command; 1 if something could not be measured or fell below half of its record."""
    try:
        return run(arguments())
    except Unmeasured as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1


def run(asked: argparse.Namespace) -> int:
    """Run the benches that were asked for; 1 if a ratio fell below half of its record."""
    extent = dict(SHORT if asked.short else FULL if asked.full else NORMAL)
    if asked.sizes:
        extent["sizes"] = tuple(map(int, asked.sizes.split(",")))
    if asked.requests:
        extent["requests"] = tuple(map(int, asked.requests.split(",")))
    measured: dict[str, list[Measured]] = {}
    with (
        data_folder(asked.data) as folder,
        stage.opened(folder, peers=peers.installed, **extent) as opened,
    ):
        conditions = report.conditions(opened)
        for name in asked.names or (name for name in BENCHES if not asked.short or name in BRIEF):
            print(f"{name} …", file=sys.stderr, flush=True)
            measured[name] = BENCHES[name](opened)
            print(report.markdown(measured[name]), flush=True)
        if asked.short:
            measure_again(opened, measured)
        report.save(folder / "results.json", conditions, measured)
    print(report.conditions_line(conditions))
    if asked.write:
        report.write(conditions, measured, short=asked.short)
    fallen = report.compared(measured, short=asked.short)
    return 1 if asked.short and fallen else 0


def measure_again(opened: stage.Stage, measured: dict[str, list[Measured]]) -> None:
    """Run the benches of which a ratio fell again, twice at the most: it may have been noise."""
    for _ in range(2):
        for name in report.fallen(measured, short=True):
            print(f"{name}, once more …", file=sys.stderr, flush=True)
            measured[name] = BENCHES[name](opened)


if __name__ == "__main__":
    sys.exit(main())
