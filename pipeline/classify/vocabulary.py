"""Texts → counts of syllables and of neighbouring syllables, a whole batch at a time."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

Integers = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

_WORDS: Final = re.compile(r"\w+").findall  # one-letter syllables count too: y tế, ý kiến, ô tô
_UNKNOWN: Final = -1


class Words(NamedTuple):
    """The words of some texts, one after another.

    ``lexicon`` holds the spellings; ``spelling`` is each word's place there, ``text`` the text it stands in,
    ``texts`` their number.
    """

    lexicon: list[str]
    spelling: Integers
    text: Integers
    texts: int

    def respelt(self, respell: Callable[[list[str]], list[str]]) -> Words:
        """Return the same words written otherwise; all spellings are asked for at once, not each word."""
        return self._replace(lexicon=respell(self.lexicon))

    def of(self, rows: npt.NDArray[np.intp]) -> Words:
        """Return the words of some of the texts, in rising order."""
        number = np.full(self.texts, _UNKNOWN, dtype=np.int64)
        number[rows] = np.arange(len(rows))
        text = number[self.text]
        here = text >= 0
        return Words(self.lexicon, self.spelling[here], text[here], len(rows))

    def sizes(self) -> Integers:
        """Return the number of words of each text."""
        return np.bincount(self.text, minlength=self.texts)


def read(texts: Sequence[str]) -> Words:
    """Return the words of ``texts``: runs of letters, digits and underscores, composed (NFC), case folded.

    >>> words = read(["Ô tô", "tô, vẽ"])
    >>> words.lexicon, words.spelling.tolist(), words.text.tolist()
    (['ô', 'tô', 'vẽ'], [0, 1, 1, 2], [0, 0, 1, 1])
    """
    # What is decomposed would fall into pieces at its marks, and capitals would be other words.
    rows = [_WORDS(unicodedata.normalize("NFC", text).casefold()) for text in texts]
    places: defaultdict[str, int] = defaultdict(count().__next__)
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    words = map(places.__getitem__, chain.from_iterable(rows))
    spelling = np.fromiter(words, dtype=np.int64, count=int(lengths.sum()))
    return Words(list(places), spelling, np.repeat(np.arange(len(rows)), lengths), len(rows))


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The syllables and pairs of neighbouring syllables a model knows: one column of its counts each.

    ``syllables`` numbers the known syllables 0, 1, … in alphabetical order; ``pairs`` holds
    ``left * len(syllables) + right`` in rising order. Columns are the syllables, then the pairs.
    """

    syllables: dict[str, int]
    pairs: Integers

    def __len__(self) -> int:
        return len(self.syllables) + len(self.pairs)

    def count(self, words: Words) -> sparse.csr_array:
        r"""Return how often each column occurs in each text: float32, shape (texts, len(self)).

        The numbers of scikit-learn's ``CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+",
        lowercase=False)`` with this vocabulary, from array operations.

        >>> Vocabulary.learn(read(["an toàn"] * 2)).count(read(["an toàn an", "toàn"])).toarray().tolist()
        [[2.0, 1.0, 1.0], [0.0, 1.0, 0.0]]
        """
        number = self._numbers(words)
        known = np.flatnonzero(number >= 0)
        codes, left = _pairs(words, number, len(self.syllables))
        column = np.searchsorted(self.pairs, codes)
        inside = np.flatnonzero(column < len(self.pairs))
        hit = inside[self.pairs[column[inside]] == codes[inside]]
        return _tally(
            np.concatenate([words.text[known], words.text[left[hit]]]),
            np.concatenate([number[known], column[hit] + len(self.syllables)]),
            (words.texts, len(self)),
        )

    def unknown(self, words: Words) -> Shares:
        """Return the share (0 to 1) of each text's words that is not known; 0 for a text without words.

        A number is never unknown: a new amount says nothing about the subject.

        >>> Vocabulary.learn(read(["an toàn"] * 2)).unknown(read(["an toàn điện 220", ""]))
        array([0.25, 0.  ])
        """
        strange = [word not in self.syllables and not word.isdigit() for word in words.lexicon]
        places = np.array(strange, dtype=bool)[words.spelling]
        return np.bincount(words.text[places], minlength=words.texts) / np.maximum(words.sizes(), 1)

    def pack(self) -> npt.NDArray[np.uint8]:
        r"""Return the vocabulary as the UTF-8 bytes of its terms, one a line, in the order of the columns.

        >>> Vocabulary.learn(read(["an toàn"] * 2)).pack().tobytes().decode()
        'an\ntoàn\nan toàn'
        """
        names = list(self.syllables)
        left, right = np.divmod(self.pairs, max(len(names), 1))
        pairs = [f"{names[a]} {names[b]}" for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        return np.frombuffer("\n".join(names + pairs).encode(), dtype=np.uint8)

    @classmethod
    def unpack(cls, packed: npt.NDArray[np.uint8]) -> Vocabulary:
        """Return the vocabulary that was packed."""
        terms = packed.tobytes().decode().splitlines()
        syllables = {term: number for number, term in enumerate(term for term in terms if " " not in term)}
        halves = [term.split(" ") for term in terms[len(syllables) :]]
        codes = [syllables[left] * len(syllables) + syllables[right] for left, right in halves]
        return cls(syllables, np.array(codes, dtype=np.int64))

    @classmethod
    def learn(cls, words: Words, *, least: int = 2, most: int = 200_000) -> Vocabulary:
        """Return the terms that stand in at least ``least`` of the texts, at most the ``most`` frequent.

        Of equally frequent terms at the edge, syllables go before pairs, then in order of the alphabet.
        """
        every = {name: place for place, name in enumerate(sorted(set(words.lexicon) - {""}))}
        whole = cls(every, np.empty(0, dtype=np.int64))
        codes, _ = _pairs(words, whole._numbers(words), len(every))
        whole = cls(every, np.unique(codes))
        counts = whole.count(words)
        texts_with = np.bincount(counts.indices, minlength=len(whole))
        # A pair is never more frequent than its halves, and ties go to the front: the halves are kept too.
        order = np.argsort(-counts.sum(axis=0), kind="stable")
        kept = np.sort(order[texts_with[order] >= least][:most])
        return whole.only(kept)

    def only(self, columns: npt.NDArray[np.intp]) -> Vocabulary:
        """Return the vocabulary of some columns, in rising order; a pair's halves must be among them."""
        syllables = columns[columns < len(self.syllables)]
        names = list(self.syllables)
        renumber = np.full(len(names), _UNKNOWN, dtype=np.int64)
        renumber[syllables] = np.arange(len(syllables))
        pairs = self.pairs[columns[len(syllables) :] - len(names)]
        left, right = np.divmod(pairs, max(len(names), 1))
        codes = renumber[left] * len(syllables) + renumber[right]
        return Vocabulary({names[old]: new for new, old in enumerate(syllables.tolist())}, codes)

    def _numbers(self, words: Words) -> Integers:
        """Return each word's number among the known syllables, -1 for an unknown one."""
        known = [self.syllables.get(word, _UNKNOWN) for word in words.lexicon]
        return np.array(known, dtype=np.int64)[words.spelling]


def _pairs(words: Words, number: Integers, syllables: int) -> tuple[Integers, npt.NDArray[np.intp]]:
    """Return the code of each pair of known neighbours in one text, and the place of its left half."""
    known = number >= 0
    left = np.flatnonzero(known[:-1] & known[1:] & (words.text[:-1] == words.text[1:]))
    return number[left] * syllables + number[left + 1], left


def _tally(rows: Integers, columns: Integers, shape: tuple[int, int]) -> sparse.csr_array:
    """Return the matrix that counts how often each (row, column) is given, columns in rising order."""
    ones = np.ones(len(rows), dtype=np.float32)
    # 32-bit places halve the traffic, and the linear model's compiled code takes no others.
    places = (rows.astype(np.int32), columns.astype(np.int32))
    counts = sparse.coo_array((ones, places), shape=shape).tocsr()
    counts.sum_duplicates()
    return counts
