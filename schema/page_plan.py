"""The plan of a connection: its rows, as an array or a statement's own, its count, its cursors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from graphql import FieldNode, GraphQLObjectType
from psycopg.sql import SQL, Composable, Composed, Identifier

from schema.binding import PageBound
from schema.reading import ToPage
from schema.selection import Selection, full_type_of, is_typename, type_of
from schema.shape import Cursor, Edges, Facts, Nodes, Object, Paged, Part, Total, Typename
from schema.statement import (
    AS_OF,
    EARLY,
    EARLY_FIRST,
    POSSIBLE,
    Names,
    Source,
    all_of,
    column_of,
    fragment,
    table_of,
)

# Where the dates are exact a record has one candidate; only the few that have several are grouped.
_COUNT = SQL("""(
    WITH several AS MATERIALIZED (
        SELECT {t}.{unique} AS one FROM {table} AS {t}
         WHERE {scope} AND NOT {t}.effective @> %(day)s::date AND {t}.effective <> {t}.possible)
    SELECT ROW(exact.count + inexact.certain, exact.count + inexact.possible)
      FROM (SELECT count(*) FROM {table} AS {t}
             WHERE {shown} AND {condition}
               AND NOT EXISTS (SELECT FROM several WHERE several.one = {t}.{unique})) AS exact,
           (SELECT count(*) FILTER (WHERE held AND shown) AS certain,
                   count(*) FILTER (WHERE may_hold) AS possible
              FROM (SELECT bool_and(({condition}) IS TRUE) AS held,
                           bool_or(({condition}) IS TRUE) AS may_hold,
                           bool_or({t}.effective @> %(day)s::date) AS shown
                      FROM {table} AS {t}
                     WHERE {possible} AND {t}.{unique} IN (SELECT one FROM several)
                     GROUP BY {t}.{unique}) AS counted) AS inexact)""")

_COUNT_ROWS = SQL("(SELECT count(*) FROM {table} AS {t} WHERE {condition})")

ObjectPlan: TypeAlias = Callable[[Source, GraphQLObjectType, list[FieldNode]], Object]
"""How an object of a type, selected by some nodes, is made of a source's rows."""


