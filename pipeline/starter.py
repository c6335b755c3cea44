"""The models a run needs: the ones in use, or starters trained from the sample in seconds.

A fresh machine has no model. Rather than refuse, a run learns one from ``data/sample`` and shelves it
with its card, where `sangkien models show` tells what it was made of and how good it was on records it
had not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import classify, dedupe, evaluate, normalize, read, registry
from pipeline.errors import InputNotFound, UsageError
from pipeline.records import NOT_SAME, SAME
from pipeline.settings import Settings, checkout
from pipeline.taxonomy import Taxonomy

FIELDS: Final = "fields"
PAIRS: Final = "pairs"
_FOLDS: Final = 3
_LEARNT_FROM: Final = 0.02
"""Share of shingles from which a pair is an example: below, nothing is to be learnt from it."""


class Ready(NamedTuple):
    """A model to use, what it is called in results, and whether it was trained just now."""

    model: Any
    name: str
    trained: bool


def fields(root: Path, taxonomy: Taxonomy, *, name: str = FIELDS, created: str = "") -> Ready:
    """Return the field classifier in use; the starter, where there is none of the starter's name.

    Args:
        root: The folder of models.
        taxonomy: What the labels must belong to.
        name: Which model.
        created: The date a new card bears.
    """
    trained = False
    if name == FIELDS and not registry.versions(root, name):
        sample = [checkout("data", "sample", file) for file in ("archive.csv", "labelled.csv")]
        batch = normalize.frame(read.tables(sample).batch)
        registry.promote(
            root, name, train_fields(root, batch, taxonomy, name=name, source=sample, created=created)
        )
        trained = True
    stored = registry.load(root, name, taxonomy=taxonomy.version)
    return Ready(classify.restore(stored.model, stored.card), f"{name}/{stored.version}", trained)


def train_fields(
    root: Path, batch: pd.DataFrame, taxonomy: Taxonomy, *, name: str, source: Iterable[Path], created: str
) -> str:
    """Return the version of a classifier learnt from the labelled records of ``batch``; not yet in use.

    Args:
        root: The folder of models.
        batch: Normalized records, ``field`` (and ``field2``) filled with codes or names of the taxonomy.
        taxonomy: What the labels belong to.
        name: What to call it.
        source: The files the records came from, for the card.
        created: The date the card bears.

    Raises:
        UsageError: A label is not in the taxonomy, or there are too few.
    """
    labelled = batch[batch["field"].str.strip() != ""].reset_index(drop=True)
    first = _codes(labelled, "field", taxonomy)
    second = _codes(labelled, "field2", taxonomy)
    fitted = classify.fit(
        labelled, first, second=second, taxonomy=taxonomy.version, precision=Settings().accept_precision
    )
    seen = fitted.held_out
    metrics = evaluate.labels(
        first,
        seen["field"].tolist(),
        second=second,
        probability=seen["probability"].astype(float).tolist(),
        auto=(seen["decision"] == "auto").tolist(),
    )
    card = {
        **classify.card(fitted.model),
        "created": created,
        "data": {
            "files": [path.name for path in source],
            "sha256": _digest(labelled, ["id", *_TEXT, "field"]),
        },
        "metrics": {"protocol": "5 folds, copies kept together", **metrics.summary()},
        "rows": len(labelled),
    }
    return registry.save(root, name, classify.artefact(fitted.model), card)


def _codes(batch: pd.DataFrame, column: str, taxonomy: Taxonomy) -> list[str]:
    codes = {cell: taxonomy.code_of(cell) for cell in batch[column].unique() if cell.strip()}
    for cell, code in codes.items():
        if not code:
            row = batch[batch[column] == cell].iloc[0]
            raise UsageError(
                "{file}, row {row}, column {column}: {cell} is no field of taxonomy {version}. "
                "Use one of: {known}.",
                file=row["source_file"],
                row=row["source_row"],
                column=column,
                cell=cell,
                version=taxonomy.version,
                known=", ".join(field.code for field in taxonomy.fields),
            )
    return [codes.get(cell, "") for cell in batch[column]]


def pairs(root: Path, *, settings: Settings, form: NDArray[np.uint64], created: str = "") -> Ready:
    """Return the pair classifier in use, or the starter learnt from the sample's judged pairs.

    Args:
        root: The folder of models.
        settings: How records are compared.
        form: Shingles known to be form text.
        created: The date a new card bears.
    """
    trained = False
    if not registry.versions(root, PAIRS):
        sample = checkout("data", "sample")
        files = [
            sample / name for name in ("archive.csv", "batch_unions.csv", "batch_portal.xlsx", "labelled.csv")
        ]
        batch = normalize.frame(read.tables(files).batch)
        version = train_pairs(
            root, batch, judged(sample / "pairs.csv"), settings=settings, form=form, created=created
        )
        registry.promote(root, PAIRS, version)
        trained = True
    stored = registry.load(root, PAIRS)
    return Ready(dedupe.PairClassifier.of(stored.model), f"{PAIRS}/{stored.version}", trained)


def form_text(path: Path | None = None, *, settings: Settings) -> NDArray[np.uint64]:
    """Return the shingles of the sentences in a sheet with the column ``phrase`` (default: the shipped one).

    Raises:
        UsageError: The sheet has no column ``phrase``.
    """
    path = path or checkout("data", "form_text.csv")
    table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    if "phrase" not in table.columns:
        raise UsageError(
            "{path}: the column phrase is missing. Put one sentence of form text in each row.", path=path
        )
    return dedupe.form_shingles(table["phrase"], width=settings.shingle)


def judged(path: Path) -> pd.DataFrame:
    """Return a table of judged pairs, ``id_a,id_b,relation``, as text.

    Raises:
        InputNotFound: The file is not there.
        UsageError: It is no CSV, a column is missing or a relation unknown.
    """
    if not path.is_file():
        raise InputNotFound("{path} is not there. Check the name.", path=path)
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:  # no UTF-8, no columns, or rows of different lengths
        raise UsageError(
            "{path} is not a CSV table in UTF-8. Save it as CSV UTF-8, then run again.", path=path
        ) from error
    wanted = ["id_a", "id_b", "relation"]
    if missing := [column for column in wanted if column not in table.columns]:
        raise UsageError(
            "{path}: the column {column} is missing; a table of judged pairs has id_a, id_b and relation.",
            path=path,
            column=missing[0],
        )
    known = {*SAME, *NOT_SAME}
    for row, relation in enumerate(table["relation"], start=2):
        if relation not in known:
            raise UsageError(
                "{path}, row {row}, column relation: {relation} is unknown. Use one of: {known}.",
                path=path,
                row=row,
                relation=relation or '""',
                known=", ".join((*SAME, *NOT_SAME)),
            )
    return table


def train_pairs(
    root: Path,
    batch: pd.DataFrame,
    table: pd.DataFrame,
    *,
    settings: Settings,
    form: NDArray[np.uint64],
    created: str,
) -> str:
    """Return the version of a pair classifier learnt from ``table``; not yet in use."""
    examples = pair_examples(batch, table, settings=settings, form=form)
    model = dedupe.PairClassifier().fit(examples.alike, examples.same)
    card = {
        "created": created,
        "normalize": normalize.VERSION,
        "data": {
            "sha256": _digest(batch, ["id", *_TEXT]),
            "pairs": _digest(table, ["id_a", "id_b", "relation"]),
        },
        "metrics": _held_out_metrics(examples, settings.match_probability),
        "rows": len(examples.same),
    }
    return registry.save(root, PAIRS, model.views_, card)


class Examples(NamedTuple):
    """Pairs to learn from: how alike, whether the same, and the two ids."""

    alike: NDArray[np.float64]
    same: NDArray[np.bool_]
    ids: list[tuple[str, str]]


def pair_examples(
    batch: pd.DataFrame, table: pd.DataFrame, *, settings: Settings, form: NDArray[np.uint64]
) -> Examples:
    """Return every pair of ``batch`` that shares something, with what people judged of it.

    A pair that nobody judged is not the same: the table is held to name all that are.
    """
    wide = replace(settings, candidate_score=_LEARNT_FROM, candidate_exact=_LEARNT_FROM, candidate_shared=2)
    corpus = dedupe.corpus(batch, None, wide)
    near = dedupe.compare(corpus, form, wide)
    names = corpus.records["id"].tolist()
    same = {
        frozenset(pair[:2])
        for pair in table[["id_a", "id_b", "relation"]].itertuples(index=False, name=None)
        if pair[2] in SAME
    }
    ids = [(names[later], names[earlier]) for later, earlier in zip(near.later, near.earlier, strict=True)]
    return Examples(near.alike, np.array([frozenset(pair) in same for pair in ids], dtype=bool), ids)


def _held_out_metrics(examples: Examples, threshold: float) -> dict[str, Any]:
    """Return recall and precision on records that the model had not seen.

    Records fall into folds by a hash of their initiative, so that a source and its copies stay together.
    """
    place = _components(examples.ids, examples.same)
    flagged = np.zeros(len(examples.same), dtype=bool)
    for fold in range(_FOLDS):
        test = place % _FOLDS == fold
        if examples.same[~test].any() and test.any():
            model = dedupe.PairClassifier().fit(examples.alike[~test], examples.same[~test])
            flagged[test] = model.predict_proba(examples.alike[test])[:, 1] >= threshold
    right = int((flagged & examples.same).sum())
    return {
        "protocol": "3 folds, a record and its copies kept together; pairs that share something",
        "recall": round(right / max(int(examples.same.sum()), 1), 4),
        "precision": round(right / max(int(flagged.sum()), 1), 4),
        "threshold": threshold,
    }


def _components(ids: Sequence[tuple[str, str]], same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return a number for each pair, the same for pairs whose later record belongs to one initiative."""
    leader: dict[str, str] = {}
    for pair, alike in zip(ids, same, strict=True):
        if alike:
            leader[pair[0]] = leader.get(pair[1], pair[1])
    heads = [leader.get(pair[0], pair[0]) for pair in ids]
    return np.array(
        [int(hashlib.sha256(head.encode()).hexdigest()[:8], 16) for head in heads], dtype=np.int64
    )


_TEXT: Final = ["clean_title", "clean_description"]


def _digest(table: pd.DataFrame, columns: list[str]) -> str:
    rows = sorted("\x1f".join(row) for row in table[columns].itertuples(index=False, name=None))
    return hashlib.sha256("\x1e".join(rows).encode()).hexdigest()
