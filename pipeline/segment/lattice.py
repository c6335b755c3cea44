"""The best labels of many documents at once.

Two labels make the search for the best path (Viterbi's) one number a token: *D*, by how much the best path
that ends in ``B-W`` here is ahead of the best one that ends in ``I-W``. From one token to the next::

    D' = score' + clip(turn - D, low, high)

because what a path gains by its last label is lost again where the other label follows more easily. So a D
below or above two bounds says nothing more about the next but ``low`` or ``high``, and the next label alone
tells the label of a token between them: the opposite. Most tokens are certain in themselves, from their
score, and what lies between is a few tokens long: such runs are walked through side by side, in all
documents.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.segment.crf import SHIFT, Floats, Grams, Ids, Tables

Flags = NDArray[np.bool_]

GAP: Final = 2
"""How many places outside stand before each document, and behind the last: no template reaches further."""

_FEW: Final = 16  # runs; fewer are walked through one by one
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 by the golden ratio (Knuth, TAOCP 3, 6.4)


class Tokens(NamedTuple):
    """What is known of each kind of token, or of each token: its words' numbers, title case, own scores."""

    word: Ids
    lower: Ids
    title: Flags
    scores: Floats


class Labels(NamedTuple):
    """Whether a word begins at each place, and how far from another answer each place was."""

    begins: Flags
    margin: Floats


class Lattice:
    """The model, ready for many documents.

    Documents stand one after the other in one array, with `GAP` places outside before each and behind the
    last.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._pairs = _Index(tables.pairs, 2, len(tables.words))
        self._lower_pairs = _Index(tables.lower_pairs, 2, len(tables.lowers))
        self._triples = _Index(tables.triples, 3, len(tables.words))
        self._lower_triples = _Index(tables.lower_triples, 3, len(tables.lowers))
        both, begin_inside, inside_begin, inside = tables.steps.tolist()
        self._low, self._high = both - begin_inside, inside_begin - inside
        self._turn = inside_begin - begin_inside
        self._least, self._most = inside - begin_inside, inside_begin - both

    def label(self, tokens: Tokens, outside: Flags) -> Labels:
        """Return the labels of all places; what they are outside of the documents means nothing."""
        return self._walk(self.scores(tokens, outside), outside)

    def scores(self, tokens: Tokens, outside: Flags) -> Floats:
        """Return by how much each place's own features favour that a word begins there."""
        count = len(outside)
        total = np.zeros(count + 2 * GAP)  # with room on both sides, each template is a slice

        def add(values: Floats, reach: int) -> None:
            total[GAP + reach : GAP + reach + len(values)] += values

        for column, reach in enumerate((2, 1, 0, -1, -2)):
            add(tokens.scores[:, column], reach)
        pairs, triples = self._runs(tokens, outside)
        for column, reach in enumerate((2, 1, 0, -1)):
            add(pairs[:, column], reach)
        for column, reach in enumerate((2, 1, 0)):
            add(triples[:, column], reach)
        return total[GAP : GAP + count]

    def _runs(self, tokens: Tokens, outside: Flags) -> tuple[Floats, Floats]:
        """Return the scores of every two and three neighbours, by template."""
        known, count = self._tables, len(outside)
        pairs = np.tile(known.usual_pair, (count - 1, 1))
        triples = np.tile(known.usual_triple, (count - 2, 1))
        self._pairs.add(pairs, tokens.word)
        self._lower_pairs.add(pairs, tokens.lower)
        self._triples.add(triples, tokens.word)
        self._lower_triples.add(triples, tokens.lower)
        both = tokens.title[:-1] & tokens.title[1:]
        pairs[:, 2] += known.title_pair[both.view(np.int8)]
        triples[:, 2] += known.title_triple[(both[:-1] & tokens.title[2:]).view(np.int8)]
        pairs[outside[:-1] | outside[1:]] = known.edge_pair
        # A document of one token lies between two edges, and there the beginning counts.
        triples[outside[2:]] = known.last_triple
        triples[outside[:-2]] = known.first_triple
        return pairs, triples

    def _walk(self, scores: Floats, outside: Flags) -> Labels:
        ahead = self._ahead(scores, outside)
        last = np.zeros(len(ahead), dtype=bool)
        last[:-1] = ~outside[:-1] & outside[1:]
        begins = np.where(last, ahead > 0, ahead > self._most)
        settled = begins | last | (ahead < self._least) | outside
        # Between the bounds a label is the opposite of the next, and so on up to one that is settled.
        places = np.arange(len(ahead))
        until = np.minimum.accumulate(np.where(settled, places, len(ahead))[::-1])[::-1]
        begins = begins[until] ^ ((until - places) % 2 == 1)
        margin = np.minimum(np.abs(ahead - self._most), np.abs(ahead - self._least))
        margin[last] = np.abs(ahead[last])
        return Labels(begins, margin)

    def _ahead(self, scores: Floats, outside: Flags) -> Floats:
        """Return D of each place."""
        # A score that leaves D outside of the bounds wherever it came from tells all that the next must know.
        high, low = scores + self._low > self._most, scores + self._high < self._least
        known = high | low
        ahead = scores.copy()
        ahead[1:] += np.where(high, self._low, np.where(low, self._high, 0.0))[:-1] * ~outside[:-1]
        walk = ~(known | outside)
        walk[:-1] &= ~outside[1:]
        walk[-1] = False
        at = np.flatnonzero(walk & np.concatenate(([True], ~walk[:-1])))
        while len(at) > _FEW:
            ahead[at + 1] = scores[at + 1] + np.clip(self._turn - ahead[at], self._low, self._high)
            at = at[walk[at + 1]] + 1
        for start in at.tolist():
            self._walk_one(ahead, scores, walk, start)
        return ahead

    def _walk_one(self, ahead: Floats, scores: Floats, walk: Flags, start: int) -> None:
        stop = start + int(np.argmin(walk[start:]))
        now = float(ahead[start])
        passed = []
        for score in scores[start + 1 : stop + 1].tolist():
            now = score + min(max(self._turn - now, self._low), self._high)
            passed.append(now)
        ahead[start + 1 : stop + 1] = passed


