"""From a selection to one SQL statement, by what each field declares that it reads.

A plan walks the selection of a field once. Each selected field adds columns to the statement and
says how its value is made of a fetched row; the values stand under the response names, where the
resolvers look them up. Connections are correlated arrays of rows, so nesting adds no statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)
from graphql.execution.values import get_argument_values, get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective
from psycopg.sql import SQL, Composable, Identifier, Literal, Placeholder
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_arguments

from schema.reading import (
    READS,
    Columns,
    ToFigure,
    ToKeyed,
    ToList,
    ToOne,
    ToPage,
    ToRecord,
)
from schema.scalars import ALL_SCALARS

Row: TypeAlias = tuple[Any, ...]
Value: TypeAlias = Callable[[Row], Any]
Selected: TypeAlias = dict[str, list[FieldNode]]

_CONFIG = StrawberryConfig()

AS_OF = SQL("{t}.known @> %(position)s::int8 AND {t}.effective @> %(day)s::date")

class Planned:
    """An object as planned: its values by response name, and the name of its GraphQL type."""

    __slots__ = ("type_name", "values")

    def __init__(self, type_name: str, values: dict[str, Any]) -> None:
        self.type_name = type_name
        self.values = values

    def __getitem__(self, response_name: str) -> Any:
        return self.values[response_name]


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


@dataclass(slots=True)
class Statement:
    """A statement with its parameters, and what is made of the rows that it gives."""

    sql: Composable
    parameters: dict[str, Any]
    finish: Callable[[Sequence[Row]], Any]


class Plan:
    """The plan of one field of a request."""

    def __init__(self, info: GraphQLResolveInfo, parameters: Mapping[str, Any]) -> None:
        self.schema: GraphQLSchema = info.schema
        self._fragments = info.fragments
        self._variables = info.variable_values
        self.parameters: dict[str, Any] = dict(parameters)
        self._aliases = 0

    def statement(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Statement:
        """The statement of a field that starts from no row: one of `Ledger`, or of `Query`."""
        node = nodes[0]
        declared, arguments = self._declared(parent, node), self._arguments(parent, node)
        named = get_named_type(parent.fields[node.name.value].type)
        match declared:
            case ToPage():
                source = Source(Identifier("none"))
                value = self._page(source, declared, named, nodes, arguments)
                sql = SQL("SELECT {}").format(SQL(", ").join(source.columns))
                return Statement(sql, self.parameters, lambda rows: value(rows[0]))
            case ToFigure():
                return self._figure(declared, named, nodes, arguments)
            case ToKeyed():
                (key,) = arguments.values()
                where = SQL("{a}.key = {key}").format(
                    a=Identifier("one"), key=self.parameter(str(key), "text")
                )
                return self.one(declared.table, named, nodes, Identifier("one"), where)
        raise TypeError(f"{parent.name}.{node.name.value} can't be read on its own")

    def one(
        self,
        table: str,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
        alias: Identifier,
        where: Composable,
        *,
        two_times: bool = True,
    ) -> Statement:
        """The statement of the one row of `table` that satisfies `where`."""
        source = Source(alias)
        value = self.object(source, named, self.selected(named, nodes))
        if two_times:
            where = SQL("{} AND {}").format(where, AS_OF.format(t=alias))
        sql = self._select(source, table, where)
        return Statement(sql, self.parameters, lambda rows: value(rows[0]) if rows else None)

    def object(self, source: Source, named: GraphQLObjectType, selected: Selected) -> Value:
        """How an object of the type `named` is made of a row of `source`."""
        values = {name: self._field(source, named, nodes) for name, nodes in selected.items()}
        return lambda row: Planned(named.name, {name: make(row) for name, make in values.items()})

    def parameter(self, value: Any, sql_type: str) -> Composable:
        """A new parameter, cast to its type so that the plan doesn't depend on its value."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return SQL("{}::{}").format(Placeholder(name), SQL(sql_type))

    def alias(self) -> Identifier:
        """A new alias."""
        self._aliases += 1
        return Identifier(f"t{self._aliases}")

    def selected(self, named: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Selected:
        """The fields selected on an object of the type `named`, by response name."""
        found: Selected = {}
        for node in nodes:
            if node.selection_set is not None:
                for selection in self._flattened(named, node.selection_set):
                    name = (selection.alias or selection.name).value
                    if not selection.name.value.startswith("__"):
                        found.setdefault(name, []).append(selection)
        return found

    def _flattened(
        self, named: GraphQLObjectType, selections: SelectionSetNode
    ) -> Iterator[FieldNode]:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    if self._applies(selection.type_condition, named):
                        yield from self._flattened(named, selection.selection_set)
                case FragmentSpreadNode():
                    fragment = self._fragments[selection.name.value]
                    if self._applies(fragment.type_condition, named):
                        yield from self._flattened(named, fragment.selection_set)

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and bool(include is None or include["if"])

    def _applies(self, condition: Any, named: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == named.name:
            return True
        asked = self.schema.get_type(condition.name.value)
        return is_abstract_type(asked) and self.schema.is_sub_type(asked, named)

    def _declared(self, parent: GraphQLObjectType, node: FieldNode) -> Any:
        definition = parent.fields[node.name.value].extensions["strawberry-definition"]
        return definition.metadata.get(READS)

    def _arguments(self, parent: GraphQLObjectType, node: FieldNode) -> dict[str, Any]:
        graphql_field = parent.fields[node.name.value]
        definition = graphql_field.extensions["strawberry-definition"]
        given = get_argument_values(graphql_field, node, self._variables)
        refuse_nul(given, node)
        converted: dict[str, Any] = convert_arguments(
            given, definition.arguments, scalar_registry=ALL_SCALARS, config=_CONFIG
        )
        return converted

    def _field(self, source: Source, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Value:
        declared = self._declared(parent, nodes[0])
        named = get_named_type(parent.fields[nodes[0].name.value].type)
        match declared:
            case Columns():
                return self._columns(source, parent, declared)
            case ToOne():
                return self._to_one(source, declared, named, nodes)
            case ToRecord():
                return self._to_record(source, named, nodes)
            case ToList():
                return self._to_list(source, declared, named, nodes)
            case ToPage():
                arguments = self._arguments(parent, nodes[0])
                return self._page(source, declared, named, nodes, arguments)
        raise TypeError(f"{parent.name}.{nodes[0].name.value} doesn't say what it reads")

    def _columns(self, source: Source, parent: GraphQLObjectType, declared: Columns) -> Value:
        origin = parent.extensions["strawberry-definition"].origin
        kind = SQL("{}::text").format(Literal(getattr(origin, "kind_name", "")))
        places = [
            source.column(
                column_of(source.alias, name)
                if name.isidentifier()
                else fragment(name, a=source.alias, kind=kind)
            )
            for name in declared.columns
        ]
        make = declared.make
        if make is None:
            (place,) = places
            return lambda row: row[place]
        return lambda row: make(*[row[place] for place in places])

    def _to_one(
        self, source: Source, declared: ToOne, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        target = Source(self.alias())
        return self._joined(source, target, declared.table, declared.on, named, nodes)

    def _joined(
        self,
        source: Source,
        target: Source,
        table: str,
        on: str,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
    ) -> Value:
        """Join the row that `on` leads to; its columns become columns of `source`'s row."""
        condition = fragment(on, a=source.alias, t=target.alias)
        if is_two_times(table):
            condition = SQL("{} AND {}").format(condition, AS_OF.format(t=target.alias))
        source.joins.append(
            SQL("LEFT JOIN {} AS {} ON {}").format(table_of(table), target.alias, condition)
        )
        here = source.column(column_of(target.alias, "position"))
        inner = Source(target.alias, source.columns, source.joins)
        make = self.object(inner, named, self.selected(named, nodes))
        return lambda row: None if row[here] is None else make(row)

    def _to_record(self, source: Source, named: Any, nodes: list[FieldNode]) -> Value:
        """Join every kind's table, each for the rows of its own kind."""
        kind = source.column(column_of(source.alias, "kind"))
        makers = {}
        for possible in self.schema.get_possible_types(named):
            origin = possible.extensions["strawberry-definition"].origin
            on = "{t}.key = {a}.key AND {a}.kind = " + f"'{origin.kind_name}'"
            target = Source(self.alias())
            makers[origin.kind_name] = self._joined(
                source, target, origin.table, on, possible, nodes
            )
        return lambda row: makers[row[kind]](row) if row[kind] in makers else None

    def _to_list(
        self, source: Source, declared: ToList, named: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Value:
        target = Source(self.alias())
        make = self.object(target, named, self.selected(named, nodes))
        where = fragment(declared.on, a=source.alias, t=target.alias)
        order = fragment(declared.order, t=target.alias)
        target.column(column_of(target.alias, "position"))
        place = source.column(self.array(target, declared.table, where, order, SQL("ALL")))
        return lambda row: [make(found) for found in row[place]]

    def _figure(
        self,
        declared: ToFigure,
        named: GraphQLObjectType,
        nodes: list[FieldNode],
        arguments: dict[str, Any],
    ) -> Statement:
        source = Source(Identifier("figure"))
        make = self.object(source, named, self.selected(named, nodes))
        self.parameters |= declared.parameters(**arguments)
        columns = source.columns or [SQL("1")]
        sql = SQL("SELECT {} FROM ({}) AS figure {} ORDER BY {}").format(
            SQL(", ").join(columns),
            fragment(declared.sql),
            SQL(" ").join(source.joins),
            fragment(declared.order),
        )
        return Statement(sql, self.parameters, lambda rows: [make(row) for row in rows])

    def _page(
        self,
        source: Source,
        declared: ToPage,
        connection: GraphQLObjectType,
        nodes: list[FieldNode],
        arguments: dict[str, Any],
    ) -> Value:
        """A connection as columns of the row above it: an array of rows, and a count."""
        from schema.page_plan import PagePlan  # noqa: PLC0415  # The two plans are one recursion.

        return PagePlan(self, source, declared, arguments).value(connection, nodes)

    def array(
        self, target: Source, table: str, where: Composable, order: Composable, limit: Composable
    ) -> Composable:
        return SQL("ARRAY({} ORDER BY {} LIMIT {})").format(
            self._select(target, table, where, as_row=True), order, limit
        )

    def _select(
        self, source: Source, table: str, where: Composable, *, as_row: bool = False
    ) -> Composable:
        return SQL("SELECT {} FROM {} AS {} {} WHERE {}").format(
            SQL("ROW({})" if as_row else "{}").format(SQL(", ").join(source.columns or [SQL("1")])),
            table_of(table),
            source.alias,
            SQL(" ").join(source.joins),
            where,
        )


def all_of(conditions: Sequence[Composable]) -> Composable:
    """The conditions, joined by AND; true if there are none."""
    return SQL(" AND ").join(conditions) if conditions else SQL("true")


def column_of(alias: Identifier, name: str) -> Composable:
    """A column by its alias and name."""
    return SQL("{}.{}").format(alias, Identifier(name))


def table_of(name: str) -> Identifier:
    """A table by the name that a declaration gives it: `schema.table`."""
    return Identifier(*name.split("."))


def fragment(sql: str, **names: Composable) -> Composable:
    """A declared fragment of SQL with its names put in."""
    return SQL(sql).format(**names)


def is_two_times(table: str) -> bool:
    """Whether a table has the three ranges: those of `projections` do."""
    return table.startswith("projections.")


def refuse_nul(value: Any, node: FieldNode) -> None:
    """A `GraphQLError` if a text has a NUL, which libpq would cut off silently."""
    if isinstance(value, str):
        if "\0" in value:
            raise GraphQLError("a text can't have a NUL character", node)
    elif isinstance(value, Mapping):
        for item in value.values():
            refuse_nul(item, node)
    elif isinstance(value, list | tuple):
        for item in value:
            refuse_nul(item, node)
