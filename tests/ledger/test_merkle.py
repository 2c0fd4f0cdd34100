"""The Merkle tree, held to the roots of others and to its definition in RFC 6962.

The vectors are those of transparency-dev/merkle; the file says more.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash

VECTORS = json.loads(Path(__file__).with_name("merkle-vectors.json").read_text())

# The entries that the reference trees of Certificate Transparency are made of.
ENTRIES = [
    bytes.fromhex(digits)
    for digits in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]


def root_of(leaves: list[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    assert frontier.size == len(leaves)
    return frontier.root()


def defined(leaves: list[bytes]) -> bytes:
    """The root hash as the RFC defines it: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(defined(leaves[:middle]), defined(leaves[middle:]))


def published(sort: str) -> list[dict[str, Any]]:
    """The valid vectors of a sort that are about the reference tree."""
    return [vector for vector in VECTORS[sort] if vector["name"].endswith("/happy-path")]


def test_it_has_the_published_roots() -> None:
    named = [(vector["treeSize"], vector["root"]) for vector in published("inclusion")]
    for vector in published("consistency"):
        named += [(vector[f"size{number}"], vector[f"root{number}"]) for number in "12"]
    roots = {size: base64.b64decode(root) for size, root in named}
    assert roots.keys() == {1, 2, 3, 5, 6, 7, 8}
    assert len(set(named)) == len(roots)
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert roots == {size: root_of(leaves[:size]) for size in roots}


def test_its_leaves_are_the_published_ones() -> None:
    for vector in published("inclusion"):
        assert base64.b64decode(vector["leafHash"]) == leaf_hash(ENTRIES[vector["leafIdx"]])


@pytest.mark.parametrize("size", [*range(1, 34), 100, 127, 128, 129])
def test_it_is_what_the_definition_says(size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    assert root_of(leaves) == defined(leaves)


def test_a_log_without_entries_has_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c14")


def test_asking_for_the_root_changes_nothing() -> None:
    frontier = Frontier()
    for number in range(7):
        frontier.append(leaf_hash(bytes([number])))
        assert frontier.root() == frontier.root()
    assert frontier.root() == defined([leaf_hash(bytes([number])) for number in range(7)])
