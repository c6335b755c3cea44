"""JSON Lines: one object a line, its keys the headers; and a JSON array of objects, one a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import Note
from pipeline.read.faults import Fault, Row
from pipeline.read.window import LONGEST, Window

_END: Final = re.compile(rb"\r\n|\n|\r")
_BREAK: Final = re.compile(rb"[\r\n]")
_BOM: Final = b"\xef\xbb\xbf"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ARRAY: Final = re.compile(rb"\s*\[\s*(?:\{|\]|\Z)")
_ELEMENT: Final = re.compile(rb"(?<=[\r\n])[ \t]*\{")
_SCALAR: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^,\]\s]+', re.DOTALL)
_NEAR: Final = 1 << 16  # in which an element ends that has others on lines of their own inside
_PATIENCE: Final = 8 << 20  # bytes looked through in vain, all in all: else damage everywhere takes hours
_BETWEEN: Final = re.compile(rb"[\s,]*+")
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """A line (or an element of an array): its number from 1, its bytes, and its cells by key or its fault."""

    number: int
    raw: bytes
    values: dict[str, str]
    fault: Fault | None = None


@dataclass(slots=True)
class Lines:
    r"""The lines of a file, one after the other; ``count`` says how many there were.

    Strings stay as they are; numbers keep their digits; null is ``""``; lists and objects are JSON text.
    ``faulty`` counts the damaged lines; ``patience`` is for how many bytes more the end of a damaged element
    is looked for.

    >>> import io
    >>> lines = Lines(Window(io.BytesIO(b'{"id": 007}\n{"id": 1.50, "x": null}\n')), "UTF-8")
    >>> [(line.number, line.values, line.fault and line.fault.code) for line in lines]
    [(1, {}, 'E-JSON'), (2, {'id': '1.50', 'x': ''}, None)]
    >>> [line.values for line in Lines(Window(io.BytesIO(b'[{"a": 1},\n {"a": 2}]')), "UTF-8")]
    [{'a': '1'}, {'a': '2'}]
    """

    text: Window
    encoding: str
    count: int = 0
    faulty: int = 0
    patience: int = _PATIENCE

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines; once only, for the file moves on."""
        pieces = self._elements() if _ARRAY.match(self.text.data) else self._lines()
        for raw, fault in pieces:
            self.count += 1
            yield self._line(raw, fault)

    def _line(self, raw: bytes, fault: Fault | None) -> Line:
        values: dict[str, str] = {}
        content = raw.removeprefix(_BOM)
        if fault is None and content.strip():
            found = _object(content, self.encoding)
            if isinstance(found, Fault):
                fault = found
            else:
                values = found
        self.faulty += fault is not None
        return Line(self.count, raw, values, fault)

    def _lines(self) -> Iterator[tuple[bytes, Fault | None]]:
        position = 0
        while (position := self.text.move(position)) < len(self.text.data):
            data = self.text.data
            ending = _END.search(data, position, position + LONGEST)
            if ending:
                yield data[position : ending.start()], None
                position = ending.end()
            elif self.text.whole and len(data) - position <= LONGEST:
                yield data[position:], None
                return
            else:
                yield data[position : position + LONGEST], Fault("E-LONG", {"most": LONGEST})
                position += LONGEST
                while (found := _BREAK.search(self.text.data, position)) is None and not self.text.whole:
                    position = self.text.move(len(self.text.data))
                position = found.end() if found else len(self.text.data)

    def _elements(self) -> Iterator[tuple[bytes, Fault | None]]:
        """Yield the elements of an array; what follows an element that is not closed is one with it."""
        position = self.text.data.index(b"[") + 1
        while True:
            position = self.text.move(position)
            between = _BETWEEN.match(self.text.data, position)
            position = self.text.move(between.end() if between else position)
            data = self.text.data
            if position >= len(data):
                yield b"", Fault("E-TRUNC")  # no bracket closes the array: there may have been more
                return
            if data.startswith(b"]", position):
                rest = data[position + 1 :].strip()
                if rest or not self.text.whole:
                    yield rest, Fault("E-JSON", {"reason": Note("text stands behind the end of the array")})
                return
            limit = min(len(data), position + LONGEST)
            end = self._element(position, limit)
            if end is None:
                yield (
                    data[position:limit],
                    Fault("E-TRUNC" if self.text.whole else "E-LONG", {"most": LONGEST}),
                )
                if self.text.whole:
                    return
                position = self.text.move(limit)
            else:
                yield data[position:end].rstrip(), None
                position = end

    def _element(self, position: int, limit: int) -> int | None:
        """Return where an element ends: one with a mark that is not closed must not swallow the next ones."""
        data = self.text.data
        following = _ELEMENT.search(data, position + 1, limit)
        if following is None:
            return _element_end(data, position, limit)
        end = _element_end(data, position, following.start())
        if end is None and self.patience > 0:
            near = min(limit, position + _NEAR)
            end = _element_end(data, position, near)
            if end is not None and not isinstance(_object(data[position:end], ""), Fault):
                return end  # it has objects inside that stand on lines of their own
            self.patience -= near - position
            return following.start()
        return following.start() if end is None else end


def _element_end(data: bytes, position: int, limit: int) -> int | None:
    """Return where the element that starts at ``position`` ends; None where it does not before ``limit``."""
    if data[position : position + 1] not in {b"{", b"["}:
        found = _SCALAR.match(data, position, limit)
        return found.end() if found else position + 1
    depth = 0
    for token in _TOKEN.finditer(data, position, limit):
        if token[0] in {b"{", b"["}:
            depth += 1
        elif token[0] in {b"}", b"]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return None


@dataclass(slots=True)
class Keyed:
    """The lines as rows with one cell for each of ``keys``."""

    lines: Lines
    keys: Sequence[str]
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {key: place for place, key in enumerate(self.keys)}

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; once only."""
        for line in self.lines:
            cells = [""] * len(self.keys) if line.values else []
            for key, value in line.values.items():
                cells[self.places[key]] = value
            yield Row(line.number, cells, line.raw, line.fault)


def keys(lines: Lines) -> list[str]:
    """Return the keys of all lines in order of first use; the file is read to its end for that."""
    found: dict[str, None] = {}
    for line in lines:
        found |= dict.fromkeys(line.values)
    return list(found)


def cells(raw: bytes, keys: Sequence[str]) -> list[str] | Fault:
    """Return the cells of one line under ``keys``, or what is wrong with it.

    >>> cells(b'{"b": 1, "a": "x"}', ["a", "b"])
    ['x', '1']
    """
    found = _object(raw, "UTF-8")
    return found if isinstance(found, Fault) else [found.get(key, "") for key in keys]


def _object(line: bytes, encoding: str) -> dict[str, str] | Fault:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return Fault("E-ENC", {"encoding": encoding})
    if "\0" in text:
        return Fault("E-NUL")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=str)
        if not isinstance(found, dict):
            return Fault("E-JSON", {"reason": Note("not an object")})
        if any(isinstance(value, dict | list) for value in found.values()):
            nested = json.loads(text)  # inside a list a number must not turn into a text
            found = {
                key: nested[key] if isinstance(value, dict | list) else value for key, value in found.items()
            }
        values = {key: _text(value) for key, value in found.items()}
    except (ValueError, RecursionError) as error:
        return Fault("E-JSON", {"reason": str(error)})
    if any(_SURROGATE.search(part) for pair in values.items() for part in pair):
        return Fault("E-JSON", {"reason": Note("half a character, which no text can hold")})
    return values


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")  # keeping the last would lose the first without a word
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
