"""The root of the schema: the ledger as of a point, single records, and the entries themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError

from ledger.dates import HomeZone
from schema.as_of import AsOf, ResolvedAsOf, point_bound, resolution
from schema.binding import Arguments, Bound, Standpoint
from schema.context import Info
from schema.plan import Plan, Reading
from schema.reading import READS, Planned, ToKeyed, looked_up
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
from schema.selection import Selection, is_typename, origin_of
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
    selection = Selection.of(info)
    resolved, point = await _resolve(info, selection)
    named = selection.object_type("Ledger")
    values: dict[str, Any] = {}
    statements: dict[str, Statement] = {}
    for name, nodes in selection.fields(named, selection.nodes).items():
        if is_typename(nodes):
            continue
        if nodes[0].name.value == "asOf":
            values[name] = resolved
            continue
        try:
            statements[name] = Plan(selection, point).reading(named, nodes).statement()
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
    selection = Selection.of(info)
    # What is no kind is refused before anything is asked.
    record_bound(selection, selection.arguments(selection.parent, selection.nodes[0]))
    _, point = await _resolve(info, selection)
    return await _run(info, single(selection, point))


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
    return await _now(info)


async def entry(info: Info, position: BigInt) -> Any:
    """The entry at a position; None if the ledger has not come so far."""
    return await _now(info)


async def node(info: Info, id: strawberry.ID) -> Any:
    """The record or the entry of that id as of now; None if there is none."""
    return await _now(info)


def record_bound(selection: Selection, arguments: Arguments) -> Bound:
    """The arguments of `record`: the kind shapes the statement."""
    kind, id = arguments["kind"], str(arguments["id"])
    kinds = selection.possible_types("Record")
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise GraphQLError(f"`kind`: {kind[:60]!r} is not a kind of record; kinds are {known}")
    named = from_global_id(id)
    return Bound(kind, (named[1] if named is not None and named[0] == kind else id,))


def node_bound(selection: Selection, arguments: Arguments) -> Bound:
    """The argument of `node`: a kind, or that it is an entry, or that it is nothing, shapes it."""
    id = str(arguments["id"])
    named = from_global_id(id)
    if named is not None:
        kind, key = named
        return Bound(kind if kind in selection.possible_types("Record") else None, (key,))
    try:
        return Bound("Entry", (UUID(id),))
    except ValueError:
        return Bound(None, ())


def single(selection: Selection, point: Standpoint, *, as_text: bool = False) -> Reading | None:
    """The reading of a field of `Query` other than `ledger`; None if there is nothing to read."""
    parent, nodes = selection.parent, selection.nodes
    plan = Plan(selection, point, as_text=as_text)
    read: Callable[[Arguments], Bound]
    match nodes[0].name.value:
        case "entries":
            return plan.reading(parent, nodes)
        case "entry":
            read, column = position_bound, ("position", "int8")
        case "record":
            read, column = partial(record_bound, selection), ("key", "text")
        case _:
            read, column = partial(node_bound, selection), ("key", "text")
    shape = read(selection.arguments(parent, nodes[0])).shape
    if shape is None:
        return None
    if shape == "Entry":
        named = selection.object_type("Entry")
        declared = ToKeyed(ENTRIES, column if column[0] == "position" else ("id", "uuid"))
    else:
        named = selection.possible_types("Record")[str(shape)]
        declared = ToKeyed(origin_of(named).table, column)
    return plan.keyed(declared, named, parent, nodes, read)


def position_bound(arguments: Arguments) -> Bound:
    """The argument of `entry`."""
    return Bound("Entry", (arguments["position"],))


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


def now_bound(zone: HomeZone, families: list[str] | None) -> Standpoint:
    """Today, with every entry known: the point of what is asked outside `ledger`."""
    return Standpoint.of(zone.day_of(datetime.now(UTC)), sys.maxsize, families)


async def _resolve(info: Info, selection: Selection) -> tuple[ResolvedAsOf, Standpoint]:
    """The point that a field's argument `asOf` means, and how statements have it."""
    context = info.context
    arguments = selection.arguments(selection.parent, selection.nodes[0])
    found: ResolvedAsOf
    (found,) = await context.run([resolution(point_bound(context.zone, arguments))])
    return found, Standpoint.of(found.effective_on, found.position, context.families)


async def _now(info: Info) -> Any:
    now = now_bound(info.context.zone, info.context.families)
    return await _run(info, single(Selection.of(info), now))


async def _run(info: Info, reading: Reading | None) -> Any:
    if reading is None:
        return None
    (found,) = await info.context.run([reading.statement()])
    return found
