"""How many records belong to each field: counts of labels, corrected for how the model errs.

A classifier learnt from one mix of fields leans towards that mix, so that counting its labels says too little
of a field that has grown. What it says of held-out records (`Errors`) tells by how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import norm

from pipeline.classify.decision import OTHER, Flags, Floats
from pipeline.classify.reading import features, title_only
from pipeline.classify.training import Fitted

Places = npt.NDArray[np.int64]

_SCALE: Final = 10_000  # probabilities have 4 places
_KEPT: Final = 3_000
_LEAST: Final = 30
_FLOOR: Final = 1e-4
_RIDGE: Final = 1.0
_SOFT: Final = 10.0
_TRUSTED: Final = 40.0
_LIKELY: Final = 0.2
_ROUNDS: Final = 500
_STILL: Final = 1e-6
_LOOKED_AT: Final = 20_000


class Kind(NamedTuple):
    """Held-out records of one kind: probabilities (rows, classes), the right class, the group of copies."""

    chances: Floats
    truth: Places
    group: Places


@dataclass(frozen=True, eq=False)
class Errors:
    """What a model said of records it had not seen: whole ones, and their titles alone.

    ``mix`` is the share of each class in the training set. Numbers only: no text, no id.
    """

    classes: tuple[str, ...]
    mix: Floats
    whole: Kind
    title: Kind

    @classmethod
    def of(
        cls,
        chances: pd.DataFrame,
        titles: pd.DataFrame,
        truth: Sequence[str],
        groups: Sequence[str],
        *,
        described: Flags,
        titled: Flags,
    ) -> Errors:
        """Return the errors of held-out records; of more than 3,000, of groups drawn evenly.

        Args:
            chances: The probability of every field (columns) for each record as it is.
            titles: The same for its title alone.
            truth: The field of each record.
            groups: Rows with the same name here are copies of one another.
            described: Which records have more than a title.
            titled: Which have a title.
        """
        classes = tuple(map(str, chances.columns))
        place = np.searchsorted(np.array(classes), np.array(list(truth), dtype=str)).astype(np.int64)
        group = np.unique(np.array(list(groups), dtype=str), return_inverse=True)[1].astype(np.int64)
        counts = np.bincount(place, minlength=len(classes)) + 0.5
        mix = np.asarray(counts / counts.sum(), dtype=np.float64)
        every = np.ones(len(place), dtype=bool)
        kinds = []
        for table, here in ((chances, described), (titles, titled)):
            # Too few of one kind lean on all records, as its calibration does.
            rows = np.flatnonzero(here if here.sum() >= _LEAST else every)
            found = (table if here.sum() >= _LEAST else chances).to_numpy(dtype=np.float64)
            kinds.append(_some(Kind(found[rows], place[rows], group[rows])))
        return cls(classes, mix, *kinds)

    @classmethod
    def of_fitted(
        cls, fitted: Fitted, batch: pd.DataFrame, labels: Sequence[str], groups: Sequence[str] | None
    ) -> Errors:
        """Return the errors of a model on the rows that its training held out.

        Args:
            fitted: What was learnt.
            batch: What it was learnt from, unique ids.
            labels: The field of each row of ``batch``.
            groups: As `fit` took them; None where rows of equal text are copies.
        """
        place = pd.Series(range(len(batch)), index=batch["id"]).loc[fitted.held_out["id"]].tolist()
        rows = batch.iloc[place]
        names = features(batch) if groups is None else list(groups)
        return cls.of(
            fitted.chances,
            fitted.titles,
            [labels[row] for row in place],
            [names[row] for row in place],
            described=~title_only(rows),
            titled=np.array([bool(title.strip()) for title in rows["clean_title"]], dtype=bool),
        )

    @cached_property
    def mended(self) -> tuple[Mended, Mended]:
        """Return what mends the probabilities of whole records, and of titles."""
        return _mending(self.whole), _mending(self.title)

    def pack(self) -> dict[str, Any]:
        """Return the errors as arrays of whole numbers, which a model file may hold."""
        return {
            "mix": self.mix,
            **{
                name: {
                    "chances": np.round(kind.chances * _SCALE).astype(np.uint16),
                    "truth": kind.truth.astype(np.uint16),
                    "group": kind.group.astype(np.uint32),
                }
                for name, kind in (("whole", self.whole), ("title", self.title))
            },
        }

    @classmethod
    def unpack(cls, packed: Mapping[str, Any], classes: Sequence[str]) -> Errors:
        """Return the errors that were packed, of a model with these classes."""
        kinds = (packed["whole"], packed["title"])
        return cls(
            tuple(classes),
            np.asarray(packed["mix"], dtype=np.float64),
            *(
                Kind(kind["chances"] / _SCALE, kind["truth"].astype(np.int64), kind["group"].astype(np.int64))
                for kind in kinds
            ),
        )


def _some(kind: Kind) -> Kind:
    """Return the records in one order, whatever order they were given in; of many, groups drawn evenly."""
    order = np.lexsort([kind.group, kind.truth, *np.round(kind.chances.T * _SCALE)])
    if len(order) > _KEPT:
        names, sizes = np.unique(kind.group, return_counts=True)
        drawn = np.random.default_rng(0).permutation(len(names))
        inside = names[drawn[np.cumsum(sizes[drawn]) <= _KEPT]]
        if len(inside) < _LEAST:  # a few huge groups: their rows are drawn instead
            order = order[np.linspace(0, len(order) - 1, _KEPT).astype(np.int64)]
        else:
            order = order[np.isin(kind.group[order], inside)]
    return Kind(kind.chances[order], kind.truth[order], kind.group[order])


def report_counts(  # noqa: PLR0913 - what was said, by whom, and what it is counted by
    labels: pd.DataFrame,
    chances: pd.DataFrame | None,
    errors: Errors | None,
    *,
    title: Flags,
    known: Sequence[str] | None = None,
    by: Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how many records belong to each field: ``by,field,count,share,corrected,low,high``.

    ``count`` and ``share`` (0 to 1) are of the labels as they stand; ``corrected`` is the share that follows
    from all probabilities and the model's errors, and with probability ``level`` the share in truth lies
    from ``low`` to ``high``. All are of these very records, no larger population: what people called a
    record is certain, and so is that one without text is `other`. The three are missing (NaN) where there
    are no ``errors``. One row a field that any record or the model knows, by ``by`` and code.

    Args:
        labels: ``field`` and ``reason`` of each record, as `decide` has them.
        chances: The probability of every field (columns, in the order of ``errors.classes``).
        errors: What is known of the model's errors; None where nothing is.
        title: Which records are a title alone.
        known: What people called each record, ``""`` where nobody did.
        by: What each record is counted under (its unit, its sector); by default all are one.
        level: How often the interval is to hold the truth, 0 to 1.

    >>> table = pd.DataFrame({"field": ["union", "safety", "union"], "reason": "confident"})
    >>> found = report_counts(table, None, None, title=np.zeros(3, dtype=bool))
    >>> found[["field", "count", "share"]].round(2).to_numpy().tolist()
    [['safety', 1, 0.33], ['union', 2, 0.67]]
    """
    names = np.array(["" if by is None else name for name in (by or [""] * len(labels))], dtype=object)
    told = np.array(list(known or [""] * len(labels)), dtype=object)
    told = np.where((told == "") & (labels["reason"] == "empty").to_numpy(), OTHER, told)
    given = labels["field"].to_numpy(dtype=object)
    values = None if chances is None or errors is None else chances.to_numpy(dtype=np.float64)
    classes = () if errors is None else errors.classes
    fields = sorted({*classes, *given.tolist(), *told.tolist()} - {""})
    parts = []
    for name in sorted(set(names.tolist())) or [""]:
        here = np.flatnonzero(names == name)
        count = np.array([(given[here] == field).sum() for field in fields], dtype=np.int64)
        table = pd.DataFrame({"by": name, "field": fields, "count": count})
        table["share"] = count / max(len(here), 1)
        found = np.full((3, len(fields)), np.nan)
        if values is not None and errors is not None and len(here):
            sure = np.array([(told[here] == field).sum() for field in fields], dtype=np.float64)
            open_ = here[told[here] == ""]
            found = _in_all(values[open_], title[open_], errors, fields, sure, level)
        parts.append(table.assign(corrected=found[0], low=found[1], high=found[2]))
    found_all = pd.concat(parts, ignore_index=True)
    shares = ["share", "corrected", "low", "high"]
    return found_all.astype({"by": "str", "field": "str"}).assign(**found_all[shares].round(4))


