"""Evasion: texts disguised or rearranged by machine must still be found, and hidden characters be flagged.

    sangkien bench evasion                   every cheat
    sangkien bench evasion --show CHEAT      what a cheat makes of a record, and which copies escape it

Forty-seven records of the sample's archive are filed again under other names, disguised by one cheat at a
time, and go through the same path as `sangkien run`. A copy is caught where it and its source are called a
copy, a part or a rewording. A pair is false where it is called so and its two records have neither a source
in common nor sources that people judged the same. Then two hundred records that nobody disguised pass
through, which have nothing to do with the archive.
"""

from __future__ import annotations

import argparse
import html
import random
import re
import statistics
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.entities import codepoint2name
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from pipeline import flow, read, starter
from pipeline.normalize.syllable import TONES, old_style, split_tone
from pipeline.records import DUPLICATE_LEVELS, SAME, Source
from pipeline.settings import Settings, checkout

SOURCES: Final = 47
LEAST_SYLLABLES: Final = 60
CLEAN: Final = 200
OTHERS: Final = 3
TOGETHER: Final = 4
SEED: Final = 47
FILED: Final = "2026-06-01"

TARGET_MEAN: Final = 0.99
TARGET_LEAST: Final = 0.95
TARGET_FALSE: Final = 0.005
TARGET_FLAGGED: Final = 0.999
HIDDEN_FLAGS: Final = frozenset({"hidden_characters", "mixed_script", "stacked_marks"})


class Filing(NamedTuple):
    """What a person hands in."""

    title: str
    description: str


class Material(NamedTuple):
    """What a cheat may draw on: another of the sources, texts nobody filed yet, sentences of forms."""

    partner: Filing
    others: Sequence[Filing]
    form: Sequence[str]


Trick = Callable[[str, random.Random], str]
Rewrite = Callable[[Filing, Material, random.Random], list[Filing]]


class Cheat(NamedTuple):
    """A way to disguise a record.

    Attributes:
        does: What it does, for the table.
        apply: Gives the filings made of one source, the same for the same seed.
        hides: Whether a reviewer must be told of characters that cannot be seen or of mixed alphabets.
        partner: Whether the partner is a source of what comes out, too.
    """

    does: str
    apply: Rewrite
    hides: bool = False
    partner: bool = False


def text(trick: Trick) -> Rewrite:
    """Return the rewriting that applies ``trick`` to title and description."""

    def rewrite(filing: Filing, _: Material, draw: random.Random) -> list[Filing]:
        return [Filing(trick(filing.title, draw), trick(filing.description, draw))]

    return rewrite


# ------------------------------------------------------------------------------- characters nobody sees

_PAIR: Final = re.compile(r"(?<=[^\W\d_])(?=[^\W\d_])")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SENTENCE: Final = re.compile(r"(?<=[.;!?])\s+|\n+")


def between(*characters: str) -> Trick:
    """Put one of ``characters`` between any two letters of a word."""
    return lambda text, draw: _PAIR.sub(lambda _: draw.choice(characters), text)


def inside(*characters: str) -> Trick:
    """Put one of ``characters`` at one place inside each word."""

    def trick(text: str, draw: random.Random) -> str:
        def split(word: re.Match[str]) -> str:
            at = draw.randint(1, max(1, len(word[0]) - 1))
            return word[0][:at] + draw.choice(characters) + word[0][at:]

        return _WORD.sub(split, text)

    return trick


def before_marks(character: str) -> Trick:
    """Decompose, and put ``character`` between each letter and its marks."""
    return lambda text, _: re.sub(
        "(?=[\u0300-\u036f])", lambda _: character, unicodedata.normalize("NFD", text)
    )


def replaced(table: dict[str, str], share: float = 1.0) -> Trick:
    """Replace a ``share`` of the letters that ``table`` knows; a marked letter keeps its marks behind it."""

    def trick(text: str, draw: random.Random) -> str:
        parts = unicodedata.normalize("NFD", text)
        return "".join(table[c] if c in table and draw.random() < share else c for c in parts)

    return trick


def plain_replaced(table: dict[str, str]) -> Trick:
    """Replace the letters without marks that ``table`` knows."""
    return lambda text, _: text.translate(str.maketrans(table))