class PagePlan:
    """The plan of one connection, whose arguments are those of the site numbered `site`."""

    def __init__(
        self,
        selection: Selection,
        names: Names,
        plan_object: ObjectPlan,
        declared: ToPage,
        *,
        site: int,
        bound: PageBound,
    ) -> None:
        self._selection = selection
        self._names = names
        self._plan_object = plan_object
        self._declared = declared
        self._site = site
        self._page, self._order = bound.page, bound.order
        self._target = Source(names.alias())
        values = iter(range(len(bound.values)))
        self._conditions: list[Composable] = [
            fragment(
                condition.sql,
                a=self._target.alias,
                value=names.parameter(site, next(values), condition.sql_type),
            )
            for condition in bound.conditions
        ]
        types = (self._order.column[1], self._order.unique[1])
        self._bounds = [
            SQL("({}, {}) {} ({}, {})").format(
                *self._ordering(),
                SQL(sign),
                *(names.parameter(site, next(values), sql_type) for sql_type in types),
            )
            for cursor, sign in ((self._page.after, ">"), (self._page.before, "<"))
            if cursor is not None
        ]
        self._limit = names.parameter(site, next(values), "int8")

    def spread(
        self, connection: GraphQLObjectType, nodes: list[FieldNode]
    ) -> tuple[Paged, SQL | Composed] | None:
        """The connection as the rows of a statement, and that statement.

        None if it is not of rows alone.
        """
        selected = self._selection.fields(connection, nodes)
        names = {parts[0].name.value for parts in selected.values()}
        if "totalCount" in names or not names & {"nodes", "edges", "pageInfo"}:
            return None
        above = Source(Identifier("none"))
        parts = {name: self._part(above, connection, each) for name, each in selected.items()}
        places = self._places()
        table, where, order = self._rows(above)
        sql = SQL("{} ORDER BY {} LIMIT {}").format(
            self._target.select(table, where), order, self._limit
        )
        return self._paged(connection, None, places, parts), sql

    def paged(self, source: Source, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Paged:
        """The connection of a row of `source`: rows as one column, counts as others."""
        selected = self._selection.fields(connection, nodes)
        parts = {name: self._part(source, connection, each) for name, each in selected.items()}
        places = self._places()
        rows = None
        if any(isinstance(part, Nodes | Edges | Facts) for part in parts.values()):
            found = self._target.array(*self._rows(source), self._limit)
            rows = source.column(found)
        return self._paged(connection, rows, places, parts)

    def _paged(
        self,
        connection: GraphQLObjectType,
        rows: int | None,
        places: tuple[int, ...],
        parts: dict[str, Part],
    ) -> Paged:
        return Paged(self._declared.table, connection.name, self._site, rows, places, parts)

    def _part(self, source: Source, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
        if is_typename(nodes):
            return Typename(connection.name)
        named, full = type_of(connection, nodes[0]), full_type_of(connection, nodes[0])
        match nodes[0].name.value:
            case "nodes":
                return Nodes(self._plan_object(self._target, named, nodes))
            case "edges":
                return self._edges(named, nodes)
            case "totalCount":
                return Total(self._count(source), self._declared.two_times, full, nodes)
        return Facts(full, nodes)

    def _edges(self, edge: GraphQLObjectType, nodes: list[FieldNode]) -> Edges:
        fields: dict[str, Object | Cursor | Typename] = {}
        for name, each in self._selection.fields(edge, nodes).items():
            if is_typename(each):
                fields[name] = Typename(edge.name)
            elif each[0].name.value == "node":
                fields[name] = self._plan_object(self._target, type_of(edge, each[0]), each)
            else:
                fields[name] = Cursor()
        return Edges(edge.name, fields)

    def _places(self) -> tuple[int, ...]:
        return tuple(self._target.column(column) for column in self._ordering())

    def _ordering(self) -> list[Composed]:
        columns = (self._order.column, self._order.unique)
        return [column_of(self._target.alias, name) for name, _ in columns]

    def _rows(self, source: Source) -> tuple[Composable, Composable, Composable]:
        """What the page is taken from, under which conditions, and in which order."""
        table, t = table_of(self._declared.table), self._target.alias
        direction = SQL(" DESC" if self._page.backward else " ASC")
        order = SQL(", ").join(column + direction for column in self._ordering())
        asked = [*self._conditions, *self._bounds]
        # From the end, where keys grow with time, all that came later would have to be skipped.
        from_the_end = self._page.backward and not self._declared.on and self._declared.two_times
        if from_the_end and self._names.is_early:
            self._names.gathers = True
            early = EARLY.format(t=t, rows=AS_OF.format(t=t))
            return EARLY_FIRST.format(table=table, t=t, rows=early), all_of(asked), order
        return table, all_of([*self._scope(source, AS_OF), *asked]), order

    def _scope(self, source: Source, rows: SQL, *, are_few: bool = False) -> list[Composable]:
        """Which rows there are at all: as of the point, and belonging to the row above."""
        scope: list[Composable] = []
        if self._declared.two_times:
            t = self._target.alias
            found = rows.format(t=t)
            scope.append(EARLY.format(t=t, rows=found) if are_few else found)
        if self._declared.on:
            scope.append(fragment(self._declared.on, a=source.alias, t=self._target.alias))
        return scope

    def _count(self, source: Source) -> int:
        self._names.gathers = True
        table, t = table_of(self._declared.table), self._target.alias
        if not self._declared.two_times:
            where = all_of([*self._scope(source, AS_OF), *self._conditions])
            return source.column(_COUNT_ROWS.format(table=table, t=t, condition=where))
        are_few = self._names.is_early
        return source.column(
            _COUNT.format(
                condition=all_of(self._conditions),
                table=table,
                t=t,
                shown=all_of(self._scope(source, AS_OF, are_few=are_few)),
                scope=all_of(self._scope(source, POSSIBLE)),
                possible=all_of(self._scope(source, POSSIBLE, are_few=are_few)),
                unique=Identifier(self._declared.unique),
            )
        )
