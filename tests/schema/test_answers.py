"""What the example register answers: the figures of the Secretariat's report for 2023."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.daycount import Convention, person_years_exact, to_decimal
from tests.schema.conftest import EXAMPLE
from tests.schema.reader import Reader

REPORT = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}
MIDDLE_OF_YEAR = {"effectiveOn": "2023-12-07", "knownAt": "2023-06-30"}


def exactly(count: int) -> dict[str, int]:
    """The count where the dates leave no doubt."""
    return {"certain": count, "possible": count}


def rounded(value: str, places: str) -> Decimal:
    """Half up, as reports round."""
    return Decimal(value).quantize(Decimal(places), ROUND_HALF_UP)


# ---------------------------------------------------------------- contributions


@pytest.mark.parametrize(("known_at", "count"), [("2023-12-07", 106), ("2023-06-30", 104)])
def test_contributions_known_by_a_day(example: Reader, known_at: str, count: int) -> None:
    found = example.ledger(
        "contributions(first: 1000) { totalCount { certain possible } nodes { key } }",
        effectiveOn="2023-12-07",
        knownAt=known_at,
    )
    assert found["contributions"]["totalCount"] == exactly(count)
    assert len(found["contributions"]["nodes"]) == count


TOTALS = """contributionTotals(filter: {fiscalYear: %s}) {
    currency net { amount low high currency } received { amount } returned { amount }
    pledged { amount } contributors { certain possible } contributions { certain possible }
    share { value low high } state { key } account { key } fiscalYear
}"""


def test_received_for_2023(example: Reader) -> None:
    (total,) = example.ledger(TOTALS % "[2023]", **REPORT)["contributionTotals"]
    assert total == {
        "currency": "USD",
        "net": {
            "amount": "1973450.00",
            "low": "1973450.00",
            "high": "1973450.00",
            "currency": "USD",
        },
        "received": {"amount": "1973450.00"},
        "returned": {"amount": "0"},
        "pledged": {"amount": "0"},
        "contributors": exactly(5),
        "contributions": exactly(5),
        "share": {"value": "1.0000000000", "low": "1.0000000000", "high": "1.0000000000"},
        "state": None,
        "account": None,
        "fiscalYear": None,
    }


def test_received_for_2023_as_known_in_the_middle_of_it(example: Reader) -> None:
    (total,) = example.ledger(TOTALS % "[2023]", **MIDDLE_OF_YEAR)["contributionTotals"]
    assert total["net"]["amount"] == "1880000.00"


def test_received_ever(example: Reader) -> None:
    (total,) = example.ledger(TOTALS % "null", **REPORT)["contributionTotals"]
    assert (total["net"]["amount"], total["contributors"]) == ("30000000.00", exactly(16))


def test_shares_of_all_that_was_received(example: Reader) -> None:
    selection = "contributionTotals(by: [STATE]) { state { key } share { value } }"
    totals = example.ledger(selection, **REPORT)["contributionTotals"]
    shares = {total["state"]["key"]: Decimal(total["share"]["value"]) for total in totals}
    assert len(shares) == 16
    assert list(shares) == sorted(shares, key=lambda state: -shares[state])
    largest = {state: rounded(str(shares[state] * 100), "0.1") for state in list(shares)[:4]}
    assert {state: str(share) for state, share in largest.items()} == {
        "KAZ": "76.6",
        "CHN": "12.9",
        "TUR": "4.3",
        "KOR": "2.8",
    }


def test_the_budget_for_2023(example: Reader) -> None:
    budget = example.ledger(
        "budget(fiscalYear: 2023) { key fiscalYear amount { amount currency } decidedBy { nameEn }"
        " approved { edtf earliest latest words } }",
        **REPORT,
    )["budget"]
    assert budget == {
        "key": "2023",
        "fiscalYear": 2023,
        "amount": {"amount": "2860000.00", "currency": "USD"},
        "decidedBy": {"nameEn": "Senior Officials Committee"},
        "approved": {
            "edtf": "2022-12",
            "earliest": "2022-12-01",
            "latest": "2022-12-31",
            "words": "December 2022",
        },
    }
    assert example.ledger("budget(fiscalYear: 2024) { key }", **REPORT)["budget"] is None


# ---------------------------------------------------------------- secondments

PERSON_YEARS = """personYears(convention: %s) {
    state { key } convention years { value low high } secondments { certain possible }
}"""


def test_person_years_of_the_report(example: Reader) -> None:
    rows = example.ledger(PERSON_YEARS % "ACT_365_25", **REPORT)["personYears"]
    years = {row["state"]["key"]: int(rounded(row["years"]["value"], "1")) for row in rows}
    assert len(years) == 8, "eight states ever sent secondees"
    five = {state: years[state] for state in ("KAZ", "CHN", "IND", "RUS", "TUR")}
    assert five == {"KAZ": 47, "CHN": 15, "IND": 15, "RUS": 15, "TUR": 9}


CONVENTIONS = {
    "ACT_365_25": Convention.ACT_365_25,
    "ACT_365": Convention.ACT_365,
    "MONTHS_DAYS_30": Convention.MONTHS_AND_DAYS,
    "THIRTY_360": Convention.THIRTY_360,
}


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("day", ["2009-12-31", "2023-12-07"])
def test_person_years_by_convention(example: Reader, name: str, day: str) -> None:
    rows = example.ledger(PERSON_YEARS % name, effectiveOn=day)["personYears"]
    expected = _served_by(date.fromisoformat(day), CONVENTIONS[name])
    assert rows == [
        {
            "state": {"key": state},
            "convention": name,
            "years": dict.fromkeys(("value", "low", "high"), str(years)),
            "secondments": exactly(count),
        }
        for state, (years, count) in sorted(expected.items())
    ]


def _served_by(day: date, convention: Convention) -> dict[str, tuple[Decimal, int]]:
    """The years by state, and of how many secondments, from the register's files."""
    left = {row["secondment"]: date.fromisoformat(row["effective"]) for row in _rows("left")}
    served = defaultdict(list)
    for row in _rows("joined"):
        joined, last = date.fromisoformat(row["effective"]), left.get(row["secondment"], day)
        if joined <= day:
            served[row["state"]].append(person_years_exact(joined, min(last, day), convention))
    return {
        state: (to_decimal(sum(years, Fraction(0))), len(years)) for state, years in served.items()
    }


