"""Make .venv what a file of locked requirements says, with this checkout installed in it.

Run by scripts/demo, test, bench, drill and fuzz (by way of environment.sh), under any Python from
3.11 on and with nothing but its standard library. What was installed from which files is noted in
.venv/installed.json, so that a second run has nothing to do and needs no network.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOCKS = ("requirements.txt", "requirements-test.txt")
MODULES = ("ledger", "migrations", "projections", "schema", "server.py")


class Unprepared(Exception):
    """The environment could not be prepared; the message is for the user."""


class Environment:
    """The virtual environment of one checkout.

    `root` is the checkout's folder. The note maps each input (a lock file's name,
    `pyproject.toml`) to the digest that it had when it was installed, and `python` to the
    version and place of the Python that .venv was made with and for.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.note = self.folder / "installed.json"

    def installed(self) -> dict[str, str]:
        """Return the note, empty if .venv is missing, unfinished, or was moved or copied here."""
        try:
            note: dict[str, str] = json.loads(self.note.read_text())
        except (OSError, ValueError):
            return {}
        return note if note["python"] == self.answer() else {}

    def answer(self) -> str | None:
        """Return the version and place that .venv's Python states, None if it doesn't run.

        An upgrade of the system's Python changes the version under .venv's feet, and a copied
        checkout's .venv still points to the first one: both show here.
        """
        question = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)"
        command = [str(self.python), "-I", "-c", question]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return run.stdout.strip()

    def is_stale(self, note: dict[str, str]) -> bool:
        """Tell whether .venv has to be made anew.

        That is so if it is not usable, if what is locked has changed since (installing over it
        would leave what is locked no more), or if the user names a Python of another version.
        """
        if not note:
            return True
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        if os.environ.get("PYTHON") and note["python"].split()[0] != version:
            return True
        return any(name in note and note[name] != self.digest(name) for name in LOCKS)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a lock file or of pyproject.toml, in hexadecimal."""
        folder = self.root / "scripts" if name in LOCKS else self.root
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def lacks(self, requirements: str, note: dict[str, str]) -> list[str]:
        """Return those of the inputs that are not installed as they are now."""
        return [
            name for name in (requirements, "pyproject.toml") if note.get(name) != self.digest(name)
        ]

    def prepare(self, requirements: str) -> None:
        """Install what the lock file `requirements` (a name in `LOCKS`) says, if it isn't.

        Raises `Unprepared`, or OSError where .venv cannot be written.
        """
        note = self.installed()
        if not self.is_stale(note) and not self.lacks(requirements, note):
            return
        with self.locked():
            # Another script may have done it while this one waited.
            note = self.installed()
            if self.is_stale(note):
                note = self.make()
            for name in self.lacks(requirements, note):
                self.install(name)
                note[name] = self.digest(name)
                self.write(note)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other scripts of this checkout out; the system lets go when this one ends."""
        with (self.root / ".venv.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Waiting for another script that is preparing .venv …")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make(self) -> dict[str, str]:
        """Make .venv anew and return its note, which names nothing installed yet."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        command = [sys.executable, "-I", "-m", "venv", str(self.folder)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        answer = self.answer()
        if run.returncode != 0 or answer is None:
            # Half an environment would only mislead whoever looks at it.
            shutil.rmtree(self.folder, ignore_errors=True)
            said = (run.stderr.strip() or run.stdout.strip()).replace("\n", " ")
            raise Unprepared(
                f"{sys.executable} could not make the virtual environment {self.folder}: {said}"
                " (Debian, Ubuntu: apt install python3-venv; macOS: brew install python)"
            )
        return {"python": answer}

    def install(self, name: str) -> None:
        """Install a lock file's packages, or (pyproject.toml) this checkout itself."""
        if name in LOCKS:
            say(f"Installing scripts/{name} into .venv: once, for a minute or two …")
            # Wheels only: what is built here would bring in packages that no hash covers.
            what = ["--require-hashes", "--only-binary=:all:", "--requirement", f"scripts/{name}"]
            advice = "Check the network and pip's configuration, and run this again"
        else:
            what = ["--no-deps", "--no-index", "--no-build-isolation", "--editable", "."]
            advice = "Mend pyproject.toml, or remove .venv, and run this again"
        pip = [str(self.python), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        run = subprocess.run([*pip, "install", *what], cwd=self.root, check=False)
        if run.returncode != 0:
            raise Unprepared(f"pip could not install {name}, and says why above. {advice}")
        if name not in LOCKS:
            # As pip does with what it copies: or each command, where the environment tells Python
            # to write no bytecode, would compile the checkout's modules anew.
            compiling = [str(self.python), "-I", "-m", "compileall", "-q", *MODULES]
            subprocess.run(compiling, cwd=self.root, check=False)

    def write(self, note: dict[str, str]) -> None:
        """Write the note in one step, so that a reader sees the old one or the new."""
        fresh = self.note.with_suffix(".new")
        fresh.write_text(json.dumps(note, indent=2) + "\n")
        fresh.replace(self.note)


def say(line: str) -> None:
    """Print one line of progress, where it can't mix with what the script itself prints."""
    print(line, file=sys.stderr, flush=True)


def main(script: str, requirements: str) -> int:
    """Prepare the checkout's environment for `script`; return the exit status."""
    try:
        Environment(Path(__file__).resolve().parents[2]).prepare(requirements)
    except Unprepared as error:
        say(f"{script}: {error}")
    except OSError as error:
        say(
            f"{script}: .venv could not be prepared: {error}."
            " If another user made it, remove it or use a checkout of your own"
        )
    except KeyboardInterrupt:
        say(f"{script}: interrupted; run it again to go on")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
