"""The second look finds, by words, whom a slow comparison of all with all finds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline.dedupe import headings, lexicon
from pipeline.dedupe.features import spoken, unit_rows
from pipeline.dedupe.neighbours import Vocabulary, met, nearest, vocabulary
from pipeline.dedupe.syllables import syllables

NO_FORM = np.zeros(0, dtype=np.uint64)
UNHEADED = headings([])
PLAIN = lexicon([], np.zeros(0, np.int64), 1000, np.zeros((0, 2), np.float32), np.zeros((0, 2)))
"""No word known: every one is as rare as can be."""
WORDS = ("an", "bình", "cao", "dung", "em", "gà", "hoa", "in", "kể", "lá")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=12)
FAINT = 0.02


def said(texts):
    """The words of records without a title."""
    return vocabulary(spoken(syllables([("", text) for text in texts], UNHEADED), NO_FORM, PLAIN), PLAIN)


def brute(found, rows, most):
    """Of each row the others by falling cosine, ties to the earlier one."""
    alike = np.round((found.words @ found.words.T).toarray(), 9)
    pairs = []
    for row in rows:
        others = sorted(
            (other for other in range(len(alike)) if other != row and alike[row, other] >= FAINT),
            key=lambda other, row=row: (-alike[row, other], other),
        )
        pairs += [(row, other) for other in others[:most]]
    return pairs


def pairs_of(answer):
    """The answer as a list of pairs."""
    return list(zip(*(side.tolist() for side in answer), strict=True))


@settings(max_examples=80)
@given(texts=TEXTS, most=st.integers(1, 4), data=st.data())
def test_the_nearest_are_those_of_a_slow_comparison(texts, most, data):
    """Where nothing is cut, the nearest by words are those of all cosines; ties go to the earlier record."""
    found = said(texts)
    asked = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    rows = np.flatnonzero(np.array(asked, dtype=bool))
    assert pairs_of(nearest(found, rows, most=most)) == brute(found, rows.tolist(), most)


@settings(max_examples=80)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30), most=st.integers(1, 4))
def test_the_nearest_of_any_weights(seed, rows, most):
    """Also of weights drawn by chance, most of them ties, the nearest are those of all cosines."""
    draw = np.random.default_rng(seed)
    weights = draw.choice([0.0, 0.0, 0.0, 1.0, 2.0], size=(rows, 12))
    words = unit_rows(csr_array(weights))
    found = Vocabulary(words, words)
    every = np.arange(rows)
    assert pairs_of(nearest(found, every, most=most)) == brute(found, every.tolist(), most)


@given(texts=TEXTS)
def test_nobody_is_a_neighbour_of_itself(texts):
    """No record is among its own nearest, though it is the most like itself."""
    one, other = nearest(said([*texts, *texts]), np.arange(2 * len(texts)), most=3)
    assert (one != other).all()


@given(texts=TEXTS, data=st.data())
def test_who_is_met_shares_a_word(texts, data):
    """Met are the rows asked for and all that share a word with one of them."""
    asked = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=bool)
    words = [set(text.split()) for text in texts]
    wanted = [
        row
        for row in range(len(texts))
        if asked[row] or any(asked[other] and words[row] & words[other] for other in range(len(texts)))
    ]
    assert met(said(texts), asked).tolist() == wanted


@given(texts=TEXTS, data=st.data())
def test_whoever_has_an_asked_record_near_is_met(texts, data):
    """No record outside those met has an asked record among its nearest."""
    asked = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=bool)
    found = said(texts)
    one, other = nearest(found, np.arange(len(texts)), most=3)
    assert set(one[asked[other]].tolist()) <= set(met(found, asked).tolist())


@given(texts=TEXTS)
def test_rows_of_the_vocabulary_have_length_one(texts):
    """A record that says something has a row of length 1, one that says nothing a row of nothing."""
    found = said(texts)
    length = np.sqrt(found.words.multiply(found.words).sum(axis=1))
    assert length.tolist() == pytest.approx([float(bool(text)) for text in texts])


def test_nothing_to_compare_is_no_accident():
    """No record, an empty one, one alone, or nobody asked: no neighbours."""
    nobody = np.zeros(0, np.int64)
    for texts, rows in (
        ([], nobody),
        ([""], np.array([0])),
        (["an bình"], np.array([0])),
        (["an"] * 3, nobody),
    ):
        assert pairs_of(nearest(said(texts), rows, most=3)) == []


def test_in_a_large_file_the_nearest_is_found_by_rare_words():
    """Among thousands of records that share common words, the one that shares three rare ones is nearest."""
    chance = random.Random(8)
    common = [f"chung{number}" for number in range(6)]
    texts = [
        " ".join([*chance.sample(common, 2), *(f"hiếm{row}x{place}" for place in range(7))])
        for row in range(5200)
    ]
    sources = list(range(0, 400, 8))
    for row in sources:
        told = texts[row].split()[2:5]
        texts[row + 4] = " ".join(
            [*chance.sample(common, 2), *told, *(f"mới{row}x{place}" for place in range(4))]
        )
    found = said(texts)
    assert nearest(found, np.array(sources) + 4, most=1)[1].tolist() == sources
    # Words of everybody are not looked up: the work does not grow with the square of the records.
    assert np.bincount(found.search.indices).max() == 2
