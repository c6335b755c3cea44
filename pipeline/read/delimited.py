r"""CSV and TSV: bytes → records, losing no more than the record that is damaged.

Records follow RFC 4180, with any of ``, ; tab |`` as the delimiter. CRLF, LF and CR each end a record
outside quotation marks; nothing else does (U+2028 in a cell is text). A quotation mark counts only at the
start of a cell; elsewhere it is a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from pipeline.read import headers
from pipeline.read.faults import Fault, Row, UnreadableError

DELIMITERS: Final = (b",", b";", b"\t", b"|")
_HEAD_ROWS: Final = 60
_HEAD_BYTES: Final = 1 << 20
_END: Final = re.compile(rb"\r\n|\n|\r")
_BREAK: Final = re.compile(rb"[\r\n]")
_BOM: Final = b"\xef\xbb\xbf"
_SEP: Final = re.compile(rb'"?sep=([,;|\t])"?[ \t]*(?:\r\n|\n|\r|\Z)', re.IGNORECASE)


class Record(NamedTuple):
    """One record: its cells, where the next one starts, and what is wrong with its quotation marks."""

    cells: list[bytes]
    end: int
    open: bool  # a quotation mark is never closed
    trailing: bool  # text stands after a closing quotation mark
    inner: bool  # a quotation mark stands inside a cell that is not quoted


@cache
def _cell(delimiter: bytes) -> re.Pattern[bytes]:
    other = re.escape(delimiter)
    # Possessive throughout: each byte is looked at once, whatever the input.
    return re.compile(rb'(?:"((?:[^"]++|"")*+)"|)([^' + other + rb"\r\n]*+)(" + other + rb"|\r\n|\n|\r|\Z)")


def record(data: bytes, start: int, delimiter: bytes) -> Record:
    r"""Return the record that starts at byte ``start``.

    Where text follows a closing quotation mark the cell is kept as it stands, marks and all.

    >>> record(b'1,"a ""b""\nc"\n2', 0, b",")[:2]
    ([b'1', b'a "b"\nc'], 14)
    """
    ending = _END.search(data, start)
    stop, end = ending.span() if ending else (len(data), len(data))
    if data.find(b'"', start, stop) < 0:
        return Record(data[start:stop].split(delimiter), end, open=False, trailing=False, inner=False)
    cells: list[bytes] = []
    opened = trailing = inner = False
    pattern, position = _cell(delimiter), start
    while True:
        match = pattern.match(data, position)
        assert match is not None  # every part of the pattern may be empty
        quoted, plain, after = match.groups()
        position = match.end()
        if quoted is None:
            opened |= plain.startswith(b'"')
            inner |= b'"' in plain
            cells.append(plain)
        elif plain.strip():
            trailing = True
            cells.append(data[match.start() : match.start(3)])
        else:
            cells.append(quoted.replace(b'""', b'"') if b'""' in quoted else quoted)
        if after != delimiter:
            return Record(cells, position, opened, trailing, inner)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the header stands and how the records below it are written."""

    delimiter: bytes
    head: tuple[str, ...]
    skipped: int
    header_line: int
    start: int
    line: int


def layout(data: bytes, table: headers.HeaderAliases) -> Layout:
    r"""Return the layout of a delimited file: the delimiter under which its header names most columns.

    Raises:
        UnreadableError: ``E-EMPTY`` or ``E-HEADER``.

    >>> from pipeline.read.headers import aliases
    >>> layout(b"Danh s\xc3\xa1ch\n\nid;title\n", aliases()).head
    ('id', 'title')
    """
    if not data.strip(b'\r\n\t ,;|"\x00'):
        raise UnreadableError("E-EMPTY")
    declared = _SEP.match(data)
    start, line = (declared.end(), 2) if declared else (0, 1)
    choices = (declared[1],) if declared else DELIMITERS
    found = []
    failure: UnreadableError | None = None
    for place, delimiter in enumerate(choices):
        head = list(_head(data, start, line, delimiter))
        try:
            index = headers.find([cells for cells, _, _, _ in head], table)
        except UnreadableError as error:
            failure = failure or error
            continue
        width = len(head[index][0])
        below = [len(cells) == width for cells, _, _, _ in head[index + 1 :] if any(cells)]
        fit = sum(below) / len(below) if below else 1.0
        found.append((-headers.score(head[index][0], table), -fit, place, delimiter, head, index))
    if not found:
        assert failure is not None  # there is at least one choice
        raise failure
    *_, delimiter, head, index = min(found, key=lambda choice: choice[:3])
    cells, at, end, _ = head[index]
    below_header = at + _lines(data, head[index][3], end)
    skipped = sum(any(map(str.strip, row)) for row, _, _, _ in head[:index])
    return Layout(delimiter, tuple(cells), skipped, at, end, below_header)


