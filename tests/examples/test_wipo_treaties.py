"""WIPO's treaties: real data that nobody made for us, and the answers that it must give.

The numbers are those of examples/wipo-treaties/README.md, which is read here, and what a plain
count of the source's rows gives.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel import Locale
from babel.core import get_global

from tests.commands import ROOT, Ended, run
from tests.schema.conftest import prepared_database
from tests.schema.reader import Reader, reading

FOLDER = ROOT / "examples" / "wipo-treaties"
SCRIPT = FOLDER / "convert.py"
SOURCE = FOLDER / "membership-to-copyright-treaties.csv"
README = (FOLDER / "README.md").read_text(encoding="utf-8")

END = "2026-03-06"
"""The day of the source's commit, on which everything was recorded."""

DAYS_APART = 10
"""Of the days on which a treaty came into force for somebody, one in so many is tried."""

POINT = "ledger(asOf: {effectiveOn: $day})"
QUERY = re.MULTILINE | re.DOTALL

BY_RULE = ("BEIJING", "MARRAKESH", "WCT", "WPPT")
EXCEPTIONS = ("WCT-CHE", "WCT-MNE", "WPPT-CHE", "WPPT-MNE")
"""Whose stated date of effect is not the one by the rule."""

# What Unicode calls those states for which the source has another name.
OTHER_NAMES = {
    "BRN": "Brunei",
    "COD": "Congo - Kinshasa",
    "COG": "Congo - Brazzaville",
    "CPV": "Cape Verde",
    "CZE": "Czechia",
    "KOR": "South Korea",
    "LAO": "Laos",
    "MDA": "Moldova",
    "PRK": "North Korea",
    "RUS": "Russia",
    "STP": "São Tomé & Príncipe",
    "SYR": "Syria",
    "TZA": "Tanzania",
    "USA": "United States",
    "VAT": "Vatican City",
    "VCT": "St. Vincent & Grenadines",
    "VNM": "Vietnam",
}

Rows = list[dict[str, str]]


def convert(folder: Path | str, script: Path = SCRIPT) -> Ended:
    """Run the script as a user does."""
    words = [sys.executable, "-W", "error", str(script), str(folder)]
    ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def complaint(folder: Path, script: Path = SCRIPT) -> str:
    """The one line of the script when it refuses."""
    ended = convert(folder, script)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("convert.py: ")
    return line.removeprefix("convert.py: ")


def rows_in(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def table(*columns: str) -> list[list[str]]:
    """The cells of the README's table with these columns."""
    head = f"| {' | '.join(columns)} |\n"
    _, found, below = README.partition(head)
    assert found, head
    lines = below.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module, to look into."""
    spec = importlib.util.spec_from_file_location("wipo_convert", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def source() -> Rows:
    return rows_in(SOURCE)


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register that the script makes of the source."""
    folder = tmp_path_factory.mktemp("wipo") / "register"
    ended = convert(folder)
    assert (ended.status, ended.err) == (0, "")
    assert f"$ python examples/wipo-treaties/convert.py wipo-register\n{ended.out}" in README
    return folder


# ---------------------------------------------------------------- names


def test_the_source_is_as_it_was_published() -> None:
    digest = sha256(SOURCE.read_bytes()).hexdigest()
    assert digest == "4da16e1c9950a06123f883f018583f643b7cccb60fa9da5cc0fa3b5e267dc767"
    assert digest in README


def test_every_party_has_a_key_of_its_own(script: ModuleType, source: Rows) -> None:
    assert {row["Contracting Party"] for row in source} == set(script.PARTIES)
    assert len(set(script.PARTIES.values())) == len(script.PARTIES) == 194
    assert {row["Treaty"] for row in source} == set(script.TREATIES)
    assert len({treaty.key for treaty in script.TREATIES.values()}) == 17


def test_the_codes_of_states_are_those_of_their_names(script: ModuleType) -> None:
    territories, two_letters = Locale("en").territories, get_global("territory_aliases")
    differing = {}
    for name, code in script.STATES.items():
        (short,) = two_letters[code]
        if plain(name) != plain(territories[short]):
            differing[code] = territories[short]
    assert differing == OTHER_NAMES


def plain(name: str) -> str:
    """A name without what comes in brackets, its words written out."""
    words = re.sub(r" \(.*\)", "", name).replace("&", "and").replace("St.", "Saint")
    return words.replace("’", "'").casefold()


# ---------------------------------------------------------------- the files


def test_each_row_names_the_line_that_it_comes_from(register: Path, script: ModuleType) -> None:
    with SOURCE.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.reader(opened))
    digest = sha256(SOURCE.read_bytes()).hexdigest()
    for file in register.iterdir():
        for row in rows_in(file):
            assert (row["evidence_sha256"], row["recorded_on"]) == (digest, END)
            cells = lines[int(row["locator"].removeprefix("line ")) - 1]
            key = row.get("state") or row.get("organization")
            assert key in (None, script.PARTIES[cells[0]])
            assert row.get("treaty") in (None, script.TREATIES[cells[1]].key)
            assert row["effective"] in cells or row["effective"].startswith("[")


