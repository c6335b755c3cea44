"""How two records resemble one another, exactly, a few thousand pairs at a time.

What `measure` says is symmetric: which of the two was filed first does not change how alike they are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.dedupe.join import Table, begins, faded, shared_weight, unweighted
from pipeline.dedupe.shingles import HASH_BITS, Marks

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]

NAMES: Final = ("share", "larger_vocabulary", "smaller_vocabulary")
"""Columns of `measure`; form text is left out of all of them.

``share``: the weight of the shingles that both hold, as a share of the lighter record's (0 to 1); where three
fifths of the shorter text stand in the other, whatever they weigh, that share if it is larger: a text filed
three hundred times is rare nowhere, and still one text. The vocabularies: the weight of the different
syllables that both use, as a share of what the one and the other uses, of the two directions the larger and
the smaller (0 to 1).
"""

_PAIRS: Final = 2048
_FLOOR: Final = 5.0
"""Least size a share is taken of: three words in common do not make a copy."""
_WHOLE: Final = 0.6
_SLOTS: Final = 20


def measure(marks: Marks, found: Table, rows: I64, later: I64, earlier: I64) -> F64:
    """Return how alike the pairs ``(rows[later], rows[earlier])`` are: pairs x `NAMES`.

    Args:
        marks: The numbers of all texts.
        found: What each shingle counts.
        rows: Which text each row of ``found`` is.
        later: A row a pair.
        earlier: A row a pair.
    """
    rare = faded(found)
    lighter = np.minimum(rare.weight[later], rare.weight[earlier])
    share = shared_weight(rare.incidence, later, earlier) / np.maximum(lighter, _FLOOR * found.unit)
    whole = _plain_share(found, later, earlier)
    share = np.where(whole >= _WHOLE, np.maximum(share, whole), share)
    words = vocabulary(marks, rare.form, rows, np.union1d(later, earlier))
    total = words.sum(axis=1)
    both = shared_weight(words, later, earlier)
    one, other = (both / np.maximum(total[row], 1.0) for row in (later, earlier))
    return np.column_stack((share, np.maximum(one, other), np.minimum(one, other)))


def _plain_share(found: Table, later: I64, earlier: I64) -> F64:
    """Return how many of the shorter text's different shingles the other holds, as a share (0 to 1)."""
    held = found.alone + np.diff(found.incidence.indptr)
    shorter = np.minimum(held[later], held[earlier])
    common = shared_weight(unweighted(found.incidence), later, earlier)
    share: F64 = common / np.maximum(shorter, 2 * _FLOOR)
    return share


def syllable_worth(marks: Marks) -> F64:
    """Return what a syllable counts by the top 20 bits of its hash: ln(1 + all / its occurrences), at most 1.

    Occurrences, not documents: counting them is one pass. Two syllables may share a place; with the some
    ten thousand folded syllables of Vietnamese that changes next to nothing.
    """
    seen = np.bincount(marks.syllables >> np.uint32(32 - _SLOTS), minlength=1 << _SLOTS)
    total = len(marks.syllables)
    worth = np.zeros(len(seen))
    used = np.flatnonzero(seen)
    worth[used] = np.log1p(total / seen[used]) / np.log1p(total)
    return worth


def vocabulary(marks: Marks, form: U64, rows: I64, wanted: I64) -> csr_array:
    """Return rows x syllables: the worth of each different syllable outside form text.

    Only the ``wanted`` rows are filled.
    """
    worth = syllable_worth(marks)
    syllables, owner = _content(marks, form, rows[wanted])
    slots = syllables >> np.uint32(32 - _SLOTS)
    keys = np.sort((wanted[owner].astype(np.uint64) << np.uint64(_SLOTS)) | slots)
    keys = keys[begins(keys)]
    row = (keys >> np.uint64(_SLOTS)).astype(np.int64)
    slot = (keys & np.uint64((1 << _SLOTS) - 1)).astype(np.int64)
    ends = np.searchsorted(row, np.arange(len(rows) + 1))
    return csr_array((worth[slot], slot, ends), shape=(len(rows), len(worth)))


def _content(marks: Marks, form: U64, texts: I64) -> tuple[NDArray[np.uint32], I64]:
    """Return the syllables outside form text, and whose: those that a shingle which counts reaches over."""
    syllables, owner = _rows(marks.syllables, marks.starts, texts)
    shingles, shingle_owner = _rows(marks.shingles, marks.bounds, texts)
    counts = ~_in(shingles, form)
    size = np.bincount(owner, minlength=len(texts))
    shift = (np.cumsum(size) - size) - np.concatenate(
        ([0], np.cumsum(np.bincount(shingle_owner, minlength=len(texts)))[:-1])
    )
    whose = shingle_owner[counts]
    first = np.flatnonzero(counts) + shift[whose]
    inside = np.zeros(len(syllables), dtype=bool)
    for offset in range(marks.width):
        place = np.minimum(first + offset, len(syllables) - 1)
        # The one shingle of a text shorter than it would reach into the next text.
        inside[place[owner[place] == whose]] = True
    return syllables[inside], owner[inside]


def longest_run(marks: Marks, form: U64, later: I64, earlier: I64) -> I64:
    """Return the most shingles that two texts share one after another, outside form text, pair by pair."""
    parts = [
        _longest_run(marks, form, later[start : start + _PAIRS], earlier[start : start + _PAIRS])
        for start in range(0, len(later), _PAIRS)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _longest_run(marks: Marks, form: U64, later: I64, earlier: I64) -> I64:
    mine, pair = _rows(marks.shingles, marks.bounds, later)
    yours, yours_pair = _rows(marks.shingles, marks.bounds, earlier)
    bits = np.uint64(HASH_BITS)
    known = np.sort((yours_pair.astype(np.uint64) << bits) | yours)
    common = ~_in(mine, form) & _in((pair.astype(np.uint64) << bits) | mine, known)
    border = np.concatenate(([True], pair[1:] != pair[:-1], [True]))
    padded = np.concatenate(([False], common, [False]))
    starts = np.flatnonzero(common & (border[: len(common)] | ~padded[:-2]))
    ends = np.flatnonzero(common & (border[1:] | ~padded[2:])) + 1
    longest = np.zeros(len(later), dtype=np.int64)
    np.maximum.at(longest, pair[starts], ends - starts)
    return longest


def _rows(values: NDArray[Any], bounds: I64, texts: I64) -> tuple[NDArray[Any], I64]:
    """Return the values of the texts one after another, and the place in ``texts`` each belongs to."""
    lengths = bounds[texts + 1] - bounds[texts]
    owner = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return values[np.repeat(bounds[texts], lengths) + place], owner


def _in(values: NDArray[Any], ordered: NDArray[Any]) -> Mask:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: Mask = ordered[place] == values
    return found
