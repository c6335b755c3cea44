"""The tables of letters and tones against Unicode's own account of every Vietnamese letter."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from pipeline.normalize import fold_table, letter_table, tone_table

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
VOWELS = "aăâeêioôơuưy"
LETTERS = [
    (unicodedata.normalize("NFC", vowel + tone), vowel, number)
    for lower in VOWELS
    for vowel in (lower, lower.upper())
    for number, tone in enumerate(TONES)
]
"""Every composed vowel, its vowel without the tone, and the number of the tone."""


@pytest.mark.parametrize(("whole", "vowel", "tone"), LETTERS, ids=[each[0] for each in LETTERS])
def test_each_vowel_is_its_letter_and_its_tone(whole, vowel, tone):
    """A composed vowel is read as the lower-case vowel with its hat or horn, and as its tone."""
    assert len(whole) == 1
    assert chr(letter_table()[ord(whole)]) == vowel.lower()
    assert tone_table()[ord(whole)] == tone


def test_the_letters_are_all_there_are():
    """Only composed Vietnamese vowels have a tone; only those, and đ, are read otherwise than folded."""
    composed = {ord(whole) for whole, *_ in LETTERS}
    assert set(np.flatnonzero(tone_table()).tolist()) == {ord(whole) for whole, _, tone in LETTERS if tone}
    other = set(np.flatnonzero(letter_table() != fold_table()).tolist())
    assert other == {code for code in composed if chr(letter_table()[code]) not in "aeiouy"} | {
        ord("đ"),
        ord("Đ"),
    }


def test_both_tables_cut_the_same_syllables():
    """A code point is nothing, or a blank, as a letter exactly where it is one folded."""
    for cut in (0, ord(" ")):
        assert ((letter_table() == cut) == (fold_table() == cut)).all()


def test_nobody_can_write_into_the_tables():
    """The tables are shared by all callers, so they are read-only."""
    for table in (letter_table(), tone_table()):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 1
