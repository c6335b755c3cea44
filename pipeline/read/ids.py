"""Ids: those that a table gives, and those made from the content where it gives none."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.read.dates import date

CONTENT: Final = ("title", "description", "author", "unit", "submitted")
"""Columns that make two rows with one id the same row or different ones."""

_LONGEST: Final = 1_000  # composing a longer heap of marks would take minutes
_LATIN: Final = str.maketrans(
    "АВЕКМНОРСТУХЅІЈаеорсухѕіјΑΒΕΖΗΙΚΜΝΟΡΤΥΧοѵ", "ABEKMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXov"
)
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,3}|\d{16,}\.0", re.ASCII)


def given(text: str) -> str:
    """Return an id as it is compared and written: stripped, in NFC.

    >>> given(" 007 ")
    '007'
    """
    text = text.strip()
    return unicodedata.normalize("NFC", text) if len(text) <= _LONGEST else text


def shortened(name: str) -> bool:
    """Return whether a spreadsheet made a number of an id and lost its last digits.

    >>> [shortened(name) for name in ("1.23E+15", "1,2e+20", "1e5", "012345678901", "SK-1E+05")]
    [True, True, False, False, False]
    """
    return _SHORTENED.fullmatch(name) is not None


def alike(name: str) -> str:
    """Return an id as a hurried reader sees it: without case, spaces and look-alike letters.

    >>> alike("SK - 07") == alike("sk-07"), alike("ЅК-07") == alike("SK-07"), alike("SK-7") == alike("SK-07")
    (True, True, False)
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name[:_LONGEST]).translate(_LATIN)
    return "".join(name.casefold().split())


def content_of(cells: Iterable[str]) -> tuple[str, ...]:
    """Return what makes two rows with one id the same row: the cells `CONTENT`, a date in one spelling.

    >>> content_of(["Máy gieo", "", "", "", "4/3/25"])[-1]
    '2025-03-04'
    """
    *texts, submitted = cells
    return (*texts, date(submitted) or "")


def digest(content: Iterable[str]) -> int:
    """Return the number that an id is made of: the first 48 bits of the SHA-256 of the cells `CONTENT`.

    >>> f"{digest(['a'] * 5):012x}"
    'dcf26724f098'
    """
    return int.from_bytes(hashlib.sha256("\0".join(content).encode()).digest()[:6])


def named(number: int, time: int) -> str:
    """Return the id made of `digest` for the row that has this content for the ``time``-th time (from 0).

    >>> named(10, 0), named(10, 1)
    ('SK-00000000000a', 'SK-00000000000a-2')
    """
    return f"SK-{number:012x}" + (f"-{time + 1}" if time else "")


def times(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how often each number stood before.

    >>> times(np.array([5, 3, 5, 5], dtype=np.uint64)).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else order
    lengths = np.diff(np.r_[starts, len(ordered)])
    found = np.empty(len(numbers), dtype=np.int64)
    found[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
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
