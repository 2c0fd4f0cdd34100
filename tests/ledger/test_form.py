"""What is refused before anything is locked or encoded: a mistake of form is never a crash.

The writer here has no database at all, so whatever is refused was refused without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ledger import budgets, secondments, states
from ledger.database import AnyConnection
from ledger.entry import Proposal, Source
from ledger.form import CODES
from ledger.kind import AnyEvent, Kind, Opening
from ledger.record import Ledger, SetRefused
from ledger.refusal import NotFound, Refused, Unusable
from ledger.treaty_participants import Denounced, Signed
from projections import REGISTRY
from tests.ledger.recording import (
    IN_TIME,
    account,
    annulled,
    moment,
    open_ledger,
    person,
    proposed,
    received,
    refused,
    renamed,
    state,
)

NO_TEXT = {
    "NUL": ("Kazakh\x00stan", "character 7 of the {} is U+0000, which is no text; leave it out"),
    "high surrogate": ("\ud800", "character 1 of the {} is U+D800, which is no text; leave it out"),
    "low surrogate": ("a\udfff", "character 2 of the {} is U+DFFF, which is no text; leave it out"),
    "escape": (
        "a\x1b[31m",
        "character 2 of the {} is U+001B, which is a control character; leave it out",
    ),
    "DEL": ("\x7f", "character 1 of the {} is U+007F, which is a control character; leave it out"),
    "override": (
        "paid \u202e0001",
        "character 6 of the {} is U+202E, which shows what follows in another order; leave it out",
    ),
    "isolate": (
        "a\u2066b",
        "character 2 of the {} is U+2066, which shows what follows in another order; leave it out",
    ),
    "byte order mark": (
        "a\ufeff",
        "character 2 of the {} is U+FEFF, which nobody can see; leave it out",
    ),
    "tag": (
        "a\U000e0041",
        "character 2 of the {} is U+E0041, which nobody can see; leave it out",
    ),
}

SEEN_IN_TEXTS_ALONE = {
    "right-to-left mark": "אב\u200f!",
    "joiner of Persian": "می\u200cخواهم",
    "break of Thai": "กรุง\u200bเทพ",
    "line end": "two\nlines",
    "no-break space": "1\u00a0000",
}
"""Texts that their languages are written with, each with a sign that can't be seen."""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """A writer that must not be asked to write."""

    def connect() -> AnyConnection:
        raise Unusable("nothing here was to reach the database")

    with open_ledger("", connecting=connect) as writer:
        yield writer


SOURCE = Source(document="CICA/1")
TEXT_FIELDS = {
    "name_en": lambda text: state(name_en=text),
    "name": lambda text: person("P-1", text),
    "state": lambda text: received("C-1", "1.00", state=text),
    "title": lambda text: proposed(
        "secondment", "S-1", secondments.Joined(person="P-1", state="KAZ", title=text)
    ),
    "effective_text": lambda text: state(effective_text=text),
    "basis": lambda text: state(basis=text),
    "note": lambda text: state(note=text),
    "reason": lambda text: state(reason=text),
    "source": lambda text: state(source=replace(SOURCE, document=text)),
    "locator": lambda text: state(source=replace(SOURCE, locator=text)),
    "label": lambda text: state(label=text),
    "idempotency_key": lambda text: state(idempotency_key=text),
    "fund": lambda text: account(fund=text),
    "corrects": lambda text: renamed("KAZ", "Kazakhstan", None, corrects=text),
    "annuls": lambda text: annulled("state", "KAZ", text),
}


@pytest.mark.parametrize("field", CODES)
@pytest.mark.parametrize("what", SEEN_IN_TEXTS_ALONE)
def test_a_code_has_no_sign_that_nobody_sees(ledger: Ledger, field: str, what: str) -> None:
    text = SEEN_IN_TEXTS_ALONE[what]
    at = next(place for place, sign in enumerate(text) if not sign.isprintable())
    sign = f"character {at + 1} of the {field} is U+{ord(text[at]):04X}"
    message = f"{sign}, which nobody can see; leave it out"
    refused(ledger, TEXT_FIELDS[field](text), "MALFORMED", message, field=field)


