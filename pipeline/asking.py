"""The label queue: which records people should label next, and why each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from pipeline import classify
from pipeline.decisions import content_hash
from pipeline.labels import InForce

SPLIT: Final = "split"
START: Final = "start"
UNSURE: Final = "unsure"
WHY: Final = (SPLIT, START, UNSURE)
"""Why a record is asked about: its label's field was split, it is typical of many, the model is unsure."""

ENOUGH: Final = 50
"""Labelled records (copies counted once) from which a model's doubts choose, not what is typical."""


def queue(
    batch: pd.DataFrame,
    told: InForce,
    model: classify.Model,
    groups: Sequence[str],
    *,
    size: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the records to label next, the most useful first: ``id,title,description,unit,why,content``.

    First come records whose label is to be given anew, then, until `ENOUGH` are labelled, typical ones, then
    those that the model is unsure of. Nothing is asked that has a label, or whose copy has one, or twice
    under two ids.

    Args:
        batch: Normalized records, the labelled ones among them (`labels.applied`).
        told: The labels that count.
        model: The classifier in use.
        groups: Rows with the same name here are copies of one another (`starter.copies`).
        size: How many records at most.
        seed: Decides what is drawn by chance.
    """
    labelled = (batch["field"].str.strip() != "").to_numpy()
    group = np.array(groups, dtype=object)
    done = set(group[labelled].tolist())
    again = batch["id"].isin(told.again).to_numpy()
    empty = [not (title + text).strip() for title, text in _texts(batch, "clean_title", "clean_description")]
    free = ~np.array(empty, dtype=bool) & np.array([name not in done for name in groups], dtype=bool)
    free = _one_of_each(batch, group, free, again)
    chosen = [(row, SPLIT) for row in np.flatnonzero(free & again).tolist()][:size]
    rest = np.flatnonzero(free & ~again)
    wanted = min(max(ENOUGH - len(done), 0), size - len(chosen))
    if wanted:
        typical = rest[classify.centres(batch.iloc[rest], wanted, seed=seed)]
        chosen += [(row, START) for row in typical.tolist()]
        rest = np.setdiff1d(rest, typical)
    if len(chosen) < size and len(rest):
        chances = classify.score(model, batch.iloc[rest]).probabilities
        doubts = rest[classify.doubtful(chances, size - len(chosen), seed=seed)]
        chosen += [(row, UNSURE) for row in doubts.tolist()]
    return _asked(batch, chosen)


def _one_of_each(batch: pd.DataFrame, group: np.ndarray, free: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Return which rows are asked about: one of each group, those to be labelled anew before others."""
    kept = np.zeros(len(batch), dtype=bool)
    seen: set[str] = set()
    ids = batch["id"].tolist()
    for row in sorted(np.flatnonzero(free).tolist(), key=lambda row: (not again[row], ids[row])):
        if group[row] not in seen:
            seen.add(group[row])
            kept[row] = True
    return kept


def _asked(batch: pd.DataFrame, chosen: Sequence[tuple[int, str]]) -> pd.DataFrame:
    rows = batch.iloc[[row for row, _ in chosen]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "id": rows["id"],
            "title": rows["clean_title"],
            "description": rows["clean_description"],
            "unit": rows.get("unit", ""),
            "why": [why for _, why in chosen],
            "content": [content_hash(title, text) for title, text in _texts(rows, "title", "description")],
        },
        dtype="str",
    )


def _texts(batch: pd.DataFrame, *columns: str) -> list[tuple[str, str]]:
    first, second = (batch[name].tolist() for name in columns)
    return list(zip(first, second, strict=True))
