"""Whether a new model may take the place of the one in use: judged by both on the same frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.errors import Note
from pipeline.evaluate.labelling import Labels, labels
from pipeline.evaluate.resampling import draws, tallies

FIELD_ROWS: Final = 30
"""Rows of a field from which its own figure can speak against a model."""
_ROWS_OF_ECE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a new model may cost; shares are 0 to 1.

    ``loss`` of macro-F1 that chance may hide, ``field_loss`` of one field's F1, ``ece`` of 1,000 rows or more
    (fewer rows show it less exactly, and more is allowed), ``bare_loss`` of accuracy where marks are left
    out, and the share of automatic labels that ``flips``.
    """

    loss: float = 0.005
    field_loss: float = 0.03
    ece: float = 0.03
    bare_loss: float = 0.08
    flips: float = 0.1


class Asked(NamedTuple):
    """The labels a model gives the frozen rows (`classify.label`): as they are, and without marks."""

    whole: pd.DataFrame
    bare: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against a new model (nothing: it may be used), the figures, and what would change.

    ``flips`` are the rows that the model in use labels automatically and the new one otherwise:
    ``id,field,old,new``.
    """

    reasons: tuple[Note, ...]
    figures: dict[str, Any]
    flips: pd.DataFrame


def gate(truth: pd.DataFrame, new: Asked, old: Asked, *, limits: Limits | None = None) -> Verdict:
    """Return whether ``new`` may take the place of ``old``.

    The difference of macro-F1 is drawn again 1,000 times, both models on the same rows, groups of copies
    whole; its lower bound is that of a one-sided 95 % interval.

    Args:
        truth: Columns ``id``, ``field``, ``field2`` and ``group``; one row each that the models labelled.
        new: What the new model says.
        old: What the model in use says.
        limits: What a new model may cost.
    """
    limits = limits or Limits()
    after, before, bare = (_judged(truth, table) for table in (new.whole, old.whole, new.bare))
    gain, low = _gain(truth, new.whole, old.whole)
    flips = _flips(truth, new.whole, old.whole)
    automatic = int((old.whole["decision"] == "auto").sum())
    flipped = len(flips) / max(automatic, 1)
    allowed = limits.ece * max(1.0, float(np.sqrt(_ROWS_OF_ECE / len(truth))))
    reasons = [
        *_losses(low, gain, limits),
        *_fields(after, before, limits),
        *_calibration(after, allowed),
        *_robustness(after, bare, limits),
    ]
    if flipped > limits.flips:
        reasons.append(
            Note(
                "{count} of {all} automatic labels would change ({share}); at most {most} may.",
                {
                    "count": len(flips),
                    "all": automatic,
                    "share": _percent(flipped),
                    "most": _percent(limits.flips),
                },
            )
        )
    figures = {
        "rows": len(truth),
        "macro_f1": round(after.macro_f1, 4),
        "macro_f1_in_use": round(before.macro_f1, 4),
        "gain": round(gain, 4),
        "gain_low": round(low, 4),
        "ece": round(after.ece or 0.0, 4),
        "ece_allowed": round(allowed, 4),
        "accuracy": round(after.accuracy, 4),
        "accuracy_bare": round(bare.accuracy, 4),
        "flips": len(flips),
    }
    return Verdict(tuple(reasons), figures, flips)


def _judged(truth: pd.DataFrame, table: pd.DataFrame) -> Labels:
    return labels(
        truth["field"].tolist(),
        table["field"].tolist(),
        second=truth["field2"].tolist(),
        probability=table["probability"].astype(float).tolist(),
        auto=(table["decision"] == "auto").tolist(),
    )


def _gain(truth: pd.DataFrame, new: pd.DataFrame, old: pd.DataFrame) -> tuple[float, float]:
    """Return by how much macro-F1 grows, and the lower bound of that."""
    wanted, groups = truth["field"].tolist(), truth["group"].tolist()
    fields = sorted(set(wanted))
    each = [tallies(wanted, table["field"].tolist(), groups, fields) for table in (new, old)]
    once = np.ones((1, len(each[0].true)))
    drawn = draws(len(each[0].true))
    after, before = ([_macro(tally.drawn(w)[2], w @ tally.true) for w in (once, drawn)] for tally in each)
    return float(after[0][0] - before[0][0]), float(np.quantile(after[1] - before[1], 0.05))


def _macro(f1: Any, true: Any) -> Any:
    """Return the mean F1 of the fields that are true somewhere in a round."""
    there = true > 0
    return (f1 * there).sum(axis=1) / there.sum(axis=1)


def _losses(low: float, gain: float, limits: Limits) -> list[Note]:
    found = []
    if gain <= 0:
        found.append(
            Note(
                "It is no better than the model in use: macro-F1 changes by {gain}.", {"gain": f"{gain:+.4f}"}
            )
        )
    if low <= -limits.loss:
        found.append(
            Note(
                "It might be worse: macro-F1 may have changed by {low}, and at most {most} may be lost.",
                {"low": f"{low:+.4f}", "most": limits.loss},
            )
        )
    return found


def _fields(after: Labels, before: Labels, limits: Limits) -> list[Note]:
    own = after.fields.set_index("field")["f1"]
    lost = {
        row["field"]: row["f1"] - float(own.get(row["field"], 0.0))
        for row in before.fields.to_dict("records")
        if row["true"] >= FIELD_ROWS
    }
    return [
        Note(
            "The field {field} loses {loss} points of F1; at most {most} may be lost.",
            {"field": name, "loss": f"{100 * loss:.1f}", "most": f"{100 * limits.field_loss:.0f}"},
        )
        for name, loss in lost.items()
        if loss > limits.field_loss
    ]


def _calibration(after: Labels, allowed: float) -> list[Note]:
    if (after.ece or 0.0) <= allowed:
        return []
    return [
        Note(
            "Its probabilities are off by {ece} on average (ECE); at most {most} may be on so many rows.",
            {"ece": f"{after.ece:.4f}", "most": f"{allowed:.4f}"},
        )
    ]


def _robustness(after: Labels, bare: Labels, limits: Limits) -> list[Note]:
    if after.accuracy - bare.accuracy <= limits.bare_loss:
        return []
    return [
        Note(
            "Without marks it loses {loss} points of accuracy; at most {most} may be lost.",
            {
                "loss": f"{100 * (after.accuracy - bare.accuracy):.1f}",
                "most": f"{100 * limits.bare_loss:.0f}",
            },
        )
    ]


def _flips(truth: pd.DataFrame, new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    changed = (old["decision"] == "auto").to_numpy() & (old["field"].to_numpy() != new["field"].to_numpy())
    return pd.DataFrame(
        {
            "id": truth["id"].to_numpy()[changed],
            "field": truth["field"].to_numpy()[changed],
            "old": old["field"].to_numpy()[changed],
            "new": new["field"].to_numpy()[changed],
        }
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
