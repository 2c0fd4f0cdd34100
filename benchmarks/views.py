"""The ledger as of one point, as plain tables for those who know no as-of: the schema `peers`.

The views have the ledger's own rows under the conditions that it reads them by, so that every
contestant of the bench `graphql` answers the same question from the same tables and indexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import ClientCursor

from projections.contributions import MEASURES, TOTALS, TOTALS_ORDER
from projections.timeline import KNOWN

_HOLDS = "known @> {position}::int8 AND effective @> '{day}'::date"

# The comments are PostGraphile's smart tags: what it would learn of keys from tables.
_VIEWS = """
    DROP SCHEMA IF EXISTS peers CASCADE;
    CREATE SCHEMA peers;
    CREATE VIEW peers.states AS SELECT key, name_en FROM projections.states WHERE {holds};
    CREATE VIEW peers.accounts AS SELECT key, fund FROM projections.accounts WHERE {holds};
    CREATE VIEW peers.contributions AS
        SELECT key, fiscal_year::int4 AS fiscal_year, received, currency, state, account
          FROM projections.contributions WHERE {holds};
    CREATE VIEW peers.totals AS
        SELECT state, currency, net, net_low, net_high FROM ({totals}) AS figure ORDER BY {order};
    COMMENT ON VIEW peers.states IS E'@primaryKey key';
    COMMENT ON VIEW peers.accounts IS E'@primaryKey key';
    COMMENT ON VIEW peers.contributions IS E'@primaryKey key\n'
        '@foreignKey (state) references states (key)|@fieldName toState\n'
        '@foreignKey (account) references accounts (key)|@fieldName toAccount';
    COMMENT ON VIEW peers.totals IS
        E'@foreignKey (state) references states (key)|@fieldName toState';
"""


@dataclass(frozen=True, slots=True)
class Point:
    """The point that the views show, and a contribution that exists there."""

    day: date
    position: int
    key: str


def make(url: str, day: date) -> Point:
    """Make the views as of `day`, everything known, in the ledger at `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        (position,) = connection.execute("SELECT position FROM ledger.head").fetchone() or (0,)
        asked = dict.fromkeys(("keys", "states", "accounts", "currencies", "years"))
        groups = {"by_state": True, "by_account": False, "by_fiscal_year": False}
        wants = {f"wants_{name}": True for name in MEASURES}
        totals = ClientCursor(connection).mogrify(
            TOTALS.replace("{known}", KNOWN),
            {"day": day, "position": position, **asked, **groups, **wants},
        )
        holds = _HOLDS.format(position=position, day=day)
        views = _VIEWS.format(holds=holds, totals=totals, order=TOTALS_ORDER)
        connection.execute(views.encode())
        row = connection.execute(
            "SELECT key FROM peers.contributions ORDER BY key"
            " OFFSET (SELECT count(*) / 2 FROM peers.contributions) LIMIT 1"
        ).fetchone()
    assert row is not None, "the register has contributions"
    return Point(day, position, row[0])
