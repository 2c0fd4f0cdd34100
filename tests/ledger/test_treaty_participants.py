"""The rules of participants in treaties: what may follow what."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.dates import parse_edtf
from ledger.entry_into_force import Instrument
from ledger.kind import AnyEvent
from ledger.treaty_participants import (
    TREATY_PARTICIPANT,
    Denounced,
    DenunciationWithdrawn,
    Deposited,
    InstrumentWithdrawn,
    Participant,
    Signed,
    Status,
)
from tests.ledger.given import check_keys, given

SIGNED = Signed(treaty="CPI", state="KAZ")
RATIFIED = Deposited(treaty="CPI", state="KAZ", instrument=Instrument.RATIFICATION)
ACCEDED = replace(RATIFIED, instrument=Instrument.ACCESSION)
WITHDRAWN, DENOUNCED, STAYED = InstrumentWithdrawn(), Denounced(), DenunciationWithdrawn()

NOT_BOUND = "only an instrument that binds can be withdrawn; the participant is "
NOT_LEAVING = "there is no denunciation to withdraw; the participant is "
NOT_A_PARTY = "only who is bound can denounce the treaty; the participant is "
BOUND_ALREADY = (
    "the participant is bound already; correct its instrument, or record that it withdrew it or"
    " denounced the treaty"
)


def kazakhstan(status: Status, *, signed: bool) -> Participant:
    return Participant(treaty="CPI", state="KAZ", organization=None, signed=signed, status=status)


def test_a_state_signs_and_ratifies() -> None:
    given().when(SIGNED).then(kazakhstan(Status.SIGNATORY, signed=True))
    given(SIGNED).when(RATIFIED).then(kazakhstan(Status.BOUND, signed=True))


def test_a_state_accedes_without_having_signed() -> None:
    given().when(ACCEDED).then(kazakhstan(Status.BOUND, signed=False))


@pytest.mark.parametrize("instrument", list(Instrument))
def test_any_instrument_binds(instrument: Instrument) -> None:
    given().when(replace(RATIFIED, instrument=instrument)).then(
        kazakhstan(Status.BOUND, signed=False)
    )


@pytest.mark.parametrize(
    ("happened", "change", "status"),
    [
        ([SIGNED, RATIFIED], WITHDRAWN, Status.WITHDRAWN),
        ([SIGNED, RATIFIED], DENOUNCED, Status.DENOUNCED),
        ([SIGNED, RATIFIED, DENOUNCED], STAYED, Status.BOUND),
        ([SIGNED, RATIFIED, WITHDRAWN], RATIFIED, Status.BOUND),
        ([SIGNED, RATIFIED, DENOUNCED], ACCEDED, Status.BOUND),
        ([SIGNED, RATIFIED, DENOUNCED, STAYED], DENOUNCED, Status.DENOUNCED),
    ],
)
def test_a_participant_goes_and_comes_back(
    happened: list[AnyEvent], change: AnyEvent, status: Status
) -> None:
    given(*happened).when(change).then(kazakhstan(status, signed=True))


@pytest.mark.parametrize(
    ("happened", "proposed", "message"),
    [
        ([SIGNED], SIGNED, "the participant has signed already"),
        (
            [ACCEDED],
            SIGNED,
            "the participant is bound already; a signature comes before the instrument",
        ),
        ([RATIFIED], ACCEDED, BOUND_ALREADY),
        ([SIGNED], WITHDRAWN, NOT_BOUND + "signatory"),
        ([RATIFIED, WITHDRAWN], WITHDRAWN, NOT_BOUND + "withdrawn"),
        ([RATIFIED, DENOUNCED], WITHDRAWN, NOT_BOUND + "denounced"),
        ([SIGNED], DENOUNCED, NOT_A_PARTY + "signatory"),
        ([RATIFIED, WITHDRAWN], DENOUNCED, NOT_A_PARTY + "withdrawn"),
        ([RATIFIED, DENOUNCED], DENOUNCED, NOT_A_PARTY + "denounced"),
        ([RATIFIED], STAYED, NOT_LEAVING + "bound"),
        ([SIGNED], STAYED, NOT_LEAVING + "signatory"),
    ],
)
def test_what_does_not_follow(happened: list[AnyEvent], proposed: AnyEvent, message: str) -> None:
    given(*happened).when(proposed).then_refused("NOT_PERMITTED", message)


def test_who_took_its_instrument_back_may_sign() -> None:
    given(ACCEDED, WITHDRAWN).when(SIGNED).then(kazakhstan(Status.WITHDRAWN, signed=True))


@pytest.mark.parametrize("change", [WITHDRAWN, DENOUNCED, STAYED])
def test_nobody_leaves_who_never_came(change: AnyEvent) -> None:
    given().when(change).then_no_such_record()


@pytest.mark.parametrize("event", [SIGNED, RATIFIED])
def test_a_participant_is_a_state_or_an_organization(event: Signed | Deposited) -> None:
    message = "name a state or an organization, and one of them only"
    for wrong in (replace(event, state=None), replace(event, organization="EU")):
        given().when(wrong).then_refused("MALFORMED", message, field="state")
    given().when(replace(event, state=None, organization="EU")).then(
        Participant(
            treaty="CPI",
            state=None,
            organization="EU",
            signed=isinstance(event, Signed),
            status=Status.SIGNATORY if isinstance(event, Signed) else Status.BOUND,
        )
    )


@pytest.mark.parametrize("event", [SIGNED, RATIFIED])
def test_a_state_is_not_an_organization_of_the_same_name(event: Signed | Deposited) -> None:
    eco = Signed(treaty="CPI", organization="ECO")
    given(eco).when(replace(event, state="ECO")).then_refused(
        "NOT_PERMITTED", "the participant's state is none, not ECO", field="state"
    )
    other = replace(event, treaty="CPI-2")
    given(SIGNED).when(other).then_refused(
        "NOT_PERMITTED", "the participant's treaty is CPI, not CPI-2", field="treaty"
    )


def test_a_share_is_in_per_cent() -> None:
    given().when(replace(RATIFIED, share=Decimal("100.5"))).then_refused(
        "NOT_PERMITTED", "100.5 is not more than 0 and up to 100 per cent", field="share"
    )
    given().when(replace(RATIFIED, share=Decimal("0.01"))).then(
        kazakhstan(Status.BOUND, signed=False)
    )


def test_dates_of_their_own_make_no_difference_to_what_may_follow() -> None:
    dated = replace(
        RATIFIED, instrument_date=parse_edtf("2022-12"), takes_effect=parse_edtf("1962-01-01")
    )
    given().when(dated).then(kazakhstan(Status.BOUND, signed=False))
    leaving = Denounced(takes_effect=parse_edtf("2030"))
    given(dated).when(leaving).then(kazakhstan(Status.DENOUNCED, signed=False))


def test_keys() -> None:
    check_keys(
        TREATY_PARTICIPANT, fit=["CPI-KAZ", "WCT-EU", "III.2-KAZ"], unfit=["", "cpi-kaz", "-KAZ"]
    )
