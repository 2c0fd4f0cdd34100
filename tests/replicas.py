"""A primary and its streaming replica, both on the embedded PostgreSQL's programs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger import embedded
from ledger.embedded_folder import claim
from tests.ledger.embedded_servers import execute, wait_until

# A replica that root starts runs under an account without a name, which `peer` can't look up. The
# socket lies in a folder of that account alone.
ANY_REPLICA = "local replication all trust\n"


@dataclass(frozen=True)
class Replicated:
    """The URLs of one ledger at the primary and at its replica."""

    primary: str
    replica: str

    def wait_until_replayed(self) -> None:
        """Return when the replica has replayed what the primary has written."""
        (written,) = execute(self.primary, "SELECT pg_current_wal_lsn()")
        asked = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: execute(self.replica, asked) == ["True"])

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """Hold the replica back for the length of the block; it still answers."""
        execute(self.replica, "SELECT pg_wal_replay_pause()")
        wait_until(
            lambda: execute(self.replica, "SELECT pg_get_wal_replay_pause_state()") == ["paused"]
        )
        try:
            yield
        finally:
            execute(self.replica, "SELECT pg_wal_replay_resume()")


@contextmanager
def replicated(place: Path) -> Iterator[Replicated]:
    """A primary and a replica of it in a folder that everybody may enter."""
    with embedded.start(place / "primary") as primary:
        rules = claim(place / "primary").host_rules
        rules.write_text(ANY_REPLICA + rules.read_text())
        execute(primary.url, "SELECT pg_reload_conf()")
        _copy(primary.url, place / "replica")
        with embedded.start(place / "replica") as replica:
            assert execute(replica.url, "SELECT pg_is_in_recovery()") == ["True"]
            yield Replicated(primary.url, replica.url)


def _copy(url: str, data: Path) -> None:
    """Make `data` the data folder of a replica of the running server at `url`."""
    data.mkdir(mode=0o700)
    subprocess.run(
        [
            embedded.binaries() / "pg_basebackup",
            *("--dbname", url),
            *("--pgdata", data / "postgres"),
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ],
        check=True,
        capture_output=True,
    )
