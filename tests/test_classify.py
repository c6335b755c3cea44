"""The classifier: what it counts, how sure it may be, and when it leaves the answer to a person."""

import json
import unicodedata
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC

from pipeline import classify, normalize
from pipeline.classify.decision import COLUMNS, learn_rules, shortlist
from pipeline.classify.separator import pooled
from pipeline.classify.vocabulary import Vocabulary, read
from pipeline.errors import GateRefused, UsageError

SUBJECTS = {
    "healthcare": "người bệnh điều dưỡng phẫu thuật xét nghiệm khám chữa thuốc tiêm khoa giường vết mổ",
    "education": "học sinh dạy học môn lớp trẻ mẫu giáo bài giảng kiểm tra giáo viên trường đọc viết",
    "engineering": "máy khuôn đồ gá băng tải gia công mạch điện động cơ bơm trục hàn tiện cảm biến",
    "union": "công đoàn đoàn viên thoả ước đối thoại chăm lo bữa ăn phúc lợi tổ trưởng hội nghị quà tết",
}
COMMON = "giải pháp nâng cao hiệu quả tại đơn vị năm nay giảm thời gian chi phí của được cho và với"


def planted(rows, *, seed=0, purity=0.5, fields=tuple(SUBJECTS)):
    """Return records whose words come from their field with probability ``purity``, else from everywhere."""
    random = np.random.default_rng(seed)
    records = []
    for number in range(rows):
        field = fields[number % len(fields)]
        words = SUBJECTS[field].split()
        text = [random.choice(words if random.random() < purity else COMMON.split()) for _ in range(40)]
        records.append((f"P{number:04d}", " ".join(text[:8]), " ".join(text[8:]), field))
    return pd.DataFrame(records, columns=["id", "clean_title", "clean_description", "field"], dtype="str")


@pytest.fixture(scope="module")
def trained():
    """A model of 240 planted records, and the labels its folds gave them."""
    batch = planted(240)
    return classify.fit(batch, batch["field"], taxonomy="1")


@pytest.fixture(scope="module")
def model(trained):
    """The model alone."""
    return trained.model


# ------------------------------------------------------------------------------------------- counting

TEXTS = st.lists(st.text("aáb đ1_.\n", max_size=30), max_size=8)


def stock(vocabulary):
    """Return scikit-learn's own counter of a vocabulary's terms."""
    terms = vocabulary.pack().tobytes().decode().split("\n")
    return CountVectorizer(vocabulary=terms, ngram_range=(1, 2), token_pattern=r"(?u)\w+", lowercase=False)


@given(TEXTS, TEXTS)
def test_counts_are_those_of_scikit_learn(learnt, texts):
    """On any text, the vectorised counts equal CountVectorizer's, column by column."""
    vocabulary = Vocabulary.learn(read(learnt))
    counts = vocabulary.count(read(texts))
    assert counts.shape == (len(texts), len(vocabulary))
    if len(vocabulary) and texts:
        assert np.array_equal(counts.toarray(), stock(vocabulary).transform(texts).toarray())


@given(TEXTS)
def test_the_vocabulary_is_that_of_scikit_learn(texts):
    """The terms learnt are those that stand in two texts or more."""
    vocabulary = Vocabulary.learn(read(texts))
    every = CountVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w+", lowercase=False, min_df=2)
    try:
        expected = set(every.fit(texts).vocabulary_)
    except ValueError:  # scikit-learn refuses an empty vocabulary
        expected = set()
    assert set(vocabulary.pack().tobytes().decode().split("\n")) - {""} == expected


@given(TEXTS, st.integers(1, 6))
def test_a_cut_vocabulary_keeps_the_most_frequent_terms(texts, most):
    """No term left out is more frequent than one kept, and every pair kept has both its halves."""
    words = read(texts)
    whole, cut = Vocabulary.learn(words), Vocabulary.learn(words, most=most)
    assert len(cut) == min(most, len(whole))
    kept = cut.count(words).sum(axis=0)
    every = np.sort(whole.count(words).sum(axis=0))[::-1]
    assert np.array_equal(np.sort(kept)[::-1], every[:most])


