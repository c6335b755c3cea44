"""Tables as files that read the same everywhere: CSV, Parquet, JSON Lines, JSON.

Every function writes the same bytes for the same table.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

_PICKED_UP: Final = re.compile("'*(?:[\t\r\n\0]|[\\s\0]*[=+\\-@＝＋－＠﹢﹣﹦﹫−])")
"""A cell that a spreadsheet may run: the signs a formula opens with (and their wide and small forms), after
white space or not, and white space that a spreadsheet strips to get at them."""

_ROW_GROUP: Final = 50_000


def inert(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet shows it and does not run it.

    An apostrophe goes before what may be a formula; nothing else is changed, and `verbatim` takes the
    apostrophe away again.

    >>> inert("=1+1"), inert("5 - 3"), inert("'=1")
    ("'=1+1", '5 - 3', "''=1")
    """
    return f"'{cell}" if _PICKED_UP.match(cell) else cell


def verbatim(cell: str) -> str:
    """Return the text that `inert` was given.

    >>> verbatim("'=1+1"), verbatim("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and _PICKED_UP.match(cell, 1) else cell


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as RFC 4180 has it, in UTF-8 with a byte order mark, for which Excel looks.

    Probabilities have four decimals, truth is ``true`` or ``false``, text is `inert`.
    """
    columns = [_printed(frame[name]) for name in frame.columns]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([inert(str(name)) for name in frame.columns])
        writer.writerows(zip(*columns, strict=True))


def _printed(column: pd.Series[Any]) -> list[str]:
    """Return the cells of a column as CSV prints them."""
    kind = column.dtype.kind
    if kind == "b":
        return ["true" if cell else "false" for cell in column]
    if kind == "f":
        # A record without a second field has no second probability.
        return ["" if pd.isna(cell) else f"{cell:.4f}" for cell in column]
    if kind in "iu":
        return [str(cell) for cell in column]
    return [inert(cell) for cell in column.tolist()]


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, text verbatim, without an index or anything of the writing program's."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP, store_schema=False)


def plain_workbook(sheets: Mapping[str, Mapping[tuple[int, int], str]]) -> bytes:
    """Return a workbook (XLSX) of texts, by sheet, row and column from 1; nothing in it is a formula."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the same bytes every time
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            for (row, column), text in cells.items():
                sheet.write_string(row - 1, column - 1, text)
    return out.getvalue()


def write_json_lines(objects: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write one object a line, keys in the order given."""
    # Half a surrogate pair becomes the escape that JSON has for it; an exception would lose the whole run.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for each in objects:
            file.write(json.dumps(each, ensure_ascii=False) + "\n")


def write_json(content: Mapping[str, object], path: Path) -> None:
    """Write one object, keys sorted, for people to read and programs to compare."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace", newline="\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
