"""What a depositary takes down, and what becomes of treaties by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from ledger.dates import parse_edtf
from ledger.depositary_notifications import Circulated, Subject
from ledger.entry_into_force import Instrument
from ledger.organizations import Registered
from ledger.record import Ledger
from ledger.treaties import Opened
from ledger.treaty_participants import (
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
    Signed,
)
from ledger.treaty_statements import Formulated, Made, Modified, Raised, Withdrawn
from tests.ledger.recording import open_ledger, proposed, state
from tests.schema.reader import Reader, reading
from tests.schema.test_answers import exactly
from tests.schema.test_treaties import NO, YES, day, parties, status

STATEMENTS = """treatyStatements(filter: { treaty: "T", withdrawn: false }) { nodes {
    key type text provisions state { key } organization { key } objectsTo { key }
    precludesEntryIntoForce stated { edtf } objections { nodes { key } }
} }"""

OBJECTION = Raised(
    treaty="T",
    state="TUR",
    objects_to="R1",
    text="Against its object.",
    precludes_entry_into_force=False,
)


@dataclass
class Depositary:
    """A ledger of one organization and three states, and what its depositary takes down."""

    ledger: Ledger
    reader: Reader

    def opens(self, treaty: str, **terms: Any) -> None:
        """A treaty is opened on 1 January 2020."""
        event = Opened(title_en=f"Treaty {treaty}", **terms)
        self.ledger.record(proposed("treaty", treaty, event, "2020-01-01"))

    def receives(self, treaty: str, party: str, on: str, **more: Any) -> None:
        """An instrument, of accession if nothing else is said."""
        event = Deposited(
            treaty=treaty,
            **self._named(party),
            instrument=more.pop("instrument", Instrument.ACCESSION),
            **more,
        )
        self._records(treaty, party, event, on)

    def sees_signing(self, treaty: str, party: str, on: str) -> None:
        """A signature."""
        self._records(treaty, party, Signed(treaty=treaty, **self._named(party)), on)

    def is_told(self, treaty: str, party: str, event: Any, on: str) -> None:
        """Whatever else a participant does."""
        self._records(treaty, party, event, on)

    def _records(self, treaty: str, party: str, event: Any, on: str) -> None:
        self.ledger.record(proposed("treaty_participant", f"{treaty}-{party}", event, on))

    @staticmethod
    def _named(party: str) -> dict[str, Any]:
        return {"organization" if party == "EU" else "state": party}


@pytest.fixture
def depositary(database: str) -> Iterator[Depositary]:
    """A depositary with nothing but participants on record."""
    with open_ledger(database) as ledger:
        for key in ("KAZ", "TUR", "MNG"):
            ledger.record(state(key))
        ledger.record(proposed("organization", "EU", Registered(name_en="European Union"), "1993"))
        with reading(database) as reader:
            yield Depositary(ledger, reader)


def test_organizations_count_if_the_rule_says_so(depositary: Depositary) -> None:
    for treaty, counted in (("STRICT", None), ("OPEN", True)):
        depositary.opens(
            treaty, instruments_required=2, offset="P30D", organizations_counted=counted
        )
        depositary.receives(treaty, "KAZ", "2020-02-01")
        depositary.receives(treaty, "EU", "2020-03-01")
    strict = status(depositary.reader, "STRICT", "2020-06-01", "2030-01-01")
    assert (strict["deposited"], strict["entryIntoForce"]) == (exactly(1), None)
    opened = status(depositary.reader, "OPEN", "2020-06-01", "2030-01-01")
    assert opened["deposited"] == exactly(2)
    assert opened["entryIntoForce"] == day("2020-03-31")
    # Where it counts or not, it is a party like the others.
    depositary.receives("STRICT", "TUR", "2020-04-01")
    assert parties(depositary.reader, "STRICT", "2020-05-01") == {
        "STRICT-EU": "2020-05-01",
        "STRICT-KAZ": "2020-05-01",
        "STRICT-TUR": "2020-05-01",
    }


def test_only_the_kinds_that_the_rule_names_count(depositary: Depositary) -> None:
    depositary.opens(
        "T", instruments_required=1, offset="P1M", instrument_kinds="ratification acceptance"
    )
    depositary.receives("T", "KAZ", "2020-02-01", instrument=Instrument.SUCCESSION)
    assert status(depositary.reader, "T", "2021-01-01", "2030-01-01")["deposited"] == exactly(0)
    depositary.receives("T", "TUR", "2020-05-31", instrument=Instrument.ACCEPTANCE)
    found = status(depositary.reader, "T", "2021-01-01", "2030-01-01")
    assert (found["deposited"], found["entryIntoForce"]) == (exactly(1), day("2020-06-30"))
    assert found["parties"] == exactly(2)


def test_two_conditions(depositary: Depositary) -> None:
    depositary.opens(
        "T",
        instruments_required=2,
        offset="P30D",
        share_required=Decimal(55),
        share_of="emissions",
    )
    depositary.receives("T", "KAZ", "2020-02-01", share=Decimal("20.5"))
    depositary.receives("T", "TUR", "2020-03-01", share=Decimal("20.5"))
    few = status(depositary.reader, "T", "2020-06-01", "2030-01-01")
    assert (few["deposited"], few["remaining"]) == (exactly(2), exactly(0))
    assert few["shareDeposited"] == {"value": "41.0", "low": "41.0", "high": "41.0"}
    assert (few["entryIntoForce"], few["ifNextDeposited"]) == (None, None)
    depositary.receives("T", "MNG", "[2020-05-01..2020-05-11]", share=Decimal(14))
    found = status(depositary.reader, "T", "2020-05-05", "2030-01-01")
    assert found["shareDeposited"] == {"value": "41.0", "low": "41.0", "high": "55.0"}
    found = status(depositary.reader, "T", "2020-06-05", "2030-01-01")
    assert found["entryIntoForce"] == {
        "day": "2020-06-10",
        "earliest": "2020-05-31",
        "latest": "2020-06-10",
    }
    assert found["inForce"] == {"certain": False, "possible": True}
    assert found["parties"] == {"certain": 0, "possible": 3}


def test_an_instrument_withdrawn_before_entry_into_force(depositary: Depositary) -> None:
    depositary.opens("T", instruments_required=2, offset="P30D")
    depositary.receives("T", "KAZ", "2020-02-01")
    depositary.receives("T", "TUR", "2020-03-01")
    depositary.is_told("T", "KAZ", InstrumentWithdrawn(), "2020-03-15")
    found = status(depositary.reader, "T", "2020-06-01", "2030-01-01")
    assert (found["deposited"], found["remaining"]) == (exactly(1), exactly(1))
    assert (found["inForce"], found["entryIntoForce"]) == (NO, None)
    depositary.receives("T", "KAZ", "2020-07-01")
    again = status(depositary.reader, "T", "2020-07-31", "2030-01-01")
    assert (again["inForce"], again["entryIntoForce"]) == (YES, day("2020-07-31"))


def test_a_denunciation_has_effect_after_notice(depositary: Depositary) -> None:
    depositary.opens(
        "T", instruments_required=1, offset="P0D", denunciation_offset="P6M first-of-next-month"
    )
    for party in ("KAZ", "TUR", "MNG"):
        depositary.receives("T", party, "2020-02-01")
    depositary.is_told("T", "KAZ", Denounced(), "2024-01-16")
    depositary.is_told("T", "TUR", Denounced(takes_effect=parse_edtf("2024-02-01")), "2024-01-16")
    depositary.is_told("T", "MNG", Denounced(), "2024-01-16")
    depositary.is_told("T", "MNG", DenunciationWithdrawn(), "2024-03-01")
    reader = depositary.reader
    assert set(parties(reader, "T", "2024-01-31")) == {"T-KAZ", "T-MNG", "T-TUR"}
    assert set(parties(reader, "T", "2024-07-31")) == {"T-KAZ", "T-MNG"}
    assert set(parties(reader, "T", "2024-08-01")) == {"T-MNG"}
    # It stays in force, whoever leaves; and who has left may come again.
    assert status(reader, "T", "2024-08-01", "2030-01-01")["inForce"] == YES
    depositary.receives("T", "KAZ", "2025-01-01")
    assert parties(reader, "T", "2025-01-01") == {"T-KAZ": "2025-01-01", "T-MNG": "2020-02-01"}
    assert parties(reader, "T", "2024-07-31")["T-KAZ"] == "2020-02-01"
    nodes = reader.ledger(
        "treatyParticipants { nodes { key status printedInstrument inForceUntil { day } } }",
        effectiveOn="2024-07-31",
    )["treatyParticipants"]["nodes"]
    assert [tuple(node.values()) for node in nodes] == [
        ("T-KAZ", "DENOUNCED", "[1 Feb 2020 a]", {"day": "2024-08-01"}),
        ("T-MNG", "BOUND", "1 Feb 2020 a", None),
        ("T-TUR", "DENOUNCED", "[1 Feb 2020 a]", {"day": "2024-02-01"}),
    ]


def test_an_effect_before_the_deposit(depositary: Depositary) -> None:
    depositary.opens("T")
    depositary.receives("T", "KAZ", "2020-02-01", takes_effect=parse_edtf("2020-05-01"))
    depositary.receives(
        *("T", "TUR", "2022-03-01"),
        instrument=Instrument.CONTINUED_APPLICATION,
        takes_effect=parse_edtf("2020-06-06"),
    )
    reader = depositary.reader
    assert parties(reader, "T", "2020-04-30") == {}
    assert parties(reader, "T", "2020-06-05") == {"T-KAZ": "2020-05-01"}
    # With every instrument known by now, though this one came two years later.
    assert parties(reader, "T", "2020-06-06") == {"T-KAZ": "2020-05-01", "T-TUR": "2020-06-06"}
    found = status(reader, "T", "2020-06-06", "2030-01-01")
    assert (found["required"], found["remaining"], found["deposited"]) == (None, None, exactly(1))
    assert (found["parties"], found["entryIntoForce"]) == (exactly(2), day("2020-05-01"))


def test_a_stated_effect_does_not_come_before_the_treaty(depositary: Depositary) -> None:
    depositary.opens("T", instruments_required=2, offset="P3M")
    depositary.receives("T", "KAZ", "2020-02-01", takes_effect=parse_edtf("2020-02-01"))
    depositary.receives("T", "TUR", "2020-03-01", takes_effect=parse_edtf("2021"))
    depositary.receives("T", "MNG", "2020-07-15")
    reader = depositary.reader
    assert parties(reader, "T", "2022-01-01") == {
        "T-KAZ": "2020-06-01",
        "T-MNG": "2020-10-15",
        "T-TUR": "2021-12-31",
    }
    nodes = reader.ledger(
        """treatyParticipants { nodes { key statedEffect { edtf } effectByRule { day }
            inForceSince { day earliest latest } inForce { certain possible } } }""",
        effectiveOn="2021-06-01",
    )["treatyParticipants"]["nodes"]
    assert nodes[2] == {
        "key": "T-TUR",
        "statedEffect": {"edtf": "2021"},
        "effectByRule": {"day": "2020-06-01"},
        "inForceSince": {"day": "2021-12-31", "earliest": "2021-01-01", "latest": "2021-12-31"},
        "inForce": {"certain": False, "possible": True},
    }


def test_marks_of_a_status_table(depositary: Depositary) -> None:
    marks = {
        Instrument.RATIFICATION: "1 Feb 2020",
        Instrument.ACCEPTANCE: "1 Feb 2020 A",
        Instrument.APPROVAL: "1 Feb 2020 AA",
        Instrument.ACCESSION: "1 Feb 2020 a",
        Instrument.SUCCESSION: "1 Feb 2020 d",
        Instrument.DEFINITIVE_SIGNATURE: "1 Feb 2020 s",
        Instrument.FORMAL_CONFIRMATION: "1 Feb 2020 c",
        Instrument.CONTINUED_APPLICATION: "1 Feb 2020",
        Instrument.UNSPECIFIED: "1 Feb 2020",
    }
    assert set(marks) == set(Instrument)
    for number, instrument in enumerate(marks):
        depositary.opens(f"T{number}")
        depositary.receives(f"T{number}", "KAZ", "2020-02-01", instrument=instrument)
    depositary.opens("T9")
    depositary.sees_signing("T9", "KAZ", "2019-12")
    nodes = depositary.reader.ledger(
        "treatyParticipants { nodes { printedSignature printedInstrument } }"
    )["treatyParticipants"]["nodes"]
    assert [node["printedInstrument"] for node in nodes] == [*marks.values(), None]
    assert nodes[-1]["printedSignature"] == "December 2019"


def test_reservations_and_what_others_make_of_them(depositary: Depositary) -> None:
    depositary.opens("T")
    for key, event, on in (
        ("R1", Formulated(treaty="T", state="KAZ", provisions="Article 4", text="No."), "2020-02"),
        ("D1", Made(treaty="T", organization="EU", text="Competent."), "2020-03-01"),
        ("O1", OBJECTION, "2020-04-01"),
        ("R1", Modified(text="No, in part."), "2021-01-01"),
        ("R1", Withdrawn(), "2022-01-01"),
    ):
        depositary.ledger.record(proposed("treaty_statement", key, event, on))

    def standing(on: str) -> list[tuple[str, ...]]:
        found = depositary.reader.ledger(STATEMENTS, effectiveOn=on)["treatyStatements"]["nodes"]
        return [(node["key"], node["type"], node["text"]) for node in found]

    declaration = ("D1", "DECLARATION", "Competent.")
    objection = ("O1", "OBJECTION", "Against its object.")
    assert standing("2020-03-15") == [declaration, ("R1", "RESERVATION", "No.")]
    assert standing("2021-06-01") == [declaration, objection, ("R1", "RESERVATION", "No, in part.")]
    assert standing("2022-06-01") == [declaration, objection]

    nodes = depositary.reader.ledger(STATEMENTS, effectiveOn="2020-06-01")
    _, raised, reserved = nodes["treatyStatements"]["nodes"]
    assert (raised["state"], raised["organization"]) == ({"key": "TUR"}, None)
    assert (raised["objectsTo"], raised["precludesEntryIntoForce"]) == ({"key": "R1"}, False)
    assert (reserved["provisions"], reserved["stated"]) == ("Article 4", {"edtf": "2020-02"})
    assert reserved["objections"] == {"nodes": [{"key": "O1"}]}


def test_notifications(depositary: Depositary) -> None:
    depositary.opens("T")
    event = Circulated(
        treaty="T",
        subject=Subject.DEPOSIT,
        title_en="Accession of Kazakhstan",
        state="KAZ",
        action_date=parse_edtf("2020-02-01"),
    )
    depositary.ledger.record(proposed("depositary_notification", "C.N.1.2020", event, "2020-02-10"))
    (found,) = depositary.reader.ledger(
        """treaty(key: "T") { notifications { nodes {
            key subject titleEn state { key } actionDate { edtf } circulated { edtf } } } }"""
    )["treaty"]["notifications"]["nodes"]
    assert found == {
        "key": "C.N.1.2020",
        "subject": "DEPOSIT",
        "titleEn": "Accession of Kazakhstan",
        "state": {"key": "KAZ"},
        "actionDate": {"edtf": "2020-02-01"},
        "circulated": {"edtf": "2020-02-10"},
    }
