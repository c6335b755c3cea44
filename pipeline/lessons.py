"""What the pair model learns from: what people said of pairs, as examples of how alike they are.

A *lesson* is a table of records and what was judged of some pairs of them. The sample's lesson is whole: its
table names every pair that is the same. An office judges only what it was shown, so nothing follows from
what it did not judge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import dedupe, evaluate, normalize
from pipeline.errors import UsageError
from pipeline.records import SAME
from pipeline.settings import Settings

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

TEXT: Final = ["clean_title", "clean_description"]
LEAST: Final = 20
"""Judgements of either kind that a model needs."""
_FOLDS: Final = 3
_FILES: Final = 3
_LEARNT_FROM: Final = 0.02
"""Share of shingles from which a pair is an example: below, nothing is to be learnt from it."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Records and what people judged of pairs of them.

    Attributes:
        source: What to call it in the card.
        batch: Normalized records, unique ids.
        judged: ``id_a,id_b,same``; every id stands in the batch.
        whole: Whether ``judged`` names all pairs that are the same, so that every other one is not.
    """

    source: str
    batch: pd.DataFrame
    judged: pd.DataFrame
    whole: bool = False

    @classmethod
    def of(cls, source: str, batch: pd.DataFrame, table: pd.DataFrame, *, whole: bool = False) -> Lesson:
        """Return the lesson of a table ``id_a,id_b,relation``, but for pairs of absent records."""
        there = table["id_a"].isin(batch["id"]) & table["id_b"].isin(batch["id"])
        judged = table.loc[there, ["id_a", "id_b"]].assign(same=table["relation"].isin(SAME))
        return cls(source, batch, judged.reset_index(drop=True), whole)


class Examples(NamedTuple):
    """Pairs to learn from: how alike, whether the same, and the two ids."""

    alike: F64
    same: Mask
    ids: list[tuple[str, str]]


def pair_examples(
    batch: pd.DataFrame, table: pd.DataFrame, *, settings: Settings, known: dedupe.Knowledge
) -> Examples:
    """Return the pairs of ``batch`` that share something, with what people judged of them.

    A pair that nobody judged is not the same: the table is held to name all that are. How far ahead of its
    rivals a pair is depends on how many records there are, so the batch is compared as one file, as two and
    as three, with the records of one judgement kept together.

    Args:
        batch: Normalized records.
        table: ``id_a,id_b,relation``.
        settings: How records are compared.
        known: What is known of words and forms.
    """
    return _of_whole(Lesson.of("", batch, table, whole=True), settings, known)


def _of_whole(lesson: Lesson, settings: Settings, known: dedupe.Knowledge) -> Examples:
    place = _components(lesson.batch["id"].tolist(), _pairs(lesson)) // _FOLDS
    return _joined(
        _compared(_kept(lesson, place % files == file), settings, known)
        for files in range(1, _FILES + 1)
        for file in range(files)
    )


def _kept(lesson: Lesson, rows: Mask) -> Lesson:
    return replace(lesson, batch=lesson.batch[rows].reset_index(drop=True))


def _compared(lesson: Lesson, settings: Settings, known: dedupe.Knowledge) -> Examples:
    """Return every pair of a whole lesson that shares something."""
    wide = _wide(settings)
    corpus = dedupe.corpus(lesson.batch, None, known, wide)
    near = dedupe.compare(corpus, known, wide)
    names = corpus.records["id"].tolist()
    same = {frozenset(pair) for pair in lesson.judged.loc[lesson.judged["same"], ["id_a", "id_b"]].to_numpy()}
    ids = [(names[later], names[earlier]) for later, earlier in zip(near.later, near.earlier, strict=True)]
    return Examples(near.alike, np.array([frozenset(pair) in same for pair in ids], dtype=bool), ids)


def _of_judged(lesson: Lesson, settings: Settings, known: dedupe.Knowledge) -> Examples:
    """Return the judged pairs of a lesson, compared among all its records.

    Two records of one text teach nothing, and neither do two that share nothing: they are left out.
    """
    named = lesson.batch["id"].isin({*lesson.judged["id_a"], *lesson.judged["id_b"]})
    wide = _wide(settings)
    corpus = dedupe.corpus(
        lesson.batch[named].reset_index(drop=True), lesson.batch[~named].reset_index(drop=True), known, wide
    )
    near = dedupe.compare(corpus, known, wide)
    first = dict(zip(corpus.records["id"].tolist(), corpus.first.tolist(), strict=True))
    place = {pair: at for at, pair in enumerate(zip(near.later.tolist(), near.earlier.tolist(), strict=True))}
    found = [
        (at, same, (one, other))
        for one, other, same in lesson.judged.itertuples(index=False, name=None)
        if (at := place.get((max(first[one], first[other]), min(first[one], first[other])))) is not None
    ]
    return Examples(
        near.alike[[at for at, _, _ in found]],
        np.array([same for _, same, _ in found], dtype=bool),
        [ids for _, _, ids in found],
    )


def _wide(settings: Settings) -> Settings:
    return replace(settings, candidate_score=_LEARNT_FROM, candidate_exact=_LEARNT_FROM, candidate_shared=2)


def _joined(parts: Iterable[Examples]) -> Examples:
    every = list(parts)
    return Examples(
        np.concatenate([np.zeros((0, len(dedupe.NAMES))), *(each.alike for each in every)]),
        np.concatenate([np.zeros(0, dtype=bool), *(each.same for each in every)]),
        [pair for each in every for pair in each.ids],
    )


def _chosen(found: Examples, rows: Mask) -> Examples:
    kept = [pair for pair, row in zip(found.ids, rows.tolist(), strict=True) if row]
    return Examples(found.alike[rows], found.same[rows], kept)


def _pairs(lesson: Lesson) -> list[tuple[str, str]]:
    return list(zip(lesson.judged["id_a"], lesson.judged["id_b"], strict=True))


class Learnt(NamedTuple):
    """A fitted model, how many examples it learnt from, and how good it is on what it had not seen.

    ``used`` says of each lesson how many pairs were ``judged``, and how many of them taught something as
    ``same`` and ``different``: those that share anything, and of which no later lesson speaks.
    """

    model: dedupe.PairClassifier
    examples: int
    used: dict[str, dict[str, int]]
    metrics: dict[str, Any]


def learn(lessons: Sequence[Lesson], *, settings: Settings, known: dedupe.Knowledge) -> Learnt:
    """Return the model learnt from all lessons; each judgement counts the same.

    Where two lessons speak of the same two texts, the later one's word counts. Metrics are those of models
    that learnt from two thirds and were asked about the third: recall, precision, Brier score and calibration
    error over pairs that share something, records of one judgement (and copies of one text) kept together.

    Args:
        lessons: What people judged; the sources' names differ.
        settings: How records are compared, and from which probability a pair is flagged.
        known: What is known of words and forms.

    Raises:
        UsageError: Fewer than `LEAST` judgements of either kind teach something.
    """
    sources = _sources(lessons, settings, known)
    taught = [_taught(source, settings, known) for source in sources]
    used = {source.lesson.source: _used(source, each) for source, each in zip(sources, taught, strict=True)}
    _check_enough(used)
    every = _joined(taught)
    model = dedupe.PairClassifier().fit(every.alike, every.same)
    return Learnt(model, len(every.same), used, _held_out(sources, settings, known))


@dataclass(frozen=True, slots=True)
class _Source:
    """A lesson ready to be learnt from.

    ``content`` names each record's text, ``overruled`` the pairs of texts of which a later lesson speaks,
    ``place`` each record's share of the trial; ``told`` are a partial lesson's examples.
    """

    lesson: Lesson
    content: dict[str, str]
    overruled: set[frozenset[str]]
    place: dict[str, int]
    told: Examples | None

    def counts(self, found: Examples) -> Examples:
        """Return those of the examples of which no later lesson speaks."""
        free = [not self.overruled & {frozenset(map(self.content.__getitem__, ids))} for ids in found.ids]
        return _chosen(found, np.array(free, dtype=bool))

    def at(self, fold: int) -> Mask:
        """Return which records of the batch stand in a share of the trial."""
        return np.array([self.place[name] == fold for name in self.lesson.batch["id"]], dtype=bool)


def _sources(lessons: Sequence[Lesson], settings: Settings, known: dedupe.Knowledge) -> list[_Source]:
    contents = [_contents(lesson.batch) for lesson in lessons]
    spoken = [
        [(content[one], content[other]) for one, other in _pairs(lesson)]
        for lesson, content in zip(lessons, contents, strict=True)
    ]
    names = sorted({text for content in contents for text in content.values()})
    places = (_components(names, [pair for pairs in spoken for pair in pairs]) % _FOLDS).tolist()
    place = dict(zip(names, places, strict=True))
    return [
        _Source(
            lesson,
            content,
            {frozenset(pair) for pairs in spoken[number:] for pair in pairs},
            {name: place[text] for name, text in content.items()},
            None if lesson.whole else _of_judged(lesson, settings, known),
        )
        for number, (lesson, content) in enumerate(zip(lessons, contents, strict=True), start=1)
    ]


def _contents(batch: pd.DataFrame) -> dict[str, str]:
    """Return a name for each record's text, the same for texts that differ in case, marks or layout only."""
    cells = batch[["id", *TEXT]].itertuples(index=False, name=None)
    return {
        name: hashlib.sha256(normalize.fold(f"{title}\n{text}").encode()).hexdigest()
        for name, title, text in cells
    }


