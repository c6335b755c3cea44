"""Sheets as an Excel workbook that filters, prints and never runs what stands in a cell."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipeline.errors import OutputError
from pipeline.report.passages import CELL_UNITS, Painted, fit, shown, units

_LINE: Final = 15.0
_TALLEST: Final = 409.0  # points; Excel allows no more

SHEET_ROWS: Final = 1_048_576
"""Rows a sheet may have, the header among them."""

Style = Literal["plain", "pale", "strong"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of ours (without ``=``) and the value it has, for programs that do not calculate."""

    text: str
    value: float


Cell = str | int | float | date | Painted | Formula | None


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row."""

    cells: tuple[Cell, ...]
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, width in characters, and what may be typed into it.

    ``shape`` says how values look (``entry`` is text that people type); ``choices`` makes a drop-down
    list, and so do the cells ``choices_from`` (``='Sheet'!$A$2:$A$9``: a list in the rule itself may have no
    commas in its items, nor more than 255 characters); ``asks_date`` lets only dates be typed.
    """

    header: str
    width: int
    shape: Literal["text", "entry", "count", "share", "date"] = "text"
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    asks_date: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; its rows are taken once, in order, so a generator will do."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of the workbook itself, in its language."""

    title: str
    footer: str
    more: str
    date_wanted: str
    choice_wanted: str


_SHAPES: Final[dict[str, dict[str, object]]] = {
    # Without the quote a text such as "=1+1" turns into a formula as soon as someone edits the cell.
    "text": {"quote_prefix": True},
    "entry": {},
    "count": {"num_format": "#,##0"},
    "share": {"num_format": "0.0%"},
    "date": {"num_format": "dd/mm/yyyy"},
}
_STYLES: Final[dict[Style, dict[str, object]]] = {
    "plain": {},
    "pale": {"font_color": "#7F7F7F", "italic": True},
    "strong": {"bold": True, "top": 1},
}
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a constant, so that the same content gives the same bytes
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)


def write(path: Path, sheets: Iterable[Sheet], phrases: Phrases, *, sheet_rows: int = SHEET_ROWS) -> int:
    """Write ``sheets`` in order and return how many cells were too long and were cut, each saying so.

    A sheet with more than ``sheet_rows`` rows goes on in "<name> (2)".

    Raises:
        OSError: The system could not write.
        OutputError: A cell was refused.
    """
    # Made in memory and then written in one go: after an error of the disk the library's archive would try
    # once more to finish its file, and print a traceback that nobody can catch. Its scratch files stand
    # beside the workbook, where a crash leaves them to be swept.
    whole = io.BytesIO()
    book = xlsxwriter.Workbook(whole, {**_OPTIONS, "tmpdir": str(path.parent)})
    writer = _Writer(book, phrases, sheet_rows)
    try:
        for sheet in sheets:
            writer.add(sheet)
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error  # the system's own words, which say what is wrong and where
    finally:
        for page in book.worksheets():
            with contextlib.suppress(OSError):
                page.row_data_fh.close()  # an open scratch file could not be removed on Windows
    path.write_bytes(whole.getbuffer())
    return writer.cut


