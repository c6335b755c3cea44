"""The exact join: which records share rare shingles, and how much.

A record's shingles weigh ``ln((N + 1) / df)``, N at least 1000: what stands in few records counts, what
stands in many is form text and counts for nothing. Two sparse products do the work that a loop over
posting lists would: records x shingles times shingles x first holders gives every candidate's score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.dedupe.shingles import HASH_BITS, Marks
from pipeline.errors import UsageError

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

RECORD_BITS: Final = 64 - HASH_BITS
_COUNT: Final = float(1 << 20)
"""Added to each weight, so that one product sums both: the count above 2^20, the weight below.

A sum stays exact to 2^-18 up to 2^15 shared shingles (52 bits of a double), which is far finer than any
threshold; a record that shares more has shared enough.
"""
_WHOLE: Final = 1000
"""Records a file is taken to stand for at least.

In a file of two copies and nothing else every shingle stands in all records and would weigh nothing: a small
file is weighed as part of an office's.
"""
_FEW: Final = 3
_FAINT: Final = 0.25
_ROWS: Final = 2048
_PAIRS: Final = 16384


@dataclass(frozen=True, slots=True)
class Table:
    """Records x shared shingles, rows in the order given.

    Attributes:
        incidence: The weight of each shingle that stands in 2 to ``limit`` records, in each of them.
        after: The same plus `_COUNT`, without each shingle's first record.
        first: Shingles x their first holders: ``after @ first`` is what each record shares with earlier ones.
        shingles: Which shingle each column is, sorted.
        weight: The weight of all of a record's shingles outside form text.
        alone: How many of a record's shingles no other record has.
        form: The shingles that are form text, sorted.
        unit: The weight of a shingle that stands in one record only.
    """

    incidence: csr_array
    after: csr_array
    first: csr_array
    shingles: U64
    weight: F64
    alone: I64
    form: U64
    unit: float

    def base(self, later: I64, earlier: I64) -> F64:
        """Return what a pair's shared weight is a share of: the lighter record, or ten unique shingles.

        The floor keeps a very short text from looking copied for a few words.
        """
        return np.maximum(np.minimum(self.weight[later], self.weight[earlier]), 10 * self.unit)


def form_limit(records: int, *, least: int, share: float) -> int:
    """Return in how many records a shingle may stand before it is form text.

    >>> form_limit(10_000, least=400, share=0.001), form_limit(2_000_000, least=400, share=0.001)
    (400, 2000)
    """
    return max(least, int(records * share))


def table(marks: Marks, order: I64, *, limit: int, holders: int, form: U64) -> Table:
    """Return the weights of the texts' shingles, with row ``r`` for text ``order[r]``.

    Args:
        marks: The shingles of all texts.
        order: Which text comes r-th, earliest first: ``holders`` keeps the earliest.
        limit: Document frequency above which a shingle is form text.
        holders: How many first holders of a shingle others are compared with.
        form: Shingles that are form text whatever their frequency, sorted.
    """
    count = len(order)
    if count >= 1 << RECORD_BITS:
        raise UsageError(
            "{count} records are more than one run can hold ({limit}): split the archive.",
            count=count,
            limit=(1 << RECORD_BITS) - 1,
        )
    keys, alone = _postings(marks, order, form)
    starts = np.flatnonzero(begins(keys >> np.uint64(RECORD_BITS)))
    sizes = np.diff(np.append(starts, len(keys)))
    hashes = keys[starts] >> np.uint64(RECORD_BITS)
    ignored = sizes > limit
    ignored[_places(hashes, form)] = True
    starts, sizes = starts[~ignored], sizes[~ignored]
    rows = _members((keys & np.uint64((1 << RECORD_BITS) - 1)).astype(np.int32), starts, sizes)
    whole = max(count, _WHOLE)
    weights = np.log((whole + 1) / sizes)
    unit = float(np.log(whole + 1))
    incidence = _by_record(rows, sizes, weights, records=count)
    return Table(
        incidence=incidence,
        after=_by_record(*_without_first(rows, sizes), weights + _COUNT, records=count),
        first=_first(rows, sizes, records=count, holders=holders),
        weight=alone * unit + incidence.sum(axis=1),
        alone=alone,
        shingles=hashes[~ignored],
        form=np.union1d(hashes[ignored], form),
        unit=unit,
    )


def _postings(marks: Marks, order: I64, form: U64) -> tuple[U64, I64]:
    """Return the postings of shingles in two records or more, and how many shingles each row has alone.

    A posting is a shingle and, in the low bits, a row; they are sorted. Form text is nobody's own.
    """
    count = len(order)
    bits, low = np.uint64(RECORD_BITS), np.uint64((1 << RECORD_BITS) - 1)
    rank = np.full(len(marks), count, dtype=np.uint32)  # texts left out of `order` are cut
    rank[order] = np.arange(count, dtype=np.uint32)
    keys = marks.shingles << bits
    keys |= np.repeat(rank, np.diff(marks.bounds))
    if count < len(marks):
        keys = keys[(keys & low) < count]
    keys.sort()
    # Most shingles stand once: they are counted and dropped before anything else is made of that length.
    lone, keys = _apart(keys)
    keys = keys[begins(keys)]  # a record that repeats a shingle holds it once
    repeated, keys = _apart(keys)
    alone = np.zeros(count, dtype=np.int64)
    for part in (lone, repeated):
        own = np.delete(part, _places(part >> bits, form))
        alone += np.bincount((own & low).astype(np.int64), minlength=count)
    return keys, alone


def _apart(keys: U64) -> tuple[U64, U64]:
    """Return the postings of shingles that stand once, and the others."""
    first = begins(keys >> np.uint64(RECORD_BITS))
    single = first & np.append(first[1:], True)[: len(first)]
    return keys[single], keys[~single]


def _places(ordered: U64, wanted: U64) -> I64:
    """Return where in ``ordered`` those of ``wanted`` stand that do stand there (the first place of each)."""
    places = np.searchsorted(ordered, wanted)
    inside = places < len(ordered)
    places, wanted = places[inside], wanted[inside]
    found: I64 = places[ordered[places] == wanted]
    return found


def begins(ordered: U64) -> Mask:
    """Return which of sorted values differ from the one before.

    >>> begins(np.array([3, 3, 7], dtype=np.uint64)).tolist()
    [True, False, True]
    """
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return new


def _members(row: NDArray[np.int32], starts: I64, sizes: I64) -> NDArray[np.int32]:
    """Return the rows of the postings that begin at ``starts``, one shingle after another."""
    place = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    place += np.arange(len(place))
    members: NDArray[np.int32] = row[place]
    return members


def _by_record(rows: NDArray[np.int32], sizes: I64, weights: F64, *, records: int) -> csr_array:
    """Return records x shingles, each shingle with its weight."""
    # Rows stand sorted in each shingle: the transpose is already compressed.
    ends = np.concatenate(([0], np.cumsum(sizes)))
    return csr_array((np.repeat(weights, sizes), rows, ends), shape=(len(sizes), records)).T.tocsr()


def _without_first(rows: NDArray[np.int32], sizes: I64) -> tuple[NDArray[np.int32], I64]:
    """Return the postings without each shingle's first record, which has nobody earlier to meet there."""
    kept = np.ones(len(rows), dtype=bool)
    kept[np.cumsum(sizes) - sizes] = False
    return rows[kept], sizes - 1


