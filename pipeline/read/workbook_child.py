"""The process that opens a workbook: hostile ones end it, not the caller.

It is run as a file, not as a module, so that nothing of the package has to be imported first. The
workbook comes on standard input; lines of JSON go to standard output: ``["sheet", name, visible]``,
``["row", cells]``, ``["blank", how many rows]``, at last ``["end"]`` or ``["error", kind, reason]``.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Final

MEMORY: Final = 2 << 30  # bytes of address space
SECONDS: Final = 120  # of processor time
_EXACT: Final = 1e15  # Excel keeps 15 digits: beyond, the digits of an integer would be invented ones


def text_of(value: object) -> str:  # noqa: PLR0911 - one type, one line
    """Return the text of a typed cell: whole numbers without ``.0``, dates as ISO, TRUE and FALSE.

    >>> import datetime as dt
    >>> [text_of(value) for value in ("007", 3.0, 0.5, True, dt.datetime(2025, 3, 4), None)]
    ['007', '3', '0.5', 'TRUE', '2025-03-04', '']
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # noqa: PLR0124 - NaN is how number columns write that there is nothing
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def limit() -> None:
    """Bound the memory and processor time of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, hard))


def lines(data: bytes) -> Iterator[list[object]]:
    """Yield what stands in the workbook ``data``, sheet by sheet."""
    from python_calamine import (  # noqa: PLC0415 - the limits come first
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for sheet in book.sheets_metadata:
        yield ["sheet", sheet.name, sheet.visible == SheetVisibleEnum.Visible]
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        blank = 0
        # Rows are counted from the sheet's first, not from its first filled one.
        for values in book.get_sheet_by_name(sheet.name).iter_rows():
            cells = [text_of(value) for value in values]
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                blank += 1
                continue
            if blank:
                yield ["blank", blank]
                blank = 0
            yield ["row", cells]
        if blank:
            yield ["blank", blank]
    yield ["end"]


def main() -> None:
    """Read the workbook on standard input; the last line says how it went."""
    limit()
    data = sys.stdin.buffer.read()
    try:
        for line in lines(data):
            sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except MemoryError:
        sys.stdout.write(json.dumps(["error", "limit", "memory"]) + "\n")
    except Exception as error:  # noqa: BLE001 - whatever the reader says, the file is named and the others go on
        kind = "password" if type(error).__name__ == "PasswordError" else "damaged"
        sys.stdout.write(json.dumps(["error", kind, str(error)[:200]]) + "\n")


if __name__ == "__main__":
    main()
