"""Doing one thing while another one is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self


class Meanwhile:
    """Runs one thing in a thread of its own; a block doesn't end before it has."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger portion")
        self._running: Future[Any] | None = None

    def run(self, work: Callable[[], Any]) -> None:
        """Begin with `work`, when what runs has ended."""
        self.wait()
        self._running = self._pool.submit(work)

    def wait(self) -> None:
        """Wait for what runs, and raise what it raised."""
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._pool.shutdown()
        if kind is None:
            self.wait()
