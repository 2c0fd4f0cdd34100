"""What comes before the first file: the two group roles, the two schemas, and who may use them.

Everything belongs to one group role and is used through another. So a server's connection cannot
change tables, and neither the owner nor the rights depend on whose login installed the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from migrations.refusal import RolesMissing
from migrations.session import acting_as, where

OWNER = "secretariat_owner"
"""The group role that owns schemas and tables; migrations and rebuilds run as it."""

SERVER = "secretariat_server"
"""The group role of the server's connections."""

SCHEMAS = ("ledger", "projections")

# From PostgreSQL 16 on, whoever creates a role becomes a member that may grant it and yet may not
# take it.
_MEMBERS_MAY_LACK_SET = 16_00_00


@dataclass(frozen=True)
class _Step:
    """`statement` makes what `question` asks for; a question's answer NULL means no."""

    question: sql.Composed
    statement: sql.Composed


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make what is missing of roles, schemas and grants; does nothing the second time.

    Takes the rights to create roles, and to grant on the database, only if something is missing
    that needs them. Raises RolesMissing, with the SQL that somebody with more rights should run.
    """
    prepare_roles(connection)
    _refuse_schemas_of_others(connection)
    _make(connection, OWNER, list(_steps_of_the_owner()))


def prepare_roles(connection: psycopg.Connection[Any]) -> None:
    """As `prepare`, less the schemas: for what brings schemas of its own."""
    _make(connection, "none", list(_steps_of_the_login(connection)))


def _step(question: LiteralString, statement: LiteralString, **names: str) -> _Step:
    literals = {name: sql.Literal(value) for name, value in names.items()}
    identifiers = {name: sql.Identifier(value) for name, value in names.items()}
    return _Step(
        sql.SQL(question).format(**literals),
        sql.SQL(statement).format(**identifiers),
    )


def _steps_of_the_login(connection: psycopg.Connection[Any]) -> Iterator[_Step]:
    for role in (OWNER, SERVER):
        yield _step(
            "SELECT to_regrole({role}) IS NOT NULL",
            "CREATE ROLE {role} NOLOGIN",
            role=role,
        )
    right = "SET" if connection.info.server_version >= _MEMBERS_MAY_LACK_SET else "MEMBER"
    for role in (OWNER, SERVER):
        yield _step(
            "SELECT pg_has_role({login}, to_regrole({role})::oid, {right})",
            "GRANT {role} TO {login}",
            role=role,
            login=connection.info.user,
            right=right,
        )
    # A rebuild fills a schema beside the live one and swaps the two.
    yield _step(
        "SELECT has_database_privilege(to_regrole({role})::oid, {database}, 'CREATE')",
        "GRANT CREATE ON DATABASE {database} TO {role}",
        role=OWNER,
        database=connection.info.dbname,
    )


def _steps_of_the_owner() -> Iterator[_Step]:
    for schema in SCHEMAS:
        yield _step(
            "SELECT to_regnamespace({schema}) IS NOT NULL",
            "CREATE SCHEMA {schema} AUTHORIZATION {owner}",
            schema=schema,
            owner=OWNER,
        )
        yield _step(
            "SELECT has_schema_privilege(to_regrole({role})::oid,"
            " to_regnamespace({schema})::oid, 'USAGE')",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            schema=schema,
            role=SERVER,
        )


def _make(connection: psycopg.Connection[Any], role: str, steps: list[_Step]) -> None:
    for step in steps:
        if _holds(connection, step):
            continue
        try:
            with acting_as(connection, role):
                connection.execute(step.statement)
        except (
            psycopg.errors.InsufficientPrivilege,
            # Roles belong to all databases of a server, which the runner's lock does not reach:
            # the runner of another database may make the same one at the same moment. PostgreSQL
            # says so by one of these (the last one is its "tuple concurrently updated").
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,
            psycopg.errors.InternalError_,
        ) as error:
            refused: psycopg.Error | None = error
        else:
            refused = None
        # Asked anew even without an error: a GRANT without the right to it is only warned of.
        if not _holds(connection, step):
            raise _roles_missing(connection, steps) from refused


def _holds(connection: psycopg.Connection[Any], step: _Step) -> bool:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(step.question).fetchone() is True


def _roles_missing(connection: psycopg.Connection[Any], steps: list[_Step]) -> RolesMissing:
    missing = "; ".join(
        step.statement.as_string(connection) for step in steps if not _holds(connection, step)
    )
    return RolesMissing(
        f"{where(connection)}: the role {connection.info.user} may not make what the ledger needs;"
        f" ask an administrator to run, connected to this database: {missing};"
    )


def _refuse_schemas_of_others(connection: psycopg.Connection[Any]) -> None:
    # Another application's schema may have the same name, so it is not simply taken over.
    with connection.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(
            "SELECT nspname FROM pg_namespace"
            " WHERE nspname = ANY(%s) AND nspowner <> to_regrole(%s) ORDER BY 1",
            [list(SCHEMAS), OWNER],
        ).fetchall()
    if found:
        commands = "; ".join(
            sql.SQL("ALTER SCHEMA {} OWNER TO {}")
            .format(sql.Identifier(schema), sql.Identifier(OWNER))
            .as_string(connection)
            for schema in found
        )
        raise RolesMissing(
            f"{where(connection)}: the schemas {', '.join(found)} belong to another role;"
            " use another database, or, if they were made for the ledger,"
            f" ask an administrator to run, connected to this database: {commands};"
        )
