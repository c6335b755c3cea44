"""How good: what was found, beside what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.records import NOT_SAME, SAME

Names = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

# ---------------------------------------------------------------------------------------------- labels

_BINS: Final = 15


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


def calibration_error(probability: Floats, right: npt.NDArray[np.bool_], *, bins: int = _BINS) -> float:
    """Return the expected calibration error (0 to 1): how far probabilities are from shares of right rows.

    Rows are put into ``bins`` equal intervals of probability, (0, 1/bins] and so on with 0 in the first; the
    error is the mean over rows of |share right − mean probability| of their bin (Naeini, Cooper and
    Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning*, AAAI 2015).

    >>> calibration_error(np.array([0.75] * 4), np.array([True, True, True, False]))
    0.0
    """
    place = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    error = right - probability
    by = np.argsort(error)  # sums of floating-point numbers depend on their order; the result must not
    gap = np.bincount(place[by], weights=error[by], minlength=bins)
    return float(np.abs(gap).sum() / len(probability))


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


# ---------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How good flagged pairs are; shares are 0 to 1.

    ``relations`` has one row a relation: ``relation,pairs,flagged,share``, where flagged is right for the
    same initiative and wrong for the others. ``precision`` counts a flagged pair as wrong when it is judged
    not the same or is not in the table of judged pairs (None when nothing was flagged). ``unlisted`` are
    the flagged pairs that nobody judged.
    """

    recall: float
    precision: float | None
    average_precision: float
    relations: pd.DataFrame
    unlisted: list[tuple[str, str]]

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON values, rounded to 4 places, for a card or a machine."""
        return {
            "recall": round(self.recall, 4),
            "precision": None if self.precision is None else round(self.precision, 4),
            "average_precision": round(self.average_precision, 4),
            "relations": self.relations.set_index("relation")["share"].round(4).to_dict(),
            "unlisted": len(self.unlisted),
        }


def pairs(judged: pd.DataFrame, found: pd.DataFrame, *, threshold: float) -> Pairs:
    """Return how well the ``found`` pairs agree with those that people judged.

    Args:
        judged: Columns ``id_a,id_b,relation``, relations of `records.SAME` and `records.NOT_SAME`.
        found: Columns ``later,earlier,probability``; a pair that is not in it has probability 0.
        threshold: The probability from which a pair is flagged.

    Raises:
        ValueError: No judged pair is the same initiative.

    >>> judged = pd.DataFrame({"id_a": ["a", "c"], "id_b": ["b", "d"], "relation": ["exact", "same_form"]})
    >>> found = pd.DataFrame({"later": ["b", "d"], "earlier": ["a", "c"], "probability": [0.9, 0.2]})
    >>> result = pairs(judged, found, threshold=0.5)
    >>> result.recall, result.precision, result.average_precision
    (1.0, 1.0, 1.0)
    """
    relation = {
        frozenset(pair[:2]): pair[2]
        for pair in judged[["id_a", "id_b", "relation"]].itertuples(index=False, name=None)
    }
    same = sum(each in SAME for each in relation.values())
    if not same:
        raise ValueError("no judged pair is the same initiative")
    chances = {
        frozenset(pair[:2]): pair[2]
        for pair in found[["later", "earlier", "probability"]].itertuples(index=False, name=None)
    }
    flagged = {pair for pair, chance in chances.items() if chance >= threshold}
    right = sum(relation.get(pair) in SAME for pair in flagged)
    return Pairs(
        recall=right / same,
        precision=right / len(flagged) if flagged else None,
        average_precision=_average_precision(
            [(chance, relation.get(pair) in SAME) for pair, chance in chances.items()], same
        ),
        relations=_relations(relation, flagged),
        unlisted=sorted(tuple(sorted(pair)) for pair in flagged - set(relation)),
    )


def _relations(relation: dict[frozenset[str], str], flagged: set[frozenset[str]]) -> pd.DataFrame:
    rows = []
    for name in [name for name in (*SAME, *NOT_SAME) if name in relation.values()]:
        members = [pair for pair, each in relation.items() if each == name]
        hits = sum(pair in flagged for pair in members)
        rows.append((name, len(members), hits, hits / len(members)))
    return pd.DataFrame(rows, columns=["relation", "pairs", "flagged", "share"])


def _average_precision(scored: list[tuple[float, bool]], positives: int) -> float:
    """Return the mean over all positives of the precision at their rank; ties share the worst rank.

    Positives that were not found count 0, so the figure cannot be raised by finding less.
    """
    ordered = sorted(scored, key=lambda each: (-each[0], each[1]))
    right, total = 0, 0.0
    for rank, (_, good) in enumerate(ordered, start=1):
        if good:
            right += 1
            total += right / rank
    return total / positives
