"""The join at size: CPU seconds, memory and growth, beside MinHash and TF-IDF on the same documents.

    sangkien bench scale                                            25,000 and 100,000 records, rensa beside
    sangkien bench scale --sizes 25000,100000,400000,1000000 --peers rensa,datasketch,tfidf --passages FILE
    sangkien bench scale --archive --sizes 100000,1000000           a batch of 1,000 beside an archive

The records are those of `sangkien bench planted`; ``--work DIR`` keeps them for another time. Each program
reads them from Parquet in a fresh process, the programs in turn, and goes from clean text to pairs:

sangkien     candidate pairs with their exact shared weight, against everything, any part copied
rensa        three-word shingles of lower-case text, 128 permutations, 32 bands, Jaccard of 0.5 and more
datasketch   the same with its own defaults for 0.5
tfidf        scikit-learn's TF-IDF of one and two words in 1 % of records or fewer, cosines of 0.4 and more

CPU seconds include reading. Machines differ and are noisy: the ratio is the figure. The growth exponent is
that of CPU seconds between the smallest and the largest size. A peer is left out above the size that it does
in minutes; a line says so. ``recall`` is the share of planted copies among the pairs.

With ``--archive`` the last 1,000 records are new and the others stand in a store with its index, as
`sangkien archive add` keeps them. ``index s`` are the CPU seconds that making the index took, texts' repair
and all. The batch is matched in a fresh process: ``load`` opens the index, ``ask`` finds what the batch has
to do with, ``read`` reads and repairs these records, ``judge`` compares them and gives probabilities.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import planted
import pyarrow.parquet as pq

from pipeline.settings import Settings

KNOBS = Settings()
MOST = {"sangkien": 1 << 24, "rensa": 1 << 20, "datasketch": 50_000, "tfidf": 50_000}
"""Records a program is asked to do."""
CHUNK = 5_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="25000,100000", help="how many records, several with commas")
    parser.add_argument("--peers", default="rensa", help="of rensa, datasketch, tfidf")
    parser.add_argument("--passages", type=Path, help="Parquet file of passages, in a column `text`")
    parser.add_argument("--work", type=Path, help="folder in which the records are kept")
    parser.add_argument("--archive", action="store_true", help="a batch of 1,000 beside an archive")
    parser.add_argument("--timed", nargs=2, metavar=("WHO", "RECORDS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.timed:
        print(json.dumps(timed(chosen.timed[0], Path(chosen.timed[1]))))
        return
    sizes = sorted(int(size) for size in chosen.sizes.split(","))
    programs = ["sangkien", *filter(None, chosen.peers.split(","))]
    with tempfile.TemporaryDirectory() as folder:
        if chosen.archive:
            beside_archives(sizes, chosen.work or Path(folder), chosen.passages)
        else:
            race(sizes, programs, chosen.work or Path(folder), chosen.passages)


def race(sizes: list[int], programs: list[str], work: Path, passages: Path | None) -> None:
    """Time every program at every size, and print what it took."""
    texts: list[str] | None = None
    seconds: dict[str, dict[int, float]] = defaultdict(dict)
    print(
        f"{'records':>9}  {'program':<12}{'CPU s':>8}{'per CPU s':>11}{'peak MB':>9}{'pairs':>9}{'recall':>8}"
    )
    for size in sizes:
        folder = work / str(size)
        if not (folder / "truth.csv").exists():
            texts = texts if texts is not None else planted.text_of(passages)
            planted.write(folder, texts, size)
        for who in programs:
            if size > MOST[who]:
                print(f"{size:>9,}  {who:<12} left out: more than {MOST[who]:,} records")
                continue
            command = [sys.executable, __file__, "--timed", who, str(folder)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                print(f"{size:>9,}  {who:<12} not run: {done.stderr.strip().splitlines()[-1]}")
                continue
            told = json.loads(done.stdout)
            seconds[who][size] = told["cpu"]
            print(
                f"{size:>9,}  {who:<12}{told['cpu']:>8.1f}{size / told['cpu']:>11,.0f}{told['peak']:>9,.0f}"
                f"{told['pairs']:>9,}{told['recall']:>8.3f}",
                flush=True,
            )
    summary(seconds, sizes)


def summary(seconds: dict[str, dict[int, float]], sizes: list[int]) -> None:
    """Print how the programs grow and how they compare."""
    ours = seconds["sangkien"]
    small, large = sizes[0], sizes[-1]
    if large > small and small in ours and large in ours:
        exponent = math.log(ours[large] / ours[small]) / math.log(large / small)
        print(f"growth of sangkien from {small:,} to {large:,} records: N^{exponent:.2f}")
    for who, spent in seconds.items():
        if who == "sangkien":
            continue
        for size in sorted(spent.keys() & ours.keys()):
            print(
                f"{who} / sangkien at {size:,} records: {spent[size] / ours[size]:.1f} times the CPU seconds"
            )


def timed(who: str, folder: Path) -> dict[str, float]:
    """Return what one program takes (CPU seconds, MB at the peak), its pairs, and its recall."""
    if who in {"filing", "asking"}:
        return filing(folder) if who == "filing" else asking(folder)
    programs: dict[str, Callable[[Path], set[tuple[int, int]]]] = {
        "sangkien": ours,
        "rensa": rensa,
        "datasketch": datasketch,
        "tfidf": tfidf,
    }
    loaded(who)
    started = time.process_time()
    pairs = programs[who](folder / "records.parquet")
    spent = time.process_time() - started
    truth = pd.read_csv(folder / "truth.csv", dtype="str")
    wanted = {
        (int(copy[1:]), int(source[1:]))
        for copy, source in zip(truth["copy_id"], truth["source_id"], strict=True)
    }
    found = len(wanted & pairs) / max(len(wanted), 1)
    return {"cpu": spent, "peak": peak(), "pairs": len(pairs), "recall": found}


def loaded(who: str) -> None:
    """Import what the program needs: starting it is no part of its work."""
    if who == "sangkien":
        from pipeline.dedupe.shingles import fingerprint

        fingerprint(["the table of letters is made once"])
    else:
        importlib.import_module("sklearn.feature_extraction.text" if who == "tfidf" else who)


def peak() -> float:
    """Return the most memory this process has held, in MB."""
    import resource

    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def chunks(path: Path) -> Iterator[list[str]]:
    """Yield the texts, some thousand at a time."""
    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(CHUNK, columns=["title", "description"]):
        columns = (batch.column(place).to_pylist() for place in (0, 1))
        yield [f"{title}\n{text}" for title, text in zip(*columns, strict=True)]


def ours(path: Path) -> set[tuple[int, int]]:
    """Return the candidate pairs of the join."""
    from pipeline.dedupe import join
    from pipeline.dedupe.search import IDENTITY
    from pipeline.dedupe.shingles import fingerprint

    postings = join.Postings()
    for texts in chunks(path):
        postings.add(fingerprint(texts, width=KNOBS.shingle))
    first = postings.first_of_equals(least=IDENTITY)
    rows = np.flatnonzero(first == np.arange(len(first)))
    limit = join.form_limit(len(rows), least=KNOBS.form_min, share=KNOBS.form_share)
    table = join.table_of(postings, rows, limit=limit, holders=KNOBS.holders, form=np.zeros(0, np.uint64))
    later, earlier = join.candidates(
        table,
        np.ones(len(rows), dtype=bool),
        score=KNOBS.candidate_score,
        shared=KNOBS.candidate_shared,
        most=KNOBS.matches_per_record,
    )
    kept = table.share(later, earlier) >= KNOBS.candidate_exact
    same = np.flatnonzero(first != np.arange(len(first)))
    one = np.concatenate((rows[later[kept]], same))
    other = np.concatenate((rows[earlier[kept]], first[same]))
    return set(zip(one.tolist(), other.tolist(), strict=True))


def beside_archives(sizes: list[int], work: Path, passages: Path | None) -> None:
    """Print what a batch of 1,000 takes beside archives of these sizes."""
    head = (
        "index s",
        "index MB",
        "load",
        "ask",
        "read",
        "judge",
        "in all",
        "peak MB",
        "read of it",
        "recall",
    )
    print(f"{'records':>9}" + "".join(f"{name:>11}" for name in head))
    for size in sizes:
        folder = work / str(size)
        if not (folder / "truth.csv").exists():
            planted.write(folder, planted.text_of(passages), size)
        told = {}
        for who in ("filing", "asking"):
            command = [sys.executable, __file__, "--timed", who, str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            told |= json.loads(done.stdout)
        times = [told[name] for name in ("load", "ask", "read", "judge")]
        row = (told["index s"], told["MB"], *times, sum(times), told["peak"], told["ids"], told["recall"])
        print(f"{size:>9,}" + "".join(f"{value:>11,.2f}" for value in row), flush=True)


NEW = 1_000


def records(folder: Path) -> Iterator[pd.DataFrame]:
    """Yield the records as they are read from a table, some thousand at a time."""
    for batch in pq.ParquetFile(folder / "records.parquet", pre_buffer=False).iter_batches(10 * CHUNK):
        frame = batch.to_pandas().astype("str")
        rows = frame["id"].str[1:].astype(int)
        frame["submitted"] = "2024-01-" + (1 + rows % 28).astype("str").str.zfill(2)
        yield frame.assign(author="", upper_union="", sector="", field="", field2="", flags="")


def index_of() -> Any:
    """Return what an index is made with."""
    from pipeline import archive, starter

    return archive.Made(KNOBS, starter.knowledge(settings=KNOBS))


def filing(folder: Path) -> dict[str, float]:
    """Put all records but the last 1,000 into a store, and return what its index took."""
    from pipeline import archive
    from pipeline.store import Store

    place, made, now = folder / "store", index_of(), "2026-01-01T00:00:00+00:00"
    total = pq.ParquetFile(folder / "records.parquet").metadata.num_rows - NEW
    with Store.open(place, create=True) as store:
        if store.status().records != total:
            done = 0
            for part in records(folder):
                store.add(part.head(total - done), now=now)
                done += len(part)
        started = time.process_time()
        archive.rebuild(place, store, made)
        spent = time.process_time() - started
        size = archive.condition(place, store, made).size / 1e6
    return {"index s": spent, "MB": size}


def asking(folder: Path) -> dict[str, float]:
    """Return what the last 1,000 records take beside the store."""
    from pipeline import archive, dedupe, normalize, starter
    from pipeline.store import Store

    *_, last = records(folder)
    new = normalize.frame(last.tail(NEW).assign(submitted="2025-06-01").reset_index(drop=True))
    made = index_of()
    with tempfile.TemporaryDirectory() as models:
        judge = starter.pairs(Path(models), settings=KNOBS, known=made.known).model
    times = [time.process_time()]
    with Store.read(folder / "store") as store:
        index = archive.load(folder / "store", store, made)
        assert index is not None
        times.append(time.process_time())
        around = dedupe.around(index, new, made.known, KNOBS)
        times.append(time.process_time())
        near = normalize.frame(store.some(around.ids))
        times.append(time.process_time())
        corpus = dedupe.corpus(new, near, made.known, KNOBS, chosen=True)
        pairs = dedupe.shown(corpus, dedupe.among(corpus, around, index, made.known), judge, KNOBS)
        times.append(time.process_time())
    found = dedupe.table(corpus, pairs)
    flagged = found[found["probability"] >= KNOBS.match_probability]
    there = {frozenset(pair) for pair in zip(flagged["later"], flagged["earlier"], strict=True)}
    truth = pd.read_csv(folder / "truth.csv", dtype="str")
    truth = truth[truth["copy_id"].isin(new["id"])]
    wanted = [frozenset(pair) for pair in zip(truth["copy_id"], truth["source_id"], strict=True)]
    steps = [stop - start for start, stop in itertools.pairwise(times)]
    return {
        **dict(zip(("load", "ask", "read", "judge"), steps, strict=True)),
        "peak": peak(),
        "ids": len(around.ids),
        "recall": sum(pair in there for pair in wanted) / max(len(wanted), 1),
    }


def alike(index: Any, hashes: list[Any]) -> set[tuple[int, int]]:
    """Return the pairs that an index of MinHashes finds, those of a Jaccard of a half or more."""
    return {
        (row, other)
        for row, each in enumerate(hashes)
        for other in index.query(each)
        if other < row and each.jaccard(hashes[other]) >= 0.5
    }


def rensa(path: Path) -> set[tuple[int, int]]:
    """Return the pairs of rensa's MinHash, as its README shows it."""
    return minhashed(text for texts in chunks(path) for text in texts)


