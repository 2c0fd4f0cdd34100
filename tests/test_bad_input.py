"""Bad input, one mistake after the other, as whoever imports a register meets it.

`REFUSED` has every mistake with what is said of it; docs/bad-input.md is the list in words. Each is
a register of one file, imported into a ledger that has some entries: nothing of it is recorded.
What is wrong with the place of a ledger, and not with its input, is in test_bad_places.py.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase

import psutil
import psycopg
import pytest

from tests import commands
from tests.commands import ROOT, Here, command, environment, printed, run
from tests.conftest import fresh_database
from tests.ledger.embedded_servers import execute
from tests.ledger.registers import GROUNDS, MORE, RECEIPT, receipt, receipts, written

here = commands.here

FILE = "contribution_received"
COLUMNS = (
    "the columns are contribution, account, state, fiscal_year, amount, currency, effective,"
    " effective_text, recorded_on, source, locator, evidence_sha256, basis, note, reason, label,"
    " ordinal, corrects, annuls"
)
DATES = (
    "; accepted are YYYY-MM-DD, YYYY-MM and YYYY, each with or without a ~ behind it for about,"
    " a/b for what lasted from a to b, [a..b] for an unknown day between them, and a/.. for what"
    " goes on"
)
NO_KEY = "not a key of a contribution; one looks like 'C-2023-KAZ'"
UNREAD = " (what follows was not read)"
NOT_AN_ENTRY = (
    "not an entry of contribution 'C-1'; name it by its id, by kind/key/version, or by its label in"
    " the same import"
)
NOT_LIVE = "entry 4 is not live: a later entry corrected or annulled it; name that one"
EDITED = (
    "this row was imported before, with other content, and an entry never changes: put it back as"
    " it was, with a label, and correct it by another row whose column corrects names the label; a"
    " row that is new goes below those of its record, or says in a column ordinal which of them it"
    " is (2, 3 …)"
)
STATE = "effective,recorded_on,state,status,name_en\n"

BASE = {
    **GROUNDS,
    FILE: receipts(
        "2023-01,2023-06-30,C-0,MAIN,KAZ,2023,1.00,USD,first,,",
        "2023-01,2023-06-30,C-0,MAIN,KAZ,2023,2.00,USD,,first,",
        more=MORE,
    ),
}
"""Two states, an account, a contribution and its correction, all as of days before others."""

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Mistake:
    """A register with a mistake, and the lines that are said of it, without the last one."""

    files: Files
    told: tuple[str, ...]


def in_cell(column: str, cell: str, told: str) -> Mistake:
    """A receipt, one of whose cells is wrong."""
    return Mistake({FILE: receipt(**{column: cell})}, (f"{FILE}.csv:2: {column} {told}",))


def in_file(text: str | bytes, *told: str) -> Mistake:
    """A file of receipts that is wrong."""
    return Mistake({FILE: text}, tuple(f"{FILE}.csv:{line}" for line in told))


PLAIN = receipt()

REFUSED: dict[str, Mistake] = {
    "wrong header": in_file("who,what\n1,2\n", f"1: this is no header; {COLUMNS}"),
    "no header": in_file("2023,C-1,5.00\n", f"1: this is no header; {COLUMNS}"),
    "semicolons": in_file(
        PLAIN.replace(",", ";"), f"1: this is no header; commas separate the cells; {COLUMNS}"
    ),
    "unknown column": in_file(
        PLAIN.replace("currency", "currrency"),
        f"1: currrency: there is no such column; did you mean 'currency'?; {COLUMNS}",
        "1: currency: this column is missing",
    ),
    "unknown file": Mistake(
        {"contribution_recieved": PLAIN},
        (
            (
                "FOLDER: no event of this ledger goes by the name of contribution_recieved.csv (did"
                " you mean 'contribution_received.csv'?); rename what is misspelt, or name the"
                " files to take with --only"
            ),
        ),
    ),
    "missing value": in_file(receipt(amount=""), "2: amount: it is empty, and must not be"),
    "extra cell": in_file(PLAIN[:-1] + ",x\n", "2: the row has 9 cells, the header 8"),
    "missing cell": in_file(PLAIN.replace(',"USD"', ""), "2: the row has 7 cells, the header 8"),
    "bad date": in_cell(
        "effective",
        "2023-02-29",
        f"'2023-02-29': not a date: February 2023 has the days 01 to 28{DATES}",
    ),
    "date in another order": in_cell(
        "effective",
        "12.05.2023",
        f"'12.05.2023': not a date: the year comes first: 2023-05-12{DATES}",
    ),
    "impossible range": in_cell(
        "effective",
        "2023-05/2023-01",
        f"'2023-05/2023-01': not a date: it ends before it begins{DATES}",
    ),
    "impossible bounds": in_cell(
        "effective", "[2023..2021]", f"'[2023..2021]': not a date: it ends before it begins{DATES}"
    ),
    "negative amount": in_cell(
        "amount", "-5.00", "'-5.00': the amount must be more than zero, not -5.00"
    ),
    "amount of nothing": in_cell("amount", "0", "'0': the amount must be more than zero, not 0"),
    "over-precise amount": in_cell(
        "amount", "12.345", "'12.345': 12.345 is more precise than USD, which has 2 decimals"
    ),
    "amount in another notation": in_cell(
        "amount", "12,50", "'12,50': not a decimal number such as 1973450.00"
    ),
    "unknown currency": in_cell(
        "currency", "XYZ", "'XYZ': not an ISO 4217 currency code such as USD"
    ),
    "unknown state": in_cell("state", "ATL", "'ATL': not on record"),
    "duplicate key": Mistake(
        {"state_admitted": f"{STATE}2000,2023-12-31,UZB,member,a\n2001,2023-12-31,UZB,member,b\n"},
        ("state_admitted.csv:3: state 'UZB': on record already; correct its opening instead",),
    ),
    "key on record": Mistake(
        {"state_admitted": f"{STATE}2000,2023-12-31,KAZ,member,Qazaqstan\n"},
        (f"state_admitted.csv:2: state 'KAZ': {EDITED}",),
    ),
    "accomplished fact that begins after it was recorded": in_cell(
        "effective",
        "2024-05",
        "'2024-05': later than 2023-12-31, the day on which it is recorded: what has not happened"
        " yet is no contribution.received; record it when it has",
    ),
    "key with a slash": in_cell("contribution", "C/1", f"'C/1': {NO_KEY}"),
    "key of 10,000 characters": in_cell(
        "contribution", "C" * 10_000, f"'{'C' * 60}'… (10000 characters): {NO_KEY}"
    ),
    "not UTF-8": in_file(
        receipt(note="caf\0").encode().replace(b"\0", b"\xe9"),
        f"2: byte 0xe9 at offset 146 of the file is not UTF-8; save it as CSV in UTF-8{UNREAD}",
    ),
    "UTF-16": in_file(
        PLAIN.encode("utf-16"),
        f"1: byte 0xff at offset 0 of the file is not UTF-8; save it as CSV in UTF-8{UNREAD}",
    ),
    "quote that is not closed": in_file(
        PLAIN.replace('"USD"', '"USD'),
        f"2: currency: a quote is opened here and not closed{UNREAD}",
    ),
    "lone carriage returns": in_file(
        PLAIN.replace("\n", "\r"),
        f"1: a lone carriage return at offset 76 of the file; end lines with LF or CRLF{UNREAD}",
    ),
    "NUL": in_file(
        receipt(note="a\0b"), f"2: a NUL at offset 144 of the file; save it as CSV in UTF-8{UNREAD}"
    ),
    "another normal form in a key": in_cell("contribution", "C-E\u0301", f"'C-E\u0301': {NO_KEY}"),
    "another normal form in a code": in_cell(
        "basis",
        "cite\u0301",
        "'cite\u0301': the basis has letters and their accents apart, so that it would not be found"
        " by the same word in Unicode's form NFC; write it in that form",
    ),
    "right-to-left mark in a key": in_cell("contribution", "C-1\u200f", rf"'C-1\u200f': {NO_KEY}"),
    "right-to-left override in a reference": in_cell(
        "state", "\u202eKAZ", r"'\u202eKAZ': not a key of a state; one looks like 'KAZ'"
    ),
    "invisible sign in a currency": in_cell(
        "currency", "US\u200bD", r"'US\u200bD': not an ISO 4217 currency code such as USD"
    ),
    "right-to-left mark in a code": in_cell(
        "basis",
        "quoted\u200f",
        r"'quoted\u200f': character 7 of the basis is U+200F, which nobody can see; leave it out",
    ),
    "right-to-left override in a text": in_cell(
        "note",
        "paid \u202e0001",
        r"'paid \u202e0001': character 6 of the note is U+202E, which shows what follows in another"
        " order; leave it out",
    ),
    "escape sequence in a text": in_cell(
        "note",
        "\x1b[2J",
        r"'\x1b[2J': character 1 of the note is U+001B, which is a control character; leave it out",
    ),
    "an empty file": in_file("", f"1: there is no header; {COLUMNS}"),
    "recorded in the future": in_cell(
        "recorded_on",
        "2999-01-01",
        "'2999-01-01': this lies in the future; leave it empty for what is recorded now",
    ),
    "recorded before the last entry": in_cell(
        "recorded_on",
        "2023-01-01",
        "'2023-01-01': 2023-01-01T00:00:00.000000Z lies before the ledger's last entry"
        " (2023-06-30T00:00:00.000000Z)",
    ),
    "correction of another record's entry": in_cell(
        "corrects", "contribution/C-0/2", f"'contribution/C-0/2': {NOT_AN_ENTRY}"
    ),
    "correction of no entry": in_cell(
        "corrects",
        "C-0",
        "'C-0': no row has this label, and it is no entry's id or kind/key/version",
    ),
    "correction of a dead entry": in_file(
        receipt(contribution="C-0", corrects="contribution/C-0/1"),
        f"2: corrects 'contribution/C-0/1': {NOT_LIVE}",
    ),
    "annulment of a dead entry": in_file(
        "contribution,recorded_on,annuls\nC-0,2023-12-31,contribution/C-0/1\n",
        f"2: annuls 'contribution/C-0/1': {NOT_LIVE}",
    ),
    "annulled opening with dependents": Mistake(
        {"state_admitted": "state,recorded_on,annuls\nKAZ,2023-12-31,state/KAZ/1\n"},
        (
            (
                "state_admitted.csv:2: state 'KAZ': contribution 'C-0' refers to state 'KAZ'; annul"
                " what refers to it first"
            ),
        ),
    ),
}

ACCEPTED: dict[str, Files] = {
    "as it should be": {FILE: PLAIN},
    "BOM": {FILE: "\ufeff" + PLAIN},
    "CRLF": {FILE: PLAIN.replace("\n", "\r\n")},
    "quoted newlines": {FILE: receipt(note="two\nlines")},
    "another normal form in a text": {FILE: receipt(note="cafe\u0301")},
    "right-to-left mark in a text": {FILE: receipt(note="אב\u200f!")},
    "joiner in a text": {FILE: receipt(note="می\u200cخواهم")},
    "no line end at the end": {FILE: PLAIN.removesuffix("\n")},
}


def register(folder: Path, files: Files) -> Path:
    """A folder with these files in it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.csv").write_bytes(raw)
    return folder


