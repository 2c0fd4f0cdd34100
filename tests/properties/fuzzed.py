"""What must hold whatever comes in: dates, CSV, registers, canonical JSON, cursors.

`PROPERTIES` are these. The suite tries a few examples of each, always the same; `scripts/fuzz`
tries them for as long as it is given. What needs a ledger is in fuzzed_ledger.py.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import rfc8785
from graphql import GraphQLError
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ledger import importing
from ledger.canonical import canonical, decode
from ledger.csvfile import BrokenFile, read_rows
from ledger.dates import HomeZone, known_before, parse_edtf, parse_moment
from ledger.form import check_form
from ledger.importing import ImportRefused, Problem, Register, read_register
from ledger.refusal import Malformed
from projections import REGISTRY
from schema.pagination import Order
from tests.properties.strategies import mostly

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cica-2023"
ZONE = HomeZone("Asia/Almaty")
NOW = datetime(2024, 1, 15, 12, tzinfo=UTC)

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

NEVER_TOO_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@dataclass(frozen=True, kw_only=True)
class Property:
    """A property: its name, what it tries, and what is to hold of that; AssertionError if not.

    `examples` are tried in the suite, and in each round of the script.
    """

    name: str
    values: st.SearchStrategy[Any]
    holds: Callable[[Any], None]
    examples: int


def outcome_of(do: Callable[[], T], refusal: type[E]) -> T | E:
    """What is done gives, or how it is refused; whatever else it raises is a bug."""
    try:
        return do()
    except refusal as refused:
        return refused


class Trial:
    """A property, tried with always the same examples, or with those of a seed."""

    def __init__(self, tried: Property, number: int | None = None) -> None:
        self.examples = 0
        self._property = tried
        self._seed = number

    def run(self) -> None:
        """Raise what the property does with the smallest example that was found to break it."""

        def holds(value: Any) -> None:
            self.examples += 1
            self._property.holds(value)

        test = settings(
            max_examples=self._property.examples,
            derandomize=self._seed is None,
            database=None,
            deadline=None,
            suppress_health_check=NEVER_TOO_SLOW,
        )(given(self._property.values)(holds))
        if self._seed is not None:
            test = seed(self._seed)(test)
        test()


# ---------------------------------------------------------------- what comes in

AWKWARD = [
    *("", " ", "\n", "\r\n", "\r", "\t", ",", '"', '""', ";", "'", "\\", "/", "=1+1", "%(day)s"),
    *("\0", "\x1b[31m", "\x7f", "\x85", "\u00a0", "\u200b", "\u200d", "\u200e", "\u202e", "\u2066"),
    *("\u2028", "\ufeff", "\ufffd", "\U000e0041", "e\u0301", "é", "Қазақстан", "ישראל", "🏛"),
    *("0", "-1", "0.005", "1e999", "9" * 31, "9" * 400, "٣", "NaN", "Infinity", "１"),
    *("0001-01-01", "9999-12-31", "2023-02-30", "[2021..2023]", "2023/..", "2023-01~", "0000"),
    *("2023-12-31T23:59:60Z", "2024-01-15T12:00:00Z", "KAZ", "kaz", "C-1", "state/KAZ/1", "x" * 70),
]
"""What programs stumble over, one way or another."""

PIECES = st.sampled_from(AWKWARD).map(str.encode) | st.binary(max_size=4)

TEXTS = st.text(max_size=30) | st.lists(st.sampled_from(AWKWARD), max_size=4).map("".join)


def mutated(draw: st.DrawFn, text: bytes, times: int) -> bytes:
    """The bytes with so many pieces of them replaced, taken away, said twice or moved."""
    for _ in range(times):
        at, end = sorted(draw(st.integers(0, len(text))) for _ in range(2))
        end = min(end, at + draw(st.sampled_from([0, 1, 4, 30])))
        cut = text[at:end]
        into = draw(st.one_of(PIECES, st.just(cut * 2), st.just(b"")))
        text = text[:at] + into + text[end:]
    return text


# ---------------------------------------------------------------- dates

SIGNS = "0123456789-~/.[]TZ:+?% X٣"


@st.composite
def nearly_dates(draw: st.DrawFn) -> str:
    """Dates and moments of every form, nearly all of them spoilt by a sign or two."""
    forms = ("{0}", "{0}~", "{0}/{1}", "[{0}..{1}]", "{0}/..", "{0}T12:30:00+06:00", "{0}T12:30Z")
    days = [draw(st.dates()).isoformat()[: draw(st.sampled_from([4, 7, 10]))] for _ in range(2)]
    text = draw(st.sampled_from(forms)).format(*days)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *SIGNS])) + text[at + 1 :]
    return text


def is_a_date_or_refused(text: str) -> None:
    """A text is an EDTF date, which reads as itself and in words, or it is refused in one line."""
    with suppress(Malformed):
        moment = parse_moment(text)
        assert moment.utcoffset() is not None
    with suppress(Malformed):
        assert known_before(text, ZONE).utcoffset() is not None
    found = outcome_of(lambda: parse_edtf(text), Malformed)
    if isinstance(found, Malformed):
        assert found.message.isprintable()
        return
    assert found.text == text
    assert parse_edtf(found.text) == found
    assert found.earliest <= found.latest
    assert found.in_words.isprintable()


# ---------------------------------------------------------------- CSV


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Bytes of all sorts: any, what a program wrote, and that with pieces changed."""
    if draw(st.booleans()):
        return draw(st.lists(PIECES, max_size=30).map(b"".join))
    written = io.StringIO()
    rows = draw(st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=5))
    csv.writer(written, lineterminator=draw(st.sampled_from(["\n", "\r\n"]))).writerows(rows)
    return mutated(draw, written.getvalue().encode(), draw(st.integers(0, 3)))


