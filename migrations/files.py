"""The SQL files: numbered without gaps, each opening with its reason, split into statements.

A file is split because PostgreSQL tells the place of a mistake in few of its errors (of a table
that exists already it tells none), while whoever reads the message needs the line. Knowing the
statements also lets a file be refused, before any of it runs, that would end its own transaction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrations.refusal import FilesUnusable

_NAME = re.compile(r"(?P<number>[0-9]{4})_[a-z0-9]+(?:_[a-z0-9]+)*\.sql")
_REASON = re.compile(r"--[ \t]*\w")

_TOKEN = re.compile(
    r"""
      (?P<blank>   \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | (?P<tag> \$(?:[^\W\d]\w*)?\$ ) .*? (?P=tag)
    | [^\W\d][\w$]*
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_ROUTINE = re.compile(r"create (or replace )?(function|procedure)\b")
_TRANSACTION_WORDS = frozenset(
    {"abort", "begin", "commit", "end", "prepare", "release", "rollback", "savepoint", "start"}
)


@dataclass(frozen=True)
class Statement:
    """One statement of a file; `offset` is the place of its first character in the file."""

    text: str
    offset: int


@dataclass(frozen=True)
class MigrationFile:
    """One file of the sequence; `sha256` is the hexadecimal digest of its bytes."""

    number: int
    name: str
    sha256: str
    text: str
    statements: tuple[Statement, ...]

    def line(self, offset: int) -> int:
        """The line, counted from 1, of the character at `offset`."""
        return self.text.count("\n", 0, offset) + 1


def read_files(folder: Path) -> list[MigrationFile]:
    """The migrations of `folder` in the order of their numbers.

    Raises FilesUnusable unless they are numbered 1, 2, 3 …, well named, and each sound in itself.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if _is_meant_to_run(path.name))
    except OSError as error:
        raise FilesUnusable(
            f"{folder}: cannot be read ({error.strerror}); install the program again"
        ) from error
    if not paths:
        raise FilesUnusable(f"{folder}: holds no migration; install the program again")
    files = [_read(path) for path in paths]
    for expected, file in enumerate(files, start=1):
        if file.number != expected:
            _refuse_number(folder, files[expected - 2] if expected > 1 else None, file)
    return files


def _is_meant_to_run(name: str) -> bool:
    # Python's files share the folder. A slip such as 0002-grants.SQL must not be passed over, but
    # the hidden files of editors and of macOS may.
    return not name.startswith(".") and (name[0].isdigit() or name.lower().endswith(".sql"))


def _refuse_number(folder: Path, before: MigrationFile | None, file: MigrationFile) -> None:
    if before is not None and before.number == file.number:
        raise FilesUnusable(
            f"{folder}: {before.name} and {file.name} have the same number; renumber the later one"
        )
    wanted = before.number + 1 if before is not None else 1
    raise FilesUnusable(
        f"{folder}: number {wanted:04} is missing before {file.name};"
        " restore that file, or renumber what follows"
    )


def _read(path: Path) -> MigrationFile:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise FilesUnusable(f"{path}: name it like 0001_small_words.sql")
    try:
        content = path.read_bytes()
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise FilesUnusable(f"{path}: cannot be read as UTF-8 text ({error})") from error
    if _REASON.match(text) is None:
        raise FilesUnusable(f"{path}: make its first line a comment with the reason: -- Why …")
    file = MigrationFile(
        number=int(named["number"]),
        name=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        text=text,
        statements=tuple(split(text)),
    )
    _refuse_transaction_commands(path, file)
    return file


def _refuse_transaction_commands(path: Path, file: MigrationFile) -> None:
    # A COMMIT in a file would part its statements from its record, and keep half of a failed file.
    for statement in file.statements:
        word = re.match(r"\w*", statement.text)
        if word is not None and word[0].lower() in _TRANSACTION_WORDS:
            raise FilesUnusable(
                f"{path}, line {file.line(statement.offset)}: remove {word[0].upper()};"
                " the runner itself puts each file into one transaction"
            )


def split(text: str) -> Iterator[Statement]:
    """The statements of an SQL text, without the semicolons and comments between them.

    A semicolon inside quotes, a dollar-quoted body, a comment, parentheses (the actions of a rule)
    or the BEGIN ATOMIC … END of a routine ends nothing, as in psql.
    """
    start: int | None = None
    depth = 0
    offset = 0
    while offset < len(text):
        is_code, end = _next_token(text, offset)
        piece = text[offset:end]
        if piece == ";" and depth == 0:
            if start is not None:
                yield Statement(text[start:offset].rstrip(), start)
            start = None
        elif is_code:
            start = offset if start is None else start
            depth = _depth_after(piece.lower(), depth, opening=text[start : start + 80])
        offset = end
    if start is not None:
        yield Statement(text[start:].rstrip(), start)


def _next_token(text: str, offset: int) -> tuple[bool, int]:
    """Whether the token at `offset` is more than a blank or a comment, and where it ends."""
    token = _TOKEN.match(text, offset)
    if token is None:
        return True, offset + 1
    if token["comment"] is not None:
        return False, _end_of_comment(text, offset)
    return token["blank"] is None, token.end()


def _end_of_comment(text: str, offset: int) -> int:
    # Unlike C's, the comments of SQL nest.
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, offset):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _depth_after(piece: str, depth: int, *, opening: str) -> int:
    """How deep a statement nests after `piece`; `opening` is how the statement begins."""
    if piece == "(":
        return depth + 1
    if piece == ")":
        return max(0, depth - 1)
    opens = "begin" if depth == 0 else "case"
    # Elsewhere than in a routine `begin` may be a column's name.
    if piece not in {opens, "end"} or not _ROUTINE.match(" ".join(opening.lower().split())):
        return depth
    return depth + 1 if piece == opens else max(0, depth - 1)
