"""Which words a text uses, and how rare and how near in meaning they are: what reworded copies keep.

A copy told in other words shares no run of three syllables with its source, yet it still speaks of the same
things. Here a text is its set of syllables with their marks, each with the rarity that a large public
text gives it, and one vector, the mean of what its syllables mean there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize
from pipeline.dedupe import shingles

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

LONGEST: Final = 4
"""Syllables a phrase of one meaning may have."""
WORD_BITS: Final = 31
ORDINARY: Final = 1.0
"""Rarity that counts for nothing: a word of a third of public texts is no evidence."""
_CONCEPT: Final = 4.0
_BUCKETS: Final = 16
"""Bits a look-up begins with."""
_TONE: Final = 0x8EBC6AF09C88C6E3
_COMMON: Final = 1e-3
_ZERO, _NINE = ord("0"), ord("9")


@dataclass(frozen=True, slots=True)
class Words:
    """The syllables of a list of texts with their marks, cut as `shingles.fingerprint` cuts them.

    ``hashes[starts[i]:starts[i + 1]]`` are text ``i``'s, 64 bits each, equal where letters and tone are,
    wherever in the syllable the tone is written. ``number`` tells those that begin with a digit, ``marked``
    those that bear a mark.
    """

    hashes: U64
    starts: I64
    number: Mask
    marked: Mask


def words(texts: Sequence[str]) -> Words:
    """Return the syllables of clean ``texts``.

    >>> found = words(["Hoà bình", "HÒA BÌNH 3", "hoa binh"])
    >>> found.starts.tolist(), found.number.tolist()
    ([0, 2, 5, 7], [False, False, False, False, True, False, False])
    >>> bool((found.hashes[:2] == found.hashes[2:4]).all()), bool(found.hashes[0] == found.hashes[5])
    (True, False)
    """
    parts: list[Words] = []
    start = size = 0
    for stop, text in enumerate(texts):
        if size and size + len(text) >= shingles.CHUNK:
            parts.append(_words(texts[start:stop]))
            start, size = stop, 0
        size += len(text) + 1
    parts.append(_words(texts[start:]))
    return Words(
        np.concatenate([part.hashes for part in parts]),
        shingles.joined([part.starts for part in parts]),
        np.concatenate([part.number for part in parts]),
        np.concatenate([part.marked for part in parts]),
    )


def _words(texts: Sequence[str]) -> Words:
    points = shingles.points(texts)
    cut = shingles.cut(normalize.letter_table()[points], [len(text) for text in texts])
    tone = _within(cut, normalize.tone_table()[points][cut.kept])
    marked = _within(cut, normalize.fold_table()[points][cut.kept] != cut.letters) + tone > 0
    first = cut.letters[cut.begins]
    return Words(
        shingles.mix(cut.hashes() + tone * np.uint64(_TONE)),
        cut.bounds,
        (first >= _ZERO) & (first <= _NINE),
        marked,
    )


def _within(cut: shingles.Cut, values: NDArray[Any]) -> U64:
    """Return the sum of the letters' values in each syllable."""
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values, out=sums[1:])
    return sums[cut.stops] - sums[cut.begins]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Sorted hashes that are looked up by their first bits: a few times as fast as a binary search.

    ``hashes`` are spread evenly below 2^``bits``; ``begins`` is where those of each bucket begin.
    """

    hashes: U64
    bits: int
    begins: NDArray[np.int32]

    def __call__(self, wanted: U64) -> tuple[I64, Mask]:
        """Return where each of ``wanted`` stands among the hashes (any place if it does not), and whether."""
        if not len(self.hashes):
            return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
        place = self.begins[wanted >> np.uint64(self.bits - _BUCKETS)].astype(np.int64)
        last = len(self.hashes) - 1
        before = np.flatnonzero((self.hashes[place] < wanted) & (place < last))
        while len(before):
            place[before] += 1
            at = place[before]
            before = before[(self.hashes[at] < wanted[before]) & (at < last)]
        return place, self.hashes[place] == wanted


def lookup(hashes: U64, *, bits: int = 64) -> Lookup:
    """Return what finds places in ``hashes``, which are sorted and evenly spread below 2^``bits``.

    >>> place, there = lookup(np.array([5, 9], dtype=np.uint64), bits=31)(np.array([9, 7], dtype=np.uint64))
    >>> there.tolist(), int(place[0])
    ([True, False], 1)
    """
    firsts = np.arange(1 << _BUCKETS, dtype=np.uint64) << np.uint64(bits - _BUCKETS)
    begins = np.minimum(np.searchsorted(hashes, firsts), max(len(hashes) - 1, 0))
    return Lookup(hashes, bits, begins.astype(np.int32))


@dataclass(frozen=True, slots=True)
class Rarity:
    """How rare syllables are: ``rarity[i]`` that of the i-th looked up; ``unknown`` that of any other."""

    places: Lookup
    rarity: F32
    unknown: float

    def __call__(self, hashes: U64) -> F32:
        """Return the rarity of each syllable."""
        place, known = self.places(hashes)
        rarity = self.rarity[place] if len(self.rarity) else 0
        return np.where(known, rarity, self.unknown).astype(np.float32)


def code(hashes: U64, *, full: Mask) -> U32:
    """Return a code for each word: 31 bits of its hash and, in the low bit, whether it counts in full.

    No code is 0.

    >>> code(np.array([1 << 40, 3], dtype=np.uint64), full=np.array([True, False])).tolist()
    [257, 2]
    """
    words = np.maximum(hashes >> np.uint64(64 - WORD_BITS), np.uint64(1))
    codes: U32 = ((words << np.uint64(1)) | full).astype(np.uint32)
    return codes


def word_of(codes: U32) -> U32:
    """Return the words of codes, without how they count."""
    words: U32 = np.right_shift(codes, np.uint32(1))
    return words


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a large public text says of syllables, and which phrases mean the same.

    Attributes:
        rarity: ln(documents / documents with it) of each syllable (`words`), 0 or more.
        vectors: What each means, known syllables x dimensions, weighted for the mean of a text.
        common: Directions that all texts share, orthonormal; they are taken out of a text's mean.
        folded: The rarity of folded syllables (32 bits, as `shingles.Marks.syllables`).
        worth: What each word weighs (`word_of` its code) that counts in full; meanings are words too.
        phrases: The phrases with a synonym (`phrase_hashes`).
        concepts: The hash that stands for each phrase's meaning, by its group's place.
    """

    rarity: Rarity
    vectors: F32
    common: F32
    folded: Rarity
    worth: Rarity
    phrases: Lookup
    concepts: U64

    def rarities(self, hashes: U64) -> F32:
        """Return the rarity of each syllable."""
        return self.rarity(hashes)

    def weights(self, codes: U32) -> F64:
        """Return what words weigh, by their codes (`code`): half where they do not count in full."""
        worth = self.worth(word_of(codes).astype(np.uint64)).astype(np.float64)
        weights: F64 = worth * np.where(codes & np.uint32(1), 1.0, 0.5)
        return weights

    def folded_rarities(self, syllables: U64) -> F32:
        """Return the rarity of each folded syllable: that of the commonest one that folds to it."""
        return self.folded(syllables)


