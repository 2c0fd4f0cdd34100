"""An example of a stored event: what its golden file holds, decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.dates import parse_edtf
from ledger.entry import Source, Statement
from ledger.kind import AnyEvent

SOURCE = Source(document="CICA/SG/2023/1", locator="§ 12", sha256="ab" * 32)


@dataclass(frozen=True, kw_only=True)
class Example:
    """What a golden file holds, decoded."""

    kind: str
    key: str
    statement: Statement
    corrects: int | None = None
    annuls: int | None = None


def said(event: AnyEvent | None, effective: str | None, **given: Any) -> Statement:
    """A statement of P-001."""
    return Statement(
        event=event,
        effective=None if effective is None else parse_edtf(effective),
        recorded_by="P-001",
        **given,
    )
