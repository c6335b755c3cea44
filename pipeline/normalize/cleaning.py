"""Raw text → clean text, with what was repaired and where each character came from.

A step reads the text and returns *edits*: which spans become what. One loop applies them, with or
without keeping the offsets, so that `clean` and `trace` cannot disagree. The steps run in order until
none has anything left to do: removing a hidden character may bring a letter and its mark together, and
only then can they be composed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.normalize import characters as chars
from pipeline.normalize import disguises, legacy, respelling
from pipeline.normalize.edits import Edit, matches
from pipeline.normalize.syllable import is_bare_syllable, is_syllable

LONGEST: Final = 32_767
"""Characters a cell may hold (the limit of a spreadsheet); what is longer is cut."""

_MARKS_PER_BASE: Final = 4  # Vietnamese needs two; ordering thousands takes quadratic time
_ROUNDS: Final = 8

Offsets = npt.NDArray[np.int64]


class Cleaned(NamedTuple):
    """A text for people, what was repaired to get it (how often), and what a reviewer should know.

    ``flags`` are codes of `pipeline.records.FLAGS`.
    """

    text: str
    fixes: dict[str, int]
    flags: frozenset[str]


class Step(NamedTuple):
    """A repair: its code (where an edit has none of its own), how to find it, the flag it raises, if any."""

    fix: str
    edits: Callable[[str], Iterator[Edit]]
    flag: str = ""


def clean(raw: str, *, encoding: str = "") -> Cleaned:
    r"""Return ``raw`` as a person would have typed it: composed, visible, evenly spaced.

    Words, case, quotes, tone placement and superscripts stay. Composition is NFC (Unicode Standard Annex
    #15): NFKC would make ``m2`` of ``m²``. Line ends stay as ``\n``; other spaces and runs of them become
    one. Cleaning a clean text changes nothing, and NFC and NFD input give the same text.

    Args:
        raw: A cell.
        encoding: The old encoding that its column is in (`legacy.vote`), which is undone in short cells too.

    >>> clean("Sa\u0301ng\u200b  ki&ecirc;\u0301n")
    Cleaned(text='Sáng kiến', fixes={'compose': 2, 'entity': 1, 'hidden': 1, 'space': 1},
            flags=frozenset({'hidden_characters'}))
    """
    if _is_clean(raw) and not encoding:
        return Cleaned(raw, {}, frozenset())
    draft = _repair(_decoded(_Draft(raw), encoding))
    return Cleaned(draft.text, dict(draft.fixes), frozenset(draft.flags))


def trace(raw: str, *, encoding: str = "") -> tuple[str, Offsets]:
    """Return the clean text and, for each of its characters, where it starts in ``raw``.

    The array has one more element, where the text ends: ``raw[at[i]:at[j]]`` is what ``text[i:j]`` was
    made of. Offsets count code points and never decrease.

    >>> text, at = trace("a\u0301  b")
    >>> text, at.tolist(), len("a\u0301  b")
    ('á b', [0, 2, 4, 5], 5)
    """
    offsets = np.arange(len(raw) + 1, dtype=np.int64)
    if _is_clean(raw) and not encoding:
        return raw, offsets
    draft = _repair(_decoded(_Draft(raw, offsets), encoding))
    assert draft.offsets is not None
    return draft.text, draft.offsets


_ORDINARY: Final = re.compile(f"[{chars.ORDINARY}]*+")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def _is_clean(text: str) -> bool:
    """Return whether no step can have anything to do: the way out for nearly every cell."""
    return (
        (
            len(text) <= LONGEST
            and _ORDINARY.fullmatch(text) is not None  # far faster than a search for others
            and "  " not in text
            and not ("\n" in text and (" \n" in text or "\n " in text or "\n\n" in text))
            and text[:1] not in (" ", "\n")
            and text[-1:] not in (" ", "\n")
            and ("&" not in text or _ENTITY.search(text) is None)
            and (legacy.UNICODE.search(text) is not None or next(legacy.edits(text), None) is None)
            and not respelling.is_suspect(text)
        )
        or not text
    )


@dataclass(slots=True)
class _Draft:
    """A text under repair; ``offsets`` are kept when they were asked for."""

    text: str
    offsets: Offsets | None = None
    fixes: Counter[str] = field(default_factory=Counter)
    flags: set[str] = field(default_factory=set)

    def apply(self, step: Step) -> bool:
        edits = list(step.edits(self.text))
        if not edits:
            return False
        if self.offsets is not None:
            self.offsets = self.offsets[_origins(edits, len(self.text))]
        pieces: list[str] = []
        at = 0
        for edit in edits:
            pieces += (self.text[at : edit.start], edit.text)
            at = edit.end
        self.text = "".join([*pieces, self.text[at:]])
        self.fixes.update(edit.fix or step.fix for edit in edits)
        if step.flag:
            self.flags.add(step.flag)
        return True


def _origins(edits: list[Edit], length: int) -> Offsets:
    """Return, for each character after ``edits`` and for the end, its index before them."""
    pieces = []
    at = 0
    for start, end, text, _ in edits:
        pieces.append(np.arange(at, start))
        same = len(text) == end - start
        pieces.append(np.arange(start, end) if same else np.full(len(text), start))
        at = end
    pieces.append(np.arange(at, length + 1))
    return np.concatenate(pieces).astype(np.int64)


def _decoded(draft: _Draft, encoding: str) -> _Draft:
    """Undo the encoding of a column, once: what it gives may look like that encoding again."""
    if encoding and not draft.text.isascii():
        for step in STEPS[: STEPS.index(_LEGACY)]:
            draft.apply(step)
        draft.apply(Step("legacy", partial(legacy.by_vote, name=encoding), "legacy_encoding"))
    return draft


def _repair(draft: _Draft) -> _Draft:
    for _ in range(_ROUNDS):
        if _is_clean(draft.text) or not _round(draft):
            return draft
    # Entities written in entities, level upon level, would take as many rounds as there are levels.
    draft.apply(_NESTED)
    while _round(draft):
        pass
    return draft


def _round(draft: _Draft) -> bool:
    """Apply every step once, in order, and return whether any did something."""
    applied = [draft.apply(step) for step in STEPS]
    return any(applied)


_BEYOND: Final = re.compile(f"[{chr(chars.PLANE)}-\U0010ffff]")


def _pattern(name: str, text: str) -> re.Pattern[str]:
    """Return the pattern ``name`` that fits ``text``: far faster where all is in the first plane."""
    return _compiled(name, chars.LAST if _BEYOND.search(text) else chars.PLANE)


@cache
def _compiled(name: str, last: int) -> re.Pattern[str]:
    """Return a pattern made of Unicode's tables, which takes a moment: most processes never need it."""
    marks, hidden = chars.marks(last), chars.hidden(last)
    joiners, alone = chars.joiners(last), chars.singletons(last)
    lone_joiner = rf"(?<![{chars.EMOJI}\ufe0f])\u200d|\u200d(?![{chars.EMOJI}])"
    lone_variant = rf"(?<![{chars.EMOJI}{chars.VARIED}])[\ufe0e\ufe0f]"
    return re.compile(
        {
            "marks": rf"[^{marks}{hidden}]?[{marks}{hidden}]{{3,}}",
            "mark": f"[{marks}]",
            "compose": rf"[^{joiners}]?[{joiners}]+|[{alone}]",
            "hidden": rf"(?:(?![\u200d\ufe0e\ufe0f])[{hidden}]|{lone_joiner}|{lone_variant})+",
        }[name]
    )


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _surrogates(text: str) -> Iterator[Edit]:
    return matches(_SURROGATE, text, lambda found: "\ufffd" * len(found))


def _stacked_marks(text: str) -> Iterator[Edit]:
    return matches(_pattern("marks", text), text, _fewer_marks)


def _fewer_marks(cluster: str) -> str:
    """Return a letter with the first marks of its canonical order (so that NFC and NFD lose the same)."""
    is_mark = _pattern("mark", cluster).match
    first, *others = (unicodedata.normalize("NFD", character) for character in cluster)
    parts = [*first, *(part for other in others for part in other)]
    stack = sorted(filter(is_mark, parts), key=unicodedata.combining)
    if len(stack) <= _MARKS_PER_BASE:
        return cluster
    rest = [part for part in parts if not is_mark(part)]
    base = sum(1 for part in first if not is_mark(part))
    return "".join([*rest[:base], *stack[:_MARKS_PER_BASE], *rest[base:]])


# An ampersand is often escaped again and again: "&amp;amp;lt;" is one "<".
_ENTITIES: Final = re.compile(r"&(?:(?:amp|AMP|#0*38|#[xX]0*26);)*" + _ENTITY.pattern[1:])


def _entities(text: str) -> Iterator[Edit]:
    return matches(_ENTITIES, text, _unescape) if "&" in text else iter(())


def _unescape(entity: str) -> str:
    """Return what the last of nested entities stands for; unknown names stay as they are."""
    return html.unescape("&" + entity.split(";")[-2].removeprefix("&") + ";")


def _uncomposed(text: str) -> Iterator[Edit]:
    if unicodedata.is_normalized("NFC", text):
        return iter(())
    return matches(_pattern("compose", text), text, lambda found: unicodedata.normalize("NFC", found))


_WORD: Final = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+")
_D_FAMILY: Final = str.maketrans("ÐðƉɖƢƣ", "ĐđĐđƯư")
_HAS_D_FAMILY: Final = re.compile("[ÐðƉɖƢƣ]")
_ABBREVIATION: Final = re.compile(f"[A-Z{chars.LETTERS}]{{1,8}}")


def _d_family(text: str) -> Iterator[Edit]:
    return matches(_WORD, text, _vietnamese_d) if _HAS_D_FAMILY.search(text) else iter(())


def _vietnamese_d(word: str) -> str:
    repaired = word.translate(_D_FAMILY)
    # Abbreviations are no syllables (LÐLÐ, QÐ); other words stay: the letters are at home in Icelandic.
    abbreviation = repaired.isupper() and _ABBREVIATION.fullmatch(repaired)
    return repaired if repaired != word and (abbreviation or is_syllable(repaired)) else word


# Some fonts of old PDF files give "μ" for "à" and "−" or "‐" for "ư".
_RESIDUE: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]+[μ−‐][^\W\d_]*")
_RESIDUE_LETTERS: Final = str.maketrans("μ−‐", "àưư")


