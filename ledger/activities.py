"""Activities: meetings and events from being planned to being held, put off or dropped.

An activity's planned dates are apart from its effective dates: it is planned on the day on which
the plan was made, for dates to come, and held when it was over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from ledger.bodies import BodyKey
from ledger.counts import check_count
from ledger.dates import Edtf
from ledger.kind import Change, Kind, Opening, RefersTo
from ledger.plans import PlanKey
from ledger.priority_areas import AreaKey
from ledger.refusal import NotPermitted
from ledger.states import StateKey

ActivityKey = Annotated[str, RefersTo("activity")]


class Category(StrEnum):
    """What sort of activity it is."""

    GOVERNING_BODY = "governing_body"
    WORKING_BODY = "working_body"
    EXPERT_MEETING = "expert_meeting"
    ADVISORY_BODY = "advisory_body"
    CBM_EVENT = "cbm_event"
    OTHER = "other"


class OrganizerRole(StrEnum):
    """As what a state organizes an activity."""

    CHAIR = "chair"
    HOST = "host"
    COORDINATOR = "coordinator"
    CO_COORDINATOR = "co-coordinator"
    ORGANIZER = "organizer"


class Status(StrEnum):
    """What became of an activity so far."""

    PLANNED = "planned"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    HELD = "held"


class Format(StrEnum):
    """How its participants met."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class Qualifier(StrEnum):
    """What a source says before a number that it does not give exactly."""

    ABOUT = "about"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What the rules below need to know."""

    status: Status
    planned_dates: str | None
    """As stated, in EDTF."""


class Planned(Opening[Activity], stored_as="activity.planned", personal=()):
    """The activity was planned, as an item of a plan or beside them."""

    plan: PlanKey | None = None
    category: Category
    body: BodyKey | None = None
    area: AreaKey | None = None
    organizer: StateKey | None = None
    organizer_role: OrganizerRole | None = None
    title_en: str
    planned_dates: Edtf | None = None

    def admit(self) -> None:
        if self.organizer_role is not None and self.organizer is None:
            raise NotPermitted(
                f"nobody is named who is {self.organizer_role}; state the organizer, or leave the"
                " role out",
                field="organizer_role",
            )

    def begin(self) -> Activity:
        return Activity(status=Status.PLANNED, planned_dates=_text(self.planned_dates))


class Rescheduled(Change[Activity], stored_as="activity.rescheduled", personal=()):
    """The activity got other dates; if it was postponed, it is planned again."""

    from_dates: Edtf | None = None
    to_dates: Edtf
    reason: str | None = None

    def admit(self, current: Activity) -> None:
        _check_may_follow(self, current)
        if self.from_dates is None:
            return
        if current.planned_dates is None:
            raise NotPermitted("no dates were planned; leave from_dates out", field="from_dates")
        if self.from_dates.text != current.planned_dates:
            raise NotPermitted(
                f"the activity was planned for {current.planned_dates}, not {self.from_dates.text}",
                field="from_dates",
            )

    def apply(self, current: Activity) -> Activity:
        return Activity(status=Status.PLANNED, planned_dates=self.to_dates.text)


class Postponed(Change[Activity], stored_as="activity.postponed", personal=()):
    """The activity was put off, to dates that are not known."""

    reason: str | None = None

    def admit(self, current: Activity) -> None:
        _check_may_follow(self, current)

    def apply(self, current: Activity) -> Activity:
        return replace(current, status=Status.POSTPONED)


class Cancelled(Change[Activity], stored_as="activity.cancelled", personal=()):
    """The activity will not take place."""

    reason: str | None = None

    def admit(self, current: Activity) -> None:
        _check_may_follow(self, current)

    def apply(self, current: Activity) -> Activity:
        return replace(current, status=Status.CANCELLED)


class Held(Change[Activity], stored_as="activity.held", personal=(), accomplished=True):
    """The activity took place, under this title if it is another one than was planned.

    `states` is the number of states represented.
    """

    title_en: str | None = None
    format: Format | None = None
    place: str | None = None
    participants: int | None = None
    participants_qualifier: Qualifier | None = None
    states: int | None = None

    def admit(self, current: Activity) -> None:
        _check_may_follow(self, current)
        for field in ("participants", "states"):
            count = getattr(self, field)
            if count is not None:
                check_count(count, field=field)
        if self.participants_qualifier is not None and self.participants is None:
            raise NotPermitted(
                f"no number is given that is {self.participants_qualifier}; state the"
                " participants, or leave the qualifier out",
                field="participants_qualifier",
            )

    def apply(self, current: Activity) -> Activity:
        return replace(current, status=Status.HELD)


MAY_FOLLOW: Mapping[Status, tuple[type[Change[Activity]], ...]] = {
    Status.PLANNED: (Rescheduled, Postponed, Cancelled, Held),
    # One that is held after all need not have been given new dates on record.
    Status.POSTPONED: (Rescheduled, Cancelled, Held),
    Status.CANCELLED: (),
    Status.HELD: (),
}
"""What may happen to an activity, by its status."""


ACTIVITY = Kind(
    name="activity",
    family="programme",
    events=(Planned, Rescheduled, Postponed, Cancelled, Held),
    key_column="activity",
    key_example="CBM-2023-01",
)


def _check_may_follow(change: Change[Activity], current: Activity) -> None:
    following = MAY_FOLLOW[current.status]
    if type(change) in following:
        return
    if not following:
        raise NotPermitted(
            f"the activity has been {current.status}, and nothing may follow that; correct or"
            " annul the entry that says so, if it is wrong"
        )
    *first, last = (event.stored_as.partition(".")[2] for event in following)
    raise NotPermitted(
        f"the activity has been {current.status}; it may be {', '.join(first)} or {last}"
    )


def _text(dates: Edtf | None) -> str | None:
    return None if dates is None else dates.text
