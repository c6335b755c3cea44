"""What becomes of a row below the header: an initiative, a quarantined row, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pipeline.read import values
from pipeline.read.faults import Fault, Row
from pipeline.read.headers import Header, fold
from pipeline.records import CANONICAL

_TOTAL: Final = re.compile(
    r"(?:tong|cong|tongcong|tongso|total|grandtotal)(?:so)?(?:sangkien|giaiphap|detai|hoso|danhsach)?\d*"
)
_SIGNATURE: Final = re.compile(
    r"(?:nguoi|canbo)?lapbieu|nguoilap(?:bang|danhsach)?|thutruong(?:donvi|coquan)?|ketoantruong|noinhan"
    r"|(?:tm|kt|tl)?(?:ban(?:chaphanh|thuongvu)(?:congdoan)?|chutich|giamdoc|hieutruong)"
    r"|ky(?:va)?(?:ten)?(?:ghiro)?(?:hoten|dongdau)|xacnhancua(?:donvi|congdoan|thutruong)\w{0,20}"
    r"|[a-z]{0,30}ngay\d{0,2}thang\d{0,2}nam\d{0,4}"
)
_LONGEST: Final = 100  # a longer cell is a text, whatever it starts with
_SHORT: Final = 40  # what stands beside "Tổng cộng" is a number or a few words
_FEW: Final = 2  # cells that a name below a signature line fills
_AS_SUBMITTED: Final = "{header} (as submitted)"


@dataclass(slots=True)
class Accepted:
    """A row that is an initiative: its cells by batch column, its codes for ``flags``, and its source."""

    cells: dict[str, str]
    flags: list[str]
    row: Row


@dataclass(slots=True)
class Verdicts:
    """The rows of one table, sorted out; blank ones only counted."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[tuple[Row, Fault]] = field(default_factory=list)
    blank: int = 0


def judge(rows: Iterable[Row], header: Header, *, exact: bool) -> Verdicts:
    """Return the rows sorted out: each is accepted, refused or blank, and none is two of them.

    ``exact`` says that every row must have as many cells as the header (CSV).

    >>> from pipeline.read.headers import aliases, header
    >>> named = header(["id", "title"], aliases(), file="a.csv")
    >>> rows = [Row(2, ["1", "Máy"], ""), Row(3, ["", ""], ""), Row(4, ["2", " "], "")]
    >>> found = judge(rows, named, exact=True)
    >>> len(found.accepted), [fault.code for _, fault in found.refused], found.blank
    (1, ['E-EMPTY-TEXT'], 1)
    """
    found = Verdicts()
    empty = dict.fromkeys((*CANONICAL, *header.named), "")
    signed = False
    for row in rows:
        if row.fault is None and not any(map(str.strip, row.cells)):
            found.blank += 1
            continue
        fault = row.fault
        if fault is None or fault.code == "E-COLS":
            other, signed = _not_data(row.cells, header, signed=signed)
            fault = other or fault or _fault(row, header, exact=exact)
        if fault is None:
            accepted = _accepted(row, header, dict(empty))
            if (accepted.cells["title"] + accepted.cells["description"]).strip():
                found.accepted.append(accepted)
                continue
            fault = Fault("E-EMPTY-TEXT")
        found.refused.append((row, fault))
    return found


def _fault(row: Row, header: Header, *, exact: bool) -> Fault | None:
    width = len(header.cells)
    if (
        exact
        and len(row.cells) != width
        and (len(row.cells) < width or any(map(str.strip, row.cells[width:])))
    ):
        return Fault("E-COLS", {"found": len(row.cells), "expected": width})
    if any("\0" in cell for cell in row.cells):
        return Fault("E-NUL")
    for position, error in row.errors:
        # An error in a column that is only carried along costs no initiative.
        if header.name(position) in CANONICAL:
            return Fault("E-CELL", {"column": header.cells[position], "found": error})
    return None


def _not_data(cells: list[str], header: Header, *, signed: bool) -> tuple[Fault | None, bool]:
    """Return the fault of a heading, total or signature row, and whether a signature has been seen."""
    filled = [cell for cell in cells if cell.strip()]
    first = filled[0]
    name = fold(first) if len(first) <= _LONGEST else ""
    shown = {"found": " ".join(first.split())[:_LONGEST]}
    if name in header.folded and _repeats(cells, header):
        return Fault("E-NOTDATA", shown), signed
    if _TOTAL.fullmatch(name) and all(len(cell) <= _SHORT for cell in filled):
        return Fault("E-NOTDATA", shown), signed
    if _SIGNATURE.fullmatch(name) and all(_SIGNATURE.fullmatch(fold(cell)) for cell in filled):
        return Fault("E-NOTDATA", shown), True
    if signed and len(filled) <= _FEW < len(header.cells):
        return Fault("E-NOTDATA", shown), signed
    return None, signed


def _repeats(cells: list[str], header: Header) -> bool:
    return len(cells) <= len(header.folded) and all(
        not cell.strip() or fold(cell) == name for cell, name in zip(cells, header.folded, strict=False)
    ) and sum(bool(cell.strip()) for cell in cells) >= min(2, len(header.cells))  # fmt: skip


def _accepted(row: Row, header: Header, cells: dict[str, str]) -> Accepted:
    for position, cell in enumerate(row.cells):
        name = header.name(position)
        if cell or name in cells:  # a column without a header is worth carrying only where it holds something
            cells[name] = cell
    flags = []
    for column, reading in (("submitted", values.date), ("sector", values.sector)):
        written = cells[column].strip()
        meaning = reading(written) if written else ""
        cells[column] = meaning or ""
        if meaning is None:
            cells[_AS_SUBMITTED.format(header=header.written(column))] = written
            flags += ["bad_date"] if column == "submitted" else []
    return Accepted(cells, flags, row)
