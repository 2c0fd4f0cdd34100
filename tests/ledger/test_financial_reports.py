"""The rules of financial reports."""

from dataclasses import replace
from datetime import date

import pytest

from ledger.financial_reports import FINANCIAL_REPORT, FinancialReport, Issued
from tests.ledger.given import check_keys, given

OF_A_YEAR = Issued(fiscal_year=2022, considered_by="SOC-2023-1")
OF_A_PERIOD = Issued(period_start=date(2022, 7, 1), period_end=date(2022, 12, 31))


@pytest.mark.parametrize("issued", [OF_A_YEAR, OF_A_PERIOD, Issued(fiscal_year=2022)])
def test_a_report_is_issued_once(issued: Issued) -> None:
    given().when(issued).then(FinancialReport())
    given(issued).when(issued).then_on_record_already()


def test_a_report_may_be_for_a_single_day() -> None:
    given().when(replace(OF_A_PERIOD, period_start=date(2022, 12, 31))).then(FinancialReport())


def test_a_report_is_for_something() -> None:
    given().when(Issued(considered_by="SOC-2023-1")).then_refused(
        "NOT_PERMITTED",
        "say for which fiscal year the report is, or for which period",
        field="fiscal_year",
    )


@pytest.mark.parametrize(
    "issued",
    [
        replace(OF_A_PERIOD, fiscal_year=2022),
        replace(OF_A_YEAR, period_start=date(2022, 1, 1)),
        replace(OF_A_YEAR, period_end=date(2022, 12, 31)),
    ],
)
def test_a_report_is_not_for_a_year_and_a_period(issued: Issued) -> None:
    given().when(issued).then_refused(
        "NOT_PERMITTED",
        "a report is for a fiscal year or for a period, not both: leave one out",
        field="fiscal_year",
    )


def test_a_period_has_both_ends() -> None:
    given().when(replace(OF_A_PERIOD, period_end=None)).then_refused(
        "NOT_PERMITTED", "say when the period ends", field="period_end"
    )
    given().when(replace(OF_A_PERIOD, period_start=None)).then_refused(
        "NOT_PERMITTED", "say when the period begins", field="period_start"
    )


def test_a_period_does_not_end_before_it_begins() -> None:
    given().when(replace(OF_A_PERIOD, period_end=date(2022, 6, 30))).then_refused(
        "MALFORMED",
        "the period ends on 2022-06-30, before it begins on 2022-07-01",
        field="period_end",
    )


@pytest.mark.parametrize("year", [0, 1899, 2201])
def test_a_fiscal_year_is_one(year: int) -> None:
    given().when(Issued(fiscal_year=year)).then_refused(
        "MALFORMED", f"{year} is not a fiscal year", field="fiscal_year"
    )


def test_keys() -> None:
    check_keys(FINANCIAL_REPORT, fit=["FIN-2022-H2"], unfit=["", "FIN 2022", "fin-2022"])
