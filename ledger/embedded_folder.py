"""The data folder of the embedded PostgreSQL: what lies in it, and whom it belongs to.

    postgres/            PostgreSQL's own files
    postgres.log         what it has to say; never a value out of a row
    pg_hba.conf          who may connect, written at every start
    pg_ident.conf        likewise: whoever owns the folder, and root
    socket               the folder of the socket, or a link to a short one where this is too long
    start.lock           held while somebody starts or leaves
    users.lock           shared by all who use the server
    server.lock          held by the server's processes
    program/             a copy of PostgreSQL's programs, where the wheel is closed to the server

PostgreSQL refuses to run as root. So when root starts it, it runs under an account that has a
number and no name: nobody can log in as it, no other service runs as it, and it can enter nothing
of root's but `postgres` and `socket`. All the rest stays root's.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psutil
from psycopg import pq

from ledger.durable import sync_folder
from ledger.embedded_program import major_version
from ledger.refusal import Unusable

SUPERUSER = "postgres"
PORT = "5432"

# Beyond the accounts that are given out in turn, below those that distributions and systemd
# reserve, and within what a container has of its host's.
_FIRST_NAMELESS_ACCOUNT = 55432

_LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
_SOCKET_FILE = f".s.PGSQL.{PORT}"

# Counted from 0: what the server is doing. The first line is the number of its process.
_STATUS_LINE = 7

_LOG_PREFIX = re.compile(r"^[\d-]+ [\d:.]+ \w+ \[\d+\] ")
# What is said to those who connect meanwhile, again and again, is not why a server did not start.
_TURNED_AWAY = re.compile(
    r"FATAL: +(the database system is |sorry, too many clients|terminating connection)"
)
_COMPLAINT = re.compile(r"\b(FATAL|PANIC|error):|LOG: +(invalid|unrecognized|syntax error)")

_HOST_RULES = """\
# Written at every start: changes are lost.
local all         all peer map=secretariat
local replication all peer map=secretariat
"""


@dataclass(frozen=True)
class DataFolder:
    """A data folder that is ours to use; `account` is the server's, None for whoever starts it."""

    path: Path
    account: int | None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.path / "postgres"

    @property
    def log(self) -> Path:
        """Return the path of the server's log."""
        return self.path / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Return the path of the lock that is held while somebody starts or leaves."""
        return self.path / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Return the path of the lock that all users share."""
        return self.path / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Return the path of the lock that the server's processes hold."""
        return self.path / "server.lock"

    @property
    def host_rules(self) -> Path:
        """Return the path of pg_hba.conf."""
        return self.path / "pg_hba.conf"

    @property
    def names(self) -> Path:
        """Return the path of pg_ident.conf."""
        return self.path / "pg_ident.conf"

    @property
    def socket_place(self) -> Path:
        """Return the path of the socket's folder, or of the link to it."""
        return self.path / "socket"

    @property
    def socket_folder(self) -> Path:
        """The folder of the server's socket, as it was last laid."""
        # One link and no further: the short folder must be a folder itself.
        return self.socket_place.readlink() if self.socket_place.is_symlink() else self.socket_place

    @property
    def socket(self) -> Path:
        """Return the path of the server's socket."""
        return self.socket_folder / _SOCKET_FILE

    def url(self, database: str) -> str:
        """The libpq URL of a database of the server, as its superuser."""
        host = quote(os.fsencode(self.socket_folder))
        return f"postgresql:///{database}?host={host}&port={PORT}&user={SUPERUSER}"

    def open_log(self) -> int:
        """Open the log to append to it, and return the descriptor."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        return os.open(self.log, flags, 0o600)

    def complaint_since(self, offset: int) -> str:
        """The lines of the log, after `offset` bytes, that say what went wrong, as one line."""
        with self.log.open("rb") as log:
            log.seek(offset)
            return _complaint_in(log.read())

    def says(self, status: str) -> bool:
        """Whether postmaster.pid says so of the server, perhaps a dead one: `ready`, `stopping`."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == status

    def ping(self) -> pq.Ping:
        """What a server says to a connection: it takes it, refuses it, or is not heard of."""
        # With a limit, as one that is stopped in the middle takes connections and says nothing.
        return pq.Ping(pq.PGconn.ping(os.fsencode(f"{self.url('postgres')}&connect_timeout=2")))

    def postmaster(self) -> psutil.Process | None:
        """The process that postmaster.pid names, if it is a PostgreSQL on this very folder.

        The number may long belong to a process that has nothing to do with us. The name and the
        command line are open to everybody, the working directory tells of servers started by hand.
        """
        try:
            first_line = (self.cluster / "postmaster.pid").read_text().partition("\n")[0]
            # A server in single-user mode writes its number with a minus.
            process = psutil.Process(abs(int(first_line)))
            if process.name() != "postgres":
                return None
            own = str(self.cluster)
            return process if own in process.cmdline() or process.cwd() == own else None
        except (OSError, ValueError, psutil.Error):
            return None