@given(TEXTS)
def test_a_vocabulary_survives_packing(texts):
    """What is unpacked counts as what was packed."""
    vocabulary = Vocabulary.learn(read(texts))
    again = Vocabulary.unpack(vocabulary.pack())
    assert list(again.syllables) == list(vocabulary.syllables)
    assert np.array_equal(again.pairs, vocabulary.pairs)


def test_the_whole_separator_is_the_stock_pipeline():
    """Blocks, weights and planes are those of two TF-IDF vectorizers joined before a linear SVM."""
    batch = planted(120, purity=0.3)
    model = classify.fit(batch, batch["field"]).model
    titles = batch.assign(clean_description="")
    texts = pd.Series(classify.features(batch) + classify.features(titles))

    def vectorizer(preprocessor):
        return TfidfVectorizer(
            preprocessor=preprocessor,
            token_pattern=r"(?u)\w+",
            ngram_range=(1, 2),
            min_df=2,
            sublinear_tf=True,
        )

    expert = model.experts["marked"]
    parts = [("keyed", vectorizer(normalize.key)), ("folded", vectorizer(normalize.fold))]
    blocks = FeatureUnion(parts, transformer_weights={"folded": 0.5})
    svm = LinearSVC(C=expert.separator.svm.C, tol=0.1, random_state=0)
    oracle = make_pipeline(blocks, svm).fit(texts, [*batch["field"], *batch["field"]])
    fresh = planted(60, seed=1, purity=0.2)
    votes = [oracle.decision_function(classify.features(fresh))]
    if expert.separator.bayes is not None:
        bayes = ComplementNB(alpha=0.1).fit(blocks.transform(texts), [*batch["field"], *batch["field"]])
        votes.append(bayes.predict_joint_log_proba(blocks.transform(classify.features(fresh))))
    expected = np.exp(pooled(votes, expert.whole.temperatures))
    assert classify.score(model, fresh).probabilities == pytest.approx(expected, abs=1e-2)


# --------------------------------------------------------------------------------------------- scoring


def test_planted_fields_are_found(model):
    """Records made of a field's words get that field."""
    fresh = planted(100, seed=7)
    assert (classify.label(model, fresh, name="m")["field"] == fresh["field"]).mean() > 0.95


def test_probabilities_are_probabilities(model):
    """Each row of probabilities lies between 0 and 1, has 4 places, and sums to 1 but for rounding."""
    found = classify.score(model, planted(50, seed=2, purity=0.2)).probabilities
    assert ((found >= 0) & (found <= 1)).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(50), abs=5e-4)
    assert np.array_equal(found, found.round(4))


@given(st.permutations(range(30)), st.sampled_from([1, 7, 30]))
@settings(max_examples=6, deadline=None)
def test_a_label_does_not_depend_on_its_neighbours(model, order, size):
    """One by one, in any order, in chunks of any size: the same labels."""
    fresh = planted(30, seed=3, purity=0.2)
    whole = classify.label(model, fresh, name="m")
    shuffled = fresh.iloc[order]
    parts = [classify.label(model, shuffled.iloc[at : at + size], name="m") for at in range(0, 30, size)]
    again = pd.concat(parts).sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(again, whole)


def test_an_empty_batch_has_no_labels(model):
    """No records, no rows, the same columns and types."""
    none = classify.label(model, planted(4).iloc[:0], name="m")
    assert len(none) == 0
    assert none.dtypes.equals(classify.label(model, planted(4), name="m").dtypes)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_form_and_case_do_not_change_a_label(model, form):
    """Capitals and decomposed letters give the very same probabilities."""
    fresh = planted(20, seed=4, purity=0.3)
    for column in ("clean_title", "clean_description"):
        changed = fresh.assign(
            **{column: [unicodedata.normalize(form, text.upper()) for text in fresh[column]]}
        )
        assert np.array_equal(
            classify.score(model, changed).probabilities, classify.score(model, fresh).probabilities
        )


def test_texts_without_marks_keep_their_field(model):
    """The block without marks finds the field of texts that were typed without them."""
    fresh = planted(100, seed=5)
    bare = fresh.assign(
        clean_title="", clean_description=[normalize.fold(t) for t in fresh["clean_description"]]
    )
    assert (classify.label(model, bare, name="m")["field"] == fresh["field"]).mean() > 0.9


