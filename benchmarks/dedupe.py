"""Duplicates: how good on judged pairs, how fast beside MinHash.

    sangkien bench dedupe                    on what travels with the code
    sangkien bench dedupe --planted DIR      also on a planted set: planted_23k.parquet and truth.csv

Quality on the sample is measured file against file: its three parts (ids D1-, D2-, D3-) were written
apart; the pair model learns from two and is judged on the third, each in turn.

Speed is CPU seconds of a fresh process, ours and rensa's (https://github.com/beowolx/rensa) in turn on the
same texts: ours from the submitted texts to verified matches with probabilities, and without the repair of
the texts; rensa's as its README shows it (lower case, split on blanks, three-word shingles, 128
permutations, 32 bands, Jaccard of at least 0.5). Machines differ and are noisy: the ratio is the figure.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import scale

from pipeline import dedupe, evaluate, lessons, normalize, read, starter
from pipeline.settings import Settings, checkout

KNOBS = Settings()
PARTS = ("D1", "D2", "D3")
WANTED = 0.95
HARD = ("third", "reword40", "reword60")
FORM_LINE = 30
SAME_CONTENT = 0.25


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--planted", type=Path, help="folder with planted_23k.parquet and truth.csv")
    parser.add_argument("--documents", type=int, default=20_000, help="how many documents are timed")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program is timed")
    parser.add_argument("--timed", nargs=2, metavar=("WHO", "TEXTS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.timed:
        timed(chosen.timed[0], Path(chosen.timed[1]))
        return
    known = starter.knowledge(settings=KNOBS)
    on_the_sample(known)
    texts = None
    if chosen.planted:
        texts = on_the_planted(chosen.planted, known)
    race(texts or generated(chosen.documents), chosen.documents, chosen.rounds, planted=bool(texts))


# ------------------------------------------------------------------------------------------- the sample


def on_the_sample(known: dedupe.Knowledge) -> None:
    """Print how good each part's pairs are, judged by a model that learnt from the other two."""
    lesson = starter.sample()
    batch = lesson.batch
    judged = starter.judged(checkout("data", "sample", "pairs.csv"))
    part_of = judged["id_a"].str[:2]
    found = {}
    for part in PARTS:
        mine = batch["id"].str[:2] == part
        examples = lessons.pair_examples(
            batch[~mine].reset_index(drop=True), judged[part_of != part], settings=KNOBS, known=known
        )
        judge = dedupe.PairClassifier().fit(examples.alike, examples.same)
        found[part] = starter.measured(
            batch[mine].reset_index(drop=True), judged[part_of == part], judge, settings=KNOBS, known=known
        )
    print("Sample: learnt from two parts, judged on the third, in turn")
    print_figures(found)
    print_relations(found)
    print_wrong(found)


def print_figures(found: dict[str, evaluate.Pairs]) -> None:
    """Print the figures of each part, and their means."""
    names = {
        "average_precision": "average precision",
        "best_recall": f"recall at precision {WANTED}",
        "best_threshold": "  reached from probability",
        "recall": f"recall at {KNOBS.match_probability}",
        "precision": f"precision at {KNOBS.match_probability}",
        "brier": "Brier score, all pairs compared",
        "brier_judged": "Brier score, judged pairs",
        "ece": "calibration error",
    }
    print(f"  {'':<34}" + "".join(f"{part:>9}" for part in found) + f"{'mean':>9}")
    for name, text in names.items():
        values = [getattr(each, name) or 0.0 for each in found.values()]
        print(f"  {text:<34}" + "".join(f"{value:>9.3f}" for value in [*values, statistics.mean(values)]))


def print_relations(found: dict[str, evaluate.Pairs]) -> None:
    """Print how many pairs of each relation are flagged, and how high a reviewer sees them."""
    rows = pd.concat([each.relations for each in found.values()])
    rows["first"] *= rows["pairs"]
    rows["top3"] *= rows["pairs"]
    order = rows["relation"].drop_duplicates()
    sums = rows.groupby("relation").sum().loc[order]
    print(
        f"\n  {'':<20}flagged at {KNOBS.match_probability}    at each part's best   shown first  in first 3"
    )
    for name, row in sums.iterrows():
        print(
            f"  {name:<12}{row['pairs']:>5.0f}{row['flagged']:>8.0f}{row['flagged'] / row['pairs']:>8.3f}"
            f"{row['flagged_best']:>13.0f}{row['flagged_best'] / row['pairs']:>9.3f}"
            f"{row['first'] / row['pairs']:>14.3f}{row['top3'] / row['pairs']:>12.3f}"
        )


def print_wrong(found: dict[str, evaluate.Pairs]) -> None:
    """Print every pair that is missed or wrongly flagged at the threshold in use."""
    missed = pd.concat([each.missed for each in found.values()])
    false = pd.concat([each.false for each in found.values()])
    print(
        f"\n  missed at {KNOBS.match_probability}: {len(missed)} (rank: place in what is shown, 0: nowhere)"
    )
    for row in missed.itertuples():
        print(f"    {row.id_a:<9} {row.id_b:<9} {row.relation:<10} {row.probability:.3f}  rank {row.rank}")
    print(f"  wrongly flagged at {KNOBS.match_probability}: {len(false)}")
    for row in false.itertuples():
        print(f"    {row.id_a:<9} {row.id_b:<9} {row.relation or 'not judged':<10} {row.probability:.3f}")
    print()


# -------------------------------------------------------------------------------------- a planted set


