"""Probabilities → labels: when a label may stand without a person looking, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

REASONS: Final = {
    "confident": "the probability reaches the acceptance threshold of the field",
    "empty": "there is no text to judge by",
    "too_short": "fewer than 5 syllables",
    "unknown_words": "more than 60 % of the syllables never occurred in the labelled examples",
    "no_field": "the text seems to fit none of the fields",
    "close_second": "two fields fit nearly as well",
    "below_threshold": "no field is probable enough",
}
"""Codes of the column ``reason``; only ``confident`` goes with the decision ``auto``."""

COLUMNS: Final = (
    "id", "field", "probability", "field2", "probability2", "decision", "reason", "model", "taxonomy",
    "shortlist",
)  # fmt: skip
OTHER: Final = "other"

_PLACES: Final = 4
_SHORT: Final = 5
_STRANGE: Final = 0.6
_CONFIDENCE: Final = 0.95
_EVIDENCE: Final = 50
_SECOND_RIGHT: Final = 0.5
_SECOND_EVIDENCE: Final = 20
_LEFT_OUT: Final = 0.1


class Scores(NamedTuple):
    """What a model says of some texts.

    ``probabilities`` (texts, classes) rounded to 4 places; ``syllables`` counts each text's syllables,
    ``unknown`` is the share of them (0 to 1) that the model never saw.
    """

    probabilities: Floats
    syllables: npt.NDArray[np.int64]
    unknown: Floats

    def of(self, rows: Flags) -> Scores:
        """Return the scores of some of the texts."""
        return Scores(self.probabilities[rows], self.syllables[rows], self.unknown[rows])


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How probable a label must be: one threshold a field to accept it, one to name a second field.

    ``accept`` holds the threshold of each class (None: never without a person); ``second`` is the least
    probability of a runner-up that is named (None: never); ``shortlist`` is the probability from which
    each class is among those a person should choose from (a class that is not named: always).
    """

    accept: Mapping[str, float | None]
    second: float | None
    shortlist: Mapping[str, float] = field(default_factory=dict)


def decide(
    ids: Sequence[str], scores: Scores, *, classes: Sequence[str], rules: Rules, model: str, taxonomy: str
) -> pd.DataFrame:
    """Return one label a text: the columns `COLUMNS`, one row an id, in the order given.

    ``field`` is never empty: a text without words is ``other``, probability 0. A label is ``auto`` when its
    probability reaches the field's threshold and nothing speaks against the text; otherwise ``review``,
    with the first of `REASONS` that holds. ``field2`` is the runner-up, named where it is probable
    enough, else ``""`` with probability 0. ``shortlist`` names, for a person, the fields that cannot be
    ruled out, most probable first, with a space between; it is empty where a label is ``auto`` or there is
    no text.

    >>> scores = Scores(np.array([[0.1, 0.9], [0.4, 0.6]]), np.array([30, 30]), np.zeros(2))
    >>> rules = Rules(accept={"safety": 0.8, "union": 0.8}, second=0.3)
    >>> labels = decide(["a", "b"], scores, classes=["safety", "union"], rules=rules, model="m", taxonomy="1")
    >>> labels[["id", "field", "field2", "decision", "reason"]].to_numpy().tolist()
    [['a', 'union', '', 'auto', 'confident'], ['b', 'union', 'safety', 'review', 'close_second']]
    """
    first, second = _two_best(scores.probabilities)
    rows, names = np.arange(len(ids)), np.array(classes, dtype=object)
    probability, probability2 = scores.probabilities[rows, first], scores.probabilities[rows, second]
    least = np.array([_never(rules.accept.get(name)) for name in classes])[first]
    named = (probability2 >= _never(rules.second)) & (scores.syllables > 0)
    empty = scores.syllables == 0
    chosen = np.where(empty, OTHER, names[first])
    reason = np.select(
        [
            empty,
            scores.syllables < _SHORT,
            scores.unknown > _STRANGE,
            chosen == OTHER,
            probability >= least,
            named,
        ],
        ["empty", "too_short", "unknown_words", "no_field", "confident", "close_second"],
        "below_threshold",
    )
    columns = {
        "id": list(ids),
        "field": chosen,
        "probability": np.where(empty, 0.0, probability),
        "field2": np.where(named, names[second], ""),
        "probability2": np.where(named, probability2, 0.0),
        "decision": np.where(reason == "confident", "auto", "review"),
        "reason": reason,
        "model": model,
        "taxonomy": taxonomy,
        "shortlist": _shortlists(scores.probabilities, classes, rules, (reason != "confident") & ~empty),
    }
    texts = dict.fromkeys(set(COLUMNS) - {"probability", "probability2"}, "str")
    return pd.DataFrame(columns, columns=list(COLUMNS), index=range(len(ids))).astype(texts)


def _shortlists(probabilities: Floats, classes: Sequence[str], rules: Rules, asked: Flags) -> list[str]:
    """Return the fields that cannot be ruled out, for the rows that a person is asked about."""
    found = [""] * len(probabilities)
    least = np.array([rules.shortlist.get(name, 0.0) for name in classes])
    order = np.argsort(-probabilities, axis=1, kind="stable")
    inside = np.take_along_axis(probabilities >= least, order, axis=1)
    inside[:, 0] = True  # the label itself is always offered
    for row in np.flatnonzero(asked).tolist():
        found[row] = " ".join(classes[column] for column in order[row, inside[row]].tolist())
    return found


