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


def answers(truth, errors, *, probability=None, auto=True):
    """Return labels that are wrong in exactly ``errors`` of each field's first rows."""
    place = truth.groupby("field").cumcount()
    wrong = place < truth["field"].map(errors)
    other = truth["field"].map(dict(zip(FIELDS, FIELDS[1:] + FIELDS[:1], strict=True)))
    return pd.DataFrame(
        {
            "id": truth["id"],
            "field": truth["field"].where(~wrong, other),
            "probability": 1 - float(wrong.mean()) if probability is None else probability,
            "decision": "auto" if auto else "review",
        }
    )


def even(count):
    """The same number of errors in each field."""
    return dict.fromkeys(FIELDS, count)


ONE_REASON = {
    # 400 rows a field; the one in use errs in 80 of each. One field loses while two gain more.
    "field": (
        "The field education loses",
        lambda truth: answers(truth, {"education": 120, "safety": 0, "union": 60}),
        None,
    ),
    "ece": ("Its probabilities are off", lambda truth: answers(truth, even(20), probability=0.99), None),
    "bare": ("Without marks it loses", lambda truth: answers(truth, even(20)), even(60)),
}


@pytest.mark.parametrize("which", ONE_REASON)
def test_each_reason_can_stand_alone(which):
    """A model that is better in all but one respect is refused for that one, and for nothing else."""
    told, new, bare = ONE_REASON[which]
    truth = rows()
    whole = new(truth)
    both = evaluate.Asked(whole, whole if bare is None else answers(truth, bare))
    old = answers(truth, even(80), auto=False)
    verdict = evaluate.gate(truth, both, evaluate.Asked(old, old))
    assert len(verdict.reasons) == 1
    assert str(verdict.reasons[0]).startswith(told)
    mended = answers(truth, even(20))
    assert evaluate.gate(truth, evaluate.Asked(mended, mended), evaluate.Asked(old, old)).reasons == ()


def test_only_flips_may_be_the_reason():
    """A better model passes where the labels that change wait for a person, not where they stand."""
    truth = rows()
    whole = answers(truth, even(0))
    new = evaluate.Asked(whole, whole)
    stood, waited = (answers(truth, even(60), auto=auto) for auto in (True, False))
    verdict = evaluate.gate(truth, new, evaluate.Asked(stood, stood))
    assert [str(reason)[:40] for reason in verdict.reasons] == ["180 of 1200 automatic labels would chang"]
    assert evaluate.gate(truth, new, evaluate.Asked(waited, waited)).reasons == ()


def test_only_chance_may_be_the_reason():
    """A gain on few rows that drawing them again may turn into a loss is refused for that alone."""
    truth = rows(90)
    random = np.random.default_rng(0)
    old = answers(truth, even(4), probability=0.87, auto=False)
    hit = old["field"] != truth["field"]
    # Right where the other was wrong and wrong elsewhere, one row more right in all: much noise, little gain.
    lost = random.choice(np.flatnonzero(~hit), int(hit.sum()) - 1, replace=False)
    field = truth["field"].copy()
    field.iloc[lost] = field.iloc[lost].map(dict(zip(FIELDS, FIELDS[1:] + FIELDS[:1], strict=True)))
    whole = old.assign(field=field)
    limits = evaluate.Limits(field_loss=1.0)
    verdict = evaluate.gate(truth, evaluate.Asked(whole, whole), evaluate.Asked(old, old), limits=limits)
    assert verdict.figures["gain"] > 0
    assert [str(reason)[:17] for reason in verdict.reasons] == ["It might be worse"]


def test_only_no_gain_may_be_the_reason():
    """A model beyond reproach that gains nothing is refused for that alone."""
    truth = rows()
    same = answers(truth, even(20))
    verdict = evaluate.gate(truth, evaluate.Asked(same, same), evaluate.Asked(same, same))
    assert [str(reason)[:15] for reason in verdict.reasons] == ["It is no better"]


TABLES = st.lists(
    st.tuples(*(st.sampled_from(FIELDS) for _ in range(3)), st.integers(0, 9), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(TABLES)
@settings(max_examples=60)
def test_turning_the_two_models_round_turns_the_gain_round(drawn):
    """What one gains the other loses; a model beside itself gains nothing, flips nothing, and that stands."""
    truth = pd.DataFrame(
        {
            "id": [f"r{n}" for n in range(len(drawn))],
            "field": [each[0] for each in drawn],
            "field2": "",
            "group": [f"g{each[3]}" for each in drawn],
        }
    )
    sides = []
    for side in (1, 2):
        table = pd.DataFrame(
            {
                "id": truth["id"],
                "field": [each[side] for each in drawn],
                "probability": 1.0,
                "decision": ["auto" if each[4] else "review" for each in drawn],
            }
        )
        sides.append(evaluate.Asked(table, table))
    forth, back = evaluate.gate(truth, *sides), evaluate.gate(truth, *sides[::-1])
    assert forth.figures["gain"] == pytest.approx(-back.figures["gain"])
    calm = evaluate.Limits(ece=1.0)
    same = evaluate.gate(truth, sides[0], sides[0], limits=calm)
    assert [str(reason)[:15] for reason in same.reasons] == ["It is no better"]
    assert (same.figures["gain"], same.figures["gain_low"], same.figures["flips"]) == (0, 0, 0)


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
