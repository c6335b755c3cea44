"""Fields: how good on the sample and on public news, how fast.

    sangkien bench classify                    on the sample that travels with the code
    sangkien bench classify --vntc DIR         on VNTC-10: passages_train.parquet and passages_test.parquet

On the sample: repeated 5-fold over the long initiatives (`archive.csv`) and their copies (`batch_*`); the
copies of an initiative stand on its side, the short registrations (`labelled.csv`) are always learnt from.
Everything that is chosen (candidate, temperatures, thresholds) is chosen from the training side.

On VNTC-10 (https://github.com/duyvuleo/VNTC): the first 120 words of each article, official split. Articles
that stand side by side in the collection come from one paper and time: 400 neighbours are one group when
folds are cut, so that temperatures are not learnt from stories that the training side also tells.
With few labels, so many articles a class keep theirs and 10,000 others are handed over without. Vectors of
syllables are not tried there: they were learnt from these articles. They are on the sample: so many
initiatives a field of two of its three sources (and of the short registrations) are learnt from, the third is
asked.

Speed is CPU seconds of this process; the ratio of training to vectorising is the figure to compare.
"""

from __future__ import annotations

import argparse
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from pipeline import classify, dedupe, evaluate, normalize, read, starter
from pipeline.classify.reading import FOLDED, KEYED, Reader, blocks, counts
from pipeline.classify.vocabulary import Vocabulary
from pipeline.records import SAME
from pipeline.settings import checkout
from pipeline.taxonomy import default

NEIGHBOURS = 400
POOL = 10_000
PART = 2_000
FEW = (10, 30)
FEW_TEST = 4_000
FEW_SAMPLE = (10, 20, 35)
TEXT = ["clean_title", "clean_description"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--vntc", type=Path, help="folder with passages_train.parquet and passages_test.parquet"
    )
    parser.add_argument("--repeats", type=int, default=2, help="how often the sample is cut into folds")
    parser.add_argument("--seeds", type=int, default=2, help="how often few labels are drawn")
    parts = ["sample", "vectors", "full", "words", "few"]
    parser.add_argument("--only", choices=parts, action="append", help="leave out the rest")
    chosen = parser.parse_args()
    parts = chosen.only or parts
    if "sample" in parts:
        on_the_sample(chosen.repeats)
    if "vectors" in parts:
        with_vectors(chosen.seeds)
    if chosen.vntc and "full" in parts:
        on_vntc(chosen.vntc)
    if chosen.vntc and "words" in parts:
        with_words(chosen.vntc)
    if chosen.vntc and "few" in parts:
        with_few_labels(chosen.vntc, chosen.seeds)


def on_the_sample(repeats: int) -> None:
    """Print how good fields of long initiatives are, and without this or that."""
    batch, group, long, copy = sample()
    print(f"\nsample: {long.sum()} long initiatives, {repeats} x 5 folds")
    head("what is read", "macro-F1", "acc", "acc+field2", "worst", "ECE", "auto", "auto right")
    seen: dict[str, list[pd.DataFrame]] = {}
    for seed in range(repeats):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        originals = np.flatnonzero(long)
        for _, test in folds.split(originals, batch["field"].to_numpy()[originals], group[originals]):
            rows = originals[test]
            learnt = ~np.isin(group, group[rows]) & (long | copy | (batch["kind"] == "short").to_numpy())
            fitted = fit(batch[learnt], group[learnt])
            for name, table in forms(batch.iloc[rows]).items():
                labels = classify.label(fitted.model, table, name=f"{seed}")
                seen.setdefault(name, []).append(
                    labels.assign(true=table["field"].to_numpy(), also=table["field2"].to_numpy())
                )
    for name, tables in seen.items():
        rounds = [part for _, part in pd.concat(tables).groupby("model")]
        row(name, *np.mean([figures(part) for part in rounds], axis=0))


def sample() -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Return the records of the sample, each one's group of copies, and which are long or copies of those."""
    folder = checkout("data", "sample")
    parts = {
        "long": ["archive.csv"],
        "short": ["labelled.csv"],
        "copy": ["batch_unions.csv", "batch_portal.xlsx"],
    }
    tables = [
        normalize.frame(read.tables([folder / file for file in files]).batch).assign(kind=kind)
        for kind, files in parts.items()
    ]
    batch = pd.concat(tables, ignore_index=True)
    fields = pd.read_csv(folder / "batch_labels.csv", dtype="str", keep_default_na=False).set_index("id")
    for column in ("field", "field2"):
        batch[column] = (
            batch[column].where(batch["kind"] != "copy", batch["id"].map(fields[column])).fillna("")
        )
    pairs = starter.judged(folder / "pairs.csv")
    same = pairs[pairs["relation"].isin(SAME)]
    alike = [(a, b, 1.0) for a, b in zip(same["id_a"], same["id_b"], strict=True)]
    members = dict(dedupe.group(batch["id"].tolist(), alike))
    group = [members.get(name, name) for name in batch["id"]]
    kind = batch["kind"].to_numpy()
    return batch, np.array(group, dtype=object), kind == "long", kind == "copy"


