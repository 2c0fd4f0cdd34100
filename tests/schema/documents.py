"""Random documents over the schema: names, arguments, variables, fragments, directives.

They are valid by construction. A field that has arguments, or another type in another kind of
node, gets a name of its own, so that no two fields of one name differ; and what is selected twice
is to be merged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.schema.oracle import KEYED, Node, Oracle, Store, lists, object_type, stated_schema

DEPTH = 7
"""How many fields may lie within each other."""

MOST_NAMES = 60
"""How many names a document gives, so that it keeps within the limits even if fragments repeat."""

NO_SIZE = -1
"""A size that no page has: its error is to show where it was made."""

VALUES: dict[str, Sequence[Any]] = {
    "String": ["USD", "GENERAL", "contribution", "state", "registrar", "contribution.received"],
    "ID": [
        *("KAZ", "C-1", "C-2", "S-0", "P-1", "MAIN", "SEC", "2023", "EGY", "ZZZ"),
        *("ECO", "PA01", "PLAN-2022", "A-1", "CPI", "CPI-KAZ", "EU", "R-1"),
    ],
    "Int": [2023, 2022],
    "Date": ["2022-06-30", "2021-05-12", "2030-01-01"],
    "BigInt": [0, 7, "20", "9223372036854775807"],
    "Boolean": [True, False],
}


Choose: TypeAlias = Callable[[Sequence[Any]], Any]
"""Chooses one of some values."""


@dataclass(frozen=True)
class Document:
    """A document, and the values of its variables."""

    text: str
    variables: Mapping[str, Any]


@dataclass
class Enum:
    """The name of an enum's value, which a document has without quotes."""

    name: str


def documents(oracle: Oracle) -> st.SearchStrategy[Document]:
    """Documents about what the oracle knows."""
    return st.composite(lambda draw: _document(draw, oracle))()


