"""Lists, counts and figures of random registers, held against the naive reading.

The registers have dates of every form, corrections and annulments. SECRETARIAT_EXAMPLES=50 runs
fifty times as many, other ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger.daycount import Convention, to_decimal
from ledger.entry import Entry
from projections import TABLES
from tests.properties.asking import Definition, rows_of
from tests.properties.playing import Plan, founded_keys, tried_keys
from tests.properties.strategies import examples, plans
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


class Asked(NamedTuple):
    """A filter of a list, and what it asks of a record's key and state."""

    list_name: str
    given: str
    holds: Condition


def everything(key: str, state: Any) -> bool:
    """What a filter asks that is not given."""
    return state is not None


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
    Asked("secondments", "filter: {serving: true}", lambda _, s: bool(s) and s.left is None),
    Asked("secondments", "filter: {serving: false}", lambda _, s: bool(s) and s.left is not None),
    Asked("secondments", 'filter: {state: "KAZ"}', lambda _, s: bool(s) and s.state == "KAZ"),
    Asked("secondments", 'filter: {person: "P-001"}', lambda _, s: bool(s) and s.person == "P-001"),
    Asked(
        "secondments",
        'filter: {joinedFrom: "2022-12-01"}',
        lambda _, s: bool(s) and s.joined_earliest >= date(2022, 12, 1),
    ),
    Asked(
        "secondments",
        'filter: {joinedTo: "2022-12-31"}',
        lambda _, s: bool(s) and s.joined_latest <= date(2022, 12, 31),
    ),
]

ORDERS = {
    "NAME": "name_en",
    "STATE": "state",
    "FISCAL_YEAR": "fiscal_year",
    "RECEIVED": "received",
    "JOINED": "joined_latest",
}
"""The column of each order but that of keys."""


