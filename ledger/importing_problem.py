"""What is wrong with a register, said in one line a problem."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from ledger.refusal import SecretariatError

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong in one place: a cell, a row, or a whole file.

    `line` is the one on which the row begins. `value` is the text of the cell, left out where it
    is about a person.
    """

    file: str
    line: int | None = None
    column: str | None = None
    value: str | None = None
    reason: str

    def __str__(self) -> str:
        """`contribution_received.csv:14: amount '12,5': not a decimal number such as …`."""
        file = plain(self.file)
        parts = [file if self.line is None else f"{file}:{self.line}"]
        if self.column is not None:
            column = self.column if self.column.isidentifier() else shown(self.column)
            parts.append(column if self.value is None else f"{column} {shown(self.value)}")
        return ": ".join((*parts, self.reason))


class ImportRefused(SecretariatError):
    """A register was refused, and nothing of it was recorded.

    `problems` are in the order of files and lines. `left_out` counts the rows that the ledger did
    not look at, because they are about, or refer to, a record at fault.
    """

    def __init__(self, problems: Iterable[Problem], left_out: int = 0) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
        self.left_out = left_out
        lines = [str(problem) for problem in self.problems]
        if left_out:
            rows = "1 more row was" if left_out == 1 else f"{left_out} more rows were"
            lines.append(f"{rows} not looked at: they hang on records that are at fault")
        super().__init__("\n".join(lines))


def plain(name: str) -> str:
    """A file's name as it is, or in quotes if it can't be printed on one line."""
    return name if name.isprintable() else repr(name)


def shown(text: str) -> str:
    """The text in quotes, on one line, shortened if it is long."""
    if len(text) <= _LONGEST_SHOWN:
        return repr(text)
    return f"{text[:_LONGEST_SHOWN]!r}… ({len(text)} characters)"


def behind(column: str | None, value: str | None, message: str) -> str:
    """A refusal's message as it stands behind the cell that it may itself begin with."""
    for quoted in () if value is None else (repr(value), shown(value)):
        for beginning in (f"{quoted} is ", f"{column} {quoted} is "):
            if message.startswith(beginning):
                return message.removeprefix(beginning)
    return message


def guess(text: str, known: Iterable[str], form: str = "; {}", *, nearness: float = 0.6) -> str:
    """What was probably meant, as the end of a sentence; empty if nothing known is near.

    `nearness` is how near it must be, from 0 to 1.
    """
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(text[:_LONGEST_SHOWN].casefold(), by_folded, 1, nearness)
    return form.format(f"did you mean {by_folded[found[0]]!r}?") if found else ""
