"""The plan of a connection: its rows as an array, its count, its cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLObjectType
from psycopg.sql import SQL, Composable, Composed, Identifier

from schema.pagination import Order, Page, PageInfo
from schema.reading import READS, Condition, Planned, ToPage
from schema.selection import Selection, type_of
from schema.statement import (
    AS_OF,
    Names,
    Row,
    Source,
    Value,
    all_of,
    column_of,
    fragment,
    table_of,
)
from schema.values import Count

_POSSIBLE = SQL("{t}.known @> %(position)s::int8 AND {t}.possible @> %(day)s::date")

_COUNT = SQL("""(
    SELECT ROW(count(*) FILTER (WHERE held AND shown), count(*) FILTER (WHERE may_hold))
      FROM (SELECT bool_and(({condition}) IS TRUE) AS held,
                   bool_or(({condition}) IS TRUE) AS may_hold,
                   bool_or({t}.effective @> %(day)s::date) AS shown
              FROM {table} AS {t} WHERE {possible} GROUP BY {t}.{unique}) AS counted)""")

_COUNT_ROWS = SQL("(SELECT count(*) FROM {table} AS {t} WHERE {condition})")

ObjectPlan: TypeAlias = Callable[[Source, GraphQLObjectType, list[FieldNode]], Value]
"""How an object of a type, selected by some nodes, is made of a source's rows."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page in the order asked for, and whether there are more."""

    rows: Sequence[Row]
    page: Page
    more: bool
    order: Order
    places: Sequence[int]

    @classmethod
    def of(cls, rows: Sequence[Row], page: Page, order: Order, places: Sequence[int]) -> Found:
        """One row more was fetched than the page has, to learn whether there is another page."""
        shown = list(rows[: page.size])
        if page.backward:
            shown.reverse()
        return cls(shown, page, len(rows) > page.size, order, places)

    def cursor(self, index: int) -> str:
        """The cursor of a row."""
        value, unique = (self.rows[index][place] for place in self.places)
        return self.order.cursor(value, unique)

    def page_info(self) -> PageInfo:
        """Relay's four facts about the page."""
        page = self.page
        return PageInfo(
            has_next_page=page.before is not None or (self.more and not page.backward),
            has_previous_page=page.after is not None or (self.more and page.backward),
            start_cursor=self.cursor(0) if self.rows else None,
            end_cursor=self.cursor(-1) if self.rows else None,
        )


Part: TypeAlias = Callable[[Row, Found], Any]
"""What makes a part of a connection, of the row above and of what was found."""


