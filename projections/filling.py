"""Filling the next tables from the log: records in, rows out, by COPY.

The log needs no snapshot: what lies at or before a position that was committed never changes. So
parts of it can be taken in over several connections, each by a process of its own, and the tables
hold the same rows in the end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier

from ledger import store
from ledger.codec import EntryMapper
from ledger.database import AnyConnection, one_line
from ledger.dates import HomeZone
from ledger.entry import Entry
from ledger.kind import Registry, references_of
from ledger.recorder import RAW_KIND
from ledger.refusal import SecretariatError, Unusable
from ledger.stream import streamed
from ledger.timeline import Step, grown
from projections.timeline import Known, Table, all_rows, written

IdRange = tuple[UUID, UUID]
"""The first and the last id of records."""

NEXT = "projections_next"
"""The schema that is being filled."""

MOST_BUFFERED = 5_000
"""So many rows, at the least, are written at a time."""

FRESH = {
    "fresh_records": ("kind", "key", "version", "is_open"),
    "fresh_references": ("kind", "key", "to_kind", "to_key"),
}
"""What admission needs beside the read models, derived anew too: tables and their columns."""

PART = f"""{store.SELECT_ENTRIES}
     WHERE position <= %s AND kind <> %s AND record_id BETWEEN %s AND %s
     ORDER BY record_id, version
"""

CHANGED = f"""{store.SELECT_ENTRIES}
     WHERE position <= %s AND kind <> %s
       AND record_id IN (
           SELECT record_id FROM ledger.entries WHERE position > %s AND position <= %s)
     ORDER BY record_id, version
"""  # noqa: S608  # SELECT_ENTRIES is a constant of ours.

# What COPY reads otherwise in a text: the escape itself, and what ends a column or a row.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_NULL = r"\N"


def parts(number: int) -> list[IdRange]:
    """The ids of all records in so many ranges.

    Ids are hashes, so that each range holds about as many records.
    """
    bounds = [2**128 * part // number for part in range(number + 1)]
    return [(UUID(int=first), UUID(int=end - 1)) for first, end in pairwise(bounds)]


class Filling:
    """Brings rows of the next tables, over one connection."""

    def __init__(
        self, connection: AnyConnection, tables: Sequence[Table[Any]], zone: HomeZone
    ) -> None:
        self._connection = connection
        self._tables = {table.kind.name: table for table in tables}
        self._mapper = EntryMapper(Registry([table.kind for table in tables]))
        self._zone = zone
        self._rows: dict[str, list[tuple[str, Known[Any]]]] = defaultdict(list)
        self._fresh: dict[str, list[tuple[str, ...]]] = defaultdict(list)

    def take_in(self, statement: str, span: tuple[Any, Any], position: int) -> Iterator[int]:
        """Write the rows of the records that `statement` selects by `span`, as of `position`.

        Yields how many entries it has taken in since it last did; in one transaction.
        """
        done = 0
        with self._connection.transaction():
            parameters = [position, RAW_KIND, *span]
            rows = streamed(self._connection, "log", statement, parameters)
            entries = _decoded(rows, self._mapper)
            for (kind, key), theirs in groupby(entries, key=lambda entry: (entry.kind, entry.key)):
                history = tuple(theirs)
                self._fold(kind, key, history)
                done += len(history)
                if sum(map(len, self._rows.values())) >= MOST_BUFFERED:
                    self._flush()
                    yield done
                    done = 0
            self._flush()
        yield done

    def _fold(self, kind: str, key: str, entries: tuple[Entry, ...]) -> None:
        table = self._tables[kind]
        growths = list(grown((), (), entries, self._zone))
        happened: list[Step] = []
        for growth in growths:
            happened[growth.kept :] = growth.tail
        references = {
            (kind, key, reference.kind, reference.key)
            for step in happened
            for reference in references_of(step.event)
        }
        self._rows[kind] += all_rows(table, key, growths)
        record = (kind, key, str(entries[-1].version), str(bool(happened)))
        self._fresh["fresh_records"].append(record)
        self._fresh["fresh_references"] += references

    def _flush(self) -> None:
        for kind, rows in self._rows.items():
            table = self._tables[kind]
            self._copy(table.name, table.columns(), written(table, rows))
        for name, fresh in self._fresh.items():
            self._copy(name, FRESH[name], zip(*fresh, strict=True))
        self._rows.clear()
        self._fresh.clear()

    def _copy(
        self, name: str, columns: Iterable[str], values: Iterable[Iterable[str | None]]
    ) -> None:
        statement = SQL("COPY {} ({}) FROM STDIN").format(
            Identifier(NEXT, name), SQL(", ").join(map(Identifier, columns))
        )
        lines = map("\t".join, zip(*map(_escaped, values), strict=True))
        text = "".join([f"{line}\n" for line in lines])
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(text)


def _escaped(column: Iterable[str | None]) -> list[str]:
    """A column as COPY reads it."""
    texts = list(column)
    # Most columns hold nothing of the kind, and one look at the whole says so.
    if _SPECIAL.search("".join([text for text in texts if text is not None])):
        texts = [None if text is None else text.translate(_ESCAPES) for text in texts]
    return [_NULL if text is None else text for text in texts]


def _decoded(rows: Iterable[Any], mapper: EntryMapper) -> Iterator[Entry]:
    for row in rows:
        try:
            entry = store.entry_of(row, mapper)
            mapper.registry.kind(entry.kind)
        except (SecretariatError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Unusable(
                f"entry {row[0]} can't be read ({one_line(error)}), so nothing was rebuilt:"
                " run `secretariat verify`"
            ) from error
        yield entry
