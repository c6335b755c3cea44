"""What records are like, in numbers: how new their words are, how long, how sure the model is of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from pipeline.classify.decision import Flags, Floats
from pipeline.classify.model import Model
from pipeline.classify.reading import (
    FOLDED,
    KEYED,
    Reader,
    bare,
    blocks,
    counts,
    features,
    marked,
    title_only,
)
from pipeline.classify.training import Fitted
from pipeline.classify.vocabulary import Vocabulary, Words, read

Rows = npt.NDArray[np.intp]

MEASURES: Final = ("unknown", "confidence", "length")
"""What is measured of a record: its share of unknown terms, its largest probability, its syllables."""
KINDS: Final = ("whole", "title")

_STEPS: Final = 100
_OFTEN: Final = 2
_LEAST: Final = 10


@dataclass(frozen=True, eq=False)
class Look:
    """What some records are like, an entry a record.

    ``title`` are titles alone, ``bare`` those typed without marks, ``auto`` those whose label stands by
    itself, ``sector`` is where the author works; the rest are the `MEASURES`.
    """

    title: Flags
    bare: Flags
    auto: Flags
    sector: npt.NDArray[np.object_]
    unknown: Floats
    confidence: Floats
    length: Floats


def look(model: Model, batch: pd.DataFrame, labels: pd.DataFrame) -> Look:
    """Return what records are like to a model that gave them ``labels`` (`label`)."""
    texts = blocks(batch, (KEYED, FOLDED), Reader())
    known = _total(model.vocabularies[FOLDED].count(counts(texts, FOLDED)))
    return Look(
        title=title_only(batch),
        bare=~marked(texts),
        auto=(labels["decision"] == "auto").to_numpy(),
        sector=_sectors(batch),
        unknown=_missing(known, counts(texts, FOLDED)),
        confidence=labels["probability"].to_numpy(dtype=np.float64),
        length=counts(texts, KEYED).sizes().astype(np.float64),
    )


def profile(
    fitted: Fitted,
    batch: pd.DataFrame,
    labels: Sequence[str],
    groups: Sequence[str] | None,
    phrases: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return what a training set is like, as JSON values: numbers only, and of bounded length.

    A record is held against what the model would know without it and its copies, and against what the model
    said of it without having seen it.

    Args:
        fitted: What was learnt.
        batch: What it was learnt from, unique ids.
        labels: The field of each record.
        groups: As `fit` took them; None where rows of equal text are copies.
        phrases: As `fit` took them.
    """
    place = pd.Series(range(len(batch)), index=batch["id"]).loc[fitted.held_out["id"]].to_numpy()
    names = np.array(features(batch) if groups is None else list(groups), dtype=object)
    unknown = _unknown_elsewhere(fitted.model.vocabularies[FOLDED], batch, names, phrases)
    titled = np.array([bool(title.strip()) for title in batch["clean_title"]], dtype=bool)[place]
    tables = {"whole": batch, "title": batch.assign(clean_description="")}
    read_ = {kind: blocks(table, (KEYED, FOLDED), Reader()) for kind, table in tables.items()}
    sizes = {kind: counts(each, KEYED).sizes()[place].astype(np.float64) for kind, each in read_.items()}
    chances = {"whole": fitted.chances, "title": fitted.titles}
    alone, sector = title_only(batch)[place], _sectors(batch)[place]
    bare_ = ~marked(read_["whole"])[place]
    auto = (fitted.held_out["decision"] == "auto").to_numpy()
    kinds = {}
    for kind, rows in (("whole", ~alone), ("title", titled)):
        if rows.sum() >= _LEAST:
            sure = chances[kind].to_numpy().max(axis=1)
            values = (unknown[kind][place], sure, sizes[kind])
            measured = {name: _quantiles(each[rows]) for name, each in zip(MEASURES, values, strict=True)}
            kinds[kind] = {"rows": int(rows.sum()), **measured}
    return {
        "rows": len(place),
        "fields": {code: int(count) for code, count in sorted(pd.Series(labels).value_counts().items())},
        "auto": {"rows": int((~alone).sum()), "count": int(auto[~alone].sum())},
        "form": _form(alone, bare_),
        "sectors": {
            str(name): _form(alone[sector == name], bare_[sector == name])
            for name in sorted(set(sector.tolist()) - {""})
        },
        "kinds": kinds,
    }


