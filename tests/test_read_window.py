"""A file seen through a window: where the window's edge falls changes nothing that is read."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.read import delimited, headers, jsonlines
from pipeline.read.window import Window

LONGEST = 64
LAW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
ALIASES = headers.HeaderAliases.of([("title", "title")])
CELL = st.text(st.sampled_from('aă",\n\r; x'), max_size=8)
PIECE = st.sampled_from(
    [
        "a,b\n",
        '"a",b\r\n',
        'a,"b\nc"\n',
        'a,"b\n',
        "a\n",
        "\n",
        "a,b,c\r",
        "\0,x\n",
        '"a"x,y\n',
        "ă,ê\n",
        "z" * 200,
    ]
)
WITHOUT_MARKS = PIECE.filter(lambda piece: '"' not in piece)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Let no record be longer than a line of text, so that edges are everywhere."""
    for module in ("window", "delimited", "jsonlines"):
        monkeypatch.setattr(f"pipeline.read.{module}.LONGEST", LONGEST)


def records(data, chunk):
    """Return the records of a table that is read in pieces of ``chunk`` bytes."""
    layout = delimited.layout(data, ALIASES)
    found = delimited.Records(Window(io.BytesIO(data), chunk=chunk), layout, "UTF-8")
    rows = [(row.number, row.cells, row.raw, row.fault and row.fault.code) for row in found]
    assert found.count == len(rows)
    return rows


@LAW
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=30), chunk=st.integers(1, 200))
def test_csv_through_any_window(rows, chunk):
    """What the csv module writes is read back whatever pieces the file comes in."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("title", "x"), *rows])
    found = records(out.getvalue().encode(), chunk)
    assert [tuple(cells) for _, cells, _, _ in found] == rows


@LAW
@given(pieces=st.lists(PIECE, max_size=30), chunk=st.integers(1, 300))
def test_damage_through_any_window(pieces, chunk):
    """Whatever the damage and the window, what was cut out covers the file but for line ends and marks."""
    body = "".join(pieces).encode()
    found = records(b"title,x\n" + body, chunk)
    raws = b"".join(raw for _, _, raw, _ in found).translate(None, b"\r\n")
    rest = body.translate(None, b"\r\n")
    if all(code != "E-LONG" for *_, code in found):
        assert raws == rest
    assert all(raw in body for _, _, raw, _ in found)
    assert [number for number, *_ in found] == sorted({number for number, *_ in found})


@LAW
@given(pieces=st.lists(WITHOUT_MARKS, max_size=30), chunk=st.integers(1, 300))
def test_lines_are_counted_alike(pieces, chunk):
    """Each row says the line it stands on, as str.splitlines counts them."""
    body = "".join(pieces).encode()
    lines = body.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = [number for number, line in enumerate(lines, start=2)]
    expected = expected[:-1] if not lines[-1] else expected
    assert [number for number, *_ in records(b"title,x\n" + body, chunk)] == expected


@LAW
@given(
    values=st.lists(st.dictionaries(st.sampled_from("abc"), CELL, max_size=2), max_size=20),
    chunk=st.integers(1, 200),
    array=st.booleans(),
)
def test_json_through_any_window(values, chunk, array):
    """Lines and arrays of objects are read back whatever pieces the file comes in."""
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    text = "[" + ", ".join(texts) + "]" if array else "\n".join(texts)
    lines = jsonlines.Lines(Window(io.BytesIO(text.encode()), chunk=chunk), "UTF-8")
    assert [line.values for line in lines] == values


def test_a_line_without_end(short):
    """A line longer than any record is one row, and the next line is read."""
    data = b"title,x\na,b\n" + b"z" * 1000 + b"\r\nc,d\n"
    for chunk in (1, 7, 64, 2000):
        found = records(data, chunk)
        assert [(number, code) for number, _, _, code in found] == [(2, None), (3, "E-LONG"), (4, None)]
        assert found[1][2] == b"z" * LONGEST
