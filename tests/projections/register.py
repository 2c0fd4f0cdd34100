"""A register to rebuild and to verify: proposals of every sort, the same ones each time.

It has every kind of record, dates of every precision, corrections of an event, of a date and of a
correction, annulments of each, and records whose opening was annulled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from ledger import accounts, bodies, budgets, contributions, persons, secondments, states
from ledger.database import connect
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Proposal, Source, Statement
from ledger.kind import AnyEvent
from ledger.record import Ledger
from ledger.refusal import Refused
from ledger.settings import initialise
from projections import REGISTRY, TABLES, rules
from projections.timeline import Projector

ZONE = HomeZone("Asia/Almaty")

DATES = ("2021", "2021-05", "2021-05-12", "2022-01~", "[2021-11..2022-11]", "2022-08-27/2022-08-29")
LATER = ("2022", "2022-12", "2022-12-30", "2023~", "[2022-10..2023-11]", "2023-01/..")


@contextmanager
def opened_ledger(url: str) -> Iterator[Ledger]:
    """A writer on the database at `url`, whose name, zone and rules are noted first."""
    with connect(url) as connection:
        initialise(connection, name="test", home_zone=ZONE.name)
        rules.ensure(connection)
    with Ledger(lambda: connect(url), REGISTRY, ZONE, Projector(TABLES, ZONE)) as ledger:
        yield ledger


def proposed(kind: str, key: str, event: AnyEvent | None, day: str | None, **more: Any) -> Proposal:
    """A proposal by the registrar; what `Proposal` has no field for is put into the statement."""
    ours = ("corrects", "annuls", "recorded_on", "idempotency_key")
    statement = Statement(
        event=event,
        effective=None if day is None else parse_edtf(day),
        recorded_by="registrar",
        **{name: value for name, value in more.items() if name not in ours},
    )
    return Proposal(
        kind=kind,
        key=key,
        statement=statement,
        **{name: value for name, value in more.items() if name in ours},
    )


def record_register(ledger: Ledger) -> None:
    """Record the whole register: some of it as of older days, the rest live."""
    for set_ in older_sets():
        ledger.submit(set_).result()
    ledger.submit(grounds()).result()
    for _ in range(2):
        ledger.record(proposed("person", "P-1", persons.Renamed(name="Other name"), "2010"))
    ledger.record(annulled("contribution", "C-ANNULLED", 1))
    record_at_random(ledger, seed=7, count=150)


def record_at_random(ledger: Ledger, *, seed: int, count: int) -> int:
    """Propose `count` entries about a handful of records; return how many were not refused.

    Some are, since what they change or correct is gone by then.
    """
    source = _AtRandom(Random(seed))  # noqa: S311  # The same ones each time, and no secret.
    for _ in range(count):
        proposal = source.proposal()
        with suppress(Refused):
            source.versions[proposal.kind, proposal.key] = ledger.record(proposal).entry.version
    return sum(source.versions.values())


def older_sets() -> Iterator[list[Proposal]]:
    """What an older register took, each set on a day of its own."""
    admitted = states.Admitted(status=states.Status.OBSERVER, name_en="Egypt")
    member = states.StatusChanged(status=states.Status.MEMBER)
    yield [
        proposed("state", "EGY", admitted, "[1999..2002]", recorded_on=_on(2003)),
        proposed("state", "EGY", member, "2002", recorded_on=_on(2003)),
    ]
    yield [proposed("state", "EGY", None, None, annuls="state/EGY/2", recorded_on=_on(2004))]


def grounds() -> list[Proposal]:
    """What the rest refers to."""
    source = Source(document="Rules of Procedure", locator="4", sha256="0" * 64)
    status = states.Status.MEMBER
    secretariat = bodies.Established(
        name_en="Secretariat", category=bodies.Category.SECRETARIAT, operational=False
    )
    approved = budgets.Approved(amount=Decimal("1500000.00"), currency="USD", decided_by="SEC")
    return [
        *(
            proposed(
                "state", key, states.Admitted(status=status, name_en=key, name_ru="имя"), "2002-06"
            )
            for key in ("KAZ", "UZB", "TUR")
        ),
        proposed("body", "SEC", secretariat, "2006~", source=source, basis="quoted"),
        proposed("body", "SEC", bodies.BeganOperating(), "2006-06-17"),
        *(
            proposed("person", f"P-{number}", persons.Registered(name=f"Name {number}"), "2006")
            for number in range(1, 4)
        ),
        proposed(
            "account",
            "MAIN",
            accounts.Opened(fund="GENERAL", currency="USD"),
            "2006",
            idempotency_key="account-main",
        ),
        proposed("budget", "2023", approved, "2022-12"),
        proposed("contribution", "C-ANNULLED", received("KAZ", "10.50"), "2023-05-12"),
    ]


def received(state: str, amount: str) -> contributions.Received:
    """Money that came in on the main account."""
    return contributions.Received(
        account="MAIN", state=state, fiscal_year=2023, amount=Decimal(amount), currency="USD"
    )


def annulled(kind: str, key: str, version: int) -> Proposal:
    """The annulment of one of a record's entries."""
    return proposed(
        kind, key, None, None, annuls=f"{kind}/{key}/{version}", reason="entered by mistake"
    )


@dataclass
class _AtRandom:
    """Where proposals come from; `versions` are those of the records that there are already."""

    random: Random
    versions: dict[tuple[str, str], int] = field(default_factory=dict)

    def proposal(self) -> Proposal:
        kind, prefix, many = self.random.choice([("contribution", "C", 9), ("secondment", "S", 4)])
        key = f"{prefix}-{self.random.randrange(many)}"
        version = self.versions.get((kind, key), 0)
        if version == 0:
            return proposed(kind, key, self._opening(kind), self.random.choice(DATES))
        target = self.random.randint(1, version)
        named = f"{kind}/{key}/{target}"
        match self.random.randrange(6):
            case 0:
                return annulled(kind, key, target)
            case 1:
                return proposed(kind, key, self._opening(kind), None, corrects=named)
            case 2:
                day = self.random.choice(DATES + LATER)
                return proposed(kind, key, self._change(kind), day, corrects=named)
            case _:
                return proposed(kind, key, self._change(kind), self.random.choice(LATER))

    def _opening(self, kind: str) -> AnyEvent:
        state = self.random.choice(["KAZ", "UZB", "TUR"])
        if kind == "secondment":
            person = f"P-{self.random.randrange(1, 4)}"
            return secondments.Joined(person=person, state=state, title="Expert")
        return received(state, f"{self.random.randrange(1, 100)}.50")

    def _change(self, kind: str) -> AnyEvent:
        if kind == "contribution":
            amount = Decimal(self.random.randrange(1, 20))
            return contributions.Returned(amount=amount, currency="USD")
        return self.random.choice(
            [secondments.Left(), secondments.Extended(until=parse_edtf("2025"))]
        )


def _on(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)
