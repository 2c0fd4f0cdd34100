"""Ledgers that record in the tests' databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.record import Ledger
from tests.ledger.recording import open_ledger


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """A writer on a database of the test's own, without any entry."""
    with open_ledger(database) as writer:
        yield writer
