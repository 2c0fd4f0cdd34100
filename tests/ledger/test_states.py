"""The rules of states."""

from ledger.states import STATE, Admitted, Renamed, State, Status, StatusChanged
from tests.ledger.given import check_keys, given

ADMITTED = Admitted(status=Status.OBSERVER, name_en="Kazakhstan")
BECAME_MEMBER = StatusChanged(status=Status.MEMBER)
RENAMED = Renamed(name_en="Republic of Kazakhstan")

OBSERVER = State(status=Status.OBSERVER)
MEMBER = State(status=Status.MEMBER)


def test_a_state_is_admitted_as_member_or_observer() -> None:
    given().when(ADMITTED).then(OBSERVER)
    given().when(Admitted(status=Status.MEMBER, name_en="Kazakhstan")).then(MEMBER)


def test_a_state_is_not_admitted_as_former() -> None:
    given().when(Admitted(status=Status.FORMER, name_en="Kazakhstan")).then_refused(
        "NOT_PERMITTED", "a state is admitted as member or observer", field="status"
    )


def test_a_state_is_admitted_once() -> None:
    given(ADMITTED).when(ADMITTED).then_on_record_already()


def test_a_status_changes_to_any_other_and_back() -> None:
    given(ADMITTED).when(BECAME_MEMBER).then(MEMBER)
    left = StatusChanged(status=Status.FORMER)
    given(ADMITTED, BECAME_MEMBER).when(left).then(State(status=Status.FORMER))
    given(ADMITTED, BECAME_MEMBER, left).when(BECAME_MEMBER).then(MEMBER)


def test_a_status_does_not_change_to_what_it_is() -> None:
    given(ADMITTED, BECAME_MEMBER).when(BECAME_MEMBER).then_refused(
        "NOT_PERMITTED", "the state is member already", field="status"
    )


def test_a_new_name_leaves_the_status_alone() -> None:
    given(ADMITTED).when(RENAMED).then(OBSERVER)


def test_nothing_happens_to_a_state_before_it_is_admitted() -> None:
    given().when(BECAME_MEMBER).then_no_such_record()
    given().when(RENAMED).then_no_such_record()


def test_the_key_is_the_three_letters_of_its_country_code() -> None:
    check_keys(STATE, fit=["KAZ", "XXK"], unfit=["kaz", "KA", "KAZA", "KA1", "", " KAZ", "KAZ\n"])
