"""How good a field classifier is on records that people labelled, from every side that is asked about."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from pipeline import classify, evaluate, normalize, starter
from pipeline.decisions import content_hash
from pipeline.lessons import TEXT
from pipeline.report.outcome import confidential
from pipeline.seen import Flags
from pipeline.taxonomy import Taxonomy

_EXAMPLES: Final = 3
_UNITS: Final = 20
_LEAST_ROWS: Final = 10


def truth(batch: pd.DataFrame, taxonomy: Taxonomy, groups: Sequence[str]) -> pd.DataFrame:
    """Return what is true of labelled records: ``id,field,field2,group``, codes of the taxonomy.

    Raises:
        UsageError: A label is not in the taxonomy.
    """
    return pd.DataFrame(
        {
            "id": batch["id"].tolist(),
            "field": starter.codes(batch, "field", taxonomy),
            "field2": starter.codes(batch, "field2", taxonomy),
            "group": list(groups),
        },
        dtype="str",
    )


def ask(model: classify.Model, batch: pd.DataFrame, *, name: str) -> evaluate.Asked:
    """Return the labels a model gives records as they are, and typed without marks."""
    return evaluate.Asked(
        classify.label(model, batch, name=name),
        classify.label(model, _respelt(batch, normalize.fold), name=name),
    )


def content(
    model: classify.Model,
    batch: pd.DataFrame,
    true: pd.DataFrame,
    *,
    name: str,
    taught: Flags | None = None,
) -> dict[str, Any]:
    """Return all figures of a model on labelled records, as JSON values for the page.

    A record that is marked confidential is named by its id alone.

    Args:
        model: The classifier.
        batch: Normalized records.
        true: What is true of them (`truth`), row for row.
        name: What the model is called.
        taught: Which records the model learnt from, or copies of them (`seen.by`); None where nobody knows.
    """
    labels = classify.label(model, batch, name=name)
    found = _judged(labels, true)
    right = (labels["field"] == true["field"]).to_numpy()
    probability = labels["probability"].to_numpy(dtype=float)
    return {
        "model": name,
        **found.summary(),
        "seen": _seen(labels, true, taught),
        "fields": _fields(found, labels, true),
        "confusions": _confusions(found, labels, true, batch),
        "reliability": evaluate.reliability(probability, right).round(4).to_dict("records"),
        "risk_coverage": evaluate.risk_coverage(probability, right).round(4).to_dict("records"),
        "shortlist": _shortlist(labels, true),
        "forms": [
            _slice(form, classify.label(model, table, name=name), true) for form, table in _forms(batch)
        ],
        "sectors": _by(batch, "sector", labels, true),
        "units": _by(batch, "unit", labels, true)[:_UNITS],
        "confidential": sorted(confidential(batch) & set(batch["id"])),
    }


def _seen(labels: pd.DataFrame, true: pd.DataFrame, taught: Flags | None) -> dict[str, Any]:
    """Return how many records taught the model, and the figures on the others where there are both."""
    if taught is None:
        return {"known": False, "records": None, "others": None}
    others = None
    if taught.any() and not taught.all():
        others = _slice("others", labels[~taught].reset_index(drop=True), true[~taught])
    return {"known": True, "records": int(taught.sum()), "others": others}


def audit(batch: pd.DataFrame, taxonomy: Taxonomy, groups: Sequence[str]) -> pd.DataFrame:
    """Return labelled records with how doubtful each label is, the most doubtful first (`evaluate.doubts`).

    Columns: ``rank,id,title,description,unit,field,field2,probability,suggested,probability2,doubtful``, then
    ``file,row,content``. Of more than 20,000 records one in five is held against a model of the others; the
    rest are left out.

    Args:
        batch: Normalized records, each with a label.
        taxonomy: What the labels belong to.
        groups: Rows with the same name here are copies of one another: a copy must not vouch for a label.

    Raises:
        UsageError: A label is not in the taxonomy, or there are too few.
    """
    true = truth(batch, taxonomy, groups)
    fitted = classify.fit(
        batch,
        true["field"].tolist(),
        second=true["field2"].tolist(),
        groups=list(groups),
        phrases=starter.phrases(taxonomy),
        taxonomy=taxonomy.version,
    )
    place = pd.Series(range(len(batch)), index=batch["id"]).loc[fitted.held_out["id"]].to_numpy()
    rows, said = batch.iloc[place].reset_index(drop=True), true.iloc[place].reset_index(drop=True)
    found = evaluate.doubts(fitted.chances, said["field"].tolist(), second=said["field2"].tolist())
    texts = zip(rows["title"].tolist(), rows["description"].tolist(), strict=True)
    table = pd.DataFrame(
        {
            "rank": found["rank"],
            "id": rows["id"],
            "title": rows["clean_title"],
            "description": rows["clean_description"],
            "unit": rows["unit"],
            "field": said["field"],
            "field2": said["field2"],
            **{name: found[name] for name in ("probability", "suggested", "probability2", "doubtful")},
            "file": rows["source_file"],
            "row": rows["source_row"],
            "content": [content_hash(title, text) for title, text in texts],
        }
    )
    return table.sort_values("rank", ignore_index=True)


def _judged(labels: pd.DataFrame, true: pd.DataFrame) -> evaluate.Labels:
    return starter.judged_labels(labels, true.set_index("id"))


def _fields(found: evaluate.Labels, labels: pd.DataFrame, true: pd.DataFrame) -> list[dict[str, Any]]:
    bounds = evaluate.intervals(true["field"].tolist(), labels["field"].tolist(), true["group"].tolist())
    rows = found.fields.merge(bounds, on="field").round(4).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _confusions(
    found: evaluate.Labels, labels: pd.DataFrame, true: pd.DataFrame, batch: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return the kinds of error, most frequent first, each with the titles of the surest mistakes."""
    kinds = []
    hidden = confidential(batch)
    sure = labels["probability"].to_numpy(dtype=float)
    for each in found.confusions.to_dict("records"):
        here = np.flatnonzero((true["field"] == each["true"]) & (labels["field"] == each["predicted"]))
        worst = here[np.argsort(-sure[here], kind="stable")][:_EXAMPLES]
        examples = [
            {
                "id": batch["id"].iloc[row],
                "title": "" if batch["id"].iloc[row] in hidden else _shown(batch.iloc[row]),
                "probability": float(sure[row]),
            }
            for row in worst.tolist()
        ]
        kinds.append({**{str(key): value for key, value in each.items()}, "examples": examples})
    return kinds


