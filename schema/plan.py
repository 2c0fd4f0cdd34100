"""From a selection to one SQL statement, by what each field declares that it reads.

A plan walks the selection of a field once. Each selected field adds columns to the statement, and
leaves beside it how its value is found in a fetched row (schema/shape.py). Connections are
correlated arrays of rows, so nesting adds no statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
)
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from projections.timeline import KNOWN, KNOWN_EARLY
from schema.access import guarded
from schema.binding import (
    Arguments,
    Bound,
    FigureBound,
    PageBound,
    Site,
    Standpoint,
    figure_bound,
    key_bound,
    page_bound,
)
from schema.lookup import Lookup
from schema.page_plan import PagePlan
from schema.reading import (
    Columns,
    Shared,
    ToComputed,
    ToFigure,
    ToKeyed,
    ToList,
    ToOne,
    ToPage,
    ToRecord,
    parts_of,
)
from schema.selection import (
    Selection,
    declared_by,
    full_type_of,
    is_nullable,
    is_typename,
    origin_of,
    python_name,
    type_of,
)
from schema.shape import (
    AnyRecord,
    Cells,
    Every,
    First,
    Listed,
    Object,
    One,
    Page,
    Refused,
    Root,
    Shape,
    Typename,
)
from schema.statement import (
    AS_OF,
    Names,
    Source,
    Statement,
    column_of,
    fragment,
    is_two_times,
    table_of,
)

ONE = Identifier("one")
"""The alias of the one row that a statement is about."""

POINT_SLOTS = ("day", "position", "families")
"""The names by which statements have the values of their first site, the as-of point."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A planned statement: where its parameters come from, and what its rows hold.

    The first of its sites is the as-of point; the others are places in the document. It `gathers`
    if it goes through rows that it finds neither by a key nor at their place in an order.
    """

    sql: SQL | Composed
    slots: dict[str, tuple[int, int]]
    point: Standpoint
    sites: list[Site]
    root: Root
    gathers: bool

    @property
    def bounds(self) -> list[Bound]:
        """The arguments of its sites, as they were planned for."""
        return [self.point, *(site.bound for site in self.sites)]

    def statement(self) -> Statement:
        """The statement with the parameters that it was planned for."""
        bounds = self.bounds
        parameters = {name: bounds[s].values[index] for name, (s, index) in self.slots.items()}
        return Statement(self.sql, parameters, Lookup(bounds).of(self.root))


class Plan:
    """The plan of one field of a request; `point` gives the values of `POINT_SLOTS`.

    With `as_text` its rows are only to be written as JSON: decimals come as texts, and the fields
    of an object of columns are read each by itself.
    """

    def __init__(self, selection: Selection, point: Standpoint, *, as_text: bool = False) -> None:
        self._selection = selection
        self._as_text = as_text
        self._point = point
        self._names = Names(is_early=point.is_early)
        self._names.slots |= {name: (0, index) for index, name in enumerate(POINT_SLOTS)}
        self._sites: list[Site] = []

    def reading(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Reading:
        """The reading of a field that starts from no row: one of `Ledger`, or of `Query`.

        A `GraphQLError` if its arguments are none.
        """
        declared = declared_by(parent, nodes[0])
        match declared:
            case ToPage():
                return self._root_page(parent, nodes, declared)
            case ToFigure():
                return self._figure(parent, nodes, declared)
            case ToKeyed():
                named = type_of(parent, nodes[0])
                return self.keyed(declared, named, parent, nodes, key_bound)
        raise TypeError(f"{parent.name}.{nodes[0].name.value} can't be read on its own")

    def keyed(
        self,
        declared: ToKeyed,
        named: GraphQLObjectType,
        parent: GraphQLObjectType,
        nodes: list[FieldNode],
        read: Callable[[Arguments], Bound],
    ) -> Reading:
        """The reading of the row that has what `read` makes of the arguments in a column.

        Of several rows it is the first in the order of keys.
        """
        site, _ = self._site(parent, nodes[0], read)
        name, sql_type = declared.column
        where = SQL("{} = {}").format(
            column_of(ONE, name), self._names.parameter(site, 0, sql_type)
        )
        if is_two_times(declared.table):
            where = SQL("{} AND {}").format(where, AS_OF.format(t=ONE))
        source = Source(ONE)
        first = First(self._object(source, named, nodes), is_nullable(parent, nodes[0]))
        sql = SQL("{} ORDER BY {}").format(
            source.select(table_of(declared.table), where), column_of(ONE, "key")
        )
        return self._reading(sql, first)

    def _reading(self, sql: SQL | Composed, root: Root) -> Reading:
        names, point = self._names, self._point
        return Reading(guarded(sql, point), names.slots, point, self._sites, root, names.gathers)

    def _site(
        self, parent: GraphQLObjectType, node: FieldNode, read: Callable[[Arguments], Any]
    ) -> tuple[int, Any]:
        """The number of a new site, and what its arguments bring."""
        bound = read(self._selection.arguments(parent, node))
        self._sites.append(Site(parent, node, read, bound))
        return len(self._sites), bound

    def _root_page(
        self, parent: GraphQLObjectType, nodes: list[FieldNode], declared: ToPage
    ) -> Reading:
        named = type_of(parent, nodes[0])
        plan = self._page_plan(parent, nodes[0], declared)
        spread = plan.spread(named, nodes)
        if spread is not None:
            paged, sql = spread
            return self._reading(sql, Page(paged, spread=True))
        source = Source(Identifier("none"))
        paged = plan.paged(source, named, nodes)
        return self._reading(SQL("SELECT {}").format(source.selected()), Page(paged, spread=False))

    def _figure(
        self, parent: GraphQLObjectType, nodes: list[FieldNode], declared: ToFigure
    ) -> Reading:
        self._names.gathers = True
        source = Source(Identifier("figure"))
        every = Every(self._object(source, type_of(parent, nodes[0]), nodes))
        bound: FigureBound
        site, bound = self._site(parent, nodes[0], partial(figure_bound, declared))
        self._names.slots |= {name: (site, index) for index, name in enumerate(bound.names)}
        wanted = f"{source.selected().as_string()} {source.joined().as_string()} {declared.order}"
        wants = {f"wants_{name}": str(name in wanted).lower() for name in declared.measures}
        computed = declared.sql
        for name, constant in (bound.constants | wants).items():
            computed = computed.replace(f"%({name})s", constant)
        sql = SQL("SELECT {} FROM ({}) AS figure {} ORDER BY {}").format(
            source.selected(),
            fragment(computed, known=self._known()),
            source.joined(),
            fragment(declared.order),
        )
        return self._reading(sql, every)

    def _known(self) -> SQL:
        """The condition of the rows that were known, for statements that kinds write."""
        return SQL(KNOWN_EARLY if self._names.is_early else KNOWN)

    def _page_plan(self, parent: GraphQLObjectType, node: FieldNode, declared: ToPage) -> PagePlan:
        bound: PageBound
        site, bound = self._site(parent, node, partial(page_bound, declared))
        return PagePlan(
            self._selection, self._names, self._object, declared, site=site, bound=bound
        )

    def _object(self, source: Source, named: GraphQLObjectType, nodes: list[FieldNode]) -> Object:
        """How an object of the type `named`, selected by `nodes`, is found in a row of `source`."""
        selected = self._selection.fields(named, nodes)
        fields = {name: self._field(source, named, parts) for name, parts in selected.items()}
        return Object(named.name, fields)

    def _field(self, source: Source, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Shape:
        if is_typename(nodes):
            return Typename(parent.name)
        try:
            return self._planned_field(source, parent, nodes)
        except GraphQLError as error:
            return Refused(error)

    def _planned_field(
        self, source: Source, parent: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Shape:
        declared = declared_by(parent, nodes[0])
        named = type_of(parent, nodes[0])
        nullable = is_nullable(parent, nodes[0])
        match declared:
            case Columns():
                return self._columns(source, declared, parent, nodes, nullable=nullable)
            case ToOne():
                return self._one(source, declared, named, nodes, nullable=nullable)
            case ToComputed():
                return self._computed(source, declared, named, nodes, nullable=nullable)
            case ToRecord():
                return self._record(source, named, nodes)
            case ToList():
                return self._list(source, declared, named, nodes)
            case ToPage():
                return self._page_plan(parent, nodes[0], declared).paged(source, named, nodes)
        raise TypeError(f"{parent.name}.{nodes[0].name.value} doesn't say what it reads")

    def _columns(
        self,
        source: Source,
        declared: Columns,
        parent: GraphQLObjectType,
        nodes: list[FieldNode],
        *,
        nullable: bool,
    ) -> Shape:
        self._names.gathers |= any(isinstance(one, Shared) for one in declared.columns)
        names, full = declared.names(), full_type_of(parent, nodes[0])
        kind = str(getattr(origin_of(parent), "kind_name", ""))
        columns = [_column(source, kind, column) for column in declared.columns]
        parts = parts_of(declared.make) if self._as_text else ()
        if parts:
            named = type_of(parent, nodes[0])
            by_part = dict(zip(parts, zip(names, columns, strict=True), strict=True))
            (here,) = self._part(source, by_part, parts[0], named, []).places
            fields: dict[str, Shape] = {
                name: Typename(named.name)
                if is_typename(each)
                else self._part(source, by_part, python_name(named, each[0]), named, each)
                for name, each in self._selection.fields(named, nodes).items()
            }
            found = Object(named.name, fields)
            return One(" and ".join(names), here, found, nullable, is_computed=True)
        if self._as_text and declared.make is None and type_of(parent, nodes[0]).name == "Decimal":
            return self._decimal(source, names[0], columns[0], full, nodes)
        places = tuple(map(source.column, columns))
        return Cells(names, places, declared.make, full, nodes)

    def _part(
        self,
        source: Source,
        by_part: Mapping[str, tuple[str, Composable]],
        part: str,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
    ) -> Cells:
        """A field of an object of columns."""
        name, column = by_part[part]
        full = named.fields[part].type
        if get_named_type(full).name == "Decimal":
            return self._decimal(source, name, column, full, nodes)
        return Cells((name,), (source.column(column),), None, full, nodes)

    def _decimal(
        self,
        source: Source,
        name: str,
        column: Composable,
        full: GraphQLOutputType,
        nodes: list[FieldNode],
    ) -> Cells:
        """A decimal as text: PostgreSQL writes it as we do, and reading it costs more than that."""
        place = source.column(SQL("{}::text").format(column))
        return Cells((name,), (place,), None, full, nodes, is_text=True)

    def _one(
        self,
        source: Source,
        declared: ToOne,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
        *,
        nullable: bool,
    ) -> One:
        """Join the row that it leads to; that row's columns become columns of `source`'s."""
        t = self._names.alias()
        condition = fragment(declared.on, a=source.alias, t=t)
        if is_two_times(declared.table):
            condition = SQL("{} AND {}").format(condition, AS_OF.format(t=t))
        source.joins.append(
            SQL("LEFT JOIN {} AS {} ON {}").format(table_of(declared.table), t, condition)
        )
        here = source.column(column_of(t, "position"))
        found = self._object(Source(t, source.columns, source.joins), named, nodes)
        return One(declared.table, here, found, nullable)

    def _computed(
        self,
        source: Source,
        declared: ToComputed,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
        *,
        nullable: bool,
    ) -> One:
        """Join the row computed for that above; a column of its own tells whether there is one."""
        self._names.gathers = True
        t = self._names.alias()
        source.joins.append(
            SQL(
                "LEFT JOIN LATERAL (SELECT true AS is_there, computed.* FROM ({}) AS computed)"
                " AS {} ON true"
            ).format(fragment(declared.sql, a=source.alias, known=self._known()), t)
        )
        here = source.column(column_of(t, "is_there"))
        found = self._object(Source(t, source.columns, source.joins), named, nodes)
        return One("a computed row", here, found, nullable, is_computed=True)

    def _record(self, source: Source, named: Any, nodes: list[FieldNode]) -> AnyRecord:
        """Join every kind's table, each for the rows of its own kind."""
        kind = source.column(column_of(source.alias, "kind"))
        by_kind = {}
        for name, possible in self._selection.possible_types(named.name).items():
            on = f"{{t}}.key = {{a}}.key AND {{a}}.kind = '{name}'"
            declared = ToOne(origin_of(possible).table, on)
            by_kind[name] = self._one(source, declared, possible, nodes, nullable=True)
        return AnyRecord(kind, by_kind)

    def _list(
        self, source: Source, declared: ToList, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Listed:
        self._names.gathers = True
        target = Source(self._names.alias())
        found = self._object(target, named, nodes)
        keeps = None
        if declared.keep is not None:
            places = _places(target, "", declared.keep)
            # Nobody sees what it gives, so it has no type of its own.
            keeps = Cells(declared.keep.names(), places, declared.keep.make, named, [])
        where = fragment(declared.on, a=source.alias, t=target.alias)
        order = fragment(declared.order, t=target.alias)
        place = source.column(target.array(table_of(declared.table), where, order, SQL("ALL")))
        return Listed(declared.table, place, found, keeps)


def _places(source: Source, kind: str, declared: Columns) -> tuple[int, ...]:
    """Where the columns of a field are in a row, which belongs to a record of `kind` if any."""
    return tuple(source.column(_column(source, kind, column)) for column in declared.columns)


def _column(source: Source, kind: str, column: str | Shared) -> Composable:
    if isinstance(column, Shared):
        return source.shared(column.name, fragment(column.sql, a=source.alias))
    if column.isidentifier():
        return column_of(source.alias, column)
    return fragment(column, a=source.alias, kind=SQL("{}::text").format(Literal(kind)))