def lexicon(
    syllables: Sequence[str],
    documents: NDArray[np.int64],
    total: int,
    vectors: F32,
    common: F32,
    synonyms: Iterable[Sequence[str]] = (),
) -> Lexicon:
    """Return a lexicon.

    Args:
        syllables: Different syllables, lower case, composed.
        documents: In how many documents of the public text each stands, 1 or more.
        total: How many documents there are.
        vectors: What each means; rows as ``syllables``.
        common: Directions to take out of a mean.
        synonyms: Groups of phrases that mean the same, each phrase of at most `LONGEST` syllables.

    Of a phrase that stands in two groups the first counts.
    """
    found = words(list(syllables))
    single = np.flatnonzero(np.diff(found.starts) == 1)
    # Of two spellings of one syllable ("của", "cuả") the commoner counts: the other is a rare slip.
    single = single[np.argsort(-documents[single], kind="stable")]
    hashes, first = np.unique(found.hashes[found.starts[single]], return_index=True)
    chosen = single[first]
    groups = [list(group) for group in synonyms]
    phrases = [phrase for group in groups for phrase in group]
    group = np.repeat(np.arange(len(groups)), [len(each) for each in groups])
    known = phrase_hashes(phrases)
    usable = known != 0
    keys, place = np.unique(known[usable], return_index=True)
    share = documents[chosen] / total
    rarity = np.log((total + 1) / documents[chosen]).astype(np.float32)
    concepts = shingles.mix(group[usable][place].astype(np.uint64) + np.uint64(1))
    unknown = float(np.log(total + 1))
    return Lexicon(
        Rarity(lookup(hashes), rarity, unknown),
        (vectors[chosen] * (_COMMON / (_COMMON + share))[:, None]).astype(np.float32),
        common.astype(np.float32),
        _folded(syllables, documents, total),
        _worth(hashes, rarity, concepts, unknown),
        lookup(keys),
        concepts,
    )


def _worth(hashes: U64, rarity: F32, concepts: U64, unknown: float) -> Rarity:
    """Return what words weigh that count in full."""
    every = np.concatenate((hashes, concepts))
    weights = np.concatenate((np.maximum(rarity - ORDINARY, 0), np.full(len(concepts), _CONCEPT, np.float32)))
    words, first = np.unique(word_of(code(every, full=np.ones(len(every), bool))), return_index=True)
    return Rarity(
        lookup(words.astype(np.uint64), bits=WORD_BITS), weights[first], max(unknown - ORDINARY, 0.0)
    )


