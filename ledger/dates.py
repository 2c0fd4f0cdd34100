"""Dates that are not exact, moments, and the place where a day ends.

*Effective* is when something was true in the world, as precisely as the source says it: a small
part of EDTF (ISO 8601-2), read by `parse_edtf`. *Recorded* is when the ledger took it: a moment in
UTC, whose day depends on the ledger's `HomeZone`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.refusal import Malformed, Unusable

_TICK = timedelta(microseconds=1)
_ONE_DAY = timedelta(days=1)
_BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


# ---------------------------------------------------------------- dates that are not exact


@dataclass(frozen=True, slots=True)
class Edtf:
    """An EDTF date as the source gives it, and the days between which it had happened.

    Made by `parse_edtf`. `earliest` and `latest` are equal where the date is exact.
    """

    text: str
    earliest: date
    latest: date

    @property
    def in_words(self) -> str:
        """The date in English: `27 to 29 August 2023`, `about January 2023`, `since 2006`."""
        form, begin, end = _read(self.text)
        match form:
            case _Form.SINGLE:
                return _words(begin)
            case _Form.LASTED:
                return _lasted_in_words(begin, end)
            case _Form.WITHIN:
                return _within_in_words(begin, end)
            case _Form.OPEN:
                return f"since {_words(begin)}"


class Bounds(NamedTuple):
    """The first day on which it may have happened, and the day by which it had."""

    earliest: date
    latest: date


@lru_cache(maxsize=16_384)
def parse_edtf(text: str) -> Edtf:
    """Read an EDTF date; raise `Malformed`, saying what is wrong and what is accepted.

    | form | | earliest | latest |
    |---|---|---|---|
    | `2023-05-12`, `2023-05`, `2023` | a day, a month, a year | its first day | its last day |
    | `2023-01~` | about then | the same: how far *about* reaches, nobody said | the same |
    | `a/b` | lasted from a to b | the last day of b | the last day of b |
    | `[a..b]` | one unknown day or span between | the first day of a | the last day of b |
    | `a/..` | goes on | the first day of a | the first day of a |

    Here a and b are any of the first four. The text is kept as given.
    """
    try:
        form, begin, end = _read(text)
    except ValueError as reason:
        raise Malformed(f"{_shown(text)} is not a date: {reason}; {_ACCEPTED}") from None
    match form:
        case _Form.SINGLE | _Form.WITHIN:
            return Edtf(text, begin.first, end.last)
        case _Form.LASTED:
            return Edtf(text, end.last, end.last)
        case _Form.OPEN:
            return Edtf(text, begin.first, begin.first)


def accomplished(edtf: Edtf, recorded_day: date) -> Bounds:
    """The bounds of a fact that was recorded on `recorded_day`.

    An accomplished fact had happened by the day on which it was recorded, so its latest day is cut
    there. If even its earliest day is later, it is a plan or a stated future effect: kept whole.
    """
    if edtf.earliest > recorded_day:
        return Bounds(edtf.earliest, edtf.latest)
    return Bounds(edtf.earliest, min(edtf.latest, recorded_day))


class _Form(Enum):
    SINGLE = "a"
    LASTED = "a/b"
    WITHIN = "[a..b]"
    OPEN = "a/.."


class _Precision(Enum):
    """What a calendar date names, by the number of its components."""

    YEAR = 1
    MONTH = 2
    DAY = 3


class _Span(NamedTuple):
    """A day, a month or a year, by its first and its last day."""

    first: date
    last: date
    precision: _Precision
    is_approximate: bool = False

    def contains(self, other: _Span) -> bool:
        return self.first <= other.first and other.last <= self.last


class _Reading(NamedTuple):
    """The form of a date and the spans in it; both are the same where the form has only one."""

    form: _Form
    begin: _Span
    end: _Span


_DATE = r"([0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?~?)"
_SHAPES = (
    (_Form.SINGLE, re.compile(_DATE)),
    (_Form.LASTED, re.compile(rf"{_DATE}/{_DATE}")),
    (_Form.WITHIN, re.compile(rf"\[{_DATE}\.\.{_DATE}\]")),
    (_Form.OPEN, re.compile(rf"{_DATE}/\.\.")),
)
# The names in Python's calendar would follow the locale of the process.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SEASONS = range(21, 42)  # Where a month stands, EDTF also has seasons, quarters and the like.
_ACCEPTED = (
    "accepted are YYYY-MM-DD, YYYY-MM and YYYY, each with or without a ~ behind it for about, "
    "a/b for what lasted from a to b, [a..b] for an unknown day between them, "
    "and a/.. for what goes on"
)


def _read(text: str) -> _Reading:
    """Take a date apart; raise ValueError with what is wrong with it, as half a sentence."""
    for form, shape in _SHAPES:
        match = shape.fullmatch(text)
        if match:
            spans = [_span(written) for written in match.groups()]
            reading = _Reading(form, spans[0], spans[-1])
            if reading.end.last < reading.begin.first:
                raise ValueError("it ends before it begins")
            return reading
    raise ValueError(_why_not(text))


def _span(written: str) -> _Span:
    """The span of a text of the right shape; raise ValueError if the calendar lacks it."""
    is_approximate = written.endswith("~")
    year, *month_and_day = (int(digits) for digits in written.removesuffix("~").split("-"))
    precision = _Precision(1 + len(month_and_day))
    if year == 0:
        raise ValueError("there is no year 0000, years run from 0001 to 9999")
    if not month_and_day:
        return _Span(date(year, 1, 1), date(year, 12, 31), precision, is_approximate)
    month = month_and_day[0]
    if month in _SEASONS:
        raise ValueError(f"{month} stands for a season, write its months as [a..b]")
    if not 1 <= month <= 12:
        raise ValueError(f"month {month:02} does not exist")
    last_day = monthrange(year, month)[1]
    if precision is _Precision.MONTH:
        return _Span(date(year, month, 1), date(year, month, last_day), precision, is_approximate)
    if not 1 <= month_and_day[1] <= last_day:
        raise ValueError(f"{_MONTHS[month - 1]} {year:04} has the days 01 to {last_day}")
    day = date(year, month, month_and_day[1])
    return _Span(day, day, precision, is_approximate)


# What people write instead, found by the first pattern that occurs in it, and what to do.
_ADVICE = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"\A\s*\Z", "it is empty"),
        (r"\A\s|\s\Z", "there are blanks around it, leave them out"),
        (r"[^\x00-\x7f]", "it has signs other than ASCII, write only 0 to 9 - / . ~ [ ]"),
        (r"[?%]", "? and % are not kept, write ~ for about or [a..b] for its bounds"),
        (r"[0-9-][Xxu]", "X is not kept, write 2023 for 2023-XX and [2020..2029] for 202X"),
        (r"\A-|\A[Yy][0-9-]|\A\+?[0-9]{5}[0-9-]*~?\Z", "years have four digits, 0001 to 9999"),
        (r"[0-9][Tt ][0-9]", "it has a time of day, write the day alone"),
        (r"[A-Za-z]", "it has words in it, write it in digits, as in 2023-05"),
        (r"[{},]", "it lists several dates, write [a..b] for one day between bounds"),
        (r"\A\[\.\.|\.\.\]\Z", "a bound is missing, write both, [a..b]"),
        (r"\A\[[^.]*/", "the bounds in [ ] are separated by two dots, [a..b]"),
        (r"\A(\.\.)?/", "it has no beginning, write a/b or, if that says enough, its end alone"),
        (r"/\Z", "it has no end, write a/.. if it goes on"),
        (r"\A[0-9~-]+\.\.[0-9~-]+\Z", "bounds stand in brackets, [a..b]"),
        (r"~[0-9-]", "~ stands behind a date, as in 2023-05~"),
        (r"\A[0-9]{4}/[0-9]{1,2}(/[0-9]{1,2})?\Z", "hyphens separate year, month and day"),
        (r"\A[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\Z", "the year comes first: 2023-05-12"),
        (r"-[0-9](?![0-9])", "month and day have two digits, as in 2023-05-02"),
    )
)


def _why_not(text: str) -> str:
    """What is wrong with a text of none of the shapes, and what to write instead if we can tell."""
    for pattern, advice in _ADVICE:
        if pattern.search(text):
            return advice
    return "it has none of the forms of a date"


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}… ({len(text)} characters)"


# ---------------------------------------------------------------- dates in words


def _pieces(span: _Span) -> list[str]:
    """What the span is called, the finest piece first, without *about*."""
    # Four digits keep a year 0023, surely a slip, from being read as 2023.
    day, month, year = str(span.first.day), _MONTHS[span.first.month - 1], f"{span.first.year:04}"
    return [day, month, year][-span.precision.value :]


def _words(span: _Span) -> str:
    return " ".join((["about"] if span.is_approximate else []) + _pieces(span))


def _joined(begin: _Span, conjunction: str, end: _Span) -> str:
    """Two different spans, saying only once what they share: `30 August to 2 September 2023`."""
    left, right = _pieces(begin), _pieces(end)
    if begin.is_approximate or end.is_approximate or len(left) != len(right):
        # `about January to March 2023` would not say which of them is about.
        return f"{_words(begin)} {conjunction} {_words(end)}"
    while left[-1] == right[-1]:
        left.pop()
        right.pop()
    return f"{' '.join(left)} {conjunction} {_words(end)}"


def _lasted_in_words(begin: _Span, end: _Span) -> str:
    if begin == end:
        is_day = begin.precision is _Precision.DAY
        return _words(begin) if is_day else f"within {_words(begin)}"
    if begin.precision is not end.precision:
        # A year may begin or end with a part of itself: `12 May 2023 to some time in 2023`.
        if begin.contains(end):
            return f"some time in {_words(begin)} to {_words(end)}"
        if end.contains(begin):
            return f"{_words(begin)} to some time in {_words(end)}"
    return _joined(begin, "to", end)


def _within_in_words(begin: _Span, end: _Span) -> str:
    if begin == end:
        is_day = begin.precision is _Precision.DAY
        return _words(begin) if is_day else f"on an unknown day in {_words(begin)}"
    overlaps = begin.contains(end) or end.contains(begin)
    if overlaps and not (begin.is_approximate or end.is_approximate):
        # `between 2023 and May 2023` makes no sense until the days are named.
        return _within_in_words(
            _Span(begin.first, begin.first, _Precision.DAY),
            _Span(end.last, end.last, _Precision.DAY),
        )
    return f"on an unknown day between {_joined(begin, 'and', end)}"


# ---------------------------------------------------------------- years and periods

_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def check_year(year: int, *, field: str = "fiscal_year") -> None:
    """Refuse, with `Malformed`, a year that an organization of our time has no business in."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Malformed(f"{year} is not a {field.replace('_', ' ')}", field=field)


