"""The form of a proposal: what is refused before it is encoded, whatever the ledger holds.

Whatever passes here has a stored form, and none of its texts is more than PostgreSQL can hold. So
a user's mistake never surfaces as a failure of the codec or of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Any
from unicodedata import is_normalized

from ledger.canonical import LARGEST
from ledger.dates import format_moment
from ledger.entry import Proposal
from ledger.kind import AnyEvent, Kind, fields_of
from ledger.refusal import Malformed, NotPermitted

LONGEST_IDEMPOTENCY_KEY = 400
"""In characters: with the principal before it, it must fit into a row of an index."""

MOST_DIGITS, MOST_DECIMALS = 30, 10
"""A decimal is stored digit by digit, so that an exponent could make it as long as it likes."""

CODES = ("basis", "locator", "label", "corrects", "annuls", "fund")
"""Fields that are compared with others of their name, so that each sign of them must be seen."""

_UNSEEN = "which nobody can see"

# What no text may hold, and why. PostgreSQL can't store a NUL, and no UTF-8 half of a surrogate
# pair. The others make a text look like another one, on a screen or on a terminal. The marks and
# joiners that Arabic, Hebrew, Persian, Thai and Sinhala are written with are none of these.
_NO_TEXT = (
    ("[\x00\ud800-\udfff]", "which is no text"),
    (r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "which is a control character"),
    (r"[\u202a-\u202e\u2066-\u2069]", "which shows what follows in another order"),
    (r"[\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]", _UNSEEN),
)
_ANY_OF_THEM = re.compile("|".join(pattern for pattern, _ in _NO_TEXT))


def check_form(proposal: Proposal, kind: Kind) -> None:
    """Raise `Refused` for what could not be recorded in any ledger."""
    kind.check_key(proposal.key)
    proposal.statement.check()
    _check_values(proposal)
    _check_filled(proposal.statement.event)
    _check_idempotency_key(proposal.idempotency_key)
    _check_moment(proposal)
    _check_parts(proposal, kind)
    _check_natural_key(proposal, kind)


def _check_values(proposal: Proposal) -> None:
    event, source = proposal.statement.event, proposal.statement.source
    values: list[Any] = [*_stated(proposal.statement), *_about(proposal)]
    if source is not None:
        values += (source.document, source.locator)
    if event is not None:
        values += _values(event)
    texts = "".join([value for value in values if type(value) is str])
    numbers = [value for value in values if isinstance(value, (int, Decimal))]
    # Most often all are in order, and one look at all texts together says so: what is part of a
    # text in form NFC is in that form itself.
    if texts.isprintable() and is_normalized("NFC", texts) and all(map(_fits, numbers)):
        return
    for field, value in zip(_names(proposal), values, strict=True):
        _check_value(field, value)


def _names(proposal: Proposal) -> Iterator[str]:
    """By which fields these values are had."""
    event, source = proposal.statement.event, proposal.statement.source
    yield from (*_STATED, *_ABOUT)
    if source is not None:
        yield from ("source", "locator")
    if event is not None:
        yield from (field.name for field in fields_of(type(event)))


_STATED = ("effective_text", "basis", "note", "reason")
_stated = attrgetter(*_STATED)
_ABOUT = ("corrects", "annuls", "label", "idempotency_key")
_about = attrgetter(*_ABOUT)


def _values(event: AnyEvent) -> list[Any]:
    return [getattr(event, field.name) for field in fields_of(type(event))]


def _fits(number: int | Decimal) -> bool:
    """Whether a number is short enough to be written out."""
    if isinstance(number, int):
        return abs(number) <= LARGEST
    exponent = number.as_tuple().exponent
    # That of an infinity, or of what is not a number, is a letter.
    is_short = isinstance(exponent, int) and -exponent <= MOST_DECIMALS
    return is_short and number.adjusted() < MOST_DIGITS


def _check_value(field: str, value: Any) -> None:
    match value:
        case str():
            _check_text(field, value)
        case int():
            if not _fits(value):
                raise Malformed(f"the {field} has too many digits for a number", field=field)
        case Decimal():
            if not _fits(value):
                raise Malformed(
                    f"the {field} is not a number of at most {MOST_DIGITS} digits before the point"
                    f" and {MOST_DECIMALS} behind it",
                    field=field,
                )


def _check_text(field: str, text: str) -> None:
    if field in CODES and not is_normalized("NFC", text):
        raise Malformed(
            f"the {field} has letters and their accents apart, so that it would not be found by the"
            " same word in Unicode's form NFC; write it in that form",
            field=field,
        )
    # Nearly every text is, and then holds nothing of what is looked for.
    if text.isprintable():
        return
    found = _ANY_OF_THEM.search(text)
    if found:
        at = found.start()
        why = next(why for pattern, why in _NO_TEXT if re.match(pattern, found[0]))
    elif field in CODES:
        at, why = next(n for n, sign in enumerate(text) if not sign.isprintable()), _UNSEEN
    else:
        return
    raise Malformed(
        f"character {at + 1} of the {field} is U+{ord(text[at]):04X}, {why}; leave it out",
        field=field,
    )


def _check_filled(event: AnyEvent | None) -> None:
    """Whoever has nothing to say leaves the field out: a name of blanks would stay for ever."""
    for field in () if event is None else fields_of(type(event)):
        value = getattr(event, field.name)
        if isinstance(value, str) and not value.strip():
            raise Malformed(f"the {field.name} is empty", field=field.name)


def _check_idempotency_key(key: str | None) -> None:
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise Malformed(
            f"an idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} characters, not {len(key)}",
            field="idempotency_key",
        )


def _check_moment(proposal: Proposal) -> None:
    if proposal.recorded_on is None:
        return
    try:
        format_moment(proposal.recorded_on)
    except (ValueError, OverflowError):
        raise Malformed(
            f"{proposal.recorded_on.isoformat()} is not a moment: it has no offset from UTC, or"
            " lies outside the years 0001 to 9999 there",
            field="recorded_on",
        ) from None
    if proposal.statement.registered_on is not None:
        raise NotPermitted(
            "say when an older register took it either as the moment of recording or in the data,"
            " not both",
            field="recorded_on",
        )


def _check_parts(proposal: Proposal, kind: Kind) -> None:
    """An entry is a fact with its date, a correction, whose date may stay, or an annulment."""
    statement = proposal.statement
    if proposal.corrects is not None and proposal.annuls is not None:
        raise NotPermitted("an entry corrects or annuls, not both", field="annuls")
    if statement.event is None:
        if proposal.annuls is None:
            raise NotPermitted("only an annulment has no event", field="annuls")
        if statement.effective is not None:
            raise NotPermitted(
                "an annulment has no date of its own; leave it out", field="effective"
            )
        return
    if proposal.annuls is not None:
        raise NotPermitted("an annulment has no fields of its own", field="annuls")
    if type(statement.event) not in kind.events:
        raise NotPermitted(f"{statement.event.stored_as} is not an event of a {kind.name}")
    if statement.effective is None and proposal.corrects is None:
        raise NotPermitted("say when it was true", field="effective")


def _check_natural_key(proposal: Proposal, kind: Kind) -> None:
    """Where the event states what the key is made of, the two must not contradict each other."""
    event = proposal.statement.event
    if event is None or not kind.key_parts_of(type(event)):
        return
    key = kind.natural_key({name: getattr(event, name) for name in kind.key_fields})
    first, *_ = kind.key_fields
    kind.check_key(key, field=first)
    if key != proposal.key:
        raise Malformed(
            f"{', '.join(kind.key_fields)} make the key {key!r}, not {proposal.key!r}; record it"
            " under that one",
            field=first,
        )
