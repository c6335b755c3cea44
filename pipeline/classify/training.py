"""Labelled records → a model: what separates the fields, and how far it may be believed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.classify.decision import Counts, Flags, Floats, Scores, learn_rules
from pipeline.classify.model import (
    Calibration,
    Model,
    Names,
    Separator,
    bare,
    features,
    label_scores,
    probabilities,
    title_only,
)
from pipeline.classify.vocabulary import Vocabulary, read
from pipeline.errors import UsageError

Rows = npt.NDArray[np.intp]

PENALTIES: Final = (0.1, 0.3, 1.0)
HELD_OUT: Final = "held-out"
"""Stands in the column ``model`` of held-out labels: no model in use gave them."""

_FOLDS: Final = 5
_LEAST_ROWS: Final = 2 * _FOLDS
_LEAST_FIELDS: Final = 2
_LEAST_TEXTS: Final = 2


class Fitted(NamedTuple):
    """A model, and the labels its rows get from those folds that never saw the row."""

    model: Model
    held_out: pd.DataFrame


def fit(  # noqa: PLR0913 - what the labels are, what belongs together, and what the labels mean
    batch: pd.DataFrame,
    labels: Sequence[str],
    *,
    second: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    taxonomy: str = "",
    precision: float = 0.95,
    seed: int = 0,
) -> Fitted:
    """Return the model of labelled records, and the labels that held-out folds give the same records.

    C, temperatures and thresholds come from 5 folds in which records of one group stay together. Every
    title is learnt, and calibrated, a second time alone, so that a record without a description is no
    stranger. The order of the rows does not matter.

    Args:
        batch: Columns ``id``, ``clean_title``, ``clean_description``.
        labels: A field code a row.
        second: A second acceptable code a row, or ``""``; it counts as right when thresholds are set.
        groups: Rows with the same name here are copies of one another; by default, rows of equal text are.
        taxonomy: The version of the taxonomy the codes belong to.
        precision: The share (0 to 1) of accepted labels that must be right, see `learn_rules`.
        seed: Decides how groups fall into folds.

    Raises:
        UsageError: Fewer than 10 rows, or fewer than two fields, are labelled; or no words recur.
    """
    data = _Training.of(batch, labels, second=second, groups=groups)
    folds = _folds(data.truth, data.groups, seed)
    trials = [_held_out(data, folds, penalty, seed) for penalty in PENALTIES]
    losses = [_temperature(trial.whole, data.column)[1] for trial in trials]
    best = int(np.argmin(losses))
    margins = trials[best]
    whole, title = _calibrations(data, margins, precision)
    model = Model(
        keyed=data.keyed,
        folded=data.folded,
        separator=data.learn(np.arange(len(data.truth)), PENALTIES[best], seed)[1],
        whole=whole,
        title=title,
        taxonomy=taxonomy,
    )
    temperature = np.where(title_only(data.batch), title.temperature, whole.temperature)
    scores = Scores(probabilities(margins.whole, temperature[:, None]), *data.seen())
    held_out = label_scores(model, data.batch, scores, name=HELD_OUT)
    return Fitted(model, held_out.iloc[np.argsort(data.order, kind="stable")].reset_index(drop=True))


class _Margins(NamedTuple):
    """Held-out margins (rows, classes) of the records as they are, and of their titles alone."""

    whole: Floats
    title: Floats


class _Training:
    """Counted once, learnt from many times: the records as they are, and below them their titles alone.

    The rows are sorted, so that a model does not depend on how a table happened to be ordered; ``order``
    says where each came from.
    """

    def __init__(self, batch: pd.DataFrame, truth: Names, second: Names, groups: Names, order: Rows) -> None:
        self.batch, self.truth, self.second, self.groups, self.order = batch, truth, second, groups, order
        self.classes = sorted(set(truth.tolist()))
        self.column = np.searchsorted(self.classes, truth.tolist())
        self._words = read([*features(batch), *features(batch.assign(clean_description=""))])
        self._bare = self._words.respelt(bare)
        self.keyed = Vocabulary.learn(self._words)
        self.folded = Vocabulary.learn(self._bare)
        self.blocks = (self.keyed.count(self._words), self.folded.count(self._bare))

    @classmethod
    def of(
        cls,
        batch: pd.DataFrame,
        labels: Sequence[str],
        *,
        second: Sequence[str] | None,
        groups: Sequence[str] | None,
    ) -> _Training:
        """Return the training set of labelled rows, checked and sorted."""
        texts, truth = _names(features(batch)), _names(labels)
        also = _names([""] * len(truth) if second is None else second)
        together = texts if groups is None else _names(groups)
        _check(truth, together)
        order = np.lexsort([together, also, truth, texts])
        return cls(batch.iloc[order], truth[order], also[order], together[order], order)

    def seen(self) -> tuple[Counts, Floats]:
        """Return each record's number of syllables, and the share of them that is unknown."""
        rows = len(self.truth)
        return self._words.sizes()[:rows], self.folded.unknown(self._bare)[:rows]

    def has_title(self) -> Flags:
        """Return which records have words in their title."""
        return self._words.sizes()[len(self.truth) :] > 0

    def learn(self, rows: Rows, penalty: float, seed: int) -> tuple[tuple[Rows, Rows], Separator]:
        """Return the columns of each block that ``rows`` would have made known, and what separates them."""
        parts = [block[np.concatenate([rows, rows + len(self.truth)])] for block in self.blocks]
        columns = _known(parts[0]), _known(parts[1])
        keyed, folded = (part[:, some] for part, some in zip(parts, columns, strict=True))
        if not keyed.nnz:
            raise UsageError(
                "The labelled records have too few words in common to learn from. Label more rows."
            )
        fields = np.tile(self.truth[rows], 2)
        return columns, Separator.fit((keyed, folded), fields, penalty=penalty, seed=seed)


