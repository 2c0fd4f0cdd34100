"""A database that a newer program has migrated is refused by every command, and stays as it is."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import server
from ledger.dates import HomeZone
from migrations import runner
from migrations.files import read_files
from projections.place import Place
from tests.commands import EXAMPLE, POSITION, Here
from tests.projections.backups import contents

LAST = read_files(runner.FOLDER)[-1]
LATER = f"{LAST.number + 1:04}_later.sql"

COMMANDS: dict[str, tuple[str | Path, ...]] = {
    "import": ("import", EXAMPLE),
    "trial": ("import", EXAMPLE, "--dry-run"),
    "serve": ("serve", "--port", "0"),
    "query": ("query", POSITION),
    "explain": ("query", "--explain", POSITION),
    "verify": ("verify",),
    "rebuild": ("rebuild",),
    "backup": ("backup",),
    "demo": ("demo", "--overview-only"),
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs commands in this process."""
    return Here(monkeypatch, capsys)


@pytest.mark.parametrize("change", ["", "ALTER TABLE ledger.settings RENAME value TO worth"])
def test_it_is_refused_by_name(here: Here, database: str, tmp_path: Path, change: str) -> None:
    Place(database).writer(HomeZone("UTC")).close()
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO ledger.migrations (number, name, sha256, runner) VALUES (%s, %s, %s, 1)",
            [LAST.number + 1, LATER, "0" * 64],
        )
        # What we know of the ledger may no longer be so.
        connection.execute(change.encode() or b"SELECT")
    before = contents(database)
    file = tmp_path / "a.backup"
    for words in COMMANDS.values():
        more = [file] if words == ("backup",) else []
        told = here.complaint(*words, *more, "--database", database)
        assert told.endswith(
            f" has {LATER}, while this program's last migration is {LAST.name};"
            " use the program's newer version"
        ), words
    assert contents(database) == before
    assert not file.exists()


def test_all_commands_are_tried_that_open_a_ledger() -> None:
    known = {
        command.name or command.callback.__name__
        for command in server.app.registered_commands
        if command.callback is not None
    }
    # One opens no ledger, and one only a database that is empty.
    assert {words[0] for words in COMMANDS.values()} == known - {"schema", "restore"}
