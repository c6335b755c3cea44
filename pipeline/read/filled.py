"""Sheets that people filled in: one row at a time, each cell of the right kind or told what is wrong."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from pipeline.errors import Note
from pipeline.read import dates, headers, ids, parts
from pipeline.read.faults import Row, UnreadableError
from pipeline.records import Quarantined

Said = TypeVar("Said")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 32_767  # units of a cell in a workbook: what is longer could not be written again
_UNWRITABLE: Final = re.compile(
    # What a workbook cannot hold, and signs that make a text read otherwise than it is.
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


class Filled(ABC, Generic[Said]):
    """Goes through files and keeps what people said, row by row; `row` says what a row says.

    ``unseen`` counts the rows that nobody has filled in.
    """

    def __init__(
        self, table: headers.HeaderAliases, needed: Collection[str], family: str, absent: Note
    ) -> None:
        self._table, self._needed = table, frozenset(needed)
        self._family, self._absent = family, absent
        self.said: list[Said] = []
        self.problems: list[Quarantined] = []
        self.unseen = 0

    @abstractmethod
    def row(self, line: Line, source: str) -> Said | None:
        """Return what a row says, None where nobody has filled it in.

        Raises:
            WrongError: It cannot be understood.
        """

    def file(self, path: Path, name: str) -> None:
        """Read one file; what is wrong with it as a whole is a problem in row 0."""
        try:
            if not self._tables(path, name):
                note = Note("{file}: {note}", {"file": name, "note": self._absent})
                self.problems.append(Quarantined(name, "", 0, "", "E-HEADER", note, ""))
        except PermissionError:
            self._unreadable(name, UnreadableError("E-PERM"))
        except OSError as fault:
            self._unreadable(name, UnreadableError("E-IO", reason=fault.strerror or type(fault).__name__))
        except UnreadableError as fault:
            self._unreadable(name, fault)

    def _tables(self, path: Path, name: str) -> bool:
        """Read the tables of a file; return whether one of them was such a sheet."""
        before = len(self.said), len(self.problems), self.unseen
        try:
            with parts.opened(path) as handle:
                found = parts.look(handle, name, path.suffix.lower())
                return sum(self._sheet(name, part) for part in found.parts(self._table)) > 0
        except UnreadableError as fault:
            # What was read of a file that is damaged further on does not count.
            del self.said[before[0] :], self.problems[before[1] :]
            self.unseen = before[2]
            if fault.code == "E-HEADER":
                return False  # its sentence asks for a title: what is missing here is said instead
            raise

    def _unreadable(self, name: str, fault: UnreadableError) -> None:
        self.problems.append(Quarantined(name, "", 0, "", fault.code, fault.note(name), ""))

    def _sheet(self, name: str, table: parts.Part) -> bool:
        """Read one table; return whether it is such a sheet."""
        header = table.header
        if not self._needed <= set(header.names):
            return False
        for row in table.rows:
            try:
                said = self._row(Line(parts.place_of(name, table.sheet), row, header, self._family), name)
            except WrongError as wrong:
                problem = (name, table.sheet, row.number, wrong.column, wrong.code, wrong.note, row.text())
                self.problems.append(Quarantined(*problem))
                continue
            if said is not None:
                self.said.append(said)
        return True

    def _row(self, line: Line, source: str) -> Said | None:
        if line.row.fault:
            fault = line.row.fault
            raise WrongError(fault.code, "", fault.note(line.place, line.row.number))
        if not any(map(str.strip, line.row.cells)):
            return None
        said = self.row(line, source)
        self.unseen += said is None
        return said


class WrongError(Exception):
    """A row is no decision, and why."""

    def __init__(self, code: str, column: str, note: Note) -> None:
        super().__init__(code)
        self.code, self.column, self.note = code, column, note


@dataclass(frozen=True, slots=True)
class Line:
    """A row and what its cells are called."""

    place: str
    row: Row
    header: headers.Header
    family: str

    def cell(self, column: str) -> str:
        """Return the stripped cell under a column; ``""`` where there is none."""
        if column not in self.header.names:
            return ""
        at = self.header.names.index(column)
        if any(place == at for place, _, _ in self.row.errors):
            raise self.wrong(
                "E-CELL",
                column,
                "{file}, row {row}, column {column}: the cell shows the error {found}. "
                "Correct the formula or type the value, then import again.",
            )
        return self._raw(column)

    def _raw(self, column: str) -> str:
        at = self.header.names.index(column)
        return self.row.cells[at].strip() if at < len(self.row.cells) else ""

    def wrong(self, code: str, column: str, template: str, **values: object) -> WrongError:
        """Return the error that says what is wrong with a cell, and where it stands."""
        written = self.header.written(column)
        said = {"file": self.place, "row": self.row.number, "column": written, "found": self._raw(column)}
        return WrongError(code, written, Note(template, {**said, **values}))

    def id(self, column: str) -> str:
        """Return the id of a record."""
        name = ids.given(self.cell(column))
        if not name or _UNWRITABLE.search(name):
            raise self.wrong(
                f"{self.family}-ID",
                column,
                "{file}, row {row}, column {column}: the id of a record is missing or damaged. "
                "Fill it in, then import again.",
            )
        return name

    def content(self, column: str) -> str:
        """Return the hash of a text, ``""`` where the table has none."""
        found = self.cell(column)
        if found and not _HASH.fullmatch(found):
            raise self.wrong(
                f"{self.family}-TEXT",
                column,
                "{file}, row {row}, column {column}: the hidden mark of the text was changed. "
                "Copy the row from the workbook of the run again, then import again.",
            )
        return found

    def text(self, column: str) -> str:
        """Return what a person wrote, without what cannot be written into a workbook again."""
        found = self.cell(column)
        if len(found.encode("utf-16-le", "surrogatepass")) // 2 > _LONGEST:
            raise self.wrong(
                f"{self.family}-LONG",
                column,
                "{file}, row {row}, column {column}: the text is longer than a cell of a workbook may be. "
                "Shorten it, then import again.",
                found="",
            )
        return ids.given(_UNWRITABLE.sub("", found.replace("\r\n", "\n").replace("\r", "\n")))

    def day(self, today: str) -> str:
        """Return the ISO date of the decision, ``""`` where none is given."""
        found = self.cell("date")
        day = dates.date(found)
        if found and day is None:
            raise self.wrong(
                f"{self.family}-DATE",
                "date",
                '{file}, row {row}, column {column}: "{found}" is no date. '
                "Write day/month/year, then import again.",
            )
        if day and day > today:
            raise self.wrong(
                f"{self.family}-DATE",
                "date",
                "{file}, row {row}, column {column}: {found} is still to come. "
                "Write the day of the decision, then import again.",
            )
        return day or ""
