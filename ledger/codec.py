"""The stored form of entries: what becomes bytes, and how bytes become what they were.

Data is `{"basis", "by", "effective", "effective_text", "event", "event_version", "note", "reason",
"registered_on", "salt", "source"}`, what is empty left out. A header is `{"annuls" or "corrects",
"appended_at", "data" (its SHA-256), "family", "header_version", "home_zone", "id", "key", "kind",
"name", "position", "recorded_at", "version"}`; the zone is where the day of recording ended. Both
are for ever: tests/golden holds a body of every event.

The library's mapper and transcoder are subclassed rather than used as they are, because theirs
write Python's type names into the bytes; its convention for upcasting is kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any, NamedTuple, cast
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from ledger.canonical import canonical, decode, sha256
from ledger.dates import Edtf, format_moment, parse_edtf, parse_moment
from ledger.entry import Entry, Proposal, Source, Statement
from ledger.kind import ANNULLED, AnyEvent, Field, Registry, fields_of
from ledger.refusal import Malformed

CIPHER = "A256GCM"
"""The name of the cipher beside each ciphertext: AES-256-GCM, nonce of 12 bytes first."""

BLOCK = 64
"""Personal text is padded to a multiple of so many bytes: its length would say something of it."""

HEADER_VERSION = 1
"""The shape of headers. A header of another shape says another number."""

ERASED = "[erased]"
"""What stands for a personal text whose key was destroyed."""

LONGEST_DATA = 65_535
"""An entry bundle of a transparency log's tile holds entries of at most this many bytes."""


