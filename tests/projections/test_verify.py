"""Verifying: silent about a sound ledger, and true to one moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from ledger import accounts, soundness, states
from ledger.refusal import Unusable
from projections import REGISTRY, TABLES
from projections.rebuild import rebuild
from projections.verify import Report, verify
from tests.projections.forgery import KAZ, assert_found, errors, forge, warnings
from tests.projections.register import (
    ZONE,
    grounds,
    opened_ledger,
    proposed,
    received,
    record_at_random,
)


def test_a_sound_ledger_has_no_problem(register: str) -> None:
    seen: list[tuple[int, int]] = []
    report = verify(
        register, REGISTRY, TABLES, ZONE, progress=lambda done, total: seen.append((done, total))
    )
    assert errors(report) == []
    with psycopg.connect(register) as connection:
        row = connection.execute("SELECT count(*) FROM ledger.entries").fetchone()
    assert row == (report.entries,)
    assert seen == sorted(seen)
    assert seen[-1] == (2 * report.entries, 2 * report.entries)


def test_what_is_sound_and_dated_well_gives_no_warning_either(database: str) -> None:
    with opened_ledger(database) as ledger:
        assert verify(database, REGISTRY, TABLES, ZONE) == Report(
            entries=0, problems=(), errors=0, warnings=0
        )
        ledger.submit(grounds()).result()
    assert verify(database, REGISTRY, TABLES, ZONE).problems == ()


def test_a_rebuilt_ledger_has_no_problem(register: str) -> None:
    rebuild(register, TABLES)
    assert errors(verify(register, REGISTRY, TABLES, ZONE)) == []


def test_one_moment_is_looked_at_while_entries_come_in(register: str) -> None:
    with opened_ledger(register) as ledger:
        seeds = [1]

        def record_once(done: int, total: int) -> None:
            for seed in seeds:
                record_at_random(ledger, seed=seed, count=20)
            seeds.clear()

        report = verify(register, REGISTRY, TABLES, ZONE, progress=record_once)
        assert errors(report) == []
        assert verify(register, REGISTRY, TABLES, ZONE).entries > report.entries


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            "UPDATE projections.states SET name_en = 'Atlantis' WHERE key = 'KAZ'",
            (
                rf"projections.states KAZ, step 1 \(entry {KAZ}\), known \[{KAZ},\)",
                "^name_en is 'Atlantis', and the log gives 'KAZ'$",
            ),
            id="altered text",
        ),
        pytest.param(
            "UPDATE projections.contributions SET net = net * 1.0 WHERE key = 'C-ANNULLED'",
            (
                "projections.contributions C-ANNULLED, .*",
                "^net is '10.500', and the log gives '10.50'$",
            ),
            id="altered precision",
        ),
        pytest.param(
            "UPDATE projections.bodies SET operational = NOT operational",
            ("projections.bodies SEC, .*", "operational is '(true|false)', and the log gives"),
            id="altered truth",
        ),
        pytest.param(
            "UPDATE projections.persons SET name = 'Nobody' WHERE key = 'P-2'",
            ("projections.persons P-2, .*", "^name is not what the log gives$"),
            id="altered name of a person, not repeated",
        ),
        pytest.param(
            "UPDATE projections.states SET effective = daterange('2003-01-01', NULL)"
            " WHERE key = 'KAZ'",
            (
                "projections.states KAZ, .*",
                r"effective is '\[2003-01-01,\)', and the log gives '\[2002-06-30,\)'",
            ),
            id="altered range",
        ),
        pytest.param(
            "UPDATE projections.states SET known = 'empty' WHERE key = 'KAZ'",
            ("projections.states KAZ, .*", "is missing; the log gives it|does not give this row"),
            id="empty range",
        ),
        pytest.param(
            "DELETE FROM projections.states WHERE key = 'KAZ'",
            ("projections.states KAZ, .*", "^is missing; the log gives it$"),
            id="missing",
        ),
        pytest.param(
            "DELETE FROM projections.states WHERE key = 'EGY' AND NOT upper_inf(known)",
            ("projections.states EGY, .*", "^is missing; the log gives it$"),
            id="missing past",
        ),
        pytest.param(
            "INSERT INTO projections.states SELECT * FROM projections.states WHERE key = 'EGY'"
            " AND NOT upper_inf(known)",
            ("projections.states EGY, .*", "^the log does not give this row$"),
            id="twice",
        ),
        pytest.param(
            "INSERT INTO projections.states SELECT (row).* FROM (SELECT"
            """ jsonb_populate_record(states, '{"key": "ZZZ"}') AS row FROM projections.states"""
            " WHERE key = 'KAZ') AS forged",
            ("projections.states ZZZ, .*", "^the log has no such record$"),
            id="extra",
        ),
        pytest.param(
            "UPDATE ledger.records SET version = 9 WHERE key = 'KAZ'",
            ("ledger.records state KAZ", "^version is 9, and the log gives 1$"),
            id="stale record",
        ),
        pytest.param(
            "UPDATE ledger.records SET is_open = false WHERE key = 'KAZ'",
            ("ledger.records state KAZ", "^is_open is False, and the log gives True$"),
            id="record taken for closed",
        ),
        pytest.param(
            "DELETE FROM ledger.records WHERE key = 'KAZ'",
            ("ledger.records state KAZ", "^is missing; the log gives it$"),
            id="missing record",
        ),
        pytest.param(
            "INSERT INTO ledger.records VALUES ('body', 'AAA', 1, true), ('zoo', 'A', 1, true)",
            ("ledger.records (body AAA|zoo A)", "^the log has no such record$"),
            id="extra records",
        ),
        pytest.param(
            "DELETE FROM ledger.record_references WHERE kind = 'budget'",
            ("ledger.record_references budget 2023 to body SEC", "^is missing; the log gives it$"),
            id="missing reference",
        ),
        pytest.param(
            "INSERT INTO ledger.record_references VALUES ('state', 'KAZ', 'state', 'UZB')",
            (
                "ledger.record_references state KAZ to state UZB",
                "^the log does not give this row$",
            ),
            id="extra reference",
        ),
        pytest.param(
            "UPDATE ledger.idempotency SET position = 999",
            (
                "idempotency key 'account-main' of registrar",
                "^names entry 999, which does not exist$",
            ),
            id="answer without an entry",
        ),
        pytest.param(
            "UPDATE projections.rules SET version = 'older'",
            ("projections.rules", "filled by rules older, .*were not compared"),
            id="other rules",
        ),
        pytest.param(
            "DELETE FROM projections.rules",
            ("projections.rules", "filled by rules that were not noted, "),
            id="no rules",
        ),
    ],
)
def test_what_follows_from_the_log_is_held_to_it(
    register: str, statement: str, expected: tuple[str, str]
) -> None:
    forge(register, statement)
    assert_found(register, [expected])


def test_a_key_may_be_anothers_than_the_recorders(register: str) -> None:
    forge(register, "UPDATE ledger.idempotency SET principal = 'somebody'")
    assert_found(register, [])
    forge(register, "UPDATE ledger.idempotency SET position = 999")
    where = "idempotency key 'account-main' of somebody"
    assert_found(register, [(where, "^names entry 999, which does not exist$")])


def test_dates_to_look_at_are_warnings(database: str) -> None:
    with opened_ledger(database) as ledger:
        ledger.submit(grounds()).result()
        opened = accounts.Opened(fund="GENERAL", currency="USD")
        ledger.record(proposed("account", "LATE", opened, "2023-07"))
        early = replace(received("KAZ", "1.00"), account="LATE")
        first = ledger.record(proposed("contribution", "C-1", early, "2023-06")).entry
        # No warning of this one: some of the year lies after the account was opened.
        ledger.record(proposed("contribution", "C-2", early, "2023"))
        renamed = states.Renamed(name_en="Qazaqstan")
        second = ledger.record(proposed("state", "KAZ", renamed, "2002-05-31")).entry
    account = "refers to account LATE, which began on 2023-07-01 at the earliest"
    opening = "its record began on 2002-06-01 at the earliest (entry 1)"
    assert warnings(verify(database, REGISTRY, TABLES, ZONE)) == [
        (f"entry {first.position}", f"{account}; this happened by 2023-06-30"),
        (f"entry {second.position}", f"happened by 2002-05-31, and {opening}"),
    ]


def test_only_the_first_problems_are_listed(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "MOST_LISTED", 3)
    forge(register, "UPDATE ledger.entries SET recorded_by = 'nobody'")
    report = verify(register, REGISTRY, TABLES, ZONE)
    assert len(report.problems) == 3
    # The one key is sound: it may be another's than the recorder's.
    assert report.errors == report.entries


def test_a_rebuild_and_a_verification_exclude_each_other(register: str) -> None:
    refusals: list[str] = []

    def try_verify(done: int, total: int) -> None:
        if not refusals:
            with pytest.raises(Unusable) as caught:
                verify(register, REGISTRY, TABLES, ZONE)
            refusals.append(str(caught.value))

    def try_rebuild(done: int, total: int) -> None:
        if len(refusals) == 1:
            with pytest.raises(Unusable) as caught:
                rebuild(register, TABLES)
            refusals.append(str(caught.value))

    rebuild(register, TABLES, progress=try_verify)
    verify(register, REGISTRY, TABLES, ZONE, progress=try_rebuild)
    assert refusals == [
        "the read models are being rebuilt: wait until that ends",
        "the read models are being rebuilt or verified by another process: wait until it ends",
    ]


def test_two_verifications_may_run_at_once(register: str) -> None:
    meet = threading.Barrier(2)
    met = threading.local()

    def progress(done: int, total: int) -> None:
        if not hasattr(met, "once"):
            met.once = True
            meet.wait(timeout=30)

    with ThreadPoolExecutor() as pool:
        both = [
            pool.submit(verify, register, REGISTRY, TABLES, ZONE, progress=progress)
            for _ in range(2)
        ]
        assert [errors(one.result()) for one in both] == [[], []]


def test_a_lost_connection_is_one_line(register: str) -> None:
    def kill(done: int, total: int) -> None:
        with psycopg.connect(register) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'secretariat'"
            )

    with pytest.raises(Unusable, match=r"verifying was cut short: .*; run it again"):
        verify(register, REGISTRY, TABLES, ZONE, progress=kill)


def test_a_report_is_read_in_lines(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "MOST_LISTED", 1)
    forge(register, "DELETE FROM ledger.records WHERE kind = 'state' AND key IN ('KAZ', 'TUR')")
    report = verify(register, REGISTRY, TABLES, ZONE)
    assert [str(problem) for problem in report.problems] == [
        "error: ledger.records state KAZ: is missing; the log gives it"
    ]
    assert report.summary == (
        f"{report.entries} entries verified: 2 errors, 0 warnings (1 not listed)"
    )
    assert Report(entries=1, problems=(), errors=0, warnings=0).summary == (
        "1 entry verified: 0 errors, 0 warnings"
    )
