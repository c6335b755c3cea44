"""The shape of a Vietnamese syllable: onset, vowels, coda and one tone."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
"""The marks huyền, sắc, ngã, hỏi, nặng."""

VOWELS: Final = "aăâeêioôơuưy"
"""The vowel letters without a tone."""

_SPLIT: Final = {
    unicodedata.normalize("NFC", vowel + tone): (vowel, tone)
    for vowel in VOWELS + VOWELS.upper()
    for tone in TONES
}

TONED: Final = "".join(_SPLIT)
"""The 120 vowel letters that carry a tone, lower and upper case."""

_LONGEST: Final = 7  # letters: "nghiêng"

_ONSET: Final = "ngh|gh|ng|nh|kh|th|tr|ch|ph|gi|qu|[bcdđghklmnpqrstvx]"
_SHAPE: Final = re.compile(rf"({_ONSET})?([{VOWELS}]{{1,3}})(ng|nh|ch|[cmnpt])?")
_MARKED: Final = re.compile("[ăâêôơư]")

_RIMES: Final = frozenset(
    """
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
    i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu y yêm yên yêng yêt yêu
    o oc oi om on ong op ot ooc oong oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt
    oe oen oeo oet ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uc ui um un ung up ut uân uâng uât uây uê uêch uên uênh uêt uơ uôc uôi uôm uôn uông uôt
    uy uya uych uyn uynh uyp uyt uyu uyên uyêt ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
    """.split()  # noqa: SIM905 - a table of a hundred and sixty words is read as text
)
_STRIP: Final = str.maketrans("ăâđêôơư", "aadeoou")
_BARE_RIMES: Final = frozenset(rime.translate(_STRIP) for rime in _RIMES)
_PARTS: Final = re.compile(rf"({_ONSET})?(.+)")


def split_tone(word: str) -> tuple[str, str]:
    """Return ``word`` without its tone marks, and the marks in the order they stood.

    >>> split_tone("giếng") == ("giêng", "\u0301")
    True
    """
    pairs = [_SPLIT.get(letter, (letter, "")) for letter in word]
    return "".join(letter for letter, _ in pairs), "".join(tone for _, tone in pairs)


def is_syllable(word: str) -> bool:
    """Return whether ``word`` (NFC, any case) could be a Vietnamese syllable, in either tone placement.

    >>> [is_syllable(word) for word in ("đoàn", "Hoà", "quý", "gì", "excel", "μm")]
    [True, True, True, True, False, False]
    """
    if len(word) > _LONGEST:
        return False
    bare, tones = split_tone(word.lower())
    return len(tones) <= 1 and _has_rime(bare, _RIMES)


def is_bare_syllable(word: str) -> bool:
    """Return whether ``word`` could be a Vietnamese syllable whose marks were left out.

    >>> [is_bare_syllable(word) for word in ("duong", "nghiep", "excel", "đoàn")]
    [True, True, False, False]
    """
    return len(word) <= _LONGEST and word.isascii() and _has_rime(word.lower(), _BARE_RIMES)


@lru_cache(maxsize=1 << 16)
def _has_rime(bare: str, rimes: frozenset[str]) -> bool:
    if bare in rimes:
        return True
    parts = _PARTS.fullmatch(bare)
    # "gi" and "qu" hold a letter that may belong to the rime: gì, quốc.
    return parts is not None and (parts[2] in rimes or (parts[1] in ("gi", "qu") and bare[1:] in rimes))


@lru_cache(maxsize=1 << 16)
def old_style(word: str) -> str:
    """Return ``word`` (NFC, any case) with its tone mark where the old orthography puts it.

    A word that is no syllable, or does not carry exactly one tone, is returned as it is. The rule: on
    the last letter that has a mark of its own (ă â ê ô ơ ư); else on the only vowel; else, before a
    coda, on the last vowel; else on the middle one of three; else on the first.

    >>> [old_style(word) for word in ("hoà", "QUÍ", "qúy", "thuỷ", "giừơng", "toán")]
    ['hòa', 'QUÍ', 'quý', 'thủy', 'giường', 'toán']
    """
    bare, tones = split_tone(word)
    shape = _SHAPE.fullmatch(bare.lower())
    if len(tones) != 1 or shape is None:
        return word
    at = shape.start(2) + _tone_vowel(shape[2], coda=shape[3] is not None)
    return bare[:at] + unicodedata.normalize("NFC", bare[at] + tones) + bare[at + 1 :]


def _tone_vowel(vowels: str, *, coda: bool) -> int:
    marked = [found.start() for found in _MARKED.finditer(vowels)]
    if marked:
        return marked[-1]
    if coda:
        return len(vowels) - 1
    return 1 if len(vowels) == 3 else 0  # noqa: PLR2004 - "three vowels" is the rule's own wording
