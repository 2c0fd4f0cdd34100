"""Counts: whole numbers of things that there are."""

from __future__ import annotations

from ledger.refusal import Malformed

MOST = 999_999_999
"""More than this of anything is a slip; and GraphQL's whole numbers end at 2^31."""


def check_count(count: int, *, field: str) -> None:
    """Refuse, with `Malformed`, a count of nothing and one of more than there can be."""
    if not 1 <= count <= MOST:
        raise Malformed(f"the {field} must be from 1 to {MOST}, not {count}", field=field)


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number of things in words: `1 error`, `1,200 entries`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
