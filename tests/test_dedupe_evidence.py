"""Evidence: exact to the character in the texts as submitted, whatever was done to them."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import normalize
from pipeline.dedupe import explain, explain_all, form_shingles
from pipeline.dedupe.evidence import FEWEST, passages, syllables
from pipeline.dedupe.shingles import fingerprint

WORDS = ("sáng", "kiến", "cải", "tiến", "máy", "ép", "nhựa", "Đường", "thuỷ", "HOÀ", "25", "kỹ", "thuật")
DISGUISES = (
    str,
    str.upper,
    normalize.fold,
    lambda word: unicodedata.normalize("NFD", word),
    "\u200b".join,
    lambda word: word + "\u200d\ufeff",
    lambda word: "".join(f"&#{ord(letter)};" for letter in word),
    lambda word: word + "\u0301\u0323\u0302\u0306\u0307\u0308\u030a",
    lambda word: unicodedata.normalize("NFD", word) + "\u0316" * 9,
    lambda word: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word),
    lambda word: word.replace("o", "о").replace("a", "а"),  # Cyrillic
)
BETWEEN = (
    " ",
    " ",
    "  ",
    "\n",
    ", ",
    "&nbsp;",
    "\u200b \u200b",
    " 🙂 ",
    " – ",
    "\u3000",
    "\t",
    "…",
    "\r\n\r\n",
)
WORD = st.builds(lambda word, disguise: disguise(word), st.sampled_from(WORDS), st.sampled_from(DISGUISES))
TEXT = st.lists(st.tuples(WORD, st.sampled_from(BETWEEN)), max_size=30).map(
    lambda parts: "".join(word + blank for word, blank in parts)
)
RECORD = st.tuples(TEXT, TEXT)


def folded(record):
    """The syllables of a submitted record."""
    return [name for cell in record for name in normalize.fold(cell).split()]


@given(record=RECORD)
@example(record=("a\u0301\u0302\u0303\u0304\u0305\u0306", "&ecirc;"))
@example(record=("  máy ép \u200b ", " nhựa\u0301\n"))
@example(record=("\u0301", "\u200b"))
@example(record=("", "x" * 40_000 + " máy"))
@example(record=("máy " * 10_000, "ép"))
@example(record=("ab&#225;c " * 4_000 + "&amp;lt;", "m\u0301a\u0323"))
@example(record=("\ud800 máy", "½ ﬁ ²"))
def test_every_syllable_stands_where_it_is_said_to(record):
    """The syllables are those of the folded cells, and each one's place in the submitted text folds to it."""
    found = syllables(*record)
    text = "\n".join(record)
    assert found.names == folded(record)
    at = 0
    for name, start, end in zip(*found, strict=True):
        assert at <= start < end <= len(text)
        assert normalize.fold(text[start:end]) == name
        at = end


@settings(max_examples=50)
@given(shared=TEXT, mine=RECORD, yours=RECORD, other=TEXT)
def test_spans_are_the_same_in_both_texts(shared, mine, yours, other):
    """Every span lies inside both texts, and what stands there folds to the same three syllables or more."""
    later = (mine[0], f"{mine[1]} {shared} {other}")
    earlier = (yours[0], f"{yours[1]} {shared}")
    texts = ["\n".join(record) for record in (later, earlier)]
    spans = explain(later, earlier).spans
    for span in spans:
        assert 0 <= span.later_start < span.later_end <= len(texts[0])
        assert 0 <= span.earlier_start < span.earlier_end <= len(texts[1])
        assert span.text == texts[0][span.later_start : span.later_end]
        passage = normalize.fold(span.text)
        assert passage == normalize.fold(texts[1][span.earlier_start : span.earlier_end])
        assert len(passage.split()) >= FEWEST
    places = [(span.earlier_start, span.earlier_end) for span in spans]
    assert all(one[1] <= other[0] for one, other in pairwise(places))
    if len(normalize.fold(shared).split()) >= FEWEST:
        assert spans


