"""underthesea's model file, read as tables of numbers.

The model is a linear-chain conditional random field (CRF) with two labels, ``B-W`` (a word begins at this
token) and ``I-W`` (it goes on). What it knows is a weight for each *attribute* and label, and four weights
for a label after a label. An attribute is a string such as ``T[-1,0].lower=học sinh``: in the template
``T[-1,0].lower``, the token before and this one in lower case read "học sinh". There are 43 templates::

    T[-2] … T[2]                 one token: as it is, .lower, .istitle, .is_in_dict, and T[-1] … T[1].isdigit
    T[-2,-1] … T[1,2]            two neighbours: as they are, .lower, .is_in_dict, and T[0,1].istitle
    T[-2,0], T[-1,1], T[0,2]     three neighbours: as they are, .is_in_dict, and T[0,2].istitle

A template that reaches over the beginning of the document has the value ``BOS``, else over its end ``EOS``.
Only the difference *B-W less I-W* of two weights matters for which label wins, so one number an attribute
is kept, and words become numbers: a word that no attribute names is word 0.

The file (``models.bin``) is a CRFsuite container, all numbers little-endian: a header of 48 bytes that says
where the parts begin; the part ``FEAT`` with features of 20 bytes (type 0: attribute → label, type 1: label →
label; source, target, weight as a double); and two constant databases ``CQDB`` of names, in which a table of
offsets leads from a number to a record (number, length, bytes, a closing NUL). See N. Okazaki, CRFsuite
(2007), https://www.chokkan.org/software/crfsuite/. The dictionary (``dictionary.bin``) and the names of the
templates (``features.bin``) are pickles, of which only the strings are read: nothing in them is run.
"""

from __future__ import annotations

import pickletools
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

ONE: Final = ("T[-2]", "T[-1]", "T[0]", "T[1]", "T[2]")
TWO: Final = ("T[-2,-1]", "T[-1,0]", "T[0,1]", "T[1,2]")
THREE: Final = ("T[-2,0]", "T[-1,1]", "T[0,2]")

SHIFT: Final = 21
"""Bits of a word's number in a key: three of them fit into one integer."""


class Grams(NamedTuple):
    """Weights of runs of two or three words: the sorted keys, and a row of ``values`` for each.

    A key is the words' numbers side by side, `SHIFT` bits each.
    """

    keys: Ids
    values: Floats


class Tables(NamedTuple):
    """The model as numbers; every weight is that of ``B-W`` less that of ``I-W``.

    Attributes:
        words: The words that attributes name as they are; the first is number 1.
        lowers: The words that attributes or the dictionary name in lower case; the first is number 1.
        word_scores: For each word the weight in each template of `ONE`.
        lower_scores: The same for words in lower case.
        kinds: The same for the 8 kinds of token: 1 for digits, 2 for a title, 4 for being in the dictionary.
        edge: The same for a place outside of the document.
        pairs, lower_pairs: Of two words, for each template of `TWO`; the second with the dictionary's.
        triples, lower_triples: Of three words, for each template of `THREE`; the second is the dictionary's.
        usual_pair, usual_triple: What stands for runs that are in no table.
        edge_pair: For two places of which one lies outside.
        first_triple, last_triple: For three places over the beginning, and over the end.
        title_pair, title_triple: Of runs not in title case, and of runs in it.
        steps: From label to label: B to B, B to I, I to B, I to I.
    """

    words: list[str]
    lowers: list[str]
    word_scores: Floats
    lower_scores: Floats
    kinds: Floats
    edge: Floats
    pairs: Grams
    lower_pairs: Grams
    triples: Grams
    lower_triples: Grams
    usual_pair: Floats
    usual_triple: Floats
    edge_pair: Floats
    first_triple: Floats
    last_triple: Floats
    title_pair: Floats
    title_triple: Floats
    steps: Floats


Weights = Mapping[str, Mapping[str, float]]


