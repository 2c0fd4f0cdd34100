"""From a validated document to compiled operations: statements, and how their rows are written.

What a document compiles to depends on the variables that steer `@skip` and `@include`, and on the
shape of the arguments (schema/binding.py); for each it is compiled once. Everything else that
changes from request to request is a parameter.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    get_operation_ast,
    visit,
)
from graphql.execution.values import VariableValues, get_variable_values

from ledger.dates import HomeZone
from schema.as_of import POINT_SLOTS, POINTS, PointBound, point_bound, resolved
from schema.binding import Arguments, Bound, Standpoint
from schema.channel import PLANNED_TO_GATHER, PLANNED_TO_SEEK, Sent, as_text
from schema.distance import Distances
from schema.plan import Plan, Reading
from schema.query import node_bound, now_bound, single
from schema.rendering import NotCompiled, Rendering
from schema.selection import Selection, arguments_of, full_type_of, is_typename
from schema.statement import Row

T = TypeVar("T")

MOST_SHAPES = 10
"""Of so many shapes, the last used, are the compiled operations of a document kept."""

MOST_BOUND = 50
"""So many values of its variables, at the most, does a place keep what they bring for."""

LONGEST_KEPT = 200
"""Longer texts among those values, in characters, are not kept."""

SEEKING, GATHERING = (
    "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in each.items())
    for each in ({name: PLANNED_TO_SEEK[name] for name in PLANNED_TO_GATHER}, PLANNED_TO_GATHER)
)
"""What tells the planner which of the two the statements behind it do."""

SETTING = "(SELECT current_setting('secretariat.position')::int8)"
"""The position that the statement before, in the same transaction, found for the point."""

_POINT = """
    SELECT point.*, set_config('secretariat.position', point.position::text, true)
      FROM ({sql}) AS point (position, recorded_at, rules, head)"""

_PARAMETER = re.compile(r"%(?:\((\w+)\)s|(%))")

Rows: TypeAlias = Sequence[Sequence[Row]]
"""The rows of every statement of an operation."""


@dataclass(slots=True)
class Request:
    """What a request brings to a compiled document."""

    variables: VariableValues
    zone: HomeZone
    families: list[str] | None
    distances: Distances


Bind: TypeAlias = Callable[[Request, list[Bound]], Bound]
"""What a request brings to one place of the document, given what it brings to those before."""


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, and where among the places and their values its parameters are."""

    sql: bytes
    slots: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Compiled:
    """A compiled operation: the places that bring parameters, its statements, and its text.

    `points` are the places of as-of points, each with the statement that resolves it. It `gathers`
    if one of its statements does.
    """

    binds: list[Bind] = field(default_factory=list)
    shapes: list[Hashable] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    readings: list[tuple[str, Reading | None]] = field(default_factory=list)
    points: list[tuple[int, int]] = field(default_factory=list)
    gathers: bool = False
    write: Callable[[Rows, Sequence[Bound]], str] = field(default=lambda rows, bounds: "{}")

    def bound(self, request: Request) -> list[Bound] | None:
        """What a request brings to each place; None if it is of another shape."""
        bounds: list[Bound] = []
        for bind, shape in zip(self.binds, self.shapes, strict=True):
            bound = bind(request, bounds)
            if bound.shape != shape:
                return None
            bounds.append(bound)
        return bounds

    def statements(self, bounds: Sequence[Bound]) -> list[Sent]:
        """The statements with their parameters."""
        return [
            (step.sql, [as_text(bounds[place].values[index]) for place, index in step.slots])
            for step in self.steps
        ]