def test_titles_alone_are_no_strangers(model):
    """A record without a description still gets its field."""
    fresh = planted(100, seed=6, purity=0.7).assign(clean_description="")
    assert (classify.label(model, fresh, name="m")["field"] == fresh["field"]).mean() > 0.9


# -------------------------------------------------------------------------------------------- deciding


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("?! …", "empty"),
        ("người bệnh phẫu thuật", "too_short"),
        ("qwxz plugh xyzzy frobnitz quux người bệnh", "unknown_words"),
    ],
)
def test_what_cannot_be_judged_goes_to_a_person(model, text, reason):
    """Empty, very short and foreign texts are for review whatever the probability, and say why."""
    row = pd.DataFrame({"id": ["a"], "clean_title": [text], "clean_description": [""]})
    (label,) = classify.label(model, row, name="m").to_dict("records")
    assert (label["decision"], label["reason"]) == ("review", reason)
    assert label["field"]
    assert reason != "empty" or (label["field"], label["probability"], label["field2"]) == ("other", 0.0, "")


def test_numbers_are_not_unknown_words(model):
    """A text full of amounts is not a foreign text."""
    row = pd.DataFrame(
        {"id": ["a"], "clean_title": ["khuôn máy 12 345 678 901 234 567 890"], "clean_description": [""]}
    )
    assert classify.label(model, row, name="m")["reason"].item() != "unknown_words"


SCORED = st.lists(
    st.tuples(st.lists(st.integers(1, 100), min_size=3, max_size=3), st.integers(0, 40), st.floats(0, 1)),
    min_size=1,
    max_size=20,
)
THRESHOLD = st.none() | st.floats(0, 1)
RULES = st.builds(
    lambda a, b, c, d: classify.Rules(accept={"other": a, "safety": b, "union": c}, second=d),
    THRESHOLD,
    THRESHOLD,
    THRESHOLD,
    THRESHOLD,
)


def decided(rows, rules):
    """Return the decision table of generated scores."""
    raw = np.array([weights for weights, _, _ in rows], dtype=float)
    scores = classify.Scores(
        (raw / raw.sum(axis=1, keepdims=True)).round(4),
        np.array([syllables for _, syllables, _ in rows]),
        np.array([unknown for _, _, unknown in rows]),
    )
    ids = [str(number) for number in range(len(rows))]
    return classify.decide(
        ids, scores, classes=["other", "safety", "union"], rules=rules, model="m", taxonomy="1"
    )


@given(SCORED, RULES)
def test_every_row_is_labelled_and_says_why(rows, rules):
    """One row an id, no empty field, a known reason; `auto` is `confident`, and nothing else is."""
    table = decided(rows, rules)
    assert tuple(table.columns) == COLUMNS
    assert table["id"].tolist() == [str(number) for number in range(len(rows))]
    assert set(table["field"]) <= {"other", "safety", "union"}
    assert set(table["reason"]) <= set(classify.REASONS)
    assert ((table["decision"] == "auto") == (table["reason"] == "confident")).all()
    assert not table.isna().any(axis=None)


@given(SCORED, RULES)
def test_an_automatic_label_has_earned_it(rows, rules):
    """Each automatic label reaches its field's threshold, is no `other`, and its text could be judged."""
    table = decided(rows, rules)
    for row, (_, syllables, unknown) in zip(table.itertuples(), rows, strict=True):
        if row.decision == "auto":
            assert rules.accept[row.field] is not None
            assert row.probability >= rules.accept[row.field]
            assert (row.field != "other", syllables >= 5, unknown <= 0.6) == (True, True, True)


@given(SCORED, RULES, st.floats(0, 1))
def test_a_higher_threshold_never_accepts_more(rows, rules, more):
    """Raising every threshold only takes labels away from the automatic ones."""
    higher = {field: None if t is None else t + more for field, t in rules.accept.items()}
    before, after = (
        set(table.loc[table["decision"] == "auto", "id"])
        for table in (decided(rows, rules), decided(rows, classify.Rules(accept=higher, second=rules.second)))
    )
    assert after <= before


