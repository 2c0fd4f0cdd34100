"""Recording a register in a real ledger: whole or not at all, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copytree

import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger.importing import FileOutcome, ImportRefused, Outcome, record_register
from ledger.record import Ledger
from migrations import migrate
from tests.conftest import fresh_database
from tests.ledger.recording import open_ledger
from tests.ledger.registers import (
    ALL_ROWS,
    EXAMPLE,
    GROUNDS,
    MORE,
    STATES,
    Answers,
    added,
    answers,
    asked,
    complaints,
    entries,
    read,
    receipts,
    record,
    refused,
    rows_by_file,
    written,
)

EDITED = (
    "this row was imported before, with other content, and an entry never changes: put it back as"
    " it was, with a label, and correct it by another row whose column corrects names the label; a"
    " row that is new goes below those of its record, or says in a column ordinal which of them it"
    " is (2, 3 …)"
)


@pytest.fixture(scope="module")
def example(server_url: str, migrated_template: str) -> Answers:
    """What a ledger says after the example was recorded in it."""
    template = str(conninfo_to_dict(migrated_template)["dbname"])
    with fresh_database(server_url, template=template) as url:
        migrate(url)
        with open_ledger(url) as ledger:
            record(ledger, EXAMPLE)
        return answers(url)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """A copy of the example, to be changed."""
    return copytree(EXAMPLE, tmp_path / "register")


def net(database: str, contribution: str) -> str | None:
    """What came in and wasn't returned, as is known now; None if nothing is."""
    found = asked(
        database,
        "SELECT key, net FROM projections.contributions"
        " WHERE upper_inf(known) AND upper_inf(effective)",
    )
    return {key: str(amount) for key, amount in found}.get(contribution)


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


# ---------------------------------------------------------------- the example


def test_the_example_is_recorded(ledger: Ledger, database: str) -> None:
    steps: list[tuple[int, int]] = []
    register = read(EXAMPLE, progress=lambda done, total: steps.append((done, total)))
    size = sum(file.stat().st_size for file in EXAMPLE.glob("*.csv"))
    assert steps == sorted(steps)
    assert steps[-1] == (size, size)
    steps.clear()
    outcome = record_register(
        ledger, register, progress=lambda done, total: steps.append((done, total))
    )
    assert outcome == Outcome(
        recorded=ALL_ROWS,
        repeated=0,
        files={name: FileOutcome(rows, 0) for name, rows in rows_by_file(EXAMPLE).items()},
    )
    assert steps == [(done, ALL_ROWS) for done in range(1, ALL_ROWS + 1)]
    assert entries(database) == ALL_ROWS
    received = "SELECT sum(net)::text FROM projections.contributions WHERE fiscal_year = 2023"
    assert asked(database, received) == [("1973450.00",)]
    moments = asked(
        database, "SELECT recorded_at::date::text FROM ledger.entries ORDER BY position"
    )
    assert moments == sorted(moments)
    assert (moments[0], moments[-1]) == (("2022-12-31",), ("2023-12-05",))


def test_recorded_again_nothing_is_added(ledger: Ledger, database: str) -> None:
    first = record(ledger, EXAMPLE)
    before = answers(database)
    again = record(ledger, EXAMPLE)
    assert (again.recorded, again.repeated) == (0, ALL_ROWS)
    assert again.files == {
        name: FileOutcome(0, file.recorded) for name, file in first.files.items()
    }
    assert (entries(database), answers(database)) == (ALL_ROWS, before)


def test_who_imports_makes_no_difference_to_what_is_known(ledger: Ledger, database: str) -> None:
    first = record(ledger, EXAMPLE, principal="clerk")
    again = record(ledger, EXAMPLE, principal="other")
    assert (first.recorded, first.repeated) == (ALL_ROWS, 0)
    assert (again.recorded, again.repeated) == (0, ALL_ROWS)
    assert entries(database) == ALL_ROWS
    by = "SELECT DISTINCT recorded_by FROM ledger.entries"
    assert asked(database, by) == [("clerk",)]
    owners = "SELECT principal, count(*) FROM ledger.idempotency GROUP BY principal"
    assert asked(database, owners) == [("import", ALL_ROWS)]


def test_a_part_may_be_recorded_first(ledger: Ledger, example: Answers, database: str) -> None:
    part = record(ledger, EXAMPLE, only=["state_admitted"])
    assert (part.recorded, part.repeated) == (37, 0)
    whole = record(ledger, EXAMPLE)
    assert (whole.recorded, whole.repeated) == (ALL_ROWS - 37, 37)
    assert answers(database) == example