def _residue(text: str) -> Iterator[Edit]:
    return matches(_RESIDUE, text, _from_pdf)


def _from_pdf(word: str) -> str:
    repaired = word.translate(_RESIDUE_LETTERS)
    # "x−y" and "a‐b" are formulas; with a letter that only Vietnamese has, a hyphen is none.
    certain = "μ" in word or not word.replace("−", "").replace("‐", "").isascii()
    return repaired if certain and is_syllable(repaired) else word


# Blank symbols and fillers have the width of a letter: where they stand between words, they are spaces.
_WIDE: Final = "\u115f\u1160\u2800\u3164\uffa0"
_WIDE_BLANKS: Final = re.compile(f"[{_WIDE}]+")
_RUN: Final = re.compile(r"\S+")


def _hidden(text: str) -> Iterator[Edit]:
    spaces = {
        at
        for run in (_RUN.finditer(text) if _WIDE_BLANKS.search(text) else ())
        if _WIDE_BLANKS.search(run[0]) and _is_spaced(run[0])
        for blank in _WIDE_BLANKS.finditer(text, *run.span())
        for at in range(*blank.span())
    }
    for found in _pattern("hidden", text).finditer(text):
        yield Edit(*found.span(), "" if spaces.isdisjoint(range(*found.span())) else " ")


