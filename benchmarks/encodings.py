"""Old encodings: how often they are told and undone exactly, and how often clean text is taken for one.

    sangkien bench encodings                                  on the sample that travels with the program
    sangkien bench encodings --text FILE.parquet --column text --lines 20000

Lines of the text are put into each encoding and read as windows-1252, which is how they come out of old
documents. ``alone`` is the share of passages of so many syllables that `normalize.clean` gives back exactly,
by what stands in the cell only; ``column`` is that with the vote of a column of 30 such cells, and ``votes``
how many columns of 30 titles of ten syllables voted right. Of TCVN3, which has no capitals with a tone, case
does not count. VISCII and VPS are looked for on request, by vote only. False alarms are clean lines, composed
(NFC) and decomposed (NFD), in which an encoding was told.
"""

from __future__ import annotations

import argparse
import random
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from pipeline.normalize import ENCODINGS, ON_REQUEST, clean, vote
from pipeline.settings import checkout

TONES = "\u0301\u0300\u0309\u0303\u0323"
"""Sắc, huyền, hỏi, ngã, nặng."""

LENGTHS = (1, 2, 3, 5, 8, 12, 20)
FOLDED = frozenset({"tcvn3"})
"""Encodings that do not keep the case of letters with a tone."""


def apart(letter: str) -> tuple[str, str]:
    """Return a letter without its tone, and the tone."""
    marks = unicodedata.normalize("NFD", letter)
    tone = "".join(mark for mark in marks if mark in TONES)
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES)), tone


def shown(data: bytes) -> str:
    """Return bytes as windows-1252 shows them, its undefined ones as control characters."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)


def _tcvn3_table() -> dict[str, int]:
    """Return letter to byte, as TCVN 5712:1993 orders them: vowels in rows of huyền, hỏi, ngã, sắc, nặng."""
    found = dict(zip("ĂÂÊÔƠƯĐăâêôơưđ", range(0xA1, 0xAF), strict=True))
    rows = {
        "a": (0xB5, 0xB6, 0xB7, 0xB8, 0xB9),
        "ă": (0xBB, 0xBC, 0xBD, 0xBE, 0xC6),
        "â": range(0xC7, 0xCC),
        "e": (0xCC, 0xCE, 0xCF, 0xD0, 0xD1),
        "ê": range(0xD2, 0xD7),
        "i": (0xD7, 0xD8, 0xDC, 0xDD, 0xDE),
        "o": (0xDF, 0xE1, 0xE2, 0xE3, 0xE4),
        "ô": range(0xE5, 0xEA),
        "ơ": range(0xEA, 0xEF),
        "u": (0xEF, 0xF1, 0xF2, 0xF3, 0xF4),
        "ư": range(0xF5, 0xFA),
        "y": range(0xFA, 0xFF),
    }
    order = (TONES[1], TONES[2], TONES[3], TONES[0], TONES[4])
    for vowel, places in rows.items():
        for tone, byte in zip(order, places, strict=True):
            found[unicodedata.normalize("NFC", vowel + tone)] = byte
    return found


TCVN3 = {letter: shown(bytes([byte])) for letter, byte in _tcvn3_table().items()}


def tcvn3(text: str) -> str:
    """Return TCVN3; capitals with a tone are the small letters, in a font of capitals."""
    return "".join(TCVN3.get(letter) or TCVN3.get(letter.lower()) or letter for letter in text)


_VNI_OWN = {"đ": "ñ", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "í": "í", "ì": "ì"}
_VNI_TONES = dict(zip(TONES, "ùøûõï", strict=True))
_VNI_HATS = dict(zip(("", *TONES), "âáàåãä", strict=True))
_VNI_BOWS = dict(zip(("", *TONES), "êéèúüë", strict=True))


def vni(text: str) -> str:
    """Return VNI-Windows: a vowel and a second letter for its marks."""
    return "".join(map(_vni, text))


def _vni(letter: str) -> str:
    small = letter.lower()
    bare, tone = apart(small)
    if small in _VNI_OWN:
        spelled = _VNI_OWN[small]
    elif bare in tuple("âêô"):
        spelled = {"â": "a", "ê": "e", "ô": "o"}[bare] + _VNI_HATS[tone]
    elif bare == "ă":
        spelled = "a" + _VNI_BOWS[tone]
    else:
        spelled = {"ơ": "ô", "ư": "ö"}.get(bare, bare) + _VNI_TONES.get(tone, "")
    return spelled if letter == small else spelled.upper()


def cp1258(text: str) -> str:
    """Return windows-1258: Python's codec needs the tones apart."""
    return shown(b"".join(map(_cp1258, text)))


def _cp1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        return "".join(apart(letter)).encode("cp1258", "replace")


def utf8(text: str) -> str:
    """Return UTF-8 as windows-1252 shows it."""
    return shown(text.encode())


def _table(letters: str, places: Iterable[int]) -> dict[int, str]:
    return {ord(letter): shown(bytes([place])) for letter, place in zip(letters, places, strict=True)}


