"""Files that are whole or not there: on the disk under another name before they take their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ledger.refusal import Unusable


@contextmanager
def whole_file(file: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """A new file to write to, which only its owner may read, and which gets its name at the end.

    If the block fails, nothing is left of it, and what had the name before stays. `Unusable` if
    `file` exists and is not to be overwritten, or can't be written there.
    """
    refuse_taken(file, overwrite=overwrite)
    beside: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(".part", f".{file.name[:100]}.", file.parent)
        beside = Path(name)
        with os.fdopen(descriptor, "w+b") as opened:
            yield opened
            opened.flush()
            os.fsync(descriptor)
        # Asked again: writing may have taken hours.
        refuse_taken(file, overwrite=overwrite)
        beside.replace(file)
        sync_folder(file.parent)
    except BaseException as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Unusable(
                f"{file} can't be written ({os.strerror(error.errno or 0).lower()}):"
                " mend that, or name another file"
            ) from error
        raise


def refuse_taken(file: Path, *, overwrite: bool) -> None:
    """Raise `Unusable` if the name is a folder's, or that of a file that is to stay."""
    if file.is_dir():
        raise Unusable(f"{file} is a folder: name a file")
    if not overwrite and os.path.lexists(file):
        raise Unusable(f"{file} exists: name another file, or overwrite it with --force")


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
