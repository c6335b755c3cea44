"""The pair classifier: an estimator by scikit-learn's rules, more certain the more is shared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from pipeline import dedupe, lessons, normalize, read, registry, starter
from pipeline.dedupe import NAMES, PairClassifier
from pipeline.settings import Settings

KNOBS = Settings()
COLUMNS = ["id", "title", "description", "submitted"]


@pytest.fixture(scope="module")
def examples(sample):
    """The sample's judged pairs, as the starter learns them."""
    files = [sample / name for name in ("archive.csv", "batch_unions.csv", "batch_portal.xlsx")]
    batch = normalize.frame(read.tables(files).batch)
    table = starter.judged(sample / "pairs.csv")
    table = table[table["id_a"].isin(batch["id"]) & table["id_b"].isin(batch["id"])]
    return lessons.pair_examples(batch, table, settings=KNOBS, known=starter.knowledge(settings=KNOBS))


@pytest.fixture(scope="module")
def archive(sample):
    """The sample's archive, normalized."""
    return normalize.frame(read.tables([sample / "archive.csv"]).batch)


@pytest.fixture(scope="module")
def model(examples):
    """A classifier learnt from them."""
    return PairClassifier().fit(examples.alike, examples.same)


def test_fit_returns_the_estimator_and_clone_forgets(examples):
    """``fit`` returns its estimator; a clone has the parameters and nothing learnt."""
    model = PairClassifier(c=0.3)
    assert model.fit(examples.alike, examples.same) is model
    copied = clone(model)
    assert copied.get_params() == {"c": 0.3}
    assert not hasattr(copied, "model_")


def test_a_second_fit_forgets_the_first(examples, model):
    """Fitted on something else before or not: the same pairs teach the same."""
    again = PairClassifier().fit(1 - examples.alike, ~examples.same).fit(examples.alike, examples.same)
    assert again.predict_proba(examples.alike).tolist() == model.predict_proba(examples.alike).tolist()


def test_probabilities(examples, model):
    """Probabilities lie between 0 and 1, sum to 1, and the prediction is the more likely class."""
    chances = model.predict_proba(examples.alike)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert np.allclose(chances.sum(axis=1), 1)
    assert (model.predict(examples.alike) == (chances[:, 1] >= 0.5)).all()
    assert model.predict_proba(np.zeros((0, len(NAMES)))).shape == (0, 2)
    assert model.classes_.tolist() == [False, True]


def test_one_pair_is_judged_as_in_a_batch(examples, model):
    """A pair's probability does not depend on the pairs beside it."""
    chances = model.predict_proba(examples.alike)
    for place in range(0, len(chances), max(len(chances) // 20, 1)):
        assert model.predict_proba(examples.alike[place : place + 1])[0] == pytest.approx(chances[place])


def test_the_more_of_a_source_is_copied_the_likelier(archive, model):
    """A text that goes on to repeat its source word for word never becomes less likely to be its copy."""
    known = starter.knowledge(settings=KNOBS)
    long = archive[archive["description"].str.split().str.len() >= 60].reset_index(drop=True)
    others = long.iloc[::4].reset_index(drop=True)
    for place in range(0, 60, 10):
        source, own = others.iloc[place], long.iloc[4 * place + 2]
        told = source["description"].split()
        chances = []
        for share in (0.2, 0.4, 0.6, 0.8, 1):
            text = f"{own['description']}\n{' '.join(told[: int(len(told) * share)])}"
            copy = pd.DataFrame([["N", own["title"], text, "2026-01-01"]], columns=COLUMNS, dtype="str")
            corpus = dedupe.corpus(normalize.frame(copy), others, known, KNOBS)
            near = dedupe.compare(corpus, known, KNOBS)
            names = corpus.records["id"].to_numpy(dtype=object)
            mine = (names[near.later] == "N") & (names[near.earlier] == source["id"])
            chances.append(model.predict_proba(near.alike)[:, 1][mine].sum())
        # No weight is bound to be positive, so where all say "no" or "yes" the last digits may tremble.
        assert (np.diff(chances) >= -0.001).all()
        assert chances[-1] > 0.99


def pairs_with(**figures):
    """Pairs of which nothing is said but the given figures, many values at a time."""
    size = max(np.size(values) for values in figures.values())
    return np.column_stack([np.broadcast_to(figures.get(name, 0.0), size) for name in NAMES])


def test_a_passage_is_enough_in_a_large_archive(model):
    """Where counting has shown what form text is, a third of a record is a copy, whatever its other words."""
    alike = pairs_with(share=0.35, records=np.array([10_000, 100_000, 2_000_000]))
    assert (model.predict_proba(alike)[:, 1] > 0.95).all()
    few = pairs_with(share=0.1, records=np.array([10_000, 100_000, 2_000_000]))
    assert not model.predict(few).any()


def test_the_larger_the_archive_the_larger_the_passage_asked(model):
    """The same passage is never more likely a copy among more records, from ten thousand on."""
    records = np.geomspace(10_000, 10_000_000, 30)
    for share in (0.15, 0.2, 0.25, 0.3):
        assert (np.diff(model.predict_proba(pairs_with(share=share, records=records))[:, 1]) <= 1e-12).all()
    middle = model.predict_proba(pairs_with(share=0.22, records=records))[:, 1]
    assert middle[0] > 0.5 > middle[-1]


@pytest.mark.parametrize("records", [2, 300, 9_999, 10_000, 1_000_000])
def test_of_passages_the_larger_is_the_likelier(model, records):
    """With everything else equal, a larger share is never less likely a copy."""
    alike = pairs_with(share=np.linspace(0, 1, 101), records=records)
    assert (np.diff(model.predict_proba(alike)[:, 1]) >= -1e-12).all()


def test_it_tells_the_judged_pairs_apart(sample, examples, model):
    """On what it learnt from, it is right far more often than by chance: the figures carry the answer."""
    found = model.predict(examples.alike)
    assert (found & examples.same).sum() >= 0.85 * found.sum()
    judged = starter.judged(sample / "pairs.csv")
    retold = {
        frozenset(each) for each in judged.loc[judged["relation"] == "deep", ["id_a", "id_b"]].to_numpy()
    }
    # Told in wholly other words a copy keeps next to nothing: of those fewer are found.
    copied = examples.same & [frozenset(each) not in retold for each in examples.ids]
    assert (found & copied).sum() >= 0.95 * copied.sum()
    told = examples.same & ~copied
    assert (found & told).sum() >= 0.3 * told.sum()


def test_what_was_learnt_survives_the_shelf(examples, model, tmp_path):
    """Shelved and taken down again, the model says the same to the last bit."""
    version = registry.save(tmp_path, "pairs", model.model_, {"rows": len(examples.same)})
    restored = PairClassifier.of(registry.load(tmp_path, "pairs", version).model)
    assert restored.predict_proba(examples.alike).tolist() == model.predict_proba(examples.alike).tolist()
