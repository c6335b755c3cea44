"""What becomes of a row below the header: an initiative, a quarantined row, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pipeline.read import ids
from pipeline.read.faults import Fault, Row
from pipeline.read.headers import Header, fold
from pipeline.records import CANONICAL

LONGEST: Final = 500_000
"""Characters of a cell that are believed to be a text."""

_TOTAL: Final = re.compile(
    r"(?:tong|cong|tongcong|tongso|total|grandtotal)(?:so)?(?:sangkien|giaiphap|detai|hoso|danhsach)?\d*"
)
_SIGNATURE: Final = re.compile(
    r"(?:nguoi|canbo)?lapbieu|nguoilap(?:bang|danhsach)?|thutruong(?:donvi|coquan)?|ketoantruong|noinhan"
    r"|(?:tm|kt|tl)?(?:ban(?:chaphanh|thuongvu)(?:congdoan)?|chutich|giamdoc|hieutruong)"
    r"|ky(?:va)?(?:ten)?(?:ghiro)?(?:hoten|dongdau)|xacnhancua(?:donvi|congdoan|thutruong)\w{0,20}"
    r"|[a-z]{0,30}ngay\d{0,2}thang\d{0,2}nam\d{0,4}"
)
_NUMBER: Final = re.compile(r"[(\[]?(\d{1,2}|[A-H])[)\]]?")
_LEAST_NUMBERS: Final = 3  # a row of column numbers has at least so many
_LONGEST_NAME: Final = 100  # a longer cell is a text, whatever it starts with
_SHORT: Final = 40  # what stands beside "Tổng cộng" is a number or a few words
_FEW: Final = 2  # cells that a name below a signature line fills
_PARTLY_SPLIT: Final = frozenset({"E-COLS", "E-TRUNC"})


@dataclass(slots=True)
class Verdicts:
    """A run of rows of one table, sorted out; blank ones only counted.

    ``columns`` has the cells of the accepted rows by batch column, and ``rows`` those rows; ``flags`` their
    codes for the column of that name.
    """

    rows: list[Row] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    flags: list[list[str]] = field(default_factory=list)
    refused: list[tuple[Row, Fault]] = field(default_factory=list)
    blank: int = 0


@dataclass(slots=True)
class Judge:
    """Sorts out the rows of one table, run by run: each is accepted, refused or blank, and none is two.

    ``exact`` says that every row must have as many cells as the header (CSV).

    >>> from pipeline.read.headers import aliases, header, locate
    >>> judge = Judge(header(locate([["id", "title"]], aliases()), file="a.csv"), exact=True)
    >>> found = judge.sort([Row(2, ["1", "Máy"], ""), Row(3, ["", ""], ""), Row(4, ["2", " "], "")])
    >>> found.columns["title"], [fault.code for _, fault in found.refused], found.blank
    (['Máy'], ['E-EMPTY-TEXT'], 1)
    """

    header: Header
    exact: bool
    _begun: bool = False
    _signed: bool = False
    _texts: tuple[int, ...] = field(init=False)
    _id: int = field(init=False)

    def __post_init__(self) -> None:
        places = {name: place for place, name in enumerate(self.header.names)}
        self._texts = tuple(places[name] for name in ("title", "description") if name in places)
        self._id = places.get("id", -1)

    def sort(self, rows: Iterable[Row]) -> Verdicts:
        """Return the next rows of the table, sorted out."""
        found = Verdicts()
        for row in rows:
            if row.fault is None and not any(map(str.strip, row.cells)):
                found.blank += 1
            elif fault := self._fault(row):
                found.refused.append((row, fault))
            else:
                found.rows.append(row)
        found.columns = self._columns(found.rows)
        found.flags = [["hidden_row"] if row.hidden else [] for row in found.rows]
        return found

    def _fault(self, row: Row) -> Fault | None:
        if row.fault and not (row.cells and row.fault.code in _PARTLY_SPLIT):
            return row.fault
        return self._not_data(row.cells) or row.fault or self._wrong_cells(row)

    def _wrong_cells(self, row: Row) -> Fault | None:
        cells, width = row.cells, len(self.header.cells)
        if self.exact and len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
            return Fault("E-COLS", {"found": len(cells), "expected": width})
        if any("\0" in cell for cell in cells):
            return Fault("E-NUL")
        if max(map(len, cells), default=0) > LONGEST:
            return Fault("E-LONG", {"most": LONGEST})
        return self._no_value(row) or self._no_meaning(cells)

    def _no_value(self, row: Row) -> Fault | None:
        for position, code, shown in row.errors:
            # An error in a column that is only carried along costs no initiative.
            if self.header.name(position) in CANONICAL:
                return Fault(code, {"column": self._written(position), "found": shown})
        return None

    def _no_meaning(self, cells: list[str]) -> Fault | None:
        if not any(place < len(cells) and cells[place].strip() for place in self._texts):
            return Fault("E-EMPTY-TEXT")
        name = cells[self._id].strip() if 0 <= self._id < len(cells) else ""
        if name and ids.shortened(name):
            return Fault("E-ID-SCI", {"column": self._written(self._id), "found": name})
        return None

    def _written(self, position: int) -> str:
        cells = self.header.cells
        return cells[position] if position < len(cells) else self.header.name(position)

    def _not_data(self, cells: list[str]) -> Fault | None:
        """Return the fault of a heading, total or signature row; a signature is remembered."""
        first = next((cell for cell in cells if cell.strip()), "")
        if self._begun and not self._signed and first.isdecimal():
            return None  # nothing that is looked for starts so
        filled = [cell for cell in cells if cell.strip()]
        name = fold(first) if len(first) <= _LONGEST_NAME else ""
        fault = Fault("E-NOTDATA", {"found": " ".join(first[:_LONGEST_NAME].split())})
        first_row, self._begun = not self._begun, True
        heading = any(name in row and _repeats(cells, row) for row in self.header.folded)
        total = _TOTAL.fullmatch(name) and all(len(cell) <= _SHORT for cell in filled)
        if _SIGNATURE.fullmatch(name) and all(_SIGNATURE.fullmatch(fold(cell)) for cell in filled):
            self._signed = True
            return fault
        if heading or total or (first_row and _numbers(filled)):
            return fault
        if self._signed and len(filled) <= _FEW < len(self.header.cells):
            # What stands below a signature line is somebody's name, which no message repeats.
            return Fault("E-NOTDATA", {"found": "…"})
        return None

    def _columns(self, rows: list[Row]) -> dict[str, list[str]]:
        """Return the cells of ``rows`` by batch column: every canonical one, and every one with a header."""
        width = max((len(row.cells) for row in rows), default=0)
        found = {}
        for place in range(max(width, len(self.header.names))):
            cells = [row.cells[place] if place < len(row.cells) else "" for row in rows]
            headed = place < len(self.header.cells) and self.header.cells[place]
            if headed or any(cells):  # a column without a header is worth carrying where it holds something
                found[self.header.name(place)] = cells
        return {**{name: [""] * len(rows) for name in CANONICAL if name not in found}, **found}


def _repeats(cells: list[str], folded: tuple[str, ...]) -> bool:
    return len(cells) <= len(folded) and all(
        not cell.strip() or fold(cell) == name for cell, name in zip(cells, folded, strict=False)
    ) and sum(bool(cell.strip()) for cell in cells) >= min(2, len(folded))  # fmt: skip


def _numbers(filled: list[str]) -> bool:
    """Return whether the cells are the numbers of the columns: 1, 2, 3 or (1), (2), (3) or A, B, 1, 2."""
    found = [match[1] for cell in filled if (match := _NUMBER.fullmatch(cell.strip()))]
    if not _LEAST_NUMBERS <= len(found) == len(filled):
        return False
    letters = "".join(cell for cell in found if not cell.isdecimal())
    digits = [int(cell) for cell in found[len(letters) :] if cell.isdecimal()]
    return "ABCDEFGH".startswith(letters) and digits == list(range(1, len(found) - len(letters) + 1))
