"""Dates held against their definitions, against the package `edtf`, and against sampled clocks."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import edtf as edtf_package
import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from ledger.dates import (
    HomeZone,
    accomplished,
    format_moment,
    known_before,
    parse_edtf,
    parse_moment,
)
from ledger.refusal import Malformed

unhurried = settings(deadline=None)
TICK = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)

# ---------------------------------------------------------------- dates, built from what they mean

DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
RECENT_DAYS = st.dates(date(2019, 1, 1), date(2025, 12, 31))


def spans(days: st.SearchStrategy[date]) -> st.SearchStrategy[str]:
    """A day, or the month or the year it is in; perhaps approximate."""
    return st.builds(
        lambda day, length, about: day.isoformat()[:length] + about,
        days,
        st.sampled_from([4, 7, 10]),
        st.sampled_from(["", "~"]),
    )


def days_of(span: str) -> Iterator[date]:
    """The days that a span names: those of its year whose text begins like it."""
    beginning = span.removesuffix("~")
    first = date(int(span[:4]), 1, 1).toordinal()
    for ordinal in range(first, min(first + 366, date.max.toordinal() + 1)):
        day = date.fromordinal(ordinal)
        if day.isoformat().startswith(beginning):
            yield day


@unhurried
@given(spans(DAYS))
def test_a_span_has_the_days_that_begin_like_it(span: str) -> None:
    days = list(days_of(span))
    edtf = parse_edtf(span)

    assert edtf.text == span
    assert (edtf.earliest, edtf.latest) == (days[0], days[-1])


@unhurried
@given(spans(RECENT_DAYS), spans(RECENT_DAYS))
def test_forms_of_two_spans(a: str, b: str) -> None:
    days_of_a, days_of_b = list(days_of(a)), list(days_of(b))
    if days_of_b[-1] < days_of_a[0]:
        for text in (f"{a}/{b}", f"[{a}..{b}]"):
            with pytest.raises(Malformed, match="ends before it begins"):
                parse_edtf(text)
        return

    duration, within, going_on = (
        parse_edtf(text) for text in (f"{a}/{b}", f"[{a}..{b}]", f"{a}/..")
    )

    assert (duration.earliest, duration.latest) == (days_of_b[-1], days_of_b[-1])
    assert (within.earliest, within.latest) == (days_of_a[0], days_of_b[-1])
    assert (going_on.earliest, going_on.latest) == (days_of_a[0], days_of_a[0])


@unhurried
@given(spans(RECENT_DAYS), spans(RECENT_DAYS), RECENT_DAYS)
def test_a_fact_is_accomplished_on_a_day_up_to_its_recording(a: str, b: str, day: date) -> None:
    assume(min(days_of(a)) <= max(days_of(b)))
    edtf = parse_edtf(f"[{a}..{b}]")
    days = [edtf.earliest + timedelta(n) for n in range((edtf.latest - edtf.earliest).days + 1)]
    days = [candidate for candidate in days if candidate <= day] or days

    assert accomplished(edtf, day) == (days[0], days[-1])


@unhurried
@given(
    spans(RECENT_DAYS), spans(RECENT_DAYS), st.sampled_from(["{}", "{}/..", "{}/{}", "[{}..{}]"])
)
def test_words_name_every_year_and_every_doubt(a: str, b: str, form: str) -> None:
    try:
        edtf = parse_edtf(form.format(a, b))
    except Malformed:
        reject()

    words = edtf.in_words

    used = [a, b][: form.count("{}")]
    assert all(span[:4] in words for span in used)
    assert ("about" in words) == any(span.endswith("~") for span in used)
    assert words == " ".join(words.split())
    assert not any(sign in words for sign in "~[]/.")


# ---------------------------------------------------------------- the package edtf

# Where `edtf` 5.0.2 is wrong, or stricter, it is left out here:
# - `2006/..`: upper_strict() is the float inf where every other form gives a struct_time;
# - `2023-08-29/2023-08-27` and `[2023..2021]` are accepted, and their bounds are reversed;
# - `[2023~..2024]` and `[2023-08..2023-08-29]` (bounds that are approximate or of unequal
#   precision) are refused;
# - `0000` is accepted, a year before the first of Python's dates.


def strict_bounds(text: str) -> tuple[date, date]:
    parsed = edtf_package.parse_edtf(text)
    lower, upper = (date(*moment[:3]) for moment in (parsed.lower_strict(), parsed.upper_strict()))
    return lower, upper


# It takes 10 ms a date, so the examples are few.
@settings(deadline=None, max_examples=25)
@given(spans(DAYS))
def test_a_span_agrees_with_the_package(span: str) -> None:
    edtf = parse_edtf(span)

    assert (edtf.earliest, edtf.latest) == strict_bounds(span)


@settings(deadline=None, max_examples=25)
@given(spans(DAYS), spans(DAYS))
def test_a_duration_ends_when_the_package_says(a: str, b: str) -> None:
    text = f"{min(a, b)}/{max(a, b)}"
    edtf = parse_edtf(text)

    assert edtf.latest == strict_bounds(text)[1]


@settings(deadline=None, max_examples=25)
@given(DAYS, DAYS, st.sampled_from([4, 7, 10]))
def test_bounds_agree_with_the_package(a: date, b: date, length: int) -> None:
    text = f"[{min(a, b).isoformat()[:length]}..{max(a, b).isoformat()[:length]}]"
    edtf = parse_edtf(text)

    assert (edtf.earliest, edtf.latest) == strict_bounds(text)


@settings(deadline=None, max_examples=15)
@given(spans(DAYS))
def test_what_goes_on_begins_when_the_package_says(a: str) -> None:
    lower = edtf_package.parse_edtf(f"{a}/..").lower_strict()

    assert parse_edtf(f"{a}/..").earliest == date(*lower[:3])


# ---------------------------------------------------------------- any text at all

NEARLY_DATES = st.text("0123456789-~/.[]TZ:+?% X٣", max_size=28)
MANGLED_DATES = st.builds(
    lambda text, place, sign: text[:place] + sign + text[place + 1 :],
    st.one_of(
        spans(DAYS),
        st.builds("[{}..{}]".format, spans(DAYS), spans(DAYS)),
        st.builds("{}T12:30:00+06:00".format, DAYS),
        st.builds("{}T12:30:00.000000Z".format, DAYS),
    ),
    st.integers(0, 28),
    st.sampled_from([*"0123456789-~/.[]TZ:+?% X٣\n", ""]),
)
TEXTS = st.one_of(st.text(), NEARLY_DATES, MANGLED_DATES)


def known_before_in_almaty(text: str) -> datetime:
    return known_before(text, HomeZone("Asia/Almaty"))


def known_before_in_bogota(text: str) -> datetime:
    return known_before(text, HomeZone("America/Bogota"))


@pytest.mark.parametrize(
    "read", [parse_edtf, parse_moment, known_before_in_almaty, known_before_in_bogota]
)
@unhurried
@given(TEXTS)
@example("9999-12-31")
@example("9999-12-31T23:59:59.999999-00:01")
@example("\ud800")
def test_any_text_is_read_or_refused_in_one_line(read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except Malformed as refused:
        assert refused.message.isprintable()  # noqa: PT017  # It isn't always refused.


@unhurried
@given(TEXTS)
def test_what_is_read_is_kept_and_ordered(text: str) -> None:
    try:
        edtf = parse_edtf(text)
    except Malformed:
        return
    assert edtf.text == text
    assert text.isascii()
    assert edtf.earliest <= edtf.latest


# ---------------------------------------------------------------- days in many zones

ALL_ZONES = sorted(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())
CLOCKS_SET = [
    # Zones and days on which a midnight, or the whole day, was skipped or shown twice.
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Asia/Beirut", date(2022, 3, 27)),
    ("Asia/Almaty", date(2024, 3, 1)),
    ("America/Havana", date(2022, 11, 6)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("America/Toronto", date(1919, 3, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("America/Juneau", date(1867, 10, 18)),
    ("Asia/Manila", date(1844, 12, 31)),
]
ZONES_AND_DAYS = st.one_of(
    st.tuples(st.sampled_from(ALL_ZONES), st.dates(date(1840, 1, 1), date(2040, 12, 31))),
    st.builds(
        lambda zone_and_day, offset: (zone_and_day[0], zone_and_day[1] + timedelta(offset)),
        st.sampled_from(CLOCKS_SET),
        st.integers(-2, 2),
    ),
)
INSTANTS = st.timedeltas(timedelta(days=-130 * 365), timedelta(days=70 * 365)).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)
FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


def clock_of(name: str) -> zoneinfo.ZoneInfo:
    """The clock of a zone by the package `tzdata`, as the machine's rules may be older."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return zoneinfo.ZoneInfo.from_file(rules)


