"""Which texts to label next: at first those that show all there is, then those a model cannot decide."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from pipeline.classify import pool
from pipeline.classify.experts import MARKED, SPELLED
from pipeline.classify.reading import Reader, Rows, blocks, counts, features
from pipeline.classify.separator import Floats, Weights
from pipeline.classify.vocabulary import Vocabulary

_WIDER: Final = 3
_POOL: Final = 20_000
_ROUNDS: Final = 50


def centres(batch: pd.DataFrame, count: int, *, seed: int = 0) -> Rows:
    """Return ``count`` rows (fewer where there are fewer) that show between them what the batch is about.

    The texts are put into ``count`` clusters (k-means on latent meanings), and of each the text nearest to
    its middle is taken, the largest cluster first. Choosing by a model's doubts is worse than chance while
    the model knows next to nothing: Yuan, Lin and Boyd-Graber, *Cold-start active learning through
    self-supervised language modeling* (EMNLP 2020). The order of the rows does not matter.

    Args:
        batch: Columns ``id``, ``clean_title``, ``clean_description``. Of more than 20,000 rows so many are
            looked at, drawn by ``seed``.
        count: How many are wanted.
        seed: Decides where clusters begin.
    """
    texts = np.array(features(batch), dtype=object)
    order = np.lexsort([batch["id"].to_numpy(dtype=object).astype(str), texts.astype(str)])
    if len(order) > _POOL:
        order = np.sort(np.random.default_rng(seed).permutation(order)[:_POOL])
        order = order[np.argsort(texts[order].astype(str), kind="stable")]
    if len(order) <= count or count < 1:
        return np.sort(order[: max(count, 0)])
    vectors = _meanings(batch.iloc[order], seed)
    # Sums in another order, as of several threads, would now and then choose another text.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Texts of the same words make fewer clusters than wanted, which is provided for below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=1, max_iter=_ROUNDS, random_state=seed).fit(vectors)
        far = found.transform(vectors)
    sizes = np.bincount(found.labels_, minlength=count)
    chosen: list[int] = []
    for cluster in np.argsort(-sizes, kind="stable").tolist():
        own = np.flatnonzero(found.labels_ == cluster)
        if len(own):
            chosen.append(int(own[np.argmin(np.round(far[own, cluster], 6))]))
    # Where there are fewer clusters than wanted, what is least like the middle of its own shows most besides.
    rest = np.setdiff1d(np.arange(len(order)), chosen)
    away = np.round(far[rest, found.labels_[rest]], 6)
    chosen += rest[np.argsort(-away, kind="stable")[: count - len(chosen)]].tolist()
    return order[chosen].astype(np.intp)


def _meanings(batch: pd.DataFrame, seed: int) -> Floats:
    lengths = SPELLED[MARKED]
    texts = blocks(batch, list(lengths), Reader())
    known = {name: Vocabulary.learn(counts(texts, name)).count(counts(texts, name)) for name in lengths}
    if not any(block.shape[1] for block in known.values()):
        return np.zeros((len(batch), 1))
    return pool.meanings(Weights.fit(known, lengths).apply(known).matrix, seed=seed)


def doubtful(probabilities: Floats, count: int, *, seed: int = 0) -> Rows:
    """Return ``count`` rows drawn from three times as many between whose two likeliest classes least lies.

    The surest doubts alone are much alike; drawing among more of them keeps the batch mixed.

    >>> doubtful(np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]), 1).tolist() in ([0], [1], [2])
    True
    """
    if probabilities.shape[1] < 2:  # noqa: PLR2004 - two classes make a margin
        return np.arange(min(count, len(probabilities)))
    best = np.sort(probabilities, axis=1)
    margin = best[:, -1] - best[:, -2]
    near = np.argsort(margin, kind="stable")[: _WIDER * max(count, 0)]
    drawn = np.random.default_rng(seed).permutation(near)[: max(count, 0)]
    return drawn[np.argsort(margin[drawn], kind="stable")]