@contextmanager
def ledger_with(server_url: str, folder: Path, files: Files) -> Iterator[str]:
    """The URL of a database with a ledger into which these files were imported."""
    with fresh_database(server_url, template="template1") as url:
        printed(run("import", register(folder, files), "--database", url))
        yield url


@pytest.fixture(scope="module")
def url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a ledger that has older registers alone."""
    with ledger_with(server_url, tmp_path_factory.mktemp("base"), BASE) as url:
        yield url


def position(url: str) -> int:
    """The position of the last entry."""
    return int(execute(url, "SELECT position FROM ledger.head")[0])


def complaints(here: Here, url: str, folder: Path, *words: str) -> list[str]:
    """What is said of a register that is refused, and of which nothing is recorded."""
    before = position(url)
    ended = here.run("import", folder, "--database", url, *words)
    assert (ended.status, ended.out) == (1, ""), ended
    assert position(url) == before
    *lines, last = ended.err.splitlines()
    count = "1 problem" if len(lines) == 1 else f"{len(lines):,} problems"
    assert last == f"secretariat: nothing was recorded: {count}"
    return [line.replace(str(folder), "FOLDER") for line in lines]


@pytest.mark.parametrize("what", REFUSED)
def test_a_mistake_is_told_by_its_place_and_nothing_is_recorded(
    here: Here, url: str, tmp_path: Path, what: str
) -> None:
    mistake = REFUSED[what]
    assert complaints(here, url, register(tmp_path, mistake.files)) == list(mistake.told)


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_makes_no_difference_is_accepted(
    here: Here, url: str, tmp_path: Path, what: str
) -> None:
    words = ("import", register(tmp_path, ACCEPTED[what]), "--dry-run", "--database", url)
    assert here.printed(*words) == "would record 1 entry; 0 were on record already\n"


def test_a_live_ledger_states_no_other_day_of_recording(
    here: Here, server_url: str, tmp_path: Path
) -> None:
    live = BASE | {FILE: receipt(recorded_on="")}
    with ledger_with(server_url, tmp_path / "live", live) as url:
        later = register(tmp_path / "later", {FILE: receipt(contribution="C-2")})
        (told,) = complaints(here, url, later)
        assert told == (
            f"{FILE}.csv:2: recorded_on '2023-12-31': the ledger has been live since entry 4, so no"
            " other day of recording may be stated; import with --late to keep it in the data"
        )
        done = here.printed("import", later, "--late", "--database", url)
        assert done == "recorded 1 entry; 0 were on record already\n"


def test_a_text_is_kept_in_its_normal_form_and_known_again_in_another(
    here: Here, server_url: str, tmp_path: Path
) -> None:
    apart = f"{STATE}2000,2022-12-31,CIV,observer,Co\u0302te\n"
    single = apart.replace("o\u0302", "\u00f4")
    with ledger_with(server_url, tmp_path / "apart", {"state_admitted": apart}) as url:
        assert execute(url, "SELECT name_en FROM projections.states") == ["Co\u0302te"]
        again = register(tmp_path / "single", {"state_admitted": single})
        done = here.printed("import", again, "--database", url)
        assert done == "recorded 0 entries; 1 were on record already\n"


# ---------------------------------------------------------------- very large files

MOST_MEMORY = 200_000_000
"""In bytes: what a command takes, and a thousand complaints."""

LARGE = 100_000_000


def large_files() -> dict[str, tuple[bytes, bytes, str, int]]:
    """Files of 100 MB by their beginnings and what follows over and over, and what is said last."""
    header = ",".join(RECEIPT).encode() + b"\n"
    wrong = b"2023,,C-1,MAIN,KAZ,2023,-,USD\n"
    long_line = "1: the line has over 1,000,000 bytes; this is no CSV"
    open_quote = "2: effective: a quote is opened here and not closed"
    enough = "1001: 1,000 problems are enough; what follows this line was not read"
    return {
        "one line": (b"", b"x" * 100, long_line + UNREAD, 1),
        "a quote that is not closed": (header + b'"', b"x\n" * 50, open_quote + UNREAD, 1),
        "wrong rows": (header, wrong, enough, 1_001),
        "NULs": (b"", b"\0" * 100, long_line + UNREAD, 1),
    }


@pytest.mark.parametrize("what", large_files())
def test_a_file_of_100_mb_takes_no_more_memory_than_others(
    url: str, tmp_path: Path, what: str
) -> None:
    begin, again, told, count = large_files()[what]
    with (tmp_path / f"{FILE}.csv").open("wb") as file:
        file.write(begin)
        for _ in range(LARGE // 1_000_000):
            file.write(again * (1_000_000 // len(again)))
    status, lines, peak = measured("import", tmp_path, "--database", url)
    assert (status, lines[-1]) == (1, f"secretariat: nothing was recorded: {problems(count)}")
    assert lines[-2] == f"{FILE}.csv:{told}"
    assert peak < MOST_MEMORY


def test_a_right_file_of_100_mb_takes_no_more_memory_either(database: str, tmp_path: Path) -> None:
    count, note = LARGE // 60_000, "a long note " * 5_000
    keys = islice(map("".join, product(ascii_uppercase, repeat=3)), count)
    lines = [f'2000,2022-12-31,{key},member,State {key},"{note}{key}"' for key in keys]
    written(tmp_path, {"state_admitted": "\n".join([f"{STATE.rstrip()},note", *lines])})
    status, complaints, peak = measured("import", tmp_path, "--database", database)
    assert (status, complaints) == (0, [])
    assert peak < MOST_MEMORY
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT count(*), sum(length(data)) > %s FROM ledger.entries", [LARGE]
        )
        assert found.fetchone() == (count, True)


def problems(count: int) -> str:
    return "1 problem" if count == 1 else f"{count:,} problems"


def measured(*words: str | Path) -> tuple[int, list[str], int]:
    """The status of a command, its complaints, and the most memory that it took, in bytes."""
    # By a small program between: what a process takes counts from its parent's size on.
    run = subprocess.run(
        [sys.executable, "-c", MEASURING, *command(*words)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    peak = int(run.stdout.splitlines()[-1]) * (1 if psutil.MACOS else 1_024)
    return run.returncode, run.stderr.splitlines(), peak


MEASURING = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(usage.ru_maxrss)
sys.exit(process.returncode)
"""
