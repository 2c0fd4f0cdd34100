"""Contestants run in turn, the samples they give, and the ratios that are promised.

A bench runs its contestants A B A B …, because what else the machine does changes from minute to
minute: a ratio is always taken within a round, between neighbours in time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]

Samples = dict[str, list[float]]
"""The name of a contestant, and a number for each round."""


class Unmeasured(Exception):
    """Something could not be run, or answered otherwise than the rest; the message says what."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that is promised: one number a round, and the bound for their median."""

    name: str
    ratios: tuple[float, ...]
    bound: float
    sense: Literal["at least", "at most"] = "at least"

    @property
    def median(self) -> float:
        """The ratio that counts."""
        return median(self.ratios)

    @property
    def is_reached(self) -> bool:
        """Whether the promise is kept in this run."""
        if self.sense == "at least":
            return self.median >= self.bound
        return self.median <= self.bound

    def is_half_of(self, record: float) -> bool:
        """Whether this run is worse than the record by more than a factor of two."""
        if self.sense == "at least":
            return self.median < record / 2
        return self.median > record * 2


@dataclass(slots=True)
class Measured:
    """What one table of a bench shows."""

    title: str
    unit: str
    samples: Samples
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def in_turn(contestants: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Sample each contestant once a round, in the order given; the first round counts too."""
    samples: Samples = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, sample in contestants.items():
            samples[name].append(sample())
    return samples


def ratio_to_best(samples: Samples, ours: str, others: Sequence[str]) -> tuple[float, ...]:
    """Ours over the best of the others, round by round; more is better."""
    rounds = zip(samples[ours], *(samples[name] for name in others), strict=True)
    return tuple(mine / max(theirs) for mine, *theirs in rounds)


def ratio(samples: Samples, above: str, below: str) -> tuple[float, ...]:
    """One contestant over another, round by round."""
    return tuple(a / b for a, b in zip(samples[above], samples[below], strict=True))


def ask_program(*command: str, **environment: str) -> dict[str, Any]:
    """Run a program to its end and return the JSON object that is the last line it prints."""
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise Unmeasured(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took: seconds from start to end, and its largest resident size in MB."""

    seconds: float
    peak_mb: float


def run_program(*command: str) -> Cost:
    """Run a program to its end and return what it took."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Unmeasured(f"{' '.join(command)} ended with status {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return Cost(seconds, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))


def secretariat(*arguments: str) -> tuple[str, ...]:
    """The command that runs the ledger's command line from this checkout."""
    return (sys.executable, "-m", "server", *arguments)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this package."""
    return (sys.executable, "-m", f"benchmarks.{name}", *arguments)


def spread(samples: Sequence[float]) -> Iterator[float]:
    """Minimum, median and maximum."""
    yield min(samples)
    yield median(samples)
    yield max(samples)
