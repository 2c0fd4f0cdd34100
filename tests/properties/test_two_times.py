"""The timelines and their tables held against the naive definition, for every kind of record.

SECRETARIAT_EXAMPLES=50 runs fifty times as many examples, other ones each time; without it they are
few and always the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import hypothesis
import psycopg
from hypothesis import Phase, assume, example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier

from ledger import settings
from ledger.admission import Answer
from ledger.database import AnyConnection, connect
from ledger.entry import Entry
from ledger.kind import Kind, references_of
from ledger.record import Ledger, SetRefused
from ledger.timeline import steps
from migrations import migrate
from projections import REGISTRY, TABLES
from projections.contributions import CONTRIBUTIONS, MEASURES, TOTALS
from projections.rebuild import rebuild
from projections.timeline import KNOWN, SCHEMA, Known, Projector, rows_known
from tests.conftest import fresh_database
from tests.properties import naive
from tests.properties.asking import (
    EVERY_TABLE,
    AnyTable,
    Candidate,
    Definition,
    asked,
    conditions,
    draw_entries,
    is_certain,
    is_possible,
    low_and_high,
    numbers,
    rows_of,
)
from tests.properties.playing import (
    ZONE,
    Move,
    Plan,
    Played,
    fact,
    foundations,
    proposal,
    proposed_fact,
)
from tests.properties.records import (
    founded_keys,
    of_record,
    plain_event,
    plain_event_of,
    refusal,
    tried_keys,
)
from tests.properties.strategies import examples, plans

ALL_KINDS = [table.kind for table in TABLES]
WORLD = [(kind, key) for kind in ALL_KINDS for key in (*founded_keys(kind), *tried_keys(kind))]
"""Records of every kind, both those that are referred to and those that refer to them."""


# ---------------------------------------------------------------- in memory


@EVERY_TABLE
@examples(20)
@given(data=st.data())
def test_the_rows_are_the_possible_prefixes(table: AnyTable, data: st.DataObject) -> None:
    entries = draw_entries(data, table)
    assume(entries)
    rows = rows_of(table, entries)
    definition = Definition(table, entries)

    # One position more at each end, where the ledger knew nothing yet, and nothing more.
    for position in range(entries[0].position - 1, entries[-1].position + 2):
        for day in definition.days(position, rows):
            found = asked(rows, day, position)
            assert found == definition.candidates(day, position), (day, position)


@EVERY_TABLE
@examples(15)
@given(data=st.data())
def test_conditions_are_certain_or_possible(table: AnyTable, data: st.DataObject) -> None:
    entries = draw_entries(data, table)
    assume(entries)
    rows = rows_of(table, entries)
    definition = Definition(table, entries)
    position = data.draw(st.sampled_from([entry.position for entry in entries]))
    condition = data.draw(conditions(table, [known.span.row for known in rows]))
    number = data.draw(numbers(table))

    def of_prefix(prefix: naive.Prefix) -> bool:
        return condition(definition.row(prefix, position))

    def number_of_prefix(prefix: naive.Prefix) -> Decimal:
        return number(definition.row(prefix, position)) if prefix else Decimal(0)

    for day in definition.days(position, rows):
        found, facts = asked(rows, day, position), definition.facts
        certain = naive.is_certain(facts, day, position, of_prefix)
        possible = naive.is_possible(facts, day, position, of_prefix)
        assert is_certain(found, condition) == certain, day
        assert is_possible(found, condition) == possible, day
        low_high = naive.low_and_high(facts, day, position, number_of_prefix)
        assert low_and_high(found, number) == low_high, day


@EVERY_TABLE
@examples(10)
@given(data=st.data())
def test_rows_are_the_same_in_whatever_portions_they_were_written(
    table: AnyTable, data: st.DataObject
) -> None:
    entries = draw_entries(data, table)
    rows: list[Known[Any]] = []
    taken = 0
    while taken < len(entries):
        portion = data.draw(st.integers(1, len(entries) - taken))
        added = entries[taken : taken + portion]
        closed, opened = rows_known(table, entries[:taken], added, ZONE)
        rows = [_closed(known, dict(closed)) for known in rows] + opened
        taken += portion

    assert sorted(rows, key=_place) == sorted(rows_of(table, entries), key=_place)


def _closed(known: Known[Any], ends: dict[int, int]) -> Known[Any]:
    if known.until is not None or known.span.step not in ends:
        return known
    return Known(known.span, known.since, ends[known.span.step])


def _place(known: Known[Any]) -> tuple[int, int]:
    return known.since, known.span.step


@EVERY_TABLE
@examples(20)
@given(data=st.data())
def test_what_is_admitted_can_be_replayed_and_nothing_else_is(
    table: AnyTable, data: st.DataObject
) -> None:
    kind, key = table.kind, data.draw(st.sampled_from(tried_keys(table.kind)))
    played = Played()
    for move in data.draw(plans([(kind, key)])):
        before = [fact(entry) for entry in played.record(kind, key)]
        proposed = proposed_fact(move, played.recorded, len(played.entries) + 1)
        entry = played.play(move)
        if (move.kind, move.key) == (kind.name, key):
            is_its_own = move.event is None or move.event == of_record(move.event, kind, key)
            may_follow = proposed is not None and naive.may_be_recorded(proposed, before)
            expected = is_its_own and may_follow
            assert (entry is not None) == expected, (move, played.refused[-1:])


@EVERY_TABLE
@examples(12)
@given(data=st.data())
def test_of_a_chain_of_corrections_one_at_the_most_is_live(
    table: AnyTable, data: st.DataObject
) -> None:
    entries = draw_entries(data, table)

    for known in range(1, len(entries) + 1):
        roots = [step.root for step in steps(entries[:known], ZONE)]
        assert len(roots) == len(set(roots)), entries[known - 1]


@examples(40)
@given(plan=plans(WORLD, fewest=20, most=40))
def test_what_an_entry_refers_to_is_on_record_at_every_position(plan: Plan) -> None:
    played = Played()
    for move in plan:
        played.play(move)
        histories = played.batch.histories
        for name, history in histories.items():
            for reference in history.references():
                assert histories[reference.kind, reference.key].is_open, (name, reference, move)


@EVERY_TABLE
def test_nothing_comes_back_beside_what_took_its_place(table: AnyTable) -> None:
    kind = table.kind
    key = tried_keys(kind)[0]
    opening = _opened(kind)
    assert opening.event is not None, "an opening is an event"
    opened = opening.event.apply_to(None)
    for event_class in kind.events:
        event = plain_event_of(event_class, kind, key, None)
        is_first = refusal(event, None) is None
        begun = [*foundations([kind]), *([] if is_first else [opening])]
        first = len(begun)
        if not is_first:
            event = plain_event_of(event_class, kind, key, opened)
        stated = replace(opening, event=event)
        annulled = replace(opening, event=None, effective=None)
        corrected, taken_back = replace(stated, aim=first), replace(annulled, aim=first + 1)
        corrected_anew, brought_back = corrected, replace(annulled, aim=first + 2)

        recorded = Played.of(
            [*begun, stated, corrected, taken_back, corrected_anew, brought_back]
        ).recorded

        # Not every plain event may follow a plain opening.
        if recorded[first] is not None:
            assert None not in recorded[:-1], event_class
            assert recorded[-1] is None, event_class


def _opened(kind: Kind) -> Move:
    """The opening of a record of `kind`, the first of those that are tried."""
    key = tried_keys(kind)[0]
    return Move(kind=kind.name, key=key, event=plain_event(kind, key), effective="2002")


def brought_back_without_ground() -> Plan:
    """A record of each kind, annulled; all that they refer to, annulled; and each restored."""
    laid = foundations(ALL_KINDS)
    opened = [_opened(kind) for kind in ALL_KINDS]
    begun = [*laid, *opened]
    # What refers to others goes first.
    annulments = [
        replace(begun[aim], event=None, effective=None, aim=aim)
        for aim in reversed(range(len(begun)))
    ]
    restored = [
        replace(annulment, aim=len(begun) + number)
        for number, annulment in enumerate(annulments[: len(opened)])
    ]
    return [*begun, *annulments, *restored]


def test_nothing_comes_back_without_what_it_refers_to() -> None:
    played = Played.of(brought_back_without_ground())
    before, restored = played.recorded[: -len(ALL_KINDS)], played.recorded[-len(ALL_KINDS) :]

    assert None not in before
    for kind, entry in zip(reversed(ALL_KINDS), restored, strict=True):
        opening = _opened(kind).event
        refers = opening is not None and any(references_of(opening))
        assert (entry is None) == refers, (kind.name, played.refused)


# ---------------------------------------------------------------- in a database


# Not shrunk, as that would take a new database for each of a thousand tries.
@hypothesis.settings(examples(3), phases=[Phase.explicit, Phase.generate])
@example(plan=brought_back_without_ground())
@given(plan=plans(WORLD, fewest=60, most=110))
def test_a_database_answers_as_the_definition_does_and_is_rebuilt_alike(
    server_url: str, migrated_template: str, plan: Plan
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, recorded),
        psycopg.connect(url) as connection,
    ):
        in_memory = Played.of(plan).recorded
        assert [entry and entry.position for entry in recorded] == [
            entry and entry.position for entry in in_memory
        ]
        entries = [entry for entry in recorded if entry is not None]
        for table in TABLES:
            of_table = [entry for entry in entries if entry.kind == table.kind.name]
            for key in {entry.key for entry in of_table}:
                record = [entry for entry in of_table if entry.key == key]
                _compare(connection, table, key, record)
        _compare_totals(connection, [e for e in entries if e.kind == CONTRIBUTIONS.kind.name])
        live = [_all_rows(connection, table) for table in TABLES]
        connection.commit()
        rebuild(url, TABLES)
        assert [_all_rows(connection, table) for table in TABLES] == live


@contextmanager
def recorded_in_a_database(
    server_url: str, template: str, plan: Plan
) -> Iterator[tuple[str, list[Entry | None]]]:
    """A database in which `plan` was proposed, and what became of each move."""
    name = conninfo_to_dict(template)["dbname"]
    with fresh_database(server_url, template=str(name)) as url:
        migrate(url)
        with psycopg.connect(url) as connection:
            settings.initialise(connection, name="Tried", home_zone=ZONE.name)
        with Ledger(lambda: connect(url), REGISTRY, ZONE, Projector(TABLES, ZONE)) as ledger:
            recorded = _record(ledger, plan)
        yield url, recorded


def _record(ledger: Ledger, plan: Plan) -> list[Entry | None]:
    """Propose each move; those that need not know what became of the last ones, together."""
    recorded: list[Entry | None] = []
    waiting: list[Future[list[Answer]]] = []
    for move in plan:
        if move.aim is not None and move.aim >= len(recorded):
            recorded += (_outcome(future) for future in waiting)
            waiting = []
        waiting.append(ledger.submit([proposal(move, recorded)]))
    return [*recorded, *(_outcome(future) for future in waiting)]


def _outcome(future: Future[list[Answer]]) -> Entry | None:
    try:
        return future.result()[0].entry
    except SetRefused:
        return None


def _compare(connection: AnyConnection, table: AnyTable, key: str, entries: list[Entry]) -> None:
    """Ask for a record on every day that matters at every position, and hold it to the oracle."""
    definition = Definition(table, entries)
    points = [
        (day, entry.position)
        for entry in entries
        for day in definition.days(entry.position, rows_of(table, entries))
    ]
    found: dict[tuple[date, int], list[Candidate]] = {point: [] for point in points}
    days, positions = [day for day, _ in points], [position for _, position in points]
    for day, asked_at, *candidate in connection.execute(
        _as_of_statement(table), [days, positions, key]
    ):
        step, position, holds, *row = candidate
        found[day, asked_at].append(Candidate(step, position, holds, row))
    for (day, position), candidates in found.items():
        expected = [
            candidate._replace(row=[getattr(candidate.row, name) for name in table.names()])
            for candidate in definition.candidates(day, position)
        ]
        assert candidates == expected, (table.name, key, day, position)


def _as_of_statement(table: AnyTable) -> Composed:
    """A record's candidates on many days, each at a position, as section 5 of the design says."""
    return SQL(
        "SELECT asked.day, asked.at, step, position, effective @> asked.day, {columns}"
        "  FROM unnest(%s::date[], %s::bigint[]) AS asked (day, at)"
        "  JOIN {table} ON known @> asked.at AND possible @> asked.day"
        " WHERE key = %s ORDER BY step"
    ).format(
        columns=SQL(", ").join(map(Identifier, table.names())),
        table=Identifier(SCHEMA, table.name),
    )