def minhashed(texts: Iterable[str]) -> set[tuple[int, int]]:
    """Return the pairs of texts that rensa's MinHash finds, by their places."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)
    hashes = []
    for text in texts:
        words = text.lower().split()
        each = RMinHash(num_perm=128, seed=42)
        each.update([" ".join(words[at : at + 3]) for at in range(len(words) - 2)])
        index.insert(len(hashes), each)
        hashes.append(each)
    return alike(index, hashes)


def datasketch(path: Path) -> set[tuple[int, int]]:
    """Return the pairs of datasketch's MinHash LSH."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.5, num_perm=128)
    hashes = []
    for texts in chunks(path):
        for text in texts:
            words = text.lower().split()
            each = MinHash(num_perm=128)
            each.update_batch([" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)])
            index.insert(len(hashes), each)
            hashes.append(each)
    return alike(index, hashes)


def tfidf(path: Path) -> set[tuple[int, int]]:
    """Return the pairs of a TF-IDF cosine, block by block."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text for part in chunks(path) for text in part]
    found = TfidfVectorizer(ngram_range=(1, 2), max_df=0.01, min_df=2, dtype=np.float32).fit_transform(texts)
    across = found.T.tocsr()
    pairs: set[tuple[int, int]] = set()
    for start in range(0, len(texts), 500):
        product = (found[start : start + 500] @ across).tocoo()
        kept = (product.data >= 0.4) & (product.col < product.row + start)
        pairs |= set(zip((product.row[kept] + start).tolist(), product.col[kept].tolist(), strict=True))
    return pairs


if __name__ == "__main__":
    main()
