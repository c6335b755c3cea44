"""How far figures might be off: the same figures of samples drawn again from the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

ROUNDS: Final = 1_000
_LOW: Final = 0.025
_HIGH: Final = 0.975


class Tallies(NamedTuple):
    """How often each field is right, predicted and true in each group of rows; shape (groups, fields)."""

    right: Floats
    predicted: Floats
    true: Floats

    def drawn(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Return precision, recall and F1 (rounds, fields) of groups drawn so often; 0 where undefined."""
        right, predicted, true = (weights @ part for part in self)
        both = predicted + true
        return _share(right, predicted), _share(right, true), _share(2 * right, both)


def tallies(
    truth: Sequence[str], predicted: Sequence[str], groups: Sequence[str], fields: Sequence[str]
) -> Tallies:
    """Return the tallies of labels; columns are ``fields``, rows the groups in order of their names."""
    _, place = np.unique(np.array(groups, dtype=str), return_inverse=True)
    wanted, given = (np.array(names, dtype=object) for names in (truth, predicted))
    parts = []
    for flags in ((wanted, wanted == given), (given, None), (wanted, None)):
        codes, kept = flags
        found = np.zeros((place.max() + 1, len(fields)))
        for column, field in enumerate(fields):
            here = (codes == field) if kept is None else (codes == field) & kept
            found[:, column] = np.bincount(place[here], minlength=len(found))
        parts.append(found)
    return Tallies(*parts)


def draws(groups: int, *, seed: int = 0, rounds: int = ROUNDS) -> Floats:
    """Return how often each of ``groups`` is drawn in each round, with replacement; shape (rounds, groups).

    Whole groups of copies are drawn, since their rows are no independent evidence (Davison and Hinkley,
    *Bootstrap Methods and their Application*, 1997, section 3.8).

    >>> draws(3, rounds=2).sum(axis=1).tolist()
    [3.0, 3.0]
    """
    random = np.random.default_rng(seed)
    return random.multinomial(groups, np.full(groups, 1 / groups), size=rounds).astype(np.float64)


def intervals(truth: Sequence[str], predicted: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
    """Return 95 % bootstrap intervals of each field's figures: ``field`` and ``…_low,…_high`` of each.

    >>> found = intervals(["a"] * 30 + ["b"] * 30, ["a"] * 60, [str(n) for n in range(60)])
    >>> found[["field", "recall_low", "recall_high"]].to_numpy().tolist()
    [['a', 1.0, 1.0], ['b', 0.0, 0.0]]
    """
    fields = sorted({*truth, *predicted})
    tally = tallies(truth, predicted, groups, fields)
    found: dict[str, object] = {"field": fields}
    for name, values in zip(("precision", "recall", "f1"), tally.drawn(draws(len(tally.true))), strict=True):
        found[f"{name}_low"], found[f"{name}_high"] = np.quantile(values, [_LOW, _HIGH], axis=0)
    return pd.DataFrame(found)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))
