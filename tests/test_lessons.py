"""What the pair model learns from: the sample's judged pairs, and what an office says beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline import lessons, registry, starter
from pipeline.errors import GateRefused, UsageError
from pipeline.lessons import Lesson
from pipeline.records import SAME
from pipeline.settings import Settings

KNOBS = Settings()


@pytest.fixture(scope="module")
def known():
    """What is known of words and forms."""
    return starter.knowledge(settings=KNOBS)


@pytest.fixture(scope="module")
def table(sample):
    """The judged pairs of one part of the sample."""
    table = starter.judged(sample / "pairs.csv")
    return table[table["id_a"].str.startswith("D1")].reset_index(drop=True)


@pytest.fixture(scope="module")
def part(table):
    """That part of the sample, as a lesson: the whole would take long to learn."""
    batch = starter.sample().batch
    return Lesson.of(
        "sample", batch[batch["id"].str.startswith("D1")].reset_index(drop=True), table, whole=True
    )


@pytest.fixture(scope="module")
def plain(part, known):
    """What is learnt from it alone."""
    return lessons.learn([part], settings=KNOBS, known=known)


def chances(model, examples):
    """The probability of each example, by its two ids."""
    found = model.predict_proba(examples.alike)[:, 1]
    return {frozenset(ids): chance for ids, chance in zip(examples.ids, found, strict=True)}


def test_verdicts_that_a_kind_of_pair_is_the_same_change_the_model(part, table, known, plain):
    """Forty verdicts on the likeliest pairs that are not the same make the others of their kind likelier."""
    kinds = {frozenset(row[:2]): row[2] for row in table[["id_a", "id_b", "relation"]].to_numpy().tolist()}
    examples = lessons.pair_examples(part.batch, table, settings=KNOBS, known=known)
    names = sorted({tuple(sorted(ids)) for ids in examples.ids if kinds.get(frozenset(ids), "") not in SAME})
    before = chances(plain.model, examples)
    near = sorted(names, key=lambda ids: (-before[frozenset(ids)], ids))[:80]
    judged = pd.DataFrame(near[::2], columns=["id_a", "id_b"], dtype="str").assign(same=True)
    learnt = lessons.learn([part, Lesson("verdicts", part.batch, judged)], settings=KNOBS, known=known)
    after = chances(learnt.model, examples)
    assert np.mean([after[frozenset(ids)] - before[frozenset(ids)] for ids in near[1::2]]) > 0.05
    assert learnt.used["verdicts"]["same"] > 30


def test_verdicts_that_a_kind_of_pair_is_different_change_the_model(part, table, known, plain):
    """Where reviewers call half of the reworded pairs different, the other half becomes less likely."""
    reworded = table[table["relation"].isin(["light", "deep"])][["id_a", "id_b"]].reset_index(drop=True)
    told, others = reworded.iloc[::2], reworded.iloc[1::2].to_numpy().tolist()
    lesson = Lesson("verdicts", part.batch, told.assign(same=False).reset_index(drop=True))
    learnt = lessons.learn([part, lesson], settings=KNOBS, known=known)
    examples = lessons.pair_examples(part.batch, table, settings=KNOBS, known=known)
    before, after = chances(plain.model, examples), chances(learnt.model, examples)
    assert np.mean([after[frozenset(ids)] - before[frozenset(ids)] for ids in others]) < -0.05


@pytest.mark.slow
def test_a_handful_of_verdicts_does_not_replace_the_sample(part, table, known, plain):
    """Three verdicts beside the sample leave its other pairs where they were, to a few hundredths."""
    judged = table[table["relation"] == "same_form"].head(3)[["id_a", "id_b"]].assign(same=False)
    lesson = Lesson("verdicts", part.batch, judged.reset_index(drop=True))
    learnt = lessons.learn([part, lesson], settings=KNOBS, known=known)
    examples = lessons.pair_examples(part.batch, table, settings=KNOBS, known=known)
    gap = learnt.model.predict_proba(examples.alike) - plain.model.predict_proba(examples.alike)
    assert np.abs(gap).mean() < 0.02


def test_the_last_word_on_two_texts_counts(part, table, known, plain):
    """What an office says of a pair of the sample, under whatever ids, takes the sample's word away."""
    light = table[table["relation"] == "light"][["id_a", "id_b"]].assign(same=False).reset_index(drop=True)
    renamed = part.batch.assign(id="X-" + part.batch["id"])
    judged = light.assign(id_a="X-" + light["id_a"], id_b="X-" + light["id_b"])
    learnt = lessons.learn([part, Lesson("verdicts", renamed, judged)], settings=KNOBS, known=known)
    assert learnt.used["verdicts"] == {"judged": len(light), "same": 0, "different": len(light)}
    assert learnt.used["sample"]["same"] == plain.used["sample"]["same"] - len(light)


