"""The command line, as a user meets it, on the embedded database."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from graphql import build_schema

import server
from ledger import embedded
from tests import commands
from tests.commands import (
    EXAMPLE,
    POSITION,
    ROOT,
    SECONDS_TO_WAIT,
    Here,
    command,
    environment,
    is_used,
    position_in,
    printed,
    rows_of,
    run,
    serving,
    started,
)

COMMANDS = (
    *("import", "serve", "query", "verify", "rebuild", "backup", "restore", "schema", "demo"),
)
INTROSPECTION = "{ __schema { types { name description fields { name description } } } }"
ALMATY = ("--home-zone", "Asia/Almaty")


here = commands.here


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that everybody may enter: a database that root starts is somebody else's."""
    with tempfile.TemporaryDirectory(prefix="secretariat-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def data(scratch: Path) -> Iterator[Path]:
    """A data folder with the example, whose database runs all the while."""
    folder = scratch / "example"
    done = printed(run("import", EXAMPLE, *ALMATY, "--data", folder))
    assert done == f"recorded {rows_of(EXAMPLE)} entries; 0 were on record already\n"
    with embedded.start(folder):
        yield folder


@pytest.fixture(scope="module")
def lone_data(scratch: Path, data: Path) -> Path:
    """A data folder whose database runs only while a command uses it; two made it at once."""
    folder = scratch / "lone"
    with ThreadPoolExecutor() as pool:
        words = ("import", EXAMPLE, *ALMATY, "--data", folder)
        outputs = sorted(pool.map(lambda _: printed(run(*words)), range(2)))
    rows = rows_of(EXAMPLE)
    assert outputs == [
        f"recorded 0 entries; {rows} were on record already\n",
        f"recorded {rows} entries; 0 were on record already\n",
    ]
    return folder


@pytest.fixture
def url(data: Path) -> Iterator[str]:
    """The address of the database in `data`, as its superuser."""
    with embedded.start(data) as running:
        yield running.url


def register_with(scratch: Path, old: str, new: str) -> Path:
    """A register of the example's states, with something else in their file."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    text = (EXAMPLE / "state_admitted.csv").read_text(encoding="utf-8")
    assert old in text
    (folder / "state_admitted.csv").write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_without_a_command_help_is_given(here: Here) -> None:
    ended = here.run()
    assert (ended.status, ended.err) == (2, "")
    assert "Usage: secretariat" in ended.out
    assert [name for name in COMMANDS if f" {name} " not in ended.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(here: Here, name: str) -> None:
    assert f"Usage: secretariat {name}" in here.printed(name, "-h")


def test_the_version_is_told() -> None:
    assert printed(run("--version")).startswith("secretariat ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["improt"], "no such command 'improt'"),
        (["import"], "missing argument 'DIR'"),
        (["import", "no/such/folder"], "'no/such/folder' does not exist"),
        (["serve", "--port", "70000"], "'--port'"),
        (["serve", "--prot", "1"], "no such option: --prot"),
        (["query", "{ a }", "--data", "a", "--database", "b"], "not both"),
        (["query", "no-such-file"], "'no-such-file' is neither a GraphQL document nor a file"),
        (["query", "{ a }", "-v", "{"], "the variables are not JSON"),
        (["query", "{ a }", "-v", "[" * 100_000], "the variables are not JSON"),
        (["query", "{ a }", "-v", "[1]"], "the variables are not a JSON object"),
        (
            ["query", "{ a }", "-v", '{"a": NaN}'],
            "the variables are not JSON: NaN is no value of JSON",
        ),
        (
            ["query", "{ a }", "--database", ""],
            "--database is empty: give an address, or leave it out",
        ),
        (["import", "README.md"], "'README.md' is a file"),
    ],
)
def test_a_mistake_in_the_words_is_one_line(here: Here, words: list[str], told: str) -> None:
    assert told in here.complaint(*words, status=2)


def test_the_environment_names_one_ledger_and_options_come_first(
    here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRETARIAT_DATA", str(tmp_path / "from-environment"))
    assert "from-environment" in here.complaint("verify")
    option = ("--data", tmp_path / "from-option")
    assert "from-option" in here.complaint("verify", *option)
    monkeypatch.setenv("SECRETARIAT_DATABASE", "")
    assert "from-environment" in here.complaint("verify")
    monkeypatch.setenv("SECRETARIAT_DATABASE", "host=127.0.0.1 port=1")
    assert "are both set" in here.complaint("verify", status=2)
    assert "from-option" in here.complaint("verify", *option)
    monkeypatch.setenv("SECRETARIAT_DATA", "")
    assert "port 1 failed" in here.complaint("verify")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_told_before_anything_else(here: Here, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name in ("serve", "demo"):
            told = here.complaint(name, "--port", port, "--data", tmp_path / "new")
            assert told.startswith(f"port {port} can't be served at (address already in use)")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["verify"], ["rebuild"]])
def test_a_folder_without_a_ledger_stays_as_it_is(
    here: Here, tmp_path: Path, words: list[str]
) -> None:
    assert "import a register first" in here.complaint(*words, "--data", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_a_ledger_stays_as_it_is(here: Here, empty_database: str) -> None:
    for words in (["query", POSITION], ["verify"], ["rebuild"]):
        assert "import a register first" in here.complaint(*words, "--database", empty_database)
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("SELECT to_regnamespace('ledger')").fetchone()
    assert found == (None,)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://nobody:hush@127.0.0.1:1/x", "Connection refused"),
        ("postgresql://nobody:hush@[half/x", "the database's address cannot be read"),
        ("nobody hush", "the database's address cannot be read"),
        ("postgresql://nobody:hush\udcff@127.0.0.1:1/x", "the database's address cannot be read"),
    ],
)
def test_a_database_out_of_reach_is_told_without_the_password(
    here: Here, address: str, told: str
) -> None:
    line = here.complaint("verify", "--database", address)
    assert told in line
    assert "hush" not in line


def test_a_login_that_is_refused_is_told_without_the_password(here: Here, server_url: str) -> None:
    line = here.complaint("verify", "--database", f"{server_url}&user=stranger&password=hush")
    assert "stranger" in line
    assert "hush" not in line


def test_the_schema_is_printed_and_the_file_is_current(here: Here) -> None:
    text = here.printed("schema")
    assert "Ledger" in build_schema(text).type_map
    assert text == server.SCHEMA_FILE.read_text(encoding="utf-8")
    assert here.printed("schema", "--check") == ""


def test_a_schema_file_that_is_behind_is_told(
    here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "SCHEMA_FILE", tmp_path / "schema.graphql")
    assert "secretariat schema --write" in here.complaint("schema", "--check")
    here.printed("schema", "--write")
    here.printed("schema", "--check")


def test_an_import_is_repeatable(here: Here, data: Path) -> None:
    assert here.printed("import", EXAMPLE, "--data", data) == (
        f"recorded 0 entries; {rows_of(EXAMPLE)} were on record already\n"
    )


def test_a_trial_keeps_nothing_and_binds_nobody(
    here: Here, scratch: Path, empty_database: str
) -> None:
    place = ("--database", empty_database)
    ended = run("import", register_with(scratch, ",member,", ",membr,"), *place)
    assert (ended.status, ended.out) == (1, "")
    *problems, last = ended.err.splitlines()
    assert len(problems) > 1
    for problem in problems:
        assert problem.startswith("state_admitted.csv:")
        assert "did you mean 'member'?" in problem
    assert last == f"secretariat: nothing was recorded: {len(problems)} problems"

    tried = here.printed("import", EXAMPLE, "--dry-run", *place)
    assert tried == f"would record {rows_of(EXAMPLE)} entries; 0 were on record already\n"
    assert here.position(*place) == 0

    # Neither try has settled the home zone.
    here.printed("import", EXAMPLE, "--only", "state_admitted", *ALMATY, *place)
    assert here.position(*place) == rows_of(register_with(scratch, ",", ","))
    told = here.complaint("import", EXAMPLE, "--home-zone", "UTC", *place)
    assert "home time zone is Asia/Almaty, not UTC" in told


def test_what_the_ledger_refuses_is_told_by_its_row(here: Here, scratch: Path, data: Path) -> None:
    ended = here.run("import", register_with(scratch, "Kazakhstan", "Qazaqstan"), "--data", data)
    assert (ended.status, ended.out) == (1, "")
    problem, last = ended.err.splitlines()
    assert "this row was imported before, with other content" in problem
    assert last == "secretariat: nothing was recorded: 1 problem"
    assert here.position("--data", data) == rows_of(EXAMPLE)


def test_an_import_that_is_stopped_leaves_nothing(
    here: Here, scratch: Path, data: Path, url: str
) -> None:
    register = register_with(scratch, ",KAZ,", ",XKX,")
    with psycopg.connect(url) as holder:
        # Whoever holds the log's lock keeps the import waiting in the middle.
        holder.execute("SELECT FROM ledger.head FOR UPDATE")
        with started("import", register, "--data", data) as process:
            wait_for_a_waiter(url)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            holder.rollback()
            assert process.wait(SECONDS_TO_WAIT) == -signal.SIGTERM
            assert process.communicate() == ("", "")
    assert here.position("--data", data) == rows_of(EXAMPLE)


def wait_for_a_waiter(url: str) -> None:
    """Wait until a session waits for a lock that another one has."""
    until = time.monotonic() + SECONDS_TO_WAIT
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if waiting.fetchone() != (0,):
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits for the lock")


def test_progress_is_shown_on_a_terminal(data: Path) -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(
        command("import", EXAMPLE, "--data", data),
        cwd=ROOT,
        env=environment(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    ) as process:
        os.close(slave)
        shown = read_all(master)
        assert process.stdout is not None
        assert "were on record already" in process.stdout.read()
    assert "reading" in shown
    assert "recording" in shown


def read_all(terminal: int) -> str:
    """What is shown on a terminal until nobody writes to it any more."""
    parts = []
    while part := _read(terminal):
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # So Linux says that the other end was closed.
        return b""


def test_a_query_has_variables_and_comes_from_anywhere(
    here: Here, scratch: Path, data: Path
) -> None:
    document = """
        query Name($id: ID!) {
          record(kind: "state", id: $id) { ... on State { nameEn nameRu } }
        }
    """
    file = scratch / "name.graphql"
    file.write_text(document, encoding="utf-8")
    more = ("-v", '{"id": "KAZ"}', "--data", data)
    answer = here.printed("query", document, *more)
    assert here.printed("query", file, *more) == answer
    # An old terminal's alphabet changes nothing.
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    ended = run("query", "-", *more, given=document.encode("utf-8-sig"), more=ascii_only)
    assert printed(ended) == answer
    record = json.loads(answer)["data"]["record"]
    assert record == {"nameEn": "Kazakhstan", "nameRu": "Казахстан"}
    assert "Казахстан" in answer


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{ ledger ", "Syntax Error"),
        ("{ nothing }", "Cannot query field 'nothing'"),
        ("{ ledger { states(first: -1) { nodes { key } } } }", "`first` is -1"),
    ],
)
def test_an_answer_with_errors_is_printed_and_fails(
    here: Here, data: Path, document: str, told: str
) -> None:
    ended = here.run("query", document, "--data", data)
    assert ended.status == 1
    assert told in json.loads(ended.out)["errors"][0]["message"]
    (line,) = ended.err.splitlines()
    assert line.startswith("secretariat: not everything was answered: 1 error, first ")
    assert told in line


def test_a_query_is_explained(here: Here, data: Path) -> None:
    plan = here.printed("query", "--explain", POSITION, "--data", data)
    assert plan.startswith("statement 1: the point of `ledger`\n")
    told = here.complaint("query", "--explain", "{ nothing }", "--data", data)
    assert told.startswith("there is no plan: Cannot query field 'nothing'")


def test_only_queries_are_answered_here(here: Here, data: Path) -> None:
    told = here.complaint("query", "mutation { __typename }", "--data", data)
    assert told == "a mutation is not served here, only a query"


def test_what_is_no_text_is_no_document(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "document"
    file.write_bytes(b"\xff")
    assert "neither a GraphQL document nor a file" in here.complaint("query", file, status=2)


def test_whoever_stops_reading_hears_no_complaint(data: Path) -> None:
    with started("query", INTROSPECTION, "--data", data) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(SECONDS_TO_WAIT) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_an_answer_that_cannot_be_written_is_one_line(data: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command("query", POSITION, "--data", data),
            cwd=ROOT,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "No space left on device" in line


def test_the_environment_is_enough(
    here: Here, monkeypatch: pytest.MonkeyPatch, data: Path, url: str
) -> None:
    monkeypatch.setenv("SECRETARIAT_DATA", str(data))
    assert here.position() == rows_of(EXAMPLE)
    monkeypatch.delenv("SECRETARIAT_DATA")
    monkeypatch.setenv("SECRETARIAT_DATABASE", url)
    assert here.position() == rows_of(EXAMPLE)


def test_what_was_damaged_is_found_and_rebuilt(here: Here, data: Path, url: str) -> None:
    count = rows_of(EXAMPLE)
    sound = f"{count} entries verified: 0 errors, 0 warnings\n"
    assert here.printed("verify", "--data", data) == sound
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE projections.states SET name_en = 'X' WHERE key = 'KAZ'")
    ended = here.run("verify", "--data", data)
    assert ended.status == 1
    assert ended.out == f"{count} entries verified: 1 error, 0 warnings\n"
    assert "KAZ" in ended.err
    assert here.printed("rebuild", "--data", data) == f"rebuilt from {count} entries\n"
    assert printed(run("verify", "--data", data)) == sound


def test_other_rules_ask_for_a_rebuild(here: Here, data: Path, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE projections.rules SET version = 'older'")
    for words in (["query", POSITION], ["serve", "--port", "0"]):
        assert here.complaint(*words, "--data", data).endswith("run `secretariat rebuild`")
    here.printed("rebuild", "--data", data)
    assert here.position("--data", data) == rows_of(EXAMPLE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_and_stops_without_a_trace(
    lone_data: Path, number: signal.Signals
) -> None:
    with serving(lone_data) as (process, address):
        answer = httpx.post(address, json={"query": POSITION}, timeout=SECONDS_TO_WAIT)
        assert position_in(answer.text) == rows_of(EXAMPLE)
        assert is_used(lone_data)
        process.send_signal(number)
        # It ends by the signal itself, which a shell shows as 143 or 130.
        assert process.wait(SECONDS_TO_WAIT) == -number
        assert process.communicate() == ("", "")
    assert not is_used(lone_data)


def test_a_query_runs_beside_a_server_and_after_it_was_killed(here: Here, lone_data: Path) -> None:
    with serving(lone_data) as (process, address):
        assert here.position("--data", lone_data) == rows_of(EXAMPLE)
        answer = httpx.post(address, json={"query": POSITION}, timeout=SECONDS_TO_WAIT)
        assert position_in(answer.text) == rows_of(EXAMPLE)
        process.kill()
        process.wait()
        assert here.position("--data", lone_data) == rows_of(EXAMPLE)
    assert not is_used(lone_data)


def test_the_demo_shows_what_the_register_says(here: Here, data: Path) -> None:
    shown = " ".join(here.printed("demo", "--overview-only", "--data", data).split())
    assert f"As of 2023-12-07, as known at entry {rows_of(EXAMPLE)}:" in shown
    assert "Members 28 Observers 9" in shown
    assert "Activities of 2023 held 28 Activities of 2023 pending 2" in shown
    assert "Budget for 2023 2 860 000.00 USD Collected of it 69.0% Expenses covered 95.0%" in shown
    assert "Received for 2023 1 973 450.00 USD from 5 states" in shown
    assert "Kazakhstan 22 980 000.00 76.6% 47.1" in shown
    assert "CPI 14 8 6 0 not in force" in shown
