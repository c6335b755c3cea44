"""Whether a probability means what it says: of the pairs or labels at 0.8, are 80 in 100 right?"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_BINS: Final = 15


def calibration_error(probability: Floats, right: Mask, *, bins: int = _BINS) -> float:
    """Return the expected calibration error (0 to 1): how far probabilities are from shares of right rows.

    Rows are put into ``bins`` equal intervals of probability, (0, 1/bins] and so on with 0 in the first; the
    error is the mean over rows of |share right − mean probability| of their bin (Naeini, Cooper and
    Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning*, AAAI 2015).

    >>> calibration_error(np.array([0.75] * 4), np.array([True, True, True, False]))
    0.0
    """
    place = _bins(probability, bins)
    error = right - probability
    by = np.argsort(error)  # sums of floating-point numbers depend on their order; the result must not
    gap = np.bincount(place[by], weights=error[by], minlength=bins)
    return float(np.abs(gap).sum() / len(probability))


def reliability(probability: Floats, right: Mask, *, bins: int = _BINS) -> pd.DataFrame:
    """Return the points of a reliability diagram, one row a bin that holds anything.

    ``low,high`` are the bin's ends (`calibration_error`), ``rows`` how many it holds, ``probability`` their
    mean and ``share`` the share of them that is right: the same where probabilities mean what they say.

    >>> reliability(np.array([0.9, 1.0, 0.1]), np.array([True, False, False]), bins=2).round(2)
       low  high  rows  probability  share
    0  0.0   0.5     1         0.10    0.0
    1  0.5   1.0     2         0.95    0.5
    """
    by = np.argsort(probability, kind="stable")  # one order of adding, whatever the order of the rows
    place = _bins(probability[by], bins)
    rows = np.bincount(place, minlength=bins)
    held = np.flatnonzero(rows)
    return pd.DataFrame(
        {
            "low": held / bins,
            "high": (held + 1) / bins,
            "rows": rows[held],
            "probability": np.bincount(place, weights=probability[by], minlength=bins)[held] / rows[held],
            "share": np.bincount(place, weights=right[by], minlength=bins)[held] / rows[held],
        }
    )


def risk_coverage(probability: Floats, right: Mask, *, points: int = 20) -> pd.DataFrame:
    """Return how often labels are right when only the surest are taken: ``coverage,accuracy,probability``.

    ``coverage`` is the share of rows taken, ``accuracy`` the share of those that is right, ``probability``
    that of the least sure one (El-Yaniv and Wiener, *On the foundations of noise-free selective
    classification*, JMLR 2010). Rows of one probability are taken together.

    >>> risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True]), points=2)
       coverage  accuracy  probability
    0       0.5      1.00          0.8
    1       1.0      0.75          0.6
    """
    order = np.argsort(-probability, kind="stable")
    sure, good = probability[order], np.cumsum(right[order])
    wanted = np.ceil(np.arange(1, points + 1) / points * len(sure)).astype(np.int64)
    taken = np.unique(np.searchsorted(-sure, -sure[wanted - 1], side="right"))
    return pd.DataFrame(
        {
            "coverage": taken / len(sure),
            "accuracy": good[taken - 1] / taken,
            "probability": sure[taken - 1],
        }
    )


def brier(probability: Floats, right: Mask) -> float:
    """Return the mean squared distance of probabilities from the truth (0 is best, 1 worst).

    Brier, *Verification of forecasts expressed in terms of probability*, Monthly Weather Review, 1950.

    >>> round(brier(np.array([1.0, 0.5]), np.array([True, False])), 3)
    0.125
    """
    return float(np.sort((probability - right) ** 2).mean())


def _bins(probability: Floats, bins: int) -> npt.NDArray[np.int64]:
    return np.clip(np.ceil(probability * bins).astype(np.int64) - 1, 0, bins - 1)
