"""What a request selects: fragments and directives worked in, arguments read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_non_null_type,
)
from graphql.execution.values import (
    VariableValues,
    get_argument_values,
    get_directive_values,
)
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_arguments

from schema.reading import READS, Info, Reads
from schema.scalars import ALL_SCALARS

Selected: TypeAlias = dict[str, list[FieldNode]]
"""The nodes that select a field, by response name: several, where a document repeats it."""

_CONFIG = StrawberryConfig()


class Selection:
    """What the operation of a request selects, beginning with one of its fields."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: dict[str, Any],
        parent: GraphQLObjectType,
        nodes: list[FieldNode],
    ) -> None:
        self.schema = schema
        self.parent = parent
        self.nodes = nodes
        self._fragments = fragments
        # Strawberry hands out the plain dict that graphql-core keeps within this.
        self.variables = VariableValues({}, variables)

    @classmethod
    def of(cls, info: Info) -> Selection:
        """What is selected of the field that is being resolved."""
        # Strawberry keeps what it doesn't wrap itself here: the fragments, the parent type.
        raw: GraphQLResolveInfo[Any] = info._raw_info  # noqa: SLF001  # It has no other name.
        return cls(
            raw.schema, raw.fragments, info.variable_values, raw.parent_type, raw.field_nodes
        )

    @property
    def name(self) -> str:
        """The response name of the field that it begins with."""
        return (self.nodes[0].alias or self.nodes[0].name).value

    def under(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Selection:
        """The same request, beginning with another of its fields."""
        return Selection(self.schema, self._fragments, self.variables.coerced, parent, nodes)

    def fields(self, named: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Selected:
        """The fields that `nodes` select on an object of the type `named`."""
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        return self._collected(named, sets)

    def fields_of(self, named: GraphQLObjectType, selections: SelectionSetNode) -> Selected:
        """The fields that a selection set, such as an operation's own, selects on `named`."""
        return self._collected(named, [selections])

    def object_type(self, name: str) -> GraphQLObjectType:
        """The object type of that name."""
        named = self.schema.type_map[name]
        assert isinstance(named, GraphQLObjectType), f"{name} is an object type"
        return named

    def possible_types(self, name: str) -> dict[str, GraphQLObjectType]:
        """The object types of an interface of records, by the kind of record."""
        return _possible_types(self.schema, name)

    def arguments(self, parent: GraphQLObjectType, node: FieldNode) -> dict[str, Any]:
        """The arguments of a field, as its Python declaration has them."""
        return arguments_of(parent, node, self.variables)

    def _collected(self, named: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Selected:
        found: Selected = {}
        # What is spread again adds nothing, and thirty fragments of two spreads would be a billion.
        spread: set[str] = set()
        for selections in sets:
            for node in self._flattened(named, selections, spread):
                found.setdefault((node.alias or node.name).value, []).append(node)
        return found

    def _flattened(
        self, named: GraphQLObjectType, selections: SelectionSetNode, spread: set[str]
    ) -> Iterator[FieldNode]:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    if self._applies(selection.type_condition, named):
                        yield from self._flattened(named, selection.selection_set, spread)
                case FragmentSpreadNode() if selection.name.value not in spread:
                    spread.add(selection.name.value)
                    fragment = self._fragments[selection.name.value]
                    if self._applies(fragment.type_condition, named):
                        yield from self._flattened(named, fragment.selection_set, spread)

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and bool(include is None or include["if"])

    def _applies(self, condition: Any, named: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == named.name:
            return True
        asked = self.schema.type_map[condition.name.value]
        return is_abstract_type(asked) and self.schema.is_sub_type(asked, named)


def declared_by(parent: GraphQLObjectType, node: FieldNode) -> Reads | None:
    """What a field declares that it reads."""
    definition = parent.fields[node.name.value].extensions["strawberry-definition"]
    declared: Reads | None = definition.metadata.get(READS)
    return declared


@cache
def _possible_types(schema: GraphQLSchema, name: str) -> dict[str, GraphQLObjectType]:
    interface: Any = schema.type_map[name]
    return {origin_of(named).kind_name: named for named in schema.get_possible_types(interface)}


def arguments_of(
    parent: GraphQLObjectType, node: FieldNode, variables: VariableValues
) -> dict[str, Any]:
    """The arguments of a field, as its Python declaration has them."""
    field = parent.fields[node.name.value]
    given = get_argument_values(field, node, variables)
    definition = field.extensions["strawberry-definition"]
    converted: dict[str, Any] = convert_arguments(
        given, definition.arguments, scalar_registry=ALL_SCALARS, config=_CONFIG
    )
    return converted


def python_name(parent: GraphQLObjectType, node: FieldNode) -> str:
    """What a field is called where it is declared."""
    definition = parent.fields[node.name.value].extensions["strawberry-definition"]
    return str(definition.python_name)


def is_typename(nodes: list[FieldNode]) -> bool:
    """Whether nodes select `__typename`, the only field that every object has."""
    return nodes[0].name.value == "__typename"


def is_nullable(parent: GraphQLObjectType, node: FieldNode) -> bool:
    """Whether a field may be null."""
    return not is_non_null_type(full_type_of(parent, node))


def full_type_of(parent: GraphQLObjectType, node: FieldNode) -> GraphQLOutputType:
    """The type of a field."""
    full: GraphQLOutputType = parent.fields[node.name.value].type
    return full


def type_of(parent: GraphQLObjectType, node: FieldNode) -> Any:
    """The type of a field, without what says that it is a list, or not null."""
    return get_named_type(parent.fields[node.name.value].type)


def origin_of(named: GraphQLObjectType) -> Any:
    """The class that declares an object type."""
    return named.extensions["strawberry-definition"].origin
