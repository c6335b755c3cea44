"""Dates as people write them: what a cell says, and in which order the cells of its column are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from pipeline.read.headers import fold

Order = Literal["day", "month", "unclear"]
"""Which number comes first in a column of dates; ``unclear`` where its cells contradict each other."""

_FIRST_YEAR, _LAST_YEAR = 1945, 2099
_CENTURY: Final = 2000
_MONTHS_A_YEAR: Final = 12
_TIME: Final = r"(?:[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[AP]M|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(
    rf"(\d{{4}})\s*([-/.])\s*(\d{{1,2}})\s*\2\s*(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_YEAR_LAST: Final = re.compile(
    rf"(\d{{1,2}})\s*([-/.])\s*(\d{{1,2}})\s*\2\s*(\d{{4}}|\d{{2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_WORDS: Final = re.compile(r"(?:[a-z]{0,20}ngay)?(\d{1,2})thang(\d{1,2})nam(\d{4})", re.ASCII)
_MONTH_NAME: Final = re.compile(r"(\d{1,2})[-\s/]+([A-Za-z]{3})[a-z]*[-\s/]+(\d{4}|\d{2})", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SERIAL: Final = re.compile(r"(\d{5})(?:[.,]\d+)?", re.ASCII)
_EPOCH: Final = dt.date(1899, 12, 30)  # day 0 of Excel's count, its 29 February 1900 allowed for
_SERIAL_YEARS: Final = range(2000, 2051)  # a number outside them is rather another number
_LONGEST: Final = 60  # a longer cell is no date
_AGREE: Final = 10  # times as many cells of one order than of the other decide


class Date(NamedTuple):
    """What a cell says: an ISO date (``""``: none) and, where it was inferred, a code of `records.FLAGS`."""

    iso: str
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """How the dates of a column are written.

    Attributes:
        order: Which number comes first.
        serial: Whether whole numbers are Excel's count of days.
        day_first: How many cells can only be day first.
        month_first: How many can only be month first.
        either: How many could be both.
    """

    order: Order = "day"
    serial: bool = False
    day_first: int = 0
    month_first: int = 0
    either: int = 0

    def read(self, text: str) -> Date | None:
        """Return what a cell of this column says, or None when it says no date.

        A cell that could be read both ways is read as the others of its column; where they contradict each
        other it is none.

        >>> column([f"03/{day}/2025" for day in range(10, 25)]).read("12/03/2025")
        Date(iso='2025-12-03', flag='month_first')
        >>> Column().read("12/03/2025"), Column().read("31/02/2025")
        (Date(iso='2025-03-12', flag=''), None)
        """
        text = text.strip()
        if self.serial and (iso := _counted(text)):
            return Date(iso, "serial_date")
        numbers = _numbers(text)
        if numbers is None:
            iso = date(text)
            return Date(iso) if iso else None
        first, second, year = numbers
        if first != second and _is_either(first, second) and self.order == "unclear":
            return None
        if self.order == "month" and (iso := _iso(year, first, second)):
            return Date(iso, "month_first" if first != second else "")
        iso = _iso(year, second, first)
        return Date(iso) if iso else None


def column(cells: Iterable[str]) -> Column:
    """Return how the dates in ``cells`` are written: day first, unless they show otherwise.

    The month is taken to come first where a second number above 12 says so and no first one contradicts it,
    or ten times as many say the one as the other; between, the column is ``unclear``. Whole numbers are
    Excel's count where the column holds nothing but dates and such numbers.

    >>> column(["12/03/2025", "25/03/2025"]).order, column(["12/03/2025", "03/25/2025"]).order
    ('day', 'month')
    >>> column(["25/03/2025", "03/25/2025", "12/03/2025"]).order
    'unclear'
    """
    written = [cell.strip() for cell in cells if cell.strip()]
    pairs = [numbers[:2] for numbers in map(_numbers, written) if numbers]
    day = sum(first > _MONTHS_A_YEAR >= second for first, second in pairs)
    month = sum(second > _MONTHS_A_YEAR >= first for first, second in pairs)
    either = sum(first != second and _is_either(first, second) for first, second in pairs)
    return Column(_order(day, month), _is_counted(written), day, month, either)


def _order(day: int, month: int) -> Order:
    if not month or day >= _AGREE * month:
        return "day"
    return "month" if not day or month >= _AGREE * day else "unclear"


def _is_counted(written: Sequence[str]) -> bool:
    counted = [bool(_counted(cell)) for cell in written]
    rest = [cell for cell, is_count in zip(written, counted, strict=True) if not is_count]
    # Of a few other cells one may be a slip; a column of numbers of another kind is none of dates.
    dated = sum(_numbers(cell) is not None or date(cell) is not None for cell in rest)
    return any(counted) and len(rest) - dated <= len(written) // _AGREE


def date(text: str) -> str | None:
    """Return the ISO date ``text`` says, or None when it says none; the day stands before the month.

    Years from 1945 to 2099 are believed; two digits are a year of this century. A time of day is dropped,
    never converted: midnight in Hà Nội must not become the day before.

    >>> date("4/3/25"), date("2025-03-04 10:30:00"), date("ngày 04 tháng 3 năm 2025"), date("04-Mar-25")
    ('2025-03-04', '2025-03-04', '2025-03-04', '2025-03-04')
    >>> date("31/02/2025") is None
    True
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if numbers := _numbers(text):
        return _iso(numbers[2], numbers[1], numbers[0])
    if match := _YEAR_FIRST.fullmatch(text):
        return _iso(int(match[1]), int(match[3]), int(match[4]))
    if match := _WORDS.fullmatch(fold(text)):
        return _iso(int(match[3]), int(match[2]), int(match[1]))
    if (match := _MONTH_NAME.fullmatch(text)) and match[2].lower() in _MONTHS:
        return _iso(_year(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1]))
    return None


def _numbers(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a date with the year at its end."""
    match = _YEAR_LAST.fullmatch(text) if len(text) <= _LONGEST else None
    return (int(match[1]), int(match[3]), _year(match[4])) if match else None


def _is_either(first: int, second: int) -> bool:
    return first <= _MONTHS_A_YEAR and second <= _MONTHS_A_YEAR


def _year(digits: str) -> int:
    return int(digits) + (_CENTURY if len(digits) == 2 else 0)  # noqa: PLR2004 - two digits


def _iso(year: int, month: int, day: int) -> str | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return None


def _counted(text: str) -> str | None:
    """Return the date that Excel counts as so many days, None for another number or text.

    >>> _counted("45720"), _counted("12345")
    ('2025-03-04', None)
    """
    match = _SERIAL.fullmatch(text)
    if match is None:
        return None
    found = _EPOCH + dt.timedelta(days=int(match[1]))
    return found.isoformat() if found.year in _SERIAL_YEARS else None
