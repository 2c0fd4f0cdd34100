"""Lists, counts and figures of random registers, held against the naive reading.

The registers have dates of every form, corrections and annulments. SECRETARIAT_EXAMPLES=50 runs
fifty times as many, other ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger.contributions import CONTRIBUTION
from ledger.daycount import Convention, to_decimal
from ledger.entry import Entry
from ledger.secondments import SECONDMENT
from projections import TABLES
from tests.properties import naive
from tests.properties.asking import AnyTable, Definition
from tests.properties.playing import Plan
from tests.properties.records import founded_keys, tried_keys
from tests.properties.strategies import days, examples, plans
from tests.properties.test_two_times import recorded_in_a_database
from tests.schema.listing import Listing, cut
from tests.schema.naive_figures import (
    AMOUNTS,
    Candidates,
    Condition,
    Group,
    Total,
    World,
    counted,
    shown,
    totals,
    years_served,
)
from tests.schema.reader import Reader, reading

TABLE = {table.name: table for table in TABLES}
WORLD = [
    (table.kind, key)
    for table in TABLES
    for key in (*founded_keys(table.kind), *tried_keys(table.kind))
]


OF_FIGURES = [
    *((CONTRIBUTION, f"C-{number}") for number in range(5)),
    *((SECONDMENT, f"S-{number}") for number in range(4)),
]
"""Records enough to add up, and few enough to list all that they may have been."""


class Asked(NamedTuple):
    """A filter of a list, and what it asks of a record's key and state."""

    list_name: str
    given: str
    holds: Condition
    holds_on: Callable[[Any, date], bool] | None = None

    def on(self, day: date) -> Condition:
        """What is asked of a row on that day."""
        asked = self.holds_on
        return self.holds if asked is None else lambda _, row: bool(row) and asked(row, day)


def everything(key: str, state: Any) -> bool:
    """What a filter asks that is not given."""
    return state is not None


def serves(row: Any, day: date) -> bool:
    """Whether somebody serves on that day; the day of leaving is the last one served."""
    return row.left is None or row.left_earliest >= day


ASKED = [
    Asked("states", "", everything),
    Asked(
        "states", "filter: {status: [MEMBER]}", lambda _, s: bool(s) and s.status.name == "MEMBER"
    ),
    Asked(
        "states",
        "filter: {status: [OBSERVER, FORMER]}",
        lambda _, s: bool(s) and s.status.name != "MEMBER",
    ),
    Asked("states", 'filter: {key: ["KAZ"]}', lambda key, s: bool(s) and key == "KAZ"),
    Asked("bodies", "", everything),
    Asked("bodies", "filter: {operational: true}", lambda _, s: bool(s) and s.operational),
    Asked("bodies", "filter: {operational: false}", lambda _, s: bool(s) and not s.operational),
    Asked(
        "bodies",
        "filter: {category: WORKING}",
        lambda _, s: bool(s) and s.category.name == "WORKING",
    ),
    Asked("persons", "", everything),
    Asked("accounts", "", everything),
    Asked("accounts", 'filter: {currency: "USD"}', lambda _, s: bool(s) and s.currency == "USD"),
    Asked("accounts", 'filter: {fund: ["Beta"]}', lambda _, s: bool(s) and s.fund == "Beta"),
    Asked("budgets", "", everything),
    Asked("budgets", 'filter: {currency: "KZT"}', lambda _, s: bool(s) and s.currency == "KZT"),
    Asked("budgets", "filter: {fiscalYear: [2023]}", lambda key, s: bool(s) and key == "2023"),
    Asked("contributions", "", everything),
    Asked(
        "contributions",
        "filter: {fiscalYear: 2022}",
        lambda _, s: bool(s) and s.fiscal_year == 2022,
    ),
    Asked("contributions", 'filter: {state: ["KAZ"]}', lambda _, s: bool(s) and s.state == "KAZ"),
    Asked(
        "contributions", 'filter: {account: ["MAIN"]}', lambda _, s: bool(s) and s.account == "MAIN"
    ),
    Asked(
        "contributions",
        'filter: {currency: "USD", account: ["MAIN"], fiscalYear: [2022, 2023]}',
        lambda _, s: (
            bool(s)
            and s.currency == "USD"
            and s.account == "MAIN"
            and s.fiscal_year in {2022, 2023}
        ),
    ),
    Asked("secondments", "", everything),
    Asked("secondments", "filter: {serving: true}", everything, serves),
    Asked("secondments", "filter: {serving: false}", everything, lambda s, day: not serves(s, day)),
    Asked("secondments", 'filter: {state: "KAZ"}', lambda _, s: bool(s) and s.state == "KAZ"),
    Asked("secondments", 'filter: {person: "P-001"}', lambda _, s: bool(s) and s.person == "P-001"),
    Asked(
        "secondments",
        'filter: {joinedFrom: "2022-12-01"}',
        lambda _, s: bool(s) and s.joined_latest >= date(2022, 12, 1),
    ),
    Asked(
        "secondments",
        'filter: {joinedTo: "2022-12-31"}',
        lambda _, s: bool(s) and s.joined_latest <= date(2022, 12, 31),
    ),
]

