"""Evaluation of labels agrees with the slow, obvious version and with scikit-learn."""

import json
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from pipeline import evaluate

CODES = st.sampled_from(["union", "safety", "society", "other"])
ROWS = st.lists(
    st.tuples(CODES, CODES, CODES | st.just(""), st.integers(0, 10_000), st.booleans()),
    min_size=1,
    max_size=60,
)


def judged(rows):
    """Return the judgement of rows (true, predicted, second, probability × 10⁴, auto), and its input."""
    truth, predicted, second, probability, auto = map(list, zip(*rows, strict=True))
    share = [p / 10_000 for p in probability]
    found = evaluate.labels(truth, predicted, second=second, probability=share, auto=auto)
    return found, truth, predicted, second, share, auto


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_fields_agree_with_scikit_learn(rows):
    """Precision, recall, F1, rows per field and accuracy are scikit-learn's."""
    found, truth, predicted, *_ = judged(rows)
    codes = sorted({*truth, *predicted})
    oracle = precision_recall_fscore_support(truth, predicted, labels=codes, zero_division=0)
    assert found.fields["field"].tolist() == codes
    for column, values in zip(["precision", "recall", "f1", "true"], oracle, strict=True):
        assert found.fields[column].to_numpy() == pytest.approx(values)
    assert found.accuracy == pytest.approx(accuracy_score(truth, predicted))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_shares_agree_with_counting_by_hand(rows):
    """Accuracy with a second label, coverage and precision of automatic labels are plain shares."""
    found, truth, predicted, second, _, auto = judged(rows)
    right = [p in (t, s) for t, p, s in zip(truth, predicted, second, strict=True)]
    taken = [r for r, a in zip(right, auto, strict=True) if a]
    assert found.accuracy_second == pytest.approx(sum(right) / len(right))
    assert found.coverage == pytest.approx(len(taken) / len(right))
    assert found.precision_auto == (pytest.approx(sum(taken) / len(taken)) if taken else None)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_calibration_error_agrees_with_the_slow_version(rows):
    """The error is the weighted mean gap between confidence and accuracy over 15 equal bins."""
    found, truth, predicted, _, share, _ = judged(rows)
    bins = {}
    for t, p, q in zip(truth, predicted, share, strict=True):
        place = next(b for b in range(15) if q <= (b + 1) / 15 or b == 14)
        bins.setdefault(place, []).append((t == p, q))
    slow = sum(abs(sum(r for r, _ in b) - sum(q for _, q in b)) for b in bins.values()) / len(rows)
    assert found.ece == pytest.approx(slow)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_confusions_account_for_every_error(rows):
    """The confusions are the wrong rows, counted by kind, the most frequent first."""
    found, truth, predicted, *_ = judged(rows)
    assert found.confusions["rows"].sum() == sum(t != p for t, p in zip(truth, predicted, strict=True))
    assert found.confusions["rows"].is_monotonic_decreasing
    for row in found.confusions.itertuples():
        assert row.rows == sum(
            (t, p) == (row.true, row.predicted) for t, p in zip(truth, predicted, strict=True)
        )


@settings(max_examples=200, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
@example(
    [
        ("union", "union", "", 215, False),
        ("union", "safety", "", 2668, False),
        ("union", "union", "", 1, True),
        ("union", "union", "", 54, True),
    ],
    Random(0),
)
def test_order_of_rows_does_not_matter(rows, random):
    """The same rows in another order give the same summary."""
    shuffled = random.sample(rows, len(rows))
    assert judged(rows)[0].summary() == judged(shuffled)[0].summary()


def test_perfect_labels_are_perfect():
    """Right and certain labels have accuracy, macro-F1 and coverage 1, calibration error 0, no confusion."""
    found = evaluate.labels(["a", "b"], ["a", "b"], probability=[1.0, 1.0], auto=[True, True])
    assert (found.accuracy, found.macro_f1, found.coverage, found.ece) == (1.0, 1.0, 1.0, 0.0)
    assert found.confusions.empty


def test_macro_f1_is_over_true_fields():
    """A field that only the classifier invented costs precision elsewhere, not one more zero in the mean."""
    assert evaluate.labels(["a", "a"], ["a", "b"]).macro_f1 == pytest.approx(2 / 3)


def test_unknown_figures_are_none_and_the_summary_is_json():
    """What was not given is not made up; the summary goes into a card."""
    summary = evaluate.labels(["a", "b"], ["a", "a"]).summary()
    assert (summary["ece"], summary["coverage"], summary["precision_auto"]) == (None, None, None)
    assert json.loads(json.dumps(summary))["f1"] == {"a": 0.6667, "b": 0.0}


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_lists_must_fit(truth, predicted):
    """No rows, or lists of different lengths, are an error of the caller."""
    with pytest.raises(ValueError, match="labels"):
        evaluate.labels(truth, predicted)


def test_planted_overconfidence_is_found():
    """Labels that are 90 % sure and right in 70 of 100 rows have an error of 0.2."""
    right = np.array([True] * 70 + [False] * 30)
    assert evaluate.calibration_error(np.full(100, 0.9), right) == pytest.approx(0.2)