@pytest.mark.parametrize("field", CODES)
def test_a_code_is_in_one_of_unicodes_forms(ledger: Ledger, field: str) -> None:
    message = (
        f"the {field} has letters and their accents apart, so that it would not be found by the"
        " same word in Unicode's form NFC; write it in that form"
    )
    refused(ledger, TEXT_FIELDS[field]("ge\u0301ne\u0301ral"), "MALFORMED", message, field=field)


@pytest.mark.parametrize("field", ["name_en", "note", "source", "title"])
@pytest.mark.parametrize("what", [*SEEN_IN_TEXTS_ALONE, "e\u0301"])
def test_texts_are_kept_as_their_languages_are_written(
    ledger: Ledger, field: str, what: str
) -> None:
    proposal = TEXT_FIELDS[field](SEEN_IN_TEXTS_ALONE.get(what, what))
    with pytest.raises(Unusable, match="reach the database"):
        ledger.record(proposal)


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("what", NO_TEXT)
def test_what_no_text_can_hold_is_refused_by_field_and_place(
    ledger: Ledger, field: str, what: str
) -> None:
    text, message = NO_TEXT[what]
    refused(ledger, TEXT_FIELDS[field](text), "MALFORMED", message.format(field), field=field)


@pytest.mark.parametrize("what", NO_TEXT)
def test_a_key_and_a_principal_are_held_to_their_form(ledger: Ledger, what: str) -> None:
    text, _ = NO_TEXT[what]
    message = f"{text!r} is not a key of a state; one looks like 'KAZ'"
    refused(ledger, state(text), "MALFORMED", message, field="state")
    refused(
        ledger,
        state(by=text),
        "MALFORMED",
        f"{text!r} {NO_PRINCIPAL}",
        field="recorded_by",
    )
    refused(ledger, state()._replace(kind=text), "NOT_FOUND", KINDS.format(text))


NO_PRINCIPAL = "is not an opaque id of a principal: P-001, or a service in one lower-case word"
KINDS = "{!r} is not a kind of record; kinds are " + ", ".join(kind.name for kind in REGISTRY.kinds)


@pytest.mark.parametrize("field", ["name_en", "name", "title", "state"])
@pytest.mark.parametrize("blank", ["", "  ", "\u2003\n"])
def test_who_has_nothing_to_say_leaves_the_field_out(
    ledger: Ledger, field: str, blank: str
) -> None:
    message = f"the {field} is empty"
    refused(ledger, TEXT_FIELDS[field](blank), "MALFORMED", message, field=field)


@pytest.mark.parametrize(
    "principal",
    [
        *("", "a clerk", "-clerk", "clerk@example.org", "c" * 33, "clerk\n"),
        *("Clerk", "CLERK", "another.clerk", "урик", "1", "P-", "P", "P001", "P-1a", "P-1 "),
        *("P-" + "1" * 13, "ABCD-1", "P-1-2", "P-٣"),
    ],
)
def test_a_principal_is_an_opaque_id(ledger: Ledger, principal: str) -> None:
    message = f"{principal!r} {NO_PRINCIPAL}"
    refused(ledger, state(by=principal), "MALFORMED", message, field="recorded_by")


@pytest.mark.parametrize("digits", ["", "ab" * 31, "AB" * 32, "ab" * 33, "xy" * 32])
def test_a_source_names_a_document_and_may_give_its_hash(ledger: Ledger, digits: str) -> None:
    message = f"{digits!r} is not a SHA-256 in 64 lower-case hexadecimal digits"
    wrong = state(source=replace(SOURCE, sha256=digits))
    refused(ledger, wrong, "MALFORMED", message, field="evidence_sha256")
    nameless = state(source=Source(document=" "))
    refused(ledger, nameless, "MALFORMED", "a source names a document", field="source")


@pytest.mark.parametrize("key", ["", "k" * 401])
def test_an_idempotency_key_fits_into_an_index(ledger: Ledger, key: str) -> None:
    message = f"an idempotency key has 1 to 400 characters, not {len(key)}"
    refused(ledger, state(idempotency_key=key), "MALFORMED", message, field="idempotency_key")


