"""The database's tables: numbered plain SQL, each file with its reason, and what runs it.

    files.py     reads the folder's files, refuses unsound ones, splits them into statements
    roles.py     the two group roles and the two schemas, which come before the first file
    runner.py    applies what a database lacks (`migrate`) and compares it with the code (`check`)
    refusal.py   what goes wrong on purpose

A new migration is a new file, `0002_words_for_it.sql`: the number one above the last, the first
line a comment that gives the reason. It runs as `secretariat_owner` with the schemas `ledger` and
`projections` on its search path, in one transaction together with its record in
`ledger.migrations`. A file that any database has applied is never edited again.
"""

from migrations.refusal import (
    ChecksumDiffers,
    DatabaseUnusable,
    FilesUnusable,
    MigrationError,
    MigrationFailed,
    RolesMissing,
    SchemaBehind,
    SchemaTooNew,
)
from migrations.runner import check, migrate

__all__ = [
    "ChecksumDiffers",
    "DatabaseUnusable",
    "FilesUnusable",
    "MigrationError",
    "MigrationFailed",
    "RolesMissing",
    "SchemaBehind",
    "SchemaTooNew",
    "check",
    "migrate",
]
