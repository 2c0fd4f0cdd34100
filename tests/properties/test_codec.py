"""The stored form of every registered event: nothing is lost, nothing personal can be read."""

import json
from copy import deepcopy
from datetime import date, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import ERASED, EntryMapper, digest
from ledger.dates import format_moment, parse_edtf, parse_moment
from ledger.entry import Proposal, Source, Statement, record_id
from ledger.kind import AnyEvent, Field, fields_of
from projections import REGISTRY
from tests.properties.strategies import dates, values

MAPPER = EntryMapper(REGISTRY)
RECORD = record_id("test", "T-1")
KEY = bytes(range(32))

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
PERSON_NAMES = st.text("АБВГДабвгд", min_size=4)
NAMES = list(REGISTRY.event_names())
PERSONAL = [name for name in NAMES if REGISTRY.event(name)[1].personal]

every_event = pytest.mark.parametrize("name", NAMES)
every_personal_event = pytest.mark.parametrize("name", PERSONAL)
# The machine that tests may be busy; how long an example takes says nothing.
unhurried = settings(deadline=None, max_examples=20)


def _value(field: Field) -> st.SearchStrategy[Any]:
    """Any text at all where the rules' own strategies have a few tame words."""
    if field.personal:
        return PERSON_NAMES
    if field.type is not str:
        return values(field)
    return TEXTS | st.none() if field.optional else TEXTS


def events(name: str) -> st.SearchStrategy[AnyEvent]:
    """Any event of a stored name."""
    event_class = REGISTRY.event(name)[1]
    given_values = {field.name: _value(field) for field in fields_of(event_class)}
    return st.fixed_dictionaries(given_values).map(lambda drawn: event_class(**drawn))


SOURCES = st.builds(
    Source,
    document=TEXTS,
    locator=st.none() | TEXTS,
    sha256=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001  # As asked.
    lambda naive: parse_moment(f"{naive.isoformat(timespec='microseconds')}Z")
)


@st.composite
def statements(draw: st.DrawFn, name: str) -> Statement:
    """Any statement of an event of a stored name."""
    optional = {text: draw(st.none() | TEXTS) for text in ("effective_text", "basis", "note")}
    return Statement(
        event=draw(events(name)),
        effective=draw(st.none() | dates().map(parse_edtf)),
        recorded_by=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", fullmatch=True)),
        source=draw(st.none() | SOURCES),
        reason=draw(st.none() | TEXTS),
        registered_on=draw(st.none() | st.dates()),
        **optional,
    )


@st.composite
def proposals(draw: st.DrawFn, name: str) -> Proposal:
    """Any proposal of an event of a stored name."""
    return Proposal(
        kind=REGISTRY.event(name)[0].name,
        key=draw(st.sampled_from(["A", "B"])),
        statement=draw(statements(name)),
        corrects=draw(st.none() | TEXTS),
        recorded_on=draw(st.none() | MOMENTS),
    )


def encode(statement: Statement, **options: Any) -> bytes:
    return MAPPER.encode(RECORD, statement, KEY, **options)


def decode(name: str, data: bytes, key: bytes | None = KEY) -> Statement:
    return MAPPER.decode(name, RECORD, data, key)


@every_event
@given(data=st.data())
@unhurried
def test_decoding_gives_back_the_statement(name: str, data: st.DataObject) -> None:
    statement = data.draw(statements(name))
    assert decode(name, encode(statement)) == statement


@every_event
@given(data=st.data())
@unhurried
def test_the_bytes_are_canonical_and_only_the_salt_and_ciphertexts_vary(
    name: str, data: st.DataObject
) -> None:
    statement = data.draw(statements(name))
    stored = encode(statement)
    first, second = json.loads(stored), json.loads(encode(statement))
    assert rfc8785.dumps(first) == stored
    assert len(bytes.fromhex(first["salt"])) == len(bytes.fromhex(second["salt"])) == 16
    assert first.pop("salt") != second.pop("salt")
    for personal in REGISTRY.event(name)[1].personal:
        assert first["event"].pop(personal) != second["event"].pop(personal)
    assert first == second


