"""How large a document may be, however it is put together, and how fast it is refused."""

from __future__ import annotations

from time import monotonic

import pytest

from tests.schema.reader import Reader

SECONDS_ENOUGH = 5


def chain(length: int, last: str, *, spreads: str = "...F{0} ...F{0}") -> str:
    """A document of fragments, each spread in the one before, the last one being `last`."""
    fragments = [
        f"fragment F{n} on Ledger {{ {spreads.format(n + 1)} }}" for n in range(1, length)
    ] + [f"fragment F{length} on Ledger {{ {last} }}"]
    return "{ ledger { ...F1 } } " + " ".join(fragments)


def test_fragments_that_are_spread_twice_cost_no_more_than_their_length(example: Reader) -> None:
    began = monotonic()
    answer = example.data(chain(60, "asOf { position }"))
    assert answer["ledger"]["asOf"].keys() == {"position"}
    assert monotonic() - began < SECONDS_ENOUGH


def test_fields_that_are_selected_twice_at_each_depth_are_merged(example: Reader) -> None:
    found = example.data("""
        { record(kind: "state", id: "KAZ") { ...A ...A } }
        fragment A on Record { history { ...B } history { ...B ...B } }
        fragment B on EntryConnection { nodes { ...C type } nodes { ...C ...C } }
        fragment C on Entry { position }
    """)
    (node,) = found["record"]["history"]["nodes"]
    assert node == {"position": node["position"], "type": "state.admitted"}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{ ledger { asOf { position } ...Missing } }", "Unknown fragment 'Missing'."),
        ("{ ...A } fragment A on Query { ...A }", "Cannot spread fragment 'A' within itself."),
        (
            chain(8, "a: __typename b: __typename"),
            "the document has too many aliases: 200 are allowed",
        ),
        (
            "{ ledger { "
            + "states { nodes { history { nodes { record { " * 5
            + "key"
            + " } } } } }" * 5
            + " } }",
            "the document is nested too deeply: 20 fields are allowed",
        ),
    ],
)
def test_what_is_refused_at_once(example: Reader, document: str, told: str) -> None:
    began = monotonic()
    messages = [error.message for error in example.ask(document).errors]
    assert told in messages
    assert monotonic() - began < SECONDS_ENOUGH


def test_introspection_is_not_limited_in_its_depth(example: Reader) -> None:
    of_type = "{ kind name ofType " * 7 + "{ name }" + " }" * 7
    document = "{ __schema { types { fields { args { type " + of_type + " } } } } }"
    assert example.data(document)["__schema"]["types"]
