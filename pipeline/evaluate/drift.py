"""How far records have moved from those a model learnt from: effect sizes, each with an interval.

No p-values: with records enough, they call any difference one. What counts is how large a difference surely
is: a bound of its interval, so that a small file does not cry wolf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Measure = Literal["h", "delta"]

SIZES: Final = ("none", "small", "medium", "large")
BANDS: Final[Mapping[Measure, tuple[float, float, float]]] = {
    "h": (0.2, 0.5, 0.8),
    "delta": (0.147, 0.33, 0.474),
}
"""From where on an effect is small, medium and large.

Cohen's h: Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 1988, section 6.2. Cliff's delta:
Romano et al., *Appropriate statistics for ordinal level data*, 2006.
"""

_ROUNDS: Final = 1_000
_MANY: Final = 2_000
_LEAST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One difference: ``value`` with its interval, ``then`` and ``now``, and how large it surely is.

    ``then`` and ``now`` are shares (``measure`` is ``h``) or medians (``delta``). Above 0 there is more now.
    """

    name: str
    measure: Measure
    then: float
    now: float
    value: float
    low: float
    high: float
    rows: int

    @property
    def size(self) -> str:
        """Return one of `SIZES`: that of the end of the interval that is nearest to no difference."""
        nearest = 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
        return SIZES[sum(nearest >= border for border in BANDS[self.measure])]

    def content(self) -> dict[str, Any]:
        """Return the effect as JSON values."""
        numbers = {name: round(getattr(self, name), 4) for name in ("then", "now", "value", "low", "high")}
        return {"name": self.name, "measure": self.measure, **numbers, "rows": self.rows, "size": self.size}


def cohen_h(now: float | Floats, then: float | Floats) -> Floats:
    """Return Cohen's h of two shares: the difference of their angles, comparable near 0 as in the middle.

    >>> float(cohen_h(0.5, 0.4).round(3))
    0.201
    """
    return np.asarray(
        2 * np.arcsin(np.sqrt(np.clip(now, 0, 1))) - 2 * np.arcsin(np.sqrt(np.clip(then, 0, 1)))
    )


def of_flags(
    name: str, now: Flags, *, count: int, rows: int, level: float = 0.95, seed: int = 0
) -> Effect | None:
    """Return how far a share moved from ``count`` of ``rows``; None where a side has under 10."""
    if min(len(now), rows) < _LEAST:
        return None
    random = np.random.default_rng(seed)
    # A share is all that a bootstrap of flags sees; half a record keeps certainty from 0 or all of them.
    shares = [
        random.beta(part + 0.5, whole - part + 0.5, _ROUNDS)
        for part, whole in ((int(now.sum()), len(now)), (count, rows))
    ]
    share, before = float(now.mean()), count / rows
    low, high = _ends(cohen_h(*shares), level)
    return Effect(
        name=name, measure="h", then=before, now=share, value=float(cohen_h(share, before)), low=low,
        high=high, rows=len(now),
    )  # fmt: skip


def of_share(  # noqa: PLR0913 - a share with its ends, as a corrected count gives it, and the former one
    name: str, now: float, ends: tuple[float, float], *, count: int, rows: int, held: int, level: float = 0.95
) -> Effect:
    """Return how far a share with an interval moved from ``count`` of ``rows`` records.

    ``held`` is how many records the share now is of; it and the former rows scatter too, since two draws of
    one population differ.
    """
    then = count / rows
    angle, low, high = cohen_h(now, then), cohen_h(ends[0], then), cohen_h(ends[1], then)
    # The angle of a share scatters by 1/sqrt(rows), whatever the share.
    reach = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(1 / rows + 1 / max(held, 1))
    return Effect(
        name=name, measure="h", then=then, now=now, value=float(angle),
        low=float(angle - np.hypot(angle - low, reach)), high=float(angle + np.hypot(high - angle, reach)),
        rows=held,
    )  # fmt: skip


def of_values(
    name: str,
    now: Sequence[tuple[Floats, Sequence[float], int]],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Effect | None:
    """Return Cliff's delta of values against quantiles of former ones, kind by kind of record.

    Cliff's delta is how much more often a value now lies above a former one than below. Each kind (whole
    records, titles) is held against its own kind; None where fewer than 10 records are left.

    Args:
        name: What is measured.
        now: Of each kind: the values, the former ones' quantiles, of how many.
        level: How often the interval is to hold the truth.
        seed: Decides what is drawn.

    >>> found = of_values("length", [(np.full(50, 3.0), [1.0, 2.0, 2.0], 100)])
    >>> found.value, found.size
    (1.0, 'large')
    """
    kinds = [each for each in now if len(each[0]) and each[2] >= _LEAST]
    held = sum(len(values) for values, _, _ in kinds)
    if held < _LEAST:
        return None
    scores, noise, medians = [], 0.0, []
    for values, before, rows in kinds:
        former, here = np.sort(np.asarray(before)), np.sort(values)
        scores.append(_above(values, former))
        part = len(values) / held
        noise += part**2 * float(np.var(_above(former, here))) / rows
        medians.append((part, float(np.median(former)), float(np.median(values))))
    every = np.concatenate(scores)
    found = _drawn(every, seed) + np.random.default_rng(seed + 1).normal(0, np.sqrt(noise), _ROUNDS)
    low, high = _ends(found, level)
    # Where all values are on one side nothing scatters, but of few records that is soon so by chance.
    slack = 1 / held
    return Effect(
        name=name, measure="delta", then=sum(part * then for part, then, _ in medians),
        now=sum(part * here for part, _, here in medians), value=float(every.mean()),
        low=max(low - slack, -1.0), high=min(high + slack, 1.0), rows=held,
    )  # fmt: skip


def stability(now: Mapping[str, float], then: Mapping[str, float]) -> float:
    """Return the population stability index of two mixes: 0 where they are one.

    By convention a mix is stable below 0.1 and another from 0.25 on (Siddiqi, *Credit Risk Scorecards*,
    2006).

    >>> round(stability({"a": 0.5, "b": 0.5}, {"a": 0.4, "b": 0.6}), 3)
    0.041
    """
    names = sorted({*now, *then})
    new, old = (np.array([max(mix.get(name, 0.0), 1e-3) for name in names]) for mix in (now, then))
    return float(((new - old) * np.log(new / old)).sum())


def _above(values: Floats, others: Floats) -> Floats:
    """Return how much more of ``others`` (in rising order) lies below each value than above, -1 to 1."""
    below = np.searchsorted(others, values, side="left")
    upto = np.searchsorted(others, values, side="right")
    return np.asarray((below + upto) / len(others) - 1, dtype=np.float64)


def _drawn(values: Floats, seed: int) -> Floats:
    """Return the means of values drawn again 1,000 times; of very many, from the law those means tend to."""
    ordered = np.sort(values)
    if len(ordered) > _MANY:
        spread = float(ordered.std()) / np.sqrt(len(values))
        return float(ordered.mean()) + np.random.default_rng(seed).normal(0, spread, _ROUNDS)
    often = np.random.default_rng(seed).multinomial(
        len(ordered), np.full(len(ordered), 1 / len(ordered)), size=_ROUNDS
    )
    return np.asarray(often @ ordered / len(ordered), dtype=np.float64)


def _ends(found: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
