"""The rules of persons."""

import pytest

from ledger.persons import PERSON, Person, Registered, Renamed
from tests.ledger.given import check_keys, given

REGISTERED = Registered(name="Aigerim Testova")


def test_a_person_is_registered_once() -> None:
    given().when(REGISTERED).then(Person())
    given(REGISTERED).when(REGISTERED).then_on_record_already()


def test_a_person_is_renamed_once_registered() -> None:
    given(REGISTERED).when(Renamed(name="Aigerim Examplova")).then(Person())
    given().when(Renamed(name="Aigerim Examplova")).then_no_such_record()


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
def test_a_name_is_not_empty(blank: str) -> None:
    given().when(Registered(name=blank)).then_refused(
        "MALFORMED", "the name is empty", field="name"
    )
    given(REGISTERED).when(Renamed(name=blank)).then_refused(
        "MALFORMED", "the name is empty", field="name"
    )


def test_the_name_is_personal_in_every_event() -> None:
    assert [(event.stored_as, event.personal) for event in PERSON.events] == [
        ("person.registered", ("name",)),
        ("person.renamed", ("name",)),
    ]


def test_no_name_can_be_a_key() -> None:
    check_keys(
        PERSON,
        fit=["P-001", "ABC-123456789012"],
        unfit=["AIGERIM", "Aigerim-1", "P-", "P001", "ABCD-1", "P-1234567890123", "P-1 Testova"],
    )