def _complaint_in(said: bytes) -> str:
    text = said.decode(errors="replace")
    lines = [_LOG_PREFIX.sub("", line).strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if _COMPLAINT.search(line) and not _TURNED_AWAY.search(line)]
    return "; ".join(told[-2:] or lines[-1:]) or "it said nothing"


def default_data() -> Path:
    """Where the ledger lies if nobody says otherwise, by the customs of the system."""
    if os.geteuid() == 0:
        # Not in root's home, which is closed to the account that the server runs under.
        return Path("/var/lib/secretariat")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "secretariat"
    given = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".local" / "share") / "secretariat"


def claim(data: Path) -> DataFolder:
    """Make the data folder, or take the one that is there; `Unusable` if it can't be ours."""
    path = Path(os.path.realpath(data))
    _refuse_a_name_that_is_no_text(path)
    if path.exists() and not path.is_dir():
        raise Unusable(f"{data} is a file: name a folder with --data")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_what_is_not_ours(path)
    if os.geteuid() != 0:
        _name_of(os.geteuid())
        path.chmod(0o700)
        return DataFolder(path, None)
    account = _account_of(path / "postgres")
    for parent in path.parents:
        if not _may_enter(parent, account):
            raise Unusable(
                f"the database runs under an account of its own (number {account}) when root "
                f"starts it, to which {parent} is closed: name a folder with --data whose parents "
                f"everybody may enter, such as {default_data()}"
            )
    # The account passes through, and sees nothing.
    try:
        os.chown(path, -1, account)
    except OSError as error:
        raise Unusable(
            f"PostgreSQL refuses to run as root, and this root may not give {path} to another "
            f"account ({error.strerror}): run this as an ordinary user, or name a server "
            "with --database URL"
        ) from None
    path.chmod(0o710)
    return DataFolder(path, account)


def initialise(folder: DataFolder, programs: Path) -> None:
    """Make PostgreSQL's files if there are none; `Unusable` if another version made them."""
    # Whatever an initdb left that was killed, or whose starter was.
    for leftover in folder.path.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if folder.cluster.exists():
        _refuse_another_version(folder, programs)
        if folder.account is not None and folder.cluster.stat().st_uid != folder.account:
            # Copied or restored by root, to whom everything belongs then.
            _give_tree(folder.cluster, folder.account)
        return
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=folder.path))
    try:
        _initdb(folder, programs, fresh)
        fresh.rename(folder.cluster)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    sync_folder(folder.path)


