"""Where a ledger is: a database, opened for those who read it and for those who record.

A replica is opened for reading as any other database; whatever would change it is refused.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger import settings
from ledger.database import OWNER, AnyConnection, connect
from ledger.dates import HomeZone
from ledger.refusal import Unusable
from migrations import SchemaBehind, check, migrate, session
from projections import REGISTRY, TABLES, rules

if TYPE_CHECKING:
    from ledger.record import Ledger

DEFAULT_ZONE = "UTC"

NO_LEDGER = "this database holds no ledger yet: import a register first"

LEDGER_TABLE = """
    SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE nspname = 'ledger' AND relname = 'settings')
"""

IS_REPLICA = "SELECT pg_is_in_recovery()"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is: the address of its database."""

    url: str

    def open(self) -> HomeZone:
        """Bring the ledger up to date and return its home zone; `Unusable` if there is none.

        A database that holds no ledger stays as it is.
        """
        zone = self._home_zone()
        if zone is None:
            raise Unusable(NO_LEDGER)
        self._bring_up_to_date()
        return zone

    def open_current(self) -> HomeZone:
        """As `open`; `Unusable` also if other rules than ours filled the read models.

        Where all is in order, that is found on one connection: a command answers the sooner.
        """
        try:
            return self._current_zone()
        except (SchemaBehind, Unusable):
            # Something is to be done first, or nothing can be done: `open` says which.
            self.open()
            return self._current_zone()

    def refuse_without_ledger(self) -> None:
        """Raise `Unusable` unless there is a ledger, of this schema or an older one; as it is."""
        if self._home_zone() is None:
            raise Unusable(NO_LEDGER)

    def zone(self, asked: str | None) -> HomeZone:
        """The home zone asked for, or else that of the ledger, or of a new one."""
        return self._home_zone() or HomeZone(DEFAULT_ZONE) if asked is None else HomeZone(asked)

    def writer(self, zone: HomeZone) -> Ledger:
        """The writer of the ledger; `Unusable` if the ledger has another home zone.

        A ledger that is not there is made, and one without entries is given the zone.
        """
        from ledger.record import Ledger  # noqa: PLC0415  # Whoever only reads starts without it.
        from projections.timeline import Projector  # noqa: PLC0415  # As said above.

        self.refuse_replica("record at the primary")
        found = self._home_zone()
        if found is None:
            migrate(self.url)
        self._bring_up_to_date()
        if found not in {None, zone}:
            with connect(self.url, OWNER) as connection:
                settings.forget_if_unused(connection)

        def connect_checked() -> AnyConnection:
            with ExitStack() as stack:
                connection = stack.enter_context(closing(connect(self.url)))
                check(connection)
                settings.initialise(connection, name="secretariat", home_zone=zone.name)
                rules.ensure(connection)
                rules.check(connection)
                stack.pop_all()
                return connection

        connect_checked().close()
        return Ledger(connect_checked, REGISTRY, zone, Projector(TABLES, zone))

    def refuse_replica(self, advice: str) -> None:
        """Raise `Unusable` with an advice if the database is a replica, which nobody can change."""
        with session.connect(self.url) as connection:
            if connection.execute(IS_REPLICA).fetchone() == (True,):
                raise Unusable(f"this database is a replica, which can only be read: {advice}")

    def _current_zone(self) -> HomeZone:
        with connect(self.url) as connection:
            check(connection)
            rules.check(connection)
            return settings.read(connection).home_zone

    def _bring_up_to_date(self) -> None:
        try:
            with connect(self.url) as connection:
                check(connection)
        except SchemaBehind:
            self.refuse_replica("run this version at the primary first, which migrates both")
            migrate(self.url)

    def _home_zone(self) -> HomeZone | None:
        """The home zone of the ledger that is there; changes nothing.

        Raises SchemaTooNew before anything is read that a newer program may have changed.
        """
        with session.connect(self.url) as connection:
            if connection.execute(LEDGER_TABLE).fetchone() != (True,):
                return None
        with connect(self.url) as connection, suppress(Unusable):
            with suppress(SchemaBehind):
                check(connection)
            return settings.read(connection).home_zone
        return None
