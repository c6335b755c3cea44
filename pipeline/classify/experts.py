"""Which separator judges which record: the one that reads all a record holds, and nothing it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.classify.reading import (
    AUTHOR,
    FOLDED,
    KEYED,
    SECTOR,
    UNIT,
    Blocks,
    Flags,
    authored,
    marked,
    placed,
)

Lengths = Mapping[str, float]
"""The blocks that a separator reads, and how long their rows are side by side."""

MARKED: Final = "marked"
BARE: Final = "bare"
SPELLED: Final[Mapping[str, Lengths]] = {MARKED: {KEYED: 1.0, FOLDED: 0.5}, BARE: {FOLDED: 1.0}}
"""A text typed without marks shares few spellings with the others, and those mislead (`la` is no `là`): a
separator that never looks at marks judges it better."""

PLACED: Final = "placed"
AUTHORED: Final = "authored"
TOLD: Final[Mapping[str, Lengths]] = {PLACED: {UNIT: 0.5, SECTOR: 0.3}, AUTHORED: {AUTHOR: 0.5}}
"""What a record may tell beside its text: where its author works, which field the author named. Where it
tells nothing, a separator judges it that misses nothing."""

_NONE: Final[Lengths] = MappingProxyType({})


def tells(texts: Blocks, kind: str) -> Flags:
    """Return which records tell something of a kind (a key of `TOLD`)."""
    return placed(texts) if kind == PLACED else authored(texts)


def table(kinds: Collection[str], beside: Lengths = _NONE) -> dict[str, dict[str, float]]:
    """Return the separators of a model by name, each with what it reads.

    Args:
        kinds: What of `TOLD` is read.
        beside: What is read of every text with marks, beside its syllables.

    >>> list(table(["placed"]))
    ['marked', 'bare', 'marked_placed', 'bare_placed']
    """
    found = {}
    for some in _subsets([kind for kind in TOLD if kind in kinds]):
        extra = {block: length for kind in some for block, length in TOLD[kind].items()}
        for spelled, lengths in SPELLED.items():
            also = beside if spelled == MARKED else {}
            found["_".join([spelled, *some])] = {**lengths, **extra, **also}
    return found


def chosen(texts: Blocks, names: Collection[str]) -> npt.NDArray[np.object_]:
    """Return which of the separators ``names`` each record belongs to."""
    found = np.where(marked(texts), MARKED, BARE).astype(object)
    for kind in TOLD:
        if any(kind in name.split("_") for name in names):
            found = np.where(tells(texts, kind), found + f"_{kind}", found)
    return found


def _subsets(kinds: list[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(kinds) + 1):
        yield from combinations(kinds, size)
