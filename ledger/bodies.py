"""Bodies: the organs and mechanisms of the organization, operating or not yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.refusal import NotPermitted

BodyKey = Annotated[str, RefersTo("body")]


class Category(StrEnum):
    """What sort of body it is."""

    GOVERNING = "governing"
    WORKING = "working"
    CONSULTATIVE = "consultative"
    ADVISORY = "advisory"
    MECHANISM = "mechanism"
    SECRETARIAT = "secretariat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What the rules below need to know."""

    operational: bool


class Established(Opening[Body], stored_as="body.established", personal=()):
    """A decision brought the body into being; it may not have begun to operate."""

    name_en: str
    category: Category
    operational: bool

    def begin(self) -> Body:
        return Body(operational=self.operational)


class BeganOperating(Change[Body], stored_as="body.began_operating", personal=()):
    """The body took up its work."""

    def admit(self, current: Body) -> None:
        if current.operational:
            raise NotPermitted("the body operates already")

    def apply(self, current: Body) -> Body:
        return replace(current, operational=True)


class CeasedOperating(Change[Body], stored_as="body.ceased_operating", personal=()):
    """The body stopped its work, for good or for a time."""

    def admit(self, current: Body) -> None:
        if not current.operational:
            raise NotPermitted("the body does not operate")

    def apply(self, current: Body) -> Body:
        return replace(current, operational=False)


class Renamed(Change[Body], stored_as="body.renamed", personal=()):
    """The body is called otherwise from then on."""

    name_en: str

    def apply(self, current: Body) -> Body:
        return current


BODY = Kind(
    name="body",
    family="organs",
    events=(Established, BeganOperating, CeasedOperating, Renamed),
    key_column="body",
    key_example="SOC",
)
