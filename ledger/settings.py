"""What a ledger is once and for ever: its name, and the home time zone where its days end."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.database import AnyConnection
from ledger.dates import HomeZone
from ledger.refusal import Unusable

INITIALISE = """
    INSERT INTO ledger.settings (name, value) SELECT * FROM unnest(%s::text[], %s::text[])
    ON CONFLICT (name) DO NOTHING
"""

FORGET = "DELETE FROM ledger.settings WHERE NOT EXISTS (SELECT FROM ledger.entries)"

READ = "SELECT name, value FROM ledger.settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """A ledger's name and its home time zone."""

    name: str
    home_zone: HomeZone


def initialise(connection: AnyConnection, *, name: str, home_zone: str) -> Settings:
    """Give a new ledger its name and zone; an old one keeps its own.

    `Unusable` if the zone is unknown, or is another than the ledger's: the bounds of what is
    recorded depend on it.
    """
    given = Settings(name, HomeZone(home_zone))
    connection.execute(INITIALISE, [["name", "home_zone"], [name, home_zone]])
    kept = read(connection)
    if kept.home_zone.name != given.home_zone.name:
        raise Unusable(
            f"this ledger's home time zone is {kept.home_zone.name}, not {home_zone}, and can't"
            " change: leave --home-zone out"
        )
    return kept


def forget_if_unused(connection: AnyConnection) -> None:
    """Forget the settings of a ledger that has no entries, so that it can be given others.

    A first try that was refused must not bind the second. Takes the owner's role.
    """
    from ledger import store  # noqa: PLC0415  # Reading settings starts without what writes entries.

    with connection.transaction():
        store.lock_head(connection)
        connection.execute(FORGET)


def read(connection: AnyConnection) -> Settings:
    """The settings of the ledger; `Unusable` if it has none yet."""
    found = dict(connection.execute(READ).fetchall())
    if "home_zone" not in found:
        raise Unusable("this database holds no ledger yet: import a register first")
    return Settings(found["name"], HomeZone(found["home_zone"]))
