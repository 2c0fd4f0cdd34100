"""Records and entries: what every record has, whatever its kind, and the entries of its history."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import strawberry
from strawberry.scalars import JSON

from ledger.canonical import decode
from ledger.dates import HomeZone, parse_edtf
from ledger.timeline import Dated, live_among, when
from projections import TABLES
from projections.timeline import OWN_COLUMNS
from schema.pagination import Edge, PageInfo
from schema.reading import (
    Info,
    Planned,
    ToList,
    ToOne,
    ToPage,
    ToRecord,
    any_of,
    column,
    condition,
    looked_up,
    made,
    part,
    planned,
    reads,
)
from schema.scalars import BigInt, Instant
from schema.values import ImpreciseDate

ENTRIES = "ledger.entries"

NEWEST_VERSION = """
    (SELECT max(entry.version)
       FROM ledger.entries AS last JOIN ledger.entries AS entry USING (record_id)
      WHERE last.position = {a}.position AND entry.position <= %(position)s)"""

OF_RECORD = """
    {t}.record_id = (SELECT record_id FROM ledger.entries WHERE position = {a}.position)
    AND {t}.position <= %(position)s"""

# From the entry that it corrects, and that corrects, back to the first: dates are inherited.
CHAIN = """
    ARRAY(WITH RECURSIVE chain AS (
        SELECT {a}.position, {a}.corrects, {a}.recorded_at, {a}.data
        UNION ALL
        SELECT entry.position, entry.corrects, entry.recorded_at, entry.data
          FROM chain JOIN ledger.entries AS entry ON entry.position = chain.corrects)
    SELECT ROW(recorded_at, data) FROM chain ORDER BY position)"""

# The entry, everything that corrects or annuls it, or what does so, and so on.
LATER = """
    ARRAY(WITH RECURSIVE later AS (
        SELECT {a}.position, {a}.corrects, {a}.annuls
        UNION ALL
        SELECT entry.position, entry.corrects, entry.annuls
          FROM later JOIN ledger.entries AS entry
            ON entry.corrects = later.position OR entry.annuls = later.position)
    SELECT ROW(position, corrects, annuls) FROM later
     WHERE position <= %(position)s ORDER BY position)"""

HOME_ZONE = "(SELECT value FROM ledger.settings WHERE name = 'home_zone')"


def _newest_row(at: str) -> str:
    """The last state of an entry's record as the ledger knew it at a position, as JSON text."""
    cases = " ".join(
        f"WHEN '{table.kind.name}' THEN (SELECT to_json(row)::text FROM projections.{table.name}"  # noqa: S608 - our own tables
        f" AS row WHERE row.key = {{a}}.key AND row.known @> {at} ORDER BY step DESC LIMIT 1)"
        for table in TABLES
    )
    return f"CASE {{a}}.kind {cases} END"


def global_id(kind: str, key: str) -> str:
    """The opaque id of a record: base64url of its kind and key."""
    return base64.urlsafe_b64encode(f"{kind}/{key}".encode()).decode().rstrip("=")


