"""One file → the tables in it: where each stands, what its header says, and its rows of raw cells."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final

from pipeline.errors import Note
from pipeline.read import columnar, delimited, encoding, headers, jsonlines, kinds, workbook
from pipeline.read.faults import Row, UnreadableError
from pipeline.read.window import Window

_LARGEST: Final = 1 << 30
"""Bytes of a file that has to be held whole: a workbook, or a text in another encoding than UTF-8."""

_PIECE: Final = 1 << 20

Advance = Callable[[int], object]


@dataclass(slots=True)
class Part:
    """One table of a file, its rows to be read once, and before the next table is asked for.

    ``sheet`` is the sheet it stands on, ``prefix`` what `source_row` starts with there. ``exact`` says that
    every row must have as many cells as the header. ``delimiter`` is how a raw row is cut into cells
    (``""``: it is a JSON object).
    """

    header: headers.Header
    rows: Iterable[Row]
    delimiter: str
    sheet: str = ""
    prefix: str = ""
    exact: bool = False
    count: Callable[[], int] = lambda: 0
    passed: Callable[[], int] = lambda: 0
    notes: Callable[[], Iterable[Note]] = tuple


@dataclass(slots=True)
class Opened:
    """A file that is open for reading, told what it is, and looked through once.

    ``notes`` say what a person should know of it; they grow while the tables are read. ``fill`` says that
    the text of cells merged down counts for each of their rows.
    """

    name: str
    kind: kinds.Kind
    sha256: str
    empty: bool
    file: IO[bytes]
    _survey: encoding.Survey
    _data: bytes = b""
    notes: list[Note] = field(default_factory=list)
    fill: bool = False

    def parts(self, table: headers.HeaderAliases, *, advance: Advance | None = None) -> Iterator[Part]:
        """Yield the tables in the file whose headers ``table`` knows.

        Raises:
            UnreadableError: The file as a whole cannot be read; this may turn out only between the rows.
        """
        if self.kind in {"xlsx", "xls"}:
            yield from _sheets(
                self, workbook.Workbook(self.file, self._data, zipped=self.kind == "xlsx"), table
            )
        elif self.kind == "parquet":
            yield _columnar(self, table)
        else:
            yield from self._text(table, advance)
            advance = None
        if advance:
            advance(self.file.seek(0, os.SEEK_END))
        if self._hash_again() != self.sha256:
            raise UnreadableError("E-CHANGED")

    def _text(self, table: headers.HeaderAliases, advance: Advance | None) -> Iterator[Part]:
        if self._survey.blank:
            raise UnreadableError("E-EMPTY")
        name = "UTF-8"

        def view(step: Advance | None = None) -> Window:
            self.file.seek(0)
            return Window(self.file, advance=step)

        if not self._survey.utf8:
            text = self._decoded()
            name = text.encoding

            def view(step: Advance | None = None) -> Window:
                return Window(BytesIO(text.data), advance=step)

        make = _json_lines if self.kind == "jsonl" else _delimited
        yield from make(self, view, name, table, advance)

    def _decoded(self) -> encoding.Text:
        self.file.seek(0)
        text = encoding.utf8(_whole(self.file))
        if text.guessed and text.encoding != "UTF-8":
            template = "{file}: was read as {encoding}. Check the Vietnamese letters of a few rows."
            self.say(template, encoding=text.encoding)
        return text

    def say(self, template: str, **values: object) -> None:
        """Add a note; the value ``file`` is this file's name if none is given."""
        self.notes.append(Note(template, {"file": self.name, **values}))

    def tell(self, notes: Iterable[Note]) -> None:
        """Add notes that do not know the name of the file."""
        for note in notes:
            self.notes.append(replace(note, values={"file": self.name, **note.values}))

    def place(self, sheet: str = "") -> str:
        """Return what a table of the file is called in messages."""
        return place_of(self.name, sheet)

    def _hash_again(self) -> str:
        digest = hashlib.sha256()
        self.file.seek(0)
        while piece := self.file.read(_PIECE):
            digest.update(piece)
        return digest.hexdigest()


def opened(path: Path) -> IO[bytes]:
    """Return the file, open for reading.

    Raises:
        UnreadableError: ``E-TYPE``: it is a folder, pipe or device.
    """
    # A pipe or device would block or never end: the type is known before anything is opened.
    if not stat.S_ISREG(path.stat().st_mode):
        found = "a folder" if path.is_dir() else "a pipe or device"
        raise UnreadableError("E-TYPE", found=Note(found), advice=Note("Name the files themselves."))
    return path.open("rb")


def place_of(file: str, sheet: str) -> str:
    """Return what a table is called in messages."""
    return f"{file} › {sheet}" if sheet else file


def look(file: IO[bytes], name: str, suffix: str) -> Opened:
    """Return what ``file`` is; ``suffix`` (lower case, with its dot) decides only between kinds of text.

    Raises:
        UnreadableError: It is nothing that can be read here.
    """
    survey = encoding.survey(file)
    data = b""
    if not kinds.is_text(survey.head):
        file.seek(0)
        data = _whole(file)
    kind = kinds.kind(data or survey.head, suffix)
    found = Opened(name, kind, survey.sha256, not survey.head, file, survey, data)
    if suffix not in kinds.SUFFIXES[kind]:
        template = "{file}: was read as {kind}, which it is by its content, not by its name."
        found.say(template, kind=kind.upper())
    return found


def _whole(file: IO[bytes]) -> bytes:
    data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UnreadableError("E-LARGE", most=_LARGEST >> 20)
    return data


