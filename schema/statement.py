"""The pieces of a statement: its rows and columns, its parameters, and what is made of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

Row: TypeAlias = tuple[Any, ...]
Value: TypeAlias = Callable[[Row], Any]

AS_OF = SQL(
    "coalesce({t}.known @> %(position)s::int8, false)"
    " AND coalesce({t}.effective @> %(day)s::date, false)"
)
"""The rows of a two-time table, aliased `t`, that hold as of the point: the cautious reading.

They are never null; projections/timeline.py says why there is a `coalesce`.
"""

POSSIBLE = SQL(
    "coalesce({t}.known @> %(position)s::int8, false)"
    " AND coalesce({t}.possible @> %(day)s::date, false)"
)
"""The candidates: the rows that may hold as of the point."""

EARLY = SQL("lower({t}.known) <= %(position)s::int8 AND {rows}")
"""Some of these, where few were known by then: found by when they became known."""

# The `OFFSET` keeps them together. The planner would walk an index in the order that is wanted,
# taking it that the page is full before what became known later has been skipped.
EARLY_FIRST = SQL("(SELECT * FROM {table} AS {t} WHERE {rows} OFFSET 0)")
"""A table's early rows, found before anything else is done with them."""


@dataclass(slots=True)
class Statement:
    """A statement with its parameters, and what is made of the rows that it gives."""

    sql: SQL | Composed
    parameters: dict[str, Any]
    finish: Callable[[Sequence[Row]], Any]


@dataclass(slots=True)
class Source:
    """The rows that an object's fields read: an alias, and what is selected and joined there."""

    alias: Identifier
    columns: list[Composable] = field(default_factory=list)
    joins: list[Composable] = field(default_factory=list)

    def column(self, expression: Composable) -> int:
        """Select `expression` and return where in the row it will be found."""
        if expression not in self.columns:
            self.columns.append(expression)
        return self.columns.index(expression)

    def shared(self, name: str, computed: Composable) -> Composed:
        """The column `name` of a row that is computed once for all rows that it is the same for."""
        # PostgreSQL remembers what a subquery gave, by what it was given, unless it is pulled up.
        alias = Identifier(f"{name}_{self.alias.as_string()[1:-1]}")
        join = SQL("LEFT JOIN LATERAL (SELECT {} AS {} OFFSET 0) AS {} ON true").format(
            computed, Identifier(name), alias
        )
        if join not in self.joins:
            self.joins.append(join)
        return column_of(alias, name)

    def selected(self) -> Composed:
        """What is selected; SQL wants something even where nothing is."""
        return SQL(", ").join(self.columns or [SQL("1")])

    def joined(self) -> Composed:
        """What is joined."""
        return SQL(" ").join(self.joins)

    def select(self, table: Composable, where: Composable, *, as_row: bool = False) -> Composed:
        """The statement of this source's rows in `table`; each as one value, or as its columns."""
        return SQL("SELECT {} FROM {} AS {} {} WHERE {}").format(
            SQL("ROW({})" if as_row else "{}").format(self.selected()),
            table,
            self.alias,
            self.joined(),
            where,
        )

    def array(
        self, table: Composable, where: Composable, order: Composable, limit: Composable
    ) -> Composed:
        """This source's rows in `table` as one value: an array of rows."""
        rows = self.select(table, where, as_row=True)
        return SQL("ARRAY({} ORDER BY {} LIMIT {})").format(rows, order, limit)


class Names:
    """The parameters and the aliases of one statement.

    `slots` says where the value of a parameter comes from: the number of a site in the document,
    and the place among the values that its arguments bring. `gathers` is whether the statement goes
    through rows to count them, to add them up or to compute something of them all; otherwise it
    finds each by a key, or at its place in an order. `is_early` is whether its point is.
    """

    def __init__(self, *, is_early: bool) -> None:
        self.slots: dict[str, tuple[int, int]] = {}
        self.is_early = is_early
        self.gathers = False
        self._aliases = 0

    def parameter(self, site: int, index: int, sql_type: str) -> Composed:
        """A parameter, cast to its type so that the plan doesn't depend on its value."""
        name = f"p{site}_{index}"
        self.slots[name] = site, index
        return SQL("{}::{}").format(Placeholder(name), SQL(sql_type))

    def alias(self) -> Identifier:
        """A new alias."""
        self._aliases += 1
        return Identifier(f"t{self._aliases}")


def all_of(conditions: Sequence[Composable]) -> Composable:
    """The conditions, joined by AND; true if there are none."""
    return SQL(" AND ").join(conditions) if conditions else SQL("true")


def column_of(alias: Identifier, name: str) -> Composed:
    """A column by its alias and name."""
    return SQL("{}.{}").format(alias, Identifier(name))


def table_of(name: str) -> Identifier:
    """A table by the name that a declaration gives it: `schema.table`."""
    return Identifier(*name.split("."))


def fragment(sql: str, **names: Composable) -> Composed:
    """A declared fragment of SQL with its names put in."""
    return SQL(sql).format(**names)


def is_two_times(table: str) -> bool:
    """Whether a table has the three ranges: those of `projections` do."""
    return table.startswith("projections.")
