"""The parts of a form: what a text says of the problem, the solution, the benefit, and of nobody's content.

The law compares the content of the solution, so a passage about why or with what success something was
done is weaker evidence than one about what was done. Forms say which is which by their headings; a text
without headings is one part of which nothing is known. Headings are looked for in bare letters, a chunk of
texts at a time, only where a line or a sentence begins, and opening with a heading's words is not enough:
"Giải pháp của tôi là …" is a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize
from pipeline.errors import UsageError

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

Kind = Literal["unknown", "background", "solution", "benefit", "form"]

KINDS: Final[tuple[Kind, ...]] = ("unknown", "background", "solution", "benefit", "form")
"""What a part is about; the place in this tuple is its code.

``background``: why something had to be done, and how it was done before; ``solution``: what was done and
what is new in it; ``benefit``: results, where else it could serve, conclusions; ``form``: sentences of the
form itself; ``unknown``: text before any heading.
"""

NO_HEADING: Final = "none"
"""Said of a phrase in a table of headings: though it begins like a heading it is none."""

_FORM: Final = KINDS.index("form")
_BACKGROUND: Final = KINDS.index("background")
_SOLUTION: Final = KINDS.index("solution")
_CHUNK: Final = 1 << 16  # code points at a time, as `shingles` does
_OTHER: Final = 0x80  # stands for every letter that is not one of a to z
_MANY: Final = 3
_TAIL: Final = 6  # words that may stand between a heading's phrase and its colon


@dataclass(frozen=True, slots=True)
class Part:
    """A passage of one kind; offsets in code points of the clean text, half open."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Headings:
    """A table of headings made ready for reading texts (see `headings`).

    ``codes`` knows each phrase, written without blanks, by the code of its part (-1: no heading);
    ``openings`` are those that begin a sentence, ``single`` those of one syllable, ``words`` the syllables
    that many headings are made of.
    """

    pattern: re.Pattern[bytes]
    first: Mask
    codes: dict[bytes, int]
    openings: frozenset[bytes]
    single: frozenset[bytes]
    words: frozenset[bytes]


def headings(rows: Iterable[tuple[str, str]]) -> Headings:
    """Return the table of ``(phrase, part)`` made ready; the order of the rows means nothing.

    Args:
        rows: A phrase, in any spelling, and one of `KINDS` but the first, or `NO_HEADING`. A phrase that
            ends with "…" or "..." opens a sentence ("Tôi xin cam đoan …") and needs no colon behind it.

    Raises:
        UsageError: A part is unknown, a phrase has no letters or stands under two parts.

    >>> parts("Thực trạng: chậm. Giải pháp: khuôn gỗ", headings([("Giải pháp", "solution")]))
    [Part(kind='unknown', start=0, end=18), Part(kind='solution', start=18, end=37)]
    """
    phrases: dict[tuple[bytes, ...], int] = {}
    openings: set[bytes] = set()
    for number, (phrase, part) in enumerate(rows, start=1):
        if part.strip() not in (*KINDS[1:], NO_HEADING):
            raise UsageError(
                "Heading {number}, {phrase}: there is no part {part}. Use one of {parts}.",
                number=number,
                phrase=phrase,
                part=part,
                parts=", ".join((*KINDS[1:], NO_HEADING)),
            )
        syllables = tuple(_plain(phrase).split())
        code = KINDS.index(part.strip()) if part.strip() != NO_HEADING else -1
        if not syllables or phrases.setdefault(syllables, code) != code:
            raise UsageError(
                "Heading {number}, {phrase}: it has no letters, or stands under another part too. "
                "Write each heading once.",
                number=number,
                phrase=phrase,
            )
        if phrase.rstrip().endswith(("…", "...")):
            openings.add(b"".join(syllables))
    return Headings(
        re.compile(_MARK + _PREFIX + b"(?P<phrase>%b)" % (_trie(sorted(phrases)) or b"(?!)"), re.IGNORECASE),
        _beginnings(phrases),
        {b"".join(syllables): code for syllables, code in phrases.items()},
        frozenset(openings),
        frozenset(syllables[0] for syllables in phrases if len(syllables) == 1),
        _words(phrases),
    )