class PagePlan:
    """The plan of one connection."""

    def __init__(
        self,
        selection: Selection,
        names: Names,
        plan_object: ObjectPlan,
        declared: ToPage,
        arguments: dict[str, Any],
    ) -> None:
        self._selection = selection
        self._names = names
        self._plan_object = plan_object
        self._declared = declared
        self._page = Page.of(
            **{name: arguments.get(name) for name in ("first", "after", "last", "before")}
        )
        self._order = _order(declared, arguments.get("order_by"))
        self._target = Source(names.alias())
        self._conditions = self._filter(arguments.get("filter"))
        self._bounds = [*self._bound("after", ">"), *self._bound("before", "<")]

    def value(self, source: Source, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Value:
        """How the connection is made of a row of `source`: rows as one column, counts as others."""
        selected = self._selection.fields(connection, nodes)
        parts = {
            name: self._part(source, connection, part_nodes)
            for name, part_nodes in selected.items()
        }
        places = [self._target.column(column) for column in self._ordering()]
        needs_rows = any(nodes[0].name.value != "totalCount" for nodes in selected.values())
        rows = source.column(self._rows(source)) if needs_rows else None

        def make(row: Row) -> Planned:
            fetched = () if rows is None else row[rows]
            found = Found.of(fetched, self._page, self._order, places)
            values = {name: make_part(row, found) for name, make_part in parts.items()}
            return Planned(connection.name, values)

        return make

    def _part(self, source: Source, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
        named = type_of(connection, nodes[0])
        match nodes[0].name.value:
            case "nodes":
                make = self._plan_object(self._target, named, nodes)
                return lambda _, found: [make(row) for row in found.rows]
            case "edges":
                return self._edges(named, nodes)
            case "totalCount":
                return self._count(source)
        return lambda _, found: found.page_info()

    def _edges(self, edge: GraphQLObjectType, nodes: list[FieldNode]) -> Part:
        parts: dict[str, Callable[[Found, int], Any]] = {}
        for name, part_nodes in self._selection.fields(edge, nodes).items():
            if part_nodes[0].name.value == "node":
                named = type_of(edge, part_nodes[0])
                parts[name] = _node(self._plan_object(self._target, named, part_nodes))
            else:
                parts[name] = Found.cursor
        return lambda _, found: [
            Planned(edge.name, {name: make(found, index) for name, make in parts.items()})
            for index in range(len(found.rows))
        ]

    def _ordering(self) -> list[Composed]:
        columns = (self._order.column, self._order.unique)
        return [column_of(self._target.alias, name) for name, _ in columns]

    def _rows(self, source: Source) -> Composable:
        direction = SQL(" DESC" if self._page.backward else " ASC")
        order = SQL(", ").join(column + direction for column in self._ordering())
        where = all_of([*self._scope(source, AS_OF), *self._conditions, *self._bounds])
        limit = self._names.parameter(self._page.size + 1, "int8")
        return self._target.array(self._declared.table, where, order, limit)

    def _scope(self, source: Source, as_of: SQL) -> list[Composable]:
        """Which rows there are at all: as of the point, and belonging to the row above."""
        scope: list[Composable] = []
        if self._declared.two_times:
            scope.append(as_of.format(t=self._target.alias))
        if self._declared.on:
            scope.append(fragment(self._declared.on, a=source.alias, t=self._target.alias))
        return scope

    def _filter(self, given: Any) -> list[Composable]:
        """The conditions of the filter's fields that were given."""
        if given is None:
            return []
        conditions: list[Composable] = []
        for definition in given.__strawberry_definition__.fields:
            value = getattr(given, definition.python_name)
            asked = definition.metadata.get(READS)
            if value is not None and isinstance(asked, Condition):
                place = self._names.parameter(_plain(value), asked.sql_type)
                conditions.append(fragment(asked.sql, a=self._target.alias, value=place))
        return conditions

    def _bound(self, argument: str, sign: str) -> list[Composable]:
        """The condition that a cursor sets, if one is given."""
        cursor = self._page.after if argument == "after" else self._page.before
        if cursor is None:
            return []
        value, unique = self._order.place(cursor, argument=argument)
        place = (
            self._names.parameter(value, self._order.column[1]),
            self._names.parameter(unique, self._order.unique[1]),
        )
        return [SQL("({}, {}) {} ({}, {})").format(*self._ordering(), SQL(sign), *place)]

    def _count(self, source: Source) -> Part:
        table, t = table_of(self._declared.table), self._target.alias
        if not self._declared.two_times:
            where = all_of([*self._scope(source, AS_OF), *self._conditions])
            counted = source.column(_COUNT_ROWS.format(table=table, t=t, condition=where))
            return lambda row, _: row[counted]
        counted = source.column(
            _COUNT.format(
                condition=all_of(self._conditions),
                table=table,
                t=t,
                possible=all_of(self._scope(source, _POSSIBLE)),
                unique=Identifier(self._declared.unique),
            )
        )
        return lambda row, _: Count.of(row[counted])


def _order(declared: ToPage, asked: Enum | None) -> Order:
    """The order asked for, or else the list's first."""
    name = next(iter(declared.orders)) if asked is None else str(asked.value)
    unique_type = "text" if declared.unique == "key" else "int8"
    return Order(
        declared.table.split(".")[-1], name, declared.orders[name], (declared.unique, unique_type)
    )


def _node(make: Value) -> Callable[[Found, int], Any]:
    return lambda found, index: make(found.rows[index])


def _plain(value: Any) -> Any:
    """A filter's value as the driver takes it: enums by their values."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
