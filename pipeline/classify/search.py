"""What is learnt, and what is read for it, by what it costs on records that a fold never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from pipeline.classify import pool
from pipeline.classify.decision import Flags, Floats
from pipeline.classify.examples import LEAST_ROWS, Candidate, Examples
from pipeline.classify.experts import AUTHORED, MARKED, PLACED, SPELLED, TOLD, Lengths, table, tells
from pipeline.classify.reading import VECTORS, WORDS, Rows
from pipeline.classify.separator import Votes, pooled

PENALTIES: Final = (0.3, 1.0)
_NAMED: Final = {PLACED: "workplace", AUTHORED: "author's field"}
_BESIDE: Final = ((WORDS, (1.0,)), (VECTORS, (0.5, 1.0, 2.0)))


class Held(NamedTuple):
    """Held-out votes of the records as they are, and of their titles alone; ``rows`` were held out."""

    rows: Rows
    whole: Votes
    title: Votes

    def of(self, rows: Rows) -> Held:
        """Return the votes on some of the rows, in rising order."""
        here = np.searchsorted(self.rows, rows)
        whole, title = (tuple(vote[here] for vote in votes) for votes in (self.whole, self.title))
        return Held(rows, whole, title)


class Search:
    """What is learnt, and what is read, by the log loss on rows that a fold never saw.

    First the candidates are compared, then each thing that may be read beside the text is taken up if the
    loss is lower with it: what records tell, on the records that tell it, then words and vectors.

    Attributes:
        trials: The loss of everything that was tried, by name.
        best: The candidate taken.
        kinds: What of `experts.TOLD` is read.
        beside: What is read beside the syllables of texts with marks, and its length.
    """

    def __init__(self, data: Examples, folds: list[tuple[Rows, Rows]], seed: int) -> None:
        self.data, self.folds, self.seed = data, folds, seed
        self.trials: dict[str, float] = {}
        self._asked: dict[object, Held] = {}
        texts = data.records()
        self.told = {kind: tells(texts, kind) for kind in TOLD}
        self.kinds = [kind for kind, rows in self.told.items() if rows.sum() >= LEAST_ROWS]
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

    def held_out(
        self, candidate: Candidate, lengths: Lengths, folds: Sequence[tuple[Rows, Rows]] | None = None
    ) -> Held:
        """Return the votes on each held-out record and title from the fold that never saw it."""
        folds = self.folds if folds is None else folds
        # Naive Bayes costs next to nothing beside the SVM, so both are asked once and either can be left out.
        both = replace(candidate, bayes=True)
        key = both, tuple(sorted(lengths.items())), tuple(len(test) for _, test in folds)
        if key not in self._asked:
            self._asked[key] = _votes(self.data, folds, both, lengths, self.seed)
        found = self._asked[key]
        return found if candidate.bayes else Held(found.rows, found.whole[:1], found.title[:1])

    def loss(self, candidate: Candidate, lengths: Lengths, rows: Flags | None = None) -> float:
        """Return the log loss on held-out records, of ``rows`` only if they are given."""
        held = self.held_out(candidate, lengths)
        here = slice(None) if rows is None else rows[held.rows]
        return temperatures(tuple(vote[here] for vote in held.whole), self.data.column[held.rows[here]])[1]

    @property
    def chosen(self) -> str:
        """What was taken, in words."""
        told = [_NAMED[kind] for kind in self.kinds]
        return " + ".join([str(self.best), *told, *(f"{name} ({by:g})" for name, by in self.beside.items())])


def _votes(
    data: Examples,
    folds: Sequence[tuple[Rows, Rows]],
    candidate: Candidate,
    lengths: Lengths,
    seed: int,
) -> Held:
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
    return Held(rows[order], *joined)


def temperatures(votes: Votes, column: Rows) -> tuple[tuple[float, ...], float]:
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