def _words(phrases: Iterable[tuple[bytes, ...]]) -> frozenset[bytes]:
    """Return the syllables of headings; one that few of them have is a word like any other."""
    counts = Counter(syllable for syllables in phrases for syllable in set(syllables))
    return frozenset(syllable for syllable, count in counts.items() if count >= _MANY)


def _plain(phrase: str) -> bytes:
    """Return the bare letters of a heading, one blank between syllables, i for y as in "lí do", "lý do"."""
    return normalize.fold(phrase).replace("y", "i").encode("ascii", "ignore")


# No letter stands behind a heading's phrase, or a line break was lost between capitals: "ĐẶT VẤN ĐỀTrong".
_END: Final = rb"(?-i:(?![A-Za-z0-9\x80])|(?<=[A-Z])(?=[A-Z][a-z]|[0-9]))"
_GAP: Final = rb"[ ,()/-]{0,4}"
_NUMERAL: Final = rb"(?:[ivx]{1,5}|[0-9]{1,2}(?:\.[0-9]{1,2}){0,3}|[a-h])"
_MARK: Final = (
    rb"(?P<mark>(?:(?:(?:phan|muc|chuong|dieu|tieu muc) *(?:thu *)?"
    rb"(?:[ivx]{1,5}|[0-9]{1,2}|nhat|mot|hai|ba|bon)(?: *[.):/-]+| )|" + _NUMERAL + rb" *[.):/-]+) *){0,2})"
)
_PREFIX: Final = rb"(?:(?:ve|cac|nhung|mot so|phan|neu|mo ta|trinh bai)[ ]+)??"


def _trie(phrases: Sequence[tuple[bytes, ...]]) -> bytes:
    """Return a pattern of the sorted phrases that finds the longest, blanks between syllables left free."""
    branches: list[bytes] = []
    for first in dict.fromkeys(phrase[0] for phrase in phrases if phrase):
        rest = [phrase[1:] for phrase in phrases if phrase and phrase[0] == first]
        deeper = [phrase for phrase in rest if phrase]
        longer = _GAP + _trie(deeper) if deeper else b""
        if len(deeper) == len(rest):
            branches.append(first + longer)
        else:
            branches.append(first + (b"(?:%b|%b)" % (longer, _END) if longer else _END))
    return b"(?:%b)" % b"|".join(branches) if branches else b""


def _beginnings(phrases: Iterable[tuple[bytes, ...]]) -> Mask:
    """Return which two letters (65,536 places) may begin a heading, its number or a word before it."""
    first = np.zeros((256, 256), dtype=bool)
    for phrase in [*phrases, *((word,) for word in _PREFIX_WORDS)]:
        two = (phrase[0] + b" ")[:2] if len(phrase[0]) == 1 else phrase[0][:2]
        first[two[0], two[1]] = True
        if len(phrase[0]) == 1:  # anything may follow a single letter where the blank was forgotten
            first[two[0]] = True
    first[ord("0") : ord("9") + 1] = True
    for letter in b"abcdefghivx":
        first[letter, [*b" .):/-ivx"]] = True
    return first.reshape(-1)


_PREFIX_WORDS: Final = (
    *(b"ve", b"cac", b"nhung", b"mot", b"phan", b"neu", b"mo", b"trinh"),
    *(b"muc", b"chuong", b"dieu", b"tieu"),
)


