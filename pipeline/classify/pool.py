"""Texts nobody labelled → labels good enough to learn from, where people gave few."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize as unit_length

from pipeline.classify.reading import Rows
from pipeline.classify.separator import Floats, Names

LEAST: Final = 2_000
"""Unlabelled texts from which it is worth trying."""
MOST_LABELS: Final = 200
"""Labels a field up to which unlabelled texts are tried; whether they help is found out each time."""

_DIMENSIONS: Final = 200
_A_CLASS: Final = 300
_LEAST_TEXTS: Final = 5
_PENALTY: Final = 10.0


def meanings(matrix: sparse.csr_array, *, seed: int) -> Floats:
    """Return a dense vector of length 1 for each row of weighted counts, learnt from which terms go together.

    Latent semantic analysis (Deerwester et al., *Indexing by latent semantic analysis*, JASIS 1990) over the
    terms of 5 rows or more.
    """
    often = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) >= _LEAST_TEXTS)
    dimensions = min(_DIMENSIONS, len(often) - 1, matrix.shape[0] - 1)
    if dimensions < 1:
        return np.zeros((matrix.shape[0], 1))
    # Rows all alike have no variance, of which the share explained would be 0/0.
    with np.errstate(invalid="ignore"):
        reduced = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit_transform(matrix[:, often])
    return np.asarray(unit_length(reduced), dtype=np.float64)


def guesses(vectors: Floats, labelled: Rows, fields: Names, unlabelled: Rows) -> tuple[Rows, Names]:
    """Return the unlabelled rows that a first model is surest of, and what it takes them for.

    At most 300 a field, so that no field drowns another; in rising order.
    """
    model = LogisticRegression(C=_PENALTY, max_iter=1_000).fit(vectors[labelled], fields.astype(str))
    chance = model.predict_proba(vectors[unlabelled])
    best, sure = chance.argmax(axis=1), chance.max(axis=1)
    taken = []
    for column in range(len(model.classes_)):
        own = np.flatnonzero(best == column)
        taken.append(own[np.argsort(-sure[own], kind="stable")[:_A_CLASS]])
    rows = np.sort(np.concatenate(taken))
    return unlabelled[rows], model.classes_[best[rows]].astype(object)
