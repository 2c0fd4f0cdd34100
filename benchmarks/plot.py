"""A drawing of how costs grow: both axes by powers of ten, a line for each thing that is asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 270, 34, 48
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999")
"""Those of Okabe and Ito, which nobody takes for one another."""

Lines = Mapping[str, Mapping[int, float]]
"""By its name, what each thing took at each size, in milliseconds."""


def drawn(lines: Lines, title: str) -> str:
    """An SVG file."""
    sizes = sorted({size for line in lines.values() for size in line})
    values = [value for line in lines.values() for value in line.values()]
    across = _scale(sizes, LEFT, WIDTH - RIGHT)
    up = _scale(values, HEIGHT - BOTTOM, TOP)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
        *_grid(sizes, values, across, up),
        *_lines(lines, across, up),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """Where on the drawing a number is: `low` at `begin`, `high` at `end`, tenfold by tenfold."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        self.low, self.high = math.log10(low), math.log10(high)
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self._begin + part * (self._end - self._begin), 1)


def _scale(values: Sequence[float], begin: float, end: float) -> _Scale:
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values)))
    return _Scale(low, max(high, low * 10), begin, end)


def _grid(
    sizes: Sequence[int], values: Sequence[float], across: _Scale, up: _Scale
) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for power in range(round(up.low), round(up.high) + 1):
        y = up(10**power)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{10**power:g} ms</text>'
    for size in sizes:
        x = across(size)
        yield f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#ddd"/>'
        yield f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{size:,}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle}" y="{bottom + 36}" text-anchor="middle">entries in the ledger</text>'


def _lines(lines: Lines, across: _Scale, up: _Scale) -> Iterator[str]:
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(across(size), up(value)) for size, value in sorted(line.items())]
        path = " ".join(f"{x},{y}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points)
        x, y = WIDTH - RIGHT + 16, TOP + 10 + number * 20
        yield f'<rect x="{x}" y="{y - 9}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="{y + 1}">{escape(name)}</text>'