def _in_all(
    chances: Floats, title: Flags, errors: Errors, fields: Sequence[str], sure: Floats, level: float
) -> Floats:
    """Return corrected share, low and high (3, fields) of records, ``sure`` of which are certain."""
    place = [fields.index(name) for name in errors.classes]
    whole = len(chances) + sure.sum()
    number, spread = sure.copy(), np.zeros((len(fields), len(fields)))
    # Titles may be of another mix than whole records, so each kind is a report of its own.
    kinds = zip((errors.whole, errors.title), errors.mended, (~title, title), strict=True)
    for kind, mended, here in kinds:
        if here.any():
            found, error = shares(chances[here], kind, mended, errors.mix)
            number[place] += here.sum() * found
            spread[np.ix_(place, place)] += here.sum() ** 2 * error
    reach = norm.ppf((1 + level) / 2) * np.sqrt(np.diag(spread))
    low = np.maximum(np.floor(number - reach + 1e-9), sure)
    high = np.minimum(np.ceil(number + reach - 1e-9), sure + len(chances) * (np.isin(fields, errors.classes)))
    return np.asarray(np.stack([np.clip(number, low, high), low, high]) / max(whole, 1))


def shares(chances: Floats, kind: Kind, mended: Mended, mix: Floats) -> tuple[Floats, Floats]:
    """Return the corrected share of each class in these records, and the covariance of its error.

    Four steps. Held-out records mend the probabilities: one temperature and a bias a class (Alexandari,
    Kundaje and Shrikumar, ICML 2020). Expectation-maximisation finds the mix that explains the report best
    (Saerens, Latinne and Decaestecker, Neural Computation 14, 2002). What the posteriors of that mix are on
    average in held-out records of each class corrects what is still biased, as the probabilistic adjusted
    count does (Bella et al., ICDM 2010), by least squares over all mixes. Last, the result is drawn back
    towards the plain sum of probabilities as far as chance alone explains the difference (the positive part
    of James and Stein, 1961), so that a report of the mix learnt from is not made worse.

    The error is that of these very records: how the posteriors of so many records of a class scatter, and
    how far the held-out averages may be off. A class of more than 40 held-out records counts there as one
    of 40, since the next report differs from the last by more than chance.

    Args:
        chances: Probabilities (rows, classes), of one kind of record.
        kind: Held-out records of that kind.
        mended: What mends their probabilities.
        mix: The share of each class in the training set.
    """
    size = chances.shape[1]
    # Sorted and counted once each: no sum then depends on the order of the rows.
    cells, weight = np.unique(np.round(chances * _SCALE), axis=0, return_counts=True)
    new, held = mended(cells / _SCALE), mended(kind.chances)
    step = max(1, len(new) // _LOOKED_AT)
    likely = np.maximum(_explaining(new[::step], weight[::step].astype(np.float64), mix), _LIKELY / size)
    tilt = likely / likely.sum() / mix
    new_there, held_there = _tilted(new, tilt), _tilted(held, tilt)
    own = np.eye(size)[kind.truth]
    soft = held / held.sum(axis=0) * _SOFT
    weights = own + soft  # of each held-out record in each class; the soft part carries a class of few
    rows = weights.sum(axis=0)
    answer = held_there.T @ weights / rows
    rough = _least_squares(answer, weight @ new_there / weight.sum())
    scatter = _scatter(held_there, answer, weights, kind.group)
    there = (weight.sum() * rough + 1 / size) / (weight.sum() + 1)
    noise = np.einsum(
        "c,cij->ij", there / weight.sum(), scatter[0]
    ) + np.einsum("c,cij->ij", there**2 / np.minimum(rows, _TRUSTED), scatter[1])  # fmt: skip
    back = np.linalg.pinv(answer)
    error = back @ noise @ back.T
    plain = weight @ new / weight.sum()
    away = rough - plain
    far = float(away @ np.linalg.pinv(error) @ away)
    kept = max(0.0, 1 - (size - 1) / far) if far > 0 else 0.0
    return np.asarray(plain + kept * away), np.asarray(error)


class Mended(NamedTuple):
    """Probabilities with one temperature and a bias a class."""

    heat: float
    bias: Floats

    def __call__(self, chances: Floats) -> Floats:
        """Return the probabilities mended."""
        return np.asarray(softmax(self.heat * _logs(chances) + self.bias, axis=1))


def _mending(kind: Kind) -> Mended:
    """Return what makes the probabilities of held-out records likeliest, held back from extremes."""
    logs, own = _logs(kind.chances), np.eye(kind.chances.shape[1])[kind.truth]

    def loss(at: Floats) -> tuple[float, Floats]:
        heat = np.exp(at[0])
        score = log_softmax(heat * logs + at[1:], axis=1)
        gap = np.exp(score) - own
        slope = np.concatenate([[(gap * logs).sum() * heat], gap.sum(axis=0)]) + _RIDGE * at
        return (-(score * own).sum() + _RIDGE * (at @ at) / 2) / len(own), slope / len(own)

    found = minimize(loss, np.zeros(own.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return Mended(float(np.exp(found.x[0])), np.asarray(found.x[1:]))


def _logs(chances: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(chances, _FLOOR)))


def _tilted(chances: Floats, tilt: Floats) -> Floats:
    found = chances * tilt
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _explaining(chances: Floats, weight: Floats, mix: Floats) -> Floats:
    """Return the mix under which the report is likeliest, by expectation-maximisation."""
    ratio, found = chances / mix, mix
    for _ in range(_ROUNDS):
        part = ratio * found
        new = (weight / part.sum(axis=1)) @ part / weight.sum()
        done, found = np.abs(new - found).max() < _STILL, new
        if done:
            break
    return np.asarray(found)


def _scatter(chances: Floats, answer: Floats, weights: Floats, group: Places) -> tuple[Floats, Floats]:
    """Return the covariance (classes, k, k) of a record's probabilities in each class, alone and with copies.

    Copies in the training set are no independent evidence: their deviations are summed before they are
    squared. Where that makes less of them, chance did it and the first counts.
    """
    number = np.unique(group, return_inverse=True)[1]
    together = sparse.csr_array((np.ones(len(number)), (number, np.arange(len(number)))))
    alone, copied = [], []
    for column in range(answer.shape[1]):
        part = weights[:, column]
        away = chances - answer[:, column]
        weighed = away * part[:, None]
        single = weighed.T @ away / part.sum()
        wider = float(((together @ weighed) ** 2).sum()) / max(float((weighed**2).sum()), 1e-12)
        alone.append(single)
        copied.append(single * max(1.0, wider))
    return np.stack(alone), np.stack(copied)


def _least_squares(matrix: Floats, wanted: Floats) -> Floats:
    """Return the mix (no share below 0, sum 1) for which ``matrix @ mix`` is nearest to ``wanted``.

    Accelerated projected gradient (Beck and Teboulle, SIAM J. Imaging Sciences 2, 2009).
    """
    square, target = matrix.T @ matrix, matrix.T @ wanted
    pace = float(np.linalg.eigvalsh(square)[-1])
    found = ahead = np.full(matrix.shape[1], 1 / matrix.shape[1])
    speed = 1.0
    for _ in range(_ROUNDS):
        new = _onto_mixes(ahead - (square @ ahead - target) / pace)
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        ahead = new + (speed - 1) / faster * (new - found)
        done, found, speed = np.abs(new - found).max() < _STILL / 10, new, faster
        if done:
            break
    return found


def _onto_mixes(point: Floats) -> Floats:
    """Return the nearest mix (Duchi et al., ICML 2008)."""
    falling = np.sort(point)[::-1]
    over = (np.cumsum(falling) - 1) / np.arange(1, len(point) + 1)
    last = np.flatnonzero(falling > over)[-1]
    return np.asarray(np.maximum(point - over[last], 0))
