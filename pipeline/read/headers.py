"""Column names as offices write them, and the row they stand in."""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from pipeline import settings
from pipeline.errors import InputNotFound, Note, UsageError
from pipeline.normalize import legacy
from pipeline.read.faults import UnreadableError
from pipeline.records import (
    AUTHOR_CODES,
    BENEFIT,
    CANONICAL,
    CLEANED,
    ENCODING,
    KIND_CODE,
    OPTIONAL,
    ORIGIN,
    PHASE,
    REGISTERED,
    VALIDITY,
)

SEARCHED: Final = 30
"""Rows in which a header is looked for: title blocks of office forms are shorter."""

_LONGEST: Final = 200  # a longer cell is no header, and folding a hostile one could take minutes
_KNOWN: Final = (*CANONICAL, *OPTIONAL)
_MADE: Final = (*ORIGIN, ENCODING, *VALIDITY, PHASE, BENEFIT, *REGISTERED, KIND_CODE, AUTHOR_CODES, *CLEANED)
_RESERVED: Final = frozenset((*_KNOWN, *_MADE, "tokens"))
_NOT_ALNUM: Final = re.compile(r"[\W_]+")
_PARENTHESIS: Final = re.compile(r"[(\[].*?[)\]]")
_NUMBERING: Final = re.compile(r"^\s*(?:\d+|[IVX]+)\s*[.)]\s*")
_ENCODINGS: Final = ("tcvn3", "vni", "cp1258", "utf8")
_FURTHER: Final = 1000  # a worse form of a good name is worse than a good form of any
_COLUMNS: Final = 1000
_SHORT: Final = 60  # what stands in the second row of a header is a few words
_ALONE: Final = frozenset({"id", "title", "description"})
_LABELS: Final = frozenset({"field", "field2"})
_VAGUE: Final = frozenset({"ten", "ma", "maso", "ngay", "so", "id", "title"})
_COMPARED: Final = 600  # cells among which the nearest is looked for: a hostile file has many


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
        """Return the column of a batch that ``header`` names and how far from the best name it is, or None.

        The header is tried as it stands, then without numbering and parentheses, then its first part
        before a slash: ``1. Tên sáng kiến/giải pháp (bắt buộc)`` is a title. At last it is tried as what
        it is if it was written in an encoding from before Unicode.

        >>> HeaderAliases.of([("Tên sáng kiến", "title")]).match("Tªn s¸ng kiÕn")
        ('title', 3000)
        """
        if found := self._match(header):
            return found
        if header.isascii() or len(header) > _LONGEST or legacy.UNICODE.search(header):
            return None
        for name in _ENCODINGS:
            if found := self._match(legacy.decode(header, name)):
                return found[0], found[1] + _FURTHER * 3
        return None

    def _match(self, header: str) -> tuple[str, int] | None:
        bare = _PARENTHESIS.sub(" ", _NUMBERING.sub("", header[:_LONGEST]))
        for distance, form in enumerate((header, bare, bare.split("/", maxsplit=1)[0])):
            found = self.columns.get(fold(form))
            if found and not (distance and _is_authors(found[0], header)):
                return found[0], found[1] + _FURTHER * distance
        return None

    def match_below(self, above: str, below: str) -> tuple[str, int] | None:
        """Return what a header of two rows names: "Họ tên" below "Tác giả" is an author.

        Words such as "Tên" or "Ngày" say nothing without what stands above them.

        >>> HeaderAliases.of([("Tên đơn vị", "unit"), ("Tên", "title")]).match_below("Đơn vị", "Tên")
        ('unit', 0)
        """
        if not above or not below:
            return self.match(above or below)
        for both in (f"{below} {above}", f"{above} {below}"):
            if found := self.match(both):
                return found
        if fold(below) not in _VAGUE and (found := self.match(below)):
            return found[0], found[1] + _FURTHER * 4
        return None

    def nearest(self, cells: Sequence[str]) -> list[str]:
        """Return those of ``cells`` that look most like a header that is needed, best first."""
        wanted = [alias for alias, (column, _) in self.columns.items() if column in self.needed]
        seen = {fold(cell): cell.strip() for cell in reversed(cells)}
        seen.pop("", None)
        closeness = {
            name: max(difflib.SequenceMatcher(None, name, alias).ratio() for alias in wanted)
            for name in seen
            if wanted
        }
        best = sorted((-score, name) for name, score in closeness.items() if score >= 0.6)  # noqa: PLR2004 - difflib's own cut-off
        return [seen[name] for _, name in best[:3]]


