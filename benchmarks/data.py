"""A register of any size, the same one each time: made up, in the proportion of a real one.

Of a hundred entries some sixty are about contributions (pledged, received in one instalment or
two, now and then returned in part), eighteen about activities (planned, held), twelve about
secondments and the persons seconded, ten about treaties (opened, signed, ratified). They are spread
evenly over the days from 2006 on, and each is on record a few days after it happened.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

STATES = tuple(f"{first}{second}X" for first in "ABCDEFG" for second in "KLMNOP")
ACCOUNTS = ("MAIN", "FUND", "TRUST")
FIRST_DAY, LAST_DAY = date(2006, 6, 1), date(2023, 12, 1)
ALL_KNOWN = date(2024, 6, 1)
"""A day by which everything had happened and was on record."""

Row = tuple[str, dict[str, Any]]
"""The file that a row is for, without its suffix, and its cells."""


def write_register(folder: Path, size: int) -> None:
    """Write CSV files with about `size` rows into `folder`, as `secretariat import` reads them."""
    with ExitStack() as stack:
        writers: dict[str, csv.DictWriter[str]] = {}
        for name, cells in rows(size):
            if name not in writers:
                file = stack.enter_context((folder / f"{name}.csv").open("w", newline=""))
                writers[name] = csv.DictWriter(file, cells)
                writers[name].writeheader()
            writers[name].writerow(cells)


def rows(size: int) -> Iterator[Row]:
    """The rows of the register, at least `size` of them, one story after the other."""
    random = Random(1481)  # noqa: S311  # The same ones each time, and no secret.
    done = 0
    for row in _grounds():
        done += 1
        yield row
    number = 0
    while done < size:
        number += 1
        day = FIRST_DAY + timedelta((LAST_DAY - FIRST_DAY).days * done // size)
        for row in _story(random)(random, number, day):
            done += 1
            yield row


def _story(random: Random) -> Callable[[Random, int, date], Iterator[Row]]:
    stories = (_contribution, _activity, _secondment, _participant)
    return random.choices(stories, weights=(50, 16, 8, 3))[0]


def _grounds() -> Iterator[Row]:
    for state in STATES:
        cells = {"state": state, "status": "member", "name_en": f"State {state}"}
        yield _row("state_admitted", FIRST_DAY, 0, cells)
    for account in ACCOUNTS:
        cells = {"account": account, "fund": f"Fund {account}", "currency": "USD"}
        yield _row("bank_account_opened", FIRST_DAY, 0, cells)


def _contribution(random: Random, number: int, day: date) -> Iterator[Row]:
    key = {"contribution": f"C-{number:08}"}
    about = {"state": random.choice(STATES), "fiscal_year": day.year}
    account = {"account": random.choice(ACCOUNTS)}
    amount = random.randrange(10_000, 50_000_000)
    if random.random() < 0.5:
        promised = {"amount": _money(amount), "currency": "USD"}
        yield _row("contribution_pledged", day, 3, key | about | promised | account)
    parts = [amount] if random.random() < 0.8 else [amount // 3, amount - amount // 3]
    for index, part in enumerate(parts):
        came = {"amount": _money(part), "currency": "USD"}
        yield _row(
            "contribution_received",
            day + timedelta(30 + 60 * index),
            5,
            key | account | about | came,
        )
    if random.random() < 0.03:
        back = {"amount": _money(amount // 4), "currency": "USD"}
        yield _row("contribution_returned", day + timedelta(150), 2, key | back)


def _activity(random: Random, number: int, day: date) -> Iterator[Row]:
    key = {"activity": f"A-{number:08}"}
    planned = {
        "category": "cbm_event",
        "organizer": random.choice(STATES),
        "organizer_role": "coordinator",
        "title_en": f"Workshop number {number} on confidence building",
        "planned_dates": (day + timedelta(90)).isoformat(),
    }
    yield _row("activity_planned", day, 4, key | planned)
    if random.random() < 0.9:
        held = {"format": "in_person", "place": "Astana", "participants": random.randrange(9, 200)}
        yield _row("activity_held", day + timedelta(90 + random.randrange(9)), 1, key | held)


def _secondment(random: Random, number: int, day: date) -> Iterator[Row]:
    person, key = {"person": f"P-{number:08}"}, {"secondment": f"S-{number:08}"}
    yield _row("person_registered", day, 2, person | {"name": f"Secondee number {number}"})
    joined = {"state": random.choice(STATES), "title": "Officer"}
    yield _row("secondee_joined", day + timedelta(5), 2, key | person | joined)
    if random.random() < 0.5:
        yield _row("secondee_left", day + timedelta(170), 1, key)


def _participant(random: Random, number: int, day: date) -> Iterator[Row]:
    """A treaty each time, with what its first parties did: the shape of a depositary's day."""
    key = {"treaty": f"T-{number:08}"}
    title = {"title_en": f"Agreement {number}", "instruments_required": 3, "offset": "P30D"}
    yield _row("treaty_opened", day, 1, key | title)
    for state in random.sample(STATES, 2):
        yield _row("treaty_signed", day + timedelta(1), 1, key | {"state": state})
        instrument = {"state": state, "instrument": "ratification"}
        yield _row("instrument_deposited", day + timedelta(120), 2, key | instrument)


def _row(file: str, day: date, days_later: int, cells: dict[str, Any]) -> Row:
    recorded = day + timedelta(days_later)
    common = {"effective": day.isoformat(), "recorded_on": recorded.isoformat()}
    return file, common | cells | {"source": "REG/1 s.2", "basis": "quoted"}


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
