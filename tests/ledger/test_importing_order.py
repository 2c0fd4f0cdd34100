"""The order in which a register is recorded, and the keys by which its rows are known again."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from ledger.importing import Register
from tests.ledger.registers import EXAMPLE, NOW, complaints, read, receipts, written

NOBODY = "no row has this label, and it is no entry's id or kind/key/version"
IN_A_CIRCLE = "this row and another one wait for each other; state other moments"
ID = "018f3b6e-0000-7000-8000-000000000000"


def order(folder: Path, files: dict[str, str]) -> list[str]:
    """The rows of a register in the order of recording: the last word of their file, and line."""
    rows = read(written(folder, files)).rows
    return [f"{row.file.removesuffix('.csv').rpartition('_')[2]} {row.line}" for row in rows]


# ---------------------------------------------------------------- moments, kinds, events


def test_what_was_recorded_first_comes_first_and_live_rows_last(tmp_path: Path) -> None:
    files = {
        "contribution_received": receipts(
            "2023,,C-1,MAIN,KAZ,2023,1.00,USD",
            "2023,2023-12-31,C-2,MAIN,KAZ,2023,1.00,USD",
            "2023,2023-06-30,C-3,MAIN,KAZ,2023,1.00,USD",
            "2023,2023-12-30T23:00:00Z,C-4,MAIN,KAZ,2023,1.00,USD",
        ),
        "state_admitted": "effective,recorded_on,state,status,name_en\n"
        "2000,2023-07-01,KAZ,member,x\n2000,,CHN,member,x\n",
    }
    expected = ["received 4", "admitted 2", "received 5", "received 3", "admitted 3", "received 2"]
    assert order(tmp_path, files) == expected


def test_what_is_referred_to_comes_first(tmp_path: Path) -> None:
    files = {
        "secondee_joined": "effective,secondment,person,state,title\n2005,S-1,P-1,KAZ,x\n",
        "contribution_received": receipts("2004,,C-1,MAIN,KAZ,2023,1.00,USD"),
        "budget_approved": "effective,fiscal_year,amount,currency\n2003,2023,1,USD\n",
        "bank_account_opened": "effective,account,fund,currency\n2002,MAIN,x,USD\n",
        "person_registered": "effective,person,name\n2001,P-1,x\n",
        "body_established": "effective,body,name_en,category,operational\n2000,SOC,x,working,no\n",
        "state_admitted": "effective,state,status,name_en\n1999,KAZ,member,x\n",
    }
    assert order(tmp_path, files) == [
        "admitted 2",
        "established 2",
        "registered 2",
        "opened 2",
        "approved 2",
        "received 2",
        "joined 2",
    ]


def test_openings_come_before_changes_and_these_as_they_happened(tmp_path: Path) -> None:
    files = {
        "body_began_operating": "effective,body\n2018,TTF\n2010,TTF\n",
        "body_ceased_operating": "effective,body\n2015,TTF\n",
        "body_established": "effective,body,name_en,category,operational\n"
        "2006,TTF,x,advisory,no\n2022,SOC,x,working,no\n",
    }
    expected = ["established 2", "established 3", "operating 3", "operating 2", "operating 2"]
    assert order(tmp_path, files) == expected
    events = [row.proposal.statement.event for row in read(tmp_path).rows][2:]
    assert [event and event.stored_as for event in events] == [
        "body.began_operating",
        "body.ceased_operating",
        "body.began_operating",
    ]


def test_on_one_day_the_kind_says_which_event_comes_first(tmp_path: Path) -> None:
    files = {
        "contribution_returned": "effective,contribution,amount,currency\n2023-05-12,C-1,1,USD\n",
        "contribution_received": receipts(
            "2023-05-12,,C-1,MAIN,KAZ,2023,3.00,USD", "2023-05-12,,C-1,MAIN,KAZ,2023,2.00,USD"
        ),
        "contribution_pledged": "effective,contribution,state,fiscal_year,amount,currency\n"
        "2023-05-12,C-1,KAZ,2023,1.00,USD\n",
    }
    assert order(tmp_path, files) == ["pledged 2", "received 2", "received 3", "returned 2"]


def test_a_date_that_is_not_exact_ends_on_the_day_of_recording(tmp_path: Path) -> None:
    # "2023" had happened by 30 June, and so not after the change that is dated on that day.
    rows = ("2023-06-30,2023-06-30,KAZ,observer", "2023,2023-06-30,KAZ,member")
    text = "\n".join(("effective,recorded_on,state,status", *rows, ""))
    assert order(tmp_path, {"state_status_changed": text}) == ["changed 2", "changed 3"]


# ---------------------------------------------------------------- corrections and annulments

LEFT = "effective,recorded_on,secondment,label,corrects,annuls"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # What aims at an older entry comes before what may need it.
        (["2023-01-01,,S-1,,,", f",,S-1,,,{ID}"], [3, 2]),
        (
            ["2023-01-01,,S-1,,,", "2022-01-01,2023-01-01,S-1,,,", ",,S-1,,,secondment/S-1/1"],
            [3, 4, 2],
        ),
        # What aims at a row of its moment follows it, wherever it stands.
        ([",,S-1,,,old", "2023-01-01,,S-1,old,,"], [3, 2]),
        (["2023-01-01,,S-1,old,,", ",,S-1,,,old"], [2, 3]),
        (["2023-01-01,,S-1,old,,", ",,S-1,new,old,", ",,S-1,,new,"], [2, 3, 4]),
        ([",,S-1,,new,", ",,S-1,new,old,", "2023-01-01,,S-1,old,,"], [4, 3, 2]),
        ([",,S-1,,,old", "2022-01-01,,S-1,,,", "2023-01-01,,S-1,old,,"], [4, 2, 3]),
        (["2023-01-01,,S-1,,,", ",,S-1,,secondment/S-1/1,"], [2, 3]),
        (["2023-01-01,,S-1,,,", ",,S-1,,secondment/S-1/1,", ",,S-1,,secondment/S-1/2,"], [2, 3, 4]),
        # What stands below it was written with it in mind, even if it happened before.
        (["2023-01-01,,S-1,old,,", ",,S-1,,,old", "2022-01-01,,S-1,,,"], [2, 3, 4]),
        (["2023-01-01,,S-1,,,", ",,S-1,,,secondment/S-1/1", "2022-01-01,,S-1,,,"], [2, 3, 4]),
        # Other records do not wait.
        (["2023-01-01,,S-1,old,,", ",,S-1,,,old", "2022-01-01,,S-2,,,"], [4, 2, 3]),
    ],
)
def test_corrections_and_annulments(tmp_path: Path, rows: list[str], expected: list[int]) -> None:
    text = "\n".join((LEFT, *rows, ""))
    assert order(tmp_path, {"secondee_left": text}) == [f"left {line}" for line in expected]


def test_an_annulment_waits_for_rows_of_other_files(tmp_path: Path) -> None:
    files = {
        "secondee_joined": "effective,secondment,person,state,title\n2020,S-1,P-1,KAZ,x\n",
        "secondee_left": "effective,secondment,annuls\n,S-1,secondment/S-1/2\n2023,S-1,\n",
        "secondee_extended": "effective,secondment,until,annuls\n2021,S-1,2024,\n"
        ",S-1,,secondment/S-1/9\n",
    }
    expected = ["joined 2", "extended 2", "extended 3", "left 2", "left 3"]
    assert order(tmp_path, files) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ["2023,,S-1,a,,", "2023,,S-2,a,,"],
            ["3: label 'a': secondee_left.csv:2 has this label too"],
        ),
        (
            [",,S-1,,b,", ",,S-1,,,x/y"],
            [
                f"2: corrects 'b': {NOBODY}",
                f"3: annuls 'x/y': {NOBODY}",
            ],
        ),
        ([",,S-1,a,a,"], ["2: corrects 'a': it is the label of this row itself"]),
        (
            ["2023,,S-1,a,,", ",2023-12-31,S-1,,,a"],
            ["3: annuls 'a': secondee_left.csv:2 has this label, and is recorded later"],
        ),
        (
            [",,S-1,a,b,", ",,S-1,b,,a", "2023,,S-1,,,"],
            [
                f"2: corrects 'b': {IN_A_CIRCLE}",
                f"3: annuls 'a': {IN_A_CIRCLE}",
            ],
        ),
    ],
)
def test_aims_that_can_not_be_met(tmp_path: Path, rows: list[str], expected: list[str]) -> None:
    found = complaints(written(tmp_path, {"secondee_left": "\n".join((LEFT, *rows, ""))}))
    assert found == [f"secondee_left.csv:{line}" for line in expected]


def test_an_aim_at_a_row_that_is_refused_is_not_at_fault(tmp_path: Path) -> None:
    text = f"{LEFT}\n2023-13,,S-1,a,,\n,,S-1,,,a\n"
    found = complaints(written(tmp_path, {"secondee_left": text}))
    assert [line.split(": ")[:2] for line in found] == [
        ["secondee_left.csv:2", "effective '2023-13'"]
    ]


# ---------------------------------------------------------------- order of files and rows


def test_neither_files_nor_rows_have_to_be_in_order(tmp_path: Path) -> None:
    for seed in range(5):
        shuffled = _shuffled(tmp_path / str(seed), Random(seed))  # noqa: S311  # It is no secret.
        assert _by_day(shuffled) == _by_day(read(EXAMPLE))


def _shuffled(folder: Path, random: Random) -> Register:
    """The example, with the rows of each file in another order."""
    folder.mkdir()
    for file in EXAMPLE.glob("*.csv"):
        header, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        random.shuffle(rows)
        (folder / file.name).write_text("".join((header, *rows)), encoding="utf-8")
    return read(folder)


def _by_day(register: Register) -> list[tuple[object, ...]]:
    """What is recorded, in order; what happened to different records on one day is sorted."""
    proposals = [row.proposal for row in register.rows]
    moments = [proposal.recorded_on or NOW for proposal in proposals]
    assert moments == sorted(moments)
    return sorted(
        (
            (moment, proposal.kind, proposal.key, str(proposal.statement), proposal.idempotency_key)
            for moment, proposal in zip(moments, proposals, strict=True)
        ),
        key=lambda item: item[:4],
    )


# ---------------------------------------------------------------- keys


def keys(folder: Path, files: dict[str, str]) -> dict[str, str | None]:
    rows = read(written(folder, files)).rows
    return {f"{row.file}:{row.line}": row.proposal.idempotency_key for row in rows}


def test_keys_count_the_rows_of_an_event_and_record(tmp_path: Path) -> None:
    first = receipts(
        "2023,2023-06-30,C-1,MAIN,KAZ,2023,1.00,USD,a,,",
        "2022,2023-06-30,C-1,MAIN,KAZ,2023,2.00,USD,,,",
        "2023,2023-01-31,C-1,MAIN,KAZ,2023,3.00,USD,,,",
        "2023,2023-06-30,C-2,MAIN,KAZ,2023,4.00,USD,,,",
        more=",label,corrects,annuls",
    )
    returned = "effective,recorded_on,contribution,amount,currency\n2023,2023-07-01,C-1,1.00,USD\n"
    files = {"contribution_received": first, "contribution_returned": returned}
    before = keys(tmp_path, files)
    assert before == {
        "contribution_received.csv:4": "import:contribution.received:C-1:1",
        "contribution_received.csv:2": "import:contribution.received:C-1:2",
        "contribution_received.csv:3": "import:contribution.received:C-1:3",
        "contribution_received.csv:5": "import:contribution.received:C-2:1",
        "contribution_returned.csv:2": "import:contribution.returned:C-1:1",
    }
    more = (
        ",2023-12-01,C-1,,,,,,,,a",
        "2023,2023-12-01,C-1,MAIN,KAZ,2023,5.00,USD,,contribution/C-1/2,",
        "2023,2023-06-30,C-1,MAIN,KAZ,2023,6.00,USD,,,",
        ",,C-1,,,,,,,,contribution/C-1/1",
    )
    after = keys(tmp_path, {**files, "contribution_received": first + "\n".join((*more, ""))})
    assert after == {
        **before,
        "contribution_received.csv:6": "import:contribution.received:C-1:annuls:a:1",
        "contribution_received.csv:7": (
            "import:contribution.received:C-1:corrects:contribution/C-1/2:1"
        ),
        "contribution_received.csv:8": "import:contribution.received:C-1:4",
        "contribution_received.csv:9": (
            "import:contribution.received:C-1:annuls:contribution/C-1/1:1"
        ),
    }


def test_keys_count_corrections_and_annulments_by_what_they_aim_at(tmp_path: Path) -> None:
    rows = (
        ",2023-12-01,C-1,MAIN,KAZ,2023,5.00,USD,contribution/C-1/2,",
        ",2023-12-02,C-1,MAIN,KAZ,2023,6.00,USD,contribution/C-1/2,",
        ",2023-12-03,C-1,MAIN,KAZ,2023,7.00,USD,contribution/C-1/3,",
        ",2023-12-04,C-1,,,,,,,contribution/C-1/3",
        ",2023-12-05,C-1,,,,,,,contribution/C-1/3",
    )
    found = keys(tmp_path, {"contribution_received": receipts(*rows, more=",corrects,annuls")})
    name = "import:contribution.received:C-1"
    assert list(found.values()) == [
        f"{name}:corrects:contribution/C-1/2:1",
        f"{name}:corrects:contribution/C-1/2:2",
        f"{name}:corrects:contribution/C-1/3:1",
        f"{name}:annuls:contribution/C-1/3:1",
        f"{name}:annuls:contribution/C-1/3:2",
    ]


def test_an_ordinal_is_the_rows_place_and_an_empty_one_is_counted(tmp_path: Path) -> None:
    rows = (
        "2023,2023-06-30,C-1,MAIN,KAZ,2023,1.00,USD,,",
        "2023,2023-07-31,C-1,MAIN,KAZ,2023,2.00,USD,7,",
        "2023,2023-06-30,C-2,MAIN,KAZ,2023,3.00,USD,2,",
        ",2023-12-01,C-2,MAIN,KAZ,2023,4.00,USD,3,contribution/C-2/1",
    )
    found = keys(tmp_path, {"contribution_received": receipts(*rows, more=",ordinal,corrects")})
    assert found == {
        "contribution_received.csv:2": "import:contribution.received:C-1:1",
        "contribution_received.csv:3": "import:contribution.received:C-1:7",
        "contribution_received.csv:4": "import:contribution.received:C-2:2",
        "contribution_received.csv:5": (
            "import:contribution.received:C-2:corrects:contribution/C-2/1:3"
        ),
    }


def test_the_keys_of_an_import_belong_to_no_principal(tmp_path: Path) -> None:
    folder = written(
        tmp_path, {"contribution_received": receipts("2023,2023-06-30,C-1,MAIN,KAZ,2023,1.00,USD")}
    )
    names = [read(folder, principal=who).rows[0].proposal.key_name for who in ("clerk", "P-001")]
    assert names == [("import", "import:contribution.received:C-1:1")] * 2


def test_taking_some_files_leaves_their_keys(tmp_path: Path) -> None:
    register = read(EXAMPLE)
    for name in register.files:
        alone = {row.line: row.proposal.idempotency_key for row in read(EXAMPLE, only=[name]).rows}
        together = {r.line: r.proposal.idempotency_key for r in register.rows if r.file == name}
        assert alone == together
