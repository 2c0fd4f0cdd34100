"""The `depositary_notifications` table: what the depositary let the states know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.depositary_notifications import DEPOSITARY_NOTIFICATION, Circulated, Subject
from ledger.timeline import Step
from projections.timeline import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositaryNotification:
    """`circulated` is the date as stated, `circulated_on` its latest day."""

    treaty: str
    subject: Subject
    title_en: str | None
    state: str | None
    organization: str | None
    action_date: str | None
    circulated: str
    circulated_on: date


def fold(row: DepositaryNotification | None, step: Step) -> DepositaryNotification:
    """The row after `step`."""
    match step.event:
        case Circulated() as event:
            return DepositaryNotification(
                treaty=event.treaty,
                subject=event.subject,
                title_en=event.title_en,
                state=event.state,
                organization=event.organization,
                action_date=None if event.action_date is None else event.action_date.text,
                circulated=step.effective.text,
                circulated_on=step.latest,
            )
    raise TypeError(f"{step.event.stored_as} is not an event of a depositary notification")


DEPOSITARY_NOTIFICATIONS = Table(
    name="depositary_notifications",
    kind=DEPOSITARY_NOTIFICATION,
    row=DepositaryNotification,
    fold=fold,
)
