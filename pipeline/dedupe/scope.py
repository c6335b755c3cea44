"""Which of the pairs that were found lie inside a scope."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.dedupe.search import I64, Corpus, Mask, Pairs, ordered

Inside = Callable[[I64, I64], Mask]


def within(
    found: Corpus, pairs: Pairs, inside: Inside, *, kept: Collection[tuple[str, str]] = ()
) -> tuple[Pairs, int]:
    """Return the pairs inside a scope, in the order of `find`, and how many were left out.

    Of equal texts `find` pairs each with the first of all; where that one lies outside, the pair with the
    first inside takes its place, so that what stands outside hides nothing that stands inside.

    Args:
        found: The records.
        pairs: What `find` gave.
        inside: Whether pairs of rows, later and earlier, lie inside.
        kept: Pairs of ids that stay wherever they lie.
    """
    keep = inside(pairs.later, pairs.earlier)
    if keep.all():
        return pairs, 0
    keep |= _named(found, pairs, ~keep, kept)
    later, earlier = _nearer(found, pairs, ~keep, inside)
    chosen = replace(
        pairs,
        later=np.concatenate((pairs.later[keep], later)),
        earlier=np.concatenate((pairs.earlier[keep], earlier)),
        probability=np.concatenate((pairs.probability[keep], np.ones(len(later)))),
        level=np.concatenate((pairs.level[keep], np.full(len(later), "copy"))),
    )
    return ordered(found, chosen), int((~keep).sum())


def _named(found: Corpus, pairs: Pairs, asked: Mask, ids: Collection[tuple[str, str]]) -> Mask:
    """Return which of the ``asked`` pairs are among ``ids``, either way round."""
    both = {frozenset(pair) for pair in ids}
    there = np.zeros(len(asked), dtype=np.bool_)
    if both:
        names = found.records["id"].to_numpy(dtype=object)
        for at in np.flatnonzero(asked).tolist():
            there[at] = frozenset((names[pairs.later[at]], names[pairs.earlier[at]])) in both
    return there


def _nearer(found: Corpus, pairs: Pairs, left_out: Mask, inside: Inside) -> tuple[I64, I64]:
    """Return, for left-out pairs of equal texts, the later rows and the first equal ones inside the scope."""
    first = found.first
    rows = np.unique(pairs.later[left_out & (first[pairs.later] == first[pairs.earlier])])
    members = np.flatnonzero(np.isin(first, first[rows]))
    equal_to = pd.Series(members).groupby(first[members]).indices
    ones: list[int] = []
    others: list[int] = []
    for row in rows.tolist():
        equal = members[equal_to[first[row]]]
        before = equal[(equal < row) & (found.fresh[equal] | found.fresh[row])]
        near = before[inside(np.full(len(before), row, dtype=np.int64), before)]
        ones += [row] * len(near[:1])
        others += near[:1].tolist()
    return np.array(ones, dtype=np.int64), np.array(others, dtype=np.int64)
