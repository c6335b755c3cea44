"""Clean text → the forms for comparing: `key` keeps the accents, `fold` does not."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.normalize import characters as chars
from pipeline.normalize.cleaning import clean
from pipeline.normalize.syllable import TONED, VOWELS, is_bare_syllable, old_style

_VOWELS: Final = VOWELS + VOWELS.upper() + TONED
_END: Final = r"(?![^\W_]|[\u0300-\u036f])"  # a mark that follows might join another letter than before
# No syllable has more than 7 letters; an unbounded pattern would scan a long word again from each letter.
_TWO_VOWELS: Final = re.compile(
    rf"(?<![^\W_])[{chars.LETTERS}]{{0,4}}?"
    rf"(?:[{TONED}][{_VOWELS}]|[{_VOWELS}][{TONED}])[{chars.LETTERS}]{{0,4}}{_END}"
)
_SIGNS: Final = str.maketrans(
    dict.fromkeys("“”„‟«»″〝〞", '"')
    | dict.fromkeys("‘’‚‛′´`ʼʻ", "'")
    | dict.fromkeys("‐‑‒–—―−﹘", "-")
    | {"μ": "µ"}
)
_LONE_Y: Final = re.compile(r"(?<![^\W_])([hklmst])([yỳýỹỷỵ])" + _END)
_ROUNDS: Final = 8
_I_FOR_Y: Final = str.maketrans("yỳýỹỷỵ", "iìíĩỉị")


def key(text: str) -> str:
    """Return ``text`` with everything unified that writers of the same words do differently.

    Case (Unicode case folding), tone placement (old style, see `syllable.old_style`), quotes, dashes, and
    i for y in the syllables hy ky ly my sy ty. Accents stay. ``key(key(text)) == key(text)``.

    >>> key("Kỹ thuật “HOÀ khí” – Công ty")
    'kĩ thuật "hòa khí" - công ti'
    """
    plain = clean(text).text
    for _ in range(_ROUNDS):
        spelled = _respelled(plain)
        plain = clean(spelled).text
        if plain == spelled:  # else cleaning has found letters, which may be capitals again
            break
    return plain


def _respelled(plain: str) -> str:
    placed = _TWO_VOWELS.sub(lambda word: old_style(word[0]), plain.casefold().translate(_SIGNS))
    return _LONE_Y.sub(lambda word: word[1] + word[2].translate(_I_FOR_Y), placed)


def fold(text: str) -> str:
    """Return the bare syllables of ``text``: lower case, no marks, đ as d, one space between.

    A syllable is a run of letters and digits; letters of other alphabets stay. Tone placement and case
    vanish by themselves; y stays y (`key` unifies it, `fold_table` could not). The clean text mapped
    through `fold_table`, its zeros dropped and its blanks collapsed, is exactly this.

    >>> fold("Kỹ thuật HOÀ-khí: 25 m²")
    'ky thuat hoa khi 25 m2'
    """
    codes = np.frombuffer(clean(text).text.encode("utf-32-le"), dtype=np.uint32)
    folded = fold_table()[codes]
    return " ".join(folded[folded > 0].tobytes().decode("utf-32-le").split())


@cache
def fold_table() -> npt.NDArray[np.uint32]:
    """Return what each code point folds to: 0 nothing, 32 a separator, else a letter or digit.

    Marks and hidden characters are nothing. A letter or digit is its lower-case base letter or its ASCII
    digit, also where it is full-width, raised, circled or a look-alike from another alphabet; one that
    stands for several (``ﬁ``, ``½``) is the first of them. Shape (0x110000,), for folding many texts with
    one gather; read-only. The gather over raw text gives the same unless cleaning repairs words in it
    (entities, old encodings, letters that PDF files garble, blank symbols for spaces) or cuts it.

    >>> "".join(chr(fold_table()[ord(c)]) for c in "ĐƯỜNG²")
    'duong2'
    """
    table = np.zeros(0x110000, dtype=np.uint32)
    table[0x20000:0x323B0] = np.arange(0x20000, 0x323B0)
    table[0xD800:0xE000] = ord(" ")
    blank = re.compile(f"[{chars.SPACES}{chars.NEWLINES}]")
    for code in range(chars.LAST):
        character = chr(code)
        if blank.match(character):
            table[code] = ord(" ")
        elif chars.is_seen(code):
            table[code] = ord(_folded(character) or "\0")
    table.setflags(write=False)
    return table


def _folded(character: str) -> str:
    """Return the letter or digit that a visible character folds to, a blank, or ``""`` for a mark."""
    kind = unicodedata.category(character)
    parts = unicodedata.normalize("NFKD", character)
    if kind[0] == "M":
        return ""
    if kind[0] not in "LN" and len(parts) > 1:  # "℃" and "™" are signs; "Ⓐ" is a letter
        return " "
    part = next((part for part in parts if unicodedata.category(part)[0] in "LN"), "")
    digit = unicodedata.digit(part, None) if part else None
    if digit is not None:
        return str(digit)
    lower = part.casefold()
    known = _BASE.get(character, "") if character == character.casefold() else ""
    return known or _BASE.get(lower, lower)[:1] or " "


# No letter of Latin-1 may be left: among bare syllables `clean` might take it for one of an old encoding
# (and the Greek letter that case folding makes of the micro sign, for the "à" of a PDF file).
_BASE: Final = {"μ": "u", "đ": "d", "ð": "d", "ɖ": "d", "ƣ": "u", "æ": "a", "œ": "o", "þ": "t"} | {
    letter: latin.lower() for letter, latin in chars.look_alikes().items() if latin.isascii()
}

_CHUNK: Final = re.compile(r"[^\W\d_]+")
_ACCENTED: Final = re.compile(f"[ăâđêôơưĂÂĐÊÔƠƯ{TONED}]")
_BARE_SHARE: Final = 0.9
_BARE_LEAST: Final = 8


def lacks_diacritics(text: str) -> bool:
    """Return whether a clean ``text`` is Vietnamese written without its marks.

    That is: at least 8 words, no accented letter, and at least 90 % of the words could be bare syllables.

    >>> lacks_diacritics("cai tien may ep nhua de nang cao nang suat")
    True
    >>> lacks_diacritics("cải tiến máy ép nhựa để nâng cao năng suất")
    False
    """
    if _ACCENTED.search(text):
        return False
    words = _CHUNK.findall(text)
    bare = sum(map(is_bare_syllable, words))
    return len(words) >= _BARE_LEAST and bare >= _BARE_SHARE * len(words)
