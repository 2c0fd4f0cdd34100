"""The two-time table: a read model with a row for each state of each record, and three ranges.

`known` are the positions during which the row was what the ledger knew; `effective` the days on
which it holds on the cautious reading; `possible` the days on which it may hold. "As of (E, P)" is
`known @> P AND effective @> E`; a record's candidates on E are its rows with `possible @> E`.

The fold is pure: a record's entries go in, rows come out. Recording and rebuilding both write what
`rows_known` gives, so the two can't differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

from psycopg.sql import SQL, Identifier

from ledger.arrays import bigints, columns, texts
from ledger.dates import HomeZone
from ledger.entry import Entry
from ledger.kind import Kind
from ledger.timeline import Growth, RecordChange, Step, grown, steps
from ledger.trip import Asked

R = TypeVar("R")

SCHEMA = "projections"

RULES = "1"
"""The version of the folds and figures: raised by whoever changes what they give."""

# A plan for all points doesn't see the one that is asked for, and takes a range that contains an
# unknown point for one row in 200. It takes a `coalesce` for one in two, which is nearer.
KNOWN = "coalesce(known @> %(position)s::int8, false)"
"""The rows of a two-time table that were known at the position: `{known}` in kinds' statements."""

KNOWN_EARLY = f"lower(known) <= %(position)s::int8 AND {KNOWN}"
"""The same rows, found by when they became known: for a position before which lies little."""

RANGES = ("known", "effective", "possible")
OWN_COLUMNS = ("key", "step", "position", *RANGES)
"""The columns of every two-time table, before the columns of its row.

`step` counts the steps folded into a row; `position` is that of the last entry folded.
"""

_OWN_TYPES = ("text", "int8", "int8", "int8range", "daterange", "daterange")
_TYPES: dict[Any, str] = {
    str: "text",
    int: "int8",
    bool: "bool",
    Decimal: "numeric",
    date: "date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[R]):
    """A two-time table: its name, the dataclass of its columns, and the fold that fills it.

    `fold(row, step)` gives the row after `step`; `row` is None before the opening. It must not
    fail, and may read nothing but its arguments.
    """

    name: str
    kind: Kind
    row: type[R]
    fold: Callable[[R | None, Step], R]

    def columns(self) -> dict[str, str]:
        """The names and SQL types of all columns, in order."""
        hints = get_type_hints(self.row)
        own = dict(zip(OWN_COLUMNS, _OWN_TYPES, strict=True))
        return own | {name: _sql_type(hints[name]) for name in self.names()}

    def names(self) -> tuple[str, ...]:
        """The names of the row's own columns."""
        row: Any = self.row
        return _names(row)


@cache
def _names(row: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row))


