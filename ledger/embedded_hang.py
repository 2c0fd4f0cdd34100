"""Noticing a PostgreSQL that hangs: it refuses all connections, and nothing in it will change that.

PostgreSQL 18 was seen to go on without end after the process that was to recover it had found no
room on the disk. A server that recovers has that process; one that stops says so; one that puts
itself in order after a crash of its own has done so in five seconds, by its own rule.
"""

from __future__ import annotations

import time

import psutil
from psycopg import pq

from ledger.embedded_folder import DataFolder

RECOVERY = "startup"
"""Is in the title of the process that recovers."""

SECONDS_BETWEEN_LOOKS = 5
LOOKS = 3
"""So often in a row is it seen before it counts."""


class Hang:
    """What is seen of a server, from look to look."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._looked = time.monotonic()
        self._seen = 0

    def is_noticed(self) -> bool:
        """Whether the server hangs, as far as was seen so far; ask often."""
        now = time.monotonic()
        if now - self._looked < SECONDS_BETWEEN_LOOKS:
            return False
        self._looked = now
        self._seen = self._seen + 1 if hangs(self._folder) else 0
        return self._seen >= LOOKS


def hangs(folder: DataFolder) -> bool:
    """Whether a server refuses connections, and neither recovers nor stops."""
    if folder.says("stopping") or folder.ping() != pq.Ping.REJECT:
        return False
    postmaster = folder.postmaster()
    if postmaster is None:
        return False
    try:
        return not any(RECOVERY in " ".join(child.cmdline()) for child in postmaster.children())
    except psutil.Error:
        # Somebody has just ended, so that something changes.
        return False
