"""Texts to numbers: every run of three folded syllables becomes one 40-bit hash.

Folding (marks removed, đ → d, case and punctuation gone) is one gather through
`normalize.fold_table`, and the hashes come from prefix sums of a polynomial, so that a whole chunk of
records costs a dozen numpy passes and no Python per character. NFC and NFD give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

SEPARATOR: Final = 32
HASH_BITS: Final = 40
_CHUNK: Final = 1 << 16  # code points at a time: larger arrays go back to the system after every chunk
_BASE: Final = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64
_STEP: Final = (0xD1342543DE82EF95, 0xAEF17502108EF2D9, 0x94D049BB133111EB)


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


@cache
def _powers(base: int, count: int) -> U64:
    powers = np.full(count, base, dtype=np.uint64)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)
    powers.setflags(write=False)
    return powers


def _mix(values: U64) -> U64:
    """Return ``values`` well mixed: polynomial hashes are weak in the low bits.

    The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    """
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def syllable_hashes(texts: Sequence[str]) -> tuple[U64, I64]:
    """Return the 64-bit hash of each folded syllable, and the bounds of each text's (``len(texts) + 1``).

    >>> hashes, bounds = syllable_hashes(["Sáng kiến", "SANG  KIEN!", ""])
    >>> bounds.tolist(), bool((hashes[:2] == hashes[2:]).all())
    ([0, 2, 4, 4], True)
    """
    # A separator behind each text keeps its last syllable from running into the next text's first.
    points = np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "replace"), dtype=np.uint32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    folded = normalize.fold_table()[points]
    kept = folded != 0
    ends = np.cumsum(lengths + 1)
    if kept.all():
        text_ends = ends
    else:
        text_ends = np.concatenate(([0], np.cumsum(kept)))[ends]
        folded = folded[kept]
    inside = folded != SEPARATOR
    padded = np.concatenate(([False], inside, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    starts, stops = edges[::2], edges[1::2]
    count = 1 << max(12, len(folded).bit_length())
    sums = np.zeros(len(folded) + 1, dtype=np.uint64)
    np.cumsum(folded * _powers(_BASE, count)[: len(folded)], out=sums[1:])
    inverse = _powers(pow(_BASE, -1, 1 << 64), count)
    hashes = _mix((sums[stops] - sums[starts]) * inverse[starts])
    bounds = np.searchsorted(starts, np.concatenate(([0], text_ends)))
    return hashes, bounds.astype(np.int64)


def _marks(syllables: U64, starts: I64, width: int) -> Marks:
    counts = np.diff(starts)
    digests = _digests(syllables, starts)
    mixed = np.zeros(max(len(syllables) - width + 1, 0), dtype=np.uint64)
    for offset in range(width):
        mixed += syllables[offset : offset + len(mixed)] * np.uint64(_STEP[offset % 3] + 2 * (offset // 3))
    # A shingle must not reach over the border into the next text.
    whole = np.ones(len(mixed), dtype=bool)
    for back in range(1, width):
        at = starts[1:] - back
        whole[at[(at >= 0) & (at < len(mixed))]] = False
    short = np.flatnonzero((counts > 0) & (counts < width))
    sizes = np.maximum(counts - width + 1, 0)
    sizes[short] = 1
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    shingles = np.empty(bounds[-1], dtype=np.uint64)
    long = np.ones(len(shingles), dtype=bool)
    long[bounds[short]] = False
    shingles[long] = _mix(mixed[whole])
    shingles[bounds[short]] = digests[short, 0]
    return Marks(
        (syllables >> np.uint64(32)).astype(np.uint32),
        starts,
        shingles >> np.uint64(64 - HASH_BITS),
        bounds,
        digests,
        width,
    )


def _digests(syllables: U64, starts: I64) -> U64:
    counts = np.diff(starts)
    filled = counts > 0
    place = np.arange(len(syllables)) - np.repeat(starts[:-1], counts)
    size = 1 << max(12, int(place.max(initial=0)).bit_length())
    digests = np.zeros((len(counts), 2), dtype=np.uint64)
    for column, base in enumerate(_STEP[:2]):
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(syllables * _powers(base, size)[place])))
        digests[filled, column] = _mix((sums[starts[1:]] - sums[starts[:-1]])[filled] + np.uint64(column + 1))
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
        if size and size + len(text) >= _CHUNK:
            parts.append(_marks(*syllable_hashes(texts[start:stop]), width))
            start, size = stop, 0
        size += len(text) + 1
    parts.append(_marks(*syllable_hashes(texts[start:]), width))
    return Marks(
        np.concatenate([part.syllables for part in parts]),
        _joined([part.starts for part in parts]),
        np.concatenate([part.shingles for part in parts]),
        _joined([part.bounds for part in parts]),
        np.concatenate([part.digests for part in parts]),
        width,
    )


def _joined(bounds: list[I64]) -> I64:
    shifts = np.cumsum([0] + [part[-1] for part in bounds])
    return np.concatenate(
        [np.zeros(1, np.int64), *(part[1:] + shift for part, shift in zip(bounds, shifts, strict=False))]
    )
