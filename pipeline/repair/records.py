"""Parquet and JSON Lines: texts change, every other type stays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.repair.cells import Cell, Document


def parquet(data: bytes) -> Document:
    """Return the texts of the columns of strings in a Parquet file."""
    table = pq.read_table(BytesIO(data))
    places = [
        place
        for place, kind in enumerate(table.schema.types)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind)
    ]
    columns = {place: table.column(place).to_pylist() for place in places}
    cells = [
        Cell("", row, table.schema.names[place], text)
        for place, texts in columns.items()
        for row, text in enumerate(texts, start=1)
        if text
    ]

    def made(texts: Sequence[str]) -> bytes:
        rest = iter(texts)
        changed = table
        for place, before in columns.items():
            after = [next(rest) if text else text for text in before]
            kind = table.schema.field(place)
            changed = changed.set_column(place, kind, pa.array(after, kind.type))
        out = BytesIO()
        pq.write_table(changed, out, compression="zstd")
        return out.getvalue()

    return Document(cells, made, ".parquet")


def json_lines(text: str) -> Document:
    r"""Return the texts in JSON Lines, or in one array of objects; a line that is no JSON stays as it is.

    >>> found = json_lines('{"a": "x  y", "n": [1, "z"]}\nno json\n')
    >>> found.made(["x y", "z"]).decode()
    '{"a": "x y", "n": [1, "z"]}\nno json\n'
    """
    lines = [text] if text.lstrip().startswith("[") else text.splitlines(keepends=True)
    values: list[Any] = [_parsed(line) for line in lines]
    cells = [
        Cell("", row, column, found)
        for row, value in enumerate(values, start=1)
        for column, found in _texts(value, "")
    ]

    def made(texts: Sequence[str]) -> bytes:
        rest = iter(texts)
        parts = [
            line if value is None else json.dumps(_changed(value, rest), ensure_ascii=False) + _end(line)
            for line, value in zip(lines, values, strict=True)
        ]
        return "".join(parts).encode("utf-8", "surrogatepass")

    return Document(cells, made, ".jsonl")


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _parsed(line: str) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _texts(value: Any, column: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value:
        yield column, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, column or key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, column)


def _changed(value: Any, texts: Iterator[str]) -> Any:
    if isinstance(value, str) and value:
        return next(texts)
    if isinstance(value, dict):
        return {key: _changed(each, texts) for key, each in value.items()}
    return [_changed(each, texts) for each in value] if isinstance(value, list) else value
