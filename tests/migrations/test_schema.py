"""The migrated schema is what the code expects: a list of all that the catalogs hold, as a file.

After a migration that changes the schema on purpose, `python -m tests.migrations.test_schema`
writes the file anew, and its difference shows in review what the migration did. The text is the
same on every PostgreSQL that the ledger runs on.
"""

from __future__ import annotations

import difflib
import tempfile
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from ledger import embedded, record, store, transaction
from ledger.database import connect
from migrations import migrate

FILE = Path(__file__).with_name("schema.txt")

TO_WRITE_ANEW = "if it is meant, run: python -m tests.migrations.test_schema"

# Each of these selects the lines that say one thing of the schemas `ledger` and `projections`.
SCHEMAS = """
    SELECT format('%s: schema of %s', nspname, nspowner::regrole)
      FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
"""

RELATIONS = """
    SELECT format('%s.%s: %s of %s', nspname, relname,
                  CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view'
                               ELSE 'relation of kind ' || relkind::text END,
                  relowner::regrole)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = ANY(%(schemas)s) AND relkind NOT IN ('i', 'I')
"""

# The order of columns is told, since `CREATE TABLE … LIKE` and rows depend on it; not by attnum,
# which has gaps after a column was dropped.
COLUMNS = """
    SELECT format('%s.%s: column %s %s %s%s%s', nspname, relname,
                  lpad((row_number() OVER (PARTITION BY relname, nspname ORDER BY attnum))::text,
                       2, '0'),
                  quote_ident(attname), format_type(atttypid, atttypmod),
                  CASE WHEN attnotnull THEN ' NOT NULL' END,
                  CASE attgenerated
                      WHEN '' THEN ' DEFAULT ' || pg_get_expr(adbin, adrelid)
                      ELSE format(' GENERATED ALWAYS AS (%s)%s', pg_get_expr(adbin, adrelid),
                                  CASE attgenerated WHEN 's' THEN ' STORED' END)
                  END)
      FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE nspname = ANY(%(schemas)s) AND relkind NOT IN ('i', 'I')
       AND attnum > 0 AND NOT attisdropped
"""

# Only PostgreSQL 15 writes the table before each column, so that all prefixes are left out.
VIEWS = r"""
    SELECT format('%s.%s: AS%s', nspname, relname,
                  regexp_replace(
                      regexp_replace(pg_get_viewdef(pg_class.oid), '\m\w+\.', '', 'g'),
                      '\s+', ' ', 'g'))
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = ANY(%(schemas)s) AND relkind IN ('v', 'm')
"""

INDEXES = """
    SELECT format('%s.%s: %s', schemaname, tablename, indexdef)
      FROM pg_indexes WHERE schemaname = ANY(%(schemas)s)
"""

# NOT NULL is told of the column: only PostgreSQL 18 has it among the constraints too.
CONSTRAINTS = """
    SELECT format('%s.%s: constraint %s %s', nspname, relname, conname,
                  pg_get_constraintdef(pg_constraint.oid))
      FROM pg_constraint
      JOIN pg_class ON pg_class.oid = conrelid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = ANY(%(schemas)s) AND contype <> 'n'
"""

TRIGGERS = """
    SELECT format('%s.%s: %s (enabled: %s)', nspname, relname,
                  pg_get_triggerdef(pg_trigger.oid), tgenabled)
      FROM pg_trigger
      JOIN pg_class ON pg_class.oid = tgrelid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = ANY(%(schemas)s) AND NOT tgisinternal
"""

FUNCTIONS = """
    SELECT format('%s.%s: function (%s) of %s, returns %s', nspname, proname,
                  pg_get_function_identity_arguments(pg_proc.oid), proowner::regrole,
                  pg_get_function_result(pg_proc.oid))
      FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
     WHERE nspname = ANY(%(schemas)s)
"""

