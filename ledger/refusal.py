"""What goes wrong on purpose: refusals of a rule, and what cannot be used at all.

    SecretariatError
    ├── Refused               a rule of the ledger said no; nothing was recorded
    │   ├── Malformed         a value that has the wrong form
    │   ├── NotPermitted      a rule of the record's kind forbids it
    │   ├── NotFound          what it refers to is not on record
    │   ├── AlreadyExists     the record is on record already
    │   ├── VersionConflict   the record has moved on since it was read
    │   ├── KeyReused         the same idempotency key came with other content
    │   └── Impossible        a later step or another record would lose its ground
    └── Unusable              the environment or the request cannot be used

Anything else that is raised is a bug, and is reported as one.
"""

from __future__ import annotations

from typing import ClassVar


class SecretariatError(Exception):
    """Base of every error that is meant for a person to read."""


class Refused(SecretariatError):
    """The ledger refused.

    `code` is stable, for programs; the message is one sentence for people;
    `field` names the event's field at fault, where one is.
    """

    code: ClassVar[str] = "REFUSED"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Malformed(Refused):
    """A value has the wrong form."""

    code = "MALFORMED"


class NotPermitted(Refused):
    """A rule of the record's kind forbids it."""

    code = "NOT_PERMITTED"


class NotFound(Refused):
    """What the proposal is about, or refers to, is not on record."""

    code = "NOT_FOUND"


class AlreadyExists(Refused):
    """The record is on record already."""

    code = "ALREADY_EXISTS"


class VersionConflict(Refused):
    """The record has another version than the one that was expected."""

    code = "VERSION_CONFLICT"


class KeyReused(Refused):
    """The same idempotency key came with other content."""

    code = "IDEMPOTENCY_KEY_REUSED"


class Impossible(Refused):
    """A later step of the record, or a record that refers to it, would lose its ground."""

    code = "IMPOSSIBLE"


class Unusable(SecretariatError):
    """The environment or the request cannot be used; the message says what to do."""
