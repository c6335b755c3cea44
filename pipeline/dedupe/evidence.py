"""Why a pair was found: the passages two texts share, and what stands in one only.

Everything here is exact to the character: spans are half-open ranges of code points of the texts as
submitted, so a page or a sheet can colour them without searching.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import normalize
from pipeline.dedupe import slots
from pipeline.dedupe.shingles import fingerprint
from pipeline.records import Span

LEAST: Final = 5
"""Syllables a passage needs; of a pair with none so long, the longest of `FEWEST` or more is shown."""
FEWEST: Final = 3
Rarity = Callable[[NDArray[np.uint64]], NDArray[np.float32]]
_TRIES: Final = 8
_SHOWN: Final = 10
_LITTLE: Final = 12
_SWAPPED: Final = 3
_QUOTE: Final = 400
_PHRASES: Final = 4
_PHRASE: Final = 60
_LETTER: Final = 40  # code points that one letter may be written in, as an entity or with marks heaped on it


class Syllables(NamedTuple):
    """The folded syllables of a text and where each stands in the text as submitted (code points)."""

    names: list[str]
    starts: list[int]
    ends: list[int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is shown of a pair: the passages, a quotation of the weightiest, and what differs."""

    spans: tuple[Span, ...]
    shared: str
    differs: str


def syllables(title: str, description: str) -> Syllables:
    """Return the folded syllables of a submitted record, placed in ``title + newline + description``.

    >>> syllables("Máy e\u0301p", "nhựa")
    Syllables(names=['may', 'ep', 'nhua'], starts=[0, 4, 8], ends=[3, 7, 12])
    """
    found = Syllables([], [], [])
    shift = 0
    for cell in (title, description):
        clean, origin = normalize.trace(cell)
        folded = normalize.fold_table()[np.frombuffer(clean.encode("utf-32-le"), dtype=np.uint32)]
        kept = np.flatnonzero(folded)
        letters = folded[kept].astype(np.uint32)
        inside = np.concatenate(([False], letters != ord(" "), [False]))
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        found.names.extend(letters.tobytes().decode("utf-32-le").split())
        found.starts.extend((origin[kept[edges[::2]]] + shift).tolist())
        # A syllable ends where the next letter or blank begins: marks folded away stay with their letter.
        ends = origin[np.append(kept, len(clean))[edges[1::2]]]
        if len(ends) and ends[-1] == len(cell):
            ends[-1] = _last_end(cell, found.names[-1], found.starts[-1] - shift, int(origin[-2]) + 1)
        found.ends.extend((ends + shift).tolist())
        shift += len(cell) + 1
    return found


def _last_end(cell: str, name: str, start: int, least: int) -> int:
    """Return where the last syllable of a cell ends: what cleaning dropped behind it is not its own.

    That is blanks, or all behind the length at which a cell is cut.
    """
    if len(cell) <= normalize.LONGEST:
        return len(cell.rstrip())
    stops = range(least, min(least + _LETTER, len(cell)))
    return next((stop for stop in stops if normalize.fold(cell[start:stop]) == name), len(cell))


