"""How deep a document may be nested, and how many aliases it may have.

Strawberry's own limiters walk into a fragment as often as it is spread, so that thirty fragments,
each spread twice in the one before, keep a server busy for hours; and they fail on a fragment that
is not there. Here each fragment is measured once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import AddValidationRules

DEEPEST = 20
"""So many fields, at the most, lie within each other; what a schema says of itself aside."""

MOST_ALIASES = 200
"""So many, fragments counted as often as they are spread."""


class _Size(NamedTuple):
    depth: int
    aliases: int


_NOTHING = _Size(0, 0)


class WithinLimits(ValidationRule):
    """Refuses an operation that is nested too deeply, or has too many aliases."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        definitions = context.document.definitions
        self._fragments = {
            each.name.value: each
            for each in definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._measured: dict[str, _Size] = {}
        operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        sizes = [self._size(operation.selection_set) for operation in operations]
        if any(size.depth > DEEPEST for size in sizes):
            self.report_error(
                GraphQLError(f"the document is nested too deeply: {DEEPEST} fields are allowed")
            )
        aliases = sum(size.aliases for size in sizes)
        if aliases > MOST_ALIASES:
            self.report_error(
                GraphQLError(f"the document has too many aliases: {MOST_ALIASES} are allowed")
            )

    def _size(self, selected: SelectionSetNode | None) -> _Size:
        if selected is None:
            return _NOTHING
        sizes = [size for selection in selected.selections for size in self._sizes(selection)]
        return _Size(max(size.depth for size in sizes), sum(size.aliases for size in sizes))

    def _sizes(self, selection: SelectionNode) -> Iterator[_Size]:
        match selection:
            case FieldNode():
                within = self._size(selection.selection_set)
                is_about_itself = selection.name.value.startswith("__")
                is_leaf = selection.selection_set is None or is_about_itself
                depth = 0 if is_leaf else within.depth + 1
                yield _Size(depth, within.aliases + (selection.alias is not None))
            case InlineFragmentNode():
                yield self._size(selection.selection_set)
            case FragmentSpreadNode():
                yield self._fragment(selection.name.value)

    def _fragment(self, name: str) -> _Size:
        """The size of a fragment; one that isn't there, or holds itself, is refused elsewhere."""
        if name not in self._measured:
            self._measured[name] = _NOTHING
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._measured[name] = self._size(fragment.selection_set)
        return self._measured[name]


class Limits(AddValidationRules):
    """Adds the rule to those that a document is held to."""

    def __init__(self) -> None:
        super().__init__([WithinLimits])