@given(SCORED, RULES)
def test_the_second_field_is_another_and_less_probable(rows, rules):
    """A second field differs from the first, is not more probable, and is named from its threshold on."""
    table = decided(rows, rules)
    for row in table.itertuples():
        if row.field2:
            assert row.field2 != row.field
            assert rules.second <= row.probability2 <= row.probability
        else:
            assert row.probability2 == 0


def test_ties_go_to_the_first_code():
    """Equally probable fields are taken in the order of their codes."""
    table = decided([([50, 50, 50], 30, 0.0)], classify.Rules(accept={}, second=0.3))
    assert (table["field"].item(), table["field2"].item()) == ("other", "safety")


def conformal(values, share):
    """Return the largest threshold that leaves out at most ``share`` of the values and one unseen."""
    order = sorted(values)
    allowed = [k for k in range(len(order) + 1) if k <= share * (len(order) + 1)]
    return order[max(allowed) - 1] if max(allowed) else 0.0


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60))
def test_shortlists_agree_with_the_slow_version(values):
    """A field's threshold is the conformal quantile of its own rows' probabilities."""
    probabilities = np.array([[v / 100, 1 - v / 100] for v in values])
    found = shortlist(probabilities, ["a", "b"], ["a"] * len(values))
    assert found == {"a": pytest.approx(conformal([v / 100 for v in values], 0.1)), "b": 0.0}


def test_a_shortlist_keeps_its_promise_for_every_field():
    """On fresh rows of the same kind, each field's own label is in the set in about nine cases of ten."""
    random = np.random.default_rng(0)
    truth = np.array(["a", "b", "c"])[random.integers(0, 3, 6000)]
    hard = np.where(truth == "c", 0.5, 2.0)  # one field is far less certain than the others
    votes = random.normal(size=(6000, 3)) + hard[:, None] * (truth[:, None] == np.array(["a", "b", "c"]))
    chance = np.exp(votes) / np.exp(votes).sum(axis=1, keepdims=True)
    least = shortlist(chance[:3000], ["a", "b", "c"], truth[:3000].tolist())
    for column, name in enumerate("abc"):
        own = chance[3000:][truth[3000:] == name, column]
        assert (own >= least[name]).mean() == pytest.approx(0.9, abs=0.035)


@given(SCORED, RULES)
def test_a_person_is_offered_fields_and_an_automatic_label_is_not_asked_about(rows, rules):
    """A shortlist holds the label, no field twice, and is empty exactly where nobody is asked."""
    table = decided(rows, rules)
    for row in table.itertuples():
        offered = row.shortlist.split()
        assert len(set(offered)) == len(offered)
        if row.decision == "auto" or row.reason == "empty":
            assert not offered
        else:
            assert offered[0] == row.field


# ------------------------------------------------------------------------------------------- learning


def at_least_right(right, rows, precision):
    """Return whether a worse share than ``precision`` would give so many right ones in under 5 % of cases."""
    tail = sum(comb(rows, k) * precision**k * (1 - precision) ** (rows - k) for k in range(right, rows + 1))
    return tail <= 0.05


@given(
    st.lists(st.tuples(st.integers(50, 100), st.booleans()), min_size=1, max_size=150), st.floats(0.5, 0.9)
)
@settings(max_examples=60, deadline=None)
def test_thresholds_agree_with_the_slow_version(rows, precision):
    """A threshold is the smallest probability from which an exact binomial test grants the precision."""
    rows = [*rows, *[(100, True)] * 60]
    probabilities = np.array([[p / 100, 1 - p / 100] for p, _ in rows])
    truth = ["a" if right else "b" for _, right in rows]
    fits = []
    for least in sorted({p for p, _ in rows}):
        taken = [right for p, right in rows if p >= least]
        if at_least_right(sum(taken), len(taken), precision):
            fits.append(least / 100)
    found = learn_rules(probabilities, ["a", "b"], truth, second=[""] * len(rows), precision=precision)
    assert found.accept["a"] == (pytest.approx(min(fits)) if fits else None)


def test_a_rare_field_takes_the_common_threshold():
    """A field with too few rows to show its precision is accepted where all fields together are."""
    probabilities = np.array([[0.9, 0.1]] * 200 + [[0.2, 0.8]] * 10)
    found = learn_rules(
        probabilities, ["a", "b"], ["a"] * 200 + ["b"] * 10, second=[""] * 210, precision=0.95
    )
    assert found.accept == {"a": 0.9, "b": 0.8}