# Nobody is left out, so that a right for the public or for some login shows as well. The right to
# maintain a table, which its owner has, is one that PostgreSQL 15 and 16 do not know.
GRANTS = """
    SELECT format('%s: %s may %s', name, CASE grantee WHEN 0 THEN 'PUBLIC'
                                                      ELSE grantee::regrole::text END,
                  string_agg(privilege_type || CASE WHEN is_grantable THEN ' (and grant it)'
                                                    ELSE '' END,
                             ', ' ORDER BY privilege_type COLLATE "C"))
      FROM (SELECT nspname::text AS name, coalesce(nspacl, acldefault('n', nspowner)) AS rights
              FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
            UNION ALL
            SELECT nspname || '.' || relname, coalesce(relacl, acldefault('r', relowner))
              FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = ANY(%(schemas)s) AND relkind NOT IN ('i', 'I')
            UNION ALL
            SELECT nspname || '.' || relname || '.' || attname, attacl
              FROM pg_attribute
              JOIN pg_class ON pg_class.oid = attrelid
              JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = ANY(%(schemas)s) AND attacl IS NOT NULL
            UNION ALL
            SELECT nspname || '.' || proname, coalesce(proacl, acldefault('f', proowner))
              FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
             WHERE nspname = ANY(%(schemas)s)) AS objects,
           LATERAL aclexplode(rights)
     WHERE privilege_type <> 'MAINTAIN'
     GROUP BY name, grantee
"""

LISTS = (
    SCHEMAS,
    RELATIONS,
    COLUMNS,
    VIEWS,
    INDEXES,
    CONSTRAINTS,
    TRIGGERS,
    FUNCTIONS,
    GRANTS,
)

INSERTABLE = """
    SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 'ledger.entries'::regclass
       AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


def schema_of(url: str) -> str:
    """List what the catalogs of the database at `url` hold of our schemas, in sorted lines."""
    # With nothing on the search path the catalogs' functions write each name with its schema.
    with psycopg.connect(url, options="-c search_path=") as connection:
        lines = [
            line
            for statement in LISTS
            for (line,) in connection.execute(
                # The %s are for format(), and psycopg would take them for its own.
                statement.replace("%s", "%%s").encode(),
                {"schemas": ["ledger", "projections"]},
            )
        ]
    return "".join(f"{line}\n" for line in sorted(lines))


def test_the_schema_is_the_one_in_the_file(database: str) -> None:
    known, found = FILE.read_text(), schema_of(database)
    if found != known:
        lines = difflib.unified_diff(
            known.splitlines(), found.splitlines(), FILE.name, "the database", lineterm="", n=0
        )
        pytest.fail("\n".join([*lines, "", TO_WRITE_ANEW]), pytrace=False)


def test_an_entry_is_appended_with_all_of_its_columns(database: str) -> None:
    with connect(database) as connection:
        assert connection.execute(INSERTABLE).fetchone() == (store.COLUMNS,)


def statements_of(module: ModuleType) -> dict[str, str]:
    """Find the constants of a module that are statements, less those that have no plan."""
    planned = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
    return {
        f"{module.__name__}.{name}": value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and value.lstrip().startswith(planned)
    }


def test_the_server_may_run_what_the_log_is_kept_with(database: str) -> None:
    statements = statements_of(store) | statements_of(record) | statements_of(transaction)
    assert {"ledger.store.APPEND", "ledger.transaction.WRITE"} <= set(statements)
    refused = {}
    with connect(database) as connection:
        for name, statement in statements.items():
            # Explaining finds names and types, and asks for the rights, without doing anything.
            try:
                explain = f"EXPLAIN {statement}".encode()
                connection.execute(explain, [None] * statement.count("%s"))
            except psycopg.Error as error:
                refused[name] = str(error)
    assert refused == {}


def write_anew() -> None:
    """Write the file from a database that was just migrated, on an embedded server."""
    with (
        tempfile.TemporaryDirectory(prefix="secretariat-") as folder,
        embedded.start(Path(folder)) as server,
    ):
        migrate(server.url)
        FILE.write_text(schema_of(server.url))


if __name__ == "__main__":
    write_anew()
