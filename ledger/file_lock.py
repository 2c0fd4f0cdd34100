"""A lock on a file, by which processes that share a folder know of each other."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """A lock on a file, which the kernel takes away when the process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        _locks.add(self)

    def take(self, kind: int) -> bool:
        """Take the lock, shared or alone (LOCK_SH, LOCK_EX), if nobody's is in the way."""
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        if self in _locks:
            _locks.remove(self)
            # A child that is being forked in this moment has the same lock, so closing the file
            # would not be enough.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)

    def forget(self) -> None:
        """Close the file in a forked child, and leave the lock to the parent."""
        os.close(self._descriptor)


_locks: set[FileLock] = set()


def _forget_all() -> None:
    for lock in _locks:
        lock.forget()
    _locks.clear()


os.register_at_fork(after_in_child=_forget_all)
