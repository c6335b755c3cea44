"""How two records resemble one another, exactly, for the pairs that are worth a look.

What `measure` says is symmetric: which of the two was filed first does not change how alike they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from pipeline.dedupe import parts, wording
from pipeline.dedupe.join import BIG_FILE, Frequencies, begins
from pipeline.dedupe.shingles import HASH_BITS, STEPS, Marks, bounds_of, joined, ranges
from pipeline.dedupe.syllables import Syllables

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]

NAMES: Final = (
    "share",
    "plain",
    "form",
    "words",
    "compounds",
    "meaning",
    "words_ahead",
    "words_behind",
    "run",
    "records",
)
"""Columns of `measure`. Form text counts in ``form`` only.

``share``: the weight of the shingles that both hold, as a share of the lighter record's (0 to 1); ``plain``,
if that is more and at least 0.6: a text filed three hundred times is rare nowhere, and still one text.
``plain``: how many of the shorter text's shingles the other holds, whatever they weigh (0 to 1);
``form``: the same with form text, less ``plain``.
``words``: the cosine of syllables with marks and of phrases with synonyms; ``meaning``: of mean vectors.
``compounds``: the cosine of two syllables in a row, at most 0.15: a reworded copy avoids the terms of its
source, a record about the same thing has them.
``words_ahead``, ``words_behind``: by how much ``words`` exceeds the next best record of the one and of the
other, the smaller and the larger (-1 to 1).
``run``: the most shingles in a row that both hold, outside form text.
``records``: how many records were compared.

