"""The join and the features against the slow obvious versions."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.dedupe import features, form_shingles, join
from pipeline.dedupe.shingles import fingerprint

WORDS = ("an", "binh", "cao", "dung", "em", "ga")
TEXT = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
ALIKE = st.lists(st.sampled_from(WORDS[:3]), min_size=5, max_size=14).map(" ".join)
"""Texts of three words share most of their shingles, so that limits and first holders come into play."""
FORM = st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=5).map(" ".join), max_size=2)
EXACT = 1e-5
"""How far the summed weights may be off: one product sums counts and weights in the same doubles."""


@dataclass
class Slow:
    """The join as one would write it first: sets, counts and loops. Rows are texts, in order."""

    sets: list[set[int]]
    form: set[int]
    limit: int
    holders: int

    def __post_init__(self):
        self.df = Counter(shingle for each in self.sets for shingle in each)
        self.counted = {
            shingle for shingle, count in self.df.items() if count <= self.limit and shingle not in self.form
        }

    def worth(self, shingle):
        """What sharing this shingle counts."""
        return math.log((max(len(self.sets), 1000) + 1) / self.df[shingle])

    def weight(self, row):
        """What all of a row's shingles count."""
        return sum(self.worth(shingle) for shingle in self.sets[row] & self.counted)

    def fade(self, shingle):
        """How much of its worth a shingle keeps in so small a file."""
        return 1.0 if self.df[shingle] <= 3 else 1 - self.df[shingle] / len(self.sets)

    def faded(self, shingles):
        """What these shingles count as evidence of a copy."""
        return sum(self.worth(shingle) * self.fade(shingle) for shingle in shingles)

    def base(self, one, other):
        """What a pair's weight is a share of."""
        return max(min(self.weight(one), self.weight(other)), 10 * math.log(max(len(self.sets), 1000) + 1))

    def common(self, one, other):
        """The shingles that count and stand in both."""
        return self.sets[one] & self.sets[other] & self.counted

    def seen(self, later, earlier):
        """Of those, the ones that have the earlier row among their first holders."""
        return {
            shingle
            for shingle in self.common(later, earlier)
            if earlier in [row for row, each in enumerate(self.sets) if shingle in each][: self.holders]
        }

    def shares(self, fresh, *, shared):
        """Every pair that shares enough shingles and has a fresh row, with its score."""
        return {
            (later, earlier): sum(map(self.worth, seen)) / self.base(later, earlier)
            for later in range(len(self.sets))
            for earlier in range(later)
            if (fresh[later] or fresh[earlier]) and len(seen := self.seen(later, earlier)) >= shared
        }


def slow_and_fast(texts, *, limit, holders, phrases, order=None):
    """Both versions over the same texts."""
    marks = fingerprint(texts)
    order = np.arange(len(texts)) if order is None else order
    form = form_shingles(phrases)
    sets = [set(marks.shingles[marks.bounds[at] : marks.bounds[at + 1]].tolist()) for at in order]
    fast = join.table(marks, order, limit=limit, holders=holders, form=form)
    return Slow(sets, set(form.tolist()), limit, holders), fast, marks


@st.composite
def corpora(draw):
    """Texts of few words, so that they share a lot, with the knobs of the join."""
    texts = draw(st.one_of(st.lists(TEXT, max_size=8), st.lists(ALIKE, min_size=4, max_size=10)))
    return {
        "texts": texts,
        "limit": draw(st.integers(1, 10)),
        "holders": draw(st.integers(1, 4)),
        "phrases": draw(FORM),
        "order": np.array(draw(st.permutations(range(len(texts)))), dtype=np.int64)[
            draw(st.integers(0, 1)) :
        ],
    }


@settings(max_examples=50)
@given(case=corpora())
def test_weights_are_the_obvious_ones(case):
    """A record weighs ln((N+1)/df) for each different shingle outside form text."""
    slow, fast, _ = slow_and_fast(**case)
    assert fast.weight.tolist() == pytest.approx([slow.weight(row) for row in range(len(slow.sets))])


@settings(max_examples=50)
@given(case=corpora())
def test_form_text_is_what_is_known_or_too_common(case):
    """A shingle in more records than the limit counts nothing, nor does a known one in however few."""
    slow, fast, _ = slow_and_fast(**case)
    common = {shingle for shingle, count in slow.df.items() if count > max(slow.limit, 1)}
    assert fast.form.tolist() == sorted(common | slow.form)


@settings(max_examples=200)
@given(case=corpora(), data=st.data())
def test_candidates_are_the_obvious_ones(case, data):
    """The two sparse products find exactly the pairs that a loop over records and first holders finds."""
    slow, fast, _ = slow_and_fast(**case)
    rows = len(slow.sets)
    fresh = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    shared, score = data.draw(st.integers(1, 4)), data.draw(st.floats(0, 0.3))
    shares = slow.shares(fresh, shared=shared)
    assume(score == 0 or all(abs(share - score) > EXACT for share in shares.values()))
    wanted = sorted(pair for pair, share in shares.items() if share >= score)
    later, earlier = join.candidates(fast, np.array(fresh, dtype=bool), score=score, shared=shared, most=50)
    assert list(zip(later.tolist(), earlier.tolist(), strict=True)) == wanted


