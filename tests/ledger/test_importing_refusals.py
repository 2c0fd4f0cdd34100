"""What the ledger itself refuses of a register: all of it at once, each with its place."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.importing import ImportRefused, record_register
from ledger.record import Ledger
from tests.ledger.registers import (
    ALL_ROWS,
    EXAMPLE,
    GROUNDS,
    MORE,
    STATES,
    added,
    answers,
    entries,
    read,
    receipts,
    record,
    refused,
    written,
)

# ---------------------------------------------------------------- refusals


def test_everything_that_the_ledger_refuses_is_said_at_once(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    files = {
        **GROUNDS,
        "contribution_received": receipts(
            "2023,2023-12-31,C-1,MAIN,CHN,2023,12.345,USD,,,",
            "2023,2023-12-31,C-1,MAIN,CHN,2023,1.00,USD,,,",
            "2023,2023-12-31,C-2,MAIN,UZB,2023,1.00,USD,,,",
            "2023,2023-12-31,C-3,MAIN,CHN,2023,1.00,US,,,",
            "2023,2023-12-31,C-4,MAIN,CHN,2323,1.00,USD,,,",
            ",2023-12-31,C-5,,,,,,,,contribution/C-6/1",
            "2023,2023-12-31,C-6,MAIN,CHN,2023,1.00,USD,,,",
            more=MORE,
        ),
        "state_status_changed": "effective,recorded_on,state,status\n2021,2023-12-31,KAZ,member\n",
        "secondee_joined": "effective,recorded_on,secondment,person,state,title\n"
        "2020,2023-12-31,S-1,P-2,CHN,x\n2020,2023-12-31,S-2,P-2,KAZ,x\n",
        "body_began_operating": "effective,recorded_on,body\n2020,2023-12-31,SOC\n",
    }
    no_body = "there is no such record yet; record its opening first"
    no_entry = (
        "not an entry of contribution 'C-5'; name it by its id, by kind/key/version, or by its"
        " label in the same import"
    )
    name = "contribution_received.csv"
    assert refused(ledger, written(tmp_path, files)) == [
        f"body_began_operating.csv:2: body 'SOC': {no_body}",
        f"{name}:2: amount '12.345': 12.345 is more precise than USD, which has 2 decimals",
        f"{name}:4: state 'UZB': not on record",
        f"{name}:5: currency 'US': not an ISO 4217 currency code such as USD",
        f"{name}:6: fiscal_year '2323': 2323 is not a fiscal year",
        f"{name}:7: annuls 'contribution/C-6/1': {no_entry}",
        "secondee_joined.csv:2: person 'P-2': not on record",
        "state_status_changed.csv:2: status 'member': the state is member already",
        "2 more rows were not looked at: they hang on records that are at fault",
    ]
    assert entries(database) == 0


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        (
            "state_admitted",
            "effective,state,status,name_en\n2000,KAZ,former,x\n",
            "status 'former': a state is admitted as member or observer",
        ),
        (
            "state_admitted",
            "effective,state,status,name_en\n2000,KAZ,member,x\n2000,KAZ,member,y\n",
            "state 'KAZ': on record already; correct its opening instead",
        ),
        (
            "budget_approved",
            "effective,fiscal_year,amount,currency,decided_by\n2000,2023,1.00,USD,SOC\n",
            "decided_by 'SOC': body 'SOC' is not on record",
        ),
    ],
)
def test_one_refusal(ledger: Ledger, tmp_path: Path, name: str, row: str, expected: str) -> None:
    [line] = refused(ledger, written(tmp_path, {name: row}))
    assert line.split(": ", 1)[1] == expected


def test_a_row_that_is_too_long_for_an_entry(ledger: Ledger, tmp_path: Path) -> None:
    text = f"effective,state,status,name_en\n2000,KAZ,member,{'x' * 66_000}\n"
    [line] = refused(ledger, written(tmp_path, {"state_admitted": text}))
    _, _, reason = line.partition("state_admitted.csv:2: state 'KAZ': ")
    assert re.fullmatch(r"the entry has 66\d{3} bytes; at most 65535 are stored", reason)


def test_values_are_shown_as_the_register_writes_them(ledger: Ledger, tmp_path: Path) -> None:
    files = {
        "state_admitted": STATES,
        "person_registered": "effective,person,name\n2006,P-1,x\n",
        "secondee_joined": "effective,secondment,person,state,title,until\n"
        "2020,S-1,P-1,KAZ,x,2022~\n",
        "secondee_extended": "effective,secondment,until\n2021,S-1,2021-06\n",
        "body_ceased_operating": "effective,recorded_on,body\n2021,,SOC\n",
        "body_established": "effective,recorded_on,body,name_en,category,operational\n"
        "2006,2022-12-30T20:30:00+06:00,SOC,x,working,no\n",
    }
    agreed_on = "2021-06 is not later than 2022~, the end agreed on"
    assert refused(ledger, written(tmp_path, files)) == [
        "body_ceased_operating.csv:2: body 'SOC': the body does not operate",
        f"secondee_extended.csv:2: until '2021-06': {agreed_on}",
    ]


def test_nothing_of_a_refused_register_stays(ledger: Ledger, database: str, tmp_path: Path) -> None:
    register = copytree(EXAMPLE, tmp_path / "register")
    added(register / "secondee_left.csv", "2023-11-30,2023-11-30,S-TJK-2007-A,x,quoted,")
    assert refused(ledger, register) == [
        "secondee_left.csv:16: secondment 'S-TJK-2007-A': the secondee has left"
    ]
    assert entries(database) == 0
    assert all(rows == [] for rows in answers(database).values())
    assert record(ledger, EXAMPLE).recorded == ALL_ROWS


# ---------------------------------------------------------------- whatever comes

CELLS = {
    "effective": st.sampled_from(["2023", "0001", "9999-12-31", "2023-01/..", "[1999..2002]", ""]),
    "recorded_on": st.sampled_from(
        ["", "2022-12-31", "2023-06-30", "0001-01-01", "2023-06-30T00:00Z"]
    ),
    "contribution": st.sampled_from(["C-1", "C-2"]),
    "account": st.sampled_from(["MAIN", "NONE"]),
    "state": st.sampled_from(["KAZ", "CHN", "UZB"]),
    "fiscal_year": st.sampled_from(["2023", "0", "999999999999999"]),
    "amount": st.sampled_from(["1.00", "-1", "0.001", "9" * 30, "0"]),
    "currency": st.sampled_from(["USD", "JPY", "usd", "\u00a0"]),
    "note": st.text(st.characters(codec="utf-8", exclude_characters='\0\r"'), max_size=9),
    "label": st.sampled_from(["", "", "a", "b"]),
    "corrects": st.sampled_from(["", "", "", "a", "b", "contribution/C-1/1"]),
    "annuls": st.sampled_from(["", "", "", "a", "contribution/C-2/1"]),
}


@given(st.lists(st.fixed_dictionaries(CELLS), max_size=5))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_whatever_a_register_says_it_is_recorded_or_refused(
    ledger: Ledger, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    text = "".join(
        ",".join('"' + cell + '"' for cell in row) + "\n"
        for row in (CELLS, *(row.values() for row in rows))
    )
    written(tmp_path, {**GROUNDS, "contribution_received": text})
    try:
        recorded = record_register(ledger, read(tmp_path), dry_run=True).recorded
    except ImportRefused as refusal:
        lines = str(refusal).splitlines()
        recorded = None
    else:
        lines = []
    assert recorded == (None if lines else 3 + len(rows))