CYRILLIC: Final = dict(zip("aceopxyisjhdABCEHIKMOPTXY", "асеорхуіѕјһԁАВСЕНІКМОРТХУ", strict=True))
GREEK: Final = dict(zip("oviuptkaABEHIKMNOPTXYZ", "ονιυρτκαΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))
PHONETIC: Final = dict(zip("agiyhnrcdekmoptuv", "ɑɡıʏʜɴʀᴄᴅᴇᴋᴍᴏᴘᴛᴜᴠ", strict=True))
_ASCII: Final = "".join(map(chr, (*range(65, 91), *range(97, 123))))
FULL_WIDTH: Final = {letter: chr(ord(letter) + 0xFEE0) for letter in _ASCII}
MATHEMATICAL: Final = {letter: chr(0x1D400 + at) for at, letter in enumerate(_ASCII)}
CIRCLED: Final = {letter: chr(0x24B6 + at) for at, letter in enumerate(_ASCII)}


def tags(text: str, draw: random.Random) -> str:
    """Put one to three tag characters behind each letter."""
    return _PAIR.sub(
        lambda _: "".join(chr(0xE0061 + draw.randrange(26)) for _ in range(draw.randint(1, 3))), text
    )


def bidi_marks(text: str, draw: random.Random) -> str:
    """Put direction marks and empty overrides into words."""
    return inside("\u200e", "\u200f", "\u202e\u202c", "\u2067\u2069", "\u061c")(text, draw)


def bidi_reversed(text: str, draw: random.Random) -> str:
    """Turn every third word round and have the display turn it back."""
    return _WORD.sub(lambda word: f"\u202e{word[0][::-1]}\u202c" if draw.random() < 1 / 3 else word[0], text)


def bidi_reversed_lines(text: str, _: random.Random) -> str:
    """Turn every line round and have the display turn it back."""
    return "\n".join(f"\u202e{line[::-1]}\u202c" for line in text.split("\n"))


def heaped_marks(text: str, draw: random.Random) -> str:
    """Heap three to eight marks on every fourth letter."""
    return re.sub(
        r"[^\W\d_]",
        lambda letter: (
            letter[0]
            + (
                "".join(chr(draw.randint(0x300, 0x36F)) for _ in range(draw.randint(3, 8)))
                if draw.random() < 0.25
                else ""
            )
        ),
        text,
    )


def one_mark(text: str, draw: random.Random) -> str:
    """Put a dot below or a stroke through every third letter."""
    return _PAIR.sub(
        lambda _: draw.choice(("\u0323", "\u0336", "\u0332")) if draw.random() < 1 / 3 else "", text
    )


# ------------------------------------------------------------------------------------- spelling of letters


def decomposed(text: str, _: random.Random) -> str:
    """Decompose every letter."""
    return unicodedata.normalize("NFD", text)


def half_decomposed(text: str, draw: random.Random) -> str:
    """Decompose every other word."""
    return _WORD.sub(
        lambda word: unicodedata.normalize("NFD", word[0]) if draw.random() < 0.5 else word[0], text
    )


_OLD_NEW: Final = {
    vowels[0] + tone + vowels[1]: vowels + tone
    for vowels in ("oa", "oe", "uy", "OA", "OE", "UY")
    for tone in TONES
}
_TONE_PLACES: Final = {
    unicodedata.normalize("NFC", old): unicodedata.normalize("NFC", new) for old, new in _OLD_NEW.items()
}
_QUY: Final = re.compile(
    "(?<![qQ])(?:" + "|".join([*_TONE_PLACES, *_TONE_PLACES.values()]) + r")(?![^\W\d_])"
)


def other_tone_place(text: str, _: random.Random) -> str:
    """Write hoà for hòa and hòa for hoà."""
    other = _TONE_PLACES | {new: old for old, new in _TONE_PLACES.items()}
    return _QUY.sub(lambda found: other[found[0]], text)


_I_Y: Final = re.compile(r"(?<![^\W\d_])([hklmstqHKLMSTQ]u?)([iìíĩỉịyỳýỹỷỵ])(?![^\W\d_])")
_SWAP_I_Y: Final = str.maketrans("iìíĩỉịyỳýỹỷỵ", "yỳýỹỷỵiìíĩỉị")


def i_for_y(text: str, _: random.Random) -> str:
    """Write kĩ for kỹ and ky for ki."""
    return _I_Y.sub(lambda found: found[1] + found[2].translate(_SWAP_I_Y), text)


def bare(text: str, _: random.Random) -> str:
    """Leave out all marks."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(part for part in parts if not unicodedata.combining(part))


def in_words(share: float, change: Callable[[str, random.Random], str]) -> Trick:
    """Change a ``share`` of the words."""
    return lambda text, draw: _WORD.sub(
        lambda word: change(word[0], draw) if draw.random() < share else word[0], text
    )


def wrong_tone(word: str, draw: random.Random) -> str:
    """Give a word another tone, in the old place."""
    plain, tones = split_tone(word)
    if len(tones) != 1:
        return word
    at = next(at for at, (one, other) in enumerate(zip(plain, word, strict=True)) if one != other)
    toned = unicodedata.normalize("NFC", plain[at] + draw.choice([tone for tone in TONES if tone != tones]))
    return old_style(plain[:at] + toned + plain[at + 1 :])


_NEIGHBOURS: Final = dict(zip("abcdeghiklmnopqrstuvxy", "svxserguojnbipwtdyybct", strict=True))


def typo(word: str, draw: random.Random) -> str:
    """Leave out, double, swap or mistake one letter."""
    at = draw.randrange(len(word))
    letter = _NEIGHBOURS.get(word[at].lower(), "e")
    made = (
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[: max(at - 1, 0)] + word[max(at - 1, 0) : at + 1][::-1] + word[at + 1 :],
        word[:at] + letter + word[at + 1 :],
    )
    return draw.choice([other for other in made if other])


def misread(share: float) -> Trick:
    """Read a ``share`` of l, o, m, i, b wrongly, as recognition of scanned pages does."""
    wrong = {"l": "1", "o": "0", "m": "rn", "i": "l", "O": "0", "I": "l", "B": "8", "S": "5"}
    return lambda text, draw: "".join(
        wrong[letter] if letter in wrong and draw.random() < share else letter for letter in text
    )


LEET: Final = {"o": "0", "l": "1", "e": "3", "a": "4", "O": "0", "E": "3", "A": "4"}
_SOUNDS: Final = (
    ("s", "x"),
    ("tr", "ch"),
    ("gi", "d"),
    ("r", "d"),
    ("x", "s"),
    ("ch", "tr"),
    ("d", "gi"),
    ("l", "n"),
)


def by_ear(word: str, _: random.Random) -> str:
    """Write a word as it sounds in some places: s for x, ch for tr, d for gi."""
    for one, other in _SOUNDS:
        if word.lower().startswith(one) and word[len(one) : len(one) + 1].lower() not in ("h", "r", ""):
            return other + word[len(one) :]
    return word


def repeated_letters(word: str, draw: random.Random) -> str:
    """Repeat one letter of a word two to four times."""
    at = draw.randrange(len(word))
    return word[:at] + word[at] * draw.randint(2, 4) + word[at + 1 :]


def spaced_letters(wide: int) -> Trick:
    """Put a blank between all letters, and ``wide`` blanks between words."""

    def trick(text: str, _: random.Random) -> str:
        lines = (" " * wide).join(" ".join(word) for word in text.split(" ")).split("\n")
        return "\n".join(line.strip() for line in lines)

    return trick


def run_together(count: int) -> Trick:
    """Leave out the blanks inside every ``count`` words."""

    def trick(text: str, _: random.Random) -> str:
        def line(words: list[str]) -> str:
            return " ".join("".join(words[at : at + count]) for at in range(0, len(words), count))

        return "\n".join(line(part.split(" ")) for part in text.split("\n"))

    return trick


def alternating(text: str, _: random.Random) -> str:
    """Write every other letter as a capital."""
    return "".join(letter.upper() if at % 2 else letter.lower() for at, letter in enumerate(text))


# --------------------------------------------------------------------------- signs, spaces, lines, markup


def punctuation(change: Callable[[str, random.Random], str]) -> Trick:
    """Change each sign of punctuation."""
    return lambda text, draw: re.sub(r"[^\w\s]+", lambda found: change(found[0], draw), text)


def joined_by(*signs: str, share: float = 1.0) -> Trick:
    """Put one of ``signs`` in the place of a ``share`` of the blanks."""
    return lambda text, draw: re.sub(
        " ", lambda _: draw.choice(signs) if draw.random() < share else " ", text
    )


def one_line(text: str, _: random.Random) -> str:
    """Take out line ends."""
    return " ".join(text.split())


def many_lines(text: str, _: random.Random) -> str:
    """End a line after every fourth word."""
    words = text.split()
    return "\n".join(" ".join(words[at : at + 4]) for at in range(0, len(words), 4))


def bullets(text: str, draw: random.Random) -> str:
    """Make a list of the sentences."""
    marks = ("• ", "- ", "+ ", "a) ", "* ", "1. ", "– ")
    return "\n".join(draw.choice(marks) + sentence for sentence in _SENTENCE.split(text))


def entities(text: str, draw: random.Random) -> str:
    """Write every letter beyond ASCII as an entity: by number, by hexadecimal number or by name."""

    def escape(letter: str) -> str:
        forms = [f"&#{ord(letter)};", f"&#x{ord(letter):x};"]
        if ord(letter) in codepoint2name:
            forms.append(f"&{codepoint2name[ord(letter)]};")
        return draw.choice(forms)

    return "".join(letter if letter.isascii() else escape(letter) for letter in text)


def entities_twice(text: str, draw: random.Random) -> str:
    """Write entities, and escape them again."""
    return html.escape(entities(text, draw), quote=False)


def markup(text: str, draw: random.Random) -> str:
    """Wrap every third word in elements, some with words that a page would not show."""
    hidden = '<span style="color:#fff;font-size:1px">{}</span>'
    wrap = (
        lambda word: f"<b>{word}</b>",
        lambda word: f"{word}&nbsp;",
        lambda word: word + hidden.format("xyz"),
    )
    return _WORD.sub(lambda word: draw.choice(wrap)(word[0]) if draw.random() < 1 / 3 else word[0], text)


# ---------------------------------------------------------------------------------------- old encodings

_VNI_TONES: Final = dict(zip(("\u0301", "\u0300", "\u0309", "\u0303", "\u0323"), "ùøûõï", strict=True))
_VNI_CROWNED: Final = {
    "ă": ("a", dict(zip(("", *_VNI_TONES), "êéèúüë", strict=True))),
    **{
        letter: (plain, dict(zip(("", *_VNI_TONES), "âáàåãä", strict=True)))
        for letter, plain in zip("âêô", "aeo", strict=True)
    },
}
_VNI_ALONE: Final = dict(zip("đơưíìỉĩịỵ", "ñôöíìæóòî", strict=True))
_TCVN3: Final = {
    letter: bytes([0xA1 + at]).decode("cp1252", "replace") for at, letter in enumerate("ĂÂÊÔƠƯĐăâêôơưđ")
} | {
    letter: bytes([byte]).decode("cp1252")
    for letters, first in (
        ("àảãáạ", 0xB5), ("ằẳẵắ", 0xBB), ("ặầẩẫấậè", 0xC6), ("ẻẽéẹềểễếệìỉ", 0xCE), ("ĩíịò", 0xDC),
        ("ỏõóọồổỗốộờởỡớợù", 0xE1), ("ủũúụừửữứựỳỷỹýỵ", 0xF1),
    )
    for byte, letter in enumerate(letters, first)
}  # fmt: skip


def tcvn3(text: str, _: random.Random) -> str:
    """Write as TCVN3 (the .VnTime fonts), read as windows-1252; toned capitals are the small letters."""
    return "".join(_TCVN3.get(letter) or _TCVN3.get(letter.lower(), letter) for letter in text)


def vni(text: str, _: random.Random) -> str:
    """Write as VNI-Windows, read as windows-1252."""
    return "".join(_vni(letter) if letter.islower() else _vni(letter.lower()).upper() for letter in text)


def _vni(letter: str) -> str:
    if letter in _VNI_ALONE:
        return _VNI_ALONE[letter]
    plain, tone = split_tone(letter)
    if plain in _VNI_CROWNED:
        base, signs = _VNI_CROWNED[plain]
        return base + signs[tone]
    return (_VNI_ALONE.get(plain, plain) + _VNI_TONES[tone]) if tone else letter


def mojibake(text: str, _: random.Random) -> str:
    """Write as UTF-8, read as windows-1252."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


# -------------------------------------------------------------------------------------- words and numbers

_ABBREVIATED: Final = {
    "học sinh": "HS", "giáo viên": "GV", "công nhân": "CN", "bệnh nhân": "BN", "người bệnh": "NB",
    "người lao động": "NLĐ", "sáng kiến": "SK", "giải pháp": "GP", "công ty": "Cty", "không": "ko",
    "được": "đc", "thiết bị": "TB", "sản xuất": "SX", "sản phẩm": "SP", "kỹ thuật": "KT", "chất lượng": "CL",
    "nhân viên": "NV", "cán bộ": "CB", "công đoàn": "CĐ", "phương pháp": "PP", "thời gian": "TG",
    "hiệu quả": "HQ", "quản lý": "QL", "phụ huynh": "PH", "bảo hiểm y tế": "BHYT", "điều dưỡng": "ĐD",
    "với": "vs", "những": "n~", "trước": "trc", "người": "ng", "phòng": "P.",
}  # fmt: skip
_SYNONYMS: Final = {
    "sử dụng": "dùng", "thực hiện": "tiến hành", "giảm": "hạ", "tăng": "nâng", "nhanh": "mau",
    "giúp": "hỗ trợ", "hiệu quả": "kết quả tốt", "thời gian": "thời lượng", "chi phí": "phí tổn",
    "trước đây": "trước kia", "hiện nay": "hiện tại", "kiểm tra": "rà soát", "theo dõi": "giám sát",
    "lắp": "gắn", "chế tạo": "làm ra", "công nhân": "người thợ", "học sinh": "các em", "giáo viên": "thầy cô",
    "bệnh nhân": "người bệnh", "người bệnh": "bệnh nhân", "mỗi": "từng", "toàn bộ": "tất cả", "do": "bởi",
    "nên": "vì vậy", "và": "cùng", "sau khi": "khi đã", "phải": "cần", "được": "đã được", "nhỏ": "bé",
    "lớn": "to", "cũ": "trước", "tôi": "chúng tôi", "chúng tôi": "nhóm tôi", "hỏng": "hư", "sửa": "chữa",
    "đơn giản": "dễ làm", "dễ": "không khó", "khó khăn": "trở ngại", "thay": "đổi", "khi": "lúc",
    "rất": "hết sức", "nhiều": "không ít", "chỉ": "chỉ còn", "mua": "sắm", "tiết kiệm": "đỡ tốn",
}  # fmt: skip


def reworded(table: dict[str, str]) -> Trick:
    """Replace words and phrases, the longest first."""
    longest = sorted(table, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE)
    return lambda text, _: pattern.sub(lambda found: table[found[0].lower()], text)


_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_NUMBER: Final = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?(?![\w])")


def _spoken(number: int) -> str:
    for size, name in ((10**9, "tỷ"), (10**6, "triệu"), (1000, "nghìn"), (100, "trăm")):
        if number >= size:
            head, rest = divmod(number, size)
            return f"{_spoken(head)} {name}" + (f" {_spoken(rest)}" if rest else "")
    tens, ones = divmod(number, 10)
    if not tens:
        return _DIGITS[ones]
    return ("mười" if tens == 1 else f"{_DIGITS[tens]} mươi") + (f" {_DIGITS[ones]}" if ones else "")


def numbers_spoken(text: str, _: random.Random) -> str:
    """Write numbers as words."""

    def spoken(found: re.Match[str]) -> str:
        whole, _, part = found[0].replace(".", "").partition(",")
        return _spoken(int(whole)) + (" phẩy " + " ".join(_DIGITS[int(d)] for d in part) if part else "")

    return _NUMBER.sub(spoken, text)


def other_numbers(text: str, draw: random.Random) -> str:
    """Change every year and amount."""
    return re.sub(r"\d", lambda _: str(draw.randint(1, 9)), text)


_NAMES: Final = (
    "Nguyễn Văn Hùng",
    "Trần Thị Lan",
    "Công ty Bình Minh",
    "Trường Tiểu học Kim Đồng",
    "Bệnh viện Hoà Bình",
    "Lê Quốc Khánh",
    "Xí nghiệp Sông Đà",
    "Phường Tân Lập",
    "Nhà máy Đại Thắng",
    "Phạm Thu Hà",
)
_NAME: Final = re.compile(r"(?<=[^\W\d_] )[^\W\d_a-zà-ỹ][^\W\d_]*(?: [^\W\d_a-zà-ỹ][^\W\d_]*)*")


def other_names(text: str, draw: random.Random) -> str:
    """Put another name in the place of each name of persons and places."""
    return _NAME.sub(lambda found: draw.choice(_NAMES) if found[0][0].isupper() else found[0], text)


# -------------------------------------------------------------------------------- order and what is left


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def shuffled_sentences(text: str, draw: random.Random) -> str:
    """Put the sentences in any order."""
    parts = sentences(text)
    return " ".join(draw.sample(parts, len(parts)))


def shuffled_in_sentences(text: str, draw: random.Random) -> str:
    """Put the words of each sentence in any order."""
    parts = (sentence.split() for sentence in sentences(text))
    return " ".join(" ".join(draw.sample(words, len(words))) for words in parts)


def shuffled_words(text: str, draw: random.Random) -> str:
    """Put all words in any order."""
    words = text.split()
    return " ".join(draw.sample(words, len(words)))


def without_words(share: float) -> Trick:
    """Leave out a ``share`` of the words."""
    return lambda text, draw: " ".join(word for word in text.split() if draw.random() >= share)


def without_every_third(text: str, _: random.Random) -> str:
    """Leave out every third sentence."""
    return " ".join(part for at, part in enumerate(sentences(text)) if at % 3 != 2)


def halves(text: str) -> tuple[str, str]:
    """Return the text cut in two at the end of the sentence nearest to its middle."""
    parts, glue = sentences(text), " "
    if len(parts) < 2:
        parts = text.split()
    sizes = [len(glue.join(parts[:at])) for at in range(1, len(parts))]
    cut = 1 + min(range(len(sizes)), key=lambda at: abs(2 * sizes[at] - len(text)))
    return glue.join(parts[:cut]), glue.join(parts[cut:])


def with_words(filing: Filing, material: Material, draw: random.Random) -> list[Filing]:
    """Put in a word of another text at every seventh place."""
    new = material.others[0].description.split()
    words = (
        word if draw.random() >= 0.15 else f"{word} {draw.choice(new)}" for word in filing.description.split()
    )
    return [Filing(filing.title, " ".join(words))]


def with_form(times: int) -> Rewrite:
    """Add form text ``times`` as long as the record, before and behind."""

    def rewrite(filing: Filing, material: Material, draw: random.Random) -> list[Filing]:
        added: list[str] = []
        while sum(map(len, added)) < times * len(filing.description):
            added.append(draw.choice(material.form))
        middle = len(added) // 2
        return [
            filing._replace(description="\n".join([*added[:middle], filing.description, *added[middle:]]))
        ]

    return rewrite


def with_others(count: int) -> Rewrite:
    """Add ``count`` texts that nobody filed."""

    def rewrite(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
        added = [other.description for other in material.others[:count]]
        return [filing._replace(description="\n".join([filing.description, *added]))]

    return rewrite


def other_title(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
    """Give the text another title."""
    return [filing._replace(title=material.others[0].title)]


def split(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
    """File each half by itself, the second under another title."""
    first, second = halves(filing.description)
    return [Filing(filing.title, first), Filing(material.others[0].title, second)]


def half(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
    """File the first half only, under another title."""
    return [Filing(material.others[0].title, halves(filing.description)[0])]


def merged(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
    """File two sources as one."""
    both = (filing.description, material.partner.description)
    return [Filing(filing.title, "\n".join(both))]


def quoted(filing: Filing, material: Material, _: random.Random) -> list[Filing]:
    """Put half the source into as much text that nobody filed, under that one's title."""
    words = filing.description.split()
    quote = words[: len(words) // 2]
    frame = [word for other in material.others for word in other.description.split()][: len(quote)]
    middle = len(frame) // 2
    words = [*frame[:middle], *quote, *frame[middle:]]
    return [Filing(material.others[0].title, " ".join(words))]


def layered(text: str, draw: random.Random) -> str:
    """Put several disguises over one another: sentences moved, marks lost, look-alikes, hidden characters."""
    for trick in (
        shuffled_sentences,
        in_words(0.3, bare),
        punctuation(lambda _, draw: draw.choice(" ,;-")),
        replaced(CYRILLIC, 0.3),
        inside("\u200b", "\u2060"),
        alternating,
    ):
        text = trick(text, draw)
    return text


CHEATS: Final[dict[str, Cheat]] = {
    "none": Cheat("filed again as it is", text(lambda text, _: text)),
    "zwsp": Cheat("zero-width space between all letters", text(between("\u200b")), hides=True),
    "zwnj": Cheat("zero-width non-joiner inside each word", text(inside("\u200c")), hides=True),
    "zwj": Cheat("zero-width joiner inside each word", text(inside("\u200d")), hides=True),
    "word_joiner": Cheat("word joiner inside each word", text(inside("\u2060")), hides=True),
    "bom": Cheat("byte order mark inside each word", text(inside("\ufeff")), hides=True),
    "soft_hyphen": Cheat("soft hyphen between all letters", text(between("\u00ad")), hides=True),
    "mixed_hidden": Cheat(
        "any of seven hidden characters between all letters",
        text(between("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f")),
        hides=True,
    ),
    "grapheme_joiner": Cheat(
        "combining grapheme joiner before marks", text(before_marks("\u034f")), hides=True
    ),
    "hidden_in_letter": Cheat(
        "zero-width space between letter and mark", text(before_marks("\u200b")), hides=True
    ),
    "braille_blank": Cheat("Braille blank between all letters", text(between("\u2800")), hides=True),
    "hangul_filler": Cheat(
        "Hangul fillers inside each word", text(inside("\u3164", "\u115f", "\uffa0")), hides=True
    ),
    "variation_selector": Cheat(
        "variation selectors inside each word", text(inside("\ufe0f", "\U000e0100")), hides=True
    ),
    "tags": Cheat("tag characters between all letters", text(tags), hides=True),
    "bidi_marks": Cheat("direction marks inside each word", text(bidi_marks), hides=True),
    "bidi_reversed": Cheat("every third word backwards under an override", text(bidi_reversed), hides=True),
    "bidi_reversed_lines": Cheat(
        "every line backwards under an override", text(bidi_reversed_lines), hides=True
    ),
    "stacked_marks": Cheat("marks heaped on every fourth letter", text(heaped_marks), hides=True),
    "extra_mark": Cheat("one strange mark on every third letter", text(one_mark)),
    "cyrillic": Cheat("all letters that look Cyrillic, marks kept", text(replaced(CYRILLIC)), hides=True),
    "cyrillic_some": Cheat("three in ten of them", text(replaced(CYRILLIC, 0.3)), hides=True),
    "greek": Cheat("all letters that look Greek, marks kept", text(replaced(GREEK)), hides=True),
    "phonetic_letters": Cheat("letters of phonetics: ɑ ɡ ı ᴏ", text(replaced(PHONETIC)), hides=True),
    "full_width": Cheat("full-width letters, marks kept", text(replaced(FULL_WIDTH))),
    "full_width_plain": Cheat(
        "full-width letters, marked ones as they are", text(plain_replaced(FULL_WIDTH))
    ),
    "mathematical": Cheat("mathematical letters, marks kept", text(replaced(MATHEMATICAL)), hides=True),
    "mathematical_plain": Cheat(
        "mathematical letters, marked as they are", text(plain_replaced(MATHEMATICAL)), hides=True
    ),
    "circled": Cheat("circled letters, marked ones as they are", text(plain_replaced(CIRCLED)), hides=True),
    "nfd": Cheat("decomposed letters", text(decomposed)),
    "nfd_half": Cheat("every other word decomposed", text(half_decomposed)),
    "tone_place": Cheat("hoà for hòa and the reverse", text(other_tone_place)),
    "i_y": Cheat("kĩ for kỹ and the reverse", text(i_for_y)),
    "bare": Cheat("no diacritics", text(bare)),
    "bare_some": Cheat("no diacritics in three words of ten", text(in_words(0.3, bare))),
    "wrong_tones": Cheat("wrong tones in every second word", text(in_words(0.5, wrong_tone))),
    "typos_5": Cheat("a typing mistake in 5 % of the syllables", text(in_words(0.05, typo))),
    "typos_10": Cheat("a typing mistake in 10 % of the syllables", text(in_words(0.10, typo))),
    "misread": Cheat("one in ten of l o m i misread as 1 0 rn l", text(misread(0.1))),
    "leet": Cheat("0 for o, 1 for l, 3 for e, 4 for a", text(plain_replaced(LEET))),
    "by_ear": Cheat("s/x, tr/ch, d/gi, l/n confused in half the words", text(in_words(0.5, by_ear))),
    "repeated_letters": Cheat(
        "a letter repeated in every second word", text(in_words(0.5, repeated_letters))
    ),
    "spaced_letters": Cheat("s á n g   k i ế n", text(spaced_letters(3))),
    "spaced_letters_even": Cheat("s á n g k i ế n", text(spaced_letters(1))),
    "run_together": Cheat("no blanks within every four words", text(run_together(4))),
    "run_together_lines": Cheat("no blanks at all", text(run_together(10**6))),
    "upper": Cheat("capitals", text(lambda text, _: text.upper())),
    "alternating": Cheat("cApItAlS", text(alternating)),
    "no_punctuation": Cheat("no punctuation", text(punctuation(lambda _, __: " "))),
    "more_punctuation": Cheat(
        "a sign behind every third word", text(joined_by(", ", "; ", " - ", "... ", share=1 / 3))
    ),
    "other_punctuation": Cheat(
        "other punctuation", text(punctuation(lambda _, draw: draw.choice(" ,;:-/|~")))
    ),
    "underscores": Cheat("_ . - in the place of blanks", text(joined_by("_", ".", "-", "/"))),
    "emoji": Cheat("a picture between words", text(joined_by("😀", " 👍 ", "✅", "\u2764\ufe0f"))),
    "odd_blanks": Cheat(
        "no-break, thin and ideographic blanks", text(joined_by("\u00a0", "\u2009", "\u3000", "\u202f"))
    ),
    "one_line": Cheat("line ends removed", text(one_line)),
    "many_lines": Cheat("a line end after every fourth word", text(many_lines)),
    "bullets": Cheat("every sentence a point of a list", text(bullets)),
    "entities": Cheat("HTML entities", text(entities)),
    "entities_twice": Cheat("HTML entities escaped again", text(entities_twice)),
    "markup": Cheat("HTML elements around every third word", text(markup)),
    "tcvn3": Cheat("TCVN3 read as windows-1252", text(tcvn3)),
    "vni": Cheat("VNI-Windows read as windows-1252", text(vni)),
    "mojibake": Cheat("UTF-8 read as windows-1252", text(mojibake)),
    "abbreviations": Cheat("học sinh as HS, được as đc …", text(reworded(_ABBREVIATED))),
    "synonyms": Cheat("forty common words replaced", text(reworded(_SYNONYMS))),
    "numbers_spoken": Cheat("numbers as words", text(numbers_spoken)),
    "other_numbers": Cheat("other years and amounts", text(other_numbers)),
    "other_names": Cheat("other names of persons, units, places", text(other_names)),
    "sentences_shuffled": Cheat("sentences in another order", text(shuffled_sentences)),
    "words_shuffled_near": Cheat("words of each sentence in another order", text(shuffled_in_sentences)),
    "words_shuffled": Cheat("all words in another order", text(shuffled_words)),
    "words_left_out": Cheat("10 % of the words left out", text(without_words(0.10))),
    "words_put_in": Cheat("15 % strange words put in", with_words),
    "third_sentence_dropped": Cheat("every third sentence left out", text(without_every_third)),
    "other_title": Cheat("another title", other_title),
    "half": Cheat("the first half only, another title", half),
    "split": Cheat("two halves filed apart", split),
    "merged": Cheat("two sources filed as one", merged, partner=True),
    "form_3": Cheat("form text three times as long added", with_form(3)),
    "form_12": Cheat("form text twelve times as long added", with_form(12)),
    "padded": Cheat("another text added", with_others(1)),
    "padded_3": Cheat("three other texts added", with_others(3)),
    "quoted": Cheat("half of it inside as much new text", quoted),
    "layered": Cheat("six disguises over one another", text(layered), hides=True),
}
"""The cheats by name."""


# ------------------------------------------------------------------------------------------ the judgement


class Caught(NamedTuple):
    """What became of one cheat.

    Attributes:
        expected: Pairs of a disguised record and its source.
        missed: Those of them that were not called a duplicate.
        flagged: Pairs that were called a duplicate.
        false: Those of them that have nothing to do with one another.
        changed: Disguised records that differ from their source.
        unnoticed: Those of them that no flag tells of.
    """

    expected: frozenset[tuple[str, str]]
    missed: frozenset[tuple[str, str]]
    flagged: int
    false: frozenset[tuple[str, str]]
    changed: frozenset[str]
    unnoticed: frozenset[str]

    @property
    def recall(self) -> float:
        """Share of the expected pairs that were found."""
        return 1 - len(self.missed) / len(self.expected)


class Passed(NamedTuple):
    """What became of records that nobody disguised: how many, those called duplicates, those with a flag."""

    records: int
    matched: frozenset[tuple[str, str]]
    flagged: frozenset[str]


@dataclass(frozen=True)
class Suite:
    """The sample cut into what a trial needs, and the tools of a run."""

    archive: pd.DataFrame
    sources: list[str]
    filings: dict[str, Filing]
    unfiled: list[Filing]
    form: list[str]
    kin: dict[str, frozenset[str]]
    tools: flow.Tools

    def disguised(self, name: str) -> dict[str, tuple[Filing, frozenset[str]]]:
        """Return the new records of a cheat by id, each with its sources; always the same."""
        cheat, made = CHEATS[name], {}
        for at, source in enumerate(self.sources):
            partner = self.sources[(at + 1) % len(self.sources)]
            others = [self._long(OTHERS * at + other) for other in range(OTHERS)]
            draw = random.Random(f"{SEED} {name} {source}")  # noqa: S311 - not for secrets
            filings = cheat.apply(
                self.filings[source], Material(self.filings[partner], others, self.form), draw
            )
            roots = frozenset((source, partner) if cheat.partner else (source,))
            for part, filing in enumerate(filings, 1):
                made[f"V{part}-{source}"] = (filing, roots)
        return made

    def _long(self, place: int) -> Filing:
        """Return one of the texts nobody filed: several short ones together are as long as a source."""
        parts = self.unfiled[CLEAN + TOGETHER * place : CLEAN + TOGETHER * (place + 1)]
        return Filing(parts[0].title, "\n".join(part.description for part in parts))

    def run(self, records: dict[str, Filing]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the pairs called duplicates and the records, of a batch that goes through a whole run."""
        rows = [
            dict.fromkeys(self.archive.columns, "")
            | {"id": name, "title": filing.title, "description": filing.description}
            | {"author": "Người nộp khác", "unit": "Đơn vị khác", "submitted": FILED}
            | {"source_file": "batch", "source_row": str(row)}
            for row, (name, filing) in enumerate(records.items(), 2)
        ]
        source = Source("batch", "", "csv", len(rows), len(rows), 0, 0)
        reading = read.Reading(pd.DataFrame(rows, dtype="str"), (), (source,))
        outcome = flow.run(reading, self.archive, self.tools)
        assert outcome.matches is not None
        return outcome.matches[outcome.matches["level"].isin(DUPLICATE_LEVELS)], outcome.initiatives

    def trial(self, name: str) -> Caught:
        """Return what became of a cheat."""
        made = self.disguised(name)
        found, records = self.run({name: filing for name, (filing, _) in made.items()})
        pairs = frozenset(zip(found["later"], found["earlier"], strict=True))
        expected = frozenset((name, source) for name, (_, sources) in made.items() for source in sources)
        noticed = {
            name
            for name, flags in zip(records["id"], records["flags"], strict=True)
            if HIDDEN_FLAGS & set(flags.split())
        }
        changed = frozenset(
            name for name, (filing, _) in made.items() if filing != self.filings[name.partition("-")[2]]
        )
        roots = {name: sources for name, (_, sources) in made.items()}
        return Caught(
            expected,
            expected - pairs,
            len(pairs),
            frozenset(pair for pair in pairs if not self._related(roots, *pair)),
            changed,
            changed - noticed if CHEATS[name].hides else frozenset(),
        )

    def _related(self, roots: dict[str, frozenset[str]], one: str, other: str) -> bool:
        mine, yours = (
            frozenset(kin for root in roots.get(name, {name}) for kin in self.kin.get(root, {root}))
            for name in (one, other)
        )
        return bool(mine & yours)

    def clean(self) -> Passed:
        """Return what became of records that have nothing to do with the archive."""
        filings = self.unfiled[:CLEAN]
        found, records = self.run({f"K-{at:03}": filing for at, filing in enumerate(filings)})
        noticed = records[[bool(HIDDEN_FLAGS & set(flags.split())) for flags in records["flags"]]]
        return Passed(
            len(filings),
            frozenset(zip(found["later"], found["earlier"], strict=True)),
            frozenset(noticed["id"]),
        )


def suite(models: Path) -> Suite:
    """Return the suite over the sample, with the pair model of ``models`` (the starter where none is)."""
    sample, knobs = checkout("data", "sample"), Settings()
    archive = read.tables([sample / "archive.csv"]).batch
    filings = {
        name: Filing(*(unicodedata.normalize("NFC", cell) for cell in cells))
        for name, *cells in archive[["id", "title", "description"]].itertuples(index=False)
    }
    long = sorted(
        name for name, filing in filings.items() if len(" ".join(filing).split()) >= LEAST_SYLLABLES
    )
    kin = _kin(starter.judged(sample / "pairs.csv"))
    fresh = read.tables([sample / "labelled.csv"]).batch
    unfiled = [
        Filing(*row) for row in sorted(fresh[["title", "description"]].itertuples(index=False, name=None))
    ]
    phrases = pd.read_csv(checkout("data", "form_text.csv"), dtype="str", encoding="utf-8-sig")["phrase"]
    known = starter.knowledge(settings=knobs)
    judge = starter.pairs(models, settings=knobs, known=known).model
    draw = random.Random(SEED)  # noqa: S311 - not for secrets
    return Suite(
        archive,
        sorted(draw.sample(long, SOURCES)),
        filings,
        draw.sample(unfiled, len(unfiled)),
        phrases.tolist(),
        kin,
        flow.Tools(judge=judge, known=known),
    )


def _kin(judged: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Return for each record all that are the same initiative, judged so through however many."""
    kin: dict[str, set[str]] = {}
    for one, other, relation in judged[["id_a", "id_b", "relation"]].itertuples(index=False, name=None):
        if relation in SAME:
            both = kin.get(one, {one}) | kin.get(other, {other})
            kin.update(dict.fromkeys(both, both))
    return {name: frozenset(names) for name, names in kin.items()}


# -------------------------------------------------------------------------------------------- the report


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", choices=sorted(CHEATS), help="one cheat: a record before and after, misses")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trials = suite(Path(folder))
        show(trials, chosen.show) if chosen.show else table(trials)


def table(trials: Suite) -> None:
    """Print recall, false pairs and flags of every cheat, and the sums."""
    print(f"{len(trials.sources)} sources among {len(trials.archive)} archived records, one cheat at a time")
    print(f"  {'cheat':<24}{'recall':>8}{'flagged':>9}{'false':>7}{'noticed':>9}   what it does")
    caught = {name: trials.trial(name) for name in CHEATS}
    for name, each in caught.items():
        noticed = f"{1 - len(each.unnoticed) / len(each.changed):.3f}" if CHEATS[name].hides else ""
        print(
            f"{'' if each.recall >= TARGET_LEAST else '!':<2}{name:<24}{each.recall:>8.3f}{each.flagged:>9}"
            f"{len(each.false):>7}{noticed:>9}   {CHEATS[name].does}"
        )
    recalls = [each.recall for each in caught.values()]
    flagged, false = (
        sum(each.flagged for each in caught.values()),
        sum(len(each.false) for each in caught.values()),
    )
    clean = trials.clean()
    print(
        f"  {len(CHEATS)} cheats: mean recall {statistics.fmean(recalls):.4f}, least {min(recalls):.3f}, ",
        end="",
    )
    print(f"under {TARGET_LEAST}: {sum(recall < TARGET_LEAST for recall in recalls)}")
    print(
        f"  false pairs {false} of {flagged} ({false / flagged:.4f}); {clean.records} clean records: ", end=""
    )
    print(f"{len(clean.matched)} pairs called duplicates, {len(clean.flagged)} with a flag")


def show(trials: Suite, name: str) -> None:
    """Print what a cheat does to one record, and what escapes or is false."""
    made = trials.disguised(name)
    first = next(iter(made))
    print(f"{CHEATS[name].does}\n\n{made[first][0].title}\n{made[first][0].description}\n")
    caught = trials.trial(name)
    print(f"recall {caught.recall:.3f}; missed: {sorted(caught.missed)}")
    print(f"false: {sorted(caught.false)}; unnoticed: {sorted(caught.unnoticed)}")


if __name__ == "__main__":
    main()
