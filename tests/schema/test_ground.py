"""What an answer stands on: read models filled by the server's own rules, and a bounded wait."""

from __future__ import annotations

import asyncio

import pytest

from ledger.database import OWNER, connect
from projections import RULES
from schema.connections import MOST_TIME
from schema.http import reading_pool
from tests.schema.conftest import prepared_database
from tests.schema.reader import reading

POINTS = ["", '(asOf: {knownAt: "2023-12-07"})', "(asOf: {position: 0})"]


@pytest.mark.parametrize("point", POINTS)
def test_read_models_filled_by_other_rules_are_not_answered_from(
    server_url: str, migrated_template: str, point: str
) -> None:
    document = f"{{ ledger{point} {{ asOf {{ rules }} }} }}"
    with prepared_database(server_url, migrated_template) as url, reading(url) as reader:
        _note(url, RULES)
        assert reader.data(document) == {"ledger": {"asOf": {"rules": RULES}}}
        _note(url, "other")
        message, path = reader.refusal(document)
    assert path == ["ledger"]
    assert message == (
        f"the read models were filled by rules other, and this server has rules {RULES}:"
        " it must be started anew"
    )


def test_no_statement_runs_without_end(example_database: str) -> None:
    async def limit() -> object:
        async with reading_pool(example_database, size=1) as pool, pool.connection() as connection:
            return await (await connection.execute("SHOW statement_timeout")).fetchone()

    assert asyncio.run(limit()) == (MOST_TIME,)


def _note(url: str, rules: str) -> None:
    """Note which rules filled the read models."""
    with connect(url, OWNER) as connection:
        connection.execute(
            "INSERT INTO projections.rules (version) VALUES (%s)"
            " ON CONFLICT (only_row) DO UPDATE SET version = excluded.version",
            [rules],
        )
