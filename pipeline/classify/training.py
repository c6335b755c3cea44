"""Labelled records → a model: what separates the fields, and how far it may be believed."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.classify import pool
from pipeline.classify.decision import Counts, Flags, Floats, Scores, learn_rules
from pipeline.classify.experts import AUTHORED, MARKED, PLACED, SPELLED, TOLD, Lengths, chosen, table, tells
from pipeline.classify.model import (
    Calibration,
    Expert,
    Model,
    calibrated,
    label_scores,
    probabilities,
)
from pipeline.classify.reading import (
    AUTHOR,
    COUNTED,
    FOLDED,
    KEYED,
    SECTOR,
    UNIT,
    VECTORS,
    WORDS,
    Blocks,
    Reader,
    Rows,
    Vectors,
    blocks,
    counts,
    features,
    title_only,
)
from pipeline.classify.separator import Names, Separator, Votes, Weights, pooled
from pipeline.classify.vocabulary import Vocabulary, Words
from pipeline.errors import UsageError
from pipeline.records import AUTHOR_CODES

PENALTIES: Final = (0.3, 1.0)
HELD_OUT: Final = "held-out"
"""Stands in the column ``model`` of held-out labels: no model in use gave them."""

_FOLDS: Final = 5
_FINE_FOLDS: Final = 10
_FINE: Final = 5_000
_LEAST_ROWS: Final = 2 * _FOLDS
_LEAST_FIELDS: Final = 2
_LEAST_TEXTS: Final = 2
_MANY: Final = 20_000
_SECOND: Final = 0.6
_FEW: Final = 50  # labels a field, beyond which the vectors of syllables bought nothing
_REAL: Final = 3.0


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way of learning: the SVM's C, naive Bayes beside it or not, guesses on unlabelled texts or not."""

    penalty: float
    bayes: bool = False
    pool: bool = False

    def __str__(self) -> str:
        extras = [name for name, on in (("bayes", self.bayes), ("unlabelled", self.pool)) if on]
        return " + ".join([f"C={self.penalty:g}", *extras])


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
    data = _Training.of(
        batch, labels, second=second, groups=groups, beside=_Beside(phrases or {}, unlabelled, reader)
    )
    search = _Search(data, data.folds(_FOLDS, seed), seed)
    search.run()
    fine = data.folds(_FINE_FOLDS, seed) if data.rows <= _FINE else search.folds
    experts, held, columns = {}, {}, {}
    for name, lengths in search.table.items():
        held[name] = _held_out(
            data, fine if name == search.main else search.folds, search.best, lengths, seed
        )
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
    return Fitted(
        model,
        data.in_order(_labels(data, model, held)),
        _later(data, model, search.best, seed),
        data.in_order(_chances(data, model, held)),
        data.in_order(_chances(data, model, held, titles=True)),
        {name: round(loss, 4) for name, loss in search.trials.items()},
        search.chosen,
    )


class _Held(NamedTuple):
    """Held-out votes of the records as they are, and of their titles alone; ``rows`` were held out."""

    rows: Rows
    whole: Votes
    title: Votes


class _Beside(NamedTuple):
    """What is learnt from beside the labels, and what texts are read with."""

    phrases: Mapping[str, Sequence[str]]
    unlabelled: pd.DataFrame | None
    reader: Reader


