"""What two titles of one template have swapped: "… môn Toán lớp 4" and "… môn Tiếng Việt lớp 5".

Titles are built from templates, so two of them may share nearly all words and be about different things;
what tells is the slot: the class, the subject, the place, the number, the tool. Words are compared bare, as
everywhere in this folder, so a title typed without its marks swaps nothing, and neither does a typing slip,
an abbreviation or a number in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize

I64 = NDArray[np.int64]

Kind = Literal["class", "subject", "number", "place", "object"]

KINDS: Final[tuple[Kind, ...]] = ("class", "subject", "number", "place", "object")
"""What stands in a slot: a class or age of pupils, a school subject, a number, a place or unit, or else."""

LONGEST: Final = 128
"""Words of a title that are looked at: aligning takes the product of two lengths."""

_COMMON: Final = 0.5  # of the shorter title: what is less is another title, not the same template
_MOST: Final = 3  # slots: a title that differs in more places was reworded, not filled in
_RUN: Final = 0.5  # what a word is worth more that continues the run of the word before it
_TYPO: Final = 4  # letters from which one different letter is a slip: "ngô" and "nho" are two plants


@dataclass(frozen=True, slots=True)
class Slot:
    """Words that stand in one title where others stand in the other, with the noun that names them.

    Offsets in code points of the two titles, half open: ``later_text == later[later_start:later_end]``.
    """

    later_text: str
    earlier_text: str
    later_start: int
    later_end: int
    earlier_start: int
    earlier_end: int
    kind: Kind


class _Words(NamedTuple):
    """The words of a title: bare for comparing, and as written, in small letters."""

    names: tuple[str, ...]
    said: tuple[str, ...]


class _Gap(NamedTuple):
    """Where two titles differ: half-open ranges of words of the one and the other."""

    start: int
    stop: int
    other_start: int
    other_stop: int


# A range or a measure ("5-6", "3/2", "1,5") is one word: split up, "4-5 tuổi" and "5-6 tuổi" share a number.
_WORD: Final = re.compile(r"\d+(?:[-–.,/]\d+)*[^\W\d_]*|[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*\d*")
# What these words mean where a whole title is typed without marks; others would be guesses ("quan", "tinh").
_WITH_MARKS: Final = {"lop": "lớp", "mon": "môn", "tai": "tại", "xa": "xã", "huyen": "huyện", "tuoi": "tuổi"}
_SAME_SOUND: Final = {"ly": "li", "ky": "ki", "my": "mi", "hy": "hi", "sy": "si", "ty": "ti", "quy": "qui"}


@lru_cache(maxsize=1 << 14)
def _words(title: str) -> _Words:
    found = [_word(word) for word in _WORD.findall(title)[:LONGEST]]
    names = tuple(name for name, _ in found)
    if title.isascii():
        return _Words(names, tuple(_WITH_MARKS.get(name, name) for name in names))
    return _Words(names, tuple(said for _, said in found))


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> tuple[str, str]:
    """Return a word bare and in small letters."""
    said = word.lower()
    if word[0].isdigit():
        return said.replace("–", "-").lstrip("0") or "0", said
    folded = normalize.fold_table()[np.frombuffer(word.encode("utf-32-le", "replace"), dtype=np.uint32)]
    name = "".join(map(chr, folded[folded > 0].tolist())).replace(" ", "") or said
    return _SAME_SOUND.get(name, name), said


def _aligned(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of equal words, in order, that are most and hang together best.

    The longest common subsequence (Needleman, Wunsch 1970), where a word counts half as much again when
    the words before it are aligned too.
    """
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    middle = _middle(one[head : len(one) - tail], other[head : len(other) - tail])
    return [
        *((place, place) for place in range(head)),
        *((place + head, there + head) for place, there in middle),
        *((len(one) - back, len(other) - back) for back in range(tail, 0, -1)),
    ]