def _folded(syllables: Sequence[str], documents: NDArray[np.int64], total: int) -> Rarity:
    marks = shingles.fingerprint(list(syllables))
    single = np.flatnonzero(np.diff(marks.starts) == 1)
    hashes = marks.syllables[marks.starts[single]].astype(np.uint64)
    by = np.lexsort((-documents[single], hashes))
    hashes, first = np.unique(hashes[by], return_index=True)
    rarity = np.log((total + 1) / documents[single][by][first]).astype(np.float32)
    return Rarity(lookup(hashes, bits=32), rarity, float(np.log(total + 1)))


def phrase_hashes(phrases: Sequence[str]) -> U64:
    """Return a hash for each phrase; 0 for one of no syllable, or of more than `LONGEST`.

    >>> one, other, none = phrase_hashes(["bệnh nhân", "BỆNH  NHÂN", ""])
    >>> bool(one == other), int(none)
    (True, 0)
    """
    found = words(list(phrases))
    counts = np.diff(found.starts)
    hashes = np.zeros(len(phrases), dtype=np.uint64)
    for width in range(1, LONGEST + 1):
        rows = np.flatnonzero(counts == width)
        hashes[rows] = _runs(found.hashes, found.starts[rows], width)
    return hashes


def _runs(hashes: U64, begins: I64, width: int) -> U64:
    total = np.zeros(len(begins), dtype=np.uint64)
    for offset in range(width):
        step = shingles.STEPS[offset % 3] + 2 * width + 2 * (offset // 3)
        total += hashes[begins + offset] * np.uint64(step)
    return shingles.mix(total)


def meanings(found: Words, counts: Mask, known: Lexicon) -> tuple[U64, I64]:
    """Return the meanings of phrases with a synonym in the texts, and the first syllable of each phrase.

    The longest phrase counts, then the one further left; a syllable belongs to one phrase at most.

    Args:
        found: The syllables of the texts.
        counts: Which syllables may belong to a phrase.
        known: The phrases.
    """
    owner = np.repeat(np.arange(len(found.starts) - 1), np.diff(found.starts))
    free = counts.copy()
    hashes, places = [], []
    for width in range(LONGEST, 0, -1):
        begins = np.flatnonzero(free[: max(len(free) - width + 1, 0)])
        for offset in range(1, width):
            begins = begins[free[begins + offset] & (owner[begins + offset] == owner[begins])]
        place, there = known.phrases(_runs(found.hashes, begins, width))
        begins, place = begins[there], place[there]
        kept = _apart(begins, width)
        begins, place = begins[kept], place[kept]
        for offset in range(width):
            free[begins + offset] = False
        hashes.append(known.concepts[place])
        places.append(begins)
    return np.concatenate(hashes), np.concatenate(places)


def _apart(begins: I64, width: int) -> I64:
    """Return which of sorted ``begins`` are taken, from the left, when each takes ``width`` places."""
    kept = []
    left = np.arange(len(begins))
    while len(left):
        # The first of each cluster is always taken; what it covers is not; then the same with the rest.
        gap = np.concatenate(([True], np.diff(begins[left]) >= width))
        first = left[gap]
        kept.append(first)
        cluster = np.cumsum(gap) - 1
        left = left[begins[left] >= begins[first][cluster] + width]
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, dtype=np.int64)


def find(ordered: NDArray[Any], wanted: NDArray[Any]) -> tuple[I64, Mask]:
    """Return where each of ``wanted`` stands in ``ordered``, and whether it does."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return place, ordered[place] == wanted


def mean_vectors(texts: Sequence[str], known: Lexicon) -> F32:
    """Return what each text means: texts x dimensions, each row of length 1 (or 0)."""
    found = words(texts)
    owner = np.repeat(np.arange(len(texts)), np.diff(found.starts))
    return means(*each_once(found.hashes[~found.number], owner[~found.number]), len(texts), known)


def each_once(hashes: U64, owner: I64) -> tuple[U64, I64]:
    """Return the hashes of each owner once, sorted by owner and hash."""
    by = np.lexsort((hashes, owner))
    hashes, owner = hashes[by], owner[by]
    new = np.ones(len(by), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])
    return hashes[new], owner[new]


def means(hashes: U64, owner: I64, count: int, known: Lexicon) -> F32:
    """Return what each of ``count`` texts means: the mean of its syllables, of length 1 (or 0).

    A simple but tough-to-beat baseline for sentence embeddings (Arora, Liang, Ma, ICLR 2017): rare syllables
    weigh more, and the directions that all texts share are taken out.

    Args:
        hashes: Syllables, each of a text once.
        owner: Which text each is of, sorted.
        count: How many texts.
        known: The vectors.
    """
    place, there = known.rarity.places(hashes)
    place, owner = place[there], owner[there]
    sums = np.zeros((count, known.vectors.shape[1]), dtype=np.float32)
    for start in range(0, len(place), 1 << 16):
        rows = owner[start : start + (1 << 16)]
        edges = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        sums[rows[edges]] += np.add.reduceat(known.vectors[place[start : start + (1 << 16)]], edges)
    sums = _unit(sums)
    sums -= (sums @ known.common.T) @ known.common
    return _unit(sums)


def _unit(rows: F32) -> F32:
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: F32 = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled
