"""What a parser would not tell of an XLS file: where Excel shows an error, hidden rows, merged cells.

The container is that of [MS-CFB], the records those of [MS-XLS]; only what is named here is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from pipeline.read.faults import UnreadableError
from pipeline.read.workbook_guard import Checked, Part

_END: Final = 0xFFFFFFFA  # sector numbers from here on are none
_HEADER: Final = 512
_ENTRY: Final = 128
_STREAMS: Final = ("Workbook", "Book")
_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_FORMULA, _BOOLERR, _ROW, _COLINFO, _MERGED = 0x0006, 0x0205, 0x0208, 0x007D, 0x00E5
_IS_ERROR, _NO_NUMBER, _HIDDEN_ROW = 2, 0xFFFF, 0x20
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def check(data: bytes) -> Checked:
    """Return what is seen of the workbook ``data``; nothing where it is damaged, which its parser will say.

    Raises:
        UnreadableError: ``E-PASSWORD``.
    """
    try:
        return Checked(_sheets(_stream(data)))
    except (struct.error, IndexError, UnicodeDecodeError, ValueError):
        return Checked({})


def _stream(data: bytes) -> bytes:
    """Return the stream of the workbook in a compound file."""
    shift, small_shift = struct.unpack_from("<HH", data, 0x1E)
    fat_count, directory = struct.unpack_from("<II", data, 0x2C)
    cutoff, small_fat_start, _, difat, difat_count = struct.unpack_from("<IIIII", data, 0x38)
    size = 1 << shift

    def sector(number: int) -> bytes:
        start = _HEADER + (number << shift) if shift == 9 else (number + 1) << shift  # noqa: PLR2004 - 512 bytes
        return data[start : start + size]

    places = list(struct.unpack_from("<109I", data, 0x4C))
    for _ in range(min(difat_count, len(data) // size)):
        *more, difat = struct.unpack(f"<{size // 4}I", sector(difat))
        places += more
    fat = b"".join(sector(place) for place in places[:fat_count] if place < _END)
    table = struct.unpack(f"<{len(fat) // 4}I", fat)

    def chain(start: int, links: tuple[int, ...]) -> Iterator[int]:
        for _ in range(len(links) + 1):  # a hostile chain may lead back to itself
            if start >= _END:
                return
            yield start
            start = links[start]

    def whole(start: int) -> bytes:
        return b"".join(map(sector, chain(start, table)))

    entries = whole(directory)
    root_start = struct.unpack_from("<I", entries, 116)[0]
    for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
        length = struct.unpack_from("<H", entries, at + 64)[0]
        name = entries[at : at + max(length - 2, 0)].decode("utf-16-le")
        if name in _STREAMS:
            start, total = struct.unpack_from("<II", entries, at + 116)
            if total >= cutoff:
                return whole(start)[:total]
            small = whole(root_start)
            small_fat = whole(small_fat_start)
            links = struct.unpack(f"<{len(small_fat) // 4}I", small_fat)
            step = 1 << small_shift
            return b"".join(small[each * step : (each + 1) * step] for each in chain(start, links))[:total]
    raise ValueError("no workbook")


def _sheets(stream: bytes) -> dict[str, Part]:
    starts = {}
    for kind, body in _records(stream, 0):
        if kind == _FILEPASS:
            raise UnreadableError("E-PASSWORD")
        if kind == _BOUNDSHEET:
            starts[_name(body)] = struct.unpack_from("<I", body)[0]
    return {name: _part(stream, start) for name, start in starts.items()}


def _name(body: bytes) -> str:
    count, wide = body[6], body[7]
    return body[8 : 8 + 2 * count].decode("utf-16-le") if wide & 1 else body[8 : 8 + count].decode("latin-1")


def _records(stream: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records from ``position`` to the end of that part of the stream, parts inside it left out."""
    depth = 0
    while position + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, position)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0:
            return
        if depth == 1:
            yield kind, stream[position + 4 : position + 4 + length]
        position += 4 + length


def _part(stream: bytes, start: int) -> Part:
    part = Part()
    for kind, body in _records(stream, start):
        if kind == _BOOLERR:
            row, column, _, value, is_error = struct.unpack_from("<HHHBB", body)
            if is_error:
                _note(part, row, column, value)
        elif kind == _FORMULA:
            row, column, _, result, _, value = struct.unpack_from("<HHHBBB", body)
            if result == _IS_ERROR and struct.unpack_from("<H", body, 12)[0] == _NO_NUMBER:
                _note(part, row, column, value)
        elif kind == _ROW and struct.unpack_from("<H", body, 12)[0] & _HIDDEN_ROW:
            part.hidden_rows.add(struct.unpack_from("<H", body)[0] + 1)
        elif kind == _COLINFO:
            part.hidden_columns += struct.unpack_from("<H", body, 8)[0] & 1
        elif kind == _MERGED:
            ranges = struct.iter_unpack("<HHHH", body[2 : 2 + 8 * struct.unpack_from("<H", body)[0]])
            part.merged += [(first + 1, last + 1, left + 1) for first, last, left, _ in ranges]
    return part


def _note(part: Part, row: int, column: int, value: int) -> None:
    part.errors.setdefault(row + 1, {})[column + 1] = ("E-CELL", _ERRORS.get(value, "#ERROR"))
