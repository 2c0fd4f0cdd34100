"""States: members and observers, and what becomes of their status and names over time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.refusal import NotPermitted

StateKey = Annotated[str, RefersTo("state")]


class Status(StrEnum):
    """How a state stands to the organization."""

    MEMBER = "member"
    OBSERVER = "observer"
    FORMER = "former"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the rules below need to know."""

    status: Status


class Admitted(Opening[State], stored_as="state.admitted", personal=()):
    """A state became a member or an observer."""

    status: Status
    name_en: str
    name_ru: str | None = None

    def admit(self) -> None:
        if self.status is Status.FORMER:
            raise NotPermitted("a state is admitted as member or observer", field="status")

    def begin(self) -> State:
        return State(status=self.status)


class StatusChanged(Change[State], stored_as="state.status_changed", personal=()):
    """An observer became a member, a member withdrew, and so on."""

    status: Status

    def admit(self, current: State) -> None:
        if self.status is current.status:
            raise NotPermitted(f"the state is {current.status} already", field="status")

    def apply(self, current: State) -> State:
        return replace(current, status=self.status)


class Renamed(Change[State], stored_as="state.renamed", personal=()):
    """The state is called otherwise from then on."""

    name_en: str
    name_ru: str | None = None

    def apply(self, current: State) -> State:
        return current


STATE = Kind(
    name="state",
    family="membership",
    events=(Admitted, StatusChanged, Renamed),
    key_column="state",
    key_form=re.compile(r"[A-Z]{3}"),
    key_example="KAZ",
)
