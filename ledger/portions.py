"""Portions of a large set of proposals: as much as is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.admission import Prepared
from ledger.entry import Proposal
from ledger.refusal import Refused

MOST_IN_A_PORTION = 2_000
"""So many proposals, at the most, are in a portion."""

BYTES_OF_A_PORTION = 2_000_000
"""So long are they together, or they are fewer: an entry may have a text of 60,000 bytes."""

Pair = tuple[Proposal, Prepared | Refused]
"""A proposal, and what it was prepared to, or why it was refused."""


def portions(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """The pairs in portions; an empty one if there are none, so that the ground is checked."""
    portion: list[Pair] = []
    size, is_begun = 0, False
    for pair in pairs:
        portion.append(pair)
        size += _size(*pair)
        if len(portion) >= MOST_IN_A_PORTION or size >= BYTES_OF_A_PORTION:
            yield portion
            portion, size, is_begun = [], 0, True
    if portion or not is_begun:
        yield portion


def _size(proposal: Proposal, item: Prepared | Refused) -> int:
    """About how many bytes a proposal takes."""
    # Of what was refused, and of personal text, nothing is encoded yet.
    data = item.data if isinstance(item, Prepared) else None
    return len(repr(proposal)) if data is None else len(data)
