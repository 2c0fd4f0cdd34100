"""The log's size and root hash: what tells two logs apart, however large they are."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.database import AnyConnection
from ledger.merkle import Frontier
from ledger.refusal import Unusable
from ledger.stream import streamed

# Not the column `leaf_hash`: what stands there is what the database once made of a header.
LEAVES = "SELECT position, sha256('\\x00'::bytea || header) FROM ledger.entries ORDER BY position"

SIZE = "SELECT position FROM ledger.head"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """How many entries a log has, its Merkle root, and the hash of its last leaf if it has one."""

    size: int
    root_hash: bytes
    last_leaf_hash: bytes | None


def read(connection: AnyConnection) -> TreeHead:
    """Hash the whole log; `Unusable` if it has gaps, or another length than its head row says.

    The connection is in a transaction that sees one moment.
    """
    row = connection.execute(SIZE).fetchone()
    assert row is not None, "the migration puts the one row there"
    size = int(row[0])
    frontier, last = Frontier(), None
    for position, last in streamed(connection, "leaves", LEAVES):
        frontier.append(last)
        if position != frontier.size:
            raise Unusable(
                f"the log has a gap before entry {position}, so it has no root hash:"
                " `secretariat verify` says what else is wrong"
            )
    if frontier.size != size:
        raise Unusable(
            f"the log ends with entry {frontier.size}, and its head says {size}:"
            " `secretariat verify` says what else is wrong"
        )
    return TreeHead(size=size, root_hash=frontier.root(), last_leaf_hash=last)