def _first(rows: NDArray[np.int32], sizes: I64, *, records: int, holders: int) -> csr_array:
    """Return shingles x their first ``holders`` records; a shingle's last record is nobody's earlier one."""
    kept = np.minimum(sizes - 1, holders)
    first = _members(rows, np.cumsum(sizes) - sizes, kept)
    ends = np.concatenate(([0], np.cumsum(kept)))
    return csr_array((np.ones(len(first)), first, ends), shape=(len(sizes), records))


def faded(found: Table) -> Table:
    """Return the table with what most records of a small file share counting less, nearly all as form text.

    Three records may repeat one another; what stands in nearly all of thirty is more likely their form, which
    a frequency cannot yet tell. Of `_WHOLE` records or more nothing fades: there the limit speaks.
    """
    records = len(found.weight)
    if records >= _WHOLE:
        return found
    df = np.bincount(found.incidence.indices, minlength=found.incidence.shape[1])
    share = np.where(df <= _FEW, 1.0, 1 - df / records)
    weights = found.incidence.copy()
    weights.data *= share[weights.indices]
    return replace(
        found,
        incidence=weights,
        weight=found.alone * found.unit + weights.sum(axis=1),
        form=np.union1d(found.form, found.shingles[share < _FAINT]),
    )


def candidates(found: Table, fresh: Mask, *, score: float, shared: int, most: int) -> tuple[I64, I64]:
    """Return the pairs ``(later row, earlier row)`` worth a look, one of them fresh, sorted.

    A pair is kept when it shares at least ``shared`` shingles, whose weight is at least ``score`` of
    `Table.base`; of a later record the ``most`` best earlier ones, ties to the earlier row.

    Args:
        found: The weights; rows in order of filing.
        fresh: Which rows are new: pairs inside the archive are nobody's question.
        score: Least share of weight, 0 to 1.
        shared: Least number of shared shingles.
        most: Most pairs of one later row.
    """
    pairs = [
        _best(found, rows, block, score=score, shared=shared, most=most)
        for rows, block in _products(found, fresh)
    ]
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    later = np.concatenate([pair[0] for pair in pairs])
    earlier = np.concatenate([pair[1] for pair in pairs])
    by = np.lexsort((earlier, later))
    return later[by], earlier[by]


