"""JSON Lines: one object a line, its keys the headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from pipeline.errors import Note
from pipeline.read.faults import Fault, Row

_END: Final = re.compile(rb"\r\n|\n|\r")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def rows(data: bytes, *, encoding: str) -> tuple[list[str], list[Row], int]:
    r"""Return the keys in order of first use, the rows, and how many lone surrogates were replaced.

    Strings stay as they are; numbers keep their digits; null is ``""``; lists and objects are JSON text.

    >>> keys, found, _ = rows(b'{"id": 007, "title": "a"}\n{"id": 1.50, "x": null}\n', encoding="UTF-8")
    >>> keys, [(row.number, row.cells, row.fault and row.fault.code) for row in found]
    (['id', 'x'], [(1, [], 'E-JSON'), (2, ['1.50', ''], None)])
    """
    view = memoryview(data)
    parsed: list[tuple[Row, dict[str, str]]] = []
    keys: dict[str, None] = {}
    surrogates = 0
    for number, (start, end) in enumerate(_spans(data), start=1):
        row = Row(number, [], view[start:end])
        content = data[start:end].removeprefix(b"\xef\xbb\xbf")
        values: dict[str, str] = {}
        if content.strip():
            found = _object(content, encoding)
            if isinstance(found, Fault):
                row.fault = found
            else:
                values, replaced = found
                surrogates += replaced
        keys |= dict.fromkeys(values)
        parsed.append((row, values))
    for row, values in parsed:
        if row.fault is None:
            row.cells = [values.get(key, "") for key in keys]
    return list(keys), [row for row, _ in parsed], surrogates


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    for ending in _END.finditer(data):
        yield start, ending.start()
        start = ending.end()
    if start < len(data):
        yield start, len(data)


def _object(line: bytes, encoding: str) -> tuple[dict[str, str], int] | Fault:
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
    replaced = sum(len(_SURROGATE.findall(part)) for pair in values.items() for part in pair)
    if replaced:
        values = {_SURROGATE.sub("\ufffd", k): _SURROGATE.sub("\ufffd", v) for k, v in values.items()}
    return values, replaced


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")  # keeping the last would lose the first without a word
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
