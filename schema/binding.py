"""What the arguments of a field bring to a statement: what shapes it, and what it is given.

The SQL of a statement depends on the shape alone: on which fields of a filter are given, the order,
which cursors there are. All values are parameters, so a statement that was planned once serves
every request of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLError, GraphQLObjectType

from schema.pagination import Order, Page
from schema.reading import READS, Condition, ToFigure, ToPage

Arguments: TypeAlias = dict[str, Any]
"""The arguments of a field by their Python names, those that were left out not among them."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Arguments as a statement takes them: `values` are its parameters, in an order of its own."""

    shape: Hashable
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            _refuse_unsendable(value)


@dataclass(frozen=True, slots=True)
class Standpoint(Bound):
    """The as-of point as the statements below it have it: the day, the position, the families.

    The shape is whether all families may be seen, and whether the point is early.
    """

    is_early: bool

    @classmethod
    def of(
        cls,
        day: date,
        position: int | None,
        families: list[str] | None,
        *,
        is_early: bool = False,
    ) -> Standpoint:
        """The standpoint; without a position, that of the statement before."""
        return cls((families is None, is_early), (day, position, families), is_early)


@dataclass(frozen=True, slots=True)
class PageBound(Bound):
    """The arguments of a connection.

    The values are those of the filter, those of the cursors, and how many rows are fetched.
    """

    page: Page
    order: Order
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the document whose arguments a statement takes, and how they are read there."""

    parent: GraphQLObjectType
    node: FieldNode
    read: Callable[[Arguments], Bound]
    bound: Bound


def page_bound(declared: ToPage, arguments: Arguments) -> PageBound:
    """The arguments of a connection; a `GraphQLError` if they are none."""
    page = Page.of(**{name: arguments.get(name) for name in ("first", "after", "last", "before")})
    order = _order(declared, arguments.get("order_by"))
    conditions, values = _filtered(arguments.get("filter"))
    for name, cursor in (("after", page.after), ("before", page.before)):
        if cursor is not None:
            values += order.place(cursor, argument=name)
    shape = (
        order.name,
        page.backward,
        tuple(condition.sql for condition in conditions),
        page.after is not None,
        page.before is not None,
    )
    return PageBound(shape, (*values, page.size + 1), page, order, tuple(conditions))


@dataclass(frozen=True, slots=True)
class FigureBound(Bound):
    """The arguments of a figure: the values are in the order of `names`.

    What was left out, and what is a matter of yes or no, is among the `constants`, as SQL has them:
    a plan is made knowing them.
    """

    names: tuple[str, ...]
    constants: dict[str, str]


_CONSTANTS = {None: "NULL", True: "true", False: "false"}


def figure_bound(declared: ToFigure, arguments: Arguments) -> FigureBound:
    """The arguments of a figure."""
    parameters = declared.parameters(**arguments)
    constants = {
        name: _CONSTANTS[value]
        for name, value in parameters.items()
        if value is None or isinstance(value, bool)
    }
    given = {name: value for name, value in parameters.items() if name not in constants}
    shape = (tuple(given), tuple(constants.items()))
    return FigureBound(shape, tuple(given.values()), tuple(given), constants)


def key_bound(arguments: Arguments) -> Bound:
    """The only argument of a field that finds a row by it."""
    (value,) = arguments.values()
    return Bound((), (str(value),))


def _order(declared: ToPage, asked: Enum | None) -> Order:
    """The order asked for, or else the list's first."""
    name = next(iter(declared.orders)) if asked is None else str(asked.value)
    unique_type = "text" if declared.unique == "key" else "int8"
    return Order(
        declared.table.split(".")[-1], name, declared.orders[name], (declared.unique, unique_type)
    )


def _filtered(given: Any) -> tuple[list[Condition], list[Any]]:
    """The conditions of the filter's fields that were given, and the values that they name."""
    conditions: list[Condition] = []
    values: list[Any] = []
    if given is not None:
        for definition in given.__strawberry_definition__.fields:
            value = getattr(given, definition.python_name)
            asked = definition.metadata.get(READS)
            if value is not None and isinstance(asked, Condition):
                conditions.append(asked)
                values.append(_plain(value))
    return conditions, values


def _plain(value: Any) -> Any:
    """A filter's value as the driver takes it: enums by their values."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _refuse_unsendable(value: Any) -> None:
    """A `GraphQLError` if a text is none for PostgreSQL: libpq would cut it off at a NUL."""
    if isinstance(value, list):
        for item in value:
            _refuse_unsendable(item)
    elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise GraphQLError("a text can't have a NUL character or half of a surrogate pair")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