def _names(values: Sequence[str]) -> Names:
    return np.array(list(values), dtype=object)


def _known(counts: sparse.csr_array) -> Rows:
    """Return the columns that occur in two texts or more."""
    return np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]) >= _LEAST_TEXTS)


def _check(truth: Names, groups: Names) -> None:
    fields, independent = len(set(truth)), len(set(groups))
    if len(truth) < _LEAST_ROWS or fields < _LEAST_FIELDS or independent < _FOLDS:
        raise UsageError(
            "{rows} labelled rows ({independent} of them different) in {fields} fields are too few to learn "
            "from: at least {least} rows in {least_fields} fields are needed. Label more (column field).",
            rows=len(truth),
            independent=independent,
            fields=fields,
            least=_LEAST_ROWS,
            least_fields=_LEAST_FIELDS,
        )


def _folds(truth: Names, groups: Names, seed: int) -> list[tuple[Rows, Rows]]:
    """Return (training rows, held-out rows) of each fold; a group is never on both sides."""
    with warnings.catch_warnings():
        # A field with fewer rows than folds is missing from some, which `_held_out` provides for.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        split = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed).split(
            truth, truth.astype(str), groups
        )
        folds = [(training, test) for training, test in split if len(test)]
    return [(training, test) for training, test in folds if len(set(truth[training])) > 1]


def _held_out(data: _Training, folds: list[tuple[Rows, Rows]], penalty: float, seed: int) -> _Margins:
    """Return the margins of each record and title from the fold that never saw it."""
    margins = np.zeros((2 * len(data.truth), len(data.classes)))
    for training, test in folds:
        (keyed, folded), separator = data.learn(training, penalty, seed)
        rows = np.concatenate([test, test + len(data.truth)])
        found = separator.margins((data.blocks[0][rows][:, keyed], data.blocks[1][rows][:, folded]))
        # A field that the fold never saw is as unlikely as anything it did see.
        margins[rows] = found.min(axis=1, keepdims=True)
        margins[np.ix_(rows, np.searchsorted(data.classes, separator.svm.classes_))] = found
    return _Margins(*np.split(margins, 2))


def _calibrations(data: _Training, margins: _Margins, precision: float) -> tuple[Calibration, Calibration]:
    """Return the calibrations of whole records and of titles; too few of one kind lean on all records."""
    described, titled = ~title_only(data.batch), data.has_title()
    everything = np.ones(len(data.truth), dtype=bool)
    whole = _calibrate(
        data, margins.whole, described if described.sum() >= _LEAST_ROWS else everything, precision
    )
    if titled.sum() < _LEAST_ROWS:
        return whole, whole
    return whole, _calibrate(data, margins.title, titled, precision)


def _calibrate(data: _Training, margins: Floats, rows: Flags, precision: float) -> Calibration:
    """Return the calibration that held-out margins of some rows support."""
    temperature, _ = _temperature(margins[rows], data.column[rows])
    rules = learn_rules(
        probabilities(margins[rows], temperature),
        data.classes,
        data.truth[rows].tolist(),
        second=data.second[rows].tolist(),
        precision=precision,
    )
    return Calibration(temperature=temperature, rules=rules)


def _temperature(margins: Floats, column: Rows) -> tuple[float, float]:
    """Return the temperature at which the log loss of held-out margins is least, and that loss.

    One number, as in Guo et al., *On calibration of modern neural networks* (ICML 2017). ``column`` is the
    right class of each row.
    """
    rows = np.arange(len(column))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(margins / np.exp(log_temperature), axis=1)[rows, column].mean())

    found = minimize_scalar(loss, bounds=(-5.0, 3.0), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