def remove_database(folder: DataFolder, made: Sequence[Path]) -> None:
    """Remove what a start made of a data folder, and of the folders `made` those left empty."""
    remove_short_socket_folder(folder)
    for tree in (folder.cluster, folder.socket_place, folder.path / "program"):
        shutil.rmtree(tree, ignore_errors=True)
    locks = (folder.start_lock, folder.users_lock, folder.server_lock)
    for file in (folder.log, folder.host_rules, folder.names, *locks):
        file.unlink(missing_ok=True)
    remove_empty(made)


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, in which nobody has put anything."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def lay_socket(folder: DataFolder) -> None:
    """Make the folder of the socket, and remove what a server that is dead left in it."""
    place = folder.socket_place
    if _fits(place):
        if place.is_symlink():
            place.unlink()
        place.mkdir(exist_ok=True)
        _give_private(place, folder.account)
    elif not (place.is_symlink() and _is_private(folder)):
        if place.is_symlink():
            place.unlink()
        elif place.exists():
            shutil.rmtree(place)
        short = Path(tempfile.mkdtemp(prefix="secretariat-", dir=_folder_for_short_paths()))
        _give_private(short, folder.account)
        place.symlink_to(short)
    # PostgreSQL would not start if the number in its lock has come to belong to another process.
    _empty_socket_folder(folder)


def remove_short_socket_folder(folder: DataFolder) -> None:
    """Remove the folder of a socket that does not lie in the data folder; the server is down."""
    if folder.socket_place.is_symlink() and _is_private(folder):
        _empty_socket_folder(folder)
        with suppress(OSError):
            folder.socket_folder.rmdir()
        folder.socket_place.unlink()


def write_access_rules(folder: DataFolder) -> None:
    """Say who may connect: whoever owns the folder, and root, each as any role."""
    names = sorted({_name_of(os.geteuid()), _name_of(0)})
    rows = (f'secretariat "{name}" all\n' for name in names)
    for file, text in ((folder.host_rules, _HOST_RULES), (folder.names, "".join(rows))):
        fresh = file.with_suffix(".new")
        fresh.write_text(text)
        if folder.account is not None:
            os.chown(fresh, -1, folder.account)
        fresh.chmod(0o600 if folder.account is None else 0o640)
        fresh.replace(file)


def _refuse_a_name_that_is_no_text(path: Path) -> None:
    """PostgreSQL tells where its files are as text, and in a file as one line of it."""
    try:
        is_one_line = len(os.fsencode(path).decode().splitlines()) == 1
    except UnicodeDecodeError:
        is_one_line = False
    if not is_one_line:
        raise Unusable(
            f"the name of the data folder {str(path)!r} is not UTF-8, or has a line break: name"
            " another folder with --data"
        )


