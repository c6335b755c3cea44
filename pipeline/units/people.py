"""Names of people in a cell of one or several authors."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pipeline.normalize import clean, fold, key

_ASIDE: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_COMRADE: Final = re.compile(r"\b[đd]/c\b", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[,;:\n/&+|–—]|\s-\s|[^\W\d_]*\d[\w.%]*|\s(?:và|va|cùng)\s", re.IGNORECASE)
# Two syllables must be left: "Bà Lan" would become a name of one.
_TITLES: Final = re.compile(
    r"^(?:(?:gs|pgs|tskh|ts|ths|bs|ds|ks|kts|ktv|cn|cndd|dd|hs|nhs|bscki|bsckii|bsck|cki|ckii|ck|nsut|nsnd|"
    r"ngut|ngnd|ttut|ttnd|dc|d c|dong chi|bac si|duoc si|y si|ky su|ki su|thac si|thac sy|tien si|tien sy|"
    r"cu nhan|dieu duong vien|dieu duong|ky thuat vien|nu ho sinh|ho sinh|giao su|pho giao su|kien truc su|"
    r"luat su|ong|ba|co|thay|anh|chi|chuyen khoa|i|ii|mr|mrs|ms|dr)\s+)+(?=\S+\s+\S)"
)
_ROLES: Final = (
    "tac gia, dong tac gia, nhom tac gia, cac tac gia, tac gia chinh, ho va ten, ho ten, chu nhiem, thanh "
    "vien, cong su, cac cong su, nhung nguoi khac, cs, nhom, nhom nghien cuu, dong nghiep, cac dong "
    "nghiep, sinh nam, nam sinh, sinh, sn, nguoi khac, khong, khong co, chua ro, nhieu tac gia, chuc vu, "
    "don vi, giao vien, hieu truong, pho hieu truong"
)
_NOBODY: Final = frozenset(_ROLES.split(", "))
_REST: Final = re.compile(r"\s+(?:(?:va )?(?:cac )?(?:cong su|cs)|sinh nam|sinh ngay|nam sinh|sn|sinh)$")


@lru_cache(maxsize=100_000)
def people(cell: str) -> frozenset[str]:
    """Return the folded names of the people in a cell, without titles, birth years and shares.

    A name of one syllable or of initials only could be anybody's and is left out. Two people may bear one
    name: it says that a person should look, not who it was.

    >>> sorted(people("ThS. Nguyễn Văn A (1980), bà TRAN THI LY và cộng sự"))
    ['nguyen van a', 'tran thi li']
    >>> people("N.V.A"), people("Lan")
    (frozenset(), frozenset())
    """
    parts = _BETWEEN.split(_COMRADE.sub(" ", _ASIDE.sub(",", clean(cell).text)))
    return frozenset(name for part in parts if (name := _person(part)))


def _person(part: str) -> str:
    """Return the folded name in a part of a cell, or ``""`` for none."""
    said = re.sub(r"^ng\s", "nguyen ", _TITLES.sub("", fold(key(part))))
    name = _REST.sub("", said)
    syllables = name.split()
    nobody = name in _NOBODY or len(syllables) <= 1 or all(len(syllable) == 1 for syllable in syllables)
    return "" if nobody else name
