"""The parts of a unit's name, and when two names can be of one unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

Words = tuple[str, ...]


OWN, COMMUNE, DISTRICT, PROVINCE, NONE = "own", "commune", "district", "province", ""
KINDS: Final = (OWN, COMMUNE, DISTRICT, PROVINCE)
"""The kinds of parts, in the order in which a name is written."""
PLACES: Final = frozenset({COMMUNE, DISTRICT, PROVINCE})


def _phrases(text: str) -> list[Words]:
    return [tuple(phrase.split()) for phrase in text.split(", ")]


_ANYWHERE: Final[dict[Words, str]] = {
    **dict.fromkeys(_phrases("phuong, xa, thi tran"), COMMUNE),
    **dict.fromkeys(_phrases("quan, huyen, thi xa, thanh pho"), DISTRICT),
    **dict.fromkeys(_phrases("tinh"), PROVINCE),
    **dict.fromkeys(
        _phrases(
            "benh vien, trung tam y te, tram y te, cong ty, cong ti, tong cong ty, tong cong ti, "
            "uy ban nhan dan, hoi dong nhan dan, lien doan lao dong"
        ),
        OWN,
    ),
    # Without marks these begin like a place, and are none.
    **dict.fromkeys(
        _phrases(
            "quan ly, quan li, quan tri, quan su, quan y, quan doi, quan khu, quan doan, quan nhan, xa hoi, "
            "hop tac xa, tinh nguyen, tinh bao, phuong phap, phuong tien, tong lien doan lao dong"
        ),
        NONE,
    ),
}
_INNER: Final = _phrases(
    "khoa, phong, to, doi, ban, bo phan, phan xuong, xuong, day chuyen, bo mon, ca, chuyen, lop, "
    "cong doan bo phan, to cong doan"
)
_MIDDLE: Final = _phrases("trung tam, don vi")
_BEHIND_A_BREAK: Final[dict[Words, str]] = {
    **_ANYWHERE,
    **dict.fromkeys(_phrases("thon, ap, khu pho, to dan pho"), COMMUNE),
    **dict.fromkeys(
        [
            *_INNER,
            *_MIDDLE,
            *_phrases(
                "tram, truong, nha may, xi nghiep, so, cuc, chi cuc, vien, chi nhanh, van phong, cong doan, "
                "hoi, doan, dang bo, nghiep doan, hop tac xa, dien luc, vien thong, buu dien, "
                "khu cong nghiep, mam non, mau giao, tieu hoc, trung hoc, pho thong, dai hoc, cao dang, "
                "trung cap, khu che xuat, khu kinh te, hat, kho, cum, ngan hang, tap doan, "
                "tong lien doan lao dong"
            ),
        ],
        OWN,
    ),
}
_RANKS: Final = dict.fromkeys(_INNER, 1) | dict.fromkeys(_MIDDLE, 2)
_LONGEST: Final = max(map(len, _BEHIND_A_BREAK))

_COMMON: Final = _phrases(
    "y te, giao duc, dao tao, vien chuc, cong thuong, xay dung, giao thong van tai, nong nghiep, nong "
    "thon, phat trien, tai chinh, ke hoach, dau tu, noi vu, tu phap, thong tin, truyen thong, khoa hoc, "
    "cong nghe, tai nguyen, moi truong, van hoa, the thao, du lich, lao dong, thuong binh, cong an, nhan "
    "dan, quan su, chi huy, bao hiem, kho bac, nha nuoc, thue, hai quan, thi hanh an, dan su, toa an, "
    "kiem sat, da khoa, khu vuc, phu san, nhi, mat, phoi, lao, tam than, da lieu, y hoc, co truyen, phuc "
    "hoi chuc nang, benh tat, du phong, chuyen, mam non, mau giao, tieu hoc, trung hoc, co so, pho thong, "
    "trung cap, cao dang, dai hoc, dan toc, noi tru, ban tru, thuong xuyen, nghe nghiep, nghe, cong lap, "
    "tu thuc, cong doan, nganh, cac, che xuat, cong nghiep, kinh te, viet nam, co phan, trach nhiem huu "
    "han, mot thanh vien, mat tran to quoc, phu nu, thanh nien, nong dan, cuu chien binh, chu thap do, "
    "phat thanh, truyen hinh, du an, xo so, kien thiet, moi truong do thi, cap nuoc, thoat nuoc, vien "
    "thong"
)
_GENERIC: Final = re.compile(
    r"\b(?:{})\b".format(
        "|".join(sorted({" ".join(words) for words in (*_BEHIND_A_BREAK, *_COMMON)}, key=len, reverse=True))
    )
)
"""Words that many units are called by: a name of nothing else means no single unit of the country."""


class UnitName(NamedTuple):
    """A name in parts, each folded and sorted: the unit's own name, commune, district and province.

    A commune is a xã, phường or thị trấn; a district a quận, huyện, thị xã or a city of a province. Districts
    ended on 1 July 2025; a name may state one or not.
    """

    own: Words = ()
    commune: Words = ()
    district: Words = ()
    province: Words = ()

    @property
    def key(self) -> str:
        """Return the name in one spelling, its parts separated by commas."""
        return ", ".join((*self.own, *self.commune, *self.district, *self.province))

    @property
    def flat(self) -> str:
        """Return the syllables alone, of a province without its level."""
        bare = [re.sub(r"^(?:tinh|thanh pho) ", "", part) for part in self.province]
        return " ".join((*self.own, *self.commune, *self.district, *bare))

    @property
    def specific(self) -> bool:
        """Return whether the name without its province can mean one unit."""
        return specific(" ".join((*self.own, *self.commune, *self.district)))

    @property
    def workplace(self) -> UnitName:
        """Return the name of the whole place of work: without its departments, groups and workshops."""
        highest = max(map(_rank, self.own), default=0)
        return self._replace(own=tuple(part for part in self.own if _rank(part) == highest))


def specific(text: str) -> bool:
    """Return whether folded syllables say more than many units are called by.

    >>> specific("so y te"), specific("benh vien bach mai")
    (False, True)
    """
    return bool(_GENERIC.sub("", text).strip())


def _rank(part: str) -> int:
    """Return 1 for a part of a place of work, 2 for what may be one, 3 for a whole."""
    words = tuple(part.split())
    return next((_RANKS[words[:size]] for size in (3, 2, 1) if words[:size] in _RANKS), 3)


def agree(one: UnitName, other: UnitName) -> bool:
    """Return whether two names can be of one unit only, one of them perhaps saying less of where it is."""
    if one == other or one.flat == other.flat:
        return True
    if one.own != other.own or one.commune != other.commune:
        return False
    same_province = one.province == other.province
    if one.district != other.district:
        # Xã Tân Lập is in many districts; without the province too it could be any of them.
        unsaid = not one.district or not other.district
        return bool(unsaid and one.commune and one.province and same_province)
    return same_province or ((not one.province or not other.province) and one.specific)


def begins(words: Sequence[str], *, broken: bool) -> tuple[str, int]:
    """Return the kind of part that begins with ``words`` (`NONE`: none does) and how many of them show it.

    Args:
        words: Folded syllables.
        broken: Whether they stand at the start of the name or behind a comma, a dash or a parenthesis.

    >>> begins(("uy", "ban", "nhan", "dan", "xa"), broken=False)
    ('own', 4)
    """
    heads = _BEHIND_A_BREAK if broken else _ANYWHERE
    for size in range(min(_LONGEST, len(words)), 0, -1):
        kind = heads.get(tuple(words[:size]))
        if kind is not None:
            return kind, size
    return NONE, 1


def in_order(parts: Iterable[str]) -> Words:
    """Return the parts of one kind, each once, the one that begins like no part first.

    Read again, a part without such a beginning would be taken for the end of the one before it.
    """
    return tuple(sorted(set(parts), key=lambda part: (_opens(part), part)))


def _opens(part: str) -> bool:
    """Return whether a part is told by its first words from the end of the one before it."""
    words = part.split()
    kind, size = begins(words, broken=True)
    return kind == OWN or (kind in PLACES and size < len(words))


def without_union(own: Sequence[str]) -> list[str]:
    """Return a unit's own name without its trade union's: the union of a unit is that unit.

    >>> without_union(["cong doan", "cong ty may ba"]), without_union(["cong doan nganh y te"])
    (['cong ty may ba'], ['cong doan nganh y te'])
    """
    bare = [re.sub(r"^cong doan co so\b ?", "", part) for part in own]
    left = [part for part in bare if part not in {"", "cong doan"}]
    return left or list(own)


def in_place_of(name: UnitName, other: UnitName) -> UnitName:
    """Return a second name of a unit, completed by what only the first says: departments and place.

    >>> old = UnitName(("benh vien a", "khoa nhi"), district=("quan 1",))
    >>> in_place_of(old, UnitName(("benh vien b",))).key
    'benh vien b, khoa nhi, quan 1'
    """
    highest = max(map(_rank, other.own), default=0)
    kept = [part for part in name.own if not other.own or _rank(part) < highest]
    return UnitName(
        in_order([*kept, *other.own]),
        other.commune or name.commune,
        other.district or name.district,
        other.province or name.province,
    )


_LONE_Y: Final = re.compile(r"\b([hklmst])y\b")


def named(parts: Mapping[str, Sequence[Sequence[str]]]) -> UnitName:
    """Return the name made of parts, each a list of syllables, by kind.

    "Kỹ" and "kĩ" are one spelling.

    >>> named({OWN: [["cong", "ty", "a"]], COMMUNE: [], DISTRICT: [["quan", "1"]], PROVINCE: []}).key
    'cong ti a, quan 1'
    """
    spelled = {kind: [_spelled(" ".join(words)) for words in parts[kind]] for kind in KINDS}
    spelled[OWN] = without_union(spelled[OWN])
    return UnitName(*(in_order(spelled[kind]) for kind in KINDS))


def _spelled(text: str) -> str:
    return _LONE_Y.sub(r"\1i", text)
