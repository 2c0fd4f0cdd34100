"""CSV: what a row is, on which line it begins, and what is no CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.csvfile import LONGEST_ROW, BrokenFile, CsvRow, read_rows


def rows_of(folder: Path, content: bytes) -> list[CsvRow]:
    file = folder / "a.csv"
    file.write_bytes(content)
    return list(read_rows(file))


def cells_of(folder: Path, content: bytes) -> list[list[str]]:
    return [row.cells for row in rows_of(folder, content)]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"", []),
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\n1,2", [["a", "b"], ["1", "2"]]),
        (b"\xef\xbb\xbfa,b\n", [["a", "b"]]),
        (b'\xef\xbb\xbf"a",b\n', [["a", "b"]]),
        (b",\n", [["", ""]]),
        (b"\n\na\n\n", [["a"]]),
        (b'"a,b","say ""yes"""\n', [["a,b", 'say "yes"']]),
        (b'"",""\n', [["", ""]]),
        (b'"""",x\n', [['"', "x"]]),
        (b'"one\ntwo",x\n', [["one\ntwo", "x"]]),
        (b'"one\r\n\r\ntwo",x\r\n', [["one\n\ntwo", "x"]]),
        (
            "Қазақстан,Казахстан,\u2028,\x0b\n".encode(),
            [["Қазақстан", "Казахстан", "\u2028", "\x0b"]],
        ),
        (b" a , b \n", [[" a ", " b "]]),
    ],
)
def test_rows(tmp_path: Path, content: bytes, cells: list[list[str]]) -> None:
    assert cells_of(tmp_path, content) == cells


def test_a_row_is_on_the_line_where_it_begins(tmp_path: Path) -> None:
    content = b'a,b\n"1\n2",3\n\n4,"5\r\n6\r\n7"\n8,9\n'
    rows = rows_of(tmp_path, content)
    assert [row.line for row in rows] == [1, 2, 5, 8]
    assert [row.end for row in rows] == [4, 12, 25, 29]
    assert rows[-1].end == len(content)


@pytest.mark.parametrize(
    ("content", "line", "cell", "reason"),
    [
        (
            b"a,b\n1,caf\xe9\n",
            2,
            None,
            "byte 0xe9 at offset 9 of the file is not UTF-8; save it as CSV in UTF-8",
        ),
        (
            b"\xef\xbb\xbfa,\xff\n",
            1,
            None,
            "byte 0xff at offset 5 of the file is not UTF-8; save it as CSV in UTF-8",
        ),
        (
            "a,b\n".encode("utf-16"),
            1,
            None,
            "byte 0xff at offset 0 of the file is not UTF-8; save it as CSV in UTF-8",
        ),
        (
            "ä,b\n1,\0\n".encode(),
            2,
            None,
            "a NUL at offset 7 of the file; save it as CSV in UTF-8",
        ),
        (
            b"a,b\r1,2\r",
            1,
            None,
            "a lone carriage return at offset 3 of the file; end lines with LF or CRLF",
        ),
        (b'a,b\n1,"2\n3,4\n', 2, 1, "a quote is opened here and not closed"),
        (b'a,b\n1,"2', 2, 1, "a quote is opened here and not closed"),
        (
            b'a,b\n1,say "yes"\n',
            2,
            1,
            "a quote in a cell without quotes; quote the cell and double the quotes in it",
        ),
        (
            b'a,b\n"one\ntwo"x,2\n',
            2,
            0,
            "text behind the closing quote; double the quotes in a cell",
        ),
        (b'"a" ,b\n', 1, 0, "text behind the closing quote; double the quotes in a cell"),
        (
            b"x" * (LONGEST_ROW + 1),
            1,
            None,
            "the line has over 1,000,000 bytes; this is no CSV",
        ),
        (
            b'a\n"' + b"x\n" * (LONGEST_ROW // 2) + b'"\n',
            2,
            0,
            "a quote is opened here and not closed",
        ),
    ],
)
def test_what_is_no_csv(
    tmp_path: Path, content: bytes, line: int, cell: int | None, reason: str
) -> None:
    with pytest.raises(BrokenFile) as broken:
        rows_of(tmp_path, content)
    assert (broken.value.line, broken.value.cell, broken.value.reason) == (line, cell, reason)


def test_what_stands_above_is_read_first(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'a\nb\n"c\n')
    rows = read_rows(file)
    assert [next(rows).cells, next(rows).cells] == [["a"], ["b"]]
    with pytest.raises(BrokenFile):
        next(rows)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)
@example([["\ufeff", "a"]], "\n")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_what_another_program_wrote_is_read(
    tmp_path: Path, rows: list[list[str]], line_end: str
) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator=line_end).writerows(rows)
    # A mark at the beginning of a file says that it is UTF-8, and is no part of its text.
    assert cells_of(tmp_path, b"\xef\xbb\xbf" + written.getvalue().encode()) == rows
