"""Treaties as a client asks for them: who is bound, what is wanted still, in force since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger import importing
from ledger.entry_into_force import Instrument
from ledger.treaty_participants import (
    Deposited,
)
from projections import REGISTRY
from tests.ledger.recording import ZONE, annulled, moment, open_ledger, proposed
from tests.schema.conftest import EXAMPLE, prepared_database
from tests.schema.reader import Reader, reading
from tests.schema.test_answers import exactly

STATUS = """treaty(key: "%s") { status {
    signatories { certain possible } required deposited { certain possible }
    remaining { certain possible } shareDeposited { value low high } inForce { certain possible }
    entryIntoForce { day earliest latest } parties { certain possible }
    ifNextDeposited ifRemainingDeposited
} }"""

PARTIES = """treaty(key: "%s") { parties {
    key instrument inForce { certain possible } since { day earliest latest } until { day }
} }"""


def status(reader: Reader, treaty: str, on: str, known: str | None = None) -> Any:
    """Where a treaty stands on a day, as known on that day or another."""
    point = {"effectiveOn": on, "knownAt": known or on}
    return reader.ledger(STATUS % treaty, **point)["treaty"]["status"]


def parties(reader: Reader, treaty: str, on: str, known: str = "2030-01-01") -> dict[str, str]:
    """For whom a treaty is in force on a day, each with the day since when."""
    found = reader.ledger(PARTIES % treaty, effectiveOn=on, knownAt=known)["treaty"]["parties"]
    return {party["key"]: party["since"]["day"] for party in found}


def day(text: str) -> dict[str, str]:
    """A day about which there is no doubt."""
    return {"day": text, "earliest": text, "latest": text}


YES, NO = {"certain": True, "possible": True}, {"certain": False, "possible": False}

# ---------------------------------------------------------------- the example register


@pytest.mark.parametrize(
    ("on", "deposited", "remaining"), [("2023-12-07", 8, 6), ("2014-12-31", 4, 10)]
)
def test_the_convention_waits(example: Reader, on: str, deposited: int, remaining: int) -> None:
    found = status(example, "CPI", on, known="2023-12-07")
    assert found["required"] == 14
    assert found["deposited"] == exactly(deposited)
    assert found["remaining"] == exactly(remaining)
    assert found["inForce"] == NO
    assert found["entryIntoForce"] is None
    assert found["parties"] == exactly(0)
    assert found["ifNextDeposited"] is None
    assert found["shareDeposited"] is None


def test_the_eighth_instrument_has_no_month(example: Reader) -> None:
    # It is dated 2023, and had been deposited by the day on which it was recorded.
    found = status(example, "CPI", "2023-03-01", known="2023-12-07")
    assert found["deposited"] == {"certain": 7, "possible": 8}
    assert found["remaining"] == {"certain": 6, "possible": 7}
    assert found["signatories"] == {"certain": 7, "possible": 8}


def test_the_rule_is_data(example: Reader) -> None:
    treaty = example.ledger(
        """treaty(key: "CPI") { titleEn depositary { key } opened { edtf } denunciationOffset rule {
            instrumentsRequired instrumentKinds organizationsCounted shareRequired shareOf
            offset partyOffset } }""",
        effectiveOn="2023-12-07",
    )["treaty"]
    assert treaty["titleEn"].startswith("Convention on the Privileges and Immunities")
    assert (treaty["depositary"], treaty["denunciationOffset"]) == ({"key": "SEC"}, None)
    assert treaty["opened"] == {"edtf": "2010-06-08"}
    assert treaty["rule"] == {
        "instrumentsRequired": 14,
        "instrumentKinds": ["RATIFICATION", "ACCEPTANCE", "APPROVAL", "ACCESSION"],
        "organizationsCounted": False,
        "shareRequired": None,
        "shareOf": None,
        "offset": "P30D",
        "partyOffset": "P30D",
    }


def test_the_status_table_as_it_is_printed(example: Reader) -> None:
    nodes = example.ledger(
        """treaty(key: "CPI") { participants { nodes {
            state { nameEn } printedSignature printedInstrument } } }""",
        effectiveOn="2014-12-31",
    )["treaty"]["participants"]["nodes"]
    assert [
        (node["state"]["nameEn"], node["printedSignature"], node["printedInstrument"])
        for node in nodes
    ] == [
        ("Azerbaijan", "8 Jun 2010", None),
        ("China", "8 Jun 2010", None),
        ("Kazakhstan", "8 Jun 2010", "14 Mar 2012"),
        ("Kyrgyzstan", "8 Jun 2010", "20 Jun 2013"),
        ("Mongolia", "8 Jun 2010", "11 Feb 2014"),
        ("Tajikistan", "8 Jun 2010", "5 Nov 2012"),
        ("Türkiye", "8 Jun 2010", None),
    ]


SIX = {
    "UZB": "2023-12-15",
    "PAK": "2023-12-20",
    "IND": "2024-01-08",
    "THA": "2024-01-15",
    "VNM": "2024-01-22",
    "JOR": "2024-02-01",
}
"""Six made-up instruments of ratification, each recorded on the day after its deposit."""


@pytest.fixture(scope="module")
def ratified(server_url: str, migrated_template: str) -> Iterator[Reader]:
    """The example register, with six instruments more, one of which is annulled on 10 April."""
    with prepared_database(server_url, migrated_template) as url:
        now = datetime.now(UTC)
        register = importing.read_register(EXAMPLE, REGISTRY, ZONE, principal="import", now=now)
        with open_ledger(url) as ledger:
            importing.record_register(ledger, register)
            for key, deposited in SIX.items():
                event = Deposited(treaty="CPI", state=key, instrument=Instrument.RATIFICATION)
                known = f"2024-{'02-02' if key == 'JOR' else '01-31'}"
                ledger.record(
                    proposed(
                        *("treaty_participant", f"CPI-{key}", event, deposited),
                        recorded_on=moment(known),
                    )
                )
            ledger.record(
                annulled("treaty_participant", "CPI-UZB", "1", recorded_on=moment("2024-04-10"))
            )
        with reading(url) as reader:
            yield reader


def test_the_fourteenth_instrument_brings_the_convention_into_force(ratified: Reader) -> None:
    last = status(ratified, "CPI", "2024-02-01", known="2024-02-02")
    assert (last["deposited"], last["remaining"]) == (exactly(14), exactly(0))
    assert last["inForce"] == NO
    assert last["entryIntoForce"] == day("2024-03-02")
    before = status(ratified, "CPI", "2024-03-01")
    assert (before["inForce"], before["parties"]) == (NO, exactly(0))
    thirtieth = status(ratified, "CPI", "2024-03-02")
    assert (thirtieth["inForce"], thirtieth["parties"]) == (YES, exactly(14))
    assert set(parties(ratified, "CPI", "2024-03-02", "2024-03-02").values()) == {"2024-03-02"}


def test_the_thirteenth_instrument_did_not(ratified: Reader) -> None:
    found = status(ratified, "CPI", "2024-01-31")
    assert (found["deposited"], found["remaining"]) == (exactly(13), exactly(1))
    assert found["entryIntoForce"] is None
    assert found["ifNextDeposited"] == "2024-03-01"
    assert found["ifRemainingDeposited"] == "2024-03-01"


def test_an_annulment_takes_it_back_from_when_it_is_recorded(ratified: Reader) -> None:
    for known in ("2024-03-02", "2024-04-09"):
        assert status(ratified, "CPI", "2024-03-02", known)["inForce"] == YES, known
    for known in ("2024-04-10", "2024-12-31"):
        for on in ("2024-03-02", "2024-12-31"):
            found = status(ratified, "CPI", on, known)
            assert found["inForce"] == NO, (on, known)
            assert (found["deposited"], found["remaining"]) == (exactly(13), exactly(1))
            assert found["entryIntoForce"] is None
    assert parties(ratified, "CPI", "2024-12-31", "2024-04-10") == {}


def test_once_in_force_a_later_party_waits_its_own_time(ratified: Reader) -> None:
    found = status(ratified, "CPI", "2024-03-20", "2024-03-20")
    assert found["ifNextDeposited"] == "2024-04-19"
