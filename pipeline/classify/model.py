"""The classifier: syllables with and without their marks → a linear separator → one temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

from pipeline import normalize
from pipeline.classify.decision import Flags, Floats, Rules, Scores, decide
from pipeline.classify.vocabulary import Vocabulary, read
from pipeline.errors import GateRefused

Names = npt.NDArray[np.object_]
Blocks = tuple[sparse.csr_array, sparse.csr_array]

_PLACES: Final = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Separator:
    """The learned half of the classifier, of stock scikit-learn parts: weight two blocks of counts, separate.

    Each block is weighted by sublinear TF-IDF on its own, so that neither drowns the other.
    """

    keyed: TfidfTransformer
    folded: TfidfTransformer
    svm: LinearSVC

    @classmethod
    def fit(cls, blocks: Blocks, fields: Names, *, penalty: float, seed: int) -> Separator:
        """Return the separator of counts whose rows belong to ``fields``; ``penalty`` is the SVM's C."""
        keyed, folded = (TfidfTransformer(sublinear_tf=True).fit(block) for block in blocks)
        svm = LinearSVC(C=penalty, random_state=seed)
        unfitted = cls(keyed=keyed, folded=folded, svm=svm)
        svm.fit(unfitted._weigh(blocks), fields.astype(str))
        return unfitted

    def margins(self, blocks: Blocks) -> Floats:
        """Return the signed distances to each field's plane, (rows, classes)."""
        if not blocks[0].shape[0]:
            return np.empty((0, len(self.svm.classes_)))
        found: Floats = self.svm.decision_function(self._weigh(blocks))
        return np.stack([-found, found], axis=1) if found.ndim == 1 else found

    def _weigh(self, blocks: Blocks) -> sparse.csr_array:
        keyed, folded = blocks
        return sparse.hstack([self.keyed.transform(keyed), self.folded.transform(folded)], format="csr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What margins are worth: ``temperature`` divides them so that their softmax is a probability."""

    temperature: float
    rules: Rules


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted classifier: what the registry stores as `artefact` and `card`.

    ``keyed`` and ``folded`` are the terms it knows with and without marks. A title alone says less than a
    whole record and is surer of itself than it should be, so each has its own calibration.
    """

    keyed: Vocabulary
    folded: Vocabulary
    separator: Separator
    whole: Calibration
    title: Calibration
    taxonomy: str

    @property
    def classes(self) -> list[str]:
        """Return the field codes, in the order of the columns of probabilities."""
        return [str(name) for name in self.separator.svm.classes_]


def features(batch: pd.DataFrame) -> list[str]:
    r"""Return the text the classifier reads of each record, from ``clean_title`` and ``clean_description``.

    >>> features(pd.DataFrame({"clean_title": ["Đồ gá"], "clean_description": ["Hoà khí"]}))
    ['đồ gá\nhòa khí']
    """
    texts = zip(batch["clean_title"], batch["clean_description"], strict=True)
    return [normalize.key(f"{title}\n{description}") for title, description in texts]


def title_only(batch: pd.DataFrame) -> Flags:
    """Return which records have no description.

    >>> title_only(pd.DataFrame({"clean_description": ["", "Nay"]}))
    array([ True, False])
    """
    return np.array([not text.strip() for text in batch["clean_description"]], dtype=bool)


def score(model: Model, batch: pd.DataFrame) -> Scores:
    """Return what ``model`` says of each record of ``batch``, the same whatever stands beside it."""
    keyed = read(features(batch))
    folded = keyed.respelt(bare)
    margins = model.separator.margins((model.keyed.count(keyed), model.folded.count(folded)))
    temperature = np.where(title_only(batch), model.title.temperature, model.whole.temperature)
    return Scores(probabilities(margins, temperature[:, None]), keyed.sizes(), model.folded.unknown(folded))


def probabilities(margins: Floats, temperature: float | Floats) -> Floats:
    """Return probabilities (rows, classes), rounded to 4 places: what a table shows is what was decided by.

    >>> probabilities(np.array([[0.3, 0.1]]), 0.1)
    array([[0.8808, 0.1192]])
    """
    rounded: Floats = np.round(softmax(margins / temperature, axis=1), _PLACES)
    return rounded


def label(model: Model, batch: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Return the labels of a batch (`decide`), with ``name`` in the column ``model``."""
    return label_scores(model, batch, score(model, batch), name=name)


def label_scores(model: Model, batch: pd.DataFrame, scores: Scores, *, name: str) -> pd.DataFrame:
    """Return the labels that follow from scores: titles by the rules for titles, the rest by the others."""
    ids, alone = batch["id"].to_numpy(dtype=object), title_only(batch)
    parts = [
        decide(
            ids[rows].tolist(),
            scores.of(rows),
            classes=model.classes,
            rules=calibration.rules,
            model=name,
            taxonomy=model.taxonomy,
        ).set_index(np.flatnonzero(rows))
        for rows, calibration in ((alone, model.title), (~alone, model.whole))
    ]
    return pd.concat(parts).sort_index()


def bare(word: str) -> str:
    """Return a word without its marks, in one piece, so that both blocks have the same words.

    >>> bare("đường")
    'duong'
    """
    return normalize.fold(word).replace(" ", "")


def artefact(model: Model) -> dict[str, Any]:
    """Return the learned part, from arrays and stock parts only, so that a safe reader can load it."""
    return {
        "keyed": {"terms": model.keyed.pack(), "weights": model.separator.keyed},
        "folded": {"terms": model.folded.pack(), "weights": model.separator.folded},
        "svm": model.separator.svm,
    }


def card(model: Model) -> dict[str, Any]:
    """Return the part of the model that people read too, as JSON values; `restore` needs both."""
    return {
        "labels": model.classes,
        "taxonomy": model.taxonomy,
        "normalize": normalize.VERSION,
        "whole": asdict(model.whole),
        "title": asdict(model.title),
    }


def restore(stored: Mapping[str, Any], card: Mapping[str, Any]) -> Model:
    """Return the model of an `artefact` and its `card`.

    Raises:
        GateRefused: The model was made for texts normalized in another way.
    """
    if card["normalize"] != normalize.VERSION:
        raise GateRefused(
            "The model reads texts normalized by version {made}; this program normalizes by version {now}. "
            "Train it again.",
            made=card["normalize"],
            now=normalize.VERSION,
        )
    keyed, folded = stored["keyed"], stored["folded"]
    return Model(
        keyed=Vocabulary.unpack(keyed["terms"]),
        folded=Vocabulary.unpack(folded["terms"]),
        separator=Separator(keyed=keyed["weights"], folded=folded["weights"], svm=stored["svm"]),
        whole=_calibration(card["whole"]),
        title=_calibration(card["title"]),
        taxonomy=card["taxonomy"],
    )


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    return Calibration(temperature=stored["temperature"], rules=Rules(**stored["rules"]))
