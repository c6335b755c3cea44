"""What a file is, by its first bytes and not by its name."""

from __future__ import annotations

import io
import zipfile
from typing import Final, Literal

from pipeline.errors import Note
from pipeline.read.faults import UnreadableError

Kind = Literal["csv", "jsonl", "xlsx", "xls", "parquet"]

_SAVE_AS_XLSX: Final = "Open it and save it as .xlsx (Excel workbook), then run again."
_UNPACK: Final = "Unpack it and give the table inside."
_TABLE: Final = "Give a table: CSV, XLSX, XLS, JSON Lines or Parquet."
_MAGIC: Final = (
    (b"%PDF", "a PDF document", "Ask for the table it was printed from."),
    (b"\x1f\x8b", "a compressed file (gzip)", _UNPACK),
    (b"Rar!", "a compressed file (RAR)", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file (7z)", _UNPACK),
    (b"BZh", "a compressed file (bzip2)", _UNPACK),
    (b"\xfd7zXZ", "a compressed file (xz)", _UNPACK),
    (b"{\\rtf", "an RTF document", _SAVE_AS_XLSX),
    (b"\x89PNG", "a picture", _TABLE),
    (b"\xff\xd8\xff", "a picture", _TABLE),
    (b"GIF8", "a picture", _TABLE),
    (b"SQLite format 3", "a database", _TABLE),
    (b"\x7fELF", "a program", _TABLE),
    (b"MZ\x90", "a program", _TABLE),
)
_MARKUP: Final = (
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "XML"),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LINES: Final = (".jsonl", ".ndjson")
SUFFIXES: Final[dict[Kind, tuple[str, ...]]] = {
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "jsonl": (*_LINES, ".json"),
    "xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"),
    "xls": (".xls", ".xlt"),
    "parquet": (".parquet", ".pq"),
}
"""Name endings each kind usually has; another one is worth a note."""


def is_text(head: bytes) -> bool:
    """Return whether a file that starts with ``head`` can only be text: then its start tells what it is.

    >>> is_text(b"id,title"), is_text(b"PK..")
    (True, False)
    """
    return not head.startswith((b"PK", _OLE, b"PAR1"))


def kind(data: bytes, suffix: str) -> Kind:
    """Return what ``data`` is; ``suffix`` (lower case, with its dot) decides only between kinds of text.

    Of a text (see `is_text`) the start is enough.

    Raises:
        UnreadableError: ``E-EMPTY``, ``E-TYPE``, ``E-PASSWORD`` or ``E-XLSX-DAMAGED``.

    >>> kind(b"id,title", ".xlsx")
    'csv'
    """
    if not data:
        raise UnreadableError("E-EMPTY")
    for magic, found, advice in _MAGIC:
        if data.startswith(magic):
            raise UnreadableError("E-TYPE", found=Note(found), advice=Note(advice))
    if data.startswith(_ZIP):
        return _zip(data)
    if data.startswith(_OLE):
        return _ole(data)
    if data.startswith(b"PAR1"):
        return "parquet"
    return _text(data, suffix)


def _zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableError("E-XLSX-DAMAGED", reason=str(error)) from None
    lower = {name.lower() for name in names}
    if "xl/workbook.bin" in lower:
        raise UnreadableError("E-TYPE", found=Note("an .xlsb workbook"), advice=Note(_SAVE_AS_XLSX))
    if "mimetype" in lower:
        found = Note("an OpenDocument file (.ods, .odt)")
        raise UnreadableError("E-TYPE", found=found, advice=Note(_SAVE_AS_XLSX))
    if any(name.startswith("word/") for name in lower):
        raise UnreadableError("E-TYPE", found=Note("a Word document"), advice=Note(_SAVE_AS_XLSX))
    if any(name.startswith("xl/") for name in lower):
        return "xlsx"
    raise UnreadableError("E-TYPE", found=Note("a compressed file (ZIP)"), advice=Note(_UNPACK))


def _ole(data: bytes) -> Kind:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableError("E-PASSWORD")
    if "Workbook".encode("utf-16-le") in data or "Book\0".encode("utf-16-le") in data:
        return "xls"
    found = Note("an old Office document (.doc, .ppt)")
    raise UnreadableError("E-TYPE", found=found, advice=Note(_SAVE_AS_XLSX))


def _text(data: bytes, suffix: str) -> Kind:
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, found in _MARKUP:
        if start.startswith(magic):
            raise UnreadableError("E-TYPE", found=Note(found), advice=Note(_SAVE_AS_XLSX))
    if start.startswith(b"{") or suffix in _LINES:
        return "jsonl"
    if start.startswith(b"[") and (suffix == ".json" or start[1:].lstrip()[:1] == b"{"):
        return "jsonl"
    return "csv"
