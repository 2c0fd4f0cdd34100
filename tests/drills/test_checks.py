"""The checks of the drills find what they are for, or a drill without findings says nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from drills import workload
from drills.checks import Told, check
from drills.harness import Failed
from drills.recorder import Notebook, record
from drills.workload import Turn
from projections.place import Place
from tests.ledger.recording import ZONE, log

TURNS = 8
"""So many has each thread: one of each sort, and one more."""

Lines = list[dict[str, Any]]


@pytest.fixture
def outcomes(database: str, tmp_path: Path) -> Iterator[Path]:
    """What a recorder wrote down that has recorded for a while."""
    path = tmp_path / "A.jsonl"
    notebook = Notebook(path)
    with Place(database).writer(ZONE) as ledger:
        ledger.submit(workload.grounds()).result()
        for number in range(TURNS):
            for thread in range(workload.THREADS):
                record(ledger, Turn("A", thread, number), notebook, states_only=False)
    yield path
    notebook.close()


def edited(path: Path, edit: Callable[[Lines], None]) -> None:
    """Edit what was written down."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    edit(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def of_thread(lines: Lines, thread: int) -> Lines:
    return [line for line in lines if line["thread"] == thread]


def test_what_is_in_order_goes_on(outcomes: Path, database: str) -> None:
    told = Told.by("A", outcomes)
    assert all(workload.must_be_refused(turn) for turn in told.refused if turn.number % 7)
    assert [turn.number for turn in told.under_way()] == [TURNS] * workload.THREADS
    before = len(log(database))
    assert list(check(database, {"A": outcomes})) == []
    # What was under way: a pair of each thread; and an entry that ends the round.
    assert len(log(database)) == before + 2 * workload.THREADS + 1


def test_what_nobody_was_told_is_found_again_by_its_key(outcomes: Path, database: str) -> None:
    edited(outcomes, lambda lines: lines.remove(of_thread(lines, 1)[-1]))
    # The last turn of that thread proposed a state that another thread had proposed before it.
    edited(outcomes, lambda lines: lines.remove(of_thread(lines, 0)[-1]))
    assert list(check(database, {"A": outcomes})) == [
        "on record without an acknowledgement, found again by its key"
    ]


def false_acknowledgement(lines: Lines) -> None:
    turn = of_thread(lines, 0)[-1]["number"] + 1
    lines.append({"thread": 0, "number": turn, "entries": [[99, "0"], [100, "0"]]})


def another_entry(lines: Lines) -> None:
    next(line for line in lines if "entries" in line)["entries"][0][0] += 1


def false_refusal(lines: Lines) -> None:
    line = next(line for line in lines if "entries" in line)
    del line["entries"]
    line["refused"] = ["MALFORMED"]


def more_than_was_under_way(lines: Lines) -> None:
    for line in of_thread(lines, 0)[-4:]:
        lines.remove(line)


def half_a_set(lines: Lines) -> None:
    # What is missing now was a pair, of which a third is claimed to be proposed.
    line = next(line for line in of_thread(lines, 0) if len(line.get("entries", [])) == 2)
    line["entries"].append([99, "0"])


def neither_yes_nor_no(lines: Lines) -> None:
    lines.append({"thread": 0, "number": TURNS, "bug": "RuntimeError: what now?"})


def a_turn_left_out(lines: Lines) -> None:
    lines.remove(of_thread(lines, 0)[2])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (false_acknowledgement, "acknowledged and lost, or another: "),
        (another_entry, "acknowledged and lost, or another: "),
        (half_a_set, "acknowledged and lost, or another: "),
        (false_refusal, "refused and recorded: "),
        (more_than_was_under_way, "never proposed, or answered otherwise: "),
        (neither_yes_nor_no, "was told neither yes nor no: RuntimeError: what now?"),
        (a_turn_left_out, "was told of a turn before the one before it"),
    ],
)
def test_what_is_not_as_it_was_told_is_found(
    outcomes: Path, database: str, edit: Callable[[Lines], None], message: str
) -> None:
    edited(outcomes, edit)
    with pytest.raises(Failed, match=message.replace("?", r"\?")):
        list(check(database, {"A": outcomes}))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE projections.contributions SET net = net + 1", "errors?, 0 warnings"),
        ("UPDATE ledger.head SET position = position + 1", "the head is not where the log ends"),
    ],
)
def test_a_table_that_is_not_sound_is_found(
    outcomes: Path, database: str, statement: str, message: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode())
    with pytest.raises(Failed, match=message):
        list(check(database, {"A": outcomes}))
