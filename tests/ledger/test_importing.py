"""Reading a register: which files, which columns, what cells mean, and every complaint."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.bodies import Category, Established
from ledger.contributions import Received
from ledger.dates import parse_edtf
from ledger.entry import Source
from ledger.refusal import Malformed
from ledger.secondments import Extended, Joined
from tests.ledger.registers import (
    ALL_ROWS,
    EXAMPLE,
    GROUNDS,
    STATES,
    complaints,
    read,
    receipts,
    rows_by_file,
    written,
)

# ---------------------------------------------------------------- the folder and its files


def test_the_example_is_read_whole() -> None:
    register = read(EXAMPLE)
    counts = {name: sum(row.file == name for row in register.rows) for name in register.files}
    assert counts == rows_by_file(EXAMPLE)
    assert sum(counts.values()) == ALL_ROWS


def test_the_example_has_no_carriage_returns() -> None:
    files = sorted(EXAMPLE.iterdir())
    assert EXAMPLE / "README.md" in files
    assert [file.name for file in files if b"\r" in file.read_bytes()] == []


def test_a_row_becomes_a_proposal(tmp_path: Path) -> None:
    header = ",source,basis,note,reason,effective_text,evidence_sha256,label"
    row = (
        "2023-05,2023-06-30,C-1,MAIN,KAZ,2023,1450000.00,USD,SOC/1481 s.9,quoted, two  blanks ,"
        f"late,in May,{'0' * 64},first"
    )
    [read_row] = read(written(tmp_path, {"contribution_received": receipts(row, more=header)})).rows
    assert (read_row.file, read_row.line) == ("contribution_received.csv", 2)
    proposal = read_row.proposal
    assert (proposal.kind, proposal.key, proposal.label) == ("contribution", "C-1", "first")
    assert proposal.recorded_on == datetime(2023, 6, 30, tzinfo=UTC)
    assert proposal.idempotency_key == "import:contribution.received:C-1:1"
    assert (proposal.corrects, proposal.annuls, proposal.expected_version) == (None, None, None)
    statement = proposal.statement
    assert statement.event == Received(
        account="MAIN",
        state="KAZ",
        fiscal_year=2023,
        amount=Decimal("1450000.00"),
        currency="USD",
    )
    assert str(statement.event.amount) == "1450000.00"
    assert statement.effective == parse_edtf("2023-05")
    assert (statement.effective_text, statement.recorded_by) == ("in May", "importer")
    assert statement.source == Source(document="SOC/1481", locator="s.9", sha256="0" * 64)
    assert (statement.basis, statement.note, statement.reason, statement.registered_on) == (
        "quoted",
        " two  blanks ",
        "late",
        None,
    )


def test_optional_fields_and_columns_may_be_absent(tmp_path: Path) -> None:
    files = {
        "secondee_joined": "title,person,state,secondment,effective,until\n"
        '"Expert, ""A""",P-1,KAZ,S-1,2023,\nOfficer,P-2,KAZ,S-2,2023,2024-05~\n',
        "secondee_extended": "secondment,effective,until\nS-2,2023-12-01,2025\n",
        "body_established": "body,name_en,category,operational,effective\n"
        "SOC,Senior,governing,yes,2006\nTTF,Forum,advisory,no,2006\n",
    }
    events = [row.proposal.statement.event for row in read(written(tmp_path, files)).rows]
    assert events == [
        Established(name_en="Senior", category=Category.GOVERNING, operational=True),
        Established(name_en="Forum", category=Category.ADVISORY, operational=False),
        Joined(person="P-1", state="KAZ", title='Expert, "A"', until=None),
        Joined(person="P-2", state="KAZ", title="Officer", until=parse_edtf("2024-05~")),
        Extended(until=parse_edtf("2025")),
    ]


def test_a_header_alone_is_an_empty_file(tmp_path: Path) -> None:
    register = read(written(tmp_path, {"state_admitted": STATES.splitlines()[0]}))
    assert ([*register.rows], register.files) == ([], ["state_admitted.csv"])


def test_what_is_no_visible_csv_file_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path, {"state_admitted": STATES, ".hidden": "x", "._state_admitted": "x"})
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    (tmp_path / "folder.csv").mkdir()
    assert read(tmp_path).files == ["state_admitted.csv"]


def test_a_folder_that_holds_no_register(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    empty = "there are no CSV files in it; a register has one for each event type, such as"
    assert complaints(tmp_path) == [f"{tmp_path}: {empty} contribution_received.csv"]
    assert complaints(tmp_path / "none") == [
        f"{tmp_path}/none: there is no such folder; name the one with the files"
    ]
    assert complaints(file) == [f"{file}: this is a file; name the folder that it is in"]
    [impossible] = complaints(Path("a\0b"))
    assert impossible.startswith(r"'a\x00b': it can't be read: ")


def test_unknown_files_are_refused_by_name(tmp_path: Path) -> None:
    files = {"claims": "x", "states_renamed": STATES, "Body_renamed": STATES, "minutes_taken": ""}
    listed = (
        "Body_renamed.csv (did you mean 'body_renamed.csv'?), claims.csv, minutes_taken.csv,"
        " states_renamed.csv (did you mean 'state_renamed.csv'?)"
    )
    assert complaints(written(tmp_path, {**files, **GROUNDS})) == [unknown(tmp_path, listed)]


def unknown(folder: Path, listed: str) -> str:
    return (
        f"{folder}: no event of this ledger goes by the name of {listed};"
        " rename what is misspelt, or name the files to take with --only"
    )


def test_files_in_capitals_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "STATE_ADMITTED.CSV").write_text(STATES, encoding="utf-8")
    listed = "STATE_ADMITTED.CSV (did you mean 'state_admitted.csv'?)"
    assert complaints(tmp_path) == [unknown(tmp_path, listed)]


def test_only_names_the_files_to_take(tmp_path: Path) -> None:
    folder = written(tmp_path, {**GROUNDS, "claims": "x"})
    assert read(folder, only=["state_admitted"]).files == ["state_admitted.csv"]
    both = ["bank_account_opened.csv", "state_admitted", "state_admitted.csv"]
    assert read(folder, only=both).files == ["state_admitted.csv", "bank_account_opened.csv"]


def test_only_names_what_is_not_there(tmp_path: Path) -> None:
    only = ["state_admited", "figures", "budget_approved", ""]
    none = "--only names no file of events that this ledger knows"
    assert complaints(written(tmp_path, {**GROUNDS, "figures": "x"}), only=only) == [
        f".csv: {none}",
        "budget_approved.csv: --only names it, and it is not in the folder",
        f"figures.csv: {none}",
        f"state_admited.csv: {none}; did you mean 'state_admitted.csv'?",
    ]


def test_an_import_is_made_by_somebody(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"^'Zhang Ling' is not an opaque id"):
        read(written(tmp_path, GROUNDS), principal="Zhang Ling")
