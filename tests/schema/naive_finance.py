"""What was spent, and the ratios of a budget, by the plainest of ways: every possible world listed.

Records are independent of each other, so a world is one possible state of each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import product
from typing import Any, NamedTuple

from tests.schema.naive_figures import Candidates, Condition, may_be, shown

GROUPINGS = ("fiscal_year", "line", "account")
AMOUNTS = ("spent", "refunded", "net")

Group = tuple[str, Any, Any, Any]
"""A currency, and the year, the line and the account, or None where these are no grouping."""

World = Mapping[Group, Mapping[str, Decimal]]
"""For each group of one possible world the number of its records (`count`), and the amounts."""

NOTHING = dict.fromkeys(("count", *AMOUNTS), Decimal(0))

# Enough for any quotient of what the tests make up.
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


def worlds(candidates: Candidates) -> Iterator[dict[str, Any]]:
    """The states of all records, in each way that they may have been; None where there is none."""
    possible = [[(key, state) for state in may_be(states)] for key, states in candidates.items()]
    return (dict(world) for world in product(*possible))


def spent(
    candidates: Candidates, condition: Condition, by: Sequence[str]
) -> tuple[World, list[World]]:
    """What was spent by group: on the cautious reading, and in every possible world."""
    cautious = _grouped(shown(candidates), condition, by)
    return cautious, [_grouped(world, condition, by) for world in worlds(candidates)]


def _grouped(world: Mapping[str, Any], condition: Condition, by: Sequence[str]) -> World:
    groups: dict[Group, dict[str, Decimal]] = {}
    for key, state in world.items():
        if state is not None and condition(key, state):
            year, line, account = (
                getattr(state, name) if name in by else None for name in GROUPINGS
            )
            group = groups.setdefault((state.currency, year, line, account), dict(NOTHING))
            group["count"] += 1
            for name in AMOUNTS:
                group[name] += getattr(state, name)
    return groups


class Sum(NamedTuple):
    """A sum on the cautious reading, and every sum that it may be."""

    value: Decimal
    possible: set[Decimal]

    @property
    def range(self) -> tuple[Decimal, Decimal, Decimal]:
        """The cautious one, the least, the greatest."""
        return self.value, min(self.possible), max(self.possible)


def summed(candidates: Candidates, amount: Callable[[Any], Decimal]) -> Sum:
    """What the records come to, `amount` saying what each state counts."""

    def total(world: Mapping[str, Any]) -> Decimal:
        counted = (amount(state) for state in world.values() if state is not None)
        return sum(counted, Decimal(0))

    return Sum(total(shown(candidates)), {total(world) for world in worlds(candidates)})


@dataclass(frozen=True)
class Ratio:
    """One sum over another; None where, in a world that it depends on, that other is nothing."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @classmethod
    def of(cls, numerator: Sum, denominator: Sum) -> Ratio:
        """The least is that of the worlds which have one; there is no greatest if one has none."""
        every = [_over(n, d) for n in numerator.possible for d in denominator.possible]
        defined = [each for each in every if each is not None]
        return cls(
            _over(numerator.value, denominator.value),
            min(defined, default=None),
            max(defined) if len(defined) == len(every) else None,
        )


def _over(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    if not denominator:
        return None
    return EXACT.divide(numerator, denominator).quantize(Decimal("1e-10"), context=EXACT)
