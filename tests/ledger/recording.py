"""A ledger on a test's database, and proposals in few words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from ledger import accounts, contributions, persons, states
from ledger.database import AnyConnection, connect
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Proposal, Source, Statement
from ledger.kind import AnyEvent
from ledger.record import Ledger
from ledger.refusal import Refused
from projections import REGISTRY, TABLES
from projections.timeline import Projector

ZONE = HomeZone("Asia/Almaty")
IN_TIME = 30
"""Seconds after which what does not come is not coming; none of the tests takes so long."""

ABOUT_STATEMENT = ("source", "basis", "note", "reason", "registered_on", "effective_text")


def open_ledger(url: str, *, connecting: Callable[[], AnyConnection] | None = None) -> Ledger:
    """A writer on the database at `url`, or on what `connecting` connects to."""
    return Ledger(connecting or (lambda: connect(url)), REGISTRY, ZONE, Projector(TABLES, ZONE))


def proposed(
    kind: str, key: str, event: AnyEvent | None, effective: str | None = "2023-05-12", **more: Any
) -> Proposal:
    """A proposal by `clerk`, unless `by` another; `more` are fields of it or of its statement."""
    statement = Statement(
        event=event,
        effective=None if effective is None else parse_edtf(effective),
        recorded_by=more.pop("by", "clerk"),
        **{name: more.pop(name) for name in ABOUT_STATEMENT if name in more},
    )
    return Proposal(kind=kind, key=key, statement=statement, **more)


def state(key: str = "KAZ", effective: str | None = "1999", **more: Any) -> Proposal:
    """The admission of a member."""
    name = more.pop("name_en", "Kazakhstan")
    event = states.Admitted(status=states.Status.MEMBER, name_en=name)
    return proposed("state", key, event, effective, **more)


def renamed(key: str, name: str, effective: str | None = "2023-05-12", **more: Any) -> Proposal:
    """A state's new name."""
    return proposed("state", key, states.Renamed(name_en=name), effective, **more)


def status(key: str, to: str, effective: str | None = "2023-05-12", **more: Any) -> Proposal:
    """A state's new status."""
    event = states.StatusChanged(status=states.Status(to))
    return proposed("state", key, event, effective, **more)


def account(key: str = "MAIN", **more: Any) -> Proposal:
    """The opening of an account in US dollars."""
    event = accounts.Opened(fund=more.pop("fund", "General"), currency="USD")
    return proposed("account", key, event, **more)


def received(key: str, amount: str, effective: str | None = "2023-05-12", **more: Any) -> Proposal:
    """A contribution of `KAZ`, received in the account `MAIN`."""
    event = contributions.Received(
        account="MAIN",
        state=more.pop("state", "KAZ"),
        fiscal_year=2023,
        amount=Decimal(amount),
        currency="USD",
    )
    return proposed("contribution", key, event, effective, **more)


def returned(key: str, amount: str, effective: str = "2023-09-01", **more: Any) -> Proposal:
    """Money that went back."""
    event = contributions.Returned(amount=Decimal(amount), currency="USD")
    return proposed("contribution", key, event, effective, **more)


def person(key: str, name: str, **more: Any) -> Proposal:
    """The registration of a person."""
    return proposed("person", key, persons.Registered(name=name), **more)


def annulled(kind: str, key: str, target: str, **more: Any) -> Proposal:
    """The annulment of `target`, an entry of that record; a number is a version."""
    name = f"{kind}/{key}/{target}" if target.isdigit() else target
    return proposed(kind, key, None, None, annuls=name, **more)


def document(name: str) -> Source:
    """A source."""
    return Source(document=name)


def moment(text: str) -> datetime:
    """A moment in UTC: `2023-05-12` is its midnight."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refused(
    ledger: Ledger, proposal: Proposal, code: str, message: str, *, field: str | None = None
) -> None:
    """Propose it and hold the refusal to all of this; `message` may be `…` and the text's end."""
    with pytest.raises(Refused) as caught:
        ledger.record(proposal)
    refusal = caught.value
    assert (refusal.code, refusal.field) == (code, field), refusal.message
    if message.startswith("…"):
        assert refusal.message.endswith(message.removeprefix("…"))
    else:
        assert refusal.message == message


def rows(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What a query gives, asked by the superuser."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), parameters or None).fetchall()


def log(url: str) -> list[tuple[int, str, str, int]]:
    """Position, kind, key and version of every entry."""
    return rows(url, "SELECT position, kind, key, version FROM ledger.entries ORDER BY position")
