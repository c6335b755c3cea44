"""Evaluation of pairs agrees with the slow, obvious version, and no order of rows changes it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss

from pipeline import dedupe, evaluate, starter
from pipeline.records import NOT_SAME, SAME
from pipeline.settings import Settings

IDS = "abcdefg"
KEYS = [(one, other) for one in IDS for other in IDS if one > other]
SUBSET = st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS))
EXAMPLES = settings(max_examples=60, deadline=None)


@st.composite
def cases(draw):
    """A judged table with a pair that is the same, and scored pairs; some judged, some not, ties likely."""
    judged = draw(SUBSET.filter(len))
    relations = [draw(st.sampled_from((*SAME, *NOT_SAME))) for _ in judged]
    relations[0] = draw(st.sampled_from(SAME))
    scored = draw(SUBSET)
    chances = [draw(st.integers(0, 10)) / 10 for _ in scored]
    return table_of(judged, relations), found_of(scored, chances)


def table_of(pairs, relations):
    """A table of judged pairs."""
    return pd.DataFrame(
        {"id_a": [b for _, b in pairs], "id_b": [a for a, _ in pairs], "relation": relations}, dtype="str"
    )


def found_of(pairs, chances):
    """A table of scored pairs."""
    return pd.DataFrame(
        {
            "later": pd.Series([later for later, _ in pairs], dtype="str"),
            "earlier": pd.Series([earlier for _, earlier in pairs], dtype="str"),
            "probability": pd.Series(chances, dtype="float64"),
        }
    )


def facts(judged, found):
    """What each pair's probability and truth is, by the two ids."""
    truth = {frozenset(row[:2]): row[2] for row in judged.itertuples(index=False, name=None)}
    chance = {frozenset(row[:2]): row[2] for row in found.itertuples(index=False, name=None)}
    return truth, chance


@EXAMPLES
@given(cases())
def test_the_curve_and_the_best_threshold_are_what_counting_gives(case):
    """At each threshold precision and recall are plain shares, and no threshold finds more at 0.8."""
    judged, found = case
    truth, chance = facts(judged, found)
    same = sum(each in SAME for each in truth.values())
    result = evaluate.pairs(judged, found, threshold=0.5, precision=0.8)
    by_hand = {}
    for threshold in sorted(set(chance.values()), reverse=True):
        flagged = [pair for pair, each in chance.items() if each >= threshold]
        right = sum(truth.get(pair) in SAME for pair in flagged)
        by_hand[threshold] = (right / same, right / len(flagged))
    for row in result.curve.itertuples(index=False):
        assert (row.recall, row.precision) == pytest.approx(by_hand[row.threshold])
    good = [recall for recall, precision in by_hand.values() if precision >= 0.8]
    assert result.best_recall == pytest.approx(max(good, default=0.0))
    if result.best_threshold is not None:
        assert by_hand[result.best_threshold] == pytest.approx((result.best_recall, result.best_precision))
        assert result.best_precision >= 0.8
    assert result.curve["recall"].is_monotonic_increasing
    assert result.curve["threshold"].is_monotonic_decreasing


@EXAMPLES
@given(cases())
def test_flagged_pairs_are_counted_by_relation(case):
    """Recall, precision and the table by relation are shares of the pairs at the threshold or above."""
    judged, found = case
    truth, chance = facts(judged, found)
    result = evaluate.pairs(judged, found, threshold=0.5)
    flagged = {pair for pair, each in chance.items() if each >= 0.5}
    right = sum(truth.get(pair) in SAME for pair in flagged)
    assert result.recall == pytest.approx(right / sum(each in SAME for each in truth.values()))
    assert result.precision == (pytest.approx(right / len(flagged)) if flagged else None)
    for row in result.relations.itertuples(index=False):
        members = [pair for pair, each in truth.items() if each == row.relation]
        assert (row.pairs, row.flagged) == (len(members), len(flagged & set(members)))
    missed = {frozenset(pair) for pair in result.missed[["id_a", "id_b"]].to_numpy()}
    false = {frozenset(pair) for pair in result.false[["id_a", "id_b"]].to_numpy()}
    assert missed == {pair for pair, each in truth.items() if each in SAME} - flagged
    assert false == {pair for pair in flagged if truth.get(pair) not in SAME}
    assert {frozenset(pair) for pair in result.unlisted} == flagged - set(truth)


