"""The classifier: words and workplace → linear separators → probabilities → labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from pipeline import normalize
from pipeline.classify.decision import Flags, Floats, Rules, Scores, decide
from pipeline.classify.experts import Lengths, chosen
from pipeline.classify.reading import (
    FOLDED,
    KEYED,
    VECTORS,
    WORDS,
    Blocks,
    Reader,
    Vectors,
    blocks,
    counts,
    title_only,
)
from pipeline.classify.separator import Dense, Separator, Votes, pooled
from pipeline.classify.vocabulary import Vocabulary
from pipeline.errors import EncoderNeeded, GateRefused

SCHEMA: Final = 3

CHANCE: Final = "chance_"
"""How the columns begin that hold the probability of each field beside a label."""

_PLACES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What votes are worth: ``temperatures`` make probabilities of them (`separator.pooled`)."""

    temperatures: tuple[float, ...]
    rules: Rules


@dataclass(frozen=True, kw_only=True, eq=False)
class Expert:
    """A separator, the blocks that it ``reads``, and what its votes are worth.

    A title alone says less than a whole record and is surer of itself than it should be, so each has its
    own calibration.
    """

    separator: Separator
    reads: Lengths
    whole: Calibration
    title: Calibration


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted classifier: what the registry stores as `artefact` and `card`.

    ``vocabularies`` are the terms it knows in each block of counts, ``experts`` its separators by name
    (`experts.table`); ``reader`` is what texts are read with, which is not stored.
    """

    vocabularies: Mapping[str, Vocabulary]
    experts: Mapping[str, Expert]
    taxonomy: str
    reader: Reader = field(default_factory=Reader)

    @property
    def classes(self) -> list[str]:
        """Return the field codes, in the order of the columns of probabilities."""
        return self.experts["marked"].separator.classes

    @property
    def reads(self) -> set[str]:
        """Return the blocks that are read of records."""
        return {name for expert in self.experts.values() for name in expert.reads}

    def features(self, texts: Blocks, names: Iterable[str]) -> dict[str, sparse.csr_array | Dense]:
        """Return the named blocks of some texts as numbers."""
        return {
            name: block.rows if isinstance(block, Vectors) else self.vocabularies[name].count(block)
            for name, block in ((name, texts[name]) for name in names)
        }


def score(model: Model, batch: pd.DataFrame) -> Scores:
    """Return what ``model`` says of each record of ``batch``, the same whatever stands beside it."""
    return _judged(model, batch)[0]


def label(model: Model, batch: pd.DataFrame, *, name: str, chances: bool = False) -> pd.DataFrame:
    """Return the labels of a batch (`decide`), with ``name`` in the column ``model``.

    With ``chances`` the probability of every field stands beside, in columns that begin with `CHANCE`.
    """
    scores, expert = _judged(model, batch)
    labels = label_scores(model, batch, scores, expert, name=name)
    if not chances:
        return labels
    names = [f"{CHANCE}{code}" for code in model.classes]
    # Half the memory for the 4 places they have: a run may keep them of millions of records.
    beside = pd.DataFrame(scores.probabilities.astype(np.float32), columns=names, index=labels.index)
    return pd.concat([labels, beside], axis=1)


def _judged(model: Model, batch: pd.DataFrame) -> tuple[Scores, npt.NDArray[np.object_]]:
    """Return the scores of a batch, and which expert gave each."""
    # What only some records need is read of all: they are nearly always all.
    texts = blocks(batch, sorted(model.reads | {KEYED, FOLDED}), model.reader)
    expert = chosen(texts, model.experts)
    alone = title_only(batch)
    found = np.zeros((len(batch), len(model.classes)))
    for name in sorted(set(expert.tolist())):
        rows = np.flatnonzero(expert == name)
        # Nearly always one expert judges all, and then nothing needs to be taken apart.
        some = texts if len(rows) == len(batch) else {key: each.of(rows) for key, each in texts.items()}
        found[rows] = _probabilities(model, name, some, alone[rows])
    known = model.vocabularies[FOLDED]
    return Scores(found, counts(texts, KEYED).sizes(), known.unknown(counts(texts, FOLDED))), expert


def _probabilities(model: Model, name: str, texts: Blocks, alone: Flags) -> Floats:
    expert = model.experts[name]
    votes = expert.separator.votes(model.features(texts, expert.reads))
    return calibrated(votes, expert.whole, expert.title, alone)


def calibrated(votes: Votes, whole: Calibration, title: Calibration, alone: Flags) -> Floats:
    """Return the probabilities of votes: titles by the calibration of titles, the rest by the other."""
    of_title, of_whole = probabilities(votes, title.temperatures), probabilities(votes, whole.temperatures)
    return np.asarray(np.where(alone[:, None], of_title, of_whole), dtype=np.float64)


def probabilities(votes: Votes, temperatures: tuple[float, ...]) -> Floats:
    """Return probabilities (rows, classes), rounded to 4 places: what a table shows is what was decided by.

    >>> probabilities((np.array([[0.3, 0.1]]),), (0.1,))
    array([[0.8808, 0.1192]])
    """
    return np.asarray(np.round(np.exp(pooled(votes, temperatures)), _PLACES), dtype=np.float64)


def label_scores(
    model: Model, batch: pd.DataFrame, scores: Scores, expert: npt.NDArray[np.object_], *, name: str
) -> pd.DataFrame:
    """Return the labels that follow from scores, each by its expert's rules, titles by those for titles."""
    ids, alone = batch["id"].to_numpy(dtype=object), title_only(batch)
    parts = []
    for who in sorted(set(expert.tolist())) or ["marked"]:
        of_title, of_whole = model.experts[who].title, model.experts[who].whole
        for rows, calibration in ((alone, of_title), (~alone, of_whole)):
            here = rows & (expert == who)
            part = decide(
                ids[here].tolist(),
                scores.of(here),
                classes=model.classes,
                rules=calibration.rules,
                model=name,
                taxonomy=model.taxonomy,
            )
            parts.append(part.set_index(np.flatnonzero(here)))
    return pd.concat(parts).sort_index()


