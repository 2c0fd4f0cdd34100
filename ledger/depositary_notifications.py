"""Depositary notifications: what the depositary let all states entitled to it know, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.dates import Edtf
from ledger.kind import Kind, Opening
from ledger.organizations import OrganizationKey
from ledger.refusal import Malformed
from ledger.states import StateKey
from ledger.treaties import TreatyKey


class Subject(StrEnum):
    """What a notification is about."""

    OPENING = "opening"
    SIGNATURE = "signature"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DENUNCIATION = "denunciation"
    RESERVATION = "reservation"
    DECLARATION = "declaration"
    OBJECTION = "objection"
    ENTRY_INTO_FORCE = "entry_into_force"
    CORRECTION = "correction"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositaryNotification:
    """What a rule needs to know of a notification: that it went out."""


class Circulated(
    Opening[DepositaryNotification],
    stored_as="depositary_notification.circulated",
    personal=(),
    accomplished=True,
):
    """The notification went out; the effective date is that of circulation.

    `action_date` is when what it tells of was done, and `state` or `organization` who did it.
    """

    treaty: TreatyKey
    subject: Subject
    title_en: str | None = None
    state: StateKey | None = None
    organization: OrganizationKey | None = None
    action_date: Edtf | None = None

    def admit(self) -> None:
        if self.state is not None and self.organization is not None:
            raise Malformed("name a state or an organization, not both", field="organization")

    def begin(self) -> DepositaryNotification:
        return DepositaryNotification()


DEPOSITARY_NOTIFICATION = Kind(
    name="depositary_notification",
    family="treaties",
    events=(Circulated,),
    key_column="notification",
    key_example="C.N.123.2023",
)