def test_a_treaty_is_opened_when_it_is_first_signed(register: Path) -> None:
    signed: dict[str, list[str]] = {}
    for row in rows_in(register / "treaty_signed.csv"):
        signed.setdefault(row["treaty"], []).append(row["effective"])
    opened = {row["treaty"]: row["effective"] for row in rows_in(register / "treaty_opened.csv")}
    assert opened == {treaty: min(days) for treaty, days in signed.items()}


def test_what_was_deposited_has_the_kind_that_the_source_states(register: Path) -> None:
    found = Counter(row["instrument"] for row in rows_in(register / "instrument_deposited.csv"))
    assert found == {
        "accession": 799,
        "ratification": 339,
        "continued_application": 57,
        "succession": 17,
        "unspecified": 2,
        "acceptance": 1,
    }


def test_what_has_no_instrument_was_deposited_by_the_day_of_effect(register: Path) -> None:
    rows = rows_in(register / "instrument_deposited.csv")
    assert {
        (row["treaty"], row["state"]): (row["effective"], row["takes_effect"], row["basis"])
        for row in rows
        if row["instrument"] == "unspecified"
    } == {
        ("MADRID", "NZL"): ("[1891-04-14..1931-07-29]", "1931-07-29", "derived"),
        ("PARIS", "VNM"): ("[1883-03-20..1949-03-08]", "1949-03-08", "derived"),
    }
    dated = [row for row in rows if row["instrument"] != "unspecified"]
    assert {row["basis"] for row in dated} == {"quoted"}
    before = [row for row in dated if "" < row["takes_effect"] < row["effective"]]
    assert (len(before), sum(not row["takes_effect"] for row in dated)) == (62, 7)


def test_what_is_lost_on_the_way_is_noticed(
    register: Path, script: ModuleType, tmp_path: Path
) -> None:
    rows = script.read_source(SOURCE).rows
    script.check_complete(register, rows)
    copied = shutil.copytree(register, tmp_path / "register")
    signed = copied / "treaty_signed.csv"
    lines = signed.read_text(encoding="utf-8").splitlines(keepends=True)
    signed.write_text("".join([*lines[:-1], lines[-2]]), encoding="utf-8")
    with pytest.raises(script.Mistake, match=r"^2 cells of the source"):
        script.check_complete(copied, rows)


# ---------------------------------------------------------------- what the script refuses


