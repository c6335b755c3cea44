"""What the model is given to read of a text, and when that is not all of it.

The model reads a *view*: shortened where a run of characters without a space is longer than any word, in
lower case where a line is in capitals. Words are cut out of the text itself, so a view loses nothing; but
where it is shortened, or where the bounded rules may find other tokens than the original ones, the words may
not be those of underthesea, and the text is said to be *guarded*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

LONGEST: Final = 32_767
"""Characters of a text that the model reads; a spreadsheet cell holds no more."""

LONGEST_RUN: Final = 200
"""Characters without a space that it reads; no word is longer."""

_SYLLABLES_TO_JUDGE: Final = 8  # fewer may lack diacritics by chance


class View(NamedTuple):
    """What the model reads; ``origins`` are the indices of its characters in the text."""

    text: str
    origins: Sequence[int]
    guarded: bool


# A line to write on is one token, however long, and costs no more than its length.
_LEADER: Final = re.compile(r"([._\-])\1{6,}")


def shortened(run: str) -> View:
    """Return the view of ``run``, which holds no space.

    >>> shortened("tên:" + "." * 999).guarded, shortened("a" * 999).guarded
    (False, True)
    """
    whole = View(run, range(len(run)), guarded=False)
    if len(run) <= LONGEST_RUN:
        return whole
    kept = _without(whole.origins, [(found.start() + 6, found.end()) for found in _LEADER.finditer(run)])
    if len(kept) <= LONGEST_RUN:
        return whole
    kept = kept[:LONGEST_RUN]
    return View("".join(map(run.__getitem__, kept)), kept, guarded=True)


def _without(items: Sequence[int], gaps: Sequence[tuple[int, int]]) -> list[int]:
    rest: list[int] = []
    at = 0
    for start, end in gaps:
        rest += items[at:start]
        at = end
    return rest + list(items[at:])


_RUN: Final = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")


def view(text: str) -> View:
    """Return the view of a whole text: its long runs shortened, its lines in capitals in lower case."""
    kept: list[int] = []
    guarded = False
    at = 0
    for found in _RUN.finditer(text):
        short = shortened(found[0])
        guarded |= short.guarded
        kept += [*range(at, found.start()), *(found.start() + place for place in short.origins)]
        at = found.end()
    kept += range(at, len(text))
    seen = uncapitalised("".join(map(text.__getitem__, kept)))
    return View(seen, kept, guarded or any(map(is_beyond, seen.split())))


# Where the bounded rules stop: more than 8 labels or 63 letters in one, more than 64 characters before "@",
# parentheses in an address that do not come in pairs.
_HOST: Final = re.compile(r"(?:[a-z0-9]++[.\-]){9,}+[a-z]|[a-z0-9]{64,}+[.\-]|[.\-][a-z0-9]{64,}+")
_MAIL: Final = re.compile(r"[a-zA-Z0-9_.+\-]{65,}+@")
_ADDRESS: Final = re.compile(r"(?:ftp|http)s?:|[.][a-z]{2,13}/")
_UNPAIRED: Final = re.compile(r"\([^\s()]*+(?:\(|\)[^\s()]*+\))")


def is_beyond(run: str) -> bool:
    """Return whether the bounded rules may find other tokens in ``run`` than underthesea's own.

    >>> is_beyond("http://a.vn/x(y)"), is_beyond("a.b.c.d.e.f.g.h.i.k.vn")
    (False, True)
    """
    return (
        ("." in run and _HOST.search(run) is not None)
        or ("(" in run and _UNPAIRED.search(run) is not None and _ADDRESS.search(run) is not None)
        or ("@" in run and _MAIL.search(run) is not None)
    )


# ------------------------------------------------------------------------------------------- capitals


def is_capitals(upper: Any, letters: Any, runs: Any) -> Any:
    """Return whether a line of ``runs`` runs is in capitals: an abbreviation that stands alone is not.

    Numbers, or arrays of them. Such lines are read in lower case, for the model joins capitals at random.
    """
    return (2 * upper > letters) & (runs != 1)


def uncapitalised(text: str) -> str:
    r"""Return ``text`` with its lines in capitals in lower case, of the same length.

    >>> uncapitalised("CẢI TIẾN MÁY\nTP.HCM")
    'cải tiến máy\nTP.HCM'
    """
    return "".join(map(_lower_if_capitals, text.splitlines(keepends=True)))


def _lower_if_capitals(line: str) -> str:
    upper, letters = letter_counts(line)
    return lowered(line) if is_capitals(upper, letters, len(line.split())) else line


def letter_counts(text: str) -> tuple[int, int]:
    """Return how many characters are capitals, and how many are letters."""
    return sum(map(str.isupper, text)), sum(map(str.isalpha, text))


def lowered(text: str) -> str:
    """Return ``text`` in lower case but for the few letters that would become two: no index would fit."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


# ----------------------------------------------------------------------------------------- diacritics


ACCENTED: Final = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
"""The letters of Vietnamese beside those of English, composed, in lower case."""

_ACCENTED: Final = re.compile(f"[{ACCENTED}]", re.IGNORECASE)


def is_accented(text: str) -> bool:
    """Return whether a letter of ``text`` bears a mark of Vietnamese."""
    return _ACCENTED.search(text) is not None


def is_bare(accented: Any, runs: Any) -> Any:
    """Return whether a text of ``runs`` runs lacks its diacritics; flags and numbers, or arrays of them.

    There every token is a word, for the model only guesses.
    """
    return (accented == 0) & (runs >= _SYLLABLES_TO_JUDGE)
