"""Treaties: what a depositary keeps, with the rule by which each enters into force."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from ledger.bodies import BodyKey
from ledger.entry_into_force import Period, Rule, instruments_named
from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.refusal import Malformed, NotPermitted

TreatyKey = Annotated[str, RefersTo("treaty")]

_HUNDRED = Decimal(100)

MOST_REQUIRED = 1_000
"""More instruments than there are states and organizations to deposit them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """What a rule needs to know of a treaty: that it is on record."""


class Opened(Opening[Treaty], stored_as="treaty.opened", personal=()):
    """A treaty was opened for signature.

    Its final clause is data: `instruments_required` of the kinds that `instrument_kinds` lists
    (any, if it lists none), those of organizations counted or not (not, if nothing is said), bring
    it into force `offset` after the last of them; together they must account for `share_required`
    per cent of `share_of`, if the clause asks for that. Later parties become one `party_offset`
    after their own deposit (`offset`, if nothing is said), and leave `denunciation_offset` after
    their denunciation was received (at once, if nothing is said). Without `instruments_required`
    no rule is on record, and only dates of effect that are stated count. How periods are written
    stands in ledger/entry_into_force.py.
    """

    title_en: str
    depositary: BodyKey | None = None
    clause: str | None = None
    instruments_required: int | None = None
    instrument_kinds: str | None = None
    organizations_counted: bool | None = None
    share_required: Decimal | None = None
    share_of: str | None = None
    offset: str | None = None
    party_offset: str | None = None
    denunciation_offset: str | None = None

    def admit(self) -> None:
        for name in ("offset", "party_offset", "denunciation_offset"):
            text = getattr(self, name)
            if text is not None:
                Period.of(text, field=name)
        if self.instrument_kinds is not None:
            instruments_named(self.instrument_kinds, field="instrument_kinds")
        self._check_numbers()
        self._check_together()

    def _check_numbers(self) -> None:
        required = self.instruments_required
        if required is not None and not 1 <= required <= MOST_REQUIRED:
            raise NotPermitted(
                f"the instruments required are from 1 to {MOST_REQUIRED}, not {required}",
                field="instruments_required",
            )
        if self.share_required is not None:
            check_share(self.share_required, field="share_required")

    def _check_together(self) -> None:
        if self.instruments_required is not None:
            if self.offset is None:
                raise Malformed(
                    "say how long after the last instrument required it enters into force, such as"
                    " P30D; P0D is at once",
                    field="offset",
                )
            if self.share_of is not None and self.share_required is None:
                raise Malformed("say which share of it is required", field="share_required")
            return
        names = ("instrument_kinds", "organizations_counted", "share_required", "share_of")
        for name in (*names, "offset", "party_offset"):
            if getattr(self, name) is not None:
                raise Malformed(
                    f"the {name} belongs to a rule; say how many instruments are required, or leave"
                    " it empty",
                    field=name,
                )

    def begin(self) -> Treaty:
        return Treaty()


class Renamed(Change[Treaty], stored_as="treaty.renamed", personal=()):
    """The treaty is called otherwise from then on."""

    title_en: str

    def apply(self, current: Treaty) -> Treaty:
        return current


TREATY = Kind(
    name="treaty",
    family="treaties",
    events=(Opened, Renamed),
    key_column="treaty",
    key_example="CPI",
)


def check_share(share: Decimal, *, field: str) -> None:
    """Refuse what is not a share in per cent."""
    if not share.is_finite() or not 0 < share <= _HUNDRED:
        raise NotPermitted(f"{share} is not more than 0 and up to 100 per cent", field=field)


def rule_of(
    *,
    required: int | None,
    kinds: str | None,
    organizations: bool | None,
    share: Decimal | None,
    offset: str | None,
    party_offset: str | None,
) -> Rule | None:
    """The rule that was stated when a treaty was opened; None if none was."""
    if required is None or offset is None:
        return None
    return Rule(
        required=required,
        kinds=None if kinds is None else instruments_named(kinds),
        organizations=bool(organizations),
        share=share,
        period=Period.of(offset),
        party_period=Period.of(party_offset or offset),
    )
