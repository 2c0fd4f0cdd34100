"""How many activities there are of each sort, of random registers, held against the naive reading.

SECRETARIAT_EXAMPLES=50 runs fifty times as many, other ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ledger.activities import ACTIVITY, Status
from ledger.plans import PLAN
from ledger.priority_areas import PRIORITY_AREA
from tests.properties.playing import Plan
from tests.properties.records import founded_keys
from tests.properties.strategies import plans
from tests.properties.test_two_times import recorded_in_a_database
from tests.schema.naive_figures import Candidates, Condition, counted, shown
from tests.schema.reader import Reader, reading
from tests.schema.test_random_registers import REGISTERS, Register, as_of, points

OF_PROGRAMME = [
    *((ACTIVITY, f"A-{number}") for number in range(6)),
    *((PLAN, key) for key in founded_keys(PLAN)),
    *((PRIORITY_AREA, key) for key in founded_keys(PRIORITY_AREA)),
]
"""Activities, with what gives them their year and their dimension."""

FIRST_PLAN, FIRST_AREA = founded_keys(PLAN)[0], founded_keys(PRIORITY_AREA)[0]


class Placed(NamedTuple):
    """The years of plans and the dimensions of areas as known, whatever the day."""

    years: Mapping[str, int]
    dimensions: Mapping[str, str]

    @classmethod
    def of(cls, register: Register, position: int) -> Placed:
        """What is known at a position: the last that a record becomes is on its last day."""
        plans, areas = (
            {key: states[-1].row for key, states in found.items() if states}
            for found in (
                register.candidates(name, date.max, position)
                for name in ("plans", "priority_areas")
            )
        )
        return cls(
            {key: plan.year for key, plan in plans.items()},
            {key: area.dimension for key, area in areas.items()},
        )

    def year(self, row: Any) -> int | None:
        """The year of an activity."""
        return self.years.get(row.plan)

    def dimension(self, row: Any) -> str | None:
        """The dimension of an activity."""
        return self.dimensions.get(row.area)


Holds = Callable[[Any, Placed], bool]

ASKED: dict[str, Holds] = {
    'key: ["A-1", "A-2", "A-3", "A-4", "A-5", "A-0"]': lambda row, _: True,
    f'plan: "{FIRST_PLAN}"': lambda row, _: row.plan == FIRST_PLAN,
    "year: 2022": lambda row, placed: placed.year(row) == 2022,
    "year: [2022, 2023]": lambda row, placed: placed.year(row) in {2022, 2023},
    "category: [CBM_EVENT, OTHER]": lambda row, _: row.category.name in {"CBM_EVENT", "OTHER"},
    'body: "SOC"': lambda row, _: row.body == "SOC",
    f'area: "{FIRST_AREA}"': lambda row, _: row.area == FIRST_AREA,
    'dimension: "ECO"': lambda row, placed: placed.dimension(row) == "ECO",
    'organizer: ["KAZ"]': lambda row, _: row.organizer == "KAZ",
    "status: HELD": lambda row, _: row.status is Status.HELD,
    "status: [PLANNED, HELD], year: 2023": lambda row, placed: (
        row.status in {Status.PLANNED, Status.HELD} and placed.year(row) == 2023
    ),
    'heldFrom: "2022-12-01"': lambda row, _: (
        row.held is not None and row.held_latest >= date(2022, 12, 1)
    ),
    'heldTo: "2022-12-31"': lambda row, _: (
        row.held is not None and row.held_latest <= date(2022, 12, 31)
    ),
}

# In the order by which the rows of a figure are sorted.
GROUPS: dict[str, Callable[[Any, Placed], Any]] = {
    "YEAR": lambda row, placed: placed.year(row),
    "CATEGORY": lambda row, _: row.category.value,
    "STATUS": lambda row, _: row.status.value,
    "BODY": lambda row, _: row.body,
    "DIMENSION": lambda row, placed: placed.dimension(row),
    "AREA": lambda row, _: row.area,
    "ORGANIZER": lambda row, _: row.organizer,
}

BY: Sequence[Sequence[str]] = [*([name] for name in GROUPS), ["YEAR", "STATUS"], [*GROUPS]]

Group = tuple[Any, ...]
"""A value for each of `GROUPS`, or None where these are no grouping."""

COUNT = "{ certain possible }"


@REGISTERS
@given(plan=plans(OF_PROGRAMME, fewest=50, most=90), data=st.data())
def test_activities(
    server_url: str, migrated_template: str, plan: Plan, data: st.DataObject
) -> None:
    with (
        recorded_in_a_database(server_url, migrated_template, plan) as (url, entries),
        reading(url) as reader,
    ):
        register = Register([entry for entry in entries if entry is not None])
        for _ in range(10):
            day, position = data.draw(points(register))
            placed = Placed.of(register, position)
            activities = register.candidates("activities", day, position)
            areas = register.candidates("priority_areas", day, position)
            point = as_of(day, position)
            _check_filters(reader, activities, placed, point)
            _check_groups(reader, activities, placed, point)
            _check_areas_without(reader, areas, activities, placed, point)


def _existing(holds: Condition) -> Condition:
    """The condition, of a record that exists."""
    return lambda key, row: row is not None and holds(key, row)


def _holds(holds: Holds, placed: Placed, _: str, row: Any) -> bool:
    return holds(row, placed)


def _is_in(group: Group, by: Sequence[str], placed: Placed, _: str, row: Any) -> bool:
    return _group(by, placed, row) == group


def _is_none_of(busy: Container[str], key: str, _: Any) -> bool:
    return key not in busy


def _group(by: Sequence[str], placed: Placed, row: Any) -> Group:
    return tuple(get(row, placed) if name in by else None for name, get in GROUPS.items())


def _check_filters(
    reader: Reader, candidates: Candidates, placed: Placed, point: dict[str, str]
) -> None:
    """Hold each filter, of the list and of the figure, to the naive count."""
    selections = [
        f"l{number}: activities(filter: {{{asked}}}, first: 0) {{ totalCount {COUNT} }}"
        f" f{number}: activityTotals(filter: {{{asked}}}) {{ activities {COUNT} }}"
        for number, asked in enumerate(ASKED)
    ]
    found = reader.ledger(" ".join(selections), **point)
    for number, (asked, holds) in enumerate(ASKED.items()):
        count = counted(candidates, _existing(partial(_holds, holds, placed)))
        assert found[f"l{number}"]["totalCount"] == count, (asked, point)
        totals = [{"activities": count}] if count["possible"] else []
        assert found[f"f{number}"] == totals, (asked, point)


def _check_groups(
    reader: Reader, candidates: Candidates, placed: Placed, point: dict[str, str]
) -> None:
    """Hold every grouping to the naive counts, all of them asked for at once."""
    shown_of_each = f"year category status activities {COUNT}"
    selections = [
        f"g{number}: activityTotals(by: [{' '.join(by)}]) {{ {shown_of_each} }}"
        for number, by in enumerate(BY)
    ]
    found = reader.ledger(" ".join(selections), **point)
    for number, by in enumerate(BY):
        groups = {
            _group(by, placed, state.row) for states in candidates.values() for state in states
        }
        in_order = sorted(groups, key=lambda group: [(part is None, part) for part in group])
        expected = [
            {
                "year": group[0],
                "category": group[1] and group[1].upper(),
                "status": group[2] and group[2].upper(),
                "activities": counted(candidates, _existing(partial(_is_in, group, by, placed))),
            }
            for group in in_order
        ]
        assert found[f"g{number}"] == expected, (by, point)


def _check_areas_without(
    reader: Reader,
    areas: Candidates,
    activities: Candidates,
    placed: Placed,
    point: dict[str, str],
) -> None:
    """Hold the areas in which nothing is planned or was held to the cautious reading."""
    for year in (2022, 2023):
        busy = {
            row.area
            for row in shown(activities).values()
            if row.status in {Status.PLANNED, Status.HELD} and placed.year(row) == year
        }
        found = reader.ledger(
            f"priorityAreas(filter: {{withoutActivitiesIn: {year}}}) {{"
            f" totalCount {COUNT} nodes {{ key }} }}",
            **point,
        )["priorityAreas"]
        idle = [{"key": key} for key in sorted(shown(areas)) if key not in busy]
        assert found["nodes"] == idle, (year, point)
        count = counted(areas, _existing(partial(_is_none_of, busy)))
        assert found["totalCount"] == count, (year, point)
