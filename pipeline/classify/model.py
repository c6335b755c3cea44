"""The classifier: words and workplace → linear separators → probabilities → labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import normalize
from pipeline.classify.decision import Flags, Floats, Rules, Scores, decide
from pipeline.classify.reading import FOLDED, KEYED, SECTOR, UNIT, marked, placed, title_only, words
from pipeline.classify.separator import Separator, Votes, pooled
from pipeline.classify.vocabulary import Vocabulary, Words
from pipeline.errors import GateRefused

_WORKPLACE: Final = {UNIT: 0.5, SECTOR: 0.3}
EXPERTS: Final[Mapping[str, Mapping[str, float]]] = {
    "marked": {KEYED: 1.0, FOLDED: 0.5},
    "bare": {FOLDED: 1.0},
    "marked_placed": {KEYED: 1.0, FOLDED: 0.5, **_WORKPLACE},
    "bare_placed": {FOLDED: 1.0, **_WORKPLACE},
}
"""The separators of a model: the blocks that each reads, and how long their rows are side by side.

A text typed without marks shares few spellings with the others, and those mislead (`la` is no `là`): one
that never looks at marks judges it better. Where no workplace is told, none is missed.
"""
SCHEMA: Final = 2

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
    """A separator and what its votes are worth.

    A title alone says less than a whole record and is surer of itself than it should be, so each has its
    own calibration.
    """

    separator: Separator
    whole: Calibration
    title: Calibration


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted classifier: what the registry stores as `artefact` and `card`.

    ``vocabularies`` are the terms it knows in each block, ``experts`` some of `EXPERTS`.
    """

    vocabularies: Mapping[str, Vocabulary]
    experts: Mapping[str, Expert]
    taxonomy: str

    @property
    def classes(self) -> list[str]:
        """Return the field codes, in the order of the columns of probabilities."""
        return self.experts["marked"].separator.classes


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
    texts = words(batch)
    expert = chosen_expert(texts, model.experts)
    alone = title_only(batch)
    found = np.zeros((len(batch), len(model.classes)))
    for name in sorted(set(expert.tolist())):
        rows = np.flatnonzero(expert == name)
        # Nearly always one expert judges all, and then nothing needs to be taken apart.
        some = texts if len(rows) == len(batch) else {key: each.of(rows) for key, each in texts.items()}
        found[rows] = _probabilities(model, name, some, alone[rows])
    known = model.vocabularies[FOLDED]
    return Scores(found, texts[KEYED].sizes(), known.unknown(texts[FOLDED])), expert


def _probabilities(model: Model, name: str, texts: Mapping[str, Words], alone: Flags) -> Floats:
    expert = model.experts[name]
    blocks = {block: model.vocabularies[block].count(texts[block]) for block in EXPERTS[name]}
    votes = expert.separator.votes(blocks)
    return calibrated(votes, expert.whole, expert.title, alone)


def calibrated(votes: Votes, whole: Calibration, title: Calibration, alone: Flags) -> Floats:
    """Return the probabilities of votes: titles by the calibration of titles, the rest by the other."""
    of_title, of_whole = probabilities(votes, title.temperatures), probabilities(votes, whole.temperatures)
    return np.asarray(np.where(alone[:, None], of_title, of_whole), dtype=np.float64)


def chosen_expert(texts: Mapping[str, Words], experts: Mapping[str, object]) -> npt.NDArray[np.object_]:
    """Return which expert each record belongs to: the one that reads all it holds, and nothing it lacks."""
    spelled = np.where(marked(texts), "marked", "bare").astype(object)
    told = placed(texts) if "marked_placed" in experts else np.zeros(len(spelled), dtype=bool)
    return np.where(told, spelled + "_placed", spelled)


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
            name: {"whole": asdict(expert.whole), "title": asdict(expert.title)}
            for name, expert in model.experts.items()
        },
    }


def restore(stored: Mapping[str, Any], card: Mapping[str, Any]) -> Model:
    """Return the model of an `artefact` and its `card`.

    Raises:
        GateRefused: The model was made for texts normalized in another way, or by a program that read
            other things of a record.
    """
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
    return Model(
        vocabularies={name: Vocabulary.unpack(terms) for name, terms in stored["terms"].items()},
        experts={
            name: Expert(
                separator=Separator.restored(stored["experts"][name], EXPERTS[name]),
                whole=_calibration(told["whole"]),
                title=_calibration(told["title"]),
            )
            for name, told in card["experts"].items()
        },
        taxonomy=card["taxonomy"],
    )


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    return Calibration(temperatures=tuple(stored["temperatures"]), rules=Rules(**stored["rules"]))