def _delimited(
    file: Opened,
    view: Callable[..., Window],
    name: str,
    table: headers.HeaderAliases,
    advance: Advance | None,
) -> Iterator[Part]:
    text = view(advance)
    layout = delimited.layout(text.data, table)
    if layout.skipped:
        _above(file, "", layout.skipped, layout.header_line)
    records = delimited.Records(text, layout, name)
    yield Part(
        headers.header(layout.head, file=file.name),
        records,
        layout.delimiter.decode(),
        exact=True,
        count=lambda: records.count,
        notes=records.notes,
    )


def _json_lines(
    file: Opened,
    view: Callable[..., Window],
    name: str,
    table: headers.HeaderAliases,
    advance: Advance | None,
) -> Iterator[Part]:
    lines = jsonlines.Lines(view(), name)
    keys = jsonlines.keys(lines)
    if not keys and not lines.faulty:
        raise UnreadableError("E-EMPTY")
    located = headers.locate([keys], table) if keys else headers.nothing()
    if located is None:
        raise headers.missing([keys], table)
    again = jsonlines.Lines(view(advance), name)
    header = headers.header(located, file=file.name)
    yield Part(header, jsonlines.Keyed(again, keys), "", count=lambda: again.count)


def _columnar(file: Opened, table: headers.HeaderAliases) -> Part:
    columns = columnar.Columns(file.file)
    located = headers.locate([columns.names], table)
    if located is None:
        raise headers.missing([columns.names], table)
    return Part(headers.header(located, file=file.name), columns, "\t", count=lambda: columns.count)


def _sheets(file: Opened, book: workbook.Workbook, table: headers.HeaderAliases) -> Iterator[Part]:
    file.tell(book.notes)
    failure = UnreadableError("E-EMPTY")
    found = 0
    for position, sheet in enumerate(book.sheets()):
        first = list(islice(sheet.rows, headers.SEARCHED + 1))
        if not first:
            file.say("{file} › {sheet}: the sheet is empty.", sheet=sheet.name)
            continue
        if not sheet.visible:
            file.say("{file} › {sheet}: the sheet is hidden.", sheet=sheet.name)
        located = headers.locate([row.cells for row in first], table)
        if (
            located is not None
            and located.depth > 1
            and first[located.at].number + 1 < first[located.at + 1].number
        ):
            located = headers.locate([row.cells for row in first[: located.at + 1]], table)
        if located is None:
            file.say("{file} › {sheet}: no header row was found; the sheet was not read.", sheet=sheet.name)
            failure = headers.missing([row.cells for row in first], table)
            continue
        try:
            header = headers.header(located, file=file.place(sheet.name))
        except UnreadableError as fault:
            failure = fault
            file.notes.append(fault.note(file.place(sheet.name)))
            continue
        found += 1
        yield _sheet(file, sheet, first, located, header, f"{sheet.name}!" if position else "")
    if not found:
        raise failure


def _sheet(
    file: Opened,
    sheet: workbook.Sheet,
    first: list[Row],
    located: headers.Located,
    header: headers.Header,
    prefix: str,
) -> Part:
    top, last = first[located.at], first[located.at + located.depth - 1]
    if located.at:
        _above(file, sheet.name, located.at, top.number)
    below = first[located.at + located.depth :]
    filled = [0]

    merged = [area for area in sheet.seen.merged if area[0] > last.number and area[1] > area[0]]

    def rows() -> Iterator[Row]:
        found = chain(below, sheet.rows)
        for row in _filled_down(found, merged) if file.fill else found:
            filled[0] += 1
            yield row

    return Part(
        header,
        rows(),
        "\t",
        sheet=sheet.name,
        prefix=prefix,
        count=lambda: sheet.height - last.number,
        passed=lambda: sheet.height - last.number - filled[0],
        notes=lambda: _unseen(sheet, last.number, merged=len(merged), filled=file.fill),
    )


def _filled_down(rows: Iterable[Row], merged: Iterable[tuple[int, int, int]]) -> Iterator[Row]:
    """Yield the rows, what was merged down written into each; ``raw`` stays as it stands in the file."""
    waiting = sorted(merged, reverse=True)
    open_areas: list[tuple[int, int, str]] = []  # last row, column, text
    for row in rows:
        open_areas = [area for area in open_areas if area[0] >= row.number]
        cells = row.cells
        for _, column, text in open_areas:
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = cells[column - 1] or text
        while waiting and waiting[-1][0] <= row.number:
            first, last, column = waiting.pop()
            # Of an area whose first row is blank there is nothing to write.
            if first == row.number and column <= len(cells):
                open_areas.append((last, column, cells[column - 1]))
        yield row


def _unseen(sheet: workbook.Sheet, header: int, *, merged: int, filled: bool) -> Iterator[Note]:
    """Yield what a person sees of a sheet otherwise than it is read."""
    seen = sheet.seen
    rows = sum(header < row <= sheet.height for row in seen.hidden_rows)
    if rows or seen.hidden_columns:
        template = (
            "{file} › {sheet}: {rows} hidden rows and {columns} groups of hidden columns were read too."
        )
        yield Note(template, {"sheet": sheet.name, "rows": rows, "columns": seen.hidden_columns})
    if merged and filled:
        template = "{file} › {sheet}: {count} merged areas span several rows; each of them got their text."
        yield Note(template, {"sheet": sheet.name, "count": merged})
    elif merged:
        template = (
            "{file} › {sheet}: {count} merged areas span several rows; their text counts for the first row "
            "only. Use --fill-merged if it is meant for all."
        )
        yield Note(template, {"sheet": sheet.name, "count": merged})


def _above(file: Opened, sheet: str, count: int, row: int) -> None:
    template = "{file}: the header stands in row {row}; {count} rows above it are no data."
    file.say(template, file=file.place(sheet), count=count, row=row)