def tables(model: bytes, dictionary: bytes) -> Tables:
    """Return the tables of the model file ``model`` with the words of ``dictionary``.

    Raises:
        ValueError: It is no such file.
        struct.error: It ends too early.
    """
    weights, steps = _weights(model)
    known = [tuple(entry.split(" ")) for entry in strings(dictionary)]
    words = _names(weights, "", [])
    lowers = _names(weights, ".lower", known)
    word_at = {word: number for number, word in enumerate(words, 1)}
    lower_at = {word: number for number, word in enumerate(lowers, 1)}

    def title(template: str) -> Floats:
        return _row(weights, [f"{template}.istitle"] * 2, ["False", "True"])

    return Tables(
        words=words,
        lowers=lowers,
        word_scores=_single(weights, words, ""),
        lower_scores=_single(weights, lowers, ".lower"),
        kinds=np.array([_kind(weights, bool(k & 1), bool(k & 2), bool(k & 4)) for k in range(8)]),
        edge=_edge(weights, ONE, ("", ".lower", ".isdigit", ".istitle", ".is_in_dict"), _EDGES),
        pairs=_grams(weights, TWO, "", word_at),
        lower_pairs=_grams(
            weights, TWO, ".lower", lower_at, [entry for entry in known if len(entry) == len("ab")]
        ),
        triples=_grams(weights, THREE, "", word_at),
        lower_triples=_grams(
            weights, THREE, None, lower_at, [entry for entry in known if len(entry) == len("abc")]
        ),
        usual_pair=_everywhere(weights, TWO, ".is_in_dict", "False"),
        usual_triple=_everywhere(weights, THREE, ".is_in_dict", "False"),
        edge_pair=_edge(weights, TWO, _TWOFOLD, ("BOS", "BOS", "EOS", "EOS")),
        first_triple=_edge(weights, THREE, _TWOFOLD, ("BOS", "BOS", "BOS")),
        last_triple=_edge(weights, THREE, _TWOFOLD, ("EOS", "EOS", "EOS")),
        title_pair=title("T[0,1]"),
        title_triple=title("T[0,2]"),
        steps=steps,
    )


_EDGES: Final = ("BOS", "BOS", "", "EOS", "EOS")
_TWOFOLD: Final = ("", ".lower", ".istitle", ".is_in_dict")


def strings(pickled: bytes) -> list[str]:
    r"""Return the strings of a pickle in order, read and not run.

    >>> strings(b"\x80\x04]\x94(\x8c\x01a\x94\x8c\x01b\x94e.")
    ['a', 'b']
    """
    return [value for _, value, _ in pickletools.genops(pickled) if isinstance(value, str)]


# ------------------------------------------------------------------------------------------- the file


_HEADER: Final = struct.Struct("<4sI4sIIIIIIIII")
_PART: Final = struct.Struct("<4sII")
_DATABASE: Final = struct.Struct("<4sIIIII")
_RECORD: Final = struct.Struct("<II")
_FEATURE: Final = np.dtype([("type", "<u4"), ("source", "<u4"), ("target", "<u4"), ("weight", "<f8")])


def _weights(model: bytes) -> tuple[Weights, Floats]:
    """Return the weights by template and value, and those from label to label."""
    magic, size, kind, _, _, _, _, features_at, labels_at, attributes_at, _, _ = _HEADER.unpack_from(model)
    if (magic, size, kind) != (b"lCRF", len(model), b"FOMC"):
        raise ValueError("no CRFsuite model")
    labels = list(_database(model, labels_at))
    begin, inside = labels.index("B-W"), labels.index("I-W")
    attributes = list(_database(model, attributes_at))
    _, length, _ = _PART.unpack_from(model, features_at)
    count = (length - _PART.size) // _FEATURE.itemsize
    features = np.frombuffer(model, _FEATURE, count, features_at + _PART.size)
    states = features[features["type"] == 0]
    signed = np.where(states["target"] == begin, states["weight"], -states["weight"])
    total = np.bincount(states["source"], signed, len(attributes))
    moves = features[features["type"] == 1]
    steps = {(int(move["source"]), int(move["target"])): float(move["weight"]) for move in moves}
    order = [(one, other) for one in (begin, inside) for other in (begin, inside)]
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    for attribute, weight in zip(attributes, total.tolist(), strict=True):
        template, _, value = attribute.partition("=")
        weights[template][value] = weight
    return weights, np.array([steps[move] for move in order])


