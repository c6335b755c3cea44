"""Counts for reports: how far shares of fields are off, and how often their intervals hold.

    sangkien bench shares                on the sample that travels with the code
    sangkien bench shares --vntc DIR     on VNTC-10: passages_train.parquet and passages_test.parquet too

Reports are drawn from records that the model had not seen: 500 rows (30, 100) of a mix of fields drawn at
random (Dirichlet, all mixes equally likely), or of the mix of the training set. Of each field share the error
is printed in points, on average over fields and reports, of four ways of counting: labels, sums of
probabilities, expectation-maximisation (Saerens, Latinne and Decaestecker 2002), and the corrected shares of
a run. Then how many of the 95 % intervals hold the truth: of all, and of the field that fares worst.

On VNTC-10 the model learns the official training side and is asked about test articles that are no copies
of it, as passages (the first 120 words) and in the length of titles (the first 12 words). On the sample each
fifth of the records is asked about by a model of the other four, copies kept together.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from classify import NEIGHBOURS, PART, fit, head, news, row, sample
from sklearn.model_selection import StratifiedGroupKFold

from pipeline import classify
from pipeline.classify.shares import Errors

TITLE = 12


class Judged(NamedTuple):
    """A model's errors and what it says of records that it never saw."""

    errors: Errors
    chances: np.ndarray
    truth: np.ndarray
    title: np.ndarray


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--vntc", type=Path, help="folder with passages_train.parquet and passages_test.parquet"
    )
    parser.add_argument("--repeats", type=int, default=200, help="how many reports are drawn")
    chosen = parser.parse_args()
    for title in (False, True):
        name = "titles alone" if title else "records"
        table(f"sample, {name}", list(on_the_sample(title=title)), chosen.repeats, sizes=(100, 30))
    for words in (0, TITLE) if chosen.vntc else ():
        name = f"first {words} words" if words else "first 120 words"
        table(f"VNTC-10, {name}", [on_vntc(chosen.vntc, words)], chosen.repeats, sizes=(500, 30))


def table(name: str, judged: list[Judged], repeats: int, *, sizes: tuple[int, int]) -> None:
    """Print how far shares are off in reports of two sizes, of any mix and of the training set's."""
    print(f"\n{name}: {repeats} reports a row")
    head("report", "labels", "sums", "EM", "corrected", "95 % holds", "worst field", "width", "CPU ms")
    for size in sizes:
        for mix in ("any mix", "training mix"):
            row(f"{size} rows, {mix}", *figures(judged, repeats, size, any_mix=mix == "any mix"))


def figures(judged: list[Judged], repeats: int, size: int, *, any_mix: bool) -> list[float]:
    """Return mean errors (points) of the four ways, coverage, that of the worst field, width, CPU ms."""
    off: list[list[float]] = []
    held, widths, spent = [], [], 0.0
    for number in range(repeats):
        each = judged[number % len(judged)]
        rows, true = report(each, size, np.random.default_rng([number, size]), any_mix=any_mix)
        chances, classes = each.chances[rows], np.array(each.errors.classes)
        labels = pd.DataFrame({"field": classes[chances.argmax(axis=1)], "reason": ""})
        started = time.process_time()
        found = classify.report_counts(
            labels, pd.DataFrame(chances, columns=classes), each.errors, title=each.title[rows]
        )
        spent += time.process_time() - started
        ways = (found["share"], chances.mean(axis=0), em(chances, each.errors.mix), found["corrected"])
        off.append([100 * float(np.abs(np.asarray(way) - true).mean()) for way in ways])
        low, high = found["low"].to_numpy(), found["high"].to_numpy()
        held.append((true >= low - 1e-4) & (true <= high + 1e-4))
        widths.append(100 * float((high - low).mean()))
    cover = 100 * np.mean(held, axis=0)
    return [
        *np.mean(off, axis=0).tolist(),
        float(cover.mean()),
        float(cover.min()),
        float(np.mean(widths)),
        1_000 * spent / repeats,
    ]


def report(
    judged: Judged, size: int, random: np.random.Generator, *, any_mix: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a report, and the share of each class in it."""
    classes = len(judged.errors.classes)
    mix = random.dirichlet(np.ones(classes)) if any_mix else judged.errors.mix
    places = [np.flatnonzero(judged.truth == place) for place in range(classes)]
    mix = mix * [len(each) > 0 for each in places]
    counts = random.multinomial(size, mix / mix.sum())
    drawn = [
        random.choice(each, count, replace=count > len(each))
        for each, count in zip(places, counts, strict=True)
        if count
    ]
    return np.concatenate(drawn), counts / size


def em(chances: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """Return the mix that explains probabilities best, which are taken at their word."""
    ratio, found = np.maximum(chances, 1e-4) / mix, mix
    for _ in range(500):
        part = ratio * found
        found = (part / part.sum(axis=1, keepdims=True)).mean(axis=0)
    return found


def on_vntc(folder: Path, words: int) -> Judged:
    """Return what a model of the training side says of test articles that are no copies of it."""
    train, test = (articles(folder / f"passages_{name}.parquet", words) for name in ("train", "test"))
    test = test[~test["in_train"]].reset_index(drop=True)
    groups = [str(number // NEIGHBOURS) for number in range(len(train))]
    return asked(classify.fit(train, train["field"], groups=groups), train, groups, test)


def articles(path: Path, words: int) -> pd.DataFrame:
    """Return articles as records without a title, or as titles of some words."""
    table = news(path)
    table["id"] = [str(number) for number in range(len(table))]
    if not words:
        return table
    short = [" ".join(text.split()[:words]) for text in table["clean_description"]]
    return table.assign(clean_title=short, clean_description="")


def on_the_sample(*, title: bool) -> Iterator[Judged]:
    """Yield what models of four fifths of the sample say of the fifth they never saw."""
    batch, group, *_ = sample()
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for learnt, held in folds.split(batch, batch["field"], group):
        fitted = fit(batch.iloc[learnt], group[learnt])
        test = batch.iloc[held].reset_index(drop=True)
        test = test.assign(clean_description="") if title else test
        yield asked(fitted, batch.iloc[learnt].reset_index(drop=True), group[learnt], test)


def asked(fitted: classify.Fitted, learnt: pd.DataFrame, group: list[str], test: pd.DataFrame) -> Judged:
    """Return what a model says of records, beside its errors."""
    errors = Errors.of_fitted(fitted, learnt, learnt["field"].tolist(), list(group))
    parts = [test.iloc[start : start + PART] for start in range(0, len(test), PART)]
    chances = np.concatenate([classify.score(fitted.model, part).probabilities for part in parts])
    truth = np.searchsorted(errors.classes, test["field"].tolist())
    return Judged(errors, chances, truth, classify.title_only(test))


if __name__ == "__main__":
    main()