def _is_spaced(run: str) -> bool:
    """Return whether most of the blanks in ``run`` part words, and not the letters of one."""
    pieces = ["".join(filter(str.isalnum, piece)) for piece in _WIDE_BLANKS.split(run)]
    parting = [_are_words(left, right) for left, right in pairwise(pieces)]
    return 2 * sum(parting) > len(parting)


def _are_words(left: str, right: str) -> bool:
    if is_syllable(left + right) or is_bare_syllable(left + right):
        return False
    numbers = left.isdecimal(), right.isdecimal()
    return not all(numbers) and all(
        number or (len(piece) > 1 and (is_syllable(piece) or is_bare_syllable(piece)))
        for piece, number in zip((left, right), numbers, strict=True)
    )


_BLANK: Final = chars.SPACES + chars.NEWLINES
_SPACE: Final = re.compile(
    rf"\A[{_BLANK}]+|[{_BLANK}]{{2,}}|[{_BLANK}]\Z|[{_BLANK.replace(' ', '', 1).replace(chr(10), '', 1)}]"
)
_NEWLINE: Final = re.compile(f"[{chars.NEWLINES}]")


def _spaces(text: str) -> Iterator[Edit]:
    for found in _SPACE.finditer(text):
        inside = found.start() > 0 and found.end() < len(text)
        plain = ("\n" if _NEWLINE.search(found[0]) else " ") if inside else ""
        if plain != found[0]:
            yield Edit(*found.span(), plain)


_FULL_WIDTH: Final = re.compile("[！-～]")


def _full_width(text: str) -> Iterator[Edit]:
    return matches(_FULL_WIDTH, text, lambda found: chr(ord(found) - 0xFEE0))


def _cut(text: str) -> Iterator[Edit]:
    if len(text) > LONGEST:
        yield Edit(len(text[:LONGEST].rstrip()), len(text), "")


def _ampersands(text: str) -> Iterator[Edit]:
    return matches(re.compile("&"), text, lambda _: "")


_COMPOSE: Final = Step("compose", _uncomposed)
_LEGACY: Final = Step("legacy", legacy.edits, "legacy_encoding")

STEPS: Final = (
    Step("surrogate", _surrogates, "hidden_characters"),
    Step("marks", _stacked_marks, "stacked_marks"),
    _COMPOSE,
    # Most later steps destroy what tells an encoding: a soft hyphen is a letter in one.
    _LEGACY,
    Step("entity", _entities),
    _COMPOSE,
    _LEGACY,  # web pages made of old documents have entities for the bytes
    Step("d_stroke", _d_family),
    Step("look_alike", disguises.edits, "mixed_script"),
    Step("pdf", _residue),
    Step("bidi", respelling.overrides, "hidden_characters"),
    Step("hidden", _hidden, "hidden_characters"),
    Step("respelled", respelling.edits, "respelled"),  # wide gaps between spaced letters must still be there
    Step("space", _spaces),
    Step("full_width", _full_width),
    Step("cut", _cut, "cut"),
)
"""The repairs, in the only order in which none destroys what another needs."""

_NESTED: Final = Step("entity", _ampersands, "hidden_characters")
