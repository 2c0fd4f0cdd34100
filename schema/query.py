"""The root of the schema: the ledger as of a point, single records, and the entries themselves."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo
from psycopg.sql import SQL, Composable, Identifier

from schema.as_of import AsOf, ResolvedAsOf, check, resolution
from schema.context import Context, Info
from schema.plan import Plan, Planned, Statement
from schema.reading import looked_up, planned
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

_ONE = Identifier("one")


@strawberry.type
class LedgerPoint:
    as_of: ResolvedAsOf = strawberry.field(
        resolver=looked_up,
        description="The point that everything here is seen from. Cite it with an answer.",
    )


async def _resolve(context: Context, as_of: AsOf | None) -> ResolvedAsOf:
    (resolved,) = await context.run([resolution(as_of, context.zone)])
    check(as_of, resolved)
    return resolved  # type: ignore[no-any-return]  # What `resolution` finishes into.


async def ledger(info: Info, as_of: AsOf | None = None) -> Any:
    """Resolve the point, plan every selected field, and run their statements together."""
    raw = info._raw_info
    resolved = await _resolve(info.context, as_of)
    named: Any = raw.schema.type_map["Ledger"]
    values: dict[str, Any] = {}
    statements: dict[str, Statement] = {}
    selected = Plan(raw, {}).selected(named, raw.field_nodes)
    for name, nodes in selected.items():
        if nodes[0].name.value == "asOf":
            values[name] = resolved
            continue
        try:
            statements[name] = Plan(raw, resolved.parameters()).statement(named, nodes)
        except GraphQLError as error:
            # Left for the field's own resolver to raise, so that the error has its place.
            values[name] = error
    answers = await info.context.run(list(statements.values())) if statements else []
    values |= zip(statements, answers, strict=True)
    return Planned(named.name, values)


async def _record(info: Info, kind: str, key: str, as_of: AsOf | None) -> Any:
    raw = info._raw_info
    named = _type_of_kind(raw, kind)
    resolved = await _resolve(info.context, as_of)
    plan = Plan(raw, resolved.parameters())
    where = SQL("{}.key = {}").format(_ONE, plan.parameter(key, "text"))
    origin = named.extensions["strawberry-definition"].origin
    statement = plan.one(origin.table, named, raw.field_nodes, _ONE, where)
    (found,) = await info.context.run([statement])
    return found


def _type_of_kind(raw: GraphQLResolveInfo, kind: str) -> GraphQLObjectType:
    interface: Any = raw.schema.type_map["Record"]
    by_kind = {
        possible.extensions["strawberry-definition"].origin.kind_name: possible
        for possible in raw.schema.get_possible_types(interface)
    }
    if kind not in by_kind:
        raise GraphQLError(f"`kind`: {kind!r} is not a kind of record; kinds are {_list(by_kind)}")
    return by_kind[kind]


def _list(names: Any) -> str:
    return ", ".join(sorted(names))


def _now(info: Info) -> Plan:
    """A plan as of now, with every entry known: for what is asked outside `ledger`."""
    today = info.context.zone.day_of(datetime.now(UTC))
    return Plan(info._raw_info, {"position": sys.maxsize, "day": today})


async def _entry(info: Info, column: str, value: Any, sql_type: str) -> Any:
    raw, plan = info._raw_info, _now(info)
    where: Composable = SQL("{}.{} = {}").format(
        _ONE, Identifier(column), plan.parameter(value, sql_type)
    )
    named: Any = raw.schema.type_map["Entry"]
    statement = plan.one(ENTRIES, named, raw.field_nodes, _ONE, where, two_times=False)
    (found,) = await info.context.run([statement])
    return found


@strawberry.type
class Records:
    """What is asked of `Query` beside `ledger`."""

    @strawberry.field(description="A record as of a point; nothing if it did not exist then.")
    async def record(
        self, info: Info, kind: str, id: strawberry.ID, as_of: AsOf | None = None
    ) -> Record | None:
        return await _record(info, kind, str(id), as_of)  # type: ignore[no-any-return]  # Planned.

    @planned(entries_page(), "The entries themselves, in the order of their positions.")
    async def entries(
        self,
        info: Info,
        filter: EntryFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntryConnection:
        raw = info._raw_info
        statement = _now(info).statement(raw.parent_type, raw.field_nodes)
        (page,) = await info.context.run([statement])
        return page  # type: ignore[no-any-return]  # Planned.

    @strawberry.field(description="The entry at a position.")
    async def entry(self, info: Info, position: BigInt) -> Entry | None:
        return await _entry(info, "position", position, "int8")  # type: ignore[no-any-return]  # Planned.

    @strawberry.field(description="A record or an entry by its global id, as of now.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        record = from_global_id(str(id))
        if record is not None:
            return await _record(info, *record, None)  # type: ignore[no-any-return]  # Planned.
        try:
            entry_id = UUID(str(id))
        except ValueError:
            return None
        return await _entry(info, "id", entry_id, "uuid")  # type: ignore[no-any-return]  # Planned.
