"""Person-years: known values, the register behind the report for 2023, and properties."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.daycount import Convention, person_years, person_years_exact, to_decimal
from ledger.refusal import Malformed

ACT_365_25 = Convention.ACT_365_25
ACT_365 = Convention.ACT_365
MONTHS_AND_DAYS = Convention.MONTHS_AND_DAYS
THIRTY_360 = Convention.THIRTY_360

AS_OF = "2023-12-07"
"""The day to which secondments that are still open are reckoned."""

SECONDMENTS = {
    "KAZ": [
        ("2006-07-01", "2014-06-30"),
        ("2006-07-01", "2012-06-30"),
        ("2008-01-01", "2015-06-30"),
        ("2012-07-01", "2019-06-30"),
        ("2014-07-01", "2020-12-31"),
        ("2017-01-01", "2021-12-31"),
        ("2019-07-01", AS_OF),
        ("2022-06-01", AS_OF),
        ("2023-03-01", AS_OF),
        ("2023-08-01", AS_OF),
    ],
    "CHN": [("2009-01-01", "2015-12-31"), ("2016-01-01", "2023-09-30"), ("2023-10-01", AS_OF)],
    "IND": [("2008-12-01", "2016-11-30"), ("2016-12-01", AS_OF)],
    "RUS": [("2009-01-01", "2016-12-31"), ("2017-01-01", AS_OF)],
    "TUR": [("2010-09-01", "2019-08-31")],
}
"""The secondments of five states in the example register, by their first and last days."""


def exact(first: str, last: str, convention: Convention) -> Fraction:
    return person_years_exact(date.fromisoformat(first), date.fromisoformat(last), convention)


# ---------------------------------------------------------------- known values


@pytest.mark.parametrize(
    ("state", "expected"), [("KAZ", 47), ("CHN", 15), ("IND", 15), ("RUS", 15), ("TUR", 9)]
)
def test_the_report_for_2023(state: str, expected: int) -> None:
    years = sum(exact(first, last, ACT_365_25) for first, last in SECONDMENTS[state])

    rounded = to_decimal(Fraction(years)).quantize(Decimal(1), ROUND_HALF_UP)
    assert rounded == expected


@pytest.mark.parametrize(
    ("first", "last", "act_365_25", "act_365"),
    [
        ("2023-05-12", "2023-05-12", Fraction(4, 1461), Fraction(1, 365)),
        ("2023-01-01", "2023-12-31", Fraction(1460, 1461), Fraction(1)),
        ("2024-01-01", "2024-12-31", Fraction(1464, 1461), Fraction(366, 365)),
        ("2021-01-01", "2024-12-31", Fraction(4), Fraction(1461, 365)),
        ("2024-02-28", "2024-03-01", Fraction(12, 1461), Fraction(3, 365)),
    ],
)
def test_days_over_a_year(first: str, last: str, act_365_25: Fraction, act_365: Fraction) -> None:
    assert exact(first, last, ACT_365_25) == act_365_25
    assert exact(first, last, ACT_365) == act_365


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2023-05-12", "2023-05-12", Fraction(1, 30)),
        ("2023-05-12", "2023-06-11", 1),
        ("2023-05-12", "2023-06-12", 1 + Fraction(1, 30)),
        ("2023-05-12", "2024-05-11", 12),
        ("2023-02-01", "2023-02-28", 1),
        ("2024-02-01", "2024-02-28", Fraction(28, 30)),
        # 30 of the 31 days of a long month are already as many thirtieths.
        ("2023-05-01", "2023-05-30", 1),
        ("2023-05-01", "2023-05-31", 1),
        # Where the next month has no day n, a month runs to that month's last day …
        ("2023-01-31", "2023-02-27", Fraction(28, 30)),
        ("2023-01-31", "2023-02-28", 1),
        ("2024-01-31", "2024-02-29", 1),
        ("2023-01-29", "2023-02-28", 1),
        ("2023-01-28", "2023-02-27", 1),
        ("2023-03-31", "2023-04-30", 1),
        # … and the next one is counted from the first day, not from there.
        ("2023-01-31", "2023-03-30", 2),
        ("2023-01-31", "2023-03-29", 1 + Fraction(29, 30)),
        ("2023-01-31", "2023-03-01", 1 + Fraction(1, 30)),
        ("2023-12-31", "2024-02-29", 2),
        ("2024-02-29", "2025-02-28", 12),
        ("9999-12-01", "9999-12-31", 1),
        ("9999-12-15", "9999-12-31", Fraction(17, 30)),
    ],
)
def test_months_and_days(first: str, last: str, months: Fraction) -> None:
    assert exact(first, last, MONTHS_AND_DAYS) * 12 == months


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2023-05-12", "2023-05-12", 1),
        ("2023-01-01", "2023-12-31", 360),
        ("2024-02-29", "2025-02-27", 359),
        ("2023-02-01", "2023-02-28", 30),
        ("2023-01-01", "2023-01-31", 30),
        # A 31st counts as a 30th: the US variant agrees on these …
        ("2023-01-30", "2023-01-30", 0),
        ("2023-01-31", "2023-01-31", 1),
        ("2023-02-28", "2023-02-28", 3),
        # … and has 14 here, as it leaves an end on the 31st alone unless the beginning is a 30th.
        ("2023-01-17", "2023-01-30", 13),
        ("9999-12-01", "9999-12-31", 30),
    ],
)
def test_30e_360(first: str, last: str, days: int) -> None:
    assert exact(first, last, THIRTY_360) * 360 == days


@pytest.mark.parametrize("convention", Convention)
def test_what_ends_before_it_begins_is_nothing(convention: Convention) -> None:
    assert exact("2023-05-12", "2023-05-11", convention) == 0
    assert exact("2023-05-12", "2006-05-12", convention) == 0
    assert person_years(date.max, date.min, convention) == 0


def test_decimals_have_ten_places_half_to_even() -> None:
    assert str(person_years(date(2023, 5, 12), date(2023, 5, 12), ACT_365)) == "0.0027397260"
    assert str(to_decimal(Fraction(1))) == "1.0000000000"
    assert str(to_decimal(Fraction(25, 10**11) + 1)) == "1.0000000002"
    assert str(to_decimal(Fraction(35, 10**11) + 1)) == "1.0000000004"


def test_decimals_do_not_depend_on_the_callers_context() -> None:
    with localcontext(prec=3):
        assert str(to_decimal(Fraction(123_456, 7))) == "17636.5714285714"


def test_conventions_have_names() -> None:
    names = ["ACT/365.25", "ACT/365", "months+days/30", "30/360"]

    assert [Convention.named(name).value for name in names] == names
    assert [convention.value for convention in Convention] == names


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        Convention.named("ACT/ACT")

    assert refused.value.message == (
        "'ACT/ACT' is not a convention for person-years; "
        "choose one of ACT/365.25, ACT/365, months+days/30, 30/360"
    )


# ---------------------------------------------------------------- properties

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
LENGTHS = st.integers(1, 5000)
CONVENTIONS = st.sampled_from(Convention)
unhurried = settings(deadline=None)


def last_of(first: date, days: int) -> date:
    return first + timedelta(days - 1)


@unhurried
@given(DAYS, LENGTHS, LENGTHS, st.sampled_from([ACT_365_25, ACT_365, THIRTY_360]))
def test_adjacent_spans_add_up(first: date, days: int, more: int, convention: Convention) -> None:
    middle, last = last_of(first, days), last_of(first, days + more)

    assert person_years_exact(first, last, convention) == person_years_exact(
        first, middle, convention
    ) + person_years_exact(middle + timedelta(1), last, convention)


@unhurried
@given(DAYS, st.integers(1, 40), st.sampled_from([MONTHS_AND_DAYS, THIRTY_360]))
def test_whole_years_are_whole(first: date, years: int, convention: Convention) -> None:
    first = first.replace(day=min(first.day, 28))
    last = first.replace(year=first.year + years) - timedelta(1)

    assert person_years_exact(first, last, convention) == years


@unhurried
@given(DAYS, LENGTHS, CONVENTIONS)
def test_a_longer_span_is_never_less(first: date, days: int, convention: Convention) -> None:
    last = last_of(first, days)

    shorter = person_years_exact(first, last, convention)
    longer = person_years_exact(first, last + timedelta(1), convention)

    assert 0 <= shorter <= longer <= shorter + Fraction(4, 360)


@unhurried
@given(DAYS, LENGTHS, CONVENTIONS)
def test_no_convention_is_far_from_another(first: date, days: int, convention: Convention) -> None:
    last = last_of(first, days)

    difference = person_years_exact(first, last, convention) - Fraction(days * 4, 1461)

    # A leap day more or less in a few years, and the ends of months, three days at most each.
    assert abs(difference) < Fraction(10, 365)


def naive_months(first: date, last: date) -> Fraction:
    """Count months one by one, by the definition, with no arithmetic on the days of months."""
    end = last + timedelta(1)

    def month_begins(number: int) -> date:
        year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
        try:
            return first.replace(year=year, month=month + 1)
        except ValueError:
            return month_begins_after(year, month + 1)

    def month_begins_after(year: int, month: int) -> date:
        return date(year, month + 1, 1)  # December has a day 31, so it never gets here.

    months = 0
    while month_begins(months + 1) <= end:
        months += 1
    return months + Fraction((end - month_begins(months)).days, 30)


@unhurried
@given(DAYS, st.integers(1, 1000))
def test_months_and_days_against_counting(first: date, days: int) -> None:
    last = last_of(first, days)

    assert person_years_exact(first, last, MONTHS_AND_DAYS) * 12 == naive_months(first, last)


@unhurried
@given(st.dates(), st.dates(), CONVENTIONS)
def test_a_decimal_is_the_nearest(first: date, last: date, convention: Convention) -> None:
    decimal = person_years(first, last, convention)

    assert decimal.as_tuple().exponent == -10
    difference = Fraction(decimal) - person_years_exact(first, last, convention)
    assert abs(difference) <= Fraction(1, 2 * 10**10)
