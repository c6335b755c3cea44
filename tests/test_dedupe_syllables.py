"""Texts are cut once: all three looks at them cut alike, and some of them are cut as all are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedupe import features, headings, lexicon
from pipeline.dedupe.syllables import syllables

HEADED = headings([("Thực trạng", "background"), ("Giải pháp", "solution")])
LINES = ("Thực trạng: máy cũ", "Giải pháp: khuôn gỗ 3 mảnh", "máy ép nhựa", "ĐÈN tự tắt.", "…", "")
TEXTS = st.lists(
    st.tuples(st.sampled_from(LINES), st.lists(st.sampled_from(LINES), max_size=4).map("\n".join)),
    max_size=8,
)
KNOWN = lexicon(["máy", "cũ"], np.array([500, 20]), 1000, np.zeros((2, 2), np.float32), np.zeros((0, 2)))
NO_FORM = np.zeros(0, dtype=np.uint64)


def same(one, other):
    """Whether two cuts hold the same numbers."""
    pairs = [
        (getattr(one.marks, name), getattr(other.marks, name))
        for name in ("syllables", "starts", "shingles", "bounds", "digests")
    ]
    pairs += [
        (getattr(one.said, name), getattr(other.said, name))
        for name in ("hashes", "starts", "number", "marked")
    ]
    return all(np.array_equal(mine, yours) for mine, yours in [*pairs, (one.codes, other.codes)])


@given(texts=TEXTS, data=st.data())
def test_some_of_the_texts_are_cut_as_they_are_alone(texts, data):
    """Taking rows gives what cutting only these texts gives, in any order and more than once."""
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))), max_size=10)) if texts else []
    taken = syllables(texts, HEADED).take(np.array(rows, dtype=np.int64))
    assert same(taken, syllables([texts[row] for row in rows], HEADED))


@given(texts=TEXTS)
def test_each_syllable_has_marks_a_word_and_a_part(texts):
    """The three looks at a text agree on where its syllables are."""
    found = syllables(texts, HEADED)
    assert np.array_equal(found.marks.starts, found.said.starts)
    assert len(found.codes) == len(found.marks.syllables) == len(found.said.hashes)
    assert len(found) == len(texts)


@given(texts=TEXTS, most=st.integers(1, 6), data=st.data())
def test_the_heaviest_words_are_those_of_a_sort(texts, most, data):
    """Of each text the words that weigh most are kept, of equal ones the smaller code; rows can be taken."""
    said = features.spoken(syllables(texts, HEADED), NO_FORM, KNOWN)
    words = np.split(said.codes, said.bounds[1:-1]) if texts else []
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))), max_size=8)) if texts else []
    kept = said.heaviest(most, KNOWN).take(np.array(rows, dtype=np.int64))
    expected = [
        sorted(sorted(words[row].tolist(), key=lambda code: (-weight(code), code))[:most]) for row in rows
    ]
    assert [kept.codes[a:b].tolist() for a, b in zip(kept.bounds, kept.bounds[1:], strict=False)] == expected


def weight(code):
    """What one word weighs."""
    return float(KNOWN.weights(np.array([code], dtype=np.uint32))[0])
