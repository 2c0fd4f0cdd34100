"""Registers to import: the example that is shipped, and small ones written for a test."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.database import connect
from ledger.importing import ImportRefused, Outcome, Register, read_register, record_register
from ledger.record import Ledger
from projections import REGISTRY, TABLES
from tests.ledger.recording import ZONE

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cica-2023"
NOW = datetime(2024, 1, 15, 12, tzinfo=UTC)

STATES = """\
effective,recorded_on,state,status,name_en
2000,2022-12-31,KAZ,member,Kazakhstan
2000,2022-12-31,CHN,member,China
"""
ACCOUNTS = """\
effective,recorded_on,account,fund,currency
2006,2022-12-31,MAIN,GENERAL,USD
"""
RECEIPTS = "effective,recorded_on,contribution,account,state,fiscal_year,amount,currency"
RECEIPT = {
    "effective": "2023",
    "recorded_on": "2023-12-31",
    "contribution": "C-1",
    "account": "MAIN",
    "state": "KAZ",
    "fiscal_year": "2023",
    "amount": "10.00",
    "currency": "USD",
}
"""The cells of a receipt that nothing is wrong with."""

ALL_ROWS = 370
"""So many rows has the example."""

MORE = ",label,corrects,annuls"
"""The columns by which rows name each other."""

Answers = dict[str, list[tuple[Any, ...]]]
"""The rows of each read model."""

GROUNDS = {"state_admitted": STATES, "bank_account_opened": ACCOUNTS}
"""What a contribution refers to."""


def written(folder: Path, files: dict[str, str]) -> Path:
    """The folder, with `files` in it: their names without .csv, and their text."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text.encode())
    return folder


def receipts(*rows: str, more: str = "") -> str:
    """The text of a file of receipts; `more` are columns beside the usual ones."""
    return "\n".join((RECEIPTS + more, *rows, ""))


def receipt(**cells: str) -> str:
    """A file with one receipt, some of whose cells are others."""
    columns = {**RECEIPT, **cells}
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in columns.values())
    return ",".join(columns) + "\n" + ",".join(quoted) + "\n"


def rows_by_file(folder: Path) -> dict[str, int]:
    """How many rows each file has below its header, as Python's own reader counts them."""
    counts = {}
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            counts[file.name] = sum(1 for _ in csv.reader(opened)) - 1
    return counts


def read(folder: Path, **choices: Any) -> Register:
    """The register in `folder`, read by the importer on 15 January 2024."""
    settings: dict[str, Any] = {"only": None, "principal": "importer", "now": NOW, **choices}
    return read_register(folder, REGISTRY, ZONE, **settings)


def complaints(folder: Path, **choices: Any) -> list[str]:
    """The lines that a refused register is answered with."""
    with pytest.raises(ImportRefused) as refused:
        read(folder, **choices)
    return str(refused.value).splitlines()


def added(file: Path, *rows: str) -> None:
    """Write further rows below those of a file."""
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{row}\n" for row in rows)


def record(ledger: Ledger, folder: Path, **choices: Any) -> Outcome:
    """Read and record a register."""
    return record_register(ledger, read(folder, **choices))


def refused(ledger: Ledger, folder: Path, **choices: Any) -> list[str]:
    """The lines that the ledger answers a register with that could be read."""
    rows = read(folder, **choices)
    with pytest.raises(ImportRefused) as refusal:
        record_register(ledger, rows)
    return str(refusal.value).splitlines()


def asked(database: str, statement: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with connect(database) as connection:
        return connection.execute(statement.encode()).fetchall()


def entries(database: str) -> int:
    """How many entries there are."""
    return int(asked(database, "SELECT count(*) FROM ledger.entries")[0][0])


def answers(database: str) -> Answers:
    """What every read model says now, whatever the positions are."""
    found = {}
    for table in TABLES:
        shown = f"FROM projections.{table.name} AS shown WHERE upper_inf(known) ORDER BY 1"
        statement = (
            f"SELECT (to_jsonb(shown) - 'position' - 'known')::text {shown}"  # A table of ours.
        )
        found[table.name] = asked(database, statement)
    return found
