"""What must hold of a ledger whatever comes in: registers that it records, requests over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import httpx
from graphql import GraphQLEnumType, GraphQLInputObjectType, is_introspection_type
from hypothesis import strategies as st

from ledger.importing import ImportRefused, record_register
from ledger.record import Ledger
from schema.errors import INTERNAL
from tests.commands import SECONDS_TO_WAIT, serving
from tests.projections.register import opened_ledger
from tests.properties.fuzzed import (
    AWKWARD,
    JSON_VALUES,
    TEXTS,
    Property,
    Spoilt,
    check_problems,
    mutated,
    nearly_cursors,
    nearly_dates,
    read_spoilt,
    spoilt_registers,
)
from tests.properties.strategies import mostly
from tests.schema.oracle import stated_schema


@contextmanager
def properties_of_a_ledger(url: str) -> Iterator[Sequence[Property]]:
    """The properties of the ledger in the database `url`, which has the example in it."""
    with (
        opened_ledger(url) as ledger,
        # In a process of its own: threads that take random numbers would confuse Hypothesis.
        serving(url) as (_, address),
        httpx.Client(timeout=SECONDS_TO_WAIT) as client,
    ):
        yield (
            Property(
                name="recording",
                values=spoilt_registers(),
                holds=partial(is_recorded_or_refused, ledger),
                examples=20,
            ),
            Property(
                name="http",
                values=bodies(),
                holds=partial(is_answered, client, address),
                examples=100,
            ),
        )


# ---------------------------------------------------------------- registers


def is_recorded_or_refused(ledger: Ledger, spoilt: Spoilt) -> None:
    """A register that can be read could be recorded, every row of it, or is refused with places."""
    register = read_spoilt(spoilt)
    if register is None:
        return
    try:
        outcome = record_register(ledger, register, dry_run=True)
    except ImportRefused as refused:
        check_problems(refused.problems, spoilt)
    else:
        assert outcome.recorded + outcome.repeated == len(register.rows)


# ---------------------------------------------------------------- HTTP

PAGE = """query ($asOf: AsOf, $filter: %sFilter, $first: Int, $after: String, $before: String) {
  ledger(asOf: $asOf) { asOf { position }
    %s(filter: $filter, orderBy: KEY, first: $first, after: $after, before: $before) {
      nodes { key history(first: $first, after: $after) { nodes { position type body } } }
      pageInfo { endCursor } totalCount { certain possible } } } }"""

DOCUMENTS = (
    PAGE % ("State", "states"),
    PAGE % ("Contribution", "contributions"),
    PAGE % ("TreatyParticipant", "treatyParticipants"),
    """query ($filter: EntryFilter, $first: Int, $after: String) {
      entries(filter: $filter, first: $first, after: $after) {
        totalCount nodes { position body } } }""",
    """query ($kind: String!, $id: ID!, $asOf: AsOf, $position: BigInt!) {
      record(kind: $kind, id: $id, asOf: $asOf) { id key version ... on State { nameEn } }
      entry(position: $position) { id } node(id: $id) { id } }""",
    """query ($on: Date!, $id: ID!) {
      ledger(asOf: {effectiveOn: $on}) { treaty(key: $id) { key } } }""",
)

CURSORS = nearly_cursors().map(lambda asked: asked[1])

VARIABLES: dict[str, st.SearchStrategy[Any]] = {
    "asOf": st.fixed_dictionaries(
        {}, optional={"effectiveOn": st.dates().map(str), "position": st.integers(0, 370).map(str)}
    )
    | st.dictionaries(st.sampled_from(["effectiveOn", "knownAt", "position"]), nearly_dates()),
    "filter": st.none()
    | st.dictionaries(st.just("key"), st.lists(TEXTS, max_size=3), max_size=1)
    | st.dictionaries(
        st.sampled_from(["key", "state", "type", "kind", "fiscalYear", "status", "recordedBy"]),
        st.lists(TEXTS | st.integers(), max_size=3) | TEXTS,
        max_size=2,
    ),
    "first": mostly(2, 0, 1_001, -1, 2**31, None) | st.integers(),
    "after": st.none() | CURSORS,
    "before": st.none() | CURSORS,
    "kind": mostly("state", "contribution", "treaty_participant") | TEXTS,
    "id": mostly("KAZ", "CPI", "CPI-KAZ") | TEXTS,
    "position": st.integers(0, 400) | st.integers() | TEXTS,
    "on": st.dates().map(str) | nearly_dates(),
}
"""Values of the documents' variables, more often than not of their types."""


@cache
def words() -> list[str]:
    """The words of documents: names that the schema knows, signs, and what is awkward."""
    names = {"query", "mutation", "subscription", "fragment", "on", "null", "true", "__typename"}
    for name, known in stated_schema().type_map.items():
        if is_introspection_type(known):
            continue
        names.add(name)
        if isinstance(known, GraphQLEnumType):
            names.update(known.values)
        elif isinstance(known, GraphQLInputObjectType) or hasattr(known, "fields"):
            names.update(known.fields)
    signs = ["{", "}", "(", ")", "[", "]", ":", "!", "...", "@skip(if: true)", "$first", '"', "#"]
    return [*sorted(names), *signs, *AWKWARD]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bodies of requests: any bytes, any JSON, or one of ours with something changed."""
    form = draw(st.integers(0, 9))
    if form == 0:
        return draw(st.binary(max_size=60))
    if form == 1:
        return _as_json(draw(JSON_VALUES))
    document = draw(st.sampled_from(DOCUMENTS))
    names = dict.fromkeys(re.findall(r"\$(\w+):", document))
    asked: dict[str, Any] = {"variables": {name: draw(VARIABLES[name]) for name in names}}
    parts = document.split(" ")
    for _ in range(draw(mostly(0, 1, 2))):
        parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(words()))
    asked["query"] = " ".join(parts)
    if draw(st.integers(0, 3)) == 0:
        name = st.sampled_from(["operationName", "extensions", "query", "variables"])
        asked[draw(name)] = draw(JSON_VALUES)
    return mutated(draw, _as_json(asked), draw(mostly(0, 1)))


def _as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def is_answered(client: httpx.Client, address: str, body: bytes) -> None:
    """Whatever is sent is answered, or refused as a mistake; never is it a bug of ours."""
    for media_type in ("application/json", "application/graphql-response+json"):
        headers = {"Content-Type": "application/json", "Accept": media_type}
        response = client.post(address, content=body, headers=headers)
        assert response.status_code in {200, 400, 405}, response.text
        answered = response.json()
        assert answered.keys() <= {"data", "errors"}
        codes = [error.get("extensions", {}).get("code") for error in answered.get("errors", ())]
        assert INTERNAL not in codes, response.text
