"""When treaties enter into force: known cases, and any case against the rule said day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.entry_into_force import (
    Consent,
    Force,
    Instrument,
    Period,
    Rule,
    effect_by_rule,
    entry_into_force,
    instruments_named,
)
from ledger.refusal import Malformed
from tests.properties.strategies import examples

NOTHING = Decimal(0)
THIRTIETH_DAY = "P30D"
FIRST_OF_MONTH_AFTER_SIXTY_DAYS = "P60D first-of-next-month"


def rule(required: int, period: str, *, share: int | None = None) -> Rule:
    """A rule that any instrument counts for, those of organizations not."""
    return Rule(
        required=required,
        kinds=None,
        organizations=False,
        share=None if share is None else Decimal(share),
        period=Period.of(period),
        party_period=Period.of(period),
    )


@dataclass(frozen=True)
class GivenInstruments:
    """Instruments deposited, each with its share, if that matters."""

    consents: list[Consent]

    def when(self, ruled: Rule) -> GivenRule:
        """Under this rule."""
        return GivenRule(ruled, entry_into_force(ruled, self.consents))


@dataclass(frozen=True)
class GivenRule:
    """A rule, and what followed from it."""

    rule: Rule
    force: Force | None

    def then_in_force_on(self, day: str) -> GivenRule:
        """The treaty enters into force on that day."""
        assert self.force is not None
        assert self.force.since == date.fromisoformat(day)
        return self

    def then_for_who_deposits_on(self, deposited: str, day: str) -> GivenRule:
        """It is in force from that day on for whoever deposits then."""
        effect = effect_by_rule(self.rule, self.force, date.fromisoformat(deposited))
        assert effect == date.fromisoformat(day)
        return self

    def then_not_in_force(self) -> None:
        """It does not enter into force, and so for nobody."""
        assert self.force is None
        assert effect_by_rule(self.rule, self.force, date(2023, 1, 1)) is None


def instruments(count: int, last: str, share: str = "0") -> list[Consent]:
    """So many, the last of them deposited on that day, the others before, a week apart."""
    day = date.fromisoformat(last)
    return [Consent(day - timedelta(weeks=weeks), None, Decimal(share)) for weeks in range(count)]


def given_deposits(*sets: list[Consent]) -> GivenInstruments:
    """Begin a sentence: `given_deposits(…).when(rule(…)).then_in_force_on(…)`."""
    return GivenInstruments([consent for deposited in sets for consent in deposited])


# ---------------------------------------------------------------- what happened


def test_the_thirtieth_day_after_the_deposit() -> None:
    given_deposits(instruments(55, "2016-10-05")).when(rule(55, THIRTIETH_DAY)).then_in_force_on(
        "2016-11-04"
    ).then_for_who_deposits_on("2017-02-15", "2017-03-17").then_for_who_deposits_on(
        "2016-10-20", "2016-11-19"
    )


def test_the_first_of_the_month_after_sixty_days() -> None:
    given_deposits(instruments(60, "2002-04-11")).when(
        rule(60, FIRST_OF_MONTH_AFTER_SIXTY_DAYS)
    ).then_in_force_on("2002-07-01")


def test_a_hundred_and_eighty_days() -> None:
    given_deposits(instruments(65, "1996-10-31")).when(rule(65, "P180D")).then_in_force_on(
        "1997-04-29"
    )


def test_the_first_day_of_the_sixth_month_after() -> None:
    given_deposits(instruments(40, "1998-09-16")).when(
        rule(40, "P5M first-of-next-month")
    ).then_in_force_on("1999-03-01")


def test_three_months() -> None:
    given_deposits(instruments(30, "2001-12-06")).when(rule(30, "P3M")).then_in_force_on(
        "2002-03-06"
    )


def test_three_months_and_a_day() -> None:
    period = Period.of("P3M1D")
    assert period.after(date(2011, 9, 9)) == date(2011, 12, 10)


def test_two_conditions_at_once() -> None:
    both = rule(55, THIRTIETH_DAY, share=55)
    # 55 parties that account for 54.9 per cent of emissions, and then for more.
    few_emissions = instruments(55, "2016-09-01", share="0.998")
    given_deposits(few_emissions).when(both).then_not_in_force()
    given_deposits(few_emissions, instruments(1, "2016-10-05", share="12.1")).when(
        both
    ).then_in_force_on("2016-11-04")
    # The share is reached first, and then the number; 55 per cent exactly is enough.
    many_emissions = instruments(54, "2016-09-01", share="1")
    given_deposits(many_emissions).when(both).then_not_in_force()
    given_deposits(many_emissions, instruments(1, "2016-10-05", share="1")).when(
        both
    ).then_in_force_on("2016-11-04")


# ---------------------------------------------------------------- what may happen


def test_one_instrument_less_is_not_enough() -> None:
    given_deposits(instruments(13, "2023-06-30")).when(rule(14, "P30D")).then_not_in_force()
    given_deposits().when(rule(1, "P0D")).then_not_in_force()


def test_the_day_of_deposit_is_not_counted() -> None:
    given_deposits(instruments(1, "2023-12-01")).when(rule(1, "P1D")).then_in_force_on("2023-12-02")
    given_deposits(instruments(1, "2023-12-01")).when(rule(1, "P0D")).then_in_force_on("2023-12-01")


@pytest.mark.parametrize(
    ("withdrawn", "expected"),
    [
        ("2023-12-10", None),
        ("2023-12-30", None),
        ("2023-12-31", "2023-12-31"),
        ("2024-05-01", "2023-12-31"),
    ],
)
def test_an_instrument_counts_until_it_is_withdrawn(withdrawn: str, expected: str | None) -> None:
    consents = instruments(2, "2023-12-01")
    consents[1] = consents[1]._replace(until=date.fromisoformat(withdrawn))
    found = given_deposits(consents).when(rule(2, "P30D"))
    if expected is None:
        found.then_not_in_force()
    else:
        found.then_in_force_on(expected)


def test_a_condition_that_was_lost_may_be_met_again() -> None:
    consents = instruments(2, "2023-12-01")
    consents[1] = consents[1]._replace(until=date(2023, 12, 10))
    given_deposits(consents, instruments(1, "2024-01-15")).when(rule(2, "P30D")).then_in_force_on(
        "2024-02-14"
    )


def test_nobody_is_a_party_before_the_treaty_is_in_force() -> None:
    slow_treaty = replace(rule(1, "P1Y"), party_period=Period.of("P30D"))
    given_deposits(instruments(1, "2023-01-10")).when(slow_treaty).then_in_force_on(
        "2024-01-10"
    ).then_for_who_deposits_on("2023-02-01", "2024-01-10").then_for_who_deposits_on(
        "2024-02-01", "2024-03-02"
    )


def test_who_brought_it_into_force_does_not_wait_longer_than_the_treaty() -> None:
    slow_parties = replace(rule(1, "P30D"), party_period=Period.of("P90D"))
    given_deposits(instruments(1, "2023-01-10")).when(slow_parties).then_for_who_deposits_on(
        "2023-01-10", "2023-02-09"
    ).then_for_who_deposits_on("2023-01-11", "2023-04-11")


def test_which_instruments_count() -> None:
    narrow = replace(rule(1, "P30D"), kinds=instruments_named("ratification accession"))
    assert narrow.counts(Instrument.RATIFICATION, organization=False)
    assert not narrow.counts(Instrument.SUCCESSION, organization=False)
    assert not narrow.counts(Instrument.RATIFICATION, organization=True)
    assert replace(narrow, organizations=True).counts(Instrument.ACCESSION, organization=True)
    assert rule(1, "P30D").counts(Instrument.SUCCESSION, organization=False)


# ---------------------------------------------------------------- periods


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("P1M", "2023-01-31", "2023-02-28"),
        ("P1M", "2024-01-31", "2024-02-29"),
        ("P1Y", "2024-02-29", "2025-02-28"),
        ("P3M", "2001-11-30", "2002-02-28"),
        ("P1M1D", "2023-01-31", "2023-03-01"),
        ("P0D first-of-next-month", "2023-01-01", "2023-02-01"),
        ("P1M first-of-next-month", "2013-01-17", "2013-03-01"),
        ("P6M first-of-next-month", "2024-01-16", "2024-08-01"),
        ("P31D first-of-next-month", "2023-12-01", "2024-02-01"),
        ("P30D", "9999-12-15", "9999-12-31"),
        ("P999Y999M9999D first-of-next-month", "9900-01-01", "9999-12-31"),
        ("P0D first-of-next-month", "9999-12-31", "9999-12-31"),
    ],
)
def test_the_day_after_a_period(text: str, day: str, expected: str) -> None:
    assert Period.of(text).after(date.fromisoformat(day)) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "30D", "P30", "P1D1M", "p30d", " P30D", "P30D ", "P-1D", "P1.5M", "P1W", "PT1H"),
        *("P30D first-of-month", "P30Dfirst-of-next-month", "P30D  first-of-next-month", "P１D"),
    ],
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        Period.of(text, field="offset")
    assert refused.value.field == "offset"
    assert refused.value.message == (
        f"{text!r} is not a period such as P30D, P3M or 'P60D first-of-next-month'"
    )


@pytest.mark.parametrize(
    "text", ["", "ratification  accession", "accession accession", "Ratification", "treaty", " "]
)
def test_what_names_no_instruments(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        instruments_named(text, field="instrument_kinds")
    assert refused.value.field == "instrument_kinds"
    assert refused.value.message.startswith(f"{text!r} does not list kinds of instrument, each")


# ---------------------------------------------------------------- any case


FIRST = date(2023, 1, 1)
DAYS = st.integers(0, 30).map(lambda number: FIRST + timedelta(number))


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    since = draw(DAYS)
    until = draw(st.none() | st.integers(0, 20).map(lambda number: since + timedelta(number)))
    return Consent(since, until, Decimal(draw(st.integers(0, 3))))


def said_day_by_day(ruled: Rule, deposited: Iterable[Consent]) -> date | None:
    """The first day by which the condition has been met as long as the rule asks, without a gap."""
    known = list(deposited)
    met_since: date | None = None
    for number in range(120):
        day = FIRST + timedelta(number)
        if met_since is not None and ruled.period.after(met_since) == day:
            return day
        standing = [
            consent
            for consent in known
            if consent.since <= day and (consent.until is None or day < consent.until)
        ]
        share = sum((consent.share for consent in standing), NOTHING)
        is_met = len(standing) >= ruled.required and (ruled.share is None or share >= ruled.share)
        met_since = (met_since or day) if is_met else None
        if met_since is not None and ruled.period.after(met_since) == day:
            return day
    return None


@examples(300)
@given(
    st.lists(consents(), max_size=8),
    st.integers(1, 5),
    st.none() | st.integers(1, 8),
    st.sampled_from(["P0D", "P1D", "P7D", "P1M", "P3D first-of-next-month"]),
)
@example(deposited=[], required=1, share=None, period="P0D")
def test_entry_into_force_is_what_the_rule_says_day_by_day(
    deposited: list[Consent], required: int, share: int | None, period: str
) -> None:
    ruled = rule(required, period, share=share)
    force = entry_into_force(ruled, deposited)
    assert (force and force.since) == said_day_by_day(ruled, deposited)
