"""XLSX and XLS → sheets of rows, by a child process whose death is an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from pipeline.errors import Note
from pipeline.read import raw, workbook_guard, xls_guard
from pipeline.read.faults import Row, UnreadableError

_CHILD: Final = Path(__file__).with_name("workbook_child.py")


@dataclass(slots=True)
class Sheet:
    """A sheet: its filled rows, and how many rows of its used range were passed (blank ones among them).

    ``rows`` moves on with the process that reads: once, and before the next sheet is asked for.
    """

    name: str
    visible: bool
    seen: workbook_guard.Part
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    height: int = 0


class Workbook:
    """A workbook that was checked; `sheets` parses it.

    ``file`` is open on it and ``data`` its bytes. ``zipped`` says that it is a ZIP archive (XLSX).

    Raises:
        UnreadableError: ``E-XLSX-LIMIT``, ``E-XLSX-DAMAGED`` or ``E-PASSWORD``.
    """

    def __init__(self, file: IO[bytes], data: bytes, *, zipped: bool) -> None:
        self._file = file
        self._data = data
        self._checked = workbook_guard.check(data) if zipped else xls_guard.check(data)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what a person should know of the workbook as a whole."""
        return self._checked.notes

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets, each to be read before the next.

        The workbook is parsed in a process of its own with bounded memory and time, because a few
        kilobytes can ask for gigabytes.

        Raises:
            UnreadableError: As above, also between the rows of a sheet.
        """
        with self._source() as file:
            os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child shares the position, not the buffer
            command = [sys.executable, "-P", str(_CHILD)]
            with subprocess.Popen(  # noqa: S603 - our own interpreter and file
                command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as child:
                try:
                    assert child.stdout is not None  # asked for above
                    yield from self._sheets(_Messages(child.stdout))
                finally:
                    child.kill()

    @contextmanager
    def _source(self) -> Iterator[IO[bytes]]:
        if not self._checked.misplaced:
            yield self._file
            return
        with tempfile.TemporaryFile() as copy:
            copy.write(workbook_guard.placed(self._data))
            copy.flush()
            yield copy

    def _sheets(self, messages: _Messages) -> Iterator[Sheet]:
        while (message := messages.next())[0] != "end":
            what, *rest = message
            if what != "sheet":
                continue  # what is left of a sheet that nobody read to its end
            seen = self._checked.sheets.get(rest[0], workbook_guard.Part())
            sheet = Sheet(rest[0], bool(rest[1]), seen)
            sheet.rows = _rows(sheet, messages)
            yield sheet


class _Messages:
    """The lines of the child, one of which may be put back."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines
        self._back: list[list[Any]] = []

    def next(self) -> list[Any]:
        if self._back:
            return self._back.pop()
        try:
            message: list[Any] = json.loads(self._lines.readline())
        except ValueError:
            # The child ended without a word: the system stopped it at a limit.
            raise UnreadableError("E-XLSX-LIMIT", reason=Note("memory or time")) from None
        if message[0] == "error":
            code = {"password": "E-PASSWORD", "limit": "E-XLSX-LIMIT"}.get(message[1], "E-XLSX-DAMAGED")
            raise UnreadableError(code, reason=message[2])
        return message

    def back(self, message: list[Any]) -> None:
        self._back.append(message)


def _rows(sheet: Sheet, messages: _Messages) -> Iterator[Row]:
    while True:
        what, *rest = message = messages.next()
        if what not in {"row", "blank"}:
            messages.back(message)
            return
        if what == "blank":
            # Excel may show a value that the parser leaves out.
            last = sheet.height + rest[0]
            for number in sorted(number for number in sheet.seen.errors if sheet.height < number <= last):
                sheet.height = number
                yield _row(sheet, [])
            sheet.height = last
        else:
            sheet.height += 1
            yield _row(sheet, rest[0])


def _row(sheet: Sheet, cells: list[str]) -> Row:
    errors = sheet.seen.errors.get(sheet.height, {})
    cells.extend([""] * (max(errors, default=0) - len(cells)))
    for column, (_, value) in errors.items():
        cells[column - 1] = value
    shown = tuple((column - 1, code, value) for column, (code, value) in sorted(errors.items()))
    hidden = sheet.height in sheet.seen.hidden_rows
    return Row(sheet.height, cells, raw.joined(cells), errors=shown, hidden=hidden)