ORDERS: dict[str, dict[str, str | None]] = {
    "states": {"KEY": None, "NAME": "name_en"},
    "bodies": {"KEY": None, "NAME": "name_en"},
    "persons": {"KEY": None},
    "accounts": {"KEY": None},
    "budgets": {"KEY": None},
    "contributions": {
        "KEY": None,
        "STATE": "state",
        "FISCAL_YEAR": "fiscal_year",
        "RECEIVED": "received",
    },
    "secondments": {"KEY": None, "STATE": "state", "JOINED": "joined_latest"},
}
"""The columns of the orders of each list; None is the key alone."""


class Register:
    """What a database holds, and how it is read naively."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._records: dict[str, dict[str, list[Entry]]] = {name: {} for name in TABLE}
        by_kind = {table.kind.name: table.name for table in TABLES}
        for entry in entries:
            self._records[by_kind[entry.kind]].setdefault(entry.key, []).append(entry)
        self.last = len(entries)

    def definitions(self) -> Iterator[tuple[AnyTable, Definition]]:
        """Each record's history with its table."""
        for name, records in self._records.items():
            for entries in records.values():
                yield TABLE[name], Definition(TABLE[name], entries)

    def candidates(self, name: str, day: date, position: int) -> Candidates:
        """The states that each record of a table may have been in on a day."""
        return {
            key: Definition(TABLE[name], entries).candidates(day, position)
            for key, entries in self._records[name].items()
        }


