"""What scripts/demo and scripts/test do before they start: find a Python, and keep .venv right."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = runpy.run_path(str(ROOT / "scripts/lib/environment.py"))["Environment"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout's folder with what an environment is made of, and a finished .venv."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\n")
    for name in ("requirements.txt", "requirements-test.txt"):
        (folder / "scripts" / name).write_text(f"# {name}\n")
    venv.create(folder / ".venv", symlinks=True)
    environment = ENVIRONMENT(folder)
    note = {name: environment.digest(name) for name in ("requirements.txt", "pyproject.toml")}
    environment.write({"python": environment.answer(), **note})
    return folder


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    environment = ENVIRONMENT(checkout)
    note = environment.installed()
    assert not environment.is_stale(note)
    assert environment.lacks("requirements.txt", note) == []
    assert environment.lacks("requirements-test.txt", note) == ["requirements-test.txt"]


def test_a_changed_project_is_installed_again_over_the_old(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    environment = ENVIRONMENT(checkout)
    note = environment.installed()
    assert not environment.is_stale(note)
    assert environment.lacks("requirements.txt", note) == ["pyproject.toml"]


def change_the_lock(checkout: Path) -> None:
    (checkout / "scripts/requirements.txt").write_text("# other pins\n")


def lose_the_note(checkout: Path) -> None:
    (checkout / ".venv/installed.json").unlink()


def lose_the_python(checkout: Path) -> None:
    (checkout / ".venv/bin/python").unlink()


def claim_another_place(checkout: Path) -> None:
    note = checkout / ".venv/installed.json"
    moved = json.loads(note.read_text()) | {"python": "3.11 /elsewhere/.venv"}
    note.write_text(json.dumps(moved))


@pytest.mark.parametrize(
    "spoil", [change_the_lock, lose_the_note, lose_the_python, claim_another_place]
)
def test_an_environment_that_is_not_as_locked_is_stale(
    checkout: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(checkout)
    environment = ENVIRONMENT(checkout)
    assert environment.is_stale(environment.installed())


def test_naming_a_python_of_another_version_makes_it_stale(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = ENVIRONMENT(checkout)
    note = environment.installed()
    monkeypatch.setenv("PYTHON", sys.executable)
    assert not environment.is_stale(note)
    assert environment.is_stale(note | {"python": note["python"].replace("3.", "2.", 1)})


@pytest.mark.parametrize(
    ("status", "complaint"),
    [(127, "is no Python 3.11 or later"), (3, "is no Python 3.11"), (4, "has no venv and ensure")],
    ids=["it doesn't run", "it is too old", "it lacks ensurepip"],
)
def test_without_a_python_that_will_do_the_user_reads_what_to_install(
    tmp_path: Path, status: int, complaint: str
) -> None:
    stand_in = tmp_path / "python3"
    stand_in.write_text(f"#!/bin/sh\nexit {status}\n")
    stand_in.chmod(0o755)
    run = started(ROOT / "scripts/demo", PYTHON=str(stand_in))
    assert run.returncode == 1
    assert complaint in run.stderr
    assert "apt install python3 python3-venv" in run.stderr
    assert "brew install python" in run.stderr


def started(script: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a bare environment and return how it went."""
    return subprocess.run(
        [script], env={"PATH": os.defpath, **variables}, capture_output=True, text=True, check=False
    )
