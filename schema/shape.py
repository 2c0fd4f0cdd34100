"""What a statement's rows hold: the tree that planning leaves beside the SQL.

Three things read it: what resolvers look up (schema/lookup.py), the JSON text of a compiled
operation (schema/rendering.py), and whoever asks what a document reads (schema/explain.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLError, GraphQLOutputType


@dataclass(frozen=True, slots=True)
class Typename:
    """The name of the object's type."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A field whose arguments are none."""

    error: GraphQLError


@dataclass(frozen=True, slots=True)
class Cells:
    """A value that `make` computes of some columns, or one column as it is.

    `nodes` select what is wanted of it, where it is an object. With `is_text` the row has the text
    of a decimal.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    make: Callable[..., Any] | None
    type: GraphQLOutputType
    nodes: list[FieldNode]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a row, its fields by their response names."""

    type_name: str
    fields: dict[str, Shape]


@dataclass(frozen=True, slots=True)
class One:
    """The object that a row leads to, or that is computed for it; none if `here` is null.

    The column `here` is the position of the row that it leads to. Where it `is_computed`, `table`
    is in words what of.
    """

    table: str
    here: int
    object: Object
    nullable: bool
    is_computed: bool = False


@dataclass(frozen=True, slots=True)
class AnyRecord:
    """The record that a row names, of the kind in the column `kind`; none if there is none."""

    kind: int
    by_kind: dict[str, One]


@dataclass(frozen=True, slots=True)
class Listed:
    """The objects of an array of rows that `keeps` makes something true of."""

    table: str
    place: int
    object: Object
    keeps: Cells | None


@dataclass(frozen=True, slots=True)
class Nodes:
    """The objects of a page."""

    object: Object


@dataclass(frozen=True, slots=True)
class Cursor:
    """The cursor of an edge."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a page, the fields of each by their response names."""

    type_name: str
    fields: dict[str, Object | Cursor | Typename]


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a page lies among the others."""

    type: GraphQLOutputType
    nodes: list[FieldNode]


@dataclass(frozen=True, slots=True)
class Total:
    """How many nodes there are on all pages."""

    place: int
    two_times: bool
    type: GraphQLOutputType
    nodes: list[FieldNode]


Part: TypeAlias = "Nodes | Edges | Facts | Total | Typename"


@dataclass(frozen=True, slots=True)
class Paged:
    """A connection: its rows in an array at the place `rows`, if any of them is wanted.

    `site` is which of the statement's sites has its arguments; `cursor` is where a row has what
    its cursor is made of.
    """

    table: str
    type_name: str
    site: int
    rows: int | None
    cursor: tuple[int, ...]
    parts: dict[str, Part]


Shape: TypeAlias = "Typename | Refused | Cells | One | AnyRecord | Listed | Paged"


@dataclass(frozen=True, slots=True)
class First:
    """The object of the first row; none if there is no row."""

    object: Object
    nullable: bool


@dataclass(frozen=True, slots=True)
class Every:
    """The objects of all rows."""

    object: Object


@dataclass(frozen=True, slots=True)
class Page:
    """A connection: in the only row; or, if `spread`, every row is one of its own."""

    paged: Paged
    spread: bool


Root: TypeAlias = First | Every | Page
"""What all rows of a statement are together."""
