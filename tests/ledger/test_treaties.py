"""The rules of treaties: which final clauses can be taken down as data."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ledger.entry_into_force import Instrument, Period, Rule
from ledger.treaties import TREATY, Opened, Renamed, Treaty, rule_of
from tests.ledger.given import check_keys, given

BARE = Opened(title_en="Convention")
RULED = Opened(
    title_en="Convention",
    depositary="SEC",
    clause="Article 9 (2)",
    instruments_required=14,
    instrument_kinds="ratification acceptance approval accession",
    organizations_counted=False,
    share_required=Decimal(55),
    share_of="emissions",
    offset="P30D",
    party_offset="P3M first-of-next-month",
    denunciation_offset="P1Y",
)


def test_a_treaty_is_opened_once_with_a_rule_or_without() -> None:
    given().when(BARE).then(Treaty())
    given().when(RULED).then(Treaty())
    given(BARE).when(RULED).then_on_record_already()


def test_a_treaty_is_renamed() -> None:
    given(BARE).when(Renamed(title_en="Treaty")).then(Treaty())
    given().when(Renamed(title_en="Treaty")).then_no_such_record()


@pytest.mark.parametrize("field", ["offset", "party_offset", "denunciation_offset"])
def test_periods_are_written_as_iso_8601_durations(field: str) -> None:
    wrong: dict[str, Any] = {field: "30 days"}
    given().when(replace(RULED, **wrong)).then_refused(
        "MALFORMED",
        "'30 days' is not a period such as P30D, P3M or 'P60D first-of-next-month'",
        field=field,
    )


def test_the_kinds_of_instrument_are_those_that_bind() -> None:
    known = ", ".join(Instrument)
    given().when(replace(RULED, instrument_kinds="ratification, accession")).then_refused(
        "MALFORMED",
        "'ratification, accession' does not list kinds of instrument, each once and with a blank"
        f" between them; they are {known}",
        field="instrument_kinds",
    )


@pytest.mark.parametrize("required", [0, 1001, 2**31])
def test_as_many_instruments_are_required_as_there_may_be(required: int) -> None:
    given().when(replace(RULED, instruments_required=required)).then_refused(
        "NOT_PERMITTED",
        f"the instruments required are from 1 to 1000, not {required}",
        field="instruments_required",
    )


def test_a_share_is_of_something_only_if_one_is_required() -> None:
    given().when(replace(RULED, share_required=None)).then_refused(
        "MALFORMED", "say which share of it is required", field="share_required"
    )
    given().when(replace(RULED, share_of=None)).then(Treaty())


@pytest.mark.parametrize("share", ["0", "-1", "100.01", "NaN", "Infinity"])
def test_a_share_is_in_per_cent(share: str) -> None:
    given().when(replace(RULED, share_required=Decimal(share))).then_refused(
        "NOT_PERMITTED",
        f"{Decimal(share)} is not more than 0 and up to 100 per cent",
        field="share_required",
    )


def test_a_share_may_be_the_whole() -> None:
    given().when(replace(RULED, share_required=Decimal(100))).then(Treaty())


def test_a_rule_says_how_long_after_the_last_instrument() -> None:
    given().when(replace(RULED, offset=None)).then_refused(
        "MALFORMED",
        "say how long after the last instrument required it enters into force, such as P30D; P0D"
        " is at once",
        field="offset",
    )


@pytest.mark.parametrize(
    "field",
    ["instrument_kinds", "organizations_counted", "share_required", "share_of", "offset"],
)
def test_the_terms_of_a_rule_need_the_number_of_instruments(field: str) -> None:
    given().when(replace(BARE, **{field: getattr(RULED, field)})).then_refused(
        "MALFORMED",
        f"the {field} belongs to a rule; say how many instruments are required, or leave it empty",
        field=field,
    )


def test_notice_of_denunciation_needs_no_rule_of_entry_into_force() -> None:
    given().when(replace(BARE, denunciation_offset="P1Y")).then(Treaty())


def test_the_rule_that_was_stated() -> None:
    rule = rule_of(
        required=14,
        kinds="ratification accession",
        organizations=None,
        share=Decimal(55),
        offset="P30D",
        party_offset=None,
    )
    assert rule == Rule(
        required=14,
        kinds=frozenset({Instrument.RATIFICATION, Instrument.ACCESSION}),
        organizations=False,
        share=Decimal(55),
        period=Period(months=0, days=30),
        party_period=Period(months=0, days=30),
    )
    assert (
        rule_of(
            required=None,
            kinds=None,
            organizations=None,
            share=None,
            offset=None,
            party_offset=None,
        )
        is None
    )


def test_keys() -> None:
    check_keys(TREATY, fit=["CPI", "III.2", "WCT"], unfit=["", "cpi", "C P", "-C", "C/1"])
