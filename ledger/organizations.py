"""Organizations of states that may consent to be bound by a treaty, as the European Union does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo

OrganizationKey = Annotated[str, RefersTo("organization")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """What a rule needs to know of an organization: that it is on record."""


class Registered(Opening[Organization], stored_as="organization.registered", personal=()):
    """An organization was taken into the register; it may be older."""

    name_en: str
    name_ru: str | None = None

    def begin(self) -> Organization:
        return Organization()


class Renamed(Change[Organization], stored_as="organization.renamed", personal=()):
    """The organization is called otherwise from then on."""

    name_en: str
    name_ru: str | None = None

    def apply(self, current: Organization) -> Organization:
        return current


ORGANIZATION = Kind(
    name="organization",
    family="treaties",
    events=(Registered, Renamed),
    key_column="organization",
    # Without a hyphen, since keys of participants in treaties end with it: WCT-EU.
    key_form=re.compile(r"[A-Z0-9]{2,12}"),
    key_example="OAPI",
)
