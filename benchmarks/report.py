"""What a run prints, and what is kept of it: tables for docs/performance.md, and the record."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

from benchmarks import as_of, peers, plot
from benchmarks.harness import ROOT, Goal, Measured, Unmeasured, spread
from benchmarks.stage import Stage

RECORD = ROOT / "benchmarks" / "record.json"
PAGE = ROOT / "docs" / "performance.md"
GROWTH = ROOT / "docs" / "growth.svg"

PACKAGES = ("eventsourcing", "psycopg", "starlette", "strawberry-graphql", "uvicorn")
NPM_PACKAGES = (
    "@eventide/message-db",
    "@event-driven-io/emmett-postgresql",
    "pg",
    "postgraphile",
    "mercurius",
)

Kept = dict[str, dict[str, dict[str, Any]]]
"""By the name of a bench and of a ratio: the ratio, what is promised of it, whether it held."""

Results = Mapping[str, Sequence[Measured]]
"""The tables of each bench, by its name."""


def conditions(stage: Stage) -> dict[str, str]:
    """Under what a run was made: machine, versions, what PostgreSQL says of its durability."""
    folder = stage.peers()
    settings = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    return {
        "cores": str(os.cpu_count()),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "rounds": str(stage.rounds),
        "seconds a sample": f"{stage.seconds:g}",
        "commit": _commit(),
        **{f"PostgreSQL {name}": stage.setting(name) for name in settings},
        **{name: version(name) for name in PACKAGES},
        **{name: peers.version(folder, name) for name in (*NPM_PACKAGES, "node")},
    }


def _commit() -> str:
    """The commit that is measured, for whoever runs it again."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def markdown(tables: Iterable[Measured]) -> str:
    """The tables of a bench, each with its goals and its notes."""
    return "\n".join(line for table in tables for line in _table(table))


def _table(table: Measured) -> Iterator[str]:
    yield f"### {table.title}\n"
    yield f"| {table.unit} | min | median | max |"
    yield "|---|--:|--:|--:|"
    for name, samples in table.samples.items():
        yield f"| {name} | " + " | ".join(map(_number, spread(samples))) + " |"
    yield ""
    if table.goals:
        yield from _goals(table.goals)
    yield from (f"{note}\n" for note in table.notes)


def _goals(goals: Iterable[Goal]) -> Iterator[str]:
    yield "| ratio | min | median | max | promised | |"
    yield "|---|--:|--:|--:|---|---|"
    for goal in goals:
        numbers = " | ".join(map(_ratio, spread(goal.ratios)))
        reached = "reached" if goal.is_reached else "**not reached**"
        yield f"| {goal.name} | {numbers} | {goal.sense} {goal.bound:g} | {reached} |"
    yield ""


def conditions_line(found: Mapping[str, str]) -> str:
    """The conditions as one paragraph."""
    return "Conditions: " + "; ".join(f"{name} {is_}" for name, is_ in found.items()) + ".\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def save(path: Path, found: Mapping[str, str], results: Results) -> None:
    """Write everything that was measured as JSON."""
    tables = {name: [asdict(table) for table in tables] for name, tables in results.items()}
    path.write_text(json.dumps({"conditions": found, "benches": tables}, indent=2) + "\n")


def goals(tables: Iterable[Measured]) -> Iterator[Goal]:
    """Every ratio of a bench."""
    return (goal for table in tables for goal in table.goals)


def recorded(extent: str) -> Kept:
    """What is on record of long or of short runs; nothing if none was put there."""
    found: dict[str, Kept] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return found.get(extent, {})


def fallen(results: Results, *, short: bool) -> dict[str, list[str]]:
    """The names of the ratios that fell below half of their record, by bench."""
    before = recorded(_extent(short=short))
    found: dict[str, list[str]] = {}
    for name, tables in results.items():
        for goal in goals(tables):
            on_record: float | None = before.get(name, {}).get(goal.name, {}).get("ratio")
            if on_record is not None and goal.is_half_of(on_record):
                found.setdefault(name, []).append(goal.name)
    return found


def compared(results: Results, *, short: bool) -> list[str]:
    """Print each ratio beside the record; return the names of those that fell below half of it."""
    before, low = recorded(_extent(short=short)), fallen(results, short=short)
    for name, tables in results.items():
        for goal in goals(tables):
            on_record: float | None = before.get(name, {}).get(goal.name, {}).get("ratio")
            has_fallen = goal.name in low.get(name, [])
            beside = "none" if on_record is None else _ratio(on_record)
            mark = "  FALLEN" if has_fallen else ""
            print(
                f"{_ratio(goal.median):>8}  record {beside:>8}  {goal.name}{mark}", file=sys.stderr
            )
    return [ratio for ratios in low.values() for ratio in ratios]


def write(found: Mapping[str, str], results: Results, *, short: bool) -> None:
    """Put a run on record, and a long one into docs/performance.md.

    Only benches that ran are replaced, so that one can be run again alone.
    """
    record = {extent: recorded(extent) for extent in ("long", "short")}
    for name, tables in results.items():
        record[_extent(short=short)][name] = {goal.name: _kept(goal) for goal in goals(tables)}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    if short:
        return
    text = PAGE.read_text(encoding="utf-8")
    for name, tables in results.items():
        text = _replaced(text, name, f"{markdown(tables)}\n{conditions_line(found)}")
    PAGE.write_text(_replaced(text, "summary", summary(record["long"])), encoding="utf-8")
    if "as_of" in results:
        GROWTH.write_text(plot.drawn(as_of.lines(results["as_of"]), "What grows with the ledger"))


def _kept(goal: Goal) -> dict[str, Any]:
    """What is kept of a ratio; no number of a server that did not keep up."""
    return {
        "ratio": float(f"{goal.median:.3g}") if isfinite(goal.median) else None,
        "promised": f"{goal.sense} {goal.bound:g}",
        "reached": goal.is_reached,
    }


def summary(record: Kept) -> str:
    """All ratios on record in one table."""
    lines = ["| ratio | median | promised | |", "|---|--:|---|---|"]
    for ratios in record.values():
        for name, kept in ratios.items():
            number = "did not keep up" if kept["ratio"] is None else _ratio(kept["ratio"])
            reached = "reached" if kept["reached"] else "**not reached**"
            lines.append(f"| {name} | {number} | {kept['promised']} | {reached} |")
    return "\n".join(lines) + "\n"


def _replaced(text: str, name: str, tables: str) -> str:
    """The page with what stands between a bench's marks replaced."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise Unmeasured(f"{PAGE.name} has no place for {name}: put {begin} and {end} into it")
    return f"{before}{begin}\n\n{tables}\n{end}{after}"


def _extent(*, short: bool) -> str:
    return "short" if short else "long"