def test_a_field_that_is_often_wrong_is_never_automatic():
    """The common threshold does not cover a field whose own rows speak against it."""
    probabilities = np.array([[0.9, 0.1]] * 2000 + [[0.1, 0.9]] * 40)
    truth = ["a"] * 2000 + ["b", "a"] * 20
    found = learn_rules(probabilities, ["a", "b"], truth, second=[""] * 2040, precision=0.95)
    assert found.accept == {"a": 0.9, "b": None}


def test_a_second_acceptable_label_counts_as_right():
    """Labels that equal the second label of their row do not lower the precision."""
    probabilities = np.array([[0.9, 0.1]] * 100)
    strict = learn_rules(probabilities, ["a", "b"], ["b"] * 100, second=[""] * 100, precision=0.95)
    kind = learn_rules(probabilities, ["a", "b"], ["b"] * 100, second=["a"] * 100, precision=0.95)
    assert (strict.accept["a"], kind.accept["a"]) == (None, 0.9)


def test_a_runner_up_is_named_from_where_half_are_right():
    """Runners-up at 0.4 are right and at 0.3 wrong: they are named from 0.4 on."""
    probabilities = np.array([[0.6, 0.4]] * 60 + [[0.7, 0.3]] * 100)
    truth = ["b"] * 30 + ["a"] * 130
    assert learn_rules(probabilities, ["a", "b"], truth, second=[""] * 160, precision=0.95).second == 0.4


def test_the_order_of_rows_does_not_change_the_model():
    """Shuffled rows give the same model to the last bit, and each row keeps its held-out label."""
    batch = planted(80, purity=0.2)
    shuffled = batch.sample(frac=1, random_state=1)
    first, second = (classify.fit(rows, rows["field"].tolist()) for rows in (batch, shuffled))
    for name, expert in first.model.experts.items():
        assert np.array_equal(expert.separator.svm.coef_, second.model.experts[name].separator.svm.coef_)
    assert classify.card(first.model) == classify.card(second.model)
    again = second.held_out.set_index("id").loc[batch["id"]].reset_index()
    pd.testing.assert_frame_equal(again, first.held_out)


def copies(groups):
    """Return 40 pairs of copies with words and a field of their own, held together or not."""
    random = np.random.default_rng(0)
    rows = []
    for pair in range(40):
        words = [f"từ{number}" for number in range(pair * 20, pair * 20 + 20)]
        field = random.choice(list(SUBJECTS))
        rows += [(f"{pair}{side}", f"{side} " + " ".join(words[:6]), " ".join(words), field) for side in "ab"]
    batch = pd.DataFrame(rows, columns=["id", "clean_title", "clean_description", "field"], dtype="str")
    together = batch["id"].str[:-1] if groups else None
    held = classify.fit(batch, batch["field"], groups=together).held_out
    return (held["field"] == batch["field"]).mean()


def test_titles_are_held_to_their_own_threshold(trained):
    """Records and bare titles have temperatures and thresholds each, and labels follow their own."""
    model = trained.model
    expert = model.experts["marked"]
    fresh = planted(60, seed=9, purity=0.2)
    mixed = fresh.assign(clean_description=[t * (n % 2) for n, t in enumerate(fresh["clean_description"])])
    for row, number in zip(classify.label(model, mixed, name="m").itertuples(), range(60), strict=True):
        rules = (expert.whole if number % 2 else expert.title).rules
        assert (row.decision == "auto") == (row.probability >= rules.accept[row.field])
    assert expert.whole.temperatures != expert.title.temperatures


def at_work(batch, truthful, seed=0):
    """Return records with a workplace that tells the field (or is drawn at random)."""
    random = np.random.default_rng(seed)
    places = {"healthcare": "Bệnh viện", "education": "Trường", "engineering": "Xưởng", "union": "Công đoàn"}
    fields = batch["field"] if truthful else random.permutation(batch["field"])
    return batch.assign(unit=[f"{places[field]} số {n % 7}" for n, field in enumerate(fields)], sector="")


