"""Figures by the plainest of ways: every state that each record may have been in is listed.

Records are independent of each other, so the least of a sum is the sum of the least. What a figure
is made of is worked out from one possible state at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from ledger.daycount import Convention, person_years_exact
from tests.properties.asking import Candidate

Condition = Callable[[str, Any], bool]
"""A condition on a record's key and on a state of it."""

Candidates = Mapping[str, Sequence[Candidate]]
"""The states that each record may be in, by its key."""


def shown(candidates: Candidates) -> dict[str, Any]:
    """The records that exist on the cautious reading, with their states."""
    return {
        key: candidate.row
        for key, possible in candidates.items()
        for candidate in possible
        if candidate.holds
    }


def counted(candidates: Candidates, condition: Condition) -> dict[str, int]:
    """How many records satisfy a condition, certainly and possibly."""
    certain = possible = 0
    for key, states in candidates.items():
        held = [condition(key, state) for state in may_be(states)]
        certain += all(held)
        possible += any(held)
    return {"certain": certain, "possible": possible}


def may_be(candidates: Sequence[Candidate]) -> list[Any]:
    """The states of a record, None among them if it may not exist."""
    states: list[Any] = [candidate.row for candidate in candidates]
    return states if any(candidate.holds for candidate in candidates) else [*states, None]


# ---------------------------------------------------------------- contributions

Group = tuple[str, Any, Any, Any]
"""A currency, and the state, the year and the account, or None where these are no grouping."""

AMOUNTS = ("pledged", "received", "returned", "net")


@dataclass
class Total:
    """What a group adds up to in one of the possible worlds."""

    contributions: int
    contributors: int
    amounts: dict[str, Decimal]
    share: Decimal


World = Mapping[Group, Total]
"""The totals of one possible world."""


def totals(
    candidates: Candidates, condition: Condition, by: Sequence[str]
) -> tuple[World, list[World]]:
    """The totals on the cautious reading, and those of every possible world."""
    possible = [[(key, state) for state in may_be(states)] for key, states in candidates.items()]
    worlds = [_added(dict(world), condition, by) for world in product(*possible)]
    return _added(shown(candidates), condition, by), worlds


def _added(world: Mapping[str, Any], condition: Condition, by: Sequence[str]) -> World:
    groups: dict[Group, list[Any]] = {}
    for key, state in world.items():
        if state is not None and condition(key, state):
            named = [getattr(state, name) if name in by else None for name in GROUPINGS]
            groups.setdefault((state.currency, *named), []).append(state)
    sums = {group: _sums(states) for group, states in groups.items()}
    net: dict[str, Decimal] = {}
    for (currency, *_), amounts in sums.items():
        net[currency] = net.get(currency, Decimal(0)) + amounts["net"]
    return {
        group: Total(
            len(states),
            len({state.state for state in states if state.received > 0}),
            sums[group],
            _part(sums[group]["net"], net[group[0]]),
        )
        for group, states in groups.items()
    }


GROUPINGS = ("state", "fiscal_year", "account")


def _sums(states: Sequence[Any]) -> dict[str, Decimal]:
    return {
        name: sum((getattr(s, name) or Decimal(0) for s in states), Decimal(0)) for name in AMOUNTS
    }


def _part(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole if whole else Decimal(0)).quantize(Decimal("1e-10"))


# ---------------------------------------------------------------- secondments


Years = dict[str, Fraction]
"""Years as `value` on the cautious reading, as `low` and as `high`."""


def years_served(
    candidates: Candidates, condition: Condition, day: date, convention: Convention
) -> dict[str, tuple[Years, dict[str, int]]]:
    """For each state that may have sent somebody the years, and how many secondments there were."""
    by_state: dict[str, dict[str, Sequence[Candidate]]] = {}
    for key, states in candidates.items():
        for candidate in states:
            by_state.setdefault(candidate.row.state, {})[key] = states
    served = {}
    for state, theirs in by_state.items():
        count = counted(theirs, condition)
        if count["possible"]:
            each = [
                _years(key, states, condition, day, convention) for key, states in theirs.items()
            ]
            years = {name: sum((y[name] for y in each), Fraction(0)) for name in each[0]}
            served[state] = years, count
    return served


def _years(
    key: str,
    candidates: Sequence[Candidate],
    condition: Condition,
    day: date,
    convention: Convention,
) -> Years:
    """The years of one secondment: none in a state that doesn't satisfy the condition."""
    served: list[Fraction] = []
    for state in may_be(candidates):
        if condition(key, state):
            served += (person_years_exact(*days, convention) for days in _services(state, day))
        else:
            served.append(Fraction(0))
    value = Fraction(0)
    for state in (c.row for c in candidates if c.holds and condition(key, c.row)):
        value += person_years_exact(state.joined_latest, state.left_latest or day, convention)
    return {"value": value, "low": min(served), "high": max(served)}


def _services(state: Any, day: date) -> Iterator[tuple[date, date]]:
    """The first and the last days of service that a state of a secondment leaves possible."""
    joined_days = set(_days(state.joined_earliest, min(state.joined_latest, day)))
    left_days = {day}
    if state.left is not None:
        left_days = set(_days(state.left_earliest, min(state.left_latest, day)))
        # Of long spans only some days are tried; on each of these both may have been.
        joined_days |= {d for d in left_days if state.joined_earliest <= d <= state.joined_latest}
        left_days |= {d for d in joined_days if state.left_earliest <= d <= state.left_latest}
    for joined, left in product(joined_days, left_days):
        if joined <= left <= day:
            yield joined, left


def _days(first: date, last: date) -> list[date]:
    """The days of a span with both its ends; of a long one about forty."""
    length = (last - first).days
    step = max(1, length // 40)
    return [*(first + timedelta(days) for days in range(0, length, step)), last]
