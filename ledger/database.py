"""Connections: which role they take, and what a failure to connect says."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.refusal import Unusable

OWNER = "secretariat_owner"
"""The role that owns the tables: migrations and rebuilds run as it."""

SERVER = "secretariat_server"
"""The role that everything else runs as: it may add entries and can't change them."""

# The first characters of the states of a lost connection and of a server, or session, that ends.
# What libpq itself reports has no state.
_STATES_OF_THE_GONE = ("08", "57P")

AnyConnection = psycopg.Connection[Any]
AnyCursor = psycopg.Cursor[Any]


def as_role(url: str, role: str, **settings: str) -> str:
    """The connection string of `url` for a session in `role`; `Unusable` if it is not one."""
    try:
        given = conninfo_to_dict(url)
    except (psycopg.ProgrammingError, UnicodeError):
        # The driver's message repeats parts of the URL, and so perhaps the password.
        raise Unusable(
            "the database's address cannot be read; write it like"
            " postgresql://user@host:5432/name, with special characters percent-encoded"
        ) from None
    settings = {"role": role, "search_path": "ledger,projections", "timezone": "UTC", **settings}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given_options = given.pop("options", None)
    all_options = f"{given_options} {options}" if given_options else options
    # A firewall that drops packets would otherwise keep the user waiting for minutes.
    defaults = {"application_name": "secretariat", "connect_timeout": 10}
    parameters: dict[str, Any] = {**defaults, **given}
    return make_conninfo("", **parameters, options=all_options)


def connect(url: str, role: str = SERVER, **settings: str) -> AnyConnection:
    """Open a connection in autocommit mode; `Unusable` if that fails."""
    try:
        return psycopg.connect(as_role(url, role, **settings), autocommit=True)
    except psycopg.OperationalError as error:
        raise Unusable(
            f"the database can't be reached: {one_line(error)}; "
            "check --database, or leave it out to use the embedded one"
        ) from None


def is_gone(error: psycopg.Error) -> bool:
    """Whether a failure ends the session; else the server only gave up a statement."""
    return error.sqlstate is None or error.sqlstate.startswith(_STATES_OF_THE_GONE)


def complaint(error: psycopg.OperationalError | psycopg.errors.InsufficientPrivilege) -> str:
    """What is said of a failure to whoever ran a command: what happened, and what to do."""
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return f"the database refuses this: {one_line(error)}; ask who may grant it"
        case psycopg.errors.DiskFull():
            return (
                f"the database's disk is full: {one_line(error)}; nothing was changed: make room,"
                " then try again"
            )
        case _ if is_gone(error):
            return f"the database is gone: {one_line(error)}; try again when it is back"
        case _:
            return f"the database gave up a statement: {one_line(error)}; try again"


def one_line(error: Exception) -> str:
    """What a failure says, as one line: libpq breaks its messages over several.

    Of what the server said, only the message: not our statement, nor the values in its details.
    """
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((said or str(error)).split()) or type(error).__name__
