"""Lists of the ledger, leafed through from either end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.schema.reader import Reader

PAGE = """query ($asOf: AsOf!, $first: Int, $after: String, $last: Int, $before: String) {
    ledger(asOf: $asOf) { page: %s(%sfirst: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { key } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }
}"""

Node = dict[str, Any]


class Listing:
    """A list of the ledger with its filter and order, as of a point."""

    def __init__(self, reader: Reader, name: str, asked: str = "", **as_of: Any) -> None:
        self._reader = reader
        self._document = PAGE % (name, f"{asked}, " if asked else "")
        self._as_of = as_of

    def page(self, **given: Any) -> Node:
        """One page."""
        found: Node = self._reader.data(self._document, asOf=self._as_of, **given)["ledger"]["page"]
        edges, info = found["edges"], found["pageInfo"]
        ends = (edges[0]["cursor"], edges[-1]["cursor"]) if edges else (None, None)
        assert (info["startCursor"], info["endCursor"]) == ends
        return found

    def keys(self, **given: Any) -> list[str]:
        """The keys of one page."""
        return keys_of(self.page(**given))

    def forward(self, size: int) -> Iterator[list[str]]:
        """Every page from the first on."""
        after, had_some = None, False
        while True:
            found = self.page(first=size, after=after)
            info = found["pageInfo"]
            assert info["hasPreviousPage"] == had_some
            yield keys_of(found)
            if not info["hasNextPage"]:
                return
            after, had_some = info["endCursor"], True

    def backward(self, size: int) -> Iterator[list[str]]:
        """Every page from the last on, each in the list's own order."""
        before, had_some = None, False
        while True:
            found = self.page(last=size, before=before)
            info = found["pageInfo"]
            assert info["hasNextPage"] == had_some
            yield keys_of(found)
            if not info["hasPreviousPage"]:
                return
            before, had_some = info["startCursor"], True


def keys_of(page: Node) -> list[str]:
    """The keys on a page."""
    return [edge["node"]["key"] for edge in page["edges"]]


def cut(keys: list[str], size: int) -> list[list[str]]:
    """A list in pages; an empty one has a page too."""
    return [keys[start : start + size] for start in range(0, len(keys), size)] or [[]]
