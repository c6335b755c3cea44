"""Which labels to look at again: those that a model, which never saw them, gives little chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def doubts(
    chances: pd.DataFrame, labels: Sequence[str], *, second: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return a row a label, in order: ``probability,suggested,probability2,doubtful,rank``.

    ``probability`` is that of the given label, ``suggested`` the likeliest other one and ``probability2`` its
    probability. A label is ``doubtful`` where another field is likelier and as likely as the labels of that
    field are on average: Northcutt, Jiang and Chuang, *Confident learning: estimating uncertainty in dataset
    labels* (JAIR 2021). ``rank`` counts from 1, the most doubtful first: by that, then by ``probability``.

    Args:
        chances: Out-of-fold probabilities, a column a field.
        labels: The label of each row, one of the columns.
        second: A second acceptable label, or ``""``; it is not held against the first.

    Raises:
        ValueError: Lengths differ, or a label has no column.

    >>> chances = pd.DataFrame({"a": [0.9, 0.8, 0.9], "b": [0.1, 0.2, 0.1]})
    >>> doubts(chances, ["a", "a", "b"])[["doubtful", "rank"]].to_numpy().tolist()
    [[False, 3], [False, 2], [True, 1]]
    """
    fields = chances.columns.tolist()
    also = [""] * len(labels) if second is None else list(second)
    if not len(chances) == len(labels) == len(also) or not set(labels) <= set(fields):
        raise ValueError(
            f"{len(chances)} rows of {fields} for {len(labels)} labels and {len(also)} second ones"
        )
    table = chances.to_numpy(dtype=np.float64)
    place = {field: column for column, field in enumerate(fields)}
    given = np.array([place[label] for label in labels], dtype=np.intp)
    rows = np.arange(len(labels))
    own = table[rows, given]
    others = table.copy()
    others[rows, given] = -1.0
    for row, label in enumerate(also):
        if label in place:
            others[row, place[label]] = -1.0
    usual = np.array(
        [own[given == column].mean() if (given == column).any() else 1.0 for column in range(len(fields))]
    )
    surely = np.where(others >= usual, others, -1.0)
    doubtful = surely.max(axis=1) > own
    best = np.where(doubtful, surely.argmax(axis=1), others.argmax(axis=1))
    chance = others[rows, best]
    rank = np.empty(len(rows), dtype=np.int64)
    rank[np.lexsort([rows, own, ~doubtful])] = rows + 1
    return pd.DataFrame(
        {
            "probability": own,
            # Where every other field is acceptable too, nothing else can be suggested.
            "suggested": [
                fields[column] if known >= 0 else "" for column, known in zip(best, chance, strict=True)
            ],
            "probability2": np.maximum(chance, 0.0),
            "doubtful": doubtful,
            "rank": rank,
        }
    ).astype({"suggested": "str"})
