"""Asking twice: the same key with the same content is answered, with other content refused."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ledger.entry import Proposal
from ledger.record import Ledger
from tests.ledger.recording import (
    IN_TIME,
    account,
    annulled,
    document,
    log,
    moment,
    open_ledger,
    person,
    received,
    refused,
    renamed,
    rows,
    state,
)

KEY = {"idempotency_key": "request 1"}


def reused(ledger: Ledger, proposal: Proposal, position: int = 1) -> None:
    """Propose it and see it refused by the name of its key."""
    message = (
        f"idempotency key {proposal.idempotency_key!r} was used for entry {position}, with other"
        " content; to change that entry, record a correction of it"
    )
    refused(ledger, proposal, "IDEMPOTENCY_KEY_REUSED", message, field="idempotency_key")


def test_the_same_request_has_the_same_answer(ledger: Ledger, database: str) -> None:
    first = ledger.record(state("KAZ", **KEY))
    ledger.record(renamed("KAZ", "Qazaqstan"))
    again = ledger.record(state("KAZ", **KEY))
    assert (first.repeated, again.repeated) == (False, True)
    assert again.entry == first.entry
    assert len(log(database)) == 2


def test_a_key_is_remembered_by_the_database(database: str) -> None:
    with open_ledger(database) as ledger:
        first = ledger.record(state("KAZ", **KEY))
    with open_ledger(database) as ledger:
        again = ledger.record(state("KAZ", **KEY))
        reused(ledger, state("KAZ", name_en="Qazaqstan", **KEY))
    assert again.repeated
    assert again.entry == first.entry


DIFFERENT: dict[str, dict[str, Any]] = {
    "field": {"name_en": "Qazaqstan"},
    "date": {"effective": "2000"},
    "words of the date": {"effective_text": "long ago"},
    "note": {"note": "a note"},
    "basis": {"basis": "quoted"},
    "reason": {"reason": "a reason"},
    "source": {"source": document("CICA/1")},
    "moment": {"recorded_on": moment("2023-05-12")},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_other_content_under_the_same_key_is_refused_by_name(
    ledger: Ledger, database: str, what: str
) -> None:
    ledger.record(state("KAZ", **KEY))
    reused(ledger, state("KAZ", **DIFFERENT[what], **KEY))
    assert len(log(database)) == 1


def test_another_record_or_event_is_other_content(ledger: Ledger) -> None:
    ledger.record(state("KAZ", **KEY))
    reused(ledger, state("AZE", **KEY))
    reused(ledger, renamed("KAZ", "Kazakhstan", "1999", **KEY))
    reused(ledger, state("KAZ", None, corrects="state/KAZ/1", **KEY))
    reused(ledger, annulled("state", "KAZ", "1", **KEY))


def test_how_it_is_asked_is_no_content(ledger: Ledger) -> None:
    ledger.record(state("KAZ", **KEY))
    asked = state("KAZ", **KEY)._replace(label="a", expected_version=0)
    assert ledger.record(asked).repeated


def test_a_key_belongs_to_whoever_asks(ledger: Ledger) -> None:
    ledger.record(state("KAZ", **KEY))
    other = ledger.record(state("AZE", by="another", **KEY))
    assert (other.entry.position, other.repeated) == (2, False)
    reused(ledger, state("KAZ", by="another", **KEY), position=2)


def test_a_key_with_an_owner_is_the_owners_whoever_asks(ledger: Ledger, database: str) -> None:
    owned = {"key_owner": "service", **KEY}
    first = ledger.record(state("KAZ", **owned))
    again = ledger.record(state("KAZ", by="another", **owned))
    assert (first.repeated, again.repeated) == (False, True)
    assert again.entry == first.entry
    assert again.entry.statement.recorded_by == "clerk"
    reused(ledger, state("KAZ", name_en="Qazaqstan", by="another", **owned))
    # Neither the asker's own key nor that of another owner is the same key.
    for position, (key, owner) in enumerate((("AZE", None), ("UZB", "another")), start=2):
        other = ledger.record(state(key, key_owner=owner, **KEY))
        assert (other.entry.position, other.repeated) == (position, False)
    assert rows(database, "SELECT principal, position FROM ledger.idempotency ORDER BY 2") == [
        ("service", 1),
        ("clerk", 2),
        ("another", 3),
    ]


def test_without_an_owner_who_asks_is_content(ledger: Ledger) -> None:
    ledger.record(state("KAZ", key_owner="clerk", **KEY))
    # The same key of the same owner, but the digest says who asks.
    reused(ledger, state("KAZ", **KEY))


def test_a_refused_request_uses_no_key(ledger: Ledger) -> None:
    refused(ledger, renamed("KAZ", "Qazaqstan", **KEY), "NOT_FOUND", "…record its opening first")
    assert not ledger.record(state("KAZ", **KEY)).repeated


def test_a_set_is_asked_again_as_a_whole_or_with_more(ledger: Ledger, database: str) -> None:
    set_ = [
        state("KAZ", idempotency_key="1", label="first"),
        account("MAIN", idempotency_key="2"),
        received("C-1", "5.00", idempotency_key="3"),
    ]
    first = ledger.submit(set_).result(IN_TIME)
    more = [
        *set_,
        state("KAZ", None, name_en="Qazaqstan", corrects="first", idempotency_key="4"),
    ]
    again = ledger.submit(more).result(IN_TIME)
    assert [answer.repeated for answer in again] == [True, True, True, False]
    assert [answer.entry for answer in again[:3]] == [answer.entry for answer in first]
    # The label of what was recorded before still names it.
    assert again[3].entry.corrects == 1
    assert len(log(database)) == 4


def test_twice_in_one_set_it_is_recorded_once(ledger: Ledger, database: str) -> None:
    ledger.record(account("MAIN"))
    first, other, again = ledger.submit(
        [state("KAZ", **KEY), state("AZE"), state("KAZ", **KEY)]
    ).result(IN_TIME)
    assert (first.repeated, other.repeated, again.repeated) == (False, False, True)
    assert again.entry == first.entry
    assert len(log(database)) == 3


def test_a_correction_and_an_annulment_are_answered_again_too(
    ledger: Ledger, database: str
) -> None:
    ledger.record(state("KAZ"))
    correction = state("KAZ", None, name_en="Qazaqstan", corrects="state/KAZ/1", **KEY)
    annulment = annulled("state", "KAZ", "2", idempotency_key="request 2")
    asked = (correction, annulment, correction, annulment)
    repeated = [ledger.record(proposal).repeated for proposal in asked]
    assert repeated == [False, False, True, True]
    assert len(log(database)) == 3


# ---------------------------------------------------------------- personal text


def test_a_name_is_compared_without_being_kept(ledger: Ledger, database: str) -> None:
    ledger.record(person("P-1", "Aigerim Testova", **KEY))
    assert ledger.record(person("P-1", "Aigerim Testova", **KEY)).repeated
    reused(ledger, person("P-1", "Aigerim Examplova", **KEY))
    # The same name for another person has nothing in common with it.
    other = person("P-2", "Aigerim Testova", idempotency_key="request 2")
    ledger.record(other)
    digests = rows(database, "SELECT digest FROM ledger.idempotency")
    assert len(set(digests)) == 2


def test_of_an_erased_person_nothing_more_is_taken_and_no_retry_answered(
    ledger: Ledger, database: str
) -> None:
    ledger.record(person("P-1", "Aigerim Testova", **KEY))
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM ledger.person_keys")
    message = "the person's key was destroyed"
    for proposal in (
        person("P-1", "Aigerim Testova", **KEY),
        person("P-1", "Aigerim Examplova", effective=None, corrects="person/P-1/1"),
    ):
        refused(ledger, proposal, "MALFORMED", message, field="name")
    # An annulment says nothing personal.
    assert ledger.record(annulled("person", "P-1", "1")).entry.position == 2
    assert rows(database, "SELECT * FROM ledger.person_keys") == []
