"""Point-in-time recovery of a ledger, by what docs/backup.md says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import embedded
from ledger.embedded_folder import claim
from projections.place import Place
from tests.commands import ROOT, printed, run
from tests.ledger.embedded_servers import execute, kill, open_folder, wait_until
from tests.ledger.recording import ZONE, log, person, rows, state
from tests.projections.backups import contents

CONFIGURATION = re.compile(r"^```conf\n(.*?)^```$", re.MULTILINE | re.DOTALL)

LOGGED_SINCE = (
    "SELECT last_archived_wal >= pg_walfile_name('{}'::pg_lsn - 1)"
    " AND last_archived_wal !~ 'backup' FROM pg_stat_archiver"
)


def configuration(number: int, archive: Path) -> str:
    """The settings that docs/backup.md gives, with an archive of the test's own."""
    found = CONFIGURATION.findall((ROOT / "docs" / "backup.md").read_text(encoding="utf-8"))
    assert len(found) == 2
    text: str = found[number]
    assert "/srv/archive/" in text
    return text.replace("/srv/archive", str(archive))


@dataclass(frozen=True)
class Archived:
    """What is left of a server that was lost: its base backup and its archive.

    For each number of entries the moment and the place in the log by which there were so many.
    """

    place: Path
    base: Path
    archive: Path
    moments: dict[int, str]
    places: dict[int, str]
    entries: list[tuple[int, str, str, int]]


@pytest.fixture(scope="module")
def archived() -> Iterator[Archived]:
    with open_folder() as place:
        data, archive, base = place / "data", place / "archive", place / "base"
        archive.mkdir()
        archive.chmod(0o777)
        with embedded.start(data):
            pass
        with (data / "postgres" / "postgresql.conf").open("a") as file:
            file.write(configuration(0, archive))
        with embedded.start(data) as server, Place(server.url).writer(ZONE) as ledger:
            ledger.submit([state("KAZ"), state("UZB"), person("P-1", "Before")]).result()
        assert_all_is_archived(data)
        moments, places = {}, {}
        with embedded.start(data) as server:
            with Place(server.url).writer(ZONE) as ledger:
                copy_base(server.url, base)
                for number in range(4, 10):
                    ledger.record(person(f"P-{number}", f"Name {number}"))
                    (moments[number],) = execute(server.url, "SELECT clock_timestamp()")
                    (places[number],) = execute(server.url, "SELECT pg_current_wal_lsn()")
                    # Two moments apart by less than the clock tells would be one.
                    time.sleep(0.02)
            entries = log(server.url)
            archive_all(server.url)
            # It is lost, and what was not archived with it.
            kill(claim(data))
        shutil.rmtree(data / "postgres")
        yield Archived(place, base, archive, moments, places, entries)


def copy_base(url: str, base: Path) -> None:
    programs = embedded.binaries()
    words = (f"--dbname={url}", f"--pgdata={base}", "--checkpoint=fast")
    subprocess.run([programs / "pg_basebackup", *words], check=True, capture_output=True)
    subprocess.run([programs / "pg_verifybackup", base], check=True, capture_output=True)


def assert_all_is_archived(data: Path) -> None:
    """Hold a server that has stopped to having archived its log to the end."""
    status = {file.suffix for file in (data / "postgres/pg_wal/archive_status").iterdir()}
    assert status == {".done"}


def archive_all(url: str) -> None:
    """Return when all that was written so far is in the archive."""
    (end,) = execute(url, "SELECT pg_switch_wal()")
    wait_until(lambda: execute(url, LOGGED_SINCE.format(end)) == ["True"])


def recovered(archived: Archived, name: str, target: str) -> Path:
    """A data folder that recovers to a target when it is started."""
    folder = archived.place / name
    folder.mkdir()
    cluster = shutil.copytree(archived.base, folder / "postgres")
    settings = configuration(1, archived.archive)
    assert "recovery_target_time = " in settings
    with (cluster / "postgresql.auto.conf").open("a") as file:
        file.write(re.sub(r"^recovery_target_time = .*\n", target, settings, flags=re.MULTILINE))
    (cluster / "recovery.signal").touch()
    return folder


@pytest.mark.parametrize("number", [5, 8])
@pytest.mark.parametrize("by", ["time", "lsn"])
def test_exactly_what_was_committed_by_then_is_there(
    archived: Archived, by: str, number: int
) -> None:
    value = (archived.moments if by == "time" else archived.places)[number]
    folder = recovered(archived, f"{by}-{number}", f"recovery_target_{by} = '{value}'\n")
    with embedded.start(folder) as server:
        wait_until(lambda: execute(server.url, "SELECT pg_is_in_recovery()") == ["False"])
        assert log(server.url) == archived.entries[:number]
        found = printed(run("verify", "--data", folder))
        assert found == f"{number} entries verified: 0 errors, 0 warnings\n"
        names = rows(server.url, "SELECT name FROM projections.persons ORDER BY position")
        assert names[-1] == (f"Name {number}",)


def test_all_that_was_archived_is_there_and_the_ledger_goes_on(archived: Archived) -> None:
    folder = recovered(archived, "all", "")
    with embedded.start(folder) as server:
        wait_until(lambda: execute(server.url, "SELECT pg_is_in_recovery()") == ["False"])
        assert log(server.url) == archived.entries
        with Place(server.url).writer(ZONE) as ledger:
            answer = ledger.record(person("P-99", "After"))
        assert answer.entry.position == len(archived.entries) + 1
        found = printed(run("verify", "--data", folder))
        assert found == f"{answer.entry.position} entries verified: 0 errors, 0 warnings\n"
        file = archived.place / "recovered.backup"
        printed(run("backup", file, "--data", folder))
        printed(run("restore", file, "--data", archived.place / "restored"))
        with embedded.start(archived.place / "restored") as again:
            assert contents(again.url) == contents(server.url)
