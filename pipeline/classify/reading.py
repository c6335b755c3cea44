"""Records → words: what a classifier reads of each, written in the ways that writers differ in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import normalize
from pipeline.classify.vocabulary import Words, read

Flags = npt.NDArray[np.bool_]

KEYED: Final = "keyed"
FOLDED: Final = "folded"
UNIT: Final = "unit"
SECTOR: Final = "sector"
BLOCKS: Final = (KEYED, FOLDED, UNIT, SECTOR)
"""What is counted: the text with marks, the text without, and where the author works."""

_MARKED: Final = re.compile(
    "[ăâđêôơư"
    + "".join(
        unicodedata.normalize("NFC", v + t) for v in "aăâeêioôơuưy" for t in "\u0300\u0301\u0303\u0309\u0323"
    )
    + "]"
)
_END: Final = "\n"
_NO_LETTER: Final = re.compile(r"\W+").sub


def features(batch: pd.DataFrame) -> list[str]:
    r"""Return the text the classifier reads of each record, from ``clean_title`` and ``clean_description``.

    >>> features(pd.DataFrame({"clean_title": ["Đồ gá"], "clean_description": ["Hoà khí"]}))
    ['Đồ gá\nHoà khí']
    """
    texts = zip(batch["clean_title"].tolist(), batch["clean_description"].tolist(), strict=True)
    return [f"{title}\n{description}" for title, description in texts]


def title_only(batch: pd.DataFrame) -> Flags:
    """Return which records have no description.

    >>> title_only(pd.DataFrame({"clean_description": ["", "Nay"]}))
    array([ True, False])
    """
    return np.array([not text.strip() for text in batch["clean_description"].tolist()], dtype=bool)


def words(batch: pd.DataFrame) -> dict[str, Words]:
    """Return the words of each of `BLOCKS` in every record.

    >>> batch = pd.DataFrame({"clean_title": ["Hoà khí"], "clean_description": [""], "unit": ["Sở Y tế"]})
    >>> {name: block.lexicon for name, block in words(batch).items()}
    {'keyed': ['hòa', 'khí'], 'folded': ['hoa', 'khi'], 'unit': ['so', 'y', 'te'], 'sector': []}
    """
    text = read(features(batch))
    return {
        KEYED: text.respelt(_keyed),
        FOLDED: text.respelt(bare),
        UNIT: read(_cells(batch, "unit")).respelt(bare),
        SECTOR: read(_cells(batch, "sector")),
    }


def marked(texts: Mapping[str, Words]) -> Flags:
    """Return which texts bear a mark of Vietnamese anywhere: the others were typed without.

    >>> marked(words(pd.DataFrame({"clean_title": ["Ky thuat: 5 m²", "Máy"], "clean_description": ["", ""]})))
    array([False,  True])
    """
    text = texts[KEYED]
    bears = np.array([_MARKED.search(word) is not None for word in text.lexicon], dtype=bool)
    return np.bincount(text.text[bears[text.spelling]], minlength=text.texts) > 0


def placed(texts: Mapping[str, Words]) -> Flags:
    """Return which records say where their author works."""
    return (texts[UNIT].sizes() > 0) | (texts[SECTOR].sizes() > 0)


@lru_cache(maxsize=1 << 17)
def keyed(word: str) -> str:
    """Return a word as `normalize.key` unifies it, in one piece, so that all blocks have the same words.

    >>> keyed("hoà"), keyed("kỹ")
    ('hòa', 'kĩ')
    """
    return _NO_LETTER("", normalize.key(word))


def bare(spellings: list[str]) -> list[str]:
    """Return words without their marks (`normalize.fold_table`), each in one piece.

    >>> bare(["đường", "Ⅳ"])
    ['duong', 'i']
    """
    # One gather over all of them: asking `normalize.fold` word by word takes longer than all the rest.
    codes = np.frombuffer(_END.join(spellings).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    folded = np.where(codes == ord(_END), codes, normalize.fold_table()[codes])
    kept = folded[(folded > ord(" ")) | (folded == ord(_END))]
    return kept.astype(np.uint32).tobytes().decode("utf-32-le").split(_END) if spellings else []


def _keyed(spellings: list[str]) -> list[str]:
    return [keyed(word) for word in spellings]


def _cells(batch: pd.DataFrame, column: str) -> Sequence[str]:
    return batch[column].tolist() if column in batch else [""] * len(batch)
