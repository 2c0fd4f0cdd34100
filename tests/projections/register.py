"""A register to rebuild and to verify: proposals of every sort, the same ones each time.

It has every kind of record, dates of every precision, corrections of an event, of a date and of a
correction, annulments of each, and records whose opening was annulled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from ledger import (
    accounts,
    activities,
    audit_reports,
    bodies,
    budgets,
    contributions,
    dimensions,
    expenditures,
    financial_reports,
    organizations,
    persons,
    plans,
    priority_areas,
    secondments,
    states,
)
from ledger.database import connect
from ledger.dates import HomeZone, parse_edtf
from ledger.depositary_notifications import Circulated, Subject
from ledger.entry import Proposal, Source, Statement
from ledger.entry_into_force import Instrument
from ledger.kind import AnyEvent
from ledger.record import Ledger
from ledger.refusal import Refused
from ledger.settings import initialise
from ledger.treaties import Opened
from ledger.treaty_participants import Denounced, Deposited, InstrumentWithdrawn, Signed
from ledger.treaty_statements import Formulated, Raised, Withdrawn
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
    ledger.submit(programme()).result()
    ledger.submit(depositary()).result()
    ledger.submit(accounting()).result()


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


def programme() -> list[Proposal]:
    """A plan and its activities: one of each status, one that was corrected, and one annulled."""
    economic = dimensions.Defined(name_en="Economic")
    adopted = plans.Adopted(year=2022, adopted_by="SEC", items=5)
    held = activities.Held(format=activities.Format.ONLINE, participants=40, states=12)
    another_place = activities.Held(place="Astana", participants=50)
    postponed = activities.Postponed(reason="no venue")
    return [
        proposed("dimension", "ECO", economic, "2021-10"),
        *(
            proposed("priority_area", f"PA0{number}", _area(number), "2021-10")
            for number in (1, 2, 3)
        ),
        proposed("plan", "PLAN-2022", adopted, "2021-12"),
        *(_planned_activity(number) for number in range(6)),
        proposed("activity", "A-1", held, "2022-05"),
        proposed("activity", "A-1", another_place, "2022-06", corrects="activity/A-1/2"),
        proposed("activity", "A-2", postponed, "2022-06-01"),
        proposed("activity", "A-3", activities.Cancelled(), "[2022-06..2022-09]"),
        proposed("activity", "A-4", held, "2022-08-27/2022-08-29"),
        annulled("activity", "A-4", 2),
    ]


def _area(number: int) -> priority_areas.Defined:
    return priority_areas.Defined(number=number, dimension="ECO", name_en=f"Area {number}")


def _planned_activity(number: int) -> Proposal:
    """An item of the plan, but for number 0, which belongs to nothing."""
    is_item = number > 0
    planned = activities.Planned(
        plan="PLAN-2022" if is_item else None,
        category=activities.Category.CBM_EVENT if is_item else activities.Category.OTHER,
        area=f"PA0{1 + number % 2}" if is_item else None,
        organizer="UZB" if number % 2 else None,
        title_en=f"Seminar {number // 2}",
        planned_dates=parse_edtf("2022-05"),
    )
    return proposed("activity", f"A-{number}", planned, "2021-12")


def depositary() -> list[Proposal]:
    """A treaty, participants that signed, are bound, withdrew or left, and what they said of it."""
    opened = Opened(title_en="Convention", instruments_required=2, offset="P30D")
    late = Deposited(treaty="CPI", organization="EU", instrument=Instrument.FORMAL_CONFIRMATION)
    reservation = Formulated(treaty="CPI", state="KAZ", text="Not bound by article 4.")
    objection = Raised(treaty="CPI", state="TUR", objects_to="R-1", text="Incompatible.")
    notified = Circulated(treaty="CPI", subject=Subject.DEPOSIT, state="KAZ")
    return [
        proposed("organization", "EU", organizations.Registered(name_en="Union"), "1993-11"),
        proposed("treaty", "CPI", opened, "2010-06-08"),
        _of_participant("KAZ", Signed(treaty="CPI", state="KAZ"), "2010-06-08"),
        _of_participant("KAZ", _ratified("KAZ"), "2012"),
        _of_participant("UZB", _ratified("UZB"), "[2013..2014-05]"),
        _of_participant("UZB", InstrumentWithdrawn(), "2014"),
        _of_participant("TUR", _ratified("TUR"), "2015-09-30"),
        _of_participant("TUR", Denounced(takes_effect=parse_edtf("2021")), "2020-05-12"),
        _of_participant("EU", late, "2016-05"),
        annulled("treaty_participant", "CPI-EU", 1),
        _of_participant("KAZ", _ratified("KAZ"), None, corrects="treaty_participant/CPI-KAZ/2"),
        proposed("treaty_statement", "R-1", reservation, "2012"),
        proposed("treaty_statement", "O-1", objection, "2015-10"),
        proposed("treaty_statement", "R-1", Withdrawn(), "2019"),
        proposed("depositary_notification", "C.N.1.2012", notified, "2012-03"),
    ]


def _of_participant(party: str, event: AnyEvent, day: str | None, **more: Any) -> Proposal:
    return proposed("treaty_participant", f"CPI-{party}", event, day, **more)


def _ratified(state: str) -> Deposited:
    return Deposited(treaty="CPI", state=state, instrument=Instrument.RATIFICATION)


def accounting() -> list[Proposal]:
    """A budget that was revised, what was spent and came back, and the reports on it."""
    more = budgets.Revised(amount=Decimal("1600000.00"), currency="USD", decided_by="SEC")
    came_back = expenditures.Refunded(amount=Decimal("0.50"), currency="USD")
    first_half = financial_reports.Issued(
        period_start=date(2022, 1, 1), period_end=date(2022, 6, 30)
    )
    audited = audit_reports.Issued(
        auditor="Audit office", period_start=date(2020, 10, 1), period_end=date(2022, 12, 31)
    )
    considered = replace(audited, considered_by="A-1")
    return [
        proposed("budget", "2023", more, "2023-01/.."),
        *(
            proposed("expenditure", f"E-{number}", _spent(line, f"{number}00.50"), day)
            for number, line, day in (
                (1, "STAFF", "2022-05"),
                (2, "TRAVEL", "[2022-06..2023-03]"),
                (3, "STAFF", "2022-06-30"),
            )
        ),
        proposed("expenditure", "E-1", came_back, "2022-08~"),
        proposed("expenditure", "E-2", _spent("TRAVEL", "75"), None, corrects="expenditure/E-2/1"),
        annulled("expenditure", "E-3", 1),
        proposed(
            "financial_report", "FIN-2021", financial_reports.Issued(fiscal_year=2021), "2022"
        ),
        proposed("financial_report", "FIN-2022-H1", first_half, "2022-09-15"),
        proposed("audit_report", "AUDIT-1", audited, "2023-01~"),
        proposed("audit_report", "AUDIT-1", considered, None, corrects="audit_report/AUDIT-1/1"),
    ]


def _spent(line: str, amount: str) -> expenditures.Incurred:
    return expenditures.Incurred(
        account="MAIN", fiscal_year=2023, line=line, amount=Decimal(amount), currency="USD"
    )


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
