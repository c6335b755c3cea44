"""Filled sheets of verdicts → decisions, and what is wrong with the rows that are none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.decisions import CHOICE, CONTENT, UNSEEN
from pipeline.errors import Note, UsageError
from pipeline.read import dates, headers, ids, parts
from pipeline.read.faults import Row, UnreadableError
from pipeline.read.reading import must_be_there, names_of
from pipeline.records import Decision, Quarantined, Verdict

_ALIASES: Final = (
    ("Mã sau", "later"),
    ("Later id", "later"),
    ("later", "later"),
    ("Mã trước", "earlier"),
    ("Earlier id", "earlier"),
    ("earlier", "earlier"),
    ("Kết luận", "verdict"),
    ("Verdict", "verdict"),
    ("Ghi chú", "note"),
    ("Remark", "note"),
    ("note", "note"),
    ("Người xem", "reviewer"),
    ("Người xét", "reviewer"),
    ("Reviewer", "reviewer"),
    ("Ngày", "date"),
    ("Ngày xem", "date"),
    ("Ngày xét", "date"),
    ("Date", "date"),
    ("decided", "date"),
    (CONTENT[0], "later_content"),
    ("later_content", "later_content"),
    (CONTENT[1], "earlier_content"),
    ("earlier_content", "earlier_content"),
)
_TABLE: Final = headers.HeaderAliases(headers.HeaderAliases.of(_ALIASES).columns, frozenset({"verdict"}))
_NEEDED: Final = ("later", "earlier", "verdict")

_WORDS: Final[Mapping[str, Verdict]] = {
    **{headers.fold(word): verdict for verdict, word in CHOICE.items()},
    **{verdict: verdict for verdict in CHOICE},
    "trunglap": "duplicate",
    "gangiong": "similar",
    "yeucaulamro": "similar",
    "khongtrung": "different",
}
_NOT_YET: Final = frozenset({"", headers.fold(UNSEEN)})
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 32_767  # units of a cell in a workbook: what is longer could not be written again
_UNWRITABLE: Final = re.compile(
    # What a workbook cannot hold, and signs that make a text read otherwise than it is.
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True)
class Verdicts:
    """What filled sheets hold: ``rows == len(decisions) + unseen`` and the rows among ``problems`` (row > 0).

    ``unseen`` rows are those that nobody has decided yet; blank rows are not counted.
    """

    decisions: tuple[Decision, ...]
    problems: tuple[Quarantined, ...]
    unseen: int

    @property
    def rows(self) -> int:
        """Return how many rows were read."""
        return len(self.decisions) + self.unseen + sum(row.row > 0 for row in self.problems)


def decided(paths: Sequence[Path], *, today: str, reviewer: str = "") -> Verdicts:
    r"""Return the decisions in the tables ``paths``, row by row, and every row that is none.

    A table has the columns later, earlier and verdict, under these names or those of the sheet "Kết luận",
    in any order; note, reviewer, date and the hidden `decisions.CONTENT` may be there. Of a workbook every
    sheet with such columns is read. Verdicts are understood in any case, with or without marks.

    Args:
        paths: CSV, TSV, XLSX, XLS, JSON Lines or Parquet files, told apart by content, not by name.
        today: ISO date; nobody decides later.
        reviewer: Who decided where a row does not say.

    Raises:
        UsageError: ``paths`` is empty.
        InputNotFound: A path is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("later,earlier,verdict\nB,A,TRUNG\nC,A,chưa xem\n", encoding="utf-8")
    ...     found = decided([path], today="2026-01-02")
    >>> found.decisions[0].verdict, found.unseen
    ('duplicate', 1)
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise UsageError("No input file was named. Name at least one table.")
    must_be_there(paths)
    reader = _Reader(today, reviewer)
    for path, name in zip(paths, names_of(paths), strict=True):
        reader.file(path, name)
    return Verdicts(tuple(reader.decisions), tuple(reader.problems), reader.unseen)