class _Writer:
    """Puts sheets into an open workbook; ``cut`` counts the cells that were too long."""

    def __init__(self, book: Any, phrases: Phrases, sheet_rows: int) -> None:
        self.book = book
        self.phrases = phrases
        self.sheet_rows = sheet_rows
        self.cut = 0
        book.set_properties({"title": phrases.title, "created": _CREATED})
        base = {"text_wrap": True, "valign": "top", "border": 4, "border_color": "#BFBFBF"}
        self.formats = {
            (style, shape): book.add_format({**base, **look, **kind})
            for style, look in _STYLES.items()
            for shape, kind in _SHAPES.items()
        }
        self.header = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#DDEBF7"}
        )
        self.mark = book.add_format({"bold": True, "font_color": "#C00000"})
        self.unmarked = book.add_format({})

    def add(self, sheet: Sheet) -> None:
        """Write a sheet, and as many after it as its rows need."""
        rows, part = iter(sheet.rows), 1
        while True:
            first = list(islice(rows, 1))
            if part > 1 and not first:
                return
            name = sheet.name if part == 1 else f"{sheet.name} ({part})"
            self._page(name, sheet.columns, _chain(first, islice(rows, self.sheet_rows - 2)))
            part += 1

    def _page(self, name: str, columns: tuple[Column, ...], rows: Iterator[Row]) -> None:
        page = self.book.add_worksheet(name)
        self._lay_out(page, columns)
        last = 0
        for last, row in enumerate(rows, 1):
            page.set_row(last, _height(row, columns))
            for column, (cell, about) in enumerate(zip(row.cells, columns, strict=True)):
                self._put(page, last, column, cell, self.formats[row.style, about.shape])
        page.autofilter(0, 0, last, len(columns) - 1)
        if last:
            self._ask(page, columns, last)

    def _lay_out(self, page: Any, columns: tuple[Column, ...]) -> None:
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        page.freeze_panes(1, 0)
        page.set_row(0, _LINE * max(_lines(column.header, column.width) for column in columns))
        page.set_footer("&L" + self.phrases.footer.replace("&", "&&") + "&R&A &P/&N")
        for index, column in enumerate(columns):
            page.set_column(index, index, column.width, None, {"hidden": column.hidden})
            page.write_string(0, index, column.header, self.header)

    def _ask(self, page: Any, columns: tuple[Column, ...], last: int) -> None:
        """Let only what is meant be typed into the columns that people fill."""
        for index, column in enumerate(columns):
            if column.choices or column.choices_from:
                source = column.choices_from or list(column.choices)
                rule: dict[str, object] = {"validate": "list", "source": source}
                rule["error_message"] = self.phrases.choice_wanted
            elif column.asks_date:
                rule = {"validate": "date", "criteria": "between", "minimum": _EARLIEST, "maximum": _LATEST}
                rule["error_message"] = self.phrases.date_wanted
            else:
                continue
            page.data_validation(1, index, last, index, rule)

    def _put(self, page: Any, row: int, column: int, cell: Cell, look: Any) -> None:
        """Write one cell by its type; never let the library guess what a text is."""
        if isinstance(cell, str):
            self._put_text(page, row, column, cell, look)
            return
        if isinstance(cell, Painted):
            self._put_painted(page, row, column, cell, look)
            return
        if cell is None:
            done = page.write_blank(row, column, None, look)
        elif isinstance(cell, Formula):
            done = page.write_formula(row, column, f"={cell.text}", look, cell.value)
        elif isinstance(cell, date):
            done = page.write_datetime(row, column, cell, look)
        else:
            done = page.write_number(row, column, cell, look)
        _check(done, row)

    def _put_text(self, page: Any, row: int, column: int, text: str, look: Any) -> None:
        fitted = fit(shown(text), self.phrases.more)
        self.cut += fitted.endswith(self.phrases.more) and units(text) > CELL_UNITS
        if fitted.startswith("<r>"):
            # The library takes such a text for markup of its own and would write it unescaped.
            _check(page.write_rich_string(row, column, "<", self.unmarked, fitted[1:], look), row)
        else:
            _check(page.write_string(row, column, fitted, look), row)

    def _put_painted(self, page: Any, row: int, column: int, cell: Painted, look: Any) -> None:
        self.cut += cell.text.endswith(self.phrases.more)
        if len(cell.runs) <= 1:
            self._put_text(page, row, column, cell.text, look)
            return
        fragments: list[object] = []
        for run, marked in cell.runs:
            fragments += [self.mark if marked else self.unmarked, run]
        _check(page.write_rich_string(row, column, *fragments, look), row)


def _height(row: Row, columns: tuple[Column, ...]) -> float:
    """Return how high a row must be, in points, for its texts to be read.

    Excel finds that out when it opens a file; other programs show one line and hide the rest.
    """
    lines = max(_lines(cell, about.width) for cell, about in zip(row.cells, columns, strict=True))
    return min(_LINE * lines, _TALLEST)


def _lines(cell: Cell, width: int) -> int:
    text = cell.text if isinstance(cell, Painted) else cell
    if not isinstance(text, str):
        return 1
    # Whole words move to the next line, so that a line holds less than its width.
    return sum(1 + int(len(part) / (0.9 * width)) for part in text.split("\n"))


def _chain(first: list[Row], rest: Iterator[Row]) -> Iterator[Row]:
    yield from first
    yield from rest


def _check(done: int, row: int) -> None:
    """Raise when the library left a cell out, which it says by a number only."""
    if done:
        raise OutputError(
            "Row {row} of the workbook could not be written (code {code}). Please report this.",
            row=row + 1,
            code=done,
        )
