"""Files whose records have no key of their own: the fields that it is made of name the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.importing import ImportRefused, Row, read_register
from ledger.kind import Change, Kind, Opening, Registry
from ledger.record import Ledger
from ledger.treaty_participants import Denounced, Deposited, Signed
from tests.ledger.recording import ZONE
from tests.ledger.registers import (
    NOW,
    STATES,
    asked,
    complaints,
    entries,
    read,
    record,
    refused,
    written,
)

COMMON = (
    "effective, effective_text, recorded_on, source, locator, evidence_sha256, basis, note, reason,"
    " label, ordinal, corrects, annuls"
)
SIGNED = "the columns are treaty, state, organization, " + COMMON
DENOUNCED = "the columns are treaty, state, organization, takes_effect, " + COMMON
MADE_OF = "the key of a treaty_participant is made of treaty, state, organization"
OPENED = {
    "state_admitted": STATES,
    "treaty_opened": "effective,recorded_on,treaty,title_en\n2002,2022-12-31,CPI,x\n",
    "organization_registered": "effective,recorded_on,organization,name_en\n2002,2022-12-31,EU,x\n",
}
"""What a participant in a treaty refers to."""

MORE = ",label,corrects,annuls,reason"


NO_KEY = "not a key of a treaty_participant; one looks like 'CPI-KAZ'"


def signed(*rows: str, more: str = "") -> str:
    """The text of a file of signatures, or of what says no more; `more` are further columns."""
    return "\n".join((f"effective,treaty,state,organization{more}", *rows, ""))


# ---------------------------------------------------------------- reading


def test_the_fields_make_the_key_whether_the_event_states_them_or_not(tmp_path: Path) -> None:
    files = {
        "treaty_signed": signed("2002,CPI,KAZ,", "2003,CPI,,EU"),
        "instrument_deposited": "state,treaty,instrument,effective\nKAZ,CPI,accession,2004\n",
        "treaty_denounced": "state,treaty,takes_effect,effective\nKAZ,CPI,2006,2005\n",
        "denunciation_withdrawn": "organization,treaty,effective\nEU,CPI,2005\n",
    }
    rows = [row.proposal for row in read(written(tmp_path, files)).rows]
    assert [(row.key, row.idempotency_key) for row in rows] == [
        ("CPI-KAZ", "import:treaty.signed:CPI-KAZ:1"),
        ("CPI-EU", "import:treaty.signed:CPI-EU:1"),
        ("CPI-KAZ", "import:instrument.deposited:CPI-KAZ:1"),
        ("CPI-KAZ", "import:treaty.denounced:CPI-KAZ:1"),
        ("CPI-EU", "import:denunciation.withdrawn:CPI-EU:1"),
    ]
    first, second, third, fourth, _ = (row.statement.event for row in rows)
    assert first == Signed(treaty="CPI", state="KAZ", organization=None)
    assert second == Signed(treaty="CPI", state=None, organization="EU")
    assert isinstance(third, Deposited)
    assert (third.treaty, third.state, third.organization) == ("CPI", "KAZ", None)
    assert isinstance(fourth, Denounced)
    assert fourth.takes_effect is not None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("treaty_signed", "", [f"there is no header; {SIGNED}"]),
        ("treaty_denounced", "participant\nCPI-KAZ\n", [f"this is no header; {DENOUNCED}"]),
        (
            "treaty_signed",
            "participant,effective\nCPI-KAZ,2002\n",
            [
                f"participant: there is no such column; {MADE_OF}; {SIGNED}",
                "treaty: this column is missing",
            ],
        ),
        (
            "treaty_denounced",
            "participant,effective,state\nCPI-KAZ,2002,KAZ\n",
            [
                f"participant: there is no such column; {MADE_OF}; {DENOUNCED}",
                "treaty: this column is missing",
            ],
        ),
        (
            "treaty_denounced",
            "Treaty,organisation\nCPI,EU\n",
            [f"this is no header; {DENOUNCED}"],
        ),
        (
            "treaty_denounced",
            "effective,treaty,organisation\n2002,CPI,EU\n",
            [f"organisation: there is no such column; did you mean 'organization'?; {DENOUNCED}"],
        ),
        ("treaty_signed", "annuls,state\nx,KAZ\n", ["treaty: this column is missing"]),
        ("treaty_denounced", "annuls,state\nx,KAZ\n", ["treaty: this column is missing"]),
        ("instrument_deposited", "corrects,treaty\n", ["instrument: this column is missing"]),
        ("treaty_denounced", "treaty,state\n", ["effective: this column is missing"]),
    ],
)
def test_headers(tmp_path: Path, name: str, text: str, expected: list[str]) -> None:
    found = complaints(written(tmp_path, {name: text}))
    assert found == [f"{name}.csv:1: {line}" for line in expected]


@pytest.mark.parametrize("name", ["treaty_signed", "treaty_denounced"])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2002,,KAZ,", ["treaty: it is empty, and must not be"]),
        ("2002,,,", ["treaty: it is empty, and must not be"]),
        (
            "2002,CPI,Kaz,",
            ["state 'Kaz': not a key of a state; one looks like 'KAZ'"],
        ),
        (
            "2002,cpi,,eu",
            [
                "treaty 'cpi': not a key of a treaty; one looks like 'CPI'",
                "organization 'eu': not a key of a organization; one looks like 'OAPI'",
            ],
        ),
        ("2002,CPI,KAZ ,", ["state 'KAZ ': there are blanks around it; take them away"]),
        (
            f"2002,{'C' * 118},KAZ,",
            [f"treaty '{'C' * 60}'… (118 characters): '{'C' * 60}'… (122 characters) is {NO_KEY}"],
        ),
    ],
)
def test_cells_that_name_no_record(
    tmp_path: Path, name: str, row: str, expected: list[str]
) -> None:
    found = complaints(written(tmp_path, {name: signed(row)}))
    assert found == [f"{name}.csv:2: {line}" for line in expected]


@pytest.mark.parametrize("name", ["treaty_signed", "treaty_denounced", "instrument_deposited"])
def test_an_annulment_names_its_record_and_is_otherwise_empty(tmp_path: Path, name: str) -> None:
    text = "treaty,state,annuls,reason\nCPI,KAZ,treaty_participant/CPI-KAZ/1,twice\n"
    [row] = read(written(tmp_path, {name: text})).rows
    assert (row.proposal.key, row.proposal.annuls) == ("CPI-KAZ", "treaty_participant/CPI-KAZ/1")
    assert (row.proposal.statement.event, row.proposal.statement.reason) == (None, "twice")
    stored_as = name.replace("_", ".")
    aim = "annuls:treaty_participant/CPI-KAZ/1"
    assert row.proposal.idempotency_key == f"import:{stored_as}:CPI-KAZ:{aim}:1"


def test_the_fields_of_an_annulled_event_are_left_empty(tmp_path: Path) -> None:
    text = (
        "treaty,state,annuls,instrument,effective\nCPI,KAZ,x,accession,\n,KAZ,y,,\nCPI,KAZ,,,2002\n"
    )
    assert complaints(written(tmp_path, {"instrument_deposited": text})) == [
        "instrument_deposited.csv:2: instrument 'accession': an annulment leaves this empty",
        "instrument_deposited.csv:3: treaty: it is empty, and must not be",
        "instrument_deposited.csv:4: instrument: it is empty, and must not be",
    ]


# ---------------------------------------------------------------- recording


def test_what_follows_is_recorded_about_the_record_that_the_fields_name(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    files = {
        **OPENED,
        "treaty_signed": signed(
            "2002,CPI,KAZ,,a,,,", "2003,CPI,KAZ,,,a,,misread", "2002,CPI,,EU,b,,,", more=MORE
        ),
        "instrument_deposited": "effective,treaty,state,organization,instrument\n"
        "2004,CPI,KAZ,,ratification\n2005,CPI,,EU,formal_confirmation\n",
        "treaty_denounced": signed("2010,CPI,KAZ,,c,,,", ",CPI,KAZ,,,,c,not so", more=MORE),
        "instrument_withdrawn": "effective,treaty,organization\n2006,CPI,EU\n",
    }
    outcome = record(ledger, written(tmp_path, files))
    assert outcome.repeated == 0
    found = asked(
        database,
        "SELECT key, treaty, state, organization, status, signed"
        "  FROM projections.treaty_participants"
        " WHERE upper_inf(known) AND upper_inf(effective) ORDER BY key",
    )
    assert found == [
        ("CPI-EU", "CPI", None, "EU", "withdrawn", "2002"),
        ("CPI-KAZ", "CPI", "KAZ", None, "bound", "2003"),
    ]
    count = entries(database)
    again = record(ledger, tmp_path)
    assert (again.recorded, again.repeated, entries(database)) == (0, count, count)


NO_RECORD = "there is no such record yet; record its opening first"


def test_a_refusal_names_a_column_that_there_is_and_the_record(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    files = {
        **OPENED,
        "treaty_signed": signed("2002,CPI,,", "2002,CPI,KAZ,", "2002,CPI,UZB,", "2002,NPT,CHN,"),
        "treaty_denounced": signed("2003,CPI,UZB,", "2003,CPI,CHN,"),
        "denunciation_withdrawn": signed(",CPI,,EU,treaty_participant/CPI-KAZ/1", more=",annuls"),
        "instrument_deposited": "effective,treaty,state,organization,instrument\n"
        "2004,CPI,CHN,EU,ratification\n",
    }
    not_an_entry = (
        "not an entry of treaty_participant 'CPI-EU'; name it by its id, by kind/key/version, or by"
        " its label in the same import"
    )
    one_of_them = "name a state or an organization, and one of them only"
    assert refused(ledger, written(tmp_path, files)) == [
        "denunciation_withdrawn.csv:2: annuls 'treaty_participant/CPI-KAZ/1': " + not_an_entry,
        f"instrument_deposited.csv:2: state 'CHN': {one_of_them}",
        f"treaty_denounced.csv:3: treaty 'CPI': treaty_participant 'CPI-CHN': {NO_RECORD}",
        f"treaty_signed.csv:2: state: {one_of_them}",
        "treaty_signed.csv:4: state 'UZB': not on record",
        "treaty_signed.csv:5: treaty 'NPT': not on record",
        "1 more row was not looked at: they hang on records that are at fault",
    ]
    assert entries(database) == 0


def test_a_change_to_nothing_names_its_record(ledger: Ledger, tmp_path: Path) -> None:
    files = {**OPENED, "treaty_denounced": signed("2003,CPI,,", "2003,CPI,KAZ,EU")}
    assert refused(ledger, written(tmp_path, files)) == [
        f"treaty_denounced.csv:2: treaty 'CPI': treaty_participant 'CPI': {NO_RECORD}",
        f"treaty_denounced.csv:3: treaty 'CPI': treaty_participant 'CPI-KAZ-EU': {NO_RECORD}",
    ]


def test_two_rows_about_one_record(ledger: Ledger, tmp_path: Path) -> None:
    files = {**OPENED, "treaty_signed": signed("2002,CPI,KAZ,", "2003,CPI,KAZ,")}
    place = "treaty_signed.csv:3: treaty 'CPI': treaty_participant 'CPI-KAZ'"
    assert refused(ledger, written(tmp_path, files)) == [
        f"{place}: the participant has signed already"
    ]


def test_a_row_that_was_edited_is_refused_by_its_record(ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, written(tmp_path, {**OPENED, "treaty_signed": signed("2002,CPI,KAZ,")}))
    [line] = refused(ledger, written(tmp_path, {"treaty_signed": signed("2003,CPI,KAZ,")}))
    assert line.startswith(
        "treaty_signed.csv:2: treaty 'CPI': treaty_participant 'CPI-KAZ': this row was imported"
        " before, with other content"
    )


def test_a_state_and_an_organization_of_one_name_are_not_mistaken_for_each_other(
    ledger: Ledger, tmp_path: Path
) -> None:
    files = {
        **OPENED,
        "organization_registered": OPENED["organization_registered"].replace("EU", "KAZ"),
        "treaty_signed": signed("2002,CPI,KAZ,"),
        "instrument_deposited": "effective,treaty,organization,instrument\n"
        "2004,CPI,KAZ,ratification\n",
    }
    [line] = refused(ledger, written(tmp_path, files))
    assert line == ("instrument_deposited.csv:2: state: the participant's state is KAZ, not none")


# ---------------------------------------------------------------- kinds to come


class Begun(Opening[str], stored_as="term.begun", personal=()):
    """A term, of which an office may have several at a time."""

    office: str
    seat: str | None = None
    length: int

    def begin(self) -> str:
        return self.office


class Ended(Change[str], stored_as="term.ended", personal=()):
    """The end of a term; its own office is none of the key's."""

    reason: str

    def apply(self, current: str) -> str:
        return current