def _shown(record: pd.Series[Any]) -> str:
    return str(record["clean_title"] or record["clean_description"])[:200]


def _shortlist(labels: pd.DataFrame, true: pd.DataFrame) -> dict[str, Any]:
    """Return how long the lists for people are, and how often they hold the right field."""
    asked = (labels["shortlist"] != "").to_numpy()
    lists = [cell.split() for cell in labels["shortlist"][asked]]
    if not lists:
        return {"rows": 0, "length": None, "holds": None}
    holds = [field in each for field, each in zip(true["field"][asked], lists, strict=True)]
    return {
        "rows": len(lists),
        "length": round(float(np.mean([len(each) for each in lists])), 4),
        "holds": round(float(np.mean(holds)), 4),
    }


def _forms(batch: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [
        ("title", batch.assign(clean_description="")),
        ("no_workplace", batch.assign(unit="", sector="")),
        ("no_marks", _respelt(batch, normalize.fold)),
        ("decomposed", _respelt(batch, lambda text: unicodedata.normalize("NFD", text))),
    ]


def _respelt(batch: pd.DataFrame, spell: Callable[[str], str]) -> pd.DataFrame:
    return batch.assign(**{column: [spell(text) for text in batch[column]] for column in TEXT})


def _slice(name: str, labels: pd.DataFrame, true: pd.DataFrame) -> dict[str, Any]:
    figures = _judged(labels, true).summary()
    kept = ("rows", "accuracy", "accuracy_second", "macro_f1", "ece", "coverage", "precision_auto")
    return {"name": name, **{key: figures[key] for key in kept}}


def _by(batch: pd.DataFrame, column: str, labels: pd.DataFrame, true: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the figures of each value of a column with rows enough, the largest first."""
    if column not in batch:
        return []
    sizes = batch[column].value_counts()
    names = sorted(sizes.index[sizes >= _LEAST_ROWS], key=lambda value: (-int(sizes[value]), str(value)))
    found = []
    for value in names:
        here = (batch[column] == value).to_numpy()
        found.append(_slice(str(value), labels[here].reset_index(drop=True), true[here]))
    return found
