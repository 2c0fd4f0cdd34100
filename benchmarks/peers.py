"""The peers, installed from their registries into a folder outside of the checkout.

Which ones and in which version stands in benchmarks/peers: package.json and package-lock.json for
npm, requirements.txt for pip. Neither names a registry: whoever installs chooses it by npm's and
pip's own configuration.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.harness import ROOT, Unmeasured

SOURCES = ROOT / "benchmarks" / "peers"
_LOCKED = ("package.json", "package-lock.json", ".npmrc", "requirements.txt")


def cache_folder() -> Path:
    """Where peers are kept between runs: a folder of the user's own cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "secretariat-benchmarks"


@cache
def installed() -> Path:
    """The folder of the installed peers; installs them the first time, which needs the network."""
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in _LOCKED))
    folder = cache_folder() / f"peers-{digest.hexdigest()[:12]}"
    if not (folder / "installed").exists():
        if shutil.which("npm") is None:
            raise Unmeasured("npm is not installed, which installs the peers: install Node.js 20+")
        folder.mkdir(parents=True, exist_ok=True)
        print(f"Installing the peers into {folder}: once, for a minute or two …", file=sys.stderr)
        for name in _LOCKED:
            shutil.copy(SOURCES / name, folder)
        _run("npm", "ci", "--no-audit", "--no-fund", folder=folder)
        _run(sys.executable, "-m", "venv", "python", folder=folder)
        requirements = ("--require-hashes", "--only-binary=:all:", "-r", "requirements.txt")
        _run(str(python(folder)), "-m", "pip", "--quiet", "install", *requirements, folder=folder)
        (folder / "installed").touch()
    for source in SOURCES.glob("*.mjs"):
        # Node finds packages by where a program lies, so the programs lie beside them.
        shutil.copy(source, folder)
    return folder


def node(folder: Path, program: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a program of ours under the Node that npm brought."""
    return (str(folder / "node_modules" / ".bin" / "node"), str(folder / program), *arguments)


def python(folder: Path) -> Path:
    """The Python that has the peers."""
    return folder / "python" / "bin" / "python"


def version(folder: Path, package: str) -> str:
    """The version of an npm package that is installed."""
    text = (folder / "node_modules" / package / "package.json").read_text(encoding="utf-8")
    return str(json.loads(text)["version"])


def _run(*command: str, folder: Path) -> None:
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if run.returncode != 0:
        raise Unmeasured(f"{' '.join(command)} failed in {folder}:\n{run.stdout}{run.stderr}")
