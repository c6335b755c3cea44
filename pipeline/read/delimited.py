r"""CSV and TSV: bytes → records, losing no more than the record that is damaged.

Records follow RFC 4180, with any of ``, ; tab |`` as the delimiter. CRLF, LF and CR each end a record
outside quotation marks; nothing else does (U+2028 in a cell is text). A quotation mark counts only at the
start of a cell; elsewhere it is a letter. A backslash before a quotation mark is understood where the file
makes sense only so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from pipeline.errors import Note
from pipeline.read import headers
from pipeline.read.faults import Fault, Row
from pipeline.read.window import LONGEST, Window

DELIMITERS: Final = (b",", b";", b"\t", b"|")
_HEAD_ROWS: Final = 60
_HEAD_BYTES: Final = 1 << 20
_TRIED: Final = 500  # records that show which way to write a quotation mark a file uses
_SEARCHED: Final = 200  # lines below a damaged record in which a whole one is looked for
_END: Final = re.compile(rb"\r\n|\n|\r")
_BREAK: Final = re.compile(rb"[\r\n]")
_BOM: Final = b"\xef\xbb\xbf"
_SEP: Final = re.compile(rb'"?sep=([,;|\t])"?[ \t]*(?:\r\n|\n|\r|\Z)', re.IGNORECASE)
_ESCAPED: Final = re.compile(rb'\\(["\\])')


class Record(NamedTuple):
    """One record: its cells, where the next one starts, and what is wrong with its quotation marks."""

    cells: list[bytes]
    end: int
    open: bool  # a quotation mark is never closed
    trailing: bool  # text stands after a closing quotation mark
    inner: bool  # a quotation mark stands inside a cell that is not quoted


@cache
def _cell(delimiter: bytes, *, escapes: bool) -> re.Pattern[bytes]:
    other = re.escape(delimiter)
    quoted = rb'[^"\\]++|\\["\\]|\\|""' if escapes else rb'[^"]++|""'
    # Possessive throughout: each byte is looked at once, whatever the input.
    return re.compile(
        rb'(?:"((?:' + quoted + rb')*+)"|)([^' + other + rb"\r\n]*+)(" + other + rb"|\r\n|\n|\r|\Z)"
    )


def record(data: bytes, start: int, delimiter: bytes, *, escapes: bool = False) -> Record:
    r"""Return the record that starts at byte ``start``.

    Where text follows a closing quotation mark the cell is kept as it stands, marks and all. ``escapes``
    says that a backslash makes a quotation mark in a quoted cell a letter.

    >>> record(b'1,"a ""b""\nc"\n2', 0, b",")[:2]
    ([b'1', b'a "b"\nc'], 14)
    """
    ending = _END.search(data, start)
    stop, end = ending.span() if ending else (len(data), len(data))
    if data.find(b'"', start, stop) < 0:
        return Record(data[start:stop].split(delimiter), end, open=False, trailing=False, inner=False)
    cells: list[bytes] = []
    opened = trailing = inner = False
    pattern, position = _cell(delimiter, escapes=escapes), start
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
            cells.append(_unquoted(quoted, escapes=escapes))
        if after != delimiter:
            return Record(cells, position, opened, trailing, inner)


def _unquoted(quoted: bytes, *, escapes: bool) -> bytes:
    text = quoted.replace(b'""', b'"') if b'""' in quoted else quoted
    return _ESCAPED.sub(rb"\1", text) if escapes else text


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the header stands and how the records below it are written.

    ``width`` is the number of cells that a record has; ``line`` the physical line below the header.
    """

    delimiter: bytes
    head: headers.Located
    skipped: int
    header_line: int
    start: int
    line: int
    escapes: bool = False

    @property
    def width(self) -> int:
        """Return how many cells a record has."""
        return len(self.head.cells)


class _Line(NamedTuple):
    """A record in the head of a file, and where it stands."""

    cells: list[str]
    line: int
    start: int
    end: int


def layout(data: bytes, table: headers.HeaderAliases) -> Layout:
    r"""Return the layout of a delimited file: the delimiter under which its header names most columns.

    Raises:
        UnreadableError: ``E-HEADER``: there is none.

    >>> from pipeline.read.headers import aliases
    >>> layout(b"Danh s\xc3\xa1ch\n\nid;title\n", aliases()).head.cells
    ('id', 'title')
    """
    declared = _SEP.match(data)
    start, line = (declared.end(), 2) if declared else (0, 1)
    choices = (declared[1],) if declared else DELIMITERS
    found = []
    heads = {delimiter: list(_head(data, start, line, delimiter)) for delimiter in choices}
    for place, (delimiter, head) in enumerate(heads.items()):
        located = headers.locate([line.cells for line in head], table)
        if located is None:
            continue
        width = len(located.cells)
        below = [len(line.cells) == width for line in head[located.at + located.depth :] if any(line.cells)]
        fit = sum(below) / len(below) if below else 1.0
        found.append((-located.score, -fit, place, delimiter, located))
    if not found:
        raise headers.missing([line.cells for head in heads.values() for line in head], table)
    *_, delimiter, located = min(found, key=lambda choice: choice[:3])
    head = heads[delimiter]
    last = head[located.at + located.depth - 1]
    skipped = sum(any(map(str.strip, line.cells)) for line in head[: located.at])
    return Layout(
        delimiter,
        located,
        skipped,
        head[located.at].line,
        last.end,
        last.line + _lines(data, last.start, last.end),
        _escapes(data, last.end, delimiter, len(located.cells)),
    )


