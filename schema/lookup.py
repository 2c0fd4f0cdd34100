"""From a statement's rows to the values that the resolvers look up, by their response names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from schema.binding import Bound, PageBound
from schema.pagination import Found
from schema.reading import Planned
from schema.shape import (
    AnyRecord,
    Cells,
    Cursor,
    Edges,
    Every,
    Facts,
    First,
    Listed,
    Nodes,
    Object,
    One,
    Paged,
    Refused,
    Root,
    Shape,
    Total,
    Typename,
)
from schema.statement import Row, Value
from schema.values import Count


class Lookup:
    """Makes the values of a statement's rows; `bounds` are the arguments of its sites."""

    def __init__(self, bounds: Sequence[Bound]) -> None:
        self._bounds = bounds

    def of(self, root: Root) -> Callable[[Sequence[Row]], Any]:
        """What is made of all rows of a statement."""
        match root:
            case First():
                first = self._object(root.object)
                return lambda rows: first(rows[0]) if rows else None
            case Every():
                each = self._object(root.object)
                return lambda rows: [each(row) for row in rows]
        page = self._paged(root.paged)
        if root.spread:
            return lambda rows: page((), rows)
        place = root.paged.rows
        return lambda rows: page(rows[0], () if place is None else rows[0][place])

    def _object(self, shape: Object) -> Value:
        values = {
            name: self._value(field)
            for name, field in shape.fields.items()
            # The executor answers it.
            if not isinstance(field, Typename)
        }
        type_name = shape.type_name
        return lambda row: Planned(type_name, {name: make(row) for name, make in values.items()})

    def _value(self, shape: Shape) -> Value:
        match shape:
            case Refused(error):
                # For the field's own resolver to give out, so that the error has its place.
                return lambda row: error
            case Cells():
                return cells(shape)
            case One():
                return self._one(shape)
            case AnyRecord(kind, by_kind):
                ones = {name: self._one(one) for name, one in by_kind.items()}
                return lambda row: ones[row[kind]](row) if row[kind] in ones else None
            case Listed():
                return self._listed(shape)
            case Paged(rows=place):
                page = self._paged(shape)
                return lambda row: page(row, () if place is None else row[place])
        raise TypeError(f"{shape} has no value")

    def _one(self, shape: One) -> Value:
        make, here = self._object(shape.object), shape.here
        return lambda row: None if row[here] is None else make(row)

    def _listed(self, shape: Listed) -> Value:
        make, place = self._object(shape.object), shape.place
        keeps = None if shape.keeps is None else cells(shape.keeps)
        return lambda row: [make(found) for found in row[place] if keeps is None or keeps(found)]

    def _paged(self, shape: Paged) -> Callable[[Row, Sequence[Row]], Planned]:
        """How a connection is made, of the row above and of the rows fetched for it."""
        bound = self._bounds[shape.site]
        assert isinstance(bound, PageBound), "the site is a connection's"
        parts = {name: self._part(part) for name, part in shape.parts.items() if _is_asked(part)}

        def make(row: Row, fetched: Sequence[Row]) -> Planned:
            found = Found.of(fetched, bound.page, bound.order, shape.cursor)
            values = {name: make_part(row, found) for name, make_part in parts.items()}
            return Planned(shape.type_name, values)

        return make

    def _part(self, part: Any) -> Callable[[Row, Found], Any]:
        match part:
            case Nodes():
                make = self._object(part.object)
                return lambda _, found: [make(row) for row in found.rows]
            case Edges():
                return self._edges(part)
            case Total():
                return total(part)
            case Facts():
                return lambda _, found: found.page_info()
        raise TypeError(f"{part} is no part of a connection")

    def _edges(self, edges: Edges) -> Callable[[Row, Found], Any]:
        fields: dict[str, Callable[[Found, int], Any]] = {}
        for name, field in edges.fields.items():
            match field:
                case Object():
                    fields[name] = _node(self._object(field))
                case Cursor():
                    fields[name] = Found.cursor
        return lambda _, found: [
            Planned(edges.type_name, {name: make(found, index) for name, make in fields.items()})
            for index in range(len(found.rows))
        ]


def cells(shape: Cells) -> Value:
    """How a value is made of the columns of a row."""
    make, places = shape.make, shape.places
    if make is None:
        (place,) = places
        return lambda row: row[place]
    return lambda row: make(*[row[place] for place in places])


def total(shape: Total) -> Callable[[Row, Found], Any]:
    """How the total count of a connection is made of the row above it."""
    place = shape.place
    if shape.two_times:
        return lambda row, _: Count.of(row[place])
    return lambda row, _: row[place]


def _is_asked(part: Any) -> bool:
    # The executor answers the name of a type.
    return not isinstance(part, Typename)


def _node(make: Value) -> Callable[[Found, int], Any]:
    return lambda found, index: make(found.rows[index])
