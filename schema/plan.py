"""From a selection to one SQL statement, by what each field declares that it reads.

A plan walks the selection of a field once. Each selected field adds columns to the statement and
says how its value is made of a fetched row; the values stand under the response names, where the
resolvers look them up. Connections are correlated arrays of rows, so nesting adds no statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType
from psycopg.sql import SQL, Composable, Identifier, Literal

from schema.page_plan import PagePlan
from schema.reading import (
    Columns,
    Planned,
    Shared,
    ToComputed,
    ToFigure,
    ToKeyed,
    ToList,
    ToOne,
    ToPage,
    ToRecord,
)
from schema.selection import Selection, declared_by, origin_of, type_of
from schema.statement import (
    AS_OF,
    Names,
    Source,
    Statement,
    Value,
    column_of,
    fragment,
    is_two_times,
    table_of,
)

ONE = Identifier("one")
"""The alias of the one row that a statement is about."""


class Plan:
    """The plan of one field of a request. `parameters` are those of the as-of point."""

    def __init__(self, selection: Selection, parameters: Mapping[str, Any]) -> None:
        self._selection = selection
        self.names = Names(parameters)

    def statement(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Statement:
        """The statement of a field that starts from no row: one of `Ledger`, or of `Query`.

        A `GraphQLError` if its arguments are none.
        """
        declared = declared_by(parent, nodes[0])
        arguments = self._selection.arguments(parent, nodes[0])
        named = type_of(parent, nodes[0])
        match declared:
            case ToPage():
                source = Source(Identifier("none"))
                value = self._page_plan(declared, arguments).value(source, named, nodes)
                sql = SQL("SELECT {}").format(source.selected())
                return Statement(sql, self.names.parameters, lambda rows: value(rows[0]))
            case ToFigure():
                return self._figure(declared, named, nodes, arguments)
            case ToKeyed():
                (value,) = arguments.values()
                return self._keyed(declared, named, nodes, str(value))
        raise TypeError(f"{parent.name}.{nodes[0].name.value} can't be read on its own")

    def one(
        self, table: str, named: GraphQLObjectType, nodes: list[FieldNode], *, key: str
    ) -> Statement:
        """The statement of the record of that key, as of the point."""
        return self._keyed(ToKeyed(table), named, nodes, key)

    def _keyed(
        self, declared: ToKeyed, named: GraphQLObjectType, nodes: list[FieldNode], value: str
    ) -> Statement:
        name, sql_type = declared.column
        place = self.names.parameter(value, sql_type)
        where = SQL("{} = {} AND {}").format(column_of(ONE, name), place, AS_OF.format(t=ONE))
        return self.one_where(declared.table, named, nodes, where)

    def one_where(
        self, table: str, named: GraphQLObjectType, nodes: list[FieldNode], where: Composable
    ) -> Statement:
        """The statement of the row of `table`, aliased `ONE`, that satisfies `where`.

        Of several it is the first in the order of keys.
        """
        source = Source(ONE)
        value = self._object(source, named, nodes)
        sql = SQL("{} ORDER BY {}").format(source.select(table, where), column_of(ONE, "key"))
        return Statement(sql, self.names.parameters, lambda rows: value(rows[0]) if rows else None)

    def _object(self, source: Source, named: GraphQLObjectType, nodes: list[FieldNode]) -> Value:
        """How an object of the type `named`, selected by `nodes`, is made of a row of `source`."""
        selected = self._selection.fields(named, nodes)
        values = {name: self._field(source, named, parts) for name, parts in selected.items()}
        return lambda row: Planned(named.name, {name: make(row) for name, make in values.items()})

    def _field(self, source: Source, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Value:
        try:
            return self._planned_field(source, parent, nodes)
        except GraphQLError as error:
            # Left for the field's own resolver to give out, so that the error has its place.
            refused = error
            return lambda row: refused

    def _planned_field(
        self, source: Source, parent: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        declared = declared_by(parent, nodes[0])
        named = type_of(parent, nodes[0])
        match declared:
            case Columns():
                kind = str(getattr(origin_of(parent), "kind_name", ""))
                return _columns(source, kind, declared)
            case ToOne():
                return self._one(source, declared, named, nodes)
            case ToComputed():
                return self._computed(source, declared, named, nodes)
            case ToRecord():
                return self._record(source, named, nodes)
            case ToList():
                return self._list(source, declared, named, nodes)
            case ToPage():
                arguments = self._selection.arguments(parent, nodes[0])
                return self._page_plan(declared, arguments).value(source, named, nodes)
        raise TypeError(f"{parent.name}.{nodes[0].name.value} doesn't say what it reads")

    def _one(
        self, source: Source, declared: ToOne, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        """Join the row that it leads to; that row's columns become columns of `source`'s."""
        t = self.names.alias()
        condition = fragment(declared.on, a=source.alias, t=t)
        if is_two_times(declared.table):
            condition = SQL("{} AND {}").format(condition, AS_OF.format(t=t))
        source.joins.append(
            SQL("LEFT JOIN {} AS {} ON {}").format(table_of(declared.table), t, condition)
        )
        here = source.column(column_of(t, "position"))
        make = self._object(Source(t, source.columns, source.joins), named, nodes)
        return lambda row: None if row[here] is None else make(row)

    def _computed(
        self, source: Source, declared: ToComputed, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        """Join the row computed for that above; a column of its own tells whether there is one."""
        t = self.names.alias()
        source.joins.append(
            SQL(
                "LEFT JOIN LATERAL (SELECT true AS is_there, computed.* FROM ({}) AS computed)"
                " AS {} ON true"
            ).format(fragment(declared.sql, a=source.alias), t)
        )
        here = source.column(column_of(t, "is_there"))
        make = self._object(Source(t, source.columns, source.joins), named, nodes)
        return lambda row: None if row[here] is None else make(row)

    def _record(self, source: Source, named: Any, nodes: list[FieldNode]) -> Value:
        """Join every kind's table, each for the rows of its own kind."""
        kind = source.column(column_of(source.alias, "kind"))
        makers = {}
        for name, possible in self._selection.possible_types(named.name).items():
            on = f"{{t}}.key = {{a}}.key AND {{a}}.kind = '{name}'"
            makers[name] = self._one(source, ToOne(origin_of(possible).table, on), possible, nodes)
        return lambda row: makers[row[kind]](row) if row[kind] in makers else None

    def _list(
        self, source: Source, declared: ToList, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        target = Source(self.names.alias())
        make = self._object(target, named, nodes)
        keeps = None if declared.keep is None else _columns(target, "", declared.keep)
        where = fragment(declared.on, a=source.alias, t=target.alias)
        order = fragment(declared.order, t=target.alias)
        place = source.column(target.array(declared.table, where, order, SQL("ALL")))
        return lambda row: [make(found) for found in row[place] if keeps is None or keeps(found)]

    def _figure(
        self,
        declared: ToFigure,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
        arguments: dict[str, Any],
    ) -> Statement:
        source = Source(Identifier("figure"))
        make = self._object(source, named, nodes)
        self.names.add(declared.parameters(**arguments))
        sql = SQL("SELECT {} FROM ({}) AS figure {} ORDER BY {}").format(
            source.selected(), fragment(declared.sql), source.joined(), fragment(declared.order)
        )
        return Statement(sql, self.names.parameters, lambda rows: [make(row) for row in rows])

    def _page_plan(self, declared: ToPage, arguments: dict[str, Any]) -> PagePlan:
        return PagePlan(self._selection, self.names, self._object, declared, arguments)


def _columns(source: Source, kind: str, declared: Columns) -> Value:
    """What a field makes of the columns of a row, which belongs to a record of `kind` if any."""
    places = [source.column(_column(source, kind, column)) for column in declared.columns]
    make = declared.make
    if make is None:
        (place,) = places
        return lambda row: row[place]
    return lambda row: make(*[row[place] for place in places])


def _column(source: Source, kind: str, column: str | Shared) -> Composable:
    if isinstance(column, Shared):
        return source.shared(column.name, fragment(column.sql, a=source.alias))
    if column.isidentifier():
        return column_of(source.alias, column)
    return fragment(column, a=source.alias, kind=SQL("{}::text").format(Literal(kind)))