class _Training:
    """Read once, learnt from many times.

    The rows of ``features`` are the records, their titles alone, the typical phrases, then the unlabelled
    records. Records are sorted, so that a model does not depend on how a table happened to be ordered;
    ``order`` says where each came from.
    """

    def __init__(
        self,
        batch: pd.DataFrame,
        columns: tuple[Names, Names, Names],
        order: Rows,
        beside: _Beside,
    ) -> None:
        phrases, unlabelled, reader = beside
        self.batch, self.order = batch, order
        self.truth, self.second, self.groups = columns
        truth, self.rows = self.truth, len(self.truth)
        self.classes = sorted(set(truth.tolist()))
        self.column = np.searchsorted(self.classes, truth.tolist())
        typical = [(text, code) for code in self.classes for text in phrases.get(code, ())]
        self.typical = _names([code for _, code in typical])
        others = _without_copies(unlabelled, features(batch)) if unlabelled is not None else batch.iloc[:0]
        reader = _worth_a_trial(reader, few=self.few)
        self.texts: Blocks = blocks(
            _table(batch, [text for text, _ in typical], others), [*COUNTED, VECTORS], reader
        )
        self.pool = np.arange(2 * self.rows + len(typical), 2 * self.rows + len(typical) + len(others))
        self.vocabularies = {
            name: Vocabulary.learn(texts) for name, texts in self.texts.items() if isinstance(texts, Words)
        }
        self.features = {
            name: texts.rows if isinstance(texts, Vectors) else self.vocabularies[name].count(texts)
            for name, texts in self.texts.items()
        }
        self.asked: dict[object, _Held] = {}
        self._meanings: Floats | None = None

    @classmethod
    def of(
        cls,
        batch: pd.DataFrame,
        labels: Sequence[str],
        *,
        second: Sequence[str] | None,
        groups: Sequence[str] | None,
        beside: _Beside,
    ) -> _Training:
        """Return the training set of labelled rows, checked and sorted."""
        texts, truth = _names(features(batch)), _names(labels)
        also = _names([""] * len(truth) if second is None else second)
        together = texts if groups is None else _names(groups)
        _check(truth, together)
        order = np.lexsort([together, also, truth, texts])
        if (others := beside.unlabelled) is not None:
            others = others.iloc[np.argsort(_names(features(others)), kind="stable")]
        columns = truth[order], also[order], together[order]
        return cls(batch.iloc[order], columns, order, beside._replace(unlabelled=others))

    @property
    def few(self) -> bool:
        """Whether people gave few labels a field."""
        return self.rows < _FEW * len(self.classes)

    def folds(self, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
        """Return (training rows, held-out rows) of each fold; of many records one fold only."""
        found = _folds(self.truth, self.groups, parts, seed)
        return found[:1] if self.rows > _MANY else found

    def learnt(self, rows: Rows) -> tuple[Rows, Names, Floats]:
        """Return the rows of ``features`` that labelled ``rows`` give, their fields and their weights."""
        # The title of a record that has nothing else would be the same row again.
        titles = rows[(self.has_title() & ~title_only(self.batch))[rows]]
        also = rows[np.isin(self.second[rows], self.classes)]
        places = (rows, titles + self.rows, also, np.arange(2 * self.rows, 2 * self.rows + len(self.typical)))
        fields = (self.truth[rows], self.truth[titles], self.second[also], self.typical)
        share = np.ones(sum(map(len, places)))
        start = len(rows) + len(titles)
        share[start : start + len(also)] = _SECOND
        return np.concatenate(places), np.concatenate(fields), share

    def learn(
        self, rows: Rows, candidate: Candidate, lengths: Lengths, seed: int
    ) -> tuple[dict[str, Rows], Separator]:
        """Return the columns of each block that ``rows`` would have made known, and what separates them."""
        places, fields, share = self.learnt(rows)
        every = places
        if candidate.pool:
            guessed, taken_for = self._guesses(rows, seed)
            every = np.concatenate([places, self.pool])
            places, fields = np.concatenate([places, guessed]), np.concatenate([fields, taken_for])
            share = np.concatenate([_REAL * share, np.ones(len(guessed))])
        seen = {name: self.features[name][every] for name in lengths}
        columns = {name: _known(part) for name, part in seen.items()}
        known = {name: part[:, columns[name]] for name, part in seen.items()}
        if not any(len(some) for name, some in columns.items() if name in SPELLED[MARKED]):
            raise UsageError(
                "The labelled records have too few words in common to learn from. Label more rows."
            )
        weights = Weights.fit(known, lengths)
        if candidate.pool:
            known = {name: self.features[name][places][:, columns[name]] for name in lengths}
        weighted = weights.apply(known)
        return columns, Separator.fit(
            weights, weighted, fields, share, penalty=candidate.penalty, bayes=candidate.bayes, seed=seed
        )

    def _guesses(self, rows: Rows, seed: int) -> tuple[Rows, Names]:
        if self._meanings is None:
            lengths = SPELLED[MARKED]
            text = {name: self.features[name] for name in lengths}
            self._meanings = pool.meanings(Weights.fit(text, lengths).apply(text).matrix, seed=seed)
        return pool.guesses(self._meanings, rows, self.truth[rows], self.pool)

    def votes(self, separator: Separator, columns: Mapping[str, Rows], rows: Rows) -> Votes:
        """Return the votes on some rows of ``features``, a column each of ``classes``."""
        found = separator.votes({name: self.features[name][rows][:, some] for name, some in columns.items()})
        return tuple(self._spread(vote, separator.classes) for vote in found)

    def _spread(self, vote: Floats, classes: Sequence[str]) -> Floats:
        # A field that the fold never saw is as unlikely as anything it did see.
        spread = np.repeat(vote.min(axis=1, keepdims=True), len(self.classes), axis=1)
        spread[:, np.searchsorted(self.classes, classes)] = vote
        return spread

    def seen(self, rows: Rows) -> tuple[Counts, Floats]:
        """Return some records' number of syllables, and the share of them that is unknown."""
        some = counts(self.texts, FOLDED).of(rows)
        return some.sizes(), self.vocabularies[FOLDED].unknown(some)

    def has_title(self) -> Flags:
        """Return which records have words in their title."""
        return counts(self.texts, KEYED).sizes()[self.rows : 2 * self.rows] > 0

    def records(self) -> Blocks:
        """Return what was read of the records."""
        rows = np.arange(self.rows)
        return {name: counts(self.texts, name).of(rows) for name in (KEYED, UNIT, SECTOR, AUTHOR)}

    def experts(self, names: Collection[str]) -> Names:
        """Return which separator each record belongs to."""
        return chosen(self.records(), names)

    def in_order(self, labels: pd.DataFrame) -> pd.DataFrame:
        """Return labels indexed by row in the order in which the records were given."""
        labels = labels.set_index(self.order[labels.index])
        return labels.sort_index().reset_index(drop=True)


_READ: Final = ("clean_title", "clean_description", "unit", "sector", AUTHOR_CODES)


def _table(batch: pd.DataFrame, phrases: Sequence[str], others: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in _READ if name in batch]
    rows = batch[columns]
    typical = pd.DataFrame({"clean_title": list(phrases), "clean_description": ""}, dtype="str")
    parts = [rows, rows.assign(clean_description=""), typical, others.reindex(columns=columns)]
    return pd.concat(parts, ignore_index=True).fillna("")


def _worth_a_trial(reader: Reader, *, few: bool) -> Reader:
    """Return what is tried: beside vectors, words only mislead a model of few labels."""
    if few and reader.encoder:
        return replace(reader, cut=None)
    return replace(reader, encoder=None) if reader.few and not few else reader


def _without_copies(others: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Return the records of other text than ``texts``, each once: no held-out row must be guessed on."""
    found = pd.Series(features(others), index=others.index)
    return others[~found.isin(set(texts)) & ~found.duplicated()]


def _names(values: Sequence[str]) -> Names:
    return np.array(list(values), dtype=object)


def _known(block: Any) -> Rows:
    """Return the columns that occur in two texts or more; all columns of vectors."""
    if isinstance(block, np.ndarray):
        return np.arange(block.shape[1])
    return np.flatnonzero(np.bincount(block.indices, minlength=block.shape[1]) >= _LEAST_TEXTS)


def _check(truth: Names, groups: Names) -> None:
    fields, independent = len(set(truth)), len(set(groups))
    if len(truth) < _LEAST_ROWS or fields < _LEAST_FIELDS or independent < _FOLDS:
        raise UsageError(
            "{rows} labelled rows ({independent} of them different) in {fields} fields are too few to learn "
            "from: at least {least} rows in {least_fields} fields are needed. Label more (column field).",
            rows=len(truth),
            independent=independent,
            fields=fields,
            least=_LEAST_ROWS,
            least_fields=_LEAST_FIELDS,
        )


def _folds(truth: Names, groups: Names, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return (training rows, held-out rows) of each fold; a group is never on both sides."""
    most = int(np.unique(truth.astype(str), return_counts=True)[1].max())
    parts = min(parts, max(most, 2))  # scikit-learn refuses more folds than the largest field has rows
    with warnings.catch_warnings():
        # A field with fewer rows than folds is missing from some, which `_Training.votes` provides for.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        split = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(
            truth, truth.astype(str), groups
        )
        folds = [(training, test) for training, test in split if len(test)]
    return [(training, test) for training, test in folds if len(set(truth[training])) > 1]


_NAMED: Final = {PLACED: "workplace", AUTHORED: "author's field"}
_BESIDE: Final = ((WORDS, (1.0,)), (VECTORS, (0.5, 1.0, 2.0)))


class _Search:
    """What is learnt, and what is read, by the log loss on rows that a fold never saw.

    First the candidates are compared, then each thing that may be read beside the text is taken up if the
    loss is lower with it: what records tell, on the records that tell it, then words and vectors.

    Attributes:
        trials: The loss of everything that was tried, by name.
        best: The candidate taken.
        kinds: What of `experts.TOLD` is read.
        beside: What is read beside the syllables of texts with marks, and its length.
    """

    def __init__(self, data: _Training, folds: list[tuple[Rows, Rows]], seed: int) -> None:
        self.data, self.folds, self.seed = data, folds, seed
        self.trials: dict[str, float] = {}
        texts = data.records()
        self.told = {kind: tells(texts, kind) for kind in TOLD}
        self.kinds = [kind for kind, rows in self.told.items() if rows.sum() >= _LEAST_ROWS]
        self.beside: dict[str, float] = {}
        self.best = Candidate(PENALTIES[0])

    def run(self) -> None:
        """Compare everything, the simplest first."""
        lengths = self.table[self.main]
        losses = {candidate: self.loss(candidate, lengths) for candidate in self.candidates()}
        self.best = min(losses, key=losses.__getitem__)
        self.trials |= {str(candidate): loss for candidate, loss in losses.items()}
        self.told_kinds()
        for block, choices in _BESIDE:
            if block in self.data.texts:
                self.read_beside(block, choices)

    def candidates(self) -> list[Candidate]:
        """Return the ways of learning."""
        data = self.data
        pooled = len(data.pool) >= pool.LEAST and data.rows < pool.MOST_LABELS * len(data.classes)
        return [
            Candidate(penalty, bayes, with_pool)
            for with_pool in ((False, True) if pooled else (False,))
            for penalty in PENALTIES
            for bayes in (False, True)
        ]

    @property
    def table(self) -> dict[str, dict[str, float]]:
        """What each separator reads, as far as is known."""
        return table(self.kinds, self.beside)

    @property
    def main(self) -> str:
        """The separator that most records belong to."""
        found, sizes = np.unique(self.data.experts(self.table).astype(str), return_counts=True)
        return str(found[sizes.argmax()])

    def told_kinds(self) -> None:
        """Keep, of what records tell, what lowers the loss on those that tell it."""
        kept: list[str] = []
        for kind in self.kinds:
            before, after = (
                self.loss(self.best, table(kinds)["_".join([MARKED, *kinds])], self.told[kind])
                for kinds in (kept, [*kept, kind])
            )
            self.trials |= {f"without {_NAMED[kind]}": before, f"with {_NAMED[kind]}": after}
            if after < before:
                kept.append(kind)
        self.kinds = kept

    def read_beside(self, block: str, choices: Sequence[float]) -> None:
        """Read a block beside the syllables, with the length that lowers the loss most, if any does."""
        lengths = self.table[self.main]
        if not lengths.keys() >= SPELLED[MARKED].keys():
            return  # most texts are typed without marks
        without = self.loss(self.best, lengths)
        tried = {length: self.loss(self.best, {**lengths, block: length}) for length in choices}
        self.trials |= {f"without {block}": without}
        self.trials |= {f"with {block} ({length:g})": loss for length, loss in tried.items()}
        best = min(tried, key=tried.__getitem__)
        if tried[best] < without:
            self.beside[block] = best

    def loss(self, candidate: Candidate, lengths: Lengths, rows: Flags | None = None) -> float:
        """Return the log loss on held-out records, of ``rows`` only if they are given."""
        held = _held_out(self.data, self.folds, candidate, lengths, self.seed)
        here = slice(None) if rows is None else rows[held.rows]
        return _temperatures(tuple(vote[here] for vote in held.whole), self.data.column[held.rows[here]])[1]

    @property
    def chosen(self) -> str:
        """What was taken, in words."""
        told = [_NAMED[kind] for kind in self.kinds]
        return " + ".join([str(self.best), *told, *(f"{name} ({by:g})" for name, by in self.beside.items())])


def _held_out(
    data: _Training,
    folds: list[tuple[Rows, Rows]],
    candidate: Candidate,
    lengths: Lengths,
    seed: int,
) -> _Held:
    """Return the votes on each held-out record and title from the fold that never saw it."""
    # Naive Bayes costs next to nothing beside the SVM, so both are asked once and either can be left out.
    both = replace(candidate, bayes=True)
    key = both, tuple(sorted(lengths.items())), tuple(len(test) for _, test in folds)
    if key not in data.asked:
        data.asked[key] = _votes(data, folds, both, lengths, seed)
    found = data.asked[key]
    return found if candidate.bayes else _Held(found.rows, found.whole[:1], found.title[:1])


def _votes(
    data: _Training,
    folds: list[tuple[Rows, Rows]],
    candidate: Candidate,
    lengths: Lengths,
    seed: int,
) -> _Held:
    parts = []
    for training, test in folds:
        columns, separator = data.learn(training, candidate, lengths, seed)
        whole = data.votes(separator, columns, test)
        parts.append((test, whole, data.votes(separator, columns, test + data.rows)))
    rows = np.concatenate([test for test, _, _ in parts])
    order = np.argsort(rows)
    joined = (
        tuple(np.concatenate(vote)[order] for vote in zip(*(part[which] for part in parts), strict=True))
        for which in (1, 2)
    )
    return _Held(rows[order], *joined)


def _calibrations(data: _Training, held: _Held, precision: float) -> tuple[Calibration, Calibration]:
    """Return the calibrations of whole records and of titles; too few of one kind lean on all records."""
    described, titled = ~title_only(data.batch)[held.rows], data.has_title()[held.rows]
    everything = np.ones(len(held.rows), dtype=bool)
    whole = _calibrate(
        data, held.rows, held.whole, described if described.sum() >= _LEAST_ROWS else everything, precision
    )
    if titled.sum() < _LEAST_ROWS:
        return whole, whole
    return whole, _calibrate(data, held.rows, held.title, titled, precision)


def _calibrate(data: _Training, rows: Rows, votes: Votes, which: Flags, precision: float) -> Calibration:
    """Return the calibration that held-out votes on some rows support."""
    some, place = tuple(vote[which] for vote in votes), rows[which]
    temperatures, _ = _temperatures(some, data.column[place])
    rules = learn_rules(
        probabilities(some, temperatures),
        data.classes,
        data.truth[place].tolist(),
        second=data.second[place].tolist(),
        precision=precision,
    )
    return Calibration(temperatures=temperatures, rules=rules)


def _temperatures(votes: Votes, column: Rows) -> tuple[tuple[float, ...], float]:
    """Return the temperatures at which the log loss of held-out votes is least, and that loss.

    One number a voter, as in Guo et al., *On calibration of modern neural networks* (ICML 2017), and one for
    the mean of several. ``column`` is the right class of each row.
    """
    rows = np.arange(len(column))

    def coolest(some: Sequence[Floats], fixed: tuple[float, ...]) -> tuple[float, float]:
        def loss(log_temperature: float) -> float:
            return float(-pooled(some, (*fixed, float(np.exp(log_temperature))))[rows, column].mean())

        found = minimize_scalar(loss, bounds=(-5.0, 4.0), method="bounded")
        return float(np.exp(found.x)), float(found.fun)

    each = [coolest([vote], ()) for vote in votes]
    alone = tuple(heat for heat, _ in each)
    if len(votes) == 1:
        return alone, each[0][1]
    together, least = coolest(votes, alone)
    return (*alone, together), least


def _labels(data: _Training, model: Model, held: Mapping[str, _Held]) -> pd.DataFrame:
    """Return the labels that held-out votes give, indexed by row."""
    rows = held["marked"].rows
    batch, expert = data.batch.iloc[rows], data.experts(model.experts)[rows]
    scores = Scores(_chances(data, model, held).to_numpy(), *data.seen(rows))
    return label_scores(model, batch, scores, expert, name=HELD_OUT).set_index(rows)


def _chances(
    data: _Training, model: Model, held: Mapping[str, _Held], *, titles: bool = False
) -> pd.DataFrame:
    """Return the probabilities that held-out votes give, indexed by row, a column a field."""
    rows = held["marked"].rows
    expert, alone = data.experts(model.experts)[rows], title_only(data.batch.iloc[rows]) | titles
    found = np.zeros((len(rows), len(data.classes)))
    for name, each in model.experts.items():
        here = expert == name
        votes = tuple(vote[here] for vote in (held[name].title if titles else held[name].whole))
        found[here] = calibrated(votes, each.whole, each.title, alone[here])
    return pd.DataFrame(found, index=rows, columns=data.classes)


def _later(data: _Training, model: Model, candidate: Candidate, seed: int) -> pd.DataFrame:
    """Return the labels that a model of the earlier records gives the last fifth of the dated ones."""
    dates = (
        data.batch["submitted"].astype("str").to_numpy(dtype=object) if "submitted" in data.batch else None
    )
    if dates is None or (dates != "").sum() < _FOLDS * _LEAST_ROWS:
        return pd.DataFrame({"id": []}, dtype="str")
    dated = np.flatnonzero(dates != "")
    border = sorted(dates[dated])[-(len(dated) // _FOLDS)]
    new = dated[dates[dated] >= border]
    # A copy of a later record must not have taught the model that is asked about it.
    old = np.flatnonzero((dates < border) & ~np.isin(data.groups, data.groups[new]))
    if len(set(data.truth[old])) < _LEAST_FIELDS:
        return pd.DataFrame({"id": []}, dtype="str")
    held = {
        name: _held_out(data, [(old, new)], candidate, expert.reads, seed)
        for name, expert in model.experts.items()
    }
    return data.in_order(_labels(data, model, held))
