"""The composition root: settings, the database, the writer, the application, the command line.

    secretariat demo | import | serve | query | verify | rebuild | schema

Every command takes `--data DIR` or `--database URL`. Exit status is 0 only if everything that was
asked for was done; an error is one line on standard error that says what, where and what to do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from starlette.config import Config

from ledger import embedded, importing, settings
from ledger.database import AnyConnection, connect
from ledger.dates import HomeZone
from ledger.embedded_folder import default_data
from ledger.record import Ledger
from ledger.refusal import SecretariatError, Unusable
from migrations import MigrationError, check, migrate
from projections import REGISTRY, TABLES, rules
from projections.rebuild import rebuild as rebuild_tables
from projections.timeline import Projector
from projections.verify import verify as verify_ledger

EXAMPLE = Path(__file__).parent / "examples" / "cica-2023"
EXAMPLE_ZONE = "Asia/Almaty"
DEFAULT_ZONE = "UTC"
SCHEMA_FILE = Path(__file__).parent / "schema" / "schema.graphql"

OVERVIEW = """
query Overview($asOf: AsOf!) {
  ledger(asOf: $asOf) {
    asOf { effectiveOn position }
    members: states(filter: { status: [MEMBER] }, first: 0) { totalCount { certain possible } }
    observers: states(filter: { status: [OBSERVER] }, first: 0) { totalCount { certain possible } }
    budget(fiscalYear: 2023) { amount { amount currency } }
    year: contributionTotals(filter: { fiscalYear: [2023] }) {
      net { amount currency } contributors { certain }
    }
    all: contributionTotals { net { amount currency } contributors { certain } }
    byState: contributionTotals(by: [STATE]) { state { nameEn } net { amount } share { value } }
    personYears { state { nameEn } years { value } }
  }
}
"""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A records ledger for the secretariat of an intergovernmental organization.",
)
_environment = Config()

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The folder of the embedded database."),
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="A PostgreSQL (15 or later) of your own."),
]
Port = Annotated[int, typer.Option(help="The port on 127.0.0.1 to serve at.", min=0, max=65535)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ledger is: the address of its database."""

    url: str

    def open(self, zone: str | None) -> HomeZone:
        """Bring the database up to date, see that its rules are ours, and return its home zone.

        `zone` is the home time zone of a ledger that is made now; None refuses to make one.
        """
        migrate(self.url)
        with connect(self.url) as connection:
            if zone is None:
                home_zone = settings.read(connection).home_zone
            else:
                home_zone = settings.initialise(
                    connection, name="secretariat", home_zone=zone
                ).home_zone
            rules.ensure(connection)
            rules.check(connection)
        return home_zone

    def ledger(self, zone: HomeZone) -> Ledger:
        """The writer of this ledger."""

        def connect_checked() -> AnyConnection:
            connection = connect(self.url)
            check(connection)
            return connection

        return Ledger(connect_checked, REGISTRY, zone, Projector(TABLES, zone))


@contextmanager
def _place(data: Path | None, database: str | None) -> Iterator[Place]:
    """The ledger that the options, or else the environment, name; by default the embedded one."""
    if data is not None and database is not None:
        raise Unusable("give --data or --database, not both")
    if data is None and database is None:
        database = _environment("SECRETARIAT_DATABASE", default=None)
        folder = _environment("SECRETARIAT_DATA", default=None)
        data = None if folder is None else Path(folder)
    if database is not None:
        yield Place(database)
        return
    with embedded.start(data or default_data()) as started:
        yield Place(started.url)


@app.command("import")
def import_register(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="CSV files, one an event type.")],
    only: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Take only these files.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")] = (
        False
    ),
    late: Annotated[
        bool,
        typer.Option("--late", help="Into a live ledger: recorded_on goes into the data."),
    ] = False,
    home_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Home time zone of a new ledger (default UTC)."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="ID", help="The opaque id of who imports.")] = "import",
    data: Data = None,
    database: Database = None,
) -> None:
    """Import a register: all of it, or nothing."""
    with _place(data, database) as place:
        zone = place.open(_zone_for(place, home_zone))
        with place.ledger(zone) as ledger:
            outcome = _import(ledger, folder, zone, only, by, dry_run=dry_run, late=late)
    done = "would record" if dry_run else "recorded"
    print(f"{done} {outcome.recorded} entries; {outcome.repeated} were on record already")


def _zone_for(place: Place, asked: str | None) -> str:
    """The zone asked for, or that of a ledger which is there, or the default of a new one."""
    if asked is not None:
        return asked
    migrate(place.url)
    with connect(place.url) as connection:
        try:
            return settings.read(connection).home_zone.name
        except Unusable:
            return DEFAULT_ZONE


def _import(
    ledger: Ledger,
    folder: Path,
    zone: HomeZone,
    only: str | None,
    by: str,
    *,
    dry_run: bool,
    late: bool,
) -> importing.Outcome:
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    with _progress("reading") as reading:
        register = importing.read_register(
            folder,
            REGISTRY,
            zone,
            only=names,
            principal=by,
            now=datetime.now(UTC),
            late=late,
            progress=reading,
        )
    with _progress("recording") as recording:
        return importing.record_register(ledger, register, dry_run=dry_run, progress=recording)


@app.command()
def serve(port: Port = 8000, data: Data = None, database: Database = None) -> None:
    """Serve GraphQL to this machine, at http://127.0.0.1:PORT/graphql."""
    with _place(data, database) as place:
        _serve(place, place.open(None), port)


def _serve(place: Place, zone: HomeZone, port: int) -> None:
    import uvicorn  # noqa: PLC0415  # Only serving needs it, and importing it takes time.

    from schema.http import application  # noqa: PLC0415  # Likewise.

    print(f"serving GraphQL at http://127.0.0.1:{port}/graphql", flush=True)
    uvicorn.run(application(place.url, zone), host="127.0.0.1", port=port, log_level="warning")