def _head(data: bytes, position: int, line: int, delimiter: bytes) -> Iterator[_Line]:
    stop = min(len(data), position + _HEAD_BYTES)
    for _ in range(_HEAD_ROWS):
        if position >= stop:
            return
        found = record(data, position, delimiter)
        if (found.open or found.trailing) and _BREAK.search(data, position, max(position, found.end - 2)):
            ending = _END.search(data, position)  # a stray mark in a title block must not swallow the header
            end = ending.end() if ending else len(data)
            found = found._replace(cells=data[position:end].rstrip(b"\r\n").split(delimiter), end=end)
        yield _Line([cell.decode("utf-8", "replace") for cell in found.cells], line, position, found.end)
        line += _lines(data, position, found.end)
        position = found.end


def _escapes(data: bytes, start: int, delimiter: bytes, width: int) -> bool:
    """Return whether fewer records are damaged when a backslash makes a quotation mark a letter."""
    if data.find(b'\\"', start, start + _HEAD_BYTES) < 0:
        return False
    damaged = {}
    for escapes in (False, True):
        position, count = start, 0
        for _ in range(_TRIED):
            if position >= min(len(data), start + _HEAD_BYTES):
                break
            found = record(data, position, delimiter, escapes=escapes)
            count += found.open or found.trailing or not _fits(found.cells, width)
            position = found.end
        damaged[escapes] = count
    return damaged[True] < damaged[False]


