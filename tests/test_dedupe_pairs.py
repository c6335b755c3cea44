"""The pair classifier: an estimator by scikit-learn's rules, more certain the more is shared."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from pipeline import normalize, read, registry, starter
from pipeline.dedupe import PairClassifier
from pipeline.settings import Settings

KNOBS = Settings()


@pytest.fixture(scope="module")
def examples(sample):
    """The sample's judged pairs, as the starter learns them."""
    files = [sample / name for name in ("archive.csv", "batch_unions.csv", "batch_portal.xlsx")]
    batch = normalize.frame(read.tables(files).batch)
    table = starter.judged(sample / "pairs.csv")
    table = table[table["id_a"].isin(batch["id"]) & table["id_b"].isin(batch["id"])]
    return starter.pair_examples(batch, table, settings=KNOBS, form=starter.form_text(settings=KNOBS))


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
    assert not hasattr(copied, "views_")


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
    assert model.predict_proba(np.zeros((0, 3))).shape == (0, 2)
    assert model.classes_.tolist() == [False, True]


def test_one_pair_is_judged_as_in_a_batch(examples, model):
    """A pair's probability does not depend on the pairs beside it."""
    chances = model.predict_proba(examples.alike)
    for place in range(0, len(chances), max(len(chances) // 20, 1)):
        assert model.predict_proba(examples.alike[place : place + 1])[0] == pytest.approx(chances[place])


@pytest.mark.parametrize("column", [0, 1, 2])
def test_sharing_more_never_makes_it_less_likely(model, column):
    """Learnt from the sample, the probability never falls when any one figure of resemblance rises."""
    steps = np.linspace(0, 1, 21)
    for first in steps[::4]:
        for second in steps[::4]:
            alike = np.insert(
                np.column_stack((np.full(21, first), np.full(21, second))), column, steps, axis=1
            )
            assert (np.diff(model.predict_proba(alike)[:, 1]) >= -1e-12).all()


def test_it_tells_the_judged_pairs_apart(examples, model):
    """On what it learnt from, it is right far more often than by chance: the figures carry the answer."""
    found = model.predict(examples.alike)
    assert (found & examples.same).sum() >= 0.95 * examples.same.sum()
    assert (found & examples.same).sum() >= 0.85 * found.sum()


def test_what_was_learnt_survives_the_shelf(examples, model, tmp_path):
    """Shelved and taken down again, the views say the same to the last bit."""
    version = registry.save(tmp_path, "pairs", model.views_, {"rows": len(examples.same)})
    restored = PairClassifier.of(registry.load(tmp_path, "pairs", version).model)
    assert restored.predict_proba(examples.alike).tolist() == model.predict_proba(examples.alike).tolist()
