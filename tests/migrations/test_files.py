"""The SQL files: which sequences are refused, and how a text is split into statements."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations import FilesUnusable
from migrations.files import read_files, split
from migrations.runner import FOLDER


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text)


def test_files_come_in_the_order_of_their_numbers_with_their_digests(tmp_path: Path) -> None:
    write(tmp_path, **{"0002_b": "-- Two.\n", "0001_a": "-- One.\nSELECT 1;\n"})
    first, second = read_files(tmp_path)
    assert (first.number, first.name) == (1, "0001_a.sql")
    assert first.sha256 == hashlib.sha256(b"-- One.\nSELECT 1;\n").hexdigest()
    assert [statement.text for statement in first.statements] == ["SELECT 1"]
    assert (second.number, second.name, second.statements) == (2, "0002_b.sql", ())


def test_files_that_are_not_sql_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, **{"0001_a": "-- One.\n"})
    for name in ("runner.py", ".0002_b.sql", "._0001_a.sql", "README.md"):
        (tmp_path / name).write_text("not a migration")
    assert [file.name for file in read_files(tmp_path)] == ["0001_a.sql"]


def test_the_ledgers_own_files_are_sound() -> None:
    files = read_files(FOLDER)
    assert files[0].number == 1
    assert all(file.statements for file in files)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "holds no migration"),
        ({"0002_b.sql": "-- Two."}, "number 0001 is missing before 0002_b.sql"),
        (
            {"0001_a.sql": "-- One.", "0003_c.sql": "-- Three."},
            "number 0002 is missing before 0003_c.sql",
        ),
        (
            {"0001_a.sql": "-- One.", "0001_b.sql": "-- One too."},
            "0001_a.sql and 0001_b.sql have the same number",
        ),
        ({"1_a.sql": "-- One."}, "1_a.sql: name it like 0001_small_words.sql"),
        ({"0001-a.sql": "-- One."}, "0001-a.sql: name it like"),
        ({"0001_A.sql": "-- One."}, "0001_A.sql: name it like"),
        ({"0001_a.SQL": "-- One."}, "0001_a.SQL: name it like"),
        ({"0001_a.sql.orig": "-- One."}, "0001_a.sql.orig: name it like"),
        ({"tables.sql": "-- One."}, "tables.sql: name it like"),
        ({"0001_a.sql": ""}, "0001_a.sql: make its first line a comment with the reason"),
        ({"0001_a.sql": "SELECT 1;"}, "0001_a.sql: make its first line a comment"),
        ({"0001_a.sql": "\n-- One."}, "0001_a.sql: make its first line a comment"),
        ({"0001_a.sql": "--\n-- One."}, "0001_a.sql: make its first line a comment"),
        ({"0001_a.sql": "-- One.\nSELECT 1;\ncommit;"}, "0001_a.sql, line 3: remove COMMIT;"),
        ({"0001_a.sql": "-- One.\n/* so */ BEGIN; SELECT 1"}, "line 2: remove BEGIN;"),
        ({"0001_a.sql": "-- One.\nROLLBACK TO x"}, "line 2: remove ROLLBACK;"),
    ],
)
def test_an_unsound_folder_is_refused(tmp_path: Path, texts: dict[str, str], said: str) -> None:
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(FilesUnusable) as caught:
        read_files(tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_reason_may_end_with_the_file_and_not_run_into_the_next_line(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("--\nx")
    with pytest.raises(FilesUnusable, match="first line"):
        read_files(tmp_path)
    (tmp_path / "0001_a.sql").write_text("-- x")
    assert len(read_files(tmp_path)) == 1


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_bytes(b"-- \xe9\n")
    with pytest.raises(FilesUnusable, match=r"0001_a\.sql: cannot be read as UTF-8 text"):
        read_files(tmp_path)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FilesUnusable, match=r"nowhere: cannot be read \(No such file"):
        read_files(tmp_path / "nowhere")


WHOLE_STATEMENTS = [
    "SELECT 1",
    "SELECT ';', 'it''s; so', E'\\';', \"a;\"\"b\"",
    "SELECT date';', $1, a$b, 'x' -- no end; here\n , 2",
    "SELECT /* no; /* end; */ here; */ 1",
    "DO $$ BEGIN PERFORM 1; END $$",
    "DO $do$ SELECT '$$;'; $$;$$ $do$",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
    """CREATE FUNCTION f(begin int, b int DEFAULT (1)) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END""",
    "create  or replace\nprocedure p() begin atomic insert into t values (1); end",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN CASE WHEN true THEN 1 END",
    "SELECT begin, case FROM spans",
    "SELECT 1)",
]


@pytest.mark.parametrize("statement", WHOLE_STATEMENTS)
def test_a_statement_is_kept_whole(statement: str) -> None:
    text = f"-- Why; so.\n{statement};\n/* and; */ SELECT 2 ;;"
    assert [part.text for part in split(text)] == [statement, "SELECT 2"]
    assert [text[part.offset :].startswith(part.text) for part in split(text)] == [True, True]


@given(
    st.lists(st.sampled_from(WHOLE_STATEMENTS)),
    st.sampled_from([";", " ; ", ";;\n", ";-- a; b\n", ";/* ; /* ; */ */"]),
)
def test_any_statements_are_parted_again(statements: list[str], between: str) -> None:
    text = between.join(statements)
    assert [part.text for part in split(text)] == statements


@pytest.mark.parametrize("tail", ["'open; ", "$$ open; ", "/* open; "])
def test_what_is_never_closed_loses_nothing(tail: str) -> None:
    # PostgreSQL is the one to say what is wrong with it.
    parts = list(split(f"SELECT 1; SELECT {tail}"))
    assert parts[0].text == "SELECT 1"
    assert "SELECT" in parts[1].text
    assert "open" in parts[1].text