@EXAMPLES
@given(cases())
def test_average_precision_and_brier_score_are_scikit_learns(case):
    """Where no two probabilities are equal the figures, over all scored or judged, are scikit-learn's."""
    judged, found = case
    found = found.assign(probability=[1 - place / 50 for place in range(len(found))])
    truth, chance = facts(judged, found)
    every = list(truth.keys() | chance.keys())
    right = [truth.get(pair) in SAME for pair in every]
    scores = [chance.get(pair, 0.0) for pair in every]
    result = evaluate.pairs(judged, found, threshold=0.5)
    assert result.brier == pytest.approx(brier_score_loss(right, scores))
    if all(pair in chance for pair, each in truth.items() if each in SAME):
        assert result.average_precision == pytest.approx(average_precision_score(right, scores))
    assert int(result.reliability["rows"].sum()) == len(every)
    assert 0 <= result.ece <= 1


@EXAMPLES
@given(cases(), st.randoms(use_true_random=False))
def test_no_order_of_rows_changes_a_figure(case, chance):
    """Shuffled tables, and judged pairs named the other way round, give the same figures to the last bit."""
    judged, found = case
    rows = list(range(len(found)))
    chance.shuffle(rows)
    turned = judged.rename(columns={"id_a": "id_b", "id_b": "id_a"}).iloc[::-1].reset_index(drop=True)
    one = evaluate.pairs(judged, found, threshold=0.5)
    other = evaluate.pairs(turned, found.iloc[rows].reset_index(drop=True), threshold=0.5)
    assert one.summary() == other.summary()
    pd.testing.assert_frame_equal(one.relations, other.relations)
    pd.testing.assert_frame_equal(one.false, other.false)


def test_equal_probabilities_flatter_nobody():
    """Of equal probabilities the wrong pairs count as the more probable, whatever their ids."""
    judged = table_of([("b", "a"), ("d", "c")], ["exact", "same_form"])
    for pairs in ([("b", "a"), ("d", "c")], [("d", "c"), ("b", "a")]):
        assert evaluate.pairs(judged, found_of(pairs, [0.7, 0.7]), threshold=0.5).average_precision == 0.5


def test_a_pair_that_is_not_found_has_probability_nothing():
    """Finding less never raises average precision, and what was not scored counts in the Brier score."""
    judged = table_of([("b", "a"), ("d", "c")], ["exact", "deep"])
    result = evaluate.pairs(judged, found_of([("b", "a")], [1.0]), threshold=0.5)
    assert (result.average_precision, result.brier, result.recall) == (0.5, 0.5, 0.5)
    assert result.missed.to_dict("records") == [
        {"id_a": "c", "id_b": "d", "relation": "deep", "probability": 0.0, "rank": 0}
    ]


def test_the_rank_is_the_place_in_what_the_later_record_shows():
    """The later record's list counts, pairs in which it is the earlier too; ties go to the smaller id."""
    judged = table_of([("d", "c"), ("d", "b")], ["deep", "exact"])
    rows = [("d", "a"), ("d", "b"), ("d", "c"), ("e", "d"), ("c", "a")]
    result = evaluate.pairs(judged, found_of(rows, [0.2, 0.2, 0.1, 0.4, 0.9]), threshold=0.95)
    ranks = dict(zip(result.missed["relation"], result.missed["rank"], strict=True))
    assert ranks == {"exact": 3, "deep": 4}
    top = result.relations.set_index("relation")["top3"].to_dict()
    assert top == {"exact": 1.0, "deep": 0.0}