class CanonicalTranscoder(Transcoder):
    """The library's transcoder, writing RFC 8785."""

    def encode(self, obj: Any) -> bytes:
        return canonical(obj)

    def decode(self, data: bytes) -> Any:
        return decode(data)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decoded statement in its place in a record's history: the library's domain event."""

    originator_id: UUID
    originator_version: int
    topic: str
    statement: Statement


class EntryMapper(Mapper[UUID]):
    """Maps statements to stored bytes and back.

    `person_key` gives the key of a person's record, or None once it was destroyed.
    """

    def __init__(
        self, registry: Registry, person_key: Callable[[UUID], bytes | None] = lambda record: None
    ) -> None:
        super().__init__(CanonicalTranscoder())
        self.registry = registry
        self.person_key = person_key

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        recorded = cast(Recorded, domain_event)
        record = recorded.originator_id
        return StoredEvent(
            originator_id=record,
            originator_version=recorded.originator_version,
            topic=recorded.topic,
            state=self.encode(record, recorded.statement, self.person_key(record)),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        record = cast(UUID, stored_event.originator_id)
        name, data = stored_event.topic, stored_event.state
        return Recorded(
            originator_id=record,
            originator_version=stored_event.originator_version,
            topic=name,
            statement=self.decode(name, record, data, self.person_key(record)),
        )

    def encode(
        self,
        record: UUID,
        statement: Statement,
        person_key: bytes | None,
        *,
        salt: str | None = None,
    ) -> bytes:
        """Return the data bytes of `statement` about `record`; `Malformed` if they are too many."""
        return self._encoded(record, statement, _said(statement), person_key, salt)

    def encode_proposed(
        self, record: UUID, proposal: Proposal, person_key: bytes | None
    ) -> tuple[bytes, bytes]:
        """The same of what is proposed about `record`, and the digest of it."""
        # Written out once for both: that takes longer than either.
        statement, said = proposal.statement, _said(proposal.statement)
        data = self._encoded(record, statement, said, person_key, None)
        return data, _digest(proposal, said, person_key)

    def _encoded(
        self,
        record: UUID,
        statement: Statement,
        said: _Said,
        person_key: bytes | None,
        salt: str | None,
    ) -> bytes:
        event, content = statement.event, said.content.copy()
        if event is not None:
            content["event"] = said.event | {
                field.name: _stored(field, text, record, event, person_key)
                for field, text in said.personal
            }
        content["salt"] = salt or os.urandom(16).hex()
        data = self.transcoder.encode(content)
        if len(data) > LONGEST_DATA:
            raise Malformed(f"the entry has {len(data)} bytes; at most {LONGEST_DATA} are stored")
        return data

    def decode(self, name: str, record: UUID, data: bytes, person_key: bytes | None) -> Statement:
        """Return the statement that `data` holds under the stored name `name`."""
        content = self.transcoder.decode(data)
        event = None
        if name != ANNULLED:
            _, event_class = self.registry.event(name)
            body = dict(content["event"])
            for version in range(content["event_version"], event_class.class_version):
                getattr(event_class, f"upcast_v{version}_v{version + 1}")(body)
            event = event_class(
                **{
                    field.name: _plain(field, body.get(field.name), record, name, person_key)
                    for field in fields_of(event_class)
                }
            )
        return _statement(content, event)


def digest(proposal: Proposal, person_key: bytes | None) -> bytes:
    """The digest by which a retry is known to have the same content.

    It is over the plain text, personal fields by an HMAC under the person's key: equal content has
    equal digests, and nobody without the key can try names against it.
    """
    return _digest(proposal, _said(proposal.statement), person_key)


def _digest(proposal: Proposal, said: _Said, person_key: bytes | None) -> bytes:
    content = said.content.copy()
    if proposal.key_owner is not None:
        # Whoever uses the owner's key says the same as the owner.
        del content["by"]
    # What the body's shape is called says nothing of its content: a retry may come after a release.
    content.pop("event_version", None)
    content["record"] = [proposal.kind, proposal.key]
    for name in ("corrects", "annuls"):
        target = getattr(proposal, name)
        if target is not None:
            content[name] = target
    if proposal.recorded_as is not None:
        # What the register says stays the same; which moment is made of it depends on when.
        content.pop("registered_on", None)
        content["recorded_on"] = proposal.recorded_as
    elif proposal.recorded_on is not None:
        content["recorded_on"] = format_moment(proposal.recorded_on)
    event = proposal.statement.event
    if event is not None:
        content["name"] = event.stored_as
        content["event"] = said.event | {
            field.name: _sealed(text, person_key) for field, text in said.personal
        }
    plain = canonical(content)
    if not plain.isascii():
        # The same text typed on another system may come in another normal form of Unicode.
        plain = unicodedata.normalize("NFC", plain.decode()).encode()
    return hashlib.sha256(plain).digest()


def header(entry_fields: Mapping[str, Any], data: bytes) -> bytes:
    """Return the header bytes of an entry, given its fields other than the statement.

    `home_zone`, which bounds what is dated by the day of recording, is one of them.
    """
    content: dict[str, Any] = {
        "header_version": HEADER_VERSION,
        "home_zone": entry_fields["home_zone"],
        "appended_at": format_moment(entry_fields["appended_at"]),
        "data": sha256(data),
        "family": entry_fields["family"],
        "id": str(entry_fields["id"]),
        "key": entry_fields["key"],
        "kind": entry_fields["kind"],
        "name": entry_fields["name"],
        "position": entry_fields["position"],
        "recorded_at": format_moment(entry_fields["recorded_at"]),
        "version": entry_fields["version"],
    }
    for target in ("corrects", "annuls"):
        if entry_fields[target] is not None:
            content[target] = entry_fields[target]
    return canonical(content)


def seal(
    entry_fields: Mapping[str, Any], home_zone: str, statement: Statement, data: bytes
) -> Entry:
    """Put a header over `data` and return the whole entry."""
    head = header({**entry_fields, "home_zone": home_zone}, data)
    return Entry(**entry_fields, statement=statement, header=head, data=data)


class _Said(NamedTuple):
    """A statement in the stored form; apart from it its event, and of that the personal text."""

    content: dict[str, Any]
    event: dict[str, Any]
    personal: list[tuple[Field, str]]


def _said(statement: Statement) -> _Said:
    event, source = statement.event, statement.source
    content: dict[str, Any] = {"by": statement.recorded_by}
    if statement.effective is not None:
        content["effective"] = statement.effective.text
    texts = zip(_TEXTS, _texts_of(statement), strict=True)
    content |= {name: text for name, text in texts if text is not None}
    if statement.registered_on is not None:
        content["registered_on"] = statement.registered_on.isoformat()
    if source is not None:
        written = {"document": source.document, "locator": source.locator, "sha256": source.sha256}
        content["source"] = {name: text for name, text in written.items() if text is not None}
    if event is None:
        return _Said(content, {}, [])
    content["event_version"] = event.class_version
    values = _values(event)
    if not event.personal:
        return _Said(content, {field.name: _text(value) for field, value in values}, [])
    return _Said(
        content,
        {field.name: _text(value) for field, value in values if not field.personal},
        [(field, _text(value)) for field, value in values if field.personal],
    )


_TEXTS = ("effective_text", "basis", "note", "reason")
_texts_of = attrgetter(*_TEXTS)


def _statement(content: dict[str, Any], event: AnyEvent | None) -> Statement:
    effective, source = content.get("effective"), content.get("source")
    registered_on = content.get("registered_on")
    return Statement(
        event=event,
        effective=None if effective is None else parse_edtf(effective),
        effective_text=content.get("effective_text"),
        recorded_by=content["by"],
        source=None if source is None else Source(**source),
        basis=content.get("basis"),
        note=content.get("note"),
        reason=content.get("reason"),
        registered_on=None if registered_on is None else date.fromisoformat(registered_on),
    )


def _values(event: AnyEvent) -> list[tuple[Field, Any]]:
    """The fields of an event that are not empty, with their values."""
    return [
        (field, value)
        for field in fields_of(type(event))
        if (value := getattr(event, field.name)) is not None
    ]


def _stored(
    field: Field, text: str, record: UUID, event: AnyEvent, person_key: bytes | None
) -> dict[str, str]:
    """The stored form of personal text."""
    if person_key is None:
        raise Malformed("the person's key was destroyed", field=field.name)
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(person_key).encrypt(
        nonce, _padded(text), _place(record, event.stored_as, field.name)
    )
    return {CIPHER: base64.b64encode(nonce + sealed).decode()}


def _plain(field: Field, value: Any, record: UUID, name: str, person_key: bytes | None) -> Any:
    if value is None:
        return None
    if not field.personal:
        return value_of(field, value)
    if person_key is None:
        return ERASED
    sealed = base64.b64decode(value[CIPHER])
    try:
        text = AESGCM(person_key).decrypt(
            sealed[:12], sealed[12:], _place(record, name, field.name)
        )
    except InvalidTag:
        raise ValueError(
            f"{field.name} of record {record} does not decrypt under its key"
        ) from None
    return text.rstrip(b"\0")[:-1].decode()


def _padded(text: str) -> bytes:
    """The text, a byte 0x80, and zeros to the end of a block (ISO/IEC 7816-4)."""
    marked = text.encode() + b"\x80"
    return marked + bytes(-len(marked) % BLOCK)


def _place(record: UUID, name: str, field: str) -> bytes:
    """Binds a ciphertext to its place, so that it can't be moved to another record or field."""
    return canonical([str(record), name, field])


def _sealed(text: str, person_key: bytes | None) -> str:
    if person_key is None:
        raise Malformed("the person's key was destroyed")
    plain = unicodedata.normalize("NFC", text)
    return hmac.new(person_key, plain.encode(), hashlib.sha256).hexdigest()


def _text(value: Any) -> Any:
    """The stored form of a field's value: text, except for truth values and small numbers."""
    type_ = type(value)
    if type_ in _AS_IT_IS:
        return value
    if type_ in _WRITERS:
        return _WRITERS[type_](value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type_.__name__} has no stored form")


_AS_IT_IS = {str, int, bool}
_WRITERS: dict[type, Callable[[Any], str]] = {
    Decimal: "{:f}".format,
    Edtf: attrgetter("text"),
    date: date.isoformat,
    datetime: format_moment,
}


def value_of(field: Field, stored: Any) -> Any:
    """The value of a field from its stored form; ValueError or `Malformed` if it has none."""
    if field.type in (str, int, bool):
        return stored
    if field.type is Edtf:
        return parse_edtf(stored)
    if field.type is datetime:
        return parse_moment(stored)
    if field.type is date:
        return date.fromisoformat(stored)
    return field.type(stored)