@pytest.mark.parametrize("year", [2**53, -(2**53), 10**5000], ids=["over", "under", "huge"])
def test_a_number_that_json_cannot_hold_is_refused(ledger: Ledger, year: int) -> None:
    wrong = received("C-1", "1.00")
    event = replace(wrong.statement.event, fiscal_year=year)  # type: ignore[type-var]  # Every event is a dataclass.
    message = "the fiscal_year has too many digits for a number"
    refused(
        ledger,
        wrong._replace(statement=wrong.statement._replace(event=event)),
        "MALFORMED",
        message,
        field="fiscal_year",
    )


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "1E+30", "1E+999999999", "0E+31", "1E-11", "1E-999999999"]
)
def test_an_amount_that_cannot_be_written_out_is_refused(ledger: Ledger, amount: str) -> None:
    event = budgets.Approved(amount=Decimal(amount), currency="USD")
    message = "the amount is not a number of at most 30 digits before the point and 10 behind it"
    refused(ledger, proposed("budget", "2023", event), "MALFORMED", message, field="amount")


@pytest.mark.parametrize(
    "given",
    [
        datetime(2023, 5, 12),  # noqa: DTZ001  # That it has no zone is the point.
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=6))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-6))),
    ],
)
def test_a_moment_of_recording_has_an_offset_and_is_in_the_calendar(
    ledger: Ledger, given: datetime
) -> None:
    message = (
        f"{given.isoformat()} is not a moment: it has no offset from UTC, or lies outside the"
        " years 0001 to 9999 there"
    )
    refused(ledger, state(recorded_on=given), "MALFORMED", message, field="recorded_on")


def test_an_older_register_took_it_at_the_recorded_moment_or_at_that_in_the_data(
    ledger: Ledger,
) -> None:
    refused(
        ledger,
        state(recorded_on=moment("2023-05-12"), registered_on=date(2023, 5, 12)),
        "NOT_PERMITTED",
        "say when an older register took it either as the moment of recording or in the data,"
        " not both",
        field="recorded_on",
    )


RENAMED = states.Renamed(name_en="Kazakhstan")
WRONG_PARTS: dict[str, tuple[Proposal, str, str | None]] = {
    "both": (
        proposed("state", "KAZ", RENAMED, None, corrects="a", annuls="b"),
        "an entry corrects or annuls, not both",
        "annuls",
    ),
    "neither": (proposed("state", "KAZ", None, None), "only an annulment has no event", "annuls"),
    "correction without event": (
        proposed("state", "KAZ", None, None, corrects="a"),
        "only an annulment has no event",
        "annuls",
    ),
    "annulment with event": (
        proposed("state", "KAZ", RENAMED, annuls="a"),
        "an annulment has no fields of its own",
        "annuls",
    ),
    "another kind's event": (
        proposed("body", "SOC", RENAMED),
        "state.renamed is not an event of a body",
        None,
    ),
    "annulment with a date": (
        proposed("state", "KAZ", None, "2023", annuls="a"),
        "an annulment has no date of its own; leave it out",
        "effective",
    ),
    "no date": (proposed("state", "KAZ", RENAMED, None), "say when it was true", "effective"),
}


@pytest.mark.parametrize("wrong", WRONG_PARTS)
def test_an_entry_is_a_fact_with_its_date_a_correction_or_an_annulment(
    ledger: Ledger, wrong: str
) -> None:
    proposal, message, field = WRONG_PARTS[wrong]
    refused(ledger, proposal, "NOT_PERMITTED", message, field=field)


PARTICIPANT = "treaty, state, organization make the key {!r}, not {!r}; record it under that one"


@pytest.mark.parametrize(
    ("key", "stated", "message"),
    [
        ("CPI-CHN", {"state": "KAZ"}, PARTICIPANT.format("CPI-KAZ", "CPI-CHN")),
        ("CPI", {"state": "KAZ"}, PARTICIPANT.format("CPI-KAZ", "CPI")),
        ("KAZ-CPI", {"state": "KAZ"}, PARTICIPANT.format("CPI-KAZ", "KAZ-CPI")),
        (
            "CPI-EU",
            {"state": "KAZ", "organization": "EU"},
            PARTICIPANT.format("CPI-KAZ-EU", "CPI-EU"),
        ),
        ("CPI-KAZ", {}, PARTICIPANT.format("CPI", "CPI-KAZ")),
        (
            "CPI-KAZ",
            {"state": "kaz"},
            "'CPI-kaz' is not a key of a treaty_participant; one looks like 'CPI-KAZ'",
        ),
    ],
)
def test_a_natural_key_is_the_one_that_the_fields_make(
    ledger: Ledger, key: str, stated: dict[str, str], message: str
) -> None:
    event = Signed(treaty="CPI", **stated)
    wrong = proposed("treaty_participant", key, event)
    refused(ledger, wrong, "MALFORMED", message, field="treaty")
    refused(ledger, wrong._replace(corrects="a"), "MALFORMED", message, field="treaty")