def artefact(model: Model) -> dict[str, Any]:
    """Return the learned part, from arrays and stock parts only, so that a safe reader can load it."""
    return {
        "terms": {name: terms.pack() for name, terms in model.vocabularies.items()},
        "experts": {name: expert.separator.stored() for name, expert in model.experts.items()},
    }


def card(model: Model) -> dict[str, Any]:
    """Return the part of the model that people read too, as JSON values; `restore` needs both."""
    return {
        "labels": model.classes,
        "taxonomy": model.taxonomy,
        "normalize": normalize.VERSION,
        "features": SCHEMA,
        "experts": {
            name: {
                "reads": dict(expert.reads),
                "whole": asdict(expert.whole),
                "title": asdict(expert.title),
            }
            for name, expert in model.experts.items()
        },
        "encoder": _encoder(model),
    }


def _encoder(model: Model) -> dict[str, str] | None:
    encoder = model.reader.encoder
    if encoder is None or VECTORS not in model.reads:
        return None
    return {"name": encoder.name, "sha256": encoder.digest}


def restore(stored: Mapping[str, Any], card: Mapping[str, Any], reader: Reader | None = None) -> Model:
    """Return the model of an `artefact` and its `card`.

    Args:
        stored: What was learnt.
        card: What people read too.
        reader: What texts are read with: it must be what the model was learnt with.

    Raises:
        GateRefused: The model was made for texts normalized in another way, or by a program that read other
            things of a record.
        EncoderNeeded: It was made with an encoder that is not the reader's.
    """
    reader = reader or Reader()
    if card["normalize"] != normalize.VERSION:
        raise GateRefused(
            "The model reads texts normalized by version {made}; this program normalizes by version {now}. "
            "Train it again.",
            made=card["normalize"],
            now=normalize.VERSION,
        )
    if card.get("features") != SCHEMA:
        raise GateRefused(
            "The model reads records by rules of version {made}; this program has version {now}. "
            "Train it again.",
            made=card.get("features", 1),
            now=SCHEMA,
        )
    experts = card["experts"]
    _check_reader({block for told in experts.values() for block in told["reads"]}, card, reader)
    return Model(
        vocabularies={name: Vocabulary.unpack(terms) for name, terms in stored["terms"].items()},
        experts={
            name: Expert(
                separator=Separator.restored(stored["experts"][name], told["reads"]),
                reads=told["reads"],
                whole=_calibration(told["whole"]),
                title=_calibration(told["title"]),
            )
            for name, told in experts.items()
        },
        taxonomy=card["taxonomy"],
        reader=reader,
    )


def _check_reader(reads: set[str], card: Mapping[str, Any], reader: Reader) -> None:
    if WORDS in reads and reader.cut is None:
        raise GateRefused("The model reads words, and nothing was given that cuts texts into words.")
    wanted, found = card["encoder"], reader.encoder
    if VECTORS in reads and (found is None or found.digest != wanted["sha256"]):
        raise EncoderNeeded(
            "The model was learnt with the encoder {name} (SHA-256 {wanted}…); {found} was given. Name the "
            "folder of that encoder (--encoder, SANGKIEN_ENCODER), or train the model again.",
            name=wanted["name"],
            wanted=wanted["sha256"][:12],
            found=f"{found.name} ({found.digest[:12]}…)" if found else "none",
        )


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    return Calibration(temperatures=tuple(stored["temperatures"]), rules=Rules(**stored["rules"]))
