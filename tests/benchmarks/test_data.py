"""The register that the benches are about: the same each time, and one that can be imported."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks import data
from ledger.dates import HomeZone
from ledger.importing import read_register
from projections import REGISTRY


def test_it_is_the_same_each_time() -> None:
    assert list(data.rows(300)) == list(data.rows(300))


def test_it_may_be_large() -> None:
    [(_, cells)] = deque(data.rows(160_000), maxlen=1)
    assert data.FIRST_DAY < date.fromisoformat(cells["effective"]) < data.ALL_KNOWN


def test_all_of_it_can_be_imported(tmp_path: Path) -> None:
    data.write_register(tmp_path, 400)
    register = read_register(
        tmp_path,
        REGISTRY,
        HomeZone("UTC"),
        principal="import",
        now=datetime(2024, 7, 1, tzinfo=UTC),
    )
    assert len(register.rows) >= 400
    kinds = {row.proposal.kind for row in register.rows}
    assert {"contribution", "secondment", "activity", "treaty_participant"} <= kinds
