"""Canonical JSON is, byte for byte, what the package `rfc8785` makes of it."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.canonical import LARGEST, canonical, decode

# What an encoder may escape, or not: all the controls, quotes, DEL, the C1 controls, JavaScript's
# line ends, byte order marks, noncharacters, and the ends of the planes.
AWKWARD = [
    *map(chr, range(0xA1)),
    *"\u2028\u2029\ufeff\ufffe\uffff\ud7ff\ue000\U00010000\U0001f600\U0010ffff",
]

TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")))
NAMES = st.text(st.characters(codec="ascii"))
NUMBERS = st.integers(-LARGEST, LARGEST)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)

UNSTORABLE = st.one_of(
    st.floats(),
    st.none(),
    st.binary(),
    st.integers(LARGEST + 1),
    st.integers(max_value=-LARGEST - 1),
    st.characters(categories=["Cs"]).map(lambda surrogate: f"a{surrogate}b"),
    st.dictionaries(st.text(st.characters(min_codepoint=0x80), min_size=1), NUMBERS, min_size=1),
)


@given(VALUES)
@example("".join(AWKWARD))
@example(dict.fromkeys(map(chr, range(0x80)), 0))
def test_the_bytes_are_those_of_the_standard(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_decoding_gives_back_what_was_encoded(value: Any) -> None:
    data = canonical(value)
    assert decode(data) == json.loads(data) == value
    assert canonical(decode(data)) == data


@given(VALUES, UNSTORABLE)
def test_one_value_that_is_not_stored_is_enough_to_refuse_the_whole(beside: Any, bad: Any) -> None:
    for value in (bad, [beside, bad], {"a": beside, "b": {"c": bad}}):
        with pytest.raises((TypeError, ValueError)):
            canonical(value)
