"""A ledger at every stage of its schema, with the entries and the rows that there can be.

A stage is the number of its last migration. When the table of a kind has been made, the register's
proposals of that kind are recorded by the code of today, whose shapes of older tables are listed
here: so every stage holds what a release of that schema would have held.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from ledger import (
    accounts,
    activities,
    bodies,
    contributions,
    dimensions,
    organizations,
    persons,
    plans,
    priority_areas,
    secondments,
    states,
    treaties,
    treaty_participants,
    treaty_statements,
)
from ledger.budgets import Revised
from ledger.database import connect
from ledger.dates import parse_edtf
from ledger.entry import Proposal
from ledger.record import Ledger
from ledger.settings import initialise
from migrations import migrate, runner
from migrations.files import read_files
from projections import REGISTRY, TABLES, rules
from projections.timeline import Projector, Table
from tests.conftest import fresh_database
from tests.migrations import test_budget_revisions
from tests.projections.register import (
    ZONE,
    accounting,
    annulled,
    depositary,
    grounds,
    older_sets,
    programme,
    proposed,
    received,
)

FILES = read_files(runner.FOLDER)
LAST = FILES[-1].number

OLDER_SHAPES: dict[str, tuple[int, Table[Any]]] = {
    "budgets": (18, test_budget_revisions.BEFORE),
}
"""Tables whose rows were of another shape before a migration."""

RECORDED_SINCE: dict[type, int] = {Revised: 18}
"""Events that came after their kind's table, with the migration that brought what they need."""


def folder_up_to(number: int, target: Path) -> Path:
    """A folder with the migrations up to a number."""
    target.mkdir()
    for file in FILES[:number]:
        shutil.copy(runner.FOLDER / file.name, target)
    return target


def made_in(table: Table[Any]) -> int:
    """The number of the migration that makes a table."""
    (number,) = (file.number for file in FILES if file.name[5:] == f"{table.name}.sql")
    return number


def tables_at(number: int) -> list[Table[Any]]:
    """The tables that there are at a stage, in their shapes then."""
    found = []
    for table in TABLES:
        changed_in, before = OLDER_SHAPES.get(table.name, (0, table))
        if made_in(table) <= number:
            found.append(before if number < changed_in else table)
    return found


def proposals() -> Iterator[list[Proposal]]:
    """All that is recorded, in sets; those that an older register took first."""
    yield from older_sets()
    income = proposed("contribution", "C-ONE", received("KAZ", "10.50"), "[2022-11..2023-02]")
    for proposal in (
        *grounds(),
        proposed("person", "P-1", persons.Renamed(name="Other name"), "2010"),
        income,
        annulled("contribution", "C-ANNULLED", 1),
        *programme(),
        *depositary(),
        *accounting(),
        *the_rest(),
    ):
        yield [proposal]


def the_rest() -> list[Proposal]:
    """An entry of each event that the register has none of."""
    pledged = contributions.Pledged(
        state="UZB", fiscal_year=2023, amount=Decimal(500), currency="USD"
    )
    declared = treaty_statements.Made(treaty="CPI", state="UZB", text="As to article 4.")
    moved = activities.Rescheduled(to_dates=parse_edtf("2022-09"))
    later = (
        ("state", "TUR", states.Renamed(name_en="Türkiye")),
        ("body", "SEC", bodies.Renamed(name_en="The Secretariat")),
        ("body", "SEC", bodies.CeasedOperating()),
        ("contribution", "C-TWO", pledged),
        ("contribution", "C-ONE", contributions.Returned(amount=Decimal("0.50"), currency="USD")),
        ("secondment", "S-1", secondments.Joined(person="P-1", state="KAZ", title="Expert")),
        ("secondment", "S-1", secondments.Extended(until=parse_edtf("2025"))),
        ("secondment", "S-1", secondments.Left()),
        ("dimension", "ECO", dimensions.Renamed(name_en="Economy")),
        ("priority_area", "PA01", priority_areas.Renamed(name_en="Transport")),
        ("plan", "PLAN-2022", plans.Revised(items=6)),
        ("activity", "A-5", moved),
        ("organization", "EU", organizations.Renamed(name_en="European Union")),
        ("treaty", "CPI", treaties.Renamed(title_en="The Convention")),
        ("treaty_participant", "CPI-TUR", treaty_participants.DenunciationWithdrawn()),
        ("treaty_statement", "D-1", declared),
        ("treaty_statement", "D-1", treaty_statements.Modified(text="As to article 5.")),
        ("account", "MAIN", accounts.Closed()),
    )
    return [proposed(kind, key, event, "2023-06") for kind, key, event in later]


def since(proposal: Proposal) -> int:
    """The stage from which on a proposal can be recorded."""
    (table,) = (table for table in TABLES if table.kind.name == proposal.kind)
    return max(made_in(table), RECORDED_SINCE.get(type(proposal.statement.event), 0))


def stages(server_url: str, place: Path) -> Iterator[dict[int, str]]:
    """A database for each stage, by its number."""
    made: dict[int, str] = {}

    def next_one(template: str, number: int) -> Iterator[dict[int, str]]:
        if number > LAST:
            yield made
            return
        with fresh_database(server_url, template=template) as url:
            migrate(url, folder=folder_up_to(number, place / str(number)))
            fill(url, number)
            made[number] = url
            yield from next_one(str(conninfo_to_dict(url)["dbname"]), number + 1)

    yield from next_one("template1", 1)


def fill(url: str, number: int) -> None:
    """Record what can be recorded since a stage, and not before."""
    with connect(url) as connection:
        initialise(connection, name="test", home_zone=ZONE.name)
        rules.ensure(connection)
    projector = Projector(tables_at(number), ZONE)
    with Ledger(lambda: connect(url), REGISTRY, ZONE, projector) as ledger:
        for set_ in proposals():
            if since(set_[0]) == number:
                ledger.submit(set_).result()


def with_something_in_the_middle(number: int, statement: str, target: Path) -> Path:
    """A folder in whose last migration a statement stands after half of the others."""
    folder = folder_up_to(number, target)
    file = FILES[number - 1]
    middle = file.statements[len(file.statements) // 2].offset
    text = f"{file.text[:middle]}{statement};\n{file.text[middle:]}"
    (folder / file.name).write_text(text)
    assert re.search(r"\w", text[:middle])
    return folder
