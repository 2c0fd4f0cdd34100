"""The Merkle tree of RFC 6962 and 9162: one hash that stands for a whole log, in its order.

A leaf is hashed with a zero byte before it and a node with a one, so that neither can be taken for
the other. Of a log that grows only the roots of its complete subtrees are kept.
"""

from __future__ import annotations

import hashlib

EMPTY_ROOT = hashlib.sha256().digest()
"""The root hash of a log without entries."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry of the log, which here is its header."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """What must be known of a log's first `size` leaves to append to it and to tell its root.

    That is one root for each bit set in `size`: those of its complete subtrees, the largest first.
    """

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        node, trees = leaf, self.size
        # Two trees of one height make one of the next, as a carry does in a sum.
        while trees & 1:
            node = node_hash(self._roots.pop(), node)
            trees >>= 1
        self._roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root hash of all leaves so far."""
        if not self._roots:
            return EMPTY_ROOT
        *larger, node = self._roots
        for root in reversed(larger):
            node = node_hash(root, node)
        return node
