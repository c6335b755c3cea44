"""A sheet of fields (XLSX, CSV, …) → a taxonomy, or all that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline import taxonomy
from pipeline.errors import InputNotFound, Note, UsageError
from pipeline.read import dates, headers, parts
from pipeline.read.faults import Row, UnreadableError
from pipeline.read.reading import must_be_there
from pipeline.taxonomy import COLUMNS, Checked

_ALIASES: Final = (
    *((name, name) for name in COLUMNS),
    ("Phiên bản", "version"),
    ("Mã", "code"),
    ("Mã lĩnh vực", "code"),
    ("Tên", "name"),
    ("Tên lĩnh vực", "name"),
    ("Tên khác", "aliases"),
    ("Định nghĩa", "definition"),
    ("in", "includes"),
    ("Bao gồm", "includes"),
    ("Gồm", "includes"),
    ("out", "excludes"),
    ("Không bao gồm", "excludes"),
    ("Không gồm", "excludes"),
    ("Cụm từ", "phrases"),
    ("Cụm từ điển hình", "phrases"),
    ("from", "from_date"),
    ("Từ ngày", "from_date"),
    ("to", "to_date"),
    ("Đến ngày", "to_date"),
    ("Thay bằng", "replaced_by"),
    ("Thay thế bởi", "replaced_by"),
)
_TABLE: Final = headers.HeaderAliases(headers.HeaderAliases.of(_ALIASES).columns, frozenset({"code"}))
_DATES: Final = ("from_date", "to_date")


def taxonomy_sheet(path: Path) -> Checked:
    """Return the taxonomy of a sheet, or every fault in it by row and column.

    Any table that can be read will do, with the columns `taxonomy.COLUMNS` under these names or Vietnamese
    ones, in any order. Of a workbook the first sheet with such columns counts.

    Raises:
        InputNotFound: There is no such file.
        UsageError: It is no table with a column code.
    """
    must_be_there([path])
    try:
        with parts.opened(path) as handle:
            found = parts.look(handle, path.name, path.suffix.lower())
            for part in found.parts(_TABLE):
                if "code" in part.header.names:
                    return _checked(part, parts.place_of(path.name, part.sheet))
    except UnreadableError as fault:
        if fault.code != "E-HEADER":
            raise UsageError("{note}", note=fault.note(path.name)) from fault
    except FileNotFoundError:
        raise InputNotFound("The taxonomy {file} is not there.", file=str(path)) from None
    raise UsageError(
        "{file}: the column {column} is missing. A taxonomy has the columns {columns}.",
        file=path.name,
        column="code",
        columns=", ".join(COLUMNS),
    )


def _checked(part: parts.Part, place: str) -> Checked:
    names = list(part.header.names)
    taxonomy.check_columns(names, file=place)
    rows: list[tuple[int, dict[str, str]]] = []
    damaged: list[Note] = []
    for row in part.rows:
        if row.fault:
            damaged.append(row.fault.note(place, row.number))
        elif any(map(str.strip, row.cells)):
            rows.append((row.number, _cells(row, names)))
    if damaged:
        return Checked(None, tuple(damaged))
    return taxonomy.check(rows, file=place)


def _cells(row: Row, names: list[str]) -> dict[str, str]:
    cells = {name: cell for name, cell in zip(names, row.cells, strict=False) if name in COLUMNS}
    # A spreadsheet hands its dates on in its own way; what is none is named by the check.
    return cells | {name: dates.date(cells.get(name, "")) or cells.get(name, "") for name in _DATES}
