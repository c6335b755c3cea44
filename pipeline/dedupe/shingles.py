"""Texts to numbers: every run of three folded syllables becomes one 40-bit hash.

Folding (marks removed, đ → d, case and punctuation gone) is one gather through
`normalize.fold_table`, and the hashes come from prefix sums of a polynomial, so that a whole chunk of
records costs a dozen numpy passes and no Python per character. NFC and NFD give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

SEPARATOR: Final = 32
HASH_BITS: Final = 40
CHUNK: Final = 1 << 16  # code points at a time: larger arrays go back to the system after every chunk
_OTHER: Final = 255
_WORD: Final = 8
_MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], dtype=np.uint64)
_UTF8: Final = np.array([0, 0x80, 0x800, 0x10000], dtype=np.uint32)
"""First code point that takes one more byte in UTF-8."""
_BASE: Final = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64
STEPS: Final = (0xD1342543DE82EF95, 0xAEF17502108EF2D9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Marks:
    """The numbers of a list of texts, one text after another.

    ``syllables[starts[i]:starts[i + 1]]`` are the 32-bit hashes of text ``i``'s syllables,
    ``shingles[bounds[i]:bounds[i + 1]]`` those of its shingles, each below 2^40, both in the order of the
    text. A text of fewer syllables than a shingle has one shingle, a text of none has none.
    ``digests[i]`` (2 x 64 bits) are equal exactly where the folded texts are; ``width`` is the syllables a
    shingle.
    """

    syllables: U32
    starts: I64
    shingles: U64
    bounds: I64
    digests: U64
    width: int

    def __len__(self) -> int:
        return len(self.digests)

    def of(self, texts: I64) -> Marks:
        """Return those of some of the texts, in the order given."""
        counts, sizes = np.diff(self.starts)[texts], np.diff(self.bounds)[texts]
        return Marks(
            self.syllables[ranges(self.starts[texts], counts)],
            bounds_of(counts),
            self.shingles[ranges(self.bounds[texts], sizes)],
            bounds_of(sizes),
            self.digests[texts],
            self.width,
        )


def bounds_of(sizes: I64) -> I64:
    """Return where lists of these sizes begin and end, one behind another."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def ranges(starts: I64, sizes: I64) -> I64:
    """Return ``sizes[i]`` numbers from ``starts[i]`` on, one range after another.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    place = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    place += np.arange(len(place))
    return place


@cache
def _powers(base: int, count: int) -> U64:
    powers = np.full(count, base, dtype=np.uint64)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)
    powers.setflags(write=False)
    return powers


def mix(values: U64) -> U64:
    """Return ``values`` well mixed: polynomial hashes are weak in the low bits.

    The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    """
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


@dataclass(frozen=True, slots=True)
class Cut:
    """Texts cut into syllables: maximal runs of letters and digits.

    ``letters`` are the code points that are not nothing, ``kept`` which of the points given those are;
    syllable ``s`` is ``letters[begins[s]:stops[s]]``, and text ``i`` has the syllables
    ``bounds[i]`` to ``bounds[i + 1]``.
    """

    letters: NDArray[np.uint32]
    kept: NDArray[np.bool_]
    begins: I64
    stops: I64
    bounds: I64

    def hashes(self) -> U64:
        """Return a 64-bit hash of each syllable's letters, wherever it stands; not yet well mixed."""
        count = 1 << max(12, len(self.letters).bit_length())
        sums = np.zeros(len(self.letters) + 1, dtype=np.uint64)
        np.cumsum(self.letters * _powers(_BASE, count)[: len(self.letters)], out=sums[1:])
        inverse = _powers(pow(_BASE, -1, 1 << 64), count)
        return (sums[self.stops] - sums[self.begins]) * inverse[self.begins]


