"""How good labels are, beside those that people gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.calibration import calibration_error

Names = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """How good labels are; shares are 0 to 1.

    ``accuracy_second`` also takes a second acceptable label for right, and so does ``precision_auto``: the
    share right of the labels that stand without a person (``coverage``: their share of all; both None
    when nobody said which). ``ece`` is the expected calibration error. ``fields`` has one row a field that
    is true or predicted somewhere: ``field,precision,recall,f1,true,predicted``; ``confusions`` one row a
    kind of error, most frequent first: ``true,predicted,rows``.
    """

    rows: int
    accuracy: float
    accuracy_second: float
    macro_f1: float
    ece: float | None
    coverage: float | None
    precision_auto: float | None
    fields: pd.DataFrame
    confusions: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON values, rounded to 4 places, for a card or a machine."""
        single = ("accuracy", "accuracy_second", "macro_f1", "ece", "coverage", "precision_auto")
        values = {name: getattr(self, name) for name in single}
        rounded = {name: None if value is None else round(value, 4) for name, value in values.items()}
        by_field = self.fields.set_index("field")["f1"].round(4).to_dict()
        return {"rows": self.rows, **rounded, "f1": by_field}


def labels(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    second: Sequence[str] | None = None,
    probability: Sequence[float] | None = None,
    auto: Sequence[bool] | None = None,
) -> Labels:
    """Return how good the ``predicted`` labels are, one a row, against the ``truth``.

    Precision, recall and F1 are 0 where they have nothing to divide by, and macro-F1 is the plain mean over
    the fields that are true somewhere.

    Args:
        truth: The right code of each row.
        predicted: The code that was given.
        second: Another acceptable code, or ``""``.
        probability: How sure the label was (0 to 1); for ``ece``.
        auto: Whether the label was to stand without a person; for ``coverage`` and ``precision_auto``.

    Raises:
        ValueError: No rows, or lists of different lengths.

    >>> found = labels(["a", "a", "b", "b"], ["a", "b", "b", "b"], second=["", "b", "", ""])
    >>> found.accuracy, found.accuracy_second, round(found.macro_f1, 3)
    (0.75, 1.0, 0.733)
    >>> found.confusions.to_dict("records")
    [{'true': 'a', 'predicted': 'b', 'rows': 1}]
    """
    wanted, given = np.array(truth, dtype=object), np.array(predicted, dtype=object)
    also = np.array([""] * len(wanted) if second is None else second, dtype=object)
    if not len(wanted) or not len(wanted) == len(given) == len(also):
        raise ValueError(f"{len(wanted)} true, {len(given)} predicted and {len(also)} second labels")
    exact = wanted == given
    right = exact | (given == also)
    fields = _fields(wanted, given)
    accepted = None if auto is None else np.array(auto, dtype=bool)
    return Labels(
        rows=len(wanted),
        accuracy=float(exact.mean()),
        accuracy_second=float(right.mean()),
        macro_f1=float(fields["f1"][fields["true"] > 0].mean()),
        ece=None if probability is None else calibration_error(np.array(probability, dtype=float), exact),
        coverage=None if accepted is None else float(accepted.mean()),
        precision_auto=None if accepted is None or not accepted.any() else float(right[accepted].mean()),
        fields=fields,
        confusions=_confusions(wanted, given),
    )


def _fields(truth: Names, predicted: Names) -> pd.DataFrame:
    codes, place = np.unique(np.concatenate([truth, predicted]).astype(str), return_inverse=True)
    true_place, predicted_place = np.split(place, 2)
    true = np.bincount(true_place, minlength=len(codes))
    given = np.bincount(predicted_place, minlength=len(codes))
    both = np.bincount(true_place[true_place == predicted_place], minlength=len(codes))
    return pd.DataFrame(
        {
            "field": codes.tolist(),
            "precision": both / np.maximum(given, 1),
            "recall": both / np.maximum(true, 1),
            "f1": 2 * both / (true + given),
            "true": true,
            "predicted": given,
        }
    )


def _confusions(truth: Names, predicted: Names) -> pd.DataFrame:
    wrong = truth != predicted
    pairs = pd.DataFrame({"true": truth[wrong], "predicted": predicted[wrong]}, dtype="str")
    counted = pairs.groupby(["true", "predicted"], as_index=False).size().rename(columns={"size": "rows"})
    ordered = counted.sort_values(["rows", "true", "predicted"], ascending=[False, True, True])
    return ordered.reset_index(drop=True)
