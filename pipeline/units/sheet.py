"""What an office knows of unit names: abbreviations, provinces, and what units are called now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pipeline.errors import UsageError
from pipeline.normalize import clean, fold
from pipeline.sheets import rows
from pipeline.units.names import (
    KINDS,
    NONE,
    OWN,
    PLACES,
    PROVINCE,
    UnitName,
    begins,
    in_order,
    in_place_of,
    named,
    specific,
)
from pipeline.units.tokens import Rule, Token, asides, is_school, texts, tokens_of, without_school

COLUMNS: Final = ("alias", "name", "note", "since")
"""Columns of the sheet."""

RENAMED: Final = "nay la"
"""How the (folded) note of a row begins whose alias is a former name, not another spelling."""

_DATE: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_ROUNDS: Final = 8  # of writing out, and of former names of former names: only a sheet in a circle needs more
_SIGHT: Final = 8  # syllables of the longest name of a province or beginning of a part
_UNKNOWN: Final = frozenset(
    {"", "khong", "khong co", "khong ro", "chua ro", "chua biet", "khong biet", "khong xac dinh", "n a"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet; ``renamed`` where the unit of the alias became that of the name, ``since`` when."""

    alias: str
    name: str
    renamed: bool = False
    since: str = ""


def parse(text: str, *, file: str) -> tuple[Row, ...]:
    r"""Return the rows of a CSV sheet with the columns ``alias,name`` and perhaps ``note`` and ``since``.

    Separated by commas or, as Excel saves it on a Vietnamese system, by semicolons. A note that begins with
    "nay là" makes the alias a former name, from the ISO date ``since`` on where there is one. In an alias,
    ``#`` stands for a number, and a full stop at its end must stand in a name too.

    Args:
        text: The file's content.
        file: Its name for messages.

    Raises:
        UsageError: A column is missing, or a row has an alias without a name or a name without an alias.

    >>> parse("alias,name,note\nBV,Bệnh viện,\nTỉnh Hà Tây,Thành phố Hà Nội,nay là", file="a.csv")[1]
    Row(alias='Tỉnh Hà Tây', name='Thành phố Hà Nội', renamed=True, since='')
    """
    found = []
    for number, cells in rows(text, file=file, columns=COLUMNS, needed=2):
        alias, name = cells["alias"], cells["name"]
        if bool(fold(alias)) != bool(fold(name)):
            raise UsageError(
                "{file}, row {row}: {alias} → {name}: fill both columns, alias and name, or neither.",
                file=file,
                row=number,
                alias=alias or '""',
                name=name or '""',
            )
        if fold(alias):
            since = cells["since"]
            if since and not _DATE.fullmatch(since):
                raise UsageError(
                    "{file}, row {row}: {found} is no date. Write it as 2025-07-01.",
                    file=file,
                    row=number,
                    found=since,
                )
            found.append(Row(alias, name, fold(cells["note"]).startswith(RENAMED), since))
    return tuple(found)


def _holds_itself(row: Row) -> bool:
    alias, name = (" ".join(texts(tokens_of(text))) for text in (row.alias, row.name))
    return f" {alias} " in f" {name} "


