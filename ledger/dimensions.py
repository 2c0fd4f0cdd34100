"""Dimensions: the fields of cooperation that priority areas belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo

DimensionKey = Annotated[str, RefersTo("dimension")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """The rules need to know no more than that the dimension was defined."""


class Defined(Opening[Dimension], stored_as="dimension.defined", personal=()):
    """A catalogue of measures named the dimension."""

    name_en: str

    def begin(self) -> Dimension:
        return Dimension()


class Renamed(Change[Dimension], stored_as="dimension.renamed", personal=()):
    """The dimension is called otherwise from then on."""

    name_en: str

    def apply(self, current: Dimension) -> Dimension:
        return current


DIMENSION = Kind(
    name="dimension",
    family="programme",
    events=(Defined, Renamed),
    key_column="dimension",
    key_example="ECO",
)