class _Reader:
    """Goes through files and keeps what it found."""

    def __init__(self, today: str, reviewer: str) -> None:
        self.today = today
        self.reviewer = reviewer
        self.decisions: list[Decision] = []
        self.problems: list[Quarantined] = []
        self.unseen = 0

    def file(self, path: Path, name: str) -> None:
        """Read one file; what is wrong with it as a whole is a problem in row 0."""
        try:
            if not self._tables(path, name):
                columns = ", ".join(f'"{column}"' for column in ("Mã sau", "Mã trước", "Kết luận"))
                template = (
                    "{file}: no table with the columns {columns} was found. Give the workbook whose sheet "
                    '"{sheet}" was filled in, or a table with the columns later, earlier and verdict.'
                )
                note = Note(template, {"file": name, "columns": columns, "sheet": "Kết luận"})
                self.problems.append(Quarantined(name, "", 0, "", "E-HEADER", note, ""))
        except PermissionError:
            self._unreadable(name, UnreadableError("E-PERM"))
        except OSError as fault:
            self._unreadable(name, UnreadableError("E-IO", reason=fault.strerror or type(fault).__name__))
        except UnreadableError as fault:
            self._unreadable(name, fault)

    def _tables(self, path: Path, name: str) -> bool:
        """Read the tables of a file; return whether one of them was of verdicts."""
        before = len(self.decisions), len(self.problems), self.unseen
        try:
            with parts.opened(path) as handle:
                found = parts.look(handle, name, path.suffix.lower())
                return sum(self._sheet(name, part) for part in found.parts(_TABLE)) > 0
        except UnreadableError as fault:
            # What was read of a file that is damaged further on does not count.
            del self.decisions[before[0] :], self.problems[before[1] :]
            self.unseen = before[2]
            if fault.code == "E-HEADER":
                return False  # its sentence asks for a title: what is missing here is said instead
            raise

    def _unreadable(self, name: str, fault: UnreadableError) -> None:
        self.problems.append(Quarantined(name, "", 0, "", fault.code, fault.note(name), ""))

    def _sheet(self, name: str, table: parts.Part) -> bool:
        """Read one table; return whether it is one of verdicts."""
        header = table.header
        if not set(_NEEDED) <= set(header.names):
            return False
        for row in table.rows:
            try:
                decision = self._row(_Line(parts.place_of(name, table.sheet), row, header), name)
            except _WrongError as wrong:
                problem = (name, table.sheet, row.number, wrong.column, wrong.code, wrong.note, row.text())
                self.problems.append(Quarantined(*problem))
                continue
            if decision:
                self.decisions.append(decision)
        return True

    def _row(self, line: _Line, source: str) -> Decision | None:
        if line.row.fault:
            fault = line.row.fault
            raise _WrongError(fault.code, "", fault.note(line.place, line.row.number))
        if not any(map(str.strip, line.row.cells)):
            return None
        verdict = line.verdict()
        if verdict is None:
            self.unseen += 1
            return None
        later, earlier = line.id("later"), line.id("earlier")
        if later == earlier:
            raise line.wrong(
                "E-VERDICT-ID",
                "earlier",
                "{file}, row {row}, column {column}: both ids are {found}, but a verdict is about two "
                "records. Put the ids right, then import again.",
            )
        return Decision(
            later=later,
            earlier=earlier,
            verdict=verdict,
            later_content=line.content("later_content"),
            earlier_content=line.content("earlier_content"),
            note=line.text("note"),
            reviewer=line.text("reviewer") or ids.given(self.reviewer),
            decided=line.day(self.today),
            source=source,
        )


class _WrongError(Exception):
    """A row is no decision, and why."""

    def __init__(self, code: str, column: str, note: Note) -> None:
        super().__init__(code)
        self.code, self.column, self.note = code, column, note


@dataclass(frozen=True, slots=True)
class _Line:
    """A row and what its cells are called."""

    place: str
    row: Row
    header: headers.Header

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

    def wrong(self, code: str, column: str, template: str, **values: object) -> _WrongError:
        """Return the error that says what is wrong with a cell, and where it stands."""
        written = self.header.written(column)
        said = {"file": self.place, "row": self.row.number, "column": written, "found": self._raw(column)}
        return _WrongError(code, written, Note(template, {**said, **values}))

    def verdict(self) -> Verdict | None:
        """Return the verdict, None where nobody has decided yet."""
        word = headers.fold(found := self.cell("verdict"))
        if not found or (word and word in _NOT_YET):
            return None
        if word not in _WORDS:
            raise self.wrong(
                "E-VERDICT",
                "verdict",
                '{file}, row {row}, column {column}: "{found}" is no verdict. '
                "Choose one of {choices}, then import again.",
                choices=", ".join(f'"{choice}"' for choice in (*CHOICE.values(), UNSEEN)),
            )
        return _WORDS[word]

    def id(self, column: str) -> str:
        """Return the id of a record."""
        name = ids.given(self.cell(column))
        if not name or _UNWRITABLE.search(name):
            raise self.wrong(
                "E-VERDICT-ID",
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
                "E-VERDICT-TEXT",
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
                "E-VERDICT-LONG",
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
                "E-VERDICT-DATE",
                "date",
                '{file}, row {row}, column {column}: "{found}" is no date. '
                "Write day/month/year, then import again.",
            )
        if day and day > today:
            raise self.wrong(
                "E-VERDICT-DATE",
                "date",
                "{file}, row {row}, column {column}: {found} is still to come. "
                "Write the day of the decision, then import again.",
            )
        return day or ""