class Register:
    """What a database holds, and how it is read naively."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._records: dict[str, dict[str, list[Entry]]] = {name: {} for name in TABLE}
        by_kind = {table.kind.name: table.name for table in TABLES}
        for entry in entries:
            self._records[by_kind[entry.kind]].setdefault(entry.key, []).append(entry)
        self.last = len(entries)

    def candidates(self, name: str, day: date, position: int) -> Candidates:
        """The states that each record of a table may have been in on a day."""
        return {
            key: Definition(TABLE[name], entries).candidates(day, position)
            for key, entries in self._records[name].items()
        }

    def days(self, position: int) -> list[date]:
        """The days on which an answer may change, and those next to them."""
        days = {
            day
            for name, records in self._records.items()
            for entries in records.values()
            for day in Definition(TABLE[name], entries).days(
                position, rows_of(TABLE[name], entries)
            )
        }
        return sorted(days)


@st.composite
def points(draw: st.DrawFn, register: Register, count: int) -> list[tuple[date, int]]:
    """Days and positions, late ones and early ones."""
    found = []
    for number in range(count):
        earliest = register.last if number == 0 else 1
        position = draw(st.integers(earliest, register.last))
        found.append((draw(st.sampled_from(register.days(position))), position))
    return found


def as_of(day: date, position: int) -> dict[str, str]:
    """The point as a client gives it."""
    return {"effectiveOn": day.isoformat(), "position": str(position)}


# Not shrunk, as that would take a new database for each of a thousand tries.
REGISTERS = settings(examples(3), phases=[Phase.generate])


@REGISTERS
@given(plan=plans(WORLD, fewest=60, most=110), data=st.data())
def test_lists_and_counts(
    server_url: str, migrated_template: str, plan: Plan, data: st.DataObject
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register(entries)
        for day, position in data.draw(points(register, 6)):
            for asked in ASKED:
                candidates = register.candidates(asked.list_name, day, position)
                _check_count(reader, asked, candidates, as_of(day, position))
                size = data.draw(st.integers(1, 3))
                _check_pages(reader, asked, candidates, as_of(day, position), size)


def _check_count(
    reader: Reader, asked: Asked, candidates: Candidates, point: dict[str, str]
) -> None:
    arguments = f"{asked.given} first: 0"
    found = reader.ledger(
        f"{asked.list_name}({arguments}) {{ totalCount {{ certain possible }} }}", **point
    )
    expected = counted(candidates, asked.holds)
    assert found[asked.list_name]["totalCount"] == expected, (asked, point, candidates)


def _check_pages(
    reader: Reader, asked: Asked, candidates: Candidates, point: dict[str, str], size: int
) -> None:
    rows = {key: row for key, row in shown(candidates).items() if asked.holds(key, row)}
    names = TABLE[asked.list_name].names()
    for order, column in {"KEY": None, **ORDERS}.items():
        if column is not None and (column not in names or order not in ORDERS_OF[asked.list_name]):
            continue
        keys = sorted(rows, key=lambda key: (column and getattr(rows[key], column), key))
        listing = Listing(reader, asked.list_name, f"{asked.given} orderBy: {order}", **point)
        assert list(listing.forward(size)) == cut(keys, size), (asked, order, point)
        assert [page[::-1] for page in listing.backward(size)] == cut(keys[::-1], size)


ORDERS_OF = {
    "states": {"NAME"},
    "bodies": {"NAME"},
    "persons": set[str](),
    "accounts": set[str](),
    "budgets": set[str](),
    "contributions": {"STATE", "FISCAL_YEAR", "RECEIVED"},
    "secondments": {"STATE", "JOINED"},
}


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
    Convention.ACT_365_25: "ACT_365_25",
    Convention.ACT_365: "ACT_365",
    Convention.MONTHS_AND_DAYS: "MONTHS_DAYS_30",
    Convention.THIRTY_360: "THIRTY_360",
}

PERSON_YEARS = """personYears(%s) {
    state { key } convention years { value low high } secondments { certain possible }
}"""


@REGISTERS
@given(plan=plans(WORLD, fewest=60, most=110), data=st.data())
def test_figures(server_url: str, migrated_template: str, plan: Plan, data: st.DataObject) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register(entries)
        for day, position in data.draw(points(register, 12)):
            point = as_of(day, position)
            contributions = register.candidates("contributions", day, position)
            for asked in _asked_of("contributions"):
                _check_totals(reader, asked, contributions, point)
            secondments = register.candidates("secondments", day, position)
            for asked in _asked_of("secondments"):
                for convention in Convention:
                    _check_person_years(reader, asked, secondments, point, convention)


def _asked_of(list_name: str) -> Iterator[Asked]:
    return (asked for asked in ASKED if asked.list_name == list_name)


def _check_totals(
    reader: Reader, asked: Asked, candidates: Candidates, point: dict[str, str]
) -> None:
    for by in BY:
        cautious, worlds = totals(candidates, asked.holds, by)
        grouping = f"by: [{' '.join(name.upper() for name in by)}]"
        rows = reader.ledger(TOTALS % f"{asked.given} {grouping}", **point)["contributionTotals"]
        groups = sorted(
            {group for world in worlds for group in world},
            key=lambda group: _place(group, cautious.get(group, NOTHING)),
        )
        expected = [_row(group, cautious, worlds) for group in groups]
        assert [_read(row) for row in rows] == expected, (asked, by, point)


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
    reader: Reader,
    asked: Asked,
    candidates: Candidates,
    point: dict[str, str],
    convention: Convention,
) -> None:
    day = date.fromisoformat(point["effectiveOn"])
    arguments = f"{asked.given} convention: {DAY_COUNTS[convention]}"
    rows = reader.ledger(PERSON_YEARS % arguments, **point)["personYears"]
    years = years_served(candidates, asked.holds, day, convention)
    found = [
        tuple(Decimal(row["years"][part]) for part in ("value", "low", "high")) for row in rows
    ]
    expected = [tuple(map(to_decimal, years[state])) for state in sorted(years)]
    assert found == expected, (asked, point, convention)
