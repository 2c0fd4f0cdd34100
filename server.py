"""The composition root: settings, the database, the writer, the application, the command line.

    secretariat demo | import | serve | query | verify | rebuild | backup | restore | schema

Every command takes `--data DIR` or `--database URL`. Exit status is 0 only if everything that was
asked for was done; an error is one line on standard error that says what, where and what to do.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import psycopg
import typer

from ledger.counts import counted
from ledger.database import complaint
from ledger.dates import HomeZone
from ledger.importing_problem import ImportRefused
from ledger.loading import only_loading
from ledger.refusal import SecretariatError, Unusable
from migrations import MigrationError
from projections import REGISTRY, TABLES
from projections.place import DEFAULT_ZONE, Place

if TYPE_CHECKING:
    from ledger.importing import Register

EXAMPLE = Path(__file__).parent / "examples" / "cica-2023"
EXAMPLE_ZONE = "Asia/Almaty"
SCHEMA_FILE = Path(__file__).parent / "schema" / "schema.graphql"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A records ledger for the secretariat of an intergovernmental organization.",
    epilog="A command finds its ledger by --data or --database; without them by SECRETARIAT_DATA"
    " or SECRETARIAT_DATABASE in the environment; without those it is the user's own.",
)

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The folder of the embedded database."),
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="A PostgreSQL (15 or later) of your own."),
]
Port = Annotated[
    int,
    typer.Option(help="The port on 127.0.0.1 to serve at; 0 for any free one.", min=0, max=65535),
]


class Misused(typer.TyperException):
    """What stands on the command line makes no sense together."""

    exit_code = 2


@contextmanager
def _place(
    data: Path | None,
    database: str | None,
    *,
    make: bool = False,
    keep_if: Callable[[str], bool] | None = None,
    is_served: bool = False,
) -> Iterator[Place]:
    """The ledger that the options, or else the environment, name; by default the embedded one.

    Only with `make` is a folder made that is not there. If then the block fails, and `keep_if` says
    no of the database's address, it is removed again. What `is_served` is started again if it dies.
    """
    if data is not None and database is not None:
        raise Misused("give --data or --database, not both")
    if data is None and database is None:
        data, database = _place_in_environment()
    if database == "":
        raise Misused("--database is empty: give an address, or leave it out")
    if database is not None:
        yield Place(database)
        return
    # A server that runs elsewhere is used without these.
    from ledger import embedded, embedded_keeper  # noqa: PLC0415  # As said above.

    folder = data or embedded.default_data()
    if not make and not embedded.holds_a_database(folder):
        raise Unusable(
            f"there is no ledger in {folder}: import a register first, or name another folder"
            " with --data"
        )
    with (
        embedded.start(folder, keep_if=keep_if) as started,
        embedded_keeper.kept_running(started) if is_served else nullcontext(),
    ):
        yield Place(started.url)


def _place_in_environment() -> tuple[Path | None, str | None]:
    # What is set to nothing is not set: an empty path would be the current folder.
    folder = os.environ.get("SECRETARIAT_DATA", "")
    database = os.environ.get("SECRETARIAT_DATABASE", "")
    if folder and database:
        raise Misused(
            "SECRETARIAT_DATA and SECRETARIAT_DATABASE are both set: unset one, or give --data or"
            " --database"
        )
    return Path(folder) if folder else None, database or None


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print it and stop.")] = False,
) -> None:
    """Print what is asked for beside the commands."""
    if show_version:
        typer.echo(f"secretariat {_version()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _version() -> str:
    from importlib.metadata import (  # noqa: PLC0415  # It is slow to import, and rarely asked for.
        PackageNotFoundError,
        version,
    )

    try:
        return version("secretariat")
    except PackageNotFoundError:
        return "(from a checkout that is not installed)"


@app.command("import")
def import_register(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False)],
    only: Annotated[str | None, typer.Option(metavar="NAME,…", help="Only these files.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, keep nothing.")] = False,
    late: Annotated[
        bool, typer.Option("--late", help="Into a live ledger: recorded_on goes into the data.")
    ] = False,
    home_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help=f"Of a new ledger (default {DEFAULT_ZONE}).")
    ] = None,
    by: Annotated[str, typer.Option(metavar="ID", help="The opaque id of who imports.")] = "import",
    data: Data = None,
    database: Database = None,
) -> None:
    """Import a register, a folder of CSV files, one an event type: all of it, or nothing."""
    from ledger import importing  # noqa: PLC0415  # Other commands start without it.

    read = partial(
        importing.read_register,
        folder,
        REGISTRY,
        only=only and [name.strip() for name in only.split(",") if name.strip()],
        principal=by,
        now=datetime.now(UTC),
        late=late,
    )
    with _place(data, database, make=True) as place:
        _import(place, place.zone(home_zone), read, dry_run=dry_run)


def _import(
    place: Place, zone: HomeZone, read: Callable[..., Register], *, dry_run: bool = False
) -> None:
    """Import the register that `read` reads, and say what was done."""
    from ledger import importing  # noqa: PLC0415  # Other commands start without it.

    with _progress("reading") as reading:
        register = read(zone=zone, progress=reading)
    stop = threading.Event()
    with place.writer(zone) as ledger, _progress("recording") as recording:

        def progress(done: int, total: int) -> None:
            if stop.is_set():
                raise Unusable("the import was interrupted")
            recording(done, total)

        try:
            outcome = importing.record_register(
                ledger, register, dry_run=dry_run, progress=progress
            )
        except KeyboardInterrupt:
            # The writer has a thread of its own, and would go on to the end.
            stop.set()
            raise
    done = "would record" if dry_run else "recorded"
    entries = "1 entry" if outcome.recorded == 1 else f"{outcome.recorded} entries"
    typer.echo(f"{done} {entries}; {outcome.repeated} were on record already")


@app.command()
def serve(port: Port = 8000, data: Data = None, database: Database = None) -> None:
    """Serve GraphQL to this machine, at http://127.0.0.1:PORT/graphql."""
    with _listener(port) as listener, _place(data, database, is_served=True) as place:
        _serve(place, place.open_current(), listener)


