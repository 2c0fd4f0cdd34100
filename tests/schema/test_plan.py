"""Selections become statements: aliases, fragments, directives, nesting, abstract types."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.schema.reader import Reader

REPORT = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}


# ---------------------------------------------------------------- names, fragments, directives


def test_the_same_field_under_two_names(example: Reader) -> None:
    found = example.ledger(
        """
        members: states(filter: {status: [MEMBER]}, first: 1, orderBy: NAME) { nodes { nameEn } }
        states(filter: {status: [OBSERVER]}, first: 1) { nodes { id: key name: nameEn } }
        none: states(first: 0) { nodes { key } pageInfo { hasNextPage } }
        """,
        **REPORT,
    )
    assert found == {
        "members": {"nodes": [{"nameEn": "Afghanistan"}]},
        "states": {"nodes": [{"id": "BLR", "name": "Belarus"}]},
        "none": {"nodes": [], "pageInfo": {"hasNextPage": True}},
    }


def test_a_name_may_be_that_of_another_field(example: Reader) -> None:
    found = example.ledger(
        "asOf: states(first: 1) { nodes { nameEn: key key: nameEn } } states: asOf { position }",
        **REPORT,
    )
    assert found == {
        "asOf": {"nodes": [{"nameEn": "AFG", "key": "Afghanistan"}]},
        "states": {"position": "370"},
    }


def test_fields_selected_twice_are_merged(example: Reader) -> None:
    found = example.ledger(
        """
        contributions(first: 1) { nodes { state { key } received { amount } } }
        contributions(first: 1) {
            nodes { state { nameEn } received { currency } }
            edges { cursor }
        }
        ... on Ledger { contributions(first: 1) { edges { node { state { key } } } } }
        """,
        **REPORT,
    )["contributions"]
    assert found["nodes"] == [
        {
            "state": {"key": "KAZ", "nameEn": "Kazakhstan"},
            "received": {"amount": "1266000.00", "currency": "USD"},
        }
    ]
    (edge,) = found["edges"]
    assert (edge.keys(), edge["node"]) == ({"cursor", "node"}, {"state": {"key": "KAZ"}})


def test_fragments_within_fragments(example: Reader) -> None:
    document = """
        query ($asOf: AsOf) { ledger(asOf: $asOf) { ...Page ...Page } }
        fragment Page on Ledger {
            contributions(first: 1) { ...Nodes nodes { ... { fiscalYear } } }
        }
        fragment Nodes on ContributionConnection {
            nodes { ...Common ...Money ... on Node { key2: id } }
        }
        fragment Common on Record { key kind ... on Contribution { state { ...Named } } }
        fragment Money on Contribution { received { amount } state { ... on Record { kind } } }
        fragment Named on State { nameEn }
    """
    (node,) = example.data(document, asOf=REPORT)["ledger"]["contributions"]["nodes"]
    assert node.pop("key2")
    assert node == {
        "key": "C-2006-KAZ",
        "kind": "contribution",
        "state": {"nameEn": "Kazakhstan", "kind": "state"},
        "received": {"amount": "1266000.00"},
        "fiscalYear": 2006,
    }


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("include", [True, False])
def test_skip_and_include(example: Reader, *, skip: bool, include: bool) -> None:
    document = """
        query ($skip: Boolean!, $include: Boolean! = false, $count: Int) {
            ledger {
                states(first: $count) @include(if: $include) { nodes { key } }
                bodies(first: $count) {
                    nodes { key name: nameEn @skip(if: $skip) ...F @include(if: $include) }
                    pageInfo @include(if: true) @skip(if: $skip) { hasNextPage }
                    ... @skip(if: true) { totalCount { certain } }
                }
            }
        }
        fragment F on Body { operational @skip(if: $skip) }
    """
    answer = example.ask(document, skip=skip, include=include, count=1)
    found = answer.data["ledger"]
    body: dict[str, Any] = {"key": "BC"}
    expected: dict[str, Any] = {"bodies": {"nodes": [body]}}
    if include:
        expected["states"] = {"nodes": [{"key": "AFG"}]}
    if not skip:
        body["name"] = "Business Council"
        expected["bodies"]["pageInfo"] = {"hasNextPage": True}
    if include and not skip:
        body["operational"] = True
    assert found == expected
    # What is not included is not fetched.
    assert answer.statements == 2 + include


def test_everything_left_out_leaves_empty_objects(example: Reader) -> None:
    document = """query ($no: Boolean!) {
        ledger {
            states(first: 1) { nodes { key @include(if: $no) } }
            bodies { nodes @include(if: $no) { key } }
        }
        empty: ledger { states @include(if: $no) { nodes { key } } }
    }"""
    found = example.data(document, no=False)
    assert found == {"ledger": {"states": {"nodes": [{}]}, "bodies": {}}, "empty": {}}


def test_variables_of_every_sort(example: Reader) -> None:
    document = """query (
        $asOf: AsOf!, $filter: ContributionFilter, $order: ContributionOrder!, $last: Int,
        $year: Int! = 2023, $years: [Int!], $by: [ContributionGrouping!], $from: Date,
        $convention: DayCount! = ACT_365
    ) {
        ledger(asOf: $asOf) {
            contributions(filter: $filter, orderBy: $order, last: $last) { nodes { key } }
            year: contributions(filter: {fiscalYear: $years, state: ["KAZ"]}) { nodes { key } }
            budget(fiscalYear: $year) { key }
            contributionTotals(by: $by, filter: {fiscalYear: [$year]}) { fiscalYear net { amount } }
            secondments(filter: {joinedFrom: $from}) { totalCount { certain } }
            personYears(convention: $convention, filter: {state: "TUR"}) { convention }
        }
    }"""
    found = example.data(
        document,
        asOf={"effectiveOn": "2023-12-07", "position": "370"},
        filter={"state": ["TUR"], "fiscalYear": [2022, 2023]},
        years=[2021, 2022],
        by=["FISCAL_YEAR"],
        order="RECEIVED",
        last=1,
        **{"from": "2023-01-01"},
    )["ledger"]
    assert found == {
        "contributions": {"nodes": [{"key": "C-2022-TUR"}]},
        "year": {"nodes": [{"key": "C-2021-KAZ"}, {"key": "C-2022-KAZ"}]},
        "budget": {"key": "2023"},
        "contributionTotals": [{"fiscalYear": 2023, "net": {"amount": "1973450.00"}}],
        "secondments": {"totalCount": {"certain": 3}},
        "personYears": [{"convention": "ACT_365"}],
    }


def test_the_name_of_each_type(example: Reader) -> None:
    document = """query ($asOf: AsOf) {
        __typename
        ledger(asOf: $asOf) {
            __typename
            asOf { __typename }
            states(first: 1) {
                __typename
                edges { __typename node { __typename history { __typename nodes { __typename } } } }
                pageInfo { __typename }
                totalCount { __typename }
                nodes { t: __typename statusSince { __typename } }
            }
            contributionTotals {
                __typename net { __typename } state { __typename } share { __typename }
            }
            personYears(filter: {state: ["TUR"]}) {
                __typename state { __typename } years { __typename }
            }
            budget(fiscalYear: 2023) { __typename amount { __typename } decidedBy { __typename } }
        }
    }"""
    state = {"__typename": "State"}
    entries = {"__typename": "EntryConnection", "nodes": [{"__typename": "Entry"}]}
    assert example.data(document, asOf=REPORT) == {
        "__typename": "Query",
        "ledger": {
            "__typename": "Ledger",
            "asOf": {"__typename": "ResolvedAsOf"},
            "states": {
                "__typename": "StateConnection",
                "edges": [{"__typename": "StateEdge", "node": {**state, "history": entries}}],
                "pageInfo": {"__typename": "PageInfo"},
                "totalCount": {"__typename": "Count"},
                "nodes": [{"t": "State", "statusSince": {"__typename": "ImpreciseDate"}}],
            },
            "contributionTotals": [
                {
                    "__typename": "ContributionTotal",
                    "net": {"__typename": "MoneyRange"},
                    "state": None,
                    "share": {"__typename": "DecimalRange"},
                }
            ],
            "personYears": [
                {
                    "__typename": "PersonYears",
                    "state": state,
                    "years": {"__typename": "DecimalRange"},
                }
            ],
            "budget": {
                "__typename": "Budget",
                "amount": {"__typename": "Money"},
                "decidedBy": {"__typename": "Body"},
            },
        },
    }


def test_to_one_leads_nowhere_before_the_record_is(example: Reader) -> None:
    found = example.ledger(
        'contributions(filter: {key: ["C-2006-KAZ"]}) { nodes { state { key } account { key } } }',
        effectiveOn="2006-11-01",
    )["contributions"]["nodes"]
    # The account was opened some day in 2006.
    assert found == [{"state": {"key": "KAZ"}, "account": None}]


# ---------------------------------------------------------------- statements

DEEP = """{ ledger { states { nodes { key history { totalCount nodes { position
    record { version history { nodes { record { key } correctedBy { corrects { position } } } } }
} } } totalCount { certain } pageInfo { endCursor } } } }"""

EXECUTED = re.compile(
    r"^[0-9-]{10} [0-9:.]+\tF\t[0-9]+\t(Execute|Query|FunctionCall)\b", re.MULTILINE
)
"""The messages, in a trace of libpq's, by which it has the server execute something."""

