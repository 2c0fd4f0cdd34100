"""Corrections and annulments: what they may name, and what they may not undo."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from ledger.entry import Entry, Proposal
from ledger.record import Ledger
from tests.ledger.recording import (
    IN_TIME,
    account,
    annulled,
    received,
    refused,
    renamed,
    returned,
    rows,
    state,
    status,
)

THE_ADVICE = "; name it by its id, by kind/key/version, or by its label in the same import"
GROUNDS = (state("KAZ"), state("AZE"), account("MAIN"))


def recorded(ledger: Ledger, *proposals: Proposal) -> Sequence[Entry]:
    """Record a set and give its entries."""
    return [answer.entry for answer in ledger.submit(proposals).result(IN_TIME)]


def present_names(database: str) -> list[str]:
    """What the states are called now, in the order of their keys."""
    query = """
        SELECT name_en FROM projections.states
         WHERE upper_inf(known) AND upper_inf(effective) ORDER BY key
    """
    return [name for (name,) in rows(database, query)]


# ---------------------------------------------------------------- what they name


def test_an_entry_is_named_by_its_id_or_by_its_record_and_version(
    ledger: Ledger, database: str
) -> None:
    _, wrong = recorded(ledger, state("KAZ"), renamed("KAZ", "Kasachstan"))
    by_id = ledger.record(renamed("KAZ", "Qazaqstan", None, corrects=str(wrong.id))).entry
    assert (by_id.corrects, by_id.annuls, by_id.target) == (2, None, 2)
    assert present_names(database) == ["Qazaqstan"]
    by_version = ledger.record(annulled("state", "KAZ", "state/KAZ/3")).entry
    assert (by_version.corrects, by_version.annuls, by_version.target) == (None, 3, 3)
    assert (by_version.name, by_version.event) == ("entry.annulled", None)


@pytest.mark.parametrize("name", ["state/KAZ/9", "state/AZE/1", "1", "KAZ", "", "state/KAZ/01"])
def test_what_is_no_entry_of_the_record_is_not_found(ledger: Ledger, name: str) -> None:
    recorded(ledger, state("KAZ"), state("AZE"))
    message = f"{name!r} is not an entry of state 'KAZ'{THE_ADVICE}"
    correction = renamed("KAZ", "Qazaqstan", None, corrects=name)
    refused(ledger, correction, "NOT_FOUND", message, field="corrects")
    annulment = annulled("state", "KAZ", "1")._replace(annuls=name)
    refused(ledger, annulment, "NOT_FOUND", message, field="annuls")


def test_an_entry_of_another_record_is_not_corrected_here(ledger: Ledger) -> None:
    _, other, here = recorded(ledger, state("KAZ"), state("AZE"), renamed("KAZ", "A", label="a"))
    for name in (str(other.id), "state/AZE/1"):
        message = f"{name!r} is not an entry of state 'KAZ'{THE_ADVICE}"
        correction = state("KAZ", None, corrects=name)
        refused(ledger, correction, "NOT_FOUND", message, field="corrects")
    # Nor by the label of an entry of the same set.
    message = f"'other' is not an entry of state 'KAZ'{THE_ADVICE}"
    set_ = [state("TUR", label="other"), state("KAZ", None, corrects="other")]
    future = ledger.submit(set_)
    assert message in str(future.exception(IN_TIME))
    assert here.version == 2


def test_what_was_corrected_or_annulled_is_not_named_again(ledger: Ledger) -> None:
    recorded(
        ledger,
        state("KAZ"),
        renamed("KAZ", "A"),
        renamed("KAZ", "B", None, corrects="state/KAZ/2"),
        renamed("KAZ", "C"),
        annulled("state", "KAZ", "4"),
    )
    for dead in (2, 4):
        message = f"entry {dead} is not live: a later entry corrected or annulled it; name that one"
        correction = renamed("KAZ", "D", None, corrects=f"state/KAZ/{dead}")
        refused(ledger, correction, "NOT_PERMITTED", message, field="corrects")
        annulment = annulled("state", "KAZ", str(dead))
        refused(ledger, annulment, "NOT_PERMITTED", message, field="annuls")


def test_a_correction_is_corrected_in_its_turn(ledger: Ledger, database: str) -> None:
    recorded(
        ledger,
        state("KAZ", name_en="A"),
        state("KAZ", None, name_en="B", corrects="state/KAZ/1"),
        state("KAZ", None, name_en="C", corrects="state/KAZ/2"),
    )
    assert present_names(database) == ["C"]


def test_annulling_a_correction_brings_back_what_it_corrected(
    ledger: Ledger, database: str
) -> None:
    recorded(
        ledger,
        state("KAZ", name_en="A"),
        state("KAZ", None, name_en="B", corrects="state/KAZ/1"),
        annulled("state", "KAZ", "2"),
    )
    assert present_names(database) == ["A"]
    again = ledger.record(state("KAZ", None, name_en="C", corrects="state/KAZ/1")).entry
    assert (again.corrects, present_names(database)) == (1, ["C"])


def test_an_annulment_is_annulled_and_not_corrected(ledger: Ledger, database: str) -> None:
    recorded(ledger, state("KAZ", name_en="A"), annulled("state", "KAZ", "1"))
    assert present_names(database) == []
    message = "an annulment is not corrected but annulled"
    correction = state("KAZ", None, corrects="state/KAZ/2")
    refused(ledger, correction, "NOT_PERMITTED", message, field="corrects")
    ledger.record(annulled("state", "KAZ", "2"))
    assert present_names(database) == ["A"]


def test_an_opening_is_corrected_by_an_opening_and_a_change_by_a_change(ledger: Ledger) -> None:
    recorded(ledger, state("KAZ"), renamed("KAZ", "A"))
    rule = "an opening is corrected by an opening, a change by a change"
    by_change = renamed("KAZ", "B", None, corrects="state/KAZ/1")
    message = f"{rule}; entry 1 is state.admitted"
    refused(ledger, by_change, "NOT_PERMITTED", message, field="corrects")
    by_opening = state("KAZ", None, corrects="state/KAZ/2")
    message = f"{rule}; entry 2 is state.renamed"
    refused(ledger, by_opening, "NOT_PERMITTED", message, field="corrects")


def test_a_change_is_corrected_by_a_change_of_another_sort(ledger: Ledger, database: str) -> None:
    recorded(
        ledger,
        state("KAZ", name_en="A"),
        renamed("KAZ", "B"),
        status("KAZ", "former", None, corrects="state/KAZ/2"),
    )
    query = "SELECT name_en, status FROM projections.states WHERE upper_inf(known) AND step = 2"
    assert rows(database, query) == [("A", "former")]


# ---------------------------------------------------------------- what they may not undo


@pytest.mark.parametrize("effective", ["1990", "1999", "2020-01-01"])
def test_a_record_is_opened_once_whatever_the_dates(ledger: Ledger, effective: str) -> None:
    ledger.record(state("KAZ", "1999"))
    message = "state 'KAZ' is on record already; correct its opening instead"
    refused(ledger, state("KAZ", effective), "ALREADY_EXISTS", message)


def test_a_record_whose_opening_was_annulled_is_opened_anew(ledger: Ledger, database: str) -> None:
    recorded(ledger, state("KAZ", name_en="A"), annulled("state", "KAZ", "1"))
    refused(ledger, renamed("KAZ", "B"), "NOT_FOUND", "…record its opening first")
    assert ledger.record(state("KAZ", "2001", name_en="C")).entry.version == 3
    assert present_names(database) == ["C"]
    # Now the first one can't come back.
    refused(
        ledger,
        annulled("state", "KAZ", "2"),
        "IMPOSSIBLE",
        "entry 3 (state.admitted, 2001) would become impossible: this record is on record already;"
        " correct its opening instead",
    )


def test_an_opening_stays_while_something_happened_after_it(ledger: Ledger, database: str) -> None:
    recorded(ledger, state("KAZ", name_en="A"), renamed("KAZ", "B"))
    refused(
        ledger,
        annulled("state", "KAZ", "1"),
        "IMPOSSIBLE",
        "entry 2 (state.renamed, 2023-05-12) would become impossible: there is no such record yet;"
        " record its opening first",
    )
    recorded(ledger, annulled("state", "KAZ", "2"), annulled("state", "KAZ", "1"))
    assert present_names(database) == []


def test_an_opening_stays_while_another_record_refers_to_it(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS, received("C-1", "5.00"))
    refused(
        ledger,
        annulled("state", "KAZ", "1"),
        "IMPOSSIBLE",
        "contribution 'C-1' refers to state 'KAZ'; annul what refers to it first",
    )
    recorded(ledger, received("C-3", "5.00"), received("C-2", "5.00"))
    refused(
        ledger,
        annulled("account", "MAIN", "1"),
        "IMPOSSIBLE",
        "contribution 'C-1' and 2 more refer to account 'MAIN'; annul what refers to it first",
    )
    # A new date or name for it is no loss to them.
    ledger.record(state("KAZ", "2001", name_en="Qazaqstan", corrects="state/KAZ/1"))


def test_what_nothing_live_refers_to_any_more_may_go(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS, received("C-1", "5.00"), received("C-2", "5.00"))
    recorded(
        ledger,
        received("C-1", "5.00", None, state="AZE", corrects="contribution/C-1/1"),
        annulled("contribution", "C-2", "1"),
    )
    ledger.record(annulled("state", "KAZ", "1"))
    # The correction can't be annulled now: it would bring back the reference.
    refused(
        ledger,
        annulled("contribution", "C-1", "2"),
        "IMPOSSIBLE",
        "entry 4 (contribution.received) would come back, but state 'KAZ', to which it refers, is"
        " not on record any more",
    )
    ledger.record(annulled("state", "KAZ", "2"))
    ledger.record(annulled("contribution", "C-1", "2"))


def test_what_comes_back_does_not_stand_beside_what_has_taken_its_place(
    ledger: Ledger, database: str
) -> None:
    recorded(
        ledger,
        *GROUNDS,
        received("C-1", "60.00"),
        received("C-1", "50.00", None, corrects="contribution/C-1/1"),
        annulled("contribution", "C-1", "2"),
        received("C-1", "40.00", None, corrects="contribution/C-1/1"),
    )
    refused(
        ledger,
        annulled("contribution", "C-1", "3"),
        "IMPOSSIBLE",
        "entry 5 (contribution.received) would come back beside entry 7, which has taken its place;"
        " annul that one first",
    )
    recorded(ledger, annulled("contribution", "C-1", "4"), annulled("contribution", "C-1", "3"))
    query = "SELECT net FROM projections.contributions WHERE upper_inf(known)"
    assert rows(database, query) == [(Decimal("50.00"),)]


def test_in_a_set_the_last_reference_goes_first(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS, received("C-1", "5.00"))
    contribution, opening = annulled("contribution", "C-1", "1"), annulled("state", "KAZ", "1")
    error = ledger.submit([opening, contribution]).exception(IN_TIME)
    assert "contribution 'C-1' refers to state 'KAZ'" in str(error)
    assert len(recorded(ledger, contribution, opening)) == 2


def test_a_reference_made_in_the_same_set_counts(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS)
    error = ledger.submit([received("C-1", "5.00"), annulled("state", "KAZ", "1")]).exception(
        IN_TIME
    )
    assert "contribution 'C-1' refers to state 'KAZ'" in str(error)


def test_no_less_was_received_than_went_back(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS, received("C-1", "60.00"), returned("C-1", "50.00"))
    too_little = received("C-1", "40.00", None, corrects="contribution/C-1/1")
    impossible = "entry 5 (contribution.returned, 2023-09-01) would become impossible: "
    message = f"{impossible}50.00 can't be returned of 40.00 received"
    refused(ledger, too_little, "IMPOSSIBLE", message)
    message = f"{impossible}there is no such record yet; record its opening first"
    refused(ledger, annulled("contribution", "C-1", "1"), "IMPOSSIBLE", message)
    too_late = received("C-1", "60.00", "2023-10", corrects="contribution/C-1/1")
    refused(ledger, too_late, "IMPOSSIBLE", message)
    ledger.record(received("C-1", "50.00", "2023-08", corrects="contribution/C-1/1"))


def test_what_comes_to_light_late_is_held_against_what_is_known(
    ledger: Ledger, database: str
) -> None:
    recorded(ledger, state("KAZ"), status("KAZ", "observer", "2010"))
    refused(
        ledger,
        status("KAZ", "observer", "2005"),
        "IMPOSSIBLE",
        "entry 2 (state.status_changed, 2010) would become impossible: the state is observer"
        " already",
    )
    recorded(ledger, status("KAZ", "former", "2005"), renamed("KAZ", "Qazaqstan", "2001"))
    query = """
        SELECT step, status, name_en FROM projections.states WHERE upper_inf(known) ORDER BY step
    """
    assert rows(database, query) == [
        (1, "member", "Kazakhstan"),
        (2, "member", "Qazaqstan"),
        (3, "former", "Qazaqstan"),
        (4, "observer", "Qazaqstan"),
    ]


def test_a_correction_that_breaks_a_rule_itself_is_refused_by_that_rule(ledger: Ledger) -> None:
    recorded(ledger, *GROUNDS, received("C-1", "60.00"), status("KAZ", "observer"))
    too_precise = received("C-1", "60.001", None, corrects="contribution/C-1/1")
    message = "60.001 is more precise than USD, which has 2 decimals"
    refused(ledger, too_precise, "MALFORMED", message, field="amount")
    same = status("KAZ", "member", None, corrects="state/KAZ/2")
    refused(ledger, same, "NOT_PERMITTED", "the state is member already", field="status")
    unknown = received("C-1", "60.00", None, state="XXK", corrects="contribution/C-1/1")
    refused(ledger, unknown, "NOT_FOUND", "state 'XXK' is not on record", field="state")
