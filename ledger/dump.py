"""pg_dump: which one fits a server, and what it writes of a ledger.

A pg_dump reads its own version of PostgreSQL and older ones, and refuses newer ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.database import OWNER
from ledger.embedded_program import binaries
from ledger.refusal import Unusable

PIECE_BYTES = 1_048_576

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def pg_dump_for(server: int) -> Path:
    """A pg_dump that reads a server of that major version: our own, or else the one on PATH."""
    found = {program: _major_version(program) for program in _programs()}
    for program, version in found.items():
        if version >= server:
            return program
    newest = max(found.values(), default=0)
    known = f"only reads PostgreSQL up to {newest}" if newest else "is missing"
    raise Unusable(
        f"this database is PostgreSQL {server}, and the pg_dump that is installed here {known}:"
        f" install the client programs of PostgreSQL {server}, so that their pg_dump is on PATH"
    )


def _programs() -> Iterator[Path]:
    # Whoever has a server of their own can do without the embedded one.
    with suppress(Unusable):
        yield binaries() / "pg_dump"
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path)


def _major_version(program: Path) -> int:
    """The major version of a pg_dump; 0 of one that can't run."""
    try:
        run = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    version = _VERSION.search(run.stdout)
    return int(version[1]) if version else 0


def dumped(program: Path, url: str, snapshot: str) -> Generator[bytes]:
    """The ledger at `url` as compressed SQL, piece by piece, as an exported snapshot sees it.

    Close the iterator when nobody wants more of it: that ends the program. `Unusable` if it fails.
    """
    command, environment = _command(program, url, snapshot)
    with (
        tempfile.TemporaryFile() as complaint,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaint,
            env=environment,
            # A terminal's Ctrl-C is for us, who end it.
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None, "it was asked for"
        try:
            while piece := process.stdout.read(PIECE_BYTES):
                yield piece
        except BaseException:
            process.kill()
            raise
        if process.wait():
            complaint.seek(0)
            said = " ".join(complaint.read().decode(errors="replace").split())
            raise Unusable(f"the ledger could not be dumped: {said}; mend that and run it again")


def _command(program: Path, url: str, snapshot: str) -> tuple[list[str | Path], dict[str, str]]:
    given = conninfo_to_dict(url)
    environment = os.environ | {"LC_ALL": "C"}
    # Everybody on the machine sees a command's words.
    if password := given.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    address = make_conninfo("", **{"connect_timeout": 10, **given})
    command: list[str | Path] = [
        program,
        f"--dbname={address}",
        f"--role={OWNER}",
        f"--snapshot={snapshot}",
        "--no-password",
        "--format=plain",
        "--compress=6",
        "--encoding=UTF8",
        # Without them it waits for ever for whoever changes a table.
        "--lock-wait-timeout=60s",
        # What is the server's, and not the ledger's.
        "--no-tablespaces",
        *("--schema=ledger", "--schema=projections"),
    ]
    return command, environment
