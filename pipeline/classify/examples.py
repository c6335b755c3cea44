"""What is learnt from: labelled records, read once, and the folds that they fall into."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.classify import pool
from pipeline.classify.decision import Counts, Flags, Floats
from pipeline.classify.experts import MARKED, SPELLED, Lengths, chosen
from pipeline.classify.reading import (
    AUTHOR,
    COUNTED,
    FOLDED,
    KEYED,
    SECTOR,
    UNIT,
    VECTORS,
    Blocks,
    Reader,
    Rows,
    Vectors,
    blocks,
    counts,
    features,
    title_only,
)
from pipeline.classify.separator import Names, Separator, Votes, Weights
from pipeline.classify.vocabulary import Vocabulary, Words
from pipeline.errors import UsageError
from pipeline.records import AUTHOR_CODES

FOLDS: Final = 5
LEAST_ROWS: Final = 2 * FOLDS
"""Labelled records without which nothing is learnt, nor a kind of record told apart."""

LEAST_FIELDS: Final = 2
_LEAST_TEXTS: Final = 2
_MANY: Final = 20_000
_SECOND: Final = 0.6
_FEW: Final = 50  # labels a field, beyond which the vectors of syllables bought nothing
_REAL: Final = 3.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way of learning: the SVM's C, naive Bayes beside it or not, guesses on unlabelled texts or not."""

    penalty: float
    bayes: bool = False
    pool: bool = False

    def __str__(self) -> str:
        extras = [name for name, on in (("bayes", self.bayes), ("unlabelled", self.pool)) if on]
        return " + ".join([f"C={self.penalty:g}", *extras])


class Beside(NamedTuple):
    """What is learnt from beside the labels, and what texts are read with."""

    phrases: Mapping[str, Sequence[str]]
    unlabelled: pd.DataFrame | None
    reader: Reader


