"""One file of a register: its columns, and its rows read into statements.

A column is the record's key, or one of the fields that it is made of; a field of the event; or one
of `COMMON`. An empty cell is no value. Blanks around a cell are refused, so that no key or code
gets stored in two spellings; only free text is kept as it is. What is wrong is collected, so that a
user sees all of it at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ledger.csvfile import BrokenFile, read_rows
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Proposal, Source, Statement
from ledger.form import check_form
from ledger.importing_cells import (
    checked_key,
    label,
    ordinal,
    parser_of,
    recorded_on,
    split_source,
    trimmed,
)
from ledger.importing_problem import Problem, behind, guess
from ledger.kind import AnyEvent, Kind, Registry, fields_of
from ledger.refusal import Refused

T = TypeVar("T")

IMPORTS = "import"
"""Who owns the idempotency keys of imports: a row is the same whoever imports it."""

FREE_TEXT = ("effective_text", "note", "reason")

COMMON = (
    *("effective", "effective_text", "recorded_on"),
    *("source", "locator", "evidence_sha256", "basis", "note", "reason"),
    *("label", "ordinal", "corrects", "annuls"),
)
"""The columns that every file may have. A field of an event that is called like one takes it; in
the row of an annulment, which has no event, the column is the common one again."""


MOST_PROBLEMS = 1_000
"""A file that is none of ours could have millions; nobody reads more of them than these."""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Of an import: who does it, when, where the days end; `late` as in `read_register`."""

    registry: Registry
    zone: HomeZone
    principal: str
    now: datetime
    late: bool

    @cached_property
    def recorded_on(self) -> Callable[[str], tuple[datetime, date]]:
        """What reads the moment and the day that an older register states."""
        return trimmed(partial(recorded_on, zone=self.zone, now=self.now))


class Sheet:
    """What a file of one event type holds: its columns, and what reads their cells.

    `parsers` read the fields of the event but for those in `stated_by_key`. `naming` are the
    columns that name the record, with what reads them: the key's own, or those of the fields that
    it is made of. No row does without those in `required_naming`, and none but corrections and
    annulments without those in `required`.
    """

    def __init__(self, kind: Kind, event: type[AnyEvent], registry: Registry) -> None:
        self.kind = kind
        self.event = event
        self.file = file_name(event.stored_as)
        self.fields = {field.name: field for field in fields_of(event)}
        self.stated_by_key = tuple(name for name in kind.key_fields if name in self.fields)
        self.parsers = {
            name: _reader(name, parser_of(field, registry))
            for name, field in self.fields.items()
            if name not in self.stated_by_key
        }
        parts = kind.key_parts()
        self.naming = {part.name: _reader(part.name, parser_of(part, registry)) for part in parts}
        if not parts:
            self.naming[kind.key_column] = trimmed(partial(checked_key, kind))
        self.columns = tuple(dict.fromkeys((*self.naming, *self.fields, *COMMON)))
        optional = {part.name for part in parts if part.optional}
        self.required_naming = tuple(name for name in self.naming if name not in optional)
        needed = (name for name, field in self.fields.items() if not field.optional)
        self.required = tuple(dict.fromkeys((*self.required_naming, "effective", *needed)))


def _reader(column: str, parse: Callable[[str], T]) -> Callable[[str], T]:
    return parse if column in FREE_TEXT else trimmed(parse)


_read_effective, _read_text = trimmed(parse_edtf), trimmed(str)
_read_label, _read_ordinal = trimmed(label), trimmed(ordinal)
_split_source = lru_cache(maxsize=1_024)(split_source)


def file_name(stored_as: str) -> str:
    """The name of the file that holds the events of a stored name."""
    return stored_as.replace(".", "_") + ".csv"