class _Index:
    """Runs of words by hashing with linear probing, for whole arrays of them."""

    def __init__(self, grams: Grams, size: int, words: int) -> None:
        self._size = size
        bits = max(4, int(2 * len(grams.keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._slots = 1 << bits
        self._keys = np.full(self._slots, -1, dtype=np.int64)
        self._rows = np.zeros(self._slots, dtype=np.int64)
        self._values = grams.values
        self._fill(grams.keys)
        self._occurs = np.zeros((size, words + 1), dtype=bool)
        for place in range(size):
            self._occurs[place, grams.keys >> SHIFT * (size - 1 - place) & ((1 << SHIFT) - 1)] = True

    def add(self, sums: Floats, words: Ids) -> None:
        """Add the values of each run of neighbours to the row of ``sums`` where it begins."""
        count = len(sums)
        may = self._occurs[0, words[:count]]
        for place in range(1, self._size):
            may &= self._occurs[place, words[place : place + count]]
        at = np.flatnonzero(may)
        keys = words[at]
        for place in range(1, self._size):
            keys = keys << SHIFT | words[at + place]
        slots = self._slot(keys)
        found = self._keys[slots]
        missed = np.flatnonzero((found != keys) & (found >= 0))
        while len(missed):
            slots[missed] = (slots[missed] + 1) % self._slots
            found[missed] = self._keys[slots[missed]]
            missed = missed[(found[missed] != keys[missed]) & (found[missed] >= 0)]
        hit = found >= 0
        sums[at[hit]] += self._values[self._rows[slots[hit]]]

    def _slot(self, keys: Ids) -> Ids:
        return (keys.view(np.uint64) * _MULTIPLIER >> self._shift).view(np.int64)

    def _fill(self, keys: Ids) -> None:
        slots, rows = self._slot(keys), np.arange(len(keys))
        while len(rows):
            free = self._keys[slots] < 0
            self._keys[slots[free]] = keys[rows[free]]  # of several for one slot, the last stays
            self._rows[slots[free]] = rows[free]
            left = self._keys[slots] != keys[rows]
            slots, rows = (slots[left] + 1) % self._slots, rows[left]
