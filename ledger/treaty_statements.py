"""What participants in treaties say of them: reservations, declarations, and objections to these.

Whether a reservation is a valid one is not for a depositary to say: it takes down what was said and
when, and what became of it (Vienna Convention on the Law of Treaties, articles 19 to 23 and 77).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.organizations import OrganizationKey
from ledger.refusal import NotPermitted
from ledger.states import StateKey
from ledger.treaties import TreatyKey
from ledger.treaty_participants import check_one_of

StatementKey = Annotated[str, RefersTo("treaty_statement")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyStatement:
    """What the rules below need to know."""

    withdrawn: bool = False


class _Opening(Opening[TreatyStatement]):
    """What opens a statement: a participant says something of a treaty."""

    state: str | None
    organization: str | None

    def admit(self) -> None:
        check_one_of(self.state, self.organization)

    def begin(self) -> TreatyStatement:
        return TreatyStatement()


class Formulated(_Opening, stored_as="reservation.formulated", personal=()):
    """A reservation to some provisions, or to the treaty as a whole."""

    treaty: TreatyKey
    state: StateKey | None = None
    organization: OrganizationKey | None = None
    provisions: str | None = None
    text: str


class Made(_Opening, stored_as="declaration.made", personal=()):
    """A declaration: how the treaty is understood, where it applies, or who is competent."""

    treaty: TreatyKey
    state: StateKey | None = None
    organization: OrganizationKey | None = None
    provisions: str | None = None
    text: str


class Raised(_Opening, stored_as="objection.raised", personal=()):
    """An objection to another participant's statement.

    `precludes_entry_into_force` says that the treaty is not to be in force between the two.
    """

    treaty: TreatyKey
    state: StateKey | None = None
    organization: OrganizationKey | None = None
    objects_to: StatementKey
    text: str
    precludes_entry_into_force: bool | None = None


class Modified(Change[TreatyStatement], stored_as="treaty_statement.modified", personal=()):
    """The statement reads otherwise from then on: it was withdrawn in part, or put differently."""

    text: str

    def admit(self, current: TreatyStatement) -> None:
        _check_stands(current)

    def apply(self, current: TreatyStatement) -> TreatyStatement:
        return current


class Withdrawn(Change[TreatyStatement], stored_as="treaty_statement.withdrawn", personal=()):
    """The statement was withdrawn."""

    def admit(self, current: TreatyStatement) -> None:
        _check_stands(current)

    def apply(self, current: TreatyStatement) -> TreatyStatement:
        return TreatyStatement(withdrawn=True)


TREATY_STATEMENT = Kind(
    name="treaty_statement",
    family="treaties",
    events=(Formulated, Made, Raised, Modified, Withdrawn),
    key_column="statement",
    key_example="CPI-KAZ-R1",
)


def _check_stands(current: TreatyStatement) -> None:
    if current.withdrawn:
        raise NotPermitted("the statement is withdrawn already")
