"""Texts as a cell can show them: the shared passages marked, nothing longer than a cell may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

CELL_UNITS: Final = 32_767
"""UTF-16 units a cell of a workbook may hold (ECMA-376 part 1, and Excel's own limit)."""

_GAP: Final = " […] "
_CONTEXTS: Final = (2_000, 500, 100, 0)

_PICTURES: Final = 0x2400
"""Where Unicode has a visible sign for each control character."""

_UNSHOWN: Final = re.compile(
    "\r\n?|[\0-\x08\x0b\x0c\x0e-\x1f\x7f"
    # Half a pair, and the two that XML forbids: a file with one of them does not open.
    "\ud800-\udfff\ufffe\uffff"
    # Signs that turn the direction of writing let a text read otherwise than it is.
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Painted:
    """A text in runs, each marked or not."""

    runs: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """The text without the marks."""
        return "".join(run for run, _ in self.runs)


def units(text: str) -> int:
    """Return the length of ``text`` in UTF-16 units, which is how Excel counts.

    >>> units("ệ"), units("🙂")
    (1, 2)
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shown(text: str) -> str:
    r"""Return ``text`` with what cannot be seen, or not be stored in a workbook, put as a visible sign.

    >>> shown("a\x00b")
    'a␀b'
    """
    return _UNSHOWN.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    letter = found.group()
    if letter[0] == "\r":
        return "\n"
    if letter == "\x7f":
        return "␡"
    return chr(_PICTURES + ord(letter)) if letter < " " else "\ufffd"


def fit(text: str, more: str, limit: int = CELL_UNITS) -> str:
    """Return ``text``, cut to ``limit`` UTF-16 units with ``more`` at its end where it is longer.

    >>> fit("abcdefgh", "…", 4)
    'abc…'
    """
    if len(text) <= limit // 2 or units(text) <= limit:
        return text
    return _head(text, limit - units(more)) + more


def paint(text: str, ranges: Iterable[tuple[int, int]], *, more: str, limit: int = CELL_UNITS) -> Painted:
    """Return ``text`` with the code points of ``ranges`` marked, in at most ``limit`` UTF-16 units.

    A text that is too long loses first what lies between the marked passages (``[…]`` stands there),
    and only then its end (``more`` stands there).

    >>> paint("một hai ba", [(4, 7)], more="…").runs
    (('một ', False), ('hai', True), (' ba', False))
    """
    runs = _runs(text, ranges)
    total = len(text) if len(text) <= limit // 2 else units(text)
    for context in _CONTEXTS:
        if total <= limit:
            return Painted(tuple(runs))
        runs = [(run if marked else _middle_out(run, context), marked) for run, marked in runs]
        total = sum(units(run) for run, _ in runs)
    return Painted(tuple(runs if total <= limit else _cut(runs, more, limit)))


def _runs(text: str, ranges: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut ``text`` at the ends of ``ranges``, which may touch, overlap or lie outside."""
    covered: list[tuple[int, int]] = []
    for start, end in sorted((max(start, 0), min(end, len(text))) for start, end in ranges):
        if covered and start <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(end, covered[-1][1]))
        elif start < end:
            covered.append((start, end))
    edges = [0, *(edge for pair in covered for edge in pair), len(text)]
    pieces = [(text[start:end], index % 2 == 1) for index, (start, end) in enumerate(pairwise(edges))]
    return [(shown(piece), marked) for piece, marked in pieces if piece]


def _middle_out(run: str, context: int) -> str:
    """Keep ``context`` code points on either side of a run, and say that something is missing."""
    if len(run) <= 2 * context + len(_GAP):
        return run
    return run[:context] + _GAP + (run[-context:] if context else "")


def _cut(runs: Sequence[tuple[str, bool]], more: str, limit: int) -> list[tuple[str, bool]]:
    """Keep the first runs that fit, part of the next, and say that there is more."""
    left = limit - units(more)
    kept: list[tuple[str, bool]] = []
    for run, marked in runs:
        piece = run if units(run) <= left else _head(run, left)
        left -= units(piece)
        if piece:
            kept.append((piece, marked))
        if piece != run:
            break
    return [*kept, (more, False)]


def _head(text: str, limit: int) -> str:
    """Return the longest beginning of ``text`` that has at most ``limit`` UTF-16 units."""
    head = text[: max(limit, 0)]
    return head.encode("utf-16-le", "surrogatepass")[: 2 * max(limit, 0)].decode("utf-16-le", "ignore")