def test_a_workplace_is_read_where_it_helps():
    """Workplaces that tell the field are learnt and used; those that tell nothing are not read at all."""
    batch = planted(240, purity=0.04)
    told = classify.fit(at_work(batch, truthful=True), batch["field"])
    assert set(told.model.experts) == {"marked", "bare", "marked_placed", "bare_placed"}
    fresh = at_work(planted(100, seed=3, purity=0.04), truthful=True)
    with_place = (classify.label(told.model, fresh, name="m")["field"] == fresh["field"]).mean()
    without = (classify.label(told.model, fresh.assign(unit=""), name="m")["field"] == fresh["field"]).mean()
    assert with_place > without + 0.1
    untold = classify.fit(at_work(batch, truthful=False), batch["field"])
    assert set(untold.model.experts) == {"marked", "bare"}


def test_phrases_of_a_field_are_learnt():
    """Words that stand in no labelled record, but in the phrases of a field, lead to that field."""
    batch = planted(80, purity=0.4)
    phrases = {"union": ["hụi họ tương tế", "tương tế hụi phường"] * 10}
    row = pd.DataFrame({"id": ["a"], "clean_title": ["phường hụi họ tương tế"], "clean_description": [""]})
    taught = classify.fit(batch, batch["field"], phrases=phrases).model
    untaught = classify.fit(batch, batch["field"]).model
    column = taught.classes.index("union")
    chances = [classify.score(model, row).probabilities[0, column] for model in (taught, untaught)]
    assert chances[0] > chances[1] + 0.2
    assert classify.label(taught, row, name="m")["field"].item() == "union"


def test_unlabelled_texts_help_where_labels_are_few():
    """With four labels a field, 2,000 texts without labels make the model better, and it says so."""
    few, many = planted(16, purity=0.15), planted(2_000, seed=5, purity=0.15)
    alone = classify.fit(few, few["field"])
    helped = classify.fit(few, few["field"], unlabelled=many.drop(columns="field"))
    fresh = planted(300, seed=6, purity=0.15)
    right = [
        (classify.label(found.model, fresh, name="m")["field"] == fresh["field"]).mean()
        for found in (alone, helped)
    ]
    assert "unlabelled" in helped.chosen
    assert right[1] > right[0] + 0.05


def test_unlabelled_copies_of_labelled_texts_teach_nothing():
    """Texts that are labelled rows over again are left out: a held-out row must not be guessed on."""
    few = planted(40, purity=0.1)
    copies = pd.concat([few.drop(columns="field")] * 60, ignore_index=True)
    alone, with_copies = classify.fit(few, few["field"]), classify.fit(few, few["field"], unlabelled=copies)
    assert classify.card(alone.model) == classify.card(with_copies.model)


def test_later_records_are_judged_by_a_model_of_earlier_ones():
    """The last fifth by date is labelled by a model that saw neither it nor a copy of it."""
    batch = planted(100, purity=0.3).assign(submitted=[f"2024-01-{n % 28 + 1:02d}" for n in range(100)])
    later = classify.fit(batch, batch["field"]).later
    newest = set(batch.sort_values("submitted")["id"].tail(15))
    assert newest <= set(later["id"])
    assert len(later) <= 30
    undated = classify.fit(batch.assign(submitted=""), batch["field"]).later
    assert undated.empty


def test_copies_of_later_records_do_not_teach_the_earlier_model():
    """When every record was filed again later, nothing is left to learn from but what has no later copy."""
    batch = planted(60, purity=0.9)
    noise = np.random.default_rng(1).permutation(batch["field"])
    both = pd.concat(
        [batch.assign(submitted="2023-01-01"), batch.tail(24).assign(submitted="2024-01-01")],
        ignore_index=True,
    ).assign(id=[f"r{n}" for n in range(84)])
    truth = [*noise, *noise[-24:]]
    later = classify.fit(both, truth).later
    right = later["field"].to_numpy() == np.array(truth[-24:])
    assert len(later) == 24
    assert right.mean() < 0.7


@pytest.mark.parametrize("column", ["clean_title", "clean_description"])
def test_records_may_all_lack_one_text(column):
    """Titles alone, or descriptions alone, are enough to learn from."""
    batch = planted(80).assign(**{column: ""})
    model, held, *_ = classify.fit(batch, batch["field"])
    assert (held["field"] == batch["field"]).mean() > 0.8
    assert (classify.label(model, batch, name="m")["field"] == batch["field"]).mean() > 0.9


