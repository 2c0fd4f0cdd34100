"""The rules of activities."""

from dataclasses import replace

import pytest

from ledger.activities import (
    ACTIVITY,
    MAY_FOLLOW,
    Activity,
    Cancelled,
    Category,
    Format,
    Held,
    OrganizerRole,
    Planned,
    Postponed,
    Qualifier,
    Rescheduled,
    Status,
)
from ledger.dates import parse_edtf
from ledger.kind import Change
from ledger.refusal import NotPermitted
from tests.ledger.given import check_keys, given

PLANNED = Planned(
    plan="PLAN-2023",
    category=Category.CBM_EVENT,
    area="PA10",
    organizer="THA",
    organizer_role=OrganizerRole.COORDINATOR,
    title_en="Training course",
    planned_dates=parse_edtf("2023-08"),
)
UNDATED = Planned(category=Category.OTHER, title_en="Round table")
RESCHEDULED = Rescheduled(
    from_dates=parse_edtf("2023-08"), to_dates=parse_edtf("2023-10"), reason="at the host's wish"
)
RESCHEDULED_ANYHOW = Rescheduled(to_dates=parse_edtf("2024"))
POSTPONED, CANCELLED = Postponed(reason="no venue"), Cancelled()
HELD = Held(
    title_en="Online training course",
    format=Format.ONLINE,
    participants=120,
    participants_qualifier=Qualifier.OVER,
    states=18,
)

CHANGES: tuple[Change[Activity], ...] = (RESCHEDULED_ANYHOW, POSTPONED, CANCELLED, HELD)
LEADING_TO: dict[Status, tuple[Change[Activity], ...]] = {
    Status.PLANNED: (),
    Status.POSTPONED: (POSTPONED,),
    Status.CANCELLED: (CANCELLED,),
    Status.HELD: (HELD,),
}


def of(status: Status, planned_dates: str | None = "2023-08") -> Activity:
    return Activity(status=status, planned_dates=planned_dates)


def test_an_activity_is_planned_once_with_dates_or_without() -> None:
    given().when(PLANNED).then(of(Status.PLANNED))
    given().when(UNDATED).then(of(Status.PLANNED, None))
    given(PLANNED).when(PLANNED).then_on_record_already()


def test_an_organizer_need_not_have_a_role() -> None:
    given().when(replace(PLANNED, organizer_role=None)).then(of(Status.PLANNED))


def test_a_role_is_that_of_an_organizer() -> None:
    given().when(replace(PLANNED, organizer=None)).then_refused(
        "NOT_PERMITTED",
        "nobody is named who is coordinator; state the organizer, or leave the role out",
        field="organizer_role",
    )


def test_an_activity_gets_other_dates() -> None:
    given(PLANNED).when(RESCHEDULED).then(of(Status.PLANNED, "2023-10"))
    given(UNDATED).when(RESCHEDULED_ANYHOW).then(of(Status.PLANNED, "2024"))
    given(PLANNED, RESCHEDULED).when(RESCHEDULED_ANYHOW).then(of(Status.PLANNED, "2024"))


def test_what_was_postponed_is_planned_again_with_other_dates() -> None:
    given(PLANNED, POSTPONED).when(RESCHEDULED).then(of(Status.PLANNED, "2023-10"))
    given(PLANNED, POSTPONED, RESCHEDULED).when(POSTPONED).then(of(Status.POSTPONED, "2023-10"))


def test_the_dates_before_are_those_that_were_planned() -> None:
    given(PLANNED, RESCHEDULED).when(RESCHEDULED).then_refused(
        "NOT_PERMITTED", "the activity was planned for 2023-10, not 2023-08", field="from_dates"
    )
    given(UNDATED).when(RESCHEDULED).then_refused(
        "NOT_PERMITTED", "no dates were planned; leave from_dates out", field="from_dates"
    )
    # The same month in other words is what somebody else wrote.
    in_other_words = replace(RESCHEDULED, from_dates=parse_edtf("[2023-08-01..2023-08-31]"))
    given(PLANNED).when(in_other_words).then_refused(
        "NOT_PERMITTED",
        "the activity was planned for 2023-08, not [2023-08-01..2023-08-31]",
        field="from_dates",
    )


def test_what_is_planned_is_postponed_cancelled_or_held() -> None:
    given(PLANNED).when(POSTPONED).then(of(Status.POSTPONED))
    given(PLANNED).when(CANCELLED).then(of(Status.CANCELLED))
    given(PLANNED).when(HELD).then(of(Status.HELD))


def test_what_was_postponed_is_cancelled_or_held_after_all() -> None:
    given(PLANNED, POSTPONED).when(CANCELLED).then(of(Status.CANCELLED))
    given(PLANNED, POSTPONED).when(HELD).then(of(Status.HELD))


def test_what_was_postponed_is_not_postponed_again() -> None:
    given(PLANNED, POSTPONED).when(POSTPONED).then_refused(
        "NOT_PERMITTED",
        "the activity has been postponed; it may be rescheduled, cancelled or held",
    )


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.stored_as)
@pytest.mark.parametrize("last", [CANCELLED, HELD], ids=lambda change: change.stored_as)
def test_nothing_follows_what_was_held_or_cancelled(
    last: Change[Activity], change: Change[Activity]
) -> None:
    status = last.stored_as.removeprefix("activity.")
    given(PLANNED, last).when(change).then_refused(
        "NOT_PERMITTED",
        f"the activity has been {status}, and nothing may follow that; correct or annul the entry"
        " that says so, if it is wrong",
    )


@pytest.mark.parametrize("status", Status)
def test_the_table_says_what_may_follow(status: Status) -> None:
    assert set(MAY_FOLLOW) == set(Status)
    for change in CHANGES:
        when = given(PLANNED, *LEADING_TO[status]).when(change)
        if type(change) in MAY_FOLLOW[status]:
            change.admit_to(when.state)
        else:
            with pytest.raises(NotPermitted, match=f"^the activity has been {status}"):
                change.admit_to(when.state)


@pytest.mark.parametrize("count", [0, -1, 1_000_000_000])
def test_whoever_took_part_is_counted(count: int) -> None:
    for field, held in (
        ("participants", replace(HELD, participants=count)),
        ("states", replace(HELD, states=count)),
    ):
        given(PLANNED).when(held).then_refused(
            "MALFORMED", f"the {field} must be from 1 to 999999999, not {count}", field=field
        )


def test_little_need_be_known_of_what_was_held() -> None:
    given(PLANNED).when(Held()).then(of(Status.HELD))
    given(PLANNED).when(Held(participants=1, states=1)).then(of(Status.HELD))


def test_a_qualifier_is_that_of_a_number() -> None:
    given(PLANNED).when(replace(HELD, participants=None)).then_refused(
        "NOT_PERMITTED",
        "no number is given that is over; state the participants, or leave the qualifier out",
        field="participants_qualifier",
    )


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.stored_as)
def test_nothing_becomes_of_what_was_not_planned(change: Change[Activity]) -> None:
    given().when(change).then_no_such_record()


def test_keys() -> None:
    check_keys(ACTIVITY, fit=["MC-2023", "SOC-2023-1"], unfit=["", "MC 2023", "mc-2023"])
