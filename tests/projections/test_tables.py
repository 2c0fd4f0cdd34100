"""The migrated tables are what the code expects: columns, order, types, and what may be null."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

import psycopg
import pytest

from projections import TABLES
from projections.timeline import Table

COLUMNS = """
    SELECT column_name, udt_name, is_nullable = 'YES'
      FROM information_schema.columns WHERE table_schema = 'projections' AND table_name = %s
     ORDER BY ordinal_position
"""

NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'projections'"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_columns_of_a_table(migrated_template: str, table: Table[Any]) -> None:
    with psycopg.connect(migrated_template) as connection:
        migrated = connection.execute(COLUMNS, [table.name]).fetchall()
    hints = get_type_hints(table.row)
    nullable = {field.name for field in fields(table.row) if _may_be_none(hints[field.name])}
    assert migrated == [
        (name, sql_type, name in nullable) for name, sql_type in table.columns().items()
    ]


def _may_be_none(hint: Any) -> bool:
    return type(None) in get_args(hint)


def test_there_is_a_table_for_each_kind_and_one_for_the_rules(migrated_template: str) -> None:
    with psycopg.connect(migrated_template) as connection:
        names = {name for (name,) in connection.execute(NAMES)}
    assert names == {table.name for table in TABLES} | {"rules"}
