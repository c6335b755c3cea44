"""Words of one text by underthesea's model as it is: slow, and what the batch is measured by."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pipeline.segment import guards
from pipeline.segment.library import Library


class Starts(NamedTuple):
    """Where the words of a text begin (the first start counts as 0), and whether a guard was needed."""

    starts: list[int]
    guarded: bool


_PLAIN: Final = re.compile(r"\w+|[^\w\s]")


def starts(text: str, library: Library) -> Starts:
    """Return where the words of ``text`` begin; it holds at most `guards.LONGEST` characters."""
    view = guards.view(text)
    try:
        return Starts(_model_starts(library, view), view.guarded)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - the featurizer panics on odd tokens, outside the class Exception
        return Starts([found.start() for found in _PLAIN.finditer(text)], guarded=True)


def _model_starts(library: Library, view: guards.View) -> list[int]:
    text = "".join(standard(part, library) for part in re.split(r"(\s+)", view.text))
    spans = list(library.pattern.finditer(text))
    if not spans or guards.is_bare(guards.is_accented(text), len(text.split())):
        return [view.origins[found.start()] for found in spans]
    tags = library.tag([spelling(found[0], library) for found in spans])
    return [
        view.origins[found.start()]
        for at, (found, tag) in enumerate(zip(spans, tags, strict=True))
        if tag != "I-W" or at == 0
    ]


def standard(run: str, library: Library) -> str:
    """Return ``run`` composed, or as it is where that changes its length: no index would fit."""
    standardised = library.standardise(run)
    return standardised if len(standardised) == len(run) else run


def spelling(token: str, library: Library) -> str:
    """Return the spelling of ``token`` that the model knows."""
    return library.normalise(token) or token


# Many signs that are neither letters nor digits: perhaps marks on one letter, slow to put into order.
_PILE: Final = re.compile(r"[^\w\s]{30}")
_RUN: Final = re.compile(r"\S+")


def composed(text: str, library: Library) -> str:
    """Return ``text`` as underthesea standardises it, in linear time."""
    if _PILE.search(text) is None:
        return library.standardise(text)
    return _RUN.sub(
        lambda run: library.standardise(run[0][: guards.LONGEST_RUN]) + run[0][guards.LONGEST_RUN :], text
    )


def spelled(text: str, library: Library) -> list[str]:
    """Return the words of a composed ``text`` as underthesea gives them; guarded runs are shortened."""
    shorter = re.sub(r"\S+", lambda run: guards.shortened(run[0]).text, text)
    found = [spelling(token[0], library) for token in library.pattern.finditer(shorter)]
    try:
        tags = library.tag(found)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - as above
        return found
    words: list[str] = []
    for token, tag in zip(found, tags, strict=True):
        if tag == "I-W" and words:
            words[-1] += f" {token}"
        else:
            words.append(token)
    return words
