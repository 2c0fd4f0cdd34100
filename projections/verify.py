"""Verifying: everything is read again, and held to what it must be by what is stored elsewhere.

The log is read twice in one snapshot: by position (ledger/soundness.py), and record by record in
the order of keys, side by side with the tables that follow from it. Both sides being in the same
order, each row that is missing, altered or too many shows, and memory holds one record at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from ledger import store
from ledger.admission import History
from ledger.codec import EntryMapper
from ledger.counts import counted
from ledger.database import AnyConnection, connect, one_line
from ledger.dates import HomeZone
from ledger.entry import Entry, record_id
from ledger.kind import Registry, references_of
from ledger.recorder import RAW_KIND
from ledger.refusal import Unusable
from ledger.soundness import Findings, Problem, check_history, check_log, read_head
from ledger.stream import streamed
from ledger.timeline import Step, grown, steps
from projections import rules
from projections.rebuild import locked
from projections.timeline import SCHEMA, Table, all_rows, written

MOST_GROUNDS = 65_536
"""Of so many records that others refer to, it is remembered when they began."""

Progress = Callable[[int, int], None]
"""Called with the number of entries read so far, and how often any will be read in all."""

# By bytes, whatever the database's own order of text is: Python compares text likewise.
LOG_BY_RECORD = f"""{store.SELECT_ENTRIES}
     WHERE kind <> %s
     ORDER BY kind COLLATE "C", entries.key COLLATE "C", version
"""

RECORDS = """
    SELECT kind, key, version, is_open FROM ledger.records
     ORDER BY kind COLLATE "C", key COLLATE "C"
"""

REFERENCES = """
    SELECT kind, key, to_kind, to_key FROM ledger.record_references
     ORDER BY kind COLLATE "C", key COLLATE "C", to_kind COLLATE "C", to_key COLLATE "C"
"""

Name = tuple[str, str]
"""A record's kind and key."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verifying found in a ledger of so many entries.

    `problems` lists the first ones; `errors` and `warnings` count them all.
    """

    entries: int
    problems: tuple[Problem, ...]
    errors: int
    warnings: int

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return self.errors == 0

    @property
    def summary(self) -> str:
        """One line on what was read and what was found."""
        found = f"{counted(self.errors, 'error')}, {counted(self.warnings, 'warning')}"
        left_out = self.errors + self.warnings - len(self.problems)
        listed = f" ({left_out:,} not listed)" if left_out else ""
        return f"{counted(self.entries, 'entry', 'entries')} verified: {found}{listed}"


def verify(
    url: str,
    registry: Registry,
    tables: Sequence[Table[Any]],
    zone: HomeZone,
    *,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Read everything in the ledger at `url` again and report what is wrong with it.

    `registry` has all the kinds there are, `tables` their two-time tables. Nothing is changed, and
    recording goes on meanwhile: all is seen as it was in one moment. `Unusable` if the database
    can't be used, or the read models are being rebuilt.
    """
    taken = "the read models are being rebuilt: wait until that ends"
    # The snapshot would not see the rows of tables that are swapped in after it was taken.
    with connect(url) as connection, locked(connection, taken, shared=True):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            with connection.transaction():
                findings = Findings()
                total = read_head(connection).position
                check_log(connection, zone.name, findings, lambda done: progress(done, 2 * total))
                records = _Records(connection, registry, tables, zone, findings)
                records.check(lambda done: progress(total + done, 2 * total))
        except psycopg.OperationalError as error:
            raise Unusable(f"verifying was cut short: {one_line(error)}; run it again") from error
    return Report(
        entries=total,
        problems=tuple(findings.problems),
        errors=findings.errors,
        warnings=findings.warnings,
    )


@dataclass(frozen=True, slots=True)
class _Ground:
    """What must be known of a record that another refers to; `began` is its earliest day."""

    first_position: int
    began: date | None


