"""Random documents whose arguments are variables, and one set of values for these after another.

Nothing need be known of what is answered: a compiled answer is held to Strawberry's own. So values
may be right, of another list or order, none at all, null or left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_nullable_type,
    is_required_argument,
)

from tests.schema.documents import VALUES, Scope, Writer, list_of
from tests.schema.oracle import Store, lists, orders
from tests.schema.reader import Reader

SHALLOW = 4
"""How many fields may lie within each other: what is asked of a field matters less than of whom."""

ROOTS = ["ledger", "ledger", "ledger", "record", "entries", "entry", "node"]
"""The fields of `Query`, in the proportion in which they are asked."""

ENTRIES = "entries"

TAKEN: dict[str, Sequence[Any]] = {
    "first": [0, 1, 1.0, 7, 1000],
    "last": [0, 1, 3],
    "position": [0, 1, "1", 5, "40", 75, "99999"],
    "knownAt": ["2003-12-31", "2004-01-01T00:00:00Z", "1999-01-01", "2200-01-01T05:00:00+05:00"],
    "effectiveOn": [*VALUES["Date"], "2022-07-01", "2023-01-15"],
    "kind": ["state", "contribution", "secondment", "treaty", "no kind"],
}
"""What is given to arguments and fields of these names; to others by their types."""

SELDOM = {"last": 4, "orderBy": 4}
"""What only one in so many fields has: it makes an error of other arguments."""

WRONG: Sequence[Any] = [-1, 1001, True, 1.5, 2**40, "", "\0", [], ["KAZ", None], {}, {"no": 1}]


@dataclass(frozen=True, repr=False)
class Known:
    """What a register has: ids of nodes and of nothing, and the cursors of each list."""

    reader: Reader
    ids: Sequence[str]
    cursors: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, reader: Reader) -> Known:
        """What can be seen now, a little of each list in each of its orders."""
        selected = " ".join(
            f"{name}_{order}: {name}(first: 4, orderBy: {order})"
            " { edges { cursor node { id key } } }"
            for name in lists()
            for order in orders(name)
        )
        found = reader.data(f"{{ ledger {{ {selected} }} }}")["ledger"]
        entries = "{ entries(first: 12) { edges { cursor node { id key } } } }"
        found[ENTRIES] = reader.data(entries)[ENTRIES]
        cursors: dict[str, list[str]] = {}
        for name, page in found.items():
            ours = cursors.setdefault(name.partition("_")[0], [])
            # Those of other orders are refused where nothing is said of the order.
            times = 4 if name.endswith(("_KEY", ENTRIES)) else 1
            ours += [edge["cursor"] for edge in page["edges"]] * times
        nodes = [edge["node"] for page in found.values() for edge in page["edges"]]
        ids = {node[name] for node in nodes for name in ("id", "key")}
        nothing = ["c3RhdGUvWlpa", "bm90aGluZy9aWlo", "nothing", ENTRY]
        return cls(reader, [*sorted(ids), *nothing * (len(ids) // 8)], cursors)


ENTRY = "00000000-0000-0000-0000-000000000000"
"""The id of no entry."""


@dataclass(frozen=True)
class Variable:
    """A variable: the type that it is declared with, and which argument it is, of what."""

    type: GraphQLInputType
    owner: str
    name: str


@dataclass(frozen=True)
class Asked:
    """A document, and the values with which it is asked one after the other."""

    text: str
    values: Sequence[Mapping[str, Any]]


def asked_again(known: Known, seed: int, *, times: int) -> Asked:
    """A random document about a register, asked so many times."""
    # Hypothesis would draw most of a document as it was in the example before.
    random = Random(seed)  # noqa: S311  # The same document for the same seed, and no secret.
    return _AskingAgain(random, known).asked(times)


class _AskingAgain(Writer):
    """Writes one document, and values of its variables as often as it is asked."""

    widest = 2

    def __init__(self, random: Random, known: Known) -> None:
        super().__init__(random.choice, Store(known.reader, {}), [])
        self._known = known
        self._asked: dict[str, Variable] = {}

    def asked(self, times: int) -> Asked:
        """The document with these values."""
        text = self.document(SHALLOW).text
        values: list[Mapping[str, Any]] = []
        for _ in range(times):
            values.append(self._values(self._one_of([{}, *values]) if values else {}))
        return Asked(text, values)

    def _values(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all variables: those before but for a few, or else other ones altogether."""
        anew = list(self._asked)
        if before:
            anew = self._some_of([*anew, "undeclared"], 3)
        values = {name: value for name, value in before.items() if name not in anew}
        for name in anew:
            if name not in self._asked or self._chance(40):
                values[name] = self._one_of(WRONG)
            elif self._is_needed(name) or not self._chance(4):
                asked = self._asked[name]
                values[name] = self._value_for(asked.type, asked)
            elif self._chance(2):
                values[name] = None
        return values

    def _is_needed(self, name: str) -> bool:
        kind, _ = self._variables[name]
        return kind.endswith("!")

    # What stands in the document.

    def _selection(self, named: Any, scope: Scope) -> str:
        if named.name != "Query":
            return super()._selection(named, scope)
        roots = [self._one_of(ROOTS) for _ in range(self._one_of([1, 1, 2]))]
        return f"{{ {' '.join(self._field(named, root, scope) for root in roots)} }}"

    def _arguments(
        self, name: str, declared: GraphQLField, scope: Scope
    ) -> tuple[list[str], Store]:
        owner = list_of(declared) or (ENTRIES if "first" in declared.args else name)
        texts = [
            f"{each}: {self._stated(argument.type, owner, each)}"
            for each, argument in declared.args.items()
            if is_required_argument(argument) or self._chance(SELDOM.get(each, 2))
        ]
        return texts, scope.store

    def _literal(self, of: Any, value: Any) -> str:
        return self._stated(of, "directive", "if")

    def _stated(self, of: Any, owner: str, name: str) -> str:
        """A variable, or a list or an object that has variables in it."""
        plain = get_nullable_type(of)
        if isinstance(plain, GraphQLInputObjectType) and self._chance(3):
            names = self._some_of(sorted(plain.fields), 3)
            texts = (f"{n}: {self._stated(plain.fields[n].type, owner, n)}" for n in names)
            return f"{{{', '.join(texts)}}}"
        if isinstance(plain, GraphQLList) and self._chance(3):
            count = self._one_of(range(3))
            return f"[{', '.join(self._stated(plain.of_type, owner, name) for _ in range(count))}]"
        return f"${self._variable(Variable(of, owner, name))}"

    def _variable(self, wanted: Variable) -> str:
        """One that there is already, now and then, so that a value is given to several places."""
        usable = [name for name, each in self._asked.items() if str(each) == str(wanted)]
        if usable and self._chance(3):
            return str(self._one_of(usable))
        name = self._name("v")
        self._asked[name] = wanted
        kind = str(wanted.type)
        if not kind.endswith("!") and self._chance(8):
            kind = f"{kind}!"
        elif wanted.name == "orderBy" and self._chance(2):
            # Of what has a default a variable may be null, and it is an error if it is.
            kind = f"{kind} = KEY" if self._chance(2) else kind.removesuffix("!")
        elif wanted.name == "if" and self._chance(3):
            kind = "Boolean = true"
        self._variables[name] = kind, None
        return name

    # What is given to variables.

    def _value_for(self, of: Any, asked: Variable) -> Any:
        plain = get_nullable_type(of)
        if isinstance(plain, GraphQLList):
            items = [self._value_for(plain.of_type, asked) for _ in range(self._one_of([0, 1, 2]))]
            # One that is given alone is a list of one.
            return items[0] if len(items) == 1 and self._chance(3) else items
        if isinstance(plain, GraphQLInputObjectType):
            fields: Any = plain.fields
            within = [
                Variable(fields[name].type, asked.owner, name)
                for name in self._some_of(sorted(fields), 2)
            ]
            return {each.name: self._value_for(each.type, each) for each in within}
        return self._one_of(self._taken(plain, asked))

    def _taken(self, plain: Any, asked: Variable) -> Sequence[Any]:
        if isinstance(plain, GraphQLEnumType):
            return list(plain.values)
        if asked.name in {"after", "before"}:
            return self._known.cursors[asked.owner]
        if asked.name == "id":
            return self._known.ids if asked.owner == "node" else VALUES["ID"]
        return TAKEN.get(asked.name) or VALUES[plain.name]
