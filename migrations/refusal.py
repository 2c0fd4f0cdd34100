"""What goes wrong on purpose. Every message is one line: what, where, and what to do.

    MigrationError
    ├── FilesUnusable       the folder of SQL files is not a sound sequence
    ├── DatabaseUnusable    the database cannot be reached, or is too old
    ├── RolesMissing        a role, a schema or a grant is missing, and the login may not make it
    ├── SchemaBehind        the database lacks migrations that the code needs
    ├── SchemaTooNew        the database has migrations that the code does not know
    ├── ChecksumDiffers     a file is not the one that was applied
    └── MigrationFailed     PostgreSQL refused a statement; the database is as before its file

Anything else that is raised is a bug.
"""

from __future__ import annotations


class MigrationError(Exception):
    """Base of every error of this package."""

    def __init__(self, message: str) -> None:
        # PostgreSQL's own messages, which go into ours, may run over several lines.
        super().__init__(" ".join(message.split()))


class FilesUnusable(MigrationError):
    """The folder of SQL files is not a sound sequence."""


class DatabaseUnusable(MigrationError):
    """The database cannot be reached, or is too old."""


class RolesMissing(MigrationError):
    """A role, a schema or a grant is missing, and the login role may not make it.

    The message holds the exact SQL that makes what is missing.
    """


class SchemaBehind(MigrationError):
    """The database lacks migrations that the code needs."""


class SchemaTooNew(MigrationError):
    """The database has migrations that the code does not know."""


class ChecksumDiffers(MigrationError):
    """A file is not the one that was applied under its number."""


class MigrationFailed(MigrationError):
    """PostgreSQL refused a statement; the database is as it was before that file."""