class Examples:
    """Read once, learnt from many times.

    The rows of ``features`` are the records, their titles alone, the typical phrases, then the unlabelled
    records. Records are sorted, so that a model does not depend on how a table happened to be ordered;
    ``order`` says where each came from.
    """

    def __init__(
        self,
        batch: pd.DataFrame,
        columns: tuple[Names, Names, Names],
        order: Rows,
        beside: Beside,
    ) -> None:
        phrases, unlabelled, reader = beside
        self.batch, self.order = batch, order
        self.truth, self.second, self.groups = columns
        truth, self.rows = self.truth, len(self.truth)
        self.classes = sorted(set(truth.tolist()))
        self.column = np.searchsorted(self.classes, truth.tolist())
        typical = [(text, code) for code in self.classes for text in phrases.get(code, ())]
        self.typical = _names([code for _, code in typical])
        others = _without_copies(unlabelled, features(batch)) if unlabelled is not None else batch.iloc[:0]
        reader = _worth_a_trial(reader, few=self.few)
        self.texts: Blocks = blocks(
            _table(batch, [text for text, _ in typical], others), [*COUNTED, VECTORS], reader
        )
        self.pool = np.arange(2 * self.rows + len(typical), 2 * self.rows + len(typical) + len(others))
        self.vocabularies = {
            name: Vocabulary.learn(texts) for name, texts in self.texts.items() if isinstance(texts, Words)
        }
        self.features = {
            name: texts.rows if isinstance(texts, Vectors) else self.vocabularies[name].count(texts)
            for name, texts in self.texts.items()
        }
        self._meanings: Floats | None = None

    @classmethod
    def of(
        cls,
        batch: pd.DataFrame,
        labels: Sequence[str],
        *,
        second: Sequence[str] | None,
        groups: Sequence[str] | None,
        beside: Beside,
    ) -> Examples:
        """Return the training set of labelled rows, checked and sorted."""
        texts, truth = _names(features(batch)), _names(labels)
        also = _names([""] * len(truth) if second is None else second)
        together = texts if groups is None else _names(groups)
        _check(truth, together)
        order = np.lexsort([together, also, truth, texts])
        if (others := beside.unlabelled) is not None:
            others = others.iloc[np.argsort(_names(features(others)), kind="stable")]
        columns = truth[order], also[order], together[order]
        return cls(batch.iloc[order], columns, order, beside._replace(unlabelled=others))

    @property
    def few(self) -> bool:
        """Whether people gave few labels a field."""
        return self.rows < _FEW * len(self.classes)

    def folds(self, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
        """Return (training rows, held-out rows) of each fold; of many records one fold only."""
        found = _folds(self.truth, self.groups, parts, seed)
        return found[:1] if self.rows > _MANY else found

    def learnt(self, rows: Rows) -> tuple[Rows, Names, Floats]:
        """Return the rows of ``features`` that labelled ``rows`` give, their fields and their weights."""
        # The title of a record that has nothing else would be the same row again.
        titles = rows[(self.has_title() & ~title_only(self.batch))[rows]]
        also = rows[np.isin(self.second[rows], self.classes)]
        places = (rows, titles + self.rows, also, np.arange(2 * self.rows, 2 * self.rows + len(self.typical)))
        fields = (self.truth[rows], self.truth[titles], self.second[also], self.typical)
        share = np.ones(sum(map(len, places)))
        start = len(rows) + len(titles)
        share[start : start + len(also)] = _SECOND
        return np.concatenate(places), np.concatenate(fields), share

    def learn(
        self, rows: Rows, candidate: Candidate, lengths: Lengths, seed: int
    ) -> tuple[dict[str, Rows], Separator]:
        """Return the columns of each block that ``rows`` would have made known, and what separates them."""
        places, fields, share = self.learnt(rows)
        every = places
        if candidate.pool:
            guessed, taken_for = self._guesses(rows, seed)
            every = np.concatenate([places, self.pool])
            places, fields = np.concatenate([places, guessed]), np.concatenate([fields, taken_for])
            share = np.concatenate([_REAL * share, np.ones(len(guessed))])
        seen = {name: self.features[name][every] for name in lengths}
        columns = {name: _known(part) for name, part in seen.items()}
        known = {name: part[:, columns[name]] for name, part in seen.items()}
        if not any(len(some) for name, some in columns.items() if name in SPELLED[MARKED]):
            raise UsageError(
                "The labelled records have too few words in common to learn from. Label more rows."
            )
        weights = Weights.fit(known, lengths)
        if candidate.pool:
            known = {name: self.features[name][places][:, columns[name]] for name in lengths}
        weighted = weights.apply(known)
        return columns, Separator.fit(
            weights, weighted, fields, share, penalty=candidate.penalty, bayes=candidate.bayes, seed=seed
        )

    def _guesses(self, rows: Rows, seed: int) -> tuple[Rows, Names]:
        if self._meanings is None:
            lengths = SPELLED[MARKED]
            text = {name: self.features[name] for name in lengths}
            self._meanings = pool.meanings(Weights.fit(text, lengths).apply(text).matrix, seed=seed)
        return pool.guesses(self._meanings, rows, self.truth[rows], self.pool)

    def votes(self, separator: Separator, columns: Mapping[str, Rows], rows: Rows) -> Votes:
        """Return the votes on some rows of ``features``, a column each of ``classes``."""
        found = separator.votes({name: self.features[name][rows][:, some] for name, some in columns.items()})
        return tuple(self._spread(vote, separator.classes) for vote in found)

    def _spread(self, vote: Floats, classes: Sequence[str]) -> Floats:
        # A field that the fold never saw is as unlikely as anything it did see.
        spread = np.repeat(vote.min(axis=1, keepdims=True), len(self.classes), axis=1)
        spread[:, np.searchsorted(self.classes, classes)] = vote
        return spread

    def seen(self, rows: Rows) -> tuple[Counts, Floats]:
        """Return some records' number of syllables, and the share of them that is unknown."""
        some = counts(self.texts, FOLDED).of(rows)
        return some.sizes(), self.vocabularies[FOLDED].unknown(some)

    def has_title(self) -> Flags:
        """Return which records have words in their title."""
        return counts(self.texts, KEYED).sizes()[self.rows : 2 * self.rows] > 0

    def records(self) -> Blocks:
        """Return what was read of the records."""
        rows = np.arange(self.rows)
        return {name: counts(self.texts, name).of(rows) for name in (KEYED, UNIT, SECTOR, AUTHOR)}

    def experts(self, names: Collection[str]) -> Names:
        """Return which separator each record belongs to."""
        return chosen(self.records(), names)

    def in_order(self, labels: pd.DataFrame) -> pd.DataFrame:
        """Return labels indexed by row in the order in which the records were given."""
        labels = labels.set_index(self.order[labels.index])
        return labels.sort_index().reset_index(drop=True)


_READ: Final = ("clean_title", "clean_description", "unit", "sector", AUTHOR_CODES)


def _table(batch: pd.DataFrame, phrases: Sequence[str], others: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in _READ if name in batch]
    rows = batch[columns]
    typical = pd.DataFrame({"clean_title": list(phrases), "clean_description": ""}, dtype="str")
    parts = [rows, rows.assign(clean_description=""), typical, others.reindex(columns=columns)]
    return pd.concat(parts, ignore_index=True).fillna("")


def _worth_a_trial(reader: Reader, *, few: bool) -> Reader:
    """Return what is tried: beside vectors, words only mislead a model of few labels."""
    if few and reader.encoder:
        return replace(reader, cut=None)
    return replace(reader, encoder=None) if reader.few and not few else reader


def _without_copies(others: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Return the records of other text than ``texts``, each once: no held-out row must be guessed on."""
    found = pd.Series(features(others), index=others.index)
    return others[~found.isin(set(texts)) & ~found.duplicated()]


def _names(values: Sequence[str]) -> Names:
    return np.array(list(values), dtype=object)


def _known(block: Any) -> Rows:
    """Return the columns that occur in two texts or more; all columns of vectors."""
    if isinstance(block, np.ndarray):
        return np.arange(block.shape[1])
    return np.flatnonzero(np.bincount(block.indices, minlength=block.shape[1]) >= _LEAST_TEXTS)


def _check(truth: Names, groups: Names) -> None:
    fields, independent = len(set(truth)), len(set(groups))
    if len(truth) < LEAST_ROWS or fields < LEAST_FIELDS or independent < FOLDS:
        raise UsageError(
            "{rows} labelled rows ({independent} of them different) in {fields} fields are too few to learn "
            "from: at least {least} rows in {least_fields} fields are needed. Label more (column field).",
            rows=len(truth),
            independent=independent,
            fields=fields,
            least=LEAST_ROWS,
            least_fields=LEAST_FIELDS,
        )


def _folds(truth: Names, groups: Names, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return (training rows, held-out rows) of each fold; a group is never on both sides."""
    most = int(np.unique(truth.astype(str), return_counts=True)[1].max())
    parts = min(parts, max(most, 2))  # scikit-learn refuses more folds than the largest field has rows
    with warnings.catch_warnings():
        # A field with fewer rows than folds is missing from some, which `Examples.votes` provides for.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        split = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(
            truth, truth.astype(str), groups
        )
        folds = [(training, test) for training, test in split if len(test)]
    return [(training, test) for training, test in folds if len(set(truth[training])) > 1]