class CompiledDocument:
    """One operation of a document that was found valid; a `NotCompiled` if it is no query."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        operation = get_operation_ast(document, name)
        if operation is None or operation.operation is not OperationType.QUERY:
            raise NotCompiled
        self._schema = schema
        self._operation: OperationDefinitionNode = operation
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        steering = _Steering()
        # Not of the other operations, whose variables may have the same names.
        for node in (operation, *self._fragments.values()):
            visit(node, steering)
        self._steering = sorted(steering.names)
        self._compiled: OrderedDict[Hashable, Compiled] = OrderedDict()

    def __len__(self) -> int:
        return len(self._compiled)

    def request(
        self,
        variables: Mapping[str, Any],
        zone: HomeZone,
        families: list[str] | None,
        distances: Distances,
    ) -> Request:
        """A request; raises the first error of its variables."""
        definitions = self._operation.variable_definitions or ()
        values = get_variable_values(self._schema, definitions, dict(variables), max_errors=1)
        if isinstance(values, list):
            raise values[0]
        return Request(values, zone, families, distances)

    def compiled(self, request: Request) -> tuple[Compiled, list[Bound]]:
        """The operation in the shape of a request, and what the request brings to it.

        Raises `NotCompiled`, or the `GraphQLError` of an argument that is none.
        """
        coerced = request.variables.coerced
        steered = tuple(coerced.get(name) for name in self._steering)
        for key, compiled in reversed(self._compiled.items()):
            if key[0] == steered:  # type: ignore[index]  # Made below.
                bounds = compiled.bound(request)
                if bounds is not None:
                    self._compiled.move_to_end(key)
                    return compiled, bounds
        selection = Selection(self._schema, self._fragments, coerced, self._query_type(), [])
        compiled = Compiler(selection, request).operation(self._operation)
        bounds = compiled.bound(request)
        assert bounds is not None, "it was compiled for this request"
        self._compiled[steered, tuple(compiled.shapes)] = compiled
        if len(self._compiled) > MOST_SHAPES:
            self._compiled.popitem(last=False)
        return compiled, bounds

    def _query_type(self) -> GraphQLObjectType:
        query = self._schema.query_type
        assert query is not None, "there is something to ask"
        return query


class Compiler:
    """Compiles an operation in the shape of one request."""

    def __init__(self, selection: Selection, request: Request) -> None:
        self._selection = selection
        self._request = request
        self._rendering = Rendering(selection)
        self._compiled = Compiled()
        self._gathers = False

    def operation(self, operation: OperationDefinitionNode) -> Compiled:
        """The compiled operation."""
        query = self._selection.parent
        fields = self._selection.fields_of(query, operation.selection_set)
        texts = [
            (name, self._root(self._selection.under(query, nodes)))
            for name, nodes in fields.items()
        ]
        self._compiled.write = _object(texts)
        return self._compiled

    def _root(self, selection: Selection) -> Callable[[Rows, Sequence[Bound]], str]:
        """The text of a field of `Query`."""
        parent, nodes = selection.parent, selection.nodes
        name = nodes[0].name.value
        if is_typename(nodes):
            return _always(f'"{parent.name}"')
        if name.startswith("__"):
            raise NotCompiled
        if name == "ledger":
            return self._ledger(selection)
        if name == "record":
            site, find = self._point(selection)
            statement_point = self._bind(_below(site))
        else:
            find = None
            statement_point = self._bind(
                lambda request, _: now_bound(request.zone, request.families)
            )
        reading = single(selection, self._standpoint(statement_point), as_text=True)
        if reading is None:
            # That an id names nothing shapes the operation: of another one something is to be read.
            read = partial(node_bound, selection)
            self._bind(_bound_as(_Remembered(parent, nodes[0], read)))
        text = self._reading(selection.name, reading, statement_point, is_now=name != "record")
        return text if find is None else _after(find, text)

    def _ledger(self, selection: Selection) -> Callable[[Rows, Sequence[Bound]], str]:
        site, find = self._point(selection)
        point = self._bind(_below(site))
        named = selection.object_type("Ledger")
        texts: list[tuple[str, Callable[[Rows, Sequence[Bound]], str]]] = []
        for name, nodes in selection.fields(named, selection.nodes).items():
            if is_typename(nodes):
                text = _always(f'"{named.name}"')
            elif nodes[0].name.value == "asOf":
                write = self._rendering.text(full_type_of(named, nodes[0]), nodes)
                text = partial(_written, write, find)
            else:
                reading = Plan(selection, self._standpoint(point), as_text=True).reading(
                    named, nodes
                )
                text = self._reading(f"{selection.name}.{name}", reading, point, is_now=False)
            texts.append((name, text))
        return _after(find, _object(texts))

    def _standpoint(self, place: int) -> Standpoint:
        """What the request that is compiled for brings to the place of a standpoint."""
        bound = self._bounds[place]
        assert isinstance(bound, Standpoint), "the place is that of a standpoint"
        return bound

    @property
    def _bounds(self) -> list[Bound]:
        bounds: list[Bound] = []
        for bind in self._compiled.binds:
            bounds.append(bind(self._request, bounds))
        return bounds

    def _bind(self, bind: Bind) -> int:
        """The number of a new place."""
        self._compiled.binds.append(bind)
        self._compiled.shapes.append(self._bounds[-1].shape)
        return len(self._compiled.binds) - 1

    def _point(self, selection: Selection) -> tuple[int, Callable[[Rows, Sequence[Bound]], Any]]:
        """The place of a field's argument `asOf`, and how the point is found."""
        arguments = _Remembered(selection.parent, selection.nodes[0], lambda given: given)
        # Without a day in it, the point moves on with the calendar.
        place = self._bind(
            lambda request, _: point_bound(request.zone, arguments.made_of(request.variables))
        )
        sql = _POINT.format(sql=POINTS[str(self._bounds[place].shape)].as_string())
        slots = {name: (place, index) for index, name in enumerate(POINT_SLOTS)}
        step = self._step(f"the point of `{selection.name}`", sql, slots)

        self._compiled.points.append((place, step))

        def find(rows: Rows, bounds: Sequence[Bound]) -> Any:
            bound = bounds[place]
            assert isinstance(bound, PointBound), "the place is that of a point"
            return resolved(bound, rows[step])

        return place, find

    def _reading(
        self, name: str, reading: Reading | None, point: int, *, is_now: bool
    ) -> Callable[[Rows, Sequence[Bound]], str]:
        """The text of a reading, whose statement becomes one of the operation's."""
        if reading is None:
            return _always("null")
        places = [point]
        for site in reading.sites:
            remembered = _Remembered(site.parent, site.node, site.read)
            places.append(self._bind(_bound_as(remembered)))
        slots = {name: (places[s], index) for name, (s, index) in reading.slots.items()}
        if not is_now:
            del slots["position"]
        self._compiled.gathers |= reading.gathers
        if reading.gathers != self._gathers:
            self._gathers = reading.gathers
            title = "how those that follow are planned"
            self._step(title, GATHERING if reading.gathers else SEEKING, {})
        step = self._step(name, reading.sql.as_string(), slots, reading)
        write = self._rendering.root(reading.root)
        if len(places) == 1:
            return lambda rows, bounds: write(rows[step], (bounds[point],))
        own = itemgetter(*places)
        return lambda rows, bounds: write(rows[step], own(bounds))

    def _step(
        self,
        title: str,
        sql: str,
        slots: Mapping[str, tuple[int, int]],
        reading: Reading | None = None,
    ) -> int:
        self._compiled.steps.append(_step(sql, slots))
        self._compiled.readings.append((title, reading))
        return len(self._compiled.steps) - 1


