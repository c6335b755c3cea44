"""What people decided, laid over the pairs that were found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from pipeline.dedupe.search import I64, Corpus, Pairs, ordered
from pipeline.records import DUPLICATE_LEVELS

Ids = Collection[tuple[str, str]]


def ruled(found: Corpus, pairs: Pairs, *, same: Ids, apart: Ids) -> tuple[Pairs, int]:
    """Return the pairs as people decided, and how many were left out because people told them apart.

    A pair that people called the same is there if one of the two is new, and is never merely ``related``;
    its probability stays the model's, 0 where the model would not have shown it. The order is that of
    `find`: by probability, then ids.

    Args:
        found: The records.
        pairs: What `find` gave.
        same: Pairs of ids that people called the same.
        apart: Pairs of ids that people told apart.
    """
    if not same and not apart:
        return pairs, 0
    row_of = _rows(found, (*same, *apart))
    size = len(found.first)
    keys = pairs.later * size + pairs.earlier
    silent = np.isin(keys, _keys(apart, row_of, size))
    vouched = _keys(same, row_of, size)
    level = pairs.level.astype(np.array(DUPLICATE_LEVELS).dtype)
    level[np.isin(keys, vouched) & (level == "related")] = DUPLICATE_LEVELS[-1]
    missing = np.setdiff1d(vouched, keys)
    missing = missing[found.fresh[missing // size] | found.fresh[missing % size]]
    pairs = replace(
        pairs,
        later=np.concatenate((pairs.later[~silent], missing // size)),
        earlier=np.concatenate((pairs.earlier[~silent], missing % size)),
        probability=np.concatenate((pairs.probability[~silent], np.zeros(len(missing)))),
        level=np.concatenate((level[~silent], np.full(len(missing), DUPLICATE_LEVELS[-1]))),
    )
    return ordered(found, pairs), int(silent.sum())


def _rows(found: Corpus, ids: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the row of each id that is named: a table of all of them would cost more than the rest."""
    names = found.records["id"]
    rows = np.flatnonzero(names.isin({name for both in ids for name in both}).to_numpy(dtype=bool))
    return dict(zip(names.iloc[rows].tolist(), rows.tolist(), strict=True))


def _keys(ids: Ids, row_of: Mapping[str, int], size: int) -> I64:
    """Return a number for each pair whose records are there: the later row times ``size``, plus the other."""
    there = [(row_of[one], row_of[other]) for one, other in ids if one in row_of and other in row_of]
    return np.unique(np.array([max(both) * size + min(both) for both in there], dtype=np.int64))
