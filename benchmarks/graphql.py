"""Answers a second over HTTP, beside PostGraphile, Mercurius and a bare endpoint.

All of them read the same rows of the same database (views.py), each by one process. Their answers
are compared, value for value, before anything is timed.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urljoin

from benchmarks import load, peers, views
from benchmarks.data import ALL_KNOWN
from benchmarks.harness import Goal, Measured, Unmeasured, in_turn, module, ratio
from benchmarks.stage import Stage, serving

LEDGER = "Secretariat Ledger"
POSTGRAPHILE = "PostGraphile 5"
MERCURIUS = "Mercurius, JIT"
BARE = "bare endpoint, json_agg"

CLIENTS = 8
FEWEST_ROWS = 20
WAITING = 64
PART_OF_HIGHEST = 0.8
KEPT_UP = 0.93
FEWEST_SECONDS_FOR_P99 = 1.5

OUR_FIELDS = """key fiscalYear received { amount currency }
    state { key nameEn } account { key fund }"""
POSTGRAPHILE_FIELDS = """key fiscalYear received currency
    toState { key nameEn } toAccount { key fund }"""
MERCURIUS_FIELDS = "key fiscalYear received currency state { key nameEn } account { key fund }"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as the body of a POST for each contestant, and what is promised of it.

    `path` is where the bare endpoint answers it. A short run leaves out what `is_like_another`.
    """

    title: str
    bodies: dict[str, dict[str, Any]]
    path: str
    over_postgraphile: float
    over_bare: float
    is_like_another: bool = False


def measure(stage: Stage) -> list[Measured]:
    """A table for each question, and one for the latencies of ours under load."""
    url = stage.register(stage.sizes[0])
    point = views.make(url, ALL_KNOWN)
    folder = stage.peers()
    production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with ExitStack() as stack:
        start = stack.enter_context
        ours = start(serving(*module("ours", url)))
        theirs = {
            POSTGRAPHILE: start(
                serving(*peers.node(folder, "postgraphile.mjs", url), **production)
            ),
            MERCURIUS: start(serving(*peers.node(folder, "mercurius.mjs", url), **production)),
            BARE: start(serving(*module("bare", url))),
        }
        urls = {LEDGER: ours.url} | {name: served.url for name, served in theirs.items()}
        return [
            table
            for question in _questions(point)
            if not (stage.is_short and question.is_like_another)
            for table in _ask(stage, question, urls | {BARE: urljoin(urls[BARE], question.path)})
        ]


def _ask(stage: Stage, question: Question, urls: dict[str, str]) -> Iterator[Measured]:
    """Compare the answers, then time them; then load ours at a part of its highest rate."""
    bodies = {name: json.dumps(body).encode() for name, body in question.bodies.items()}
    expected = leaves(post(urls[LEDGER], bodies[LEDGER]))
    for name, body in bodies.items():
        got = leaves(post(urls[name], body))
        if got != expected or not got:
            raise Unmeasured(f"{question.title}: {name} answers {got[:9]}, not {expected[:9]}")
    files = {
        name: _written(stage.folder / f"{name.split()[0].strip(',')}.json", bodies[name])
        for name in urls
    }
    busiest: list[float] = []
    samplers: dict[str, Callable[[], float]] = {
        name: partial(_rate, url, files[name], stage.seconds, busiest) for name, url in urls.items()
    }
    samples = in_turn(samplers, stage.rounds)
    yield Measured(
        f"GraphQL: {question.title}",
        "answers/s",
        samples,
        [
            Goal(
                f"{question.title}: ours / PostGraphile",
                ratio(samples, LEDGER, POSTGRAPHILE),
                question.over_postgraphile,
            ),
            Goal(
                f"{question.title}: ours / bare endpoint",
                ratio(samples, LEDGER, BARE),
                question.over_bare,
            ),
        ],
        [
            (
                f"A ledger of {stage.sizes[0]:,} entries, {CLIENTS} clients; ours reads under the"
                " stand-in access rule."
            ),
            f"The load generator used at most {max(busiest):.0%} of a core.",
        ],
    )
    if stage.seconds >= FEWEST_SECONDS_FOR_P99:
        yield _under_load(stage, question, urls[LEDGER], files[LEDGER], median(samples[LEDGER]))


