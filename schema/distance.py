"""Whether a point lies early in a ledger, which decides how its rows are best found.

The same rows are found whatever it is taken to be. So what a server has seen of the ledger will do:
its end a moment ago, and to which positions the moments led that were asked for.
"""

from __future__ import annotations

from typing import Any

PART = 4
"""Early is what lies before so many parts of the ledger's length.

To go through what was known by then is less than to go through everything, or to skip the rest.
"""

LEAST_LENGTH = 10_000
"""In a ledger with fewer entries it is not worth another plan."""

MOST_MOMENTS = 1_000
"""So many moments, at the most, are kept with their positions."""


class Distances:
    """What a server has seen of positions; with less than `least_length` entries none is early."""

    def __init__(self, least_length: int = LEAST_LENGTH) -> None:
        self._least_length = least_length
        self._end = 0
        self._positions: dict[Any, int] = {}

    def is_early(self, position: int | None, moment: Any = None) -> bool:
        """Whether a position is early, or what is known before a moment; not so if of neither."""
        if position is None:
            position = self._positions.get(moment)
        if position is None or self._end < self._least_length:
            return False
        return position * PART < self._end

    def learn(self, position: int, moment: Any, end: int) -> None:
        """Take note of where the ledger ends, and of the position that a moment led to, if any."""
        self._end = end
        if moment is not None:
            if len(self._positions) >= MOST_MOMENTS:
                self._positions.clear()
            self._positions[moment] = position
