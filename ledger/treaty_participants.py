"""Participants in treaties: who signed, consented to be bound, took it back, or left.

A participant is a state or an organization in one treaty, and one record: what may follow what is
seen within it. Its key is made of the treaty and of the state or the organization (`CPI-KAZ`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from ledger.dates import Edtf
from ledger.entry_into_force import Instrument
from ledger.kind import AnyEvent, Change, Event, Kind, check_same
from ledger.organizations import OrganizationKey
from ledger.refusal import Malformed, NotPermitted
from ledger.states import StateKey
from ledger.treaties import TreatyKey, check_share


class Status(StrEnum):
    """How a participant stands to its treaty, in force or not.

    `BOUND` has expressed consent to be bound; whether it is a party yet is for the treaty's rule.
    """

    SIGNATORY = "signatory"
    BOUND = "bound"
    WITHDRAWN = "withdrawn"
    DENOUNCED = "denounced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """What the rules below need to know."""

    treaty: str
    state: str | None
    organization: str | None
    signed: bool
    status: Status


class Signed(Event[Participant], stored_as="treaty.signed", personal=(), accomplished=True):
    """The treaty was signed, subject to ratification, acceptance or approval."""

    treaty: TreatyKey
    state: StateKey | None = None
    organization: OrganizationKey | None = None

    def admit_to(self, current: Participant | None) -> None:
        check_one_of(self.state, self.organization)
        if current is None:
            return
        _check_same(self, current)
        if current.signed:
            raise NotPermitted("the participant has signed already")
        if current.status is Status.BOUND:
            raise NotPermitted(
                "the participant is bound already; a signature comes before the instrument"
            )

    def apply_to(self, current: Participant | None) -> Participant:
        return Participant(
            treaty=self.treaty,
            state=self.state,
            organization=self.organization,
            signed=True,
            status=Status.SIGNATORY if current is None else current.status,
        )


class Deposited(
    Event[Participant], stored_as="instrument.deposited", personal=(), accomplished=True
):
    """An instrument of consent to be bound was deposited; the effective date is that of deposit.

    `instrument_date` is the one on the instrument, `takes_effect` the date of effect where the
    instrument or the depositary states one, before the deposit or after it. `share` is the part,
    in per cent, that the participant accounts for of what the treaty's second condition sums up.
    """

    treaty: TreatyKey
    state: StateKey | None = None
    organization: OrganizationKey | None = None
    instrument: Instrument
    instrument_date: Edtf | None = None
    takes_effect: Edtf | None = None
    share: Decimal | None = None

    def admit_to(self, current: Participant | None) -> None:
        check_one_of(self.state, self.organization)
        if self.share is not None:
            check_share(self.share, field="share")
        if current is None:
            return
        _check_same(self, current)
        if current.status is Status.BOUND:
            raise NotPermitted(
                "the participant is bound already; correct its instrument, or record that it"
                " withdrew it or denounced the treaty"
            )

    def apply_to(self, current: Participant | None) -> Participant:
        return Participant(
            treaty=self.treaty,
            state=self.state,
            organization=self.organization,
            signed=current is not None and current.signed,
            status=Status.BOUND,
        )


class InstrumentWithdrawn(
    Change[Participant], stored_as="instrument.withdrawn", personal=(), accomplished=True
):
    """The instrument was taken back, as may be done until the treaty is in force."""

    def admit(self, current: Participant) -> None:
        _check_follows(self, current)

    def apply(self, current: Participant) -> Participant:
        return replace(current, status=Status.WITHDRAWN)


class Denounced(Change[Participant], stored_as="treaty.denounced", personal=()):
    """The participant gave notice that it leaves; the effective date is that of its receipt.

    `takes_effect` is the day from which it is bound no more, where one is stated; else it follows
    from the treaty's own period of notice.
    """

    takes_effect: Edtf | None = None

    def admit(self, current: Participant) -> None:
        _check_follows(self, current)

    def apply(self, current: Participant) -> Participant:
        return replace(current, status=Status.DENOUNCED)


class DenunciationWithdrawn(Change[Participant], stored_as="denunciation.withdrawn", personal=()):
    """The participant took its denunciation back, and stays."""

    def admit(self, current: Participant) -> None:
        _check_follows(self, current)

    def apply(self, current: Participant) -> Participant:
        return replace(current, status=Status.BOUND)


TREATY_PARTICIPANT = Kind(
    name="treaty_participant",
    family="treaties",
    events=(Signed, Deposited, InstrumentWithdrawn, Denounced, DenunciationWithdrawn),
    key_column="participant",
    key_fields=("treaty", "state", "organization"),
    key_example="CPI-KAZ",
)

_FOLLOWS: dict[type[AnyEvent], tuple[Status, str]] = {
    InstrumentWithdrawn: (Status.BOUND, "only an instrument that binds can be withdrawn"),
    Denounced: (Status.BOUND, "only who is bound can denounce the treaty"),
    DenunciationWithdrawn: (Status.DENOUNCED, "there is no denunciation to withdraw"),
}
"""What a participant must be for a change to follow, and why else it may not."""


def _check_follows(event: AnyEvent, current: Participant) -> None:
    status, reason = _FOLLOWS[type(event)]
    if current.status is not status:
        raise NotPermitted(f"{reason}; the participant is {current.status}")


def check_one_of(state: str | None, organization: str | None) -> None:
    """Refuse a participant that is neither a state nor an organization, or both."""
    if (state is None) == (organization is None):
        raise Malformed("name a state or an organization, and one of them only", field="state")


def _check_same(event: Signed | Deposited, current: Participant) -> None:
    """A key can't tell a state from an organization that is called the same."""
    for field in ("treaty", "state", "organization"):
        given, before = getattr(event, field) or "none", getattr(current, field) or "none"
        check_same("participant", field, given, before)
