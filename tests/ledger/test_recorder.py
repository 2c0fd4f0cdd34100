"""The library's recorder of the ledger: held to the library's own tests, and to ours."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.application import LocalNotificationLog
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    PersistenceError,
    StoredEvent,
    Subscription,
)
from eventsourcing.tests import persistence as library

from ledger import accounts, canonical, states
from ledger.codec import LONGEST_DATA, EntryMapper, Recorded
from ledger.database import connect
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Proposal, Statement, record_id
from ledger.kind import Kind, Opening, Registry
from ledger.record import Ledger
from ledger.recorder import LedgerRecorder, ledger_datastore
from projections import REGISTRY, TABLES
from projections.timeline import Projector
from tests.ledger.recording import IN_TIME, rows

ZONE = HomeZone("Asia/Almaty")


class _OnTheLedger:
    """A database of the test's own under a test case of the library, which prints as it goes."""

    recorder: LedgerRecorder

    @pytest.fixture(autouse=True)
    def _open_recorder(self, database: str) -> Iterator[None]:
        # Ten writers, each with a connection, and two readers; the library sets their number.
        with (
            redirect_stdout(io.StringIO()),
            ledger_datastore(database, most_connections=12) as datastore,
        ):
            self.recorder = LedgerRecorder(datastore)
            yield

    def create_recorder(self) -> LedgerRecorder:
        return self.recorder


class TestLibraryRecorder(_OnTheLedger, library.ApplicationRecorderTestCase[LedgerRecorder]):
    """What the library expects of any recorder."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestLibraryOrder(_OnTheLedger, library.NonInterleavingNotificationIDsBaseCase):
    """What two write at once lies one after the other."""


@pytest.fixture
def recorder(database: str) -> Iterator[LedgerRecorder]:
    with ledger_datastore(database) as datastore:
        yield LedgerRecorder(datastore)


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    projector = Projector(TABLES, ZONE)
    with Ledger(lambda: connect(database), REGISTRY, ZONE, projector) as ledger:
        yield ledger


def raw_event(version: int = 1, *, record: UUID | None = None, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(record or uuid4(), version, "thing.happened", state)


def admitted(key: str) -> Proposal:
    event = states.Admitted(status=states.Status.MEMBER, name_en=key.title())
    statement = Statement(event=event, effective=parse_edtf("2002"), recorded_by="registrar")
    return Proposal(kind="state", key=key, statement=statement)


def test_positions_have_no_gaps_after_a_conflict(recorder: LedgerRecorder) -> None:
    first = raw_event()
    assert recorder.insert_events([first]) == [1]
    with pytest.raises(IntegrityError):
        recorder.insert_events([raw_event(), first])
    assert recorder.insert_events([raw_event(), raw_event()]) == [2, 3]


def test_nothing_to_insert_is_no_transaction(recorder: LedgerRecorder) -> None:
    assert recorder.insert_events([]) == []
    assert recorder.max_notification_id() is None


def test_a_state_too_long_for_the_log_is_refused(recorder: LedgerRecorder) -> None:
    assert recorder.insert_events([raw_event(state=b"1" * LONGEST_DATA)]) == [1]
    with pytest.raises(DataError, match="at most 65535 are stored"):
        recorder.insert_events([raw_event(state=b"1" * (LONGEST_DATA + 1))])


def test_making_tables_is_left_to_the_migrations(recorder: LedgerRecorder, database: str) -> None:
    query = "SELECT count(*) FROM pg_class UNION ALL SELECT count(*) FROM pg_type"
    with psycopg.connect(database) as connection:
        before = connection.execute(query).fetchall()
        recorder.create_table()
        assert connection.execute(query).fetchall() == before


def test_the_recorder_has_the_role_of_the_server(recorder: LedgerRecorder) -> None:
    with recorder.datastore.get_connection() as connection:
        assert connection.execute("SELECT current_user AS role").fetchone() == {
            "role": "secretariat_server"
        }


def test_a_raw_event_has_a_header_like_any_entry(recorder: LedgerRecorder, database: str) -> None:
    event = raw_event(3, state=b"not JSON")
    recorder.insert_events([event])
    query = """
        SELECT header, record_id, kind, name, data, recorded_at, appended_at,
               leaf_hash = sha256('\\x00'::bytea || header) FROM ledger.entries
    """
    with psycopg.connect(database) as connection:
        row = connection.execute(query).fetchone()
        head = connection.execute("SELECT position, live_from, recorded_at FROM ledger.head")
        assert row is not None
        assert head.fetchone() == (1, 1, row[5])
    header = json.loads(row[0])
    assert header["data"] == canonical.sha256(b"not JSON")
    assert (header["position"], header["version"], header["name"]) == (1, 3, "thing.happened")
    assert header["key"] == str(event.originator_id)
    assert row[1:5] == (event.originator_id, "stored_event", "thing.happened", b"not JSON")
    assert row[5] == row[6]
    assert row[7] is True


def test_a_subscription_wakes_when_the_ledger_records(
    ledger: Ledger, recorder: LedgerRecorder
) -> None:
    ledger.record(admitted("KAZ"))
    with recorder.subscribe(gt=1) as subscription:
        ledger.record(admitted("UZB"))
        assert next(subscription).id == 2
        ledger.submit([admitted("TUR"), admitted("AZE")]).result()
        assert [next(subscription).id, next(subscription).id] == [3, 4]


LISTENING = """
    FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()
