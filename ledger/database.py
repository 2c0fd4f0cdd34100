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


def one_line(error: Exception) -> str:
    """What a failure says, as one line: libpq breaks its messages over several."""
    return " ".join(str(error).split())
