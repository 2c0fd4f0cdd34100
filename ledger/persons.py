"""Persons: whoever other records refer to by an opaque id. Their names are personal data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.refusal import Malformed

PersonKey = Annotated[str, RefersTo("person")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The rules need to know no more than that the person is on record."""


class Registered(Opening[Person], stored_as="person.registered", personal=("name",)):
    """The Secretariat began to keep a record of a person."""

    name: str

    def admit(self) -> None:
        _check_name(self.name)

    def begin(self) -> Person:
        return Person()


class Renamed(Change[Person], stored_as="person.renamed", personal=("name",)):
    """The person is called otherwise from then on."""

    name: str

    def admit(self, current: Person) -> None:
        _check_name(self.name)

    def apply(self, current: Person) -> Person:
        return current


PERSON = Kind(
    name="person",
    family="persons",
    events=(Registered, Renamed),
    key_column="person",
    # Letters only as a prefix, so that no name can be a key.
    key_form=re.compile(r"[A-Z]{1,3}-[0-9]{1,12}"),
    key_example="P-001",
)


def _check_name(name: str) -> None:
    if not name.strip():
        raise Malformed("the name is empty", field="name")
