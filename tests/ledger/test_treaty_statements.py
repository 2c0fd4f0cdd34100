"""The rules of reservations, declarations and objections."""

from dataclasses import replace

import pytest

from ledger.treaty_statements import (
    TREATY_STATEMENT,
    Formulated,
    Made,
    Modified,
    Raised,
    TreatyStatement,
    Withdrawn,
)
from tests.ledger.given import check_keys, given

RESERVATION = Formulated(treaty="CPI", state="KAZ", provisions="Article 4", text="Not bound.")
DECLARATION = Made(treaty="CPI", organization="EU", text="Competent.")
OBJECTION = Raised(treaty="CPI", state="TUR", objects_to="CPI-KAZ-R1", text="Incompatible.")
OPENINGS = [RESERVATION, DECLARATION, OBJECTION]

Said = Formulated | Made | Raised


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_statement_is_made_once(opening: Said) -> None:
    given().when(opening).then(TreatyStatement())
    given(opening).when(RESERVATION).then_on_record_already()


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_statement_is_of_a_state_or_of_an_organization(opening: Said) -> None:
    message = "name a state or an organization, and one of them only"
    for state, organization in ((None, None), ("KAZ", "EU")):
        wrong = replace(opening, state=state, organization=organization)
        given().when(wrong).then_refused("MALFORMED", message, field="state")


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_statement_is_modified_and_withdrawn(opening: Said) -> None:
    modified = Modified(text="Bound in part.")
    given(opening).when(modified).then(TreatyStatement())
    given(opening, modified).when(Withdrawn()).then(TreatyStatement(withdrawn=True))


def test_what_was_withdrawn_is_neither_modified_nor_withdrawn() -> None:
    for change in (Modified(text="Otherwise."), Withdrawn()):
        given(RESERVATION, Withdrawn()).when(change).then_refused(
            "NOT_PERMITTED", "the statement is withdrawn already"
        )
        given().when(change).then_no_such_record()


def test_keys() -> None:
    check_keys(TREATY_STATEMENT, fit=["CPI-KAZ-R1"], unfit=["", "cpi", "R 1"])
