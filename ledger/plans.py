"""Plans: what the organization set out to do in a year, and how many items that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ledger.bodies import BodyKey
from ledger.counts import check_count
from ledger.dates import check_year
from ledger.kind import Change, Kind, Opening, RefersTo

PlanKey = Annotated[str, RefersTo("plan")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The rules need to know no more than that the plan was adopted."""


class Adopted(Opening[Plan], stored_as="plan.adopted", personal=()):
    """A body adopted the plan of a year."""

    year: int
    adopted_by: BodyKey | None = None
    items: int

    def admit(self) -> None:
        check_year(self.year, field="year")
        check_count(self.items, field="items")

    def begin(self) -> Plan:
        return Plan()


class Revised(Change[Plan], stored_as="plan.revised", personal=()):
    """The plan has so many items from then on."""

    items: int
    decided_by: BodyKey | None = None

    def admit(self, current: Plan) -> None:
        check_count(self.items, field="items")

    def apply(self, current: Plan) -> Plan:
        return current


PLAN = Kind(
    name="plan",
    family="programme",
    events=(Adopted, Revised),
    key_column="plan",
    key_example="PLAN-2023",
)
