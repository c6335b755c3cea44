"""XLSX and XLS → sheets of rows, by a child process whose death is an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from pipeline.errors import Note
from pipeline.read import workbook_guard
from pipeline.read.faults import Row, UnreadableError

_CHILD: Final = Path(__file__).with_name("workbook_child.py")


@dataclass(slots=True)
class Sheet:
    """A sheet: its filled rows, and how many rows its used range has (blank ones among them)."""

    name: str
    visible: bool
    rows: list[Row] = field(default_factory=list)
    height: int = 0


def sheets(file: IO[bytes], data: bytes, *, checked: bool) -> Iterator[Sheet]:
    """Yield the sheets of the workbook open as ``file`` with the bytes ``data``.

    ``checked`` says that it is a ZIP archive (XLSX) and must pass the guard first. The workbook is parsed
    in a process of its own with bounded memory and time, because a few kilobytes can ask for gigabytes.

    Raises:
        UnreadableError: ``E-XLSX-LIMIT``, ``E-XLSX-DAMAGED`` or ``E-PASSWORD``.
    """
    errors = workbook_guard.check(data) if checked else {}
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child shares the position, not the buffer
    command = [sys.executable, "-P", str(_CHILD)]
    with subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:  # noqa: S603 - our own interpreter and file
        try:
            assert child.stdout is not None  # asked for above
            yield from _sheets(child.stdout, errors)
        finally:
            child.kill()


def _sheets(lines: IO[bytes], errors: workbook_guard.Errors) -> Iterator[Sheet]:
    sheet: Sheet | None = None
    for line in lines:
        what, *rest = _message(line)
        if what in {"sheet", "end"} and sheet is not None:
            yield sheet
            sheet = None
        if what == "end":
            return
        if what == "error":
            code = {"password": "E-PASSWORD", "limit": "E-XLSX-LIMIT"}.get(rest[0], "E-XLSX-DAMAGED")
            raise UnreadableError(code, reason=rest[1])
        if what == "sheet":
            sheet = Sheet(*rest)
        elif what == "blank" and sheet is not None:
            sheet.height += rest[0]
        elif sheet is not None:
            sheet.height += 1
            sheet.rows.append(_row(sheet.height, rest[0], errors.get(sheet.name, {}).get(sheet.height, {})))
    # The child ended without a word: the system stopped it at a limit.
    raise UnreadableError("E-XLSX-LIMIT", reason=Note("memory or time"))


def _message(line: bytes) -> list[Any]:
    try:
        message: list[Any] = json.loads(line)
    except ValueError:
        raise UnreadableError("E-XLSX-LIMIT", reason=Note("memory or time")) from None
    return message


def _row(number: int, cells: list[str], errors: dict[int, str]) -> Row:
    cells.extend([""] * (max(errors, default=0) - len(cells)))
    for column, value in errors.items():
        cells[column - 1] = value
    shown = tuple((column - 1, value) for column, value in sorted(errors.items()))
    return Row(number, cells, "\t".join(cells), errors=shown)
