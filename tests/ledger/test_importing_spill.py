"""The rows of a register on disk: memory doesn't grow with them, a full disk is said plainly."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import importing_spill
from ledger.refusal import Unusable
from tests.ledger.registers import GROUNDS, read, receipts, written

MOST_BYTES_A_ROW = 64
"""12 for the order of the rows, what arrays keep in reserve, and some room; a row takes 1,600."""


def register(folder: Path, rows: int) -> Path:
    """A register of so many receipts, each about a record of its own."""
    lines = (f"2023,2023-12-31,C-{number},MAIN,KAZ,2023,1.00,USD" for number in range(rows))
    return written(folder, {**GROUNDS, "contribution_received": receipts(*lines)})


def peak_of_reading(folder: Path) -> int:
    """The most bytes that Python's objects took while a register was read and gone through."""
    tracemalloc.start()
    try:
        rows = read(folder).rows
        assert sum(1 for _ in rows) == len(rows)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_register(tmp_path: Path) -> None:
    small, large = register(tmp_path / "small", 1_500), register(tmp_path / "large", 4_500)
    peak_of_reading(small)  # What is remembered of cells has its full size from here on.
    growth = peak_of_reading(large) - peak_of_reading(small)
    assert growth < 3_000 * MOST_BYTES_A_ROW


def test_a_row_is_found_by_its_place_or_a_slice(tmp_path: Path) -> None:
    rows = read(register(tmp_path, 2_500)).rows
    in_order = [(row.file, row.line) for row in rows]
    assert len(in_order) == len(set(in_order)) == len(rows) == 2_503
    assert [*rows.files()] == [file for file, _ in in_order]
    assert [(row.file, row.line) for row in rows[-2:]] == in_order[-2:]
    assert (rows[7].file, rows[7].line) == in_order[7]


@contextmanager
def room_for(pages: int) -> Iterator[None]:
    """Let databases that are opened in the block have so many pages, as on a disk that is full."""
    with pytest.MonkeyPatch.context() as patch:
        settings = (*importing_spill.SETTINGS, f"PRAGMA max_page_count = {pages}")
        patch.setattr(importing_spill, "SETTINGS", settings)
        yield


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    folder = register(tmp_path, 2_500)
    with room_for(10), pytest.raises(Unusable, match=r"full.* SQLITE_TMPDIR") as caught:
        read(folder)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
