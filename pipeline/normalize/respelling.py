"""Words spelled so that no comparison knows them: spaced out, run together, with digits or repeated letters.

One such word is a slip, a code or a foreign name, and stays. A text where a good part of the letters stands
in them is written to be read by people only; there every one is repaired that becomes Vietnamese by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from pipeline.normalize import characters as chars
from pipeline.normalize.edits import Edit
from pipeline.normalize.syllable import TONED, is_bare_syllable, is_syllable, split_tone

LEAST_SHARE: Final = 0.1
"""Share of a text's letters that must stand in such words before any is touched."""

LEAST_LETTERS: Final = 24
"""And how many letters: a title's one odd word says nothing."""

_LONGEST: Final = 7  # letters of a syllable
_LONGEST_RUN: Final = 4_000  # letters in one word that are looked at; cutting it into syllables is linear
_LEAST_SPACED: Final = 6
_LEAST_FITTING: Final = 0.6  # of the letters; the rest are names, units and foreign words
_STRANGE: Final = 1.2  # what a letter outside syllables costs, in syllables
_BARE_START: Final = 0.1

_BLANK: Final = chars.SPACES
_CHUNK: Final = re.compile(r"[^\W_]+")
_ACCENTED: Final = re.compile(f"[ăâđêôơưĂÂĐÊÔƠƯ{TONED}]")
_SPACED: Final = re.compile(
    rf"(?<![^{_BLANK}\n])[^\s](?:[{_BLANK}]{{1,4}}[^\s](?![^\s])){{{_LEAST_SPACED - 1},}}+"
)
_REPEATED: Final = re.compile(r"([^\W\d_])\1+", re.IGNORECASE)
_PARTS: Final = re.compile(r"[^\W\d_]+|\d+")
_DOUBLED: Final = re.compile(rf"([{TONED}])\1")
_DIGIT_IN_WORD: Final = re.compile("[0-9][a-z]")
_USUAL: Final = (3.0, 7.5)  # characters a blank: Vietnamese has 4.6, English 6
_OVERRIDE: Final = re.compile("\u202e([^\u202a-\u202e\n]*)(?:\u202c|$)", re.MULTILINE)
_CLUSTER: Final = re.compile(r"[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+")

# What is typed for a letter because it looks like it; the first that makes a syllable is taken.
_FOR_LETTERS: Final = {"0": "o", "1": "li", "3": "e", "4": "a", "5": "s", "8": "b", "$": "s", "@": "a"}


class _Word(NamedTuple):
    """A stretch of text that is repaired if the whole text is found to be disguised."""

    start: int
    end: int
    text: str
    fix: str


def edits(text: str) -> Iterator[Edit]:
    """Yield what spells the words of a disguised ``text`` (NFC, blanks not yet collapsed) as they are read.

    Each edit is counted under ``spaced``, ``joined``, ``digits`` or ``repeated``. A text is disguised where
    such words hold `LEAST_SHARE` of its letters and at least `LEAST_LETTERS` of them.

    >>> "".join(edit.text for edit in edits("s á n g  k i ế n  c ả i  t i ế n  k ỹ  t h u ậ t  m á y"))
    'sáng  kiến  cải  tiến  kỹ  thuật  máy'
    >>> "|".join(edit.text for edit in edits("sángkiếncảitiến kỹthuậtmáyép nhựatựđộng"))
    'sáng kiến cải tiến|kỹ thuật máy ép|nhựa tự động'
    >>> list(edits("lớp 1A có 5kg bêtông loại B20; polyethylene, wordpress; bảng A B C D"))
    []
    """
    if not is_suspect(text):
        return
    found = [*_spaced(text)]
    taken = [(word.start, word.end) for word in found]
    # Without marks nothing tells "taay" for "tay" from a name, or from what is left of a ruined text.
    words = _words(text) if _ACCENTED.search(text) else ()
    found += (word for word in words if not any(s <= word.start < e for s, e in taken))
    odd = sum(map(str.isalnum, "".join(text[word.start : word.end] for word in found)))
    if odd >= LEAST_LETTERS and odd >= LEAST_SHARE * sum(map(str.isalpha, text)):
        for word in sorted(found):
            yield Edit(*word)


def is_suspect(text: str) -> bool:
    """Return whether ``text`` has a word that `edits` would have to look at: false for most texts.

    >>> is_suspect("Cải tiến máy ép nhựa"), is_suspect("Cảitiếnmáyépnhựa")
    (False, True)
    """
    blanks = text.count(" ") + text.count("\n") + 1
    return (
        not _USUAL[0] < len(text) / blanks < _USUAL[1]
        or _DOUBLED.search(text) is not None
        or _DIGIT_IN_WORD.search(text) is not None
    )


def overrides(text: str) -> Iterator[Edit]:
    """Yield what turns round the passages that stand backwards and are displayed forwards.

    U+202E has a display write from right to left up to U+202C or the end of the line (Unicode Standard
    Annex #9). Only where that gives more Vietnamese syllables than the passages hold as they stand.

    >>> [edit.text for edit in overrides("\u202enếik gnás\u202c cải tiến, \u202enon\u202c")]
    ['sáng kiến', 'non']
    >>> list(overrides("giá \u202eABC\u202c"))
    []
    """
    if "\u202e" not in text:
        return
    found = [(*match.span(), match[1], _as_seen(match[1])) for match in _OVERRIDE.finditer(text)]
    if sum(_syllables(seen) - _syllables(stored) for _, _, stored, seen in found) > 0:
        for start, end, _, seen in found:
            yield Edit(start, end, seen)


