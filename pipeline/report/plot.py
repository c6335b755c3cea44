"""Small diagrams of shares against shares, as SVG that needs no script, font or network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

_SIDE, _LEFT, _TOP = 320, 52, 14
_WIDTH, _HEIGHT = _LEFT + _SIDE + 18, _TOP + _SIDE + 46
_TICKS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_LEAST, _MOST = 3.0, 9.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of two shares (0 to 1), what it says when pointed at, and its size (0 to 1)."""

    x: float
    y: float
    says: str
    size: float = 0.3


def diagram(
    line: Sequence[tuple[float, float]],
    marks: Sequence[Mark],
    *,
    title: str,
    across: str,
    up: str,
    guide: tuple[tuple[float, float], tuple[float, float]],
) -> str:
    """Return an SVG element with a line, marks and a dashed guide over axes from 0 to 1.

    Args:
        line: Points (across, up), each 0 to 1, joined in this order.
        marks: Points drawn as circles.
        title: What a screen reader says of the diagram.
        across: The name of the horizontal axis.
        up: The name of the vertical axis.
        guide: The ends of the dashed line: where a perfect curve would run, or what is wanted.

    >>> found = diagram([(0, 1), (1, 0.5)], [Mark(1, 0.5, "end")], title="t", across="a", up="u",
    ...                 guide=((0, 0), (1, 1)))
    >>> found.startswith("<svg"), found.count("<circle"), "<script" in found
    (True, 1, False)
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        *_axes(across, up),
        f'<polyline class="guide" points="{_points(guide)}"/>',
        f'<polyline class="line" points="{_points(line)}"/>',
        *(_circle(mark) for mark in marks),
        "</svg>",
    ]
    return "".join(parts)


def reliability(
    points: Sequence[Mapping[str, Any]], says: Sequence[str], *, title: str, across: str, up: str
) -> str:
    """Return a diagram of how often what was given a probability came true.

    Args:
        points: Each with ``probability``, ``share`` (0 to 1) and ``rows``, which its dot's size tells.
        says: What each says when pointed at.
        title: What a screen reader says of the diagram.
        across: The name of the horizontal axis.
        up: The name of the vertical axis.

    >>> points = [{"probability": 0.5, "share": 0.4, "rows": 10}]
    >>> reliability(points, ["10"], title="t", across="a", up="u").count("<circle")
    1
    """
    most = max((math.log1p(point["rows"]) for point in points), default=1.0)
    marks = [
        Mark(point["probability"], point["share"], text, math.log1p(point["rows"]) / most)
        for point, text in zip(points, says, strict=True)
    ]
    line = [(mark.x, mark.y) for mark in marks]
    return diagram(line, marks, title=title, across=across, up=up, guide=((0, 0), (1, 1)))


def _axes(across: str, up: str) -> list[str]:
    right, bottom = _LEFT + _SIDE, _TOP + _SIDE
    middle = _TOP + _SIDE / 2
    turned = f'text-anchor="middle" transform="rotate(-90 14 {middle:.1f})"'
    lines = []
    for tick in _TICKS:
        x, y = _place((tick, tick))
        lines += [
            f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}M{_LEFT} {y:.1f}H{right}"/>',
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>',
        ]
    return [
        *lines,
        f'<text x="{_LEFT + _SIDE / 2:.1f}" y="{bottom + 38}" text-anchor="middle">{escape(across)}</text>',
        f'<text x="14" y="{middle:.1f}" {turned}>{escape(up)}</text>',
    ]


def _circle(mark: Mark) -> str:
    x, y = _place((mark.x, mark.y))
    radius = _LEAST + (_MOST - _LEAST) * mark.size
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{escape(mark.says)}</title></circle>'


def _points(line: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_place, line))


def _place(point: tuple[float, float]) -> tuple[float, float]:
    return _LEFT + _SIDE * point[0], _TOP + _SIDE * (1 - point[1])
