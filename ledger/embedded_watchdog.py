"""Runs PostgreSQL for as long as somebody uses it: a program of its own, that nobody imports.

    python -I -S embedded_watchdog.py USERS SERVER ACCOUNT COMMAND…

USERS is the file whose lock all users of the server share. The kernel takes a user's share away
however it ends, so getting this lock alone means that nobody is left, and the server is stopped.

SERVER is the file whose lock says that the server runs. PostgreSQL's processes inherit it: so it
is held for exactly as long as one of them lives, whatever became of this program, of
postmaster.pid, or of the number of a process.

ACCOUNT is the number of the user and group to run COMMAND as, or "-" to stay who we are.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading

SECONDS_FOR_AN_ORDERLY_STOP = 60


def main(users: str, server: str, account: str, *command: str) -> None:
    """Leave a process behind that runs `command`, holding the lock `server`, and return."""
    lock = os.open(server, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # The server of a starter that was killed in the middle came first; it serves as well.
        return
    # The starter waits for this process, and so need not mind the one that stays.
    if os.fork() == 0:
        watch(users, lock, None if account == "-" else int(account), command)


def watch(users: str, lock: int, account: int | None, command: tuple[str, ...]) -> None:
    """Run `command` until it ends, or stop it once nobody holds the lock `users`."""
    os.umask(0o077)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        cwd="/",
        pass_fds=[lock],
        user=account,
        group=account,
        extra_groups=None if account is None else [],
    )
    os.close(lock)
    # Whoever ends all processes at once ends the users too, and the server is stopped for that.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=stop_after_the_last_user, args=(users, process), daemon=True).start()
    process.wait()
    # The lock on the users is kept until here: a newcomer waits for it, then starts afresh.
    os._exit(0)


def stop_after_the_last_user(users: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for the lock `users`, then ask the server to shut down, dropping its clients."""
    fcntl.flock(os.open(users, os.O_RDWR), fcntl.LOCK_EX)
    asked = 0
    while process.poll() is None:
        # Again and again, as a server that has only just begun may not listen to signals yet. One
        # that hangs is stopped without more ado: what was committed is safe either way.
        is_patient = asked < SECONDS_FOR_AN_ORDERLY_STOP
        process.send_signal(signal.SIGINT if is_patient else signal.SIGQUIT)
        asked += 1
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