def _as_seen(backwards: str) -> str:
    return "".join(reversed(_CLUSTER.findall(backwards)))


def _syllables(text: str) -> int:
    return sum(_fits(word) for word in _CHUNK.findall(unicodedata.normalize("NFC", text)))


def _spaced(text: str) -> Iterator[_Word]:
    """Yield the stretches of single characters; a wider blank among them stands between words."""
    for found in _SPACED.finditer(text):
        groups = re.split(rf"[{_BLANK}]{{2,}}", found[0])
        # Letters evenly spaced show no words: they have to be found.
        words = [re.sub(rf"[{_BLANK}]", "", group) for group in groups]
        plain = "  ".join(word if len(words) > 1 else _cut_words(word) for word in words)
        if _vietnamese(part for part in _PARTS.findall(plain)):  # a table's row of marks is not
            yield _Word(*found.span(), plain, "spaced")


def _vietnamese(parts: Iterable[str]) -> bool:
    """Return whether most letters of ``parts`` stand in syllables of two letters and more."""
    words = [part for part in parts if part.isalpha()]
    good = sum(len(word) for word in words if len(word) > 1 and _fits(word))
    return good > 0 and good >= _LEAST_FITTING * sum(map(len, words))


def _cut_words(text: str) -> str:
    """Return ``text`` with blanks between its syllables, and around its numbers."""

    def cut(found: re.Match[str]) -> str:
        return " ".join(
            " ".join(cut_syllables(part)) if part.isalpha() else part for part in _PARTS.findall(found[0])
        )

    return re.sub(r"([,.;:!?])(?=[^\W\d_])", r"\1 ", _CHUNK.sub(cut, text))


def _words(text: str) -> Iterator[_Word]:
    for found in re.finditer(r"[^\W_]+", text):
        repaired = _repaired(found[0])
        if repaired:
            yield _Word(*found.span(), *repaired)


@lru_cache(maxsize=1 << 15)
def _repaired(word: str) -> tuple[str, str] | None:
    """Return a disguised word as it is read, and how it was disguised; None for any other."""
    if word.isdigit() or _fits(word) or len(word) > _LONGEST_RUN:
        return None
    if not word.isalpha():
        plain = _with_letters(word)
        if plain:
            return plain, "digits"
    single = _REPEATED.sub(r"\1", word)
    if single != word and (_fits(single) or is_bare_syllable(single)):
        return single, "repeated"
    cut = [cut_syllables(part) if part.isalpha() else [part] for part in _PARTS.findall(word)]
    pieces = [piece for part in cut for piece in part]
    if len(pieces) > 1 and _ACCENTED.search(word) and _vietnamese(pieces):
        return " ".join(pieces), "joined"
    return None


def _with_letters(word: str) -> str:
    """Return ``word`` with letters for its digits if that makes a syllable, else ``""``."""
    readings = [""]
    if len(word) > _LONGEST or sum(map(str.isalpha, word)) < 2 - bool(_ACCENTED.search(word)):
        return ""
    for letter in word:
        if letter.isdigit() and letter not in _FOR_LETTERS:
            return ""
        readings = [done + other for done in readings for other in _FOR_LETTERS.get(letter, letter)]
    return next((made for made in readings if _fits(made)), "")


@lru_cache(maxsize=1 << 14)
def cut_syllables(word: str) -> list[str]:
    """Return the fewest syllables that ``word`` (letters, NFC) is made of, and what between them is none.

    Of equally many, those that begin with a consonant.

    >>> cut_syllables("nângcaochấtlượngdftbằngcáchmới")
    ['nâng', 'cao', 'chất', 'lượng', 'dft', 'bằng', 'cách', 'mới']
    """
    best = [(0.0, 0, False)]  # for each place: the cost up to it, where its last piece begins, whether none
    for end in range(1, len(word) + 1):
        options = [(best[end - 1][0] + _STRANGE, end - 1, True)]
        for start in range(max(0, end - _LONGEST), end):
            if _fits(word[start:end]):
                bare = word[start].lower() in _BEGINS_BARE
                options.append((best[start][0] + 1 + _BARE_START * bare, start, False))
        best.append(min(options))
    pieces: list[str] = []
    end, joined = len(word), False
    while end:
        _, start, strange = best[end]
        if strange and joined:
            pieces[-1] = word[start:end] + pieces[-1]
        else:
            pieces.append(word[start:end])
        end, joined = start, strange
    return pieces[::-1]


_BEGINS_BARE: Final = frozenset("aăâeêioôơuưy" + TONED)
_STOPPED: Final = ("c", "ch", "p", "t")
_STOPPED_TONES: Final = ("\u0301", "\u0323")
_FRONT: Final = re.compile(r"(?:c|g(?!i)|ng)[eêi]|(?:k(?!h)|gh|ngh)(?![eêiy])")


@lru_cache(maxsize=1 << 15)
def _fits(word: str) -> bool:
    """Return whether ``word`` is a syllable by shape, spelling and tone."""
    if not is_syllable(word):
        return False
    plain, tone = split_tone(word.lower())
    if _FRONT.match(plain) and not (word.isascii() and plain[0] == "k"):
        return False
    return not plain.endswith(_STOPPED) or tone in _STOPPED_TONES or word.isascii()
