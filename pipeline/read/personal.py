"""Personal data that no step needs: found by header and by pattern, taken out before anything else sees it.

Birth dates, phones, numbers of identity papers and accounts, home addresses and e-mail addresses. Authors'
names stay: whether two records have one author is a finding. A title and a description are the submission
itself and are never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import pandas as pd

from pipeline.normalize import decodings, fold
from pipeline.records import AUTHOR_FIELD, CANONICAL, ENCODING, ORIGIN

KINDS: Final = {
    "birth": "birth dates",
    "phone": "phone numbers",
    "identity": "numbers of identity papers and accounts",
    "address": "home addresses",
    "email": "e-mail addresses",
}
"""What is taken out, and what each kind is called."""

GONE: Final = "[…]"
"""What stands where a value was taken out of a cell."""

_NAMED: Final = ("author", "unit", "upper_union")
_KEPT: Final = frozenset({*CANONICAL, *ORIGIN, ENCODING, "flags"} - {*_NAMED})
_LONGEST: Final = 200  # of a header: a longer cell is none

# Of folded headers, whole words: "số năm sinh hoạt Đảng" holds no birth year, "chứng minh hiệu quả" no paper.
_HEADERS: Final = {
    "email": r"e ?mail|gmail|thu dien tu|dia chi mail",
    "birth": r"(?:ngay|nam|thang) sinh(?! hoat| vien)|(?<!hoc )sinh (?:ngay|nam)|ntns|noi sinh"
    r"|birth ?(?:day|date)?|dob",
    "phone": r"sdt|dtdd|so dt|^dt$|dt (?:dd|di dong|lien he)|(?:so )?dien thoai(?! thong minh)|so di dong"
    r"|^di dong$|hotline|zalo|viber|phone|mobile|^tel$|^(?:thong tin |so |nguoi )?lien he$|so lien lac",
    "identity": r"cccd|cmnd|cmt|cmtnd|can cuoc|chung minh (?:nhan dan|thu)|so chung minh|ho chieu|passport"
    r"|dinh danh (?:ca nhan|cong dan)|so dinh danh|(?:so|so so|ma|ma so) (?:bhxh|bao hiem)"
    r"|tai khoan ngan hang|so tai khoan|stk|(?:ma so thue|mst) ca nhan",
    "address": r"dia chi|nha rieng|ho khau|thuong tru|tam tru|^cho o|noi o|que quan|nguyen quan|address",
}
_HEADER: Final = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in _HEADERS.items()}
# The address of an office is no personal one; a column about telephones holds no numbers.
_HARMLESS: Final = {
    "address": re.compile(
        r"\b(?:don vi|co quan|cong ty|truong|noi (?:cong tac|lam viec|ap dung|nop)|ap dung|web|website|url)\b"
    ),
    "identity": re.compile(r"\b(?:cap|doi|thu tuc|lam) (?:the )?(?:cccd|cmnd|can cuoc|ho chieu)\b"),
    "phone": re.compile(r"\b(?:qua|ung dung|dung|tren|bang|nhom|kenh) (?:dien thoai|di dong|zalo)\b"),
}

_DAY: Final = r"\d{1,2}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?(?:\d{4}|\d{2})"
_YEAR: Final = r"(?:19|20)\d\d"
_VALUES: Final = {
    "email": re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    "birth": re.compile(
        r"(?:(?:[Nn]gày(?:,? tháng,? năm)?|[Nn]ăm) sinh|(?<![Hh]ọc )[Ss]inh (?:ngày|năm)|\bSN|\bNS)"
        r"\s*[:.]?\s*"
        rf"(?:{_DAY}|(?:\d{{1,2}}/)?{_YEAR})(?!\d)"
    ),
    "identity": re.compile(
        r"(?:CCCD|CMND|CMTND|CMT|[Cc]ăn cước(?: công dân)?|[Cc]hứng minh(?: nhân dân| thư)?|[Hh]ộ chiếu)"
        r"\s*(?:số)?\s*[:.]?\s*(?:[A-Z]\d{7}|\d(?:[ .]?\d){8}(?:[ .]?\d){0,3})(?!\d)"
        # Thông tư 59/2021/TT-BCA: province, century and sex, year of birth, six digits.
        r"|(?<![\d.,/-])0[0-9]{2}[ .]?[0-3]\d{2}[ .]?\d{3}[ .]?\d{3}(?![\d/-]|[.,]\d)"
    ),
    "phone": re.compile(
        r"\(?(?<![\d.,/+-])(?:\+\s?84|84|0)\)?[ .-]?(?:[35789]\d|2\d{1,2}\)?[ .-]?\d)(?:[ .-]?\d){7}"
        r"(?![\d/]|[.,-]\d)"
    ),
    "address": re.compile(
        r"(?:[Tt]hường trú|[Tt]ạm trú|[Nn]hà riêng|[Đđ]ịa chỉ nhà|[Cc]hỗ ở|[Nn]ơi ở)[^;\n]{0,200}"
    ),
}
_BORN: Final = re.compile(rf"\(\s*(?:{_DAY}|{_YEAR})\s*\)")
_AUTHOR: Final = re.compile(r"\b(?:author|tac gia|ho ten|ho va ten)\b")
_SUSPECT: Final = r"[0-9]{2}|@|trú|iêng|nhà|[Cc]hỗ ở|ơi ở"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was taken out of a table: how many cells, by column and kind; never a value.

    ``columns`` are those that went as a whole.
    """

    columns: tuple[str, ...] = ()
    cells: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def kind_of(header: str) -> str:
    """Return the kind of personal data that a column under ``header`` holds, ``""`` for none.

    Headers in an old encoding are understood too.

    >>> [kind_of(each) for each in ("Ngày sinh", "SĐT", "Số CCCD", "Địa chỉ đơn vị", "Ngµy sinh")]
    ['birth', 'phone', 'identity', '', 'birth']
    """
    return _kind_of(unicodedata.normalize("NFC", header[:_LONGEST]))


