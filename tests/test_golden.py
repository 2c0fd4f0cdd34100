"""Every event that was ever stored stays readable: a stored body and header of each, as files.

The files never change. An event with a new stored name gets one by adding an example of it to
tests/stored and running `python -m tests.test_golden`, which writes what is missing and nothing
else. When the shape of an event changes, its example changes with it and its file does not: then
the file shows that a body of the older shape is read as the present one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.canonical import canonical
from ledger.codec import ERASED, EntryMapper, digest, header, seal
from ledger.dates import parse_moment
from ledger.entry import Proposal, Statement, record_id
from ledger.kind import ANNULLED
from projections import REGISTRY
from tests.stored import EXAMPLES
from tests.stored.example import Example

FOLDER = Path(__file__).with_name("golden")
SUMS = FOLDER / "SHA256SUMS"
MAPPER = EntryMapper(REGISTRY)
PERSON_KEY = bytes(range(32))


each_example = pytest.mark.parametrize("name", EXAMPLES)


def test_every_event_that_can_be_stored_has_a_golden_file() -> None:
    names = {*REGISTRY.event_names(), ANNULLED}
    assert names - EXAMPLES.keys() == set()
    # More may be there: what is no longer recorded still has to be read.
    assert {file.stem for file in FOLDER.glob("*.json")} == EXAMPLES.keys()


def test_no_golden_file_has_changed() -> None:
    assert changed(FOLDER) == set()


def test_a_golden_file_that_was_changed_removed_or_slipped_in_is_found(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "golden")
    changed_one, removed_one = sorted(copy.glob("*.json"))[:2]
    changed_one.write_bytes(changed_one.read_bytes().replace(b"2023", b"2024", 1))
    removed_one.unlink()
    (copy / "state.slipped_in.json").write_text("{}")
    assert changed(copy) == {changed_one.name, removed_one.name, "state.slipped_in.json"}


def changed(folder: Path) -> set[str]:
    """The files that are not as the list of sums has them, one of the two or both."""
    listed = set((folder / SUMS.name).read_text().splitlines())
    found = {f"{_sha256(file.read_bytes())}  {file.name}" for file in folder.glob("*.json")}
    return {line.split()[1] for line in listed ^ found}


@each_example
def test_the_stored_body_is_read_as_what_was_stated(name: str) -> None:
    golden, example = read(name), EXAMPLES[name]
    assert decode(golden, bytes.fromhex(golden["person_key"])) == example.statement
    assert (golden["kind"], golden["key"]) == (example.kind, example.key)


@each_example
def test_stated_again_it_has_the_same_bytes(name: str) -> None:
    golden, example = read(name), EXAMPLES[name]
    stored = json.loads(golden["data"])
    data = MAPPER.encode(_record(example), example.statement, PERSON_KEY, salt=stored["salt"])
    again = json.loads(data)
    # A nonce is never used twice, so ciphertexts differ; that they can be read was shown above.
    event = example.statement.event
    for field in () if event is None else event.personal:
        again["event"][field] = stored["event"][field]
    assert canonical(again) == golden["data"].encode()


@each_example
def test_a_header_written_again_has_the_same_bytes(name: str) -> None:
    golden = read(name)
    entry_fields = _entry_fields(json.loads(golden["header"]))
    assert header(entry_fields, golden["data"].encode()) == golden["header"].encode()
    assert entry_fields["name"] == name


@each_example
def test_the_hashes_are_by_the_rule_as_written(name: str) -> None:
    golden = read(name)
    data, head = golden["data"].encode(), golden["header"].encode()
    assert json.loads(head)["data"] == hashlib.sha256(data).hexdigest()
    # RFC 6962: the leaf of a Merkle tree is hashed with a zero byte before it.
    assert golden["leaf_hash"] == hashlib.sha256(b"\x00" + head).hexdigest()


@each_example
def test_a_retry_after_any_release_has_the_digest_of_the_first_request(name: str) -> None:
    assert _digest(EXAMPLES[name]).hex() == read(name)["digest"]


@pytest.mark.parametrize("name", ["person.registered", "person.renamed"])
def test_without_the_persons_key_the_name_is_gone_and_the_rest_is_not(name: str) -> None:
    golden = read(name)
    event_class = REGISTRY.event(name)[1]
    erased: dict[str, Any] = dict.fromkeys(event_class.personal, ERASED)
    expected = EXAMPLES[name].statement._replace(event=event_class(**erased))
    assert decode(golden, None) == expected


def read(name: str) -> dict[str, Any]:
    """A golden file: its bytes as text, and how to read them."""
    golden: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return golden


def decode(golden: dict[str, Any], person_key: bytes | None) -> Statement:
    """The statement of a golden file, by the record that the file names."""
    record = record_id(golden["kind"], golden["key"])
    name = json.loads(golden["header"])["name"]
    return MAPPER.decode(name, record, golden["data"].encode(), person_key)


def _record(example: Example) -> UUID:
    return record_id(example.kind, example.key)


def _digest(example: Example) -> bytes:
    proposal = Proposal(
        kind=example.kind,
        key=example.key,
        statement=example.statement,
        corrects=None if example.corrects is None else f"entry {example.corrects}",
        annuls=None if example.annuls is None else f"entry {example.annuls}",
    )
    return digest(proposal, PERSON_KEY)


def _entry_fields(content: dict[str, Any]) -> dict[str, Any]:
    """The fields that a header was made of."""
    moments = {name: parse_moment(content[name]) for name in ("recorded_at", "appended_at")}
    targets = {name: content.get(name) for name in ("corrects", "annuls")}
    return {**content, **moments, **targets, "id": UUID(content["id"])}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _make(number: int, name: str, example: Example) -> str:
    """The text of a golden file, its salt and its nonces drawn as they are in a ledger."""
    moment = datetime(2023, 12, 7, 4, 30, 15, number, tzinfo=UTC)
    data = MAPPER.encode(_record(example), example.statement, PERSON_KEY)
    entry = seal(
        {
            "position": 100 + number,
            "id": UUID(int=(0x018C_42A2_7B58 << 80) | (7 << 76) | (2 << 62) | number),
            "family": REGISTRY.kind(example.kind).family,
            "kind": example.kind,
            "key": example.key,
            "version": 1 + number % 3,
            "name": name,
            "corrects": example.corrects,
            "annuls": example.annuls,
            "recorded_at": moment,
            "appended_at": moment + timedelta(seconds=1),
        },
        "Asia/Almaty",
        example.statement,
        data,
    )
    golden = {
        "kind": example.kind,
        "key": example.key,
        "person_key": PERSON_KEY.hex(),
        "header": entry.header.decode(),
        "data": entry.data.decode(),
        "leaf_hash": _sha256(b"\x00" + entry.header),
        "digest": _digest(example).hex(),
    }
    return json.dumps(golden, indent=2, ensure_ascii=False) + "\n"


def write_missing() -> None:
    """Write the files that are missing and add them to the list of sums."""
    FOLDER.mkdir(exist_ok=True)
    for number, (name, example) in enumerate(EXAMPLES.items(), 1):
        file = FOLDER / f"{name}.json"
        if not file.exists():
            text = _make(number, name, example)
            file.write_text(text, encoding="utf-8")
            with SUMS.open("a") as sums:
                sums.write(f"{_sha256(text.encode())}  {file.name}\n")


if __name__ == "__main__":
    write_missing()
