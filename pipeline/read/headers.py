"""Column names as offices write them, and the row they stand in."""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import settings
from pipeline.errors import InputNotFound, Note, UsageError
from pipeline.read.faults import UnreadableError
from pipeline.records import CANONICAL, CLEANED, ORIGIN

SEARCHED: Final = 30
"""Rows in which a header is looked for: title blocks of office forms are shorter."""

_LONGEST: Final = 200  # a longer cell is no header, and folding a hostile one could take minutes
_RESERVED: Final = frozenset((*CANONICAL, *ORIGIN, *CLEANED, "tokens"))
_NOT_ALNUM: Final = re.compile(r"[\W_]+")
_PARENTHESIS: Final = re.compile(r"[(\[].*?[)\]]")
_NUMBERING: Final = re.compile(r"^\s*(?:\d+|[IVX]+)\s*[.)]\s*")


def fold(text: str) -> str:
    """Return ``text`` without case, marks, spaces and punctuation; ``""`` when it is too long for a name.

    >>> fold("  TÊN SÁNG KIẾN / Giải pháp: ")
    'tensangkiengiaiphap'
    """
    if len(text) > _LONGEST:
        return ""
    apart = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return _NOT_ALNUM.sub("", "".join(char for char in apart if not unicodedata.combining(char)))


@dataclass(frozen=True, slots=True)
class HeaderAliases:
    """Which header means which canonical column; earlier names are better ones.

    A row with none of the ``needed`` columns is no header.

    >>> HeaderAliases.of([("title", "title"), ("Tên sáng kiến", "title")]).match("TEN SANG KIEN (*)")
    ('title', 1)
    """

    columns: Mapping[str, tuple[str, int]]
    needed: frozenset[str] = frozenset({"title", "description"})

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> HeaderAliases:
        """Return the table made of (alias, canonical column) pairs, best first."""
        table: dict[str, tuple[str, int]] = {}
        for place, (alias, column) in enumerate(pairs):
            table.setdefault(fold(alias), (column, place))
        table.pop("", None)
        return cls(table)

    def match(self, header: str) -> tuple[str, int] | None:
        """Return the canonical column ``header`` names and how far from the best name it is, or None.

        The header is tried as it stands, then without numbering and parentheses, then its first part
        before a slash: ``1. Tên sáng kiến/giải pháp (bắt buộc)`` is a title.
        """
        bare = _PARENTHESIS.sub(" ", _NUMBERING.sub("", header[:_LONGEST]))
        for distance, form in enumerate((header, bare, bare.split("/", maxsplit=1)[0])):
            if found := self.columns.get(fold(form)):
                return found[0], found[1] + 1000 * distance
        return None

    def nearest(self, cells: Sequence[str]) -> list[str]:
        """Return those of ``cells`` that look most like a title or description header, best first."""
        wanted = [alias for alias, (column, _) in self.columns.items() if column in {"title", "description"}]
        seen = {fold(cell): cell.strip() for cell in reversed(cells)}
        seen.pop("", None)
        closeness = {
            name: max(difflib.SequenceMatcher(None, name, alias).ratio() for alias in wanted)
            for name in seen
            if wanted
        }
        best = sorted((-score, name) for name, score in closeness.items() if score >= 0.6)  # noqa: PLR2004 - difflib's own cut-off
        return [seen[name] for _, name in best[:3]]


