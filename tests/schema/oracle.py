"""A second, naive executor: everything fetched flat once, linked, and asked by graphql-core alone.

The objects are plain dicts under the schema that schema.graphql states. What has arguments is a
function that filters, sorts and cuts the full list. So nothing of the planner's is in an answer
but the values of single fields, which other tests hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)

from tests.schema.reader import Reader

FILE = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"

Node = dict[str, Any]
Point = Mapping[str, Any]

KEYED: dict[str, tuple[str, str, list[Any]]] = {
    "budget": ("budgets", "fiscalYear", [2022, 2023, 2024]),
    "plan": ("plans", "year", [2022, 2023, 2024]),
    "treaty": ("treaties", "key", ["CPI", "WCT"]),
}
"""The fields of `Ledger` that give one record of a list, by what an argument and a field say, and
what the argument may be."""

NESTED = {
    ("dimension", "areas"): ("priorityAreas", "dimension"),
    ("priority_area", "activities"): ("activities", "area"),
    ("plan", "activities"): ("activities", "plan"),
    ("treaty", "participants"): ("treatyParticipants", "treaty"),
    ("treaty", "statements"): ("treatyStatements", "treaty"),
    ("treaty", "notifications"): ("depositaryNotifications", "treaty"),
    ("treaty_statement", "objections"): ("treatyStatements", "objectsTo"),
}
"""The pages within a kind of record: of which list, and the field that leads back."""


@cache
def stated_schema() -> GraphQLSchema:
    """The schema that schema.graphql states."""
    return build_schema(FILE.read_text(encoding="utf-8"))


def object_type(name: str) -> GraphQLObjectType:
    """An object type of the schema."""
    named = stated_schema().type_map[name]
    assert isinstance(named, GraphQLObjectType)
    return named


def lists() -> dict[str, GraphQLObjectType]:
    """The fields of `Ledger` that list records, and the types of their nodes."""
    found = {}
    for name, listed in object_type("Ledger").fields.items():
        connection = get_named_type(listed.type)
        if connection.name.endswith("Connection"):
            found[name] = object_type(connection.name.removesuffix("Connection"))
    return found


def orders(list_name: str) -> list[str]:
    """The orders that a list of records may have."""
    by: Any = get_named_type(object_type("Ledger").fields[list_name].args["orderBy"].type)
    return list(by.values)


def flat(named: GraphQLObjectType) -> str:
    """All that an object says, and no more of other objects than what they are known by."""
    selected = ["__typename"]
    for name, declared in named.fields.items():
        inner = get_named_type(declared.type)
        if is_leaf_type(inner):
            selected.append(name)
        elif inner.name == "Entry":
            selected.append(f"{name} {{ position }}")
        elif inner.name == "EntryConnection":
            entry = flat(object_type("Entry"))
            selected.append(f"{name}(first: 1000) {{ nodes {{ {entry} }} edges {{ cursor }} }}")
        elif inner.name == "Record" or stated_schema().is_sub_type(_record_type(), inner):
            selected.append(f"{name} {{ kind key }}")
        elif not inner.name.endswith("Connection"):
            selected.append(f"{name} {{ {flat(inner)} }}")
    return " ".join(selected)


def _record_type() -> Any:
    return stated_schema().type_map["Record"]


@dataclass
class Store:
    """All that can be seen from one point: records by kind and key, entries by position.

    `listed` has for each list and each of its orders the nodes, each with its cursor.
    """

    reader: Reader
    point: Point
    records: dict[tuple[str, str], Node] = field(default_factory=dict)
    entries: dict[int, Node] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    listed: dict[str, dict[str, list[tuple[Node, str]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Reader, point: Point) -> Store:
        """Fetch everything that can be seen from a point."""
        store = cls(reader, point)
        for name, named in lists().items():
            store._fetch(name, named)
        if not point:
            selected = f"nodes {{ {flat(object_type('Entry'))} }} edges {{ cursor }}"
            store._add_entries(
                reader.data(f"{{ entries(first: 1000) {{ {selected} }} }}")["entries"]
            )
        for node in [*store.records.values(), *store.entries.values()]:
            store._link(node)
        return store

    def _fetch(self, name: str, named: GraphQLObjectType) -> None:
        """Fetch a list: its nodes with their histories, and the nodes in each order."""
        found = self.reader.ledger(
            f"{name}(first: 1000) {{ nodes {{ {flat(named)} }} }}", **self.point
        )
        for node in found[name]["nodes"]:
            self.records[node["kind"], node["key"]] = node
            for page in _entry_pages(node):
                self._add_entries(page)
        self.listed[name] = {}
        for order in orders(name):
            edges_of = f"{name}(first: 1000, orderBy: {order})"
            selection = f"{edges_of} {{ edges {{ cursor node {{ kind key }} }} }}"
            edges = self.reader.ledger(selection, **self.point)[name]["edges"]
            self.listed[name][order] = [
                (self._record(edge["node"]), edge["cursor"]) for edge in edges
            ]

    def _add_entries(self, found: Node) -> None:
        for node, edge in zip(found["nodes"], found["edges"], strict=True):
            position = int(node["position"])
            self.entries.setdefault(position, node)
            self.cursors[edge["cursor"]] = position

    def _record(self, named: Node | None) -> Any:
        return None if named is None else self.records.get((named["kind"], named["key"]))

    def _link(self, node: Node) -> None:
        """Put other objects where they are only named."""
        for name, value in node.items():
            if isinstance(value, dict) and set(value) == {"kind", "key"}:
                node[name] = self._record(value)
            elif isinstance(value, dict) and set(value) == {"position"}:
                node[name] = self.entries[int(value["position"])]
            elif name == "correctedBy":
                node[name] = [self.entries[int(named["position"])] for named in value]
            elif _is_entry_page(value):
                positions = [int(entry["position"]) for entry in value["nodes"]]
                node[name] = _calling(self.entries_page, positions)
            else:
                for within in value if isinstance(value, list) else [value]:
                    if isinstance(within, dict):
                        self._link(within)
        if "history" in node:
            for (kind, name), (listed, back) in NESTED.items():
                if node["kind"] == kind:
                    node[name] = _calling(partial(self.nested_page, back, node), listed)

    # What has arguments.

    def entries_page(
        self, positions: Sequence[int], filter: Node | None = None, **given: Any
    ) -> Node:
        """A page of the entries at these positions."""
        size = _size(given)
        bounds = {
            name: self.cursors[given[name]] for name in ("after", "before") if given.get(name)
        }
        satisfying = [p for p in positions if satisfies(self.entries[p], filter)]
        cursor_at = {position: cursor for cursor, position in self.cursors.items()}
        edges = [
            (self.entries[position], cursor_at[position])
            for position in satisfying
            if bounds.get("after", 0) < position < bounds.get("before", position + 1)
        ]
        return _connection(edges, size, given, str(len(satisfying)))

    def records_page(self, name: str, filter: Node | None = None, **given: Any) -> Node:
        """A page of a list of records."""
        size = _size(given)
        everything = self.listed[name][given["orderBy"]]
        cursors = [cursor for _, cursor in everything]
        after, before = given.get("after"), given.get("before")
        begin = cursors.index(after) + 1 if after else 0
        end = cursors.index(before) if before else len(cursors)
        edges = [edge for edge in everything[begin:end] if satisfies(edge[0], filter)]
        return _connection(edges, size, given, lambda _: self._counted(name, filter))

    def nested_page(
        self, back: str, above: Node, name: str, filter: Node | None = None, **given: Any
    ) -> Node:
        """A page of those in a list that lead back to the record above."""
        asked = (filter or {}).get(back)
        keys = [above["key"]] if asked is None or above["key"] in asked else []
        return self.records_page(name, {**(filter or {}), back: keys}, **given)

    def _counted(self, name: str, filter: Node | None) -> Any:
        """How many there are, certain and possible: asked for alone."""
        kind = str(object_type("Ledger").fields[name].args["filter"].type)
        document = f"""query ($asOf: AsOf, $filter: {kind}) {{ ledger(asOf: $asOf) {{
            {name}(filter: $filter, first: 0) {{ totalCount {{ __typename certain possible }} }}
        }} }}"""
        found = self.reader.data(document, asOf=dict(self.point), filter=filter)
        return found["ledger"][name]["totalCount"]

    def keyed(self, name: str, **given: Any) -> Node | None:
        """The record that an argument tells from the others, the first of several by key."""
        list_name, argument, _ = KEYED[name]
        nodes = (node for node, _ in self.listed[list_name]["KEY"])
        return next((node for node in nodes if node[argument] == given[argument]), None)

    def figure(self, name: str, **given: Any) -> Any:
        """A figure, asked for alone and in full."""
        declared = object_type("Ledger").fields[name]
        variables = "".join(f", ${each}: {declared.args[each].type}" for each in given)
        arguments = ", ".join(f"{each}: ${each}" for each in given)
        selected = flat(object_type(get_named_type(declared.type).name))
        document = f"""query ($asOf: AsOf{variables}) {{ ledger(asOf: $asOf) {{
            {name}({arguments}) {{ {selected} }}
        }} }}"""
        rows = self.reader.data(document, asOf=dict(self.point), **given)["ledger"][name]
        for row in rows:
            self._link(row)
        return rows

    def ledger(self) -> Node:
        """The ledger as an object."""
        as_of = self.reader.ledger(
            "asOf { __typename effectiveOn knownAt position rules }", **self.point
        )
        ledger: Node = {"__typename": "Ledger", **as_of}
        for name in object_type("Ledger").fields:
            if name in lists():
                ledger[name] = _calling(self.records_page, name)
            elif name in KEYED:
                ledger[name] = _calling(self.keyed, name)
            elif name != "asOf":
                ledger[name] = _calling(self.figure, name)
        return ledger


class Oracle:
    """Answers documents from stores of given points; nothing given is now."""

    def __init__(self, reader: Reader, points: Sequence[Point]) -> None:
        self.stores = [Store.of(reader, point) for point in points]
        self.now = self._store(None)

    def answer(self, document: str, variables: Mapping[str, Any]) -> Any:
        """What graphql-core makes of the document, over plain objects."""
        parsed = parse(document)
        mistakes = validate(stated_schema(), parsed)
        assert not mistakes, (mistakes, document)
        return execute_sync(stated_schema(), parsed, self._root(), variable_values=dict(variables))

    def _root(self) -> Node:
        entries = self.now.entries
        by_id = {node["id"]: node for node in [*self.now.records.values(), *entries.values()]}
        return {
            "ledger": lambda _, **given: self._store(given["asOf"]).ledger(),
            "record": lambda _, **given: self._store(given["asOf"]).records.get(
                (given["kind"], given["id"])
            ),
            "entries": lambda _, **given: self.now.entries_page(sorted(entries), **given),
            "entry": lambda _, position: entries.get(int(position)),
            "node": lambda _, **given: by_id.get(given["id"]),
        }

    def _store(self, point: Point | None) -> Store:
        given = {name: value for name, value in (point or {}).items() if value is not None}
        return next(store for store in self.stores if store.point == given)


# ---------------------------------------------------------------- filters and pages

REFERENCES = (
    *("state", "account", "person", "plan", "body", "area", "organizer"),
    *("treaty", "organization", "objectsTo"),
)


def _key_of(node: Node | None, name: str) -> Any:
    return None if node is None or node[name] is None else node[name]["key"]


def _active_in(area: Node, year: int) -> bool:
    """Whether something in a priority area was planned, or held, of the plan of a year."""
    page = area["activities"](None, filter={"status": ["PLANNED", "HELD"]}, orderBy="KEY")
    return any(_year_of(activity) == year for activity in page["nodes"])


def _year_of(node: Node) -> Any:
    return node["year"] if "year" in node else node["plan"] and node["plan"]["year"]


def _money_of(node: Node) -> Any:
    return next((node[name] for name in ("amount", "received", "spent") if name in node), node)


def _covers(node: Node, day: str) -> bool:
    period = node["period"]
    return bool(period and period["start"] <= day <= period["end"])


LOOKED_AT: dict[str, Callable[[Node], Any]] = {
    **{name: partial(_key_of, name=name) for name in REFERENCES},
    "dimension": lambda node: _key_of(node.get("area", node), "dimension"),
    "year": _year_of,
    "currency": lambda node: _money_of(node)["currency"],
    "serving": lambda node: node["left"] is None,
    "hasRule": lambda node: node["rule"] is not None,
    "withdrawn": lambda node: node["withdrawn"] is not None,
}

COMPARED: dict[str, Callable[[Node, Any], bool]] = {
    "joinedFrom": lambda node, value: bool(node["joined"]["earliest"] >= value),
    "joinedTo": lambda node, value: bool(node["joined"]["latest"] <= value),
    "heldFrom": lambda node, value: bool(node["held"] and node["held"]["latest"] >= value),
    "heldTo": lambda node, value: bool(node["held"] and node["held"]["latest"] <= value),
    "withoutActivitiesIn": lambda node, value: not _active_in(node, value),
    "incurredFrom": lambda node, value: bool(node["incurred"]["latest"] >= value),
    "incurredTo": lambda node, value: bool(node["incurred"]["latest"] <= value),
    "covers": _covers,
    "afterPosition": lambda node, value: int(node["position"]) > int(value),
}


def satisfies(node: Node, given: Node | None) -> bool:
    """Whether a node satisfies each field of a filter that was given."""
    for name, value in (given or {}).items():
        if value is None:
            continue
        if name in COMPARED:
            held = COMPARED[name](node, value)
        else:
            found = LOOKED_AT.get(name, lambda node, name=name: node[name])(node)
            held = found in value if isinstance(value, list) else found == value
        if not held:
            return False
    return True


def _size(given: Node) -> int:
    first, last = given.get("first"), given.get("last")
    if first is not None and last is not None:
        raise GraphQLError("first and last")
    size = last if last is not None else 50 if first is None else first
    if not 0 <= size <= 1000:
        raise GraphQLError("size")
    return size


def _connection(edges: Sequence[tuple[Node, str]], size: int, given: Node, total: Any) -> Node:
    backward = given.get("last") is not None
    shown = edges[max(len(edges) - size, 0) :] if backward else edges[:size]
    more = len(edges) > size
    return {
        "nodes": [node for node, _ in shown],
        "edges": [{"node": node, "cursor": cursor} for node, cursor in shown],
        "pageInfo": {
            "hasNextPage": bool(given.get("before")) or (more and not backward),
            "hasPreviousPage": bool(given.get("after")) or (more and backward),
            "startCursor": shown[0][1] if shown else None,
            "endCursor": shown[-1][1] if shown else None,
        },
        "totalCount": total,
    }


def _calling(method: Callable[..., Any], first: Any) -> Callable[..., Any]:
    return lambda _, **given: method(first, **given)


def _is_entry_page(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"nodes", "edges"}


def _entry_pages(node: Node) -> Iterator[Node]:
    """The pages of entries in a node: its history, and what a figure of its own names."""
    for value in node.values():
        if _is_entry_page(value):
            yield value
        elif isinstance(value, dict):
            yield from _entry_pages(value)
