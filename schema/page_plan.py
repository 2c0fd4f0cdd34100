"""The plan of a connection: its rows as an array, its count, its cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import FieldNode, GraphQLObjectType, get_named_type
from psycopg.sql import SQL, Composable, Identifier

from schema.pagination import Page, PageInfo, decode_cursor, encode_cursor
from schema.plan import (
    AS_OF,
    Plan,
    Planned,
    Row,
    Source,
    Value,
    all_of,
    column_of,
    fragment,
    table_of,
)
from schema.reading import READS, Condition, ToPage
from schema.values import Count

_POSSIBLE = SQL("{t}.known @> %(position)s::int8 AND {t}.possible @> %(day)s::date")

_COUNT = SQL("""(
    SELECT ROW(count(*) FILTER (WHERE held AND shown), count(*) FILTER (WHERE may_hold))
      FROM (SELECT bool_and(({condition}) IS TRUE) AS held,
                   bool_or(({condition}) IS TRUE) AS may_hold,
                   bool_or({t}.effective @> %(day)s::date) AS shown
              FROM {table} AS {t} WHERE {possible} GROUP BY {t}.{unique}) AS counted)""")

_COUNT_ROWS = SQL("(SELECT count(*) FROM {table} AS {t} WHERE {condition})")


class PagePlan:
    """The plan of one connection."""

    def __init__(
        self, plan: Plan, source: Source, declared: ToPage, arguments: dict[str, Any]
    ) -> None:
        self._plan = plan
        self._source = source
        self._declared = declared
        paging = {name: arguments.get(name) for name in ("first", "after", "last", "before")}
        self._page = Page.of(**paging)
        order = arguments.get("order_by")
        self._order = order.value if order is not None else next(iter(declared.orders))
        self._column, self._type = declared.orders[self._order]
        self._target = Source(plan.alias())
        self._conditions = self._filter(arguments.get("filter"))

    def value(self, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Value:
        """How the connection is made of a row of its source."""
        selected = self._plan.selected(connection, nodes)
        makers = {name: self._part(connection, parts) for name, parts in selected.items()}
        places = [self._target.column(column_of(self._target.alias, name)) for name in self._ordering()]
        rows = self._source.column(self._rows())
        counts = {
            name: self._source.column(self._count())
            for name, parts in selected.items()
            if parts[0].name.value == "totalCount"
        }

        def make(row: Row) -> Planned:
            found = Found.of(row[rows], self._page, self._order, places)
            values = {name: part(found) for name, part in makers.items()}
            values |= {name: self._counted(row[place]) for name, place in counts.items()}
            return Planned(connection.name, values)

        return make

    def _part(self, connection: GraphQLObjectType, nodes: list[FieldNode]) -> Callable[..., Any]:
        name = nodes[0].name.value
        named = get_named_type(connection.fields[name].type)
        if name == "nodes":
            node = self._plan.object(self._target, named, self._plan.selected(named, nodes))
            return lambda found: [node(row) for row in found.rows]
        if name == "edges":
            return self._edges(named, nodes)
        return lambda found: found.page_info()

    def _edges(self, edge: GraphQLObjectType, nodes: list[FieldNode]) -> Callable[..., Any]:
        makers: dict[str, Callable[[Found, int], Any]] = {}
        for name, parts in self._plan.selected(edge, nodes).items():
            if parts[0].name.value == "node":
                named = get_named_type(edge.fields["node"].type)
                selected = self._plan.selected(named, parts)
                makers[name] = _node_at(self._plan.object(self._target, named, selected))
            else:
                makers[name] = Found.cursor
        return lambda found: [
            Planned(edge.name, {name: make(found, index) for name, make in makers.items()})
            for index in range(len(found.rows))
        ]

    def _ordering(self) -> tuple[str, str]:
        return self._column, self._declared.unique

    def _rows(self) -> Composable:
        descending = self._page.backward
        direction = SQL("DESC" if descending else "ASC")
        order = SQL(", ").join(
            SQL("{} {}").format(column_of(self._target.alias, name), direction) for name in self._ordering()
        )
        where = [*self._scope(AS_OF), *self._conditions, *self._bounds()]
        limit = self._plan.parameter(self._page.size + 1, "int8")
        table = self._declared.table
        return self._plan.array(self._target, table, all_of(where), order, limit)

    def _scope(self, as_of: SQL) -> list[Composable]:
        """Which rows there are at all: as of the point, and belonging to the row above."""
        scope: list[Composable] = []
        if self._declared.two_times:
            scope.append(as_of.format(t=self._target.alias))
        if self._declared.on:
            scope.append(
                fragment(self._declared.on, a=self._source.alias, t=self._target.alias)
            )
        return scope

    def _filter(self, given: Any) -> list[Composable]:
        """The conditions of the filter's fields that were given."""
        if given is None:
            return []
        conditions = []
        for definition in given.__strawberry_definition__.fields:
            value = getattr(given, definition.python_name)
            asked = definition.metadata.get(READS)
            if value is not None and isinstance(asked, Condition):
                place = self._plan.parameter(_plain(value), asked.sql_type)
                conditions.append(fragment(asked.sql, a=self._target.alias, value=place))
        return conditions

    def _bounds(self) -> list[Composable]:
        page, bounds = self._page, []
        for argument, cursor, sign in (("after", page.after, ">"), ("before", page.before, "<")):
            if cursor is not None:
                value, unique = decode_cursor(cursor, self._order, argument=argument)
                bounds.append(
                    SQL("({}, {}) {} ({}, {})").format(
                        *(column_of(self._target.alias, name) for name in self._ordering()),
                        SQL(sign),
                        self._plan.parameter(value, self._type),
                        self._plan.parameter(unique, self._unique_type()),
                    )
                )
        return bounds

    def _unique_type(self) -> str:
        return "text" if self._declared.unique == "key" else "int8"

    def _count(self) -> Composable:
        table, t = table_of(self._declared.table), self._target.alias
        if not self._declared.two_times:
            where = all_of([*self._scope(AS_OF), *self._conditions])
            return _COUNT_ROWS.format(table=table, t=t, condition=where)
        return _COUNT.format(
            condition=all_of(self._conditions),
            table=table,
            t=t,
            possible=all_of(self._scope(_POSSIBLE)),
            unique=Identifier(self._declared.unique),
        )

    def _counted(self, counted: Any) -> Any:
        return Count.of(counted) if self._declared.two_times else counted


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page in the order asked for, and whether there are more."""

    rows: Sequence[Row]
    page: Page
    more: bool
    order: str
    places: Sequence[int]

    @classmethod
    def of(cls, rows: Sequence[Row], page: Page, order: str, places: Sequence[int]) -> Found:
        """One row more was fetched than the page has, to learn whether there is another page."""
        shown = list(rows[: page.size])
        if page.backward:
            shown.reverse()
        return cls(shown, page, len(rows) > page.size, order, places)

    def cursor(self, index: int) -> str:
        """The cursor of a row."""
        value, unique = (self.rows[index][place] for place in self.places)
        return encode_cursor(self.order, value, unique)

    def page_info(self) -> PageInfo:
        """Relay's four facts about the page."""
        page = self.page
        return PageInfo(
            has_next_page=page.before is not None if page.backward else self.more,
            has_previous_page=self.more if page.backward else page.after is not None,
            start_cursor=self.cursor(0) if self.rows else None,
            end_cursor=self.cursor(-1) if self.rows else None,
        )


def _node_at(node: Value) -> Callable[[Found, int], Any]:
    return lambda found, index: node(found.rows[index])


def _plain(value: Any) -> Any:
    """A filter's value as the driver takes it: enums by their values."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
