"""Checks of an XLSX file before anything parses it: how large it is, and where Excel shows an error."""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from pipeline.errors import Note
from pipeline.read.faults import UnreadableError

ENTRIES: Final = 1_000
INFLATED: Final = 512 << 20
SHARED_STRINGS: Final = 256 << 20
RATIO: Final = 200
RATIO_FROM: Final = 10_000_000
CELLS: Final = 50_000_000

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 512  # bytes kept from the last piece, so that no cell's tag is cut in two
_REFERENCE: Final = re.compile(rb"""\sr\s*=\s*["']\$?([A-Za-z]{0,3})\$?(\d{1,7})["']""")
_ERROR: Final = re.compile(
    rb"""<(?:\w+:)?c\s(?=[^<>]*?\st\s*=\s*["']e["'])[^<>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'][^<>]*>"""
    rb"""(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]{0,300}</(?:\w+:)?f>))?(?:<(?:\w+:)?v>([^<]{1,20})<)?"""
)
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\s[^<>]*>")
_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship\s[^<>]*>")
_ATTRIBUTE: Final = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")

_PartErrors = dict[int, dict[int, str]]
Errors = dict[str, _PartErrors]
"""Sheet name → row → column (from 1) → the error Excel shows there, such as ``#REF!``."""


def check(data: bytes) -> Errors:
    """Return the error cells of the workbook ``data``, having looked at all of it without parsing it.

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


def _check(archive: zipfile.ZipFile) -> Errors:
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
    total, errors = 0, {}
    for entry in entries:
        size, errors[entry.filename] = _entry(archive, entry, INFLATED - total)
        total += size
    named = _sheets(archive, set(names))
    return {sheet: errors[part] for sheet, part in named.items() if errors.get(part)}


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, allowed: int) -> tuple[int, _PartErrors]:
    name = entry.filename.lower()
    allowed = min(allowed, SHARED_STRINGS) if name.endswith("sharedstrings.xml") else allowed
    is_sheet = name.endswith(".xml") and "sharedstrings" not in name and "externallinks" not in name
    size, most_rows, most_columns, tail = 0, 0, 0, b""
    errors: _PartErrors = {}
    for piece in _pieces(archive, entry):
        size += len(piece)
        if size > allowed:
            values = {"part": entry.filename[:100], "size": allowed >> 20}
            raise UnreadableError("E-XLSX-LIMIT", reason=Note("{part}: over {size} MiB unpacked", {**values}))
        if size > RATIO_FROM and size > RATIO * max(entry.compress_size, 1):
            values = {"part": entry.filename[:100], "ratio": RATIO}
            raise UnreadableError("E-XLSX-LIMIT", reason=Note("{part}: packed over {ratio}:1", {**values}))
        if is_sheet:
            text = tail + piece
            rows, columns = _extent(text)
            most_rows, most_columns = max(most_rows, rows), max(most_columns, columns)
            _note_errors(text, errors)
            tail = text[-_OVERLAP:]
    if most_rows * most_columns > CELLS:
        extent = Note("{rows} rows by {columns} columns", {"rows": most_rows, "columns": most_columns})
        raise UnreadableError("E-XLSX-LIMIT", reason=extent)
    return size, errors


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as part:
        while piece := part.read(_CHUNK):
            yield piece


def _extent(text: bytes) -> tuple[int, int]:
    found = set(_REFERENCE.findall(text))
    rows = max((int(row) for _, row in found), default=0)
    return rows, max((_column(letters) for letters in {letters for letters, _ in found}), default=0)


def _note_errors(text: bytes, errors: _PartErrors) -> None:
    if b'"e"' not in text and b"'e'" not in text:
        return
    for letters, row, value in _ERROR.findall(text):
        shown = html.unescape(value.decode("utf-8", "replace")) or "#ERROR"
        errors.setdefault(int(row), {})[_column(letters)] = shown


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
