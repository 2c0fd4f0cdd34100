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

from benchmarks import peers
from benchmarks.harness import ROOT, Goal, Measured, Unmeasured, spread
from benchmarks.stage import Stage

RECORD = ROOT / "benchmarks" / "record.json"
PAGE = ROOT / "docs" / "performance.md"

PACKAGES = ("eventsourcing", "psycopg", "starlette", "strawberry-graphql", "uvicorn")
NPM_PACKAGES = (
    "@eventide/message-db",
    "@event-driven-io/emmett-postgresql",
    "pg",
    "postgraphile",
    "mercurius",
)

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


def goals(results: Results) -> dict[str, Goal]:
    """Every ratio that was measured, by its name."""
    return {
        goal.name: goal for tables in results.values() for each in tables for goal in each.goals
    }


def recorded(extent: str) -> dict[str, dict[str, Any]]:
    """What is on record of long or of short runs: each ratio, its promise, and whether it held."""
    if not RECORD.exists():
        return {}
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(RECORD.read_text())
    return found.get(extent, {})


def compared(results: Results, *, short: bool) -> list[str]:
    """Print each ratio beside the record; return the names of those that fell below half of it."""
    before = recorded(_extent(short=short))
    fallen: list[str] = []
    for name, goal in goals(results).items():
        on_record: float | None = before.get(name, {}).get("ratio")
        has_fallen = on_record is not None and goal.is_half_of(on_record)
        fallen += [name] if has_fallen else []
        beside = "none" if on_record is None else _ratio(on_record)
        mark = "  FALLEN" if has_fallen else ""
        print(f"{_ratio(goal.median):>8}  record {beside:>8}  {name}{mark}", file=sys.stderr)
    return fallen


def write(found: Mapping[str, str], results: Results, *, short: bool) -> None:
    """Put a run on record, and a long one into docs/performance.md.

    Only benches that ran are replaced, so that one can be run again alone.
    """
    extent = _extent(short=short)
    record = {name: recorded(name) for name in ("long", "short")}
    record[extent] |= {
        name: {
            "ratio": float(f"{goal.median:.3g}"),
            "promised": f"{goal.sense} {goal.bound:g}",
            "reached": goal.is_reached,
        }
        for name, goal in goals(results).items()
        # A server that did not keep up has no ratio to compare with.
        if isfinite(goal.median)
    }
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    if short:
        return
    text = PAGE.read_text(encoding="utf-8")
    for name, tables in results.items():
        text = _replaced(text, name, f"{markdown(tables)}\n{conditions_line(found)}")
    text = _replaced(text, "summary", _summary(record["long"]))
    PAGE.write_text(text, encoding="utf-8")


def _summary(record: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| ratio | median | promised | |", "|---|--:|---|---|"]
    for name, kept in record.items():
        reached = "reached" if kept["reached"] else "**not reached**"
        lines.append(f"| {name} | {_ratio(kept['ratio'])} | {kept['promised']} | {reached} |")
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
