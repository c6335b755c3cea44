"""What a classifier reads beside syllables: words, the author's own field, vectors; only where it helps."""

import hashlib
import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import classify, encode
from pipeline.classify import experts
from pipeline.classify.reading import AUTHOR, COUNTED, SECTOR, UNIT, Reader, blocks
from pipeline.errors import GateRefused

FIELDS = ("healthcare", "education", "engineering")
WORDS = {field: [f"{field[:2]}ế{number}" for number in range(60)] for field in FIELDS}
COMMON = [f"chungế{number}" for number in range(30)]


def planted(rows, *, seed=0, purity=0.15, words=slice(None)):
    """Return records of 40 words, each from its field's with probability ``purity``, else a common one."""
    random = np.random.default_rng(seed)
    records = []
    for number in range(rows):
        field = FIELDS[number % len(FIELDS)]
        own = WORDS[field][words]
        text = [str(random.choice(own if random.random() < purity else COMMON)) for _ in range(40)]
        records.append((f"P{number:04d}", " ".join(text[:8]), " ".join(text[8:]), field))
    return pd.DataFrame(records, columns=["id", "clean_title", "clean_description", "field"], dtype="str")


def right(model, fresh):
    """Return the share of records that get their field."""
    return (classify.label(model, fresh, name="m")["field"] == fresh["field"]).mean()


# ------------------------------------------------------------------------------------- who judges whom

KINDS = [list(some) for size in range(3) for some in combinations(experts.TOLD, size)]
ROW = st.tuples(st.sampled_from(["máy bơm", "may bom", ""]), *[st.sampled_from(["", "một"])] * 3)


@given(st.sampled_from(KINDS), st.lists(ROW, min_size=1, max_size=8))
def test_every_record_has_a_judge_that_misses_nothing(kinds, rows):
    """Whatever records tell, each is judged by a separator of the table that reads only what it has."""
    table = pd.DataFrame(rows, columns=["clean_description", "unit", "sector", "author_codes"], dtype="str")
    names = experts.table(kinds)
    texts = blocks(table.assign(clean_title=""), COUNTED, Reader())
    for row, name in enumerate(experts.chosen(texts, names)):
        reads = names[name]
        assert (AUTHOR in reads) == ("authored" in kinds and table["author_codes"][row] != "")
        told = table["unit"][row] != "" or table["sector"][row] != ""
        assert ({UNIT, SECTOR} <= set(reads)) == ("placed" in kinds and told)


# ------------------------------------------------------------------------------ the author's own field


def authored(batch, *, truthful=0.8, told=0.7, seed=0):
    """Return records of which most name a field in their author's words, mostly the right one."""
    random = np.random.default_rng(seed)
    codes = [
        "" if random.random() > told else field if random.random() < truthful else random.choice(FIELDS)
        for field in batch["field"]
    ]
    return batch.assign(author_codes=pd.Series(codes, dtype="str"))


def test_the_authors_field_is_read_where_it_helps():
    """An author's field that is mostly right makes labels better; where none is named nothing is lost."""
    batch = authored(planted(240, purity=0.06))
    fitted = classify.fit(batch, batch["field"])
    assert "marked_authored" in fitted.model.experts
    assert "author's field" in fitted.chosen
    fresh = authored(planted(200, seed=1, purity=0.06), told=1.0, seed=1)
    silent = fresh.assign(author_codes="")
    untaught = classify.fit(batch.drop(columns="author_codes"), batch["field"]).model
    assert right(fitted.model, fresh) > right(fitted.model, silent) + 0.05
    assert right(fitted.model, silent) >= right(untaught, silent) - 0.03


def test_the_authors_field_is_never_the_label():
    """Authors who are always wrong in the same way teach the model what their words are worth."""
    batch = planted(240, purity=0.06)
    turned = dict(zip(FIELDS, [*FIELDS[1:], FIELDS[0]], strict=True))
    wrong = batch.assign(author_codes=batch["field"].map(turned))
    model = classify.fit(wrong, batch["field"]).model
    assert right(model, wrong) > 0.95


def test_an_authors_field_that_tells_nothing_is_not_read():
    """Fields named at random are left aside, and then change no label."""
    batch = authored(planted(240, purity=0.4), truthful=0.0)
    model = classify.fit(batch, batch["field"]).model
    fresh = planted(60, seed=2, purity=0.2)
    if not any("authored" in name for name in model.experts):
        found = [classify.score(model, fresh.assign(author_codes=code)).probabilities for code in ("", "x")]
        assert np.array_equal(*found)
    assert right(model, fresh.assign(author_codes="education")) > 0.9


# --------------------------------------------------------------------------------------------- words