def _under_load(stage: Stage, question: Question, url: str, body: Path, highest: float) -> Measured:
    rate = highest * PART_OF_HIGHEST
    seen = [load.put(url, body, WAITING, stage.seconds, rate) for _ in range(stage.rounds)]
    title = f"{question.title}, at {PART_OF_HIGHEST:.0%} of the highest rate"
    # A server that falls behind has a queue, which makes p99 and p50 equal: that is no success.
    ratios = tuple(
        one.p99 / one.p50 if one.rate >= rate * KEPT_UP else float("inf") for one in seen
    )
    samples = {"p50": [one.p50 for one in seen], "p99": [one.p99 for one in seen]}
    note = (
        f"Requests were due at {rate:,.0f} a second, and are timed from then if they had to wait;"
        f" {min(one.rate for one in seen):,.0f} or more were answered."
    )
    return Measured(
        title, "ms", samples, [Goal(f"{title}: p99 / p50", ratios, 5, "at most")], [note]
    )


def _rate(url: str, body: Path, seconds: float, busiest: list[float]) -> float:
    seen = load.put(url, body, CLIENTS, seconds)
    busiest.append(seen.busy)
    return seen.rate


def _written(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


def post(url: str, body: bytes) -> Any:
    """POST a body and return the JSON of the answer."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310  # It is our own http URL.
    with urllib.request.urlopen(request) as response:  # noqa: S310  # It is our own http URL.
        return json.load(response)


def leaves(value: Any) -> list[Any]:
    """The values of an answer in their order, whatever the objects around them are called."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def _questions(point: views.Point) -> Iterator[Question]:
    as_of = f'asOf: {{ effectiveOn: "{point.day}" }}'
    yield Question(
        "one record by its key",
        {
            LEDGER: _document(
                f'query Q($key: ID!) {{ record(kind: "contribution", id: $key, {as_of}) {{'
                f" ... on Contribution {{ {OUR_FIELDS} }} }} }}",
                key=point.key,
            ),
            POSTGRAPHILE: _document(
                f"query Q($key: String!) {{ contributionByKey(key: $key)"
                f" {{ {POSTGRAPHILE_FIELDS} }} }}",
                key=point.key,
            ),
            MERCURIUS: _document(
                f"query Q($key: ID!) {{ contribution(key: $key) {{ {MERCURIUS_FIELDS} }} }}",
                key=point.key,
            ),
            BARE: {"key": point.key},
        },
        "contribution",
        4,
        1,
    )
    yield _page(as_of, FEWEST_ROWS, 4, 1)
    yield _page(as_of, 100, 4, 1)
    yield _page(as_of, 1_000, 2.5, 0.9)
    yield _totals(as_of)


def _page(as_of: str, first: int, over_postgraphile: float, over_bare: float) -> Question:
    return Question(
        f"{first:,} rows, nested",
        {
            LEDGER: _document(
                f"query Q($first: Int!) {{ ledger({as_of}) {{ contributions(first: $first)"
                f" {{ nodes {{ {OUR_FIELDS} }} }} }} }}",
                first=first,
            ),
            POSTGRAPHILE: _document(
                f"query Q($first: Int!) {{ allContributions(first: $first, orderBy: KEY_ASC)"
                f" {{ nodes {{ {POSTGRAPHILE_FIELDS} }} }} }}",
                first=first,
            ),
            MERCURIUS: _document(
                f"query Q($first: Int!) {{ contributions(first: $first)"
                f" {{ {MERCURIUS_FIELDS} }} }}",
                first=first,
            ),
            BARE: {"first": first},
        },
        "contributions",
        over_postgraphile,
        over_bare,
        is_like_another=first > FEWEST_ROWS,
    )


def _totals(as_of: str) -> Question:
    return Question(
        "totals by state",
        {
            LEDGER: _document(
                f"{{ ledger({as_of}) {{ contributionTotals(by: [STATE])"
                " { state { key } currency net { amount low high } } } }"
            ),
            POSTGRAPHILE: _document(
                "{ allTotals { nodes { toState { key } currency net netLow netHigh } } }"
            ),
            MERCURIUS: _document("{ totals { state { key } currency net low high } }"),
            BARE: {},
        },
        "totals",
        1.2,
        0.9,
    )


def _document(query: str, **variables: Any) -> dict[str, Any]:
    return {"query": query, "variables": variables}