@cache
def _shapes() -> U8:
    """Return what each code point looks like to a pattern: 0 nothing, else one byte.

    Letters and digits are folded as `normalize.fold_table` does, but keep their case, and y is i; a letter
    of another alphabet is 0x80; signs that matter keep a sign, all else is a blank.
    """
    folded = normalize.fold_table()
    shapes = np.where(folded < _OTHER, folded, _OTHER).astype(np.uint8)
    shapes[shapes == ord("y")] = ord("i")
    last = 0x2000  # no letter of Vietnamese, marked or bare, lies beyond
    upper = np.array([chr(code).isupper() for code in range(last)])
    letters = (shapes[:last] >= ord("a")) & (shapes[:last] <= ord("z"))
    shapes[:last][upper & letters] -= 32
    for sign, alike in _SIGNS.items():
        codes = np.array([ord(character) for character in alike])
        shapes[codes[folded[codes] == ord(" ")]] = ord(sign)
    shapes.setflags(write=False)
    return shapes


_SIGNS: Final = {
    "\n": "\n\r\u0085\u2028\u2029",
    ".": ".!?…。",
    ";": ";",
    ":": ":：",
    ",": ",",
    "/": "/",
    "-": "-‐‑‒–—―−*+•·▪■□●○◆◇►▶➢➤✓✔→⇒",
    "(": "([{",
    ")": ")]}",
}


class _Chunk(NamedTuple):
    """Some texts as one run of shapes, a line break before and behind each.

    Text ``i`` lies in ``shapes[starts[i]:starts[i + 1] - 1]``; ``places[p]`` is where shape ``p`` stands in
    the code points.
    """

    shapes: bytes
    values: U8
    starts: I64
    places: I64


def _chunk(texts: Sequence[str]) -> _Chunk:
    joined = "\n" + "".join(text + "\n" for text in texts)
    points = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    shapes = _shapes()[points]
    places = np.flatnonzero(shapes)
    values = shapes[places]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    starts = np.concatenate((np.ones(1, np.int64), 1 + np.cumsum(lengths + 1)))
    return _Chunk(values.tobytes(), values, np.searchsorted(places, starts), places)


