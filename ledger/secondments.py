"""Secondments: staff whom a state lends to the Secretariat and goes on paying."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ledger.dates import Edtf
from ledger.kind import Change, Kind, Opening
from ledger.persons import PersonKey
from ledger.refusal import NotPermitted
from ledger.states import StateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Secondment:
    """What the rules below need to know."""

    until: Edtf | None
    left: bool = False


class Joined(Opening[Secondment], stored_as="secondee.joined", personal=()):
    """A secondee took up a post. `until` is the end agreed on, where one is."""

    person: PersonKey
    state: StateKey
    title: str
    until: Edtf | None = None

    def begin(self) -> Secondment:
        return Secondment(until=self.until)


class Extended(Change[Secondment], stored_as="secondee.extended", personal=()):
    """The secondment goes on beyond the end that was agreed on."""

    until: Edtf

    def admit(self, current: Secondment) -> None:
        _check_serving(current)
        if current.until is not None and self.until.latest <= current.until.latest:
            raise NotPermitted(
                f"{self.until.text} is not later than {current.until.text}, the end agreed on",
                field="until",
            )

    def apply(self, current: Secondment) -> Secondment:
        return replace(current, until=self.until)


class Left(Change[Secondment], stored_as="secondee.left", personal=()):
    """The secondee's last day of service; it counts as served."""

    def admit(self, current: Secondment) -> None:
        _check_serving(current)

    def apply(self, current: Secondment) -> Secondment:
        return replace(current, left=True)


SECONDMENT = Kind(
    name="secondment",
    family="staff",
    events=(Joined, Extended, Left),
    key_column="secondment",
    # The prefix leaves no room for a key that is a person's name.
    key_form=re.compile(r"S-[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,4}"),
    key_example="S-KAZ-2023-I",
)


def _check_serving(current: Secondment) -> None:
    if current.left:
        raise NotPermitted("the secondee has left")