def _middle(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    if not set(one).intersection(other):
        return []
    best = [[0.0] * (len(other) + 1)]  # the best of both starts
    runs = [[0.0] * (len(other) + 1)]  # the best that ends with this pair aligned, 0 where it cannot
    for place, word in enumerate(one):
        above, above_run = best[place], runs[place]
        row, run = [0.0], [0.0]
        for there, its in enumerate(other):
            ending = 0.0
            if word == its:
                ending = 1 + max(above[there], above_run[there] + _RUN if above_run[there] else 0.0)
            run.append(ending)
            row.append(max(row[there], above[there + 1], ending))
        best.append(row)
        runs.append(run)
    return _traced(best, runs)


def _traced(best: list[list[float]], runs: list[list[float]]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    place, there = len(best) - 1, len(best[0]) - 1
    inside = False
    while place and there:
        ending = runs[place][there]
        if ending and (inside or ending >= best[place][there]):
            pairs.append((place - 1, there - 1))
            before = runs[place - 1][there - 1]
            inside = before > 0 and before + _RUN > best[place - 1][there - 1]
            place, there = place - 1, there - 1
        elif best[place - 1][there] >= best[place][there - 1]:
            place -= 1
        else:
            there -= 1
    return pairs[::-1]


def _gaps(mine: _Words, yours: _Words) -> list[_Gap]:
    """Return where two titles of one template hold different words; none where they share no template."""
    one, other = mine.names, yours.names
    shorter = min(len(one), len(other))
    if one == other or not shorter or _could_share(one, other) < _COMMON * shorter:
        return []
    pairs = _aligned(one, other)
    if len(pairs) < _COMMON * shorter:
        return []
    border = [(-1, -1), *pairs, (len(one), len(other))]
    gaps = (
        _Gap(here[0] + 1, there[0], here[1] + 1, there[1])
        for here, there in pairwise(border)
        if there[0] - here[0] > 1 and there[1] - here[1] > 1
    )
    told = [
        gap
        for gap in gaps
        if not _says_the_same(one[gap.start : gap.stop], other[gap.other_start : gap.other_stop])
        and not _tells_nothing(mine.said[gap.start : gap.stop], yours.said)
        and not _tells_nothing(yours.said[gap.other_start : gap.other_stop], mine.said)
    ]
    return told if len(told) <= _MOST else []


def _could_share(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words of the one the other holds at all: aligning could not find more."""
    known = set(other)
    return min(sum(1 for word in one if word in known), len(other))


_NUMBER_WORDS: Final = {
    word: str(number)
    for names in ("mot hai ba bon nam sau bay tam chin muoi", "i ii iii iv v vi vii viii ix x xi xii")
    for number, word in enumerate(names.split(), start=1)
}


def _says_the_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether different words are the same: spaced otherwise, abbreviated, numbers, or a slip."""
    mine, yours = "".join(one), "".join(other)
    if mine == yours or _initials(one) == yours or _initials(other) == mine:
        return True
    if len(one) == len(other) == 1:
        if mine.isdigit() != yours.isdigit():
            return _NUMBER_WORDS.get(mine, mine) == _NUMBER_WORDS.get(yours, yours)
        if mine[0] == yours[0] and min(len(mine), len(yours)) >= _TYPO and (mine + yours).isalpha():
            return _one_slip(mine, yours)
    return False


# Words that join others: "bằng" for "qua" is no other thing, and "từ" for "tận dụng" is none either.
_JOINING: Final = frozenset(
    {
        *("cho", "giúp", "để", "nhằm", "bằng", "qua", "theo", "từ", "và", "với", "của", "trong", "ở", "khi"),
        *("do", "về", "các", "những", "việc", "sự", "được", "bị", "là", "có", "không", "ko", "dùng", "nhờ"),
        *("trên", "hoặc", "cùng", "kèm", "vào", "đến", "tới", "phục", "vụ"),
    }
)


def _tells_nothing(words: Sequence[str], title: Sequence[str]) -> bool:
    """Return whether the words only join others, or stand elsewhere in the other title: these were moved."""
    if _JOINING.issuperset(words):
        return True
    return set(words).issubset(title) and not any(word[0].isdigit() for word in words)


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words) if len(words) > 1 else ""


def _one_slip(one: str, other: str) -> bool:
    """Return whether one letter added, left out, changed or swapped with the next tells two words apart.

    >>> [_one_slip("bien", word) for word in ("biem", "bin", "bein", "bie", "tien")]
    [True, True, True, True, True]
    >>> _one_slip("bien", "nieb")
    False
    """
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    head = next((at for at, letter in enumerate(short) if letter != long[at]), len(short))
    if len(short) < len(long):
        return short[head:] == long[head + 1 :]
    swapped = short[head + 1 : head + 2] + short[head : head + 1] + short[head + 2 :]
    return short[head + 1 :] == long[head + 1 :] or swapped == long[head:]


_CLASS: Final = frozenset({"lớp", "khối", "khoá", "khóa"})
_CLASS_NAMES: Final = frozenset({"la", "choi", "mam", "be", "nho", "lon", *_NUMBER_WORDS})
_LEVELS: Final = frozenset(
    {
        *("mam non", "mau giao", "nha tre", "tieu hoc", "trung hoc", "trung hoc co so", "thcs", "thpt"),
        *("trung hoc pho thong", "trung cap", "cao dang", "dai hoc", "mau giao be", "mau giao nho"),
        *("mau giao lon", "cap 1", "cap 2", "cap 3"),
    }
)
_SUBJECTS: Final = frozenset(
    {
        *("toan", "van", "ngu van", "tieng viet", "tieng anh", "anh van", "ngoai ngu", "lich su", "dia li"),
        *("vat li", "hoa hoc", "sinh hoc", "tin hoc", "tin", "cong nghe", "am nhac", "mi thuat", "the duc"),
        *("giao duc the chat", "giao duc cong dan", "gdcd", "dao duc", "khoa hoc", "khoa hoc tu nhien"),
        *("khtn", "lich su va dia li", "tu nhien va xa hoi", "tnxh", "thu cong", "ki thuat", "tap doc"),
        *("tap lam van", "chinh ta", "luyen tu va cau", "ke chuyen", "tap viet", "hinh hoc", "dai so"),
        *("giai tich", "hoat dong trai nghiem", "quoc phong", "tieng phap", "tieng nhat", "tieng trung"),
        *("hoa", "li", "sinh", "su", "dia"),
    }
)
_PLACE: Final = frozenset({"tại", "ở", "xã", "phường", "huyện", "quận", "tỉnh", "thôn", "khoa"})
_PLACES: Final = frozenset(
    {
        *("thanh pho", "thi xa", "thi tran", "khu pho", "benh vien", "cong ty", "cong ti", "truong mam"),
        *("truong tieu", "truong thcs", "truong thpt", "truong trung", "truong cao", "truong dai"),
        *("trung tam", "tram y", "nha may", "xi nghiep", "chi nhanh", "dien luc", "so giao", "so y"),
        *("uy ban", "lien doan", "cong doan"),
    }
)
_UPTO: Final = 4  # words back to the noun that names a place: "tại trường tiểu học [Kim Đồng]"


def slots(later: str, earlier: str) -> list[Slot]:
    """Return what two titles of one template have swapped, in the order of the titles.

    A template is shared where the words that both hold, in order, are half of the shorter title or more; a
    slot is where both go on with different words. What one title only adds is no slot. Exchanging the
    titles exchanges the sides of the slots and nothing else.

    Args:
        later: A clean title (`normalize.clean`), or any text; of very long ones `LONGEST` words count.
        earlier: Another.

    >>> later = "Một số biện pháp giúp học sinh lớp 4 học tốt môn Toán"
    >>> earlier = "Một số biện pháp giúp học sinh lớp 5 học tốt môn Tiếng Việt"
    >>> [(slot.later_text, slot.earlier_text, slot.kind) for slot in slots(later, earlier)]
    [('lớp 4', 'lớp 5', 'class'), ('môn Toán', 'môn Tiếng Việt', 'subject')]
    """
    mine, yours = _words(later), _words(earlier)
    places, others = ([word.span() for word in _WORD.finditer(title)] for title in (later, earlier))
    found = []
    for gap, kind in _kinds(mine, yours):
        start, stop = places[gap.start][0], places[gap.stop - 1][1]
        at, end = others[gap.other_start][0], others[gap.other_stop - 1][1]
        found.append(Slot(later[start:stop], earlier[at:end], start, stop, at, end, kind))
    return found


def _kinds(mine: _Words, yours: _Words) -> Iterator[tuple[_Gap, Kind]]:
    """Yield each gap, stretched to the noun that names it, and its kind.

    Of several alignments as good as one another the first is taken; which is first must not depend on
    which title was filed later, so the smaller one is always walked along the rows.
    """
    one, other = mine.names, yours.names
    if one <= other:
        gaps = _gaps(mine, yours)
    else:
        gaps = [_Gap(gap[2], gap[3], gap[0], gap[1]) for gap in _gaps(yours, mine)]
    done = 0
    for gap in gaps:
        room = min(gap.start - done, _UPTO)
        while room and one[gap.start - room : gap.start] != other[gap.other_start - room : gap.other_start]:
            room -= 1
        kind, back, ahead = _kind(_side(mine, gap[:2], room), _side(yours, gap[2:], room))
        done = gap.stop
        stretched = _Gap(gap.start - back, gap.stop + ahead, gap.other_start - back, gap.other_stop + ahead)
        yield stretched, kind


class _Side(NamedTuple):
    """One side of a gap: its bare words; the common words before it, nearest first; the word behind it."""

    names: tuple[str, ...]
    before: tuple[str, ...]
    said_before: tuple[str, ...]
    said: tuple[str, ...]
    behind: str


def _side(title: _Words, gap: tuple[int, ...], room: int) -> _Side:
    start, stop = gap
    back = slice(start - room, start)
    return _Side(
        title.names[start:stop],
        title.names[back][::-1],
        title.said[back][::-1],
        title.said[start:stop],
        "".join(title.said[stop : stop + 1]),
    )


def _kind(mine: _Side, yours: _Side) -> tuple[Kind, int, int]:
    """Return what a gap holds, and how many of the common words before and behind it name it."""
    taught = _taught(mine, yours)
    if taught:
        return taught
    if all(word[0].isdigit() for word in (*mine.names, *yours.names)):
        return "number", min(len(mine.before), 1), 0
    place = _place(mine, yours)
    if place is not None:
        return "place", place, 0
    # One syllable is half a word more often than not: "học [sinh]", "học [viên]".
    half = min(len(mine.names), len(yours.names)) == 1
    return "object", min(len(mine.before), 1) if half else 0, 0


def _taught(mine: _Side, yours: _Side) -> tuple[Kind, int, int] | None:
    """Return `_kind` of a gap that holds classes, ages or subjects."""
    if _is_class(mine.names) and _is_class(yours.names):
        if _either(mine.said_before[:1], yours.said_before[:1], _CLASS):
            return "class", 1, 0
        if "tuổi" in (mine.behind, yours.behind) and mine.behind[:2] == yours.behind[:2]:
            return "class", 0, 1
    if _as_phrase(mine.names, _LEVELS) and _as_phrase(yours.names, _LEVELS):
        return "class", 0, 0
    for back in range(min(2, len(mine.before)) + 1):
        context = mine.before[:back][::-1]
        if back and "môn" in (mine.said_before[back - 1], yours.said_before[back - 1]):
            return "subject", back, 0
        if _as_phrase((*context, *mine.names), _SUBJECTS) and _as_phrase((*context, *yours.names), _SUBJECTS):
            named = (*mine.said_before, "")[back] == "môn" or (*yours.said_before, "")[back] == "môn"
            return "subject", back + named, 0
    return None


def _either(one: tuple[str, ...], other: tuple[str, ...], nouns: frozenset[str]) -> bool:
    return not nouns.isdisjoint(one) or not nouns.isdisjoint(other)


def _is_class(names: tuple[str, ...]) -> bool:
    return names[0][0].isdigit() or (len(names) == 1 and names[0] in _CLASS_NAMES)


def _as_phrase(names: tuple[str, ...], phrases: frozenset[str]) -> bool:
    return " ".join(names) in phrases


def _place(mine: _Side, yours: _Side) -> int | None:
    """Return how many words before the gap name a place or unit, None where none does."""
    for back, (said, also, name) in enumerate(
        zip(mine.said_before, yours.said_before, mine.before, strict=True), start=1
    ):
        if said in _PLACE or also in _PLACE:
            return back
        if back > 1 and f"{name} {mine.before[back - 2]}" in _PLACES:
            return back
    return 0 if all(_is_place(side) for side in (mine, yours)) else None


def _is_place(side: _Side) -> bool:
    return side.said[0] in _PLACE or " ".join(side.names[:2]) in _PLACES


def words(found: Sequence[Slot]) -> list[str]:
    """Return the differences as people write them, the later title's words first.

    >>> words(slots("Cải tiến máy ép nhựa", "Cải tiến máy ép viên"))
    ['ép nhựa ↔ ép viên']
    """
    return [f"{slot.later_text} ↔ {slot.earlier_text}" for slot in found]
