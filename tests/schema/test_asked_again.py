"""One document asked with one set of values after another: none may shape another's answer.

The reader holds each answer that is compiled to Strawberry's own. SECRETARIAT_EXAMPLES=50 runs
fifty times as many documents, other ones each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from projections import RULES, TABLES
from projections.rebuild import rebuild
from tests.projections.register import (
    accounting,
    depositary,
    grounds,
    older_sets,
    opened_ledger,
    programme,
    record_at_random,
)
from tests.properties.strategies import examples
from tests.schema.asked_again import Known, asked_again
from tests.schema.conftest import prepared_database
from tests.schema.reader import ZONE, Reader, reading

FAMILIES = ["membership", "finance"]

ANEW = count()
"""Numbers of documents, so that each is one that nobody has asked before."""

SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def known(corrected: Reader) -> Known:
    """What the register of corrections has."""
    return Known.of(corrected)


@pytest.fixture(scope="module")
def member(corrected_database: str) -> Iterator[Reader]:
    """A reader who doesn't see everything."""
    with reading(corrected_database, families=FAMILIES) as reader:
        yield reader


# A seed that is near another one makes another document, so there is nothing to shrink.
@settings(examples(50), phases=[Phase.generate])
@given(seed=SEEDS)
def test_whatever_was_given_before(
    corrected: Reader, member: Reader, known: Known, seed: int
) -> None:
    asked = asked_again(known, seed, times=6)
    anew = f"{asked.text} # {next(ANEW)}"
    for values in asked.values:
        (corrected if seed % 3 else member).ask(anew, **values)


@settings(examples(1), phases=[Phase.generate])
@given(seed=SEEDS)
def test_whatever_is_recorded_meanwhile(
    server_url: str, migrated_template: str, known: Known, seed: int
) -> None:
    documents = [asked_again(known, seed + number, times=5) for number in range(6)]
    with prepared_database(server_url, migrated_template) as url, reading(url) as reader:
        for step in _steps(url):
            for asked in documents:
                # With some values as at the step before, with others for the first time.
                for values in asked.values[step % 3 : step % 3 + 2]:
                    reader.ask(asked.text, **values)


def _steps(url: str) -> Iterator[int]:
    """The numbers of what a ledger goes through, from the first entry to a rebuild."""
    numbers = count()
    with opened_ledger(url) as ledger:
        yield next(numbers)
        for set_ in (*older_sets(), grounds()):
            ledger.submit(set_).result()
        yield next(numbers)
        record_at_random(ledger, seed=7, count=60)
        yield next(numbers)
        for set_ in (programme(), depositary(), accounting()):
            ledger.submit(set_).result()
            yield next(numbers)
    for rules in ("others", RULES):
        rebuild(url, TABLES)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE projections.rules SET version = %s", [rules])
        yield next(numbers)


TODAY = """query ($states: Int) {
    ledger {
        asOf { effectiveOn }
        states(first: $states) { nodes { key } totalCount { certain possible } }
        contributionTotals { net { amount low high } }
    }
    state: record(kind: "state", id: "EGY") { ... on State { status } }
    entries(first: 3) { nodes { record { key ... on State { status } } } }
    node(id: "c3RhdGUvS0Fa") { ... on State { key } }
}"""


DAYS = ["2002-05-31", "2002-06-01", "2022-06-30", "2022-07-01"]
"""Two pairs of days that follow each other; in between there is a state more."""


def test_whatever_day_it_was(corrected: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ZoneInfo(ZONE.name)
    begun = [datetime.fromisoformat(day).replace(tzinfo=home) for day in (DAYS[1], DAYS[3])]
    ends = [begin - timedelta(seconds=early) for begin in begun for early in (1, 0)]
    for day, moment in zip([*DAYS, *reversed(DAYS)], [*ends, *reversed(ends)], strict=True):
        clock = SimpleNamespace(now=partial(datetime.astimezone, moment))
        for module in ("as_of", "query"):
            monkeypatch.setattr(f"schema.{module}.datetime", clock)
        found = corrected.data(TODAY, states=2)["ledger"]
        assert found["asOf"] == {"effectiveOn": day}
    assert corrected.plans(TODAY) == 1