@unhurried
@given(ZONES_AND_DAYS)
def test_a_day_begins_when_the_clock_leaves_the_one_before_for_good(
    zone_and_day: tuple[str, date],
) -> None:
    name, day = zone_and_day
    start, clock = HomeZone(name).start_of(day), clock_of(name)
    utc_midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def shown(moment: datetime) -> date:
        return moment.astimezone(clock).date()

    # No clock has ever been more than 16 hours from UTC; skipped or repeated days add 24.
    for quarter in range(-4 * 41, 4 * 41):
        moment = utc_midnight + timedelta(minutes=15 * quarter)
        assert shown(moment) >= day or moment < start
    assert shown(start) >= day
    assert shown(start - TICK) < day


@unhurried
@given(ZONES_AND_DAYS, INSTANTS)
def test_days_follow_each_other_without_gap_or_overlap(
    zone_and_day: tuple[str, date], moment: datetime
) -> None:
    zone = HomeZone(zone_and_day[0])
    day = zone_and_day[1]
    start, end = zone.start_of(day), zone.end_of(day)

    assert start <= end == zone.start_of(day + ONE_DAY)
    if start < end:
        assert zone.day_of(start) == zone.day_of(end - TICK) == day
    assert zone.day_of(end) > day
    assert zone.start_of(zone.day_of(moment)) <= moment < zone.end_of(zone.day_of(moment))


