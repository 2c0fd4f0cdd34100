"""What the demo shows of a register: a document of this schema, and its answer in two tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table

DOCUMENT = """
query Overview($asOf: AsOf!) {
  ledger(asOf: $asOf) {
    asOf { effectiveOn position }
    members: states(filter: { status: [MEMBER] }, first: 0) { totalCount { certain possible } }
    observers: states(filter: { status: [OBSERVER] }, first: 0) { totalCount { certain possible } }
    budget(fiscalYear: 2023) {
      amount { amount currency } collectionRate { value } expensesCovered { value }
    }
    year: contributionTotals(filter: { fiscalYear: [2023] }) {
      net { amount currency } contributors { certain }
    }
    all: contributionTotals { net { amount currency } contributors { certain } }
    byState: contributionTotals(by: [STATE]) { state { nameEn } net { amount } share { value } }
    personYears { state { nameEn } years { value } }
    held: activities(filter: { year: 2023, status: HELD }, first: 0) { ...Counted }
    pending: activities(filter: { year: 2023, status: PLANNED }, first: 0) { ...Counted }
    postponed: activities(filter: { year: 2023, status: POSTPONED }, first: 0) { ...Counted }
    treaties { nodes { key status {
      required deposited { certain possible } remaining { certain possible }
      inForce { certain } entryIntoForce { day } parties { certain possible }
    } } }
  }
}
fragment Counted on ActivityConnection { totalCount { certain possible } }
"""

VARIABLES = {"asOf": {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}}


def overview(data: dict[str, Any]) -> Group:
    """The data of the answer to `DOCUMENT`, to be printed on a `rich` console."""
    ledger = data["ledger"]
    point = ledger["asOf"]
    heading = f"As of {point['effectiveOn']}, as known at entry {point['position']}:"
    return Group(heading, _figures(ledger), _states(ledger), _treaties(ledger))


def _figures(ledger: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    for name in ("members", "observers"):
        table.add_row(name.capitalize(), _count(ledger[name]["totalCount"]))
    for name in ("held", "pending", "postponed"):
        table.add_row(f"Activities of 2023 {name}", _count(ledger[name]["totalCount"]))
    budget = ledger["budget"]
    if budget is not None:
        table.add_row("Budget for 2023", _money(**budget["amount"]))
        table.add_row("Collected of it", _percent(budget["collectionRate"]["value"]))
        table.add_row("Expenses covered", _percent(budget["expensesCovered"]["value"]))
    for name, title in (("year", "Received for 2023"), ("all", "Received since 2006")):
        for total in ledger[name]:
            states = total["contributors"]["certain"]
            table.add_row(title, f"{_money(**total['net'])} from {states} states")
    return table


def _states(ledger: dict[str, Any]) -> Table:
    years = {row["state"]["nameEn"]: row["years"]["value"] for row in ledger["personYears"]}
    table = Table("State", box=None)
    for title in ("received", "share", "person-years"):
        table.add_column(title, justify="right")
    for row in ledger["byState"]:
        name = row["state"]["nameEn"]
        served = f"{float(years[name]):.1f}" if name in years else ""
        share = _percent(row["share"]["value"])
        table.add_row(name, _grouped(row["net"]["amount"]), share, served)
    return table


def _treaties(ledger: dict[str, Any]) -> Table:
    table = Table("Treaty", box=None)
    for title in ("required", "deposited", "remaining", "parties"):
        table.add_column(title, justify="right")
    table.add_column("in force since")
    for treaty in ledger["treaties"]["nodes"]:
        status = treaty["status"]
        required, remaining, entry = (
            status[name] for name in ("required", "remaining", "entryIntoForce")
        )
        table.add_row(
            treaty["key"],
            "" if required is None else str(required),
            _count(status["deposited"]),
            "" if remaining is None else _count(remaining),
            _count(status["parties"]),
            entry["day"] if status["inForce"]["certain"] else "not in force",
        )
    return table


def _percent(value: str | None) -> str:
    return "" if value is None else f"{Decimal(value):.1%}"


def _count(count: dict[str, int]) -> str:
    certain, possible = count["certain"], count["possible"]
    return str(certain) if certain == possible else f"{certain} to {possible}"


def _money(amount: str, currency: str) -> str:
    return f"{_grouped(amount)} {currency}"


def _grouped(amount: str) -> str:
    whole, _, cents = amount.partition(".")
    return f"{int(whole):,}".replace(",", " ") + (f".{cents}" if cents else "")