@pytest.mark.slow
def test_only_what_was_judged_is_an_example_of_a_partial_lesson(part, table, known):
    """The archive around judged pairs is context: it says how rare words are, and teaches nothing itself."""
    judged = table.head(60)[["id_a", "id_b"]].assign(same=table.head(60)["relation"].isin(SAME))
    learnt = lessons.learn(
        [replace(part, source="one"), Lesson("two", part.batch, judged)], settings=KNOBS, known=known
    )
    alone = lessons.learn([part], settings=KNOBS, known=known)
    used = learnt.used["two"]
    assert 0 < used["same"] + used["different"] <= used["judged"] == 60
    assert learnt.examples < alone.examples + 3 * 60


def test_the_order_of_rows_changes_nothing_learnt(part, known, plain):
    """Shuffled records and judgements teach the same, to the last bits that sums leave open."""
    turned = replace(
        part,
        batch=part.batch.iloc[::-1].reset_index(drop=True),
        judged=part.judged.iloc[::-1].reset_index(drop=True),
    )
    learnt = lessons.learn([turned], settings=KNOBS, known=known)
    assert learnt.used == plain.used
    assert learnt.metrics == plain.metrics


def test_too_few_judgements_are_refused_with_their_number(part, known):
    """Nineteen of a kind are too few, and the sentence says how many there are."""
    few = part.judged[part.judged["same"]].head(19)
    with pytest.raises(UsageError, match="at least 20") as refused:
        lessons.learn([Lesson("pairs", part.batch, few)], settings=KNOBS, known=known)
    assert refused.value.note.values["different"] == 0
    assert refused.value.note.values["same"] <= 19


@pytest.mark.slow
def test_the_card_says_what_was_learnt_from(part, known, tmp_path):
    """The card names data, judgements by source and figures; promotion and rollback change the version."""
    first = starter.train_pairs(tmp_path, [part], settings=KNOBS, known=known)
    judged = part.judged.head(30)
    both = [part, Lesson("verdicts", part.batch, judged)]
    second = starter.train_pairs(tmp_path, both, settings=KNOBS, known=known)
    card = registry.card(tmp_path, "pairs", second)
    assert set(card["data"]) == set(card["judgements"]) == {"sample", "verdicts"}
    assert {"recall", "precision", "brier", "ece", "reliability", "protocol"} <= set(card["metrics"])
    registry.promote(tmp_path, "pairs", first)
    registry.promote(tmp_path, "pairs", second)
    assert starter.pairs(tmp_path, settings=KNOBS, known=known).name == f"pairs/{second}"
    assert registry.rollback(tmp_path, "pairs") == first
    again = starter.pairs(tmp_path, settings=KNOBS, known=known)
    assert (again.name, again.trained) == (f"pairs/{first}", False)


@pytest.mark.slow
def test_the_same_lessons_are_the_same_version(part, known, tmp_path):
    """Learning twice from the same pairs gives one version."""
    versions = {starter.train_pairs(tmp_path, [part], settings=KNOBS, known=known) for _ in range(2)}
    assert len(versions) == 1


@pytest.mark.slow
def test_a_starter_of_another_version_is_learnt_anew(models, known, tmp_path):
    """A starter whose features are not ours is replaced; a model that people taught is refused, not lost."""
    stored = registry.load(models, "pairs")
    body = {"features": ["share"], "normalize": "0"}
    registry.promote(tmp_path, "pairs", registry.save(tmp_path, "pairs", stored.model, body))
    assert starter.pairs(tmp_path, settings=KNOBS, known=known).trained
    assert not starter.pairs(tmp_path, settings=KNOBS, known=known).trained
    taught = {**body, "judgements": {"sample": {}, "verdicts": {}}}
    version = registry.save(tmp_path, "pairs", stored.model, taught)
    registry.promote(tmp_path, "pairs", version)
    with pytest.raises(GateRefused, match=version):
        starter.pairs(tmp_path, settings=KNOBS, known=known)