def _refuse_what_is_not_ours(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise Unusable(
            f"the data folder {path} belongs to {_name_or_number(owner)}: "
            "run this as them, or name another folder with --data"
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise Unusable(
            f"the data folder {path} can't be written to: "
            "allow that, or name another folder with --data"
        )
    inside = {entry.name for entry in path.iterdir()} - {"lost+found"}
    if inside and inside.isdisjoint({"start.lock", "postgres"}):
        raise Unusable(
            f"the folder {path} holds other files than a ledger's: "
            "name a new or an empty folder with --data"
        )


def _refuse_another_version(folder: DataFolder, programs: Path) -> None:
    ours = major_version(programs)
    try:
        theirs = (folder.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise Unusable(
            f"{folder.cluster} is no data directory of PostgreSQL (it has no PG_VERSION): "
            "restore it from a backup, or move it away to begin anew"
        ) from None
    if theirs != ours:
        raise Unusable(
            f"{folder.cluster} was made by PostgreSQL {theirs}, and this is PostgreSQL {ours}: back"
            " the ledger up with the version of this program that made it (`secretariat backup`),"
            " move the folder away, and restore the backup here; or go on with --database and a"
            f" server of version {theirs}"
        )


def _initdb(folder: DataFolder, programs: Path, target: Path) -> None:
    command: list[str | Path] = [
        programs / "initdb", "-D", target, "-U", SUPERUSER, "-E", "UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        "--auth-local=peer", "--auth-host=reject", "--no-instructions",
        # These stand in postgresql.conf, where they can be changed.
        "-c", "shared_buffers=128MB", "-c", "max_connections=60",
    ]  # fmt: skip
    runner = None
    if folder.account is not None:
        # Alone of all PostgreSQL's programs it asks for the name of its account, so one with a
        # name runs it, and is let into the folder by the group.
        runner = _named_account()
        os.chown(target, runner, folder.account)
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env=environment(),
        user=runner,
        group=folder.account,
        extra_groups=None if runner is None else [],
        check=False,
    )
    # On a disk that is full there is no room for it, and it is told all the same.
    with suppress(OSError), os.fdopen(folder.open_log(), "ab") as log:
        log.write(ended.stderr)
    if ended.returncode:
        raise Unusable(
            f"initdb could not make a database in {folder.path} (status {ended.returncode}): "
            f"{_complaint_in(ended.stderr)}; mend that and start again"
        )
    if folder.account is not None:
        _give_tree(target, folder.account)


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see of our environment: no settings of a client, no secrets."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {"LC_ALL": "C"} | {name: os.environ[name] for name in kept if name in os.environ}


def _account_of(cluster: Path) -> int:
    numbers = count(_FIRST_NAMELESS_ACCOUNT)
    if cluster.exists() and (owner := cluster.stat().st_uid) >= _FIRST_NAMELESS_ACCOUNT:
        numbers = count(owner)
    return next(number for number in numbers if not _has_name(number))


def _has_name(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        try:
            grp.getgrgid(number)
        except KeyError:
            return False
    return True


def _named_account() -> int:
    accounts = {account.pw_name: account.pw_uid for account in pwd.getpwall() if account.pw_uid}
    if not accounts:
        raise Unusable(
            "PostgreSQL refuses to run as root, and this system has no other account: "
            "add one, such as nobody, or name a server with --database URL"
        )
    return accounts.get("nobody", next(iter(accounts.values())))


def _name_of(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        raise Unusable(
            f"the account number {number} has no name on this system, by which PostgreSQL knows "
            "its users: give it one (in /etc/passwd), or name a server with --database URL"
        ) from None


def _name_or_number(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the account number {number}"


def _may_enter(folder: Path, account: int) -> bool:
    status = folder.stat()
    if status.st_uid == account:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _fits(place: Path) -> bool:
    # libpq and PostgreSQL take a comma for the end of a name.
    return len(os.fsencode(place / _SOCKET_FILE)) <= _LONGEST_SOCKET_PATH and "," not in str(place)


def _folder_for_short_paths() -> Path:
    usual = Path(os.path.realpath(tempfile.gettempdir()))
    short = Path(os.path.realpath("/tmp"))  # noqa: S108 - mkdtemp makes a private folder in it
    return next((place for place in (usual, short) if _fits(place / "secretariat-12345678")), short)


def _empty_socket_folder(folder: DataFolder) -> None:
    for name in (_SOCKET_FILE, f"{_SOCKET_FILE}.lock"):
        (folder.socket_folder / name).unlink(missing_ok=True)


def _is_private(folder: DataFolder) -> bool:
    """Whether the short folder is still ours: a cleaner may have taken it, or a copy share it."""
    place = folder.socket_folder
    owner = os.geteuid() if folder.account is None else folder.account
    try:
        status = place.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or status.st_mode & 0o077:
            return False
        user = (place / f"{_SOCKET_FILE}.lock").read_text().splitlines()[1]
    except FileNotFoundError:
        return place.exists()
    except (OSError, IndexError):
        return False
    return user == str(folder.cluster)


def _give_private(place: Path, account: int | None) -> None:
    place.chmod(0o700)
    if account is not None:
        os.chown(place, account, account)


def _give_tree(tree: Path, account: int) -> None:
    os.chown(tree, account, account)
    for folder, folders, files in os.walk(tree):
        for name in (*folders, *files):
            os.chown(Path(folder, name), account, account, follow_symlinks=False)