def _products(found: Table, fresh: Mask) -> Iterator[tuple[I64, csr_array]]:
    """Yield blocks of rows with their scores against the first holders.

    Fresh rows meet everybody; archived ones only the fresh (one filed before them makes them the later).
    """
    against_fresh = csr_array(found.first[:, np.flatnonzero(fresh)]) if not fresh.all() else None
    for is_fresh in (True, False):
        members = np.flatnonzero(fresh == is_fresh)
        for start in range(0, len(members), _ROWS):
            rows = members[start : start + _ROWS]
            block = found.after[rows]
            if is_fresh:
                yield rows, block @ found.first
            else:
                product = block @ against_fresh
                columns = np.flatnonzero(fresh)[product.indices]
                yield rows, csr_array((product.data, columns, product.indptr), shape=(len(rows), len(fresh)))


def _best(
    found: Table, rows: I64, block: csr_array, *, score: float, shared: int, most: int
) -> tuple[I64, I64]:
    # Nearly all products share a word or two: they are dropped before anything is computed of them.
    enough = np.flatnonzero(block.data >= shared * _COUNT)
    later = rows[np.searchsorted(block.indptr, enough, side="right") - 1]
    earlier = block.indices[enough].astype(np.int64)
    weight = block.data[enough] % _COUNT
    share = weight / found.base(later, earlier)
    kept = (earlier < later) & (share >= score)
    later, earlier, share = later[kept], earlier[kept], share[kept]
    # Rounded, so that the last bits of a sum never decide which of two equals is kept.
    by = np.lexsort((earlier, -np.round(share, 9), later))
    later, earlier = later[by], earlier[by]
    starts = np.searchsorted(later, later)
    kept = np.arange(len(later)) - starts < most
    return later[kept], earlier[kept]


def shared_weight(weights: csr_array, one: I64, other: I64) -> F64:
    """Return the summed weight of what rows ``one`` and ``other`` have in common, pair by pair.

    Args:
        weights: Rows x things, each thing with the same weight wherever it stands.
        one: A row a pair.
        other: A row a pair.
    """
    ones = unweighted(weights)
    parts = [
        weights[one[start : start + _PAIRS]].multiply(ones[other[start : start + _PAIRS]]).sum(axis=1)
        for start in range(0, len(one), _PAIRS)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def unweighted(weights: csr_array) -> csr_array:
    """Return the same rows x things, each thing counting 1."""
    return csr_array((np.ones(weights.nnz), weights.indices, weights.indptr), shape=weights.shape)
