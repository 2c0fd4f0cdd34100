"""What a field reads, declared on the field.

The planner (schema/plan.py) turns a selection of such fields into one SQL statement; the resolver
of every one of them only looks its value up. So nothing is fetched that was not selected, no row
causes a further statement, and a compiler of whole operations has the same declarations to work
from.

In SQL fragments `{a}` stands for the alias of the row that a field belongs to, `{t}` for the row
that it leads to; `%(day)s` and `%(position)s` are the as-of point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import strawberry
from strawberry.types.fields.resolver import StrawberryResolver

T = TypeVar("T")

READS = "reads"
"""The name under which a field's declaration is found in its metadata."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of the row itself: `make` gets those of `columns`, in order.

    A column is a name, a fragment of SQL with `{a}` in it, or one that is shared by many rows.
    """

    columns: tuple[str | Shared, ...]
    make: Callable[..., Any] | None = None

    def names(self) -> tuple[str, ...]:
        """What the columns are called, for people to read."""
        return tuple(one.name if isinstance(one, Shared) else one for one in self.columns)


@dataclass(frozen=True, slots=True)
class Shared:
    """The column `name` of what `sql` computes for the row `{a}`, the same for many rows.

    It is joined, so that PostgreSQL computes it once for all rows that it is the same for.
    """

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class ToOne:
    """At most one row of `table`, found by `on`; as of the same point if it is a two-time table."""

    table: str
    on: str


@dataclass(frozen=True, slots=True)
class ToComputed:
    """At most one row computed for the row `{a}` above, by a statement that may name its columns.

    What the fields of the object read are the columns that `sql` gives.
    """

    sql: str


@dataclass(frozen=True, slots=True)
class ToRecord:
    """The record that a row names by its columns `kind` and `key`, whatever kind it is."""


@dataclass(frozen=True, slots=True)
class ToList:
    """All rows of `table` found by `on`, in the order of `order`: only where they are ever few.

    Of those found, the ones are given that `keep` makes something true of.
    """

    table: str
    on: str
    order: str
    keep: Columns | None = None


@dataclass(frozen=True, slots=True)
class ToPage:
    """A connection over `table`. `on` links it to the row above; empty under the ledger itself.

    `orders` gives for each order's name its column, which is never null, and that column's SQL
    type; the first is the default. Rows are never equal in an order: `unique` is appended to it.
    """

    table: str
    orders: Mapping[str, tuple[str, str]]
    on: str = ""
    unique: str = "key"
    two_times: bool = True


@dataclass(frozen=True, slots=True)
class ToFigure:
    """Rows computed by a statement of their own.

    `sql` may name the parameters that `parameters` makes of the field's arguments. Of `measures` it
    need compute those alone of which a column is wanted: `%(wants_net)s` says whether one of `net`
    is.
    """

    sql: str
    order: str
    parameters: Callable[..., dict[str, Any]] = field(default=dict)
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToKeyed:
    """The row of `table` that has the field's only argument in a column, its key unless said.

    The column is its name and its SQL type. Of several rows it is the first in the order of keys.
    """

    table: str
    column: tuple[str, str] = ("key", "text")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field of a filter asks of a row: SQL with `{a}`, and `{value}` for what is given."""

    sql: str
    sql_type: str


_PARTS = "parts"


def column_by_column(*names: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorates what makes an object whose fields `names` are its arguments, as they are.

    Of a first argument that is null it makes nothing. So the text of such an object can be written
    without making it.
    """

    def decorated(make: Callable[..., T]) -> Callable[..., T]:
        setattr(make, _PARTS, names)
        return make

    return decorated


def parts_of(make: Callable[..., Any] | None) -> tuple[str, ...]:
    """The fields that `make` takes as arguments; none if it is not so decorated."""
    parts: tuple[str, ...] = getattr(make, _PARTS, ())
    return parts


Reads: TypeAlias = Columns | ToOne | ToComputed | ToRecord | ToList | ToPage | ToFigure | ToKeyed

Info: TypeAlias = strawberry.Info[Any, None]


class Planned:
    """An object as planned: its values by response name, and the name of its GraphQL type."""

    __slots__ = ("type_name", "values")

    def __init__(self, type_name: str, values: dict[str, Any]) -> None:
        self.type_name = type_name
        self.values = values

    def __getitem__(self, response_name: str) -> Any:
        return self.values[response_name]


def looked_up(root: Any, info: Info) -> T:  # type: ignore[type-var]  # What its caller declares.
    """The resolver of every planned field: its value stands under its response name.

    A value may be a `GraphQLError`: handed to the executor, it becomes the error of this field.
    """
    found: T = root[info.path.key]
    return found


LOOKED_UP: StrawberryResolver[Any] = StrawberryResolver(looked_up)
"""One for all fields: given the function, Strawberry would read its signature for each of them."""


def planned(what: Reads, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Decorates a field with arguments, whose method looks up what the planner made of them."""
    field: Callable[..., Any] = strawberry.field(metadata={READS: what}, description=description)
    return field


def part(description: str) -> Any:
    """A part of a connection, which the connection's own plan fills."""
    return strawberry.field(resolver=LOOKED_UP, description=description)


def reads(what: Reads, description: str) -> Any:
    """A field that reads what `what` says; its type is the annotation's."""
    return strawberry.field(resolver=LOOKED_UP, metadata={READS: what}, description=description)


def column(description: str, name: str) -> Any:
    """A field that gives one column as it is."""
    return reads(Columns((name,)), description)


def made(description: str, make: Callable[..., Any], *columns: str | Shared) -> Any:
    """A field that `make` computes of some columns."""
    return reads(Columns(columns, make), description)


def condition(description: str, sql: str, sql_type: str) -> Any:
    """A field of a filter; what is left out asks nothing."""
    return strawberry.field(
        default=None, metadata={READS: Condition(sql, sql_type)}, description=description
    )


def any_of(description: str, name: str) -> Any:
    """A field of a filter that lists the values which a text column may have."""
    return condition(description, f"{{a}}.{name} = ANY({{value}})", "text[]")
