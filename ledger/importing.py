"""Importing a register: a folder of CSV files, one for each event type, with one entry a row.

Nothing is recorded unless everything can be. What is wrong with the form of any row is found first;
then all rows go to the ledger as one set.

An import can be repeated, by whomever. A row is known again by its idempotency key, which is made
of the event, the record, and the row's ordinal: its place among those of the same event and record
in the order of their moments of recording, then of their lines. A correction or an annulment is
known by what it aims at:

    import:contribution.received:C-2023-KAZ:1
    import:contribution.received:C-2023-KAZ:corrects:contribution/C-2023-KAZ/1:1
    import:contribution.received:C-2023-KAZ:annuls:contribution/C-2023-KAZ/2:1

So rows of other records, and rows added below, leave the keys as they were. A row that was edited
comes with a known key and other content, and is refused. A row in a folder of its own that is the
second of its event and record says so in a column `ordinal`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, overload

from ledger.dates import Edtf, HomeZone
from ledger.entry import Proposal, Statement
from ledger.importing_file import (
    MOST_PROBLEMS,
    Occasion,
    RegisterRow,
    Sheet,
    file_name,
    read_file,
)
from ledger.importing_order import recording_order
from ledger.importing_problem import ImportRefused, Problem, behind, guess, plain
from ledger.importing_spill import Spill, TakenTwice
from ledger.kind import Registry, fields_of
from ledger.memory import uncollected
from ledger.record import Ledger, SetRefused
from ledger.refusal import KeyReused, Refused

__all__ = [
    "FileOutcome",
    "ImportRefused",
    "Outcome",
    "Problem",
    "Register",
    "Row",
    "read_register",
    "record_register",
]

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


def _silent(done: int, total: int) -> None:
    pass


class Row(NamedTuple):
    """What a row of a register proposes, and where it stands.

    `key_cells` are what the columns hold that name its record, None for what is empty.
    """

    proposal: Proposal
    file: str
    line: int
    key_cells: tuple[str | None, ...]


class Rows(Sequence[Row]):
    """The rows of a register in the order of recording, read again from disk when asked for."""

    def __init__(self, spill: Spill, order: array[int], places: array[int]) -> None:
        self._spill = spill
        self._order = order
        self._places = places

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(number) for number in self._order[index]]
        return self._row(self._order[index])

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self._order)

    def files(self) -> Iterator[str]:
        """The name of the file of each."""
        return (self._spill.sheet_of(number).file for number in self._order)

    def _row(self, number: int) -> Row:
        row = self._spill.take(number)
        proposal = row.proposal(_idempotency_key(row, self._places[number]))
        return Row(proposal, row.sheet.file, row.line, row.key_cells)


@dataclass(frozen=True, slots=True)
class Register:
    """The rows of a register, in the order of recording, and the names of its files."""

    rows: Rows
    files: list[str]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How many of a file's rows were recorded now, and how many had been before."""

    recorded: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows were recorded now, how many had been before; the same for each file."""

    recorded: int
    repeated: int
    files: Mapping[str, FileOutcome]


# ---------------------------------------------------------------- reading


@uncollected()
def read_register(
    folder: Path,
    registry: Registry,
    zone: HomeZone,
    *,
    only: Sequence[str] | None = None,
    principal: str,
    now: datetime,
    late: bool = False,
    progress: Progress = _silent,
) -> Register:
    """Read the register in `folder`; raise `ImportRefused` with everything that is wrong with it.

    `only` names the files to take, with or without .csv. `principal` is who records (`Malformed`
    if it isn't an opaque id), `now` the present moment. With `late` the day on which an older
    register took a row becomes a part of its data, and the row is recorded now. `progress` counts
    bytes.
    """
    Statement(event=None, recorded_by=principal).check()
    occasion = Occasion(registry=registry, zone=zone, principal=principal, now=now, late=late)
    problems: list[Problem] = []
    paths = _chosen(folder, _sheets(registry), only, problems)
    spill = Spill(occasion, [sheet for _, sheet, _ in paths])
    total, before = sum(size for _, _, size in paths), 0
    for path, sheet, size in paths:
        if len(problems) > MOST_PROBLEMS:
            break
        advance = partial(_advance, progress, before, total)
        for row in read_file(path, sheet, occasion, problems, advance):
            spill.add(row)
        before += size
    spill.flush()
    order = recording_order(spill, problems)
    problems += map(_taken_twice, spill.taken_twice())
    if problems:
        raise ImportRefused(problems)
    return Register(Rows(spill, order, spill.places()), [path.name for path, _, _ in paths])


def _advance(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _sheets(registry: Registry) -> dict[str, Sheet]:
    """What each file may hold, by its name, in the order of the registry."""
    events = [registry.event(name) for name in registry.event_names()]
    sheets = {file_name(event.stored_as): Sheet(kind, event, registry) for kind, event in events}
    assert len(sheets) == len(events), "no two stored names differ in their underscores alone"
    return sheets


def _chosen(
    folder: Path, sheets: Mapping[str, Sheet], only: Sequence[str] | None, problems: list[Problem]
) -> list[tuple[Path, Sheet, int]]:
    """The files to read with their sheets and sizes; adds to `problems` what else is there."""
    found = _csv_files(folder)
    if only:
        names = [name if name.endswith(".csv") else f"{name}.csv" for name in only]
        problems += _wrongly_named(dict.fromkeys(names), found, sheets)
    else:
        names = list(found)
        unknown = [name for name in names if name not in sheets]
        if unknown:
            problems.append(_unknown_files(folder, unknown, sheets))
    taken = [name for name in sheets if name in names and name in found]
    return [(found[name].path, sheets[name], found[name].size) for name in taken]


class _File(NamedTuple):
    path: Path
    size: int


def _csv_files(folder: Path) -> dict[str, _File]:
    """The CSV files of a folder by their names, sorted; hidden ones aside."""
    try:
        found = {
            path.name: _File(path, path.stat().st_size)
            for path in sorted(folder.iterdir())
            if path.suffix.lower() == ".csv" and not path.name.startswith(".") and path.is_file()
        }
    except FileNotFoundError:
        raise _no_register(folder, "there is no such folder; name the one with the files") from None
    except NotADirectoryError:
        raise _no_register(folder, "this is a file; name the folder that it is in") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _no_register(folder, f"it can't be read: {reason}") from None
    if not found:
        raise _no_register(
            folder,
            "there are no CSV files in it; a register has one for each event type, such as"
            " contribution_received.csv",
        )
    return found


def _no_register(folder: Path, reason: str) -> ImportRefused:
    return ImportRefused([Problem(file=str(folder), reason=reason)])


def _unknown_files(folder: Path, unknown: Iterable[str], sheets: Iterable[str]) -> Problem:
    listed = ", ".join(
        f"{plain(name)}{guess(name, sheets, ' ({})', nearness=0.9)}" for name in unknown
    )
    return Problem(
        file=str(folder),
        reason=f"no event of this ledger goes by the name of {listed}; rename what is misspelt, or"
        " name the files to take with --only",
    )


def _wrongly_named(
    names: Iterable[str], found: Mapping[str, _File], sheets: Mapping[str, Sheet]
) -> Iterator[Problem]:
    for name in names:
        if name not in sheets:
            reason = f"--only names no file of events that this ledger knows{guess(name, sheets)}"
            yield Problem(file=name, reason=reason)
        elif name not in found:
            yield Problem(file=name, reason="--only names it, and it is not in the folder")


def _taken_twice(row: TakenTwice) -> Problem:
    """That two rows would have the same idempotency key."""
    reason = f"line {row.first} is row {row.place} of this event and record already"
    return Problem(
        file=row.sheet.file,
        line=row.line,
        column="ordinal",
        value=None if row.ordinal is None else str(row.ordinal),
        reason=f"{reason}; number them anew",
    )


def _idempotency_key(row: RegisterRow, place: int) -> str:
    """The key of a row, given which one it is; the module says how keys are made."""
    aim = ""
    if row.corrects is not None:
        aim = f":corrects:{row.corrects}"
    elif row.annuls is not None:
        aim = f":annuls:{row.annuls}"
    return f"import:{row.sheet.event.stored_as}:{row.key}{aim}:{place}"


# ---------------------------------------------------------------- recording


@uncollected()
def record_register(
    ledger: Ledger,
    register: Register,
    *,
    dry_run: bool = False,
    progress: Progress = _silent,
) -> Outcome:
    """Record all rows of a register, or raise `ImportRefused` with every refusal.

    With `dry_run` everything is done but the keeping. `progress` counts rows.
    """
    rows = register.rows
    submitted = ledger.submit_many(
        _Proposals(rows),
        dry_run=dry_run,
        progress=lambda count: progress(count, len(rows)),
    )
    try:
        repeated = submitted.result()
    except SetRefused as refused:
        problems = [
            _problem_of(rows[index], refusal, ledger) for index, refusal in refused.refusals
        ]
        raise ImportRefused(problems, refused.left_out) from None
    return _outcome(register, repeated)


class _Proposals:
    """What the rows propose, made as it is asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Proposal]:
        return (row.proposal for row in self._rows)