TERM = Kind(
    name="term",
    family="test",
    events=(Begun, Ended),
    key_column="term",
    key_fields=("office", "seat"),
    key_example="CHAIR-1",
)


def read_terms(folder: Path, **files: str) -> list[Row]:
    settings: dict[str, Any] = {"principal": "importer", "now": NOW}
    return read_register(written(folder, files), Registry([TERM]), ZONE, **settings).rows[:]


def test_plain_texts_make_keys_too(tmp_path: Path) -> None:
    rows = read_terms(
        tmp_path,
        term_begun="effective,office,seat,length\n2002,CHAIR,,2\n2002,VICE,2,3\n",
        term_ended="effective,office,seat,reason,annuls\n2004,CHAIR,,over,\n,VICE,2,mistake,x/y/1\n",
    )
    events = [(row.proposal.key, row.proposal.statement.event) for row in rows]
    assert events == [
        ("CHAIR", Begun(office="CHAIR", length=2)),
        ("VICE-2", Begun(office="VICE", seat="2", length=3)),
        ("VICE-2", None),
        ("CHAIR", Ended(reason="over")),
    ]


@pytest.mark.parametrize("name", ["term_begun", "term_ended"])
def test_texts_that_make_no_key(tmp_path: Path, name: str) -> None:
    no_key = "not a key of a term; one looks like 'CHAIR-1'"
    text = "effective,office,seat,length,reason\n2002,Chair,,2,x\n2002,CHAIR,two,2,x\n"
    text = text.replace(",length" if name == "term_ended" else ",reason", "")
    text = text.replace(",2,x", ",2")
    with pytest.raises(ImportRefused) as caught:
        read_terms(tmp_path, **{name: text})
    assert str(caught.value).splitlines() == [
        f"{name}.csv:2: office 'Chair': {no_key}",
        f"{name}.csv:3: office 'CHAIR': 'CHAIR-two' is {no_key}",
    ]