def check_period(start: date, end: date, *, field: str = "period_end") -> None:
    """Refuse, with `Malformed`, a period that ends before it begins; one day is a period."""
    if end < start:
        raise Malformed(f"the period ends on {end}, before it begins on {start}", field=field)


# ---------------------------------------------------------------- where a day ends

_MOST_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class HomeZone:
    """The time zone in which the ledger's plain days begin and end, by its IANA name.

    Its days follow each other without gap or overlap: a day begins when the clock leaves the one
    before for the last time. (Clocks have been put back from one minute past midnight, so that a
    date was shown twice.) A day that the zone skipped is empty: it begins where it ends.

    Raises `Unusable` for an unknown name. The rules come from the package `tzdata`, not from the
    machine: an older machine would put the end of the same day elsewhere.
    """

    name: str
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _days: dict[datetime, date] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in _zone_names():
            raise Unusable(_no_such_zone(self.name))
        source = files("tzdata").joinpath("zoneinfo", *self.name.split("/"))
        with source.open("rb") as rules:
            object.__setattr__(self, "_zone", ZoneInfo.from_file(rules, key=self.name))

    def day_of(self, moment: datetime) -> date:
        """The day to which an aware `moment` belongs here; it never decreases with the moment."""
        # Entries that were recorded together share their moment, and a register's rows their days.
        day = self._days.get(moment)
        if day is None:
            if len(self._days) >= _MOST_REMEMBERED:
                self._days.clear()
            day = self._days[moment] = self._compute_day_of(moment)
        return day

    def _compute_day_of(self, moment: datetime) -> date:
        day = self._shown_by_clock(_checked_aware(moment))
        return day - _ONE_DAY if moment < self.start_of(day) else day

    def start_of(self, day: date) -> datetime:
        """The first moment of `day` here, in UTC."""
        return _start_of(self, day)

    def _compute_start_of(self, day: date) -> datetime:
        if day == date.min:
            return _BEGINNING_OF_TIME
        first, second = self._midnight(day, fold=0), self._midnight(day, fold=1)
        if first < second:
            # The clock showed this midnight twice; did it fall back into the day before?
            return second if self._shown_by_clock(second - _TICK) < day else first
        if second < first:
            return self._jump_into(day, second, first)
        return first

    def end_of(self, day: date) -> datetime:
        """The moment at which the next day begins here, in UTC: the exclusive end of `day`."""
        return _END_OF_TIME if day == date.max else self.start_of(day + _ONE_DAY)

    def recorded_on(self, day: date, now: datetime) -> datetime:
        """The moment for which an older register's plain `day` stands, in UTC.

        That is the later of midnight in UTC and midnight here, which falls on `day` in both; but
        never after `now`, the present moment: today's register may be imported before midnight in
        UTC. To refuse a day that is still to come, `day > day_of(now)`, is for the caller.
        """
        utc_midnight = datetime.combine(day, time(), UTC)
        return min(max(utc_midnight, self.start_of(day)), _moved(_checked_aware(now), UTC))

    def _shown_by_clock(self, moment: datetime) -> date:
        return _moved(moment, self._zone).date()

    def _midnight(self, day: date, *, fold: int) -> datetime:
        return _moved(datetime.combine(day, time(fold=fold), self._zone), UTC)

    def _jump_into(self, day: date, before: datetime, after: datetime) -> datetime:
        """When, between two moments, a clock that jumps over midnight first shows `day` or later.

        Clocks are set on whole seconds.
        """
        seconds = bisect_left(
            range((after - before) // timedelta(seconds=1)),
            x=True,
            key=lambda second: self._shown_by_clock(before + timedelta(seconds=second)) >= day,
        )
        return before + timedelta(seconds=seconds)


# A register's rows share their days.
@lru_cache(maxsize=_MOST_REMEMBERED)
def _start_of(zone: HomeZone, day: date) -> datetime:
    return zone._compute_start_of(day)  # noqa: SLF001  # A cached method would lose its type.


@cache
def _zone_names() -> frozenset[str]:
    """The names of all zones, in their one spelling (file systems may take others too)."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def _no_such_zone(name: str) -> str:
    by_folded_name = {known.casefold(): known for known in sorted(_zone_names())}
    near = get_close_matches(name.casefold()[:60], by_folded_name, n=1)
    guess = f"did you mean {by_folded_name[near[0]]!r}? " if near else ""
    return f"{_shown(name)} is not a time zone; {guess}give an IANA name like 'Asia/Almaty'"


def _checked_aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} says no offset from UTC, so it is not a moment")
    return moment


def _moved(moment: datetime, zone: tzinfo) -> datetime:
    """The same moment in another zone; at the ends of the calendar, the nearest it can express."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        is_first_year = moment.year == date.min.year
        return (_BEGINNING_OF_TIME if is_first_year else _END_OF_TIME).replace(tzinfo=zone)


# ---------------------------------------------------------------- moments as text

_INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?P<time>T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<offset>Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_STORED_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)


