"""Random documents answered as a naive executor answers them, and compiled to the same bytes.

The reader holds the compiled answer to Strawberry's own; where there are errors there must be no
compiled answer, so that it is Strawberry's that is given.

SECRETARIAT_EXAMPLES=50 runs fifty times as many, other ones each time.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.properties.strategies import examples
from tests.schema.documents import documents
from tests.schema.oracle import Oracle, Point
from tests.schema.reader import Reader

POINTS: tuple[Point, ...] = (
    {},
    {"effectiveOn": "2022-07-01"},
    {"position": "40"},
    {"effectiveOn": "2023-01-15", "position": "75"},
)


@pytest.fixture(scope="module")
def oracle(corrected: Reader) -> Oracle:
    """The register of corrections, seen from several points."""
    return Oracle(corrected, POINTS)


@examples(100)
@given(data=st.data())
def test_random_documents(corrected: Reader, oracle: Oracle, data: st.DataObject) -> None:
    document = data.draw(documents(oracle))
    answer = corrected.ask(document.text, **document.variables)
    # Fragments that repeat may give more names than a document is allowed.
    assume(not any("aliases found" in error.message for error in answer.errors))
    expected = oracle.answer(document.text, document.variables)
    # As text, since the order of the fields is that of the document.
    assert json.dumps(answer.data) == json.dumps(expected.data), document.text
    assert bool(answer.errors) == bool(expected.errors), (answer.errors, expected.errors)
