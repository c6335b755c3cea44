"""The join against the slow obvious version."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.dedupe import form_shingles, join
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
    """The join finds exactly the pairs that a loop over records and first holders finds."""
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
    assert (fast.share(one, other) * fast.base(one, other)).tolist() == pytest.approx(wanted)


def everything(table, later, earlier):
    """What a table and its candidates say, to the last bit."""
    held = table.held
    arrays = (held.indptr, held.indices, held.data, table.first, table.bounds, table.frequency)
    said = (
        *arrays,
        table.weight,
        table.form,
        table.known.counts,
        later,
        earlier,
        table.share(later, earlier),
    )
    return [array.tolist() for array in said]


@settings(max_examples=80)
@given(case=corpora(), cuts=st.sets(st.integers(1, 9)), data=st.data())
def test_parts_windows_and_blocks_do_not_show(case, cuts, data):
    """However texts are added, postings windowed and rows blocked, the result is the same to the bit."""
    texts, order, form = case["texts"], case["order"], form_shingles(case["phrases"])
    knobs = {"limit": case["limit"], "holders": case["holders"], "form": form}
    fresh = np.array(data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order))), dtype=bool)
    ask = {"score": 0.01, "shared": 2, "most": 2}
    whole = join.table(fingerprint(texts), order, **knobs)
    wanted = everything(whole, *join.candidates(whole, fresh, **ask))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(join, "BLOCK", data.draw(st.integers(1, 30)))
        patched.setattr(join, "SLICE", data.draw(st.integers(1, 9)))
        patched.setattr(join, "WINDOW", data.draw(st.integers(1, 40)))
        patched.setattr(join, "MEETINGS", data.draw(st.integers(1, 40)))
        postings = join.Postings()
        borders = [0, *sorted(cut for cut in cuts if cut < len(texts)), len(texts)]
        for start, stop in pairwise(borders):
            postings.add(fingerprint(texts[start:stop]))
        assert len(postings) == len(texts)
        parts = join.table_of(postings, order, **knobs)
        assert everything(parts, *join.candidates(parts, fresh, **ask)) == wanted


@given(texts=st.lists(TEXT, max_size=10), data=st.data())
def test_the_first_of_equal_texts_stands_for_them(texts, data):
    """Of texts that fold to the same syllables the first in order stands for all; a short one for itself."""
    order = np.array(data.draw(st.permutations(range(len(texts)))), dtype=np.int64)
    postings = join.Postings()
    postings.add(fingerprint(texts))
    place = np.argsort(order)
    wanted = [
        row
        if len(text.split()) < 4
        else min((other for other in range(len(texts)) if texts[other] == text), key=lambda at: place[at])
        for row, text in enumerate(texts)
    ]
    assert postings.first_of_equals(least=4, order=order).tolist() == wanted


@settings(max_examples=50)
@given(case=corpora(), more=st.lists(TEXT, max_size=3))
def test_frequencies_are_counted(case, more):
    """A shingle's frequency is the number of records with it; 0 for one of a single record or of none."""
    slow, fast, _ = slow_and_fast(**case)
    asked = fingerprint([*case["texts"], *more]).shingles
    counts = [slow.df[shingle] for shingle in asked.tolist()]
    assert fast.known.of(asked).tolist() == [count if count > 1 else 0 for count in counts]
    assert fast.known.records == len(slow.sets)


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
