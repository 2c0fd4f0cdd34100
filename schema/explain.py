"""The plan of a document in words: its statements, and what each field reads of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from schema.binding import Bound
from schema.compiling import Compiled
from schema.plan import Reading
from schema.shape import (
    AnyRecord,
    Cells,
    Cursor,
    Edges,
    Every,
    Facts,
    First,
    Listed,
    Nodes,
    Object,
    One,
    Page,
    Paged,
    Refused,
    Total,
    Typename,
)


def explained(compiled: Compiled, bounds: Sequence[Bound]) -> str:
    """The statements of a compiled operation in the order in which they are sent together."""
    sent = zip(compiled.statements(bounds), compiled.readings, strict=True)
    parts = [
        "\n".join(_statement(number, title, reading, sql.decode(), parameters))
        for number, ((sql, parameters), (title, reading)) in enumerate(sent, 1)
    ]
    return "\n\n".join(parts) or "no statement: the answer is in the document"


def _statement(
    number: int,
    title: str,
    reading: Reading | None,
    sql: str,
    parameters: Sequence[bytes | None],
) -> Iterator[str]:
    yield f"statement {number}: {title}"
    if reading is not None:
        yield from _indented(_root(reading))
    lines = [line for line in sql.splitlines() if line.strip()]
    yield from _indented(["SQL", *_indented(lines)])
    for place, value in enumerate(parameters, 1):
        yield f"  ${place} = {'NULL' if value is None else value.decode()}"


def _root(reading: Reading) -> list[str]:
    match reading.root:
        case First(found, _):
            return [f"{found.type_name}: the first row", *_indented(_fields(found.fields))]
        case Every(each):
            return [f"{each.type_name}: every row", *_indented(_fields(each.fields))]
        case Page(paged, spread):
            rows = "every row" if spread else "one row, with an array of rows"
            return [f"{paged.type_name}: {rows}", *_indented(_fields(paged.parts))]


def _fields(fields: Any) -> Iterator[str]:
    """Each field by its response name, with what it reads."""
    for name, field in fields.items():
        what, inner = _reads(field)
        yield f"{name}: {what}"
        yield from _indented(inner)


def _reads(field: Any) -> tuple[str, list[str]]:
    """What a field reads, and the lines of the fields within it."""
    match field:
        case Typename(name):
            return f"always {name}", []
        case Refused(error):
            return error.message, []
        case Cells(names):
            return " and ".join(" ".join(name.split()) for name in names), []
        case One(table, _, found):
            what = table if field.is_computed else f"a row of {table}"
            return what, list(_fields(found.fields))
        case Listed(table, _, found):
            return f"an array of rows of {table}", list(_fields(found.fields))
        case AnyRecord(_, by_kind):
            return "a row of the record's kind", list(_fields(by_kind))
        case Paged(table, parts=parts):
            return f"an array of rows of {table}", list(_fields(parts))
    return _part_reads(field)


def _part_reads(part: Any) -> tuple[str, list[str]]:
    """The same for a part of a connection or of an edge."""
    match part:
        case Object(type_name, fields) | Nodes(Object(type_name, fields)):
            return type_name, list(_fields(fields))
        case Edges(type_name, fields):
            return type_name, list(_fields(fields))
        case Cursor():
            return "the columns of the order", []
        case Facts():
            return "the columns of the order at both ends", []
        case Total():
            return "a count of its own", []
    raise TypeError(f"{part} is not explained")


def _indented(lines: Any) -> list[str]:
    return [f"  {line}" for line in lines]
