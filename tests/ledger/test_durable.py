"""A file is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ledger.durable import whole_file
from ledger.refusal import Unusable
from tests.ledger.embedded_servers import only_others


def test_it_gets_its_name_at_the_end_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with whole_file(file, overwrite=False) as target:
        target.write(b"whole")
        assert not file.exists()
    assert file.read_bytes() == b"whole"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_nothing_is_left_of_what_failed(tmp_path: Path, error: BaseException) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")

    def fail() -> None:
        with whole_file(file, overwrite=True) as target:
            target.write(b"half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        pytest.raises(Unusable, match=r"can't be written \(no space left on device\)"),
        whole_file(tmp_path / "file", overwrite=False),
    ):
        raise full
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_overwritten_only_on_demand(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")
    with (
        pytest.raises(Unusable, match="overwrite it with --force"),
        whole_file(file, overwrite=False),
    ):
        pytest.fail("it began to write")
    with whole_file(file, overwrite=True) as target:
        target.write(b"after")
    assert file.read_bytes() == b"after"


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(Unusable, match="exists"), whole_file(file, overwrite=False):
        file.write_bytes(b"another's")
    assert file.read_bytes() == b"another's"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="is a folder"), whole_file(tmp_path, overwrite=True):
        pytest.fail("it began to write")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = r"can't be written \(no such file or directory\)"
    with (
        pytest.raises(Unusable, match=told),
        whole_file(tmp_path / "no" / "file", overwrite=False),
    ):
        pytest.fail("it began to write")


@only_others
def test_a_folder_that_is_closed_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(Unusable, match="permission denied"),
        whole_file(tmp_path / "file", overwrite=False),
    ):
        pytest.fail("it began to write")
