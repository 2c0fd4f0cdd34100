"""What a question about the past, and an entry more, cost in a small ledger and in large ones.

Each ledger has a server of its own, all of them on one PostgreSQL. The list page is also held
against django-simple-history with the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

import psycopg

from benchmarks import load, peers
from benchmarks.data import ALL_KNOWN
from benchmarks.graphql import leaves, post
from benchmarks.harness import (
    ROOT,
    Goal,
    Measured,
    Samples,
    Unmeasured,
    ask_program,
    in_turn,
    module,
    ratio,
    run_program,
    secretariat,
)
from benchmarks.stage import Stage, serving

GROWTH = "Growth: "
"""How the titles of tables begin that show growth."""

FIELDS = "key fiscalYear received { amount currency } state { key } account { key }"

LEDGER = "Secretariat Ledger"
SIMPLE_HISTORY = "django-simple-history"

RECORD = "a record, early"
NEWEST_PAGE = "a list page, newest"
EARLY_PAGE = "a list page, early"
LAST_PAGE = "the last list page, early"
TOTALS = "totals by state of the same rows"
ALL_TOTALS = "totals by state of all rows"
APPENDING = "an entry more, 64 clients"

DOCUMENTS = {
    RECORD: 'query Q($asOf: AsOf!) { record(kind: "contribution", id: %(key)s, asOf: $asOf)'
    " { ... on Contribution { %(fields)s } } }",
    NEWEST_PAGE: "query Q($asOf: AsOf!) { ledger(asOf: $asOf)"
    " { contributions(first: 20) { nodes { %(fields)s } } } }",
    EARLY_PAGE: "query Q($asOf: AsOf!) { ledger(asOf: $asOf)"
    " { contributions(first: 20) { nodes { %(fields)s } } } }",
    LAST_PAGE: "query Q($asOf: AsOf!) { ledger(asOf: $asOf)"
    " { contributions(last: 20) { nodes { %(fields)s } } } }",
    TOTALS: "query Q($asOf: AsOf!) { ledger(asOf: $asOf)"
    " { contributionTotals(by: [STATE]) { state { key } net { amount low high } } } }",
    ALL_TOTALS: "query Q($asOf: AsOf!) { ledger(asOf: $asOf)"
    " { contributionTotals(by: [STATE]) { state { key } net { amount low high } } } }",
}
BOUNDS = {RECORD: 1.3, NEWEST_PAGE: 1.3, EARLY_PAGE: 1.3, LAST_PAGE: 1.3, TOTALS: 2.0}
"""Totals of all rows grow with them, and an entry more is promised nothing."""

SHORT = (RECORD, LAST_PAGE, TOTALS)
"""What a short run asks: the other pages are like the last one, only easier."""

PLACE = """
    SELECT key, (SELECT position FROM ledger.head),
           (SELECT recorded_at FROM ledger.entries WHERE position = %(early)s)
      FROM projections.contributions WHERE known @> %(early)s::int8 ORDER BY key LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Points in a ledger: its head, an early position, when that was, a record known by then."""

    url: str
    key: str
    head: int
    early: int
    early_at: datetime


def measure(stage: Stage) -> list[Measured]:
    """A table of growth for each question, and one beside django-simple-history."""
    smallest = stage.sizes[0]
    places = {size: _place(stage.register(size), smallest // 2) for size in stage.sizes}
    appending = [] if stage.is_short else [_appending(stage)]
    with ExitStack() as stack:
        urls = {
            size: stack.enter_context(
                serving(*secretariat("serve", "--port", "0", "--database", place.url))
            ).url
            for size, place in places.items()
        }
        grown = [
            _growth(stage, question, places, urls)
            for question in (SHORT if stage.is_short else DOCUMENTS)
        ]
        largest = stage.sizes[-1]
        return [*grown, *appending, _beside_simple_history(stage, places[largest], urls[largest])]


def _place(url: str, early: int) -> Place:
    with psycopg.connect(url) as connection:
        row = connection.execute(PLACE, {"early": early}).fetchone()
    assert row is not None, "by half of the smallest register there are contributions"
    key, head, early_at = row
    return Place(url, key, head, early, early_at)


def _growth(
    stage: Stage, question: str, places: dict[int, Place], urls: dict[int, str]
) -> Measured:
    """The same question in each ledger, in turn."""
    samplers: dict[str, Callable[[], float]] = {}
    for size, place in places.items():
        body = _body(question, place, smallest=stage.sizes[0])
        if not leaves(post(urls[size], body)):
            raise Unmeasured(f"{question}: nothing was found among {size} entries")
        file = stage.folder / f"as-of-{size}.json"
        file.write_bytes(body)
        samplers[_named(size)] = partial(_p50, stage, urls[size], file)
    samples = in_turn(samplers, stage.rounds)
    goals = [
        Goal(
            f"{question}: {_named(size)} / {_named(stage.sizes[0])}",
            ratio(samples, _named(size), _named(stage.sizes[0])),
            BOUNDS[question],
            "at most",
        )
        for size in stage.sizes[1:]
        if question in BOUNDS
    ]
    return Measured(f"{GROWTH}{question}", "ms, p50, one client", samples, goals)


def _appending(stage: Stage) -> Measured:
    """What an entry more costs, in a copy of each ledger."""
    samplers: dict[str, Callable[[], float]] = {}
    for size in stage.sizes:
        copy = stage.copy(f"growing_{size}", of=size)
        samplers[_named(size)] = partial(_seconds_an_entry, copy, stage.seconds)
    samples = in_turn(samplers, stage.rounds)
    return Measured(f"{GROWTH}{APPENDING}", "ms an entry", samples)


def _seconds_an_entry(url: str, seconds: float) -> float:
    answer = ask_program(*module("append_clients", "ledger", url, "64", str(seconds)))
    return 1000 * float(answer["seconds"]) / float(answer["count"])


def lines(tables: Iterable[Measured]) -> dict[str, dict[int, float]]:
    """What is drawn of the tables: by question, the median at each size."""
    return {
        table.title.removeprefix(GROWTH): {
            int(name.split()[0].replace(",", "")): median(samples)
            for name, samples in table.samples.items()
        }
        for table in tables
        if table.title.startswith(GROWTH)
    }


def _named(size: int) -> str:
    return f"{size:,} entries"


def _body(question: str, place: Place, *, smallest: int) -> bytes:
    """The request: on an early day with what was known then, or at the newest point.

    Totals are asked for as of the position at which the smallest ledger ends, so that the same
    number of rows goes into them in each.
    """
    positions = {NEWEST_PAGE: place.head, TOTALS: smallest, ALL_TOTALS: place.head}
    position = positions.get(question, place.early)
    day = ALL_KNOWN if question in positions else place.early_at.date()
    text = DOCUMENTS[question] % {"fields": FIELDS, "key": json.dumps(place.key)}
    as_of = {"effectiveOn": day.isoformat(), "position": str(position)}
    return json.dumps({"query": text, "variables": {"asOf": as_of}}).encode()


def _p50(stage: Stage, url: str, body: Path) -> float:
    return load.put(url, body, 1, stage.seconds).p50


def _beside_simple_history(stage: Stage, place: Place, url: str) -> Measured:
    """The page as of the moment of half of all entries, on the same rows."""
    with psycopg.connect(place.url) as connection:
        row = connection.execute(
            "SELECT recorded_at FROM ledger.entries WHERE position = %s", [place.head // 2]
        ).fetchone()
    assert row is not None, "positions have no gaps"
    moment = row[0].isoformat()
    text = DOCUMENTS[EARLY_PAGE] % {"fields": FIELDS}
    # A register states days, so all of its entries of that day have the same moment.
    as_of = {"effectiveOn": ALL_KNOWN.isoformat(), "knownAt": moment}
    body = json.dumps({"query": text, "variables": {"asOf": as_of}}).encode()
    file = stage.folder / "as-of-page.json"
    file.write_bytes(body)
    samples = _pages(stage, place.url, url, file, moment)
    return Measured(
        f"A list page as of a past moment, {_named(stage.sizes[-1])}",
        "ms, p50, one client",
        samples,
        [
            Goal(
                "as-of list page: django-simple-history / ours",
                ratio(samples, SIMPLE_HISTORY, LEDGER),
                5,
            )
        ],
        ["Both over HTTP: Django by one gunicorn worker with threads, with its composite index."],
    )


def _pages(stage: Stage, database: str, url: str, body: Path, moment: str) -> Samples:
    """Compare the two answers, then time them."""
    program = str(ROOT / "benchmarks" / "peers" / "django_history.py")
    command = (str(peers.python(stage.peers())), program)
    run_program(*command, "fill", database, ALL_KNOWN.isoformat())
    asked = stage.folder / "django-page.json"
    asked.write_text(json.dumps({"knownAt": moment}))
    with serving(*command, "serve", database) as django:
        theirs, ours = (
            [str(leaf) for leaf in leaves(post(at, sent.read_bytes()))]
            for at, sent in ((django.url, asked), (url, body))
        )
        if ours != theirs:
            raise Unmeasured(f"django-simple-history answers {theirs[:12]}, not {ours[:12]}")
        return in_turn(
            {
                LEDGER: partial(_p50, stage, url, body),
                SIMPLE_HISTORY: partial(_p50, stage, django.url, asked),
            },
            stage.rounds,
        )