def _head(
    data: bytes, position: int, line: int, delimiter: bytes
) -> Iterator[tuple[list[str], int, int, int]]:
    stop = min(len(data), position + _HEAD_BYTES)
    for _ in range(_HEAD_ROWS):
        if position >= stop:
            return
        found = record(data, position, delimiter)
        if (found.open or found.trailing) and _BREAK.search(data, position, max(position, found.end - 2)):
            ending = _END.search(data, position)  # a stray mark in a title block must not swallow the header
            end = ending.end() if ending else len(data)
            found = found._replace(cells=data[position:end].rstrip(b"\r\n").split(delimiter), end=end)
        yield [cell.decode("utf-8", "replace") for cell in found.cells], line, found.end, position
        line += _lines(data, position, found.end)
        position = found.end


def rows(data: bytes, layout: Layout, *, encoding: str) -> Iterator[Row]:
    r"""Yield the rows below the header; a damaged one has a fault and its bytes.

    A record whose quotation mark is not closed, or closed in the middle of a later record, ends where the
    next line begins that is a whole record with the right number of cells.

    >>> from pipeline.read.headers import aliases
    >>> text = b'id,title\n1,"a\n2,b\n3,"c"\n'
    >>> [(row.number, row.cells) for row in rows(text, layout(text, aliases()), encoding="UTF-8")]
    [(2, []), (3, ['2', 'b']), (4, ['3', 'c'])]
    """
    view = memoryview(data)
    position, line, width = layout.start, layout.line, len(layout.head)
    while position < len(data):
        if data.startswith(_BOM, position):
            position += len(_BOM)  # files were joined: the mark belongs to no cell
        found = record(data, position, layout.delimiter)
        end, fault = found.end, None
        if found.open or (found.trailing or not _fits(found.cells, width)):
            end, fault = _damaged(data, position, found, layout.delimiter, width)
        yield _row(view[position:end], line, found, fault, encoding)
        line += _lines(data, position, end)
        position = end


def _row(raw: memoryview, line: int, found: Record, fault: Fault | None, encoding: str) -> Row:
    content = bytes(raw)
    stripped = raw[: len(content.rstrip(b"\r\n"))]
    if b"\0" in content:
        return Row(line, [], stripped, Fault("E-NUL"))
    try:
        # The whole row is tried: what is wrong with it must be said even where its cells were not split.
        content.decode("utf-8")
    except UnicodeDecodeError:
        return Row(line, [], stripped, Fault("E-ENC", {"encoding": encoding}))
    cells = [] if fault and fault.code == "E-QUOTE" else [cell.decode("utf-8") for cell in found.cells]
    return Row(line, cells, stripped, fault)


def _fits(cells: Sequence[bytes], width: int) -> bool:
    return len(cells) == width or not any(map(bytes.strip, cells[width:] if len(cells) > width else cells))


def _damaged(
    data: bytes, position: int, found: Record, delimiter: bytes, width: int
) -> tuple[int, Fault | None]:
    """Return where a record that looks damaged ends and what is wrong with it (None: it can be taken)."""
    fits = _fits(found.cells, width)
    several = _BREAK.search(data, position, len(data[position : found.end].rstrip(b"\r\n")) + position)
    if found.open or (several and (found.trailing or not fits)):
        limit = len(data) if found.open or found.trailing else found.end
        resume = _next_whole(data, position, limit, delimiter, width)
        if found.open or found.trailing or resume < found.end:
            return resume, Fault("E-QUOTE")
    if fits:
        return found.end, None
    return found.end, Fault("E-COLS", {"found": len(found.cells), "expected": width})


def _next_whole(data: bytes, position: int, limit: int, delimiter: bytes, width: int) -> int:
    """Return the start of the next line that is an undamaged record of ``width`` cells, or ``limit``."""
    while ending := _END.search(data, position, limit):
        position = ending.end()
        if position >= limit:
            break
        found = record(data, position, delimiter)
        if len(found.cells) == width and not (found.open or found.trailing or found.inner):
            return position
    return limit


def _lines(data: bytes, start: int, end: int) -> int:
    return data.count(b"\n", start, end) + data.count(b"\r", start, end) - data.count(b"\r\n", start, end)
