"""The rarest words of an archive's texts, as numbers that stay on disk: the second look for a large archive.

Words are few and common beside shingles, so there are no postings: a text is a row of `RAREST` codes, and a
batch reads all rows once for the few words that are rare enough to search by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.dedupe import wording
from pipeline.dedupe.features import Said
from pipeline.dedupe.neighbours import RAREST
from pipeline.dedupe.shingles import bounds_of

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
Mask = NDArray[np.bool_]

_ROWS: Final = 1 << 15
"""Rows read at a time."""
_SIEVE: Final = 22
"""Bits of a word that are looked at first: a table of them stays in a processor's own memory."""


@dataclass(frozen=True, slots=True)
class Rarest:
    """The rarest words of texts.

    Attributes:
        tables: Texts x `RAREST` codes, sorted, 0 where there is none; the texts of one table behind those of
            the last.
        words: Every word (`wording.word_of`) of theirs, sorted.
        counts: In how many texts each stands.
    """

    tables: tuple[U32, ...]
    words: U32
    counts: I64

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    def said(self, texts: I64) -> Said:
        """Return the words of some texts."""
        starts = np.cumsum([0, *map(len, self.tables)])
        which = np.searchsorted(starts, texts, side="right") - 1
        rows = np.zeros((len(texts), RAREST), dtype=np.uint32)
        for number, table in enumerate(self.tables):
            mine = np.flatnonzero(which == number)
            rows[mine] = table[texts[mine] - starts[number]]
        return Said(rows[rows != 0], bounds_of((rows != 0).sum(axis=1)))

    def frequencies(self, words: U32) -> I64:
        """Return in how many texts each of some words stands."""
        place, there = wording.find(self.words, words)
        counts = np.zeros(len(words), dtype=np.int64)
        counts[there] = self.counts[place[there]]
        return counts

    def holders(self, words: U32) -> I64:
        """Return the texts that use one of some words (sorted), in order."""
        sieve = np.zeros(1 << _SIEVE, dtype=bool)
        shift = np.uint32(wording.WORD_BITS + 1 - _SIEVE)
        sieve[(words << np.uint32(1)) >> shift] = True
        found, start = [np.zeros(0, np.int64)], 0
        for table in self.tables if len(words) else ():
            for at in range(0, len(table), _ROWS):
                part = np.asarray(table[at : at + _ROWS])
                place = np.flatnonzero(sieve[part.ravel() >> shift])
                place = place[np.isin(wording.word_of(part.ravel()[place]), words)]
                found.append(np.unique(place // RAREST) + start + at)
            start += len(table)
        return np.concatenate(found)


def nothing() -> Rarest:
    """Return those of no text."""
    return Rarest((), np.zeros(0, np.uint32), np.zeros(0, np.int64))


def added(rarest: Rarest, said: Said) -> Rarest:
    """Return them with more texts, which have at most `RAREST` words each."""
    if not len(said):
        return rarest
    rows = np.zeros((len(said), RAREST), dtype=np.uint32)
    owner = said.owner
    rows[owner, np.arange(len(owner)) - said.bounds[owner]] = said.codes
    return _counted(rarest, (*rarest.tables, rows), said.codes, 1)


def removed(rarest: Rarest, gone: Mask) -> Rarest:
    """Return them without the words of the texts that are ``gone`` (a value a text)."""
    tables, codes, start = [], [np.zeros(0, np.uint32)], 0
    for table in rarest.tables:
        dead = gone[start : start + len(table)]
        start += len(table)
        taken = np.asarray(table[np.flatnonzero(dead)])
        if taken.any():
            codes.append(taken[taken != 0])
            tables.append(np.where(dead[:, None], np.uint32(0), table))
        else:
            tables.append(table)
    return _counted(rarest, tuple(tables), np.concatenate(codes), -1)


def _counted(rarest: Rarest, tables: tuple[U32, ...], codes: U32, sign: int) -> Rarest:
    words, more = np.unique(wording.word_of(codes), return_counts=True)
    every = np.union1d(rarest.words, words).astype(np.uint32)
    counts = np.zeros(len(every), dtype=np.int64)
    counts[np.searchsorted(every, rarest.words)] = rarest.counts
    counts[np.searchsorted(every, words)] += sign * more
    return Rarest(tables, every[counts > 0], counts[counts > 0])
