"""Counts → votes: the learned half of the classifier, of stock scikit-learn parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.naive_bayes import ComplementNB
from sklearn.preprocessing import normalize as unit_length
from sklearn.svm import LinearSVC

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]
Dense = npt.NDArray[np.float32]
Features = Mapping[str, sparse.csr_array | Dense]
"""Blocks of numbers, a row a text: counts, or vectors."""
Votes = tuple[Floats, ...]

_TOLERANCE: Final = 0.1  # liblinear's own 1e-4 takes twice the time and changes no label in a thousand
_SMOOTHING: Final = 0.1
_BESIDE: Final = 1 / 3


class Weighted(NamedTuple):
    """Weighted blocks side by side; the first ``counted`` columns come from counts, and are not negative."""

    matrix: sparse.csr_array
    counted: int

    def counts(self) -> sparse.csr_array:
        """Return the columns that come from counts."""
        return self.matrix if self.counted == self.matrix.shape[1] else self.matrix[:, : self.counted]


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """How blocks are weighted, each on its own, so that none drowns another.

    Counts get sublinear TF-IDF; vectors are taken from their mean (``middles``) and brought to length 1.
    ``lengths`` says how long the rows of each block are before they stand side by side.
    """

    blocks: Mapping[str, TfidfTransformer]
    middles: Mapping[str, Dense]
    lengths: Mapping[str, float]

    @classmethod
    def fit(cls, blocks: Features, lengths: Mapping[str, float]) -> Weights:
        """Return the weights of blocks."""
        counted = {name: block for name, block in blocks.items() if sparse.issparse(block)}
        vectors = {name: block for name, block in blocks.items() if isinstance(block, np.ndarray)}
        return cls(
            lengths=lengths,
            blocks={
                name: TfidfTransformer(sublinear_tf=True).fit(block)
                for name, block in counted.items()
                if block.shape[1]  # a block may have no terms: nobody told a sector
            },
            middles={name: block.mean(axis=0) for name, block in vectors.items()},
        )

    def apply(self, blocks: Features) -> Weighted:
        """Return the weighted blocks side by side, those of counts first."""
        parts = []
        for name, weights in self.blocks.items():
            part = weights.transform(blocks[name])
            part.data *= np.float32(self.lengths[name])
            parts.append(part)
        counted = sum(part.shape[1] for part in parts)
        for name, middle in self.middles.items():
            vectors = unit_length(blocks[name] - middle) * np.float32(self.lengths[name])
            parts.append(sparse.csr_array(vectors.astype(np.float32)))
        return Weighted(sparse.hstack(parts, format="csr"), counted)


@dataclass(frozen=True, kw_only=True, eq=False)
class Separator:
    """A linear SVM and, where it helps, a complement naive Bayes beside it, over the same weighted blocks.

    Naive Bayes reads what comes from counts. It is after Rennie et al., *Tackling the poor assumptions of
    naive Bayes text classifiers* (ICML 2003): it errs elsewhere than the SVM, which helps short texts.
    """

    weights: Weights
    svm: LinearSVC
    bayes: ComplementNB | None

    @classmethod
    def fit(  # noqa: PLR0913 - what is learnt from, and the two choices of a candidate
        cls, weights: Weights, features: Weighted, fields: Names, share: Floats, *,
        penalty: float, bayes: bool, seed: int,
    ) -> Separator:  # fmt: skip
        """Return the separator of weighted rows that belong to ``fields``.

        ``share`` is how much each row counts (1: wholly); ``penalty`` is the SVM's C.
        """
        codes = fields.astype(str)
        svm = LinearSVC(C=penalty, tol=_TOLERANCE, random_state=seed)
        svm.fit(features.matrix, codes, sample_weight=None if (share == 1).all() else share)
        svm.coef_ = svm.coef_.astype(np.float32)  # features are no more exact, and a model is half as large
        if not bayes:
            return cls(weights=weights, svm=svm, bayes=None)
        beside = ComplementNB(alpha=_SMOOTHING).fit(features.counts(), codes, sample_weight=share)
        beside.feature_log_prob_ = beside.feature_log_prob_.astype(np.float32)
        # Only learning on would need them, and they are as large as all the rest.
        del beside.feature_count_, beside.feature_all_
        return cls(weights=weights, svm=svm, bayes=beside)

    @property
    def classes(self) -> list[str]:
        """Return the field codes, in the order of the columns of votes."""
        return [str(name) for name in self.svm.classes_]

    def votes(self, blocks: Features) -> Votes:
        """Return the SVM's signed distances to each field's plane, and naive Bayes' log likelihoods."""
        rows = next(iter(blocks.values())).shape[0]
        if not rows:
            return (np.empty((0, len(self.classes))),) * (1 if self.bayes is None else 2)
        features = self.weights.apply(blocks)
        found: Floats = self.svm.decision_function(features.matrix)
        margins = np.stack([-found, found], axis=1) if found.ndim == 1 else found
        if self.bayes is None:
            return (margins,)
        return margins, np.asarray(self.bayes.predict_joint_log_proba(features.counts()), dtype=np.float64)

    def stored(self) -> dict[str, Any]:
        """Return the stock parts."""
        return {
            "weights": dict(self.weights.blocks),
            "middles": dict(self.weights.middles),
            "svm": self.svm,
            "bayes": self.bayes,
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any], lengths: Mapping[str, float]) -> Separator:
        """Return the separator of its stock parts."""
        weights = Weights(blocks=stored["weights"], middles=stored["middles"], lengths=lengths)
        return cls(weights=weights, svm=stored["svm"], bayes=stored["bayes"])


def pooled(votes: Sequence[Floats], temperatures: Sequence[float]) -> Floats:
    """Return log probabilities (rows, classes): voters' softmax at their temperatures, then their mean.

    One voter has one temperature. Of two the second has a third of the say, each has one temperature, and a
    last one sharpens the mean, which is less sure than either.

    >>> np.exp(pooled([np.array([[0.3, 0.1]])], [0.1])).round(4)
    array([[0.8808, 0.1192]])
    """
    if len(votes) == 1:
        return np.asarray(log_softmax(votes[0] / temperatures[0], axis=1))
    first, beside = (softmax(vote / heat, axis=1) for vote, heat in zip(votes, temperatures, strict=False))
    mean = (1 - _BESIDE) * first + _BESIDE * beside
    return np.asarray(log_softmax(np.log(np.maximum(mean, 1e-12)) / temperatures[-1], axis=1))
