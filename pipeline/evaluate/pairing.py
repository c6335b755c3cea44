"""How good the pairs are that were found, beside those that people judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.calibration import brier, calibration_error, reliability
from pipeline.records import NOT_SAME, SAME

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Pair = frozenset[str]

_TOP: Final = 3
_SINGLE: Final = (
    "threshold",
    "recall",
    "precision",
    "average_precision",
    "wanted_precision",
    "best_threshold",
    "best_recall",
    "best_precision",
    "brier",
    "brier_judged",
    "ece",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How good pairs are; shares are 0 to 1.

    ``precision`` counts a flagged pair as wrong when it is judged not the same or is not in the table of
    judged pairs (None when nothing was flagged). ``average_precision`` and ``curve`` look at every pair that
    was scored; ``best_threshold`` is where the most is found at ``wanted_precision`` or more (None, with a
    recall of 0, when no threshold gives that). ``brier`` and ``ece`` are over every pair that was scored or
    judged, ``brier_judged`` over the judged ones: the hard ones.

    Attributes:
        relations: One row a relation: ``relation,pairs,flagged,share,flagged_best,share_best,first,top3``.
            Flagged (at ``threshold`` and at ``best_threshold``) is right for the same initiative and wrong
            for the others; ``first`` and ``top3`` are the shares of pairs whose earlier record is the first,
            or among the first three, that a reviewer is shown for the later one.
        curve: ``threshold,recall,precision``, one row for each threshold at which more is found; falling.
        reliability: As `calibration.reliability`.
        missed: Pairs judged the same that were not flagged: ``id_a,id_b,relation,probability,rank``, the
            least probable first; ``rank`` is the place in what is shown for the later record, 0 if nowhere.
        false: Flagged pairs that are wrong: ``id_a,id_b,relation,probability`` (later, earlier), the most
            probable first; ``relation`` is ``""`` where nobody judged the pair.
    """

    threshold: float
    recall: float
    precision: float | None
    average_precision: float
    wanted_precision: float
    best_threshold: float | None
    best_recall: float
    best_precision: float | None
    brier: float
    brier_judged: float
    ece: float
    relations: pd.DataFrame
    curve: pd.DataFrame
    reliability: pd.DataFrame
    missed: pd.DataFrame
    false: pd.DataFrame

    @property
    def unlisted(self) -> list[tuple[str, str]]:
        """The flagged pairs that nobody judged."""
        rows = self.false.loc[self.false["relation"] == "", ["id_a", "id_b"]]
        return sorted((min(pair), max(pair)) for pair in rows.itertuples(index=False, name=None))

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON values, rounded to 4 places, for a card or a machine."""
        values = {name: getattr(self, name) for name in _SINGLE}
        return {
            **{name: None if value is None else round(value, 4) for name, value in values.items()},
            "relations": self.relations.set_index("relation")["share"].round(4).to_dict(),
            "unlisted": len(self.unlisted),
        }

    def content(self, titles: Mapping[str, str]) -> dict[str, Any]:
        """Return everything as JSON values, the pairs with their titles.

        Args:
            titles: The title of each record, by id.
        """

        def named(table: pd.DataFrame) -> list[dict[str, Any]]:
            both = {
                f"title_{side}": table[f"id_{side}"].map(lambda name: titles.get(name, "")) for side in "ab"
            }
            return _plain(table.assign(**both))

        return {
            **self.summary(),
            "relations": _plain(self.relations),
            "curve": _plain(self.curve),
            "reliability": _plain(self.reliability),
            "missed": named(self.missed),
            "false": named(self.false),
        }


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.round(4).to_dict("records")]


class _Scored(NamedTuple):
    """Pairs, their probability and whether they are right; the most probable first, of equals the wrong."""

    pairs: list[Pair]
    chance: Floats
    right: Mask


def pairs(
    judged: pd.DataFrame,
    found: pd.DataFrame,
    *,
    threshold: float,
    scored: pd.DataFrame | None = None,
    precision: float = 0.95,
) -> Pairs:
    """Return how well the ``found`` pairs agree with those that people judged.

    Args:
        judged: Columns ``id_a,id_b,relation``, relations of `records.SAME` and `records.NOT_SAME`.
        found: What people are shown, columns ``later,earlier,probability``: what is flagged, and in which
            order.
        threshold: The probability from which a pair is flagged.
        scored: Every pair that was compared, the same columns, probabilities not rounded; ``found`` if there
            is no more. A pair that is not in it has probability 0.
        precision: The precision at which most is to be found.

    Raises:
        ValueError: No judged pair is the same initiative.

    >>> judged = pd.DataFrame({"id_a": ["a", "c"], "id_b": ["b", "d"], "relation": ["exact", "same_form"]})
    >>> found = pd.DataFrame({"later": ["b", "d"], "earlier": ["a", "c"], "probability": [0.9, 0.2]})
    >>> result = pairs(judged, found, threshold=0.5)
    >>> result.recall, result.precision, result.average_precision, result.best_threshold
    (1.0, 1.0, 1.0, 0.9)
    """
    relation = {frozenset(pair[:2]): pair[2] for pair in _rows(judged, "id_a", "id_b", "relation")}
    same = sum(each in SAME for each in relation.values())
    if not same:
        raise ValueError("no judged pair is the same initiative")
    shown = {frozenset(pair[:2]): pair[2] for pair in _rows(found, "later", "earlier", "probability")}
    every = _scored(found if scored is None else scored, relation)
    curve = _curve(every, same)
    best = _best(curve, precision)
    flagged = {pair for pair, chance in shown.items() if chance >= threshold}
    right = sum(relation.get(pair) in SAME for pair in flagged)
    reached = _at_least(every, best.threshold)
    ranks = _ranks(found, {pair for pair, each in relation.items() if each in SAME})
    known = _with_judged(every, relation)
    tried = np.array([pair in relation for pair in known.pairs], dtype=bool)
    return Pairs(
        threshold=threshold,
        recall=right / same,
        precision=right / len(flagged) if flagged else None,
        average_precision=_average_precision(every.right, same),
        wanted_precision=precision,
        best_threshold=best.threshold,
        best_recall=best.recall,
        best_precision=best.precision,
        brier=brier(known.chance, known.right),
        brier_judged=brier(known.chance[tried], known.right[tried]),
        ece=calibration_error(known.chance, known.right),
        relations=_relations(relation, flagged, reached, ranks),
        curve=curve,
        reliability=reliability(known.chance, known.right),
        missed=_missed(judged, flagged, dict(zip(every.pairs, every.chance.tolist(), strict=True)), ranks),
        false=_false(found, flagged, relation),
    )


def _rows(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


def _scored(table: pd.DataFrame, relation: dict[Pair, str]) -> _Scored:
    chances = {frozenset(pair[:2]): pair[2] for pair in _rows(table, "later", "earlier", "probability")}
    return _ordered(chances, relation)


def _ordered(chances: dict[Pair, float], relation: dict[Pair, str]) -> _Scored:
    by_name = sorted(chances, key=sorted)
    chance = np.array([chances[pair] for pair in by_name], dtype=np.float64)
    right = np.array([relation.get(pair) in SAME for pair in by_name], dtype=bool)
    by = np.lexsort((right, -chance))
    return _Scored([by_name[place] for place in by.tolist()], chance[by], right[by])


def _with_judged(every: _Scored, relation: dict[Pair, str]) -> _Scored:
    """Return the scored pairs and the judged ones that were not: those have probability 0."""
    scored = dict(zip(every.pairs, every.chance.tolist(), strict=True))
    return _ordered({**dict.fromkeys(relation, 0.0), **scored}, relation)


def _curve(every: _Scored, same: int) -> pd.DataFrame:
    """Return precision and recall at every probability of a right pair, all of equal probability taken in."""
    last = np.append(every.chance[1:] != every.chance[:-1], True)[: len(every.chance)]
    right = np.cumsum(every.right)
    more = last.copy()
    more[last] = np.diff(right[last], prepend=0) > 0
    return pd.DataFrame(
        {
            "threshold": every.chance[more],
            "recall": right[more] / same,
            "precision": right[more] / (np.flatnonzero(more) + 1),
        }
    )


class _Best(NamedTuple):
    threshold: float | None
    recall: float
    precision: float | None


def _best(curve: pd.DataFrame, precision: float) -> _Best:
    good = curve[curve["precision"] >= precision]
    if good.empty:
        return _Best(None, 0.0, None)
    threshold, recall, reached = good.iloc[-1]
    return _Best(float(threshold), float(recall), float(reached))


def _at_least(every: _Scored, threshold: float | None) -> set[Pair]:
    if threshold is None:
        return set()
    return {
        pair for pair, chance in zip(every.pairs, every.chance.tolist(), strict=True) if chance >= threshold
    }


def _ranks(found: pd.DataFrame, wanted: set[Pair]) -> dict[Pair, int]:
    """Return the place of each wanted pair's earlier record in what is shown for the later (1 is the first).

    For a record is shown every pair it stands in, the more probable first, of equals the smaller id.
    """
    shown: dict[str, list[tuple[float, str]]] = defaultdict(list)
    rows = _rows(found, "later", "earlier", "probability")
    for later, earlier, chance in rows:
        shown[later].append((-chance, earlier))
        shown[earlier].append((-chance, later))
    return {
        pair: sorted(shown[later]).index((-chance, earlier)) + 1
        for later, earlier, chance in rows
        if (pair := frozenset((later, earlier))) in wanted
    }


def _relations(
    relation: dict[Pair, str], flagged: set[Pair], reached: set[Pair], ranks: dict[Pair, int]
) -> pd.DataFrame:
    rows = []
    for name in [name for name in (*SAME, *NOT_SAME) if name in relation.values()]:
        members = [pair for pair, each in relation.items() if each == name]
        hits, best = (sum(pair in chosen for pair in members) for chosen in (flagged, reached))
        places = [ranks.get(pair, 0) for pair in members]
        first, top = (sum(0 < place <= most for place in places) / len(members) for most in (1, _TOP))
        rows.append((name, len(members), hits, hits / len(members), best, best / len(members), first, top))
    columns = ["relation", "pairs", "flagged", "share", "flagged_best", "share_best", "first", "top3"]
    return pd.DataFrame(rows, columns=columns)


def _missed(
    judged: pd.DataFrame, flagged: set[Pair], chances: dict[Pair, float], ranks: dict[Pair, int]
) -> pd.DataFrame:
    last = {frozenset(row[:2]): row for row in _rows(judged, "id_a", "id_b", "relation")}
    rows = [
        (*row, chances.get(pair, 0.0), ranks.get(pair, 0))
        for pair, row in last.items()
        if row[2] in SAME and pair not in flagged
    ]
    rows.sort(key=lambda row: (row[3], row[0], row[1]))
    return _table(rows, "id_a", "id_b", "relation", "probability", "rank")


def _false(found: pd.DataFrame, flagged: set[Pair], relation: dict[Pair, str]) -> pd.DataFrame:
    rows = [
        (later, earlier, relation.get(pair, ""), chance)
        for later, earlier, chance in _rows(found, "later", "earlier", "probability")
        if (pair := frozenset((later, earlier))) in flagged and relation.get(pair) not in SAME
    ]
    rows.sort(key=lambda row: (-row[3], row[0], row[1]))
    return _table(rows, "id_a", "id_b", "relation", "probability")


def _table(rows: list[tuple[Any, ...]], *columns: str) -> pd.DataFrame:
    kinds = {"probability": "float64", "rank": "int64"}
    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.astype({name: kinds.get(name, "str") for name in columns})


def _average_precision(right: Mask, positives: int) -> float:
    """Return the mean over all positives of the precision at their rank; ties share the worst rank.

    Of equal probabilities the wrong pairs come first, so that no order of ids decides and none can flatter.
    Positives that were not found count 0, so the figure cannot be raised by finding less.
    """
    ranks = np.flatnonzero(right) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum() / positives)
