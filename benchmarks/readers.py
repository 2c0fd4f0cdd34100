"""What readers notice of a rebuild: a page asked for ten times a second, meanwhile and usually."""

from __future__ import annotations

import json
import subprocess

import psycopg

from benchmarks import load
from benchmarks.as_of import FIELDS
from benchmarks.harness import ROOT, Goal, Measured, run_program, secretariat
from benchmarks.stage import Stage, serving

RATE = 10.0
"""Requests a second: readers, and not a load."""

READERS = 8

DOCUMENT = f"{{ ledger {{ contributions(first: 20) {{ nodes {{ {FIELDS} }} }} }} }}"


def measure(stage: Stage) -> list[Measured]:
    """One table, of the largest ledger."""
    size = stage.sizes[-1]
    url = stage.copy("rebuilt", of=size)
    body = stage.folder / "readers.json"
    body.write_text(json.dumps({"query": DOCUMENT}))
    command = secretariat("rebuild", "--database", url)
    undisturbed = run_program(*command).seconds
    with psycopg.connect(url, autocommit=True) as connection:
        # What the database does about a copy and a rebuild is not what readers usually meet.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    with serving(*secretariat("serve", "--port", "0", "--database", url)) as server:
        usual = load.put(server.url, body, READERS, max(1.0, undisturbed * 0.8), RATE)
        rebuild = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            meanwhile = load.put(server.url, body, READERS, max(1.0, undisturbed * 0.8), RATE)
        finally:
            rebuild.wait()
    samples = {
        "p50 usually": [usual.p50],
        "p50 during a rebuild": [meanwhile.p50],
        "p99 usually": [usual.p99],
        "p99 during a rebuild": [meanwhile.p99],
    }
    goal = Goal(
        "readers' p99 during a rebuild / usually", (meanwhile.p99 / usual.p99,), 2, "at most"
    )
    title = f"Readers during a rebuild of {size:,} entries"
    return [Measured(title, f"ms, {RATE:g} requests/s", samples, [goal])]
