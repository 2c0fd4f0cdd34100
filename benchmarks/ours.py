"""The ledger's own server with the stand-in access rule switched on, every family to be seen.

    python -m benchmarks.ours URL

The rule has its price although it hides nothing: every statement reads its rows through it.
"""

from __future__ import annotations

import socket
import sys

from ledger import settings
from ledger.database import connect
from projections import TABLES
from schema import http

FAMILIES = sorted({table.kind.family for table in TABLES})


def main(url: str) -> None:
    """Serve at a free port, and print the address."""
    with connect(url) as connection:
        zone = settings.read(connection).home_zone
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}{http.PATH}"
    http.serve(url, zone, listener, lambda: print(address, flush=True), families=FAMILIES)


if __name__ == "__main__":
    main(*sys.argv[1:])
