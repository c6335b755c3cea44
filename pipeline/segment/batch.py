"""The words of many texts at once: the same as one by one, an order of magnitude sooner.

Runs of characters become numbers (`lexicon`), all texts together one row of tokens, which is labelled as a
whole (`lattice`). A text is left to the slow path (`reference`) where the answer hangs on the last digits of
a sum, where a token reaches over a blank, or where it holds what the model cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.segment import guards
from pipeline.segment.crf import Ids
from pipeline.segment.lattice import GAP, Flags, Lattice, Tokens
from pipeline.segment.lexicon import LAST, LINE_END, LOWERED, Lexicon, NotARunError

NEW_WORD: Final = 0
AFTER_BLANK: Final = 1
ATTACHED: Final = 2
"""Where a token stands: it begins a word; it goes on with one behind a blank, or with nothing between."""

_AT_ONCE: Final = 1 << 17  # characters: what is held for them stays in a processor's cache
_HELD: Final = 1 << 25  # bytes of runs that are remembered, roughly
_MARGIN: Final = 1e-9  # what rounding may add up to; in long documents it is more
_SHORT: Final = 100  # tokens
_OVER_A_BLANK: Final = re.compile(r"Th[^\S\n][Ss]")


class Group(NamedTuple):
    """The tokens of some texts, one after the other.

    Attributes:
        kinds: Each token's number.
        surfaces: Each number's token as it stands in the text.
        spellings: Each number's token as the model knows it.
        glue: Where each token stands: `NEW_WORD`, `AFTER_BLANK` or `ATTACHED`.
        bounds: Where each text begins among the tokens, and where the last ends.
        guarded: Whether each text was not read as it is.
        slow: Whether each text must be read the slow way; its tokens mean nothing then.
    """

    kinds: Ids
    surfaces: NDArray[np.object_]
    spellings: NDArray[np.object_]
    glue: NDArray[np.int8]
    bounds: list[int]
    guarded: list[bool]
    slow: list[bool]

    def lines(self, glue: tuple[str, str, str]) -> Iterator[str]:
        """Yield each text's tokens in one line; ``glue`` is what stands before one: three single signs."""
        return self._joined(glue, self.surfaces)

    def spelled(self) -> Iterator[list[str]]:
        """Yield each text's words as the model spells them, with single blanks inside."""
        for line in self._joined(("\n", " ", " "), self.spellings):
            yield line.split("\n") if line else []

    def _joined(self, glue: tuple[str, str, str], strings: NDArray[np.object_]) -> Iterator[str]:
        pieces = np.empty(2 * len(self.kinds), dtype=object)
        pieces[0::2] = np.array(glue, dtype=object)[self.glue]
        pieces[1::2] = strings[self.kinds]
        listed = pieces.tolist()
        for start, end in pairwise(self.bounds):
            yield "".join(listed[2 * start + 1 : 2 * end])  # nothing before the first


