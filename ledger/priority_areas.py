"""Priority areas: the numbered subjects of cooperation, each in one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ledger.counts import check_count
from ledger.dimensions import DimensionKey
from ledger.kind import Change, Kind, Opening, RefersTo

AreaKey = Annotated[str, RefersTo("priority_area")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityArea:
    """The rules need to know no more than that the area was defined."""


class Defined(Opening[PriorityArea], stored_as="priority_area.defined", personal=()):
    """A catalogue of measures named the area. `number` is its place there, the first being 1."""

    number: int
    dimension: DimensionKey
    name_en: str

    def admit(self) -> None:
        check_count(self.number, field="number")

    def begin(self) -> PriorityArea:
        return PriorityArea()


class Renamed(Change[PriorityArea], stored_as="priority_area.renamed", personal=()):
    """The area is called otherwise from then on."""

    name_en: str

    def apply(self, current: PriorityArea) -> PriorityArea:
        return current


PRIORITY_AREA = Kind(
    name="priority_area",
    family="programme",
    events=(Defined, Renamed),
    key_column="area",
    key_example="PA01",
)