def _compare_totals(connection: AnyConnection, entries: list[Entry]) -> None:
    """Hold the least and greatest sums of contributions to those of the oracle, record by record.

    What a record may have been in does not depend on another, so the sums may be added up.
    """
    keys = sorted({entry.key for entry in entries})
    records = [
        Definition(CONTRIBUTIONS, [entry for entry in entries if entry.key == key]) for key in keys
    ]
    cursor = connection.cursor(row_factory=dict_row)
    asked_of = dict.fromkeys(("keys", "states", "accounts", "currencies", "years"))
    ungrouped = dict.fromkeys(("by_state", "by_account", "by_fiscal_year"), False)
    wants = {f"wants_{name}": True for name in MEASURES}
    for entry in entries[-1:]:
        for day in sorted({day for one in records for day in one.days(entry.position, ())}):
            point = {"day": day, "position": entry.position}
            found = cursor.execute(
                TOTALS.replace("{known}", KNOWN), {**asked_of, **ungrouped, **wants, **point}
            ).fetchall()
            totals = {row["currency"]: (row["net_low"], row["net_high"]) for row in found}
            for currency in ("USD", "KZT"):
                expected = _sum_of_nets(records, currency, day, entry.position)
                assert totals.get(currency, (0, 0)) == expected, (currency, day)


def _sum_of_nets(
    records: list[Definition], currency: str, day: date, position: int
) -> tuple[Decimal, Decimal]:
    low = high = Decimal(0)
    for record in records:

        def net(prefix: naive.Prefix, record: Definition = record) -> Decimal:
            row = record.row(prefix, position)
            return row.net if row is not None and row.currency == currency else Decimal(0)

        least, greatest = naive.low_and_high(record.facts, day, position, net)
        low, high = low + least, high + greatest
    return low, high


def _all_rows(connection: AnyConnection, table: AnyTable) -> list[tuple[Any, ...]]:
    statement = SQL("SELECT row::text FROM {} AS row ORDER BY 1")
    return connection.execute(statement.format(Identifier(SCHEMA, table.name))).fetchall()