def _database(model: bytes, at: int) -> Iterator[str]:
    """Yield the names of a constant database by number."""
    magic, _, _, _, count, offsets = _DATABASE.unpack_from(model, at)
    if magic != b"CQDB":
        raise ValueError("no constant database")
    for offset in struct.unpack_from(f"<{count}I", model, at + offsets):
        _, length = _RECORD.unpack_from(model, at + offset)
        start = at + offset + _RECORD.size
        yield model[start : start + length - 1].decode()


# ------------------------------------------------------------------------------------------ the tables


def _names(weights: Weights, suffix: str, entries: Sequence[tuple[str, ...]]) -> list[str]:
    """Return every word that a template with ``suffix`` or an entry of the dictionary names, sorted."""
    found = {word for entry in entries if len(entry) in (2, 3) for word in entry}
    found.update(*(weights.get(f"{template}{suffix}", {}) for template in ONE))
    for template in (*TWO, *THREE):
        for value in weights.get(f"{template}{suffix}", {}):
            found.update(value.split(" "))
    return sorted(found - {""})


def _row(weights: Weights, templates: Sequence[str], values: Sequence[str]) -> Floats:
    """Return the weight of each template with its value; 0 where the model says nothing."""
    return np.array(
        [weights.get(name, {}).get(value, 0.0) for name, value in zip(templates, values, strict=True)]
    )


def _everywhere(weights: Weights, templates: Sequence[str], suffix: str, value: str) -> Floats:
    return _row(weights, [f"{name}{suffix}" for name in templates], [value] * len(templates))


def _edge(
    weights: Weights, templates: Sequence[str], suffixes: Sequence[str], values: Sequence[str]
) -> Floats:
    """Return what the places outside of a document weigh in each template, in all its variants."""
    rows = (_row(weights, [f"{name}{suffix}" for name in templates], values) for suffix in suffixes)
    return sum(rows, np.zeros(len(templates)))


def _kind(weights: Weights, digits: bool, title: bool, known: bool) -> Floats:
    traits = {".isdigit": digits, ".istitle": title, ".is_in_dict": known}
    return sum(
        (_everywhere(weights, ONE, name, str(value)) for name, value in traits.items()), np.zeros(len(ONE))
    )


def _single(weights: Weights, words: Sequence[str], suffix: str) -> Floats:
    scores = np.zeros((len(words) + 1, len(ONE)))
    for column, template in enumerate(ONE):
        of = weights.get(f"{template}{suffix}", {})
        scores[1:, column] = [of.get(word, 0.0) for word in words]
    return scores


def _grams(
    weights: Weights,
    templates: Sequence[str],
    suffix: str | None,
    number: Mapping[str, int],
    entries: Sequence[tuple[str, ...]] = (),
) -> Grams:
    """Return the weights of runs of words; with ``entries``, also what being in the dictionary changes."""
    size = 2 if templates is TWO else 3
    rows: dict[int, Floats] = {}
    for column, template in enumerate(templates if suffix is not None else ()):
        for value, weight in weights.get(f"{template}{suffix}", {}).items():
            words = value.split(" ")
            if len(words) == size and all(words):  # no token holds a space, so no other value occurs
                rows.setdefault(_key(number, words), np.zeros(len(templates)))[column] += weight
    listed, unlisted = (_everywhere(weights, templates, ".is_in_dict", value) for value in ("True", "False"))
    for entry in entries:
        if all(entry):
            rows.setdefault(_key(number, entry), np.zeros(len(templates)))
            rows[_key(number, entry)] += listed - unlisted
    keys = np.array(sorted(rows), dtype=np.int64)
    return Grams(keys, np.array([rows[key] for key in keys.tolist()]).reshape(-1, len(templates)))


def _key(number: Mapping[str, int], words: Sequence[str]) -> int:
    key = 0
    for word in words:
        key = key << SHIFT | number[word]
    return key
