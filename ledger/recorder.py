"""The library's view of the log: its recorder, over our entries and our one way of appending.

What `eventsourcing` offers on top of a recorder works on the ledger as it is: `select_events`,
notification logs, subscriptions that wake on NOTIFY. Reading goes through the view
`ledger.stored_events`; appending takes the locked head row, so positions stay gapless and in the
order of commits, whoever appends.

    with ledger_datastore(url) as datastore:
        recorder = LedgerRecorder(datastore)
        with recorder.subscribe(gt=position) as subscription: ...
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from eventsourcing.persistence import DataError, StoredEvent
from eventsourcing.postgres import (
    ConnectionPool,
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresSubscription,
)
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier

from ledger import store
from ledger.codec import LONGEST_DATA, header
from ledger.database import SERVER, as_role

HOME_ZONE = "SELECT value FROM ledger.settings WHERE name = 'home_zone'"

RAW_KIND = "stored_event"
"""The kind, and the family, of an entry that the library's `insert_events` appended.

No rule admitted it and no read model takes it in, so nothing of ours records one.
"""

RAW_RECORDER = "eventsourcing"
"""Who recorded an entry of that kind, as far as the ledger was told."""


SECONDS_BETWEEN_LOOKS = 5.0
"""So often a follower looks for entries of which no NOTIFY has told it."""

SECONDS_TO_STOP = 0.1
"""So long, at the most, a follower that waits for a NOTIFY takes to notice that it is stopped."""


class LedgerDatastore(PostgresDatastore):
    """Connections for a recorder, as the server's role, from a libpq connection string.

    At most `most_connections` are open at once. A subscription keeps one for itself and reads by
    another: with a single connection it would wait for itself.
    """

    def __init__(self, url: str, *, most_connections: int) -> None:
        super().__init__("", "", "", "", "", schema="ledger")
        # The library's own pool, not opened yet, knows only host, port, user and password; an
        # address may say more than that (sslmode, options), and the role is given there.
        self.pool = ConnectionPool(
            as_role(url, SERVER),
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=most_connections,
            open=False,
            configure=self.after_connect_func(),
        )


def ledger_datastore(url: str, *, most_connections: int = 4) -> LedgerDatastore:
    """A datastore for `LedgerRecorder`; use it as a context manager, or `close` it.

    `Unusable` if `url` is not the address of a database. Nothing is connected yet.
    """
    return LedgerDatastore(url, most_connections=most_connections)


class LedgerSubscription(PostgresSubscription):
    """Follows the log, and gets every entry, whether or not a NOTIFY told of it.

    The library's own looks at the log, then listens: what is recorded in between is seen with the
    next entry, and if it is the last one for a while, not at all. This one looks once more when it
    listens, and from then on now and then. If its connection breaks, it ends with that error;
    whoever follows subscribes again from the last position.
    """

    def _listen(self) -> None:
        try:
            channel = Identifier(self._recorder.channel_name)
            with self._recorder.datastore.get_connection() as connection:
                connection.execute(SQL("LISTEN {}").format(channel))
                next_look = 0.0
                while not self._has_been_stopped and not self._thread_error:
                    told = list(connection.notifies(timeout=SECONDS_TO_STOP, stop_after=1))
                    if told or time.monotonic() >= next_look:
                        self._has_been_notified.set()
                        next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS
        except BaseException as error:  # noqa: BLE001  # Whoever iterates is told, whatever it is.
            if self._thread_error is None:
                self._thread_error = error
            self.stop()


class LedgerRecorder(PostgresApplicationRecorder):
    """The library's recorder of the ledger at `datastore`."""

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LedgerSubscription:
        """Follow the log from the entry after position `gt` on; use it as a context manager."""
        return LedgerSubscription(recorder=self, gt=gt, topics=topics)

    def create_table(self) -> None:
        """Make nothing: the migrations do, once, instead of every program that starts."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Append raw events as entries of kind `RAW_KIND` and return their positions.

        This is for what the library builds on a recorder, and its tests. Nothing is admitted or
        projected: what a kind of record has rules for is recorded by `ledger.record`. Raises the
        library's IntegrityError if a record has an entry of that version already, its DataError
        for a state of more than `LONGEST_DATA` bytes.
        """
        # The library would try again after a lost connection. If only the acknowledgement was
        # lost, that ends in an IntegrityError for events that are stored; the caller knows better.
        if not stored_events:
            return []
        _check_lengths(stored_events)
        with self.datastore.get_connection() as connection, connection.transaction():
            head = store.lock_head(connection)
            recorded_at = head.now if head.recorded_at is None else max(head.now, head.recorded_at)
            first = head.position + 1
            last = head.position + len(stored_events)
            cursor = connection.cursor()
            zone = cursor.execute(HOME_ZONE).fetchone()
            store.append(
                cursor,
                (
                    _row(position, event, recorded_at, head.now, zone["value"] if zone else "UTC")
                    for position, event in enumerate(stored_events, start=first)
                ),
            )
            cursor.execute(store.MOVE_HEAD, [last, recorded_at, head.live_from or first])
        return list(range(first, last + 1))


def _check_lengths(stored_events: Sequence[StoredEvent]) -> None:
    for event in stored_events:
        if len(event.state) > LONGEST_DATA:
            raise DataError(
                f"{event.topic} of {event.originator_id}, version {event.originator_version}, has"
                f" {len(event.state)} bytes; at most {LONGEST_DATA} are stored"
            )


def _row(
    position: int,
    event: StoredEvent,
    recorded_at: datetime,
    appended_at: datetime,
    home_zone: str,
) -> tuple[Any, ...]:
    """The values of an entry's columns, in the order of `ledger.store.COLUMNS`."""
    fields = {
        "position": position,
        "record_id": event.originator_id,
        "version": event.originator_version,
        "id": store.new_id(),
        "family": RAW_KIND,
        "kind": RAW_KIND,
        "key": str(event.originator_id),
        "name": event.topic,
        "corrects": None,
        "annuls": None,
        "recorded_at": recorded_at,
        "appended_at": appended_at,
        "recorded_by": RAW_RECORDER,
    }
    head = header({**fields, "home_zone": home_zone}, event.state)
    return (*fields.values(), head, event.state)