Numbers are no words here: a copy changes them with a stroke, and records that share some share nothing.
"""

_FORM: Final = parts.KINDS.index("form")
_SOLUTION: Final = np.array([kind not in ("background", "benefit") for kind in parts.KINDS])
"""Where a word counts in full and not by half: what is compared is the content of the solution."""

_FLOOR: Final = 5.0
"""Unique shingles that a share is taken of at least: three words in common do not make a copy."""
_FEW: Final = 3
_FAINT: Final = 0.01
_SHOWN: Final = 10_000
"""Records that show by their number what form text is. In fewer, words must tell (`_telling`)."""
_PLAIN: Final = 2.0
_TELLING: Final = 1.3
_TERMS: Final = 0.15
_BARE: Final = 0.85
_COPY: Final = 0.5
_WHOLE: Final = 0.6
_SAME_WORDS: Final = 0.7
_BLOCK: Final = 4096
_TEXTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sides:
    """The numbers of the records that stand in a pair, one row a record.

    Every matrix is records x things; ``words``, ``bare`` and ``compounds`` have rows of length 1, so that a
    product of two rows is a cosine. ``marked`` tells which records are written with Vietnamese marks.
    """

    marks: Marks
    form: U64
    records: int
    shingles: csr_array
    weights: csr_array
    words: csr_array
    bare: csr_array
    marked: Mask
    compounds: csr_array
    meaning: F32


def sides(texts: Syllables, said: Said, frequencies: Frequencies, form: U64, known: wording.Lexicon) -> Sides:
    """Return the numbers of records.

    Args:
        texts: The syllables of each record.
        said: The words of each (`spoken`).
        frequencies: In how many of all records a shingle stands.
        form: Shingles that are form text, sorted.
        known: What is known of words.
    """
    cut = _told(texts, form)
    columns, shingles = _matrix(cut.marks.shingles, cut.whose, len(cut))
    weights = _shingle_weights(columns, frequencies, form)
    if frequencies.records < _SHOWN:
        weights *= _telling(cut, known)
    owner = cut.owner[cut.counts]
    return Sides(
        marks=cut.marks,
        form=form,
        records=frequencies.records,
        shingles=shingles,
        weights=_outside_form(cut, columns, weights),
        words=unit_rows(word_rows(said, known)[1]),
        bare=unit_rows(_bare(cut, known)),
        marked=_marked(cut),
        compounds=unit_rows(_compounds(cut, known)),
        meaning=wording.means(*wording.each_once(cut.said.hashes[cut.counts], owner), len(cut), known),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """The different words of some texts in codes (`wording.code`), sorted; ``bounds`` of each text's."""

    codes: U32
    bounds: I64

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def owner(self) -> I64:
        """Whose each word is."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    def take(self, rows: I64) -> Said:
        """Return those of some of the texts, in the order of ``rows``."""
        sizes = np.diff(self.bounds)[rows]
        return Said(self.codes[ranges(self.bounds[rows], sizes)], bounds_of(sizes))

    def heaviest(self, most: int, known: wording.Lexicon) -> Said:
        """Return of each text the ``most`` words that weigh most; of equal ones those of the smaller code."""
        owner = self.owner
        by = np.lexsort((self.codes, -known.weights(self.codes), owner))
        kept = np.sort(by[np.arange(len(by)) - self.bounds[owner[by]] < most])
        return Said(self.codes[kept], bounds_of(np.minimum(np.diff(self.bounds), most)))


def spoken(texts: Syllables, form: U64, known: wording.Lexicon) -> Said:
    """Return the words of texts that weigh anything.

    Args:
        texts: The syllables of each record.
        form: Shingles that are form text, sorted.
        known: What is known of words.
    """
    parts = [
        _word_codes(_told(texts.take(np.arange(start, min(start + _TEXTS, len(texts)))), form), known)
        for start in range(0, max(len(texts), 1), _TEXTS)
    ]
    return together(parts)


def together(parts: Sequence[Said]) -> Said:
    """Return the words of several lists of texts (one or more) as those of one list."""
    return Said(np.concatenate([part.codes for part in parts]), joined([part.bounds for part in parts]))


def word_rows(said: Said, known: wording.Lexicon) -> tuple[U32, csr_array]:
    """Return the different words, sorted, and texts x words with what each weighs."""
    columns, place = np.unique(wording.word_of(said.codes), return_inverse=True)
    shape = (len(said), max(len(columns), 1))
    return columns, csr_array((known.weights(said.codes), place, said.bounds), shape=shape)


@dataclass(frozen=True, slots=True)
class _Told:
    """Texts in syllables and shingles, and which of them count.

    ``owner`` is whose each syllable is and ``whose`` whose each shingle; ``begins`` is each shingle's first
    syllable. ``codes`` are the parts of the form; ``counts`` tells content that is no number.
    """

    marks: Marks
    said: wording.Words
    owner: I64
    whose: I64
    begins: I64
    codes: NDArray[np.uint8]
    counts: Mask

    def __len__(self) -> int:
        return len(self.marks)


def _told(texts: Syllables, form: U64) -> _Told:
    marks, said, codes = texts.marks, texts.said, texts.codes
    whose = np.repeat(np.arange(len(marks)), np.diff(marks.bounds))
    return _Told(
        marks,
        said,
        np.repeat(np.arange(len(marks)), np.diff(said.starts)),
        whose,
        np.arange(len(whose)) - marks.bounds[whose] + marks.starts[whose],
        codes,
        _content(marks, form) & (codes != _FORM) & ~said.number,
    )


def _content(marks: Marks, form: U64) -> Mask:
    """Return which syllables are outside form text: those that a shingle which counts reaches over."""
    return _reached(marks, ~_in(marks.shingles, form))


def _reached(marks: Marks, counts: Mask) -> Mask:
    """Return which syllables the shingles that count reach over."""
    whose = np.repeat(np.arange(len(marks)), np.diff(marks.bounds))[counts]
    first = np.flatnonzero(counts) - marks.bounds[whose] + marks.starts[whose]
    ends = marks.starts[whose + 1]
    inside = np.zeros(len(marks.syllables), dtype=bool)
    for offset in range(marks.width):
        place = first + offset
        # The one shingle of a text shorter than it would reach into the next text.
        inside[place[place < ends]] = True
    return inside


def _shingle_weights(columns: U64, frequencies: Frequencies, form: U64) -> F64:
    """Return what each shingle weighs: ln((N + 1) / df), nothing if it is form text.

    Of a small file, what most records share counts less: three may repeat one another, what stands in nearly
    all of thirty is more likely their form, which a frequency cannot yet tell.
    """
    records = frequencies.records
    df = np.maximum(frequencies.of(columns), 1)
    weights = np.log((max(records, BIG_FILE) + 1) / df)
    if records < BIG_FILE:
        weights *= np.where(df <= _FEW, 1.0, np.maximum(1 - df / max(records, 1), _FAINT))
    weights[_in(columns, form)] = 0.0
    return np.maximum(weights, 0.0)


def _telling(cut: _Told, known: wording.Lexicon) -> F64:
    """Return how telling each different shingle is (about 0.1 to 3): by how rare its syllables are.

    The sentences of a form that nobody listed are told from content by their words: everybody's words.
    """
    rarity = np.append(known.folded_rarities(cut.marks.syllables.astype(np.uint64)), [0.0, 0.0])
    ends = cut.marks.starts[cut.whose + 1]
    # The one shingle of a text shorter than it would reach into the next text.
    places = [cut.begins + offset for offset in range(cut.marks.width)]
    mean = np.sum([np.where(place < ends, rarity[place], 0.0) for place in places], axis=0) / len(places)
    _, first = np.unique(cut.marks.shingles, return_index=True)
    telling: F64 = np.clip((mean[first] - _PLAIN) / _TELLING, 0.1, 3.0).astype(np.float64)
    return telling


def _outside_form(cut: _Told, columns: U64, weights: F64) -> csr_array:
    """Return rows x shingles with their weights, without those that stand in a sentence of the form only."""
    stands = (
        cut.codes[np.minimum(cut.begins, len(cut.codes) - 1)] != _FORM if len(cut.codes) else cut.whose > 0
    )
    place = np.searchsorted(columns, cut.marks.shingles[stands])
    found = csr_array(
        (np.ones(len(place)), (cut.whose[stands], place)), shape=(len(cut), max(len(columns), 1))
    )
    found.sum_duplicates()
    found.data = weights[found.indices] if len(weights) else found.data
    found.eliminate_zeros()
    return found


def _matrix(hashes: U64, owner: I64, rows: int) -> tuple[U64, csr_array]:
    """Return the different hashes, sorted, and rows x hashes of ones."""
    columns, place = np.unique(hashes, return_inverse=True)
    found = csr_array((np.ones(len(place)), (owner, place)), shape=(rows, max(len(columns), 1)))
    found.sum_duplicates()
    found.data[:] = 1
    return columns, found


def _weighted(ones: csr_array, weights: F64) -> csr_array:
    found = ones.copy()
    if len(weights):
        found.data = weights[found.indices]
    return found


def _word_codes(cut: _Told, known: wording.Lexicon) -> Said:
    """Return each text's different words and meanings that weigh anything.

    A word weighs what its weightiest place in the text makes of it: in the solution twice what it does
    elsewhere.
    """
    concepts, first = wording.meanings(cut.said, cut.counts, known)
    places = np.concatenate((np.flatnonzero(cut.counts), first))
    hashes = np.concatenate((cut.said.hashes[cut.counts], concepts))
    keys = cut.owner[places].astype(np.uint64) << np.uint64(32)
    keys |= wording.code(hashes, full=_SOLUTION[cut.codes[places]])
    keys.sort()
    # Of one word both codes may stand together, the heavier one behind: the last of a word counts.
    keys = keys[begins(keys[::-1] >> np.uint64(1))[::-1]]
    codes = keys.astype(np.uint32)
    weighty = known.weights(codes) > 0
    owner = (keys[weighty] >> np.uint64(32)).astype(np.int64)
    return Said(codes[weighty], np.searchsorted(owner, np.arange(len(cut) + 1)))


def _bare(cut: _Told, known: wording.Lexicon) -> csr_array:
    folded = cut.marks.syllables[cut.counts].astype(np.uint64)
    columns, ones = _matrix(folded, cut.owner[cut.counts], len(cut))
    return _weighted(
        ones, np.maximum(known.folded_rarities(columns) - wording.ORDINARY, 0).astype(np.float64)
    )


def _marked(cut: _Told) -> Mask:
    """Return which texts are written with marks: of Vietnamese syllables most bear one."""
    bare = np.bincount(cut.owner[~cut.said.marked], minlength=len(cut))
    return np.asarray(bare < _BARE * np.diff(cut.said.starts), dtype=bool)


def _compounds(cut: _Told, known: wording.Lexicon) -> csr_array:
    """Return texts x pairs of neighbouring syllables, as rare as both together."""
    both = np.flatnonzero(cut.counts[:-1] & cut.counts[1:] & (cut.owner[:-1] == cut.owner[1:]))
    one, other = cut.said.hashes[both], cut.said.hashes[both + 1]
    hashes = one * np.uint64(3) + other * np.uint64(STEPS[0])
    _, first = np.unique(hashes, return_index=True)
    rarity = known.rarities(one[first]) + known.rarities(other[first])
    _, ones = _matrix(hashes, cut.owner[both], len(cut))
    return _weighted(ones, np.maximum(rarity - 2 * wording.ORDINARY, 0).astype(np.float64))


def unit_rows(found: csr_array) -> csr_array:
    """Return the rows with length 1 (those of length 0 as they are)."""
    length = np.sqrt(found.multiply(found).sum(axis=1))
    return csr_array(diags_array(np.divide(1, length, out=np.zeros_like(length), where=length > 0)) @ found)


def dot(one: csr_array, other: csr_array, rows: I64, others: I64) -> F64:
    """Return the product of row ``rows[p]`` of the one with row ``others[p]`` of the other, pair by pair."""
    products = [
        one[rows[at : at + _BLOCK]].multiply(other[others[at : at + _BLOCK]]).sum(axis=1)
        for at in range(0, len(rows), _BLOCK)
    ]
    return np.concatenate(products) if products else np.zeros(0)


def measure(found: Sides, one: I64, other: I64, near: tuple[I64, I64]) -> F64:
    """Return how alike the pairs ``(one, other)`` of rows are: pairs x `NAMES`.

    Args:
        found: The numbers of the records.
        one: A row a pair.
        other: A row a pair.
        near: Rows and the rows nearest to them: what a pair must surpass.
    """
    share, plain = _passages(found, one, other)
    words = _words_alike(found, one, other)
    return np.column_stack(
        (
            share,
            plain,
            _held(found.shingles, one, other) - plain,
            words,
            np.minimum(dot(found.compounds, found.compounds, one, other), _TERMS),
            (found.meaning[one] * found.meaning[other]).sum(axis=1),
            *_margins(found, one, other, near, words),
            longest_run(found, one, other),
            np.full(len(one), float(found.records)),
        )
    )


def _passages(found: Sides, one: I64, other: I64) -> tuple[F64, F64]:
    """Return the features ``share`` and ``plain`` of the pairs."""
    weight = found.weights.sum(axis=1)
    lighter = np.minimum(weight[one], weight[other])
    rooted = found.weights.sqrt()
    share = dot(rooted, rooted, one, other) / np.maximum(lighter, _FLOOR * np.log(BIG_FILE + 1))
    counted = found.weights.copy()
    counted.data = np.ones(counted.nnz)
    plain = _held(counted, one, other)
    return np.where(plain >= _WHOLE, np.maximum(share, plain), share), plain


def _held(ones: csr_array, one: I64, other: I64) -> F64:
    """Return how many things of the shorter row the other has, as a share."""
    size = ones.sum(axis=1)
    held: F64 = dot(ones, ones, one, other) / np.maximum(np.minimum(size[one], size[other]), 2 * _FLOOR)
    return held


def _words_alike(found: Sides, one: I64, other: I64) -> F64:
    """Return the cosine of the words; where one text has no marks, of the syllables without."""
    words = dot(found.words, found.words, one, other)
    bare = np.flatnonzero(~(found.marked[one] & found.marked[other]))
    words[bare] = dot(found.bare, found.bare, one[bare], other[bare])
    return words


def _margins(found: Sides, one: I64, other: I64, near: tuple[I64, I64], words: F64) -> tuple[F64, F64]:
    """Return how far each pair is ahead of the next best one of either record: the smaller and the larger."""
    alike = _words_alike(found, *near)
    # A record that repeats this one is no rival: a source may have many copies. In a small file their weight
    # alone does not tell them: what stands in many of its records weighs little there.
    strange = (_passages(found, *near)[0] < _COPY) & (alike < _SAME_WORDS)
    rows, others, alike = near[0][strange], near[1][strange], alike[strange]
    by = np.lexsort((-alike, rows))
    rows, others, alike = np.append(rows[by], -1), np.append(others[by], -1), np.append(alike[by], 0.0)
    nobody = len(rows) - 1
    # Of each row the two best: the second is the rival of the best.
    every = np.arange(found.words.shape[0])
    first = np.searchsorted(rows[:-1], every)
    second = np.where(rows[np.minimum(first + 1, nobody)] == every, np.minimum(first + 1, nobody), nobody)
    first = np.where(rows[first] == every, first, nobody)
    ahead = [
        words - np.where(others[first[row]] == partner, alike[second[row]], alike[first[row]])
        for row, partner in ((one, other), (other, one))
    ]
    return np.minimum(*ahead), np.maximum(*ahead)


def form_share(texts: Syllables, form: U64) -> F64:
    """Return what share of each text's syllables is form text (0 to 1; 0 of an empty one).

    Args:
        texts: The syllables of each record.
        form: Shingles that are form text, sorted.

    >>> from pipeline.dedupe.shingles import fingerprint
    >>> from pipeline.dedupe.syllables import syllables
    >>> form = np.unique(fingerprint(["Kính gửi hội đồng sáng kiến"]).shingles)
    >>> texts = [("Máy ép", "Kính gửi hội đồng sáng kiến. Khuôn gỗ"), ("Máy ép", "")]
    >>> form_share(syllables(texts, parts.headings([])), form).round(2).tolist()
    [0.6, 0.0]
    """
    marks = texts.marks
    stock = _reached(marks, _in(marks.shingles, form)) | (texts.codes == _FORM)
    sums = np.concatenate(([0], np.cumsum(stock)))
    share: F64 = np.diff(sums[marks.starts]) / np.maximum(np.diff(marks.starts), 1)
    return share


def longest_run(found: Sides, one: I64, other: I64) -> I64:
    """Return the most shingles that two records share one after another, outside form text, pair by pair."""
    runs = [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(one), _BLOCK):
        mine, yours = one[start : start + _BLOCK], other[start : start + _BLOCK]
        # A text that repeats itself has a longer run than the other ever wrote: the shorter of both counts.
        runs.append(
            np.minimum(
                _longest_run(found.marks, found.form, mine, yours),
                _longest_run(found.marks, found.form, yours, mine),
            )
        )
    return np.concatenate(runs)


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


def _in(values: U64, ordered: U64) -> Mask:
    return wording.find(ordered, values)[1]
