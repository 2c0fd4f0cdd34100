"""How far before the ledger's end a point lies, which decides how its rows are best found.

The same rows are found whatever the distance is taken to be. So what a server has seen of the
ledger will do: its end a moment ago, and to which positions the moments led that were asked for.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

LEAST_LENGTH = 10_000
"""In a ledger with fewer entries it is not worth another plan."""

MOST_MOMENTS = 1_000
"""So many moments, at the most, are kept with their positions."""


class Distance(IntEnum):
    """How much was known at a point, of all that is known now."""

    NEAR = 1
    EARLY = 4
    """Less than a fourth, so that it is less to go through that than through all."""
    VERY_EARLY = 100
    """Less than a hundredth, so that it is less to sort that than to skip the rest in its order."""


class Distances:
    """What a server has seen of positions; with less than `least_length` entries nothing is far."""

    def __init__(self, least_length: int = LEAST_LENGTH) -> None:
        self._least_length = least_length
        self._end = 0
        self._positions: dict[Any, int] = {}

    def of(self, position: int | None, moment: Any = None) -> Distance:
        """The distance of a position, or of what is known before a moment; near, if of neither."""
        if position is None:
            position = self._positions.get(moment)
        if position is None or self._end < self._least_length:
            return Distance.NEAR
        return next(
            (
                distance
                for distance in (Distance.VERY_EARLY, Distance.EARLY)
                if position * distance < self._end
            ),
            Distance.NEAR,
        )

    def learn(self, position: int, moment: Any, end: int) -> None:
        """Take note of where the ledger ends, and of the position that a moment led to, if any."""
        self._end = end
        if moment is not None:
            if len(self._positions) >= MOST_MOMENTS:
                self._positions.clear()
            self._positions[moment] = position