class Batch:
    """Reads texts; safe to be shared by threads, which take turns."""

    def __init__(self, lattice: Lattice, lexicon: Lexicon) -> None:
        self._lattice = lattice
        self._lexicon = lexicon
        self._turn = Lock()

    def read(self, texts: Sequence[str], *, plain: bool = False) -> Iterator[Group]:
        """Yield the tokens of all texts in order, some texts at a time.

        Each text holds at most `guards.LONGEST` characters. With ``plain`` a text is read as underthesea
        would: capitals as capitals, words over line ends, and words also where diacritics are missing.
        """
        sizes = [size // _AT_ONCE for size in accumulate(map(len, texts))]
        cuts = [0, *(at for at in range(1, len(texts)) if sizes[at] != sizes[at - 1]), len(texts)]
        for start, end in pairwise(cuts if texts else ()):
            with self._turn:
                group = self._group(texts[start:end], plain=plain)
            yield group

    def _group(self, texts: Sequence[str], *, plain: bool) -> Group:
        lexicon = self._lexicon
        lexicon.trim(_HELD)
        found = [self._numbers(text) for text in texts]
        sizes = np.array([len(numbers) for numbers in found])
        runs = np.array([number for numbers in found for number in numbers], dtype=np.int64)
        text_of = np.repeat(np.arange(len(texts)), sizes)
        lexicon.settle()
        begins = _line_begins(runs, text_of)
        if not plain:
            self._lower(runs, begins)
            lexicon.settle()
        known = lexicon.runs
        counts = known.size[runs]
        run_of = np.repeat(np.arange(len(runs)), counts)
        ends = np.cumsum(counts)
        place = np.arange(len(run_of)) - (ends - counts)[run_of]  # among the tokens of its run
        kinds = lexicon.flat[known.first[runs][run_of] + place]
        owner = text_of[run_of]
        new, unsure = self._label(kinds, owner, len(texts))
        if not plain:
            new |= begins[run_of] & (place == 0)
            new |= self._bare(runs, text_of, len(texts))[owner]
        glue = np.where(new, NEW_WORD, np.where(place == 0, AFTER_BLANK, ATTACHED)).astype(np.int8)

        def any_of(flags: Flags) -> Flags:
            return np.bincount(text_of, flags[runs], len(texts)) > 0

        slow = unsure | any_of(known.odd)
        for at in np.flatnonzero(any_of(known.half)).tolist():
            slow[at] |= _OVER_A_BLANK.search(texts[at]) is not None
        return Group(
            kinds,
            lexicon.surfaces,
            lexicon.spellings,
            glue,
            np.searchsorted(owner, np.arange(len(texts) + 1)).tolist(),
            any_of(known.guarded).tolist(),
            slow.tolist(),
        )

    def _numbers(self, text: str) -> list[int]:
        """Return the numbers of the runs of ``text``, and of its line ends."""
        number = self._lexicon.numbers.__getitem__
        keys = (text.replace("\n", " \n ") if "\n" in text else text).split(" ")
        if text.endswith("."):
            keys[-1] += LAST
        try:
            return list(map(number, keys))
        except NotARunError:  # blanks other than single ones
            return list(map(number, _keys(text)))

    def _lower(self, runs: Ids, begins: Flags) -> None:
        """Replace the runs of lines in capitals by the same to be read in lower case."""
        known, keys = self._lexicon.runs, self._lexicon.keys
        line_of = np.cumsum(begins) - 1
        upper, letters, count = (
            np.bincount(line_of, weights) for weights in (known.upper[runs], known.letters[runs], runs > 0)
        )
        capitals: Flags = guards.is_capitals(upper, letters, count)
        for at in np.flatnonzero(capitals[line_of] & (runs > 0)).tolist():
            runs[at] = self._lexicon.numbers[_lowered(keys[runs[at]])]

    def _bare(self, runs: Ids, text_of: Ids, texts: int) -> Flags:
        accented = np.bincount(text_of, self._lexicon.runs.accented[runs], texts) > 0
        bare: Flags = guards.is_bare(accented, np.bincount(text_of, runs > 0, texts))
        return bare

    def _label(self, kinds: Ids, owner: Ids, texts: int) -> tuple[Flags, Flags]:
        """Return whether a word begins at each token, and of which texts that is not sure."""
        places = np.arange(len(kinds)) + GAP * (owner + 1)
        row = np.zeros(len(kinds) + GAP * (texts + 1), dtype=np.int64)
        row[places] = kinds
        outside = np.ones(len(row), dtype=bool)
        outside[places] = False
        known = self._lexicon.tokens
        tokens = Tokens(known.word[row], known.lower[row], known.title[row], known.scores[row])
        labels = self._lattice.label(tokens, outside)
        sizes = np.bincount(owner, minlength=texts)
        least = _MARGIN * np.maximum(sizes / _SHORT, 1) ** 2
        unsure = np.zeros(texts, dtype=bool)
        unsure[owner[labels.margin[places] < least[owner]]] = True
        return labels.begins[places], unsure


def _keys(text: str) -> Iterator[str]:
    """Yield the runs of a text with any blanks, and its line ends."""
    runs = [run for line in text.splitlines() for run in (*line.split(), LINE_END)]
    # The end of a text is behind its last run, or before one line end.
    at_end = not text[-1:].isspace() or (text.endswith("\n") and not text[-2:-1].isspace())
    last = max((at for at, run in enumerate(runs) if run != LINE_END), default=None)
    for at, run in enumerate(runs):
        yield run + LAST if at == last and at_end and run.endswith(".") else run


def _lowered(key: str) -> str:
    return key + (LOWERED if "\n" not in key else LOWERED[1:])


def _line_begins(runs: Ids, text_of: Ids) -> Flags:
    """Return which runs (or line ends) are the first of their line."""
    begins = np.ones(len(runs), dtype=bool)
    begins[1:] = (runs[:-1] == 0) | (text_of[1:] != text_of[:-1])
    return begins