EMPTY = "line 4: Instrument Date: it is empty, and so is Entry Into Force Date"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\nAlgeria,", "\nAtlantis,", "line 2: Contracting Party: 'Atlantis' is not known"),
        ("Algeria,Beijing", "Algeria,Peking", "line 2: Treaty: 'Peking' is not known"),
        ("Accession,2017", "Entry,2017", "line 2: Instrument Type: 'Entry' is not known"),
        ("2017-07-25", "25.07.2017", "line 2: Instrument Date: '25.07.2017' is not a day"),
        ("2013-06-19", "20130619", "line 4: Signature Date: '20130619' is not a day"),
        ("2013-06-19,,,", ",,,", "line 4: there is no day in it"),
        ("2017-07-25,2020-04-28", ",", "line 2: there is no day in it"),
        ("Austria,Beijing,2013-06-19,,", "Austria,Beijing,2013-06-19,Accession,", EMPTY),
        ("\nArmenia,", "\nAlgeria,", "line 3: line 2 is of the same party and treaty"),
        ("2013-05-08,,,", "2013-05-08,,", "line 5: there are 5 cells, not 6"),
        ("\nAlgeria,Beijing", '\n"Algeria"a,Beijing', "line 2: "),
        ("Treaty,Signature", "Treaty,Signed,Signature", "line 1: the columns are not "),
    ],
)
def test_a_source_that_it_does_not_understand(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    changed = SOURCE.read_text(encoding="utf-8").replace(old, new, 1)
    moved = moved_script(tmp_path, changed.encode())
    assert complaint(tmp_path / "register", moved).startswith(f"{SOURCE.name}, {told}")
    assert not (tmp_path / "register").exists()


def test_a_source_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    moved = moved_script(tmp_path, "Türkiye".encode("latin-1"))
    assert "is not in UTF-8" in complaint(tmp_path / "register", moved)
    (tmp_path / SOURCE.name).unlink()
    assert "can't be read: No such file" in complaint(tmp_path / "register", moved)


def test_a_folder_that_is_used_already(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")
    told = "there are CSV files in {} already; name a new or empty folder"
    assert complaint(tmp_path) == told.format(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert "can't be written to: File exists" in complaint(tmp_path / "a.csv")


def moved_script(folder: Path, content: bytes) -> Path:
    """A copy of the script beside another source."""
    (folder / SOURCE.name).write_bytes(content)
    return Path(shutil.copy(SCRIPT, folder))


# ---------------------------------------------------------------- what the ledger answers


STATUS = """
    treaty(key: $treaty) { status {
        required deposited { certain possible } remaining { certain possible }
        inForce { certain possible } entryIntoForce { day } parties { certain possible }
    } }"""


@contextmanager
def recorded(register: Path, server_url: str, template: str) -> Iterator[Reader]:
    """A reader of a ledger of its own, which a user imports the register into."""
    with prepared_database(server_url, template) as url:
        ended = run("import", register, "--home-zone", "Europe/Zurich", "--database", url)
        assert (ended.status, ended.err) == (0, "")
        assert f"--data wipo-ledger --home-zone Europe/Zurich\n{ended.out}$" in README
        with reading(url) as reader:
            yield reader


@pytest.fixture(scope="module")
def ledger(register: Path, server_url: str, migrated_template: str) -> Iterator[Reader]:
    """A reader of the register."""
    with recorded(register, server_url, migrated_template) as reader:
        yield reader


@pytest.fixture(scope="module")
def by_rule(
    register: Path,
    server_url: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Reader]:
    """A reader of the register without the dates of effect that a rule can do without."""
    folder = shutil.copytree(register, tmp_path_factory.mktemp("wipo") / "by-rule")
    file = folder / "instrument_deposited.csv"
    rows = rows_in(file)
    for row in rows:
        if row["treaty"] in BY_RULE and f"{row['treaty']}-{row['state']}" not in EXCEPTIONS:
            row["takes_effect"] = ""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with recorded(folder, server_url, migrated_template) as reader:
        yield reader


def status(reader: Reader, treaty: str, day: str) -> Any:
    """Where a treaty stands on a day."""
    document = f"query ($treaty: ID!, $day: Date!) {{ {POINT} {{ {STATUS} }} }}"
    return reader.data(document, treaty=treaty, day=day)["ledger"]["treaty"]["status"]


def count(number: int) -> dict[str, int]:
    """A count of which nothing is uncertain."""
    return {"certain": number, "possible": number}


def test_the_query_in_the_readme_is_answered_as_shown(ledger: Reader) -> None:
    shown = re.search(r"^\$ secretariat query '(.*?)' --data.*?\n(.*?)^```", README, QUERY)
    assert shown is not None
    document, answer = shown.groups()
    assert ledger.data(document.replace("\n> ", "\n")) == json.loads(answer)["data"]


@pytest.mark.parametrize(("treaty", "day", "parties"), table("treaty", "day", "parties"))
def test_a_treaty_is_in_force_for_so_many(
    ledger: Reader, treaty: str, day: str, parties: str
) -> None:
    answer = status(ledger, treaty, day)
    assert answer["parties"] == count(int(parties))
    is_in_force = int(parties) > 0
    assert answer["inForce"] == {"certain": is_in_force, "possible": is_in_force}


@pytest.mark.parametrize(
    "row", table("treaty", "instruments", "the last of them", "deposited", "in force since")
)
def test_the_last_instrument_required_brings_a_treaty_into_force(
    ledger: Reader, row: list[str]
) -> None:
    treaty, required, last, deposited, since = row
    before = status(ledger, treaty, str(date.fromisoformat(deposited) - timedelta(1)))
    assert before["deposited"] == count(int(required) - 1)
    assert (before["remaining"], before["entryIntoForce"]) == (count(1), None)
    then = status(ledger, treaty, deposited)
    assert then["required"] == int(required)
    assert then["deposited"] == count(int(required))
    assert (then["remaining"], then["entryIntoForce"]) == (count(0), {"day": since})
    assert then["inForce"] == {"certain": False, "possible": False}
    document = "treatyParticipants(filter: {key: $key}) { nodes { deposited { edtf } } }"
    query = f"query ($key: [ID!]) {{ ledger {{ {document} }} }}"
    (node,) = ledger.data(query, key=[f"{treaty}-{last}"])["ledger"]["treatyParticipants"]["nodes"]
    assert node["deposited"] == {"edtf": deposited}


def test_some_have_signed_and_deposited_nothing(ledger: Reader) -> None:
    answer = ledger.ledger(
        """treaty(key: "MARRAKESH") {
            participants(filter: {status: [SIGNATORY]}) { totalCount { certain possible } }
        }"""
    )
    assert answer["treaty"]["participants"]["totalCount"] == count(34)


def test_nothing_was_known_before_the_source(ledger: Reader) -> None:
    counted = "treaties { totalCount { certain } } organizations { totalCount { certain } }"
    for known, treaties, organizations in (("2026-03-05", 0, 0), (END, 17, 4)):
        assert ledger.ledger(counted, effectiveOn=END, knownAt=known) == {
            "treaties": {"totalCount": {"certain": treaties}},
            "organizations": {"totalCount": {"certain": organizations}},
        }


def test_an_organization_is_a_party_too(ledger: Reader) -> None:
    selection = """treaty(key: "MARRAKESH") {
        parties { state { key } organization { key } since { day } }
    }"""
    parties = ledger.ledger(selection, effectiveOn=END)["treaty"]["parties"]
    organizations = [party for party in parties if party["state"] is None]
    assert organizations == [
        {"state": None, "organization": {"key": "EU"}, "since": {"day": "2019-01-01"}}
    ]
    assert len(parties) == 100


def test_a_deposit_without_a_date_is_possible_before_it_is_certain(ledger: Reader) -> None:
    before, then = (status(ledger, "PARIS", day) for day in ("1949-03-07", "1949-03-08"))
    assert before["deposited"] == {"certain": 37, "possible": 38}
    assert then["deposited"] == count(38)
    assert (before["parties"], then["parties"]) == (count(37), count(38))


def test_the_parties_are_those_that_the_sources_rows_add_up_to(
    ledger: Reader, script: ModuleType, source: Rows
) -> None:
    """On days of effect, among them those of instruments that were deposited later."""
    effects = [
        (script.TREATIES[row["Treaty"]].key, row["Entry Into Force Date"])
        for row in source
        if row["Entry Into Force Date"]
    ]
    days = sorted({day for _, day in effects})[::DAYS_APART]
    selection = "treaties(first: 20) { nodes { key status { parties { certain possible } } } }"
    for day in days:
        answer = ledger.ledger(selection, effectiveOn=day)["treaties"]["nodes"]
        parties = {node["key"]: node["status"]["parties"] for node in answer}
        expected = Counter(treaty for treaty, since in effects if since <= day)
        assert parties == {treaty: count(expected[treaty]) for treaty in parties}
        assert expected.keys() <= parties.keys()


# ---------------------------------------------------------------- the rule alone


PARTIES = """treaty(key: $treaty) { participants(first: 1000, filter: {status: [BOUND]}) { nodes {
    key statedEffect { edtf } effectByRule { day earliest latest } inForceSince { day }
} } }"""


def parties(reader: Reader) -> Iterator[Any]:
    """Who is bound by the four treaties whose rules are on record."""
    document = f"query ($treaty: ID!) {{ ledger {{ {PARTIES} }} }}"
    for treaty in BY_RULE:
        yield from reader.data(document, treaty=treaty)["ledger"]["treaty"]["participants"]["nodes"]


def test_the_rule_gives_the_day_that_the_source_states(ledger: Reader) -> None:
    bound = list(parties(ledger))
    differing = {
        node["key"]: (node["effectByRule"]["day"], node["statedEffect"]["edtf"])
        for node in bound
        if node["effectByRule"]["day"] != node["statedEffect"]["edtf"]
    }
    assert (len(bound), len(bound) - len(differing)) == (380, 376)
    assert differing == {
        "WCT-CHE": ("2008-06-30", "2008-07-01"),
        "WCT-MNE": ("2007-03-04", "2006-06-03"),
        "WPPT-CHE": ("2008-06-30", "2008-07-01"),
        "WPPT-MNE": ("2007-03-04", "2006-06-03"),
    }
    assert all(node["inForceSince"]["day"] == node["statedEffect"]["edtf"] for node in bound)


def test_the_rule_alone_gives_the_same_days_and_parties(ledger: Reader, by_rule: Reader) -> None:
    since = {node["key"]: node["inForceSince"] for node in parties(ledger)}
    found = list(parties(by_rule))
    assert {node["key"]: node["inForceSince"] for node in found} == since
    assert {node["key"] for node in found if node["statedEffect"]} == set(EXCEPTIONS)
    rows = [row for row in table("treaty", "day", "parties") if row[0] in BY_RULE]
    assert len(rows) == 8
    for treaty, day, number in rows:
        assert status(by_rule, treaty, day) == status(ledger, treaty, day)
        assert status(by_rule, treaty, day)["parties"] == count(int(number))
