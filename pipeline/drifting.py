"""Whether new records are still like those the model learnt from, and what to do where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from pipeline import classify, evaluate, starter
from pipeline.errors import GateRefused

NOTHING: Final = "nothing"
LOOK: Final = "look"
RETRAIN: Final = "retrain"
CONCLUSIONS: Final = (NOTHING, LOOK, RETRAIN)
"""What follows: nothing notable, look at what is named, or label new records and train again."""

NAMES: Final = ("vocabulary", "confidence", "automatic", "titles", "bare", "length")
"""What is compared beside the fields: unknown words, how sure the model is, the share of labels that stand by
themselves, of titles alone, of texts without marks, and how long records are."""

_LEAST: Final = 30
_FEW_SECTORS: Final = 5


def content(ready: starter.Ready, batch: pd.DataFrame) -> dict[str, Any]:
    """Return how records differ from those that a field classifier learnt from, as JSON values.

    Texts that stand there several times count once. ``effects`` are `evaluate.drift.Effect`, ``fields`` the
    same for the share of each field (corrected, see `classify.report_counts`), ``sectors`` for the form of
    records in each sector; ``new_terms`` are `classify.new_terms` with an ``example``. ``conclusion`` is one
    of `CONCLUSIONS`.

    Args:
        ready: The classifier in use.
        batch: Normalized records.

    Raises:
        GateRefused: The classifier was trained by an earlier version of the program and does not say what
            its training set is like.
    """
    then = ready.profile
    if then is None or ready.errors is None:
        raise GateRefused(
            "The model {name} does not say what its training set is like. Train it again, then compare.",
            name=ready.name,
        )
    texts = ["clean_title", "clean_description"]
    once = batch.drop_duplicates(texts).sort_values(texts, kind="stable", ignore_index=True)
    labels = classify.label(ready.model, once, name=ready.name, chances=True)
    empty = (labels["reason"] == "empty").to_numpy()
    once, labels = once[~empty].reset_index(drop=True), labels[~empty].reset_index(drop=True)
    seen = classify.look(ready.model, once, labels)
    fields, mix = _fields(once, labels, ready.errors, then)
    effects = _effects(seen, then)
    return {
        "model": ready.name,
        "records": len(once),
        "learnt": then["rows"],
        "effects": [each.content() for each in effects],
        "fields": [each.content() for each in fields],
        "stability": mix,
        "sectors": [{"sector": sector, **each.content()} for sector, each in _sectors(seen, then["sectors"])],
        "new_terms": [
            {"term": each["term"], "records": each["records"], "example": _example(once.iloc[each["row"]])}
            for each in classify.new_terms(ready.model, once)
        ],
        "conclusion": conclusion([*effects, *fields]),
    }


def conclusion(effects: list[evaluate.drift.Effect]) -> str:
    """Return what follows from effects: one of `CONCLUSIONS`.

    New words, or less confidence, are what a model can learn away: from a medium effect on, or where both are
    there. Another mix of fields is corrected for, and another form is to be mended where records come from.
    """
    sizes = {each.name: evaluate.drift.SIZES.index(each.size) for each in effects}
    less = {each.name: each.value < 0 for each in effects}
    words = sizes.get("vocabulary", 0) * (not less.get("vocabulary", False))
    doubt = max(sizes.get(name, 0) * less.get(name, False) for name in ("confidence", "automatic"))
    if max(words, doubt) >= evaluate.drift.SIZES.index("medium") or min(words, doubt) > 0:
        return RETRAIN
    return LOOK if any(sizes.values()) else NOTHING


def _effects(seen: classify.Look, then: Mapping[str, Any]) -> list[evaluate.drift.Effect]:
    whole, form = ~seen.title, then["form"]
    found = [
        _measured("vocabulary", seen, seen.unknown, "unknown", then),
        _measured("confidence", seen, seen.confidence, "confidence", then),
        # Of titles alone fewer stand by themselves; how many titles there are is told apart.
        evaluate.drift.of_flags(
            "automatic", seen.auto[whole], count=then["auto"]["count"], rows=then["auto"]["rows"]
        ),
        evaluate.drift.of_flags("titles", seen.title, count=form["titles"], rows=form["rows"]),
        evaluate.drift.of_flags("bare", seen.bare, count=form["bare"], rows=form["rows"]),
        _measured("length", seen, seen.length, "length", then),
    ]
    return [each for each in found if each is not None]


def _measured(
    name: str, seen: classify.Look, values: np.ndarray, measure: str, then: Mapping[str, Any]
) -> evaluate.drift.Effect | None:
    """Return how far a measure moved, whole records beside whole ones, titles beside titles."""
    kinds = [
        (values[here], then["kinds"][kind][measure], then["kinds"][kind]["rows"])
        for kind, here in (("whole", ~seen.title), ("title", seen.title))
        if kind in then["kinds"]
    ]
    return evaluate.drift.of_values(name, kinds)


def _fields(
    batch: pd.DataFrame, labels: pd.DataFrame, errors: classify.Errors, then: Mapping[str, Any]
) -> tuple[list[evaluate.drift.Effect], float | None]:
    """Return how far the share of each field moved, and the stability index of the mix."""
    if len(batch) < _LEAST:
        return [], None
    # With twelve intervals of 95 % one in two files would show a field that moved by chance.
    level = 1 - 0.05 / len(errors.classes)
    found = starter.field_counts(batch, labels, errors=errors, level=level)
    rows: list[Any] = list(found.itertuples(index=False))
    effects = [
        evaluate.drift.of_share(
            row.field, row.corrected, (row.low, row.high), count=then["fields"].get(row.field, 0),
            rows=sum(then["fields"].values()), held=len(batch), level=level,
        )
        for row in rows
        if row.field in errors.classes
    ]  # fmt: skip
    total = sum(then["fields"].values())
    former = {name: count / total for name, count in then["fields"].items()}
    now = dict(zip(found["field"].tolist(), found["corrected"].tolist(), strict=True))
    return effects, round(evaluate.drift.stability(now, former), 4)


def _sectors(
    seen: classify.Look, then: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, evaluate.drift.Effect]]:
    """Return how far the form of records moved in each sector that both hold enough of."""
    found = []
    for sector, form in sorted(then.items())[:_FEW_SECTORS]:
        here = seen.sector == sector
        if min(int(here.sum()), form["rows"]) < _LEAST:
            continue
        for name, flags in (("titles", seen.title), ("bare", seen.bare)):
            effect = evaluate.drift.of_flags(name, flags[here], count=form[name], rows=form["rows"])
            if effect is not None:
                found.append((sector, effect))
    return found


def _example(record: pd.Series[Any]) -> str:
    return str(record["clean_title"] or record["clean_description"])[:200]
