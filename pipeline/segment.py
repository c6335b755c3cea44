"""Vietnamese words; the only module that knows underthesea.

underthesea is used for its model. Its tokenizer would never return from ``"http://" + "!" * 40``, so the
three patterns that backtrack without bound are replaced by bounded ones, and what it reads is a *view* of
the text: shortened where no word can be lost. Words are cut out of the text itself, at the places where
the model sees them begin: every character is kept, whatever the model's tables alter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import metadata, util
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

_LONGEST: Final = 32_767  # characters of a text that the model reads; a spreadsheet cell holds no more
_LONGEST_RUN: Final = 200  # characters without a space that it reads; no word is longer
_SYLLABLES_TO_JUDGE: Final = 8  # fewer may lack diacritics by chance


class Tokens(NamedTuple):
    """Words in one line, separated by spaces, the spaces inside a word written ``_``.

    A literal ``_`` stays, so the line is for reading and counting, not for going back to the text.
    ``guarded`` tells that the model did not read all of the text.
    """

    text: str
    guarded: bool


def words(text: str) -> list[str]:
    """Return the words of a clean ``text`` in order, spaces inside a word kept; ``[]`` for blank text.

    No word crosses a line end. The words without their spaces are the text without its spaces. Text in
    capitals is read as lower case; in text without diacritics every syllable is a word, because there
    the model only guesses. Words follow the VLSP 2013 convention of underthesea's model.

    >>> words("Học sinh nộp sáng kiến.")
    ['Học sinh', 'nộp', 'sáng kiến', '.']
    """
    return _segment(text)[0]


def tokens(text: str) -> Tokens:
    """Return the words of a clean ``text`` in one line.

    >>> tokens("Học sinh nộp sáng kiến.")
    Tokens(text='Học_sinh nộp sáng_kiến .', guarded=False)
    """
    found, guarded = _segment(text)
    return Tokens(" ".join(word.replace(" ", "_") for word in found), guarded)


def column(texts: Sequence[str]) -> list[Tokens]:
    """Return ``tokens`` of each text, in order: the piece of work that is sent to a worker process.

    >>> [row.text for row in column(["học sinh", ""])]
    ['học_sinh', '']
    """
    return [tokens(text) for text in texts]


@cache
def model_version() -> str:
    """Return what decides the words: underthesea's version and the start of its model's SHA-256.

    The model is read but not loaded.

    >>> model_version().startswith("9.")
    True
    """
    digest = hashlib.sha256()
    for path in sorted(_model_folder().glob("*.bin")):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{metadata.version('underthesea')}+{digest.hexdigest()[:12]}"


def _segment(text: str) -> tuple[list[str], bool]:
    """Return the words, and whether the model did not read all of the text."""
    head = text[:_LONGEST]
    starts, guarded = _starts(head)
    found = list(_cut(head, starts)) + text[_LONGEST:].split()
    return found, guarded or len(text) > _LONGEST


def _cut(text: str, starts: list[int]) -> Iterator[str]:
    """Yield the words that begin at ``starts``, ended by the next one or by a line end."""
    bounds = [0, *starts[1:], len(text)]
    for start, end in pairwise(bounds):
        for line in text[start:end].splitlines():
            word = " ".join(line.split())
            if word:
                yield word


def _starts(text: str) -> tuple[list[int], bool]:
    """Return where the words of ``text`` begin (the first start counts as 0), and if a guard was needed."""
    model = _model()  # outside of the guard: a model that does not load is no odd token
    view = _view(text)
    try:
        return _model_starts(model, view), view.cut
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - the featurizer panics on odd tokens, outside the class Exception
        return _plain_starts(text), True


_ACCENTED: Final = re.compile(
    "[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"\w+|[^\w\s]")


def _plain_starts(text: str) -> list[int]:
    return [found.start() for found in _PLAIN.finditer(text)]


def _is_bare(text: str) -> bool:
    return _ACCENTED.search(text) is None and len(text.split()) >= _SYLLABLES_TO_JUDGE


class _View(NamedTuple):
    """What the model reads of a text; ``origins`` are the indices of its characters there."""

    text: str
    origins: Sequence[int]
    cut: bool


_TOO_MUCH: Final = re.compile(rf"([^\w\s]|_)\1{{3,}}|\S{{{_LONGEST_RUN + 1},}}")
_REPEATED: Final = re.compile(r"([^\w\s]|_)\1{3,}")
_RUN: Final = re.compile(rf"\S{{{_LONGEST_RUN + 1},}}")


def _view(text: str) -> _View:
    """Return ``text`` without what costs the model time and tells it nothing."""
    kept: Sequence[int] = range(len(text))
    if _TOO_MUCH.search(text) is None:
        return _View(_uncapitalised(text), kept, cut=False)
    kept = _without(kept, ((found.start() + 3, found.end()) for found in _REPEATED.finditer(text)))
    squeezed = "".join(map(text.__getitem__, kept))
    runs = [(found.start() + _LONGEST_RUN, found.end()) for found in _RUN.finditer(squeezed)]
    kept = _without(kept, runs)
    return _View(_uncapitalised("".join(map(text.__getitem__, kept))), kept, cut=bool(runs))


def _without(items: Sequence[int], gaps: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> list[int]:
    rest: list[int] = []
    at = 0
    for start, end in gaps:
        rest += items[at:start]
        at = end
    return rest + list(items[at:])


def _uncapitalised(text: str) -> str:
    """Return ``text`` with its lines in capitals in lower case: the model joins capitals at random."""
    return "".join(map(_lower_if_capitals, text.splitlines(keepends=True)))


def _lower_if_capitals(line: str) -> str:
    capitals = 2 * sum(map(str.isupper, line)) > sum(map(str.isalpha, line))
    if not capitals or len(line.split()) == 1:  # an abbreviation or a number plate is written so
        return line
    # A few letters become two in lower case, and then no index would fit.
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in line)


def _model_starts(model: _Model, view: _View) -> list[int]:
    """Return where the model sees words begin, as indices of the text behind ``view``."""
    text = model.standardise(view.text)
    if len(text) != len(view.text):  # only text that is not composed (NFC); its indices would not fit
        text = view.text
    spans = list(model.pattern.finditer(text))
    if not spans or _is_bare(text):
        return [view.origins[found.start()] for found in spans]
    tags = model.tag([model.normalise(found[0]) or found[0] for found in spans])
    return [
        view.origins[found.start()]
        for at, (found, tag) in enumerate(zip(spans, tags, strict=True))
        if tag != "I-W" or at == 0
    ]


class _Model(NamedTuple):
    """The parts of underthesea that decide the words."""

    pattern: re.Pattern[str]
    standardise: Callable[[str], str]
    normalise: Callable[[str], str]
    tag: Callable[[list[str]], list[str]]


def _model_folder() -> Path:
    found = util.find_spec("underthesea")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pipeline" / "word_tokenize" / "models" / "ws_crf_vlsp2013_20230727"


@cache
def _model() -> _Model:
    """Return the model, loaded once in a process; importing it takes a second."""
    from underthesea.models.fast_crf_sequence_tagger import FastCRFSequenceTagger  # noqa: PLC0415
    from underthesea.pipeline.text_normalize import token_normalize  # noqa: PLC0415
    from underthesea.pipeline.text_normalize.character_normalize import (  # noqa: PLC0415
        normalize_characters_in_text,
    )
    from underthesea.pipeline.word_tokenize import regex_tokenize  # noqa: PLC0415

    tagger = FastCRFSequenceTagger()
    tagger.load(str(_model_folder()))
    bounded = {
        regex_tokenize.url: f"(?P<url>{_URL})",
        regex_tokenize.email: f"(?P<email>{_EMAIL})",
        regex_tokenize.word_hyphen: f"(?P<word_hyphen>({_HYPHENED}))",
    }
    rules = [bounded.get(rule, rule) for rule in regex_tokenize.regex_patterns]
    return _Model(
        re.compile("|".join(rules), re.VERBOSE),
        normalize_characters_in_text,
        token_normalize,
        lambda found: tagger.predict([[token] for token in found]),
    )


# The three rules in linear time: what could be tried again is possessive or bounded. They differ from the
# originals only for host names of more than 253 characters or 8 labels and for parentheses in an address
# that are nested deeper than once.
_IN_PARENTHESES: Final = r"\((?=[^\s)])[^\s()]{0,200}+(?:\([^\s()]{1,200}+\)[^\s()]{0,200}+)?\)"
_URL: Final = rf"""
  (?:
    (?:ftp|http)s?:(?:/{{1,3}}|[a-z0-9%])
    |
    (?=[a-z0-9.\-]{{4,253}}+/)[a-z0-9.\-]+[.][a-z]{{2,13}}/
  )
  (?:[^\s()<>{{}}\[\]]|{_IN_PARENTHESES}){{1,2000}}
  (?:{_IN_PARENTHESES}|[^\s`!()\[\]{{}};:'".,<>?«»“”‘’])
  |
  (?<!@)[a-z0-9]{{1,63}}+(?:[.\-][a-z0-9]{{1,63}}+){{0,7}}[.][a-z]{{2,13}}\b/?(?!@)
"""
_EMAIL: Final = r"[a-zA-Z0-9_.+-]{1,64}+@[a-zA-Z0-9-]++\.[a-zA-Z0-9-.]+"
_HYPHENED: Final = r"(?<=\b)\w++\-(?:[+\-]*+\w++)+"