def _outcome(register: Register, repeated: Sequence[bool]) -> Outcome:
    counted = Counter(zip(register.rows.files(), repeated, strict=True))
    files = {
        name: FileOutcome(counted[name, False], counted[name, True]) for name in register.files
    }
    return Outcome(
        recorded=sum(outcome.recorded for outcome in files.values()),
        repeated=sum(outcome.repeated for outcome in files.values()),
        files=files,
    )


def _problem_of(row: Row, refusal: Refused, ledger: Ledger) -> Problem:
    """The ledger's refusal of a row, as a problem of the cell at fault or else of its key."""
    kind = ledger.registry.kind(row.proposal.kind)
    naming = kind.key_fields or (kind.key_column,)
    cells = _cells_of(row.proposal) | dict(zip(naming, row.key_cells, strict=True))
    at_fault = refusal.field if refusal.field in cells else None
    column = at_fault or naming[0]
    value = cells[column]
    reason = behind(column, value, refusal.message)
    if isinstance(refusal, KeyReused):
        reason = (
            "this row was imported before, with other content, and an entry never changes: put it"
            " back as it was, with a label, and correct it by another row whose column corrects"
            " names the label; a row that is new goes below those of its record, or says in a"
            " column ordinal which of them it is (2, 3 …)"
        )
    name = f"{kind.name} {row.proposal.key!r}"
    if kind.key_fields and at_fault is None and name not in reason:
        # No single cell holds the key that the refusal is about.
        reason = f"{name}: {reason}"
    return Problem(file=row.file, line=row.line, column=column, value=value, reason=reason)


def _cells_of(proposal: Proposal) -> dict[str, str | None]:
    """What a row's cells held, by column, the key aside; None for what was empty or is personal."""
    statement, source = proposal.statement, proposal.statement.source
    cells = {
        "effective": statement.effective,
        "effective_text": statement.effective_text,
        "recorded_on": proposal.recorded_as,
        "source": source and source.document,
        "locator": source and source.locator,
        "evidence_sha256": source and source.sha256,
        "basis": statement.basis,
        "note": statement.note,
        "reason": statement.reason,
        "label": proposal.label,
        "corrects": proposal.corrects,
        "annuls": proposal.annuls,
    }
    event = statement.event
    if event is not None:
        for field in fields_of(type(event)):
            cells[field.name] = None if field.personal else getattr(event, field.name)
    return {column: _written(value) for column, value in cells.items()}


def _written(value: Any) -> str | None:
    """The text of a value as a register writes it."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case Edtf():
            return value.text
        case Decimal():
            return format(value, "f")
    return str(value)