def cut(letters: NDArray[np.uint32], lengths: Sequence[int]) -> Cut:
    """Return the syllables of texts that were looked up letter by letter.

    Args:
        letters: A letter for each code point, 0 for nothing, `SEPARATOR` between syllables and behind each
            text, which keeps its last syllable from running into the next text's first.
        lengths: Code points of each text, without the separator.
    """
    kept = letters != 0
    ends = np.cumsum(np.asarray(lengths, dtype=np.int64) + 1)
    if not kept.all():
        ends = np.concatenate(([0], np.cumsum(kept)))[ends]
        letters = letters[kept]
    inside = letters != SEPARATOR
    padded = np.concatenate(([False], inside, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    begins, stops = edges[::2], edges[1::2]
    bounds = np.searchsorted(begins, np.concatenate(([0], ends)))
    return Cut(letters, kept, begins, stops, bounds.astype(np.int64))


def points(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the code points of ``texts``, a blank behind each."""
    return np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "replace"), dtype=np.uint32)


def syllable_hashes(texts: Sequence[str]) -> tuple[U64, I64]:
    """Return the 64-bit hash of each folded syllable, and the bounds of each text's (``len(texts) + 1``).

    >>> hashes, bounds = syllable_hashes(["Sáng kiến", "SANG  KIEN!", ""])
    >>> bounds.tolist(), bool((hashes[:2] == hashes[2:]).all())
    ([0, 2, 4, 4], True)
    """
    letters, ends = _letters(texts)
    stops = np.flatnonzero(letters == SEPARATOR)
    begins = np.concatenate((np.zeros(1, np.int64), stops[:-1] + 1))
    filled = stops > begins
    begins, stops = begins[filled], stops[filled]
    bounds = np.searchsorted(stops, np.concatenate((np.zeros(1, np.int64), ends)))
    return _hashes(letters, begins, stops - begins), bounds.astype(np.int64)


@cache
def _byte_table() -> NDArray[np.uint8]:
    """Return `normalize.fold_table` in bytes, `_OTHER` for what is no ASCII letter."""
    table = normalize.fold_table()
    small = np.where(table < _OTHER, table, _OTHER).astype(np.uint8)
    small.setflags(write=False)
    return small


def _letters(texts: Sequence[str]) -> tuple[NDArray[np.uint8], I64]:
    """Return the folded texts in UTF-8, a separator behind each, and where each ends (behind that)."""
    whole = " ".join(texts) + " "
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    raw = whole.encode("utf-16-le", "replace")
    # Two bytes a letter are faster to look up; letters beyond them have four.
    if len(raw) == 2 * len(whole):
        codes: NDArray[Any] = np.frombuffer(raw, dtype="<u2")
    else:
        codes = np.frombuffer(whole.encode("utf-32-le", "replace"), dtype="<u4")
    letters = np.take(_byte_table(), codes, mode="clip")  # every code point is in the table
    kept = letters != 0
    if letters.max(initial=0) == _OTHER:
        folded = normalize.fold_table()[codes]
        sizes = kept * np.searchsorted(_UTF8, folded, side="right")
        letters = np.frombuffer(folded[kept].tobytes().decode("utf-32-le").encode(), dtype=np.uint8)
    elif kept.all():
        return letters, ends
    else:
        sizes, letters = kept, letters[kept]
    return letters, np.concatenate(([0], np.cumsum(sizes)))[ends]


def _hashes(letters: NDArray[np.uint8], begins: I64, lengths: I64) -> U64:
    """Return a hash of each syllable: of its bytes, up to eight at a time."""
    padded = np.zeros((len(letters) // 8 + 4) * 8, dtype=np.uint8)
    padded[: len(letters)] = letters
    words = padded.view("<u8")
    hashes = _word(words, begins, lengths)
    long = np.flatnonzero(lengths > _WORD)
    if len(long):
        hashes[long] ^= mix(_word(words, begins[long] + _WORD, lengths[long] - _WORD) + np.uint64(STEPS[0]))
        # No syllable of Vietnamese is as long as this.
        for at in long[lengths[long] > 2 * _WORD].tolist():
            syllable = letters[begins[at] : begins[at] + lengths[at]].tobytes()
            hashes[at] = int.from_bytes(blake2b(syllable, digest_size=8).digest(), "little")
    return mix(hashes)


def _word(words: U64, begins: I64, lengths: I64) -> U64:
    """Return the first eight bytes from each place on, or as many as there are, as one number."""
    place = begins >> 3
    shift = ((begins & 7) << 3).astype(np.uint64)
    word = words[place] >> shift
    word |= words[place + 1] << (np.uint64(63) - shift) << np.uint64(1)
    word &= _MASKS[np.minimum(lengths, _WORD)]
    first: U64 = word
    return first


def _marks(syllables: U64, starts: I64, width: int) -> Marks:
    counts = np.diff(starts)
    digests = _digests(syllables, starts)
    mixed = np.zeros(max(len(syllables) - width + 1, 0), dtype=np.uint64)
    for offset in range(width):
        mixed += syllables[offset : offset + len(mixed)] * np.uint64(STEPS[offset % 3] + 2 * (offset // 3))
    # A shingle must not reach over the border into the next text.
    whole = np.ones(len(mixed), dtype=bool)
    for back in range(1, width):
        at = starts[1:] - back
        whole[at[(at >= 0) & (at < len(mixed))]] = False
    short = np.flatnonzero((counts > 0) & (counts < width))
    sizes = np.maximum(counts - width + 1, 0)
    sizes[short] = 1
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    shingles = mixed[whole]
    if len(short):
        shingles = np.insert(shingles, bounds[short] - np.arange(len(short)), digests[short, 0])
    return Marks(
        (syllables >> np.uint64(32)).astype(np.uint32),
        starts,
        shingles >> np.uint64(64 - HASH_BITS),
        bounds,
        digests,
        width,
    )


def _digests(syllables: U64, starts: I64) -> U64:
    filled = np.flatnonzero(np.diff(starts))
    begins = starts[filled]
    size = 1 << max(12, len(syllables).bit_length())
    digests = np.zeros((len(starts) - 1, 2), dtype=np.uint64)
    if len(begins):
        for column, base in enumerate(STEPS[:2]):
            sums = np.add.reduceat(syllables * _powers(base, size)[: len(syllables)], begins)
            sums *= _powers(pow(base, -1, 1 << 64), size)[begins]
            digests[filled, column] = mix(sums + np.uint64(column + 1))
    return digests


def fingerprint(texts: Sequence[str], *, width: int = 3) -> Marks:
    """Return the hashes of the folded syllables of each text, alone and ``width`` at a time.

    Args:
        texts: Clean texts (`normalize.clean`), any number and length.
        width: Syllables a shingle, 1 or more.

    >>> marks = fingerprint(["Cải tiến máy ép nhựa", "cai tien may ep nhua", "máy ép"])
    >>> marks.bounds.tolist(), marks.starts.tolist()
    ([0, 3, 6, 7], [0, 5, 10, 12])
    >>> bool((marks.digests[0] == marks.digests[1]).all())
    True
    """
    parts: list[Marks] = []
    start = size = 0
    for stop, text in enumerate(texts):
        if size and size + len(text) >= CHUNK:
            parts.append(_marks(*syllable_hashes(texts[start:stop]), width))
            start, size = stop, 0
        size += len(text) + 1
    parts.append(_marks(*syllable_hashes(texts[start:]), width))
    return Marks(
        np.concatenate([part.syllables for part in parts]),
        joined([part.starts for part in parts]),
        np.concatenate([part.shingles for part in parts]),
        joined([part.bounds for part in parts]),
        np.concatenate([part.digests for part in parts]),
        width,
    )


def joined(bounds: list[I64]) -> I64:
    """Return the bounds of lists of texts, one list after another."""
    shifts = np.cumsum([0] + [part[-1] for part in bounds])
    return np.concatenate(
        [np.zeros(1, np.int64), *(part[1:] + shift for part, shift in zip(bounds, shifts, strict=False))]
    )
