"""Numbers of texts: the same for every spelling, never touched by a neighbour, equal only for equal texts."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import normalize
from pipeline.dedupe import form_shingles
from pipeline.dedupe.shingles import HASH_BITS, fingerprint

WORDS = (
    *("sáng", "kiến", "cải", "tiến", "máy", "ép", "nhựa", "Đường", "thuỷ", "HOÀ", "25", "m²", "ký", "hiệu"),
    *("🙂", "–", "…", "(a)", "&", "", "\n", "漢字", "\ud800", "e\u0301"),
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
HUGE = " ".join(f"từ{number} nhựa" for number in range(30_000))  # 300 kB and more: longer than a chunk


def numbers(marks, place):
    """The numbers of one text of many."""
    return (
        marks.syllables[marks.starts[place] : marks.starts[place + 1]].tolist(),
        marks.shingles[marks.bounds[place] : marks.bounds[place + 1]].tolist(),
        marks.digests[place].tolist(),
    )


def bare(text):
    """The text without its marks, as somebody types it who has no Vietnamese keyboard."""
    return normalize.fold(text)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: unicodedata.normalize("NFD", text),
        str.upper,
        str.lower,
        bare,
        lambda text: text.replace(" ", "  \n"),
        lambda text: f"“{text}”…",
    ],
    ids=["nfd", "upper", "lower", "bare", "spaces", "quotes"],
)
@settings(max_examples=40)
@given(text=st.lists(st.sampled_from(WORDS[:14]), max_size=30).map(" ".join))
def test_spellings_have_equal_numbers(rewrite, text):
    """However a text is composed, cased, spaced, quoted, or bared of its marks, its numbers are the same."""
    marks = fingerprint([text, rewrite(text)])
    assert numbers(marks, 0) == numbers(marks, 1)


@given(texts=st.lists(TEXTS, min_size=1, max_size=12), width=st.integers(1, 5))
@example(texts=["", "một", "", "một hai", "một hai ba", ""], width=3)
@example(texts=["\u0301 dấu lạc", "x", "\u0301"], width=3)
def test_a_batch_gives_what_each_text_gives_alone(texts, width):
    """A text's numbers do not depend on what stands beside it."""
    together = fingerprint(texts, width=width)
    for place, text in enumerate(texts):
        assert numbers(together, place) == numbers(fingerprint([text], width=width), 0)


def test_a_text_longer_than_a_chunk_is_one_text():
    """Working in chunks does not show: 300 kB and its neighbours have the numbers they have alone."""
    texts = ["máy ép nhựa", HUGE, "", "máy ép nhựa", HUGE.upper()]
    together = fingerprint(texts)
    assert len(HUGE.encode()) > 300_000
    for place, text in enumerate(texts):
        assert numbers(together, place) == numbers(fingerprint([text]), 0)
    assert numbers(together, 1) == numbers(together, 4)


@given(texts=st.lists(TEXTS, max_size=12))
def test_digests_are_equal_exactly_where_the_folded_texts_are(texts):
    """Two texts have one digest when they fold to the same syllables, and only then."""
    marks = fingerprint(texts)
    folded = [normalize.fold(text) for text in texts]
    for one in range(len(texts)):
        for other in range(one):
            same = bool((marks.digests[one] == marks.digests[other]).all())
            assert same == (folded[one] == folded[other])


@given(text=TEXTS, width=st.integers(1, 5))
def test_counts_of_shingles(text, width):
    """A text of n syllables has n of them and n - width + 1 shingles: one when shorter, none when empty."""
    syllables = len(normalize.fold(text).split())
    marks = fingerprint([text], width=width)
    assert np.diff(marks.starts).tolist() == [syllables]
    assert np.diff(marks.bounds).tolist() == [max(syllables - width + 1, min(syllables, 1))]


@given(text=TEXTS, width=st.integers(1, 5))
def test_equal_runs_of_syllables_are_equal_shingles(text, width):
    """Two places of a text have one number exactly where they have the same syllables."""
    syllables = normalize.fold(text).split()
    runs = [tuple(syllables[at : at + width]) for at in range(len(syllables) - width + 1)]
    shingles = fingerprint([text], width=width).shingles[: len(runs)].tolist()
    names = dict(zip(shingles, runs, strict=True))
    assert [names[shingle] for shingle in shingles] == runs
    assert len(names) == len(set(runs))


@given(texts=st.lists(TEXTS, max_size=8))
def test_shingles_fit_the_bits_they_are_given(texts):
    """A shingle leaves room for the number of a record."""
    assert (fingerprint(texts).shingles >> np.uint64(HASH_BITS) == 0).all()


def test_many_different_shingles_have_different_numbers():
    """Of 200,000 different shingles next to none share a number (40 bits: 0.02 are to be expected)."""
    text = " ".join(f"a{number}" for number in range(200_002))
    assert len(np.unique(fingerprint([text]).shingles)) >= 200_000 - 1


def test_no_text_has_no_number():
    """An empty list of texts is a valid batch."""
    marks = fingerprint([])
    assert len(marks) == 0
    assert marks.bounds.tolist() == marks.starts.tolist() == [0]


@settings(max_examples=30)
@given(phrases=st.lists(TEXTS, max_size=6))
def test_form_shingles_are_those_of_whole_phrases(phrases):
    """Known form text is every shingle of a phrase of three syllables or more; shorter ones hide nothing."""
    known = form_shingles(phrases)
    long = [phrase for phrase in phrases if len(normalize.fold(phrase).split()) >= 3]
    assert known.tolist() == np.unique(fingerprint(long).shingles).tolist()
