"""Person-years: how much of a year a span of days is, by a convention that is always named.

Both ends of a span belong to it: somebody who joined and left on the same day served one day. For
the conventions that reckon in months it is the half-open span from the first day up to the day
after the last. Nothing is rounded before the end: add the exact fractions, then round once.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import NamedTuple, assert_never

from ledger.refusal import Malformed

_PLACES = 10


class Convention(Enum):
    """How days become years; the value is the convention's name."""

    ACT_365_25 = "ACT/365.25"
    """The days, over a mean year of 365.25."""

    ACT_365 = "ACT/365"
    """The days, over 365; a leap year is more than one."""

    MONTHS_AND_DAYS = "months+days/30"
    """Whole months, and the days that remain as thirtieths of one; over 12.

    A month runs from day n to the day before day n of the next month. Where the next month has no
    day n, it runs to that month's last day: from 31 January to 28 February. All months are counted
    from the first day, so the one after that runs from 1 March to 30 March. The days that remain
    are 30 at most, so a longer span is never less.
    """

    THIRTY_360 = "30/360"
    """Every month has 30 days, and the year 360: the variant 30E/360; a 31st counts as a 30th.

    Chosen over the US variant as it alone can be added up: it is the difference of a number that
    each day has. A single 30th of a long month counts nothing, and 28 February of a common year
    three days.
    """

    @classmethod
    def named(cls, name: str) -> Convention:
        """The convention of that name, or `Malformed`."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(convention.value for convention in cls)
            raise Malformed(
                f"{name[:60]!r} is not a convention for person-years; choose one of {known}"
            ) from None


def person_years_exact(first: date, last: date, convention: Convention) -> Fraction:
    """The years from `first` to `last`, both included; 0 if `last` is before `first`."""
    if last < first:
        return Fraction(0)
    match convention:
        case Convention.ACT_365_25:
            return Fraction(4 * _days(first, last), 4 * 365 + 1)
        case Convention.ACT_365:
            return Fraction(_days(first, last), 365)
        case Convention.MONTHS_AND_DAYS:
            return _months(first, _day_after(last)) / 12
        case Convention.THIRTY_360:
            return Fraction(_number_30e(_day_after(last)) - _number_30e(_calendar_day(first)), 360)
    assert_never(convention)


def person_years(first: date, last: date, convention: Convention) -> Decimal:
    """The years from `first` to `last`, both included, to 10 places, half to even."""
    return to_decimal(person_years_exact(first, last, convention))


def to_decimal(exact: Fraction) -> Decimal:
    """An exact number, such as a sum of years or a ratio, to 10 places, half to even."""
    # From text, since arithmetic would round to the precision of the caller's context.
    return Decimal(f"{round(exact * 10**_PLACES)}e-{_PLACES}")


class _CalendarDay(NamedTuple):
    """A day that may also be 1 January 10000, the day after the last that `date` knows."""

    year: int
    month: int
    day: int


def _calendar_day(day: date) -> _CalendarDay:
    return _CalendarDay(day.year, day.month, day.day)


def _day_after(day: date) -> _CalendarDay:
    if day == date.max:
        return _CalendarDay(day.year + 1, 1, 1)
    return _calendar_day(date.fromordinal(day.toordinal() + 1))


def _days(first: date, last: date) -> int:
    return last.toordinal() - first.toordinal() + 1


def _months(first: date, end: _CalendarDay) -> Fraction:
    """The months from `first` up to `end`, whole ones and thirtieths."""
    months = (end.year - first.year) * 12 + end.month - first.month
    if end.day >= first.day:
        return months + Fraction(end.day - first.day, 30)
    # The last whole month ended in the month before `end`, or with it if that has no such day.
    days_before = _length_of_month_before(end) - first.day
    return months - 1 + Fraction(max(days_before, -1) + end.day, 30)


def _length_of_month_before(day: _CalendarDay) -> int:
    # December and January are equally long.
    return monthrange(day.year, day.month - 1)[1] if day.month > 1 else 31


def _number_30e(day: _CalendarDay) -> int:
    return 360 * day.year + 30 * day.month + min(day.day, 30)