def test_copies_never_stand_on_both_sides():
    """What is known only from a record's copy cannot be known when the two are one group."""
    assert copies(groups=False) > 0.8
    assert copies(groups=True) < 0.5


def test_equal_texts_are_one_group_unasked():
    """Rows of the same text stay together without anyone naming groups."""
    batch = planted(40, purity=0.9)
    twice = pd.concat([batch, batch.assign(id="C" + batch["id"])], ignore_index=True)
    noise = np.random.default_rng(0).permutation(batch["field"])
    held = classify.fit(twice, [*noise, *noise]).held_out
    assert (held["field"] == [*noise, *noise]).mean() < 0.6


def test_held_out_probabilities_are_honest():
    """On hard records the held-out probabilities are near the shares that are right."""
    batch = planted(600, purity=0.05)
    held = classify.fit(batch, batch["field"]).held_out
    right = (held["field"] == batch["field"]).mean()
    assert 0.4 < right < 0.98
    assert held["probability"].mean() == pytest.approx(right, abs=0.05)


def test_two_fields_are_enough():
    """The case of two fields, where scikit-learn gives one margin a row, works like any other."""
    batch = planted(40, fields=("union", "engineering"))
    model, held, *_ = classify.fit(batch, batch["field"])
    assert model.classes == ["engineering", "union"]
    assert (held["field"] == batch["field"]).mean() > 0.9


def test_a_field_may_be_rarer_than_the_folds():
    """A field with two rows is learnt without complaint, and is never accepted on its own evidence."""
    batch = planted(60)
    labels = ["society", "society", *batch["field"][2:]]
    model, held, *_ = classify.fit(batch, labels)
    assert "society" in model.classes
    assert len(held) == 60


@pytest.mark.parametrize(
    ("rows", "fields"), [(0, 1), (9, 2), (40, 1)], ids=["no rows", "few rows", "one field"]
)
def test_too_few_labels_are_refused(rows, fields):
    """Fewer than ten rows or two fields are refused with a sentence that says so."""
    batch = planted(rows, fields=tuple(SUBJECTS)[:fields])
    with pytest.raises(UsageError, match="too few to learn"):
        classify.fit(batch, batch["field"])


def test_rows_of_one_text_are_too_few():
    """Many rows of the same text are one example."""
    batch = planted(2).iloc[[0] * 30].reset_index(drop=True)
    with pytest.raises(UsageError, match="1 of them different"):
        classify.fit(batch, ["union", "safety"] * 15)


def test_texts_without_words_are_refused():
    """Labelled rows that hold no words cannot be learnt from."""
    batch = planted(40).assign(clean_title="", clean_description="")
    with pytest.raises(UsageError, match="few"):
        classify.fit(batch, batch["field"], groups=batch["id"])


def test_artefact_and_card_make_the_model_again(model):
    """A model put together from its two stored parts gives the same labels; its card is plain JSON."""
    stored = json.loads(json.dumps(classify.card(model)))
    again = classify.restore(classify.artefact(model), stored)
    fresh = planted(50, seed=8, purity=0.2)
    pd.testing.assert_frame_equal(
        classify.label(again, fresh, name="m"), classify.label(model, fresh, name="m")
    )


def test_a_model_of_another_normalization_is_refused(model):
    """A model learnt from texts normalized otherwise would be silently wrong, so it is refused."""
    card = classify.card(model) | {"normalize": "0"}
    with pytest.raises(GateRefused, match="normalized by version 0"):
        classify.restore(classify.artefact(model), card)


def test_a_field_of_one_group_is_learnt_though_no_fold_can_hold_it_out():
    """Where a second field is one record and its copies, the other records are held out all the same."""
    batch = at_work(planted(44), truthful=True)
    fields = ["union"] * 40 + ["safety"] * 4
    groups = [*batch["id"][:40], *["copies"] * 4]
    fitted = classify.fit(batch, fields, groups=groups)
    held = fitted.held_out.set_index("id")
    assert set(held.index) <= set(batch["id"][:40])
    assert len(fitted.chances) == len(fitted.titles) == len(held)
    assert set(held["field"]) == {"union"}
