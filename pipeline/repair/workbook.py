"""XLSX: the texts in a workbook's parts; formats, formulas, numbers and everything else stay as they are."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final, NamedTuple

from pipeline.read import workbook_guard
from pipeline.repair.cells import Cell, Document

_STRINGS: Final = re.compile(r"xl/sharedStrings\.xml", re.IGNORECASE)
_SHEET: Final = re.compile(r"xl/worksheets/([^/]+)\.xml", re.IGNORECASE)
_STYLES: Final = re.compile(r"xl/(?:styles|sharedStrings)\.xml", re.IGNORECASE)
_ITEM: Final = re.compile(r"<((?:\w+:)?)si\b[^<>]*(?:/>|>(.*?)</\1si>)", re.DOTALL)
_PHONETIC: Final = re.compile(r"<((?:\w+:)?)rPh\b.*?</\1rPh>", re.DOTALL)
_TEXT: Final = re.compile(r"(<((?:\w+:)?)t(?:\s[^<>]*)?>)([^<]*)(</\2t>)")
_CELL: Final = re.compile(r"<((?:\w+:)?)c\s([^<>]*)(?<!/)>(.*?)</\1c>", re.DOTALL)
_REFERENCE: Final = re.compile(r"""\br\s*=\s*["']\$?([A-Za-z]{1,3})\$?(\d{1,7})["']""")
_TYPE: Final = re.compile(r"""\bt\s*=\s*["'](\w+)["']""")
_VALUE: Final = re.compile(r"<(?:\w+:)?v>\s*(\d+)\s*</")
_ATTRIBUTE: Final = re.compile(r'([\w:]+)\s*=\s*"([^"]*)"')
_FONT: Final = re.compile(r"""(<(?:\w+:)?(?:name|rFont)\s+val\s*=\s*["'])(?:\.Vn|VNI-|VPS )[^"']*(["'])""")
_PLAIN: Final = "Times New Roman"
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FIXED: Final = (1980, 1, 1, 0, 0, 0)


class _Piece(NamedTuple):
    """A text in a part of the archive: where it stands there, and the cells that show it."""

    part: str
    start: int
    end: int
    text: str


def document(data: bytes) -> Document:
    """Return the texts of a workbook; the copy differs in them, and in fonts of old encodings, alone.

    Raises:
        UnreadableError: The workbook is damaged, protected, or larger inside than is safe.
    """
    workbook_guard.check(data)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        content = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    pieces = list(_pieces({name: part.decode("utf-8", "replace") for name, part in _texts(content)}))
    names = _sheet_names(content)
    cells = [Cell(names.get(sheet, sheet), row, column, piece.text) for piece, (sheet, row, column) in pieces]

    def made(texts: Sequence[str]) -> bytes:
        changed: dict[str, dict[tuple[int, int], str]] = {}
        for (piece, _place), after in zip(pieces, texts, strict=True):
            if after != piece.text:
                # A text that several cells share is one text: the first cell decides.
                changed.setdefault(piece.part, {}).setdefault((piece.start, piece.end), after)
        return _packed(data, {name: _replaced(content[name], edits) for name, edits in changed.items()})

    return Document(cells, made, ".xlsx")


def _texts(content: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, part in content.items():
        if _STRINGS.fullmatch(name) or _SHEET.fullmatch(name):
            yield name, part


def _sheet_names(content: dict[str, bytes]) -> dict[str, str]:
    """Return what people call the sheets, by the name of their part."""
    book, relations = (
        content.get(name, b"").decode("utf-8", "replace")
        for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    targets = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\s[^<>]*>", relations):
        said = dict(_ATTRIBUTE.findall(tag))
        targets[said.get("Id", "")] = said.get("Target", "").rpartition("/")[2].removesuffix(".xml")
    found = {}
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^<>]*>", book):
        said = dict(_ATTRIBUTE.findall(tag))
        found[targets.get(said.get("r:id", ""), "")] = html.unescape(said.get("name", ""))
    return found


def _pieces(parts: dict[str, str]) -> Iterator[tuple[_Piece, tuple[str, int, str]]]:
    shared: list[list[_Piece]] = []
    for name, text in parts.items():
        if _STRINGS.fullmatch(name):
            shared = [list(_of(name, item.start(2), item[2] or "")) for item in _ITEM.finditer(text)]
    for name, text in parts.items():
        if sheet := _SHEET.fullmatch(name):
            for cell in _CELL.finditer(text):
                if place := _REFERENCE.search(cell[2]):
                    for piece in _shown(name, cell, shared):
                        yield piece, (sheet[1], int(place[2]), place[1].upper())


def _shown(name: str, cell: re.Match[str], shared: list[list[_Piece]]) -> list[_Piece]:
    kind = _TYPE.search(cell[2])
    if kind and kind[1] == "inlineStr":
        return list(_of(name, cell.start(3), cell[3]))
    value = _VALUE.search(cell[3]) if kind and kind[1] == "s" else None
    number = int(value[1]) if value else -1
    return shared[number] if 0 <= number < len(shared) else []


def _of(part: str, start: int, content: str) -> Iterator[_Piece]:
    """Yield the texts in an item, without the blanks around them and without reading aids."""
    aids = [found.span() for found in _PHONETIC.finditer(content)]
    for found in _TEXT.finditer(content):
        if any(first <= found.start() < last for first, last in aids):
            continue
        raw = found[3].strip(" ")
        if raw:
            first = start + found.start(3) + found[3].index(raw)
            yield _Piece(part, first, first + len(raw), html.unescape(raw))


def _replaced(content: bytes, edits: dict[tuple[int, int], str]) -> str:
    text = content.decode("utf-8", "replace")
    done: list[str] = []
    at = 0
    for (start, end), after in sorted(edits.items()):
        done += (text[at:start], after.translate(_ESCAPED))
        at = end
    return "".join([*done, text[at:]])


def _packed(data: bytes, changed: dict[str, str]) -> bytes:
    """Return the archive with some parts changed, the others byte by byte as they were."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = changed.get(entry.filename, "").encode() or old.read(entry)
            if changed and _STYLES.fullmatch(entry.filename):
                part = _FONT.sub(rf"\g<1>{_PLAIN}\g<2>", part.decode("utf-8", "replace")).encode()
            info = zipfile.ZipInfo(entry.filename, _FIXED)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, part)
    return out.getvalue()
