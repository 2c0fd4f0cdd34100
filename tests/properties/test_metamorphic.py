"""Changes to what is recorded that must change the answers in one known way, or not at all.

No definition is needed for these: one history is played twice, and the answers are compared.
SECRETARIAT_EXAMPLES works as in test_two_times.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.entry import Entry
from ledger.kind import Kind, fields_of, references_of
from projections import REGISTRY, TABLES
from projections.timeline import Known, Span
from tests.properties import naive
from tests.properties.asking import (
    EVERY_TABLE,
    AnyTable,
    amounts_of,
    asked,
    draw_entries,
    known_at,
    low_and_high,
    rows_of,
)
from tests.properties.playing import (
    Move,
    Plan,
    Played,
    fact,
    foundations,
    referred_to,
)
from tests.properties.records import changed, keys_of, tried_keys, values_of
from tests.properties.strategies import days, examples, histories, plans

TABLES_WITH_AMOUNTS = [table for table in TABLES if amounts_of(table)]
TRIED = [(kind, key) for kind in REGISTRY.kinds for key in tried_keys(kind)]
"""Records of every kind, none of which refers to another."""


def draw_plan(data: st.DataObject, kind: Kind) -> Plan:
    """A plan about two records of a kind, neither of which refers to the other."""
    return data.draw(plans([(kind, key) for key in tried_keys(kind)], fewest=6, most=16))


@EVERY_TABLE
@examples(8)
@given(data=st.data())
def test_renaming_keys_renames_them_in_the_answers(table: AnyTable, data: st.DataObject) -> None:
    plan = draw_plan(data, table.kind)
    kinds = [table.kind, *referred_to([table.kind])]
    names = {kind.name: _swapped(kind) for kind in kinds}
    before, after = Played.of(plan), Played.of([_renamed(move, names) for move in plan])
    columns = {
        field.name: names[field.refers_to]
        for event_class in table.kind.events
        for field in fields_of(event_class)
        if field.refers_to is not None
    }

    for key, new_key in _swapped(table.kind).items():
        found = rows_of(table, after.record(table.kind, new_key))
        rows = rows_of(table, before.record(table.kind, key))
        assert found == [
            _with_row(known, _renamed_row(known.span.row, columns, key, new_key)) for known in rows
        ]


def _swapped(kind: Kind) -> dict[str, str]:
    """New keys for old: both records that are referred to, and both that are tried, swap theirs.

    Keys that are made of others' keys follow these.
    """
    first, second, third, fourth = keys = keys_of(kind)
    if not kind.key_fields:
        return {first: second, second: first, third: fourth, fourth: third}
    return {key: _with_others_swapped(kind, key) for key in keys}


def _with_others_swapped(kind: Kind, key: str) -> str:
    """The natural key of the record in question when all records that it refers to swap theirs."""
    values: dict[str, str | None] = dict(values_of(kind, key))
    for part in kind.key_parts():
        value = values.get(part.name)
        if part.refers_to is not None and value is not None:
            values[part.name] = _swapped(REGISTRY.kind(part.refers_to))[value]
    return kind.natural_key(values)


def _renamed(move: Move, names: dict[str, dict[str, str]]) -> Move:
    key = names[move.kind][move.key]
    if move.event is None:
        return replace(move, key=key)
    references = {
        reference.field: names[reference.kind][reference.key]
        for reference in references_of(move.event)
    }
    return replace(move, key=key, event=changed(move.event, references))


def _renamed_row(row: Any, columns: dict[str, dict[str, str]], key: str, new_key: str) -> Any:
    """The row with its references renamed; a column made from the record's key follows it."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if field.name in columns and value is not None:
            changes[field.name] = columns[field.name][value]
        elif field.name not in columns and str(value) == key:
            changes[field.name] = type(value)(new_key)
    return replace(row, **changes)


def _with_row(known: Known[Any], row: Any) -> Known[Any]:
    return known._replace(span=known.span._replace(row=row))


