"""The rules of bodies."""

import pytest

from ledger.bodies import (
    BODY,
    BeganOperating,
    Body,
    Category,
    CeasedOperating,
    Established,
    Renamed,
)
from ledger.kind import AnyEvent
from tests.ledger.given import check_keys, given

ON_PAPER = Established(name_en="Youth Council", category=Category.ADVISORY, operational=False)
AT_WORK = Established(name_en="Council", category=Category.GOVERNING, operational=True)
BEGAN, CEASED, RENAMED = BeganOperating(), CeasedOperating(), Renamed(name_en="Forum")

OPERATIONAL, IDLE = Body(operational=True), Body(operational=False)


def test_a_body_is_established_before_it_operates_or_at_work_at_once() -> None:
    given().when(ON_PAPER).then(IDLE)
    given().when(AT_WORK).then(OPERATIONAL)


def test_a_body_is_established_once() -> None:
    given(AT_WORK).when(ON_PAPER).then_on_record_already()


def test_a_body_begins_ceases_and_begins_again() -> None:
    given(ON_PAPER).when(BEGAN).then(OPERATIONAL)
    given(ON_PAPER, BEGAN).when(CEASED).then(IDLE)
    given(AT_WORK, CEASED).when(BEGAN).then(OPERATIONAL)


def test_what_operates_does_not_begin_to() -> None:
    for events in ((AT_WORK,), (ON_PAPER, BEGAN)):
        given(*events).when(BEGAN).then_refused("NOT_PERMITTED", "the body operates already")


def test_what_does_not_operate_does_not_cease_to() -> None:
    for events in ((ON_PAPER,), (AT_WORK, CEASED)):
        given(*events).when(CEASED).then_refused("NOT_PERMITTED", "the body does not operate")


def test_a_new_name_leaves_its_work_alone() -> None:
    given(AT_WORK).when(RENAMED).then(OPERATIONAL)
    given(ON_PAPER).when(RENAMED).then(IDLE)


@pytest.mark.parametrize("change", [BEGAN, CEASED, RENAMED], ids=lambda change: change.stored_as)
def test_nothing_happens_to_a_body_before_it_is_established(change: AnyEvent) -> None:
    given().when(change).then_no_such_record()


def test_keys() -> None:
    longest = "S" * 120
    check_keys(
        BODY,
        fit=["SOC", "BUSINESS-COUNCIL", "4.2_B", longest],
        unfit=[
            *("", "-SOC", "BUSINESS COUNCIL", "SOC/1", "СОК", "SOC\x00", "SOC\n"),
            *("business-council", "Business-Council", "SOc", "soc"),
        ],
    )


def test_the_refusal_of_an_endless_key_shows_only_its_beginning() -> None:
    with pytest.raises(Exception, match=r"^'S{60}'… \(121 characters\) is not a key of a body"):
        BODY.check_key("S" * 121)
