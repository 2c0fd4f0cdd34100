"""A database with a register in it, for whoever reads or rebuilds the read models."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from psycopg.conninfo import conninfo_to_dict

from migrations import migrate
from tests.conftest import fresh_database
from tests.projections.register import opened_ledger, record_register


@pytest.fixture(scope="session")
def register_template(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database with the whole register, to be copied and left alone."""
    with _copy_of(migrated_template, server_url) as url:
        with opened_ledger(url) as ledger:
            record_register(ledger)
        yield url


@pytest.fixture
def register(server_url: str, register_template: str) -> Iterator[str]:
    """The URL of a database of the test's own, with the whole register."""
    with _copy_of(register_template, server_url) as url:
        yield url


@contextmanager
def _copy_of(template: str, server_url: str) -> Generator[str]:
    name = str(conninfo_to_dict(template)["dbname"])
    with fresh_database(server_url, template=name) as url:
        # A copy has everything but the grants on the database itself, which this makes anew.
        migrate(url)
        yield url