def _listener(port: int) -> socket.socket:
    """A socket that listens already: so the port is ours before anything else is done."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Unusable(
            f"port {port} can't be served at ({os.strerror(error.errno or 0).lower()}): give"
            " another one with --port, or --port 0 for any free one"
        ) from None


def _serve(place: Place, zone: HomeZone, listener: socket.socket) -> None:
    with only_loading():
        from schema import http  # noqa: PLC0415  # Only serving needs it.

    port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}{http.PATH}"
    http.serve(place.url, zone, listener, lambda: typer.echo(f"serving GraphQL at {address}"))


@app.command()
def query(
    document: Annotated[str, typer.Argument(help="A GraphQL document, a file of one, or - .")],
    variables: Annotated[
        str | None, typer.Option("-v", "--variables", metavar="JSON", help="Its variables.")
    ] = None,
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print its plan instead: what each field reads.")
    ] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Run a GraphQL document and print its answer as JSON."""
    with only_loading():
        from schema import local  # noqa: PLC0415  # Commands that don't ask start without it.

    try:
        text, given = local.document_of(document), local.variables_of(variables)
    except local.Misread as error:
        raise Misused(str(error)) from None
    with _place(data, database) as place:
        zone = place.open_current()
        if explain:
            typer.echo(local.explain(place.url, zone, text, given))
            return
        answer = local.ask(place.url, zone, text, given)
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    _fail_on_errors(answer)


def _fail_on_errors(answer: dict[str, Any]) -> None:
    errors = answer.get("errors", [])
    if errors:
        found = counted(len(errors), "error")
        raise Unusable(f"not everything was answered: {found}, first {errors[0]['message']}")


@app.command()
def verify(data: Data = None, database: Database = None) -> None:
    """Re-read everything: gaps, hashes, decodability, read models."""
    from projections.verify import verify as verify_ledger  # noqa: PLC0415  # Others need it not.

    with _place(data, database) as place:
        zone = place.open()
        with _progress("verifying") as progress:
            report = verify_ledger(place.url, REGISTRY, TABLES, zone, progress=progress)
    for problem in report.problems:
        typer.echo(problem, err=True)
    typer.echo(report.summary)
    if not report.sound:
        raise typer.Exit(1)


