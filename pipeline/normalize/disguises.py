"""Letters and digits that only look like those of the text: told apart from symbols and foreign words.

A formula has Greek letters, a Russian name has Cyrillic ones, and neither is touched. What is read as a
Vietnamese word but spelled with other characters would hide the word from every comparison.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from pipeline.normalize import characters as chars
from pipeline.normalize.edits import Edit
from pipeline.normalize.syllable import is_bare_syllable, is_syllable

_LATIN: Final = re.compile("[A-Za-zªµº\u00c0-\u024f\u1e00-\u1eff]")
_SYMBOLIC: Final = re.compile(f"[{chars.SYMBOLIC}]")
_FOREIGN_DIGIT: Final = re.compile("(?![0-9０-９])\\d")
_BEYOND: Final = re.compile(f"[{chr(chars.PLANE)}-\U0010ffff]")
_LEAST: Final = 2  # letters: one alone is a symbol or a bullet


def edits(text: str) -> Iterator[Edit]:
    """Yield what writes the disguised words and numbers of ``text`` (NFC) in plain letters and digits.

    >>> "".join(edit.text for edit in edits("сhất lượng 𝐦𝐚́𝐲 ép, 5 kΩ, α = 3"))
    'cmay'
    """
    alike, word = _patterns(chars.LAST if _BEYOND.search(text) else chars.PLANE)
    if not alike.search(text) and not _FOREIGN_DIGIT.search(text):
        return
    found = []
    foreign = any(_is_foreign(character) for character in text)
    for chunk in word.finditer(text):
        if alike.search(chunk[0]) and _is_latin(chunk[0], foreign=foreign):
            found += [(chunk.start() + letter.start(), letter[0]) for letter in alike.finditer(chunk[0])]
    if not foreign:
        found += [(digit.start(), digit[0]) for digit in _FOREIGN_DIGIT.finditer(text)]
    for at, character in sorted(found):
        yield Edit(at, at + 1, _plain(character))


@cache
def _patterns(last: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what looks like a Latin letter, and the words such letters may stand in."""
    alike = chars.char_class(sorted(code for code in map(ord, chars.look_alikes()) if code < last))
    return re.compile(f"[{alike}]"), re.compile(rf"(?:[^\W\d_]|[\u0300-\u036f{alike}])+")


def _plain(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return chars.look_alikes()[character] if digit is None else str(digit)


def _is_foreign(character: str) -> bool:
    return character.isalpha() and character not in chars.look_alikes() and not _LATIN.match(character)


def _is_latin(word: str, *, foreign: bool) -> bool:
    """Return whether a ``word`` with look-alikes is to be read as Latin letters.

    ``foreign`` says that the text has letters which look like no Latin one: then words of another language
    are to be expected, and only words that are Latin for the most part are certain.
    """
    letters = [letter for letter in word if not unicodedata.combining(letter)]
    alike = [letter for letter in letters if letter in chars.look_alikes()]
    if len(letters) < _LEAST or any(map(_is_foreign, letters)):
        return False
    plain = unicodedata.normalize("NFC", "".join(chars.look_alikes().get(letter, letter) for letter in word))
    vietnamese = is_syllable(plain) or is_bare_syllable(plain)
    symbolic = _SYMBOLIC.search(word) is not None
    if not vietnamese and (symbolic or any(letter in chars.modified() for letter in alike)):
        return False
    strange = [letter for letter in alike if letter not in chars.styled() and letter not in chars.modified()]
    mostly_latin = len(letters) > 2 * len(strange)
    return mostly_latin or (vietnamese and not foreign and not (symbolic and plain.isascii()))
