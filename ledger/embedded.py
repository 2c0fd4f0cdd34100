"""PostgreSQL without a database administrator: started when it is needed, stopped when not.

`start` gives a server on a data folder: it joins the one that runs, or starts one. A server
belongs to all processes that use it, not to the one that came first. Each of them holds a share
of one lock, and when the last share is gone, however its holder ended, a watchdog
(embedded_watchdog.py) shuts the server down.

What is alive is told by locks alone, which the kernel takes from a process that ends, and never
by a process's number, which can come to belong to another.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from psycopg import pq

from ledger.embedded_folder import (
    PORT,
    DataFolder,
    claim,
    default_data,
    environment,
    initialise,
    lay_socket,
    remove_database,
    remove_empty,
    remove_short_socket_folder,
    write_access_rules,
)
from ledger.embedded_hang import Hang
from ledger.embedded_program import binaries, programs_for_others
from ledger.file_lock import FileLock
from ledger.refusal import Unusable

__all__ = ["EmbeddedServer", "binaries", "default_data", "holds_a_database", "start"]

DATABASE = "secretariat"

Notice = Callable[[str], None]

KeepIf = Callable[[str], bool]
"""Says of a database's URL whether to keep it, though what it was made for has failed."""

_SECONDS_BETWEEN_LOOKS = 0.02
_SECONDS_BEFORE_A_NOTICE = 5
_SECONDS_FOR_AN_ORDERLY_STOP = 60

_MOST_TRIES = 5
"""So many servers in a row may answer, and crash before they are prepared."""

# On the command line, where neither postgresql.conf nor ALTER SYSTEM can undo them.
_SETTINGS = {
    # An entry that was acknowledged is on the disk.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    # Rows hold people's names, and nobody erases a log: it gets no statement and no value.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_checkpoints": "off",
}

# The message of a session's error can quote what the client sent. It goes to the client; the log
# keeps to what is above an error: what the server itself has to say ("log"), and its failures.
_QUIET_SESSIONS = "ALTER ROLE ALL SET log_min_messages = 'log'"


@dataclass(frozen=True, slots=True)
class _Trial:
    """A database made for what may fail, and the folders that had to be made for it."""

    keep_if: KeepIf
    made: Sequence[Path]

    def is_kept(self, url: str) -> bool:
        try:
            return self.keep_if(url)
        except Exception:  # noqa: BLE001  # What can't be looked at is not for us to remove.
            return True

    def remove(self, folder: DataFolder) -> None:
        remove_database(folder, self.made)


class EmbeddedServer:
    """A share in a running server, whose `url` is the libpq URL of the ledger's database.

    Hold it for as long as the database is used, then `close` it, or use it as a context manager.
    What is left open is closed when the process ends. A forked child has no share in it.
    """

    def __init__(
        self, folder: DataFolder, users: FileLock, notice: Notice, trial: _Trial | None
    ) -> None:
        self.url = folder.url(DATABASE)
        self._folder = folder
        self._users = users
        self._notice = notice
        self._trial = trial
        self._hang = Hang(folder)
        _servers.add(self)

    def close(self, *, failed: bool = False) -> None:
        """Give the share back; the last one to do so returns when the server has stopped.

        What was to be made in it may have `failed`: then it is removed, if `start` was told so.
        """
        try:
            _servers.remove(self)
        except KeyError:
            return
        patience = _Patience(self._notice, f"waiting for PostgreSQL in {self._folder.path} to stop")
        # One at a time, or two who leave together would each take the other for a third.
        with closing(FileLock(self._folder.start_lock)) as start_lock, closing(self._users):
            patience.wait_for(lambda: start_lock.take(fcntl.LOCK_EX))
            if self._users.take(fcntl.LOCK_EX):
                # Nobody can join before it is removed, so what is found empty stays empty.
                removed = failed and self._trial is not None and not self._trial.is_kept(self.url)
                _stop(self._folder, patience)
                if removed and self._trial is not None:
                    self._trial.remove(self._folder)
                    return
            else:
                # Others use it, and this is had at once; or the watchdog is stopping it.
                patience.wait_for(lambda: self._users.take(fcntl.LOCK_SH))
            if not _is_running(self._folder):
                remove_short_socket_folder(self._folder)

    def revive(self, is_wanted: Callable[[], bool]) -> bool:
        """Start the server anew if it has died; whether that was necessary, and was done.

        It is waited for as by `start`, for as long as that `is_wanted`. Raises `Unusable`.
        """
        folder = self._folder
        patience = _Patience(self._notice, _recovering(folder), is_wanted)
        try:
            _end_if_it_hangs(folder, self._hang)
            if _is_running(folder):
                return False
            with closing(FileLock(folder.start_lock)) as start_lock:
                patience.wait_for(lambda: start_lock.take(fcntl.LOCK_EX))
                if not folder.cluster.exists():
                    # Perhaps its disk is not mounted; nobody asked for another, an empty one.
                    raise Unusable(f"there is no database in {folder.path} any more")
                _run_prepared(folder, patience)
        except OSError as error:
            raise _not_to_be_used(folder.path, error) from error
        except _GivenUp:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(failed=error is not None)


