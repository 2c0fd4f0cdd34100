"""From a statement's rows to JSON text: one renderer for each kind of field.

A renderer takes many rows and gives a text for each, so that what is done for every row is done in
few steps. It writes what the executor and orjson would have written; whatever they would refuse
(null where it may not be, an integer beyond 32 bits) raises, and the operation is run the ordinary
way, which says where it went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
)

from schema.binding import Bound, PageBound
from schema.lookup import cells, total
from schema.pagination import Found
from schema.scalar_text import LEAVES, Texts, dumped, written_decimals
from schema.selection import Selection, full_type_of, is_typename
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
    Part,
    Refused,
    Root,
    Shape,
    Total,
    Typename,
)
from schema.statement import Row

Bounds: TypeAlias = Sequence[Bound]
Renderer: TypeAlias = Callable[[Sequence[Row], Bounds], list[str]]
"""The texts of a field for many rows; `Bounds` are the arguments of the statement's sites."""

NULL = "null"


class NotCompiled(Exception):
    """The compiler doesn't know what is selected; the ordinary way does."""


class Unwritable(Exception):
    """A value is none for its field; the ordinary way says which."""


class Rendering:
    """Makes the renderers of what a request selects."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    def root(self, root: Root) -> Callable[[Sequence[Row], Bounds], str]:
        """The text of all rows of a statement."""
        match root:
            case First():
                first = self._object(root.object)
                none = _none(nullable=root.nullable)
                return lambda rows, bounds: first(rows[:1], bounds)[0] if rows else none(None)
            case Every():
                each = self._object(root.object)
                return lambda rows, bounds: _array(each(rows, bounds))
        page = self._page(root.paged)
        if root.spread:
            return lambda rows, bounds: page((), rows, bounds)
        place = root.paged.rows
        return lambda rows, bounds: page(rows[0], () if place is None else rows[0][place], bounds)

    def _object(self, shape: Object) -> Renderer:
        template, parts = self._pieces(shape)
        if not parts:
            text = template % ()
            return lambda rows, bounds: [text] * len(rows)
        return lambda rows, bounds: [
            template % texts for texts in zip(*[part(rows, bounds) for part in parts], strict=True)
        ]

    def _pieces(self, shape: Object) -> tuple[str, list[Renderer]]:
        """The template of an object, and what fills its places.

        An object of columns that is always there is a part of it rather than a text of its own.
        """
        texts: list[str] = []
        parts: list[Renderer] = []
        for name, field in shape.fields.items():
            match field:
                case Typename(named):
                    text = f'"{named}"'
                case One(here=here, object=inner, nullable=False) if _fails_where_null(inner, here):
                    text, more = self._pieces(inner)
                    parts += more
                case _:
                    text = "%s"
                    parts.append(self._field(field))
            texts.append(f'"{name}":{text}')
        return f"{{{','.join(texts)}}}", parts

    def _field(self, shape: Shape) -> Renderer:
        match shape:
            case Cells():
                return self._cells(shape)
            case One():
                return self._one(shape)
            case AnyRecord():
                return self._any_record(shape)
            case Listed():
                return self._listed(shape)
            case Paged(rows=place):
                page = self._page(shape)
                return lambda rows, bounds: [
                    page(row, () if place is None else row[place], bounds) for row in rows
                ]
            case Refused(error):
                raise error
        raise NotCompiled

    def _cells(self, shape: Cells) -> Renderer:
        texts = self._nullable(shape.type, self._written(shape))
        get, make = itemgetter(*shape.places), shape.make
        if make is None:
            return lambda rows, _: texts(list(map(get, rows)))
        if len(shape.places) == 1:
            return lambda rows, _: texts([make(get(row)) for row in rows])
        return lambda rows, _: texts([make(*get(row)) for row in rows])

    def _one(self, shape: One) -> Renderer:
        render, here = self._object(shape.object), shape.here
        none = _none(nullable=shape.nullable)
        if shape.is_computed:

            def computed(rows: Sequence[Row], bounds: Bounds) -> list[str]:
                there = [row for row in rows if row[here] is not None]
                if len(there) == len(rows):
                    return render(rows, bounds)
                following = iter(render(there, bounds))
                return [none(None) if row[here] is None else next(following) for row in rows]

            return computed

        def texts(rows: Sequence[Row], bounds: Bounds) -> list[str]:
            # Many rows lead to the same few, which are told apart by their position as of a point.
            different = {row[here]: row for row in rows}
            if None in different:
                none(different.pop(None))
            found = render(list(different.values()), bounds)
            written = {None: NULL, **dict(zip(different, found, strict=True))}
            return [written[row[here]] for row in rows]

        return texts

    def _any_record(self, shape: AnyRecord) -> Renderer:
        kind = shape.kind
        renderers = {name: self._one(one) for name, one in shape.by_kind.items()}

        def texts(rows: Sequence[Row], bounds: Bounds) -> list[str]:
            following = {
                name: iter(render([row for row in rows if row[kind] == name], bounds))
                for name, render in renderers.items()
            }
            return [next(following[row[kind]]) if row[kind] in following else NULL for row in rows]

        return texts

    def _listed(self, shape: Listed) -> Renderer:
        render, place = self._object(shape.object), shape.place
        keeps = None if shape.keeps is None else cells(shape.keeps)
        return lambda rows, bounds: [
            _array(render([found for found in row[place] if keeps is None or keeps(found)], bounds))
            for row in rows
        ]

    # Connections.

    def _page(self, shape: Paged) -> Callable[[Row, Sequence[Row], Bounds], str]:
        """The text of a connection, of the row above and of the rows fetched for it."""
        site, cursor = shape.site, shape.cursor
        template = _template({name: _constant_part(part) for name, part in shape.parts.items()})
        parts = [self._part(p) for p in shape.parts.values() if not isinstance(p, Typename)]

        def text(row: Row, fetched: Sequence[Row], bounds: Bounds) -> str:
            bound = bounds[site]
            assert isinstance(bound, PageBound), "the site is a connection's"
            found = Found.of(fetched, bound.page, bound.order, cursor)
            return template % tuple([part(row, found, bounds) for part in parts])

        return text

    def _part(self, part: Part) -> Callable[[Row, Found, Bounds], str]:
        match part:
            case Nodes():
                render = self._object(part.object)
                return lambda _, found, bounds: _array(render(found.rows, bounds))
            case Edges():
                return self._edges(part)
            case Total():
                write, count = self.text(part.type, part.nodes), total(part)
                return lambda row, found, _: write(count(row, found))
            case Facts():
                write_facts = self.text(part.type, part.nodes)
                return lambda _, found, __: write_facts(found.page_info())
        raise NotCompiled

    def _edges(self, edges: Edges) -> Callable[[Row, Found, Bounds], str]:
        template = _template({name: _constant_part(field) for name, field in edges.fields.items()})
        fields = [
            _cursors if isinstance(field, Cursor) else _nodes(self._object(field))
            for field in edges.fields.values()
            if not isinstance(field, Typename)
        ]
        if not fields:
            return lambda _, found, __: _array([template % ()] * len(found.rows))

        def text(_: Row, found: Found, bounds: Bounds) -> str:
            columns = [field(found, bounds) for field in fields]
            return _array([template % texts for texts in zip(*columns, strict=True)])

        return text

    # Values.

    def texts(self, of: GraphQLOutputType, nodes: list[FieldNode]) -> Texts:
        """How values of a type are written, of which `nodes` select what is wanted."""
        return self._nullable(of, lambda plain: self._plain(plain, nodes))

    def _written(self, shape: Cells) -> Callable[[Any], Texts]:
        if shape.is_text:
            return lambda _: written_decimals
        return lambda plain: self._plain(plain, shape.nodes)

    def _nullable(self, of: GraphQLOutputType, written: Callable[[Any], Texts]) -> Texts:
        """How values of a type are written, given how those of its plain type are."""
        if isinstance(of, GraphQLNonNull):
            return written(of.of_type)
        plain = written(of)

        def nullable(values: Sequence[Any]) -> list[str]:
            there = [value for value in values if value is not None]
            if len(there) == len(values):
                return plain(values)
            following = iter(plain(there))
            return [NULL if value is None else next(following) for value in values]

        return nullable

    def text(self, of: GraphQLOutputType, nodes: list[FieldNode]) -> Callable[[Any], str]:
        """How one value of a type is written."""
        texts = self.texts(of, nodes)
        return lambda value: texts((value,))[0]

    def _plain(self, of: Any, nodes: list[FieldNode]) -> Texts:
        """How values that are not null are written; of null it raises."""
        match of:
            case GraphQLList():
                items = self.texts(of.of_type, nodes)
                return lambda values: [_array(items(value)) for value in values]
            case GraphQLScalarType():
                return LEAVES.get(of.name) or _serialized(of.coerce_output_value)
            case GraphQLEnumType():
                return _serialized(of.coerce_output_value)
            case GraphQLObjectType():
                return self._value_objects(of, nodes)
        raise NotCompiled

    def _value_objects(self, named: GraphQLObjectType, nodes: list[FieldNode]) -> Texts:
        """Objects that a field computes, whose own fields are their attributes."""
        constants: dict[str, str | None] = {}
        columns: list[tuple[Callable[[Any], Any], Texts]] = []
        for name, each in self._selection.fields(named, nodes).items():
            constants[name] = named.name if is_typename(each) else None
            if not is_typename(each):
                get = attrgetter(_attribute(named, each[0]))
                columns.append((get, self.texts(full_type_of(named, each[0]), each)))
        template = _template(constants)

        def objects(values: Sequence[Any]) -> list[str]:
            if NoneType in map(type, values):
                raise Unwritable
            if not columns:
                return [template % ()] * len(values)
            written = [texts(list(map(get, values))) for get, texts in columns]
            return [template % each for each in zip(*written, strict=True)]

        return objects


def _attribute(named: GraphQLObjectType, node: FieldNode) -> str:
    definition = named.fields[node.name.value].extensions["strawberry-definition"]
    if definition.base_resolver is not None:
        raise NotCompiled
    return str(definition.python_name)


def _serialized(serialize: Callable[[Any], Any]) -> Texts:
    def texts(values: Sequence[Any]) -> list[str]:
        if NoneType in map(type, values):
            raise Unwritable
        return [dumped(serialize(value)) for value in values]

    return texts


def _none(*, nullable: bool) -> Callable[[Any], str]:
    def write(_: Any) -> str:
        if not nullable:
            raise Unwritable
        return NULL

    return write


def _array(texts: Sequence[str]) -> str:
    return f"[{','.join(texts)}]"


def _template(constants: dict[str, str | None]) -> str:
    """An object with a place for the text of each field that has no constant one."""
    texts = (
        f'"{name}":{"%s" if text is None else encode_basestring(text)}'
        for name, text in constants.items()
    )
    return f"{{{','.join(texts)}}}"


def _fails_where_null(shape: Object, place: int) -> bool:
    """Whether an object of columns can't be written of a row that has null at a place."""
    return any(
        isinstance(field, Cells)
        and field.is_text
        and field.places == (place,)
        and isinstance(field.type, GraphQLNonNull)
        for field in shape.fields.values()
    )


def _constant_part(part: Any) -> str | None:
    return part.name if isinstance(part, Typename) else None


def _cursors(found: Found, _: Bounds) -> list[str]:
    return [encode_basestring(found.cursor(index)) for index in range(len(found.rows))]


def _nodes(render: Renderer) -> Callable[[Found, Bounds], list[str]]:
    return lambda found, bounds: render(found.rows, bounds)
