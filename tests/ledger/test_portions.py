"""Sets of any size: a portion after the other in one transaction, whole or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest

from ledger import portions
from ledger.database import connect
from ledger.entry import Proposal
from ledger.importing import record_register
from ledger.meanwhile import Meanwhile
from ledger.record import Ledger, SetRefused
from ledger.refusal import Unusable
from ledger.timeline import RecordChange
from ledger.trip import Asked
from projections import REGISTRY, TABLES, rules
from projections.timeline import Projector
from projections.verify import verify
from tests.ledger.proxy import Fault, proxy_to
from tests.ledger.recording import (
    IN_TIME,
    ZONE,
    account,
    annulled,
    log,
    open_ledger,
    person,
    received,
    renamed,
    rows,
    state,
    status,
)
from tests.ledger.registers import ALL_ROWS, EXAMPLE, read


@pytest.fixture(autouse=True)
def _rules(database: str) -> None:
    """Note by which rules the read models are filled, as whoever makes a ledger does."""
    with connect(database) as connection:
        rules.ensure(connection)


@pytest.fixture(autouse=True, params=[1, 3, 1_000])
def portion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many proposals are in a portion."""
    size: int = request.param
    monkeypatch.setattr(portions, "MOST_IN_A_PORTION", size)
    return size


def check_sound(database: str) -> None:
    """Hold the log and what follows from it to each other."""
    report = verify(database, REGISTRY, TABLES, ZONE)
    assert report.errors == 0, report


def test_a_register_in_portions_is_the_register(ledger: Ledger, database: str) -> None:
    register = read(EXAMPLE)
    counted: list[int] = []
    outcome = record_register(ledger, register, progress=lambda done, total: counted.append(done))
    assert (outcome.recorded, outcome.repeated) == (ALL_ROWS, 0)
    assert counted == list(range(1, ALL_ROWS + 1))
    check_sound(database)
    again = record_register(ledger, register)
    assert (again.recorded, again.repeated) == (0, ALL_ROWS)
    assert len(log(database)) == ALL_ROWS


def test_what_comes_later_rests_on_what_an_earlier_portion_holds(
    ledger: Ledger, database: str
) -> None:
    set_ = [
        state("KAZ"),
        account("MAIN"),
        person("P-1", "A Name"),
        received("C-1", "5.00", label="typo"),
        renamed("KAZ", "Qazaqstan"),
        received("C-1", "6.00", corrects="typo"),
        annulled("state", "KAZ", "2"),
        received("C-1", "1.00", idempotency_key="once"),
        received("C-1", "1.00", idempotency_key="once"),
    ]
    assert ledger.submit_many(set_).result(IN_TIME) == [False] * 8 + [True]
    assert [entry[2] for entry in log(database)] == [
        *("KAZ", "MAIN", "P-1", "C-1", "KAZ", "C-1", "KAZ", "C-1")
    ]
    assert rows(database, "SELECT corrects, annuls FROM ledger.entries WHERE position > 5") == [
        (4, None),
        (None, 5),
        (None, None),
    ]
    check_sound(database)


def test_all_refusals_are_found_and_nothing_is_kept(ledger: Ledger, database: str) -> None:
    set_ = [
        state("KAZ"),
        state("AZE"),
        status("AZE", "member"),  # Refused: it is one.
        renamed("AZE", "not looked at, since its record is at fault"),
        account("MAIN"),
        received("C-1", "5.00", state="AZE"),  # Left out: it refers to what is at fault.
        received("C-2", "5.005"),
        received("C-3", "5.00"),
        renamed("KAZ", " "),  # Without a form that could be recorded anywhere.
    ]
    with pytest.raises(SetRefused) as caught:
        ledger.submit_many(set_).result(IN_TIME)
    assert [(index, refusal.code) for index, refusal in caught.value.refusals] == [
        (2, "NOT_PERMITTED"),
        (6, "MALFORMED"),
        (8, "MALFORMED"),
    ]
    assert caught.value.left_out == 2
    assert log(database) == []
    assert rows(database, "SELECT * FROM ledger.records") == []
    assert rows(database, "SELECT * FROM projections.states") == []
    assert ledger.record(state("KAZ")).entry.position == 1