@st.composite
def points(draw: st.DrawFn, register: Register) -> tuple[date, int]:
    """A day on which something may have happened, or far away; a position, mostly a late one."""
    position = draw(st.integers(register.last // 2, register.last) | st.integers(0, register.last))
    far = st.sampled_from([date.min, date(1999, 6, 1), date(2001, 12, 30), date.max])
    return draw(days() | days() | days() | far), position


def as_of(day: date, position: int) -> dict[str, str]:
    """The point as a client gives it."""
    return {"effectiveOn": day.isoformat(), "position": str(position)}


# Not shrunk, as that would take a new database for each of a thousand tries.
REGISTERS = settings(examples(3), phases=[Phase.generate])


# ---------------------------------------------------------------- lists and counts


@REGISTERS
@given(plan=plans(WORLD, fewest=60, most=110), data=st.data())
def test_lists_and_counts(
    server_url: str, migrated_template: str, plan: Plan, data: st.DataObject
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register([entry for entry in entries if entry is not None])
        _check_entries(reader, register)
        for _ in range(10):
            day, position = data.draw(points(register))
            candidates = {name: register.candidates(name, day, position) for name in TABLE}
            _check_counts(reader, candidates, as_of(day, position))
            asked = data.draw(st.sampled_from(ASKED))
            order = data.draw(st.sampled_from(list(ORDERS[asked.list_name])))
            size = data.draw(st.integers(1, 3))
            listing = Listing(
                reader,
                asked.list_name,
                f"{asked.given} orderBy: {order}",
                **as_of(day, position),
            )
            expected = _in_order(candidates[asked.list_name], asked, order, day)
            assert list(listing.forward(size)) == cut(expected, size), (asked, order, day, position)
            backward = [page[::-1] for page in listing.backward(size)]
            assert backward == cut(expected[::-1], size), (asked, order, day, position)


def _check_entries(reader: Reader, register: Register) -> None:
    """Hold what each entry says of itself to the naive reading of its record's history."""
    found = reader.data(
        """{ entries(first: 1000) { nodes {
            position isLive effective { edtf earliest latest } changes { field before after }
        } } }"""
    )["entries"]["nodes"]
    assert [int(node["position"]) for node in found] == list(range(1, register.last + 1))
    for table, definition in register.definitions():
        facts = definition.facts
        for fact in facts:
            position = fact.position
            node = found[position - 1]
            assert node["isLive"] == naive.is_live(fact, facts), position
            assert node["effective"] == _effective(fact, facts), position
            before = _newest(table, definition, position - 1)
            after = _newest(table, definition, position)
            assert node["changes"] == [
                {"field": _camel(name), "before": before.get(name), "after": after.get(name)}
                for name in table.names()
                if before.get(name) != after.get(name)
            ], position


def _effective(fact: naive.Fact, facts: naive.Facts) -> dict[str, str] | None:
    if fact.event is None:
        return None
    earliest, latest = naive.own_bounds(fact, facts)
    return {
        "edtf": naive.effective_text(fact, facts),
        "earliest": earliest.isoformat(),
        "latest": latest.isoformat(),
    }


def _newest(table: AnyTable, definition: Definition, position: int) -> dict[str, str | None]:
    """The values, as text, of a record's last state as known at a position."""
    order = naive.in_order(naive.known_by(definition.facts, position))
    if not order:
        return {}
    row = definition.row(tuple(order), position)
    return {name: _written(getattr(row, name)) for name in table.names()}


def _written(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case Decimal():
            return format(value, "f")
    return str(value)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(map(str.capitalize, tail))


def _check_counts(reader: Reader, candidates: dict[str, Candidates], point: dict[str, str]) -> None:
    """Hold every filter to the naive count, all of them asked for at once."""
    selections = [
        f"a{number}: {asked.list_name}({asked.given} first: 0)"
        " { totalCount { certain possible } }"
        for number, asked in enumerate(ASKED)
    ]
    found = reader.ledger(" ".join(selections), **point)
    day = date.fromisoformat(point["effectiveOn"])
    for number, asked in enumerate(ASKED):
        expected = counted(candidates[asked.list_name], asked.on(day))
        assert found[f"a{number}"]["totalCount"] == expected, (asked, point)


def _in_order(candidates: Candidates, asked: Asked, order: str, day: date) -> list[str]:
    """The keys of the records that satisfy a filter, in an order."""
    rows = {key: row for key, row in shown(candidates).items() if asked.on(day)(key, row)}
    column = ORDERS[asked.list_name][order]
    return sorted(rows, key=lambda key: (column and getattr(rows[key], column), key))


# ---------------------------------------------------------------- figures

TOTALS = """contributionTotals(%s) {
    currency state { key } fiscalYear account { key }
    contributions { certain possible } contributors { certain possible }
    pledged { amount low high currency } received { amount low high currency }
    returned { amount low high currency } net { amount low high currency }
    share { value low high }
}"""

BY: Sequence[tuple[str, ...]] = [
    (),
    ("state",),
    ("fiscal_year",),
    ("account",),
    ("state", "fiscal_year"),
    ("state", "fiscal_year", "account"),
]

DAY_COUNTS = {
    "ACT_365_25": Convention.ACT_365_25,
    "ACT_365": Convention.ACT_365,
    "MONTHS_DAYS_30": Convention.MONTHS_AND_DAYS,
    "THIRTY_360": Convention.THIRTY_360,
}

PERSON_YEARS = """personYears(%s) {
    state { key } convention years { value low high } secondments { certain possible }
}"""


@REGISTERS
@given(plan=plans(OF_FIGURES, fewest=30, most=60), data=st.data())
def test_figures(server_url: str, migrated_template: str, plan: Plan, data: st.DataObject) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register([entry for entry in entries if entry is not None])
        for _ in range(10):
            day, position = data.draw(points(register))
            point = as_of(day, position)
            contributions = register.candidates("contributions", day, position)
            secondments = register.candidates("secondments", day, position)
            for asked in ASKED:
                if asked.list_name == "contributions":
                    _check_totals(reader, asked, contributions, point)
                elif asked.list_name == "secondments":
                    _check_person_years(reader, asked, secondments, point)


def _check_totals(
    reader: Reader, asked: Asked, candidates: Candidates, point: dict[str, str]
) -> None:
    """Hold every grouping to the naive totals, all of them asked for at once."""
    groupings = [f"by: [{' '.join(name.upper() for name in by)}]" for by in BY]
    selections = [
        f"a{number}: {TOTALS % f'{asked.given} {grouping}'}"
        for number, grouping in enumerate(groupings)
    ]
    found = reader.ledger(" ".join(selections), **point)
    day = date.fromisoformat(point["effectiveOn"])
    for number, by in enumerate(BY):
        cautious, worlds = totals(candidates, asked.on(day), by)
        groups = sorted(
            {group for world in worlds for group in world},
            key=lambda group: _place(group, cautious.get(group, NOTHING)),
        )
        expected = [_row(group, cautious, worlds) for group in groups]
        assert [_read(row) for row in found[f"a{number}"]] == expected, (asked, by, point)


NOTHING = Total(0, 0, dict.fromkeys(AMOUNTS, Decimal(0)), Decimal(0))


def _place(group: Group, total: Total) -> tuple[Any, ...]:
    """Where a group stands: by currency and year, those that gave most first."""
    currency, state, year, account = group
    return currency, year or 0, -total.amounts["net"], state or "", account is None, account or ""


def _row(group: Group, cautious: World, worlds: Sequence[World]) -> dict[str, Any]:
    """The row of a group: of each number that on the cautious reading, the least, the greatest."""
    value = cautious.get(group, NOTHING)
    possible = [world.get(group, NOTHING) for world in worlds]

    def among(number: Callable[[Total], Any]) -> tuple[Any, Any, Any]:
        numbers = [number(total) for total in possible]
        return number(value), min(numbers), max(numbers)

    currency, _, year, _ = group
    total = sum(each.amounts["net"] for other, each in cautious.items() if other[0] == currency)
    return {
        "currency": currency,
        "fiscalYear": year,
        "contributions": among(lambda each: each.contributions)[1:],
        "contributors": among(lambda each: each.contributors)[1:],
        "share": among(lambda each: each.share) if total else None,
        **{name: among(_amount(name)) for name in AMOUNTS},
    }


def _amount(name: str) -> Callable[[Total], Decimal]:
    return lambda total: total.amounts[name]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the answer in the same terms."""
    share = row["share"]
    assert all(row[name]["currency"] == row["currency"] for name in AMOUNTS)
    return {
        "currency": row["currency"],
        "fiscalYear": row["fiscalYear"],
        "contributions": (row["contributions"]["certain"], row["contributions"]["possible"]),
        "contributors": (row["contributors"]["certain"], row["contributors"]["possible"]),
        "share": share and tuple(Decimal(share[part]) for part in ("value", "low", "high")),
        **{
            name: tuple(Decimal(row[name][part]) for part in ("amount", "low", "high"))
            for name in AMOUNTS
        },
    }


def _check_person_years(
    reader: Reader, asked: Asked, candidates: Candidates, point: dict[str, str]
) -> None:
    """Hold every convention to the naive years, all of them asked for at once."""
    day = date.fromisoformat(point["effectiveOn"])
    selections = [
        f"{name}: {PERSON_YEARS % f'{asked.given} convention: {name}'}" for name in DAY_COUNTS
    ]
    found = reader.ledger(" ".join(selections), **point)
    for name, convention in DAY_COUNTS.items():
        served = years_served(candidates, asked.on(day), day, convention)
        expected = [
            {
                "convention": name,
                # As the schema writes decimals: never with an exponent.
                "years": {part: f"{to_decimal(years[part]):f}" for part in years},
                "secondments": counts,
            }
            for years, counts in (served[state] for state in sorted(served))
        ]
        rows = [{part: row[part] for part in row if part != "state"} for row in found[name]]
        assert rows == expected, (asked, point, convention)
