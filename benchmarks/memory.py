"""What the server process holds in memory after some requests, and after many more."""

from __future__ import annotations

import json

import psutil

from benchmarks import load
from benchmarks.as_of import FIELDS
from benchmarks.harness import Goal, Measured, secretariat
from benchmarks.stage import Stage, serving

CLIENTS = 8

DOCUMENT = (
    "query Q($first: Int!) { ledger { contributions(first: $first)"
    f" {{ nodes {{ {FIELDS} }} }} }} }}"
)


def measure(stage: Stage) -> list[Measured]:
    """Resident memory at two moments in the life of one server."""
    fewer, more = stage.requests
    body = stage.folder / "memory.json"
    body.write_text(json.dumps({"query": DOCUMENT, "variables": {"first": 5}}))
    url = stage.register(stage.sizes[0])
    with serving(*secretariat("serve", "--port", "0", "--database", url)) as server:
        process = psutil.Process(server.process.pid)
        sizes = []
        done = 0
        for until in (fewer, more):
            while done < until:
                seen = load.put(server.url, body, CLIENTS, stage.seconds)
                done += int(seen.rate * stage.seconds)
            sizes.append(process.memory_info().rss / 1024**2)
    few, many = sizes
    samples = {f"after {fewer:,} requests": [few], f"after {more:,} requests": [many]}
    goal = Goal("memory after many requests / after few", (many / few,), 1.1, "at most")
    return [Measured("Memory of the server process", "MB, resident", samples, [goal])]
