"""Code point to Vietnamese letter and to tone, for reading many texts with one gather.

`forms.fold_table` forgets marks, so that a text without them still meets its source. These tables keep them:
words that differ by a mark are other words. The tone stands apart from its letter, because writers put it
on different ones (``hoà``, ``hòa``).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.normalize.forms import fold_table

_TONES: Final = {"\u0300": 1, "\u0301": 2, "\u0303": 3, "\u0309": 4, "\u0323": 5}
_VOWELS: Final = "aăâeêioôơuưy"


@cache
def letter_table() -> npt.NDArray[np.uint32]:
    """Return what each code point is as a letter: as `forms.fold_table`, but ă, â, đ, ê, ô, ơ, ư stay.

    Shape (0x110000,), read-only. It is zero, or a blank, exactly where the fold table is, so that both cut a
    composed text (NFC) into the same syllables.

    >>> "".join(chr(letter_table()[ord(c)]) for c in "ĐƯỜNG")
    'đương'
    """
    table = fold_table().copy()
    for code, (letter, _) in _vowels().items():
        table[code] = ord(letter)
    table[[ord("đ"), ord("Đ")]] = ord("đ")
    table.setflags(write=False)
    return table


@cache
def tone_table() -> npt.NDArray[np.uint8]:
    """Return the tone of each code point: 0 none, 1 to 5 grave, acute, tilde, hook, dot. Shape (0x110000,).

    >>> [int(tone_table()[ord(c)]) for c in "àáãảạa"]
    [1, 2, 3, 4, 5, 0]
    """
    table = np.zeros(0x110000, dtype=np.uint8)
    for code, (_, tone) in _vowels().items():
        table[code] = tone
    table.setflags(write=False)
    return table


@cache
def _vowels() -> dict[int, tuple[str, int]]:
    """Return letter and tone of every composed vowel that Vietnamese writes."""
    found = {}
    for letter in _VOWELS + _VOWELS.upper():
        for tone in ("", *_TONES):
            whole = unicodedata.normalize("NFC", letter + tone)
            found[ord(whole)] = (letter.lower(), _TONES.get(tone, 0))
    return found
