"""What is taken from underthesea: its rules for tokens, its model, and where its files lie.

Its tokenizer would never return from ``"http://" + "!" * 40``, so the three patterns that backtrack
without bound are replaced by bounded ones; everything else is used as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Final, NamedTuple

_RULES: Final = "2"  # to be raised when the same model gives other words: words of old rules are cut again


class Library(NamedTuple):
    """The parts of underthesea that decide the words.

    Attributes:
        pattern: Finds the tokens of a text.
        standardise: Composes a text (NFC) and gives two look-alike letters their Vietnamese form.
        normalise: Gives a token the spelling that the model knows.
        tag: Gives each token of one document ``B-W`` (a word begins) or ``I-W``.
        describe: Gives each token of each document its feature strings.
        tokenize: underthesea's own `word_tokenize`, unguarded: for texts known to be harmless.
    """

    pattern: re.Pattern[str]
    standardise: Callable[[str], str]
    normalise: Callable[[str], str]
    tag: Callable[[Sequence[str]], list[str]]
    describe: Callable[[Sequence[Sequence[str]]], list[list[list[str]]]]
    tokenize: Callable[[str], list[str]]


def folder() -> Path:
    """Return the folder of the model that travels with underthesea."""
    found = util.find_spec("underthesea")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pipeline" / "word_tokenize" / "models" / "ws_crf_vlsp2013_20230727"


@cache
def digests() -> dict[str, str]:
    """Return the SHA-256 of each file of the model."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder().glob("*.bin"))
    }


@cache
def version() -> str:
    """Return what decides the words: underthesea's release, and a digest of its model and our rules."""
    digest = hashlib.sha256(f"rules {_RULES}\n".encode())
    for name, known in digests().items():
        digest.update(f"{name} {known}\n".encode())
    return f"{metadata.version('underthesea')}+{digest.hexdigest()[:12]}"


@cache
def library() -> Library:
    """Return the library, loaded once in a process; importing it takes most of a second."""
    from underthesea import word_tokenize  # noqa: PLC0415
    from underthesea.models.fast_crf_sequence_tagger import FastCRFSequenceTagger  # noqa: PLC0415
    from underthesea.pipeline.text_normalize import token_normalize  # noqa: PLC0415
    from underthesea.pipeline.text_normalize.character_normalize import (  # noqa: PLC0415
        normalize_characters_in_text,
    )
    from underthesea.pipeline.word_tokenize import regex_tokenize  # noqa: PLC0415

    tagger = FastCRFSequenceTagger()
    tagger.load(str(folder()))
    bounded = {
        regex_tokenize.url: f"(?P<url>{_URL})",
        regex_tokenize.email: f"(?P<email>{_EMAIL})",
        regex_tokenize.word_hyphen: f"(?P<word_hyphen>({_HYPHENED}))",
    }
    rules = [bounded.get(rule, rule) for rule in regex_tokenize.regex_patterns]
    return Library(
        re.compile("|".join(rules), re.VERBOSE),
        normalize_characters_in_text,
        token_normalize,
        lambda tokens: tagger.predict([[token] for token in tokens]),
        lambda documents: tagger.featurizer.process([[[token] for token in tokens] for tokens in documents]),
        word_tokenize,
    )


# The three rules in linear time: what could be tried again is possessive or bounded. `BEYOND` tells where
# they may differ from the originals.
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
