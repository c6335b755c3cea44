"""What asking for the right labels is worth, and how well wrong labels are found.

    sangkien bench labelling --vntc DIR        VNTC-10: passages_train.parquet and passages_test.parquet
    sangkien bench labelling                   the same on the records of the sample, a small pool

The queue: of a pool of 6,000 records (the sample: two thirds of its 1,520 short ones) labels are asked for,
50, then 50, then 100 at a time, and given as they are. After each batch a model learns from what is labelled
so far, and from the rest of the pool without labels; its doubts choose the next batch. On the way the same
number is drawn by chance, chosen by margin alone from the first 20 on, or by `sangkien label-queue`.
Accuracy is that on records outside the pool: ``labels`` of a model that knows no other texts, ``with the
rest`` of one that the rest of the pool helps, as `sangkien train --stored` trains.

The audit: of 12,000 records (the sample: all) 5 in 100 labels are made wrong, drawn among all other fields
(uniform) or as the field that a model takes this one for most often (confusable). Told is the share of them
among the first tenth of `sangkien audit-labels`' ranking.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from classify import head, news, row

from pipeline import asking, classify, evaluate, labels, normalize, read, starter
from pipeline.settings import checkout
from pipeline.taxonomy import default

STEPS: Final = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000)
TOLD: Final = (50, 100, 200, 300, 500, 1_000)
FIRST: Final = 20
POOL: Final = 6_000
ASKED: Final = 4_000
AUDITED: Final = 12_000
NOISE: Final = 0.05
TENTH: Final = 0.1


class Task(NamedTuple):
    """Records that labels are asked of, and others on which the models are judged."""

    pool: pd.DataFrame
    asked: pd.DataFrame
    phrases: dict[str, list[str]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--vntc", type=Path, help="folder with passages_train.parquet and passages_test.parquet"
    )
    parser.add_argument("--seeds", default="0,1,2", help="what is drawn, several numbers with commas")
    parser.add_argument("--most", type=int, default=STEPS[-1], help="labels at most")
    parser.add_argument("--only", choices=["queue", "audit"], action="append", help="leave out the rest")
    parser.add_argument("--line", choices=LINES, action="append", help="leave out the other lines")
    chosen = parser.parse_args()
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    parts = chosen.only or ["queue", "audit"]
    if "queue" in parts:
        queues(chosen.vntc, seeds, chosen.most, chosen.line or list(LINES))
    if "audit" in parts:
        audits(chosen.vntc, seeds)


def queues(folder: Path | None, seeds: Sequence[int], most: int, lines: Sequence[str]) -> None:
    """Print how good models become by how labels were chosen."""
    told = [step for step in TOLD if step <= most]
    print(f"\nlabels asked for, seeds {', '.join(map(str, seeds))}: accuracy of labels alone, with the rest")
    head("labels", *map(str, told))
    for name in lines:
        found = np.array([line(task(folder, seed), LINES[name], seed, told) for seed in seeds])
        for place, what in enumerate(("labels", "with the rest")):
            row(f"{name}, {what}", *found[:, :, place].mean(axis=0).tolist())
            row("  least and most", *(f"{part.min():.3f}–{part.max():.3f}" for part in found[:, :, place].T))


def task(folder: Path | None, seed: int) -> Task:
    """Return the records of one draw."""
    if folder is None:
        records = sample()
        drawn = records.sample(frac=1, random_state=seed).reset_index(drop=True)
        border = 2 * len(drawn) // 3
        return Task(drawn[:border], drawn[border:].reset_index(drop=True), starter.phrases(default()))
    train, test = (news(folder / f"passages_{name}.parquet") for name in ("train", "test"))
    pool = train.sample(POOL, random_state=seed).reset_index(drop=True)
    asked = test[~test["in_train"]].sample(ASKED, random_state=seed).reset_index(drop=True)
    return Task(records_of(pool), asked, {})


def sample() -> pd.DataFrame:
    """Return the short records of the sample, which people labelled."""
    batch = normalize.frame(read.tables([checkout("data", "sample", "labelled.csv")]).batch)
    return batch.assign(field=starter.codes(batch, "field", default()))


def records_of(articles: pd.DataFrame) -> pd.DataFrame:
    """Return articles with the columns of records."""
    return articles.assign(
        id=articles["id"].astype("str"), title="", description=articles["text"], unit="", field2=""
    )


def line(given: Task, choose: Chooser, seed: int, told: Sequence[int]) -> list[tuple[float, float]]:
    """Return the accuracy after so many labels, of labels alone and with the rest of the pool."""
    done: list[str] = []
    model: classify.Model | None = None
    found = []
    for step in (FIRST, *STEPS) if choose is by_margin else STEPS:
        if step > told[-1]:
            break
        done += choose(given.pool, done, model, step - len(done), seed)
        here = given.pool["id"].isin(done)
        labelled, rest = given.pool[here].reset_index(drop=True), given.pool[~here]
        if choose is not by_chance or step in told:
            model = learnt(labelled, rest, given)
        if step in told:
            assert model is not None
            found.append((accuracy(learnt(labelled, None, given), given), accuracy(model, given)))
    return found


def learnt(labelled: pd.DataFrame, rest: pd.DataFrame | None, given: Task) -> classify.Model:
    """Return the model of labelled records, others beside them or not."""
    return classify.fit(labelled, labelled["field"].tolist(), phrases=given.phrases, unlabelled=rest).model


def accuracy(model: classify.Model, given: Task) -> float:
    """Return the share of records outside the pool that get their field."""
    said = classify.label(model, given.asked, name="m")["field"].to_numpy()
    return float((said == given.asked["field"].to_numpy()).mean())


Chooser = Callable[[pd.DataFrame, Sequence[str], Any, int, int], list[str]]


def by_chance(pool: pd.DataFrame, done: Sequence[str], _: object, count: int, seed: int) -> list[str]:
    """Return the next records of one shuffled order."""
    order = pool["id"].sample(frac=1, random_state=seed).tolist()
    return order[len(done) : len(done) + count]


def by_margin(
    pool: pd.DataFrame, done: Sequence[str], model: classify.Model | None, count: int, seed: int
) -> list[str]:
    """Return records that the model doubts most; the first ones by chance."""
    if model is None:
        return by_chance(pool, done, None, count, seed)
    rest = pool[~pool["id"].isin(done)]
    chances = classify.score(model, rest).probabilities
    return rest["id"].iloc[classify.doubtful(chances, count, seed=seed)].tolist()


def by_queue(
    pool: pd.DataFrame, done: Sequence[str], model: classify.Model | None, count: int, seed: int
) -> list[str]:
    """Return what `sangkien label-queue` asks."""
    known = pool.assign(field=pool["field"].where(pool["id"].isin(done), ""), field2="")
    found = asking.queue(known, labels.InForce({}), model, alone, size=count, seed=seed)
    return found["id"].tolist()


def alone(batch: pd.DataFrame) -> Sequence[str]:
    """Return a name for each record: here nothing is a copy."""
    return batch["id"].tolist()


LINES: Final[dict[str, Chooser]] = {"chance": by_chance, "margin": by_margin, "queue": by_queue}


def audits(folder: Path | None, seeds: Sequence[int]) -> None:
    """Print how many wrong labels the first tenth of the ranking holds."""
    print(f"\nwrong labels, {NOISE:.0%} of all, seeds {', '.join(map(str, seeds))}")
    head("drawn", "first tenth", "doubtful", "of them wrong")
    for kind in ("uniform", "confusable"):
        found = np.array([audit(audited(folder, seed), kind, seed) for seed in seeds])
        row(kind, *found.mean(axis=0).tolist())


def audited(folder: Path | None, seed: int) -> Task:
    """Return the labelled records of one draw."""
    if folder is None:
        return Task(sample(), pd.DataFrame(), starter.phrases(default()))
    train = news(folder / "passages_train.parquet").sample(AUDITED, random_state=seed)
    return Task(records_of(train.reset_index(drop=True)), pd.DataFrame(), {})


def audit(given: Task, kind: str, seed: int) -> tuple[float, float, float]:
    """Return the share of wrong labels found early, and share and precision of what is called doubtful."""
    truth = given.pool["field"].to_numpy(dtype=object)
    random = np.random.default_rng(seed)
    wrong = random.permutation(len(truth))[: round(NOISE * len(truth))]
    said = truth.copy()
    if kind == "uniform":
        fields = sorted(set(truth))
        said[wrong] = [random.choice([each for each in fields if each != truth[row]]) for row in wrong]
    else:
        near = neighbours(given)
        said[wrong] = [near[truth[row]] for row in wrong]
    fitted = classify.fit(given.pool, said.tolist(), phrases=given.phrases)
    place = pd.Series(range(len(truth)), index=given.pool["id"]).loc[fitted.held_out["id"]].to_numpy()
    found = evaluate.doubts(fitted.chances, said[place].tolist())
    planted = np.isin(place, wrong)
    early = (found["rank"] <= TENTH * len(found)).to_numpy()
    doubtful = found["doubtful"].to_numpy()
    return (
        float((planted & early).sum() / planted.sum()),
        float(doubtful.mean()),
        float(planted[doubtful].mean()) if doubtful.any() else 0.0,
    )


def neighbours(given: Task) -> dict[str, str]:
    """Return the field that each is taken for most often, where it is not taken for itself."""
    truth = given.pool["field"]
    held = classify.fit(given.pool, truth.tolist(), phrases=given.phrases).held_out
    table = pd.crosstab(truth.to_numpy(), held.set_index("id").loc[given.pool["id"], "field"].to_numpy())
    table = table.reindex(columns=table.index, fill_value=0)
    counts = table.to_numpy(copy=True)
    np.fill_diagonal(counts, -1)
    return dict(zip(table.index, table.columns[counts.argmax(axis=1)], strict=True))


if __name__ == "__main__":
    main()