def start(
    data: Path, notice: Notice | None = None, *, keep_if: KeepIf | None = None
) -> EmbeddedServer:
    """Start the server on the folder `data`, or join the one that runs; return when it answers.

    The folder is made if it is missing. However long the server takes to recover from a crash, it
    is waited for, as long as it lives; after some seconds `notice` is told what is waited for
    (standard error, if that is a terminal). Raises `Unusable`, whose message says what to do.

    Used as a context manager whose block fails, it removes a database that was made for it, unless
    `keep_if` says of the database's URL that it is to be kept.
    """
    notice = notice or _tell_the_terminal
    trial = keep_if and _Trial(keep_if, _missing(data))
    try:
        return _start(_claimed(data, trial), notice, trial)
    except OSError as error:
        raise _not_to_be_used(data, error) from error


def holds_a_database(data: Path) -> bool:
    """Whether there is a database in the folder `data`; `Unusable` if nobody lets us look."""
    try:
        (data / "postgres").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _not_to_be_used(data, error) from error
    return True


def _not_to_be_used(data: Path, error: OSError) -> Unusable:
    return Unusable(
        f"the data folder {data} can't be used: {error.strerror or error}; "
        "mend that, or name another folder with --data"
    )


def _missing(data: Path) -> list[Path]:
    """The folders that have to be made for a data folder, the innermost first."""
    path = Path(os.path.realpath(data))
    return [folder for folder in (path, *path.parents) if not folder.exists()]


def _claimed(data: Path, trial: _Trial | None) -> DataFolder:
    try:
        return claim(data)
    except Unusable:
        if trial is not None:
            remove_empty(trial.made)
        raise


def _start(folder: DataFolder, notice: Notice, trial: _Trial | None) -> EmbeddedServer:
    patience = _Patience(notice, _recovering(folder))
    with closing(FileLock(folder.start_lock)) as start_lock:
        patience.wait_for(lambda: start_lock.take(fcntl.LOCK_EX))
        users = FileLock(folder.users_lock)
        if folder.cluster.exists():
            # Whoever made that may have put something in it.
            trial = None
        try:
            # A server that is being stopped is gone when this is had.
            patience.wait_for(lambda: users.take(fcntl.LOCK_SH))
            _run_prepared(folder, patience)
        except BaseException:
            users.close()
            if trial is not None:
                # Nobody can have joined it, so the watchdog stops it.
                patience.wait_for(lambda: not _is_running(folder))
                trial.remove(folder)
            raise
    return EmbeddedServer(folder, users, notice, trial)


def _recovering(folder: DataFolder) -> str:
    return (
        f"waiting for PostgreSQL in {folder.path} (after a crash it recovers, which takes a while)"
    )


def _run_prepared(folder: DataFolder, patience: _Patience) -> None:
    """Return when a server answers that has the ledger's database.

    One that crashes in between recovers, or is launched again: that is waited for as any start.
    """
    for tries_left in reversed(range(_MOST_TRIES)):
        _run(folder, patience)
        try:
            _prepare(folder)
        except psycopg.Error as error:
            if tries_left and isinstance(error, psycopg.OperationalError):
                patience.pause()
                continue
            raise Unusable(
                f"PostgreSQL in {folder.path} can't be used: {' '.join(str(error).split())}; "
                f"{folder.log} may have more"
            ) from None
        else:
            return


def _run(folder: DataFolder, patience: _Patience) -> None:
    """Return when a server answers: the one that runs, or else one that is launched."""
    launched_at: int | None = None
    hang = Hang(folder)
    while True:
        _end_if_it_hangs(folder, hang)
        if not _is_running(folder):
            if launched_at is not None:
                raise Unusable(
                    f"PostgreSQL did not start in {folder.path}: "
                    f"{folder.complaint_since(launched_at)}; {folder.log} has more"
                )
            launched_at = _launch(folder)
        # Asking any sooner would fill the log with refusals while the server recovers.
        if folder.says("ready"):
            if _answers(folder):
                return
            if not folder.socket.exists() and folder.says("ready"):
                raise Unusable(
                    f"PostgreSQL runs in {folder.path}, and its socket {folder.socket} is gone: "
                    "end the programs that use it, then start again"
                )
        patience.pause()