@given(case=corpora(), most=st.integers(1, 3))
def test_of_a_record_the_best_candidates_are_kept(case, most):
    """Of a later record's candidates as many are kept as asked for, and none better is left out."""
    slow, fast, _ = slow_and_fast(**case)
    fresh = np.ones(len(slow.sets), dtype=bool)
    shares = slow.shares(fresh, shared=1)
    kept = set(zip(*join.candidates(fast, fresh, score=0.0, shared=1, most=most), strict=True))
    assert kept <= shares.keys()
    for later in range(len(slow.sets)):
        mine = sorted((share for pair, share in shares.items() if pair[0] == later), reverse=True)
        taken = sorted((shares[pair] for pair in kept if pair[0] == later), reverse=True)
        assert taken == pytest.approx(mine[:most], abs=EXACT)


@settings(max_examples=50)
@given(case=corpora())
def test_shared_weight_is_the_obvious_sum(case):
    """What two records share weighs what its shingles weigh, whichever record is named first."""
    slow, fast, _ = slow_and_fast(**case)
    pairs = [(one, other) for one in range(len(slow.sets)) for other in range(len(slow.sets)) if one != other]
    one, other = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    wanted = [sum(map(slow.worth, slow.common(*pair))) for pair in pairs]
    assert join.shared_weight(fast.incidence, one, other).tolist() == pytest.approx(wanted)


def test_form_text_makes_no_candidate():
    """Records that share nothing but a sentence in more than the limit of them are not compared."""
    form = "toi xin cam doan nhung thong tin neu tren la trung thuc"
    texts = [f"{form} rieng{number} khac{number} moi{number}" for number in range(6)]
    for limit, pairs in ((6, 15), (5, 0)):
        _, fast, _ = slow_and_fast(texts, limit=limit, holders=12, phrases=())
        later, _ = join.candidates(fast, np.ones(6, dtype=bool), score=0.01, shared=1, most=50)
        assert len(later) == pairs
    _, fast, _ = slow_and_fast(texts, limit=6, holders=12, phrases=(form,))
    assert len(join.candidates(fast, np.ones(6, dtype=bool), score=0.01, shared=1, most=50)[0]) == 0


def test_the_limit_grows_with_the_archive():
    """Form text stands in more than a fixed number of records or, in a large archive, a share of them."""
    assert join.form_limit(10, least=400, share=0.001) == 400
    assert join.form_limit(3_000_000, least=400, share=0.001) == 3000


def obvious_run(mine, yours, form):
    """The longest streak of a text's shingles that stand in the other and are not form text."""
    best = streak = 0
    for shingle in mine:
        streak = streak + 1 if shingle in set(yours) - form else 0
        best = max(best, streak)
    return best


@settings(max_examples=50)
@given(texts=st.lists(TEXT, min_size=2, max_size=8), phrases=FORM)
def test_longest_run_is_the_obvious_one(texts, phrases):
    """The longest run is the longest streak of shingles of the later text that the earlier holds, too."""
    marks, form = fingerprint(texts), form_shingles(phrases)
    parts = np.split(marks.shingles, marks.bounds[1:-1])
    pairs = [(one, other) for one in range(len(texts)) for other in range(len(texts))]
    one, other = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    wanted = [
        obvious_run(parts[mine].tolist(), parts[yours].tolist(), set(form.tolist())) for mine, yours in pairs
    ]
    assert features.longest_run(marks, form, one, other).tolist() == wanted


def content(text, form):
    """The different syllables of a text that some shingle which is no form text reaches over."""
    syllables = text.split()
    marks = fingerprint([text])
    found = set()
    for at, shingle in enumerate(marks.shingles.tolist()):
        if shingle not in form:
            found |= set(syllables[at : at + 3])
    return found


@settings(max_examples=30)  # each example counts a million places for syllables
@given(texts=st.lists(TEXT, min_size=2, max_size=8), phrases=FORM, limit=st.integers(1, 8))
def test_features_are_the_obvious_ones(texts, phrases, limit):
    """Share and vocabulary are what sets and sums give, for every pair and in both directions."""
    slow, fast, marks = slow_and_fast(texts, limit=limit, holders=12, phrases=phrases)
    pairs = [(one, other) for one in range(len(texts)) for other in range(one)]
    one, other = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    rows = np.arange(len(texts))
    form = set(fast.form.tolist()) | {shingle for shingle in slow.counted if slow.fade(shingle) < 0.25}
    seen = Counter(syllable for text in texts for syllable in text.split())
    total = sum(seen.values())
    worth = {name: math.log1p(total / count) / math.log1p(max(total, 1)) for name, count in seen.items()}
    wanted = []
    for mine, yours in pairs:
        held = [slow.sets[row] & slow.counted for row in (mine, yours)]
        lighter = max(min(map(slow.faded, held)), 5 * math.log(1001))
        share = slow.faded(slow.common(mine, yours)) / lighter
        plain = len(slow.common(mine, yours)) / max(min(map(len, held)), 10)
        share = max(share, plain) if plain >= 0.6 else share
        words = [content(texts[row], form) for row in (mine, yours)]
        both = sum(worth[name] for name in words[0] & words[1])
        sides = [both / max(sum(worth[name] for name in side), 1.0) for side in words]
        wanted.append([share, max(sides), min(sides)])
    alike = features.measure(marks, fast, rows, one, other)
    assert alike.ravel().tolist() == pytest.approx(np.ravel(wanted).tolist())
    assert alike.tolist() == features.measure(marks, fast, rows, other, one).tolist()
    assert ((alike >= 0) & (alike <= 1 + 1e-9)).all()
