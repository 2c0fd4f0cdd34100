"""A day of the home time zone, from recording to asking: also one of 23 hours, or of 25."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from ledger.dates import HomeZone
from ledger.entry import Proposal
from projections.place import Place
from schema.local import ask
from tests.ledger.recording import log, rows, state
from tests.schema.conftest import prepared_database

SECOND = timedelta(seconds=1)


@pytest.fixture
def fresh(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database of the test's own, without any entry."""
    with prepared_database(server_url, migrated_template) as url:
        yield url


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends"),
    [
        # Put forward at midnight: the day begins at 01:00 and has 23 hours.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00", "2022-03-27T21:00"),
        # Put back at midnight: the day ends after its second hour from 23:00, the 25th.
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", "2018-02-18T03:00"),
        # Put forward and back at night, as in most of Europe.
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00", "2024-03-31T22:00"),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00", "2024-10-27T23:00"),
        # Put back at the end of a leap day.
        ("Asia/Almaty", "2024-02-29", "2024-02-28T18:00", "2024-02-29T19:00"),
        ("UTC", "2024-02-29", "2024-02-29T00:00", "2024-03-01T00:00"),
    ],
)
def test_a_day_holds_what_was_recorded_from_its_start_to_its_end(
    fresh: str, zone: str, day: str, starts: str, ends: str
) -> None:
    home, that_day = HomeZone(zone), date.fromisoformat(day)
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (starts, ends))
    moments = {"AAA": start - SECOND, "BBB": start, "CCC": end - SECOND, "DDD": end}
    with Place(fresh).writer(home) as ledger:
        ledger.submit([_within_the_month(day, *each) for each in moments.items()]).result()

    # What happened some time in the month had happened by the day on which it was recorded.
    before, after = that_day - timedelta(1), that_day + timedelta(1)
    days = dict(zip(moments, (before, that_day, that_day, after), strict=True))
    end_of_month = {key: min(each, _last_of_month(that_day)) for key, each in days.items()}
    effective = rows(fresh, "SELECT key, lower(effective) FROM projections.states")
    assert dict(effective) == end_of_month

    assert [_position(fresh, home, each) for each in (before, that_day, after)] == [1, 3, 4]
    assert _position(fresh, home, (end - SECOND).isoformat()) == 3


def _within_the_month(day: str, key: str, moment: datetime) -> Proposal:
    return state(key, day[:7], recorded_on=moment)


def _last_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(31)).replace(day=1) - timedelta(1)


def _position(url: str, zone: HomeZone, known_at: object) -> int:
    """How far the ledger had come by then."""
    return int(_as_of(url, zone, f'(asOf: {{knownAt: "{known_at}"}})')["position"])


def _as_of(url: str, zone: HomeZone, argument: str = "") -> dict[str, Any]:
    answer = ask(url, zone, f"{{ ledger{argument} {{ asOf {{ position knownAt }} }} }}", {})
    assert "errors" not in answer
    found: dict[str, Any] = answer["data"]["ledger"]["asOf"]
    return found


def test_what_was_recorded_before_the_clock_was_put_back_is_answered_at_once(fresh: str) -> None:
    home = HomeZone("Asia/Almaty")
    with Place(fresh).writer(home) as ledger:
        ledger.record(state("KAZ"))
        ahead = datetime.now(UTC) + timedelta(hours=1)
        with psycopg.connect(fresh) as connection:
            connection.execute("UPDATE ledger.head SET recorded_at = %s", [ahead])
        ledger.record(state("AZE"))
    assert [position for position, *_ in log(fresh)] == [1, 2]
    # Now is whatever is on record, and not what the clock says.
    assert int(_as_of(fresh, home)["position"]) == 2
    assert _position(fresh, home, datetime.now(UTC).isoformat()) == 1
    assert _position(fresh, home, ahead.isoformat()) == 2
