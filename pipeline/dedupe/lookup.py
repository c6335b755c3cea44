"""A batch beside an archive too large to be read: which archived records must be read, and what comes of it.

Two steps, because reading is the caller's: `around` asks the archive's index which of its texts the batch has
to do with, and `among` compares the batch with these as `search.compare` would with all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.dedupe import features, index, join, neighbours, search, wording
from pipeline.dedupe.rarest import Rarest
from pipeline.dedupe.syllables import Syllables
from pipeline.settings import Settings

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Index:
    """An archive as numbers: its passages and its rarest words, a text by the same number in both.

    ``knowledge`` says what its words were taken with (`search.Knowledge.digest`).
    """

    held: index.Holdings
    rarest: Rarest
    knowledge: str


@dataclass(frozen=True, slots=True)
class Around:
    """What of an archive a batch has to do with.

    Attributes:
        ids: The archived records to be read.
        text: The number of the text of each record: new and to be read, by id.
        look: Pairs of texts and their rivals, by these numbers.
        whole: What is known of archive and batch together.
    """

    ids: tuple[str, ...]
    text: dict[str, int]
    look: neighbours.Look
    whole: _Counts


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of archive and batch together: how many texts, their form text, and the shingles of the new ones."""

    total: int
    form: U64
    shingles: U64
    counts: I64


def around(archive: Index, batch: pd.DataFrame, known: search.Knowledge, settings: Settings) -> Around:
    """Return what of an archive a batch has to do with.

    Args:
        archive: The index of the archive.
        batch: New records, with `normalize.frame`'s columns.
        known: What is known of words and forms.
        settings: What makes a candidate.
    """
    held = archive.held
    new, _ = search.in_order(batch, None)
    texts = search.cut(new, known, settings)
    dates = new["submitted"].tolist()
    near = index.nearby(
        held,
        texts.marks,
        dates,
        known.form,
        _ask(settings),
        least=search.IDENTITY,
        ids=new["id"].tolist(),
    )
    form = np.union1d(known.form, near.form)
    said = _Said(archive, near, texts, form, known)
    passages = near.later, near.earlier
    look = _look(said, passages, index.line(held, near.text, dates, said.size), settings)
    wanted = np.zeros(said.size, dtype=bool)
    for numbers in (look.later, look.earlier, *look.near, near.text):
        wanted[numbers] = True
    fresh = set(new["id"])
    places = np.flatnonzero(wanted[held.text]).tolist()
    ids = {held.ids[place]: int(held.text[place]) for place in places if held.ids[place] not in fresh}
    text = {**ids, **dict(zip(new["id"].tolist(), near.text.tolist(), strict=True))}
    own, counts = said.shingles()
    return Around(tuple(sorted(ids)), text, look, _Counts(near.total, form, own, counts))


def _ask(settings: Settings) -> index.Ask:
    return index.Ask(
        score=settings.candidate_score,
        shared=settings.candidate_shared,
        exact=settings.candidate_exact,
        holders=settings.holders,
        most=settings.matches_per_record,
    )


class _Said:
    """The rarest words of an archive's texts and of a batch's, by number of the text."""

    def __init__(
        self, archive: Index, near: index.Nearby, texts: Syllables, form: U64, known: search.Knowledge
    ) -> None:
        self.known, self.total = known, near.total
        self.rarest, self.old = archive.rarest, len(archive.held.live)
        # Of each text the first record speaks: those that archive and batch share are the batch's.
        self.fresh, self.first = np.unique(near.text, return_index=True)
        self.size = max(self.old, int(self.fresh.max(initial=-1)) + 1)
        self.texts = texts.take(self.first)
        words = features.spoken(self.texts, form, known.lexicon)
        self.own = words.heaviest(neighbours.RAREST, known.lexicon)
        self.telling = archive.held.comparable

    def shingles(self) -> tuple[U64, I64]:
        """Return the shingles of the texts that the archive does not have, and how many of them hold each."""
        marks = self.texts.take(np.flatnonzero(self.fresh >= self.old)).marks
        owner = np.repeat(np.arange(len(marks)), np.diff(marks.bounds))
        by = np.lexsort((marks.shingles, owner))
        each = by[join.begins(marks.shingles[by]) | join.begins(owner[by].astype(np.uint64))]
        return np.unique(marks.shingles[each], return_counts=True)

    def searched(self, said: features.Said) -> U32:
        """Return the words of ``said`` that are rare enough to search by."""
        words = np.unique(wording.word_of(said.codes))
        new = self.own.take(np.flatnonzero(self.fresh >= self.old))
        mine, counts = np.unique(wording.word_of(new.codes), return_counts=True)
        df = self.rarest.frequencies(words)
        place, there = wording.find(mine, words)
        df[there] += counts[place[there]]
        return words[(df > 1) & (df <= neighbours.limit(self.total))]

    def of(self, numbers: I64) -> features.Said:
        """Return the words of texts, old and new."""
        mine = np.isin(numbers, self.fresh)
        both = features.together(
            [self.rarest.said(numbers[~mine]), self.own.take(np.searchsorted(self.fresh, numbers[mine]))]
        )
        place = np.empty(len(numbers), dtype=np.int64)
        place[np.flatnonzero(~mine)] = np.arange((~mine).sum())
        place[np.flatnonzero(mine)] = np.arange(mine.sum()) + (~mine).sum()
        return both.take(place)

    def meeting(self, numbers: I64) -> tuple[I64, U32]:
        """Return texts and all that share a word to search by with one of them, and the words searched by."""
        words = self.searched(self.of(numbers))
        met = self.rarest.holders(words)
        own = np.isin(wording.word_of(self.own.codes), words)
        return np.unique(np.concatenate((numbers, met, self.fresh[np.unique(self.own.owner[own])]))), words


