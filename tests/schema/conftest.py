"""Registers recorded once, for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger import importing
from migrations import migrate
from projections import REGISTRY
from tests.conftest import fresh_database
from tests.projections.register import ZONE, opened_ledger, record_register
from tests.schema.reader import Reader, reading

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cica-2023"


@contextmanager
def prepared_database(server_url: str, template: str) -> Iterator[str]:
    """The URL of a database with all migrations applied, until the block ends."""
    name = str(conninfo_to_dict(template)["dbname"])
    with fresh_database(server_url, template=name) as url:
        # A copy has everything but the grants on the database itself, which this makes anew.
        migrate(url)
        yield url


@pytest.fixture(scope="session")
def example_database(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database with the example register; for reading only."""
    with prepared_database(server_url, migrated_template) as url:
        now = datetime.now(UTC)
        register = importing.read_register(EXAMPLE, REGISTRY, ZONE, principal="import", now=now)
        with opened_ledger(url) as ledger:
            importing.record_register(ledger, register)
        yield url


@pytest.fixture(scope="session")
def example(example_database: str) -> Iterator[Reader]:
    """A reader of the example register."""
    with reading(example_database) as reader:
        yield reader


@pytest.fixture(scope="session")
def corrected_database(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database with corrections and annulments of every sort; for reading only."""
    with prepared_database(server_url, migrated_template) as url:
        with opened_ledger(url) as ledger:
            record_register(ledger)
        yield url


@pytest.fixture(scope="session")
def corrected(corrected_database: str) -> Iterator[Reader]:
    """A reader of the register of corrections and annulments."""
    with reading(corrected_database) as reader:
        yield reader
