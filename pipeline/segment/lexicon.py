"""What was seen before: runs of characters without a space, and the kinds of token in them.

Text repeats itself: the tokens of a run, and all that the model knows of a token by itself, are found out
once. No rule of underthesea's tokenizer looks beyond a run, but for two: capitals with a dot are one token
unless the text ends there, so that a last run has an entry of its own; and "Th", any character, "S" is one
token, so that a text with such a place is left to the slow path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.segment import guards, reference
from pipeline.segment.crf import Ids, Tables
from pipeline.segment.lattice import Flags, Tokens
from pipeline.segment.library import Library

LINE_END: Final = "\n"
"""Stands among runs for the end of a line."""

LAST: Final = "\nf"
LOWERED: Final = "\nl"
"""Behind a run: the last of its text; to be read in lower case. No run holds a line end itself."""


class NotARunError(Exception):
    """What was looked up holds blanks or nothing: the text must be split with more care."""


class Known(NamedTuple):
    """Words that are tokens in the model's spelling, and what the model knows of each."""

    words: list[str]
    tokens: Tokens


class Featurizer:
    """Asks the library what a token is, so that all its rules of Unicode are inherited."""

    def __init__(self, tables: Tables, library: Library, templates: Sequence[str]) -> None:
        self.tables = tables
        self.library = library
        self._word_at = {word: number for number, word in enumerate(tables.words, 1)}
        self._lower_at = {word: number for number, word in enumerate(tables.lowers, 1)}
        names = [f"T[0]{suffix}" for suffix in (".lower", ".isdigit", ".istitle", ".is_in_dict")]
        self._of = [(templates.index(name), len(name) + 1) for name in names]

    def __call__(self, spellings: Sequence[str]) -> Tokens:
        """Return what the model knows of each token by itself."""
        # What cannot be encoded is in no attribute, and its text is left to the slow path anyway.
        readable = [_SURROGATE.sub("\ufffd", spelling) for spelling in spellings]
        described = self.library.describe([[spelling] for spelling in readable])
        lower, *flags = ([features[at][start:] for (features,) in described] for at, start in self._of)
        digits, title, listed = (
            np.array([value == "True" for value in values], dtype=bool) for values in flags
        )
        words = np.array([self._word_at.get(spelling, 0) for spelling in spellings], dtype=np.int64)
        lowers = np.array([self._lower_at.get(spelling, 0) for spelling in lower], dtype=np.int64)
        of = self.tables
        kinds = of.kinds[digits + 2 * title + 4 * listed]
        return Tokens(words, lowers, title, of.word_scores[words] + of.lower_scores[lowers] + kinds)

    def vocabulary(self) -> Known:
        """Return the model's own words, in lower case and with a capital: most of what a text holds."""
        names = {*self.tables.words, *self.tables.lowers}
        names |= {name.capitalize() for name in names}
        words = sorted(
            name
            for name in names
            if _LETTERS.fullmatch(name) and reference.spelling(name, self.library) == name
        )
        return Known(words, self(words))


class Runs(NamedTuple):
    """What is known of each run; its tokens are ``size`` many from ``first`` on among all.

    ``half`` says that it ends in "Th", which may be one token with what follows; ``odd``, that the model
    cannot read it.
    """

    first: Ids
    size: Ids
    upper: Ids
    letters: Ids
    accented: Flags
    guarded: Flags
    odd: Flags
    half: Flags


class _Run(NamedTuple):
    """One row of `Runs`."""

    first: int
    size: int
    upper: int = 0
    letters: int = 0
    accented: bool = False
    guarded: bool = False
    odd: bool = False
    half: bool = False


_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_FOLLOWED: Final = " a"  # what stands behind a run that is not the last
_LETTERS: Final = re.compile(f"[A-Za-z{guards.ACCENTED}{guards.ACCENTED.upper()}]+")
# Runs whose tokens are plain to see, for most are such: a word, perhaps with one sign before or behind it.
# A dot may belong to an abbreviation, which no word that begins in lower case is. The library's rule for
# "Th.S" lets any letter stand for the dot: "Thessaloniki" is two tokens.
_SIMPLE: Final = re.compile(
    rf"""([“"(]?)(?!Th.[Ss])(?:({_LETTERS.pattern})([,;:!?)”"]?)|([a-z{guards.ACCENTED}]{_LETTERS.pattern})(\.))"""
)