def on_the_planted(folder: Path, known: dedupe.Knowledge) -> list[str]:
    """Print recall by kind and precision, and return the documents, copies last."""
    records = pd.read_parquet(folder / "planted_23k.parquet").astype("str")
    truth = pd.read_csv(folder / "truth.csv", dtype="str")
    batch = normalize.frame(records.assign(submitted="", author=""))
    with tempfile.TemporaryDirectory() as models:
        judge = starter.pairs(Path(models), settings=KNOBS, known=known).model
    corpus = dedupe.corpus(batch, None, known, KNOBS)
    table = dedupe.table(corpus, dedupe.find(corpus, judge, known, KNOBS))
    flagged = {
        frozenset(pair)
        for pair in table.loc[table["probability"] >= KNOBS.match_probability, ["later", "earlier"]]
        .to_numpy()
        .tolist()
    }
    planted = {frozenset(pair): kind for *pair, kind in truth.to_numpy().tolist()}
    right = sum(pair in planted for pair in flagged) + natural(records, flagged - set(planted))
    print(f"Planted: {len(records)} records, {len(truth)} copies, pairs flagged {len(flagged)}")
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for pair, kind in planted.items():
        by_kind[kind].append(pair in flagged)
    for kind, hits in by_kind.items():
        print(f"  {kind:<12}{len(hits):>6}{sum(hits) / len(hits):>8.3f}")
    least = min(sum(hits) / len(hits) for kind, hits in by_kind.items() if kind not in HARD)
    print(f"  precision {right / len(flagged):.3f}; least recall but for {', '.join(HARD)}: {least:.3f}\n")
    return [f"{title}\n{text}" for title, text in zip(records["title"], records["description"], strict=True)]


def natural(records: pd.DataFrame, pairs: set[frozenset[str]]) -> int:
    """Return how many of ``pairs`` repeat one another outside form text: passages recur in the news."""
    rows = {name: row for row, name in enumerate(records["id"])}
    lines = [[normalize.fold(line) for line in text.split("\n")] for text in records["description"]]
    frequency = Counter(line for text in lines for line in set(text))

    def shingles(name: str) -> set[tuple[str, ...]]:
        words = " ".join(line for line in lines[rows[name]] if frequency[line] < FORM_LINE).split()
        return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}

    count = 0
    for one, other in (tuple(pair) for pair in pairs):
        mine, yours = shingles(one), shingles(other)
        count += len(mine & yours) >= SAME_CONTENT * max(1, min(len(mine), len(yours)))
    return count


# ---------------------------------------------------------------------------------------------- speed


def generated(count: int) -> list[str]:
    """Return documents of about 240 syllables: a third form text, the rest words as in the sample.

    One in twenty takes half of an earlier one over. For time and memory only: they read like nothing, and
    say nothing of quality.
    """
    folder = checkout("data", "sample")
    texts = read.tables([folder / "archive.csv", folder / "labelled.csv"]).batch["description"]
    words = [word for text in texts for word in normalize.clean(text).text.split()]
    phrases = pd.read_csv(checkout("data", "form_text.csv"), encoding="utf-8-sig")["phrase"].tolist()
    draw = random.Random(20_000)  # noqa: S311 - not for secrets
    made: list[list[str]] = []
    for place in range(count):
        content = draw.choices(words, k=draw.randint(110, 210))
        if place % 20 == 19:
            source = made[draw.randrange(place)]
            content = source[: len(source) // 2] + content[: len(content) // 2]
        made.append(content)
    return ["\n".join([*draw.sample(phrases, 4), " ".join(content)]) for content in made]


def race(texts: list[str], count: int, rounds: int, *, planted: bool) -> None:
    """Print CPU seconds of both programs in turn, and the ratio of their medians."""
    texts = texts[-count:]
    print(
        f"Speed: {len(texts)} {'planted' if planted else 'generated'} documents, "
        f"CPU seconds of {rounds} runs each"
    )
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        for _ in range(rounds):
            for who in ("sangkien", "rensa"):
                command = [sys.executable, __file__, "--timed", who, str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                for name, spent in json.loads(done.stdout).items():
                    seconds[name].append(spent)
    for name, spent in seconds.items():
        print(f"  {name:<34}{statistics.median(spent):>8.2f}   ({', '.join(f'{one:.2f}' for one in spent)})")
    peer = statistics.median(seconds["rensa"])
    for name in ("sangkien, with the texts' repair", "sangkien, from clean text"):
        print(f"  ratio {name} / rensa: {statistics.median(seconds[name]) / peer:.2f}")


def timed(who: str, path: Path) -> None:
    """Print the CPU seconds of one program as JSON (in a process of its own)."""
    texts = json.loads(path.read_text(encoding="utf-8"))
    print(json.dumps(ours(texts) if who == "sangkien" else peer(texts)))


def ours(texts: list[str]) -> dict[str, float]:
    """Return the CPU seconds from texts to verified matches."""
    known = starter.knowledge(settings=KNOBS)
    with tempfile.TemporaryDirectory() as models:
        judge = starter.pairs(Path(models), settings=KNOBS, known=known).model
    table = pd.DataFrame({"id": [str(row) for row in range(len(texts))], "submitted": ""}, dtype="str")
    started = time.process_time()
    cleaned = [normalize.clean(text).text for text in texts]
    repair = time.process_time() - started
    batch = table.assign(clean_title="", clean_description=pd.Series(cleaned, dtype="str"))
    started = time.process_time()
    corpus = dedupe.corpus(batch, None, known, KNOBS)
    dedupe.find(corpus, judge, known, KNOBS)
    matching = time.process_time() - started
    return {"sangkien, with the texts' repair": repair + matching, "sangkien, from clean text": matching}


def peer(texts: list[str]) -> dict[str, float]:
    """Return the CPU seconds that rensa needs for the same."""
    importlib.import_module("rensa")  # starting it is no part of its work
    started = time.process_time()
    scale.minhashed(texts)
    return {"rensa": time.process_time() - started}


if __name__ == "__main__":
    main()