def _look(said: _Said, passages: neighbours.Rows, line: I64, settings: Settings) -> neighbours.Look:
    """Return the look of a batch at an archive, in numbers of texts."""
    # What has an index is many, also where it has few records yet.
    knobs = neighbours.Knobs(settings.neighbours, many=0)
    rank = np.empty(said.size, dtype=np.int64)
    rank[line] = np.arange(said.size)
    # First whom the new ones are near to, then whom these are near to: all that the second step asks.
    numbers, words = said.meeting(said.fresh)
    numbers = numbers[np.argsort(rank[numbers])]
    found = neighbours.vocabulary(said.of(numbers), said.known.lexicon, searched=words)
    _, others = neighbours.nearest(found, np.flatnonzero(np.isin(numbers, said.fresh)), most=knobs.neighbours)
    asked = np.unique(np.concatenate((said.fresh, numbers[others], *passages)))
    numbers, words = said.meeting(asked)
    numbers = numbers[np.argsort(rank[numbers])]
    place = np.zeros(said.size, dtype=np.int64)
    place[numbers] = np.arange(len(numbers))
    telling = np.ones(said.size, dtype=bool)
    telling[: said.old] = said.telling
    telling[said.fresh] = np.diff(said.texts.marks.starts) >= search.IDENTITY
    look = neighbours.look(
        neighbours.vocabulary(said.of(numbers), said.known.lexicon, searched=words),
        np.isin(numbers, said.fresh),
        telling[numbers],
        (place[passages[0]], place[passages[1]]),
        knobs,
        total=said.total,
    )
    near = numbers[look.near[0]], numbers[look.near[1]]
    return neighbours.Look(numbers[look.later], numbers[look.earlier], near)


def among(found: search.Corpus, around: Around, archive: Index, known: search.Knowledge) -> search.Candidates:
    """Return the candidate pairs of a batch and the archive, and how alike they are.

    Args:
        found: The corpus of the batch and of the archived records that were to be read, or more of them.
        around: What of the archive the batch has to do with.
        archive: The index of the archive.
        known: What is known of words and forms.
    """
    numbers = np.array([around.text.get(name, -1) for name in found.records["id"]], dtype=np.int64)
    there, rows = np.unique(numbers, return_index=True)
    rows = np.sort(rows[there >= 0])
    look = _kept(around.look, numbers[rows])
    texts = found.texts.take(rows)
    form = np.union1d(around.whole.form, found.form)
    said = features.spoken(texts, form, known.lexicon)
    whole = search.Whole(_frequencies(texts, around.whole, archive.held), form)
    return search.measured(found, rows, said, look, whole, known)


def _kept(look: neighbours.Look, numbers: I64) -> neighbours.Look:
    """Return the look by place in ``numbers``, without what has no record: one filed anew under its id."""
    size = 1 + max(
        (int(each.max(initial=-1)) for each in (look.later, look.earlier, *look.near, numbers)), default=-1
    )
    place = np.full(size, -1, dtype=np.int64)
    place[numbers] = np.arange(len(numbers))
    later, earlier = place[look.later], place[look.earlier]
    pairs = (later >= 0) & (earlier >= 0)
    one, other = place[look.near[0]], place[look.near[1]]
    near = (one >= 0) & (other >= 0)
    later, earlier = later[pairs], earlier[pairs]
    return replace(
        look,
        later=np.maximum(later, earlier),
        earlier=np.minimum(later, earlier),
        near=(one[near], other[near]),
    )


def _frequencies(texts: Syllables, whole: _Counts, held: index.Holdings) -> join.Frequencies:
    hashes = np.unique(texts.marks.shingles)
    counts = held.frequencies(hashes)
    place, there = wording.find(whole.shingles, hashes)
    counts[there] += whole.counts[place[there]]
    return join.Frequencies(whole.total, hashes, counts.astype(np.int32))
