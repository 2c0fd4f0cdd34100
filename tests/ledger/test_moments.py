"""When the ledger took it: by the database's clock, or as an older register says while that may."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg

from ledger.dates import format_moment
from ledger.record import Ledger, SetRefused
from tests.ledger.recording import IN_TIME, moment, open_ledger, refused, renamed, rows, state

MAY_FIRST, MAY_SECOND = moment("2023-05-01"), moment("2023-05-02")


def live_from(database: str) -> int | None:
    [(position,)] = rows(database, "SELECT live_from FROM ledger.head")
    assert position is None or isinstance(position, int)
    return position


def test_an_older_register_states_when_it_took_what_it_holds(ledger: Ledger, database: str) -> None:
    before = datetime.now(UTC)
    set_ = [state("KAZ", recorded_on=MAY_FIRST), state("AZE", recorded_on=MAY_FIRST)]
    set_ += [state("TUR", recorded_on=MAY_SECOND)]
    entries = [answer.entry for answer in ledger.submit(set_).result(IN_TIME)]
    assert [entry.recorded_at for entry in entries] == [MAY_FIRST, MAY_FIRST, MAY_SECOND]
    for entry in entries:
        assert before <= entry.appended_at <= datetime.now(UTC)
        assert json.loads(entry.header)["recorded_at"] == format_moment(entry.recorded_at)
    assert rows(database, "SELECT recorded_at FROM ledger.entries ORDER BY position") == [
        (MAY_FIRST,),
        (MAY_FIRST,),
        (MAY_SECOND,),
    ]
    assert live_from(database) is None


def test_no_moment_lies_before_that_of_the_last_entry(database: str) -> None:
    message = (
        "2023-05-01T00:00:00.000000Z lies before the ledger's last entry"
        " (2023-05-02T00:00:00.000000Z)"
    )
    early = state("AZE", recorded_on=MAY_FIRST)
    with open_ledger(database) as ledger:
        ledger.record(state("KAZ", recorded_on=MAY_SECOND))
        refused(ledger, early, "NOT_PERMITTED", message, field="recorded_on")
    with open_ledger(database) as ledger:
        refused(ledger, early, "NOT_PERMITTED", message, field="recorded_on")
        # Nor before one of the same set.
        set_ = [
            state("AZE", recorded_on=moment("2023-05-04")),
            state("TUR", recorded_on=MAY_SECOND),
        ]
        error = ledger.submit(set_).exception(IN_TIME)
        assert "2023-05-02T00:00:00.000000Z lies before" in str(error)


def test_no_moment_lies_in_the_future(ledger: Ledger) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    message = f"{format_moment(tomorrow)} lies in the future"
    early = state("KAZ", recorded_on=tomorrow)
    refused(ledger, early, "NOT_PERMITTED", message, field="recorded_on")
    assert ledger.record(state("KAZ", recorded_on=MAY_FIRST)).entry.position == 1


def test_from_the_first_live_entry_on_no_moment_is_stated(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ", recorded_on=MAY_FIRST))
    ledger.record(state("AZE"))
    assert live_from(database) == 2
    message = (
        "the ledger has been live since entry 2, so no other day of recording may be stated;"
        " import with --late to keep it in the data"
    )
    for stated in (MAY_SECOND, datetime.now(UTC)):
        late = state("TUR", recorded_on=stated)
        refused(ledger, late, "NOT_PERMITTED", message, field="recorded_on")
    ledger.record(state("TUR"))
    assert live_from(database) == 2


def test_in_a_set_too_what_follows_a_live_entry_is_live(ledger: Ledger, database: str) -> None:
    error = ledger.submit([state("KAZ"), state("AZE", recorded_on=MAY_FIRST)]).exception(IN_TIME)
    assert isinstance(error, SetRefused)
    assert "the ledger has been live since entry 1" in str(error)
    # A set that was refused, or only tried, has not made the ledger live.
    ledger.submit([state("KAZ")], dry_run=True).result(IN_TIME)
    assert live_from(database) is None
    assert ledger.record(state("KAZ", recorded_on=MAY_FIRST)).entry.recorded_at == MAY_FIRST


def test_a_moment_in_another_zone_is_the_same_moment(ledger: Ledger) -> None:
    ledger.record(state("KAZ", recorded_on=MAY_FIRST, idempotency_key="1"))
    almaty = datetime.fromisoformat("2023-05-01T06:00:00+06:00")
    again = ledger.record(state("KAZ", recorded_on=almaty, idempotency_key="1"))
    assert again.repeated


def test_a_clock_that_was_put_back_does_not_put_entries_back(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ"))
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE ledger.head SET recorded_at = %s", [ahead])
    entries = [ledger.record(renamed("KAZ", f"Name {number}")).entry for number in range(3)]
    assert [entry.recorded_at for entry in entries] == [ahead] * 3
    assert all(entry.appended_at < ahead for entry in entries)
    # When it was appended in truth is told by the clock all the same.
    assert sorted(entry.appended_at for entry in entries) == [e.appended_at for e in entries]


def test_what_is_recorded_live_has_the_moment_of_its_turn(ledger: Ledger) -> None:
    entries = [ledger.record(state(key)).entry for key in ("KAZ", "AZE", "TUR")]
    moments = [entry.recorded_at for entry in entries]
    assert moments == [entry.appended_at for entry in entries]
    assert moments == sorted(set(moments))
