"""Where access conditions enter the SQL: one place, which every planned statement passes.

For now there is one stand-in rule, off unless an application is made with it: of whose records a
request sees anything is said by their families. A record's family is its kind's; an entry carries
its own. What may not be seen is not there: no row, not counted, not added up.
"""

from __future__ import annotations

import re

from psycopg.sql import SQL, Composed

from projections import TABLES
from schema.binding import Standpoint

FAMILIES = {table.name: table.kind.family for table in TABLES}
"""The family of the records in each table of the read models."""

_READ = re.compile(
    r'\b(?P<verb>FROM|JOIN)\s+"?(?P<schema>projections|ledger)"?\."?(?P<table>\w+)"?'
    r'(?:\s+AS\s+(?P<alias>"?\w+"?))?'
)


def guarded(sql: SQL | Composed, point: Standpoint) -> SQL | Composed:
    """The statement, reading only what the families at the as-of point allow; all if they are None.

    Whatever reads a table of records or the entries gets its rows through the condition, also in
    the SQL that kinds write themselves.
    """
    if point.values[2] is None:
        return sql
    return SQL(_READ.sub(_through_condition, sql.as_string()))


def _through_condition(read: re.Match[str]) -> str:
    verb, schema, table, alias = read.group("verb", "schema", "table", "alias")
    if schema == "projections" and table in FAMILIES:
        condition = f"'{FAMILIES[table]}' = ANY(%(families)s::text[])"
    elif (schema, table) == ("ledger", "entries"):
        condition = "family = ANY(%(families)s::text[])"
    else:
        return read.group()
    return f"{verb} (SELECT * FROM {schema}.{table} WHERE {condition}) AS {alias or table}"  # noqa: S608  # Our own tables.
