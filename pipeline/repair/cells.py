"""What becomes of the cells of a document, column by column; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline import normalize


class Cell(NamedTuple):
    """A text and where it stands; rows count from 1, ``column`` is what people call it there."""

    sheet: str
    row: int
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """The cells of a file, and how the file is made again from their texts, in the same order."""

    cells: Sequence[Cell]
    made: Callable[[Sequence[str]], bytes]
    suffix: str


class Change(NamedTuple):
    """A cell that was changed, and how often by which repair (codes of `records.FIXES`)."""

    cell: Cell
    after: str
    fixes: Mapping[str, int]


def mended(cells: Sequence[Cell], *, also: tuple[str, ...] = ()) -> tuple[list[str], list[Change]]:
    """Return the text of each cell as a person would have typed it, and what was changed.

    The cells of a column (of a sheet) vote for an old encoding. A cell that is longer than a spreadsheet can
    hold is left as it is: cleaning would cut it.

    Args:
        cells: In the order of the document.
        also: Encodings of `normalize.ON_REQUEST` to be looked for too.

    >>> texts, changes = mended([Cell("", 1, "A", "Cô"), Cell("", 2, "A", "a  b")])
    >>> texts, changes[0].fixes
    (['Cô', 'a b'], {'space': 1})
    """
    sheets: dict[str, dict[str, list[str]]] = {}
    for cell in cells:
        sheets.setdefault(cell.sheet, {}).setdefault(cell.column, []).append(cell.text)
    told = {sheet: normalize.encodings(columns, also=also) for sheet, columns in sheets.items()}
    texts, changes = [], []
    for cell in cells:
        found = _cleaned(cell, told[cell.sheet].get(cell.column, ""))
        texts.append(found.text)
        if found.text != cell.text:
            changes.append(Change(cell, found.text, dict(sorted(found.fixes.items()))))
    return texts, changes


def _cleaned(cell: Cell, encoding: str) -> normalize.Cleaned:
    if len(cell.text) > normalize.LONGEST:
        return normalize.Cleaned(cell.text, {}, frozenset())
    return normalize.clean(cell.text, encoding=encoding)