def known_before(text: str, zone: HomeZone) -> datetime:
    """The moment, in UTC, before which all that was recorded is known as of `text`.

    `text` is a plain day, `2023-06-30`, which includes that day at home; or an ISO 8601 moment
    with its offset, `2023-06-30T18:00:00+06:00`, which includes that moment. Either way the answer
    is the exclusive end. Raises `Malformed` for anything else.
    """
    try:
        match = _INSTANT.fullmatch(text)
        if not match:
            raise ValueError("it has neither of the two forms")
        day = _span(match["day"]).first
        if not match["time"]:
            return zone.end_of(day)
        if not match["offset"]:
            raise ValueError("its offset is missing")
        if len(match["fraction"] or "") > 6:
            raise ValueError("it is finer than a microsecond")
        moment = _utc(text)
    except ValueError as reason:
        raise Malformed(
            f"{_shown(text)} is not a point in time: {reason}; write a day, 2023-06-30, or a "
            "moment with its offset, 2023-06-30T18:00:00+06:00 or 2023-06-30T12:00:00Z"
        ) from None
    return min(moment, _END_OF_TIME - _TICK) + _TICK


@lru_cache(maxsize=4_096)
def format_moment(moment: datetime) -> str:
    """An aware moment in its one stored form, in UTC: `2023-06-30T00:00:00.000000Z`."""
    in_utc = _checked_aware(moment).astimezone(UTC).replace(tzinfo=None)
    return f"{in_utc.isoformat(timespec='microseconds')}Z"


def parse_moment(text: str) -> datetime:
    """The moment, in UTC, that `format_moment` wrote; `Malformed` for any other text."""
    try:
        if not _STORED_MOMENT.fullmatch(text):
            raise ValueError("it has another form")
        _span(text[:10])
        return _utc(text)
    except ValueError as reason:
        raise Malformed(
            f"{_shown(text)} is not a stored moment: {reason}; "
            "one looks like 2023-06-30T00:00:00.000000Z"
        ) from None


def _utc(text: str) -> datetime:
    """An ISO 8601 moment of a checked form, in UTC; raise ValueError if it leaves the calendar."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it lies outside the years 0001 to 9999") from None