def test_what_was_recorded_later_may_not_be_recorded_first(ledger: Ledger, database: str) -> None:
    record(ledger, EXAMPLE, only=["state_admitted", "bank_account_opened"])
    first, *_, last = refused(ledger, EXAMPLE)
    assert first == (
        "body_established.csv:2: recorded_on '2022-12-31': 2022-12-31T00:00:00.000000Z lies before"
        " the ledger's last entry (2023-03-31T00:00:00.000000Z)"
    )
    assert last.endswith(" more rows were not looked at: they hang on records that are at fault")
    assert entries(database) == 39


def test_a_row_that_was_edited_is_refused(ledger: Ledger, database: str, register: Path) -> None:
    record(ledger, register)
    changed(register / "contribution_received.csv", "TJK,2023,13450.00", "TJK,2023,13540.00")
    changed(register / "person_registered.csv", "P-031,Ghada Waly", "P-031,Ghada Fathi Waly")
    added(register / "budget_approved.csv", "2023-12,2023-12-31,2024,1.00,USD,SOC,x,quoted,")
    assert refused(ledger, register) == [
        f"contribution_received.csv:107: contribution 'C-2023-TJK': {EDITED}",
        f"person_registered.csv:32: person 'P-031': {EDITED}",
    ]
    assert entries(database) == ALL_ROWS


def test_what_the_refusal_says_can_be_done(ledger: Ledger, database: str, register: Path) -> None:
    record(ledger, register)
    file = register / "contribution_received.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},{'slip' if 'C-2023-TJK' in row else ''}," for row in rows]
    rows.append(",2023-12-06,C-2023-TJK,MAIN,TJK,2023,13540.00,USD,,,,,slip")
    file.write_text("\n".join((f"{header},label,corrects", *rows, "")), encoding="utf-8")
    outcome = record(ledger, register)
    assert (outcome.recorded, outcome.repeated) == (1, ALL_ROWS)
    assert net(database, "C-2023-TJK") == "13540.00"


def test_rows_that_are_added_are_recorded(ledger: Ledger, database: str, register: Path) -> None:
    record(ledger, register)
    added(
        register / "contribution_received.csv",
        "2023-11-02,2023-12-06,C-2023-TJK,MAIN,TJK,2023,1.00,USD,SOC/1481 s.9,illustrative,",
        "2023-11-03,2023-12-06,C-2023-KGZ,MAIN,KGZ,2023,2.00,USD,SOC/1481 s.9,illustrative,",
    )
    outcome = record(ledger, register)
    assert (outcome.recorded, outcome.repeated) == (2, ALL_ROWS)
    assert outcome.files["contribution_received.csv"] == FileOutcome(2, 106)
    assert (net(database, "C-2023-TJK"), net(database, "C-2023-KGZ")) == ("13451.00", "2.00")


def test_the_order_of_files_and_rows_changes_no_answer(
    ledger: Ledger, example: Answers, database: str, register: Path
) -> None:
    random = Random(7)  # noqa: S311  # It is no secret.
    for file in register.glob("*.csv"):
        header, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        random.shuffle(rows)
        file.write_text("".join((header, *rows)), encoding="utf-8")
    record(ledger, register)
    assert answers(database) == example
    # Whatever their order, the rows are known again.
    assert record(ledger, EXAMPLE).repeated == ALL_ROWS


# ---------------------------------------------------------------- corrections and annulments

TWO_RECEIPTS = receipts(
    "2023-01-10,2023-01-31,C-1,MAIN,KAZ,2023,100.00,USD,first,,",
    "2023-02-10,2023-02-28,C-1,MAIN,KAZ,2023,20.00,USD,,,",
    more=MORE,
)


def with_receipts(folder: Path, *rows: str) -> Path:
    """A register of two receipts of one contribution, 120.00 together, and of `rows`."""
    text = TWO_RECEIPTS + "".join(f"{row}\n" for row in rows)
    return written(folder, {**GROUNDS, "contribution_received": text})


@pytest.mark.parametrize("name", ["first", "contribution/C-1/1", "{id}"])
def test_a_correction_names_its_target(
    ledger: Ledger, database: str, tmp_path: Path, name: str
) -> None:
    record(ledger, with_receipts(tmp_path))
    [(id,)] = asked(
        database,
        "SELECT id::text FROM ledger.entries WHERE name LIKE '%received' ORDER BY position LIMIT 1",
    )
    row = f",2023-03-31,C-1,MAIN,KAZ,2023,50.00,USD,,{name.format(id=id)},"
    outcome = record(ledger, with_receipts(tmp_path, row))
    assert (outcome.recorded, net(database, "C-1")) == (1, "70.00")
    assert record(ledger, tmp_path).recorded == 0


