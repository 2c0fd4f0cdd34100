"""How the two-time tables are asked, and how the oracle answers in the same terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

from ledger.dates import parse_edtf
from ledger.entry import Entry
from ledger.timeline import Step
from projections import TABLES
from projections.timeline import Known, Span, Table, rows_known
from tests.properties import naive
from tests.properties.playing import ZONE, fact
from tests.properties.records import tried_keys
from tests.properties.strategies import histories

EVERY_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)

AnyTable = Table[Any]
Condition = Callable[[Any], bool]
Number = Callable[[Any], Decimal]


class Candidate(NamedTuple):
    """A row that may hold on a day; `holds` if it does on the cautious reading."""

    step: int
    position: int
    holds: bool
    row: Any


def asked(rows: Iterable[Known[Any]], day: date, position: int) -> list[Candidate]:
    """The candidates among a record's `rows`, in the order of the steps."""
    return [
        Candidate(span.step, span.position, span.since <= day, span.row)
        for span in known_at(rows, position)
        if span.possible_since <= day and (span.until is None or day < span.until)
    ]


def draw_entries(data: st.DataObject, table: AnyTable) -> list[Entry]:
    """The entries of a made-up record of a table's kind."""
    key = data.draw(st.sampled_from(tried_keys(table.kind)))
    return data.draw(histories([(table.kind, key)])).record(table.kind, key)


def rows_of(table: AnyTable, entries: Sequence[Entry]) -> list[Known[Any]]:
    """Every row that a record has, or had, in `table`."""
    closed, rows = rows_known(table, (), entries, ZONE)
    assert not closed, "there was nothing to close before the first entry"
    return rows


def known_at(rows: Iterable[Known[Any]], position: int) -> list[Span[Any]]:
    """What the ledger knew at `position`, in the order of the steps."""
    spans = [
        known.span
        for known in rows
        if known.since <= position and (known.until is None or position < known.until)
    ]
    return sorted(spans, key=lambda span: span.step)


def is_certain(candidates: Sequence[Candidate], condition: Condition) -> bool:
    """Whether every candidate satisfies the condition, and one holds on the cautious reading."""
    return any(c.holds for c in candidates) and all(condition(c.row) for c in candidates)


def is_possible(candidates: Sequence[Candidate], condition: Condition) -> bool:
    """Whether some candidate satisfies the condition."""
    return any(condition(candidate.row) for candidate in candidates)


def low_and_high(candidates: Sequence[Candidate], number: Number) -> tuple[Decimal, Decimal]:
    """The least and the greatest number; nothing, where the record may not exist."""
    numbers = [number(candidate.row) for candidate in candidates]
    if not any(candidate.holds for candidate in candidates):
        numbers.append(Decimal(0))
    return min(numbers), max(numbers)


# ---------------------------------------------------------------- the definition


class Definition:
    """What the oracle makes of a record's entries, in the terms of a table."""

    def __init__(self, table: AnyTable, entries: Sequence[Entry]) -> None:
        self._table = table
        self._entries = {entry.position: entry for entry in entries}
        self.facts = [fact(entry) for entry in entries]

    def candidates(self, day: date, position: int) -> list[Candidate]:
        """Every prefix that is possible and not empty, with the row that it folds to."""
        certainly = naive.cautious(self.facts, day, position)
        return [
            Candidate(
                len(prefix), prefix[-1].position, prefix == certainly, self.row(prefix, position)
            )
            for prefix in naive.possible_prefixes(self.facts, day, position)
            if prefix
        ]

    def row(self, prefix: naive.Prefix, position: int) -> Any:
        """The table's fold over a prefix; None over the empty one."""
        known = naive.known_by(self.facts, position)
        row: Any = None
        for length, happened in enumerate(prefix, 1):
            assert happened.event is not None, "annulments are in no prefix"
            earliest, latest = naive.bounds(happened, known)
            step = Step(
                entry=self._entries[happened.position],
                event=happened.event,
                effective=parse_edtf(naive.effective_text(happened, known)),
                root=naive.sorts_at(happened, known),
                earliest=earliest,
                latest=latest,
                possible_from=naive.possible_from(prefix[:length], known),
            )
            row = self._table.fold(row, step)
        return row

    def days(self, position: int, rows: Iterable[Known[Any]]) -> list[date]:
        """The days on which an answer may change, and those next to them."""
        known = naive.known_by(self.facts, position)
        bounds: list[date | None] = [*(fact.recorded_day for fact in known)]
        for happened in naive.happened(known):
            bounds += (*naive.bounds(happened, known), *naive.own_bounds(happened, known))
        for span in known_at(rows, position):
            bounds += (span.since, span.possible_since, span.until)
        return sorted({day for bound in bounds if bound is not None for day in _around(bound)})


def _around(day: date) -> Iterator[date]:
    for days in (-1, 0, 1):
        if date.min.toordinal() <= day.toordinal() + days <= date.max.toordinal():
            yield day + timedelta(days)


@st.composite
def conditions(draw: st.DrawFn, table: AnyTable, rows: Sequence[Any]) -> Condition:
    """A condition on the rows of a table, about a value that one of them has."""
    name = draw(st.sampled_from(table.names()))
    value = draw(st.sampled_from([getattr(row, name) for row in rows] or [None]))
    if draw(st.booleans()):
        return lambda row: bool(getattr(row, name) == value)
    if value is None or isinstance(value, bool):
        return lambda row: bool(getattr(row, name) != value)
    return lambda row: getattr(row, name) is not None and bool(getattr(row, name) <= value)


def amounts_of(table: AnyTable) -> list[str]:
    """The columns of a table that are sums of money, or parts of one."""
    return _numbers_of(table) if "currency" in table.names() else []


def _numbers_of(table: AnyTable) -> list[str]:
    return [name for name, kind in table.columns().items() if kind == "numeric"]


def numbers(table: AnyTable) -> st.SearchStrategy[Number]:
    """A number to be had from a row: an amount, a share, or 1, as in a count of records."""
    return st.sampled_from([None, *_numbers_of(table)]).map(
        lambda name: lambda row: Decimal(1 if name is None else getattr(row, name) or 0)
    )