class RegisterRow(NamedTuple):
    """A row as it was read, without its place among the others; `cells` are the texts of it.

    `key_cells` are what the columns hold that name its record, None for what is empty. `moment` is
    when an older register took it, `day` the day of that, and `recorded_as` how it says so; None is
    now.
    """

    sheet: Sheet
    line: int
    cells: Mapping[str, str]
    key: str
    key_cells: tuple[str | None, ...]
    statement: Statement
    moment: datetime | None
    day: date | None
    recorded_as: str | None
    label: str | None
    ordinal: int | None
    corrects: str | None
    annuls: str | None

    @property
    def target(self) -> str | None:
        """The name of the entry that this one corrects or annuls."""
        return self.annuls if self.corrects is None else self.corrects

    def proposal(self, idempotency_key: str) -> Proposal:
        """What the row proposes; a late one is recorded now, whatever its moment."""
        is_late = self.statement.registered_on is not None
        return Proposal(
            kind=self.sheet.kind.name,
            key=self.key,
            statement=self.statement,
            corrects=self.corrects,
            annuls=self.annuls,
            label=self.label,
            recorded_on=None if is_late else self.moment,
            recorded_as=self.recorded_as,
            idempotency_key=idempotency_key,
            key_owner=IMPORTS,
        )


def read_file(
    path: Path,
    sheet: Sheet,
    occasion: Occasion,
    problems: list[Problem],
    progress: Callable[[int], None],
) -> Iterator[RegisterRow]:
    """Yield the rows of a file that nothing is wrong with; add to `problems` what is.

    `progress` is called with the bytes of the file that have been read.
    """
    header: list[str] = []
    try:
        for row in read_rows(path):
            if not header:
                header = row.cells
                if not _check_header(sheet, row.line, header, problems):
                    return
            elif len(row.cells) != len(header):
                cells = "1 cell" if len(row.cells) == 1 else f"{len(row.cells)} cells"
                reason = f"the row has {cells}, the header {len(header)}"
                problems.append(Problem(file=sheet.file, line=row.line, reason=reason))
            else:
                # Of two columns of a name the first counts; the header was refused anyway.
                cells_by_column = dict(zip(reversed(header), reversed(row.cells), strict=True))
                reading = _Reading(sheet, occasion, row.line, cells_by_column, problems)
                found = reading.row()
                if found is not None and reading.has_form(found):
                    yield found
            progress(row.end)
            if len(problems) >= MOST_PROBLEMS:
                problems.append(_enough(sheet.file, row.line))
                return
        if not header:
            reason = f"there is no header; the columns are {', '.join(sheet.columns)}"
            problems.append(Problem(file=sheet.file, line=1, reason=reason))
    except BrokenFile as broken:
        is_known = broken.cell is not None and broken.cell < len(header)
        column = header[broken.cell] if is_known and broken.cell is not None else None
        reason = f"{broken.reason} (what follows was not read)"
        problems.append(Problem(file=sheet.file, line=broken.line, column=column, reason=reason))
    except OSError as error:
        reason = f"it can't be read: {error.strerror or error}"
        problems.append(Problem(file=sheet.file, reason=reason))


def read_again(
    sheet: Sheet, occasion: Occasion, line: int, cells: Mapping[str, str]
) -> RegisterRow:
    """The row of these cells, which nothing was wrong with when it was read before."""
    row = _Reading(sheet, occasion, line, cells, []).row()
    assert row is not None, "a cell means the same whenever it is read"
    return row


def _enough(file: str, line: int) -> Problem:
    reason = f"{MOST_PROBLEMS:,} problems are enough; what follows this line was not read"
    return Problem(file=file, line=line, reason=reason)


