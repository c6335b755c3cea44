"""How likely two records are the same initiative: a probability learned from judged pairs."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.dedupe.features import NAMES

F64 = NDArray[np.float64]

VIEWS: Final = {
    "passages": ("share",),
    "vocabulary": ("larger_vocabulary", "smaller_vocabulary"),
}
"""Two views, each blind where the other sees: a copied half shares passages but not most of its words, a copy
with every sentence turned round shares the words but no passage."""


class PairClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The probability that a pair is one initiative: the larger of what two logistic views say.

    Args:
        c: Inverse strength of the regularization of each view.

    Attributes:
        views_: A fitted pipeline for each of `VIEWS`.
        classes_: ``[False, True]``.

    >>> alike = [[1.0, 1.0, 0.9], [0.9, 0.9, 0.8]]
    >>> apart = [[0.1, 0.2, 0.1], [0.0, 0.3, 0.2]]
    >>> model = PairClassifier().fit(alike + apart, [True, True, False, False])
    >>> model.predict(alike + apart).tolist()
    [True, True, False, False]
    """

    def __init__(self, *, c: float = 1.0) -> None:
        self.c = c

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from pairs: ``X`` (pairs x `features.NAMES`), ``y`` (same initiative or not)."""
        matrix, same = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=bool)
        self.classes_ = np.array([False, True])
        self.views_: dict[str, Pipeline] = {
            name: make_pipeline(StandardScaler(), LogisticRegression(C=self.c, max_iter=1000)).fit(
                matrix[:, _columns(name)], same
            )
            for name in VIEWS
        }
        return self

    def predict_proba(self, X: ArrayLike) -> F64:  # noqa: N803 - scikit-learn's name
        """Return the probabilities of "not the same" and "the same", one row a pair."""
        matrix = np.asarray(X, dtype=np.float64).reshape(-1, len(NAMES))
        if not len(matrix):
            return np.zeros((0, 2))
        views = [view.predict_proba(matrix[:, _columns(name)])[:, 1] for name, view in self.views_.items()]
        same = np.max(views, axis=0)
        return np.column_stack((1 - same, same))

    def predict(self, X: ArrayLike) -> NDArray[np.bool_]:  # noqa: N803 - scikit-learn's name
        """Return which pairs are more likely the same initiative than not."""
        same: NDArray[np.bool_] = self.predict_proba(X)[:, 1] >= 0.5  # noqa: PLR2004 - "more likely than not"
        return same

    @classmethod
    def of(cls, views: dict[str, Any]) -> Self:
        """Return the classifier whose fitted views were stored."""
        model = cls()
        model.views_ = dict(views)
        model.classes_ = np.array([False, True])
        return model


def _columns(view: str) -> list[int]:
    return [NAMES.index(name) for name in VIEWS[view]]
