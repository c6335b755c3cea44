"""Counts for reports: corrected shares, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from pipeline import classify
from pipeline.classify.shares import Errors

CODES = ("engineering", "other", "safety", "union")
SIZE = len(CODES)
MIX = np.array([0.5, 0.1, 0.2, 0.2])


def records(counts, *, seed, sharp=1.3, bias=(0.4, 0.0, 0.0, -0.3)):
    """What a biased, blunt model says of records of each class, and their classes."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(SIZE), counts)
    score = random.normal(size=(len(truth), SIZE))
    score[np.arange(len(truth)), truth] += 1.8
    # The likelihood ratio of such scores is 1.8 a unit; the model reads them otherwise than they are.
    chances = softmax(sharp * score + np.log(MIX) + np.array(bias), axis=1)
    order = random.permutation(len(truth))
    return chances[order].round(4), truth[order]


def known_errors(rows=2_000, *, seed=0, copies=1, **kind):
    """Errors of that model on held-out records of the training mix, each there ``copies`` times."""
    chances, truth = records(np.random.default_rng(seed).multinomial(rows, MIX), seed=seed, **kind)
    table = pd.DataFrame(np.repeat(chances, copies, axis=0), columns=list(CODES))
    names = np.repeat([CODES[place] for place in truth], copies).tolist()
    groups = np.repeat(np.arange(len(truth)), copies).astype(str).tolist()
    every = np.ones(len(table), dtype=bool)
    return Errors.of(table, table, names, groups, described=every, titled=every)


def counted(chances, errors, *, reason="confident", **options):
    """The counts of a report of whole records."""
    labels = pd.DataFrame({"field": np.array(CODES)[chances.argmax(axis=1)], "reason": reason})
    table = pd.DataFrame(chances, columns=list(CODES))
    title = options.pop("title", np.zeros(len(labels), dtype=bool))
    return classify.report_counts(labels, table, errors, title=title, **options)


def judged(size, mix, errors, *, seeds=60):
    """Mean error of labels and of corrected shares over reports, and which intervals hold the truth."""
    off, held = [], []
    for seed in range(seeds):
        random = np.random.default_rng(1_000 + seed)
        share = random.dirichlet(np.ones(SIZE)) if mix is None else mix
        number = random.multinomial(size, share)
        found = counted(records(number, seed=5_000 + seed)[0], errors)
        true = number / size
        off.append([np.abs(found[name] - true).mean() for name in ("share", "corrected")])
        held.append((true >= found["low"] - 1e-4) & (true <= found["high"] + 1e-4))
    return (*np.mean(off, axis=0).tolist(), np.mean(held, axis=0))


@pytest.fixture(scope="module")
def errors():
    """What is known of the model's errors."""
    return known_errors()


@settings(max_examples=25)
@given(st.lists(st.integers(0, 40), min_size=SIZE, max_size=SIZE).filter(any), st.integers(0, 99))
def test_shares_are_shares(errors, counts, seed):
    """Whatever the report, corrected shares sum to 1 and lie inside their interval, which lies in 0 to 1."""
    found = counted(records(counts, seed=seed)[0], errors)
    assert found["corrected"].sum() == pytest.approx(1, abs=3e-4)
    assert (found["low"] >= 0).all()
    assert (found["low"] <= found["corrected"]).all()
    assert (found["corrected"] <= found["high"]).all()
    assert (found["high"] <= 1).all()
    assert found["count"].sum() == sum(counts)


def test_the_order_of_rows_does_not_matter(errors):
    """A report shuffled, and errors learnt from shuffled rows, give the same figures to the last digit."""
    chances, _ = records([30, 5, 40, 25], seed=1)
    pd.testing.assert_frame_equal(counted(chances, errors), counted(chances[::-1], errors))
    seen, truth = records([300, 50, 100, 100], seed=2)
    turned = np.random.default_rng(0).permutation(len(truth))
    every = np.ones(len(truth), dtype=bool)
    both = [
        Errors.of(
            *[pd.DataFrame(seen[rows], columns=list(CODES))] * 2,
            [CODES[place] for place in truth[rows]],
            rows.astype(str).tolist(),
            described=every,
            titled=every,
        )
        for rows in (np.arange(len(truth)), turned)
    ]
    pd.testing.assert_frame_equal(*(counted(chances, each) for each in both))


def test_a_shifted_mix_is_found(errors):
    """Where the mix is another than the model learnt, corrected shares are nearer to it than counts."""
    plain, corrected, held = judged(500, None, errors)
    assert corrected < 0.6 * plain
    assert held.mean() >= 0.93
    assert held.min() >= 0.85


def test_a_mix_like_that_learnt_from_is_not_made_worse(errors):
    """Without a shift, corrected shares are no worse than counts, and the intervals hold."""
    plain, corrected, held = judged(500, MIX, errors)
    assert corrected <= plain
    assert held.mean() >= 0.93


@pytest.mark.parametrize("mix", [None, MIX])
def test_intervals_hold_in_tiny_reports(errors, mix):
    """Thirty records say little, and their intervals say so."""
    assert judged(30, mix, errors)[2].mean() >= 0.93


