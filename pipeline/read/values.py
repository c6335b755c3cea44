"""What a cell means: dates and sectors as people write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from pipeline.read.headers import fold

_FIRST_YEAR, _LAST_YEAR = 1945, 2099
_CENTURY: Final = 2000
_TIME: Final = r"(?:[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[AP]M|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(
    rf"(\d{{4}})\s*([-/.])\s*(\d{{1,2}})\s*\2\s*(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_DAY_FIRST: Final = re.compile(
    rf"(\d{{1,2}})\s*([-/.])\s*(\d{{1,2}})\s*\2\s*(\d{{4}}|\d{{2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_WORDS: Final = re.compile(r"(?:ngay)?(\d{1,2})thang(\d{1,2})nam(\d{4})", re.ASCII)
_MONTH_NAME: Final = re.compile(r"(\d{1,2})[-\s/]+([A-Za-z]{3})[a-z]*[-\s/]+(\d{4}|\d{2})", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST: Final = 60  # a longer cell is no date

_ENTERPRISE: Final = re.compile(r"doanhnghiep|sanxuatkinhdoanh|sxkd|^dn$|khoidn|congty|enterprise")
_PUBLIC: Final = re.compile(r"conglap|hanhchinh|sunghiep|hcsn|coquannhanuoc|^public$")
_UNCLEAR: Final = re.compile(r"ngoaiconglap|ngoainhanuoc")  # neither word: a private school is no enterprise


def date(text: str) -> str | None:
    """Return the ISO date ``text`` says, or None when it says none; the day stands before the month.

    Years from 1945 to 2099 are believed; two digits are a year of this century. A time of day is dropped,
    never converted: midnight in Hà Nội must not become the day before.

    >>> date("4/3/25"), date("2025-03-04 10:30:00"), date("ngày 04 tháng 3 năm 2025")
    ('2025-03-04', '2025-03-04', '2025-03-04')
    >>> date("31/02/2025") is None
    True
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if match := _YEAR_FIRST.fullmatch(text):
        return _iso(match[1], match[3], match[4])
    if match := _DAY_FIRST.fullmatch(text):
        return _iso(match[4], match[3], match[1])
    if match := _WORDS.fullmatch(fold(text)):
        return _iso(match[3], match[2], match[1])
    if (match := _MONTH_NAME.fullmatch(text)) and match[2].lower() in _MONTHS:
        return _iso(match[3], str(_MONTHS.index(match[2].lower()) + 1), match[1])
    return None


def _iso(year: str, month: str, day: str) -> str | None:
    full = int(year) + (_CENTURY if len(year) == 2 else 0)  # noqa: PLR2004 - two digits
    if not _FIRST_YEAR <= full <= _LAST_YEAR:
        return None
    try:
        return dt.date(full, int(month), int(day)).isoformat()
    except ValueError:
        return None


def sector(text: str) -> str | None:
    """Return ``enterprise`` or ``public`` for the sector a cell names, or None when that is not clear.

    >>> sector("Khối Doanh nghiệp"), sector("Hành chính sự nghiệp"), sector("HCSN và doanh nghiệp")
    ('enterprise', 'public', None)
    """
    folded = fold(text)
    enterprise, public = bool(_ENTERPRISE.search(folded)), bool(_PUBLIC.search(folded))
    if enterprise == public or _UNCLEAR.search(folded):
        return None
    return "enterprise" if enterprise else "public"