def _rows(event: str) -> list[dict[str, str]]:
    with (EXAMPLE / f"secondee_{event}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_three_joined_in_2023(example: Reader) -> None:
    found = example.ledger(
        'secondments(filter: {joinedFrom: "2023-01-01", joinedTo: "2023-12-31"}) {'
        " totalCount { certain possible } nodes { key state { key } left { edtf } } }",
        **REPORT,
    )["secondments"]
    assert found["totalCount"] == exactly(3)
    assert found["nodes"] == [
        {"key": "S-CHN-2023-DSG", "state": {"key": "CHN"}, "left": None},
        {"key": "S-KAZ-2023-I", "state": {"key": "KAZ"}, "left": None},
        {"key": "S-KAZ-2023-J", "state": {"key": "KAZ"}, "left": None},
    ]


def test_who_serves_and_who_has_left(example: Reader) -> None:
    found = example.ledger(
        "serving: secondments(filter: {serving: true}) { nodes { state { key } } }"
        " left: secondments(filter: {serving: false}, first: 0) { totalCount { certain } }",
        **REPORT,
    )
    serving = {node["state"]["key"] for node in found["serving"]["nodes"]}
    assert serving == {"KAZ", "CHN", "IND", "RUS"}
    assert len(found["serving"]["nodes"]) + found["left"]["totalCount"]["certain"] == 21


# ---------------------------------------------------------------- states and bodies


@pytest.mark.parametrize(
    ("day", "certain", "possible"),
    [
        ("1998-12-31", 0, 0),
        ("1999-01-01", 0, 16),
        ("2000-07-01", 0, 16),
        ("2002-12-30", 0, 16),
        ("2002-12-31", 16, 16),
        ("2003-12-31", 16, 16),
        ("2004-01-01", 16, 17),
        ("2006-06-17", 17, 18),
        ("2008-06-01", 18, 20),
        ("2008-12-31", 20, 20),
        ("2023-12-07", 28, 28),
    ],
)
def test_members_on_a_day(example: Reader, day: str, certain: int, possible: int) -> None:
    members = example.ledger(
        "states(filter: {status: [MEMBER]}, first: 1000) {"
        " totalCount { certain possible } nodes { status } }",
        effectiveOn=day,
    )["states"]
    assert members["totalCount"] == {"certain": certain, "possible": possible}
    # The list is the cautious reading.
    assert members["nodes"] == [{"status": "MEMBER"}] * certain


def test_a_founding_member_is_possible_before_it_is_certain(example: Reader) -> None:
    selection = """states(filter: {key: ["KAZ"]}) {
        totalCount { certain possible }
        nodes { nameEn nameRu statusSince { edtf earliest latest words } }
    }"""
    before = example.ledger(selection, effectiveOn="2000-06-15")["states"]
    assert before == {"totalCount": {"certain": 0, "possible": 1}, "nodes": []}
    after = example.ledger(selection, effectiveOn="2003-01-01")["states"]
    since = {
        "edtf": "[1999..2002]",
        "earliest": "1999-01-01",
        "latest": "2002-12-31",
        "words": "on an unknown day between 1999 and 2002",
    }
    kazakhstan = {"nameEn": "Kazakhstan", "nameRu": "Казахстан", "statusSince": since}
    assert after == {"totalCount": exactly(1), "nodes": [kazakhstan]}


def test_the_fund_does_not_operate(example: Reader) -> None:
    found = example.ledger(
        'bodies(filter: {key: ["FUND"]}) { nodes { key operational } }'
        " idle: bodies(filter: {operational: false}) { nodes { key } }",
        **REPORT,
    )
    assert found["bodies"]["nodes"] == [{"key": "FUND", "operational": False}]
    assert {"key": "FUND"} in found["idle"]["nodes"]


# ---------------------------------------------------------------- the point itself


def test_the_point_is_cited(example: Reader) -> None:
    as_of = "asOf { effectiveOn knownAt position rules }"
    at_report = example.ledger(as_of, **REPORT)["asOf"]
    assert at_report == {
        "effectiveOn": "2023-12-07",
        "knownAt": "2023-12-05T00:00:00.000000Z",
        "position": "370",
        "rules": "1",
    }
    cited = example.ledger(as_of, effectiveOn="2023-12-07", position=at_report["position"])
    assert cited["asOf"] == at_report


def test_a_day_includes_itself_at_home(example: Reader) -> None:
    """At home a day ends at 18:00 in UTC."""

    def position(known_at: str) -> int:
        return int(example.ledger("asOf { position }", knownAt=known_at)["asOf"]["position"])

    recorded: list[Any] = example.data(
        "{ entries(first: 1000) { nodes { position recordedAt } } }"
    )["entries"]["nodes"]
    for day in ("2022-12-31", "2023-09-05", "2023-10-19"):
        on_day = [node for node in recorded if node["recordedAt"].startswith(day)]
        assert on_day, f"nothing was recorded on {day}"
        first, last = int(on_day[0]["position"]), int(on_day[-1]["position"])
        assert position(day) == last
        assert position(f"{day}T00:00:00Z") == last
        assert position(f"{day}T06:00:00+06:00") == last
        assert position(f"{day}T05:59:59.999999+06:00") == first - 1


def test_as_of_long_ago_there_is_nothing(example: Reader) -> None:
    nothing = example.ledger(
        "asOf { knownAt position } states { nodes { key } totalCount { certain possible } }"
        " contributionTotals { currency } personYears { convention }",
        knownAt="0001-01-01",
    )
    assert nothing == {
        "asOf": {"knownAt": None, "position": "0"},
        "states": {"nodes": [], "totalCount": exactly(0)},
        "contributionTotals": [],
        "personYears": [],
    }
    assert example.ledger("asOf { position }", position=0)["asOf"] == {"position": "0"}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar(example: Reader, day: str) -> None:
    found = example.ledger(
        "asOf { effectiveOn } states { totalCount { certain } } personYears { years { value } }"
        " contributionTotals { net { amount } }",
        effectiveOn=day,
        knownAt="9999-12-31",
    )
    assert found["asOf"]["effectiveOn"] == day
    assert (found["states"]["totalCount"]["certain"] == 0) == (day == "0001-01-01")
    assert bool(found["personYears"]) == bool(found["contributionTotals"]) == (day > "2023")


@pytest.mark.parametrize(
    ("day", "serves"), [("2009-12-30", 1), ("2009-12-31", 1), ("2010-01-01", 0)]
)
def test_the_last_day_is_served(example: Reader, day: str, serves: int) -> None:
    found = example.ledger(
        'secondments(filter: {key: "S-TJK-2007-A", serving: true}, first: 0)'
        " { totalCount { certain possible } }",
        effectiveOn=day,
    )
    assert found["secondments"]["totalCount"] == {"certain": serves, "possible": serves}


def test_a_record_is_found_by_its_key_and_by_its_id(example: Reader) -> None:
    by_key = example.data('{ record(kind: "state", id: "KAZ") { id key } }')["record"]
    by_id = example.data(f'{{ record(kind: "state", id: "{by_key["id"]}") {{ id key }} }}')
    assert by_id["record"] == by_key
    assert by_key["key"] == "KAZ"
