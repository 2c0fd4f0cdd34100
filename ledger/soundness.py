"""Whether the log is sound: each entry agrees with its header, its data and its place.

Nothing is taken for granted that the database should have refused: columns are held to the bytes
beside them, bytes to their hashes, and the order of entries to the rules by which they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from ledger.canonical import canonical, decode
from ledger.codec import header
from ledger.database import AnyConnection
from ledger.dates import format_moment
from ledger.entry import Entry, record_id
from ledger.kind import ANNULLED, Registry
from ledger.merkle import leaf_hash
from ledger.recorder import RAW_KIND
from ledger.refusal import NotFound
from ledger.store import COLUMNS
from ledger.stream import streamed
from ledger.timeline import live_positions

MOST_LISTED = 1_000
"""So many problems are listed; a ledger with more of them needs no longer list."""

ROWS = f"SELECT {COLUMNS}, leaf_hash FROM ledger.entries ORDER BY position"  # noqa: S608  # COLUMNS is a constant.

HEAD = "SELECT position, recorded_at, live_from, clock_timestamp() FROM ledger.head"

SAME_IDS = """
    SELECT id, array_agg(position ORDER BY position) FROM ledger.entries
     GROUP BY id HAVING count(*) > 1 ORDER BY 2
"""

UNFOUNDED_ANSWERS = """
    SELECT principal, idempotency.key, position
      FROM ledger.idempotency LEFT JOIN ledger.entries USING (position)
     WHERE entries.position IS NULL
     ORDER BY principal, idempotency.key
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: `entry 17`, `the head`, `projections.states KAZ`.

    An error contradicts what the ledger promises; a warning is for somebody to look at.
    """

    severity: Literal["error", "warning"]
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.what}"


@dataclass(slots=True)
class Findings:
    """The problems found so far: at most `MOST_LISTED` of them listed, all of them counted."""

    problems: list[Problem] = field(default_factory=list)
    errors: int = 0
    warnings: int = 0

    def error(self, where: str, what: str) -> None:
        """Note something that contradicts what the ledger promises."""
        self.errors += 1
        self._list(Problem("error", where, what))

    def warning(self, where: str, what: str) -> None:
        """Note something that is for somebody to look at."""
        self.warnings += 1
        self._list(Problem("warning", where, what))

    def _list(self, problem: Problem) -> None:
        if len(self.problems) < MOST_LISTED:
            self.problems.append(problem)


class StoredRow(NamedTuple):
    """A row of the log as it is stored, in the order of `ROWS`."""

    position: int
    record_id: UUID
    version: int
    id: UUID
    family: str
    kind: str
    key: str
    name: str
    corrects: int | None
    annuls: int | None
    recorded_at: datetime
    appended_at: datetime
    recorded_by: str
    header: bytes
    data: bytes
    leaf_hash: bytes | None


class StoredHead(NamedTuple):
    """The log's end as the head row has it; `now` is the database's clock."""

    position: int
    recorded_at: datetime | None
    live_from: int | None
    now: datetime


def check_log(
    connection: AnyConnection,
    home_zone: str,
    findings: Findings,
    progress: Callable[[int], None],
) -> None:
    """Check each entry by itself and against the one before it, and what points to entries.

    The connection is in a transaction; `progress` is called with the number of entries read.
    """
    head = read_head(connection)
    before: StoredRow | None = None
    for count, values in enumerate(streamed(connection, "log_by_position", ROWS), start=1):
        row = StoredRow(*values)
        for problem in check_row(row, home_zone):
            findings.error(f"entry {row.position}", problem)
        for problem in _gap(row.position, before):
            findings.error("the log", problem)
        for problem in _moments(row, before, head.live_from):
            findings.error(f"entry {row.position}", problem)
        for remark in _remarks(row, before, head.now):
            findings.warning(f"entry {row.position}", remark)
        before = row
        progress(count)
    for problem in _head(head, before):
        findings.error("the head", problem)
    for id, positions in streamed(connection, "same_ids", SAME_IDS):
        listed = ", ".join(map(str, positions))
        findings.error(f"entries {listed}", f"have the same id, {id}")
    for owner, key, position in streamed(connection, "unfounded_answers", UNFOUNDED_ANSWERS):
        where = f"idempotency key {key!r} of {owner}"
        findings.error(where, f"names entry {position}, which does not exist")


def read_head(connection: AnyConnection) -> StoredHead:
    """The head row."""
    row = connection.execute(HEAD).fetchone()
    assert row is not None, "the migration puts the one row there"
    return StoredHead(*row)


def check_row(row: StoredRow, home_zone: str) -> Iterator[str]:
    """What is wrong with an entry, whatever else is in the log."""
    yield from _header(row, home_zone)
    if row.leaf_hash != leaf_hash(row.header):
        yield "its leaf hash is not that of its header"
    if row.id.version != 7:
        yield f"its id, {row.id}, is not a UUID of version 7"
    if row.kind == RAW_KIND:
        # The library gives its records ids of its own, and its data is not ours to read.
        if row.key != str(row.record_id):
            yield f"its key is {row.key!r}, its record's id {row.record_id}"
        return
    if row.record_id != record_id(row.kind, row.key):
        yield f"its record's id, {row.record_id}, is not that of {row.kind} {row.key!r}"
    yield from _data(row)


def _header(row: StoredRow, home_zone: str) -> Iterator[str]:
    """How the header differs from the one that the columns and the data call for."""
    wanted = header({**row._asdict(), "home_zone": home_zone}, row.data)
    if row.header == wanted:
        return
    stored = _object(row.header)
    if stored is None:
        yield "its header is not a JSON object"
        return
    if not _is_canonical(row.header):
        yield "its header is not in canonical form"
    from_columns = decode(wanted)
    for name in sorted(stored.keys() | from_columns.keys()):
        said, found = stored.get(name), from_columns.get(name)
        if said != found and name == "data":
            yield f"its data has the SHA-256 {found}, its header says {said}"
        elif said != found:
            yield f"its header says {name} is {_shown(said)}, its column says {_shown(found)}"


def _data(row: StoredRow) -> Iterator[str]:
    content = _object(row.data)
    if content is None:
        yield "its data is not a JSON object"
        return
    if not _is_canonical(row.data):
        yield "its data is not in canonical form"
    if content.get("by") != row.recorded_by:
        yield (
            f"its data says {_shown(content.get('by'))} recorded it,"
            f" its column says {_shown(row.recorded_by)}"
        )


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        content = decode(data)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _is_canonical(data: bytes) -> bool:
    try:
        return canonical(decode(data)) == data
    except (TypeError, ValueError):
        return False


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)


def _gap(position: int, before: StoredRow | None) -> Iterator[str]:
    first_missing = 1 if before is None else before.position + 1
    if position == first_missing + 1:
        yield f"entry {first_missing} is missing"
    elif position > first_missing:
        yield f"entries {first_missing} to {position - 1} are missing"


def _moments(row: StoredRow, before: StoredRow | None, live_from: int | None) -> Iterator[str]:
    """Whether an entry's moments follow from each other, and from those of the one before it."""
    recorded, appended = format_moment(row.recorded_at), format_moment(row.appended_at)
    if before is not None and row.recorded_at < before.recorded_at:
        yield (
            f"it was recorded at {recorded}, before entry {before.position}"
            f" ({format_moment(before.recorded_at)})"
        )
    elif live_from is not None and row.position >= live_from:
        # Only when the clock was set back is a live entry recorded later than appended.
        earliest = row.appended_at if before is None else max(row.appended_at, before.recorded_at)
        if row.recorded_at != earliest:
            yield (
                f"it was recorded live, and so at {format_moment(earliest)},"
                f" but its moment is {recorded}"
            )
    elif row.recorded_at > row.appended_at:
        yield f"it was recorded at {recorded}, but appended earlier, at {appended}"
    elif row.recorded_at == row.appended_at:
        live = "never live" if live_from is None else f"live only from entry {live_from} on"
        yield f"it was recorded live, at {recorded}, but the head says the ledger was {live}"


