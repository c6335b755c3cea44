"""What the cells of a column tell together: the old encoding that all of them are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from pipeline.normalize.cleaning import clean
from pipeline.normalize.legacy import by_vote, edits, is_silent, vote

ENCODINGS: Final = {
    "cp1258": "windows-1258",
    "tcvn3": "TCVN3 (ABC, .VnTime)",
    "utf8": "UTF-8 read as windows-1252",
    "viscii": "VISCII",
    "vni": "VNI-Windows",
    "vps": "VPS",
}
"""Codes of old encodings, and what people call them."""

_HEAPED: Final = 1_000  # composing a longer heap of marks would take minutes


def encodings(columns: Mapping[str, Sequence[str]], *, also: Iterable[str] = ()) -> dict[str, str]:
    """Return the encoding of each column that is in an old one.

    A column that tells nothing is in the encoding of the whole table, unless one of its cells has a letter
    that only Unicode has.

    Args:
        columns: Cells by the name of their column.
        also: Encodings of `legacy.ON_REQUEST` to be looked for too.

    >>> old = ["S¸ng kiÕn", "C¶i tiÕn", "M¸y Ðp", "Bµn ghÕ", "Häc sinh"]
    >>> encodings({"title": old, "unit": ["Công ty", "Trường học"]})
    {'title': 'tcvn3'}
    """
    extra = tuple(also)
    composed = {name: [_composed(cell) for cell in cells] for name, cells in columns.items()}
    found = {name: vote(cells, also=extra) for name, cells in composed.items()}
    silent = [name for name, encoding in found.items() if not encoding and is_silent(composed[name])]
    if silent and len(composed) > 1:
        found |= dict.fromkeys(silent, vote(chain.from_iterable(composed.values()), also=extra))
    return {name: encoding for name, encoding in found.items() if encoding}


def repaired(cell: str, *, encoding: str = "") -> str:
    """Return ``cell`` in Unicode where it, or its column, is in an old encoding; else exactly as it is.

    >>> repaired("C« ", encoding="tcvn3"), repaired("Cô ")
    ('Cô', 'Cô ')
    """
    text = _composed(cell)
    if text.isascii():
        return cell
    told = next(by_vote(text, encoding), None) if encoding else None
    return clean(cell, encoding=encoding).text if told or next(edits(text), None) else cell


def _composed(cell: str) -> str:
    return unicodedata.normalize("NFC", cell) if len(cell) <= _HEAPED else cell


def said(found: Mapping[str, str]) -> str:
    """Return the encodings of columns in one cell, by column.

    >>> said({"title": "tcvn3", "description": "vni"})
    'description:vni title:tcvn3'
    """
    return " ".join(f"{column}:{encoding}" for column, encoding in sorted(found.items()))


def stated(cell: str) -> dict[str, str]:
    """Return the encodings that `said` put into a cell; what is none is passed over.

    >>> stated("title:tcvn3 anything")
    {'title': 'tcvn3'}
    """
    pairs = (part.partition(":") for part in cell.split())
    return {column: encoding for column, _, encoding in pairs if encoding in ENCODINGS}