@cache
def _getter(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these attributes of a row."""
    if len(names) > 1:
        return attrgetter(*names)
    [name] = names
    return lambda row: (getattr(row, name),)


class Span(NamedTuple, Generic[R]):
    """A row and the days on which it holds, and may hold; an `until` of None is for ever.

    `since` and `until` bound the cautious reading, `possible_since` and `until` the possible one.
    """

    step: int
    position: int
    since: date
    possible_since: date
    until: date | None
    row: R


class Known(NamedTuple, Generic[R]):
    """A span, and the positions from which and until which the ledger knew it."""

    span: Span[R]
    since: int
    until: int | None = None


class _Rows(Generic[R]):
    """The rows of a record as its entries come in, one folded row a step."""

    def __init__(self, table: Table[R], before: Sequence[Step]) -> None:
        self._fold = table.fold
        self._steps = list(before)
        self._folded: list[R] = []
        self._refold(0)

    def spans(self, first: int = 1) -> Iterator[Span[R]]:
        """The spans from the step `first` on, but for those that hold on no day, on any reading."""
        for index in range(first - 1, len(self._steps)):
            step = self._steps[index]
            until = self._steps[index + 1].latest if index + 1 < len(self._steps) else None
            if until is None or step.possible_from < until:
                row = self._folded[index]
                yield Span(
                    index + 1, step.entry.position, step.latest, step.possible_from, until, row
                )

    def grow(self, growth: Growth) -> range:
        """Take an entry in, and return the steps, as they were numbered, that it may change.

        The first of them is the one before those that did change: it ends where the next begins.
        """
        count = len(self._steps)
        self._steps[growth.kept :] = growth.tail
        self._refold(growth.kept)
        return range(max(growth.kept, 1), count + 1)

    def _refold(self, kept: int) -> None:
        del self._folded[kept:]
        for step in self._steps[kept:]:
            self._folded.append(self._fold(self._folded[-1] if self._folded else None, step))


def rows_known(
    table: Table[R], before: Sequence[Entry], added: Iterable[Entry], zone: HomeZone
) -> tuple[list[tuple[int, int]], list[Known[R]]]:
    """What `added` changes: the steps to close, each with the position of its end, and new rows.

    `before` are the record's entries that the table has taken in already.
    """
    happened = steps(before, zone)
    return rows_grown(table, happened, grown(happened, before, added, zone))


def rows_grown(
    table: Table[R], before: Sequence[Step], growths: Iterable[Growth]
) -> tuple[list[tuple[int, int]], list[Known[R]]]:
    """The same, given what the entries do to the steps `before`, as whoever admitted them knows."""
    rows = _Rows(table, before)
    current = {span.step: Known(span, 0) for span in rows.spans()}
    closed: list[tuple[int, int]] = []
    opened: list[Known[R]] = []
    for growth in growths:
        entry, changed = growth.entry, rows.grow(growth)
        after = {span.step: span for span in rows.spans(changed.start)}
        for step in changed:
            known = current.get(step)
            if known is None:
                continue
            if after.get(step) == known.span:
                del after[step]
                continue
            del current[step]
            if known.since == 0:
                closed.append((step, entry.position))
            else:
                opened.append(Known(known.span, known.since, entry.position))
        current |= {step: Known(span, entry.position) for step, span in after.items()}
    opened += (known for known in current.values() if known.since > 0)
    return closed, sorted(opened, key=lambda known: (known.since, known.span.step))


def written(table: Table[R], rows: Sequence[tuple[str, Known[R]]]) -> list[list[str | None]]:
    """The columns of rows, each with its record's key, as texts that PostgreSQL reads them from."""
    spans = [known.span for _, known in rows]
    own: list[list[str | None]] = [
        [key for key, _ in rows],
        [str(span.step) for span in spans],
        [str(span.position) for span in spans],
        [_range(known.since, known.until) for _, known in rows],
        [_range(span.since, span.until) for span in spans],
        [_range(span.possible_since, span.until) for span in spans],
    ]
    columns = zip(*map(_getter(*table.names()), (span.row for span in spans)), strict=True)
    row: Any = table.row
    return own + [
        list(column) if write is None else [None if it is None else write(it) for it in column]
        for write, column in zip(_writers(row), columns, strict=bool(rows))
    ]


@cache
def _writers(row: Any) -> tuple[Callable[[Any], str] | None, ...]:
    """What makes the text of a value, for each of the row's columns; None where it is one."""
    hints = get_type_hints(row)
    return tuple(_writer(_plain_type(hints[name])) for name in _names(row))


def _writer(type_: Any) -> Callable[[Any], str] | None:
    if type_ is str:
        return None
    return "{:f}".format if type_ is Decimal else str


class Projector:
    """Keeps every two-time table in step with the ledger, inside its transactions.

    `rules` is the version of the folds, which the tables must have been filled by.
    """

    def __init__(self, tables: Iterable[Table[Any]], zone: HomeZone, rules: str = RULES) -> None:
        self.rules = rules
        self._tables = {table.kind.name: table for table in tables}
        self._zone = zone
        self._statements = {
            table.name: (_close_statement(table), _insert_statement(table))
            for table in self._tables.values()
        }

    def project(self, changes: Sequence[RecordChange]) -> list[Asked]:
        """What writes to the tables what `changes` do: two statements a table, at the most."""
        by_kind: dict[str, list[RecordChange]] = defaultdict(list)
        for change in changes:
            by_kind[change.kind].append(change)
        return [
            asked
            for kind, table in self._tables.items()
            if kind in by_kind
            for asked in self._changed(table, by_kind[kind])
        ]

    def _changed(self, table: Table[Any], changes: Sequence[RecordChange]) -> Iterator[Asked]:
        close, insert = self._statements[table.name]
        closing: list[tuple[str, int, int]] = []
        rows: list[tuple[str, Known[Any]]] = []
        for change in changes:
            closed, opened = rows_grown(table, change.before, change.growth)
            closing += [(change.key, step, position) for step, position in closed]
            rows += [(change.key, known) for known in opened]
        if closing:
            yield close, columns(closing, texts, bigints, bigints)
        if rows:
            yield insert, [texts(column) for column in written(table, rows)]


def _insert_statement(table: Table[Any]) -> str:
    """Inserts rows given as one array of texts a column, in the order of `Table.columns`."""
    arrays = [SQL("%s::text[]::{}[]").format(Identifier(kind)) for kind in table.columns().values()]
    statement = SQL("INSERT INTO {} ({}) SELECT * FROM unnest({})").format(
        Identifier(SCHEMA, table.name),
        SQL(", ").join(map(Identifier, table.columns())),
        SQL(", ").join(arrays),
    )
    return statement.as_string()


def _close_statement(table: Table[Any]) -> str:
    """Ends the rows that are no longer what the ledger knows; nothing else of a row changes."""
    statement = SQL(
        "UPDATE {table} AS row SET known = int8range(lower(known), closed.position)"
        " FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS closed (key, step, position)"
        " WHERE row.key = closed.key AND row.step = closed.step AND upper_inf(row.known)"
    ).format(table=Identifier(SCHEMA, table.name))
    return statement.as_string()


def _sql_type(hint: Any) -> str:
    type_ = _plain_type(hint)
    return _TYPES[str if issubclass(type_, str) else type_]


def _plain_type(hint: Any) -> Any:
    """The type of a column, which may be empty."""
    if isinstance(hint, UnionType):
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint


def _range(since: Any, until: Any) -> str:
    """A half-open range; empty if nothing lies between."""
    if until is None:
        return f"[{since},)"
    return f"[{since},{until})" if since < until else "empty"


def all_rows(table: Table[R], key: str, growths: Iterable[Growth]) -> list[tuple[str, Known[R]]]:
    """Every row that a record has, or had, in `table`, with its key: what a rebuild writes.

    `growths` are what all of the record's entries did to its steps.
    """
    _, opened = rows_grown(table, (), growths)
    return [(key, known) for known in opened]