def new_terms(model: Model, batch: pd.DataFrame, *, most: int = 10) -> list[dict[str, Any]]:
    """Return the syllables and pairs of neighbours that ``model`` does not know and most records hold.

    Each has the ``term`` (without marks), in how many ``records`` it stands, and the place of the first of
    them by text (``row``). A term stands in 3 records of different text or more; numbers are not terms.
    """
    known = model.vocabularies[FOLDED]
    pairs_known = {*known.syllables, *known.pack().tobytes().decode().splitlines()}
    first = pd.Series(features(batch)).drop_duplicates()
    order = first.sort_values(kind="stable").index.to_numpy()
    seen: dict[str, list[int]] = {}
    for row in order.tolist():
        text = read([first[row]])
        spelt = bare(text.lexicon) if text.lexicon else []
        syllables = [spelt[number] for number in text.spelling]
        pairs = [f"{a} {b}" for a, b in pairwise(syllables) if not (a.isdigit() or b.isdigit())]
        for term in {*(each for each in syllables if not each.isdigit()), *pairs} - pairs_known:
            seen.setdefault(term, []).append(row)
    often = [(term, rows) for term, rows in seen.items() if len(rows) > _OFTEN]
    # A phrase says more than its halves: of two in the same records the longer is shown.
    often.sort(key=lambda each: (-len(each[1]), -len(each[0]), each[0]))
    kept: list[tuple[str, list[int]]] = []
    for term, rows in often:
        if not any(term in other.split() and len(rows) <= len(them) for other, them in kept):
            kept.append((term, rows))
        if len(kept) == most:
            break
    return [{"term": term, "records": len(rows), "row": rows[0]} for term, rows in kept]


def _form(title: Flags, bare_: Flags) -> dict[str, int]:
    return {"rows": len(title), "titles": int(title.sum()), "bare": int(bare_.sum())}


def _quantiles(values: Floats) -> list[float]:
    """Return 101 quantiles, the least to the most: they stand for any number of values."""
    return [round(float(value), 4) for value in np.quantile(values, np.linspace(0, 1, _STEPS + 1))]


def _sectors(batch: pd.DataFrame) -> npt.NDArray[np.object_]:
    cells = batch["sector"].tolist() if "sector" in batch else [""] * len(batch)
    return np.array(cells, dtype=object)


def _total(counts: sparse.csr_array) -> Floats:
    return np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()


def _missing(known: Floats, texts: Words) -> Floats:
    """Return the share of each text's syllables and pairs of neighbours that is not among the known ones."""
    sizes = texts.sizes()
    terms = np.maximum(2 * sizes - 1, 1)
    return np.where(sizes > 0, 1 - np.minimum(known / terms, 1), 0.0)


def _unknown_elsewhere(
    known: Vocabulary,
    batch: pd.DataFrame,
    groups: npt.NDArray[np.object_],
    phrases: Mapping[str, Sequence[str]],
) -> dict[str, Floats]:
    """Return the share of terms that would be unknown had a record and its copies not been learnt from."""
    tables = {"whole": batch, "title": batch.assign(clean_description="")}
    texts = {kind: counts(blocks(table, (FOLDED,), Reader()), FOLDED) for kind, table in tables.items()}
    often = {kind: known.count(each) for kind, each in texts.items()}
    there = {kind: (each > 0).astype(np.float64).tocsr() for kind, each in often.items()}
    both = ~title_only(batch)
    taught = there["whole"] + sparse.diags_array(both.astype(np.float64)) @ there["title"]
    said = [text for each in phrases.values() for text in each]
    typical = known.count(read(said).respelt(bare)) if said else None
    total = np.asarray(taught.sum(axis=0)).ravel()
    if typical is not None:
        total = total + np.asarray((typical > 0).sum(axis=0)).ravel()
    number = np.unique(groups.astype(str), return_inverse=True)[1]
    rows = np.arange(len(number))
    members = sparse.csr_array((np.ones(len(rows)), (number, rows)))
    own = (members @ taught).tocsr()[number]
    found = {}
    for kind, each in there.items():
        here = each.multiply(own).tocoo()
        # What stands in the vocabulary though few labelled records hold it was learnt from others.
        kept = (total[here.col] - here.data >= _OFTEN) | (total[here.col] < _OFTEN)
        learnt = sparse.csr_array((kept.astype(np.float64), (here.row, here.col)), shape=each.shape)
        found[kind] = _missing(_total(learnt.multiply(often[kind]).tocsr()), texts[kind])
    return found