"""


class LateListener(LedgerRecorder):
    """A recorder whose followers begin to listen only when they may."""

    may_listen = threading.Event()

    @property
    def channel_name(self) -> str:
        if threading.current_thread() is not threading.main_thread():
            self.may_listen.wait(IN_TIME)
        return "stored_events"

    @channel_name.setter
    def channel_name(self, name: str) -> None:
        """Keep the one above."""


@contextmanager
def following(recorder: LedgerRecorder) -> Iterator[Subscription[Any]]:
    """Follow from the beginning, and stop instead of waiting without end."""
    with recorder.subscribe() as subscription:
        timer = threading.Timer(IN_TIME, subscription.stop)
        timer.start()
        yield subscription
        timer.cancel()


def test_what_is_recorded_before_a_follower_listens_is_not_missed(
    ledger: Ledger, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.recorder.SECONDS_BETWEEN_LOOKS", 3600)
    ledger.record(admitted("KAZ"))
    with ledger_datastore(database) as datastore, following(LateListener(datastore)) as follower:
        assert next(follower).id == 1
        ledger.record(admitted("UZB"))
        LateListener.may_listen.set()
        assert next(follower).id == 2


def test_a_follower_that_misses_every_notify_gets_every_entry(
    ledger: Ledger, recorder: LedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.recorder.SECONDS_BETWEEN_LOOKS", 0.05)
    recorder.channel_name = "where_nobody_speaks"
    with following(recorder) as follower:
        for position, key in enumerate(("KAZ", "UZB", "TUR"), 1):
            ledger.record(admitted(key))
            assert next(follower).id == position


def test_a_follower_whose_session_ends_is_told_and_goes_on_from_its_position(
    ledger: Ledger, recorder: LedgerRecorder, database: str
) -> None:
    ledger.record(admitted("KAZ"))
    with following(recorder) as follower:
        assert next(follower).id == 1
        while not rows(database, f"SELECT pid {LISTENING}"):
            time.sleep(0.01)
        rows(database, f"SELECT pg_terminate_backend(pid) {LISTENING}")
        with pytest.raises(PersistenceError):
            next(follower)
    ledger.record(admitted("UZB"))
    with recorder.subscribe(gt=1) as follower:
        assert next(follower).id == 2


def test_the_library_pages_over_what_the_ledger_records(
    ledger: Ledger, recorder: LedgerRecorder
) -> None:
    keys = ["AFG", "AZE", "BHR", "CHN", "EGY"]
    ledger.submit([admitted(key) for key in keys]).result()
    log, mapper = LocalNotificationLog(recorder, section_size=2), EntryMapper(REGISTRY)
    section, decoded = log["1,2"], []
    while True:
        decoded += [mapper.to_domain_event(item) for item in section.items]
        if section.next_id is None:
            break
        section = log[section.next_id]
    assert [recorded.originator_id for recorded in decoded] == [
        record_id("state", key) for key in keys
    ]
    last = decoded[-1]
    assert isinstance(last, Recorded)
    assert (last.topic, last.originator_version) == ("state.admitted", 1)
    assert last.statement == admitted("EGY").statement


def test_the_mapper_writes_what_it_reads(ledger: Ledger, recorder: LedgerRecorder) -> None:
    opened = accounts.Opened(fund="GENERAL", currency="USD")
    statement = Statement(event=opened, effective=parse_edtf("2006-05~"), recorded_by="registrar")
    ledger.record(Proposal(kind="account", key="MAIN", statement=statement))
    (stored,) = recorder.select_events(record_id("account", "MAIN"))
    mapper = EntryMapper(REGISTRY)
    again = mapper.to_stored_event(mapper.to_domain_event(stored))
    assert (again.originator_id, again.originator_version, again.topic) == (
        stored.originator_id,
        stored.originator_version,
        stored.topic,
    )
    assert _without_salt(again.state) == _without_salt(stored.state)


def _without_salt(data: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(data)
    del content["salt"]
    return content


class SiteOpened(Opening[str], stored_as="site.opened", personal=()):
    """Its second shape: what was one line of an address is a city and a street."""

    class_version: ClassVar[int] = 2

    city: str
    street: str | None = None

    def begin(self) -> str:
        return self.city

    @staticmethod
    def upcast_v1_v2(body: dict[str, Any]) -> None:
        body["street"], _, body["city"] = body.pop("address").rpartition(", ")


SITE = Kind(name="site", family="sites", events=(SiteOpened,), key_column="site", key_example="HQ")


@pytest.mark.parametrize(
    ("version", "body"),
    [
        (1, {"address": "5 Kunayev, Astana"}),
        (2, {"city": "Astana", "street": "5 Kunayev"}),
    ],
)
def test_a_body_of_an_older_shape_is_read_as_one_of_today(
    recorder: LedgerRecorder, version: int, body: dict[str, Any]
) -> None:
    content = {"by": "registrar", "effective": "2006", "event": body, "event_version": version}
    record = record_id("site", "HQ")
    state = canonical.canonical({**content, "salt": "00"})
    recorder.insert_events([StoredEvent(record, 1, "site.opened", state)])
    (stored,) = recorder.select_events(record)
    recorded = EntryMapper(Registry([SITE])).to_domain_event(stored)
    assert isinstance(recorded, Recorded)
    assert recorded.statement.event == SiteOpened(city="Astana", street="5 Kunayev")