STATEMENTS = [
    ("{ __typename }", 0),
    ("{ ledger { __typename } }", 1),
    ("{ ledger { asOf { position rules } } }", 1),
    ("{ ledger { states { nodes { key } } } }", 2),
    ("{ ledger { a: states { nodes { key } } b: states { nodes { key } } } }", 3),
    (DEEP, 2),
    (
        "{ ledger { contributionTotals(by: [STATE]) { state { key history { totalCount } } } } }",
        2,
    ),
    (
        "{ ledger { personYears { state { key } } budget(fiscalYear: 1) { key } asOf { rules } } }",
        3,
    ),
    ('{ record(kind: "state", id: "KAZ") { history { nodes { record { key } } } } }', 2),
    ("{ entries { nodes { record { history { nodes { corrects { position } } } } } } }", 1),
    ('{ entry(position: "1") { record { key } } }', 1),
    ('{ node(id: "nothing of the kind") { id } }', 0),
]


@pytest.mark.parametrize(("document", "statements"), STATEMENTS)
def test_statements_do_not_grow_with_nesting_nor_rows(
    corrected: Reader, document: str, statements: int
) -> None:
    answer = corrected.ask(document)
    assert not answer.errors, answer.errors
    assert answer.statements == statements


@pytest.mark.skipif(sys.platform != "linux", reason="libpq can be traced on Linux only")
@pytest.mark.parametrize(("document", "statements"), STATEMENTS)
def test_statements_are_all_that_is_sent(
    corrected: Reader, tmp_path: Path, document: str, statements: int
) -> None:
    with corrected.traced(tmp_path / "trace") as sent:
        corrected.ask(document)
    assert EXECUTED.findall(sent.read_text()) == ["Execute"] * statements
