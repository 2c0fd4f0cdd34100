"""Every command of the README's tour is run, in one shell session, and its output compared.

In the README a line `…` stands for any lines, and `…` in a line for any text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== the next command ==="


@dataclass(frozen=True)
class Shown:
    """A command of the README and the output that is printed below it."""

    command: str
    output: str


def tour() -> list[Shown]:
    """The commands in the README's console blocks, in order."""
    shown = []
    for block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            more = sum(1 for _ in _continued(lines[1:]))
            command = "\n".join([lines[0], *(line[2:] for line in lines[1 : more + 1])])
            shown.append(Shown(command, "\n".join(lines[more + 1 :])))
    return shown


def _continued(lines: list[str]) -> list[str]:
    """The lines that a command goes on in, each after the shell's second prompt."""
    until = next((i for i, line in enumerate(lines) if not line.startswith("> ")), len(lines))
    return lines[:until]


def pattern(output: str) -> re.Pattern[str]:
    """What the shown output stands for."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in output.splitlines()
    ]
    return re.compile("".join(lines))


@pytest.fixture(scope="module")
def outputs() -> Iterator[list[str]]:
    """What the commands print, run one after another in one shell."""
    # Not pytest's own folder: that is closed to the account which a database of root's runs under.
    with tempfile.TemporaryDirectory(prefix="tour") as folder:
        Path(folder).chmod(0o755)
        yield run(Path(folder))


def run(folder: Path) -> list[str]:
    """Run the tour with `folder` for its files, and return the output of each command."""
    command = folder / "secretariat"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m server "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    script = "".join(f"{shown.command}\necho '{MARK}'\n" for shown in tour())
    ran = subprocess.run(
        ["/bin/sh"],
        input=script,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if "SECRETARIAT" not in name},
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
        },
        timeout=120,
        check=True,
    )
    return ran.stdout.split(f"{MARK}\n")[:-1]


def test_the_readme_shows_what_its_commands_print(outputs: list[str]) -> None:
    for shown, printed in zip(tour(), outputs, strict=True):
        assert pattern(shown.output).fullmatch(printed), f"$ {shown.command}\n{printed}"


def test_the_tour_shows_commands_and_output() -> None:
    assert sum(bool(shown.output) for shown in tour()) > 5
