"""The stored form, by examples: shapes that have changed, headers, and what is too large."""

import base64
import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest

from ledger.codec import (
    CIPHER,
    ERASED,
    LONGEST_DATA,
    EntryMapper,
    Recorded,
    digest,
    seal,
    value_of,
)
from ledger.dates import Edtf, parse_edtf
from ledger.entry import Proposal, Statement, record_id
from ledger.kind import ANNULLED, Field, Kind, Opening, Registry
from ledger.refusal import Malformed, NotFound

KEY = bytes(range(32))
RECORD = record_id("grant", "G-1")


class Color(StrEnum):
    """A choice."""

    RED = "red"


class Granted(Opening[int], stored_as="grant.granted", personal=("holder", "contact")):
    """Third shape: `sum` became `amount` in the second, and `currency` came with the third."""

    class_version: ClassVar[int] = 3

    holder: str
    contact: str | None = None
    amount: Decimal
    currency: str

    @staticmethod
    def upcast_v1_v2(body: dict[str, Any]) -> None:
        body["amount"] = body.pop("sum")

    @staticmethod
    def upcast_v2_v3(body: dict[str, Any]) -> None:
        body["currency"] = "USD"


GRANT = Kind(name="grant", family="test", events=(Granted,), key_column="grant", key_example="G-1")
MAPPER = EntryMapper(Registry([GRANT]))
EVENT = Granted(holder="Aigerim Testova", contact="Almaty", amount=Decimal("1.50"), currency="KZT")


def stated(**given: Any) -> Statement:
    usual: dict[str, Any] = {"event": EVENT, "effective": parse_edtf("2023"), "recorded_by": "me"}
    return Statement(**usual | given)


def stored(statement: Statement | None = None) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(MAPPER.encode(RECORD, statement or stated(), KEY))
    return content


def decoded(content: dict[str, Any], name: str = "grant.granted") -> Statement:
    return MAPPER.decode(name, RECORD, json.dumps(content).encode(), KEY)


def test_what_is_empty_is_left_out() -> None:
    content = stored(stated(event=Granted(holder="A", amount=Decimal(1), currency="KZT")))
    assert content.keys() == {"by", "effective", "event", "event_version", "salt"}
    assert content["event"].keys() == {"holder", "amount", "currency"}
    assert content["event_version"] == 3


def test_a_body_of_an_older_shape_is_brought_to_the_present_one() -> None:
    second = stored()
    del second["event"]["currency"]
    second["event_version"] = 2
    first = {**second, "event_version": 1, "event": dict(second["event"])}
    first["event"]["sum"] = first["event"].pop("amount")
    for older in (first, second):
        event = decoded(older).event
        assert event == Granted(
            holder="Aigerim Testova", contact="Almaty", amount=Decimal("1.50"), currency="USD"
        )


def test_a_ciphertext_is_not_read_in_another_field() -> None:
    content = stored()
    body = content["event"]
    body["holder"], body["contact"] = body["contact"], body["holder"]
    with pytest.raises(ValueError, match=f"holder of record {RECORD} does not decrypt"):
        decoded(content)


def test_a_ciphertext_says_its_cipher_and_begins_with_its_nonce() -> None:
    first, second = (stored()["event"]["holder"] for _ in range(2))
    assert first.keys() == {CIPHER}
    assert first[CIPHER][:16] != second[CIPHER][:16]


def sealed_length(name: str) -> int:
    """How many bytes a name takes when it is stored; it is read again as it was."""
    content = stored(stated(event=Granted(holder=name, amount=Decimal(1), currency="KZT")))
    event = decoded(content).event
    assert isinstance(event, Granted)
    assert event.holder == name
    return len(base64.b64decode(content["event"]["holder"][CIPHER]))


def test_the_length_of_a_ciphertext_says_only_how_many_blocks_of_text_there_are() -> None:
    nonce_and_tag = 12 + 16
    # Of each block's 64 bytes one may be needed to mark the end of the text.
    blocks = {1: 1, 50: 1, 62: 1, 63: 1, 64: 2, 65: 2, 127: 2, 128: 3}
    for length, count in blocks.items():
        assert sealed_length("A" * length) == nonce_and_tag + 64 * count, length
    assert sealed_length("я" * 31) == sealed_length("A")
    assert sealed_length("я" * 32) == sealed_length("A" * 64)


@pytest.mark.parametrize("end", ["\u0080", "\x80\x80", "р", "A\n", "À"])
def test_no_end_of_a_text_is_taken_for_padding(end: str) -> None:
    for length in (1, 61, 62, 63, 64):
        sealed_length("A" * length + end)