def _remarks(row: StoredRow, before: StoredRow | None, now: datetime) -> Iterator[str]:
    if before is not None and row.appended_at < before.appended_at:
        yield (
            f"it was appended at {format_moment(row.appended_at)}, by the clock before entry"
            f" {before.position}: the clock was set back"
        )
    if row.appended_at > now:
        yield (
            f"it was appended at {format_moment(row.appended_at)}, which by the database's clock"
            " is still to come"
        )
    if row.kind == RAW_KIND:
        yield "the library's recorder appended it, so no rule admitted it and no read model has it"


def _head(head: StoredHead, last: StoredRow | None) -> Iterator[str]:
    position = 0 if last is None else last.position
    if head.position != position:
        yield f"its position is {head.position}, that of the last entry {position}"
    recorded_at = None if last is None else last.recorded_at
    if head.recorded_at != recorded_at:
        said, found = (
            "missing" if moment is None else format_moment(moment)
            for moment in (head.recorded_at, recorded_at)
        )
        yield f"its moment is {said}, that of the last entry {found}"
    if head.live_from is not None and not 1 <= head.live_from <= position:
        yield f"it says the ledger is live from entry {head.live_from} on, which does not exist"


def check_history(entries: Sequence[Entry], registry: Registry) -> Iterator[tuple[Entry, str]]:
    """What is wrong with the entries of one record, in the order of their versions.

    Each problem comes with the entry at which it shows.
    """
    for index, entry in enumerate(entries):
        if entry.version != index + 1:
            yield entry, f"it has version {entry.version} and is number {index + 1} of its record"
            # What follows would be off by as much.
            return
        if index and entry.position < entries[index - 1].position:
            yield entry, f"its version follows that of entry {entries[index - 1].position}"
        for problem in _kind(entry, registry):
            yield entry, problem
        if entry.target is not None:
            for problem in _target(entry, entry.target, entries[:index]):
                yield entry, problem


def _kind(entry: Entry, registry: Registry) -> Iterator[str]:
    try:
        kind = registry.kind(entry.kind)
    except NotFound as refusal:
        yield refusal.message
        return
    if entry.family != kind.family:
        yield f"its family is {entry.family!r}, that of its kind {kind.family!r}"
    if (entry.name == ANNULLED) != (entry.annuls is not None):
        yield f"its name is {entry.name!r}, and it annuls {_shown(entry.annuls)}"
    elif entry.name != ANNULLED and registry.event(entry.name)[0] is not kind:
        yield f"{entry.name} is not an event of a {kind.name}"


def _target(entry: Entry, target: int, before: Sequence[Entry]) -> Iterator[str]:
    verb = "annuls" if entry.corrects is None else "corrects"
    if all(earlier.position != target for earlier in before):
        yield f"it {verb} entry {target}, which is no earlier one of its record"
    elif target not in live_positions(before):
        yield f"it {verb} entry {target}, which was not live any more"