@every_personal_event
@given(data=st.data())
@unhurried
def test_nothing_personal_is_in_the_bytes(name: str, data: st.DataObject) -> None:
    statement = data.draw(statements(name))._replace(note=None, reason=None, basis=None)
    statement = statement._replace(effective_text=None, source=None)
    stored = encode(statement)
    event = statement.event
    for field in REGISTRY.event(name)[1].personal:
        text = getattr(event, field)
        assert text.encode() not in stored
        assert json.dumps(text).strip('"').encode() not in stored
        assert text not in str(json.loads(stored))


@every_personal_event
@given(data=st.data())
@unhurried
def test_without_the_key_only_what_is_personal_is_lost(name: str, data: st.DataObject) -> None:
    statement = data.draw(statements(name))
    assert statement.event is not None
    erased: dict[str, Any] = dict.fromkeys(type(statement.event).personal, ERASED)
    kept = {f.name: getattr(statement.event, f.name) for f in fields_of(type(statement.event))}
    expected = statement._replace(event=type(statement.event)(**kept | erased))
    assert decode(name, encode(statement), None) == expected


@every_personal_event
@given(data=st.data(), key=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
@unhurried
def test_a_ciphertext_is_read_with_its_key_in_its_place_alone(
    name: str, data: st.DataObject, key: bytes
) -> None:
    stored = encode(data.draw(statements(name)))
    others = [other for other in PERSONAL if other != name]
    with pytest.raises(ValueError, match="does not decrypt under its key"):
        decode(name, stored, key)
    with pytest.raises(ValueError, match="does not decrypt under its key"):
        MAPPER.decode(name, record_id("test", "T-2"), stored, KEY)
    for other in others:
        with pytest.raises(ValueError, match="does not decrypt under its key"):
            decode(other, stored)


@every_event
@given(data=st.data())
@unhurried
def test_equal_content_has_equal_digests(name: str, data: st.DataObject) -> None:
    proposal = data.draw(proposals(name))
    again = deepcopy(proposal)._replace(
        label="a label", idempotency_key="a key", expected_version=7
    )
    assert digest(again, KEY) == digest(proposal, KEY)


@every_event
@given(data=st.data())
@unhurried
def test_other_content_has_another_digest(name: str, data: st.DataObject) -> None:
    proposal, other = data.draw(proposals(name)), data.draw(proposals(name))
    for changed in one_thing_changed(proposal, other):
        assert (digest(changed, KEY) == digest(proposal, KEY)) == (
            plainly(changed) == plainly(proposal)
        ), changed


def one_thing_changed(proposal: Proposal, other: Proposal) -> list[Proposal]:
    """Copies of `proposal`, each with one thing as it is in `other`."""
    statement, event = proposal.statement, proposal.statement.event
    assert event is not None
    changed = [
        proposal._replace(**{name: getattr(other, name)})
        for name in ("kind", "key", "corrects", "recorded_on")
    ]
    for name in Statement._fields:
        value = {name: getattr(other.statement, name)}
        changed.append(proposal._replace(statement=statement._replace(**value)))
    for event_field in fields_of(type(event)):
        mixed = {f.name: getattr(event, f.name) for f in fields_of(type(event))}
        mixed[event_field.name] = getattr(other.statement.event, event_field.name)
        mixed_event = type(event)(**mixed)
        changed.append(proposal._replace(statement=statement._replace(event=mixed_event)))
    return changed


def plainly(value: Any) -> Any:
    """Content as text, without help of the codec: 1.0 and 1.00 are written differently."""
    if isinstance(value, Proposal):
        names = ("kind", "key", "statement", "corrects", "annuls", "recorded_on")
        return [plainly(getattr(value, name)) for name in names]
    if isinstance(value, Statement):
        return [plainly(said) for said in value]
    if isinstance(value, datetime):
        return format_moment(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


@every_personal_event
@given(data=st.data(), key=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
@unhurried
def test_nobody_without_the_key_can_try_names_against_a_digest(
    name: str, data: st.DataObject, key: bytes
) -> None:
    proposal = data.draw(proposals(name))
    assert digest(proposal, key) != digest(proposal, KEY)
