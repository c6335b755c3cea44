"""How likely two records are the same initiative: a probability learned from judged pairs."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.dedupe.features import NAMES

F64 = NDArray[np.float64]

_LEARNT: Final = [place for place, name in enumerate(NAMES) if name not in ("run", "records")]
_SHARE, _RUN, _RECORDS = (NAMES.index(name) for name in ("share", "run", "records"))
_SHOWN: Final = 10_000
_HALF, _HALF_OF_MANY = 0.45, 0.2
_TENFOLD: Final = 0.02
_PIECE: Final = (40, 50)
_IN_ONE_PIECE: Final = 0.2
_STEEP, _STEEP_OF_MANY = 100.0, 60.0


class PairClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The probability that a pair is one initiative: the larger of what two views say.

    The one is learnt: a logistic regression over `features.NAMES`. The other is a rule about passages, for
    what a small sample cannot teach: a text in which nearly half of another stands is its copy, whatever else
    stands in it; a quarter, if it stands there in one piece of fifty syllables. Among ten thousand records or
    more, counting has shown what form text is, and a fifth is enough; the more records, the likelier chance,
    and the share asked rises by 0.02 for each tenfold.

    Args:
        c: Inverse strength of the regularization.

    Attributes:
        model_: The fitted pipeline of a scaler and a logistic regression.
        classes_: ``[False, True]``.

    >>> alike = [[1, 1, 0, 1, 0.1, 0.9, 0.7, 0.8, 90, 300], [0.9, 0.9, 0, 0.9, 0.1, 0.9, 0.6, 0.7, 80, 300]]
    >>> apart = [[0, 0, 0.2, 0.1, 0, 0.3, 0, 0, 3, 300], [0.1, 0, 0, 0.2, 0, 0.2, 0, 0.1, 2, 300]]
    >>> model = PairClassifier().fit(alike + apart, [True, True, False, False])
    >>> model.predict(alike + apart).tolist()
    [True, True, False, False]
    """

    def __init__(self, *, c: float = 10.0) -> None:
        self.c = c

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from pairs: ``X`` (pairs x `features.NAMES`), ``y`` (same initiative or not)."""
        matrix, same = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=bool)
        self.classes_ = np.array([False, True])
        self.model_ = make_pipeline(StandardScaler(), LogisticRegression(C=self.c, max_iter=10_000)).fit(
            matrix[:, _LEARNT], same
        )
        return self

    def predict_proba(self, X: ArrayLike) -> F64:  # noqa: N803 - scikit-learn's name
        """Return the probabilities of "not the same" and "the same", one row a pair."""
        matrix = np.asarray(X, dtype=np.float64).reshape(-1, len(NAMES))
        if not len(matrix):
            return np.zeros((0, 2))
        same = np.maximum(self.model_.predict_proba(matrix[:, _LEARNT])[:, 1], _passage(matrix))
        return np.column_stack((1 - same, same))

    def predict(self, X: ArrayLike) -> NDArray[np.bool_]:  # noqa: N803 - scikit-learn's name
        """Return which pairs are more likely the same initiative than not."""
        same: NDArray[np.bool_] = self.predict_proba(X)[:, 1] >= 0.5  # noqa: PLR2004 - "more likely than not"
        return same

    @classmethod
    def of(cls, model: Any) -> Self:
        """Return the classifier whose fitted pipeline was stored."""
        found = cls()
        found.model_ = model
        found.classes_ = np.array([False, True])
        return found


def _passage(matrix: F64) -> F64:
    """Return how likely what each pair shares is a passage copied."""
    records = matrix[:, _RECORDS]
    many = records >= _SHOWN
    whole = np.clip((matrix[:, _RUN] - _PIECE[0]) / (_PIECE[1] - _PIECE[0]), 0, 1)
    few_half = _HALF - _IN_ONE_PIECE * whole
    many_half = _HALF_OF_MANY + _TENFOLD * np.log10(np.maximum(records, _SHOWN) / _SHOWN)
    steep = np.where(many, _STEEP_OF_MANY, _STEEP)
    chance: F64 = 1 / (1 + np.exp(steep * (np.where(many, many_half, few_half) - matrix[:, _SHARE])))
    return chance
