"""The programme of work over time: plans and activities that change, in a register made for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger import activities, dimensions, plans, priority_areas, states
from ledger.activities import Category, Format, Qualifier
from ledger.dates import parse_edtf
from ledger.entry import Proposal
from tests.projections.register import opened_ledger, proposed
from tests.schema.conftest import prepared_database
from tests.schema.reader import Reader, reading


@pytest.fixture(scope="module")
def programme(server_url: str, migrated_template: str) -> Iterator[Reader]:
    """A reader of two plans with four activities, of which one came through every status."""
    with prepared_database(server_url, migrated_template) as url:
        with opened_ledger(url) as ledger:
            for proposal in _programme():
                ledger.record(proposal)
        with reading(url) as reader:
            yield reader


BEFORE_THE_CORRECTION = {"position": 15}


def _programme() -> Iterator[Proposal]:
    member = states.Admitted(status=states.Status.MEMBER, name_en="Kazakhstan")
    yield proposed("state", "KAZ", member, "1999")
    yield proposed("dimension", "ECO", dimensions.Defined(name_en="Economic"), "2021-10")
    for number in (1, 2):
        area = priority_areas.Defined(number=number, dimension="ECO", name_en=f"Area {number}")
        yield proposed("priority_area", f"PA0{number}", area, "2021-10")
    for key in ("PLAN-2023-B", "PLAN-2023-A"):
        yield proposed("plan", key, plans.Adopted(year=2023, items=3), "2022-12")
    planned = {"FORUM": ("A", "PA01"), "CANCELLED": ("A", "PA02"), "OTHER": ("B", "PA01")}
    for key, (plan, place) in planned.items():
        yield proposed("activity", key, _planned(f"PLAN-2023-{plan}", place), "2022-11")
    yield from _events_of_the_forum()
    cancelled = activities.Cancelled(reason="merged with another")
    yield proposed("activity", "CANCELLED", cancelled, "2023-06-15")
    yield proposed("plan", "PLAN-2023-A", plans.Revised(items=2), "2023-07")
    another_year = plans.Adopted(year=2024, items=3)
    yield proposed("plan", "PLAN-2023-B", another_year, None, corrects="plan/PLAN-2023-B/1")
    yield proposed("dimension", "ECO", dimensions.Renamed(name_en="Economy"), "2024")
    yield proposed("priority_area", "PA01", priority_areas.Renamed(name_en="First"), "2024")


def _planned(plan: str, area: str) -> activities.Planned:
    return activities.Planned(
        plan=plan,
        category=Category.OTHER,
        area=area,
        organizer="KAZ",
        title_en="Round table",
        planned_dates=parse_edtf("2023-05"),
    )


def _events_of_the_forum() -> Iterator[Proposal]:
    to_september = activities.Rescheduled(
        from_dates=parse_edtf("2023-05"), to_dates=parse_edtf("2023-09"), reason="no venue yet"
    )
    yield proposed("activity", "FORUM", to_september, "2023-04-02")
    postponed = activities.Postponed(reason="the venue is closed")
    yield proposed("activity", "FORUM", postponed, "2023-08-01")
    to_november = activities.Rescheduled(to_dates=parse_edtf("2023-11"))
    yield proposed("activity", "FORUM", to_november, "2023-09-01")
    held = activities.Held(
        title_en="Forum",
        format=Format.HYBRID,
        place="Astana",
        participants=120,
        participants_qualifier=Qualifier.OVER,
        states=12,
    )
    yield proposed("activity", "FORUM", held, "2023-11")


COURSE = [
    ("2023-01-01", "PLANNED", "2023-05", None),
    ("2023-05-01", "PLANNED", "2023-09", "no venue yet"),
    ("2023-08-15", "POSTPONED", "2023-09", "the venue is closed"),
    ("2023-10-01", "PLANNED", "2023-11", None),
    ("2023-12-01", "HELD", "2023-11", None),
]


@pytest.mark.parametrize(("day", "status", "planned", "reason"), COURSE)
def test_the_course_of_an_activity(
    programme: Reader, day: str, status: str, planned: str, reason: str | None
) -> None:
    found = programme.ledger(
        """activities(filter: {key: "FORUM"}) { nodes {
            status titleEn plannedDates { edtf } reason
            held { edtf } format place participants { number qualifier } statesRepresented
        } }""",
        effectiveOn=day,
    )
    details = ("held", "format", "place", "participants", "statesRepresented")
    happened: dict[str, Any] = dict.fromkeys(details)
    happened["titleEn"] = "Round table"
    if status == "HELD":
        happened = {
            "titleEn": "Forum",
            "held": {"edtf": "2023-11"},
            "format": "HYBRID",
            "place": "Astana",
            "participants": {"number": 120, "qualifier": "OVER"},
            "statesRepresented": 12,
        }
    expected = {"status": status, "plannedDates": {"edtf": planned}, "reason": reason}
    assert found["activities"]["nodes"] == [{**expected, **happened}]


def test_the_year_of_an_activity_is_that_of_its_plan_as_known(programme: Reader) -> None:
    selection = """
        first: activities(filter: {year: 2023}) { nodes { key } }
        second: activities(filter: {year: 2024}) { nodes { key } }
        activityTotals(by: [YEAR]) { year activities { certain } }
    """
    others = [{"key": "CANCELLED"}, {"key": "FORUM"}]
    assert programme.ledger(selection, **BEFORE_THE_CORRECTION) == {
        "first": {"nodes": [*others, {"key": "OTHER"}]},
        "second": {"nodes": []},
        "activityTotals": [{"year": 2023, "activities": {"certain": 3}}],
    }
    assert programme.ledger(selection) == {
        "first": {"nodes": others},
        "second": {"nodes": [{"key": "OTHER"}]},
        "activityTotals": [
            {"year": 2023, "activities": {"certain": 2}},
            {"year": 2024, "activities": {"certain": 1}},
        ],
    }


def test_the_year_does_not_wait_for_the_day_of_the_plan(programme: Reader) -> None:
    """The plan was adopted some day in December, and some of it was planned before."""
    found = programme.ledger(
        "activities(filter: {year: 2023}) { nodes { key plan { key } } }"
        " plan(year: 2023) { key } activityTotals(by: [YEAR]) { year }",
        effectiveOn="2022-11-30",
    )
    assert found == {
        "activities": {"nodes": [{"key": key, "plan": None} for key in ("CANCELLED", "FORUM")]},
        "plan": None,
        "activityTotals": [{"year": 2023}, {"year": 2024}],
    }


def test_of_two_plans_of_a_year_the_first_by_key(programme: Reader) -> None:
    selection = """
        plan(year: 2023) { key } plans(filter: {year: 2023}, orderBy: YEAR) { nodes { key } }
        of2024: plan(year: 2024) { key }
    """
    both = [{"key": "PLAN-2023-A"}, {"key": "PLAN-2023-B"}]
    assert programme.ledger(selection, **BEFORE_THE_CORRECTION) == {
        "plan": both[0],
        "plans": {"nodes": both},
        "of2024": None,
    }
    found = programme.ledger(selection)
    assert found == {"plan": both[0], "plans": {"nodes": both[:1]}, "of2024": both[1]}


def test_a_plan_is_revised(programme: Reader) -> None:
    selection = "plan(year: 2023) { items revised { edtf } }"
    before, after = (
        programme.ledger(selection, effectiveOn=day)["plan"] for day in ("2023-07-30", "2023-07-31")
    )
    assert before == {"items": 3, "revised": None}
    assert after == {"items": 2, "revised": {"edtf": "2023-07"}}


@pytest.mark.parametrize(
    ("day", "year", "idle"),
    [
        ("2023-06-14", 2023, []),
        ("2023-06-15", 2023, ["PA02"]),
        ("2023-08-15", 2023, ["PA01", "PA02"]),
        ("2023-12-01", 2023, ["PA02"]),
        ("2023-12-01", 2024, ["PA02"]),
        ("2023-12-01", 2025, ["PA01", "PA02"]),
    ],
)
def test_areas_without_activities(programme: Reader, day: str, year: int, idle: list[str]) -> None:
    """What is put off or cancelled is none; by the correction there is one in 2024."""
    found = programme.ledger(
        f"priorityAreas(filter: {{withoutActivitiesIn: {year}}}) {{ nodes {{ key }} }}",
        effectiveOn=day,
    )
    assert [node["key"] for node in found["priorityAreas"]["nodes"]] == idle


def test_other_names_from_a_day_on(programme: Reader) -> None:
    selection = """dimensions(orderBy: NAME) { nodes { nameEn defined { edtf } } }
        priorityAreas(filter: {key: "PA01"}) { nodes { nameEn defined { edtf } } }"""
    names = [
        {
            name: [node["nameEn"] for node in listed["nodes"]]
            for name, listed in programme.ledger(selection, effectiveOn=day).items()
        }
        for day in ("2023-12-31", "2024-12-31")
    ]
    assert names == [
        {"dimensions": ["Economic"], "priorityAreas": ["Area 1"]},
        {"dimensions": ["Economy"], "priorityAreas": ["First"]},
    ]
