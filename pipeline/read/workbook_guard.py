"""Checks of an XLSX file before anything parses it: how large it is, and what a parser would not tell."""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import Note
from pipeline.read.faults import UnreadableError

ENTRIES: Final = 1_000
INFLATED: Final = 1 << 30
SHARED_STRINGS: Final = 256 << 20
RATIO: Final = 200
RATIO_FROM: Final = 10_000_000
CELLS: Final = 50_000_000
WRITTEN: Final = 20_000_000
"""Cells that are written in all sheets: a parser holds each of them."""

_CHUNK: Final = 1 << 20
_LONGEST: Final = 1 << 16  # of one cell's formula and attributes; a longer text is cut where it is no tag
_SHOWN: Final = 100
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']\$?([A-Za-z]{0,3})\$?(\d{1,9})["']""")
_ROW: Final = re.compile(rb'<row [^<>]*?r="(\d{1,9})"')
_LETTERS: Final = re.compile(rb' r="([A-Z]{1,3})\d')
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s>/]")
_TAGS: Final = (b"<c ", b"<c>", b"<row")
_ERROR: Final = re.compile(
    rb"""<(?:\w+:)?c\s(?=[^<>]*?\st\s*=\s*["']e["'])[^<>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'][^<>]*>"""
    rb"""(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*(?:<(?:\w+:)?v>([^<]{1,20})<)?"""
)
_NO_VALUE: Final = re.compile(
    rb"""<(?:\w+:)?c\s(?![^<>]*?\st\s*=\s*["'](?:str|e)["'])[^<>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']"""
    rb"""[^<>]*>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>([^<]*)</(?:\w+:)?f>)\s*"""
    rb"""(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)"""
)
_HIDDEN_ROW: Final = re.compile(
    rb"""<(?:\w+:)?row\s(?=[^<>]*?\shidden\s*=\s*["'](?:1|true)["'])[^<>]*?\br\s*=\s*["'](\d{1,7})["']"""
)
_HIDDEN_COLUMNS: Final = re.compile(
    rb"""<(?:\w+:)?col\s(?=[^<>]*?\bhidden\s*=\s*["'](?:1|true)["'])[^<>]*>"""
)
_MERGED: Final = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*["']([A-Z]{1,3})(\d+):[A-Z]{1,3}(\d+)["']"""
)
_DIMENSION: Final = re.compile(rb"""<(?:\w+:)?dimension\s[^<>]*?ref\s*=\s*["']([^"'<>]*)["'][^<>]*>""")
_RANGE: Final = re.compile(rb"\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6}(?::\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6})?")
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\s[^<>]*>")
_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship\s[^<>]*>")
_ATTRIBUTE: Final = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_FORBIDDEN: Final = (b"<!DOCTYPE", b"<!ENTITY")
_NOT_TEXT: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00")


@dataclass(slots=True)
class Part:
    """What a parser would not tell of a sheet.

    ``errors`` has, by row and column from 1, the code of a cell without a value and what Excel shows there;
    ``hidden_rows`` and ``hidden_columns`` count what cannot be seen in Excel, and ``merged`` has first and
    last row and the first column of each merged area. ``misplaced`` says that the sheet's own word on its
    size cannot be read.
    """

    errors: dict[int, dict[int, tuple[str, str]]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: int = 0
    merged: list[tuple[int, int, int]] = field(default_factory=list)
    misplaced: bool = False
    size: int = 0
    written: int = 0
    rows: int = 0
    columns: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """What was seen of a workbook: its sheets by name, and what it holds that is not read."""

    sheets: dict[str, Part]
    notes: tuple[Note, ...] = ()

    @property
    def misplaced(self) -> bool:
        """Return whether the word of a sheet on its own size would stop a parser."""
        return any(sheet.misplaced for sheet in self.sheets.values())


def check(data: bytes) -> Checked:
    """Return what is seen of the workbook ``data`` without parsing it.

    Everything is inflated once, counted and thrown away: what the directory of the archive says of sizes
    may be a lie.

    Raises:
        UnreadableError: ``E-XLSX-DAMAGED``, ``E-XLSX-LIMIT`` or ``E-PASSWORD``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _check(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableError("E-XLSX-DAMAGED", reason=str(error)[:200]) from None


def placed(data: bytes) -> bytes:
    """Return the workbook ``data`` without the sheets' own words on their sizes, which no reader needs."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.lower().startswith("xl/worksheets/"):
                content = _DIMENSION.sub(b"", content, count=1)
            new.writestr(entry.filename, content)
    return out.getvalue()


def _check(archive: zipfile.ZipFile) -> Checked:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(entries) > ENTRIES:
        raise UnreadableError("E-XLSX-LIMIT", reason=Note("{count} parts", {"count": len(entries)}))
    if len({name.casefold() for name in names}) < len(names):
        raise UnreadableError("E-XLSX-DAMAGED", reason=Note("a part stands twice in it"))
    if any(".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\")) for name in names):
        raise UnreadableError("E-XLSX-DAMAGED", reason=Note("a part points outside"))
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableError("E-PASSWORD")
    total, written, parts = 0, 0, {}
    for entry in entries:
        part = parts[entry.filename] = _entry(archive, entry, INFLATED - total, WRITTEN - written)
        total += part.size
        written += part.written
    named = _sheets(archive, set(names))
    return Checked({sheet: parts[part] for sheet, part in named.items() if part in parts}, _notes(names))


def _notes(names: list[str]) -> tuple[Note, ...]:
    lower = [name.lower() for name in names]
    found = []
    if any(name.startswith("xl/externallinks/") for name in lower):
        found.append(
            Note("{file}: links to other workbooks were not followed; their last values are read.", {})
        )
    if any(name.startswith("xl/connections") or "querytables/" in name for name in lower):
        found.append(Note("{file}: connections to other data were not followed.", {}))
    if any(name.endswith("vbaproject.bin") for name in lower):
        found.append(Note("{file}: macros stand in the workbook; they were not run.", {}))
    return tuple(found)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, allowed: int, cells: int) -> Part:
    name = entry.filename.lower()
    allowed = min(allowed, SHARED_STRINGS) if name.endswith("sharedstrings.xml") else allowed
    is_xml = name.endswith((".xml", ".rels"))
    is_sheet = name.endswith(".xml") and "sharedstrings" not in name and "externallinks" not in name
    part, tail, first = Part(), b"", True
    _refuse_size(entry, entry.file_size, allowed)  # what is said of it may be too little, but not too much
    for piece in _pieces(archive, entry):
        part.size += len(piece)
        _refuse_size(entry, part.size, allowed)
        if first and is_xml:
            _refuse_markup(piece)
        first = False
        if is_sheet:
            tail = _look(part, tail + piece, cells)
    if is_sheet:
        _look(part, tail, cells, last=True)
    if part.rows * part.columns > CELLS:
        extent = Note("{rows} rows by {columns} columns", {"rows": part.rows, "columns": part.columns})
        raise UnreadableError("E-XLSX-LIMIT", reason=extent)
    return part


def _refuse_size(entry: zipfile.ZipInfo, size: int, allowed: int) -> None:
    if size > allowed:
        values: dict[str, object] = {"part": entry.filename[:100], "size": allowed >> 20}
        raise UnreadableError("E-XLSX-LIMIT", reason=Note("{part}: over {size} MiB unpacked", values))
    if size > RATIO_FROM and size > RATIO * max(entry.compress_size, 1):
        values = {"part": entry.filename[:100], "ratio": RATIO}
        raise UnreadableError("E-XLSX-LIMIT", reason=Note("{part}: packed over {ratio}:1", values))


def _refuse_markup(start: bytes) -> None:
    """Refuse what could name other files or grow without end; no workbook program writes it."""
    if start.startswith(_NOT_TEXT) or any(word in start[:4096].upper() for word in _FORBIDDEN):
        raise UnreadableError("E-XLSX-DAMAGED", reason=Note("a part is no ordinary XML"))


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as part:
        while piece := part.read(_CHUNK):
            yield piece


def _look(part: Part, text: bytes, cells: int, *, last: bool = False) -> bytes:
    """Note what stands in ``text`` and return its end, where a cell may have been cut in two."""
    cut = len(text) if last else _last_tag(text)
    text, tail = text[:cut], text[cut:]
    if part.written == 0 and (dimension := _DIMENSION.search(text, 0, 1 << 16)):
        part.misplaced = _RANGE.fullmatch(dimension[1]) is None
    here = text.count(b"<c ") + text.count(b"<c>") or len(_CELL.findall(text))
    part.written += here
    if part.written > cells:
        raise UnreadableError("E-XLSX-LIMIT", reason=Note("over {count} cells", {"count": WRITTEN}))
    _extent(part, text, usual=text.count(b' r="') == here + text.count(b"<row"))
    _valueless(part, text)
    if b"hidden" in text:
        part.hidden_rows.update(map(int, _HIDDEN_ROW.findall(text)))
        part.hidden_columns += len(_HIDDEN_COLUMNS.findall(text))
    if b"mergeCell" in text:
        part.merged += [(int(first), int(end), _column(left)) for left, first, end in _MERGED.findall(text)]
    return tail


def _last_tag(text: bytes) -> int:
    """Return where the last cell or row begins, if that is near the end; else the last tag."""
    near = max(0, len(text) - _LONGEST)
    last = max(text.rfind(tag, near) for tag in _TAGS)
    last = last if last >= 0 else text.rfind(b"<", near)
    return last if last >= 0 else len(text)


def _extent(part: Part, text: bytes, *, usual: bool) -> None:
    """Note the last row and column.

    ``usual`` says that each cell and row says where it stands, the way programs write it: then rows are
    believed, unless a cell's number is longer than theirs.
    """
    rows = max(map(int, _ROW.findall(text)), default=part.rows) if usual else 0
    if usual and not re.search(rb' r="[A-Z]{1,3}\d{%d}' % (len(str(rows)) + 1), text):
        letters = set(_LETTERS.findall(text))
    else:
        found = set(_REFERENCE.findall(text))
        rows = max((int(row) for _, row in found), default=0)
        letters = {letters for letters, _ in found}
    part.rows = max(part.rows, rows)
    part.columns = max(part.columns, max(map(_column, letters), default=0))


def _valueless(part: Part, text: bytes) -> None:
    if b't="e"' in text or b"t='e'" in text:
        for letters, row, value in _ERROR.findall(text):
            shown = html.unescape(value.decode("utf-8", "replace")) or "#ERROR"
            part.errors.setdefault(int(row), {})[_column(letters)] = ("E-CELL", shown)
    if b"<f>" in text or b"<f " in text or b":f" in text:
        for letters, row, formula in _NO_VALUE.findall(text):
            shown = "=" + html.unescape(formula.decode("utf-8", "replace"))
            part.errors.setdefault(int(row), {})[_column(letters)] = ("E-FORMULA-NOVALUE", shown[:_SHOWN])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _sheets(archive: zipfile.ZipFile, names: set[str]) -> dict[str, str]:
    """Return the part in which each sheet stands."""
    book, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, relations} <= names:
        return {}
    targets = {}
    for tag in _RELATION.findall(archive.read(relations)):
        found = _attributes(tag)
        target = found.get("Target", "")
        targets[found.get("Id", "")] = (
            target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
        )
    sheets = (_attributes(tag) for tag in _SHEET.findall(archive.read(book)))
    return {sheet.get("name", ""): targets.get(sheet.get("r:id", ""), "") for sheet in sheets}


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode("utf-8", "replace"): html.unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(tag)
    }
