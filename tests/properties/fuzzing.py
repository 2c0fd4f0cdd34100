"""Tries the properties of fuzzed.py and fuzzed_ledger.py for as long as is asked.

    scripts/fuzz [SECONDS] [--seed N] [--only NAME,…]

In rounds: each tries every property with examples of a seed of its own, the first round's being N.
A property that is broken is left aside, after its smallest example was printed, and how to see it
again. Exit status is 0 only if all held.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from ledger import embedded, importing
from ledger.counts import counted
from migrations import migrate
from projections import REGISTRY
from tests.conftest import fresh_database
from tests.projections.register import opened_ledger
from tests.properties.fuzzed import EXAMPLE, PROPERTIES, ZONE, Property, Trial
from tests.properties.fuzzed_ledger import properties_of_a_ledger

NAMES = (*(tried.name for tried in PROPERTIES), "recording", "http")


@contextmanager
def example_ledger(server_url: str) -> Iterator[str]:
    """The URL of a database of its own that has the example register in it."""
    with fresh_database(server_url, template="template1") as url:
        migrate(url)
        now = datetime.now(UTC)
        register = importing.read_register(EXAMPLE, REGISTRY, ZONE, principal="import", now=now)
        with opened_ledger(url) as ledger:
            importing.record_register(ledger, register)
        yield url


class Fuzzing:
    """Rounds of properties, from a first seed on, until the seconds are over."""

    def __init__(self, properties: Sequence[Property], *, seconds: float, first_seed: int) -> None:
        self._properties = list(properties)
        self._seconds = seconds
        self._seed = first_seed
        self._examples: Counter[str] = Counter()
        self._rounds: Counter[str] = Counter()

    def run(self) -> int:
        """Print how many examples of each were tried; return the number of those broken."""
        end = monotonic() + self._seconds
        names = [tried.name for tried in self._properties]
        broken: list[str] = []
        while self._properties:
            for tried in list(self._properties):
                if not self._holds(tried):
                    self._properties.remove(tried)
                    broken.append(tried.name)
            self._seed += 1
            if monotonic() >= end:
                break
        for name in names:
            rounds = counted(self._rounds[name], "round")
            print(f"{name:10} {self._examples[name]:8,} examples in {rounds}")
        for name in broken:
            print(f"{name}: broken after {counted(self._examples[name], 'example')}")
        return len(broken)

    def _holds(self, tried: Property) -> bool:
        trial = Trial(tried, self._seed)
        try:
            trial.run()
        except Exception:  # noqa: BLE001  # Whatever it is, it is what was looked for.
            traceback.print_exc(file=sys.stdout)
            print(f"see it again: scripts/fuzz 1 --seed {self._seed} --only {tried.name}\n")
            return False
        finally:
            self._examples[tried.name] += trial.examples
            self._rounds[tried.name] += 1
        return True


@contextmanager
def chosen(names: Sequence[str]) -> Iterator[list[Property]]:
    """The properties of these names; a ledger is made only for those that need one."""
    found = [tried for tried in PROPERTIES if tried.name in names]
    with ExitStack() as stack:
        if len(found) < len(names):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="secretariat-"))
            # Root's database server is somebody else, who has to get in.
            Path(folder).chmod(0o711)
            server = stack.enter_context(embedded.start(Path(folder, "data")))
            url = stack.enter_context(example_ledger(server.url))
            of_a_ledger = stack.enter_context(properties_of_a_ledger(url))
            found += [tried for tried in of_a_ledger if tried.name in names]
        yield found


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("seconds", nargs="?", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--only", default=",".join(NAMES), metavar="NAME,…")
    asked = parser.parse_args(words)
    names = asked.only.split(",")
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(
            f"scripts/fuzz: no property {unknown[0]!r}; there are {', '.join(NAMES)}",
            file=sys.stderr,
        )
        return 2
    print(f"from seed {asked.seed} on, for {asked.seconds:g} seconds", flush=True)
    with chosen(names) as properties:
        return min(1, Fuzzing(properties, seconds=asked.seconds, first_seed=asked.seed).run())


if __name__ == "__main__":
    sys.exit(main())
