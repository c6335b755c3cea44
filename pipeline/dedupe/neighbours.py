"""The second look: which records use the same rare words, however they put them.

A copy told in other words shares no passage. Nearly always its source is the record nearest to it by the
words that both use, and it is the nearest to its source; by how much, and not how near, tells it from a
record that is merely about the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.dedupe import features, parts, wording

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]

_TEXTS: Final = 2_000
_ROWS: Final = 1_000
_ALL: Final = 5_000
_RAREST: Final = 40
_COST: Final = 10_000_000
_FEWEST, _MOST = 40, 1_000
_FAINT: Final = 0.02
_NEAR: Final = 0.15


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What each record says: records x words, rows of length 1; and the words rare enough to search by."""

    words: csr_array
    search: csr_array


def vocabulary(
    texts: Sequence[tuple[str, str]], form: U64, known: wording.Lexicon, headings: parts.Headings
) -> Vocabulary:
    """Return the words of records, each a clean title and description.

    Of many records only the rarest `_RAREST` words of each are kept, and of those only the ones are searched
    by that stand in few records: the work grows with their number and not with its square.
    """
    most = _RAREST if len(texts) > _ALL else None
    hashes, owners, weights = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for start in range(0, len(texts), _TEXTS):
        part = texts[start : start + _TEXTS]
        some, whose, worth = features.spoken(part, form, known, headings, most=most)
        hashes.append(some)
        owners.append(whose + start)
        weights.append(worth)
    columns, place = np.unique(np.concatenate(hashes), return_inverse=True)
    found = csr_array(
        (np.concatenate(weights), (np.concatenate(owners), place)), shape=(len(texts), max(len(columns), 1))
    )
    words = features.unit_rows(found)
    limit = min(max(_COST // max(len(texts), 1), _FEWEST), _MOST)
    df = np.bincount(words.indices, minlength=words.shape[1])
    return Vocabulary(words, csr_array(words[:, np.flatnonzero((df > 1) & (df <= limit))]))


def met(found: Vocabulary, rows: Mask) -> I64:
    """Return ``rows`` and those that share a word to search by with one of them, in order."""
    used = np.zeros(found.search.shape[1], dtype=bool)
    used[found.search[np.flatnonzero(rows)].indices] = True
    owner = np.repeat(np.arange(len(rows)), np.diff(found.search.indptr))
    reached = rows.copy()
    reached[owner[used[found.search.indices]]] = True
    return np.flatnonzero(reached)


def nearest(found: Vocabulary, rows: I64, *, most: int) -> tuple[I64, I64]:
    """Return of each of ``rows`` the ``most`` records nearest by words: ``(row, other)``.

    Sorted by row, then by nearness (falling), then other.
    """
    across = csr_array(found.search.T)
    one, other = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        product = csr_array(found.search[block] @ across)
        product.data[product.indices == np.repeat(block, np.diff(product.indptr))] = 0.0
        kept = _largest(product, 2 * most)
        one.append(block[np.searchsorted(product.indptr, kept, side="right") - 1])
        other.append(product.indices[kept].astype(np.int64))
    rows, others = np.concatenate(one), np.concatenate(other)
    # Rounded, so that the last bits of a sum never decide which of two equals is kept.
    alike = np.round(features.dot(found.words, found.words, rows, others), 9)
    by = np.lexsort((others, -alike, rows))
    by = by[np.arange(len(by)) - np.searchsorted(rows[by], rows[by]) < most]
    return rows[by], others[by]


def worth(found: Vocabulary, rows: I64, others: I64, *, most: int) -> Mask:
    """Return which pairs that `nearest` gave are worth a closer look: the ``most`` nearest of each row.

    Of many records, only pairs that are near one another from both sides, and near at all: among thousands
    everybody has somebody nearest.
    """
    kept = np.arange(len(rows)) - np.searchsorted(rows, rows) < most
    if found.words.shape[0] <= _ALL:
        return kept
    kept &= features.dot(found.words, found.words, rows, others) >= _NEAR
    pairs, mirrored = (rows << 32) | others, (others << 32) | rows
    return kept & np.isin(mirrored, pairs[kept])


def _largest(product: csr_array, most: int) -> I64:
    """Return the places of each row's ``most`` largest entries above `_FAINT`, and of those equal to them."""
    places = [np.zeros(0, np.int64)]
    values = np.round(product.data, 9)
    for start, stop in zip(product.indptr[:-1].tolist(), product.indptr[1:].tolist(), strict=True):
        row = values[start:stop]
        least = _FAINT
        if len(row) > most:
            least = max(float(np.partition(row, len(row) - most)[len(row) - most]), _FAINT)
        places.append(np.flatnonzero(row >= least) + start)
    return np.concatenate(places)
