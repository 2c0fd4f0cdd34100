"""Dates that are not exact, and where a day ends: known values, wordings and refusals."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ledger.dates import (
    Bounds,
    HomeZone,
    accomplished,
    format_moment,
    known_before,
    parse_edtf,
    parse_moment,
)
from ledger.refusal import Malformed, Unusable

ALMATY = HomeZone("Asia/Almaty")
UTC_ZONE = HomeZone("UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2023-05-12", "2023-05-12", "2023-05-12"),
        ("2023-05", "2023-05-01", "2023-05-31"),
        ("2023", "2023-01-01", "2023-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("2000-02", "2000-02-01", "2000-02-29"),
        ("0001", "0001-01-01", "0001-12-31"),
        ("9999-12", "9999-12-01", "9999-12-31"),
        ("2023-01~", "2023-01-01", "2023-01-31"),
        ("2023~", "2023-01-01", "2023-12-31"),
        ("2023-05-12~", "2023-05-12", "2023-05-12"),
        ("2023-08-27/2023-08-29", "2023-08-29", "2023-08-29"),
        ("2023-05/2023-07", "2023-07-31", "2023-07-31"),
        ("2023/2024-02~", "2024-02-29", "2024-02-29"),
        ("2023-05-12/2023-05", "2023-05-31", "2023-05-31"),
        ("2023-05-12/2023-05-12", "2023-05-12", "2023-05-12"),
        ("[2021-11..2023-11]", "2021-11-01", "2023-11-30"),
        ("[1999..2002]", "1999-01-01", "2002-12-31"),
        ("[2023-05-12..2023-05-20]", "2023-05-12", "2023-05-20"),
        ("[2023-08-29..2023-08]", "2023-08-29", "2023-08-31"),
        ("[1999~..2002-03]", "1999-01-01", "2002-03-31"),
        ("2006/..", "2006-01-01", "2006-01-01"),
        ("2006-05-03~/..", "2006-05-03", "2006-05-03"),
    ],
)
def test_bounds(text: str, earliest: str, latest: str) -> None:
    edtf = parse_edtf(text)

    assert edtf.text == text
    assert edtf.earliest.isoformat() == earliest
    assert edtf.latest.isoformat() == latest


def test_a_date_is_a_value() -> None:
    edtf = parse_edtf("2023-05")

    assert edtf == parse_edtf("2023-05")
    assert edtf != parse_edtf("2023-05~"), "the text is part of it, though the bounds are equal"
    with pytest.raises(FrozenInstanceError):
        edtf.text = "2024"  # type: ignore[misc]  # That it is refused is what is tested.


@pytest.mark.parametrize(
    ("text", "recorded", "earliest", "latest"),
    [
        # Bangladesh's instrument: dated 2023, recorded on 30 June.
        ("2023", "2023-06-30", "2023-01-01", "2023-06-30"),
        ("2023-05-12", "2023-06-30", "2023-05-12", "2023-05-12"),
        ("2023-06-30", "2023-06-30", "2023-06-30", "2023-06-30"),
        ("[2021-11..2023-11]", "2023-11-01", "2021-11-01", "2023-11-01"),
        ("2023-06", "2023-06-01", "2023-06-01", "2023-06-01"),
        # Plans and stated future effects.
        ("2023-07", "2023-06-30", "2023-07-01", "2023-07-31"),
        ("2023-06-27/2023-07-02", "2023-06-30", "2023-07-02", "2023-07-02"),
        ("2030/..", "2023-06-30", "2030-01-01", "2030-01-01"),
    ],
)
def test_an_accomplished_fact_had_happened_when_it_was_recorded(
    text: str, recorded: str, earliest: str, latest: str
) -> None:
    bounds = accomplished(parse_edtf(text), date.fromisoformat(recorded))

    assert bounds == Bounds(date.fromisoformat(earliest), date.fromisoformat(latest))


# ---------------------------------------------------------------- wordings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2023-05-12", "12 May 2023"),
        ("2023-05-02", "2 May 2023"),
        ("2023-05", "May 2023"),
        ("2023", "2023"),
        ("0023-05-12", "12 May 0023"),
        ("2023-05-12~", "about 12 May 2023"),
        ("2023-01~", "about January 2023"),
        ("2023~", "about 2023"),
    ],
)
def test_a_single_date_in_words(text: str, words: str) -> None:
    assert parse_edtf(text).in_words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2023-08-27/2023-08-29", "27 to 29 August 2023"),
        ("2023-08-30/2023-09-02", "30 August to 2 September 2023"),
        ("2022-12-30/2023-01-02", "30 December 2022 to 2 January 2023"),
        ("2022-08-27/2023-08-27", "27 August 2022 to 27 August 2023"),
        ("2023-08-27/2023-09-27", "27 August to 27 September 2023"),
        ("2023-03/2023-05", "March to May 2023"),
        ("2022-05/2023-05", "May 2022 to May 2023"),
        ("1999/2002", "1999 to 2002"),
        ("2022/2023-05-12", "2022 to 12 May 2023"),
        ("2023-03/2023-05-12", "March 2023 to 12 May 2023"),
        ("2023-01~/2023-03", "about January 2023 to March 2023"),
        ("2023-01/2023-03~", "January 2023 to about March 2023"),
        ("2023-05-12/2023-05-12", "12 May 2023"),
        ("2023-05/2023-05", "within May 2023"),
        ("2023~/2023~", "within about 2023"),
        ("2023-05-12/2023-05", "12 May 2023 to some time in May 2023"),
        ("2023/2023-05", "some time in 2023 to May 2023"),
        ("2023-05~/2023-05", "about May 2023 to May 2023"),
    ],
)
def test_a_duration_in_words(text: str, words: str) -> None:
    assert parse_edtf(text).in_words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[2021-11..2023-11]",
            "on an unknown day between November 2021 and November 2023",
        ),
        ("[2023-01..2023-10]", "on an unknown day between January and October 2023"),
        ("[1999..2002]", "on an unknown day between 1999 and 2002"),
        ("[2023-05-12..2023-05-20]", "on an unknown day between 12 and 20 May 2023"),
        ("[2023-05-12..2023-06-12]", "on an unknown day between 12 May and 12 June 2023"),
        ("[2022..2023-05]", "on an unknown day between 2022 and May 2023"),
        ("[1999~..2002]", "on an unknown day between about 1999 and 2002"),
        ("[2023-05..2023-05]", "on an unknown day in May 2023"),
        ("[2023..2023]", "on an unknown day in 2023"),
        ("[2023-05-12..2023-05-12]", "12 May 2023"),
        ("[2023..2023-05]", "on an unknown day between 1 January and 31 May 2023"),
        ("[2023-05-12..2023-05]", "on an unknown day between 12 and 31 May 2023"),
        ("[2023-05..2023-05-01]", "1 May 2023"),
        ("[2023~..2023-05]", "on an unknown day between about 2023 and May 2023"),
    ],
)
def test_bounds_in_words(text: str, words: str) -> None:
    assert parse_edtf(text).in_words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2006/..", "since 2006"),
        ("2006-05/..", "since May 2006"),
        ("2006-05-03/..", "since 3 May 2006"),
        ("2006~/..", "since about 2006"),
    ],
)
def test_an_open_end_in_words(text: str, words: str) -> None:
    assert parse_edtf(text).in_words == words


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2023-13", "month 13 does not exist"),
        ("2023-00", "month 00 does not exist"),
        ("2023-02-29", "February 2023 has the days 01 to 28"),
        ("2023-05-00", "May 2023 has the days 01 to 31"),
        ("0000", "there is no year 0000"),
        ("0000-05/2023", "there is no year 0000"),
        ("2023-21", "21 stands for a season"),
        ("2023-34/2024", "34 stands for a season"),
        ("2023-08-29/2023-08-27", "it ends before it begins"),
        ("[2023..2021]", "it ends before it begins"),
        ("", "it is empty"),
        (" \t", "it is empty"),
        (" 2023", "there are blanks around it"),
        ("2023\n", "there are blanks around it"),
        ("٢٠٢٣", "signs other than ASCII"),
        ("2023–2024", "signs other than ASCII"),
        ("2023?", "write ~ for about"),
        ("2023-05%", "write ~ for about"),
        ("2023-XX", "X is not kept"),
        ("202X", "X is not kept"),
        ("-0044", "years have four digits, 0001 to 9999"),
        ("Y17000", "years have four digits, 0001 to 9999"),
        ("20230512", "years have four digits, 0001 to 9999"),
        ("2023-05-12T10:00:00Z", "it has a time of day"),
        ("2023-05-12 10:00", "it has a time of day"),
        ("May 2023", "write it in digits, as in 2023-05"),
        ("{2021,2023}", "it lists several dates"),
        ("[2021,2023]", "it lists several dates"),
        ("[..2023]", "a bound is missing"),
        ("[2021..]", "a bound is missing"),
        ("[2021/2023]", "separated by two dots"),
        ("../2023", "it has no beginning"),
        ("/2023", "it has no beginning"),
        ("2023/", "it has no end, write a/.."),
        ("2021..2023", "bounds stand in brackets, [a..b]"),
        ("~2023", "~ stands behind a date"),
        ("2023~-05", "~ stands behind a date"),
        ("2023/05", "hyphens separate year, month and day"),
        ("2023/05/12", "hyphens separate year, month and day"),
        ("12.05.2023", "the year comes first"),
        ("12/05/2023", "the year comes first"),
        ("2023-5-2", "month and day have two digits"),
        ("2021/2022/2023", "it has none of the forms"),
    ],
)
def test_what_is_not_a_date_is_refused_with_advice(text: str, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_edtf(text)

    said, forms = refused.value.message.split("; ")
    assert said.startswith(f"{text!r} is not a date: ")
    assert reason in said
    assert forms.startswith("accepted are YYYY-MM-DD, YYYY-MM and YYYY, ")
    assert "\n" not in refused.value.message


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(Malformed, match=r"1…? ?.*\(100000 characters\) is not a date") as refused:
        parse_edtf("1" * 100_000)

    assert len(refused.value.message) < 500


# ---------------------------------------------------------------- where a day ends


def test_a_day_ends_at_home() -> None:
    # Almaty was six hours ahead of UTC until the end of February 2024, five from then on.
    assert ALMATY.name == "Asia/Almaty"
    assert ALMATY.start_of(date(2023, 6, 30)) == utc("2023-06-29T18:00")
    assert ALMATY.end_of(date(2023, 6, 30)) == utc("2023-06-30T18:00")
    assert ALMATY.end_of(date(2023, 6, 30)).utcoffset() == timedelta(0)
    assert ALMATY.day_of(utc("2023-06-30T17:59:59.999999")) == date(2023, 6, 30)
    assert ALMATY.day_of(utc("2023-06-30T18:00")) == date(2023, 7, 1)
    assert ALMATY.day_of(datetime.fromisoformat("2023-07-01T01:00+09:00")) == date(2023, 6, 30)


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        # Put back from midnight to 23:00: the day before lasted 25 hours.
        ("Asia/Almaty", "2024-02-29", "2024-02-28T18:00", "2024-02-29T19:00"),
        ("Asia/Almaty", "2024-03-01", "2024-02-29T19:00", "2024-03-01T19:00"),
        # Put forward from midnight to 01:00: there was no midnight.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00", "2022-03-27T21:00"),
        # Put forward and back at night: days of 23 and of 25 hours, a quarter of a century apart.
        ("Europe/Berlin", "1999-03-28", "1999-03-27T23:00", "1999-03-28T22:00"),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00", "2024-10-27T23:00"),
        # Put forward from 23:30 to 00:30: the day began half an hour past midnight.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00"),
        # Put back from 01:00 to midnight: the first midnight is where the day begins.
        ("America/Havana", "2022-11-06", "2022-11-06T04:00", "2022-11-07T05:00"),
        # Put back from 00:01 to 23:01: the second midnight is, since the clock then showed 6
        # November again.
        ("America/St_Johns", "2010-11-07", "2010-11-07T03:30", "2010-11-08T03:30"),
        # 30 December 2011 was skipped: it is empty, between two whole days.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", "2011-12-31T10:00"),
    ],
)
def test_days_on_which_clocks_were_set(zone: str, day: str, start: str, end: str) -> None:
    home = HomeZone(zone)

    assert home.start_of(date.fromisoformat(day)) == utc(start)
    assert home.end_of(date.fromisoformat(day)) == utc(end)


def test_the_minute_after_the_first_midnight_belongs_to_the_day_before() -> None:
    # 00:00:30 on 7 November by the clock, which then showed 6 November for another hour.
    assert HomeZone("America/St_Johns").day_of(utc("2010-11-07T02:30:30")) == date(2010, 11, 6)


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_the_ends_of_the_calendar(name: str) -> None:
    zone = HomeZone(name)

    assert zone.start_of(date.min) == utc("0001-01-01T00:00")
    assert zone.end_of(date.max) == utc("9999-12-31T23:59:59.999999")
    assert zone.day_of(utc("0001-01-01T00:00")) == date.min
    assert zone.day_of(utc("9999-12-31T23:59:59.999999")) == date.max


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Asia/Astana", "did you mean 'Asia/"),
        ("asia/almaty", "did you mean 'Asia/Almaty'"),
        ("Almaty", "give an IANA name like 'Asia/Almaty'"),
        ("Asia", "give an IANA name like 'Asia/Almaty'"),
        ("", "give an IANA name like 'Asia/Almaty'"),
        ("../etc/passwd", "give an IANA name like 'Asia/Almaty'"),
        ("/etc/localtime", "give an IANA name like 'Asia/Almaty'"),
        ("localtime", "give an IANA name like 'Asia/Almaty'"),
        ("\0", "give an IANA name like 'Asia/Almaty'"),
        ("x" * 1000, "(1000 characters)"),
    ],
)
def test_an_unknown_zone_cannot_be_used(name: str, hint: str) -> None:
    with pytest.raises(Unusable) as unusable:
        HomeZone(name)

    assert hint in str(unusable.value)
    assert "\n" not in str(unusable.value)


def test_zones_are_equal_by_name() -> None:
    assert HomeZone("Asia/Almaty") == ALMATY
    assert HomeZone("Asia/Bishkek") != ALMATY
    assert repr(ALMATY) == "HomeZone(name='Asia/Almaty')"


@pytest.mark.parametrize("ask", [ALMATY.day_of, format_moment])
def test_a_time_without_offset_is_not_a_moment(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(ValueError, match="says no offset from UTC"):
        ask(datetime(2023, 6, 30))  # noqa: DTZ001  # A naive time is what must be refused.


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", "2023-06-30", "2023-06-30T00:00"),
        # East of UTC, home's midnight is still the day before in UTC.
        ("Asia/Almaty", "2023-06-30", "2023-06-30T00:00"),
        # West of UTC, midnight in UTC is still the day before at home.
        ("America/Bogota", "2023-06-30", "2023-06-30T05:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),
        # East of UTC, that there was no midnight at home makes no difference.
        ("Asia/Beirut", "2022-03-27", "2022-03-27T00:00"),
        ("Asia/Almaty", "2020-02-29", "2020-02-29T00:00"),
        ("America/Havana", "2020-02-29", "2020-02-29T05:00"),
    ],
)
def test_the_moment_for_which_a_registers_day_stands(zone: str, day: str, expected: str) -> None:
    moment = HomeZone(zone).recorded_on(date.fromisoformat(day), utc("2024-01-01T00:00"))

    assert moment == utc(expected)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-05T02:00"),
        ("Asia/Beirut", "2022-03-26", "2022-03-26T22:00"),
        ("Europe/Berlin", "2024-10-27", "2024-10-27T23:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),
        ("Asia/Almaty", "2024-02-29", "2024-02-29T19:00"),
        ("UTC", "2000-02-29", "2000-03-01T00:00"),
    ],
)
def test_what_is_known_on_a_day_ends_with_it(zone: str, day: str, expected: str) -> None:
    assert known_before(day, HomeZone(zone)) == utc(expected)


@pytest.mark.parametrize("day", ["2023-02-29", "1900-02-29", "2100-02-29", "2024-02-30"])
def test_there_is_no_such_day_in_that_year(day: str) -> None:
    with pytest.raises(Malformed):
        known_before(day, ALMATY)
    with pytest.raises(Malformed, match=r"has the days 01 to 2[89]"):
        parse_edtf(day)


def test_a_registers_day_is_never_recorded_in_the_future() -> None:
    # 01:00 on 30 June in Almaty is still 29 June in UTC.
    now = datetime(2023, 6, 30, 1, tzinfo=timezone(timedelta(hours=6)))

    moment = ALMATY.recorded_on(date(2023, 6, 30), now)

    assert moment == now
    assert moment.utcoffset() == timedelta(0)


# ---------------------------------------------------------------- moments as text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-06-30", "2023-06-30T18:00"),
        ("2024-02-29", "2024-02-29T19:00"),
        ("2023-06-30T00:00:00Z", "2023-06-30T00:00:00.000001"),
        ("2023-06-30T18:00:00+06:00", "2023-06-30T12:00:00.000001"),
        ("2023-06-30T18:00-05:30", "2023-06-30T23:30:00.000001"),
        ("2023-06-30T12:00:00.5Z", "2023-06-30T12:00:00.500001"),
        ("2023-06-30T12:00:00.123Z", "2023-06-30T12:00:00.123001"),
        ("2023-06-30T12:00:00.999999Z", "2023-06-30T12:00:01"),
        ("9999-12-31", "9999-12-31T23:59:59.999999"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001"),
    ],
)
def test_what_is_known_includes_the_day_or_the_moment(text: str, expected: str) -> None:
    before = known_before(text, ALMATY)

    assert before == utc(expected)
    assert before.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has neither of the two forms"),
        ("now", "it has neither of the two forms"),
        ("2023-06", "it has neither of the two forms"),
        (" 2023-06-30", "it has neither of the two forms"),
        ("2023-06-30\n", "it has neither of the two forms"),
        ("٢٠٢٣-06-30", "it has neither of the two forms"),
        ("20230630T000000Z", "it has neither of the two forms"),
        ("2023-06-30T24:00:00Z", "it has neither of the two forms"),
        ("2023-06-30T23:59:60Z", "it has neither of the two forms"),
        ("2023-06-30T12:00:00+24:00", "it has neither of the two forms"),
        ("2023-06-31", "June 2023 has the days 01 to 30"),
        ("2023-06-31T00:00:00Z", "June 2023 has the days 01 to 30"),
        ("2023-13-01", "month 13 does not exist"),
        ("0000-01-01", "there is no year 0000"),
        ("2023-06-30T12:00:00", "its offset is missing"),
        ("2023-06-30T12:00:00.1234567Z", "it is finer than a microsecond"),
        ("9999-12-31T23:00:00-06:00", "in UTC it lies outside the years 0001 to 9999"),
        ("0001-01-01T00:00:00+06:00", "in UTC it lies outside the years 0001 to 9999"),
    ],
)
def test_what_is_not_a_point_in_time_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        known_before(text, ALMATY)

    said, forms = refused.value.message.split("; ")
    assert said.startswith(f"{text!r} is not a point in time: {reason}")
    assert forms.startswith("write a day, 2023-06-30, or a moment with its offset, ")


def test_stored_moments_have_one_form() -> None:
    moment = datetime(2023, 6, 30, 6, tzinfo=timezone(timedelta(hours=6)))

    assert format_moment(moment) == "2023-06-30T00:00:00.000000Z"
    assert format_moment(utc("0987-01-02T03:04:05.000006")) == "0987-01-02T03:04:05.000006Z"
    assert parse_moment("2023-06-30T00:00:00.000000Z") == moment
    assert parse_moment("2023-06-30T00:00:00.000000Z").tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-06-30",
        "2023-06-30T00:00:00Z",
        "2023-06-30T00:00:00.000Z",
        "2023-06-30T00:00:00.000000+00:00",
        "2023-06-30T00:00:00.000000z",
        "2023-06-30 00:00:00.000000Z",
        "2023-06-30T00:00:00.000000Z\n",
        "2023-02-30T00:00:00.000000Z",
        "2023-06-30T24:00:00.000000Z",
        "0000-06-30T00:00:00.000000Z",
    ],
)
def test_any_other_form_of_a_stored_moment_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is not a stored moment: "):
        parse_moment(text)