def _check_header(sheet: Sheet, line: int, header: list[str], problems: list[Problem]) -> bool:
    """Add what is wrong with the header; False if it is none."""

    def complain(reason: str, column: str | None = None) -> None:
        problems.append(Problem(file=sheet.file, line=line, column=column, reason=reason))

    columns = f"the columns are {', '.join(sheet.columns)}"
    if not set(header) & set(sheet.columns):
        is_split_otherwise = len(header) == 1 and any(sign in header[0] for sign in ";\t")
        hint = "commas separate the cells; " if is_split_otherwise else ""
        complain(f"this is no header; {hint}{columns}")
        return False
    unnamed = [str(number) for number, name in enumerate(header, 1) if not name]
    if unnamed:
        complain(f"no name stands over column {', '.join(unnamed)}; {columns}")
    for name, count in Counter(filter(None, header)).items():
        if name not in sheet.columns:
            complain(f"there is no such column{_hint(name, sheet)}; {columns}", name)
        elif count > 1:
            complain("there is another column of this name", name)
    for name in _columns_missing(sheet, header):
        complain("this column is missing", name)
    return True


def _hint(name: str, sheet: Sheet) -> str:
    """What whoever named a column so probably wants to know, as the end of a sentence."""
    if name == sheet.kind.key_column:
        return f"; the key of a {sheet.kind.name} is made of {', '.join(sheet.naming)}"
    return guess(name, sheet.columns)


def _columns_missing(sheet: Sheet, header: list[str]) -> list[str]:
    """The columns without which no row of the file could be read."""
    if "annuls" in header:
        needed = sheet.required_naming
    elif "corrects" in header:
        needed = tuple(name for name in sheet.required if name != "effective")
    else:
        needed = sheet.required
    return [name for name in needed if name not in header]


@lru_cache(maxsize=4_096)
def _source(document: str, locator: str | None, sha256: str | None) -> Source:
    """The source; rows that name the same one share it."""
    return Source(document=document, locator=locator, sha256=sha256)