def is_read_as_python_reads_it(content: bytes) -> None:
    """What is read as CSV is what Python's own reader finds, if it takes it too."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        rows = outcome_of(lambda: list(read_rows(Path(file.name))), BrokenFile)
    if isinstance(rows, BrokenFile):
        assert rows.reason.isprintable()
        assert 1 <= rows.line <= content.count(b"\n") + 1
        return
    assert [row.end for row in rows] == sorted({row.end for row in rows if row.end <= len(content)})
    try:
        opened = io.StringIO(content.decode("utf-8-sig"), newline="")
        theirs = [row for row in csv.reader(opened, strict=True) if row]
    except csv.Error:
        return
    assert [row.cells for row in rows] == [
        [cell.replace("\r\n", "\n") for cell in row] for row in theirs
    ]


# ---------------------------------------------------------------- registers

SHEETS = importing._sheets(REGISTRY)


@cache
def example_lines() -> dict[str, list[bytes]]:
    """The lines of each file of the example register, by the file's name."""
    return {file.name: file.read_bytes().splitlines() for file in sorted(EXAMPLE.glob("*.csv"))}


@dataclass(frozen=True)
class Spoilt:
    """Some files of a register, with pieces of them changed, and how they are imported."""

    files: dict[str, bytes]
    late: bool


@st.composite
def spoilt_registers(draw: st.DrawFn) -> Spoilt:
    """A few rows of a file or two of the example; cells, bytes and columns of them changed."""
    names = st.lists(st.sampled_from(sorted(example_lines())), min_size=1, max_size=2, unique=True)
    files = {name: _spoilt_file(draw, name) for name in draw(names)}
    return Spoilt(files, draw(st.booleans()))


def _spoilt_file(draw: st.DrawFn, name: str) -> bytes:
    header, *rows = (line.split(b",") for line in example_lines()[name])
    first = draw(st.integers(0, max(0, len(rows) - 4)))
    table = [list(row) for row in rows[first : first + draw(st.integers(1, 4))]]
    if draw(st.booleans()):
        _make_new(name, header, table)
    for _ in range(draw(st.integers(0, 3))):
        row, column = draw(st.sampled_from(table)), draw(st.integers(0, len(header) - 1))
        # Mostly what could stand there, as it does in another row.
        likely = st.sampled_from([other[column] for other in rows if len(other) > column])
        row[column % len(row)] = draw(likely | likely | PIECES)
    if draw(st.booleans()):
        more = draw(st.sampled_from([b"note", b"label", b"corrects", b"annuls", b"ordinal"]))
        header.append(more)
        for row in table:
            row.append(draw(mostly(b"", b"1", b"a", b"contribution/C-2023-KAZ/1") | PIECES))
    text = b"".join(b",".join(row) + b"\n" for row in (header, *table))
    return mutated(draw, text, draw(mostly(0, 1, 3)))


def _make_new(name: str, header: list[bytes], table: list[list[bytes]]) -> None:
    """Make the rows be about records that are not on record, and recorded now."""
    naming = [column.encode() for column in SHEETS[name].naming]
    for row in table:
        for at, column in enumerate(header):
            if column == naming[-1]:
                row[at] += b"9"
            elif column == b"recorded_on":
                row[at] = b""


