"""Canonical JSON: bytes known beforehand, and what has none."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from ledger.canonical import LARGEST, canonical, decode, sha256


class Shade(StrEnum):
    """Text of a class of its own."""

    DARK = "dark"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"b": 1, "a": [True, False, -7], "C": {}}, '{"C":{},"a":[true,false,-7],"b":1}'),
        ({"a_b": "", "a": "", "aB": ""}, '{"a":"","aB":"","a_b":""}'),
        (LARGEST, "9007199254740991"),
        (-LARGEST, "-9007199254740991"),
        ('"\\/', '"\\"\\\\/"'),
        ("\x00\x08\t\n\x0b\f\r\x1f", '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f"'),
        # DEL, the two line ends of JavaScript and whatever else is beyond ASCII stay as they are.
        ("\x7f\u2028\u2029é", '"\x7f\u2028\u2029é"'),
        ("Казахстан 中 😀", '"Казахстан 中 😀"'),
        # No normalization: two ways to write é are two texts.
        ("e\u0301", '"e\u0301"'),
    ],
)
def test_known_bytes(value: Any, expected: str) -> None:
    assert canonical(value) == expected.encode()
    assert decode(canonical(value)) == value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1.0, TypeError),
        (float("nan"), TypeError),
        (None, TypeError),
        (Decimal(1), TypeError),
        (b"bytes", TypeError),
        ((1, 2), TypeError),
        (Shade.DARK, TypeError),
        (LARGEST + 1, ValueError),
        (-LARGEST - 1, ValueError),
        ({"é": 1}, TypeError),
        ({1: 1}, TypeError),
        ({Shade.DARK: 1}, TypeError),
        ("\ud800", TypeError),
        ("\udfff\ud800", TypeError),
    ],
)
def test_what_is_not_stored_has_no_bytes(value: Any, error: type[Exception]) -> None:
    for place in (value, [value], {"a": {"b": [1, value]}}):
        with pytest.raises(error):
            canonical(place)


@pytest.mark.parametrize("data", [b"", b"{", b"{'a':1}", b"\xff", b'"\\ud800"', b"1 2"])
def test_what_is_no_json_is_not_decoded(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode(data)


def test_the_hash_is_in_lower_case_digits() -> None:
    # FIPS 180-4's example of one block.
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
