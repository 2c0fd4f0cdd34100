"""Which rules filled the read models: a program whose own rules differ must not serve them."""

from __future__ import annotations

from ledger.database import AnyConnection
from ledger.refusal import Unusable
from projections import RULES

# Empty tables were filled by any rules. What an entry was projected by can't be guessed, so only a
# ledger without entries gets a version that it does not have.
ENSURE = """
    INSERT INTO projections.rules (version)
    SELECT %s WHERE NOT EXISTS (SELECT FROM ledger.entries)
    ON CONFLICT DO NOTHING
"""

READ = """
    SELECT (SELECT version FROM projections.rules), EXISTS (SELECT FROM ledger.entries)
"""


def ensure(connection: AnyConnection) -> None:
    """Note this program's rules in a ledger that has no entries yet, and no version."""
    connection.execute(ENSURE, [RULES])


def filled_by(connection: AnyConnection) -> str | None:
    """The version of the rules that filled the read models, if it was noted."""
    row = connection.execute(READ).fetchone()
    assert row is not None, "a SELECT without FROM has one row"
    version: str | None = row[0]
    return version


def difference(connection: AnyConnection) -> str | None:
    """How the rules that filled the read models differ from this program's, as half a sentence.

    None if they are the same, or nothing is filled yet.
    """
    row = connection.execute(READ).fetchone()
    assert row is not None, "a SELECT without FROM has one row"
    version, has_entries = row
    if version == RULES or (version is None and not has_entries):
        return None
    filled_by = "rules that were not noted" if version is None else f"rules {version}"
    return f"the read models were filled by {filled_by}, and this program has rules {RULES}"


def check(connection: AnyConnection) -> None:
    """Raise `Unusable` if other rules than this program's filled the read models."""
    found = difference(connection)
    if found is not None:
        raise Unusable(f"{found}: run `secretariat rebuild`")