def aliases(path: Path | None = None) -> HeaderAliases:
    """Return the alias table of a CSV file with the columns ``alias,column`` (default: the shipped one).

    Raises:
        InputNotFound: There is no such file.
        UsageError: A row does not name a canonical column.

    >>> aliases().match("Tên SK")[0]
    'title'
    """
    path = path or settings.checkout("data", "headers.csv")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputNotFound("{path} is not there: the table of header names.", path=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("{path} is not UTF-8 text. Save it as UTF-8.", path=str(path)) from None
    pairs = [(name, name) for name in CANONICAL]
    lines = csv.reader(text.splitlines())
    for number, cells in enumerate(lines, start=1):
        cells = [cell.strip() for cell in cells]  # noqa: PLW2901 - the stripped cells are the row
        if number == 1 or not any(cells):
            continue
        if len(cells) != 2 or cells[1] not in CANONICAL:  # noqa: PLR2004 - alias,column
            raise UsageError(
                "{path}, row {row}: expected a header name and one of {columns}, found {found}.",
                path=str(path),
                row=number,
                columns=", ".join(CANONICAL),
                found=", ".join(cells),
            )
        pairs.append((cells[0], cells[1]))
    return HeaderAliases.of(pairs)


@dataclass(frozen=True, slots=True)
class Header:
    """A header row: the batch column of each cell, the cells as written, what a person should know of it.

    ``names`` holds the batch column for each position; `name` gives one for positions beyond them.
    """

    names: tuple[str, ...]
    cells: tuple[str, ...]
    folded: tuple[str, ...]
    columns: dict[str, str]
    notes: tuple[Note, ...] = ()

    @property
    def named(self) -> list[str]:
        """Return the batch columns of the cells that are not empty."""
        return [name for name, cell in zip(self.names, self.cells, strict=True) if cell]

    def name(self, position: int) -> str:
        """Return the batch column of the cell at ``position`` (from 0)."""
        return self.names[position] if position < len(self.names) else f"column {position + 1}"

    def written(self, column: str) -> str:
        """Return the header as written above the canonical ``column``."""
        return next(
            (cell for cell, name in zip(self.cells, self.names, strict=True) if name == column), column
        )


def score(cells: Sequence[str], table: HeaderAliases) -> int:
    """Return how many canonical columns ``cells`` name; 0 without any that is needed.

    >>> score(["STT", "Tên sáng kiến", "Tác giả"], aliases())
    2
    >>> score(["Tác giả", "Đơn vị"], aliases())
    0
    """
    found = {match[0] for cell in cells if (match := table.match(cell))}
    return len(found) if found & table.needed else 0


def find(rows: Sequence[Sequence[str]], table: HeaderAliases) -> int:
    """Return the index of the row among the first `SEARCHED` that is the header.

    Raises:
        UnreadableError: ``E-HEADER``: none of them names a title or a description.
    """
    searched = rows[:SEARCHED]
    scores = [score(cells, table) for cells in searched]
    if not any(scores):
        near = table.nearest([cell for cells in searched for cell in cells[:100]])
        nearest = ", ".join(f'"{cell}"' for cell in near) or "–"
        raise UnreadableError("E-HEADER", searched=SEARCHED, nearest=nearest)
    return scores.index(max(scores))


def header(cells: Sequence[str], table: HeaderAliases, *, file: str) -> Header:
    """Return what the header row ``cells`` says of its columns.

    Of two headers for one canonical column the better alias has it (then the one further left); the
    other is carried along under its own text, as every unknown column is.

    >>> header(["Mã số", "Tên SK", "Ghi chú", "Ghi chú"], aliases(), file="a.csv").names
    ('id', 'title', 'Ghi chú', 'Ghi chú (2)')
    """
    written = tuple(" ".join(cell.replace("\ufeff", "").split()) for cell in cells)
    chosen: dict[str, tuple[int, int]] = {}
    for position, cell in enumerate(written):
        if match := table.match(cell):
            column, rank = match
            chosen[column] = min(chosen.get(column, (rank, position)), (rank, position))
    owner = {position: column for column, (_, position) in chosen.items()}
    taken: set[str] = set(_RESERVED)
    names, notes, columns = [], [], {}
    for position, cell in enumerate(written):
        name = owner.get(position) or _extra(cell or f"column {position + 1}", taken)
        taken.add(name)
        names.append(name)
        if cell:
            columns[cell if cell not in columns else name] = name
        if position not in owner and cell:
            column = (table.match(cell) or ("",))[0]
            winner = written[chosen[column][1]] if column else ""
            notes += _remark(cell, name, column, winner, file=file)
    return Header(tuple(names), written, tuple(map(fold, written)), columns, tuple(notes))


def _extra(cell: str, taken: set[str]) -> str:
    name = f"{cell} (input)" if cell in _RESERVED else cell
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name} ({count})"
    return candidate


def _remark(cell: str, name: str, column: str, winner: str, *, file: str) -> list[Note]:
    if winner:
        template = (
            '{file}: both "{winner}" and "{header}" name the {column}; the first is used, '
            'the other is carried along as "{name}".'
        )
        return [
            Note(template, {"file": file, "winner": winner, "header": cell, "column": column, "name": name})
        ]
    if name != cell:
        template = (
            '{file}: the header "{header}" stands more than once or has a name used here; '
            'it is carried along as "{name}".'
        )
        return [Note(template, {"file": file, "header": cell, "name": name})]
    return []
