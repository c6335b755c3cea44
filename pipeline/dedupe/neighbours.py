"""The second look: which records use the same rare words, however they put them.

A copy told in other words shares no passage. Nearly always its source is the record nearest to it by the
words that both use, and it is the nearest to its source; by how much, and not how near, tells it from a
record that is merely about the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.dedupe import features, wording

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]
Rows = tuple[I64, I64]

RAREST: Final = 40
"""Words of a text that are kept where there are many: the rarest."""
_ROWS: Final = 1_000
_COST: Final = 10_000_000
_FEWEST, _MOST = 40, 1_000
_FAINT: Final = 0.02
_NEAR: Final = 0.15


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What each record says: records x words, rows of length 1; and the words rare enough to search by."""

    words: csr_array
    search: csr_array


@dataclass(frozen=True, slots=True)
class Knobs:
    """How the second look is taken (`settings.Settings`): ``many`` records are too many for every pair."""

    neighbours: int = 3
    many: int = 5_000


def limit(texts: int) -> int:
    """Return in how many of ``texts`` a word may stand to be searched by.

    The work grows with the number of texts and not with its square.

    >>> limit(1000), limit(50_000), limit(2_000_000)
    (1000, 200, 40)
    """
    return min(max(_COST // max(texts, 1), _FEWEST), _MOST)


def vocabulary(said: features.Said, known: wording.Lexicon, *, searched: U32 | None = None) -> Vocabulary:
    """Return the words of texts.

    Args:
        said: Their words in codes.
        known: What words weigh.
        searched: The words to search by, sorted; None for those that stand in two to `limit` of the texts.
    """
    columns, found = features.word_rows(said, known)
    words = features.unit_rows(found)
    if searched is None:
        df = np.bincount(words.indices, minlength=words.shape[1])
        rare = (df > 1) & (df <= limit(len(said)))
    else:
        rare = np.zeros(words.shape[1], dtype=bool)
        rare[: len(columns)] = np.isin(columns, searched)
    return Vocabulary(words, csr_array(words[:, np.flatnonzero(rare)]))


@dataclass(frozen=True, slots=True)
class Look:
    """Pairs of rows worth a closer look, ``later`` above ``earlier``; ``near``: the rivals of each row."""

    later: I64
    earlier: I64
    near: Rows


def look(said: Vocabulary, fresh: Mask, telling: Mask, passages: Rows, knobs: Knobs, *, total: int) -> Look:
    """Return the pairs that share passages or words, and whom each of their rows is nearest to.

    Args:
        said: The words of the records.
        fresh: The new ones: a pair has one of them.
        telling: Which have enough syllables for their words to mean anything.
        passages: Pairs that share passages, later and earlier.
        knobs: How it is looked.
        total: How many records there are, also where ``said`` has only those that may be near.
    """
    many = total > knobs.many
    involved = np.union1d(*passages)
    asked = np.flatnonzero(fresh) if many else met(said, fresh)
    one, other = nearest(said, asked, most=knobs.neighbours)
    if many:
        # Only pairs that are near from both sides count: those near to a new one are asked in turn.
        partners = other[_close(said, one, other, most=knobs.neighbours - 1)]
        back = nearest(said, np.setdiff1d(partners, asked), most=knobs.neighbours)
        one, other = np.concatenate((one, back[0])), np.concatenate((other, back[1]))
        asked = np.union1d(asked, partners)
    nearer = _worth(said, one, other, most=knobs.neighbours - 1, mutual=many)
    nearer &= (fresh[one] | fresh[other]) & telling[one] & telling[other]
    later, earlier = _each_once(
        np.concatenate((passages[0], np.maximum(one, other)[nearer])),
        np.concatenate((passages[1], np.minimum(one, other)[nearer])),
    )
    involved = np.union1d(later, earlier)
    # A pair is judged by the rivals of both, also of those that met by passages alone.
    more = nearest(said, np.setdiff1d(involved, asked), most=knobs.neighbours)
    judged = np.isin(one, involved)
    near = np.concatenate((one[judged], more[0])), np.concatenate((other[judged], more[1]))
    return Look(later, earlier, near)


def _each_once(later: I64, earlier: I64) -> Rows:
    """Return the different pairs, sorted."""
    keys = np.unique((later << 32) | earlier)
    return keys >> 32, keys & 0xFFFFFFFF


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


def _worth(found: Vocabulary, rows: I64, others: I64, *, most: int, mutual: bool) -> Mask:
    """Return which pairs that `nearest` gave are worth a closer look: the ``most`` nearest of each row.

    Where ``mutual``, only pairs that are near one another from both sides, and near at all: among thousands
    everybody has somebody nearest.
    """
    if not mutual:
        return _first(rows, most)
    kept = _close(found, rows, others, most=most)
    pairs, mirrored = (rows << 32) | others, (others << 32) | rows
    return kept & np.isin(mirrored, pairs[kept])


def _close(found: Vocabulary, rows: I64, others: I64, *, most: int) -> Mask:
    return _first(rows, most) & (features.dot(found.words, found.words, rows, others) >= _NEAR)


def _first(rows: I64, most: int) -> Mask:
    """Return the first ``most`` places of each row; those of a row stand together."""
    begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: len(rows)])
    first: Mask = np.arange(len(rows)) - np.repeat(begins, np.diff(np.append(begins, len(rows)))) < most
    return first


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