def _document(draw: st.DrawFn, oracle: Oracle) -> Document:
    def choose(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    return Writer(choose, oracle.now, oracle.stores).document()


@dataclass
class Scope:
    """Where in the document we are: how deep, and from which point what is here is seen."""

    store: Store
    depth: int = DEPTH
    heads: list[tuple[str, Any]] = field(default_factory=list)

    def within(self, store: Store | None = None) -> Scope:
        """One field further in."""
        return Scope(store or self.store, self.depth - 1)

    def beside(self) -> Scope:
        """In a fragment, whose fields are merged with those here, or not if it doesn't apply."""
        return Scope(self.store, self.depth)


class Writer:
    """Writes one document about what is seen `now` and, where it gives a point, from `stores`."""

    widest = 4
    """How many parts a selection may have."""

    def __init__(self, choose: Choose, now: Store, stores: Sequence[Store]) -> None:
        self._one_of = choose
        self._now = now
        self._stores = stores
        self._names = 0
        self._variables: dict[str, tuple[str, Any]] = {}
        self._fragments: dict[str, tuple[str, Store, str]] = {}

    def document(self, depth: int = DEPTH) -> Document:
        """A query with all that it needs."""
        selected = self._selection(object_type("Query"), Scope(self._now, depth))
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self._variables.items())
        fragments = " ".join(text for _, _, text in self._fragments.values())
        text = f"query {f'({declared})' if declared else ''} {selected} {fragments}"
        return Document(text, {name: value for name, (_, value) in self._variables.items()})

    def _chance(self, one_in: int) -> bool:
        return bool(self._one_of(range(one_in)) == one_in - 1)

    def _some_of(self, values: Sequence[str], most: int) -> list[str]:
        """At most so many of different values."""
        return sorted({self._one_of(values) for _ in range(self._one_of(range(most + 1)))})

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    # Selections.

    def _selection(self, named: Any, scope: Scope) -> str:
        parts = [self._part(named, scope) for _ in range(self._one_of(range(1, self.widest + 1)))]
        return f"{{ {' '.join(parts)} }}"

    def _part(self, named: Any, scope: Scope) -> str:
        if self._names >= MOST_NAMES or self._chance(12):
            return f"{self._name('t')}: __typename" if self._chance(2) else "__typename"
        if self._chance(5) and scope.depth > 1:
            return self._fragment(named, scope)
        if scope.heads and self._chance(4):
            head, declared = self._one_of(scope.heads)
            return self._field_after(head, declared, scope)
        names = [name for name, each in named.fields.items() if scope.depth > 1 or _is_leaf(each)]
        return self._field(named, self._one_of(names), scope) if names else "__typename"

    def _field(self, named: Any, name: str, scope: Scope) -> str:
        declared = named.fields[name]
        head, store = self._head(name, declared, scope)
        if store is scope.store:
            scope.heads.append((head, declared))
        return self._field_after(head, declared, scope, store)

    def _head(self, name: str, declared: GraphQLField, scope: Scope) -> tuple[str, Store]:
        """The field's name with its arguments, and the point from which what is in it is seen."""
        arguments, store = self._arguments(name, declared, scope)
        if arguments:
            return f"{self._name('f')}: {name}({', '.join(arguments)})", store
        renamed = name in _ambiguous() or self._chance(3)
        return (f"{self._name('f')}: {name}" if renamed else name), store

    def _field_after(
        self, head: str, declared: GraphQLField, scope: Scope, store: Store | None = None
    ) -> str:
        if _is_leaf(declared):
            return f"{head}{self._directives()}"
        inner = self._selection(get_named_type(declared.type), scope.within(store))
        return f"{head}{self._directives()} {inner}"

    def _fragment(self, named: Any, scope: Scope) -> str:
        conditions = _overlapping(named)
        usable = [
            name
            for name, (condition, store, _) in self._fragments.items()
            if condition in conditions and store is scope.store
        ]
        if usable and self._chance(3):
            return f"...{self._one_of(usable)}{self._directives()}"
        condition = self._one_of(conditions)
        inner = self._selection(stated_schema().type_map[condition], scope.beside())
        if self._chance(2):
            on = "" if condition == named.name and self._chance(2) else f"on {condition}"
            return f"... {on}{self._directives()} {inner}"
        name = self._name("F")
        text = f"fragment {name} on {condition} {inner}"
        self._fragments[name] = condition, scope.store, text
        return f"...{name}{self._directives()}"

    def _directives(self) -> str:
        if not self._chance(8):
            return ""
        directive = self._one_of(["include", "skip"])
        return f" @{directive}(if: {self._literal(GraphQLNonNull(_scalar('Boolean')), None)})"

    # Arguments.

    def _arguments(
        self, name: str, declared: GraphQLField, scope: Scope
    ) -> tuple[list[str], Store]:
        args, store = declared.args, scope.store
        if not args:
            return [], store
        if name in {"ledger", "record"}:
            return self._arguments_of_root(name, declared)
        given: Node = {}
        if name == "entry":
            given["position"] = self._one_of(sorted(store.entries))
        elif name == "node":
            given["id"] = self._one_of(
                [node["id"] for node in [*store.records.values(), *store.entries.values()]]
            )
        elif name in KEYED:
            _, argument, values = KEYED[name]
            given[argument] = self._one_of(values)
        elif "first" in args:
            given = self._page(name, declared, scope)
        for each in ("filter", "by", "convention"):
            if each in args and self._chance(3):
                given[each] = self._value(args[each].type)
        texts = [f"{each}: {self._literal(args[each].type, given[each])}" for each in given]
        return texts, store

    def _arguments_of_root(self, name: str, declared: GraphQLField) -> tuple[list[str], Store]:
        """A point, and for a record what it is known by."""
        store: Store = self._one_of(self._stores)
        given: Node = {}
        if name == "record":
            kind, key = self._one_of([*store.records, ("state", "ZZZ")])
            given = {"kind": kind, "id": key}
        if store.point or self._chance(4):
            given["asOf"] = dict(store.point)
        args = declared.args
        return [f"{each}: {self._literal(args[each].type, given[each])}" for each in given], store

    def _page(self, name: str, declared: GraphQLField, scope: Scope) -> Node:
        """A page: within other lists a small one; now and then of no size."""
        given: Node = {}
        within_others = name == "history"
        if within_others or self._chance(2):
            sizes = [0, 1, 2, 3] if within_others else [0, 1, 3, 7, 1000]
            size = NO_SIZE if self._chance(60) else self._one_of(sizes)
            given[self._one_of(["first", "first", "last"])] = size
        listed = list_of(declared)
        if listed is not None:
            order = self._one_of(list(scope.store.listed[listed]))
            if order != "KEY" or self._chance(3):
                given["orderBy"] = Enum(order)
            cursors = [cursor for _, cursor in scope.store.listed[listed][order]]
        else:
            cursors = list(scope.store.cursors)
        for bound in ("after", "before"):
            if cursors and self._chance(5):
                given[bound] = self._one_of(cursors)
        return given

    def _value(self, of: Any) -> Any:
        """A value of an input type."""
        plain = get_nullable_type(of)
        if plain is of and self._chance(12):
            return None
        if isinstance(plain, GraphQLList):
            return [self._value(plain.of_type) for _ in range(self._one_of(range(4)))]
        if isinstance(plain, GraphQLInputObjectType):
            names = self._some_of(sorted(plain.fields), 2)
            return {name: self._value(plain.fields[name].type) for name in names}
        if isinstance(plain, GraphQLEnumType):
            return Enum(self._one_of(list(plain.values)))
        return self._one_of(VALUES[plain.name])

    def _literal(self, of: Any, value: Any) -> str:
        """A value as it stands in the document, all or part of it in variables."""
        if value is None and isinstance(of, GraphQLNonNull):
            value = self._value(of)
        if self._chance(4):
            name = self._name("v")
            self._variables[name] = str(of), _as_json(value)
            return f"${name}"
        plain = get_nullable_type(of)
        if isinstance(value, dict):
            fields: Any = plain.fields
            texts = (f"{name}: {self._literal(fields[name].type, value[name])}" for name in value)
            return f"{{{', '.join(texts)}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._literal(plain.of_type, each) for each in value)}]"
        return value.name if isinstance(value, Enum) else json.dumps(value)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.name if isinstance(value, Enum) else value


def list_of(declared: GraphQLField) -> str | None:
    """The list of the ledger that a page is of; None if it is of entries."""
    connection = get_named_type(declared.type).name
    by_connection = {f"{named.name}Connection": name for name, named in lists().items()}
    return by_connection.get(connection)


@cache
def _ambiguous() -> set[str]:
    """The fields that nodes of several types have, and not all of the same type.

    They can't be selected beside each other, in fragments on these types, under one name.
    """
    types: dict[str, set[str]] = {}
    node: Any = stated_schema().type_map["Node"]
    for named in stated_schema().get_possible_types(node):
        for name, declared in named.fields.items():
            types.setdefault(name, set()).add(str(declared.type))
    return {name for name, several in types.items() if len(several) > 1}


def _is_leaf(declared: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(declared.type))


def _scalar(name: str) -> Any:
    return stated_schema().type_map[name]


def _overlapping(named: Any) -> list[str]:
    """The types on which a fragment within an object of the type `named` may be."""
    if not isinstance(named, GraphQLInterfaceType):
        return [named.name, *(interface.name for interface in named.interfaces)]
    possible = [each.name for each in stated_schema().get_possible_types(named)]
    return [*possible, "Node", "Record"]