@dataclass(slots=True)
class Records:
    r"""The records below a header, one after the other; a damaged one has a fault and its bytes.

    A record whose quotation mark is not closed, or closed in the middle of a later record, ends where the
    next line begins that is a whole record with the right number of cells. When all were given out,
    ``count`` says how many there were, and together with the header they cover every byte of the file.

    >>> import io
    >>> from pipeline.read.headers import aliases
    >>> text = Window(io.BytesIO(b'id,title\n1,"a\n2,b\n3,"c"\n'))
    >>> records = Records(text, layout(text.data, aliases()), "UTF-8")
    >>> [(row.number, row.cells) for row in records], records.count
    ([(2, []), (3, ['2', 'b']), (4, ['3', 'c'])], 3)
    """

    text: Window
    layout: Layout
    encoding: str
    count: int = 0
    odd: Counter[str] = field(default_factory=Counter)
    _barren: tuple[bytes, int, int] = (b"", 0, 0)  # where in view no line begins that is a whole record

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; once only, for the file moves on."""
        position, line = self.layout.start, self.layout.line
        while True:
            position = self.text.move(position)
            if position >= len(self.text.data):
                return
            for row, end, below in self._in_view(position, line):
                self.count += 1
                position, line = end, below
                yield row

    def _in_view(self, position: int, line: int) -> Iterator[tuple[Row, int, int]]:
        """Yield the rows that begin with a record's length in view, each with position and line behind it."""
        last = len(self.text.data) - (0 if self.text.whole else LONGEST - 1)
        data, width = self.text.data, self.layout.width
        delimiter = self.layout.delimiter.decode()
        stop = -1
        while position < last:
            if stop < position:
                stop = data.find(b"\n", position)
                stop = len(data) if stop < 0 else stop
            plain = self._plain(data[position:stop]) if stop < len(data) else None
            if plain is not None:
                content, text = plain
                cells = text.split(delimiter)
                if len(cells) == width:
                    position = stop + 1
                    yield Row(line, cells, content), position, line + 1
                    line += 1
                    continue
            row, end = self._careful(position, line)
            if self.text.data is not data:  # a line longer than the view was passed over
                yield row, end, line + 1
                return
            line += _lines(data, position, end)
            position = end
            yield row, position, line

    def _plain(self, content: bytes) -> tuple[bytes, str] | None:
        """Return a line without anything that needs a second look, and its text; else None."""
        content = content.removesuffix(b"\r")
        if b'"' in content or b"\r" in content or b"\0" in content or content.startswith(_BOM):
            return None
        try:
            return content, content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def _careful(self, position: int, line: int) -> tuple[Row, int]:
        """Return the row at ``position``, and where it ends: behind a line without end, in the next view."""
        data = self.text.data
        start = position
        if data.startswith(_BOM, position):
            self.odd["mark"] += 1
            start += len(_BOM)  # files were joined: the mark belongs to no cell
        found = self._record(start)
        if found.end - start > LONGEST or (found.end == len(data) and not self.text.whole):
            return self._endless(start, line)
        end, fault = found.end, None
        if found.open or found.trailing or not _fits(found.cells, self.layout.width):
            end, fault = self._damaged(start, found)
        if fault is None:
            self.odd["trailing"] += found.trailing
        return _row(data[start:end], line, found, fault, self.encoding), end

    def _record(self, position: int) -> Record:
        return record(self.text.data, position, self.layout.delimiter, escapes=self.layout.escapes)

    def _endless(self, start: int, line: int) -> tuple[Row, int]:
        """Return the row that is longer than any record: a mark that is not closed, or one long line."""
        data = self.text.data
        ending = _END.search(data, start, start + LONGEST)
        if ending:
            end = self._next_whole(start, start + LONGEST)
            return Row(line, [], data[start:end].rstrip(b"\r\n"), Fault("E-QUOTE")), end
        raw = data[start : start + LONGEST]
        row = Row(line, [], raw, Fault("E-LONG", {"most": LONGEST}))
        position = start + LONGEST
        while (ending := _BREAK.search(self.text.data, position)) is None and not self.text.whole:
            position = self.text.move(len(self.text.data) - 1) + 1
        if ending is None:
            return row, len(self.text.data)
        crlf = self.text.data.startswith(b"\r\n", ending.start())
        return row, ending.end() + crlf

    def _damaged(self, position: int, found: Record) -> tuple[int, Fault | None]:
        """Return where a record that looks damaged ends and what is wrong with it (None: it can be taken)."""
        data, width = self.text.data, self.layout.width
        fits = _fits(found.cells, width)
        cut = self.text.whole and found.end == len(data) and not data.endswith((b"\n", b"\r"))
        several = _BREAK.search(data, position, len(data[position : found.end].rstrip(b"\r\n")) + position)
        if found.open or (several and (found.trailing or not fits)):
            limit = position + LONGEST if found.open or found.trailing else found.end
            resume = self._next_whole(position, limit, whole=not (found.open or found.trailing))
            if cut and resume == len(data):
                return resume, Fault("E-TRUNC")
            if found.open or found.trailing or resume < found.end:
                return resume, Fault("E-QUOTE")
        if fits:
            return found.end, None
        if cut and len(found.cells) < width:
            return found.end, Fault("E-TRUNC")
        return found.end, Fault("E-COLS", {"found": len(found.cells), "expected": width})

    def _next_whole(self, position: int, limit: int, *, whole: bool = False) -> int:
        """Return the start of the next line that is an undamaged record of the right number of cells.

        Where none is near, that is ``limit`` if what stands before it is a ``whole`` record or the file
        ends there, else the next line: of two damaged records each is to be found by itself.
        """
        data = self.text.data
        limit = min(limit, len(data))
        ending = _END.search(data, position, limit)
        following = ending.end() if ending else limit
        seen, start, end = self._barren
        looked = 0
        if seen is data and start <= following <= end:  # another damaged record had looked there
            looked, position = _lines(data, following, end), end
        for _ in range(max(1, _SEARCHED - looked)):
            ending = _END.search(data, position, limit)
            if ending is None or ending.end() >= limit:
                return limit if whole or limit == len(data) else following
            position = ending.end()
            found = self._record(position)
            sound = not (found.open or found.trailing or found.inner)
            if sound and len(found.cells) == self.layout.width:
                return position
            self._barren = data, following, position
        return limit if whole else following

    def notes(self) -> Iterator[Note]:
        """Yield what a person should know of how the file is written; after the rows."""
        if self.layout.escapes:
            yield Note(
                '{file}: quotation marks inside cells are written \\" and were read so; check a few rows.', {}
            )
        if self.odd["trailing"]:
            yield Note(
                "{file}: {count} rows have text behind a closing quotation mark; "
                "those cells were kept as they stand.",
                {"count": self.odd["trailing"]},
            )
        if self.odd["mark"]:
            yield Note(
                "{file}: a byte order mark stands in {count} rows below the header, as where files were "
                "joined; it was left out.",
                {"count": self.odd["mark"]},
            )


def _row(raw: bytes, line: int, found: Record, fault: Fault | None, encoding: str) -> Row:
    content = raw.rstrip(b"\r\n")
    if b"\0" in raw:
        return Row(line, [], content, Fault("E-NUL"))
    try:
        # The whole row is tried: what is wrong with it must be said even where its cells were not split.
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return Row(line, [], content, Fault("E-ENC", {"encoding": encoding}))
    split = not (found.open or (fault and fault.code == "E-QUOTE"))
    cells = [cell.decode("utf-8") for cell in found.cells] if split else []
    return Row(line, cells, content, fault)


def _fits(cells: Sequence[bytes], width: int) -> bool:
    return len(cells) == width or not any(map(bytes.strip, cells[width:] if len(cells) > width else cells))


def _lines(data: bytes, start: int, end: int) -> int:
    return data.count(b"\n", start, end) + data.count(b"\r", start, end) - data.count(b"\r\n", start, end)