def _launch(folder: DataFolder) -> int:
    """Start a server that nobody waits for, and return the size that the log had before."""
    stranger = folder.postmaster()
    if stranger is not None:
        raise Unusable(
            f"a PostgreSQL that was started by other means runs on {folder.cluster} "
            f"(process {stranger.pid}): stop that one first"
        )
    programs = binaries() if folder.account is None else programs_for_others(folder.path)
    initialise(folder, programs)
    (folder.cluster / "postmaster.pid").unlink(missing_ok=True)
    lay_socket(folder)
    write_access_rules(folder)
    log = folder.open_log()
    try:
        size = os.fstat(log).st_size
        subprocess.run(
            _watchdog(folder, _server_command(folder, programs)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env=environment(),
            # A terminal's Ctrl-C and its end are for us, not for the server.
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(log)
    return size


def _watchdog(folder: DataFolder, command: list[str]) -> list[str]:
    program = Path(__file__).with_name("embedded_watchdog.py")
    account = "-" if folder.account is None else str(folder.account)
    locks = [str(folder.users_lock), str(folder.server_lock)]
    return [sys.executable, "-I", "-S", str(program), *locks, account, *command]


def _server_command(folder: DataFolder, programs: Path) -> list[str]:
    # PostgreSQL reads a list of folders here, in which a name may stand in quotes.
    socket_folder = '"' + str(folder.socket_folder).replace('"', '""') + '"'
    files = {"hba_file": str(folder.host_rules), "ident_file": str(folder.names)}
    settings = [f"{name}={value}" for name, value in {**_SETTINGS, **files}.items()]
    return [
        str(programs / "postgres"),
        *("-D", str(folder.cluster)),
        *("-k", socket_folder),
        *("-h", ""),
        *("-p", PORT),
        *(word for setting in settings for word in ("-c", setting)),
    ]


def _answers(folder: DataFolder) -> bool:
    return folder.ping() == pq.Ping.OK


def _prepare(folder: DataFolder) -> None:
    """Make sure that the server which answers is ours, and has the ledger's database."""
    with psycopg.connect(folder.url("postgres"), autocommit=True) as connection:
        (served,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        if served != str(folder.cluster):
            raise Unusable(
                f"the server at {folder.socket} serves {served}, not {folder.cluster}: "
                "stop that one first"
            )
        databases = connection.execute("SELECT datname FROM pg_database").fetchall()
        if (DATABASE,) not in databases:
            connection.execute(_QUIET_SESSIONS)
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _stop(folder: DataFolder, patience: _Patience) -> None:
    """Stop the server; its watchdog may be gone, or waits for a lock that we have.

    In order if it answers. While it recovers there is nothing to put in order, and PostgreSQL 18
    was seen to heed no such request then (a disk was full); what was committed is safe either way.
    """
    process = folder.postmaster()
    if process is None:
        # It crashed. Its processes, if some are left, end by themselves.
        return
    asked, is_patient = time.monotonic(), _answers(folder)
    _signal(process, signal.SIGINT if is_patient else signal.SIGQUIT)

    def is_gone() -> bool:
        nonlocal is_patient
        if is_patient and time.monotonic() - asked > _SECONDS_FOR_AN_ORDERLY_STOP:
            is_patient = False
            _signal(process, signal.SIGQUIT)
        return not _is_running(folder)

    patience.wait_for(is_gone)


def _end_if_it_hangs(folder: DataFolder, hang: Hang) -> None:
    """Have a server that hangs end at once, which leaves it to be recovered."""
    process = folder.postmaster() if hang.is_noticed() else None
    if process is not None:
        _signal(process, signal.SIGQUIT)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _is_running(folder: DataFolder) -> bool:
    """Whether a process of the server lives; one of a crashed server is one, too."""
    with closing(FileLock(folder.server_lock)) as lock:
        return not lock.take(fcntl.LOCK_SH)


class _GivenUp(Exception):
    """Nobody wants any more what is waited for."""


class _Patience:
    """Waiting for as long as it is wanted, of which a person is told once, when it takes long."""

    def __init__(
        self, notice: Notice, text: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._notice: Notice | None = notice
        self._text = text
        self._is_wanted = is_wanted
        self._began = time.monotonic()

    def pause(self) -> None:
        if not self._is_wanted():
            raise _GivenUp
        if self._notice and time.monotonic() - self._began > _SECONDS_BEFORE_A_NOTICE:
            self._notice(self._text)
            self._notice = None
        time.sleep(_SECONDS_BETWEEN_LOOKS)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.pause()


_servers: set[EmbeddedServer] = set()


def _close_all() -> None:
    for server in list(_servers):
        server.close()


def _forget_all() -> None:
    _servers.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)


def _tell_the_terminal(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"secretariat: {text}\n")
