"""What was spent and what a budget came to, of random registers, held against the naive reading.

SECRETARIAT_EXAMPLES=50 runs fifty times as many, other ones each time.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.budgets import BUDGET, Approved, Revised
from ledger.contributions import CONTRIBUTION, Received, Returned
from ledger.entry import Entry
from ledger.expenditures import EXPENDITURE, Incurred, Refunded
from ledger.kind import AnyEvent, Kind
from tests.properties.playing import Move, Plan, foundations
from tests.properties.strategies import dates, days, plans
from tests.properties.test_two_times import recorded_in_a_database
from tests.schema.naive_figures import Candidates, counted, shown
from tests.schema.naive_finance import (
    AMOUNTS,
    NOTHING,
    Group,
    Ratio,
    Sum,
    World,
    spent,
    summed,
)
from tests.schema.reader import Reader, reading
from tests.schema.test_random_registers import REGISTERS, Asked, Register, as_of, everything, points

OF_FINANCE = [
    *((CONTRIBUTION, f"C-{number}") for number in range(3)),
    *((EXPENDITURE, f"E-{number}") for number in range(4)),
    *((BUDGET, key) for key in ("2022", "2023")),
]
"""Records enough to add up, and few enough to list all that they may have been."""

ASKED = [
    Asked("expenditures", "", everything),
    Asked(
        "expenditures", "filter: {fiscalYear: 2022}", lambda _, s: bool(s) and s.fiscal_year == 2022
    ),
    Asked(
        "expenditures",
        'filter: {key: ["E-1", "E-2"]}',
        lambda k, s: bool(s) and k in {"E-1", "E-2"},
    ),
    Asked(
        "expenditures", 'filter: {account: ["MAIN"]}', lambda _, s: bool(s) and s.account == "MAIN"
    ),
    Asked(
        "expenditures",
        'filter: {line: ["STAFF", "USD"], currency: "USD"}',
        lambda _, s: bool(s) and s.line in {"STAFF", "USD"} and s.currency == "USD",
    ),
    Asked(
        "expenditures",
        'filter: {incurredFrom: "2022-12-01"}',
        lambda _, s: bool(s) and s.incurred_on >= date(2022, 12, 1),
    ),
    Asked(
        "expenditures",
        'filter: {incurredTo: "2022-12-31"}',
        lambda _, s: bool(s) and s.incurred_on <= date(2022, 12, 31),
    ),
]

# When all that is dated around the turn of the year may be over.
LATER = datetime(2023, 6, 1, tzinfo=UTC)

TABLES_OF_A_RATIO = ("budgets", "contributions", "expenditures")

BY: Sequence[tuple[str, ...]] = [
    (),
    ("fiscal_year",),
    ("line",),
    ("account",),
    ("fiscal_year", "line", "account"),
]

RANGE = "{ amount low high currency }"

TOTALS = f"""expenditureTotals(%s) {{
    currency fiscalYear line account {{ key }} expenditures {{ certain possible }}
    spent {RANGE} refunded {RANGE} net {RANGE}
}}"""

RATIO = f"""{{
    value low high numerator {RANGE} denominator {RANGE}
    entries(first: 1000) {{ nodes {{ position }} }}
}}"""

BUDGET_OF = f"budget(fiscalYear: %s) {{ collectionRate {RATIO} expensesCovered {RATIO} }}"


# ---------------------------------------------------------------- totals


@REGISTERS
@given(plan=plans(OF_FINANCE, fewest=40, most=70), data=st.data())
def test_what_was_spent(
    server_url: str, migrated_template: str, plan: Plan, data: st.DataObject
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register([entry for entry in entries if entry is not None])
        for _ in range(10):
            day, position = data.draw(points(register))
            expenditures = register.candidates("expenditures", day, position)
            accounts = shown(register.candidates("accounts", day, position))
            for asked in ASKED:
                _check_totals(reader, asked, expenditures, accounts, as_of(day, position))


def _check_totals(
    reader: Reader,
    asked: Asked,
    candidates: Candidates,
    accounts: Container[str],
    point: dict[str, str],
) -> None:
    """Hold the count and every grouping to the naive ones, all of them asked for at once.

    Of `accounts`, those that were open by then, a group tells which one it is of.
    """
    groupings = [f"by: [{' '.join(name.upper() for name in by)}]" for by in BY]
    selections = [
        f"a{number}: {TOTALS % f'{asked.given} {grouping}'}"
        for number, grouping in enumerate(groupings)
    ]
    counting = (
        f"count: expenditures({asked.given} first: 0) {{ totalCount {{ certain possible }} }}"
    )
    found = reader.ledger(" ".join([counting, *selections]), **point)
    assert found["count"]["totalCount"] == counted(candidates, asked.holds), (asked, point)
    for number, by in enumerate(BY):
        cautious, worlds = spent(candidates, asked.holds, by)
        groups = sorted(
            {group for world in worlds for group in world},
            key=lambda group: _place(group, cautious.get(group, NOTHING)["net"]),
        )
        expected = [_row(group, accounts, cautious, worlds) for group in groups]
        assert [_read(row) for row in found[f"a{number}"]] == expected, (asked, by, point)


def _place(group: Group, net: Decimal) -> tuple[Any, ...]:
    """Where a group stands: by currency and year, those on which most was spent first."""
    currency, year, line, account = group
    return currency, year or 0, -net, line or "", account or ""


def _row(
    group: Group, accounts: Container[str], cautious: World, worlds: Sequence[World]
) -> tuple[Any, ...]:
    """A group with its count and its amounts: each on the cautious reading, least, greatest."""

    def among(name: str) -> tuple[Decimal, Decimal, Decimal]:
        numbers = [world.get(group, NOTHING)[name] for world in worlds]
        return cautious.get(group, NOTHING)[name], min(numbers), max(numbers)

    *of, account = group
    shown_account = account if account in accounts else None
    return *of, shown_account, among("count")[1:], *(among(name) for name in AMOUNTS)


def _read(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row of the answer in the same terms."""
    account, count = row["account"], row["expenditures"]
    return (
        row["currency"],
        row["fiscalYear"],
        row["line"],
        account and account["key"],
        (count["certain"], count["possible"]),
        *(_range(row[name], row["currency"]) for name in AMOUNTS),
    )