def test_a_person_whose_key_was_destroyed_is_neither_read_nor_written_about() -> None:
    data = MAPPER.encode(RECORD, stated(), KEY)
    event = MAPPER.decode("grant.granted", RECORD, data, None).event
    assert event == Granted(holder=ERASED, contact=ERASED, amount=Decimal("1.50"), currency="KZT")
    with pytest.raises(Malformed, match=r"^the person's key was destroyed$") as refused:
        MAPPER.encode(RECORD, stated(), None)
    assert refused.value.field == "holder"
    with pytest.raises(Malformed, match=r"^the person's key was destroyed$"):
        digest(Proposal(kind="grant", key="G-1", statement=stated()), None)


def test_an_entry_holds_so_many_bytes_and_no_more() -> None:
    room = LONGEST_DATA - len(MAPPER.encode(RECORD, stated(note=""), KEY))
    assert len(MAPPER.encode(RECORD, stated(note="x" * room), KEY)) == LONGEST_DATA
    with pytest.raises(Malformed, match=r"^the entry has 65536 bytes; at most 65535 are stored$"):
        MAPPER.encode(RECORD, stated(note="x" * (room + 1)), KEY)


def test_an_annulment_has_no_event() -> None:
    statement = stated(event=None, effective=None, reason="entered twice")
    content = stored(statement)
    assert content.keys() == {"by", "reason", "salt"}
    assert decoded(content, ANNULLED) == statement


def test_an_unknown_name_is_not_decoded() -> None:
    with pytest.raises(NotFound, match=r"'grant.lost' is not the stored name of an event"):
        decoded(stored(), "grant.lost")


def test_the_library_maps_statements_there_and_back() -> None:
    mapper = EntryMapper(Registry([GRANT]), {RECORD: KEY}.get)
    recorded = Recorded(RECORD, 4, "grant.granted", stated())
    event = mapper.to_stored_event(recorded)
    assert (event.originator_id, event.originator_version) == (RECORD, 4)
    assert event.topic == "grant.granted"
    assert mapper.to_domain_event(event) == recorded


def test_a_retry_after_a_release_with_another_shape_has_the_same_digest() -> None:
    proposal = Proposal(kind="grant", key="G-1", statement=stated())
    before = digest(proposal, KEY)
    Granted.class_version = 4
    try:
        assert digest(proposal, KEY) == before
    finally:
        Granted.class_version = 3


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "text", "text"),
        (int, 2023, 2023),
        (bool, False, False),
        (Decimal, "10.50", Decimal("10.50")),
        (date, "2023-05-12", date(2023, 5, 12)),
        (
            datetime,
            "2023-05-12T10:00:00.000001Z",
            datetime(2023, 5, 12, 10, 0, 0, 1, tzinfo=UTC),
        ),
        (Edtf, "2023-05~", parse_edtf("2023-05~")),
        (Color, "red", Color.RED),
    ],
)
def test_each_type_of_field_is_read_from_its_stored_form(kind: Any, text: Any, value: Any) -> None:
    field = Field("field", kind, optional=False, refers_to=None, personal=False)
    read = value_of(field, text)
    assert read == value
    assert type(read) is kind


def test_a_header_says_what_only_the_lock_can_know() -> None:
    moment = datetime(2023, 5, 12, 10, tzinfo=UTC)
    known: dict[str, Any] = {
        "position": 7,
        "id": UUID(int=7),
        "family": "test",
        "kind": "grant",
        "key": "G-1",
        "version": 2,
        "name": "grant.granted",
        "corrects": 3,
        "annuls": None,
        "recorded_at": moment,
        "appended_at": moment.replace(microsecond=1),
    }
    entry = seal(known, "Asia/Almaty", stated(), b"{}")
    del known["annuls"]
    assert json.loads(entry.header) == known | {
        "id": "00000000-0000-0000-0000-000000000007",
        "recorded_at": "2023-05-12T10:00:00.000000Z",
        "appended_at": "2023-05-12T10:00:00.000001Z",
        "data": hashlib.sha256(b"{}").hexdigest(),
        "header_version": 1,
        "home_zone": "Asia/Almaty",
    }
    assert (entry.position, entry.target, entry.data) == (7, 3, b"{}")


def test_the_same_text_in_another_normal_form_is_the_same_content() -> None:
    composed, decomposed = "Türkiye", "Tu\u0308rkiye"
    assert composed != decomposed
    digests = {
        digest(Proposal(kind="grant", key="G-1", statement=stated(note=note)), KEY)
        for note in (composed, decomposed)
    }
    assert len(digests) == 1
