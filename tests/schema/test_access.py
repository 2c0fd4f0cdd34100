"""The stand-in rule: a request sees the records of some families, and nothing of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from psycopg.sql import SQL

from projections import TABLES
from schema.access import guarded
from schema.binding import Standpoint
from tests.schema.reader import Reader, reading
from tests.schema.test_compiled import FIELDS

FAMILIES = ["membership", "organs"]


@pytest.fixture(scope="module")
def member(example_database: str) -> Iterator[Reader]:
    """A reader who may see states and bodies, and no money."""
    with reading(example_database, families=FAMILIES) as reader:
        yield reader


def test_records_of_other_families_are_not_there(member: Reader) -> None:
    found = member.data("""{
        ledger {
            states(first: 1) { nodes { key } }
            contributions { nodes { key } totalCount { certain possible } }
            contributionTotals { net { amount } }
            personYears { state { key } }
            budget(fiscalYear: 2023) { key }
        }
        state: record(kind: "state", id: "KAZ") { key }
        account: record(kind: "account", id: "MAIN") { key }
    }""")
    assert found == {
        "ledger": {
            "states": {"nodes": [{"key": "AFG"}]},
            "contributions": {"nodes": [], "totalCount": {"certain": 0, "possible": 0}},
            "contributionTotals": [],
            "personYears": [],
            "budget": None,
        },
        "state": {"key": "KAZ"},
        "account": None,
    }


def test_entries_of_other_families_are_not_there(member: Reader, example: Reader) -> None:
    document = "{ entries(first: 1000) { nodes { position kind record { kind } } totalCount } }"
    seen, everything = (reader.data(document)["entries"] for reader in (member, example))
    assert {node["kind"] for node in seen["nodes"]} == {"state", "body"}
    kinds = {table.kind.name for table in TABLES if table.kind.family in FAMILIES}
    expected = [node for node in everything["nodes"] if node["kind"] in kinds]
    assert seen == {"nodes": expected, "totalCount": str(len(expected))}


def test_a_hidden_node_is_none(member: Reader, example: Reader) -> None:
    (node,) = example.ledger("contributions(first: 1) { nodes { id history { nodes { id } } } }")[
        "contributions"
    ]["nodes"]
    for id in (node["id"], node["history"]["nodes"][0]["id"]):
        assert example.data("query ($id: ID!) { node(id: $id) { id } }", id=id)["node"]
        assert member.data("query ($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}


def test_who_may_see_all_sees_all(example_database: str, example: Reader) -> None:
    families = sorted({table.kind.family for table in TABLES})
    with reading(example_database, families=families) as reader:
        for selection in FIELDS.values():
            document = f"{{ {selection} }}"
            assert reader.data(document) == example.data(document)


TABLE = re.compile(r'"?(?:projections"?\."?(?!rules)|ledger"?\."?entries)\w*')


def test_every_table_that_a_statement_names_is_guarded(example: Reader) -> None:
    document = f"{{ {' '.join(f'a{i}: {each}' for i, each in enumerate(ROOTS))} }}"
    for _, planned in example.compiled_operation(document).readings:
        if planned is not None:
            text = planned.sql.as_string()
            sql = guarded(SQL(text), Standpoint.of(date(2023, 12, 7), None, FAMILIES)).as_string()
            assert len(TABLE.findall(sql)) == sql.count("(SELECT * FROM") > 0
            assert len(TABLE.findall(sql)) == len(TABLE.findall(text))


ROOTS = [
    *("entries { nodes { record { version history { totalCount } } changes { field } isLive } }",),
    "ledger { treaties { nodes { status { required } parties { key } } } }",
    "ledger { contributionTotals { share { value } } personYears { years { value } } }",
    "ledger { activityTotals { year } expenditureTotals { net { amount } } }",
    "ledger { budgets { nodes { collectionRate { value entries { totalCount } } } } }",
]
