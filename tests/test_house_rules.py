"""The house rules that a program can check, as ordinary tests.

A rule is a function from a file's text to what it finds wrong there. Beside it stands what it
forbids, so that `test_a_rule_finds_what_it_forbids` shows each rule at work before
`test_the_files_keep` trusts its silence. The patterns are put together from halves, or this file
would break its own rules.
"""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from projections import REGISTRY, TABLES
from projections.timeline import Table
from schema import Ledger
from schema.reading import READS, Columns, ToPage
from schema.record import Record

ROOT = Path(__file__).resolve().parents[1]

TOP_LEVEL = {
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "benchmarks",
    "docs",
    "examples",
    "ledger",
    "migrations",
    "projections",
    "pyproject.toml",
    "schema",
    "scripts",
    "server.py",
    "tests",
}

MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_MODULE = 500
FEWEST_WORDS_OF_A_REASON = 2

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
REGISTRY_HOST = re.compile(
    r"(py" + r"pi|python" + r"hosted|registry\.npm" + r"js|deb\.deb" + r"ian)\.org"
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(wo" + r"rk|ro" + r"ot|ho" + r"me|Us" + r"ers|tmp/v)/")
WAIVER = re.compile(
    r"#\s*(type:\s*ignore(\[[^]]*])?|noqa(:\s*[A-Z]+\d+([,\s]+[A-Z]+\d+)*)?|pragma:\s*no cover)"
    r"(?P<reason>.*)"
)
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\d[\w.]*)( ; .+)?")

PRODUCT = ("ledger/", "migrations/", "projections/", "schema/", "server.py")
OURS = {"benchmarks", "drills", "ledger", "migrations", "projections", "schema", "server", "tests"}

# For each name that can be imported, the packages that bring it.
INSTALLED = packages_distributions()

LOCKS = ("scripts/requirements.txt", "scripts/requirements-test.txt")
# What the benches measure beside us runs apart from us, with packages of its own.
PEERS = "benchmarks/peers/"


def has_a_docstring(text: str) -> Iterator[str]:
    """Every module says what it is for; an empty `__init__.py` is none yet."""
    if text and ast.get_docstring(ast.parse(text)) is None:
        yield "the module has no docstring"


def functions_fit_a_screen(text: str) -> Iterator[str]:
    """A function is read in one piece."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None, "the parser numbers every line"
            lines = node.end_lineno - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield f"{node.name} has {lines} lines, over {MOST_LINES_OF_A_FUNCTION}"


def modules_stay_short(text: str) -> Iterator[str]:
    """A module has one reason to change."""
    lines = len(text.splitlines())
    if lines > MOST_LINES_OF_A_MODULE:
        yield f"{lines} lines, over {MOST_LINES_OF_A_MODULE}"


def waivers_carry_a_reason(text: str) -> Iterator[str]:
    """Whoever silences a checker says why, on the same line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        waiver = WAIVER.search(token.string) if token.type == tokenize.COMMENT else None
        if waiver and len(re.findall(r"\w{2,}", waiver["reason"])) < FEWEST_WORDS_OF_A_REASON:
            yield f"line {token.start[0]}: no reason after {token.string}"


def opens_with_its_reason(text: str) -> Iterator[str]:
    """A file of SQL says in its first line why it is there."""
    if not re.match(r"-- *\w+", text):
        yield "the first line is no comment that gives the reason"


def nothing_is_unfinished(text: str) -> Iterator[str]:
    """What is left to do is said on the issue, not in the code."""
    yield from lines_with(UNFINISHED, text)


def names_no_registry(text: str) -> Iterator[str]:
    """Whoever installs chooses where the packages come from."""
    yield from lines_with(REGISTRY_HOST, text)


def names_no_place_of_a_machine(text: str) -> Iterator[str]:
    """What only one machine has is of no use on another."""
    yield from lines_with(MACHINE_PATH, text)


def pins_with_hashes_and_nothing_else(text: str) -> Iterator[str]:
    """A lock file holds no address, no option and no path: pins and the hashes of their files."""
    for pin in pins_of(text):
        if not HASH.search(pin) or not PIN.fullmatch(HASH.sub("", pin)):
            yield f"not a pin with hashes: {pin[:80]}"


