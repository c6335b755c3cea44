"""Drift: how often it is found where it was planted, and how often where there is none.

    sangkien bench drift                on the sample that travels with the code
    sangkien bench drift --vntc DIR     on VNTC-10: passages_train.parquet and passages_test.parquet too

No drift: a model learns a random half of the records, and files of 100 and of 1,000 drawn from the other half
are compared with it, several halves over; every difference that is named is a false alarm. Planted drift:
files that are titles alone, that are typed without marks, of which half belong to one field, and, on
VNTC-10, files of an article class that the model never learnt. On the sample also the latest fifth by date
filed beside a model of the earlier records, and on VNTC-10 the official test side beside a model of the
training side: nobody planted anything there. Of every 10 files it is printed how many had each difference
named.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from classify import NEIGHBOURS, news, sample

from pipeline import classify, drifting, normalize, starter
from pipeline.classify.shares import Errors

SIZES = (100, 1_000)
LEARNT = 6_000
LEFT_OUT = ("Khoa hoc", "The thao", "Vi tinh")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--vntc", type=Path, help="folder with passages_train.parquet and passages_test.parquet"
    )
    parser.add_argument("--halves", type=int, default=4, help="how many halves are learnt")
    parser.add_argument("--files", type=int, default=10, help="how many files are drawn from each half")
    chosen = parser.parse_args()
    on_the_sample(chosen.halves, chosen.files)
    if chosen.vntc:
        on_vntc(chosen.vntc, chosen.files)


def on_the_sample(halves: int, files: int) -> None:
    """Print what is named in files of the sample."""
    batch, group, *_ = sample()
    head("sample")
    alarms: dict[int, list[dict]] = {size: [] for size in SIZES}
    ready, other = None, batch
    for seed in range(halves):
        names = np.random.default_rng(seed).permutation(np.unique(group.astype(str)))
        mine = np.isin(group.astype(str), names[: len(names) // 2])
        ready, other = learnt(batch[mine], group[mine]), batch[~mine]
        for size in SIZES:
            alarms[size] += [
                drifting.content(ready, drawn(other, size, 100 * seed + number)) for number in range(files)
            ]
    for size in SIZES:
        show(f"no drift, {size} rows", alarms[size])
    planted(ready, other, files, 100)
    dates = batch["submitted"].to_numpy()
    border = np.sort(dates[dates != ""])[-(np.count_nonzero(dates != "") // 5)]
    late = dates >= border
    early = ~late & ~np.isin(group, group[late])
    show("latest fifth by date", [drifting.content(learnt(batch[early], group[early]), batch[late])])


def on_vntc(folder: Path, files: int) -> None:
    """Print what is named in files of news."""
    train, test = (news(folder / f"passages_{name}.parquet") for name in ("train", "test"))
    train["group"] = [str(number // NEIGHBOURS) for number in range(len(train))]
    for table, name in ((train, "a"), (test, "b")):
        table["id"] = [f"{name}{number}" for number in range(len(table))]
    test = test[~test["in_train"]].reset_index(drop=True)
    head(f"VNTC-10, {LEARNT:,} articles learnt")
    # Articles of one run of 400 tell the same stories: a half is every second article, not every second run.
    mixed = train.sample(frac=1, random_state=0)
    ready = learnt(mixed.head(LEARNT), np.arange(LEARNT).astype(str))
    for size in SIZES:
        others = [drifting.content(ready, drawn(mixed.iloc[LEARNT:], size, seed)) for seed in range(files)]
        show(f"no drift, {size} rows", others)
    planted(ready, mixed.iloc[LEARNT:], files, 100)
    for size in SIZES:
        tests = [drifting.content(ready, drawn(test, size, seed)) for seed in range(files)]
        show(f"official test, {size} rows", tests)
    for name in LEFT_OUT:
        rest = mixed[mixed["field"] != name].head(LEARNT)
        ready = learnt(rest, np.arange(LEARNT).astype(str))
        unknown = mixed[mixed["field"] == name]
        there = [drifting.content(ready, drawn(unknown, 100, seed)) for seed in range(files)]
        show(f"only {name}, never learnt", there)
        others = mixed[mixed["field"] != name].iloc[LEARNT:]
        some = [
            drifting.content(
                ready, pd.concat([drawn(unknown, 300, seed), drawn(others, 700, seed)], ignore_index=True)
            )
            for seed in range(files)
        ]
        show(f"{name} as 30 % of 1,000", some)


def planted(ready: starter.Ready, others: pd.DataFrame, files: int, size: int) -> None:
    """Print what is named in files with drift of one kind each."""
    plain = [drawn(others, size, seed) for seed in range(files)]
    if (others["clean_title"] != "").any():
        titles = [table.assign(clean_description="") for table in plain]
    else:
        titles = [
            table.assign(
                clean_title=[" ".join(text.split()[:12]) for text in table["clean_description"]],
                clean_description="",
            )
            for table in plain
        ]
    show("titles alone", [drifting.content(ready, table) for table in titles])
    columns = ["clean_title", "clean_description"]
    bare = [
        table.assign(**{name: [normalize.fold(text) for text in table[name]] for name in columns})
        for table in plain
    ]
    show("typed without marks", [drifting.content(ready, table) for table in bare])
    field = others["field"].value_counts().index[0]
    own, rest = others[others["field"] == field], others[others["field"] != field]
    half = [
        pd.concat([drawn(own, size // 2, seed), drawn(rest, size // 2, seed)], ignore_index=True)
        for seed in range(files)
    ]
    show("half of one field", [drifting.content(ready, table) for table in half])


def learnt(batch: pd.DataFrame, group: Sequence[str]) -> starter.Ready:
    """Return a model of labelled records with what it tells of its training set."""
    batch, names = batch.reset_index(drop=True), [str(name) for name in group]
    labels = batch["field"].tolist()
    fitted = classify.fit(batch, labels, groups=names)
    return starter.Ready(
        fitted.model,
        "bench",
        trained=True,
        stored=None,
        errors=Errors.of_fitted(fitted, batch, labels, names),
        profile=classify.profile(fitted, batch, labels, names, {}),
    )


def drawn(table: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    """Return a file of some records."""
    return table.sample(min(size, len(table)), random_state=seed).reset_index(drop=True)


def head(name: str) -> None:
    """Print the head of a table."""
    print(f"\n{name}: of 10 files, how many had each named")
    columns = (*drifting.NAMES, "a field", "look", "retrain")
    print(f"{'files':28}" + "".join(f"{column:>12}" for column in columns), flush=True)


def show(name: str, contents: Sequence[dict]) -> None:
    """Print how many of 10 files had each difference named, and what followed."""
    often = []
    for each in drifting.NAMES:
        named = [
            any(effect["name"] == each and effect["size"] != "none" for effect in content["effects"])
            for content in contents
        ]
        often.append(np.mean(named))
    often.append(np.mean([any(each["size"] != "none" for each in content["fields"]) for content in contents]))
    often += [
        np.mean([content["conclusion"] == what for content in contents]) for what in ("look", "retrain")
    ]
    print(f"{name:28}" + "".join(f"{10 * share:12.1f}" for share in often), flush=True)


if __name__ == "__main__":
    main()
