"""Texts cut into syllables once, for everything that asks about them.

A comparison looks at a text in three ways: by runs of folded syllables (`shingles`), by syllables with their
marks (`wording`), and by the part of the form each stands in (`parts`). All three cut a text alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dedupe import wording
from pipeline.dedupe.parts import Headings, part_codes
from pipeline.dedupe.shingles import Marks, fingerprint, ranges

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Syllables:
    """The syllables of a list of texts.

    Attributes:
        marks: Folded, alone and a few at a time.
        said: With their marks; ``said.starts`` equals ``marks.starts``.
        codes: The part of the form each stands in (place in `parts.KINDS`).
    """

    marks: Marks
    said: wording.Words
    codes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.marks)

    def take(self, rows: I64) -> Syllables:
        """Return those of some of the texts, in the order of ``rows``."""
        if len(rows) == len(self) and (rows == np.arange(len(self))).all():
            return self
        said, marks = self.said, self.marks.of(rows)
        places = ranges(said.starts[rows], np.diff(marks.starts))
        words = wording.Words(said.hashes[places], marks.starts, said.number[places], said.marked[places])
        return Syllables(marks, words, self.codes[places])


def syllables(texts: Sequence[tuple[str, str]], table: Headings, *, width: int = 3) -> Syllables:
    """Return the syllables of texts.

    Args:
        texts: Clean title and description of each.
        table: How the parts of a form begin.
        width: Syllables a shingle, 1 or more.

    >>> from pipeline.dedupe.parts import headings
    >>> found = syllables([("Máy ép", "Khuôn gỗ"), ("Máy", "")], headings([]))
    >>> found.marks.starts.tolist(), found.take(np.array([1])).marks.starts.tolist()
    ([0, 4, 5], [0, 1])
    """
    whole = [f"{title}\n{text}" for title, text in texts]
    return Syllables(fingerprint(whole, width=width), wording.words(whole), part_codes(whole, table)[0])
