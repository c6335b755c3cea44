"""The syllables of a unit's name, and the rules that write abbreviations out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from pipeline.normalize import clean, fold

_LETTERS: Final = [chr(code) for code in (*range(0xC0, 0x1B1), *range(0x1EA0, 0x1EFA))]


def _loose(phrase: str) -> str:
    """Return a pattern for a bare phrase however its letters are marked."""
    marked = {" ": r"\W+(?:v[àa]\W+)*", "d": "[dđ]"}
    for vowel in "aeiou":
        alike = (each for each in _LETTERS if unicodedata.normalize("NFD", each)[0] == vowel)
        marked[vowel] = f"[{vowel}{''.join(alike)}]"
    return "".join(marked.get(letter, letter) for letter in phrase)


_MARKERS: Final = (
    "nay la",
    "nay doi ten thanh",
    "doi ten thanh",
    "truoc day la",
    "truoc kia la",
    "truoc la",
    "truoc day",
    "ten cu la",
    "ten cu",
    "tien than la",
)
_MARKER: Final = rf"(?:{'|'.join(map(_loose, _MARKERS))})\b\s*:?"
_ASIDE: Final = re.compile(rf"\(\s*{_MARKER}([^()]*)\)?|[,;–—-]?\s*\b{_MARKER}([^()]*)", re.IGNORECASE)
_FORMER: Final = re.compile(r"\(\s*c[uũ]\s*\)|\bcũ\s*(?=[,;()–—-]|$)", re.IGNORECASE)


def asides(text: str) -> tuple[str, list[str]]:
    """Return a clean name without what it says of former and present names, and those names.

    >>> asides("Trường A (nay là Trường B), Quận 1")
    ('Trường A , Quận 1', ['Trường B'])
    """
    plain = _FORMER.sub(" ", text)
    found = [(match[1] or match[2] or "").strip() for match in _ASIDE.finditer(plain)]
    left = " ".join(_ASIDE.sub(" ", plain).split()) if found else plain
    # A cell of "nay là Trường B" alone still names a unit.
    return (left, found) if fold(left) else (" ".join(found), [])


class Token(NamedTuple):
    """A folded syllable, whether a full stop follows it, and whether a break comes before it."""

    text: str
    dotted: bool = False
    broken: bool = False


# A hyphen inside a word ("BR-VT") is no break; one between words is.
_PIECE: Final = re.compile(r"[^\W_]+|#|(?<=\w)[-–](?=\w)|(?P<break>[^\w\s.&'’#]|\n)")
_NUMBERED: Final = re.compile(r"([^\W\d_]+)(\d+)")


def tokens_of(text: str, numbered: frozenset[str] = frozenset(), *, pattern: bool = False) -> list[Token]:
    """Return the syllables of ``text``; "và" says nothing.

    Args:
        text: A name.
        numbered: What a number may follow: with "p" among them, "P5" is two.
        pattern: Whether ``#`` stands for a number.
    """
    found: list[Token] = []
    broken = True
    plain = clean(text).text
    for match in _PIECE.finditer(plain):
        words = "#" if match[0] == "#" else _folded(match[0])
        broken = broken or match["break"] is not None
        if not words or words == "va" or (words == "#" and not pattern):
            continue
        split = _NUMBERED.fullmatch(words)
        for part in split.groups() if split and split[1] in numbered else words.split():
            number = part.lstrip("0") or "0"
            stop = plain[match.end() : match.end() + 1] == "."
            found.append(Token(number if part.isdecimal() else part, stop, broken))
            broken = False
    return found


_folded: Final = lru_cache(maxsize=65_536)(fold)
_SCHOOLS: Final = frozenset(
    {"mam non", "mau giao", "tieu hoc", "trung hoc", "pho thong", "dai hoc", "cao dang", "trung cap"}
)


def is_school(part: str) -> bool:
    """Return whether folded words begin with a kind of school."""
    return " ".join(part.split()[:2]) in _SCHOOLS


def without_school(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens without "trường" before a kind of school, with which a part of the name begins.

    >>> without_school(tokens_of("Công đoàn Trường Tiểu học A"))[2]
    Token(text='tieu', dotted=False, broken=True)
    """
    done: list[Token] = []
    opened = False
    for at, token in enumerate(tokens):
        kind = next((place for place in range(at, len(tokens)) if tokens[place].text != "truong"), at)
        joined = not any(each.broken for each in tokens[at + 1 : kind + 2])
        if token.text == "truong" and joined and is_school(" ".join(texts(tokens[kind : kind + 2]))):
            opened = True
            continue
        done.append(token._replace(broken=True) if opened else token)
        opened = False
    return done


@dataclass(frozen=True, slots=True)
class Rule:
    """An abbreviation and what it stands for; ``#`` in both is a number."""

    alias: tuple[Token, ...]
    name: tuple[Token, ...]

    def matches(self, tokens: Sequence[Token], at: int) -> bool:
        """Return whether the abbreviation stands at a token."""
        span = tokens[at : at + len(self.alias)]
        return len(span) == len(self.alias) and all(
            (asked.text == token.text or (asked.text == "#" and token.text.isdecimal()))
            and (not token.broken or asked.broken or not place)
            # A lone letter with a stop at the end of a name is that name's, no abbreviation.
            and (not asked.dotted or (token.dotted and at + place + 1 < len(tokens)))
            for place, (asked, token) in enumerate(zip(self.alias, span, strict=True))
        )

    def written_out(self, tokens: Sequence[Token], at: int) -> list[Token]:
        """Return what stands for the abbreviation there."""
        span = tokens[at : at + len(self.alias)]
        numbers = (token.text for asked, token in zip(self.alias, span, strict=True) if asked.text == "#")
        words = [next(numbers, "#") if token.text == "#" else token.text for token in self.name]
        breaks = [span[0].broken, *(token.broken for token in self.name[1:])]
        return [Token(word, broken=broken) for word, broken in zip(words, breaks, strict=True)]


def texts(tokens: Iterable[Token]) -> tuple[str, ...]:
    """Return the syllables of tokens."""
    return tuple(token.text for token in tokens)
