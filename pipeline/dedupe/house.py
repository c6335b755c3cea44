"""Form text of one place of work: what stands in many of its filings and is nobody's idea.

A sentence that forty filings of a hospital share is rare among a hundred thousand, and still its form. A text
that was filed three hundred times is not: its copies hold hardly anything else. So only filings that say
enough of their own are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import normalize
from pipeline.dedupe.join import begins
from pipeline.dedupe.shingles import HASH_BITS, Marks

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

FEWEST: Final = 8
"""Filings that must hold the same sentence: fewer may be people who had the same idea."""
SHARE: Final = 0.3
"""And the share of the place's filings."""
_OWN: Final = 0.3
"""Share of a filing that must be its own, for it to say what is form."""
_AT_ONCE: Final = 5_000
_ROW_BITS: Final = np.uint64(64 - HASH_BITS)


def house_form(marks: Marks, places: Sequence[Iterable[str]]) -> U64:
    """Return the shingles that are form text of some place of work, sorted.

    Args:
        marks: The shingles of different texts.
        places: Of each text what its place of work and those above it are called.

    >>> from pipeline.dedupe.shingles import fingerprint
    >>> own = ["máy ép nhựa mới thay", "khuôn gỗ ba mảnh ghép", "đèn tự tắt", "bơm chạy bằng gió"]
    >>> texts = [f"{text} {n} theo mẫu phiếu của bệnh viện" for n, text in enumerate(own * 3)]
    >>> len(house_form(fingerprint(texts), [["bv"]] * 12)), len(house_form(fingerprint(texts), [[]] * 12))
    (4, 0)
    """
    by_place: dict[str, list[int]] = {}
    for text, names in enumerate(places):
        for name in sorted(set(names)):
            by_place.setdefault(name, []).append(text)
    # Some thousand filings show a form as well as all.
    found = [
        _form(marks, np.array(texts[:: -(-len(texts) // _AT_ONCE)], dtype=np.int64))
        for texts in by_place.values()
        if len(texts) >= FEWEST
    ]
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *found]))


def _form(marks: Marks, texts: I64) -> U64:
    """Return the shingles that many of these texts hold, of those that hold much else."""
    keys = [
        (marks.shingles[marks.bounds[text] : marks.bounds[text + 1]] << _ROW_BITS) | np.uint64(row)
        for row, text in enumerate(texts.tolist())
    ]
    postings = np.sort(np.concatenate(keys))
    postings = postings[begins(postings)]
    hashes, rows = (
        postings >> _ROW_BITS,
        (postings & ((np.uint64(1) << _ROW_BITS) - np.uint64(1))).astype(int),
    )
    starts = np.flatnonzero(begins(hashes))
    sizes = np.diff(np.append(starts, len(hashes)))
    often = np.repeat(sizes >= max(FEWEST, SHARE * len(texts)), sizes)
    common = np.bincount(rows[often], minlength=len(texts))
    asked = common <= (1 - _OWN) * np.bincount(rows, minlength=len(texts))
    holders = np.add.reduceat(asked[rows], starts, dtype=np.int64) if len(starts) else starts
    form: U64 = hashes[starts][holders >= max(FEWEST, SHARE * asked.sum())]
    return form


def names_of(records: pd.DataFrame) -> list[list[str]]:
    """Return what each record's place of work is called, and the places above it that its cell names.

    >>> rows = pd.DataFrame({"unit": ["Khoa Nhi, Bệnh viện A"], "upper_union": ["LĐLĐ huyện B"]})
    >>> names_of(rows)
    [['khoa nhi benh vien a', 'benh vien a', 'ldld huyen b']]
    """
    cells = list(zip(records["unit"].tolist(), records["upper_union"].tolist(), strict=True))
    known = {cell: _names(*cell) for cell in dict.fromkeys(cells)}
    return [known[cell] for cell in cells]


def _names(unit: str, union: str) -> list[str]:
    names = [normalize.fold(unit), normalize.fold(unit.rsplit(",", 1)[-1]), normalize.fold(union)]
    return [name for name in dict.fromkeys(names) if name]
