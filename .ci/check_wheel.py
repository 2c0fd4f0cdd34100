"""Build the wheel and hold it against the checkout: the same files, and they run from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ledger", "migrations", "projections", "schema")
SUFFIXES = (".graphql", ".py", ".sql", ".typed")
INDISPENSABLE = {
    "server.py",
    "migrations/0001_log.sql",
    "schema/schema.graphql",
    *(f"{package}/py.typed" for package in PACKAGES),
}

# Says where the code came from, so that the checkout can't stand in for the wheel.
HELP = "import sys, server; print(server.__file__); sys.argv[1:] = ['--help']; server.main()"


def build(folder: Path) -> Path:
    """Build the wheel into `folder` without the network and return its path."""
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel"]
    how = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *how, str(ROOT)], check=True)
    (wheel,) = folder.glob("secretariat-*.whl")
    return wheel


def differences(wheel: Path) -> list[str]:
    """Return what the wheel lacks or has too much, one line for each file."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    packed = {name for name in names if ".dist-info/" not in name}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    wanted = INDISPENSABLE | {
        path.relative_to(ROOT).as_posix() for path in files if path.suffix in SUFFIXES
    }
    licence = {name for name in names if name.endswith(".dist-info/licenses/LICENSE")}
    return [
        *(f"not in the wheel: {name}" for name in sorted(wanted - packed)),
        *(f"in the wheel, and not wanted: {name}" for name in sorted(packed - wanted)),
        *([] if licence else ["not in the wheel: LICENSE"]),
    ]


def runs_from(wheel: Path, folder: Path) -> bool:
    """Tell whether the command's help is printed by the code in the wheel, and by no other."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    run = subprocess.run(
        [sys.executable, "-P", "-c", HELP],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return run.returncode == 0 and run.stdout.startswith(f"{folder / 'server.py'}\n")


def main() -> int:
    """Print what is wrong with the wheel; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="secretariat-") as scratch:
        folder = Path(scratch).resolve()
        wheel = build(folder)
        wrong = differences(wheel)
        if not runs_from(wheel, folder / "unpacked"):
            wrong.append("`secretariat --help` does not run from the wheel's files")
        print(f"{wheel.name}: {'; '.join(wrong) or 'as it should be'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
