"""The file of a backup: what is written is read again, and whatever was done to it is found."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from ledger.backup_file import MANIFEST, SQL, Manifest, opened, write
from ledger.refusal import Unusable

TEXT = b"".join(b"SELECT %d;\n" % number for number in range(20_000))

COMPRESSED = gzip.compress(TEXT)

WRITTEN = Manifest(
    created_at="2023-12-07T04:30:15.000001Z",
    program="0.1.0",
    postgresql="18.6",
    name="Секретариат",
    home_zone="Asia/Almaty",
    migration=22,
    rules="1",
    size=370,
    root_hash="ab" * 32,
    last_leaf_hash=None,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound backup."""
    path = tmp_path / "a.backup"
    pieces = [COMPRESSED[:1000], COMPRESSED[1000:]]
    manifest = write(path, pieces, WRITTEN, overwrite=False)
    assert manifest.sql_bytes == len(COMPRESSED)
    return path


def complaint(file: Path) -> str:
    """What is said of a file that can't be restored."""
    with pytest.raises(Unusable) as caught:
        read_through(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_through(file: Path) -> Manifest:
    """The manifest of a backup, all of which is read."""
    with opened(file) as backup:
        backup.check(lambda done, total: None)
        list(backup.lines(lambda done, total: None))
        return backup.manifest


def test_what_is_written_is_read_again(file: Path) -> None:
    told: list[tuple[int, int]] = []
    with opened(file) as backup:
        backup.check(lambda done, total: told.append((done, total)))
        assert b"".join(backup.lines(lambda done, total: told.append((done, total)))) == TEXT
        manifest = backup.manifest
    assert replace(manifest, sql_bytes=0, sql_sha256="") == WRITTEN
    assert {total for _, total in told} == {len(COMPRESSED) // 1024}


def test_ordinary_tools_open_it(file: Path) -> None:
    tar = shutil.which("tar")
    assert tar is not None, "every system has it"
    subprocess.run([tar, "-xf", file], cwd=file.parent, check=True)
    assert {path.name for path in file.parent.iterdir()} == {SQL, MANIFEST, file.name}
    assert gzip.decompress((file.parent / SQL).read_bytes()) == TEXT
    assert json.loads((file.parent / MANIFEST).read_text())["name"] == "Секретариат"


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.97])
def test_one_that_was_cut_off_is_damaged(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    told = complaint(file)
    # With less than the first block there is nothing to tell it by.
    assert ("is damaged" in told) == (len(content) * share > 512)


def test_a_bit_that_fell_over_is_found(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[2000] ^= 1
    file.write_bytes(content)
    assert f"its {SQL} is not the one that its {MANIFEST} was written for" in complaint(file)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"PGDMP" + bytes(10_000), bytes(20_480)])
def test_something_else_is_no_backup(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "is no backup of a ledger" in complaint(file)


def test_another_archive_is_no_backup(file: Path) -> None:
    packed(file, {"README.md": b"# Something else"})
    assert "is no backup of a ledger" in complaint(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "can't be read (No such file or directory)" in complaint(tmp_path / "nothing")
    assert "can't be read (Is a directory)" in complaint(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("}", "", "its manifest.json can't be read"),
        ('"size": 370', '"size": "370"', "its manifest.json can't be read"),
        ('"size"', '"sise"', "its manifest.json can't be read"),
        ("{", "[{", "its manifest.json can't be read"),
        ("backup 1", "backup 2", "restore it with a newer version"),
    ],
)
def test_a_manifest_that_cannot_be_right_is_told(file: Path, old: str, new: str, told: str) -> None:
    text = manifest_text(file)
    assert old in text
    packed(file, {SQL: COMPRESSED, MANIFEST: text.replace(old, new).encode()})
    assert told in complaint(file)


def test_what_it_says_of_the_log_is_taken_as_it_is(file: Path) -> None:
    text = manifest_text(file).replace("370", "371")
    packed(file, {SQL: COMPRESSED, MANIFEST: text.encode()})
    assert read_through(file).size == 371


def manifest_text(file: Path) -> str:
    with tarfile.open(file) as archive:
        manifest = archive.extractfile(MANIFEST)
        assert manifest is not None, "it is a file"
        return manifest.read().decode()


def test_sql_that_is_not_compressed_is_damaged(file: Path) -> None:
    write(file, [TEXT], WRITTEN, overwrite=True)
    assert "is damaged (Not a gzipped file" in complaint(file)


def test_a_link_is_no_sql(file: Path) -> None:
    with tarfile.open(file, "w") as archive:
        link = tarfile.TarInfo(SQL)
        link.type, link.linkname = tarfile.DIRTYPE, "x"
        archive.addfile(link)
        text = json.dumps({"format": "secretariat backup 1"}).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size = len(text)
        archive.addfile(member, BytesIO(text))
    assert "is damaged" in complaint(file)


def packed(file: Path, contents: dict[str, bytes]) -> None:
    """Make an archive of other contents."""
    with tarfile.open(file, "w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