@pytest.mark.parametrize(
    ("first", "second", "value"), [("2", "2", "ordinal '2'"), ("2", "", "ordinal")]
)
def test_two_rows_have_not_the_same_ordinal(
    tmp_path: Path, first: str, second: str, value: str
) -> None:
    rows = [f"2023-02-15,2023-02-15,C-1,MAIN,KAZ,2023,50.00,USD,{n}" for n in (first, second)]
    folder = written(tmp_path, {"contribution_received": receipts(*rows, more=",ordinal")})
    (line,) = complaints(folder)
    assert line.startswith(f"contribution_received.csv:3: {value}")
    assert line.endswith("line 2 is row 2 of this event and record already; number them anew")


def test_a_second_instalment_in_a_folder_of_its_own_says_its_ordinal(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    row = "2023-01-10,2023-01-31,C-1,MAIN,KAZ,2023,100.00,USD"
    first = written(tmp_path / "1", {**GROUNDS, "contribution_received": receipts(row)})
    record(ledger, first)
    row = "2023-02-10,2023-02-28,C-1,MAIN,KAZ,2023,20.00,USD"
    second = written(tmp_path / "2", {"contribution_received": receipts(row)})
    # Without an ordinal it would be the first one, with other content.
    assert refused(ledger, second) == [f"contribution_received.csv:2: contribution 'C-1': {EDITED}"]
    written(second, {"contribution_received": receipts(f"{row},2", more=",ordinal")})
    outcomes = [record(ledger, folder) for folder in (second, second, first)]
    assert [(done.recorded, done.repeated) for done in outcomes] == [(1, 0), (0, 1), (0, 4)]
    assert (entries(database), net(database, "C-1")) == (5, "120.00")


def test_a_second_correction_in_a_folder_of_its_own_aims_at_the_newer_entry(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    record(ledger, with_receipts(tmp_path / "1"))
    aims = {"50.00": "contribution/C-1/1", "60.00": "contribution/C-1/3"}
    folders = []
    for amount, aim in aims.items():
        row = f",2023-03-31,C-1,MAIN,KAZ,2023,{amount},USD,{aim}"
        text = receipts(row, more=",corrects")
        folders.append(written(tmp_path / amount, {"contribution_received": text}))
    outcomes = [record(ledger, folder) for folder in (*folders, *folders)]
    counts = [(done.recorded, done.repeated) for done in outcomes]
    assert counts == [(1, 0), (1, 0), (0, 1), (0, 1)]
    corrected = "SELECT version, corrects FROM ledger.entries WHERE key = 'C-1' ORDER BY version"
    assert asked(database, corrected) == [(1, None), (2, None), (3, 4), (4, 6)]
    assert net(database, "C-1") == "80.00"


@pytest.mark.parametrize("name", ["first", "contribution/C-1/1", "{id}"])
def test_an_annulment_names_its_target(
    ledger: Ledger, database: str, tmp_path: Path, name: str
) -> None:
    record(ledger, with_receipts(tmp_path))
    [(id,)] = asked(
        database,
        "SELECT id::text FROM ledger.entries WHERE name LIKE '%received' ORDER BY position LIMIT 1",
    )
    row = f",2023-03-31,C-1,,,,,,,,{name.format(id=id)}"
    outcome = record(ledger, with_receipts(tmp_path, row))
    assert (outcome.recorded, net(database, "C-1")) == (1, "20.00")
    assert record(ledger, tmp_path).recorded == 0


def test_all_in_one_import_and_on_one_day(ledger: Ledger, database: str, tmp_path: Path) -> None:
    rows = (
        ",2023-02-28,C-1,MAIN,KAZ,2023,50.00,USD,second,first,",
        ",2023-02-28,C-1,MAIN,KAZ,2023,60.00,USD,,second,",
        "2023-02-01,2023-02-28,C-1,MAIN,KAZ,2023,5.00,USD,slip,,",
        ",2023-02-28,C-1,,,,,,,,slip",
        "2023-02-02,2023-02-28,C-1,MAIN,KAZ,2023,6.00,USD,,,",
    )
    outcome = record(ledger, with_receipts(tmp_path, *rows))
    assert (outcome.recorded, net(database, "C-1")) == (10, "86.00")


def test_an_annulled_last_day_makes_room_for_another(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    files = {
        "state_admitted": STATES,
        "person_registered": "effective,person,name\n2006,P-1,x\n",
        "secondee_joined": "effective,secondment,person,state,title\n2020,S-1,P-1,KAZ,x\n",
        "secondee_left": "effective,secondment,label,annuls\n2023,S-1,slip,\n,S-1,,slip\n"
        "2022,S-1,,\n",
    }
    assert record(ledger, written(tmp_path, files)).recorded == 7
    left = "SELECT lower(effective)::text FROM projections.secondments WHERE upper_inf(known)"
    assert asked(database, left + " ORDER BY step") == [("2020-12-31",), ("2022-12-31",)]


def test_a_body_began_ceased_and_began_again(ledger: Ledger, tmp_path: Path) -> None:
    files = {
        "body_established": "effective,body,name_en,category,operational\n2006,TTF,x,advisory,no\n",
        "body_began_operating": "effective,body\n2018,TTF\n2010,TTF\n",
        "body_ceased_operating": "effective,body\n2015,TTF\n",
    }
    assert record(ledger, written(tmp_path, files)).recorded == 4


# ---------------------------------------------------------------- dry runs, live and late


def test_a_dry_run_leaves_no_trace(ledger: Ledger, example: Answers, database: str) -> None:
    steps: list[int] = []
    outcome = record_register(
        ledger, read(EXAMPLE), dry_run=True, progress=lambda done, total: steps.append(done)
    )
    assert (outcome.recorded, outcome.repeated, steps[-1]) == (ALL_ROWS, 0, ALL_ROWS)
    for table in ("entries", "records", "record_references", "idempotency", "person_keys"):
        assert asked(database, f"SELECT count(*) FROM ledger.{table}") == [(0,)]  # noqa: S608  # From the tuple above.
    assert asked(database, "SELECT position, recorded_at FROM ledger.head") == [(0, None)]
    assert all(rows == [] for rows in answers(database).values())
    assert record(ledger, EXAMPLE).recorded == ALL_ROWS
    assert answers(database) == example


def test_a_dry_run_refuses_as_the_import_does(ledger: Ledger, register: Path) -> None:
    added(register / "secondee_left.csv", "2023-11-30,2023-11-30,S-TJK-2007-A,x,quoted,")
    rows = read(register)
    with pytest.raises(ImportRefused) as dry:
        record_register(ledger, rows, dry_run=True)
    assert str(dry.value).splitlines() == refused(ledger, register)


def test_a_live_ledger_takes_an_older_register_late(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    live = {name: text.replace("2022-12-31", "") for name, text in GROUNDS.items()}
    record(ledger, written(tmp_path / "live", live))
    rows = ("2023,2023-06-30,C-1,MAIN,KAZ,2023,1.00,USD", "2023,,C-2,MAIN,KAZ,2023,2.00,USD")
    older = written(tmp_path / "older", {"contribution_received": receipts(*rows)})
    [line] = refused(ledger, older)
    assert line == (
        "contribution_received.csv:2: recorded_on '2023-06-30': the ledger has been live since"
        " entry 1, so no other day of recording may be stated; import with --late to keep it in the"
        " data"
    )
    assert record(ledger, older, late=True).recorded == 2
    assert record(ledger, older, late=True).repeated == 2
    registered_on = (
        "SELECT key, convert_from(data, 'UTF8')::jsonb ->> 'registered_on',"
        " recorded_at = appended_at FROM ledger.entries WHERE kind = 'contribution'"
        " ORDER BY position"
    )
    assert asked(database, registered_on) == [("C-1", "2023-06-30", True), ("C-2", None, True)]


def test_what_was_imported_in_time_is_known_again_by_late(ledger: Ledger, register: Path) -> None:
    recorded = record(ledger, register)
    assert record(ledger, register, late=True) == Outcome(
        0,
        recorded.recorded,
        {name: FileOutcome(0, outcome.recorded) for name, outcome in recorded.files.items()},
    )


def test_a_row_of_today_is_known_again_tomorrow(ledger: Ledger, tmp_path: Path) -> None:
    # At 20:00 UTC it is the next day in Almaty, whose UTC midnight is still to come.
    files = {"state_admitted": STATES.replace("2022-12-31", "2023-06-30")}
    evening = datetime(2023, 6, 29, 20, tzinfo=UTC)
    first = record(ledger, written(tmp_path, files), now=evening)
    again = record(ledger, tmp_path, now=evening + timedelta(days=1))
    assert (again.recorded, again.repeated) == (0, first.recorded)


def test_an_empty_register_records_nothing(ledger: Ledger, tmp_path: Path) -> None:
    outcome = record(ledger, written(tmp_path, {"state_admitted": STATES.splitlines()[0]}))
    assert outcome == Outcome(0, 0, {"state_admitted.csv": FileOutcome(0, 0)})
