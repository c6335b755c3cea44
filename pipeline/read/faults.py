"""Why a row or a file could not be read: the codes of the column ``code`` and what each tells the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import Note

ROW: Final = {
    "E-CELL": "{file}, row {row}, column {column}: the cell shows the error {found}. "
    "Correct the formula or type the value, then run again.",
    "E-COLS": "{file}, row {row}: {found} cells where the header has {expected}. "
    "Look for a missing or extra separator or quotation mark, correct the row, then run again.",
    "E-EMPTY-TEXT": "{file}, row {row}: neither a title nor a description. Fill one in, then run again.",
    "E-ENC": "{file}, row {row}: the bytes are not text in the file's encoding ({encoding}). "
    "Save the file as UTF-8, then run again.",
    "E-FORMULA-NOVALUE": "{file}, row {row}, column {column}: the formula {found} was saved without "
    "its value. Open the file in a spreadsheet program, save it, then run again.",
    "E-ID-CONFLICT": "{file}, row {row}: the id {id} stands on several rows with different content. "
    "Give each initiative its own id, then run again.",
    "E-ID-DUPLICATE": "{file}, row {row}: the same row with the id {id} was read before "
    "({first_file}, row {first_row}). Nothing needs to be done unless the id is wrong.",
    "E-ID-SCI": "{file}, row {row}, column {column}: the id {found} was shortened by a spreadsheet, "
    "and its last digits are lost. Format the column as text, type the id again, then run again.",
    "E-JSON": "{file}, row {row}: the line is not a JSON object ({reason}). Correct it, then run again.",
    "E-LONG": "{file}, row {row}: a cell or the row is longer than {most} characters, as no initiative is. "
    "Shorten it, then run again.",
    "E-NOTDATA": "{file}, row {row}: a heading, total or signature, not an initiative ({found}). "
    "Nothing needs to be done unless it is one.",
    "E-NUL": "{file}, row {row}: the row holds NUL characters, as a damaged file does. "
    "Type the row again, then run again.",
    "E-QUOTE": "{file}, row {row}: a quotation mark is opened and never closed. "
    "Close or remove it, then run again.",
    "E-TRUNC": "{file}, row {row}: the file ends in the middle of this row. "
    "Get the whole file again, or complete the row, then run again.",
}
"""Codes of single rows. Each template gets at least ``file`` and ``row``."""

FILE: Final = {
    "E-CHANGED": "{file}: the file changed while it was read. "
    "Wait until it is saved or copied, then run again.",
    "E-COLS": "{file}: the header has {count} columns, more than {most}. "
    "Look for missing line ends, or delete empty columns, then run again.",
    "E-EMPTY": "{file}: the file is empty. Check that the right file was chosen.",
    "E-ENC": "{file}: the text encoding was not recognised (perhaps TCVN3 or another old font encoding). "
    "Open the file, save it as UTF-8 or as .xlsx, then run again.",
    "E-FILE-TWICE": "{file}: has the same bytes as {first_file} and was not read a second time.",
    "E-HEADER": "{file}: no header row with a title or description column in the first {searched} rows. "
    "Nearest headers found: {nearest}. Rename the column, or add its name to the table of header names.",
    "E-HEADER-DUP": "{file}: the header {header} stands more than once, and each may be the {column}. "
    "Rename or delete all but one, then run again.",
    "E-IO": "{file}: the system could not read the file ({reason}). Copy it to a local disk, then run again.",
    "E-LARGE": "{file}: the file has over {most} MB and would have to be read as a whole. "
    "Split it, or save it as CSV (UTF-8), then run again.",
    "E-PARQUET": "{file}: the Parquet file is damaged ({reason}). Make it again, then run again.",
    "E-PASSWORD": "{file}: the workbook is protected by a password. Save it without one, then run again.",
    "E-PERM": "{file}: the system refused access. Ask for read permission, then run again.",
    "E-TYPE": "{file}: {found} is not a table that can be read here. {advice}",
    "E-XLSX-DAMAGED": "{file}: the workbook is damaged ({reason}). "
    "Open it in a spreadsheet program, save it under a new name, then run again.",
    "E-XLSX-LIMIT": "{file}: the workbook is larger inside than is safe to open ({reason}). "
    "Delete empty far-away cells or split it, then run again.",
}
"""Codes of whole files (row 0). Each template gets at least ``file``."""


class UnreadableError(Exception):
    """A file as a whole cannot be read; the other files go on."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values

    def note(self, file: str) -> Note:
        """Return the sentence for the file shown as ``file``.

        >>> str(UnreadableError("E-EMPTY").note("a.csv"))
        'a.csv: the file is empty. Check that the right file was chosen.'
        """
        return Note(FILE[self.code], {"file": file, **self.values})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: a code of `ROW` and the values of its sentence."""

    code: str
    details: Mapping[str, object] = field(default_factory=dict)

    def note(self, file: str, row: int) -> Note:
        """Return the sentence for row ``row`` of the file shown as ``file``."""
        return Note(ROW[self.code], {"file": file, "row": row, **self.details})


@dataclass(slots=True)
class Row:
    """A physical row below the header: its cells as text, or the fault that kept it from being split.

    ``raw`` is the row as it stands in the file: its bytes, or the text of a row of a sheet. ``errors`` are
    the positions of cells that have no value, the code that says why, and what Excel shows there.
    ``hidden`` says that the row cannot be seen in Excel.
    """

    number: int
    cells: list[str]
    raw: bytes | str
    fault: Fault | None = None
    errors: tuple[tuple[int, str, str], ...] = ()
    hidden: bool = False

    def text(self) -> str:
        r"""Return ``raw`` as text; bytes that are no UTF-8 are written ``\xNN``.

        >>> Row(1, [], b"a,\xff").text()
        'a,\\xff'
        """
        return raw_text(self.raw)


def raw_text(raw: bytes | str) -> str:
    """Return a raw row as text (see `Row.text`)."""
    return raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")


def templates() -> Iterable[str]:
    """Return every sentence of this module, for those who put them into another language.

    >>> all("{file}" in template for template in templates())
    True
    """
    return (*ROW.values(), *FILE.values())
