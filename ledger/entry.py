"""An entry of the ledger: the header that only the lock can know, and what its recorder stated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from ledger.dates import Edtf
from ledger.kind import AnyEvent
from ledger.refusal import Malformed

_RECORDS = uuid5(NAMESPACE_URL, "urn:secretariat:record")
# An id like a person's, or the one lower-case word of a service: no place for a name.
_PRINCIPAL = re.compile(r"[A-Z]{1,3}-[0-9]{1,12}|[a-z][a-z0-9]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


# The id of one record is asked for several times while a proposal is on its way.
@lru_cache(maxsize=4_096)
def record_id(kind: str, key: str) -> UUID:
    """The UUID of a record: uuid5 of its kind and key, so that one key can be opened only once."""
    return uuid5(_RECORDS, f"{kind}/{key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The document that supports an entry.

    `sha256` is of the evidence file, where there is one: 64 lower-case hexadecimal digits.
    """

    document: str
    locator: str | None = None
    sha256: str | None = None

    def check(self) -> None:
        """Raise `Malformed` for an empty document or a hash of another form."""
        if not self.document.strip():
            raise Malformed("a source names a document", field="source")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise Malformed(
                f"{self.sha256!r} is not a SHA-256 in 64 lower-case hexadecimal digits",
                field="evidence_sha256",
            )


class Statement(NamedTuple):
    """What the recorder said: the event, when it was true, on what ground.

    `effective` is empty in an annulment, and in a correction that leaves the date alone.
    `effective_text` keeps the words of the source beside it. `recorded_by` is an opaque id.
    `basis` is how the source supports the entry (quoted, derived, public, illustrative …).
    `registered_on` is the day on which an older register took it, where the ledger took it later.
    """

    event: AnyEvent | None
    recorded_by: str
    effective: Edtf | None = None
    effective_text: str | None = None
    source: Source | None = None
    basis: str | None = None
    note: str | None = None
    reason: str | None = None
    registered_on: date | None = None

    def check(self) -> None:
        """Raise `Malformed` for what no entry may state."""
        if not _PRINCIPAL.fullmatch(self.recorded_by):
            raise Malformed(
                f"{self.recorded_by!r} is not an opaque id of a principal: P-001, or a service in"
                " one lower-case word",
                field="recorded_by",
            )
        if self.source is not None:
            self.source.check()


class Proposal(NamedTuple):
    """A statement that somebody wants recorded.

    `corrects` and `annuls` name an entry of the same record: by its id, by `kind/key/version`, or
    by the `label` of another proposal of the same set. `recorded_on` is the moment that an older
    register states; None is now. It and `registered_on` of the statement exclude each other;
    `recorded_as` is how the register says either, by which a retry is known. An `idempotency_key`
    belongs to `key_owner`, or else to `statement.recorded_by`.
    """

    kind: str
    key: str
    statement: Statement
    corrects: str | None = None
    annuls: str | None = None
    label: str | None = None
    recorded_on: datetime | None = None
    recorded_as: str | None = None
    idempotency_key: str | None = None
    key_owner: str | None = None
    expected_version: int | None = None

    @property
    def key_name(self) -> tuple[str, str] | None:
        """The owner of the idempotency key, and the key; None without one."""
        if self.idempotency_key is None:
            return None
        return self.key_owner or self.statement.recorded_by, self.idempotency_key


class Entry(NamedTuple):
    """One immutable entry, decoded.

    `corrects` and `annuls` are positions. `name` is the stored name. `header` and `data` are the
    exact bytes that were stored.
    """

    position: int
    id: UUID
    family: str
    kind: str
    key: str
    version: int
    name: str
    corrects: int | None
    annuls: int | None
    recorded_at: datetime
    appended_at: datetime
    statement: Statement
    header: bytes
    data: bytes

    @property
    def target(self) -> int | None:
        """The position of the entry that this one corrects or annuls."""
        return self.annuls if self.corrects is None else self.corrects

    @property
    def event(self) -> AnyEvent | None:
        """The event; None in an annulment."""
        return self.statement.event

    def row(self) -> tuple[Any, ...]:
        """The values of this entry's columns, in the order of `ledger.store.COLUMNS`."""
        return (
            self.position,
            record_id(self.kind, self.key),
            self.version,
            self.id,
            self.family,
            self.kind,
            self.key,
            self.name,
            self.corrects,
            self.annuls,
            self.recorded_at,
            self.appended_at,
            self.statement.recorded_by,
            self.header,
            self.data,
        )