class _Derived:
    """A table that follows from the log, read side by side with it in the order of records.

    `identity` says of two rows that differ whether one is the other, altered. `where` names a row.
    What stands in a column of `withheld` is not repeated to whoever reads the report.
    """

    def __init__(
        self,
        rows: Iterator[Row],
        columns: Sequence[str],
        *,
        name_of: Callable[[Row], Name],
        identity: Callable[[Row], object],
        where: Callable[[Row], str],
        withheld: Collection[str] = (),
    ) -> None:
        self._columns = columns
        self._withheld = withheld
        self._identity = identity
        self._where = where
        self._groups = groupby(rows, key=name_of)
        self._next = next(self._groups, None)

    def check(self, name: Name, wanted: Sequence[Row] | None, findings: Findings) -> None:
        """Compare the rows of a record with those that the log gives; None if it can't be told.

        Records come in order; whatever the table has between them, the log does not have.
        """
        self._pass_over(name, findings)
        found: list[Row] = []
        if self._next is not None and self._next[0] == name:
            found = list(self._next[1])
            self._next = next(self._groups, None)
        if wanted is not None:
            self._compare(found, wanted, findings)

    def finish(self, findings: Findings) -> None:
        """Report what the table has after the log's last record."""
        self._pass_over(None, findings)

    def _pass_over(self, name: Name | None, findings: Findings) -> None:
        while self._next is not None and (name is None or self._next[0] < name):
            for row in self._next[1]:
                findings.error(self._where(row), "the log has no such record")
            self._next = next(self._groups, None)

    def _compare(self, found: Sequence[Row], wanted: Sequence[Row], findings: Findings) -> None:
        too_many: dict[object, list[Row]] = {}
        for row in (Counter(found) - Counter(wanted)).elements():
            too_many.setdefault(self._identity(row), []).append(row)
        for row in (Counter(wanted) - Counter(found)).elements():
            altered = too_many.get(self._identity(row))
            if not altered:
                findings.error(self._where(row), "is missing; the log gives it")
                continue
            for problem in self._differences(altered.pop(), row):
                findings.error(self._where(row), problem)
        for rows in too_many.values():
            for row in rows:
                findings.error(self._where(row), "the log does not give this row")

    def _differences(self, found: Row, wanted: Row) -> Iterator[str]:
        for column, is_, should in zip(self._columns, found, wanted, strict=True):
            if is_ != should and column in self._withheld:
                yield f"{column} is not what the log gives"
            elif is_ != should:
                yield f"{column} is {is_!r}, and the log gives {should!r}"


class _Records:
    """Checks the log record by record, and the tables that follow from it."""

    def __init__(
        self,
        connection: AnyConnection,
        registry: Registry,
        tables: Sequence[Table[Any]],
        zone: HomeZone,
        findings: Findings,
    ) -> None:
        self._connection = connection
        self._tables = {table.kind.name: table for table in tables}
        self._registry = registry
        self._mapper = EntryMapper(self._registry)
        self._zone = zone
        self._findings = findings
        self._ground = lru_cache(maxsize=MOST_GROUNDS)(self._read_ground)
        self._records = _records(connection)
        self._references = _references(connection)
        self._read_models: Mapping[str, _Derived] = {}

    def check(self, progress: Callable[[int], None]) -> None:
        """Check every record; `progress` is called with the number of entries read."""
        difference = rules.difference(self._connection)
        if difference is None:
            self._read_models = {
                kind: _read_model(self._connection, table) for kind, table in self._tables.items()
            }
        else:
            self._findings.error(
                "projections.rules", f"{difference}, so they were not compared with the log"
            )
        rows = streamed(self._connection, "log_by_record", LOG_BY_RECORD, [RAW_KIND])
        done = 0
        for name, theirs in groupby(rows, key=lambda row: (row[5], row[6])):
            entries = list(theirs)
            self._check_record(name, entries)
            done += len(entries)
            progress(done)
        for derived in (self._records, self._references, *self._read_models.values()):
            derived.finish(self._findings)

    def _check_record(self, name: Name, rows: Sequence[Row]) -> None:
        history = self._history(name, rows)
        model = self._read_models.get(name[0])
        if history is None:
            self._records.check(name, None, self._findings)
            self._references.check(name, None, self._findings)
        else:
            references = {(*name, r.kind, r.key) for r in history.references()}
            record = (*name, history.version, history.is_open)
            self._records.check(name, [record], self._findings)
            self._references.check(name, sorted(references), self._findings)
            for step in history.steps:
                self._check_step(step, history.steps[0])
        if model is not None:
            model.check(name, self._rows(name, history), self._findings)

    def _history(self, name: Name, rows: Sequence[Row]) -> History | None:
        """The record's history; None, and an error, if there is no reading it."""
        entries: list[Entry] = []
        for row in rows:
            try:
                entries.append(store.entry_of(row, self._mapper))
            except Exception as error:  # noqa: BLE001  # Forged bytes may raise anything.
                self._findings.error(
                    f"entry {row[0]}", f"its data can't be read: {one_line(error)}"
                )
        if len(entries) < len(rows):
            return None
        for entry, problem in check_history(entries, self._registry):
            self._findings.error(f"entry {entry.position}", problem)
        try:
            kind = self._registry.kind(name[0])
            return History.of(kind, name[1], entries, self._zone)
        except Exception as error:  # noqa: BLE001  # A history with a gap may raise anything.
            self._findings.error(_called(name), f"has no timeline: {one_line(error)}")
            return None

    def _rows(self, name: Name, history: History | None) -> list[Row] | None:
        """The rows of the read model, as text; None, and perhaps an error, if there is no fold."""
        if history is None:
            return None
        table = self._tables[name[0]]
        types = tuple(table.columns().values())
        try:
            growths = grown((), (), history.entries, self._zone)
            rows = list(zip(*written(table, all_rows(table, name[1], growths)), strict=True))
        except Exception as error:  # noqa: BLE001  # A history with a gap may raise anything.
            self._findings.error(_called(name), f"can't be folded: {one_line(error)}")
            return None
        return [tuple(map(_as_text, row, types)) for row in rows]

    def _check_step(self, step: Step, first: Step) -> None:
        """Whether what a step refers to was there, and whether its date is one to look at."""
        where = f"entry {step.entry.position}"
        for reference in references_of(step.event):
            ground = self._ground(reference.kind, reference.key)
            called = _called((reference.kind, reference.key))
            if ground is None:
                self._findings.error(where, f"refers to {called}, which is not on record")
            elif ground.first_position > step.entry.position:
                self._findings.error(
                    where, f"refers to {called}, recorded later, in entry {ground.first_position}"
                )
            elif ground.began is not None and ground.began > step.latest:
                self._findings.warning(
                    where,
                    f"refers to {called}, which began on {ground.began} at the earliest; this"
                    f" happened by {step.latest}",
                )
        # The bounds of an opening are lowered to what follows it, so what it states counts.
        began = first.effective.earliest
        if first.event.is_opening and step is not first and step.latest < began:
            self._findings.warning(
                where,
                f"happened by {step.latest}, and its record began on {began} at the earliest"
                f" (entry {first.entry.position})",
            )

    def _read_ground(self, kind: str, key: str) -> _Ground | None:
        """What is known of a record that another refers to; None if it is not on record."""
        cursor = self._connection.cursor()
        try:
            found = store.entries(cursor, self._mapper, store.HISTORIES, [record_id(kind, key)])
            happened = steps(found, self._zone)
        except Exception:  # noqa: BLE001  # It is reported when the record itself is checked.
            return _Ground(0, None)
        return _Ground(found[0].position, happened[0].earliest) if happened else None


