"""The index: whatever was added, removed or merged, it gives what one join over everything gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedupe import form_shingles, index, join
from pipeline.dedupe.shingles import fingerprint

WORDS = ("an", "binh", "cao", "dung")
SENTENCES = tuple(" ".join(f"{word}{number}" for number in range(12)) for word in "uvwxyz")
TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=16).map(" ".join),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join),
)
"""Texts of four words, which repeat in all ways, and of sentences, which share enough to weigh something."""
DATE = st.sampled_from(("", "2024-01-05", "2024-06-30", "2025-02-01"))
FORM = st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=4).map(" ".join), max_size=1)
LEAST = 4


def records(prefix, most, dates=DATE):
    """Records of few words, so that texts repeat and share a lot: ``(id, date, text)``."""
    return st.lists(st.tuples(dates, TEXT), max_size=most).map(
        lambda rows: [(f"{prefix}{number}", *row) for number, row in enumerate(rows)]
    )


BATCH = st.one_of(records("N", 5), records("N", 5, st.just("2026-01-01")))
"""New records: of any date, or as it should be all filed after the archived ones."""


def postings(texts):
    """The shingles of texts, added one by one."""
    found = join.Postings()
    for text in texts:
        found.add(fingerprint([text]))
    return found


def grown(held, rows):
    """The archive with these records added."""
    arrived = index.arrivals(held, postings([row[2] for row in rows]), least=LEAST)
    return index.added(held, arrived, [row[0] for row in rows], [row[1] for row in rows])


def filled(batches, knobs, *, many=0):
    """An archive to which these batches were added, one after another; ``many`` as `index.MANY`."""
    held = index.nothing(knobs)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(index, "MANY", many)
        patched.setattr(index, "WINDOW", 7 if many else 1 << 20)
        for rows in batches:
            held = grown(held, rows)
    return held


def one_join(old, new, knobs, form, ask):
    """The pairs that one join over all records gives, each record by all ids that filed its text."""
    rows = sorted(
        (date, fresh, name, text) for fresh, part in enumerate((old, new)) for name, date, text in part
    )
    marks = fingerprint([row[3] for row in rows])
    first = join.first_of_equals(marks.digests, np.diff(marks.starts) >= LEAST)
    kept = np.flatnonzero(first == np.arange(len(first)))
    table = join.table(marks, kept, limit=knobs.limit(len(kept)), holders=ask.holders, form=form)
    fresh = np.zeros(len(rows), dtype=bool)
    np.logical_or.at(fresh, first, np.array([bool(row[1]) for row in rows], dtype=bool))
    later, earlier = join.candidates(table, fresh[kept], score=ask.score, shared=ask.shared, most=ask.most)
    chosen = table.share(later, earlier) >= ask.exact
    names = [frozenset(rows[row][2] for row in np.flatnonzero(first == each)) for each in kept]
    return {(names[one], names[two]) for one, two in zip(later[chosen], earlier[chosen], strict=True)}


def through_index(held, new, form, ask):
    """The pairs that the index gives for a batch, named in the same way."""
    rows = sorted(new, key=lambda row: (row[1], row[0]))
    marks = fingerprint([row[2] for row in rows])
    near = index.nearby(held, marks, [row[1] for row in rows], form, ask, least=LEAST)
    names = {}
    for number, name in [
        *zip(held.text.tolist(), held.ids, strict=True),
        *zip(near.text.tolist(), [row[0] for row in rows], strict=True),
    ]:
        names.setdefault(number, set()).add(name)
    found = {
        (frozenset(names[one]), frozenset(names[two]))
        for one, two in zip(near.later.tolist(), near.earlier.tolist(), strict=True)
    }
    told = {held.ids[place] for place in near.records}
    assert {name for pair in found for side in pair for name in side} <= told | {row[0] for row in rows}
    return found


KNOBS = st.builds(index.Knobs, form_min=st.integers(1, 20), form_share=st.sampled_from((0.001, 0.3, 0.6)))
ASK = st.builds(
    index.Ask,
    score=st.sampled_from((0.0, 0.05)),
    shared=st.integers(1, 3),
    exact=st.sampled_from((0.0, 0.1, 0.2, 0.4)),
    holders=st.integers(1, 4),
    most=st.integers(1, 4),
)


@settings(max_examples=150)
@given(
    old=records("A", 12),
    new=BATCH,
    cuts=st.sets(st.integers(0, 12)),
    knobs=KNOBS,
    ask=ASK,
    form=FORM,
)
def test_the_index_gives_what_one_join_gives(old, new, cuts, knobs, ask, form):
    """However the archive was added in batches, a new batch finds the pairs of one join over everything."""
    known = form_shingles(form)
    borders = [0, *sorted(cut for cut in cuts if cut < len(old)), len(old)]
    held = filled([old[start:stop] for start, stop in pairwise(borders)], knobs, many=2 * (5 in cuts))
    assert through_index(held, new, known, ask) == one_join(old, new, knobs, known, ask)


def test_what_a_pair_shares_counts_where_others_held_it_first():
    """A pair is measured by all that it shares, also what so many held before that they do not meet there."""
    common, rare = SENTENCES[:2]
    old = [(f"A{n}", "2024-01-05", f"{common} own{n}") for n in range(5)]
    old.append(("X", "2024-06-30", f"{rare} {common}"))
    new = [("N", "2025-02-01", f"{rare} {common} more")]
    ask = index.Ask(holders=2, exact=0.8)
    none = form_shingles([])
    wanted = {(frozenset({"N"}), frozenset({"X"}))}
    assert one_join(old, new, index.Knobs(), none, ask) == wanted
    assert through_index(filled([old], index.Knobs()), new, none, ask) == wanted


@settings(max_examples=100)
@given(old=records("A", 12), new=BATCH, knobs=KNOBS, ask=ASK, data=st.data())
def test_after_removals_the_index_gives_what_is_left(old, new, knobs, ask, data):
    """An archive from which records were removed finds what one finds that never had them."""
    gone = data.draw(st.sets(st.sampled_from([row[0] for row in old]))) if old else set()
    held = index.removed(filled([old[:7], old[7:]], knobs), gone)
    left = [row for row in old if row[0] not in gone]
    none = form_shingles([])
    assert through_index(held, new, none, ask) == one_join(left, new, knobs, none, ask)
    again = [(f"B{name}", *rest) for name, *rest in old if name in gone]
    assert through_index(grown(held, again), new, none, ask) == one_join(left + again, new, knobs, none, ask)


@settings(max_examples=50)
@given(old=records("A", 12), knobs=KNOBS, data=st.data())
def test_what_texts_weigh_is_kept_in_step(old, knobs, data):
    """After any additions and removals texts weigh what counting everything again gives."""
    held = filled([old[:3], old[3:8], old[8:]], knobs, many=data.draw(st.sampled_from((0, 3))))
    again = index.reweighed(held)
    gone = data.draw(st.sets(st.sampled_from([row[0] for row in old]))) if old else set()
    for one, other in (
        (held, again),
        (index.removed(held, gone), index.reweighed(index.removed(held, gone))),
    ):
        for name in ("counted", "logs", "common", "common_counts"):
            assert getattr(one, name).tolist() == getattr(other, name).tolist()


@settings(max_examples=30)
@given(old=records("A", 12), knobs=KNOBS)
def test_merging_changes_no_posting(old, knobs):
    """Segments merged hold the postings that they held apart, sorted, all of a shingle in one part."""
    held = filled([old[:4], old[4:]], knobs)
    both = np.concatenate([np.zeros(0, np.uint64), *held.segments])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(index, "WINDOW", 5)
        parts = list(index.merged(held.segments))
    hashes = [set((part >> np.uint64(join.RECORD_BITS)).tolist()) for part in parts]
    assert sum(map(len, hashes)) == len(set().union(*hashes))
    assert np.concatenate([np.zeros(0, np.uint64), *parts]).tolist() == np.sort(both).tolist()


@given(old=records("A", 10), data=st.data())
def test_of_a_removed_text_no_number_is_left(old, data):
    """A removed text's shingles and digest are nowhere, unless somebody else filed the same text."""
    held = filled([old[:5], old[5:]], index.Knobs())
    gone = data.draw(st.sets(st.sampled_from([row[0] for row in old]))) if old else set()
    left = index.removed(held, gone)
    texts = [row[2] for row in old if row[0] not in gone]
    marks = fingerprint(texts)
    kept = np.concatenate([np.zeros(0, np.uint64), *left.segments]) >> np.uint64(join.RECORD_BITS)
    assert set(kept.tolist()) == set(marks.shingles.tolist())
    assert set(map(tuple, left.digests.tolist())) <= set(map(tuple, marks.digests.tolist())) | {(0, 0)}
    assert set(left.ids).isdisjoint(gone)


def test_too_many_texts_are_refused():
    """More texts than a posting can number are an error that says what to do, not wrong answers."""
    from pipeline.errors import UsageError

    with pytest.raises(UsageError, match="split the archive"):
        join.refuse_too_many(1 << join.RECORD_BITS)


@pytest.mark.parametrize(
    ("sizes", "count"), [([], 0), ([5], 0), ([100, 1], 0), ([100, 40, 20], 3), ([9, 1, 1], 2)]
)
def test_segments_are_merged_while_they_are_of_one_size(sizes, count):
    """A segment swallows those behind it when they are about its size: their number stays logarithmic."""
    assert index.to_merge(sizes) == count