class _Reading:
    """The reading of one row. Each method complains of what it can't read, and goes on."""

    def __init__(
        self,
        sheet: Sheet,
        occasion: Occasion,
        line: int,
        cells: Mapping[str, str],
        problems: list[Problem],
    ) -> None:
        self._sheet = sheet
        self._occasion = occasion
        self._line = line
        self._cells = cells
        self._problems = problems
        self._problems_before = len(problems)
        self._is_annulment = bool(cells.get("annuls"))

    def row(self) -> RegisterRow | None:
        """The row, unless a cell of it can't be read."""
        is_complete = self._check_filled()
        sheet, is_late = self._sheet, self._occasion.late
        named = self._values(sheet.naming)
        key = self._key(named)
        values = {} if self._is_annulment else self._values(sheet.parsers)
        moment, day = self._common("recorded_on", self._occasion.recorded_on) or (None, None)
        statement = self._statement_but_for_its_event()
        corrects = self._common("corrects", _read_text)
        annuls = self._common("annuls", _read_text)
        if corrects and annuls:
            self._complain("annuls", "a row corrects or annuls, not both")
        name = self._common("label", _read_label)
        place = self._common("ordinal", _read_ordinal)
        if key is None or not is_complete or not self._is_fine():
            return None
        stated = {name: named[name] for name in sheet.stated_by_key}
        event = None if self._is_annulment else sheet.event(**stated, **values)
        registered_on = day if is_late else None
        return RegisterRow(
            sheet=sheet,
            line=self._line,
            cells=self._cells,
            key=key,
            key_cells=tuple(named.values()),
            statement=Statement(event=event, registered_on=registered_on, **statement),
            moment=moment,
            day=day,
            recorded_as=self._cells.get("recorded_on") or None,
            label=name,
            ordinal=place,
            corrects=corrects,
            annuls=annuls,
        )

    def _statement_but_for_its_event(self) -> dict[str, Any]:
        return {
            "effective": self._common("effective", _read_effective),
            "effective_text": self._text("effective_text"),
            "recorded_by": self._occasion.principal,
            "source": self._source(),
            "basis": self._text("basis"),
            "note": self._text("note"),
            "reason": self._text("reason"),
        }

    def _check_filled(self) -> bool:
        """Complain of what is empty and must not be, or the reverse; False if columns are missing.

        Those have been complained of with the header, unless only annulments do without them.
        """
        if self._is_annulment:
            required = self._sheet.required_naming
            for name in self._sheet.fields:
                is_its_own = name in COMMON or name in self._sheet.naming
                if self._cells.get(name) and not is_its_own:
                    self._complain(name, "an annulment leaves this empty")
        else:
            required = self._sheet.required
        if self._cells.get("corrects"):
            required = tuple(name for name in required if name != "effective")
        if all(map(self._cells.get, required)):
            return True
        missing = [name for name in required if name not in self._cells]
        for name in required:
            if self._cells.get(name) == "":
                self._complain(name, "it is empty, and must not be")
        for name in missing:
            if "annuls" in self._cells and name not in self._sheet.naming:
                self._complain(name, "this column is missing, and only annulments do without it")
        return not missing

    def _key(self, named: Mapping[str, Any]) -> str | None:
        """The key of the record that these cells name; None if they can't be read."""
        sheet = self._sheet
        for name, value in named.items():
            if value is None and (self._cells.get(name) or name in sheet.required_naming):
                return None
        if not sheet.kind.key_fields:
            return str(named[sheet.kind.key_column])
        key = sheet.kind.natural_key(named)
        try:
            sheet.kind.check_key(key, field=sheet.kind.key_fields[0])
        except Refused as refusal:
            self._complain(refusal.field, refusal.message)
        return key

    def _values(self, parsers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
        """What the cells of these columns mean."""
        cells = self._cells
        try:
            return {
                name: parse(text) if (text := cells.get(name)) else None
                for name, parse in parsers.items()
            }
        except Refused:
            # Once more, complaining of each that can't be read.
            return {name: self._value(name, parse) for name, parse in parsers.items()}

    def _source(self) -> Source | None:
        """The source; its locator is split off where there is no column for it."""
        document, locator = self._text("source"), self._text("locator")
        sha256 = self._text("evidence_sha256")
        if not self._cells.get("source"):
            for column in ("locator", "evidence_sha256"):
                if self._cells.get(column):
                    self._complain(column, "it needs a source, and that is empty")
        if document is None:
            return None
        if "locator" not in self._cells:
            document, locator = _split_source(document)
        return _source(document, locator, sha256)

    def _text(self, column: str) -> str | None:
        if not self._cells.get(column):
            return None
        text = self._common(column, str if column in FREE_TEXT else _read_text)
        if text is not None and text.isspace():
            self._complain(column, "it holds nothing but blanks; leave it empty")
        return text

    def _common(self, column: str, parse: Callable[[str], T]) -> T | None:
        """What the cell of a common column means, unless a field of the event has taken it."""
        if not self._cells.get(column):
            return None
        if column in self._sheet.fields and not self._is_annulment:
            return None
        return self._value(column, parse)

    def _value(self, column: str, parse: Callable[[str], T]) -> T | None:
        """What the cell means; None if it is empty or can't be read."""
        text = self._cells.get(column)
        if not text:
            return None
        try:
            return parse(text)
        except Refused as refusal:
            self._complain(column, refusal.message)
            return None

    def has_form(self, row: RegisterRow) -> bool:
        """Whether the row passes what the ledger refuses without looking into itself."""
        try:
            check_form(row.proposal("import"), self._sheet.kind)
        except Refused as refusal:
            self._complain(refusal.field, refusal.message)
        return self._is_fine()

    def _is_fine(self) -> bool:
        return len(self._problems) == self._problems_before

    def _complain(self, column: str | None, reason: str) -> None:
        field = self._sheet.fields.get(column or "")
        is_shown = field is None or not field.personal
        value = self._cells.get(column or "") or None
        self._problems.append(
            Problem(
                file=self._sheet.file,
                line=self._line,
                column=column,
                value=value if is_shown else None,
                reason=behind(column, value, reason),
            )
        )
