"""The columns and cells of a register's files: every complaint, with its place and its words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.form import check_form
from ledger.importing import ImportRefused, Problem, Row
from projections import REGISTRY
from tests.ledger.registers import GROUNDS, RECEIPT, complaints, read, receipt, receipts, written

STATE_COLUMNS = (
    "the columns are state, status, name_en, name_ru, effective, effective_text, recorded_on,"
    " source, locator, evidence_sha256, basis, note, reason, label, ordinal, corrects, annuls"
)
DATES = (
    "; accepted are YYYY-MM-DD, YYYY-MM and YYYY, each with or without a ~ behind it for about,"
    " a/b for what lasted from a to b, [a..b] for an unknown day between them, and a/.. for what"
    " goes on"
)
INSTANTS = (
    "; write a day, 2023-06-30, or a moment with its offset, 2023-06-30T18:00:00+06:00 or"
    " 2023-06-30T12:00:00Z"
)
ID = "018f3b6e-0000-7000-8000-000000000000"
BLANKS = "there are blanks around it; take them away"


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [f"there is no header; {STATE_COLUMNS}"]),
        ("\n\n", [f"there is no header; {STATE_COLUMNS}"]),
        ("2006,2022-12-31,KAZ\n", [f"this is no header; {STATE_COLUMNS}"]),
        (
            "effective;state;status;name_en\n2006;KAZ;member;Kazakhstan\n",
            [f"this is no header; commas separate the cells; {STATE_COLUMNS}"],
        ),
        (
            "effective,state,Status,name_en,continent\n",
            [
                f"Status: there is no such column; did you mean 'status'?; {STATE_COLUMNS}",
                f"continent: there is no such column; {STATE_COLUMNS}",
                "status: this column is missing",
            ],
        ),
        (
            "effective,state,status,name_en, note,,\n",
            [
                f"no name stands over column 6, 7; {STATE_COLUMNS}",
                f"' note': there is no such column; did you mean 'note'?; {STATE_COLUMNS}",
            ],
        ),
        (
            "effective,state,status,name_en,state\n2006,KAZ,member,Kazakhstan,CHN\n",
            ["state: there is another column of this name"],
        ),
        (
            "name_ru\nКазахстан\n",
            [
                "state: this column is missing",
                "effective: this column is missing",
                "status: this column is missing",
                "name_en: this column is missing",
            ],
        ),
        (
            "corrects,name_ru\nx,Казахстан\n",
            [
                "state: this column is missing",
                "status: this column is missing",
                "name_en: this column is missing",
            ],
        ),
        ("annuls\nx\n", ["state: this column is missing"]),
        (
            "state,status,name_en\nKAZ,member,x\nCHN,member,y\n",
            ["effective: this column is missing"],
        ),
    ],
)
def test_headers(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = complaints(written(tmp_path, {"state_admitted": text}))
    assert found == [f"state_admitted.csv:1: {line}" for line in expected]


def test_cells_are_read_below_a_wrong_header_too(tmp_path: Path) -> None:
    text = "effective,state,statuss,name_en\n2023-13,KAZ,member,Kazakhstan\n"
    found = complaints(written(tmp_path, {"state_admitted": text}))
    assert [line.split(": ")[:2] for line in found] == [
        ["state_admitted.csv:1", "statuss"],
        ["state_admitted.csv:1", "status"],
        ["state_admitted.csv:2", "effective '2023-13'"],
    ]


def test_rows_of_another_width(tmp_path: Path) -> None:
    text = (
        'effective,state,status,name_en\n2006,KAZ,member\nx\n2006,KAZ,member,"Korea\nRepublic",x\n'
    )
    assert complaints(written(tmp_path, {"state_admitted": text})) == [
        "state_admitted.csv:2: the row has 3 cells, the header 4",
        "state_admitted.csv:3: the row has 1 cell, the header 4",
        "state_admitted.csv:4: the row has 5 cells, the header 4",
    ]


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("contribution", "", "it is empty, and must not be"),
        ("effective", "", "it is empty, and must not be"),
        ("amount", "", "it is empty, and must not be"),
        ("contribution", "C 1", "not a key of a contribution; one looks like 'C-2023-KAZ'"),
        ("state", "Kaz", "not a key of a state; one looks like 'KAZ'"),
        ("contribution", " C-1", BLANKS),
        ("effective", "2023 ", BLANKS),
        ("recorded_on", "2023-12-31\n", BLANKS),
        ("amount", "\u00a010.00", BLANKS),
        ("currency", "USD ", BLANKS),
        ("basis", " quoted", BLANKS),
        ("source", "SOC/1481 s.9 ", BLANKS),
        ("amount", " ", BLANKS),
        ("note", "  \n", "it holds nothing but blanks; leave it empty"),
        ("amount", "12,5", "not a decimal number such as 1973450.00"),
        ("amount", "1e3", "not a decimal number such as 1973450.00"),
        ("amount", "٣.00", "not a decimal number such as 1973450.00"),
        ("amount", "9" * 61, "not a decimal number such as 1973450.00"),
        ("fiscal_year", "2023.0", "not a whole number in plain digits such as 2023"),
        ("fiscal_year", "-1", "not a whole number in plain digits such as 2023"),
        ("fiscal_year", "02023", "not a whole number in plain digits such as 2023"),
        ("fiscal_year", "٢٠٢٣", "not a whole number in plain digits such as 2023"),
        ("fiscal_year", "9" * 16, "not a whole number in plain digits such as 2023"),
        ("effective", "2023-13", f"not a date: month 13 does not exist{DATES}"),
        (
            "effective",
            "May",
            f"not a date: it has words in it, write it in digits, as in 2023-05{DATES}",
        ),
        (
            "recorded_on",
            "2023-02-30",
            f"not a point in time: February 2023 has the days 01 to 28{INSTANTS}",
        ),
        (
            "recorded_on",
            "2023-12",
            f"not a point in time: it has neither of the two forms{INSTANTS}",
        ),
        (
            "recorded_on",
            "2023-06-30T18:00",
            f"not a point in time: its offset is missing{INSTANTS}",
        ),
        (
            "recorded_on",
            "2024-01-16",
            "this lies in the future; leave it empty for what is recorded now",
        ),
        (
            "recorded_on",
            "2024-01-15T12:00:00.000001Z",
            "this lies in the future; leave it empty for what is recorded now",
        ),
        ("label", "a/b/1", "'a/b/1' could be mistaken for an entry; use another word"),
        (
            "label",
            ID,
            f"'{ID}' could be mistaken for an entry; use another word",
        ),
        ("locator", "s.9", "it needs a source, and that is empty"),
        ("evidence_sha256", "0" * 64, "it needs a source, and that is empty"),
        ("ordinal", "0", "no place in an order; the first is 1"),
        ("ordinal", "-1", "not a whole number in plain digits such as 2023"),
        ("ordinal", "1.5", "not a whole number in plain digits such as 2023"),
        ("ordinal", "02", "not a whole number in plain digits such as 2023"),
        ("ordinal", "second", "not a whole number in plain digits such as 2023"),
        ("ordinal", "٢", "not a whole number in plain digits such as 2023"),
        ("ordinal", " 2", BLANKS),
        ("corrects", "first", "no row has this label, and it is no entry's id or kind/key/version"),
    ],
)
def test_a_cell_that_can_not_be_read(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    folder = written(tmp_path, {"contribution_received": receipt(**{column: cell})})
    with pytest.raises(ImportRefused) as refused:
        read(folder)
    value = cell or None
    file = "contribution_received.csv"
    assert refused.value.problems == [
        Problem(file=file, line=2, column=column, value=value, reason=reason)
    ]


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        (
            "state_admitted",
            "effective,state,status,name_en\n2006,KAZ,Membr,x\n",
            "status 'Membr': not one of member, observer, former; did you mean 'member'?",
        ),
        (
            "state_admitted",
            "effective,state,status,name_en\n2006,KAZ,guest,x\n",
            "status 'guest': not one of member, observer, former",
        ),
        (
            "body_established",
            "effective,body,name_en,category,operational\n2006,SOC,x,governing,true\n",
            "operational 'true': neither yes nor no",
        ),
        (
            "secondee_extended",
            "effective,secondment,until\n2006,S-1,soon\n",
            "until 'soon': not a date: it has words in it, write it in digits, as in 2023-05"
            + DATES,
        ),
        (
            "budget_approved",
            "effective,fiscal_year,amount,currency\n2006,23,10.00,USD\n",
            "fiscal_year '23': not a key of a budget; one looks like '2023'",
        ),
        (
            "state_admitted",
            "effective,state,status,name_en,source,evidence_sha256\n2006,KAZ,member,x,A,ABC\n",
            "evidence_sha256 'ABC': not a SHA-256 in 64 lower-case hexadecimal digits",
        ),
        (
            "state_admitted",
            "effective,state,status,name_en,corrects,annuls\n2006,KAZ,member,x,a,b\n",
            "annuls 'b': a row corrects or annuls, not both",
        ),
    ],
)
def test_cells_of_other_types(tmp_path: Path, name: str, row: str, expected: str) -> None:
    found = complaints(written(tmp_path, {name: row}))
    assert found[-1] == f"{name}.csv:2: {expected}"


def test_a_name_is_not_repeated_in_a_complaint(tmp_path: Path) -> None:
    text = "effective,person,name\n2006,P-1, Zhang Ling\n2006,Zhang,\n"
    assert complaints(written(tmp_path, {"person_registered": text})) == [
        f"person_registered.csv:2: name: {BLANKS}",
        "person_registered.csv:3: name: it is empty, and must not be",
        "person_registered.csv:3: person 'Zhang': not a key of a person; one looks like 'P-001'",
    ]


def test_a_long_cell_is_shown_shortened_on_one_line(tmp_path: Path) -> None:
    cell = "a\n" * 100
    [line] = complaints(written(tmp_path, {"contribution_received": receipt(amount=f"{cell}x")}))
    assert line == (
        "contribution_received.csv:2: amount "
        + repr("a\n" * 30)
        + "… (201 characters): not a decimal number such as 1973450.00"
    )


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    files = {
        "claims": "x",
        "state_admitted": "effective,state,status,name_en\n2023-13,Kaz,guest,\n2006,KAZ,member,x\n",
        "contribution_received": receipts("2023,2023-12-31,,MAIN,KAZ,x,y,USD", "2023"),
        "secondee_left": 'effective,secondment\n2023,S-1\n"2023,S-2\n',
    }
    found = complaints(written(tmp_path, files))
    assert [line.split(": ")[:2] for line in found] == [
        [str(tmp_path), found[0].split(": ")[1]],
        ["contribution_received.csv:2", "contribution"],
        ["contribution_received.csv:2", "fiscal_year 'x'"],
        ["contribution_received.csv:2", "amount 'y'"],
        ["contribution_received.csv:3", "the row has 1 cell, the header 8"],
        [
            "secondee_left.csv:3",
            "effective",
        ],
        ["state_admitted.csv:2", "name_en"],
        ["state_admitted.csv:2", "state 'Kaz'"],
        ["state_admitted.csv:2", "status 'guest'"],
        ["state_admitted.csv:2", "effective '2023-13'"],
    ]


def test_a_broken_file_says_where_reading_stopped(tmp_path: Path) -> None:
    folder = written(tmp_path, GROUNDS)
    (folder / "state_admitted.csv").write_bytes(b"effective,state\n2006,K\xe4Z\n")
    (folder / "bank_account_opened.csv").write_bytes(b'effective,account\n2006,"MAIN\n')
    rest = "(what follows was not read)"
    not_utf8 = "byte 0xe4 at offset 22 of the file is not UTF-8; save it as CSV in UTF-8"
    assert [line for line in complaints(folder) if "missing" not in line] == [
        f"bank_account_opened.csv:2: account: a quote is opened here and not closed {rest}",
        f"state_admitted.csv:2: {not_utf8} {rest}",
    ]


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    folder = written(tmp_path, GROUNDS)
    second = folder / "bank_account_opened.csv"
    found = complaints(folder, progress=lambda done, total: second.unlink(missing_ok=True))
    assert found == ["bank_account_opened.csv: it can't be read: No such file or directory"]


# ---------------------------------------------------------------- whatever comes

BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [
                *(column.encode() for column in (*RECEIPT, "annuls", "corrects", "label", "note")),
                *(cell.encode() for cell in RECEIPT.values()),
                *(
                    b",",
                    b"\n",
                    b"\r\n",
                    b'"',
                    b'""',
                    b"\xef\xbb\xbf",
                    b"\0",
                    b"\xff",
                    b"contribution/C-1/1",
                ),
            ]
        ),
        max_size=60,
    ).map(b"".join),
    st.lists(
        st.sampled_from([*RECEIPT.values(), "", "x", '"', "0001-01-01", "9999-12-31"]), max_size=40
    )
    .map(
        lambda cells: (
            ",".join(RECEIPT)
            + "\n"
            + "\n".join(",".join(cells[n : n + 8]) for n in range(0, len(cells), 8))
        )
    )
    .map(str.encode),
)


@given(BYTES)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "contribution_received.csv").write_bytes(content)
    lines: list[str] = []
    rows: list[Row] = []
    try:
        rows = [*read(tmp_path).rows]
    except ImportRefused as refused:
        lines = str(refused).splitlines()
    # A row that is not complained of has a form that the ledger takes.
    for row in rows:
        check_form(row.proposal, REGISTRY.kind("contribution"))
    assert all(line.startswith("contribution_received.csv") for line in lines)
    assert lines or len(rows) <= content.count(b"\n")
