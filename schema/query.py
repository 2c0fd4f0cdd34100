"""The root of the schema: the ledger as of a point, single records, and the entries themselves."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from psycopg.sql import SQL, Identifier

from schema.as_of import AsOf, ResolvedAsOf, check, resolution
from schema.context import Context, Info
from schema.plan import ONE, Plan
from schema.reading import READS, Planned, looked_up
from schema.record import (
    ENTRIES,
    Entry,
    EntryConnection,
    EntryFilter,
    Node,
    Record,
    entries_page,
    from_global_id,
)
from schema.scalars import BigInt
from schema.selection import Selection, origin_of
from schema.statement import Statement


@strawberry.type
class LedgerPoint:
    """What `Ledger` has beside the kinds of records."""

    as_of: ResolvedAsOf = strawberry.field(
        resolver=looked_up,
        description="The point that everything here is seen from. Cite it with an answer.",
    )


async def ledger(info: Info, as_of: AsOf | None = None) -> Any:
    """Resolve the point, plan every selected field, and run their statements together."""
    selection = Selection(info)
    resolved = await _resolve(info.context, as_of)
    named = selection.object_type("Ledger")
    values: dict[str, Any] = {}
    statements: dict[str, Statement] = {}
    for name, nodes in selection.fields(named, selection.nodes).items():
        if nodes[0].name.value == "asOf":
            values[name] = resolved
            continue
        try:
            statements[name] = Plan(selection, resolved.parameters()).statement(named, nodes)
        except GraphQLError as error:
            # Left for the field's own resolver to give out, so that the error has its place.
            values[name] = error
    answers = await info.context.run(list(statements.values()))
    values |= zip(statements, answers, strict=True)
    return Planned(named.name, values)


async def record(info: Info, kind: str, id: strawberry.ID, as_of: AsOf | None = None) -> Any:
    """The record of that kind and key, as of the point; None if it did not exist then.

    `id` may also be the record's global id, which is what an `id` of it is elsewhere.
    """
    selection = Selection(info)
    kinds = selection.possible_types("Record")
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise GraphQLError(f"`kind`: {kind[:60]!r} is not a kind of record; kinds are {known}")
    named = from_global_id(str(id))
    key = named[1] if named is not None and named[0] == kind else str(id)
    return await _record(info, kind, key, as_of)


async def entries(
    info: Info,
    *,
    filter: EntryFilter | None = None,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Any:
    """The entries asked for, and their records as of now."""
    selection = Selection(info)
    return await _run(info, _as_of_now(info).statement(selection.parent, selection.nodes))


async def entry(info: Info, position: BigInt) -> Any:
    """The entry at a position; None if the ledger has not come so far."""
    return await _entry(info, "position", position, "int8")


async def node(info: Info, id: strawberry.ID) -> Any:
    """The record or the entry of that id as of now; None if there is none."""
    named = from_global_id(str(id))
    if named is not None:
        kind, key = named
        known = kind in Selection(info).possible_types("Record")
        return await _record(info, kind, key, None) if known else None
    try:
        entry_id = UUID(str(id))
    except ValueError:
        return None
    return await _entry(info, "id", entry_id, "uuid")


@strawberry.type
class Records:
    """What `Query` has beside `ledger`."""

    record: Record | None = strawberry.field(
        resolver=record, description="A record as of a point; nothing if it did not exist then."
    )
    entries: EntryConnection = strawberry.field(
        resolver=entries,
        metadata={READS: entries_page()},
        description="The entries themselves, in the order of their positions.",
    )
    entry: Entry | None = strawberry.field(
        resolver=entry, description="The entry at a position; nothing if there is none yet."
    )
    node: Node | None = strawberry.field(
        resolver=node, description="A record or an entry by its global id, as of now."
    )


async def _resolve(context: Context, as_of: AsOf | None) -> ResolvedAsOf:
    resolved: ResolvedAsOf
    (resolved,) = await context.run([resolution(as_of, context.zone)])
    check(as_of, resolved)
    return resolved


async def _record(info: Info, kind: str, key: str, as_of: AsOf | None) -> Any:
    selection = Selection(info)
    named = selection.possible_types("Record")[kind]
    resolved = await _resolve(info.context, as_of)
    plan = Plan(selection, resolved.parameters())
    return await _run(info, plan.one(origin_of(named).table, named, selection.nodes, key=key))


async def _entry(info: Info, column: str, value: Any, sql_type: str) -> Any:
    selection, plan = Selection(info), _as_of_now(info)
    where = SQL("{}.{} = {}").format(ONE, Identifier(column), plan.names.parameter(value, sql_type))
    named = selection.object_type("Entry")
    return await _run(info, plan.one_where(ENTRIES, named, selection.nodes, where))


def _as_of_now(info: Info) -> Plan:
    """A plan as of today, with every entry known: for what is asked outside `ledger`."""
    today = info.context.zone.day_of(datetime.now(UTC))
    return Plan(Selection(info), {"position": sys.maxsize, "day": today})


async def _run(info: Info, statement: Statement) -> Any:
    (found,) = await info.context.run([statement])
    return found
