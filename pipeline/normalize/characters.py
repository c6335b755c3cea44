"""Which characters a text may hold, which stand for others, and which nobody can see.

The classes are strings for use inside ``[...]`` of a regular expression. What depends on Unicode's tables
is computed from `unicodedata` when first needed, for code points below ``last`` (`PLANE` or `LAST`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Final

from pipeline.normalize.syllable import TONED, VOWELS

LETTERS: Final = "A-Za-z" + VOWELS[1:3] + "êôơưđ" + "ĂÂÊÔƠƯĐ" + TONED
"""The Latin letters a Vietnamese text is made of, composed."""

ORDINARY: Final = "\n !-~" + LETTERS + "°±²³µ·¼½¾×÷§©®«»‘’“”–—…•€₫™≤≥≠≈→ÄÖÜäöüßçñ"
"""Characters that no step changes, alone or beside one another (entities and runs of spaces apart)."""

PLANE: Final = 0x10000
"""End of the first plane; in regular expressions a class within it is a table, any other a slow list."""

LAST: Final = 0x20000
"""End of the classes; beyond are ideographs, which all stand as they are, then nothing a text may hold."""

_IDEOGRAPHS: Final = ((0x20000, 0x323B0),)

# Default_Ignorable_Code_Point of the Unicode Character Database below `LAST`: shown as nothing.
_IGNORABLE: Final = (
    *((0x00AD, 0x00AE), (0x034F, 0x0350), (0x061C, 0x061D), (0x115F, 0x1161), (0x17B4, 0x17B6)),
    *((0x180B, 0x1810), (0x200B, 0x2010), (0x202A, 0x202F), (0x2060, 0x2070), (0x3164, 0x3165)),
    *((0xFE00, 0xFE10), (0xFEFF, 0xFF00), (0xFFA0, 0xFFA1), (0xFFF0, 0xFFF9), (0x1BCA0, 0x1BCA4)),
    *((0x1D173, 0x1D17B),),
)
# Blocks whose symbols an office's fonts show. The rest goes: the Braille blank U+2800 is a symbol, too.
_SYMBOLS: Final = (
    *((0x00A0, 0x0100), (0x2000, 0x2800), (0x2900, 0x2C00), (0x3000, 0x3400), (0xFF00, 0xFFE8)),
    *((0xFFFD, 0xFFFE), (0x1F000, 0x1FB00)),
)
_HIGH: Final = ((0x1D400, 0x1D800), (0x1F000, 0x1FB00))  # of plane 1: mathematical letters, emoji

EMOJI: Final = "☀-➿⬀-⯿\U0001f000-\U0001faff"
"""Blocks whose symbols may be joined by U+200D into one picture."""

VARIED: Final = "0-9#*©®‼⁉™ℹ←-⇿⌀-⏿Ⓜ▀-◿〰〽㊗㊙"
"""Other characters that U+FE0E and U+FE0F may follow, to show them as text or as a picture."""

SPACES: Final = "\t \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
NEWLINES: Final = "\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"

# Letters of other alphabets (and of Latin phonetics) that look like a Latin letter.
_ALIKE: Final = {
    **dict(
        zip(
            "АВЕЅІЈКМНОРСТУХҮԚԜԌӀҺаеѕіјкморстухүһԁԛԝѵѴ",
            "ABESIJKMHOPCTYXYQWGIHaesijkmopctyxyhdqwvV",
            strict=True,
        )
    ),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳϲ", "ABEZHIKMNOPTYXCjc", strict=True)),
    **dict(zip("αηικνορτυχ", "anikvoptux", strict=True)),
    **dict(zip("օսհոցԼՕՍՏ", "ouhngLOUS", strict=True)),
    **dict(zip("ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ", "ABCDEHJKLMPRSTVWYZ", strict=True)),
    **dict(zip("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ", strict=True)),
    **dict(zip("ɑɡıȷɩɪʏʙɢʜʟɴʀᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱꜰ", "agijiiybghlnracdejkmoptuvwzsf", strict=True)),
}
_KEPT: Final = "ĐđƉɖƢƣ"  # đ, and what the step for it looks after

SYMBOLIC: Final = "αηικνρτυχ"
"""Look-alikes that are also everyday symbols of physics: a word is needed before they may be letters."""


def within(code: int, ranges: Iterable[tuple[int, int]]) -> bool:
    """Return whether ``code`` lies in one of the half-open ``ranges``."""
    return any(first <= code < end for first, end in ranges)


def char_class(codes: Iterable[int]) -> str:
    """Return the inside of a ``[...]`` that matches the code points ``codes`` (sorted).

    >>> char_class([97, 98, 99, 120])
    'a-cx'
    """
    ordered = list(codes)
    breaks = [0, *(at + 1 for at, (a, b) in enumerate(pairwise(ordered)) if b != a + 1), len(ordered)]
    return "".join(_span(ordered[start], ordered[end - 1]) for start, end in pairwise(breaks))


def _span(first: int, last: int) -> str:
    ends = re.escape(chr(first)), re.escape(chr(last))
    return ends[0] if first == last else "-".join(ends)


def is_seen(code: int) -> bool:
    """Return whether the code point belongs to the repertoire of texts: something a reader sees.

    An allowed repertoire and not a list of bad categories, which blank symbols and fillers slip through.

    >>> [is_seen(ord(c)) for c in "aế漢☑\u200b\u2800\u3164"]
    [True, True, True, True, False, False, False]
    """
    if code >= LAST:
        return within(code, _IDEOGRAPHS)
    category = unicodedata.category(chr(code))
    if within(code, _IGNORABLE) or (code >= PLANE and not within(code, _HIGH)):
        return False
    return category[0] in "LMNP" or (category[0] == "S" and (category != "So" or within(code, _SYMBOLS)))


@cache
def hidden(last: int) -> str:
    """Return the class of what a text may not hold: all but the repertoire, spaces and line ends."""
    spaces = re.compile(f"[{SPACES}{NEWLINES}]")
    unseen = (code for code in range(last) if not is_seen(code) and not spaces.match(chr(code)))
    beyond = _span(_IDEOGRAPHS[-1][1], 0x10FFFF) if last > PLANE else ""
    return char_class(unseen) + beyond


@cache
def marks(last: int) -> str:
    """Return the class of combining marks that canonical ordering may move."""
    return char_class(code for code in range(last) if unicodedata.combining(chr(code)))


@cache
def joiners(last: int) -> str:
    """Return the class of characters that canonical composition may join to what stands before them."""
    found = {code for code in range(last) if unicodedata.combining(chr(code))}
    found.update(range(0x1161, 0x1176), range(0x11A8, 0x11C3))  # Hangul is composed by rule, not by table
    for code in range(last):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):  # noqa: PLR2004 - a canonical pair
            found.add(int(parts[1], 16))
    first = {c for c in range(last) if ord(unicodedata.normalize("NFD", chr(c))[0]) in found}
    return char_class(sorted(found | first))


@cache
def singletons(last: int) -> str:
    """Return the class of characters that canonical composition replaces even when they stand alone."""
    alone = [c for c in range(last) if not unicodedata.is_normalized("NFC", chr(c))]
    return char_class([*alone, *range(0x2F800, 0x2FA1E)] if last > PLANE else alone)


@cache
def look_alikes() -> dict[str, str]:
    """Return each character that looks like a Latin letter with the letters it looks like, composed.

    >>> look_alikes()["о"], look_alikes()["ά"], look_alikes()["𝐬"]
    ('o', 'á', 's')
    """
    found = {**_ALIKE, **modified(), **styled()}
    for code in (*range(0x0370, 0x0530), *range(0x1F00, 0x2000)):
        parts = unicodedata.normalize("NFD", chr(code))
        if parts[0] in _ALIKE and len(parts) > 1:
            found[chr(code)] = unicodedata.normalize("NFC", _ALIKE[parts[0]] + parts[1:])
    return found


# "ℓ" is the litre; the letters in parentheses and circles are read as letters only beside one another.
_STYLED: Final = (
    *((0x2102, 0x2113), (0x2115, 0x214A), (0x249C, 0x24EA), (0x1D400, 0x1D7CE), (0x1F110, 0x1F12A)),
    *((0x1F130, 0x1F14A), (0x1F150, 0x1F16A), (0x1F170, 0x1F18A)),
)


@cache
def styled() -> dict[str, str]:
    """Return the Latin letters that Unicode has in other styles (mathematical, enclosed) with the plain ones.

    >>> styled()["ⓢ"], styled()["ℎ"], "™" in styled()
    ('s', 'h', False)
    """
    found = {}
    for code in (code for first, end in _STYLED for code in range(first, end)):
        plain = unicodedata.normalize("NFKC", chr(code)).strip("()")
        plain = _ALIKE.get(plain, plain)
        if plain == chr(code):  # white letters on black have a name only
            plain = unicodedata.name(plain, "")[-1:]
        if plain.isascii() and plain.isalpha() and len(plain) == 1:
            found[chr(code)] = plain
    return found


_MODIFIED: Final = re.compile("LATIN (?:(SMALL)|CAPITAL) LETTER (?:BARRED )?([A-Z])(?: WITH .+| BAR)?")
_EXTENSIONS: Final = ((0x00C0, 0x02B0), (0x1D00, 0x1E00), (0x2C60, 0x2C80), (0xA720, 0xA800))


@cache
def modified() -> dict[str, str]:
    """Return Latin letters of full width, and those with a stroke or hook that no decomposition takes away.

    The letters that Vietnamese has, or that stand for one of them (``Ð``), are not among them.

    >>> modified()["ŧ"], modified()["ｓ"], "đ" in modified(), "ø" in modified()
    ('t', 's', False, True)
    """
    found = {chr(code + 0xFEE0): chr(code) for code in (*range(0x41, 0x5B), *range(0x61, 0x7B))}
    for code in (
        *range(0x00C0, 0x02B0),
        *range(0x1D00, 0x1E00),
        *range(0x2C60, 0x2C80),
        *range(0xA720, 0xA800),
    ):
        name = _MODIFIED.fullmatch(unicodedata.name(chr(code), ""))
        if name and not unicodedata.decomposition(chr(code)) and chr(code) not in _KEPT:
            found[chr(code)] = name[2].lower() if name[1] else name[2]
    return found
