"""CSV, TSV and other delimited text: the pieces between delimiters, so that nothing else changes."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pipeline.repair.cells import Cell, Document

_DELIMITERS: Final = "\t;,|"
_HEAD: Final = 1 << 16  # characters that show how a file is cut into cells


def document(text: str) -> Document:
    r"""Return the cells of a delimited text: pieces of a line; a quoted cell of several lines has several.

    Put back, all that stands between the pieces is as it was; a piece that would bring in a delimiter, a line
    end or a quotation mark that it had not stays as it was.

    >>> found = document('id;t\n1;"Sa  u; x"\n')
    >>> [cell.text for cell in found.cells], found.made(["id", "t", "1", "Sau; x"]).decode("utf-8-sig")
    (['id', 't', '1', 'Sa  u; x'], 'id;t\n1;"Sau; x"\n')
    """
    delimiter = delimiter_of(text)
    pieces, cells = _pieces(text, delimiter)

    def made(texts: Sequence[str]) -> bytes:
        done = list(pieces)
        for (place, cell), after in zip(cells, texts, strict=True):
            done[place] = after if _signs(after, delimiter) <= _signs(cell.text, delimiter) else cell.text
        return BOM_UTF8 + "".join(done).encode("utf-8", "surrogatepass")

    return Document([cell for _place, cell in cells], made, "")


def delimiter_of(text: str) -> str:
    r"""Return the delimiter that stands most evenly in the first lines.

    >>> delimiter_of("a;b, c\nd;e\n"), delimiter_of("a,b\n1,2\n")
    (';', ',')
    """
    lines = [re.sub('"[^"]*"', "", line) for line in text[:_HEAD].splitlines()[:60] if line.strip()]
    scores = {}
    for sign in _DELIMITERS:
        counts = Counter(line.count(sign) for line in lines)
        most, often = max(((n, often) for n, often in counts.items() if n), default=(0, 0))
        scores[sign] = (often, most)
    return max(_DELIMITERS, key=lambda sign: scores[sign])


def _signs(text: str, delimiter: str) -> Counter[str]:
    return Counter(sign for sign in text if sign in f'{delimiter}\r\n"')


def _pieces(text: str, delimiter: str) -> tuple[list[str], list[tuple[int, Cell]]]:
    """Return the text in pieces, and which of them are cells."""
    sign = re.escape(delimiter)
    # Possessive: blanks at an end belong to no cell, and each character is looked at once.
    outside = re.compile(rf'{sign}|\r\n|\r|\n|"|[ ]+|[^{sign}\r\n" ]++(?:[ ]++[^{sign}\r\n" ]++)*+')
    inside = re.compile(r'\r\n|\r|\n|"|[ ]+|[^\r\n" ]++(?:[ ]++[^\r\n" ]++)*+')
    pieces: list[str] = []
    cells: list[tuple[int, Cell]] = []
    row = line = column = 1
    quoted, start, at = False, True, 0  # a quotation mark opens a cell only at its start
    while match := (inside if quoted else outside).match(text, at):
        piece, at = match[0], match.end()
        pieces.append(piece)
        if piece in {"\r\n", "\r", "\n"}:
            line += 1
            if not quoted:
                row, column, start = line, 1, True
        elif piece == '"':
            quoted = not quoted and start
            start = False
        elif piece == delimiter and not quoted:
            column, start = column + 1, True
        elif piece.strip():
            cells.append((len(pieces) - 1, Cell("", row, str(column), piece)))
            start = False
    return pieces, cells