class UnitSheet:
    """What is known of unit names.

    Args:
        rows: Of two rows with one alias the later counts.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = tuple(rows)
        self._rules: dict[str, list[Rule]] = {}
        self._provinces: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._abbreviations: dict[str, list[tuple[str, str]]] = {}
        self._read: dict[str, tuple[UnitName, ...]] = {}
        self._later: dict[tuple[UnitName, str], tuple[UnitName, ...]] = {}
        self._numbered: frozenset[str] = frozenset()
        spellings = [row for row in self.rows if not row.renamed]
        # A row whose name holds its alias comes when the other aliases in both can be written out.
        for row in sorted(spellings, key=_holds_itself):
            self._learn(row)
        self._renamed = [
            (self._parsed(row.alias), self._parsed(row.name), row.since) for row in self.rows if row.renamed
        ]
        self._turns = sorted({since for _old, _new, since in self._renamed if since})

    def _learn(self, row: Row) -> None:
        alias, name = tokens_of(row.alias, pattern=True), tokens_of(row.name, pattern=True)
        bare, whole = texts(alias), texts(name)
        if whole in (("tinh", *bare), ("thanh", "pho", *bare)):
            # "Hải Dương" inside a company's name is no address: it is one where it stands alone.
            self._provinces |= {bare: whole, whole: whole}
            return
        self._numbered |= {one for one, two in pairwise(bare) if two == "#"}
        if "#" not in bare and bare != whole:
            self._abbreviations.setdefault(whole[0], []).append((" ".join(bare), " ".join(whole)))
        if _holds_itself(row):
            alias, name = self._expanded(row.alias), self._expanded(row.name)
            self._add(name, name)
        self._add(alias, name)

    def _add(self, alias: Sequence[Token], name: Sequence[Token]) -> None:
        pattern = (*(token._replace(dotted=False) for token in alias[:-1]), alias[-1])
        rules = self._rules.setdefault(pattern[0].text, [])
        same = (texts(pattern), pattern[-1].dotted)
        rules[:] = [rule for rule in rules if (texts(rule.alias), rule.alias[-1].dotted) != same]
        rules.append(Rule(pattern, tuple(name)))
        rules.sort(key=lambda rule: (-len(rule.alias), not rule.alias[-1].dotted))

    def names(self, cell: str) -> tuple[UnitName, ...]:
        """Return the names that a cell gives to one unit, the first as it stands; none where it names none.

        >>> sheet = UnitSheet([Row("Q.", "Quận"), Row("THCS", "Trường Trung học cơ sở")])
        >>> [name.key for name in sheet.names("Trường Ba Trăng (nay là THCS Lê Lợi), Q.1")]
        ['truong ba trang, quan 1', 'trung hoc co so le loi, quan 1']
        """
        if cell not in self._read:
            self._read[cell] = tuple(dict.fromkeys(self._named(cell)))
        return self._read[cell]

    def _named(self, cell: str) -> Iterator[UnitName]:
        text, others = asides(clean(cell).text)
        name = self._parsed(text)
        if fold(text) in _UNKNOWN or not name.key:
            return
        yield name
        for other in others:
            yield in_place_of(name, self._parsed(other))

    def epoch(self, day: str) -> str:
        """Return the last day up to ``day`` (ISO) on which a renaming began: what names meant since then.

        ``0`` before all of them, ``""`` where the day is not known.

        >>> sheet = UnitSheet([Row("Hà Tây", "Hà Nội", renamed=True, since="2008-08-01")])
        >>> sheet.epoch("2022-01-01"), sheet.epoch("2007-01-01"), sheet.epoch("")
        ('2008-08-01', '0', '')
        """
        return max((turn for turn in self._turns if turn <= day), default="0") if day else ""

    def later_names(self, name: UnitName, *, on: str = "") -> tuple[UnitName, ...]:
        """Return what a unit of that name is called after the sheet's renamings, one after another.

        Renamings that began after the day ``on`` (ISO) are left out: before 1 July 2025 nothing in Thành phố
        Hồ Chí Minh was in Bình Dương. Without a day all of them count.

        A renamed province renames only units with a name of their own: Sở Y tế tỉnh Hà Nam was not Sở Y tế
        tỉnh Ninh Bình, though Hà Nam is Ninh Bình now.
        """
        known = self._later.get((name, epoch := self.epoch(on)))
        if known is not None:
            return known
        found: dict[UnitName, None] = {}
        fresh = [name]
        for _round in range(_ROUNDS):
            fresh = [new for each in fresh for new in self._renamings(each, epoch) if new not in found]
            found |= dict.fromkeys(fresh)
        self._later[name, epoch] = tuple(found)
        return self._later[name, epoch]

    def _renamings(self, name: UnitName, epoch: str) -> Iterator[UnitName]:
        # "…, Bình Dương" is in Tỉnh Bình Dương, whose renaming the sheet has.
        levels = (" ".join(self._provinces.get(tuple(part.split()), (part,))) for part in name.province)
        name = name._replace(province=tuple(levels))
        for old, new, since in self._renamed:
            if epoch and since > epoch:
                continue
            inside = all(set(said) >= set(asked) for said, asked in zip(name, old, strict=True))
            if inside and (old.own or old.commune or old.district or name.specific or name == old):
                kept = [set(said) - set(asked) for said, asked in zip(name, old, strict=True)]
                yield UnitName(*(in_order(left | set(add)) for left, add in zip(kept, new, strict=True)))

    def written_out(self, text: str) -> str:
        """Return the folded syllables of ``text``, its abbreviations written out.

        >>> UnitSheet([Row("BVĐK", "Bệnh viện Đa khoa")]).written_out("BVĐK Hà Đông")
        'benh vien da khoa ha dong'
        """
        return " ".join(texts(self._expanded(text, schools=True)))

    def _expanded(self, text: str, *, schools: bool = False) -> list[Token]:
        tokens = tokens_of(text, self._numbered)
        for _round in range(_ROUNDS):
            before, tokens = tokens, self._pass(tokens if schools else without_school(tokens))
            if tokens == before:
                break
        return tokens

    def _pass(self, tokens: list[Token]) -> list[Token]:
        done: list[Token] = []
        at = 0
        while at < len(tokens):
            rules = self._rules.get(tokens[at].text, ())
            rule = next((rule for rule in rules if rule.matches(tokens, at)), None)
            done += rule.written_out(tokens, at) if rule else [tokens[at]]
            at += len(rule.alias) if rule else 1
        return done

    def ways(self, cell: str) -> Iterator[str]:
        """Yield the folded ways of writing the name in a cell: written out, its own part, both abbreviated.

        >>> sorted(set(UnitSheet([Row("BV", "Bệnh viện")]).ways("BV Ba Vì, Hà Nội")))
        ['benh vien ba vi ha noi', 'bv ba vi ha noi']
        """
        text, others = asides(clean(cell).text)
        for each in (text, *others):
            own = [" ".join(words) for words in self._split(each)[OWN]]
            own += [f"truong {part}" for part in own if is_school(part)]
            for whole in (self.written_out(each), *(part for part in own if specific(part))):
                yield whole
                for alias, name in self._shorter(whole):
                    yield f" {whole} ".replace(f" {name} ", f" {alias} ").strip()

    def _shorter(self, whole: str) -> Iterator[tuple[str, str]]:
        """Yield the abbreviations of what stands in a folded text."""
        for word in sorted(set(whole.split())):
            for alias, name in self._abbreviations.get(word, ()):
                if f" {name} " in f" {whole} ":
                    yield alias, name

    def _parsed(self, text: str) -> UnitName:
        name = named(self._split(text))
        for _round in range(_ROUNDS):
            # Where parts were put together, an abbreviation may stand that a break had cut.
            before, name = name, named(self._split(name.key))
            if name == before:
                break
        return name

    def _split(self, text: str) -> dict[str, list[list[str]]]:
        """Return the parts of a name, each a list of syllables, by kind."""
        tokens = self._expanded(text)
        parts: dict[str, list[list[str]]] = {kind: [] for kind in KINDS}
        into: list[str] | None = None
        at = 0
        while at < len(tokens):
            kind, size = self._begins(tokens, at)
            words = [token.text for token in tokens[at : at + size]]
            at += size
            if not kind and into is not None:
                into += words
                continue
            parts[kind or OWN].append(words)
            # A known province is whole: what follows and begins like no part belongs to the name before it.
            known = kind == PROVINCE and tuple(words) in self._provinces
            into = next(reversed(parts[OWN]), None) if known else words
        return parts

    def _begins(self, tokens: Sequence[Token], at: int) -> tuple[str, int]:
        """Return which kind of part begins at a token and how many tokens surely belong to it."""
        if size := self._province(tokens, at):
            return PROVINCE, size
        kind, size = begins(texts(tokens[at : at + _SIGHT]), broken=tokens[at].broken)
        end = at + size
        # "Phường" with no name behind it ends another name: "Trường THCS Nguyễn Tri Phương".
        nameless = end == len(tokens) or _opens(tokens, end) or self._province(tokens, end)
        return (NONE, size) if kind in PLACES and nameless else (kind, size)

    def _province(self, tokens: Sequence[Token], at: int) -> int:
        """Return how many tokens a known province takes that is an address there; 0 for none."""
        words = texts(tokens[at : at + _SIGHT])
        for size in range(1, len(words) + 1):
            level = self._provinces.get(words[:size])
            if level and (tokens[at].broken or level == words[:size]) and _ends(tokens, at + size):
                return size
        return 0


def _ends(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a part may end before a token."""
    return at == len(tokens) or tokens[at].broken or _opens(tokens, at)


def _opens(tokens: Sequence[Token], at: int) -> bool:
    return begins(texts(tokens[at : at + _SIGHT]), broken=tokens[at].broken)[0] != NONE