class _Steering(Visitor):
    """Finds the names of the variables that steer what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names.update(
            argument.value.name.value
            for argument in node.arguments or ()
            if isinstance(argument.value, VariableNode)
        )


class _Variables(Visitor):
    """Finds the names of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _variables_of(node: FieldNode) -> tuple[str, ...]:
    """The variables that a field's arguments have."""
    variables = _Variables()
    arguments: Sequence[Node] = node.arguments or ()
    for argument in arguments:
        visit(argument, variables)
    return tuple(variables.names)


class _Remembered(Generic[T]):
    """What `make` makes of a field's arguments, remembered for the last values of their variables.

    Coercing and converting arguments takes longer than everything else that is done of a request
    before its statements are sent.
    """

    def __init__(
        self, parent: GraphQLObjectType, node: FieldNode, make: Callable[[Arguments], T]
    ) -> None:
        self._parent = parent
        self._node = node
        self._names = _variables_of(node)
        self._make = make
        self._made: dict[Hashable, T] = {}

    def made_of(self, variables: VariableValues) -> T:
        """What is made for these values; raises what coercing or making raises."""
        coerced = variables.coerced
        try:
            key = tuple([_hashable(coerced.get(name, Undefined)) for name in self._names])
        except TypeError:
            return self._make(arguments_of(self._parent, self._node, variables))
        if key not in self._made:
            if len(self._made) >= MOST_BOUND:
                self._made.clear()
            self._made[key] = self._make(arguments_of(self._parent, self._node, variables))
        return self._made[key]


def _hashable(value: Any) -> Hashable:
    """The value with tuples for its lists and objects; TypeError if it is not to be remembered."""
    match value:
        case str() if len(value) > LONGEST_KEPT:
            raise TypeError("a long text")
        case list():
            return tuple(map(_hashable, value))
        case dict():
            return tuple((name, _hashable(each)) for name, each in value.items())
    hash(value)
    return value  # type: ignore[no-any-return]  # It has a hash.


def _bound_as(remembered: _Remembered[Bound]) -> Bind:
    return lambda request, _: remembered.made_of(request.variables)


def _below(site: int) -> Bind:
    """What the statements below a point have of it; they get the position from its own."""

    def bind(request: Request, bounds: list[Bound]) -> Bound:
        day, position, before = bounds[site].values
        is_early = request.distances.is_early(position, before)
        return Standpoint.of(day, None, request.families, is_early=is_early)

    return bind


def _step(sql: str, slots: Mapping[str, tuple[int, int]]) -> Step:
    """The statement with its parameters numbered; a position that has no place is the setting's."""
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        name = found.group(1)
        if name is None:
            return "%"
        if name == "position" and name not in slots:
            return SETTING
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    text = _PARAMETER.sub(numbered, sql)
    return Step(text.encode(), tuple(slots[name] for name in numbers))


def _object(
    texts: list[tuple[str, Callable[[Rows, Sequence[Bound]], str]]],
) -> Callable[[Rows, Sequence[Bound]], str]:
    places = [f'"{name}":%s' for name, _ in texts]
    template = f"{{{','.join(places)}}}"
    return lambda rows, bounds: template % tuple([text(rows, bounds) for _, text in texts])


def _always(text: str) -> Callable[[Rows, Sequence[Bound]], str]:
    return lambda rows, bounds: text


def _after(
    find: Callable[[Rows, Sequence[Bound]], Any], text: Callable[[Rows, Sequence[Bound]], str]
) -> Callable[[Rows, Sequence[Bound]], str]:
    """The text, if the point can be found."""

    def found(rows: Rows, bounds: Sequence[Bound]) -> str:
        find(rows, bounds)
        return text(rows, bounds)

    return found


def _written(
    write: Callable[[Any], str],
    find: Callable[[Rows, Sequence[Bound]], Any],
    rows: Rows,
    bounds: Sequence[Bound],
) -> str:
    return write(find(rows, bounds))