@app.command()
def query(
    document: Annotated[str, typer.Argument(help="A GraphQL document, a file of one, or - .")],
    variables: Annotated[
        str | None, typer.Option("-v", "--variables", metavar="JSON", help="Its variables.")
    ] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Run a GraphQL document and print its answer as JSON."""
    text, given = _document(document), _variables(variables)
    with _place(data, database) as place:
        zone = place.open(None)
        answer = asyncio.run(_ask(place, zone, text, given))
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    if answer.get("errors"):
        raise typer.Exit(1)


def _document(document: str) -> str:
    if document == "-":
        return sys.stdin.read()
    if "{" in document:
        return document
    try:
        return Path(document).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Unusable(f"{document!r} is neither a GraphQL document nor a file: {error}") from None


def _variables(text: str | None) -> dict[str, Any] | None:
    try:
        given = None if text is None else json.loads(text)
    except ValueError as error:
        raise Unusable(f"the variables are not JSON: {error}") from None
    if given is not None and not isinstance(given, dict):
        raise Unusable('the variables are not a JSON object such as {"first": 10}')
    return given


async def _ask(
    place: Place, zone: HomeZone, document: str, variables: dict[str, Any] | None
) -> dict[str, Any]:
    from schema import schema  # noqa: PLC0415  # Commands that don't ask start without it.
    from schema.context import Context  # noqa: PLC0415  # Likewise.
    from schema.http import reading_pool  # noqa: PLC0415  # Likewise.

    async with reading_pool(place.url, size=1) as pool:
        result = await schema.execute(
            document, variable_values=variables, context_value=Context(pool, zone)
        )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return answer


@app.command()
def verify(data: Data = None, database: Database = None) -> None:
    """Re-read everything: gaps, hashes, decodability, read models."""
    with _place(data, database) as place:
        zone = place.open(None)
        with _progress("verifying") as progress:
            report = verify_ledger(place.url, REGISTRY, TABLES, zone, progress=progress)
    for problem in report.problems:
        print(problem, file=sys.stderr)
    print(report.summary)
    if not report.sound:
        raise typer.Exit(1)


@app.command()
def rebuild(data: Data = None, database: Database = None) -> None:
    """Rebuild the read models beside the live ones, and swap them in."""
    with _place(data, database) as place:
        migrate(place.url)
        with _progress("rebuilding") as progress:
            report = rebuild_tables(place.url, TABLES, progress=progress)
    print(report.summary)


@app.command()
def schema(
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
        print(text, end="")
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text(encoding="utf-8") != text:
        raise Unusable(f"{SCHEMA_FILE.name} is not current: run `secretariat schema --write`")


@app.command()
def demo(
    register: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The register to import.", show_default=False)
    ] = EXAMPLE,
    port: Port = 8000,
    overview_only: Annotated[
        bool, typer.Option("--overview-only", help="Print the overview and stop.")
    ] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Import the example register, print the overview, serve it."""
    if not register.is_dir():
        raise Unusable(
            f"the example register is not at {register}: it comes with the source, not with the"
            " installed package; give its folder"
        )
    if data is None and database is None:
        data = default_data().with_name("secretariat-demo")
    with _place(data, database) as place:
        zone = place.open(EXAMPLE_ZONE)
        with place.ledger(zone) as ledger:
            outcome = _import(ledger, register, zone, None, "import", dry_run=False, late=False)
        print(f"recorded {outcome.recorded} entries; {outcome.repeated} were on record already")
        point = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}
        answer = asyncio.run(_ask(place, zone, OVERVIEW, {"asOf": point}))
        if answer.get("errors"):
            raise Unusable(f"the overview can't be printed: {answer['errors'][0]['message']}")
        _print_overview(answer["data"]["ledger"])
        if not overview_only:
            _serve(place, zone, port)


def _print_overview(ledger: dict[str, Any]) -> None:
    console = Console(highlight=False)
    point = ledger["asOf"]
    console.print(f"As of {point['effectiveOn']}, as known at entry {point['position']}:")
    figures = Table(box=None, show_header=False)
    for name in ("members", "observers"):
        figures.add_row(name.capitalize(), _count(ledger[name]["totalCount"]))
    budget = ledger["budget"]
    if budget is not None:
        figures.add_row("Budget for 2023", _money(**budget["amount"]))
    for name, title in (("year", "Received for 2023"), ("all", "Received since 2006")):
        for total in ledger[name]:
            states = total["contributors"]["certain"]
            figures.add_row(title, f"{_money(**total['net'])} from {states} states")
    console.print(figures)
    years = {row["state"]["nameEn"]: row["years"]["value"] for row in ledger["personYears"]}
    states = Table("State", box=None)
    for title in ("received", "share", "person-years"):
        states.add_column(title, justify="right")
    for row in ledger["byState"]:
        name = row["state"]["nameEn"]
        served = f"{float(years[name]):.1f}" if name in years else ""
        share = f"{float(row['share']['value']):.1%}"
        states.add_row(name, _grouped(row["net"]["amount"]), share, served)
    console.print(states)


def _count(count: dict[str, int]) -> str:
    certain, possible = count["certain"], count["possible"]
    return str(certain) if certain == possible else f"{certain} to {possible}"


def _money(amount: str, currency: str) -> str:
    return f"{_grouped(amount)} {currency}"


def _grouped(amount: str) -> str:
    whole, _, cents = amount.partition(".")
    return f"{int(whole):,}".replace(",", " ") + (f".{cents}" if cents else "")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; nothing in a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error."""
    try:
        app()
    except (SecretariatError, MigrationError) as error:
        print(f"secretariat: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
