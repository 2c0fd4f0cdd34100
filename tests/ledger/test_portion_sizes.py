"""What a portion holds: so many proposals at the most, and so many bytes."""

from __future__ import annotations

from typing import Any

import pytest

from ledger import portions
from ledger.admission import Prepared
from ledger.portions import Pair
from ledger.refusal import Malformed
from tests.ledger.recording import person, state


def prepared(size: int) -> Pair:
    """A proposal of which so many bytes are stored."""
    return state("KAZ"), Prepared(state("KAZ"), b"x" * size, b"")


def sizes(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch, **limits: Any) -> list[int]:
    """How many proposals are in each portion."""
    for name, limit in limits.items():
        monkeypatch.setattr(portions, name, limit)
    found = list(portions.portions(pairs))
    assert [pair for portion in found for pair in portion] == pairs
    return [len(portion) for portion in found]


def test_of_nothing_there_is_one_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sizes([], monkeypatch) == [0]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_as_many_as_may_be(
    count: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sizes([prepared(1)] * count, monkeypatch, MOST_IN_A_PORTION=3) == expected


def test_fewer_if_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [prepared(size) for size in (40, 40, 40, 500, 1, 99, 1)]
    assert sizes(pairs, monkeypatch, BYTES_OF_A_PORTION=100) == [3, 1, 2, 1]


def test_what_is_not_encoded_yet_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    personal = person("P-1", "A name" * 100)
    refused = state("KAZ", note="x" * 1_000)
    pairs: list[Pair] = [
        (personal, Prepared(personal, None, None)),
        (refused, Malformed("too long")),
        prepared(1),
    ]
    assert sizes(pairs, monkeypatch, BYTES_OF_A_PORTION=600) == [1, 1, 1]
