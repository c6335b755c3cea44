"""What a step does to a text: characters become others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Edit(NamedTuple):
    """Characters ``start`` to ``end`` become ``text``; ``fix`` is a code of its own to be counted under."""

    start: int
    end: int
    text: str
    fix: str = ""


def matches(
    pattern: re.Pattern[str], text: str, repair: Callable[[str], str], start: int = 0, end: int | None = None
) -> Iterator[Edit]:
    """Yield an edit for each match between ``start`` and ``end`` that ``repair`` changes.

    >>> list(matches(re.compile("[a-c]"), "abcd", {"a": "x", "b": "b", "c": ""}.__getitem__))
    [Edit(start=0, end=1, text='x', fix=''), Edit(start=2, end=3, text='', fix='')]
    """
    for found in pattern.finditer(text, start, len(text) if end is None else end):
        repaired = repair(found[0])
        if repaired != found[0]:
            yield Edit(*found.span(), repaired)