@settings(max_examples=50)
@given(record=RECORD)
def test_equal_texts_are_covered_and_differ_in_nothing(record):
    """Of two equal texts everything is one span, and nothing differs."""
    found = explain(record, record)
    assert found.differs == ""
    names = folded(record)
    if len(names) >= FEWEST:
        (span,) = found.spans
        assert normalize.fold(span.text).split() == names
    else:
        assert found.spans == ()


@settings(max_examples=50)
@given(one=RECORD, other=RECORD)
def test_what_differs_is_the_words_of_one_text_only(one, other):
    """What differs is quoted from its own text; turned round, the sides change places.

    Where one text uses a syllable that the other does not, something differs.
    """
    mine, yours = set(folded(one)), set(folded(other))
    found = explain(one, other).differs
    assert found or mine == yours
    if found:
        sides = [side.strip() for side in f" {found} ".split(" ↔ ")]
        assert len(sides) == 2
        assert set(normalize.fold(sides[0]).split()) <= mine
        assert set(normalize.fold(sides[1]).split()) <= yours
        back = [side.strip() for side in f" {explain(other, one).differs} ".split(" ↔ ")]
        assert back == sides[::-1]


@given(
    later=st.lists(st.sampled_from("abcd"), max_size=30),
    earlier=st.lists(st.sampled_from("abcd"), max_size=30),
)
def test_passages_are_common_runs(later, earlier):
    """A passage is a run of the later text that stands in the earlier, and none overlaps another there."""
    at = 0
    for start, place, length in passages(later, earlier):
        assert later[start : start + length] == earlier[place : place + length]
        assert length >= FEWEST
        assert place >= at
        at = place + length


def test_a_word_repeated_thousands_of_times_costs_little():
    """Text made to be slow to compare is compared all the same (each word stands at 10,000 places)."""
    words = ["máy"] * 10_000
    assert passages(words, words) == [(0, 0, 10_000)]
    turned = [*words[:5_000], "ép", *words[:5_000]]
    assert sum(length for *_, length in passages(words, turned)) >= 9_990


@settings(max_examples=50)
@given(
    text=TEXT,
    other=TEXT,
    phrases=st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=7), max_size=3),
)
def test_no_span_is_form_text_only(text, other, phrases):
    """Every span has three syllables in a row that are not form text."""
    sentences = [" ".join(phrase) for phrase in phrases]
    form = form_shingles(sentences)
    pairs = [
        (("", " . ".join([text, *sentences])), ("", " . ".join([*sentences, other]))),
        (("", " . ".join([*sentences, other, text])), (text, "")),
    ]
    for found in explain_all(pairs, form=form):
        for span in found.spans:
            assert not np.isin(fingerprint([span.text]).shingles, form).all()


def test_the_longest_passages_are_quoted():
    """The quotation has whole passages, the longest first, on one line, and is cut where it grows long."""
    words = [f"từ{number}" for number in range(300)]
    long, short = " ".join(words[:30]), " ".join(words[40:46])
    later, earlier = ("", f"{short}\nmột hai\n{long}"), ("", f"{long}\nba bốn\n{short}")
    assert explain(later, earlier).shared == f"{long} … {short}"
    endless = ("", "\n".join(words))
    quoted = explain(endless, endless).shared
    assert quoted.endswith(" …")
    assert len(quoted) <= 402
    assert " ".join(words).startswith(quoted.removesuffix(" …"))


@pytest.mark.parametrize("record", [("", ""), ("🙂", "…"), ("máy", "")])
def test_texts_without_words_have_no_evidence(record):
    """A pair with nothing to show shows nothing."""
    found = explain(record, ("", ""))
    assert found.spans == ()
    assert found.shared == ""


def test_explaining_many_is_explaining_each():
    """Explained together or one by one, pairs have the same evidence."""
    texts = [("Máy ép", "Ép nhựa bằng khuôn gỗ mới"), ("", "ép nhựa bằng khuôn gỗ cũ"), ("a", ""), ("", "")]
    pairs = [(one, other) for one in texts for other in texts]
    assert explain_all(pairs, form=np.zeros(0, dtype=np.uint64)) == [explain(*pair) for pair in pairs]