def from_global_id(text: str) -> tuple[str, str] | None:
    """The kind and the key of a record's id; None if it is not one."""
    try:
        padded = text + "=" * (-len(text) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
    kind, slash, key = decoded.partition("/")
    return (kind, key) if slash and "\0" not in decoded else None


def entries_page(on: str = "") -> ToPage:
    """A connection over entries, linked by `on` to the row above."""
    orders = {"POSITION": ("position", "int8")}
    return ToPage(ENTRIES, orders, on=on, unique="position", two_times=False)


@strawberry.interface(description="Anything that has a global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="An id that no other node has.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """Whether a planned object is of this GraphQL type."""
        return isinstance(value, Planned) and value.type_name == cls.__name__


@strawberry.type(description="The document that supports an entry.")
class Source:
    document: str = strawberry.field(description="Its symbol, or its title.")
    locator: str | None = strawberry.field(default=None, description="Where in the document.")
    sha256: str | None = strawberry.field(default=None, description="Of the evidence file.")


@strawberry.type(description="What an entry changed in the newest state of its record.")
class FieldChange:
    field: str = strawberry.field(description="The name of what changed.")
    before: str | None = strawberry.field(description="Its value before the entry, as text.")
    after: str | None = strawberry.field(description="Its value after it, as text.")


@strawberry.interface(description="What entries are about, seen as of one point in both times.")
class Record(Node):
    kind_name: ClassVar[str]
    table: ClassVar[str]

    id: strawberry.ID = made("The record's id among all nodes.", global_id, "{kind}", "key")
    kind: str = column("The kind of record.", "{kind}")
    key: strawberry.ID = column("The record's own key, unique in its kind.", "key")
    version: BigInt = column(
        "How many entries the record has, as far as was known: give it as `expectedVersion`.",
        NEWEST_VERSION,
    )

    @planned(entries_page(OF_RECORD), "The record's entries as far as was known, oldest first.")
    def history(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntryConnection:
        return looked_up(self, info)


def _stated(name: str) -> Any:
    return lambda data: decode(data).get(name)


def _source(data: bytes) -> Source | None:
    source = decode(data).get("source")
    return None if source is None else Source(**source)


def _effective(chain: Sequence[tuple[datetime, bytes]], zone: str) -> ImpreciseDate | None:
    """The date of an entry, within the bounds that its chain of corrections gives it."""
    dated: Dated | None = None
    text = None
    for recorded_at, data in chain:
        stated = decode(data)
        edtf = stated.get("effective")
        text = stated.get("effective_text", text)
        if edtf is not None or dated is not None:
            given = None if edtf is None else parse_edtf(edtf)
            dated = when(given, recorded_at, dated, HomeZone(zone))
    if dated is None:
        return None
    return ImpreciseDate(
        edtf=dated.effective.text,
        earliest=dated.earliest,
        latest=dated.latest,
        words=dated.effective.in_words,
        text=text,
    )


def _is_live(later: Sequence[tuple[int, int | None, int | None]], position: int) -> bool:
    return position in live_among(later)


def _changes(before: str | None, after: str | None) -> list[FieldChange]:
    old, new = (json.loads(row, parse_float=str) if row else {} for row in (before, after))
    return [
        FieldChange(field=_camel(name), before=_shown(old.get(name)), after=_shown(new.get(name)))
        for name in {**old, **new}
        if name not in OWN_COLUMNS and old.get(name) != new.get(name)
    ]


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@strawberry.type(description="One immutable entry of the ledger.")
class Entry(Node):
    position: BigInt = column("Its place in the whole ledger: 1, 2, 3 … without gaps.", "position")
    id: strawberry.ID = made("The entry's own UUID.", str, "id")
    type: str = column("The stored name of what happened: contribution.received …", "name")
    kind: str = column("The kind of the record that it is about.", "kind")
    key: strawberry.ID = column("The key of that record.", "key")
    record: Record | None = reads(
        ToRecord(), "That record as of the point of the query, or as of now under `entries`."
    )
    version: BigInt = column("Its place in that record's history: 1, 2, 3 …", "version")
    effective: ImpreciseDate | None = made(
        "When it was true; nothing in an annulment.", _effective, CHAIN, HOME_ZONE
    )
    recorded_at: Instant = column(
        "When the ledger took it, or an older register had.", "recorded_at"
    )
    appended_at: Instant = column("When it was in truth appended.", "appended_at")
    recorded_by: str = column("The opaque id of whoever recorded it.", "recorded_by")
    source: Source | None = made("The document that supports it.", _source, "data")
    basis: str | None = made("How the source supports it: quoted …", _stated("basis"), "data")
    note: str | None = made("What to know before relying on it.", _stated("note"), "data")
    reason: str | None = made("Why it was recorded, or corrects.", _stated("reason"), "data")
    registered_on: str | None = made(
        "The day on which an older register took it.", _stated("registered_on"), "data"
    )
    corrects: Entry | None = reads(
        ToOne(ENTRIES, "{t}.position = {a}.corrects"), "The entry that this one replaces."
    )
    annuls: Entry | None = reads(
        ToOne(ENTRIES, "{t}.position = {a}.annuls"), "The entry that this one takes back."
    )
    corrected_by: list[Entry] = reads(
        ToList(
            ENTRIES,
            "({t}.corrects = {a}.position OR {t}.annuls = {a}.position)"
            " AND {t}.position <= %(position)s",
            "{t}.position",
        ),
        "The entries that correct or annul this one, live or not.",
    )
    is_live: bool = made(
        "Whether it was neither replaced nor annulled, as far as was known.",
        _is_live,
        LATER,
        "position",
    )
    changes: list[FieldChange] = made(
        "What it changed in the newest state of its record.",
        _changes,
        _newest_row("{a}.position - 1"),
        _newest_row("{a}.position"),
    )
    body: JSON | None = made(
        "The event's fields as stored; personal text is encrypted.", _stated("event"), "data"
    )


@strawberry.type(description="A page of entries, in the order of their positions.")
class EntryConnection:
    edges: list[Edge[Entry]] = part("The nodes with their cursors.")
    nodes: list[Entry] = part("The nodes of the edges, for short.")
    page_info: PageInfo = part("Where the page lies among the others.")
    total_count: BigInt = part(
        "How many entries there are, whatever the page. Counted only when selected."
    )


@strawberry.input(description="Which entries; what is left out asks nothing.")
class EntryFilter:
    kind: list[str] | None = any_of("About records of these kinds.", "kind")
    key: list[strawberry.ID] | None = any_of("About records with these keys.", "key")
    type: list[str] | None = any_of("With these stored names.", "name")
    recorded_by: list[str] | None = any_of("Recorded by one of these.", "recorded_by")
    after_position: BigInt | None = condition(
        "Later than this position.", "{a}.position > {value}", "int8"
    )
