"""Start scripts/demo, ask it one question over GraphQL, stop it, and see that nothing is left.

Usage: check_demo.py [--user NAME]

With --user (for root alone) a copy of the checkout is used in that user's place: a fresh home,
a fresh .venv, nothing of root's within reach.
"""

from __future__ import annotations

import argparse
import http
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "{ ledger { asOf { position } } }"

# The ordinary user's first start installs everything.
SECONDS_TO_ANSWER = 600
SECONDS_TO_STOP = 60


class Failed(Exception):
    """The demo did not do what it should; the message says what."""


@dataclass(frozen=True)
class Place:
    """Whose demo is run, and where: `account` is None for whoever runs this."""

    checkout: Path
    data: Path
    account: pwd.struct_passwd | None
    environment: Mapping[str, str]


def place_for(name: str | None, scratch: Path) -> Place:
    """Return the place for the user `name` below the empty folder `scratch`."""
    data = scratch / "data"
    if name is None:
        return Place(ROOT, data, None, os.environ)
    account = pwd.getpwnam(name)
    # What points into root's home is of no use to another user.
    kept = {
        key: value
        for key, value in os.environ.items()
        if key != "PYTHON" and not key.startswith("XDG_")
    }
    home, checkout = scratch / "home", scratch / "checkout"
    home.mkdir()
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache"))
    for path in (scratch, *scratch.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return Place(checkout, data, account, kept | {"HOME": str(home)})


def start(place: Place, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start the demo with what it prints going to `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [place.checkout / "scripts/demo", "--data", place.data, "--port", str(port)],
            cwd=place.checkout,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=place.account.pw_uid if place.account else None,
            group=place.account.pw_gid if place.account else None,
            extra_groups=[] if place.account else None,
        )


def answer_of(demo: subprocess.Popen[bytes], port: int) -> dict[str, Any]:
    """Ask until the demo answers, and return the answer."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < deadline:
        if demo.poll() is not None:
            raise Failed(f"the demo ended with status {demo.returncode} before it answered")
        with suppress(OSError):
            return ask(port)
        time.sleep(0.5)
    raise Failed(f"the demo gave no answer in {SECONDS_TO_ANSWER} seconds")


def ask(port: int) -> dict[str, Any]:
    """Put the question once; raises OSError while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    connection.request("POST", "/graphql", json.dumps({"query": QUESTION}), headers)
    response = connection.getresponse()
    body = response.read().decode()
    if response.status != http.HTTPStatus.OK:
        raise Failed(f"the demo answered with status {response.status}: {body}")
    answer: dict[str, Any] = json.loads(body)
    return answer


def postgres_of(place: Place) -> list[tuple[Path, int]]:
    """Return each PostgreSQL server's pid file below the data directory, and the pid in it."""
    files = place.data.rglob("postmaster.pid")
    return [(file, int(file.read_text().split()[0])) for file in files]


def is_alive(pid: int) -> bool:
    """Tell whether there is a process `pid`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def stop(demo: subprocess.Popen[bytes], place: Place) -> None:
    """Stop the demo as a service manager does; nothing of it may be left."""
    servers = postgres_of(place)
    if not servers:
        raise Failed(f"no PostgreSQL runs in {place.data}")
    demo.send_signal(signal.SIGTERM)
    try:
        status = demo.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        raise Failed(f"the demo still runs {SECONDS_TO_STOP} seconds after SIGTERM") from None
    # Some programs end themselves by the signal, once they have put everything in order.
    if status not in {0, -signal.SIGTERM}:
        raise Failed(f"the demo ended with status {status} after SIGTERM")
    # The server's own watchdog shuts it down once the demo has let go of it.
    deadline = time.monotonic() + SECONDS_TO_STOP
    for file, pid in servers:
        while file.exists() or is_alive(pid):
            if time.monotonic() > deadline:
                raise Failed(f"the demo ended and left its PostgreSQL, process {pid} ({file})")
            time.sleep(0.1)


def check(place: Place, scratch: Path) -> None:
    """Start, ask and stop the demo; print its answer, or all that it printed if it failed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    log = scratch / "log"
    demo = start(place, port, log)
    try:
        answer = answer_of(demo, port)
        print(f"{QUESTION} → {json.dumps(answer)}")
        if "errors" in answer or int(answer["data"]["ledger"]["asOf"]["position"]) < 1:
            raise Failed("the demo's ledger is not what was asked for")
        stop(demo, place)
    except Failed:
        print(log.read_text(errors="replace"))
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)


def main() -> int:
    """Check the demo for the user that is asked for; return the exit status."""
    parser = argparse.ArgumentParser(description="Start the demo, ask it, stop it.")
    parser.add_argument("--user", help="run it as this user, from a copy of the checkout")
    user = parser.parse_args().user
    with tempfile.TemporaryDirectory(prefix="secretariat-") as scratch:
        # Root's database runs under an account of its own, which must get in.
        Path(scratch).chmod(0o755)
        try:
            check(place_for(user, Path(scratch)), Path(scratch))
        except Failed as error:
            print(error)
            return 1
    print(f"The demo answered, stopped, and left nothing ({user or 'as this user'}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
