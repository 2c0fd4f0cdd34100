"""The rules of organizations."""

from ledger.organizations import ORGANIZATION, Organization, Registered, Renamed
from tests.ledger.given import check_keys, given

REGISTERED = Registered(name_en="European Union")


def test_an_organization_is_registered_once() -> None:
    given().when(REGISTERED).then(Organization())
    given(REGISTERED).when(REGISTERED).then_on_record_already()


def test_an_organization_is_renamed() -> None:
    given(REGISTERED).when(Renamed(name_en="Union")).then(Organization())
    given().when(Renamed(name_en="Union")).then_no_such_record()


def test_keys() -> None:
    # A hyphen would leave it open where the key of a participant in a treaty is to be taken apart.
    check_keys(
        ORGANIZATION,
        fit=["EU", "OAPI", "A1", "A" * 12],
        unfit=["", "E", "eu", "E-U", "E.U", "E U", "A" * 13, "EU\n"],
    )