def passages(later: Sequence[str], earlier: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return the common runs ``(start in later, start in earlier, length)``, longest first found kept.

    The earlier text is walked from the left; at each place the longest run that also stands in the later one
    is taken and jumped over (at most `_TRIES` places are tried, so that a repeated word costs little).

    >>> passages("a b c d e x".split(), "y a b c d e".split())
    [(0, 1, 5)]
    """
    places: dict[tuple[str, ...], list[int]] = {}
    for start in range(len(later) - FEWEST + 1):
        places.setdefault(tuple(later[start : start + FEWEST]), []).append(start)
    found: list[tuple[int, int, int]] = []
    at = 0
    while at + FEWEST <= len(earlier):
        best = (0, 0)
        for start in places.get(tuple(earlier[at : at + FEWEST]), ())[:_TRIES]:
            length = FEWEST
            while (
                start + length < len(later)
                and at + length < len(earlier)
                and later[start + length] == earlier[at + length]
            ):
                length += 1
            best = max(best, (length, -start))
        if best[0]:
            found.append((-best[1], at, best[0]))
        at += best[0] or 1
    long = [run for run in found if run[2] >= LEAST]
    return long or sorted(found, key=lambda run: -run[2])[:1]


def explain(
    later: tuple[str, str],
    earlier: tuple[str, str],
    *,
    form: Sequence[bool] = (),
    rarity: Sequence[float] = (),
) -> Evidence:
    """Return the evidence for a pair of submitted records, each a ``(title, description)``.

    Where they share no passage, or next to nothing, the rarest words that both use are shown. Where the
    titles follow one template, what was put into it is the first difference.

    Args:
        later: The record filed later.
        earlier: The record filed earlier.
        form: Which shingles of the later text are form text: a passage of nothing else is left out.
        rarity: How rare each syllable of the later text is; without it no words are shown.

    >>> found = explain(("Máy ép", "Ép nhựa bằng khuôn gỗ mới"), ("Máy", "ép nhựa bằng khuôn gỗ cũ"))
    >>> found.shared, found.differs
    ('Ép nhựa bằng khuôn gỗ', 'mới ↔ cũ')
    """
    mine, yours = syllables(*later), syllables(*earlier)
    text, other = "\n".join(later), "\n".join(earlier)
    runs = [run for run in passages(mine.names, yours.names) if not _is_form(run, form)]
    if sum(length for _, _, length in runs) < _LITTLE:
        told = {place for start, _, length in runs for place in range(start, start + length)}
        runs += [run for run in _words(mine.names, yours.names, rarity) if run[0] not in told]
    spans = [
        Span(
            mine.starts[start],
            mine.ends[start + length - 1],
            yours.starts[at],
            yours.ends[at + length - 1],
            text[mine.starts[start] : mine.ends[start + length - 1]],
        )
        for start, at, length in runs
    ]
    longest = sorted(spans, key=lambda span: (span.later_start - span.later_end, span.later_start))
    swapped = slots.slots(*(normalize.clean(title).text for title in (later[0], earlier[0])))[:_SWAPPED]
    differs = _difference(mine, text, yours, other, swapped)
    return Evidence(tuple(spans), _quotation(longest), differs)


def _words(
    later: Sequence[str], earlier: Sequence[str], rarity: Sequence[float]
) -> list[tuple[int, int, int]]:
    """Return the rarest words that both use, as runs; neighbours that stand together in both are one."""
    places: dict[str, int] = {}
    for place, name in enumerate(earlier):
        places.setdefault(name, place)
    first = {name: place for place, name in reversed(list(enumerate(later))) if name in places}
    telling = [
        (-rarity[place], place)
        for name, place in first.items()
        if place < len(rarity) and not name[0].isdigit()
    ]
    runs: list[tuple[int, int, int]] = []
    for place in sorted(place for _, place in sorted(telling)[:_SHOWN]):
        at = places[later[place]]
        if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (place, at):
            runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
        else:
            runs.append((place, at, 1))
    return runs


def _is_form(run: tuple[int, int, int], form: Sequence[bool]) -> bool:
    start, _, length = run
    inside = form[start : start + length - FEWEST + 1]
    return len(inside) > 0 and all(inside)


def explain_all(
    pairs: Sequence[tuple[tuple[str, str], tuple[str, str]]],
    *,
    form: NDArray[np.uint64],
    rarity: Rarity | None = None,
) -> list[Evidence]:
    """Return `explain` of each ``(later, earlier)``, leaving out the form text of a corpus.

    Args:
        pairs: Submitted records, each a ``(title, description)``.
        form: The shingles (of `FEWEST` syllables) that are form text, sorted.
        rarity: How rare folded syllables are, for pairs without a passage in common.
    """
    texts = ["\n".join(normalize.clean(cell).text for cell in later) for later, _ in pairs]
    marks = fingerprint(texts, width=FEWEST)
    known = np.isin(marks.shingles, form).tolist()
    rare = rarity(marks.syllables.astype(np.uint64)).tolist() if rarity else []
    shingles, words = marks.bounds.tolist(), marks.starts.tolist()
    return [
        explain(
            later,
            earlier,
            form=known[shingles[row] : shingles[row + 1]],
            rarity=rare[words[row] : words[row + 1]],
        )
        for row, (later, earlier) in enumerate(pairs)
    ]


def _quotation(spans: list[Span]) -> str:
    """Return the longest passages as one line, whole passages as long as there is room."""
    parts: list[str] = []
    room = _QUOTE
    for span in spans:
        passage = _legible(span.text)
        if len(passage) > room:
            if not parts:
                parts.append(passage[:room].rsplit(" ", 1)[0] + " …")
            break
        parts.append(passage)
        room -= len(passage) + 3
    return " … ".join(parts)


def _legible(passage: str) -> str:
    """Return a submitted passage as one line without what cannot be read: entities, hidden characters."""
    return " ".join(normalize.clean(passage).text.split())


def _difference(
    mine: Syllables, text: str, yours: Syllables, other: str, swapped: Sequence[slots.Slot]
) -> str:
    """Return what the later text has and the earlier lacks, an arrow, and the other way round.

    What the titles put into one template comes first, then the words of one text only.
    """
    here = [slot.later_text for slot in swapped] + _only(mine, text, set(yours.names))
    there = [slot.earlier_text for slot in swapped] + _only(yours, other, set(mine.names))
    mine_only, yours_only = ("; ".join(dict.fromkeys(phrases)) for phrases in (here, there))
    return f"{mine_only} ↔ {yours_only}".strip() if mine_only or yours_only else ""


def _only(found: Syllables, text: str, known: set[str]) -> list[str]:
    phrases: list[tuple[int, int]] = []
    for place, name in enumerate(found.names):
        if name in known:
            continue
        if phrases and phrases[-1][1] == place - 1:
            phrases[-1] = (phrases[-1][0], place)
        else:
            phrases.append((place, place))
    longest = sorted(phrases, key=lambda phrase: (phrase[0] - phrase[1], phrase[0]))[:_PHRASES]
    words = [_legible(text[found.starts[first] : found.ends[last]]) for first, last in sorted(longest)]
    return [word if len(word) <= _PHRASE else word[:_PHRASE].rsplit(" ", 1)[0] + " …" for word in words]