def test_intervals_hold_where_little_is_known_of_the_errors():
    """With 25 held-out records a field the intervals are wider, and still hold."""
    few = known_errors(100, seed=3)
    chances, _ = records([100] * SIZE, seed=4)
    widths = [
        (found["high"] - found["low"]).mean()
        for found in (counted(chances, each) for each in (few, known_errors()))
    ]
    assert widths[0] > widths[1]
    assert np.mean([judged(300, None, known_errors(100, seed=seed), seeds=6)[2] for seed in range(8)]) >= 0.9


def test_copies_are_no_evidence():
    """Held-out records that stand there five times over do not make an interval narrower."""
    chances, _ = records([100] * SIZE, seed=5)
    once, often = (counted(chances, known_errors(90, seed=6, copies=copies)) for copies in (1, 5))
    assert (often["high"] - often["low"]).mean() >= 0.9 * (once["high"] - once["low"]).mean()


def test_a_sure_model_is_believed():
    """Where the model never erred, corrected shares are the counts, within little."""
    random = np.random.default_rng(0)
    truth = random.choice(SIZE, 400, p=MIX)
    sure = np.eye(SIZE)[truth] * 0.997 + 0.001
    every = np.ones(400, dtype=bool)
    table = pd.DataFrame(sure, columns=list(CODES))
    errors = Errors.of(
        table, table, [CODES[place] for place in truth], truth.astype(str).tolist(), described=every,
        titled=every,
    )  # fmt: skip
    found = counted(sure[:200], errors)
    assert found["corrected"].tolist() == pytest.approx(found["share"].tolist(), abs=0.01)
    assert ((found["high"] - found["low"]) < 0.03).all()


def test_what_people_said_is_certain(errors):
    """A record that a person labelled counts as that, also under a field the model has never heard of."""
    chances, _ = records([10, 10, 10, 10], seed=7)
    every = counted(chances, errors, known=["safety"] * 30 + ["new"] * 10).set_index("field")
    assert every.loc["safety", ["corrected", "low", "high"]].tolist() == [0.75] * 3
    assert every.loc["new", ["count", "corrected", "low", "high"]].tolist() == [0, 0.25, 0.25, 0.25]
    half = counted(chances, errors, known=["union"] * 20 + [""] * 20).set_index("field")
    assert half.loc["union", "low"] >= 0.5
    assert (half.drop("union")["high"] <= 0.5).all()


def test_a_record_without_text_is_other(errors):
    """What holds no text belongs to no field: it is neither evidence nor uncertain."""
    chances, _ = records([0, 0, 10, 0], seed=8)
    found = counted(chances, errors, reason="empty").set_index("field")
    assert found.loc["other", ["corrected", "low", "high"]].tolist() == [1.0] * 3


def test_titles_and_whole_records_have_errors_of_their_own():
    """Titles are corrected by what titles were taken for, whole records by what whole records were."""
    blunt, sharp = known_errors(seed=9, sharp=0.6), known_errors(seed=9)
    both = Errors(sharp.classes, sharp.mix, sharp.whole, blunt.title)
    chances, _ = records([20, 20, 40, 20], seed=11)
    titles = counted(chances, both, title=np.ones(100, dtype=bool))
    pd.testing.assert_frame_equal(titles, counted(chances, blunt))
    pd.testing.assert_frame_equal(counted(chances, both), counted(chances, sharp))


def test_counts_by_any_grouping(errors):
    """Each group is a report of its own, and the counts of all groups are those of the whole."""
    chances, _ = records([20, 20, 40, 20], seed=12)
    unit = ["A"] * 60 + ["B"] * 40
    found = counted(chances, errors, by=unit)
    alone = counted(chances[60:], errors)
    part = found[found["by"] == "B"].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.drop(columns="by"), alone.drop(columns="by"))
    assert found.groupby("field")["count"].sum().tolist() == counted(chances, errors)["count"].tolist()


def test_without_errors_only_labels_are_counted():
    """Of a model that does not say how it errs, counts and shares are all there is."""
    found = counted(records([5, 5, 5, 5], seed=13)[0], None)
    assert found[["corrected", "low", "high"]].isna().all(axis=None)
    assert found["share"].sum() == pytest.approx(1)


def test_an_empty_report_has_no_shares(errors):
    """Of no records nothing is counted, and nothing fails."""
    found = counted(np.empty((0, SIZE)), errors)
    assert found["count"].tolist() == [0] * SIZE
    assert found["corrected"].isna().all()


def test_errors_survive_packing_and_stay_small(errors):
    """What a model file keeps gives the same figures, holds numbers only and does not grow with training."""
    again = Errors.unpack(errors.pack(), CODES)
    chances, _ = records([25, 25, 25, 25], seed=14)
    pd.testing.assert_frame_equal(counted(chances, again), counted(chances, errors))
    large = known_errors(9_000).pack()
    assert len(large["whole"]["truth"]) == len(large["title"]["truth"]) == 3_000
    kinds = {part.dtype.kind for name in ("whole", "title") for part in large[name].values()}
    assert kinds == {"u"}