def learn_rules(
    probabilities: Floats,
    classes: Sequence[str],
    truth: Sequence[str],
    *,
    second: Sequence[str],
    precision: float,
) -> Rules:
    """Return the rules that held-out probabilities support.

    A label is right when it is the row's label or second label (``second``, ``""`` where there is none).
    A field's threshold is the smallest probability at and above which at least ``precision`` (0 to 1) of
    its labels are right, with 95 % confidence (Clopper and Pearson, Biometrika 26, 1934, one-sided). A
    field without one, or whose own accepts fewer than 50 rows, takes the threshold of all fields together,
    unless its own rows speak against that one: then a person decides always. A runner-up is named from the
    smallest probability at and above which at least half of the runners-up are right, of at least 20.
    The shortlist leaves out a row's own label in at most one case of ten, field by field (see `shortlist`).

    >>> sure = np.tile([[0.9, 0.1]], (100, 1))
    >>> learn_rules(sure, ["safety", "union"], ["safety"] * 100, second=[""] * 100, precision=0.95)
    Rules(accept={'safety': 0.9, 'union': 0.9}, second=None, shortlist={'safety': 0.9, 'union': 0.0})
    """
    first, runner_up = _two_best(probabilities)
    rows, names = np.arange(len(truth)), np.array(classes, dtype=object)
    wanted, wanted2 = np.array(truth, dtype=object), np.array(second, dtype=object)
    probability, right = probabilities[rows, first], (names[first] == wanted) | (names[first] == wanted2)
    together = _threshold(probability, right, precision)
    accept = {
        name: _field_threshold(probability[first == number], right[first == number], together, precision)
        for number, name in enumerate(classes)
    }
    also = (names[runner_up] == wanted) | (names[runner_up] == wanted2)
    return Rules(
        accept=accept,
        second=_second_threshold(probabilities[rows, runner_up], also),
        shortlist=shortlist(probabilities, classes, truth),
    )


def shortlist(
    probabilities: Floats, classes: Sequence[str], truth: Sequence[str], *, left_out: float = _LEFT_OUT
) -> dict[str, float]:
    """Return the probability from which each class belongs to a set that holds the truth.

    Split conformal prediction, conditional on the class (Vovk, Gammerman and Shafer, *Algorithmic Learning
    in a Random World*, 2005, section 4.5): of a field's exchangeable rows the set misses at most the share
    ``left_out`` (0 to 1). A class with too few rows for that promise is in every set.

    >>> shortlist(np.array([[0.2, 0.8]] + [[0.9, 0.1]] * 19), ["a", "b"], ["a"] * 20)
    {'a': 0.9, 'b': 0.0}
    """
    wanted = np.array(truth, dtype=object)
    least = {}
    for column, name in enumerate(classes):
        own = np.sort(probabilities[wanted == name, column])
        missed = int(np.floor((len(own) + 1) * left_out + 1e-9))  # as many of them may be left out
        least[name] = float(own[missed - 1]) if missed else 0.0
    return least


def _two_best(probabilities: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the columns of each row's largest and second largest value, ties to the earlier column."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return order[:, 0], order[:, 1]


def _never(threshold: float | None) -> float:
    return np.inf if threshold is None else threshold


def _field_threshold(
    probability: Floats, right: Flags, together: float | None, precision: float
) -> float | None:
    own = _threshold(probability, right, precision)
    if own is not None and np.count_nonzero(probability >= own) >= _EVIDENCE:
        return own
    if together is None:
        return None
    taken = right[probability >= together]
    best = _upper(np.array([taken.sum()]), np.array([taken.size]))[0]
    return together if best >= precision else None


def _threshold(probability: Floats, right: Flags, precision: float) -> float | None:
    """Return the smallest probability from which the lower bound of the share right is ``precision``."""
    return _smallest(probability, right, lambda good, rows: _lower(good, rows) >= precision)


def _second_threshold(probability: Floats, right: Flags) -> float | None:
    return _smallest(
        probability, right, lambda good, rows: (good >= _SECOND_RIGHT * rows) & (rows >= _SECOND_EVIDENCE)
    )


def _smallest(
    probability: Floats,
    right: Flags,
    holds: Callable[[Counts, Counts], Flags],
) -> float | None:
    """Return the smallest value at and above which ``holds(right ones, all)``, or None."""
    order = np.argsort(-probability, kind="stable")
    values = probability[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True)[: len(values)])  # whole ties only
    fits = np.flatnonzero(holds(np.cumsum(right[order], dtype=np.int64)[last], (last + 1).astype(np.int64)))
    return float(values[last[fits[-1]]]) if len(fits) else None


def _lower(good: Counts, rows: Counts) -> Floats:
    """Return the one-sided lower Clopper-Pearson bound; 0 where nothing is right."""
    bound = beta.ppf(1 - _CONFIDENCE, np.maximum(good, 1), rows - good + 1)
    return np.where(good > 0, bound, 0.0)


def _upper(good: Counts, rows: Counts) -> Floats:
    """Return the one-sided upper Clopper-Pearson bound; 1 where nothing is wrong."""
    bound = beta.ppf(_CONFIDENCE, good + 1, np.maximum(rows - good, 1))
    return np.where(good < rows, bound, 1.0)
