"""The page that shows how good the duplicates are: it says what the figures say and fetches nothing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import evaluate, report
from pipeline.errors import PermissionDenied, UsageError
from pipeline.report.plot import Mark, diagram

SHARE = st.integers(0, 100).map(lambda number: number / 100)
HOSTILE = '<script>alert("1")</script><img src=http://x onerror=y>'


class Reader(HTMLParser):
    """Collects the tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Remember a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        """Remember a text."""
        self.text.append(data)


@pytest.fixture(scope="module")
def content():
    """An evaluation with one pair found, one missed and one wrongly flagged, and titles that would run."""
    judged = pd.DataFrame(
        [("a", "b", "exact"), ("c", "d", "deep"), ("e", "f", "same_form")],
        columns=["id_a", "id_b", "relation"],
        dtype="str",
    )
    found = pd.DataFrame(
        {"later": ["b", "f", "x"], "earlier": ["a", "e", "a"], "probability": [0.99, 0.8, 0.7]}
    ).astype({"later": "str", "earlier": "str"})
    titles = {"c": HOSTILE, "d": "Máy ép", "e": "Đồ gá", "f": "Khuôn"}
    return {"model": "pairs/1", **evaluate.pairs(judged, found, threshold=0.5).content(titles)}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_names_what_was_missed_and_what_was_wrong(content, tmp_path, language):
    """Missed and wrongly flagged pairs stand on the page with ids and titles; the figures stand beside it."""
    page, data = report.judgement(content, tmp_path / "out", language=language)
    text = page.read_text(encoding="utf-8")
    read = Reader(text)
    said = " ".join(read.text)
    assert all(word in said for word in ("c", "Máy ép", "Đồ gá", "Khuôn", "pairs/1", HOSTILE))
    assert read.tags.count("svg") == 2
    assert f'lang="{language}"' in text
    assert json.loads(data.read_text(encoding="utf-8")) == content


def test_a_confidential_record_is_named_by_its_id_alone(content, tmp_path):
    """A record in the list of confidential ones has a sentence for a title, the others keep theirs."""
    hidden = {**content, "confidential": ["d"]}
    text = report.judgement(hidden, tmp_path / "out", language="en")[0].read_text(encoding="utf-8")
    assert text.count("(marked confidential)") == 1
    assert "Máy ép" not in text
    assert "Khuôn" in text


def test_the_page_runs_nothing_and_fetches_nothing(content, tmp_path):
    """No script, no frame, no link, no address but the name of the SVG language; cells stay text."""
    text = report.judgement(content, tmp_path)[0].read_text(encoding="utf-8")
    read = Reader(text)
    assert not {"script", "iframe", "img", "link", "object", "a", "form"} & set(read.tags)
    assert not {name for name in read.attributes if name.startswith("on") or name in {"src", "href"}}
    assert set(re.findall(r"\w+://[^\s\"<]+", text.replace(HOSTILE, ""))) - {"http://x"} == {
        "http://www.w3.org/2000/svg"
    }
    assert "default-src 'none'" in text


def test_the_same_evaluation_is_the_same_bytes(content, tmp_path):
    """Written twice, also over older files, both files are the same, and nothing else is touched."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    first = [path.read_bytes() for path in report.judgement(content, tmp_path)]
    assert [path.read_bytes() for path in report.judgement(content, tmp_path)] == first
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "evaluation.html", "evaluation.json"}


def test_a_place_that_cannot_be_written_is_told(content, tmp_path, monkeypatch):
    """A file instead of a folder, and a folder that refuses, end in a sentence and leave nothing behind."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError):
        report.judgement(content, tmp_path / "file")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "no", "there")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionDenied):
        report.judgement(content, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


@given(st.lists(st.tuples(SHARE, SHARE), max_size=30), st.text(max_size=20))
def test_a_diagram_is_well_formed_and_stays_inside(points, words):
    """Whatever the points and words, the SVG is XML, and every point lies inside its view."""
    safe = "".join(letter for letter in words if letter.isprintable())
    marks = [Mark(x, y, safe, 1.0) for x, y in points]
    svg = diagram(points, marks, title=safe, across=safe, up=safe, guide=((0, 0), (1, 1)))
    root = ET.fromstring(svg)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == len(points)
    for circle in circles:
        x, y, radius = (float(circle.attrib[name]) for name in ("cx", "cy", "r"))
        assert radius <= x <= width - radius
        assert radius <= y <= height - radius
