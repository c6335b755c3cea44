"""Records → words: what a classifier reads of each, written in the ways that writers differ in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import normalize
from pipeline.classify.vocabulary import Words, read
from pipeline.records import AUTHOR_CODES

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

KEYED: Final = "keyed"
FOLDED: Final = "folded"
WORDS: Final = "words"
UNIT: Final = "unit"
SECTOR: Final = "sector"
AUTHOR: Final = "author"
VECTORS: Final = "vectors"
COUNTED: Final = (KEYED, FOLDED, WORDS, UNIT, SECTOR, AUTHOR)
"""Blocks of counts: syllables with marks and without, words, where the author works, which field the author
named. `VECTORS` is the one block that is not counted."""

_MARKED: Final = re.compile(
    "[ăâđêôơư"
    + "".join(
        unicodedata.normalize("NFC", v + t) for v in "aăâeêioôơuưy" for t in "\u0300\u0301\u0303\u0309\u0323"
    )
    + "]"
)
_END: Final = "\n"
_NO_LETTER: Final = re.compile(r"\W+").sub


class Encoder(Protocol):
    """What makes a vector of a text; ``digest`` changes where its vectors do."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of what its vectors come from."""
        ...

    def encode(self, texts: Sequence[str], /) -> npt.NDArray[np.float32]:
        """Return a vector a text, shape (texts, dimensions), each whatever stands beside it."""
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """What a classifier may read texts with, beside its own rules.

    Attributes:
        cut: Gives each text its words, with a space between and the spaces inside a word as ``_``.
        encoder: Gives each text a vector.
        few: Whether the encoder is worth a trial only where people gave few labels.
    """

    cut: Callable[[Sequence[str]], Sequence[str]] | None = None
    encoder: Encoder | None = None
    few: bool = False


class Vectors(NamedTuple):
    """One vector a text: float32, shape (texts, dimensions)."""

    rows: npt.NDArray[np.float32]

    def of(self, rows: Rows) -> Vectors:
        """Return the vectors of some of the texts."""
        return Vectors(self.rows[rows])


Blocks = Mapping[str, Words | Vectors]
"""What was read of some records: `Words` for blocks of counts, `Vectors` for the other."""


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


def blocks(batch: pd.DataFrame, names: Collection[str], reader: Reader) -> dict[str, Words | Vectors]:
    """Return the named blocks of every record, those that ``reader`` has nothing for left out.

    >>> batch = pd.DataFrame({"clean_title": ["Hoà khí"], "clean_description": [""], "unit": ["Sở Y tế"]})
    >>> found = blocks(batch, ["keyed", "folded", "unit", "sector", "words"], Reader())
    >>> {name: block.lexicon for name, block in found.items()}
    {'keyed': ['hòa', 'khí'], 'folded': ['hoa', 'khi'], 'unit': ['so', 'y', 'te'], 'sector': []}
    """
    found: dict[str, Words | Vectors] = {}
    text = read(features(batch)) if {KEYED, FOLDED} & set(names) else None
    for name in names:
        if name == KEYED and text:
            found[name] = text.respelt(_keyed)
        elif name == FOLDED and text:
            found[name] = text.respelt(bare)
        elif name == UNIT:
            found[name] = read(_cells(batch, "unit")).respelt(bare)
        elif name == SECTOR:
            found[name] = read(_cells(batch, "sector"))
        elif name == AUTHOR:
            found[name] = read(_cells(batch, AUTHOR_CODES))
        elif name == WORDS and reader.cut:
            found[name] = read(_cut(batch, reader.cut)).respelt(_keyed)
        elif name == VECTORS and reader.encoder:
            found[name] = Vectors(_encoded(features(batch), reader.encoder))
    return found


def counts(found: Blocks, name: str) -> Words:
    """Return a block of counts, which must have been read."""
    block = found[name]
    assert isinstance(block, Words)
    return block


def marked(texts: Blocks) -> Flags:
    """Return which texts bear a mark of Vietnamese anywhere: the others were typed without.

    >>> batch = pd.DataFrame({"clean_title": ["Ky thuat: 5 m²", "Máy"], "clean_description": ["", ""]})
    >>> marked(blocks(batch, ["keyed"], Reader()))
    array([False,  True])
    """
    text = counts(texts, KEYED)
    bears = np.array([_MARKED.search(word) is not None for word in text.lexicon], dtype=bool)
    return np.bincount(text.text[bears[text.spelling]], minlength=text.texts) > 0


def placed(texts: Blocks) -> Flags:
    """Return which records say where their author works."""
    return (counts(texts, UNIT).sizes() > 0) | (counts(texts, SECTOR).sizes() > 0)


def authored(texts: Blocks) -> Flags:
    """Return which records name a field in their author's own words."""
    return counts(texts, AUTHOR).sizes() > 0


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


def _cut(batch: pd.DataFrame, cut: Callable[[Sequence[str]], Sequence[str]]) -> list[str]:
    """Return the words of each record; every title and description is cut once."""
    titles, descriptions = (
        [unicodedata.normalize("NFC", text) for text in batch[column]]
        for column in ("clean_title", "clean_description")
    )
    texts = list(dict.fromkeys([*titles, *descriptions]))
    found = dict(zip(texts, cut(texts), strict=True))
    return [
        f"{found[title]} {found[description]}"
        for title, description in zip(titles, descriptions, strict=True)
    ]


def _encoded(texts: Sequence[str], encoder: Encoder) -> npt.NDArray[np.float32]:
    """Return the vector of each text; of texts that stand here twice one is made."""
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    vectors = np.asarray(encoder.encode(list(place)), dtype=np.float32)
    return vectors[[place[text] for text in texts]] if texts else vectors.reshape(0, -1)


def _cells(batch: pd.DataFrame, column: str) -> Sequence[str]:
    return batch[column].tolist() if column in batch else [""] * len(batch)