_IS_LETTER: Final = np.zeros(256, dtype=bool)
_IS_LETTER[[*b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\x80"]] = True
_BEFORE: Final = np.zeros(256, dtype=bool)
_BEFORE[[*b"\n.;:)-(/"]] = True
_LOWER: Final = np.arange(256, dtype=np.uint8)
_LOWER[ord("A") : ord("Z") + 1] += 32


def _syllable_starts(values: U8) -> I64:
    inside = _IS_LETTER[values]
    # The first value is a line break, so no syllable begins there.
    return np.flatnonzero(inside[1:] & ~inside[:-1]) + 1


def _candidates(values: U8, starts: I64, first: Mask) -> list[int]:
    """Return the syllables behind a line break or sign that begin like a heading."""
    seen = np.where(values != ord(" "), np.arange(len(values)), 0)
    np.maximum.accumulate(seen, out=seen)
    starts = starts[_BEFORE[values[seen[starts - 1]]]]
    one, two = _LOWER[values[starts]].astype(np.intp), _LOWER[values[starts + 1]]
    found: list[int] = starts[first[one * 256 + two]].tolist()
    return found


_LINE: Final = re.compile(rb"\n[ (/:-]*\Z")
_SENTENCE: Final = re.compile(rb"(?:[.;:)] *-+ *|[.;)] +\(?|[0-9][.)] *)\Z")
_BACK: Final = 16
# Possessive throughout: a line of many words must not be divided again and again.
_NOTE: Final = rb"(?:[ ]*+\([^()\n]{0,80}+\))?+"
_CLOSED: Final = re.compile(_NOTE + rb"[ ]*+(?:-+ |-*(?P<stop>[:\n;]|\.(?=[ \n]|\Z)|\Z))")
_BEHIND: Final = re.compile(
    _NOTE
    + rb"(?P<tail>(?:[ ,/-]*+[A-Za-z0-9\x80]++"
    + _NOTE
    + rb"){1,10}+)[ ]*+(?P<stop>[:\n;]|\.(?=[ \n]|\Z)|\Z)"
)
_WORD: Final = re.compile(rb"[a-z0-9\x80]+")
_BRACKETS: Final = re.compile(rb"\([^()]*\)")
_SENTENCE_END: Final = re.compile(rb"(?:\.(?=[ \n])|\n)[^A-Za-z0-9\x80]*")
_RUNS_ON: Final = re.compile(rb"[0-9]| *[A-Z]?[a-z]")
_SQUEEZE: Final = bytes(code for code in range(256) if not _IS_LETTER[code])


class _Found(NamedTuple):
    """A heading: where it begins, the code of its part, and where its phrase ends."""

    at: int
    code: int
    end: int


def _heading(shapes: bytes, at: int, table: Headings) -> _Found | None:
    """Return the heading at a syllable behind a sign, or None."""
    found = table.pattern.match(shapes, at)
    if not found:
        return None
    phrase = found["phrase"].lower().translate(None, _SQUEEZE)
    code = table.codes[phrase]
    before = shapes[max(at - _BACK, 0) : at]
    marked, line = bool(found["mark"]), _LINE.search(before) is not None
    if code < 0 or not (line or _SENTENCE.search(before)):
        return None
    opens = phrase in table.openings or (
        _single_opens(shapes, found.end(), firm=marked or line)
        if phrase in table.single
        else _opens(shapes, found, table.words, firm=marked or line, form=code == _FORM)
    )
    return _Found(at, code, found.end()) if opens else None


def _single_opens(shapes: bytes, end: int, *, firm: bool) -> bool:
    """Return whether a heading of one syllable is one: "Sau", "Được" only as "Sau:" at the head of a line."""
    closed = _CLOSED.match(shapes, end)
    return firm and closed is not None and closed["stop"] == b":"


def _opens(shapes: bytes, found: re.Match[bytes], words: frozenset[bytes], *, firm: bool, form: bool) -> bool:
    """Return whether a phrase that begins a line or a sentence is a heading.

    It is where a colon, a dash, a break or a full stop closes it, or where only words that headings are
    made of stand before the colon. At the head of a line a few other words may, and more behind a number.
    """
    end = found.end()
    closed = _CLOSED.match(shapes, end)
    if closed:
        return firm or closed["stop"] != b"\n"
    if found["phrase"].isupper() and _RUNS_ON.match(shapes, end):
        return True
    behind = _BEHIND.match(shapes, end)
    if not behind or (form and not firm):
        return False
    tail = _WORD.findall(_BRACKETS.sub(b" ", behind["tail"]).lower())
    plain = words.issuperset(tail)
    numbered = bool(found["mark"])
    if behind["stop"] == b":":
        return plain or numbered or (firm and len(tail) <= _TAIL)
    if behind["stop"] == b"\n":
        return (firm and plain) or (numbered and len(tail) <= _TAIL)
    return numbered and plain


def _turns(chunk: _Chunk, starts: I64, table: Headings) -> Iterator[tuple[int, int]]:
    """Yield ``(place, code)`` where a part begins, in order, each text's start among them."""
    candidates = iter(_candidates(chunk.values, starts, table.first))
    at = next(candidates, -1)
    for start, stop in zip(chunk.starts[:-1].tolist(), chunk.starts[1:].tolist(), strict=True):
        found: list[_Found] = []
        while start <= at < stop:
            heading = _heading(chunk.shapes, at, table)
            if heading:
                found.append(heading)
            at = next(candidates, -1)
        yield start, 0
        if found:
            yield from _of_text(chunk.shapes, found, stop - 1)


def _of_text(shapes: bytes, found: list[_Found], stop: int) -> Iterator[tuple[int, int]]:
    """Yield the turns of one text that ends at ``stop``.

    Form text is one sentence: behind it the part before goes on. So is background in a text that names no
    solution: what nobody calls a solution must not become background by standing behind it.
    """
    solved = any(heading.code == _SOLUTION for heading in found)
    kind = 0
    for place, heading in enumerate(found):
        yield heading.at, heading.code
        if heading.code != _FORM and (solved or heading.code != _BACKGROUND):
            kind = heading.code
            continue
        following = found[place + 1].at if place + 1 < len(found) else stop
        ending = _SENTENCE_END.search(shapes, heading.end, following)
        if ending and ending.end() < following:
            yield ending.end(), kind


def _turning(chunk: _Chunk, starts: I64, table: Headings) -> tuple[I64, U8]:
    turns = list(_turns(chunk, starts, table))
    places = np.array([place for place, _ in turns], dtype=np.int64)
    codes = np.array([code for _, code in turns], dtype=np.uint8)
    # Of two turns at one place the later one holds: a text may begin with its first heading.
    last = np.append(places[1:] != places[:-1], True)
    return places[last], codes[last]


def parts(text: str, table: Headings) -> list[Part]:
    r"""Return the parts of a clean text in order; together they are the whole text.

    Neighbours are of different kinds. An empty text has no part.

    Args:
        text: A clean text (`normalize.clean`).
        table: The headings to look for.

    >>> table = headings([("Thực trạng", "background"), ("Giải pháp", "solution")])
    >>> text = "Thực trạng: thiếu khuôn.\n2. GIẢI PHÁP\nCách của tôi là khuôn gỗ"
    >>> [(part.kind, text[part.start : part.end]) for part in parts(text, table)]
    [('background', 'Thực trạng: thiếu khuôn.\n'), ('solution', '2. GIẢI PHÁP\nCách của tôi là khuôn gỗ')]
    """
    if not text:
        return []
    chunk = _chunk([text])
    places, codes = _turning(chunk, _syllable_starts(chunk.values), table)
    starts = chunk.places[places] - 1
    starts[0] = 0  # marks without a letter may stand before the first shape
    kept = np.append(True, codes[1:] != codes[:-1])
    bounds = [*starts[kept].tolist(), len(text)]
    return [
        Part(KINDS[code], start, end)
        for code, start, end in zip(codes[kept].tolist(), bounds[:-1], bounds[1:], strict=True)
    ]


def part_codes(texts: Sequence[str], table: Headings) -> tuple[U8, I64]:
    """Return for each syllable the code of its part (place in `KINDS`), and the bounds of each text's.

    The syllables are those of `shingles.fingerprint`: ``bounds`` equals ``Marks.starts``.

    Args:
        texts: Clean texts, any number and length.
        table: The headings to look for.

    >>> table = headings([("Giải pháp", "solution")])
    >>> codes, bounds = part_codes(["Máy ép. Giải pháp: khuôn gỗ", "Khuôn gỗ"], table)
    >>> codes.tolist(), bounds.tolist()
    ([0, 0, 2, 2, 2, 2, 0, 0], [0, 6, 8])
    """
    codes: list[U8] = [np.zeros(0, np.uint8)]
    counts: list[I64] = [np.zeros(1, np.int64)]
    start = size = 0
    for stop, text in enumerate([*texts, ""]):
        if stop == len(texts) or (size and size + len(text) >= _CHUNK):
            some, many = _chunk_codes(texts[start:stop], table)
            codes.append(some)
            counts.append(many)
            start, size = stop, 0
        size += len(text) + 1
    return np.concatenate(codes), np.cumsum(np.concatenate(counts))


def _chunk_codes(texts: Sequence[str], table: Headings) -> tuple[U8, I64]:
    if not texts:
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    chunk = _chunk(texts)
    starts = _syllable_starts(chunk.values)
    places, codes = _turning(chunk, starts, table)
    bounds = np.searchsorted(starts, chunk.starts)
    return codes[np.searchsorted(places, starts, side="right") - 1], np.diff(bounds)