def _taught(
    source: _Source, settings: Settings, known: dedupe.Knowledge, *, without: int | None = None
) -> Examples:
    """Return what a lesson teaches; ``without`` one share of its records.

    A judgement of a whole lesson is seen in files of `_FILES` sizes. One of a partial lesson, whose files
    have the size they have, is repeated as often: a reviewer's word weighs what the sample's does.
    """
    if source.told is None:
        lesson = source.lesson if without is None else _kept(source.lesson, ~source.at(without))
        return source.counts(_of_whole(lesson, settings, known))
    told = source.told
    rows = np.array([source.place[one] != without for one, _ in told.ids], dtype=bool)
    return source.counts(_joined([_chosen(told, rows)] * _FILES))


def _asked(source: _Source, fold: int, settings: Settings, known: dedupe.Knowledge) -> Examples:
    """Return the pairs of one share of a lesson's records."""
    if source.told is None:
        return source.counts(_compared(_kept(source.lesson, source.at(fold)), settings, known))
    rows = np.array([source.place[one] == fold for one, _ in source.told.ids], dtype=bool)
    return source.counts(_chosen(source.told, rows))


def _used(source: _Source, taught: Examples) -> dict[str, int]:
    judged = {frozenset(pair) for pair in _pairs(source.lesson)}
    kinds = {frozenset(ids): bool(same) for ids, same in zip(taught.ids, taught.same, strict=True)}
    words = [same for pair, same in kinds.items() if pair in judged]
    return {"judged": len(judged), "same": sum(words), "different": len(words) - sum(words)}