# RFC 1456, by byte from 80 on, then the six letters that it puts among the control characters.
VISCII = _table(
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
    "ẲẴẪỶỸỴ",
    (*range(0x80, 0x100), 0x02, 0x05, 0x06, 0x14, 0x19, 0x1E),
)
# By letter, the vowels in the order of the alphabet, each with its tones as in TONES' order of names.
VPS = _table(
    "àáảãạâầấẩẫậăằắẳẵặđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
    bytes.fromhex(
        "e0e1e4e3e5e2c0c3c4c5c6e6a2a1a3a4a5c7e8e9c8ebcbea8a898bcd8cecedccefcef2f3d5f586f4d2d3b087b6d6a9a7aaabae"
        "f9fafbdbf8dcd8d9babbbfff9a9bcf9c"
    ),
) | _table(
    "ÀÁẢÃẠÂẦẤẨẪẬĂẰẮẲẴẶĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ",
    bytes.fromhex(
        "80c1818202c28483851c03888e8d8ff004f1d7c9defe05ca9390949506b5b4b7b810bcb9bdbe11d49796989912f79e9d9fa613"
        "a8dad1ac14d0afadb11d15b2ddfdb319"
    ),
)

ENCODE: dict[str, Callable[[str], str]] = {
    "cp1258": cp1258,
    "tcvn3": tcvn3,
    "utf8": utf8,
    "viscii": lambda text: text.translate(VISCII),
    "vni": vni,
    "vps": lambda text: text.translate(VPS),
}


def exact(text: str, cell: str, name: str, *, column: str = "") -> bool:
    """Return whether cleaning gives back what was encoded."""
    found, wanted = clean(cell, encoding=column).text, clean(text).text
    return found == wanted or (name in FOLDED and found.lower() == wanted.lower())


def passages(lines: Sequence[str], length: int, count: int, draw: random.Random) -> list[str]:
    """Return passages of so many syllables, with a letter beyond ASCII, from lines drawn anew."""
    found: list[str] = []
    while len(found) < count:
        words = draw.choice(lines).split()
        if len(words) >= length:
            start = draw.randrange(len(words) - length + 1)
            passage = " ".join(words[start : start + length])
            if not passage.isascii() and passage == clean(passage).text:
                found.append(passage)
    return found


def alone(lines: Sequence[str], name: str, length: int, count: int, draw: random.Random) -> float:
    """Return the share of cells given back exactly, each by itself."""
    texts = passages(lines, length, count, draw)
    return sum(exact(text, ENCODE[name](text), name) for text in texts) / count


def by_column(
    lines: Sequence[str], name: str, length: int, count: int, draw: random.Random
) -> tuple[float, float]:
    """Return the shares of columns of 30 that voted right, and of their cells given back exactly."""
    right = same = 0
    also = (name,) if name in ON_REQUEST else ()
    for _column in range(count):
        texts = passages(lines, length, 30, draw)
        cells = [ENCODE[name](text) for text in texts]
        told = vote(cells, also=also)
        right += told == name
        same += sum(exact(text, cell, name, column=told) for text, cell in zip(texts, cells, strict=True))
    return right / count, same / (30 * count)


def alarms(lines: Iterable[str], form: str) -> list[str]:
    """Return the clean lines in which an encoding was told."""
    return [
        line
        for line in lines
        if "legacy_encoding" in clean(unicodedata.normalize(form, line)).flags  # type: ignore[arg-type]
    ]


def speed(lines: Sequence[str]) -> float:
    """Return how many MB of clean UTF-8 text are looked at in a second of processor time."""
    size = sum(len(line.encode()) for line in lines)
    started = time.process_time()
    for line in lines:
        clean(line)
    return size / 1e6 / max(time.process_time() - started, 1e-9)


def sample() -> list[str]:
    """Return the lines of the sample's texts."""
    folder = checkout("data", "sample")
    tables = [
        pd.read_csv(folder / name, dtype="str", keep_default_na=False)
        for name in ("archive.csv", "labelled.csv")
    ]
    cells = [cell for table in tables for name in ("title", "description") for cell in table.get(name, [])]
    return clean_lines(cells)


def clean_lines(texts: Iterable[str]) -> list[str]:
    """Return the different lines of texts, composed, sorted."""
    return sorted(
        {unicodedata.normalize("NFC", line) for text in texts for line in text.split("\n") if line.strip()}
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, help="Parquet file of clean texts")
    parser.add_argument("--column", default="text", help="its column")
    parser.add_argument(
        "--lines", type=int, default=20_000, help="how many lines to look at for false alarms"
    )
    parser.add_argument("--cells", type=int, default=500, help="passages for each figure")
    parser.add_argument("--columns", type=int, default=200, help="columns for each figure")
    chosen = parser.parse_args()
    draw = random.Random(17)  # noqa: S311 - drawn alike every time, nothing secret
    lines = clean_lines(pd.read_parquet(chosen.text)[chosen.column]) if chosen.text else sample()
    draw.shuffle(lines)
    print(f"{len(lines):,} lines\n")
    print(
        "alone    "
        + "".join(f"{length:>8}" for length in LENGTHS)
        + "   column of 30 (1, 2, 3)    votes (10)"
    )
    for name in ENCODINGS:
        cells = "" if name not in ON_REQUEST else "       –" * len(LENGTHS)
        if not cells:
            cells = "".join(f"{alone(lines, name, length, chosen.cells, draw):>8.3f}" for length in LENGTHS)
        short = "".join(f"{by_column(lines, name, n, chosen.columns // 4, draw)[1]:>8.3f}" for n in (1, 2, 3))
        votes, _cells = by_column(lines, name, 10, chosen.columns, draw)
        print(f"{name:<9}{cells}   {short}      {votes:>8.3f}")
    for form in ("NFC", "NFD"):
        found = alarms(lines[: chosen.lines], form)
        print(f"\nfalse alarms, {form}: {len(found)} of {len(lines[: chosen.lines]):,} lines")
        for line in found[:5]:
            print(f"  {line[:120]}")
    print(f"\nclean text: {speed(lines[: chosen.lines]):.1f} MB a second of processor time")


if __name__ == "__main__":
    main()