@lru_cache(maxsize=4_096)
def _kind_of(header: str) -> str:
    for spelled in (header, *decodings(header)):
        folded = fold(spelled)
        for kind, pattern in _HEADER.items():
            if pattern.search(folded):
                harmless = _HARMLESS.get(kind)
                return "" if harmless and harmless.search(folded) else kind
    return ""


def without_personal(batch: pd.DataFrame) -> tuple[pd.DataFrame, Dropped]:
    """Return the batch without personal data, and what was taken out.

    Columns go by their header. In the columns that are carried along, and in author, unit and upper union,
    values of a clear shape give way to `GONE`; in an author's cell, years and dates in parentheses too.

    >>> batch = pd.DataFrame({"author": ["Lê A (1980)"], "SĐT": ["0912 345 678"], "Ghi chú": ["0912345678"]})
    >>> left, dropped = without_personal(batch)
    >>> left.to_dict("records")
    [{'author': 'Lê A […]', 'Ghi chú': '[…]'}]
    >>> dropped.cells
    {'Ghi chú': {'phone': 1}, 'SĐT': {'phone': 1}, 'author': {'birth': 1}}
    """
    gone = {
        name: kind for name in batch.columns if name not in {*_KEPT, *_NAMED} and (kind := kind_of(str(name)))
    }
    cells = {name: {kind: int((batch[name].str.strip() != "").sum())} for name, kind in gone.items()}
    masked: dict[str, pd.Series[str]] = {}
    for name in batch.columns:
        if name not in {*_KEPT, *gone}:
            # "author_field" names a field, not an author: a year in it is no birth date.
            is_author = name != AUTHOR_FIELD and bool(_AUTHOR.search(fold(str(name))))
            column, counts = _masked(batch[name], is_author=is_author)
            if counts:
                masked[str(name)] = column
                cells[str(name)] = dict(sorted(counts.items()))
    left = batch.assign(**masked).drop(columns=list(gone))
    return left, Dropped(tuple(map(str, gone)), dict(sorted(cells.items())))


def _masked(column: pd.Series[str], *, is_author: bool) -> tuple[pd.Series[str], Counter[str]]:
    suspect = column[column.str.contains(_SUSPECT, regex=True)]
    counts: Counter[str] = Counter()
    changed: dict[str, str] = {}
    for cell in suspect.tolist():
        text, found = _mask(cell, is_author=is_author)
        if found:
            changed[cell] = text
            counts.update(found)
    return column.map(lambda cell: changed.get(cell, cell)) if changed else column, counts


def _mask(cell: str, *, is_author: bool) -> tuple[str, set[str]]:
    found = set()
    patterns = [*_VALUES.items(), *([("birth", _BORN)] if is_author else [])]
    for kind, pattern in patterns:
        cell, count = pattern.subn(GONE, cell)
        if count:
            found.add(kind)
    return cell, found