def _records(connection: AnyConnection) -> _Derived:
    return _Derived(
        streamed(connection, "records", RECORDS),
        ("kind", "key", "version", "is_open"),
        name_of=lambda row: (row[0], row[1]),
        identity=lambda row: row[:2],
        where=lambda row: f"ledger.records {_called(row)}",
    )


def _references(connection: AnyConnection) -> _Derived:
    return _Derived(
        streamed(connection, "record_references", REFERENCES),
        ("kind", "key", "to_kind", "to_key"),
        name_of=lambda row: (row[0], row[1]),
        identity=lambda row: row,
        where=lambda row: f"ledger.record_references {_called(row)} to {_called(row[2:])}",
    )


def _read_model(connection: AnyConnection, table: Table[Any]) -> _Derived:
    """The rows of a read model, as text; a row is told by its step and since when it is known."""
    columns = tuple(table.columns())
    is_personal = any(event.personal for event in table.kind.events)
    return _Derived(
        streamed(connection, f"{table.name}_rows", _select_rows(table)),
        columns,
        name_of=lambda row: (table.kind.name, row[0]),
        identity=lambda row: (row[1], str(row[3]).split(",", maxsplit=1)[0]),
        where=lambda row: (
            f"{SCHEMA}.{table.name} {row[0]}, step {row[1]} (entry {row[2]}), known {row[3]}"
        ),
        withheld=table.names() if is_personal else (),
    )


def _select_rows(table: Table[Any]) -> Composed:
    columns = [SQL("{}::text").format(Identifier(column)) for column in table.columns()]
    return SQL('SELECT {} FROM {} ORDER BY key COLLATE "C", lower(known), step').format(
        SQL(", ").join(columns), Identifier(SCHEMA, table.name)
    )


def _as_text(value: Any, sql_type: str) -> str | None:
    """A value as PostgreSQL writes it, given the text that it reads it from."""
    if value is None:
        return None
    return str(value).lower() if sql_type == "bool" else str(value)


def _called(name: Sequence[Any]) -> str:
    return f"{name[0]} {name[1]}"
