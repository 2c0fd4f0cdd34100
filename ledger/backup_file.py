"""A backup as a file: an ordinary tar archive of two files, which ordinary tools open.

    ledger.sql.gz    the ledger as SQL, as pg_dump writes it, compressed by gzip
    manifest.json    what it must be when it is restored

The manifest comes last, since it has the SHA-256 of the other: a file that was cut off has none.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

from ledger.durable import whole_file
from ledger.refusal import Unusable

SQL = "ledger.sql.gz"
MANIFEST = "manifest.json"

FORMAT = "secretariat backup 1"
"""What a manifest says it is; another number is another form."""

MOST_MANIFEST_BYTES = 65_536

PIECE_BYTES = 1_048_576

Progress = Callable[[int, int], None]
"""Called with the number of kilobytes done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds; hashes are in hexadecimal.

    `migration` is the number of its schema's last one, `rules` are those that filled the read
    models, `postgresql` is the version of the server it was taken from.
    """

    created_at: str
    program: str
    postgresql: str
    name: str
    home_zone: str
    migration: int
    rules: str | None
    size: int
    root_hash: str
    last_leaf_hash: str | None
    sql_bytes: int = 0
    sql_sha256: str = ""


_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "str": str,
    "str | None": (str, type(None)),
}


def write(file: Path, pieces: Iterable[bytes], manifest: Manifest, *, overwrite: bool) -> Manifest:
    """Write the compressed SQL that comes in `pieces`; return the manifest with its size and hash.

    The file is whole or not there.
    """
    with whole_file(file, overwrite=overwrite) as target:
        # The header is written once the size is known, so that nothing has to be written twice.
        target.seek(tarfile.BLOCKSIZE)
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            target.write(piece)
            digest.update(piece)
            size += len(piece)
        target.write(_padding(size))
        manifest = replace(manifest, sql_bytes=size, sql_sha256=digest.hexdigest())
        content = _manifest_text(manifest)
        target.write(_header(MANIFEST, len(content)) + content + _padding(len(content)))
        target.write(bytes(2 * tarfile.BLOCKSIZE))
        target.seek(0)
        target.write(_header(SQL, size))
    return manifest


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    # Of all forms this one has sizes beyond 8 GB in the one block that was left free.
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _manifest_text(manifest: Manifest) -> bytes:
    content = {"format": FORMAT, **asdict(manifest)}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


class BackupFile:
    """A backup that is open for reading: its manifest, and its SQL."""

    def __init__(self, file: Path, archive: tarfile.TarFile) -> None:
        self._file = file
        self._archive = archive
        with self._reading():
            self.manifest = self._read_manifest()

    def check(self, progress: Progress) -> None:
        """Read the SQL through; `Unusable` if it is not what the manifest says."""
        digest = hashlib.sha256()
        with self._reading(), self._member(SQL) as content:
            size = self._archive.getmember(SQL).size
            while piece := content.read(PIECE_BYTES):
                digest.update(piece)
                progress(content.tell() // 1024, size // 1024)
        if (size, digest.hexdigest()) != (self.manifest.sql_bytes, self.manifest.sql_sha256):
            raise self._damaged(f"its {SQL} is not the one that its {MANIFEST} was written for")

    def lines(self, progress: Progress) -> Iterator[bytes]:
        """The lines of the SQL; `Unusable` if they can't be read."""
        kilobytes = self.manifest.sql_bytes // 1024
        with self._reading(), self._member(SQL) as content, gzip.open(content) as sql:
            for number, line in enumerate(sql):
                if number % 1024 == 0:
                    progress(content.tell() // 1024, kilobytes)
                yield line

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, EOFError, KeyError, zlib.error, gzip.BadGzipFile) as error:
            raise self._damaged(str(error).strip('"')) from None

    def _member(self, name: str) -> IO[bytes]:
        content = self._archive.extractfile(name)
        if content is None:
            raise self._damaged(f"its {name} is not a file")
        return content

    def _read_manifest(self) -> Manifest:
        names = self._archive.getnames()
        if names[:1] == [SQL] and MANIFEST not in names:
            raise self._damaged("its end is missing")
        if names != [SQL, MANIFEST]:
            raise not_a_backup(self._file)
        with self._member(MANIFEST) as content:
            text = content.read(MOST_MANIFEST_BYTES)
        try:
            return self._manifest(json.loads(text))
        except (KeyError, TypeError, ValueError):
            raise self._damaged(f"its {MANIFEST} can't be read") from None

    def _manifest(self, content: dict[str, Any]) -> Manifest:
        said = content.pop("format")
        if said != FORMAT:
            raise Unusable(
                f"{self._file} says that it is {said!r}, and this program reads"
                f" {FORMAT!r}: restore it with a newer version of the program"
            )
        for field in fields(Manifest):
            if not isinstance(content[field.name], _TYPES[str(field.type)]):
                raise TypeError(field.name)
        return Manifest(**content)

    def _damaged(self, what: str) -> Unusable:
        return Unusable(f"the backup {self._file} is damaged ({what}): restore another one")


@contextmanager
def opened(file: Path) -> Iterator[BackupFile]:
    """Open a backup for reading; `Unusable` if it is none, or is damaged."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise Unusable(
            f"{file} can't be read ({error.strerror}): name a file that `secretariat backup` wrote"
        ) from None
    with source:
        try:
            archive = tarfile.open(fileobj=source, mode="r:")  # noqa: SIM115  # It is closed below.
        except tarfile.TarError:
            raise not_a_backup(file) from None
        with archive:
            yield BackupFile(file, archive)


def not_a_backup(file: Path) -> Unusable:
    """What is raised of a file that is something else."""
    return Unusable(f"{file} is no backup of a ledger: name a file that `secretariat backup` wrote")
