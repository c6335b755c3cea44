"""What a model has seen: a number for each text it learnt from, so that none is judged on them unawares.

A model keeps the numbers, not the texts: they take 8 bytes each, and tell nobody what was learnt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import normalize

Marks = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

KEY: Final = "seen"
"""Where a stored model has them."""


def marks(batch: pd.DataFrame) -> Marks:
    """Return a number for each record's text, the same however letters are encoded and tones placed.

    Two different texts as good as never have one number (64 bits of BLAKE2b); an empty text has 0.

    Args:
        batch: Columns ``clean_title`` and ``clean_description``.

    >>> batch = pd.DataFrame({"clean_title": ["Hoà khí", "HÒA KHÍ", ""], "clean_description": ["", "", ""]})
    >>> first, second, empty = marks(batch).tolist()
    >>> first == second, empty
    (True, 0)
    """
    texts = zip(batch["clean_title"].tolist(), batch["clean_description"].tolist(), strict=True)
    return np.array([_mark(title, text) for title, text in texts], dtype=np.uint64)


def _mark(title: str, text: str) -> int:
    parts = [normalize.key(part).strip() for part in (title, text)]
    if not any(parts):
        return 0
    whole = "\n".join(parts).encode("utf-8", "surrogatepass")
    # 0 is kept for the empty text.
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big") or 1


def learnt(batch: pd.DataFrame) -> Marks:
    """Return the numbers of what labelled records teach, sorted: each whole, and its title alone."""
    titles = batch[["clean_title"]].assign(clean_description="")
    found = np.unique(np.concatenate([marks(batch), marks(titles)]))
    return found[found > 0]


def by(stored: Mapping[str, Any], batch: pd.DataFrame, groups: Sequence[str]) -> Flags | None:
    """Return which records a stored model learnt from, or copies of them; None where it does not say.

    Args:
        stored: What the registry stores of a model (`classify.artefact`), with its numbers under `KEY`.
        batch: Normalized records.
        groups: Rows with the same name here are copies of one another.
    """
    known = stored.get(KEY)
    if known is None:
        return None
    found = np.isin(marks(batch), np.asarray(known, dtype=np.uint64))
    group = np.array(groups, dtype=object)
    told = set(group[found].tolist())
    return np.array([name in told for name in group], dtype=bool)
