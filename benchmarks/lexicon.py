"""How data/lexicon.npz was made: numbers about syllables, learnt from a large public text.

    python benchmarks/lexicon.py PASSAGES.parquet [MORE.parquet ...] [--out data/lexicon.npz]

Each table has a column ``text``. What is kept of it is, for each syllable that stands in 5 documents or more,
in how many it stands and a vector: positive pointwise mutual information within 5 syllables, a neighbour at
distance d counting 1/d and frequent contexts smoothed by the power 0.75, reduced by a truncated singular
value decomposition (Levy, Goldberg and Dagan, *Improving distributional similarity with lessons learned from
word embeddings*, TACL 2015); components are scaled by the root of their singular value and stored in 8 bits.
``common`` are the two directions that the documents' mean vectors share most. No text can be read back.

The shipped file was learnt from the news passages of VNTC (https://github.com/duyvuleo/VNTC), the first 120
words of each of 75,405 different ones.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from pipeline import dedupe, normalize
from pipeline.settings import checkout

WINDOW = 5
LEAST = 5
DIMENSIONS = 128
SMOOTHING = 0.75
COMMON = 2
BLOCK = 8_000_000

F32 = NDArray[np.float32]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=checkout("data", "lexicon.npz"))
    chosen = parser.parse_args()
    texts = pd.concat([pd.read_parquet(path, columns=["text"]) for path in chosen.tables])["text"]
    documents = [syllables(text) for text in dict.fromkeys(texts)]
    frequency = Counter(syllable for document in documents for syllable in set(document))
    known = sorted(syllable for syllable, count in frequency.items() if count >= LEAST)
    place = {syllable: number for number, syllable in enumerate(known)}
    coded = [np.array([place.get(each, -1) for each in document], dtype=np.int64) for document in documents]
    vectors, scale = rounded(meanings(coded, len(known)))
    counts = np.array([frequency[syllable] for syllable in known], dtype=np.int32)
    lexicon = dedupe.lexicon(
        known, counts, len(documents), vectors * scale, np.zeros((0, vectors.shape[1]), np.float32)
    )
    np.savez_compressed(
        chosen.out,
        syllables=np.array(known),
        documents=counts,
        total=np.int64(len(documents)),
        vectors=vectors,
        scale=scale,
        common=common(lexicon, list(dict.fromkeys(texts))),
    )
    print(f"{len(documents)} documents, {len(known)} syllables -> {chosen.out}")


def syllables(text: str) -> list[str]:
    """Return the syllables of a text, lower case, numbers left out."""
    words = "".join(c if c.isalnum() else " " for c in normalize.clean(text).text.lower()).split()
    return [word for word in words if not word[0].isdigit()]


def meanings(documents: list[NDArray[np.int64]], count: int) -> F32:
    """Return a vector for each of ``count`` syllables."""
    total = sparse.csr_array((count, count), dtype=np.float64)
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float64]] = []
    held = 0
    for number, document in enumerate(documents):
        for distance in range(1, WINDOW + 1):
            left, right = document[:-distance], document[distance:]
            both = (left >= 0) & (right >= 0)
            rows.append(left[both])
            columns.append(right[both])
            weights.append(np.full(int(both.sum()), 1 / distance))
            held += int(both.sum())
        if held > BLOCK or number == len(documents) - 1:
            entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
            total = total + sparse.coo_array(entries, shape=(count, count)).tocsr()
            rows, columns, weights, held = [], [], [], 0
    seen = (total + total.T).tocoo()
    here = np.bincount(seen.row, weights=seen.data, minlength=count)
    smoothed = here**SMOOTHING
    information = np.log(seen.data * smoothed.sum() / (here[seen.row] * smoothed[seen.col]))
    positive = information > 0
    matrix = sparse.csr_array(
        (information[positive], (seen.row[positive], seen.col[positive])), shape=(count, count)
    )
    left, singular, _ = svds(matrix, k=DIMENSIONS, random_state=0)
    largest = np.argsort(-singular)
    return np.asarray(left[:, largest] * np.sqrt(singular[largest]), dtype=np.float32)


def rounded(vectors: F32) -> tuple[NDArray[np.int8], np.float32]:
    """Return the vectors in 8 bits, and what one step is worth."""
    scale = np.float32(np.quantile(np.abs(vectors), 0.9999) / 127)
    return np.clip(np.round(vectors / scale), -127, 127).astype(np.int8), scale


def common(lexicon: dedupe.Lexicon, texts: list[str]) -> F32:
    """Return the directions that the mean vectors of the texts share."""
    means = dedupe.mean_vectors(texts, lexicon)
    _, directions = np.linalg.eigh((means.T @ means).astype(np.float64))
    return np.asarray(directions[:, ::-1][:, :COMMON].T, dtype=np.float32)


if __name__ == "__main__":
    main()
