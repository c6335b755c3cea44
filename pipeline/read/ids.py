"""Ids: those that a table gives, and those made from the content where it gives none."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

CONTENT: Final = ("title", "description", "author", "unit", "submitted")
"""Columns that make two rows with one id the same row or different ones."""

_LONGEST: Final = 1_000  # composing a longer heap of marks would take minutes


def given(text: str) -> str:
    """Return an id as it is compared and written: stripped, in NFC.

    >>> given(" 007 ")
    '007'
    """
    text = text.strip()
    return unicodedata.normalize("NFC", text) if len(text) <= _LONGEST else text


def made(rows: Iterable[Mapping[str, str]], taken: Iterable[str]) -> list[str]:
    """Return an id for each row: ``SK-`` and 12 hex digits of the SHA-256 of its content.

    The second of several rows with the same content gets ``-2``, and so on: without ids in the table
    they are initiatives of their own. Ids in ``taken`` are passed over.

    >>> row = dict.fromkeys(CONTENT, "a")
    >>> made([row, row], taken=())
    ['SK-dcf26724f098', 'SK-dcf26724f098-2']
    """
    used = set(taken)
    counts: Counter[str] = Counter()
    found = []
    for row in rows:
        content = "\0".join(row[column] for column in CONTENT)
        stem = "SK-" + hashlib.sha256(content.encode()).hexdigest()[:12]
        name = stem
        while not counts[stem] or name in used:
            counts[stem] += 1
            name = stem if counts[stem] == 1 else f"{stem}-{counts[stem]}"
        used.add(name)
        found.append(name)
    return found


def repeated(names: Sequence[str], contents: Sequence[tuple[str, ...]]) -> dict[int, int | None]:
    """Return what to do with rows whose id was seen before, by position.

    None: the id stands on rows of different content (all of them are listed). A number: the same row
    stands at that earlier position.

    >>> repeated(["a", "b", "a", "c", "c"], [("x",), ("x",), ("y",), ("z",), ("z",)])
    {0: None, 2: None, 4: 3}
    """
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name:
            places.setdefault(name, []).append(position)
    found: dict[int, int | None] = {}
    for group in places.values():
        if len(group) == 1:
            continue
        if len({contents[position] for position in group}) > 1:
            found.update(dict.fromkeys(group))
        else:
            found.update(dict.fromkeys(group[1:], group[0]))
    return dict(sorted(found.items()))
