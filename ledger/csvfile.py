"""CSV as RFC 4180 has it, read row by row: UTF-8, commas, double quotes, line ends LF or CRLF.

Python's csv module isn't used: even when strict it lets a quote stand in the middle of a cell, so
that a forgotten one swallows the rows below it, and it doesn't say on which line a row began.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

LONGEST_ROW = 1_000_000
"""In bytes: no entry is as long, so that a row which is has lost a quote or is no row at all."""


class BrokenFile(Exception):
    """A file that can't be read on: the line where that is, the cell there (from 0), and why."""

    def __init__(self, line: int, reason: str, cell: int | None = None) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.cell = cell


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The cells of a row, the line on which it begins, and the bytes of the file up to its end."""

    line: int
    cells: list[str]
    end: int


def read_rows(path: Path) -> Iterator[CsvRow]:
    """Yield the rows of a file, the header among them; empty lines are none.

    A line break inside quotes is a line feed in the cell, whichever the file has. Raises
    `BrokenFile` at the first thing that isn't CSV, and OSError if the file can't be read.
    """
    with path.open("rb") as file:
        lines = _lines(file)
        for line in lines:
            if line.text:
                yield _row(line, lines)


_STRAY_QUOTE = "a quote in a cell without quotes; quote the cell and double the quotes in it"
_TEXT_BEHIND = "text behind the closing quote; double the quotes in a cell"
_NOT_TEXT = (
    ("\0", "a NUL", "save it as CSV in UTF-8"),
    ("\r", "a lone carriage return", "end lines with LF or CRLF"),
)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    start: int
    end: int


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """The physical lines, decoded, without their ends."""
    end = 0
    for number in count(1):
        raw = file.readline(LONGEST_ROW + 1)
        if not raw:
            return
        start, end = end, end + len(raw)
        if len(raw) > LONGEST_ROW:
            raise BrokenFile(number, f"the line has over {LONGEST_ROW:,} bytes; this is no CSV")
        yield _Line(number, _decoded(raw, number, start), start, end)


def _decoded(raw: bytes, number: int, start: int) -> str:
    content = raw.removesuffix(b"\n").removesuffix(b"\r")
    if start == 0 and content.startswith(codecs.BOM_UTF8):
        content, start = content.removeprefix(codecs.BOM_UTF8), len(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BrokenFile(
            number,
            f"byte 0x{content[error.start]:02x} at offset {start + error.start} of the file is not"
            " UTF-8; save it as CSV in UTF-8",
        ) from None
    for sign, complaint, remedy in _NOT_TEXT:
        if sign in text:
            offset = start + len(text[: text.index(sign)].encode())
            raise BrokenFile(number, f"{complaint} at offset {offset} of the file; {remedy}")
    return text


def _row(first: _Line, lines: Iterator[_Line]) -> CsvRow:
    """The row that begins with `first`; takes further lines while a quote is open."""
    if '"' not in first.text:
        return CsvRow(first.number, first.text.split(","), first.end)
    cells: list[str] = []
    line, at = first, 0
    while True:
        if line.text.startswith('"', at):
            cell, line, at = _quoted(first, line, at + 1, lines, len(cells))
        else:
            comma = line.text.find(",", at)
            end = len(line.text) if comma < 0 else comma
            cell, at = line.text[at:end], end
            if '"' in cell:
                raise BrokenFile(first.number, _STRAY_QUOTE, len(cells))
        cells.append(cell)
        if at == len(line.text):
            return CsvRow(first.number, cells, line.end)
        if line.text[at] != ",":
            raise BrokenFile(first.number, _TEXT_BEHIND, len(cells) - 1)
        at += 1


def _quoted(
    first: _Line, line: _Line, at: int, lines: Iterator[_Line], cell: int
) -> tuple[str, _Line, int]:
    """The text of a quoted cell from `at` on, the line where it ends, and the place behind it."""
    parts: list[str] = []
    while True:
        quote = line.text.find('"', at)
        if quote < 0:
            parts += (line.text[at:], "\n")
            following = next(lines, None)
            if following is None or following.end - first.start > LONGEST_ROW:
                raise BrokenFile(first.number, "a quote is opened here and not closed", cell)
            line, at = following, 0
        elif line.text.startswith('"', quote + 1):
            parts += (line.text[at : quote + 1],)
            at = quote + 2
        else:
            parts.append(line.text[at:quote])
            return "".join(parts), line, quote + 1