def test_a_dry_run_keeps_nothing(ledger: Ledger, database: str) -> None:
    set_ = [state("KAZ"), account("MAIN"), received("C-1", "5.00"), received("C-1", "6.00")]
    assert ledger.submit_many(set_, dry_run=True).result(IN_TIME) == [False] * 4
    assert log(database) == []
    assert ledger.submit_many([]).result(IN_TIME) == []


def test_whoever_stops_it_has_nothing_recorded(ledger: Ledger, database: str) -> None:
    def stop(count: int) -> None:
        if count == 2:
            raise Unusable("the import was interrupted")

    with pytest.raises(Unusable, match="interrupted"):
        ledger.submit_many([state("KAZ"), state("AZE"), state("TUR")], progress=stop).result(
            IN_TIME
        )
    assert log(database) == []
    assert ledger.record(state("KAZ")).entry.position == 1


@pytest.mark.parametrize("fault", Fault)
def test_a_commit_that_was_not_acknowledged_is_looked_for(database: str, fault: Fault) -> None:
    set_ = [state("KAZ"), state("AZE"), state("TUR"), renamed("KAZ", "Qazaqstan")]
    with proxy_to(database) as proxy:
        proxy.fault = fault
        with open_ledger(proxy.url) as ledger:
            assert ledger.submit_many(set_).result(IN_TIME) == [False] * 4
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE", "TUR", "KAZ"]


def test_others_wait_and_are_served(ledger: Ledger, database: str) -> None:
    many = ledger.submit_many([state("KAZ"), state("AZE")])
    one = ledger.submit([renamed("KAZ", "Qazaqstan")])
    more = ledger.submit_many([renamed("AZE", "Azerbaijan")])
    assert many.result(IN_TIME) == [False] * 2
    [answer] = one.result(IN_TIME)
    assert answer.entry.position == 3
    assert more.result(IN_TIME) == [False]


def test_a_bug_in_a_row_is_its_callers(ledger: Ledger, database: str) -> None:
    def broken() -> Iterator[Proposal]:
        yield state("KAZ")
        raise RuntimeError("the file is gone")

    with pytest.raises(RuntimeError, match="gone"):
        ledger.submit_many(broken()).result(IN_TIME)
    assert ledger.record(state("KAZ")).entry.position == 1


def test_rows_to_close_are_found_by_their_keys(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "MOST_IN_A_PORTION", 100)
    keys = [f"C-{number}" for number in range(500)]
    first = [state("KAZ"), account("MAIN"), *(received(key, "5.00") for key in keys)]
    with open_ledger(database) as ledger:
        ledger.submit_many([*first, *(received(key, "6.00") for key in keys)]).result(IN_TIME)
    read_in_indexes = (
        "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'contributions'"
    )
    # A plan from when the table was empty read all of its rows again for each portion. A session
    # tells what it read when it ends, which the database notices some time after us.
    until, count = time.monotonic() + IN_TIME, 0
    while count < len(keys) and time.monotonic() < until:
        [(count,)] = rows(database, read_in_indexes)
        time.sleep(0.05)
    assert len(keys) <= count <= 4 * len(keys)


class Failing(Projector):
    """What it wants written can't be."""

    def project(self, changes: Sequence[RecordChange]) -> list[Asked]:
        return [*super().project(changes), ("SELECT 1 / 0", ())]


def test_a_portion_that_cannot_be_written_ends_the_set(database: str) -> None:
    keys = ("KAZ", "AZE", "TUR", "UZB", "KGZ")
    failing = Failing(TABLES, ZONE)
    with Ledger(lambda: connect(database), REGISTRY, ZONE, failing) as ledger:
        many = ledger.submit_many(map(state, keys))
        with pytest.raises(psycopg.errors.DivisionByZero):
            many.result(IN_TIME)
    assert log(database) == []
    with open_ledger(database) as ledger:
        assert ledger.record(state("KAZ")).entry.position == 1


def test_what_runs_meanwhile_has_ended_when_the_block_does() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.05)
        ended.set()

    def fail() -> None:
        with Meanwhile() as meanwhile:
            meanwhile.run(work)
            assert begun.wait(IN_TIME)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ended.is_set()


def test_what_goes_wrong_meanwhile_is_raised_at_the_latest_at_the_end() -> None:
    with pytest.raises(ZeroDivisionError), Meanwhile() as meanwhile:
        meanwhile.run(lambda: 1 / 0)