@pytest.mark.parametrize("table", TABLES_WITH_AMOUNTS, ids=lambda table: table.name)
@examples(25)
@given(data=st.data(), factor=st.integers(2, 9).map(Decimal))
def test_scaling_amounts_scales_sums(table: AnyTable, data: st.DataObject, factor: Decimal) -> None:
    plan = draw_plan(data, table.kind)
    before, after = Played.of(plan), Played.of([_scaled(move, factor) for move in plan])
    amount = data.draw(st.sampled_from(amounts_of(table)))

    for day in data.draw(st.lists(days(), min_size=5, max_size=5)):
        low, high = _sum(table, before, amount, day)
        assert _sum(table, after, amount, day) == (low * factor, high * factor)


def _scaled(move: Move, factor: Decimal) -> Move:
    if move.event is None:
        return move
    amounts = {
        field.name: getattr(move.event, field.name)
        for field in fields_of(type(move.event))
        if field.type is Decimal
    }
    scaled = {name: value and value * factor for name, value in amounts.items()}
    return replace(move, event=changed(move.event, scaled))


def _sum(table: AnyTable, played: Played, amount: str, day: date) -> tuple[Decimal, Decimal]:
    """The least and the greatest sum of an amount over both records, as known in the end."""
    low = high = Decimal(0)
    for key in tried_keys(table.kind):
        rows = rows_of(table, played.record(table.kind, key))
        candidates = asked(rows, day, played.entries[-1].position)
        least, greatest = low_and_high(candidates, lambda row: getattr(row, amount) or Decimal(0))
        low, high = low + least, high + greatest
    return low, high


@EVERY_TABLE
@examples(8)
@given(data=st.data())
def test_later_entries_change_no_answer_as_of_before(table: AnyTable, data: st.DataObject) -> None:
    entries = draw_entries(data, table)
    rows = rows_of(table, entries)

    for count, entry in enumerate(entries, 1):
        then = rows_of(table, entries[:count])
        assert known_at(rows, entry.position) == known_at(then, entry.position)


@examples(25)
@given(plan=plans(TRIED, fewest=15, most=40))
def test_the_order_in_which_independent_records_are_recorded_makes_no_difference(
    plan: Plan,
) -> None:
    laid = len(foundations(REGISTRY.kinds))
    by_day = [replace(move, moment=move.moment.replace(hour=12, minute=0)) for move in plan]
    moves = range(laid, len(plan))
    order = [*range(laid), *sorted(moves, key=lambda i: (by_day[i].moment, by_day[i].key, i))]
    before, after = Played.of(by_day), Played.of(_reordered(by_day, order))

    assert len(before.refused) == len(after.refused)
    for table in TABLES:
        for key in tried_keys(table.kind):
            assert _at_the_end(table, before, key) == _at_the_end(table, after, key)


def _reordered(plan: Plan, order: list[int]) -> Plan:
    places = {old: new for new, old in enumerate(order)}
    moves = [plan[old] for old in order]
    return [move if move.aim is None else replace(move, aim=places[move.aim]) for move in moves]


def _at_the_end(table: AnyTable, played: Played, key: str) -> list[Span[Any]]:
    """What is known of a record in the end, entries going by their version."""
    entries = played.record(table.kind, key)
    versions = {entry.position: entry.version for entry in entries}
    newest = [known.span for known in rows_of(table, entries) if known.until is None]
    by_version = [span._replace(position=versions[span.position]) for span in newest]
    return sorted(by_version, key=lambda span: span.step)


@EVERY_TABLE
@examples(12)
@given(data=st.data())
def test_annulling_an_annulment_restores_what_was(table: AnyTable, data: st.DataObject) -> None:
    key = tried_keys(table.kind)[0]
    played = data.draw(histories([(table.kind, key)]))
    before = _at_the_end(table, played, key)
    facts = [fact(entry) for entry in played.record(table.kind, key)]
    live = [one.position for one in facts if naive.is_live(one, facts)]
    assume(live)
    annulled = data.draw(st.sampled_from(live))

    annulment = _annul(played, annulled)
    # What others stand on is not annulled.
    assume(annulment is not None)
    assert annulment is not None, "assumed"
    assert _annul(played, annulment.position) is not None, played.refused[-1]
    assert _at_the_end(table, played, key) == before


def _annul(played: Played, position: int) -> Entry | None:
    numbers = [entry and entry.position for entry in played.recorded]
    aim = numbers.index(position)
    return played.play(
        replace(played.plan[-1], key=played.plan[aim].key, event=None, effective=None, aim=aim)
    )
