"""Files in, mended copies and the list of changes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import pandas as pd

from pipeline.errors import InputNotFound, OutputError, PermissionDenied, UsageError
from pipeline.read import encoding, kinds, workbook
from pipeline.read.faults import UnreadableError
from pipeline.read.parts import opened
from pipeline.repair import records, text
from pipeline.repair import workbook as parts
from pipeline.repair.cells import Cell, Change, Document, mended
from pipeline.report import files

CHANGES: Final = "changes.csv"
COLUMNS: Final = ("file", "sheet", "row", "column", "what", "meaning", "before", "after")
_VALUES_ONLY: Final = ".xls"


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended copy.

    Attributes:
        source: The file.
        copy: Where the copy stands.
        cells: How many cells with text the file has.
        changes: What was changed.
        encoding: What the bytes of a text file were in, where that was not UTF-8.
        values_only: Whether formats and formulas were lost, as they are of the oldest workbooks.
    """

    source: Path
    copy: Path
    cells: int
    changes: tuple[Change, ...]
    encoding: str = ""
    values_only: bool = False

    @property
    def fixes(self) -> dict[str, int]:
        """Return how many repairs of each kind there were."""
        return dict(sorted(sum((Counter(each.fixes) for each in self.changes), Counter()).items()))


def mend(path: Path, folder: Path, *, also: Iterable[str] = ()) -> Mended:
    """Write a clean copy of the table ``path`` into ``folder``, under its own name.

    A workbook of the oldest kind (``.xls``) becomes one of today's, with its values only.

    Args:
        path: CSV, TSV, XLSX, XLS, JSON Lines or Parquet file.
        folder: Where the copy goes; made where there is none.
        also: Encodings of `normalize.ON_REQUEST` to be looked for too.

    Raises:
        InputNotFound: ``path`` is not there.
        UsageError: ``path`` is nothing that can be mended, or the copy is there already.
        PermissionDenied: The system refuses to read or write.
        OutputError: The copy could not be written.
    """
    if not path.exists():
        raise InputNotFound("{path} is not there. Check the name.", path=str(path))
    try:
        with opened(path) as file:
            data = file.read()
            kind = kinds.kind(data, path.suffix.lower())
            document, read_as = _document(kind, data, file)
    except UnreadableError as fault:
        raise UsageError("{note}", note=fault.note(path.name)) from None
    except PermissionError as error:
        raise PermissionDenied("{path}: the system refuses access.", path=path) from error
    texts, changes = mended(document.cells, also=tuple(also))
    copy = folder / path.name
    if kind == "xls":
        copy = copy.with_suffix(document.suffix)
    _written(copy, document.made(texts))
    return Mended(path, copy, len(texts), tuple(changes), read_as, values_only=kind == "xls")


def _document(kind: str, data: bytes, file: IO[bytes]) -> tuple[Document, str]:
    if kind == "xlsx":
        return parts.document(data), ""
    if kind == "xls":
        return _old_workbook(data, file), ""
    if kind == "parquet":
        return records.parquet(data), ""
    found = encoding.utf8(data)
    content = found.data.decode("utf-8", "surrogateescape")
    named = found.encoding if found.encoding != "UTF-8" else ""
    return (records.json_lines if kind == "jsonl" else text.document)(content), named


def _old_workbook(data: bytes, file: IO[bytes]) -> Document:
    names = []
    cells = []
    for sheet in workbook.Workbook(file, data, zipped=False).sheets():
        names.append(sheet.name)
        cells += [
            Cell(sheet.name, row.number, str(place), cell)
            for row in sheet.rows
            for place, cell in enumerate(row.cells, start=1)
        ]

    def made(texts: object) -> bytes:
        by_sheet: dict[str, dict[tuple[int, int], str]] = {name: {} for name in names}
        for cell, after in zip(cells, texts, strict=True):  # type: ignore[call-overload] # a sequence of texts
            by_sheet[cell.sheet][cell.row, int(cell.column)] = after
        return files.plain_workbook(by_sheet)

    return Document(cells, made, ".xlsx")


def _written(path: Path, content: bytes) -> None:
    if path.exists():
        raise UsageError(
            "{path} is there already and is not written over. Name a new folder with --out.", path=path
        )
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except PermissionError as error:
        raise PermissionDenied("{path}: the system refuses access.", path=path) from error
    except OSError as error:
        raise OutputError(
            "{path} could not be written ({reason}).", path=path, reason=error.strerror or str(error)
        ) from error
    finally:
        part.unlink(missing_ok=True)


def record(done: Iterable[Mended], folder: Path, *, say: Callable[[str], str]) -> Path:
    """Write the list of what was changed in the copies into ``folder``.

    Args:
        done: The copies.
        folder: Where they are.
        say: Puts the meaning of a repair into the language of the list.

    Raises:
        UsageError: A list is there already.
    """
    path = folder / CHANGES
    if path.exists():
        raise UsageError(
            "{path} is there already and is not written over. Name a new folder with --out.", path=path
        )
    rows = [
        (each.source.name, *change.cell[:3], *_what(change.fixes, say), change.cell.text, change.after)
        for each in done
        for change in each.changes
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {name: "str" for name in COLUMNS if name != "row"}
    )
    files.write_csv(frame, path)
    return path


def _what(fixes: Mapping[str, int], say: Callable[[str], str]) -> tuple[str, str]:
    return "; ".join(f"{code}:{count}" for code, count in fixes.items()), "; ".join(map(say, fixes))