def test_what_is_shown_and_what_is_scored_are_told_apart():
    """Flagged and ranked is what people are shown; curves look at all that was scored, unrounded."""
    judged = table_of([("b", "a"), ("d", "c")], ["exact", "deep"])
    shown = found_of([("b", "a")], [1.0])
    scored = found_of([("b", "a"), ("d", "c")], [0.99999, 0.001])
    result = evaluate.pairs(judged, shown, threshold=0.5, scored=scored)
    assert (result.recall, result.best_recall, result.best_threshold) == (0.5, 1.0, 0.001)
    assert result.average_precision == 1.0
    assert result.relations["flagged"].tolist() == [1, 0]
    assert result.relations["flagged_best"].tolist() == [1, 1]


def test_nothing_found_and_nothing_reachable_are_figures_too():
    """Where nothing is found or right, recall is 0 and what cannot be said is None."""
    judged = table_of([("b", "a"), ("d", "c")], ["exact", "same_form"])
    nothing = evaluate.pairs(judged, found_of([], []), threshold=0.5)
    assert (nothing.recall, nothing.precision, nothing.average_precision) == (0.0, None, 0.0)
    assert (nothing.best_recall, nothing.best_threshold, nothing.best_precision) == (0.0, None, None)
    assert nothing.curve.empty
    wrong = evaluate.pairs(judged, found_of([("d", "c"), ("b", "a")], [0.9, 0.8]), threshold=0.5)
    assert (wrong.best_recall, wrong.best_threshold) == (0.0, None)


def test_without_a_pair_that_is_the_same_nothing_can_be_measured():
    """A table that judges no pair the same is refused."""
    with pytest.raises(ValueError, match="no judged pair"):
        evaluate.pairs(table_of([("b", "a")], ["unrelated"]), found_of([], []), threshold=0.5)


@EXAMPLES
@given(cases())
def test_the_content_is_json_and_names_what_to_look_at(case):
    """The content survives JSON unchanged, and pairs that are wrong carry their titles."""
    result = evaluate.pairs(*case, threshold=0.5)
    content = result.content({name: name.upper() for name in IDS})
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    for row in (*content["missed"], *content["false"]):
        assert (row["title_a"], row["title_b"]) == (row["id_a"].upper(), row["id_b"].upper())


def test_reliability_is_the_calibration_error_seen_bin_by_bin():
    """The gaps of the diagram, weighted by rows, add up to the calibration error."""
    chance = pd.Series([0.05, 0.1, 0.4, 0.45, 0.9, 0.95, 1.0]).to_numpy()
    right = pd.Series([False, True, False, True, True, True, False]).to_numpy()
    points = evaluate.reliability(chance, right)
    gap = ((points["share"] - points["probability"]).abs() * points["rows"]).sum() / points["rows"].sum()
    assert gap == pytest.approx(evaluate.calibration_error(chance, right))
    assert ((points["low"] < points["probability"]) & (points["probability"] <= points["high"])).all()


def test_what_is_shown_is_what_was_scored_rounded(models):
    """Every pair that people are shown was scored, with the same probability before it was rounded."""
    knobs = Settings()
    known = starter.knowledge(settings=knobs)
    judge = starter.pairs(models, settings=knobs, known=known).model
    batch = starter.sample().batch.head(120)
    twin = batch.head(3).assign(id=["X1", "X2", "X3"])
    corpus = dedupe.corpus(pd.concat([batch, twin], ignore_index=True), None, known, knobs)
    near = dedupe.compare(corpus, known, knobs)
    scored, shown = (
        {(row.later, row.earlier): row.probability for row in dedupe.table(corpus, found).itertuples()}
        for found in (
            dedupe.scored(corpus, near, judge, knobs),
            dedupe.shown(corpus, near, judge, knobs),
        )
    )
    assert len(shown) >= 3
    assert {pair: round(scored[pair], 4) for pair in shown} == shown
    left = [chance for pair, chance in scored.items() if pair not in shown]
    assert all(round(chance, 4) < knobs.related_probability for chance in left)