def read_spoilt(spoilt: Spoilt) -> Register | None:
    """The register, if it can be read; else each of its problems has been looked at."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in spoilt.files.items():
            Path(folder, name).write_bytes(content)
        try:
            return read_register(
                Path(folder), REGISTRY, ZONE, principal="import", now=NOW, late=spoilt.late
            )
        except ImportRefused as refused:
            check_problems(refused.problems, spoilt)
            return None


def check_problems(problems: Sequence[Problem], spoilt: Spoilt) -> None:
    """Each problem is one line that can be printed, and names a place that there is."""
    assert problems
    for problem in problems:
        assert str(problem).isprintable()
        assert problem.line is not None
        assert 1 <= problem.line <= spoilt.files[problem.file].count(b"\n") + 1


def is_read_or_refused(spoilt: Spoilt) -> None:
    """A register is read, into rows that the ledger takes, or refused with places."""
    register = read_spoilt(spoilt)
    for row in register.rows if register else ():
        check_form(row.proposal, REGISTRY.kind(row.proposal.kind))


# ---------------------------------------------------------------- canonical JSON

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**54), 2**54)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(AWKWARD)
    | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=10,
)


def is_written_as_the_standard_has_it(value: Any) -> None:
    """What is stored has the bytes that the package `rfc8785` makes of it."""
    try:
        ours = canonical(value)
    except (TypeError, ValueError):
        return
    assert ours == rfc8785.dumps(value)
    assert decode(ours) == value


def is_json_or_refused(content: bytes) -> None:
    """Bytes are JSON, whose canonical form reads as itself, or they are refused."""
    try:
        value = decode(content)
        written = canonical(value)
    except (TypeError, ValueError):
        return
    assert decode(written) == value
    assert canonical(decode(written)) == written


# ---------------------------------------------------------------- cursors

ORDERS = {
    Order("states", "KEY", ("key", "text"), ("key", "text")): ("KAZ", "KAZ"),
    Order("states", "SINCE", ("since", "date"), ("key", "text")): ("2002-06-04", "KAZ"),
    Order("contributions", "AMOUNT", ("net", "numeric"), ("key", "text")): (Decimal("1.50"), "C-1"),
    Order("entries", "POSITION", ("position", "int8"), ("position", "int8")): (7, 7),
}
"""An order by a column of each type, and the values of a row in it."""

_BEFORE_CODING = st.recursive(
    TEXTS
    | st.integers()
    | st.none()
    | st.sampled_from(["states", "entries", "KEY", "SINCE", "AMOUNT"]),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=6,
)


@st.composite
def nearly_cursors(draw: st.DrawFn) -> tuple[Order, str]:
    """An order, and any text, a mutated cursor, or what is coded like one."""
    order = draw(st.sampled_from(list(ORDERS)))
    given_out = order.cursor(*ORDERS[order])
    coded = _BEFORE_CODING | st.tuples(
        st.just(order.list_name), st.just(order.name), TEXTS, TEXTS
    ).map(list)
    return order, draw(
        st.one_of(
            st.text(),
            st.just(given_out),
            st.builds(_changed, st.just(given_out), st.integers(0, 80), st.text(max_size=2)),
            coded.map(_coded),
            st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
        )
    )


def _changed(cursor: str, at: int, into: str) -> str:
    at %= len(cursor)
    return cursor[:at] + into + cursor[at + 1 :]


def _coded(place: Any) -> str:
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def is_a_cursor_or_refused(asked: tuple[Order, str]) -> None:
    """A text is a cursor that the order gives out for what it stands for, or a `GraphQLError`."""
    order, text = asked
    place = outcome_of(lambda: order.place(text, argument="after"), GraphQLError)
    if isinstance(place, GraphQLError):
        assert place.message.startswith("`after` is ")
        return
    assert order.cursor(*place) == text


PROPERTIES = (
    Property(name="dates", values=TEXTS | nearly_dates(), holds=is_a_date_or_refused, examples=300),
    Property(name="csv", values=csv_files(), holds=is_read_as_python_reads_it, examples=100),
    Property(name="registers", values=spoilt_registers(), holds=is_read_or_refused, examples=60),
    Property(
        name="canonical", values=JSON_VALUES, holds=is_written_as_the_standard_has_it, examples=100
    ),
    Property(name="json", values=csv_files(), holds=is_json_or_refused, examples=50),
    Property(name="cursors", values=nearly_cursors(), holds=is_a_cursor_or_refused, examples=150),
)
