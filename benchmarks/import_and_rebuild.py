"""Importing a register and rebuilding the read models, against COPY of the same rows.

COPY into one plain table without an index is the least that storing the rows can cost.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import psycopg

from benchmarks import data
from benchmarks.harness import Cost, Goal, Measured, in_turn, ratio, run_program, secretariat
from benchmarks.stage import Stage

IMPORT, REBUILD, COPY = "import, read models included", "rebuild", "COPY into a plain table"

IMPORTED = "imported"
"""The database of the latest import, whose read models are then rebuilt."""

COPIED = "copied"
COPIES = 3
"""So often, since COPY takes too short a time for one alone to say much."""

PLAIN = "CREATE TABLE plain (file text, effective text, recorded_on date, cells text)"


def measure(stage: Stage) -> list[Measured]:
    """Two tables: rows a second, and peak memory by size."""
    size = stage.sizes[-1]
    costs: dict[str, list[Cost]] = {IMPORT: [], REBUILD: []}
    samplers: dict[str, Callable[[], float]] = {
        IMPORT: partial(_import, stage, size, costs[IMPORT]),
        REBUILD: partial(_rebuild, stage, size, costs[REBUILD]),
        COPY: partial(_copy, stage, size),
    }
    # One import of a large register takes minutes, so there is one round of it for three others.
    samples = in_turn(samplers, max(1, stage.rounds // 3))
    smaller: list[Cost] = []
    _import(stage, stage.sizes[0], smaller)
    peaks = {
        f"import of {stage.sizes[0]:,}": [cost.peak_mb for cost in smaller],
        f"import of {size:,}": [cost.peak_mb for cost in costs[IMPORT]],
        f"rebuild of {size:,}": [cost.peak_mb for cost in costs[REBUILD]],
    }
    return [
        Measured(
            f"Import and rebuild, {size:,} entries",
            "rows/s",
            samples,
            [
                Goal("import / COPY", ratio(samples, IMPORT, COPY), 0.1),
                Goal("rebuild / COPY", ratio(samples, REBUILD, COPY), 0.2),
            ],
            ["Seconds of a whole program, its start included."],
        ),
        Measured("Peak memory of import and rebuild", "MB", peaks),
    ]


def _import(stage: Stage, size: int, costs: list[Cost]) -> float:
    files, url = stage.files(size), stage.database(IMPORTED)
    cost = run_program(*secretariat("import", str(files), "--database", url))
    costs.append(cost)
    return size / cost.seconds


def _rebuild(stage: Stage, size: int, costs: list[Cost]) -> float:
    cost = run_program(*secretariat("rebuild", "--database", stage.url_of(IMPORTED)))
    costs.append(cost)
    return size / cost.seconds


def _copy(stage: Stage, size: int) -> float:
    file = _one_file(stage.folder / f"plain-{size}.csv", size)
    return size / median(_seconds_of_copy(stage.database(COPIED), file) for _ in range(COPIES))


def _seconds_of_copy(url: str, file: Path) -> float:
    with psycopg.connect(url) as connection:
        connection.execute(PLAIN)
        connection.commit()
        started = time.perf_counter()
        with (
            connection.cursor().copy("COPY plain FROM STDIN (FORMAT csv)") as copy,
            file.open("rb") as source,
        ):
            while block := source.read(1 << 16):
                copy.write(block)
        connection.commit()
        return time.perf_counter() - started


def _one_file(path: Path, size: int) -> Path:
    """All rows of a register in one file, with what differs between them in one cell."""
    if not path.exists():
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            for name, cells in data.rows(size):
                common = (name, cells.pop("effective"), cells.pop("recorded_on"))
                writer.writerow((*common, json.dumps(cells)))
    return path