class Lexicon:
    """Runs and kinds of token by number; it grows as text is read, and `settle` makes arrays of it."""

    def __init__(self, featurizer: Featurizer, known: Known | None = None) -> None:
        self._featurizer = featurizer
        self._library = featurizer.library
        self._known = known
        self._clear()

    def _clear(self) -> None:
        words, tokens = self._known or Known([], self._featurizer([]))
        nothing = np.zeros(1, dtype=np.int64)
        edge = Tokens(nothing, nothing, nothing > 0, self._featurizer.tables.edge[None, :])
        self.tokens = _chained(edge, tokens)
        self.surfaces = _objects(["", *words])
        self.spellings = self.surfaces
        self._kinds = {(word, word): number for number, word in enumerate(["", *words])}
        self._spelled = _Memory(lambda token: reference.spelling(token, self._library))
        self._new: list[tuple[str, str]] = []
        self.runs = Runs(*(np.zeros(0, dtype=kind) for kind in (*[np.int64] * 4, *[bool] * 4)))
        self.flat = np.zeros(0, dtype=np.int64)
        self._flat: list[int] = []
        self._rows = [_Run(0, 0)]
        self.keys = [LINE_END]
        self.numbers = _Memory(self._add)
        self.numbers[LINE_END] = 0
        self._held = 0

    def trim(self, most: int) -> None:
        """Forget what was read where it takes more than ``most`` bytes, roughly."""
        if self._held > most:
            self._clear()

    def settle(self) -> None:
        """Bring the arrays up to date with what was looked up."""
        fresh = self._rows[len(self.runs.first) :]
        if not fresh:
            return
        columns = (np.array(column) for column in zip(*fresh, strict=True))
        self.runs = _chained(self.runs, Runs(*columns))
        self.flat = np.concatenate([self.flat, np.array(self._flat[len(self.flat) :], dtype=np.int64)])
        if self._new:
            surfaces, spellings = zip(*self._new, strict=True)
            self.tokens = _chained(self.tokens, self._featurizer(spellings))
            self.surfaces = np.concatenate([self.surfaces, _objects(surfaces)])
            self.spellings = np.concatenate([self.spellings, _objects(spellings)])
            self._new = []

    def _add(self, key: str) -> int:
        run, _, marks = key.partition("\n")
        if run.split() != [run]:
            raise NotARunError
        text = guards.lowered(run) if "l" in marks else run
        simple = _SIMPLE.fullmatch(text) if len(text) <= guards.LONGEST_RUN and "f" not in marks else None
        guarded = odd = False
        if simple:
            pieces = [piece for piece in simple.groups() if piece]
            starts = [0, *accumulate(map(len, pieces[:-1]))]
        else:
            pieces, starts, guarded = self._tokens(text, last="f" in marks)
            odd = _SURROGATE.search(run) is not None
        first = len(self._flat)
        for piece, start, end in zip(pieces, starts, [*starts[1:], len(run)], strict=True):
            self._flat.append(self._kind(run[start:end], self._spelled[piece]))
        seen = "".join(pieces)
        upper, letters = guards.letter_counts(seen)
        half = run.endswith("Th")
        row = _Run(first, len(pieces), upper, letters, guards.is_accented(seen), guarded, odd, half)
        self._rows.append(row)
        self.keys.append(key)
        self._held += 2 * len(run) + 500
        return len(self._rows) - 1

    def _tokens(self, text: str, *, last: bool) -> tuple[list[str], list[int], bool]:
        """Return the tokens that the model reads in a run, where they begin in it, and if it is guarded."""
        view = guards.shortened(text)
        text = reference.standard(view.text, self._library)
        found = list(self._library.pattern.finditer(text if last else text + _FOLLOWED))
        spans = found if last else found[:-1]
        starts = [0, *(view.origins[span.start()] for span in spans[1:])]
        return [span[0] for span in spans], starts, view.guarded or guards.is_beyond(view.text)

    def _kind(self, surface: str, spelling: str) -> int:
        kind = (surface, spelling)
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = len(self._kinds)
            self._new.append(kind)
        return number


Value = TypeVar("Value")


class _Memory(dict[str, Value]):
    """What a function gives for each text, asked once."""

    def __init__(self, ask: Callable[[str], Value]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, text: str) -> Value:
        value = self[text] = self._ask(text)
        return value


Columns = TypeVar("Columns", Runs, Tokens)


def _chained(one: Columns, other: Columns) -> Columns:
    """Return columns followed by more of the same."""
    return type(one)(
        *(np.concatenate([left, right.astype(left.dtype)]) for left, right in zip(one, other, strict=True))
    )


def _objects(texts: Sequence[str]) -> NDArray[np.object_]:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