def concepts(texts):
    """Cut texts into words, where the words of a field are one word however they are spelled."""
    spoken = {syllable: f"tu_{field}" for field, own in WORDS.items() for syllable in own}
    return [" ".join(spoken.get(syllable, syllable) for syllable in text.split()) for text in texts]


def unheard_of(texts):
    """Cut texts into one word each, which no other text has."""
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def test_words_are_read_where_they_tell_more_than_syllables():
    """Words that sum up what syllables spread are read; words that say nothing are not."""
    batch = planted(60)
    fitted = classify.fit(batch, batch["field"], reader=Reader(cut=concepts))
    assert "words" in fitted.model.reads
    assert "words" in fitted.chosen
    fresh = planted(200, seed=3)
    assert right(fitted.model, fresh) > right(classify.fit(batch, batch["field"]).model, fresh) + 0.05
    dumb = classify.fit(batch, batch["field"], reader=Reader(cut=unheard_of))
    assert dumb.trials["with words (1)"] >= dumb.trials["without words"]
    assert "words" not in dumb.model.reads


def test_a_model_that_reads_words_needs_somebody_to_cut_them():
    """Without a cutter the model is not restored; with one it gives the same labels as before."""
    batch = planted(60)
    model = classify.fit(batch, batch["field"], reader=Reader(cut=concepts)).model
    stored, card = classify.artefact(model), json.loads(json.dumps(classify.card(model)))
    with pytest.raises(GateRefused, match="words"):
        classify.restore(stored, card)
    again = classify.restore(stored, card, Reader(cut=concepts))
    fresh = planted(30, seed=4)
    pd.testing.assert_frame_equal(
        classify.label(again, fresh, name="m"), classify.label(model, fresh, name="m")
    )


# -------------------------------------------------------------------------------------------- vectors


def meaning(spread=0.1, seed=0):
    """Return an encoder in which the words of a field lie together, learnt or not."""
    random = np.random.default_rng(seed)
    rows = [
        (syllable, np.eye(8)[place] + spread * random.normal(size=8))
        for place, own in enumerate([*WORDS.values(), COMMON])
        for syllable in own
    ]
    syllables, vectors = zip(*rows, strict=True)
    return encode.Syllables(syllables, np.full(len(rows), 0.01), np.array(vectors, dtype=np.float32))


def test_vectors_lead_from_words_learnt_to_words_never_seen():
    """Records of words that no labelled record holds get their field from vectors, and by chance without."""
    batch = planted(90, purity=0.1, words=slice(30))
    fresh = planted(150, seed=5, purity=0.3, words=slice(30, None))
    with_vectors = classify.fit(batch, batch["field"], reader=Reader(encoder=meaning())).model
    assert "vectors" in with_vectors.reads
    assert right(with_vectors, fresh) > right(classify.fit(batch, batch["field"]).model, fresh) + 0.3


def test_a_model_knows_its_encoder():
    """Another encoder, or none, is refused by name; the same one gives the same labels."""
    batch, encoder = planted(60, purity=0.15, words=slice(30)), meaning()
    model = classify.fit(batch, batch["field"], reader=Reader(encoder=encoder)).model
    assert "vectors" in model.reads
    stored, card = classify.artefact(model), json.loads(json.dumps(classify.card(model)))
    for other in (None, meaning(seed=1)):
        with pytest.raises(GateRefused, match="syllables"):
            classify.restore(stored, card, Reader(encoder=other))
    again = classify.restore(stored, card, Reader(encoder=meaning()))
    fresh = planted(30, seed=6)
    pd.testing.assert_frame_equal(
        classify.label(again, fresh, name="m"), classify.label(model, fresh, name="m")
    )


def test_an_encoder_for_few_labels_is_not_tried_where_there_are_many():
    """From 50 labels a field on, an encoder that is there for few labels costs nothing: it is not asked."""
    few, many = planted(60), planted(180)
    reader = Reader(encoder=meaning(), few=True)
    assert "without vectors" in classify.fit(few, few["field"], reader=reader).trials
    assert "without vectors" not in classify.fit(many, many["field"], reader=reader).trials
    asked = classify.fit(many, many["field"], reader=replace(reader, few=False))
    assert "without vectors" in asked.trials


def test_labels_do_not_depend_on_neighbours_whatever_is_read():
    """With words, vectors and an author's field, records one by one get the labels they get together."""
    batch = authored(planted(180, purity=0.06), truthful=0.6)
    reader = Reader(cut=concepts, encoder=meaning(spread=1.0))
    model = classify.fit(batch, batch["field"], reader=reader).model
    assert {"words", "author"} < model.reads
    fresh = authored(planted(12, seed=7), seed=7)
    whole = classify.label(model, fresh, name="m")
    alone = [classify.label(model, fresh.iloc[[row]], name="m") for row in range(len(fresh))]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), whole)
