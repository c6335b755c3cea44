"""The gate before a field classifier is put in use: what it lets through, what it stops, and why."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from pipeline import evaluate
from pipeline.evaluate.resampling import draws, tallies

FIELDS = ["education", "safety", "union"]


def rows(count=1200):
    """Return what is true of planted records: three fields in turn, no copies."""
    field = [FIELDS[n % 3] for n in range(count)]
    return pd.DataFrame(
        {
            "id": [f"r{n}" for n in range(count)],
            "field": field,
            "field2": "",
            "group": [f"g{n}" for n in range(count)],
        }
    )


def labelled(truth, accuracy, *, seed=0, worse=None, probability=None, auto=True):
    """Return labels of which a share is right; of the field ``worse`` only half of that."""
    random = np.random.default_rng(seed)
    share = np.where(truth["field"] == worse, accuracy / 2, accuracy)
    right = random.random(len(truth)) < share
    other = truth["field"].map(dict(zip(FIELDS, FIELDS[1:] + FIELDS[:1], strict=True)))
    sure = float(right.mean()) if probability is None else probability
    return pd.DataFrame(
        {
            "id": truth["id"],
            "field": truth["field"].where(right, other),
            "probability": sure,
            "decision": "auto" if auto else "review",
        }
    )


def asked(truth, accuracy, *, bare=None, **how):
    """Return both tables that the gate looks at."""
    whole = labelled(truth, accuracy, **how)
    return evaluate.Asked(whole, whole if bare is None else labelled(truth, bare, **how))


def reasons(verdict):
    """Return the reasons as one text."""
    return " ".join(map(str, verdict.reasons))


def test_a_better_model_passes():
    """A model that is right more often, honest and robust has nothing against it."""
    truth = rows()
    verdict = evaluate.gate(truth, asked(truth, 0.95), asked(truth, 0.8, auto=False))
    assert verdict.reasons == ()
    assert verdict.figures["gain"] > 0.1
    assert 0 < verdict.figures["gain_low"] < verdict.figures["gain"]


def test_the_same_model_is_no_better():
    """A model that says exactly the same gains nothing and does not take its place."""
    truth = rows()
    same = asked(truth, 0.9)
    verdict = evaluate.gate(truth, same, same)
    assert "no better" in reasons(verdict)
    assert "might be worse" not in reasons(verdict)
    assert verdict.flips.empty


def test_a_worse_model_is_stopped():
    """A model that is right less often is no better and might be worse."""
    truth = rows()
    said = reasons(evaluate.gate(truth, asked(truth, 0.7), asked(truth, 0.9)))
    assert "no better" in said
    assert "might be worse" in said


def test_a_field_that_loses_is_named():
    """A gain in the mean does not pay for one field that becomes much worse; only that field is named."""
    truth = rows()
    said = reasons(evaluate.gate(truth, asked(truth, 0.99, worse="safety"), asked(truth, 0.7)))
    assert "field safety loses" in said or "field union loses" in said
    assert "field education loses" not in said


def test_a_field_of_few_rows_cannot_speak():
    """With fewer than 30 rows a field's loss is chance, and is not held against a model."""
    truth = rows(60)
    said = reasons(evaluate.gate(truth, asked(truth, 0.99, worse="safety"), asked(truth, 0.7)))
    assert "loses" not in said.replace("Without marks it loses", "")


def test_boasting_is_stopped():
    """Probabilities far from the share that is right are a reason; honest ones are none."""
    truth = rows()
    old = asked(truth, 0.7, auto=False)
    assert "ECE" in reasons(evaluate.gate(truth, asked(truth, 0.9, probability=0.99), old))
    assert "ECE" not in reasons(evaluate.gate(truth, asked(truth, 0.9), old))


def test_a_model_that_needs_marks_is_stopped():
    """More than 8 points lost on the same texts without marks is a reason."""
    truth = rows()
    old = asked(truth, 0.7, auto=False)
    assert "Without marks" in reasons(evaluate.gate(truth, asked(truth, 0.95, bare=0.8), old))
    assert "Without marks" not in reasons(evaluate.gate(truth, asked(truth, 0.95, bare=0.9), old))


def test_flips_are_listed():
    """Every automatic label of the model in use that would change is listed; too many are a reason."""
    truth = rows()
    old, new = asked(truth, 0.8), asked(truth, 0.99, seed=1)
    verdict = evaluate.gate(truth, new, old)
    changed = old.whole["field"] != new.whole["field"]
    assert verdict.flips["id"].tolist() == truth["id"][changed].tolist()
    assert "automatic labels would change" in reasons(verdict)
    kind = evaluate.Limits(flips=0.5)
    assert "automatic" not in reasons(evaluate.gate(truth, new, old, limits=kind))


def test_copies_are_no_evidence():
    """The same rows handed over ten times, known as copies, narrow nothing: the lower bound stays."""
    truth = rows(90)
    new, old = asked(truth, 0.9), asked(truth, 0.86, seed=3)
    many = pd.concat([truth] * 10, ignore_index=True)
    tenfold = [
        evaluate.Asked(*(pd.concat([table] * 10, ignore_index=True) for table in each)) for each in (new, old)
    ]
    once, again = evaluate.gate(truth, new, old), evaluate.gate(many, *tenfold)
    assert again.figures["gain_low"] == pytest.approx(once.figures["gain_low"], abs=1e-9)


LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 5)), min_size=1)


@given(LABELS)
def test_tallies_drawn_once_are_the_plain_figures(pairs):
    """With every group drawn once, precision, recall and F1 are scikit-learn's."""
    truth, given_, groups = (list(part) for part in zip(*pairs, strict=True))
    tally = tallies(truth, given_, list(map(str, groups)), list("abc"))
    found = tally.drawn(np.ones((1, len(tally.true))))
    expected = precision_recall_fscore_support(truth, given_, labels=list("abc"), zero_division=0)[:3]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours[0] == pytest.approx(theirs)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Over many samples, the 95 % interval of recall holds the true recall in about 95 of 100."""
    held = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        given_ = np.where(random.random(200) < 0.8, "a", "b")
        found = evaluate.intervals(["a"] * 200, given_.tolist(), [str(n) for n in range(200)]).set_index(
            "field"
        )
        held += found.loc["a", "recall_low"] <= 0.8 <= found.loc["a", "recall_high"]
    assert held >= 88


@given(st.integers(1, 30))
@settings(max_examples=20)
def test_draws_are_the_same_every_time(groups):
    """Resampling has one fixed course, and each round draws as many groups as there are."""
    assert np.array_equal(draws(groups), draws(groups))
    assert (draws(groups).sum(axis=1) == groups).all()


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60))
def test_risk_and_coverage_agree_with_the_slow_version(pairs):
    """Each point is the share right of exactly the rows at or above its probability; the last takes all."""
    probability = np.array([p / 20 for p, _ in pairs])
    right = np.array([r for _, r in pairs])
    found = evaluate.risk_coverage(probability, right)
    for row in found.itertuples():
        taken = probability >= row.probability
        assert row.coverage == pytest.approx(taken.mean())
        assert row.accuracy == pytest.approx(right[taken].mean())
    assert found["coverage"].iloc[-1] == 1
