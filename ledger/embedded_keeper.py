"""Starting an embedded server anew when it dies while it is used.

A command is soon over, and the next one starts what has died. Whoever serves for months waits for
no next command: it looks after the server itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager

from ledger.embedded import EmbeddedServer
from ledger.refusal import Unusable

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_AFTER_A_FAILURE = 5


@contextmanager
def kept_running(server: EmbeddedServer) -> Generator[None]:
    """Have the server started anew whenever it dies, until the block ends.

    That it was, or that it can't be, is logged as a warning; the latter once for each reason.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=[server, stop], name="server keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(server: EmbeddedServer, stop: threading.Event) -> None:
    told, pause = "", SECONDS_BETWEEN_LOOKS
    while not stop.wait(pause):
        pause = SECONDS_BETWEEN_LOOKS
        try:
            if server.revive(lambda: not stop.is_set()):
                told = ""
                logger.warning("PostgreSQL had ended, and was started again")
        except Unusable as error:
            pause = SECONDS_AFTER_A_FAILURE
            if str(error) != told:
                told = str(error)
                logger.warning("PostgreSQL has ended, and is tried again: %s", told)
