"""Recording on a real database: answers, sets, groups, versions, references, and the end."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import product
from string import ascii_uppercase
from typing import Any

import psycopg
import pytest

from ledger import store
from ledger.admission import Answer
from ledger.entry import Proposal, record_id
from ledger.record import Ledger, SetRefused
from ledger.refusal import Unusable
from projections import RULES
from tests.ledger.recording import (
    IN_TIME,
    ZONE,
    account,
    annulled,
    log,
    open_ledger,
    person,
    received,
    refused,
    renamed,
    rows,
    state,
    status,
)
from tests.ledger.waiting import held_up


def test_an_answer_is_the_entry_as_it_was_stored(ledger: Ledger, database: str) -> None:
    before = datetime.now(UTC)
    answer = ledger.record(state("KAZ", note="a note"))
    entry = answer.entry
    assert not answer.repeated
    assert (entry.position, entry.version, entry.kind, entry.key) == (1, 1, "state", "KAZ")
    assert (entry.name, entry.family, entry.target) == ("state.admitted", "membership", None)
    assert entry.statement == state("KAZ", note="a note").statement
    assert before <= entry.recorded_at == entry.appended_at <= datetime.now(UTC)
    [(*columns, leaf)] = rows(database, f"SELECT {store.COLUMNS}, leaf_hash FROM ledger.entries")  # noqa: S608  # The constant of the module under test.
    assert tuple(columns) == entry.row()
    assert leaf == hashlib.sha256(b"\x00" + entry.header).digest()
    assert json.loads(entry.header)["data"] == hashlib.sha256(entry.data).hexdigest()


def test_an_entry_id_begins_with_its_time(ledger: Ledger) -> None:
    for key in ("KAZ", "AZE"):
        before = datetime.now(UTC)
        id = ledger.record(state(key)).entry.id
        begun = datetime.fromtimestamp((id.int >> 80) / 1000, UTC)
        assert (id.version, id.variant) == (7, "specified in RFC 4122")
        assert before - timedelta(milliseconds=1) <= begun <= datetime.now(UTC)


def test_positions_count_the_ledger_and_versions_the_record(ledger: Ledger, database: str) -> None:
    for proposal in (state("KAZ"), state("AZE"), renamed("KAZ", "A"), renamed("KAZ", "B")):
        ledger.record(proposal)
    assert log(database) == [
        (1, "state", "KAZ", 1),
        (2, "state", "AZE", 1),
        (3, "state", "KAZ", 2),
        (4, "state", "KAZ", 3),
    ]
    records = rows(database, "SELECT kind, key, version, is_open FROM ledger.records ORDER BY key")
    assert records == [("state", "AZE", 1, True), ("state", "KAZ", 3, True)]
    assert rows(database, "SELECT position FROM ledger.head") == [(4,)]


def test_what_was_answered_is_in_the_read_model(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ", name_en="Kazakhstan"))
    query = "SELECT key, name_en FROM projections.states WHERE upper_inf(known)"
    assert rows(database, query) == [("KAZ", "Kazakhstan")]


# ---------------------------------------------------------------- sets


def test_in_a_set_what_comes_later_may_rest_on_what_comes_before(
    ledger: Ledger, database: str
) -> None:
    set_ = [state("KAZ"), account("MAIN"), received("C-1", "5.00"), renamed("KAZ", "Qazaqstan")]
    answers = ledger.submit(set_).result(IN_TIME)
    assert [answer.entry.position for answer in answers] == [1, 2, 3, 4]
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "MAIN", "C-1", "KAZ"]


def test_a_set_is_recorded_whole_or_not_at_all(ledger: Ledger, database: str) -> None:
    set_ = [
        state("KAZ"),
        state("AZE"),
        status("AZE", "member"),  # Refused: it is one.
        renamed("AZE", "not looked at, since its record is at fault"),
        account("MAIN"),
        received("C-1", "5.00", state="AZE"),  # Left out: it refers to what is at fault.
        received("C-2", "5.005"),
        received("C-3", "5.00"),
    ]
    with pytest.raises(SetRefused) as caught:
        ledger.submit(set_).result(IN_TIME)
    assert [(index, refusal.code) for index, refusal in caught.value.refusals] == [
        (2, "NOT_PERMITTED"),
        (6, "MALFORMED"),
    ]
    assert caught.value.left_out == 2
    assert "the state is member already; 5.005 is more precise" in str(caught.value)
    assert log(database) == []
    assert rows(database, "SELECT * FROM ledger.records") == []


def test_a_label_names_an_entry_of_the_same_set(ledger: Ledger, database: str) -> None:
    set_ = [
        state("KAZ", label="first"),
        state("KAZ", None, name_en="Qazaqstan", corrects="first", label="second"),
        annulled("state", "KAZ", "second"),
    ]
    ledger.submit(set_).result(IN_TIME)
    targets = rows(database, "SELECT position, corrects, annuls FROM ledger.entries ORDER BY 1")
    assert targets == [(1, None, None), (2, 1, None), (3, None, 2)]
    refused(
        ledger,
        annulled("state", "KAZ", "first"),
        "NOT_FOUND",
        "'first' is not an entry of state 'KAZ'; name it by its id, by kind/key/version, or by its"
        " label in the same import",
        field="annuls",
    )


def test_a_label_names_one_entry(ledger: Ledger, database: str) -> None:
    with pytest.raises(SetRefused) as caught:
        ledger.submit([state("KAZ", label="a"), state("AZE", label="a")]).result(IN_TIME)
    [(index, refusal)] = caught.value.refusals
    assert (index, refusal.code, refusal.field) == (1, "MALFORMED", "label")
    assert refusal.message == "'a' is the label of another proposal of this set"
    assert log(database) == []


def test_progress_is_told_proposal_by_proposal(ledger: Ledger) -> None:
    told: list[int] = []
    set_ = [state(key) for key in ("KAZ", "AZE", "UZB")]
    ledger.submit(set_, progress=told.append).result(IN_TIME)
    assert told == [1, 2, 3]


def test_an_empty_set_has_no_answers(ledger: Ledger, database: str) -> None:
    assert ledger.submit([]).result(IN_TIME) == []
    assert log(database) == []


# ---------------------------------------------------------------- groups


def test_sets_that_wait_are_committed_together_and_refused_apart(
    ledger: Ledger, database: str
) -> None:
    with held_up(ledger, database, state("KAZ")):
        waiting = [
            ledger.submit([state("AZE")]),
            ledger.submit([renamed("AZE", "Azerbaijan"), state("TUR")]),
            ledger.submit([state("IND"), state("AZE")]),  # Refused: it is on record by now.
            ledger.submit([renamed("IND", "India")]),  # Refused: so this is not.
            ledger.submit([renamed("TUR", "Türkiye")]),
        ]
    assert [outcome(future) for future in waiting] == [
        [2],
        [3, 4],
        ["ALREADY_EXISTS"],
        ["NOT_FOUND"],
        [5],
    ]
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE", "AZE", "TUR", "TUR"]
    transactions = rows(database, "SELECT xmin::text FROM ledger.entries ORDER BY position")
    assert len(set(transactions[1:])) == 1
    assert transactions[0] not in transactions[1:]


def outcome(future: Future[list[Answer]]) -> list[int] | list[str]:
    """The positions of the answers, or the codes of the refusals."""
    try:
        return [answer.entry.position for answer in future.result(IN_TIME)]
    except SetRefused as set_refused:
        return [refusal.code for _, refusal in set_refused.refusals]


def test_a_failure_that_nobody_foresaw_is_the_culprits_alone(ledger: Ledger, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE projections.states ADD CHECK (key <> 'ZZZ')")
    with held_up(ledger, database, state("KAZ")):
        good, bad = ledger.submit([state("AZE")]), ledger.submit([state("ZZZ")])
        also_good = ledger.submit([state("TUR")])
    assert (outcome(good), outcome(also_good)) == ([2], [3])
    with pytest.raises(psycopg.errors.CheckViolation):
        bad.result(IN_TIME)
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE", "TUR"]


def test_progress_that_raises_is_the_outcome_of_its_own_set_alone(
    ledger: Ledger, database: str
) -> None:
    def raises(count: int) -> None:
        raise RuntimeError(f"told of {count}")

    told: list[int] = []
    with held_up(ledger, database, state("KAZ")):
        good = ledger.submit([state("AZE")], progress=told.append)
        bad = ledger.submit([state("TUR"), state("IND")], progress=raises)
        orphan = ledger.submit([renamed("TUR", "Türkiye")])
        also_good = ledger.submit([state("UZB")], progress=told.append)
    assert (outcome(good), outcome(orphan), outcome(also_good)) == ([2], ["NOT_FOUND"], [3])
    with pytest.raises(RuntimeError, match=r"^told of 1$"):
        bad.result(IN_TIME)
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE", "UZB"]
    # The others were asked once, in one transaction.
    assert told == [1, 1]
    transactions = rows(database, "SELECT xmin::text FROM ledger.entries ORDER BY position")
    assert transactions[1] == transactions[2]
    assert outcome(ledger.submit([state("TUR")])) == [4]


def test_who_gives_up_waiting_in_time_is_not_recorded_and_harms_nobody(
    ledger: Ledger, database: str
) -> None:
    with held_up(ledger, database, state("KAZ")) as first:
        given_up, other = ledger.submit([state("AZE")]), ledger.submit([state("TUR")])
        assert given_up.cancel()
        # Its transaction is under way: who asks now is told that it is too late.
        assert not first.cancel()
    assert (outcome(first), outcome(other)) == ([1], [2])
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "TUR"]
    assert ledger.record(state("AZE")).entry.position == 3


# ---------------------------------------------------------------- dry runs


TABLES = ("entries", "records", "record_references", "idempotency", "person_keys", "head")


def everything(database: str) -> list[Any]:
    tables = [f"ledger.{name}" for name in TABLES]
    tables += ["projections.states", "projections.persons", "projections.contributions"]
    return [rows(database, f"SELECT * FROM {table}") for table in tables]  # noqa: S608  # Named above.


def test_a_dry_run_answers_and_leaves_nothing(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ"))
    before = everything(database)
    set_ = [
        person("P-1", "Aigerim Testova"),
        account("MAIN"),
        received("C-1", "5.00", idempotency_key="k"),
        renamed("KAZ", "Qazaqstan"),
    ]
    answers = ledger.submit(set_, dry_run=True).result(IN_TIME)
    assert [answer.entry.position for answer in answers] == [2, 3, 4, 5]
    assert everything(database) == before
    assert [answer.entry.position for answer in ledger.submit(set_).result(IN_TIME)] == [2, 3, 4, 5]


def test_a_dry_run_refuses_as_the_real_one_would(ledger: Ledger, database: str) -> None:
    set_ = [state("KAZ"), state("KAZ"), received("C-1", "5.00")]
    with pytest.raises(SetRefused) as caught:
        ledger.submit(set_, dry_run=True).result(IN_TIME)
    assert [(index, type(refusal).code) for index, refusal in caught.value.refusals] == [
        (1, "ALREADY_EXISTS"),
    ]
    assert caught.value.left_out == 1
    assert log(database) == []


def test_nobody_rests_on_a_dry_run(ledger: Ledger, database: str) -> None:
    with held_up(ledger, database, state("KAZ")):
        dry = ledger.submit([state("AZE")], dry_run=True)
        real = ledger.submit([renamed("AZE", "Azerbaijan")])
    assert outcome(dry) == [2]
    assert outcome(real) == ["NOT_FOUND"]
    assert [key for _, _, key, _ in log(database)] == ["KAZ"]


# ---------------------------------------------------------------- versions and references


def test_an_expected_version_is_that_of_the_record_or_a_conflict(ledger: Ledger) -> None:
    ledger.record(state("KAZ", expected_version=0))
    ledger.record(renamed("KAZ", "A", expected_version=1))
    message = "state 'KAZ' has version 2, not 1; read it again before you change it"
    conflict = renamed("KAZ", "B", expected_version=1)
    refused(ledger, conflict, "VERSION_CONFLICT", message, field="expected_version")
    message = "state 'AZE' has version 0, not 3; read it again before you change it"
    conflict = state("AZE", expected_version=3)
    refused(ledger, conflict, "VERSION_CONFLICT", message, field="expected_version")
    assert ledger.record(renamed("KAZ", "B", expected_version=2)).entry.version == 3


def test_in_a_set_the_version_is_the_one_that_the_set_has_reached(ledger: Ledger) -> None:
    set_ = [state("KAZ", expected_version=0), renamed("KAZ", "A", expected_version=1)]
    assert len(ledger.submit(set_).result(IN_TIME)) == 2


def test_a_reference_is_to_a_record_that_there_is(ledger: Ledger) -> None:
    ledger.record(account("MAIN"))
    message = "state 'KAZ' is not on record"
    refused(ledger, received("C-1", "5.00"), "NOT_FOUND", message, field="state")
    ledger.record(state("KAZ"))
    ledger.record(annulled("state", "KAZ", "1"))
    refused(ledger, received("C-1", "5.00"), "NOT_FOUND", message, field="state")
    ledger.record(annulled("state", "KAZ", "2"))
    assert ledger.record(received("C-1", "5.00")).entry.position == 5


def test_references_are_kept_as_the_live_entries_have_them(ledger: Ledger, database: str) -> None:
    for proposal in (state("KAZ"), state("AZE"), account("MAIN"), received("C-1", "5.00")):
        ledger.record(proposal)
    query = "SELECT key, to_kind, to_key FROM ledger.record_references ORDER BY to_kind"
    assert rows(database, query) == [("C-1", "account", "MAIN"), ("C-1", "state", "KAZ")]
    ledger.record(received("C-1", "5.00", None, state="AZE", corrects="contribution/C-1/1"))
    assert rows(database, query) == [("C-1", "account", "MAIN"), ("C-1", "state", "AZE")]
    ledger.record(annulled("contribution", "C-1", "2"))
    assert rows(database, query) == [("C-1", "account", "MAIN"), ("C-1", "state", "KAZ")]
    ledger.record(annulled("contribution", "C-1", "1"))
    assert rows(database, query) == []


def test_a_reference_is_not_to_what_another_set_was_refused(ledger: Ledger, database: str) -> None:
    ledger.record(account("MAIN"))
    with held_up(ledger, database, state("AZE")):
        bad = ledger.submit([state("KAZ"), state("AZE")])
        orphan = ledger.submit([received("C-1", "5.00")])
    assert (outcome(bad), outcome(orphan)) == (["ALREADY_EXISTS"], ["NOT_FOUND"])


# ---------------------------------------------------------------- the ground of a writer


def stand_on(database: str, *, rules: str, zone: str) -> None:
    """Note these rules of the read models and this home zone, as another program would."""
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM projections.rules")
        connection.execute("INSERT INTO projections.rules (version) VALUES (%s)", [rules])
        connection.execute("DELETE FROM ledger.settings WHERE name = 'home_zone'")
        connection.execute("INSERT INTO ledger.settings VALUES ('home_zone', %s)", [zone])


GROUND = {"rules": RULES, "zone": ZONE.name}
OTHER_GROUND = {
    "rules": (
        {"rules": "older"},
        (
            f"the read models were filled by rules older, and this program has rules {RULES}: start"
            " it again, or run `secretariat rebuild`"
        ),
    ),
    "home zone": (
        {"zone": "Asia/Dushanbe"},
        (
            "the ledger's home time zone is Asia/Dushanbe, and this program goes by Asia/Almaty:"
            " start it again"
        ),
    ),
}


@pytest.mark.parametrize("what", OTHER_GROUND)
def test_nothing_is_recorded_on_another_ground(ledger: Ledger, database: str, what: str) -> None:
    stand_on(database, **GROUND)
    ledger.record(state("KAZ"))
    other, message = OTHER_GROUND[what]
    stand_on(database, **GROUND | other)
    before = everything(database)
    for dry_run in (False, True):
        with pytest.raises(Unusable) as caught:
            ledger.submit([state("AZE")], dry_run=dry_run).result(IN_TIME)
        assert str(caught.value) == message
    assert everything(database) == before
    stand_on(database, **GROUND)
    assert ledger.record(state("AZE")).entry.position == 2
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE"]


# ---------------------------------------------------------------- the end


def test_closing_records_what_was_submitted(database: str) -> None:
    ledger = open_ledger(database)
    futures = [ledger.submit([state(key)]) for key in ("KAZ", "AZE", "TUR")]
    futures += [ledger.submit([renamed("KAZ", f"Name {number}")]) for number in range(30)]
    ledger.close()
    assert all(future.done() for future in futures)
    assert len(log(database)) == 33
    ledger.close()


def test_a_closed_ledger_takes_nothing(database: str) -> None:
    ledger = open_ledger(database)
    ledger.close()
    for proposal in (state("KAZ"), state("of a wrong form")):
        with pytest.raises(Unusable, match=r"^the ledger is closed$"):
            ledger.record(proposal)
    assert log(database) == []


def test_closing_lets_go_of_the_connection(database: str) -> None:
    with open_ledger(database) as ledger:
        ledger.record(state("KAZ"))
        assert sessions(database) == 1
    assert sessions(database) == 0


def sessions(database: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    [(count,)] = rows(database, f"{query} AND application_name = 'secretariat'")
    assert isinstance(count, int)
    return count


def test_whoever_submits_while_the_ledger_closes_gets_an_answer_or_is_turned_away(
    database: str,
) -> None:
    ledger = open_ledger(database)
    ledger.record(state("KAZ"))
    futures: list[Future[list[Answer]]] = []
    many = threading.Event()

    def submit_until_closed(letter: str) -> None:
        for pair in product(ascii_uppercase, repeat=2):
            try:
                futures.append(ledger.submit([state(letter + "".join(pair))]))
            except Unusable:
                return
            if len(futures) > 100:
                many.set()

    threads = [threading.Thread(target=submit_until_closed, args=[letter]) for letter in "ABCD"]
    for thread in threads:
        thread.start()
    assert many.wait(IN_TIME)
    ledger.close()
    for thread in threads:
        thread.join(IN_TIME)
    assert all(future.done() for future in futures)
    assert len(log(database)) == 1 + len(futures)


def test_the_records_id_is_that_of_its_kind_and_key(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ"))
    ledger.record(renamed("KAZ", "Qazaqstan"))
    expected = record_id("state", "KAZ")
    assert rows(database, "SELECT record_id FROM ledger.entries") == [(expected,), (expected,)]
    assert record_id("account", "KAZ") != expected
    other: Proposal = state("KAZ")._replace(key="AZE")
    assert record_id(other.kind, other.key) != expected