@app.command()
def rebuild(data: Data = None, database: Database = None) -> None:
    """Rebuild the read models beside the live ones, and swap them in."""
    from projections.rebuild import rebuild as rebuild_tables  # noqa: PLC0415  # As for `verify`.

    with _place(data, database) as place:
        place.refuse_replica("rebuild at the primary")
        place.open()
        with _progress("rebuilding") as progress:
            report = rebuild_tables(place.url, TABLES, progress=progress)
    typer.echo(report.summary)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Save the whole ledger in one file. It holds personal data and its keys: keep it safe."""
    from projections.backup import backup as back_up  # noqa: PLC0415  # As for `verify`.

    with _place(data, database) as place:
        place.refuse_without_ledger()
        with _progress("dumping, kB") as progress:
            report = back_up(
                place.url,
                file,
                program=_version(),
                overwrite=force,
                progress=lambda done: progress(done, None),
            )
    typer.echo(report.summary)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    data: Data = None,
    database: Database = None,
) -> None:
    """Restore a backup into a new folder or an empty database: all of it, or nothing."""
    from ledger.backup_file import opened  # noqa: PLC0415  # As for `verify`.
    from projections import restore as restoring  # noqa: PLC0415  # As for `verify`.

    with opened(file) as saved:
        with _progress("checking, kB") as progress:
            restoring.check_backup(saved, progress)
        with (
            _place(data, database, make=True, keep_if=restoring.is_not_empty) as place,
            _progress("restoring, kB") as progress,
        ):
            place.refuse_replica("restore at the primary")
            report = restoring.restore(place.url, saved, progress)
    typer.echo(report.summary)


@app.command()
def schema(
    *,
    check_file: Annotated[
        bool, typer.Option("--check", help="Fail unless schema/schema.graphql is current.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write schema/schema.graphql.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from schema import schema as current  # noqa: PLC0415  # Commands that don't ask start without.

    text = current.as_str().rstrip() + "\n"
    if write:
        SCHEMA_FILE.write_text(text, encoding="utf-8")
    elif not check_file:
        typer.echo(text, nl=False)
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text(encoding="utf-8") != text:
        raise Unusable(f"{SCHEMA_FILE.name} is not current: run `secretariat schema --write`")


@app.command()
def demo(
    register: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The register to import.", show_default=False)
    ] = EXAMPLE,
    port: Port = 8000,
    *,
    overview_only: Annotated[bool, typer.Option("--overview-only", help="Don't serve.")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Import the example register, print the overview, serve it.

    It has a folder of its own, whatever the environment names: nobody wants it in their ledger.
    """
    from rich.console import Console  # noqa: PLC0415  # Other commands print plain text.

    from ledger import embedded, importing  # noqa: PLC0415  # As for `import`.

    with only_loading():
        from schema import overview  # noqa: PLC0415  # Commands that don't ask start without it.
        from schema.local import ask  # noqa: PLC0415  # As said above.
    if not register.is_dir():
        raise Unusable(
            f"the example register is not at {register}: it comes with the source, not with the"
            " installed package; give its folder"
        )
    if data is None and database is None:
        data = embedded.default_data().with_name("secretariat-demo")
    read = partial(
        importing.read_register, register, REGISTRY, principal="import", now=datetime.now(UTC)
    )
    with (
        nullcontext() if overview_only else _listener(port) as listener,
        _place(data, database, make=True, is_served=not overview_only) as place,
    ):
        zone = HomeZone(EXAMPLE_ZONE)
        _import(place, zone, read)
        answer = ask(place.url, zone, overview.DOCUMENT, overview.VARIABLES)
        _fail_on_errors(answer)
        Console(highlight=False).print(overview.overview(answer["data"]))
        if listener is not None:
            _serve(place, zone, listener)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on a terminal; nothing in a pipe. How much there is may be unknown."""
    from rich import progress as bars  # noqa: PLC0415  # What is soon done starts without it.
    from rich.console import Console  # noqa: PLC0415  # As said above.

    console = Console(stderr=True)
    columns = (bars.TextColumn(title), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error."""
    logging.basicConfig(format="secretariat: %(message)s")
    if isinstance(sys.stdout, TextIOWrapper):
        # JSON is in UTF-8 by definition, and the names in it are not all in Latin letters.
        sys.stdout.reconfigure(encoding="utf-8")
    ended_by: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        ended_by.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        # Whoever started us may want it ignored, as a shell does for what runs in the background.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    status = _run()
    if ended_by:
        # Everything is in order by now; whoever waits for us is to see what ended us.
        signal.signal(ended_by[0], signal.SIG_DFL)
        signal.raise_signal(ended_by[0])
        # Nothing ends a container's first process but itself.
        status = 128 + ended_by[0]
    sys.exit(status)


def _run() -> int:
    """Run the command and return the exit status."""
    try:
        status = app(prog_name="secretariat", standalone_mode=False) or 0
        sys.stdout.flush()
    except typer.TyperException as error:
        return _complain(_usage(error), error.exit_code)
    except ImportRefused as refused:
        typer.echo(refused, err=True)
        return _complain(f"nothing was recorded: {counted(len(refused.problems), 'problem')}")
    except (SecretariatError, MigrationError) as error:
        return _complain(str(error))
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        return _complain(complaint(error))
    except OSError as error:
        # What could not be written would be tried once more at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1 if isinstance(error, BrokenPipeError) else _complain(str(error))
    except KeyboardInterrupt:
        return 130
    return int(status)


def _usage(error: typer.TyperException) -> str:
    """A mistake on the command line, in the voice of all the others."""
    message = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    hint = "" if context is None else f"; `{context.command_path} --help` says more"
    return f"{message[:1].lower()}{message[1:]}{hint}"


def _complain(message: str, status: int = 1) -> int:
    typer.echo(f"secretariat: {message}", err=True)
    return status


if __name__ == "__main__":
    main()
