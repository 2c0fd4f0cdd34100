"""What the example register answers of activities: the figures of the report for 2023."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.schema.reader import Reader

REPORT = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}
NOVEMBER = {"effectiveOn": "2023-11-30", "knownAt": "2023-12-07"}
JUNE = {"effectiveOn": "2023-06-15", "knownAt": "2023-12-07"}
KNOWN_IN_SEPTEMBER = {"effectiveOn": "2023-12-07", "knownAt": "2023-09-30"}

COUNT = "totalCount { certain possible }"


def between(certain: int, possible: int) -> dict[str, int]:
    return {"certain": certain, "possible": possible}


@pytest.mark.parametrize(
    ("point", "held", "pending"),
    [
        (NOVEMBER, between(27, 27), between(3, 3)),
        (REPORT, between(28, 28), between(2, 2)),
        (JUNE, between(7, 11), between(30, 34)),
        (KNOWN_IN_SEPTEMBER, between(18, 18), between(23, 23)),
    ],
    ids=["November", "the report", "June", "known in September"],
)
def test_held_and_pending(
    example: Reader, point: dict[str, str], held: dict[str, int], pending: dict[str, int]
) -> None:
    found = example.ledger(
        f"held: activities(filter: {{year: 2023, status: HELD}}, first: 0) {{ {COUNT} }}"
        f" pending: activities(filter: {{year: 2023, status: PLANNED}}, first: 0) {{ {COUNT} }}",
        **point,
    )
    assert found == {"held": {"totalCount": held}, "pending": {"totalCount": pending}}


EXPECTED = "status: [PLANNED, HELD]"
BODIES = "category: [GOVERNING_BODY, WORKING_BODY, EXPERT_MEETING, ADVISORY_BODY]"

CLAIMS = [
    ("C020", f"category: GOVERNING_BODY, {EXPECTED}", 4, REPORT, "holds"),
    ("C021", f'body: "SOC", {EXPECTED}', 3, REPORT, "holds"),
    ("C022", f'body: "SWG", {EXPECTED}', 4, REPORT, "holds"),
    ("C024", "category: EXPERT_MEETING, status: HELD", 6, REPORT, "holds"),
    ("C030", "category: ADVISORY_BODY, status: HELD", 3, REPORT, "holds"),
    ("C051", "status: HELD", 27, NOVEMBER, "holds"),
    ("C052", "status: PLANNED", 2, REPORT, "holds"),
    ("C053", EXPECTED, 30, REPORT, "holds"),
    ("C054", "status: POSTPONED", 11, REPORT, "holds"),
    ("C055", f"{BODIES}, {EXPECTED}", 17, REPORT, "holds"),
    ("C056", f"category: CBM_EVENT, {EXPECTED}", 13, REPORT, "holds"),
    ("C057", f'category: CBM_EVENT, dimension: "NCT", {EXPECTED}', 5, REPORT, "holds"),
    ("C058", f'category: CBM_EVENT, dimension: "ECO", {EXPECTED}', 3, REPORT, "holds"),
    ("C059", f'category: CBM_EVENT, dimension: "ENV", {EXPECTED}', 2, REPORT, "holds"),
    ("C060", f'category: CBM_EVENT, dimension: "HUM", {EXPECTED}', 2, REPORT, "holds"),
    ("C061", f'category: CBM_EVENT, dimension: "MP", {EXPECTED}', 1, REPORT, "holds"),
    ("X001", "status: HELD", 8, JUNE, "undetermined"),
    ("X002", "status: HELD", 29, NOVEMBER, "fails"),
]


@pytest.mark.parametrize(
    ("asked", "value", "point", "outcome"),
    [claim[1:] for claim in CLAIMS],
    ids=[claim[0] for claim in CLAIMS],
)
def test_claims_about_activities(
    example: Reader, asked: str, value: int, point: dict[str, str], outcome: str
) -> None:
    """By the list and by the figure."""
    found = example.ledger(
        f"activities(filter: {{year: 2023, {asked}}}, first: 0) {{ {COUNT} }}"
        f" activityTotals(filter: {{year: 2023, {asked}}}) {{ activities {{ certain possible }} }}",
        **point,
    )
    count = found["activities"]["totalCount"]
    assert found["activityTotals"] == [{"activities": count}]
    if not count["certain"] <= value <= count["possible"]:
        assert outcome == "fails"
    else:
        assert outcome == ("holds" if count["certain"] == count["possible"] else "undetermined")


def test_the_plan_for_2023(example: Reader) -> None:
    """Its items are as many as the report says (C050), and each of them is on record."""
    found = example.ledger(
        f"""plan(year: 2023) {{
            key year items adoptedBy {{ key }} adopted {{ edtf }} revised {{ edtf }}
            revisedBy {{ key }} activities(first: 1) {{ {COUNT} nodes {{ key plan {{ year }} }} }}
            held: activities(filter: {{status: HELD}}, first: 0) {{ {COUNT} }}
        }}
        none: plan(year: 2022) {{ key }}""",
        **REPORT,
    )
    activities = {
        "totalCount": between(41, 41),
        "nodes": [{"key": "BC-2023-6", "plan": {"year": 2023}}],
    }
    assert found == {
        "plan": {
            "key": "PLAN-2023",
            "year": 2023,
            "items": 41,
            "adoptedBy": {"key": "SOC"},
            "adopted": {"edtf": "2022-12"},
            "revised": None,
            "revisedBy": None,
            "activities": activities,
            "held": {"totalCount": between(28, 28)},
        },
        "none": None,
    }


def test_priority_areas(example: Reader) -> None:
    """There are 18 (C062), and seven had no activity in 2023 (C063)."""
    found = example.ledger(
        f"""priorityAreas(orderBy: NUMBER) {{ {COUNT} nodes {{ number dimension {{ key }} }} }}
        idle: priorityAreas(filter: {{withoutActivitiesIn: 2023}}) {{ {COUNT} nodes {{ number }} }}
        all: priorityAreas(filter: {{withoutActivitiesIn: 2022}}, first: 0) {{ {COUNT} }}
        some: priorityAreas(filter: {{dimension: "MP", number: [1, 2]}}) {{ nodes {{ number }} }}
        dimensions {{ nodes {{ key areas(first: 1) {{ {COUNT} nodes {{ number }} }} }} }}""",
        **REPORT,
    )
    areas = found["priorityAreas"]["nodes"]
    assert found["priorityAreas"]["totalCount"] == between(18, 18)
    assert [area["number"] for area in areas] == list(range(1, 19))
    assert found["idle"]["totalCount"] == between(7, 7)
    assert [node["number"] for node in found["idle"]["nodes"]] == [6, 7, 8, 9, 13, 14, 15]
    assert found["all"]["totalCount"] == between(18, 18)
    assert found["some"]["nodes"] == [{"number": 1}]
    of_dimension = Counter(area["dimension"]["key"] for area in areas)
    assert {node["key"]: node["areas"]["totalCount"] for node in found["dimensions"]["nodes"]} == {
        key: between(count, count) for key, count in of_dimension.items()
    }


def test_the_activities_of_an_area(example: Reader) -> None:
    found = example.ledger(
        f"""priorityAreas(filter: {{key: "PA03"}}) {{ nodes {{
            activities(orderBy: TITLE) {{ {COUNT} nodes {{ key titleEn area {{ key }} }} }}
        }} }}""",
        **REPORT,
    )
    (area,) = found["priorityAreas"]["nodes"]
    both = [
        ("CBM-2023-04", "Virtual workshop on misuse of the Internet"),
        ("CBM-2023-03", 'Workshop "Counter radicalization"'),
    ]
    assert area["activities"] == {
        "totalCount": between(2, 2),
        "nodes": [{"key": key, "titleEn": title, "area": {"key": "PA03"}} for key, title in both],
    }


def test_what_became_of_an_activity(example: Reader) -> None:
    found = example.ledger(
        """activities(filter: {key: ["TTF-2023-11", "ITEM-2023-01"]}) { nodes {
            category body { key } organizer { key } organizerRole titleEn plannedDates { words }
            status held { edtf earliest latest } format place participants { number qualifier }
            statesRepresented reason
        } }""",
        **REPORT,
    )
    postponed, held = found["activities"]["nodes"]
    nothing = dict.fromkeys(
        ("body", "organizer", "organizerRole", "held", "format", "place", "participants")
    )
    assert postponed == {
        **nothing,
        "statesRepresented": None,
        "category": "OTHER",
        "titleEn": "Plan item not named in the report (1 of 11)",
        "plannedDates": {"words": "2023"},
        "status": "POSTPONED",
        "reason": "postponed by its organizer",
    }
    assert held == {
        "category": "ADVISORY_BODY",
        "body": {"key": "TTF"},
        "organizer": {"key": "CHN"},
        "organizerRole": "HOST",
        "titleEn": "Think Tank Forum, eleventh meeting",
        "plannedDates": {"words": "2023"},
        "status": "HELD",
        "held": {"edtf": "2023-08-27/2023-08-29", "earliest": "2023-08-29", "latest": "2023-08-29"},
        "format": "HYBRID",
        "place": "Xining",
        "participants": {"number": 67, "qualifier": "OVER"},
        "statesRepresented": 20,
        "reason": None,
    }


def test_held_at_the_latest_when_it_was_recorded(example: Reader) -> None:
    found = example.ledger(
        'activities(filter: {key: "EXP-2023-1"}) { nodes { held { edtf earliest latest } } }',
        **REPORT,
    )
    held = {"edtf": "[2023-01..2023-10]", "earliest": "2023-01-01", "latest": "2023-10-31"}
    assert found["activities"]["nodes"] == [{"held": held}]


# ---------------------------------------------------------------- filters and groups

Node = dict[str, Any]


def key_of(node: Node, name: str) -> Any:
    return node[name] and node[name]["key"]


def dimension_of(node: Node) -> Any:
    return node["area"] and key_of(node["area"], "dimension")


def held_by(node: Node) -> str:
    return node["held"]["latest"] if node["held"] else ""


SHOWN = """key category status plan { key year } body { key } organizer { key }
    area { key dimension { key } } held { latest }"""

FILTERS: dict[str, Callable[[Node], bool]] = {
    'key: ["MC-2023", "NO-2023"]': lambda node: node["key"] == "MC-2023",
    'plan: "PLAN-2023"': lambda node: True,
    "year: [2022, 2024]": lambda node: False,
    "category: [OTHER, CBM_EVENT]": lambda node: node["category"] in {"OTHER", "CBM_EVENT"},
    'body: ["SOC", "SWG"]': lambda node: key_of(node, "body") in {"SOC", "SWG"},
    'area: ["PA03", "PA18"]': lambda node: key_of(node, "area") in {"PA03", "PA18"},
    'dimension: ["ECO"]': lambda node: dimension_of(node) == "ECO",
    'organizer: "KAZ"': lambda node: key_of(node, "organizer") == "KAZ",
    "status: [HELD, POSTPONED]": lambda node: node["status"] in {"HELD", "POSTPONED"},
    'heldFrom: "2023-08-31"': lambda node: held_by(node) >= "2023-08-31",
    'heldTo: "2023-08-31"': lambda node: "" < held_by(node) <= "2023-08-31",
    'organizer: "CHN", status: HELD, heldTo: "2023-06-30"': lambda node: (
        key_of(node, "organizer") == "CHN" and "" < held_by(node) <= "2023-06-30"
    ),
}


@pytest.mark.parametrize("point", [REPORT, JUNE], ids=["the report", "June"])
def test_every_filter_of_the_list_and_of_the_figure(example: Reader, point: dict[str, str]) -> None:
    selections = [
        f"l{number}: activities(filter: {{{asked}}}) {{ {COUNT} nodes {{ key }} }}"
        f" f{number}: activityTotals(filter: {{{asked}}}) {{ activities {{ certain possible }} }}"
        for number, asked in enumerate(FILTERS)
    ]
    found = example.ledger(f"activities {{ nodes {{ {SHOWN} }} }} {' '.join(selections)}", **point)
    everything = found["activities"]["nodes"]
    for number, (asked, holds) in enumerate(FILTERS.items()):
        listed, totals = found[f"l{number}"], found[f"f{number}"]
        expected = [{"key": node["key"]} for node in everything if holds(node)]
        assert listed["nodes"] == expected, asked
        count = listed["totalCount"]
        assert totals == ([{"activities": count}] if count["possible"] else []), asked
        if point is REPORT:
            assert count == between(len(expected), len(expected)), asked


GROUPS: dict[str, Callable[[Node], Any]] = {
    "YEAR": lambda node: node["plan"] and node["plan"]["year"],
    "CATEGORY": lambda node: node["category"],
    "STATUS": lambda node: node["status"],
    "BODY": lambda node: key_of(node, "body"),
    "DIMENSION": dimension_of,
    "AREA": lambda node: key_of(node, "area"),
    "ORGANIZER": lambda node: key_of(node, "organizer"),
}

TOTALS = """activityTotals(by: [%s]) {
    year category status body { key } dimension { key } area { key } organizer { key }
    activities { certain possible }
}"""


@pytest.mark.parametrize("by", [*([name] for name in GROUPS), ["STATUS", "DIMENSION"], [*GROUPS]])
def test_every_grouping(example: Reader, by: list[str]) -> None:
    """Where the dates leave no doubt, a figure counts what the list shows."""
    found = example.ledger(
        f"activities {{ nodes {{ {SHOWN} }} }} {TOTALS % ' '.join(by)}", **REPORT
    )
    listed = Counter(
        tuple(GROUPS[name](node) for name in by) for node in found["activities"]["nodes"]
    )
    totals = {}
    for row in found["activityTotals"]:
        plain = {name: row[name.lower()] for name in GROUPS}
        values = {name: v["key"] if isinstance(v, dict) else v for name, v in plain.items()}
        assert all(values[name] is None for name in GROUPS if name not in by)
        totals[tuple(values[name] for name in by)] = row["activities"]
    assert totals == {group: between(count, count) for group, count in listed.items()}


def test_a_group_counts_what_may_be_in_it(example: Reader) -> None:
    found = example.ledger(
        "activityTotals(by: [CATEGORY, STATUS]) {"
        " category status activities { certain possible } }",
        **JUNE,
    )
    of_bodies = [
        (row["status"], row["activities"])
        for row in found["activityTotals"]
        if row["category"] in {"EXPERT_MEETING", "WORKING_BODY"}
    ]
    assert of_bodies == [
        ("HELD", between(0, 3)),
        ("PLANNED", between(3, 6)),
        ("HELD", between(1, 2)),
        ("PLANNED", between(2, 3)),
    ]
