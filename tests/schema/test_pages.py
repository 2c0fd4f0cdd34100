"""Pages of lists: each node once, whatever the size, the direction, the order and the filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from ledger import accounts, states
from ledger.entry import Proposal
from tests.projections.register import opened_ledger, proposed, received
from tests.schema.listing import Listing, Node, cut, keys_of
from tests.schema.reader import Reader, reading

# ---------------------------------------------------------------- the example register

ALL = "key state { key } fiscalYear received { amount } returned { amount }"

ORDERS: dict[str, Callable[[Node], Any]] = {
    "KEY": lambda node: node["key"],
    "STATE": lambda node: node["state"]["key"],
    "FISCAL_YEAR": lambda node: node["fiscalYear"],
    "RECEIVED": lambda node: Decimal(node["received"]["amount"]),
}

FILTERS: dict[str, Callable[[Node], bool]] = {
    "": lambda node: True,
    'filter: {state: ["KAZ", "TUR"]}': lambda node: node["state"]["key"] in {"KAZ", "TUR"},
    "filter: {fiscalYear: [2023, 2010]}": lambda node: node["fiscalYear"] in {2023, 2010},
    'filter: {state: "KAZ", fiscalYear: 2010}': lambda node: node["key"] == "C-2010-KAZ",
    'filter: {currency: ["KZT"]}': lambda node: False,
}

POINTS: tuple[dict[str, Any], ...] = (
    {"effectiveOn": "2023-12-07"},
    {"effectiveOn": "2012-01-01"},
    {"effectiveOn": "2023-12-07", "knownAt": "2023-03-01"},
    {"effectiveOn": "2023-12-07", "position": "100"},
    {"effectiveOn": "2023-12-07", "position": "0"},
)


@pytest.mark.parametrize(
    ("order", "point"),
    [(order, POINTS[0]) for order in ORDERS] + [("STATE", point) for point in POINTS[1:]],
    ids=str,
)
def test_every_page_of_every_filter(example: Reader, order: str, point: dict[str, Any]) -> None:
    nodes = example.ledger(f"contributions(first: 1000) {{ nodes {{ {ALL} }} }}", **point)
    for number, (asked, holds) in enumerate(FILTERS.items()):
        satisfying = [node for node in nodes["contributions"]["nodes"] if holds(node)]
        ordered = sorted(satisfying, key=lambda node: (ORDERS[order](node), node["key"]))
        keys = [node["key"] for node in ordered]
        given = f"{asked} orderBy: {order}"
        listing = Listing(example, "contributions", given, **point)
        assert listing.keys(first=1000) == listing.keys(last=1000) == keys
        size = (40, 7, 3, 1, 10)[number]
        assert list(listing.forward(size)) == cut(keys, size)
        backward = [page[::-1] for page in listing.backward(size)]
        assert backward == cut(keys[::-1], size)


@pytest.mark.parametrize("size", [1, 5, 27, 28, 29, 1000])
def test_sizes_around_the_length_of_the_list(example: Reader, size: int) -> None:
    members = Listing(example, "states", "filter: {status: MEMBER}", effectiveOn="2023-12-07")
    keys = members.keys(first=1000)
    assert len(keys) == 28
    assert list(members.forward(size)) == cut(keys, size)
    assert [page[::-1] for page in members.backward(size)] == cut(keys[::-1], size)


def test_fifty_unless_it_is_said(example: Reader) -> None:
    contributions = Listing(example, "contributions", effectiveOn="2023-12-07")
    page = contributions.page()
    assert keys_of(page) == contributions.keys(first=1000)[:50]
    assert page["pageInfo"]["hasNextPage"]
    rest = contributions.page(after=page["pageInfo"]["endCursor"])
    assert keys_of(rest) == contributions.keys(first=1000)[50:100]


def test_a_page_of_nothing(example: Reader) -> None:
    states = Listing(example, "states", effectiveOn="2023-12-07")
    none = {"startCursor": None, "endCursor": None}
    for given, (follow, precede) in (
        ({"first": 0}, (True, False)),
        ({"last": 0}, (False, True)),
    ):
        info = {"hasNextPage": follow, "hasPreviousPage": precede, **none}
        assert states.page(**given) == {"edges": [], "pageInfo": info}
    # There is nothing at all.
    nowhere = Listing(example, "states", effectiveOn="1900-01-01")
    for given in ({"first": 0}, {"last": 0}, {"first": 10}, {}):
        info = {"hasNextPage": False, "hasPreviousPage": False, **none}
        assert nowhere.page(**given) == {"edges": [], "pageInfo": info}


def test_between_two_cursors(example: Reader) -> None:
    states = Listing(example, "states", effectiveOn="2023-12-07")
    edges = states.page(first=1000)["edges"]
    after, before = edges[4]["cursor"], edges[10]["cursor"]
    keys = [edge["node"]["key"] for edge in edges]
    for given, expected, follow, precede in (
        ({}, keys[5:10], True, True),
        ({"first": 2}, keys[5:7], True, True),
        ({"last": 2}, keys[8:10], True, True),
        ({"first": 0}, [], True, True),
    ):
        page = states.page(after=after, before=before, **given)
        info = page["pageInfo"]
        assert keys_of(page) == expected
        assert (info["hasNextPage"], info["hasPreviousPage"]) == (follow, precede)
    assert states.keys(after=before, before=after) == []
    assert states.keys(after=after, before=after) == []


def test_pages_of_entries(example: Reader) -> None:
    document = """query ($first: Int, $after: String) { entries(first: $first, after: $after) {
        totalCount nodes { position } pageInfo { hasNextPage endCursor }
    } }"""
    positions, after = [], None
    while True:
        page = example.data(document, first=100, after=after)["entries"]
        assert page["totalCount"] == "370"
        positions += [int(node["position"]) for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert positions == list(range(1, 371))


def test_pages_of_a_history(corrected: Reader) -> None:
    document = """query ($first: Int, $after: String, $last: Int, $before: String) {
        record(kind: "contribution", id: "C-1") {
            history(first: $first, after: $after, last: $last, before: $before) {
                totalCount edges { cursor node { version } }
            }
        }
    }"""
    whole = corrected.data(document, first=1000)["record"]["history"]
    versions = [edge["node"]["version"] for edge in whole["edges"]]
    assert versions == [str(number) for number in range(1, int(whole["totalCount"]) + 1)]
    assert len(versions) > 3, "the register has too short a history"
    for first, second in pairwise(whole["edges"]):
        after = corrected.data(document, first=1, after=first["cursor"])["record"]["history"]
        before = corrected.data(document, last=1, before=second["cursor"])["record"]["history"]
        assert (after["edges"], before["edges"]) == ([second], [first])
        assert after["totalCount"] == before["totalCount"] == whole["totalCount"]


# ---------------------------------------------------------------- while the ledger grows


def test_cursors_while_entries_are_appended(database: str) -> None:
    """What was there is met once whatever is recorded meanwhile, and what comes if it is ahead."""
    keys = [f"C-{number}" for number in range(10, 30)]
    with opened_ledger(database) as ledger, reading(database) as reader:
        for proposal in _grounds():
            ledger.record(proposal)
        for key in keys:
            ledger.record(proposed("contribution", key, received("KAZ", "10.00"), "2023-05-12"))
        fixed = {"position": reader.ledger("asOf { position }")["asOf"]["position"]}
        now = Listing(reader, "contributions").forward(7)
        as_of_then = Listing(reader, "contributions", **fixed).forward(7)
        met, met_then = next(now), next(as_of_then)
        assert met == met_then == keys[:7]
        # Behind the cursor, right ahead of it, and farther on; and what was met is corrected.
        for key in ("C-05", "C-165", "C-28X"):
            ledger.record(proposed("contribution", key, received("KAZ", "10.00"), "2023-05-12"))
        corrected = received("KAZ", "99.00")
        ledger.record(
            proposed("contribution", "C-16", corrected, None, corrects="contribution/C-16/1")
        )
        met += [key for page in now for key in page]
        met_then += [key for page in as_of_then for key in page]
    assert met_then == keys
    assert met == sorted([*keys, "C-165", "C-28X"])


def _grounds() -> Iterator[Proposal]:
    """What contributions refer to."""
    admitted = states.Admitted(status=states.Status.MEMBER, name_en="Kazakhstan")
    yield proposed("state", "KAZ", admitted, "1999")
    yield proposed("account", "MAIN", accounts.Opened(fund="G", currency="USD"), "2006")


# ---------------------------------------------------------------- early positions


EARLY = """query ($at: BigInt!) {
    ledger(asOf: {effectiveOn: "2023-12-07", position: $at}) {
        states(last: 3) { totalCount { certain possible } nodes { key } }
        contributions(last: 3, orderBy: STATE) { edges { cursor node { key } } }
        contributionTotals(by: [STATE]) { state { key } net { amount low high } }
        activityTotals { activities { certain } }
        personYears { years { value } }
        budgets(last: 1) { nodes { collectionRate { value low high } } }
    }
}"""


def test_what_was_known_early_is_found_by_when_it_was(example: Reader) -> None:
    """The same rows, however they are found; a reader holds every way to Strawberry's own."""
    for position in (1, 3, 60, 200, 370):
        # How far a position lies before the end is known once something was answered.
        answers = [example.data(EARLY, at=str(position)) for _ in range(2)]
        assert answers[0] == answers[1]
    assert example.plans(EARLY) == 2
