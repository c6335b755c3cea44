"""Form text of one place of work is told from a text that was filed there many times."""

from __future__ import annotations

import random
import re

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import dedupe, normalize, starter
from pipeline.dedupe import house
from pipeline.dedupe.shingles import fingerprint
from pipeline.records import DUPLICATE_LEVELS
from pipeline.settings import Settings, checkout

KNOBS = Settings()
VOCABULARY = sorted(
    set(
        re.findall(
            r"\w+", normalize.clean((checkout("data", "sample") / "archive.csv").read_text("utf-8")).text
        )
    )
)


def own(seed, count=45):
    """A content of its own: words of the sample, drawn at random."""
    return " ".join(random.Random(seed).choices(VOCABULARY, k=count))


FORM = own(5, 60) + ". "
"""A form of rare words, which only its place of work tells from content."""


def typos(text, seed, share=0.05):
    """The text with some of its syllables replaced."""
    draw = random.Random(seed)
    return " ".join(draw.choice(VOCABULARY) if draw.random() < share else word for word in text.split())


def batch(texts, unit="Bệnh viện Đa khoa Sông Trầm"):
    """Records of one unit."""
    rows = [
        (f"N{row:03}", f"Sáng kiến {row}", text, unit, "", "", "2026-01-01") for row, text in enumerate(texts)
    ]
    columns = ["id", "title", "description", "unit", "upper_union", "author", "submitted"]
    return normalize.frame(pd.DataFrame(rows, columns=columns, dtype="str"))


def flagged(new, models):
    """The pairs called duplicates, and the groups they make."""
    known = starter.knowledge(settings=KNOBS)
    judge = starter.pairs(models, settings=KNOBS, known=known).model
    corpus = dedupe.corpus(new, None, known, KNOBS)
    found = dedupe.table(corpus, dedupe.find(corpus, judge, known, KNOBS))
    found = found[found["level"].isin(DUPLICATE_LEVELS)]
    order = dedupe.in_line(corpus.records, corpus.fresh)
    return found, dedupe.group(order, found[["later", "earlier", "probability"]].itertuples(index=False))


def test_the_form_of_one_unit_makes_no_duplicates(models):
    """Twenty filings of a hospital on its own form are no duplicates, though among all others it is rare."""
    filed = batch([FORM + own(seed) for seed in range(20)])
    others = batch([own(1000 + seed, 90) for seed in range(300)], unit="").assign(
        id=[f"Z{row:03}" for row in range(300)]
    )
    everybody = pd.concat([filed, others], ignore_index=True)
    assert flagged(everybody, models)[0].empty
    # Filed by nobody in particular, the same sentences are evidence: it is the place that tells.
    assert not flagged(everybody.assign(unit=""), models)[0].empty


def test_a_text_filed_many_times_stays_one_group(models):
    """One text filed ninety times by one unit, with five typos in a hundred words, is one group of ninety."""
    text = own(7, 120)
    _, members = flagged(batch([typos(text, seed) for seed in range(90)]), models)
    assert len(members) == 90
    assert len({representative for _, representative in members}) == 1


TEXTS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=12).map(" ".join), max_size=24)


@settings(max_examples=80)
@given(texts=TEXTS, split=st.integers(0, 24))
def test_house_form_is_what_counting_gives(texts, split):
    """What is form is what an obvious count gives: held by many of those filings that hold much else."""
    places = [["one"] if row < split else ["two", "one"][: 1 + row % 2] for row in range(len(texts))]
    found = set(house.house_form(fingerprint(texts), places).tolist())
    marks = fingerprint(texts)
    sets = [set(marks.shingles[a:b].tolist()) for a, b in zip(marks.bounds, marks.bounds[1:], strict=False)]
    expected = set()
    for place in ("one", "two"):
        rows = [each for each, names in zip(sets, places, strict=True) if place in names]
        if len(rows) < house.FEWEST:
            continue
        every = set().union(*rows)
        often = {
            s for s in every if sum(s in row for row in rows) >= max(house.FEWEST, house.SHARE * len(rows))
        }
        asked = [row for row in rows if len(row & often) <= 0.7 * len(row)]
        expected |= {
            s for s in every if sum(s in row for row in asked) >= max(house.FEWEST, house.SHARE * len(asked))
        }
    assert found == expected


def test_of_records_chosen_for_what_they_share_none_says_what_is_form():
    """Archived records that were read because they share something do not turn that into form text."""
    known = starter.knowledge(settings=KNOBS)
    old, new = batch([FORM + own(seed) for seed in range(20)]), batch([FORM + own(99)]).assign(id="X")
    whole = dedupe.corpus(new, old, known, KNOBS)
    chosen = dedupe.corpus(new, old, known, KNOBS, chosen=True)
    assert len(whole.form) > len(chosen.form)
    assert np.isin(chosen.form, whole.form).all()