@pytest.mark.parametrize(
    "proposal",
    [
        proposed("treaty_participant", "CPI-KAZ", Signed(treaty="CPI", state="KAZ")),
        proposed("treaty_participant", "CPI-EU", Signed(treaty="CPI", organization="EU")),
        proposed("treaty_participant", "ANY-KEY", Denounced()),
        annulled("treaty_participant", "ANY-KEY", "treaty_participant/ANY-KEY/1"),
    ],
    ids=["state", "organization", "change", "annulment"],
)
def test_what_is_of_its_natural_key_or_states_none_does_reach_the_database(
    ledger: Ledger, proposal: Proposal
) -> None:
    with pytest.raises(Unusable, match="reach the database"):
        ledger.record(proposal)


class Whole(Opening[str], stored_as="test.whole", personal=()):
    """States all that keys are made of."""

    one: str
    two: str | None = None


class Part(Opening[str], stored_as="test.part", personal=()):
    """States a part of it."""

    one: str


class Unlike(Opening[str], stored_as="test.unlike", personal=()):
    """States it in another way."""

    one: str
    two: str


class Named(Opening[str], stored_as="test.named", personal=("two",)):
    """States what is about a person."""

    one: str
    two: str


class Counted(Opening[str], stored_as="test.counted", personal=()):
    """States what is no text."""

    one: str
    two: int


class Silent(Opening[str], stored_as="test.silent", personal=()):
    """States nothing."""


class Hollow(Opening[str], stored_as="test.hollow", personal=()):
    """States nothing that must be there."""

    one: str | None = None
    two: str | None = None


ALIKE = "the events of a thing that have one, two must have all of them, and alike"
TEXTS = "one, two make keys of a thing, so they are texts, and not personal"


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([Whole, Part], ALIKE),
        ([Part], ALIKE),
        ([Silent], ALIKE),
        ([Whole, Unlike], ALIKE),
        ([Named], TEXTS),
        ([Counted], TEXTS),
        ([Silent, Hollow], "one of one, two must never be empty, or a thing may have no key"),
    ],
)
def test_a_kind_is_refused_whose_events_make_no_keys(
    events: list[type[AnyEvent]], message: str
) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        thing(*events)


def thing(*events: type[AnyEvent]) -> Kind:
    return Kind(
        name="thing",
        family="test",
        events=events,
        key_column="thing",
        key_fields=("one", "two"),
        key_example="A-B",
    )


def test_the_first_event_that_states_them_says_what_keys_are_made_of() -> None:
    kind = thing(Silent, Whole)
    parts = [(part.name, part.optional) for part in kind.key_parts()]
    assert parts == [("one", False), ("two", True)]
    assert kind.key_parts_of(Silent) == ()


def test_an_entry_has_at_most_so_many_bytes(ledger: Ledger) -> None:
    with pytest.raises(Refused, match=r"^the entry has \d+ bytes; at most 65535 are stored$"):
        ledger.record(state(note="x" * 70_000))


def test_each_proposal_of_a_set_is_refused_for_its_own_reason(ledger: Ledger) -> None:
    set_: list[Any] = [state(), state("kaz"), state()._replace(kind="meeting"), state(note="\x00")]
    with pytest.raises(SetRefused) as caught:
        ledger.submit(set_).result(IN_TIME)
    assert [(index, type(refusal).code) for index, refusal in caught.value.refusals] == [
        (1, "MALFORMED"),
        (2, "NOT_FOUND"),
        (3, "MALFORMED"),
    ]
    assert isinstance(caught.value.refusals[1][1], NotFound)
    assert caught.value.left_out == 0


@pytest.mark.parametrize("principal", ["a" * 32, "P-1", "ABC-123456789012", "importer2"])
def test_what_is_of_good_form_does_reach_the_database(ledger: Ledger, principal: str) -> None:
    longest = {"idempotency_key": "k" * 400, "label": "l" * 1000, "by": principal}
    with pytest.raises(Unusable, match="reach the database"):
        ledger.record(state(name_en="\u2028\u200e😀", recorded_on=moment("2023-05-12"), **longest))
