"""The CSV sheets that offices edit: rows by column, with the line that each stands on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pipeline.errors import UsageError


def rows(text: str, *, file: str, columns: Sequence[str], needed: int) -> list[tuple[int, dict[str, str]]]:
    r"""Return the rows below the header: the line each ends on, and its cells, ``""`` where one lacks.

    Cells are parted by commas or, as Excel saves them on a Vietnamese system, by semicolons; of a row without
    cells nothing is returned.

    Args:
        text: The file's content.
        file: Its name for messages.
        columns: The sheet's columns, in lower case.
        needed: How many of them, from the first on, must be there.

    Raises:
        UsageError: It is no CSV, or a needed column is missing.

    >>> rows("Alias;Name\nQ.1;Quận 1\n", file="a.csv", columns=["alias", "name"], needed=2)
    [(2, {'alias': 'Q.1', 'name': 'Quận 1'})]
    """
    first = text.split("\n", 1)[0]
    table = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        header = [name.strip().lower() for name in next(table, [])]
        body = [(table.line_num, [cell.strip() for cell in cells]) for cells in table]
    except csv.Error as fault:
        raise UsageError(
            "{file}, row {row}: not a CSV table ({fault}).", file=file, row=table.line_num, fault=fault
        ) from None
    for name in columns[:needed]:
        if name not in header:
            raise UsageError(
                "{file}: the column {column} is missing. The sheet has the columns {columns}.",
                file=file,
                column=name,
                columns=", ".join(columns),
            )
    empty = dict.fromkeys(columns, "")
    return [(line, {**empty, **dict(zip(header, cells, strict=False))}) for line, cells in body if any(cells)]
