"""Labelled records → a model: what separates the fields, and how far it may be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.classify.decision import Flags, Scores, learn_rules
from pipeline.classify.examples import FOLDS, LEAST_FIELDS, LEAST_ROWS, Beside, Examples
from pipeline.classify.model import (
    Calibration,
    Expert,
    Model,
    calibrated,
    label_scores,
    probabilities,
)
from pipeline.classify.reading import COUNTED, Reader, Rows, title_only
from pipeline.classify.search import Held, Search, temperatures
from pipeline.classify.separator import Votes

HELD_OUT: Final = "held-out"
"""Stands in the column ``model`` of held-out labels: no model in use gave them."""

_FINE_FOLDS: Final = 10
_FINE: Final = 5_000


class Fitted(NamedTuple):
    """A model, the labels its rows get from those folds that never saw the row, and how it was chosen.

    ``held_out`` has a row an id that was held out, in the order given. ``later`` are the labels that a model
    of the earlier four fifths gives the last fifth (empty where no dates are known). ``chances`` has the
    probability of every field (columns) for each row of ``held_out``, ``titles`` for its title alone.
    ``trials`` tells the log loss of each candidate on rows it had not seen, ``chosen`` which one was taken.
    """

    model: Model
    held_out: pd.DataFrame
    later: pd.DataFrame
    chances: pd.DataFrame
    titles: pd.DataFrame
    trials: dict[str, float]
    chosen: str


def fit(  # noqa: PLR0913 - what the labels are, what belongs together, and what the labels mean
    batch: pd.DataFrame,
    labels: Sequence[str],
    *,
    second: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    phrases: Mapping[str, Sequence[str]] | None = None,
    unlabelled: pd.DataFrame | None = None,
    reader: Reader | None = None,
    taxonomy: str = "",
    precision: float = 0.95,
    seed: int = 0,
) -> Fitted:
    """Return the model of labelled records, and what was learnt about it on records it had not seen.

    C, whether naive Bayes votes beside the SVM, whether workplace, author's field, words or vectors are read,
    whether unlabelled texts help, temperatures and thresholds come from 5 folds in which records of one group
    stay together (one fold held out, where there are more than 20,000 records). Up to 5,000 records the
    separator that most belong to is calibrated on 10 folds: that of nine tenths of few records is nearly as
    sure as that of all, that of four fifths is not. Every title is learnt, and calibrated, a second time
    alone, so that a record without a description is no stranger. The order of the rows does not matter.

    Args:
        batch: Columns ``id``, ``clean_title``, ``clean_description``; ``unit``, ``sector``, ``author_codes``
            and ``submitted`` are looked at where they are.
        labels: A field code a row.
        second: A second acceptable code a row, or ``""``; it is learnt from as well, with less weight, and
            counts as right when thresholds are set.
        groups: Rows with the same name here are copies of one another; by default, rows of equal text are.
        phrases: What is typical of a field, in words; learnt from like titles.
        unlabelled: Records of the same kind without labels, the same columns; tried from 2,000 on where a
            field has fewer than 200 labels on average.
        reader: What texts may be read with beside; the model needs it too.
        taxonomy: The version of the taxonomy the codes belong to.
        precision: The share (0 to 1) of accepted labels that must be right, see `learn_rules`.
        seed: Decides how groups fall into folds.

    Raises:
        UsageError: Fewer than 10 rows, or fewer than two fields, are labelled; or no words recur.
    """
    reader = reader or Reader()
    data = Examples.of(
        batch, labels, second=second, groups=groups, beside=Beside(phrases or {}, unlabelled, reader)
    )
    search = Search(data, data.folds(FOLDS, seed), seed)
    search.run()
    fine = data.folds(_FINE_FOLDS, seed) if data.rows <= _FINE else search.folds
    experts, held, columns = {}, {}, {}
    for name, lengths in search.table.items():
        folds = fine if name == search.main else search.folds
        held[name] = search.held_out(search.best, lengths, folds)
        whole, title = _calibrations(data, held[name], precision)
        known, everything = data.learn(np.arange(data.rows), search.best, lengths, seed)
        columns.update(known)
        experts[name] = Expert(separator=everything, reads=lengths, whole=whole, title=title)
    model = Model(
        # What only unused rows hold is not known.
        vocabularies={
            name: data.vocabularies[name].only(columns[name]) for name in COUNTED if name in columns
        },
        experts=experts,
        taxonomy=taxonomy,
        reader=reader,
    )
    # A fold that would teach one field only is left out, and other folds leave out other rows.
    rows = reduce(np.intersect1d, [each.rows for each in held.values()])
    held = {name: each.of(rows) for name, each in held.items()}
    return Fitted(
        model,
        data.in_order(_labels(data, model, held)),
        _later(data, model, search),
        data.in_order(_chances(data, model, held)),
        data.in_order(_chances(data, model, held, titles=True)),
        {name: round(loss, 4) for name, loss in search.trials.items()},
        search.chosen,
    )


def _calibrations(data: Examples, held: Held, precision: float) -> tuple[Calibration, Calibration]:
    """Return the calibrations of whole records and of titles; too few of one kind lean on all records."""
    described, titled = ~title_only(data.batch)[held.rows], data.has_title()[held.rows]
    everything = np.ones(len(held.rows), dtype=bool)
    whole = _calibrate(
        data, held.rows, held.whole, described if described.sum() >= LEAST_ROWS else everything, precision
    )
    if titled.sum() < LEAST_ROWS:
        return whole, whole
    return whole, _calibrate(data, held.rows, held.title, titled, precision)


def _calibrate(data: Examples, rows: Rows, votes: Votes, which: Flags, precision: float) -> Calibration:
    """Return the calibration that held-out votes on some rows support."""
    some, place = tuple(vote[which] for vote in votes), rows[which]
    heats, _ = temperatures(some, data.column[place])
    rules = learn_rules(
        probabilities(some, heats),
        data.classes,
        data.truth[place].tolist(),
        second=data.second[place].tolist(),
        precision=precision,
    )
    return Calibration(temperatures=heats, rules=rules)


def _labels(data: Examples, model: Model, held: Mapping[str, Held]) -> pd.DataFrame:
    """Return the labels that held-out votes give, indexed by row."""
    rows = held["marked"].rows
    batch, expert = data.batch.iloc[rows], data.experts(model.experts)[rows]
    scores = Scores(_chances(data, model, held).to_numpy(), *data.seen(rows))
    return label_scores(model, batch, scores, expert, name=HELD_OUT).set_index(rows)


def _chances(data: Examples, model: Model, held: Mapping[str, Held], *, titles: bool = False) -> pd.DataFrame:
    """Return the probabilities that held-out votes give, indexed by row, a column a field."""
    rows = held["marked"].rows
    expert, alone = data.experts(model.experts)[rows], title_only(data.batch.iloc[rows]) | titles
    found = np.zeros((len(rows), len(data.classes)))
    for name, each in model.experts.items():
        here = expert == name
        votes = tuple(vote[here] for vote in (held[name].title if titles else held[name].whole))
        found[here] = calibrated(votes, each.whole, each.title, alone[here])
    return pd.DataFrame(found, index=rows, columns=data.classes)


def _later(data: Examples, model: Model, search: Search) -> pd.DataFrame:
    """Return the labels that a model of the earlier records gives the last fifth of the dated ones."""
    dates = (
        data.batch["submitted"].astype("str").to_numpy(dtype=object) if "submitted" in data.batch else None
    )
    if dates is None or (dates != "").sum() < FOLDS * LEAST_ROWS:
        return pd.DataFrame({"id": []}, dtype="str")
    dated = np.flatnonzero(dates != "")
    border = sorted(dates[dated])[-(len(dated) // FOLDS)]
    new = dated[dates[dated] >= border]
    # A copy of a later record must not have taught the model that is asked about it.
    old = np.flatnonzero((dates < border) & ~np.isin(data.groups, data.groups[new]))
    if len(set(data.truth[old])) < LEAST_FIELDS:
        return pd.DataFrame({"id": []}, dtype="str")
    held = {
        name: search.held_out(search.best, expert.reads, [(old, new)])
        for name, expert in model.experts.items()
    }
    return data.in_order(_labels(data, model, held))
