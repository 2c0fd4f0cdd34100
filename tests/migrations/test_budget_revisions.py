"""Migration 0018 keeps the budgets that were on record before budgets could be revised."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger.budgets import BUDGET, Approved, Revised
from ledger.database import connect
from ledger.record import Ledger
from ledger.settings import initialise
from ledger.timeline import Step
from migrations import migrate, runner
from projections import REGISTRY, TABLES
from projections.rebuild import rebuild
from projections.timeline import Projector, Table
from tests.ledger.recording import ZONE, open_ledger, proposed, rows

ROWS = """
    SELECT lower(known), upper(known), amount, original_amount, revised, revised_on,
           approved, approved_on
      FROM projections.budgets ORDER BY known, step
"""
WHOLE_ROWS = "SELECT * FROM projections.budgets ORDER BY known, step"
EVERY_COLUMN = "SELECT row::text FROM projections.budgets AS row ORDER BY 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetBefore:
    """A row of the table as it was."""

    fiscal_year: int
    amount: Decimal
    currency: str
    decided_by: str | None
    approved: str
    approved_on: date


def fold_before(row: BudgetBefore | None, step: Step) -> BudgetBefore:
    """The row of an approval; there was nothing else."""
    assert isinstance(step.event, Approved)
    return BudgetBefore(
        fiscal_year=int(step.entry.key),
        amount=step.event.amount,
        currency=step.event.currency,
        decided_by=step.event.decided_by,
        approved=step.effective.text,
        approved_on=step.latest,
    )


BEFORE: Table[Any] = Table(name="budgets", kind=BUDGET, row=BudgetBefore, fold=fold_before)


@pytest.fixture
def released(empty_database: str, tmp_path: Path) -> str:
    """The URL of a database as it was before, with a budget in it whose approval was corrected."""
    for file in runner.FOLDER.glob("*.sql"):
        if int(file.name[:4]) < 18:
            shutil.copy(file, tmp_path)
    migrate(empty_database, folder=tmp_path)
    with connect(empty_database) as connection:
        initialise(connection, name="test", home_zone=ZONE.name)
    projector = Projector([BEFORE], ZONE)
    with Ledger(lambda: connect(empty_database), REGISTRY, ZONE, projector) as ledger:
        ledger.record(proposed("budget", "2023", approved("2500000.00"), "2022-12"))
        corrected = proposed(
            "budget", "2023", approved("2860000.00"), None, corrects="budget/2023/1"
        )
        ledger.record(corrected)
    return empty_database


def approved(amount: str) -> Approved:
    return Approved(amount=Decimal(amount), currency="USD")


def test_a_budget_that_was_there_is_kept_as_it_was_approved(released: str) -> None:
    before = rows(released, WHOLE_ROWS)
    assert migrate(released)[0] == "0018_budget_revisions.sql"
    first, corrected = Decimal("2500000.00"), Decimal("2860000.00")
    never_revised = (None, None, "2022-12", date(2022, 12, 31))
    assert rows(released, ROWS) == [
        (1, 2, first, first, *never_revised),
        (2, None, corrected, corrected, *never_revised),
    ]
    assert [row[: len(before[0])] for row in rows(released, WHOLE_ROWS)] == before


def test_what_was_filled_is_what_a_rebuild_would_write(released: str) -> None:
    migrate(released)
    filled = rows(released, EVERY_COLUMN)
    rebuild(released, TABLES)
    assert rows(released, EVERY_COLUMN) == filled


def test_a_budget_that_was_there_can_be_revised(released: str) -> None:
    migrate(released)
    revised = Revised(amount=Decimal("3000000.00"), currency="USD")
    with open_ledger(released) as ledger:
        ledger.record(proposed("budget", "2023", revised, "2023-06-15"))
    newest = rows(released, ROWS)[-1]
    assert newest[2:5] == (Decimal("3000000.00"), Decimal("2860000.00"), "2023-06-15")
