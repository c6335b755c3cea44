"""Numbers and sums of money as Vietnamese offices write them: "1.000.000,5", "1tr2", "2 tỷ 500 triệu"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

_LONGEST: Final = 80  # characters of a cell that may be one amount
_UNITS: Final = {
    **dict.fromkeys(("nghin", "ngan", "k"), 10**3),
    **dict.fromkeys(("trieu", "tr"), 10**6),
    **dict.fromkeys(("ty", "ti"), 10**9),
}
_CURRENCY: Final = r"(?:dong(?: viet nam)?|vnd|d)\b"
_DIGITS: Final = r"\d+(?:[., ]\d+)*"
_TERM: Final = re.compile(rf"\s*({_DIGITS})\s*((?:nghin|ngan|trieu|tr|ty|ti|k)(?:\s*(?:ty|ti))?(?![a-z]))?")
_BEFORE: Final = re.compile(r"(?:(?:khoang|hon|tren|gan|uoc(?: tinh| dat)?|dat|tiet kiem|lam loi|~|≈|:)\s*)+")
_AFTER: Final = re.compile(rf"\s*(?:{_CURRENCY})?\s*(?:[/\-]?\s*(?:1 |mot |moi )?nam)?\s*\.?")
_ENGLISH: Final = re.compile(r"\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?|\d{1,3}(?:,\d{3})+\.\d+")
_VIETNAMESE: Final = re.compile(
    r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,})"
)
_EITHER: Final = re.compile(r"[1-9]\d{0,2},\d{3}")
_GROUPED: Final = {
    ",": re.compile(r"\d{1,3}(?:[. ]\d{3})+(?:,\d+)?|\d+(?:,\d+)?"),
    ".": re.compile(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are written.

    Attributes:
        decimal: The sign before decimals, ``,`` or ``.``; ``""`` where the column does not tell: then numbers
            are read as Vietnamese, and "1,000" is none.
        unit: What a number without a word counts, in đồng.
    """

    decimal: str = ""
    unit: int = 1

    def money(self, text: str) -> int | None:
        """Return the đồng that a cell of this column says, None where it is no amount or not a single one.

        >>> [Style().money(each) for each in ("1tr2", "10 triệu", "33.000 tỷ", "2 tỷ 500 triệu", "1,000")]
        [1200000, 10000000, 33000000000000, 2500000000, None]
        >>> Style(unit=10**6).money("12,5"), Style(decimal=".").money("1,000")
        (12500000, 1000)
        """
        folded = _folded(text)
        if not folded or len(text) > _LONGEST:
            return None
        sign = -1 if folded.startswith("-") or re.fullmatch(r"\(.*\)", folded) else 1
        total = self._total(folded.strip("-() "))
        return None if total is None or total % 1 else sign * int(total)

    def _total(self, folded: str) -> Decimal | None:
        at = match.end() if (match := _BEFORE.match(folded)) else 0
        terms: list[tuple[str, str]] = []
        while match := _TERM.match(folded, at):
            terms.append((match[1], re.sub(r"\s", "", match[2] or "")))
            at = match.end()
        if not terms or not _AFTER.fullmatch(folded, at):
            return None
        if len(terms) == 1 and not terms[0][1]:
            bare = self.number(terms[0][0])
            said = re.search(_CURRENCY, folded[at:]) is not None
            return None if bare is None else bare * (1 if said else self.unit)
        return self._sum(terms)

    def _sum(self, terms: list[tuple[str, str]]) -> Decimal | None:
        total, last = Decimal(0), Decimal(0)
        scales: list[int] = []
        for place, (digits, word) in enumerate(terms):
            if not word:
                # "1tr2" and "2 tỷ 500": what follows a unit without one is its fraction.
                if place != len(terms) - 1 or not digits.isdecimal() or len(digits) > 3:  # noqa: PLR2004 - thousandths
                    return None
                return total + last * Decimal(digits).scaleb(-len(digits))
            number, scale = self.number(digits), _scale(word)
            if number is None:
                return None
            scales.append(scale)
            last = Decimal(scale)
            total += number * scale
        return total if all(one > two for one, two in pairwise(scales)) else None

    def number(self, text: str) -> Decimal | None:
        """Return the number in a text of digits and signs; a percentage as its share; None for none.

        >>> [str(Style().number(each)) for each in ("1.000.000,5", "1,000,000.50", "12,5%", "0.125", "1.5")]
        ['1000000.5', '1000000.50', '0.125', '0.125', '1.5']
        """
        text = text.strip()
        if len(text) > _LONGEST:
            return None
        if text.endswith("%"):
            share = self.number(text[:-1])
            return None if share is None else share / 100
        negative = text.startswith("-")
        digits = text.removeprefix("-").strip()
        decimal = self.decimal or _decimal(digits)
        if not decimal or not digits.isascii() or not _GROUPED[decimal].fullmatch(digits):
            return None
        thousands = "." if decimal == "," else ","
        plain = digits.replace(" ", "").replace(thousands, "").replace(decimal, ".")
        return -Decimal(plain) if negative else Decimal(plain)


def style(header: str, cells: Iterable[str]) -> Style:
    """Return how the numbers under a header are written: its unit, and the decimals that its cells show.

    >>> style("Giá trị làm lợi (triệu đồng)", ["1,250,000", "3,500"])
    Style(decimal='.', unit=1000000)
    """
    numbers = [found for cell in cells if len(cell) <= _LONGEST for found in re.findall(r"\d[\d.,]*\d", cell)]
    english = any(_ENGLISH.fullmatch(number) for number in numbers)
    vietnamese = any(_VIETNAMESE.fullmatch(number) for number in numbers)
    decimal = "" if english == vietnamese else "." if english else ","
    return Style(decimal, unit_of(header))


def unit_of(header: str) -> int:
    """Return the đồng that a number under a header counts: 1, or what the header says in words.

    >>> unit_of("Số tiền (ĐVT: triệu đồng)"), unit_of("Làm lợi (1.000 đ)"), unit_of("Làm lợi")
    (1000000, 1000, 1)
    """
    folded = _folded(header)
    if re.search(r"\b1[.,]000 ?(?:d|dong|vnd)\b", folded):
        return 1_000
    found = re.search(rf"\b(nghin ty|ngan ty|nghin|ngan|trieu|tr|ty|ti)\.? ?{_CURRENCY}", folded)
    return _scale(found[1].replace(" ", "")) if found else 1


def _scale(word: str) -> int:
    for first in ("nghin", "ngan"):
        if word in {f"{first}ty", f"{first}ti"}:
            return 10**12
    return _UNITS.get(word, 0)


def _decimal(digits: str) -> str:
    """Return the sign before decimals in a number that stands alone, ``""`` where it could be either."""
    if _EITHER.fullmatch(digits):
        return ""
    if _ENGLISH.fullmatch(digits) or re.fullmatch(r"\d+\.(?:\d{1,2}|\d{4,})|0\.\d+", digits):
        return "."
    return ","


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFD", text[: 4 * _LONGEST].casefold().replace("đ", "d"))
    return " ".join("".join(char for char in apart if not unicodedata.combining(char)).split())