def lines_with(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the place and the words of each line that the pattern is found in."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield f"line {number}: {found[0]}"


def pins_of(text: str) -> list[str]:
    """Return the requirements of a lock file, each on one line, without the comments."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line]


@dataclass(frozen=True)
class Rule:
    """A rule, the files that it is held against (patterns), and texts that it forbids."""

    find: Callable[[str], Iterator[str]]
    files: tuple[str, ...]
    forbidden: tuple[str, ...]


PYTHON = ("*.py",)
SQL = ("*.sql",)
EVERYTHING = ("*",)
# In data the three letters are the currency code for no currency.
PROSE_AND_CODE = ("*.py", "*.sql", "*.graphql", "*.md", "*.toml", "*.sh", "scripts/*", ".ci/*")

RULES = (
    Rule(has_a_docstring, PYTHON, ("x = 1\n",)),
    Rule(functions_fit_a_screen, PYTHON, ("def f():\n" + "    x = 1\n" * 60,)),
    Rule(modules_stay_short, PYTHON, ("x = 1\n" * 501,)),
    Rule(
        waivers_carry_a_reason,
        PYTHON,
        ("x  # no" + "qa\n", "x  # no" + "qa: S101\n", "x  # type: ig" + "nore[arg-type]  # it\n"),
    ),
    Rule(opens_with_its_reason, SQL, ("CREATE TABLE a ();\n", "--\nSELECT 1;\n")),
    Rule(nothing_is_unfinished, PROSE_AND_CODE, ("# TO" + "DO: write this\n",)),
    Rule(names_no_registry, EVERYTHING, ("from https://py" + "pi.org/simple\n",)),
    Rule(names_no_place_of_a_machine, EVERYTHING, ("open('/ro" + "ot/x')\n",)),
    Rule(
        pins_with_hashes_and_nothing_else,
        (*LOCKS, f"{PEERS}requirements.txt"),
        ("a==1\n", "--find-links x\n", "./a --hash=sha256:" + "0" * 64 + "\n"),
    ),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.find.__name__)
def test_a_rule_finds_what_it_forbids(rule: Rule) -> None:
    assert [text for text in rule.forbidden if not list(rule.find(text))] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.find.__name__)
def test_the_files_keep(rule: Rule) -> None:
    files = [file for file in our_files() if any(fnmatch(file, form) for form in rule.files)]
    assert files, "no file is held to this rule"
    found = [f"{file}: {what}" for file in files for what in rule.find(text_of(file))]
    assert not found, "\n".join(found)


def test_a_reason_after_a_waiver_is_enough() -> None:
    for comment in ("no" + "qa: S311 - not a secret", "type: ig" + "nore[misc]  # untyped library"):
        assert list(waivers_carry_a_reason(f"x  # {comment}\n")) == []


def test_the_top_level_holds_what_a_reader_expects() -> None:
    assert {file.split("/")[0] for file in our_files()} - TOP_LEVEL == set()


def test_what_starts_with_an_interpreter_can_be_run() -> None:
    programs = [file for file in our_files() if text_of(file).startswith("#!")]
    assert "scripts/test" in programs
    assert [file for file in programs if not os.access(ROOT / file, os.X_OK)] == []


def test_the_layers_import_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_testing_runs_the_versions_that_running_does() -> None:
    run, test = (set(pins_of(text_of(name))) for name in LOCKS)
    assert run - test == set()


def test_the_locked_versions_are_those_that_the_project_asks_for() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["test"],
        *project["dependency-groups"]["build"],
    ]
    pins = (PIN.match(pin) for pin in pins_of(text_of(LOCKS[1])))
    locked = {pin["name"]: pin["version"] for pin in pins if pin}
    for requirement in map(Requirement, wanted):
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    to_run = names_of(project["dependencies"])
    to_test = to_run | names_of(project["optional-dependencies"]["test"])
    undeclared = {
        f"{file}: {package}"
        for file in our_files()
        if file.endswith(".py") and not file.startswith(PEERS)
        for package in imported_by(file)
        if not names_of(INSTALLED[package]) & (to_run if file.startswith(PRODUCT) else to_test)
    }
    assert undeclared == set()


def names_of(requirements: Iterable[str]) -> set[str]:
    """Return the packages required, and those that a requirement in [brackets] stands for."""
    names: set[str] = set()
    for requirement in map(Requirement, requirements):
        names.add(canonicalize_name(requirement.name))
        for extra in requirement.extras:
            for optional in map(Requirement, requires(requirement.name) or ()):
                if optional.marker and optional.marker.evaluate({"extra": extra}):
                    names.add(canonicalize_name(optional.name))
    return names


def imported_by(file: str) -> set[str]:
    """Return the packages of others that a module imports, by the names that it imports."""
    nodes = list(ast.walk(ast.parse(text_of(file))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - OURS


@cache
def our_files() -> tuple[str, ...]:
    """Return the paths of the repository's files, whether git is there to list them or not."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        listed = run.stdout.split("\0")
    else:
        listed = [path.relative_to(ROOT).as_posix() for path in walk(ROOT)]
    return tuple(sorted(file for file in listed if (ROOT / file).is_file()))


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, less what .gitignore names (it has names only)."""
    ignored = {line.strip("/") for line in text_of(".gitignore").splitlines() if line[:1] != "#"}
    for path in folder.iterdir():
        if path.name not in ignored:
            yield from walk(path) if path.is_dir() else [path]


@cache
def text_of(file: str) -> str:
    """Return a file's text, with a stand-in for bytes that are none (pictures, documents)."""
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


# ---------------------------------------------------------------- kinds of records


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_kind_is_four_files(table: Table[Any]) -> None:
    """Its facts and rules, its read model, its GraphQL type, its table: all of the same name."""
    name = table.name
    assert table.kind.events[0].__module__ == f"ledger.{name}"
    assert table.row.__module__ == f"projections.{name}"
    assert graphql_type_of(table.kind.name).__module__ == f"schema.{name}"
    creating = f"CREATE TABLE projections.{name} ("
    (migration,) = [
        file for file in our_files() if file.endswith(".sql") and creating in text_of(file)
    ]
    assert re.fullmatch(rf"migrations/\d{{4}}_{name}\.sql", migration)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_clients_see_a_kind_by_what_its_fields_read(table: Table[Any]) -> None:
    declaring = graphql_type_of(table.kind.name)
    assert issubclass(declaring, Record)
    assert declaring.table == f"projections.{table.name}"
    for name, reads in reading_fields(declaring).items():
        assert reads is not None, f"{declaring.__name__}.{name} doesn't say what it reads"
        if isinstance(reads, Columns):
            named = (column for column in reads.columns if isinstance(column, str))
            plain = {column for column in named if column.isidentifier()}
            assert plain <= table.columns().keys(), name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_kind_is_listed_in_orders_of_its_columns(table: Table[Any]) -> None:
    pages = [reads for reads in reading_fields(Ledger).values() if isinstance(reads, ToPage)]
    (page,) = [page for page in pages if page.table == f"projections.{table.name}"]
    # A cursor can't stand at nothing, so no list is in the order of a column that may be null.
    hints = {"key": str, **get_type_hints(table.row)}
    for column, sql_type in page.orders.values():
        assert table.columns()[column] == sql_type
        assert type(None) not in get_args(hints[column]), column


def test_each_kind_of_record_has_a_table() -> None:
    assert [table.kind for table in TABLES] == list(REGISTRY.kinds)
    assert {each.kind_name for each in Record.__subclasses__()} == {
        kind.name for kind in REGISTRY.kinds
    }


def reading_fields(declaring: Any) -> dict[str, Any]:
    """Return what each field of a GraphQL type declares that it reads, by its name."""
    fields = declaring.__strawberry_definition__.fields
    return {field.name: field.metadata.get(READS) for field in fields}


def graphql_type_of(kind: str) -> Any:
    """Return the class that declares the GraphQL type of a kind of record."""
    (declaring,) = [each for each in Record.__subclasses__() if each.kind_name == kind]
    return declaring
