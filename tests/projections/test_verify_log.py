"""Verifying the log: whatever somebody forges in an entry, or between two, is found."""

from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from ledger import states
from ledger.recorder import LedgerRecorder, ledger_datastore
from projections import REGISTRY, TABLES
from projections.verify import verify
from tests.projections.forgery import (
    ANNULLED_ONE,
    KAZ,
    MAIN,
    altered,
    assert_found,
    errors,
    forge,
    removed,
    reworded,
    warnings,
)
from tests.projections.register import (
    ZONE,
    annulled,
    opened_ledger,
    proposed,
    received,
)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            reworded(ANNULLED_ONE, "data", "10.50", "10.51"),
            [
                (f"entry {ANNULLED_ONE}", "its data has the SHA-256 .*, its header says"),
                (
                    rf"projections.contributions C-ANNULLED, step 1 \(entry {ANNULLED_ONE}\).*",
                    "(received|net) is '10.50', and the log gives '10.51'",
                ),
            ],
            id="a digit of the data",
        ),
        pytest.param(
            reworded(KAZ, "data", '"event":', ' "event":'),
            [
                (f"entry {KAZ}", "its data has the SHA-256"),
                (f"entry {KAZ}", "its data is not in canonical form"),
            ],
            id="a blank in the data",
        ),
        pytest.param(
            reworded(KAZ, "data", '"by":', '"by"'),
            [
                (f"entry {KAZ}", "its data has the SHA-256"),
                (f"entry {KAZ}", "its data is not a JSON object"),
                (f"entry {KAZ}", "its data can't be read"),
            ],
            id="data that is no JSON",
        ),
        pytest.param(
            reworded(KAZ, "header", '"key":', ' "key":'),
            [(f"entry {KAZ}", "its header is not in canonical form")],
            id="a blank in the header",
        ),
        pytest.param(
            reworded(KAZ, "header", '"key":"KAZ"', '"key":"KGZ"'),
            [(f"entry {KAZ}", "its header says key is 'KGZ', its column says 'KAZ'")],
            id="a letter of the header",
        ),
        pytest.param(
            altered(KAZ, "header = '[]'"),
            [(f"entry {KAZ}", "its header is not a JSON object")],
            id="another header",
        ),
    ],
)
def test_forged_bytes_are_found(
    register: str, statement: str, expected: list[tuple[str, str]]
) -> None:
    forge(register, statement)
    assert_found(register, expected)


COLUMNS = {
    "id": "'01900000-0000-7000-8000-000000000000'",
    "family": "'treaties'",
    "name": "'state.renamed'",
    "key": "'KGZ'",
    "kind": "'body'",
    "version": "2",
    "corrects": "1",
    "annuls": "1",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "appended_at": "appended_at - interval '1 microsecond'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_differs_from_the_header_is_found(register: str, column: str) -> None:
    forge(register, altered(KAZ, f"{column} = {COLUMNS[column]}"))
    found = errors(verify(register, REGISTRY, TABLES, ZONE))
    said = [what for where, what in found if where == f"entry {KAZ}" and "its header says" in what]
    assert len(said) == 1
    assert said[0].startswith(f"its header says {column} is ")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            altered(KAZ, "recorded_by = 'nobody'"),
            [(f"entry {KAZ}", "its data says 'registrar' recorded it, its column says 'nobody'")],
            id="another recorder",
        ),
        pytest.param(
            altered(KAZ, "record_id = gen_random_uuid()"),
            [
                (f"entry {KAZ}", "its record's id, .*, is not that of state 'KAZ'"),
                ("entry .*", "refers to state KAZ, which is not on record"),
            ],
            id="another record",
        ),
        pytest.param(
            altered(KAZ, "id = gen_random_uuid()"),
            [(f"entry {KAZ}", "(its header says id is|is not a UUID of version 7)")],
            id="an id without a time",
        ),
        pytest.param(
            "DELETE FROM ledger.person_keys",
            [(r"projections.persons P-\d, .*", "^name is not what the log gives$")],
            id="keys of persons",
        ),
        pytest.param(
            "UPDATE ledger.person_keys SET key = sha256('guessed')",
            [("entry .*", "its data can't be read: name of record .* does not decrypt")],
            id="other keys of persons",
        ),
    ],
)
def test_what_only_other_places_contradict_is_found(
    register: str, statement: str, expected: list[tuple[str, str]]
) -> None:
    forge(register, statement)
    assert_found(register, expected)


def test_a_forged_leaf_is_found(register: str) -> None:
    forge(
        register,
        "ALTER TABLE ledger.entries ALTER leaf_hash DROP EXPRESSION",
        altered(KAZ, "leaf_hash = sha256('forged')"),
        altered(MAIN, "leaf_hash = NULL"),
    )
    assert_found(
        register,
        [
            (f"entry {KAZ}", "its leaf hash is not that of its header"),
            (f"entry {MAIN}", "its leaf hash is not that of its header"),
        ],
    )


def test_ids_that_are_not_unique_are_found(register: str) -> None:
    forge(
        register,
        "ALTER TABLE ledger.entries DROP CONSTRAINT entries_id_key",
        "UPDATE ledger.entries SET id = (SELECT id FROM ledger.entries WHERE position = 1)"
        " WHERE position IN (2, 3)",
    )
    assert_found(
        register,
        [("entry [23]", "its header says id is"), ("entries 1, 2, 3", "have the same id, ")],
    )