def _range(found: dict[str, str], currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """The three amounts of a range in that currency."""
    assert found["currency"] == currency
    return Decimal(found["amount"]), Decimal(found["low"]), Decimal(found["high"])


# ---------------------------------------------------------------- ratios


@st.composite
def money_of_a_year(draw: st.DrawFn) -> Plan:
    """A budget of old, and what came in and went out in its year and currency, on any dates."""

    def dollars() -> dict[str, Any]:
        return {"amount": Decimal(draw(st.integers(1, 900))), "currency": "USD"}

    def moves(kind: Kind, key: str, opening: AnyEvent, change: type[AnyEvent]) -> Plan:
        """The opening, and perhaps changes."""
        events = [opening, *(change(**dollars()) for _ in range(draw(st.integers(0, 2))))]
        return [
            Move(kind=kind.name, key=key, event=event, effective=draw(dates()), moment=LATER)
            for event in events
        ]

    plan = foundations([BUDGET, CONTRIBUTION, EXPENDITURE])
    approved, *revised = moves(BUDGET, "2023", Approved(**dollars()), Revised)
    plan += [replace(approved, effective="2020"), *revised]
    for number in range(3):
        received = Received(account="MAIN", state="KAZ", fiscal_year=2023, **dollars())
        plan += moves(CONTRIBUTION, f"C-{number}", received, Returned)
        incurred = Incurred(account="MAIN", fiscal_year=2023, line="STAFF", **dollars())
        plan += moves(EXPENDITURE, f"E-{number}", incurred, Refunded)
    return plan


@REGISTERS
@given(plan=plans(OF_FINANCE, fewest=40, most=70) | money_of_a_year(), data=st.data())
def test_ratios(server_url: str, migrated_template: str, plan: Plan, data: st.DataObject) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, recorded),
        reading(url) as reader,
    ):
        entries = [entry for entry in recorded if entry is not None]
        register = Register(entries)
        for _ in range(40):
            day, position = data.draw(points(register) | st.tuples(days(), st.just(register.last)))
            known = [entry for entry in entries if entry.position <= position]
            _check_ratios(reader, register, known, as_of(day, position))


def _check_ratios(
    reader: Reader, register: Register, known: Sequence[Entry], point: dict[str, str]
) -> None:
    """Hold both ratios of both budgets to the naive ones."""
    day, position = date.fromisoformat(point["effectiveOn"]), int(point["position"])
    all_of = {name: register.candidates(name, day, position) for name in TABLES_OF_A_RATIO}
    for key in ("2022", "2023"):
        found = reader.ledger(BUDGET_OF % key, **point)["budget"]
        budget = shown(all_of["budgets"]).get(key)
        if budget is None:
            assert found is None, (key, point)
            continue
        of_its_own = {name: _of_budget(all_of[name], budget) for name in TABLES_OF_A_RATIO}
        received = summed(of_its_own["contributions"], lambda row: Decimal(row.net))
        over = {
            "collectionRate": ("budgets", lambda row: row.amount),
            "expensesCovered": ("expenditures", lambda row: row.net),
        }
        for name, (below, amount) in over.items():
            sides = received, summed(of_its_own[below], amount)
            keys = {*of_its_own["contributions"], *of_its_own[below]}
            named = [entry.position for entry in known if entry.key in keys]
            _check_ratio(found[name], sides, budget.currency, named)


def _of_budget(candidates: Candidates, budget: Any) -> Candidates:
    """The records that may be of the budget's year and currency."""
    return {
        key: states
        for key, states in candidates.items()
        if any(
            (state.row.fiscal_year, state.row.currency) == (budget.fiscal_year, budget.currency)
            for state in states
        )
    }


def _check_ratio(
    found: dict[str, Any], sides: tuple[Sum, Sum], currency: str, named: Sequence[int]
) -> None:
    above, below = (_range(found[side], currency) for side in ("numerator", "denominator"))
    assert (above, below) == (sides[0].range, sides[1].range)
    read = Ratio(*(_decimal(found[part]) for part in ("value", "low", "high")))
    assert read == Ratio.of(*sides)
    assert [int(entry["position"]) for entry in found["entries"]["nodes"]] == named


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
