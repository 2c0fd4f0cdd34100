"""`secretariat query --explain`: the statements of a document, and what each field reads."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ledger.refusal import Unusable
from schema.local import explain
from tests.schema.reader import ZONE
from tests.schema.test_compiled import FIELDS

DOCUMENT = """query ($first: Int, $no: Boolean = true) {
    ledger { money: contributions(first: $first) { nodes {
        __typename key net { amount } state { nameEn } status: version @skip(if: $no)
    } totalCount { certain } } }
    entry(position: "7") { record { key } }
}"""

OUTLINE = """
statement 3: ledger.money
  ContributionConnection: one row, with an array of rows
    nodes: Contribution
      __typename: always Contribution
      key: key
      net: net and currency
        amount: net
      state: a row of projections.states
        nameEn: name_en
    totalCount: a count of its own
  SQL
"""


def plan(url: str, document: str, **variables: Any) -> str:
    return explain(url, ZONE, document, variables)


def test_a_plan_says_what_each_field_reads(example_database: str) -> None:
    found = plan(example_database, DOCUMENT, first=3)
    assert OUTLINE in found
    assert "statement 5: entry" in found
    assert "record: a row of the record's kind" in found
    # One row more than the page has.
    assert " = 4" in found
    assert "status" not in found


@pytest.mark.parametrize("selection", FIELDS.values(), ids=FIELDS.keys())
def test_every_kind_of_field_is_explained(example_database: str, selection: str) -> None:
    assert plan(example_database, f"{{ {selection} }}")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{ nosuch }", "Cannot query field 'nosuch'"),
        ("{", "Syntax Error"),
        ("{ __schema { queryType { name } } }", "the schema is asked about itself"),
        (
            "query ($n: Int!) { ledger { states(first: $n) { nodes { key } } } }",
            "Variable '$n' has invalid value",
        ),
        ("{ ledger { states(first: -1) { nodes { key } } } }", "`first` is -1"),
    ],
)
def test_what_has_no_plan_is_said(example_database: str, document: str, message: str) -> None:
    with pytest.raises(Unusable, match=re.escape(message)):
        plan(example_database, document)