def _check_enough(used: dict[str, dict[str, int]]) -> None:
    same, different = (sum(each[kind] for each in used.values()) for kind in ("same", "different"))
    if min(same, different) < LEAST:
        raise UsageError(
            "A pair model needs at least {least} pairs of each kind to learn from; there are {same} judged "
            "the same initiative and {different} judged different. Judge more pairs, then train again.",
            least=LEAST,
            same=same,
            different=different,
        )


def _components(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> I64:
    """Return a number for each name, the same for names that pairs connect."""
    leader = {name: name for name in names}

    def first(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for pair in pairs:
        if leader.keys() >= set(pair):
            low, high = sorted(map(first, pair))
            leader[high] = low
    heads = [first(name) for name in names]
    return np.array(
        [int(hashlib.sha256(head.encode()).hexdigest()[:8], 16) for head in heads], dtype=np.int64
    )


def _held_out(sources: Sequence[_Source], settings: Settings, known: dedupe.Knowledge) -> dict[str, Any]:
    """Return how good the model is on records that it had not seen."""
    chances, truth = [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for fold in range(_FOLDS):
        learnt = _joined(_taught(source, settings, known, without=fold) for source in sources)
        asked = _joined(_asked(source, fold, settings, known) for source in sources)
        if learnt.same.any() and not learnt.same.all() and len(asked.same):
            model = dedupe.PairClassifier().fit(learnt.alike, learnt.same)
            chances.append(model.predict_proba(asked.alike)[:, 1])
            truth.append(asked.same)
    chance, same = np.concatenate(chances), np.concatenate(truth)
    flagged = chance >= settings.match_probability
    right = int((flagged & same).sum())
    return {
        "protocol": f"{_FOLDS} folds, records of one judgement kept together; pairs that share something",
        "recall": round(right / max(int(same.sum()), 1), 4),
        "precision": round(right / max(int(flagged.sum()), 1), 4),
        "brier": round(evaluate.brier(chance, same), 4) if len(chance) else None,
        "ece": round(evaluate.calibration_error(chance, same), 4) if len(chance) else None,
        "threshold": settings.match_probability,
        "reliability": evaluate.reliability(chance, same).round(4).to_dict("list") if len(chance) else {},
    }
