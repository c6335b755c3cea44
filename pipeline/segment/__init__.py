"""Vietnamese words; the only module that knows underthesea.

underthesea is used for its model, which is evaluated for many texts at once (`batch`): the same words, an
order of magnitude sooner. That way is taken only where the files of the model are known ones and a
self-check at the start agrees; otherwise underthesea itself reads text by text (`reference`), and
`slow_reason` says why. Either way hostile text takes bounded time, and what the model reads is a *view*
of the text (`guards`). Words are cut out of the text itself, at the places where the model sees them begin:
every character is kept, whatever the model's tables alter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import Note
from pipeline.segment import guards, reference
from pipeline.segment.batch import NEW_WORD, Group
from pipeline.segment.engine import Engine, ready
from pipeline.segment.library import version as model_version

__all__ = (
    "Span",
    "Tokens",
    "column",
    "like_underthesea",
    "model_version",
    "slow_reason",
    "spans",
    "tokens",
    "words",
)


class Tokens(NamedTuple):
    """Words in one line, separated by spaces, the spaces inside a word written ``_``.

    A literal ``_`` stays, so the line is for reading and counting; `spans` goes back to the text.
    ``guarded`` tells that the model did not read all of the text, or not by its own rules.
    """

    text: str
    guarded: bool


class Span(NamedTuple):
    """Where a word begins in a text and where it ends, in code points."""

    start: int
    end: int


def words(text: str) -> list[str]:
    """Return the words of a clean ``text`` in order, spaces inside a word kept; ``[]`` for blank text.

    No word crosses a line end. The words without their spaces are the text without its spaces. Text in
    capitals is read as lower case; in text without diacritics every syllable is a word, because there
    the model only guesses. Words follow the VLSP 2013 convention of underthesea's model.

    >>> words("Học sinh nộp sáng kiến.")
    ['Học sinh', 'nộp', 'sáng kiến', '.']
    """
    return [" ".join(text[start:end].split()) for start, end in spans(text)]


def tokens(text: str) -> Tokens:
    """Return the words of a clean ``text`` in one line.

    >>> tokens("Học sinh nộp sáng kiến.")
    Tokens(text='Học_sinh nộp sáng_kiến .', guarded=False)
    """
    return column([text])[0]


def column(texts: Sequence[str], *, tables: Path | None = None) -> list[Tokens]:
    """Return ``tokens`` of each text, in order: the piece of work that is sent to a worker process.

    Args:
        texts: Many at once are read sooner than one by one.
        tables: A folder of this program's own where the model's tables are kept for the next process; None
            makes them anew, which takes a second. Words are the same.

    >>> [row.text for row in column(["học sinh", ""])]
    ['học_sinh', '']
    """
    return cut(texts, ready(tables))


def cut(texts: Sequence[str], reader: Engine) -> list[Tokens]:
    """Return ``tokens`` of each text by an engine of one's own."""
    if reader.batch is None:
        return [_slow(text, reader) for text in texts]
    heads = [text[: guards.LONGEST] for text in texts]
    found: list[Tokens] = []
    for group in reader.batch.read(heads):
        for line, guarded, slow in zip(group.lines((" ", "_", "")), group.guarded, group.slow, strict=True):
            text = texts[len(found)]
            if slow:
                found.append(_slow(text, reader))
            elif len(text) > guards.LONGEST:
                found.append(
                    Tokens(
                        " ".join([*([line] if line else []), *text[guards.LONGEST :].split()]), guarded=True
                    )
                )
            else:
                found.append(Tokens(line, guarded))
    return found


def spans(text: str, origins: Sequence[int] | None = None) -> list[Span]:
    """Return where the words of a clean ``text`` stand, in order.

    Args:
        text: As for `words`: ``text[span.start:span.end]`` is the word.
        origins: Where each character of ``text`` and its end stand in another text, as `normalize.trace`
            tells of the text as submitted; spans are then told in that text.

    >>> spans("Học sinh nộp.")
    [Span(start=0, end=8), Span(start=9, end=12), Span(start=12, end=13)]
    >>> from pipeline import normalize
    >>> raw = "Ho\u0323c  sinh nô\u0323p"
    >>> [raw[span.start : span.end] for span in spans(*normalize.trace(raw))]
    ['Ho\u0323c  sinh', 'nô\u0323p']
    """
    reader = ready()
    head = text[: guards.LONGEST]
    group = None if reader.batch is None else next(iter(reader.batch.read([head])))
    found = _slow_spans(head, reader)[0] if group is None or group.slow[0] else list(_spans(head, group))
    at = len(head)
    for run in text[len(head) :].split():
        at = text.index(run, at) + len(run)
        found.append(Span(at - len(run), at))
    return (
        found if origins is None else [Span(int(origins[start]), int(origins[end])) for start, end in found]
    )


def like_underthesea(texts: Sequence[str]) -> list[list[str]]:
    r"""Return what ``underthesea.word_tokenize`` gives for each text, an order of magnitude sooner.

    Unlike `words` this takes over what underthesea does: it composes letters, respells some syllables, joins
    words over line ends, reads capitals as they are, and guesses where diacritics are missing. Text that
    `tokens` calls guarded may be read in another way, so that every call returns.

    >>> like_underthesea(["Nghành CƠ KHÍ\nsáng tạo"])
    [['Ngành', 'CƠ KHÍ', 'sáng tạo']]
    """
    reader = ready()
    clean = [reference.composed(text[: guards.LONGEST], reader.library) for text in texts]
    if reader.batch is None:
        found = [reference.spelled(text, reader.library) for text in clean]
    else:
        found = []
        for group in reader.batch.read(clean, plain=True):
            for listed, slow in zip(group.spelled(), group.slow, strict=True):
                found.append(reference.spelled(clean[len(found)], reader.library) if slow else listed)
    return [[*listed, *text[guards.LONGEST :].split()] for listed, text in zip(found, texts, strict=True)]


def slow_reason(*, tables: Path | None = None) -> Note | None:
    """Return why words are cut the slow way, for people; None where they are not.

    >>> slow_reason() is None
    True
    """
    return ready(tables).reason


# ------------------------------------------------------------------------------- from tokens to words


def _spans(text: str, group: Group) -> Iterator[Span]:
    start = end = 0
    for surface, glue in zip(group.surfaces[group.kinds].tolist(), group.glue.tolist(), strict=True):
        at = end
        while text[at].isspace():
            at += 1
        if glue == NEW_WORD and end:
            yield Span(start, end)
        if glue == NEW_WORD or not end:
            start = at
        end = at + len(surface)
    if end:
        yield Span(start, end)


def _slow(text: str, reader: Engine) -> Tokens:
    found, guarded = _slow_spans(text[: guards.LONGEST], reader)
    cut = ["_".join(text[start:end].split()) for start, end in found]
    return Tokens(" ".join([*cut, *text[guards.LONGEST :].split()]), guarded or len(text) > guards.LONGEST)


def _slow_spans(text: str, reader: Engine) -> tuple[list[Span], bool]:
    starts, guarded = reference.starts(text, reader.library)
    return list(_between(text, starts)), guarded


def _between(text: str, starts: list[int]) -> Iterator[Span]:
    """Yield the words that begin at ``starts``, ended by the next one or by a line end."""
    for start, end in pairwise([0, *starts[1:], len(text)]):
        at = start
        for line in text[start:end].splitlines(keepends=True):
            if word := line.strip():
                begin = at + line.index(word)
                yield Span(begin, begin + len(word))
            at += len(line)