def test_a_removed_entry_is_found(register: str) -> None:
    forge(register, removed(ANNULLED_ONE))
    assert_found(
        register,
        [
            ("the log", f"^entry {ANNULLED_ONE} is missing$"),
            ("entry 17", "it has version 2 and is number 1 of its record"),
            ("projections.contributions C-ANNULLED, .*", "the log does not give this row"),
        ],
    )


def test_a_gap_is_found_whatever_its_width(register: str) -> None:
    forge(register, "DELETE FROM ledger.entries WHERE position < 4")
    found = errors(verify(register, REGISTRY, TABLES, ZONE))
    assert ("the log", "entries 1 to 3 are missing") in found
    assert ("ledger.records state EGY", "the log has no such record") in found


def test_a_removed_end_is_found(register: str) -> None:
    with opened_ledger(register) as ledger:
        event = states.Admitted(status=states.Status.OBSERVER, name_en="Thailand")
        last = ledger.record(proposed("state", "THA", event, "2023")).entry.position
    forge(register, removed(last))
    assert_found(
        register,
        [
            ("the head", f"its position is {last}, that of the last entry {last - 1}"),
            ("the head", "its moment is .*, that of the last entry "),
            ("ledger.records state THA", "the log has no such record"),
            ("projections.states THA, .*", "the log has no such record"),
        ],
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "UPDATE ledger.head SET live_from = NULL",
            ("entry .*", "recorded live, .* but the head says .* never live"),
        ),
        (
            "UPDATE ledger.head SET live_from = 7",
            ("entry [456]", "but the head says .* live only from entry 7 on"),
        ),
        (
            "UPDATE ledger.head SET live_from = 3",
            ("entry 3", "it was recorded live, and so at .*, but its moment is"),
        ),
        (
            "UPDATE ledger.head SET live_from = 0",
            ("(the head|entry [123])", "from entry 0 on|recorded live, and so at"),
        ),
    ],
)
def test_a_forged_head_is_found(register: str, change: str, expected: tuple[str, str]) -> None:
    forge(register, change)
    assert_found(register, [expected])


def test_moments_out_of_order_are_found(register: str) -> None:
    forge(
        register,
        altered(MAIN, "recorded_at = recorded_at - interval '1 year'"),
        altered(3, "recorded_at = appended_at + interval '1 day'"),
    )
    assert_found(
        register,
        [
            (f"entry (3|{MAIN})", "its header says recorded_at is"),
            (f"entry {MAIN}", f"it was recorded at .*, before entry {MAIN - 1} "),
            ("entry 3", "it was recorded at .*, but appended earlier, at "),
            ("entry 4", "it was recorded at .*, before entry 3 "),
        ],
    )


def test_a_clock_that_was_set_back_is_remarked(register: str) -> None:
    forge(register, altered(2, "appended_at = clock_timestamp() + interval '1 hour'"))
    remarked = warnings(verify(register, REGISTRY, TABLES, ZONE))
    assert [where for where, _ in remarked] == ["entry 2", "entry 3"]
    assert remarked[0][1].endswith("by the database's clock is still to come")
    assert remarked[1][1].endswith("before entry 2: the clock was set back")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (1, "it annuls entry 1, which is no earlier one of its record"),
        (ANNULLED_ONE, f"it annuls entry {ANNULLED_ONE}, which was not live any more"),
    ],
)
def test_a_target_that_could_not_be_one_is_found(register: str, target: int, problem: str) -> None:
    with opened_ledger(register) as ledger:
        again = ledger.record(
            proposed("contribution", "C-ANNULLED", received("KAZ", "1.00"), "2023")
        ).entry
        last = ledger.record(annulled("contribution", "C-ANNULLED", again.version)).entry
    forge(register, altered(last.position, f"annuls = {target}"))
    found = errors(verify(register, REGISTRY, TABLES, ZONE))
    assert (f"entry {last.position}", problem) in found


def test_a_reference_to_what_came_later_is_found(register: str) -> None:
    with opened_ledger(register) as ledger:
        first = ledger.record(
            proposed("contribution", "C-NEW", received("KAZ", "1.00"), "2023")
        ).entry
        event = states.Admitted(status=states.Status.OBSERVER, name_en="Thailand")
        later = ledger.record(proposed("state", "THA", event, "2002")).entry
    forge(register, reworded(first.position, "data", '"KAZ"', '"THA"'))
    problem = f"refers to state THA, recorded later, in entry {later.position}"
    assert (f"entry {first.position}", problem) in errors(verify(register, REGISTRY, TABLES, ZONE))


def test_what_the_library_appended_is_remarked(register: str) -> None:
    with ledger_datastore(register) as datastore:
        (position,) = LedgerRecorder(datastore).insert_events(
            [StoredEvent(uuid4(), 1, "any.thing", b"no JSON")]
        )
    report = verify(register, REGISTRY, TABLES, ZONE)
    assert errors(report) == []
    (remark,) = warnings(report)
    assert remark[0] == f"entry {position}"
    forge(register, altered(position, "key = 'other'"))
    assert_found(
        register,
        [(f"entry {position}", "its header says key is|its key is 'other', its record's id")],
    )