@unhurried
@given(ZONES_AND_DAYS, st.integers(-200_000, 200_000))
def test_a_plain_day_includes_what_was_recorded_on_it(
    zone_and_day: tuple[str, date], seconds: int
) -> None:
    name, day = zone_and_day
    zone = HomeZone(name)
    moment = zone.end_of(day) + timedelta(seconds=seconds)

    assert (zone.day_of(moment) <= day) == (moment < known_before(day.isoformat(), zone))


@unhurried
@given(INSTANTS, INSTANTS, st.sampled_from(ALL_ZONES))
def test_a_moment_includes_itself_and_nothing_later(
    asked: datetime, recorded: datetime, name: str
) -> None:
    # Where an offset has seconds, long ago, ISO 8601 can't write it.
    there = asked.astimezone(clock_of(name))
    assume(re.search(r"[+-]\d\d:\d\d\Z", there.isoformat()))
    before = known_before(there.isoformat(), HomeZone("Asia/Almaty"))

    assert (recorded <= asked) == (recorded < before)
    assert before == asked + TICK


@unhurried
@given(ZONES_AND_DAYS)
def test_a_registers_day_falls_on_that_day_at_home_and_in_utc(
    zone_and_day: tuple[str, date],
) -> None:
    name, day = zone_and_day
    zone = HomeZone(name)
    moment = zone.recorded_on(day, FAR_FUTURE)

    assert moment.utcoffset() == timedelta(0)
    assert moment.date() == day
    assert moment <= zone.recorded_on(day + ONE_DAY, FAR_FUTURE)
    if zone.start_of(day) < zone.end_of(day):
        assert zone.day_of(moment) == day
        assert moment < known_before(day.isoformat(), zone)


@unhurried
@given(ZONES_AND_DAYS, INSTANTS)
def test_a_registers_day_is_never_recorded_after_now(
    zone_and_day: tuple[str, date], now: datetime
) -> None:
    name, day = zone_and_day
    zone = HomeZone(name)

    assert zone.recorded_on(day, now) == min(now, zone.recorded_on(day, FAR_FUTURE))
    today = zone.day_of(now)
    assert zone.day_of(zone.recorded_on(today, now)) == today


@unhurried
@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(ALL_ZONES))
def test_stored_moments_come_back_and_sort_as_text(moment: datetime, name: str) -> None:
    text = format_moment(moment)

    assert parse_moment(text) == moment
    assert format_moment(parse_moment(text)) == text
    assert (text < format_moment(datetime(2023, 6, 30, tzinfo=UTC))) == (
        moment < datetime(2023, 6, 30, tzinfo=UTC)
    )
    assume(2 <= moment.year <= 9998)
    assert format_moment(moment.astimezone(clock_of(name))) == text