def _is_authors(column: str, header: str) -> bool:
    """Return whether a header of fields says, in brackets or below, that they are the author's: no labels."""
    return column in _LABELS and "tacgia" in fold(header)


def aliases(path: Path | None = None) -> HeaderAliases:
    """Return the table of header names that is shipped, with those of the sheet at ``path`` before them.

    The sheet is a CSV file with the columns ``alias,column``; the names further up are the better ones.

    Raises:
        InputNotFound: There is no such file.
        UsageError: A row does not name a column that headers name (`records.CANONICAL`, `records.OPTIONAL`).

    >>> aliases().match("Tên SK")[0]
    'title'
    """
    own = _pairs(path) if path else []
    return HeaderAliases.of(
        [*own, *((name, name) for name in _KNOWN), *_pairs(settings.checkout("data", "headers.csv"))]
    )


def _pairs(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputNotFound("{path} is not there: the table of header names.", path=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("{path} is not UTF-8 text. Save it as UTF-8.", path=str(path)) from None
    pairs = []
    lines = csv.reader(text.splitlines())
    for number, cells in enumerate(lines, start=1):
        cells = [cell.strip() for cell in cells]  # noqa: PLW2901 - the stripped cells are the row
        if number == 1 or not any(cells):
            continue
        if len(cells) != 2 or cells[1] not in _KNOWN:  # noqa: PLR2004 - alias,column
            raise UsageError(
                "{path}, row {row}: expected a header name and one of {columns}, found {found}.",
                path=str(path),
                row=number,
                columns=", ".join(_KNOWN),
                found=", ".join(cells),
            )
        pairs.append((cells[0], cells[1]))
    return pairs


@dataclass(frozen=True, slots=True)
class Located:
    """Where a header stands: in ``depth`` rows from index ``at`` on, the cells of both joined by " / ".

    ``columns`` has for each cell the canonical column it names and how far from the best name it is;
    ``folded`` the rows as `fold` has them; ``score`` how many canonical columns are named.
    """

    at: int
    depth: int
    cells: tuple[str, ...]
    columns: tuple[tuple[str, int] | None, ...]
    folded: tuple[tuple[str, ...], ...]
    score: int


def locate(rows: Sequence[Sequence[str]], table: HeaderAliases) -> Located | None:
    """Return where among the first `SEARCHED` rows the header stands: that which names most columns.

    A header of two rows is one where the second names more below the first, whose cells reach to the
    right as far as nothing else is written.

    >>> rows = [["STT", "Tác giả", "", "Sáng kiến", ""], ["", "Tên", "Đơn vị", "Tên", "Mô tả"]]
    >>> found = locate(rows, aliases())
    >>> found.depth, found.cells[3], [column and column[0] for column in found.columns]
    (2, 'Sáng kiến / Tên', [None, 'author', 'unit', 'title', 'description'])
    """
    searched = [tuple(map(_tidy, cells)) for cells in rows[: SEARCHED + 1]]
    ones = [_located(at, (cells,), cells, _matches(cells, table), table) for at, cells in enumerate(searched)]
    twos = [_of_two(at, above, below, table) for at, (above, below) in enumerate(pairwise(searched))]
    found = [each for each in (*ones[:SEARCHED], *twos) if each and each.score]
    # The first of the best; one that leaves open which of two columns is the title comes behind its equals.
    best = max(found, key=lambda each: (each.score, not _doubtful(each)), default=None)
    if best and best.depth == 1 and best.at:
        both, above = twos[best.at - 1], searched[best.at - 1]
        if both and both.score and _is_group_row(above, best.cells):
            return both  # "Ngày" alone would be a date of filing, though "Quyết định" stands above it
    return best


def _is_group_row(above: Sequence[str], below: Sequence[str]) -> bool:
    """Return whether a row above a header belongs to it: a title stands alone, and over no empty cell."""
    filled = [place for place, cell in enumerate(above) if cell]
    alone = any(place >= len(below) or not below[place] for place in filled)
    return len(filled) > 1 and alone


def _matches(cells: Sequence[str], table: HeaderAliases) -> tuple[tuple[str, int] | None, ...]:
    """Return what each cell names; beyond `_COLUMNS` nothing is looked at, for the header is refused."""
    return tuple(table.match(cell) if place <= _COLUMNS else None for place, cell in enumerate(cells))


def nothing() -> Located:
    """Return the header of a table without columns: all its rows are damaged."""
    return Located(0, 0, (), (), (), 0)


def _located(
    at: int,
    rows: tuple[tuple[str, ...], ...],
    cells: tuple[str, ...],
    columns: tuple[tuple[str, int] | None, ...],
    table: HeaderAliases,
) -> Located:
    named = {column[0] for column in columns if column}
    folded = tuple(tuple(map(fold, row)) for row in rows)
    return Located(at, len(rows), cells, columns, folded, len(named) if named & table.needed else 0)


def _of_two(at: int, above: tuple[str, ...], below: tuple[str, ...], table: HeaderAliases) -> Located | None:
    """Return the header of two rows, None where the second cannot be a part of one."""
    if not any(below) or max(map(len, below)) > _SHORT or len(above) > _COLUMNS:
        return None
    width = max(len(above), len(below))
    above += ("",) * (width - len(above))
    below += ("",) * (width - len(below))
    cells, columns, group = [], [], ""
    for upper, lower in zip(above, below, strict=True):
        group = upper or (group if lower else "")
        cells.append(" / ".join(filter(None, (group, lower))))
        column = table.match_below(group, lower)
        if column is None and lower and upper and (own := table.match(upper)):
            if own[0] in table.needed:
                return None  # a text below the name of a text: that is an initiative
            column = None if _is_authors(own[0], lower) else (own[0], own[1] + _FURTHER * 5)
        columns.append(column)
    return _located(at, (above, below), tuple(cells), tuple(columns), table)


def missing(rows: Sequence[Sequence[str]], table: HeaderAliases) -> UnreadableError:
    """Return the error that no header was found, which names the cells that look most like one."""
    cells = [cell for row in rows for cell in row[:100]]
    near = table.nearest(list(dict.fromkeys(map(_tidy, cells)))[:_COMPARED])
    nearest = ", ".join(f'"{cell}"' for cell in near) or "–"
    return UnreadableError("E-HEADER", searched=SEARCHED, nearest=nearest)


def _tidy(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


@dataclass(frozen=True, slots=True)
class Header:
    """A header: the batch column of each cell, the cells as written, what a person should know of it.

    ``names`` holds the batch column for each position; `name` gives one for positions beyond them.
    ``folded`` has the rows as `fold` has them.
    """

    names: tuple[str, ...]
    cells: tuple[str, ...]
    folded: tuple[tuple[str, ...], ...]
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


def header(located: Located, *, file: str) -> Header:
    """Return what a header says of its columns.

    Of two headers for one canonical column the better alias has it (then the one further left); the
    other is carried along under its own text, as every unknown column is.

    Raises:
        UnreadableError: ``E-COLS``: it has too many columns. ``E-HEADER-DUP``: an id, title or description
            stands twice under one name.

    >>> found = locate([["Mã số", "Tên SK", "Ghi chú", "Ghi chú"]], aliases())
    >>> header(found, file="a.csv").names
    ('id', 'title', 'Ghi chú', 'Ghi chú (2)')
    """
    written = located.cells
    if sum(map(bool, written)) > _COLUMNS:
        raise UnreadableError("E-COLS", count=sum(map(bool, written)), most=_COLUMNS)
    chosen: dict[str, tuple[int, int]] = {}
    for position, match in enumerate(located.columns):
        if match:
            column, rank = match
            chosen[column] = min(chosen.get(column, (rank, position)), (rank, position))
    owner = {position: column for column, (_, position) in chosen.items()}
    _only_once(written, owner)
    taken: set[str] = set(_RESERVED)
    names, notes, columns = [], [], {}
    for position, (cell, match) in enumerate(zip(written, located.columns, strict=True)):
        name = owner.get(position) or _extra(cell or f"column {position + 1}", taken)
        taken.add(name)
        names.append(name)
        if cell:
            columns[cell if cell not in columns else name] = name
        if position not in owner and cell:
            column = match[0] if match else ""
            winner = written[chosen[column][1]] if column else ""
            notes += _remark(cell, name, column, winner, file=file)
    return Header(tuple(names), written, located.folded, columns, tuple(notes))


def _only_once(written: Sequence[str], owner: Mapping[int, str]) -> None:
    """Raise where nobody could say which of two columns is meant, and taking one would lose the other."""
    folded = Counter(map(fold, written))
    for position, column in owner.items():
        if column in _ALONE and folded[fold(written[position])] > 1:
            raise UnreadableError("E-HEADER-DUP", header=f'"{written[position]}"', column=column)


def _doubtful(located: Located) -> bool:
    """Return whether an id, title or description stands twice under one name."""
    named = Counter(
        (fold(cell), match[0])
        for cell, match in zip(located.cells, located.columns, strict=True)
        if match and match[0] in _ALONE
    )
    return any(count > 1 for count in named.values())


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