def fit(batch: pd.DataFrame, group: Sequence[str]) -> classify.Fitted:
    """Return what is learnt from records of the sample."""
    batch = batch.reset_index(drop=True)
    return classify.fit(
        batch,
        batch["field"],
        second=batch["field2"],
        groups=list(group),
        phrases=starter.phrases(default()),
        reader=starter.Readers().to_learn(),
    )


def forms(batch: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the same records as people might also have handed them in."""
    nowhere = batch.assign(unit="", sector="")
    return {
        "everything": batch,
        "everything, no marks": respelt(batch, normalize.fold),
        "title, workplace": batch.assign(clean_description=""),
        "text": nowhere,
        "text, no marks": respelt(nowhere, normalize.fold),
        "title": nowhere.assign(clean_description=""),
    }


def respelt(batch: pd.DataFrame, spell) -> pd.DataFrame:  # noqa: ANN001 - str to str
    """Return records with other spelling."""
    return batch.assign(**{column: batch[column].map(spell) for column in TEXT})


def figures(labels: pd.DataFrame) -> list[float]:
    """Return macro-F1, accuracy, that with field2, worst field, ECE, share automatic and of those right."""
    found = judged(labels, labels["true"], labels["also"])
    worst = found.fields.loc[found.fields["true"] > 0, "f1"].min()
    return [
        found.macro_f1,
        found.accuracy,
        found.accuracy_second,
        worst,
        found.ece or 0.0,
        found.coverage or 0.0,
        found.precision_auto or 0.0,
    ]


def judged(
    labels: pd.DataFrame, truth: Sequence[str], second: Sequence[str] | None = None
) -> evaluate.Labels:
    """Return how good labels are."""
    return evaluate.labels(
        list(truth), labels["field"].tolist(), second=None if second is None else list(second),
        probability=labels["probability"].tolist(), auto=(labels["decision"] == "auto").tolist(),
    )  # fmt: skip


def on_vntc(folder: Path) -> None:
    """Print how good and how fast fields of news are."""
    train, test = (news(folder / f"passages_{name}.parquet") for name in ("train", "test"))
    groups = [str(number // NEIGHBOURS) for number in range(len(train))]
    started = time.process_time()
    texts = blocks(train, [KEYED, FOLDED], Reader())
    for name in (KEYED, FOLDED):
        Vocabulary.learn(counts(texts, name)).count(counts(texts, name))
    vectorised = time.process_time() - started
    started = time.process_time()
    fitted = classify.fit(train, train["field"], groups=groups)
    trained = time.process_time() - started
    print(f"\nVNTC-10: {len(train):,} articles learnt, {len(test):,} asked; {fitted.chosen}")
    rest = trained / vectorised - 1
    print(
        f"vectorised in {vectorised:.1f} CPU s; trained in {trained:.1f}, that included: {rest:.2f} x beyond"
    )
    started = time.process_time()
    labels = labelled(fitted.model, test)
    print(f"predicted {len(test) / (time.process_time() - started):,.0f} passages a CPU second")
    head("form", "acc", "macro-F1", "ECE", "acc at 80 %", "auto", "auto right")
    kept = ~test["in_train"].to_numpy()
    news_row("as written", labels, test)
    news_row("no copies of training", labels[kept], test[kept])
    news_row(
        "NFD",
        labelled(fitted.model, respelt(test, lambda text: unicodedata.normalize("NFD", text))),
        test,
    )
    news_row("no marks", labelled(fitted.model, respelt(test, normalize.fold)), test)


def with_words(folder: Path) -> None:
    """Print how good and how fast fields of news are where words may be read too."""
    train, test = (news(folder / f"passages_{name}.parquet") for name in ("train", "test"))
    started = time.process_time()
    fitted = classify.fit(
        train,
        train["field"],
        groups=[str(number // NEIGHBOURS) for number in range(len(train))],
        reader=replace(starter.Readers().to_learn(), encoder=None),
    )
    print(f"\nVNTC-10 with words: {fitted.chosen}; trained in {time.process_time() - started:.1f} CPU s")
    started = time.process_time()
    labels = labelled(fitted.model, test)
    print(f"predicted {len(test) / (time.process_time() - started):,.0f} passages a CPU second")
    head("form", "acc", "macro-F1", "ECE", "acc at 80 %", "auto", "auto right")
    news_row("as written", labels, test)


def with_vectors(seeds: int) -> None:
    """Print what vectors of syllables are worth where people gave few labels of initiatives."""
    batch, group, long, copy = sample()
    source = batch["id"].str[:2].to_numpy()
    reader = replace(starter.Readers().to_learn(), cut=None)
    print(f"\nfew labels on the sample, {seeds} draws, text and workplace; macro-F1, field or field2 right")
    head("labels a field", "without", "field2", "titles", "with vectors", "field2", "titles")
    for few in FEW_SAMPLE:
        found = []
        for seed, asked in product(range(seeds), ("D1", "D2", "D3")):
            rows = np.random.default_rng(seed).permutation(np.flatnonzero(~copy & (source != asked)))
            rows = rows[batch.iloc[rows].groupby("field").cumcount().to_numpy() < few]
            learnt, test = batch.iloc[rows].reset_index(drop=True), batch[long & (source == asked)]
            figures = []
            for each in (None, reader):
                model = classify.fit(
                    learnt,
                    learnt["field"],
                    second=learnt["field2"],
                    groups=group[rows].tolist(),
                    phrases=starter.phrases(default()),
                    reader=each,
                ).model
                whole, titles = (
                    judged(classify.label(model, table, name="m"), table["field"], table["field2"])
                    for table in (test, test.assign(clean_description=""))
                )
                figures += [whole.macro_f1, whole.accuracy_second, titles.accuracy]
            found.append(figures)
        row(str(few), *np.mean(found, axis=0).tolist())


def labelled(model: classify.Model, batch: pd.DataFrame) -> pd.DataFrame:
    """Return labels, a part of 2,000 records at a time as a run does."""
    parts = [batch.iloc[start : start + PART] for start in range(0, len(batch), PART)]
    return pd.concat([classify.label(model, part, name="m") for part in parts], ignore_index=True)


def news_row(name: str, labels: pd.DataFrame, test: pd.DataFrame) -> None:
    """Print one row of figures."""
    found = judged(labels, test["field"])
    right = (labels["field"].to_numpy() == test["field"].to_numpy())[
        np.argsort(-labels["probability"].to_numpy(), kind="stable")
    ]
    row(
        name,
        found.accuracy,
        found.macro_f1,
        found.ece,
        right[: int(0.8 * len(right))].mean(),
        found.coverage,
        found.precision_auto,
    )


def with_few_labels(folder: Path, seeds: int) -> None:
    """Print how good fields of news are that were learnt from few labels."""
    train, test = (news(folder / f"passages_{name}.parquet") for name in ("train", "test"))
    print(f"\nfew labels, {seeds} draws, {FEW_TEST:,} asked")
    head("labels a class", "labelled only", "with the rest", "chosen")
    for few in FEW:
        scores: Mapping[str, list[float]] = {"alone": [], "pool": []}
        chosen = ""
        for seed in range(seeds):
            drawn = train.sample(frac=1, random_state=seed)
            labelled = drawn.groupby("field").head(few)
            others = drawn.drop(labelled.index).head(POOL)
            asked = test[~test["in_train"]].sample(FEW_TEST, random_state=seed)
            for name, pool in (("alone", None), ("pool", others)):
                fitted = classify.fit(
                    labelled.reset_index(drop=True), labelled["field"].tolist(), unlabelled=pool
                )
                labels = classify.label(fitted.model, asked, name="m")
                scores[name].append(float((labels["field"].to_numpy() == asked["field"].to_numpy()).mean()))
                chosen = fitted.chosen
        row(str(few), np.mean(scores["alone"]), np.mean(scores["pool"]), chosen)


def news(path: Path) -> pd.DataFrame:
    """Return articles as records without a title."""
    table = pd.read_parquet(path).rename(columns={"label": "field"})
    return table.assign(
        clean_title="", clean_description=[normalize.clean(text).text for text in table["text"]]
    )


def head(*cells: str) -> None:
    """Print the head of a table."""
    print(f"{cells[0]:24}" + "".join(f"{cell:>14}" for cell in cells[1:]))


def row(name: str, *cells: object) -> None:
    """Print one row of a table."""
    print(
        f"{name:24}"
        + "".join(f"{cell:14.4f}" if isinstance(cell, float) else f"{cell!s:>14}" for cell in cells),
        flush=True,
    )


if __name__ == "__main__":
    main()
