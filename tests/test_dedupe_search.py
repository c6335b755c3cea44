"""What is promised of the matches, whatever the records: order, dates, symmetry, limits, copies."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import dedupe, normalize, read, starter
from pipeline.records import DUPLICATE_LEVELS
from pipeline.settings import Settings

KNOBS = Settings()
NOTHING = dedupe.Knowledge(
    np.zeros(0, dtype=np.uint64),
    dedupe.lexicon(
        [], np.zeros(0, np.int64), 1000, np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    ),
    dedupe.headings([]),
)
"""No form text, no word, no heading known."""
DATES = ("", "2024-01-05", "2024-06-30", "2025-02-01")
SYLLABLES = re.findall(
    r"\w+",
    "máy ép nhựa khuôn gỗ thép hàn cắt tiện phay bào đúc sơn mài bơm lọc khí nước dầu điện đèn quạt tủ lạnh "
    "kho hàng xe nâng cẩu trục băng tải sàn mái tường cửa kính rèm bàn ghế sổ sách bảng phấn bút mực giấy in "
    "trường lớp học sinh giáo viên bệnh nhân thuốc kim tiêm băng gạc giường phòng khám sữa cháo cơm rau củ",
)
FEW = settings(max_examples=12)  # each example is several searches, which have a fixed cost
SENTENCES = tuple(" ".join(random.Random(seed).choices(SYLLABLES, k=14)) + "." for seed in range(10))
CONTENTS = ((), (0,), (0, 1), (0, 1, 2), (2, 1, 0), (1, 2, 3), (0, 1, 2, 3), (3, 4, 5, 6), (5, 6), (7, 8, 9))
"""Which sentences a text is made of."""


class ByShare:
    """A judge that says what a pair shares: enough to look at the search without a trained model."""

    def predict_proba(self, alike, /):
        """Return the larger of the shares of passages and the likeness of words."""
        same = np.clip(np.maximum(alike[:, 0], alike[:, dedupe.NAMES.index("words")]), 0, 1)
        return np.column_stack((1 - same, same))


def batch(rows):
    """A normalized batch of ``(id, title, description, submitted)``."""
    return normalize.frame(
        pd.DataFrame(rows, columns=["id", "title", "description", "submitted"], dtype="str")
    )


def matches(new, archive=None, *, judge=None, known=NOTHING, knobs=KNOBS):
    """The matches by id, as a table."""
    corpus = dedupe.corpus(new, archive, known, knobs)
    return dedupe.table(corpus, dedupe.find(corpus, judge or ByShare(), known, knobs))


def groups(new, found):
    """The representative of every id in a group."""
    order = dedupe.corpus(new, None, NOTHING, KNOBS).records["id"].tolist()
    alike = found[found["level"].isin(DUPLICATE_LEVELS)]
    return dict(dedupe.group(order, alike[["later", "earlier", "probability"]].itertuples(index=False)))


def mistyped(text, share, chance):
    """The text with one letter wrong in a share of its words."""
    words = text.split(" ")
    for at, word in enumerate(words):
        if word and chance.random() < share:
            place = chance.randrange(len(word))
            words[at] = word[:place] + chance.choice("bcdghklmnpqrstvx") + word[place + 1 :]
    return " ".join(words)


@st.composite
def records(draw, prefix="N", dates=DATES, most=9):
    """Records of a few texts that share sentences, so that many are the same and most are alike."""
    contents = draw(st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=most))
    return [
        (
            f"{prefix}{number}",
            SENTENCES[content[0]] if content else "Không tên",
            "\n".join(SENTENCES[part] for part in content[1:]),
            draw(st.sampled_from(dates)),
        )
        for number, content in enumerate(contents)
    ]


@FEW
@given(rows=records())
def test_each_pair_is_told_once_from_the_later_to_the_earlier(rows):
    """No pair is told both ways; the later is not dated before the earlier, nor undated beside a dated."""
    found = matches(batch(rows))
    dates = {row[0]: row[3] for row in rows}
    pairs = [frozenset(pair) for pair in zip(found["later"], found["earlier"], strict=True)]
    assert len(set(pairs)) == len(pairs)
    assert all(len(pair) == 2 for pair in pairs)
    for later, earlier in zip(found["later"], found["earlier"], strict=True):
        assert (
            dates[earlier] <= dates[later]
        )  # an undated one is "": it can only be the later of undated ones
        assert dates[later] or not dates[earlier]


@FEW
@given(rows=records(), data=st.data())
def test_the_order_of_the_rows_changes_nothing(rows, data):
    """The same rows in another order give the same table."""
    shuffled = data.draw(st.permutations(rows))
    pd.testing.assert_frame_equal(matches(batch(rows)), matches(batch(shuffled)))


@FEW
@given(rows=records())
def test_the_spelling_of_the_input_changes_nothing(rows):
    """Decomposed and upper-case input gives the matches of composed and ordinary input."""
    plain = matches(batch(rows))
    for rewrite in (lambda text: unicodedata.normalize("NFD", text), str.upper):
        rewritten = [(row[0], rewrite(row[1]), rewrite(row[2]), row[3]) for row in rows]
        pd.testing.assert_frame_equal(matches(batch(rewritten)), plain)


@FEW
@given(rows=records())
def test_resemblance_is_symmetric(rows):
    """Which of two was filed first does not change how alike they are."""
    rows = list({row[1:3]: row for row in rows}.values())  # of equal texts only the first is compared
    # Of equally good ones a limit takes the earlier filed: here nothing is limited.
    knobs = replace(KNOBS, holders=99, neighbours=99)
    dated = [(*row[:3], f"2025-01-{number:02}") for number, row in enumerate(rows, start=1)]
    turned = [(*row[:3], f"2025-02-{20 - number:02}") for number, row in enumerate(rows, start=1)]
    one = dedupe.compare(dedupe.corpus(batch(dated), None, NOTHING, knobs), NOTHING, knobs)
    other = dedupe.compare(dedupe.corpus(batch(turned), None, NOTHING, knobs), NOTHING, knobs)
    last = len(rows) - 1
    forward = {
        frozenset(pair): alike
        for *pair, alike in zip(one.later.tolist(), one.earlier.tolist(), one.alike.tolist(), strict=True)
    }
    backward = {
        frozenset((last - later, last - earlier)): alike
        for later, earlier, alike in zip(
            other.later.tolist(), other.earlier.tolist(), other.alike.tolist(), strict=True
        )
    }
    assert forward.keys() == backward.keys()
    for pair, alike in forward.items():
        assert alike == pytest.approx(backward[pair])


@FEW
@given(rows=records(), low=st.floats(0.1, 1), high=st.floats(0.1, 1))
def test_a_higher_threshold_never_finds_more(rows, low, high):
    """Raising the probability from which a pair is a duplicate never adds one."""
    low, high = sorted((low, high))
    few, many = (
        {
            tuple(row[:2])
            for row in matches(batch(rows), knobs=replace(KNOBS, match_probability=threshold)).itertuples(
                index=False
            )
            if row.level in DUPLICATE_LEVELS
        }
        for threshold in (high, low)
    )
    assert few <= many


@FEW
@given(rows=records(), data=st.data())
def test_a_copy_is_always_found(rows, data):
    """The same text once more is a match of probability 1 and of the level copy, whatever else there is."""
    source = data.draw(st.sampled_from(rows))
    assume(len(normalize.fold(f"{source[1]}\n{source[2]}").split()) >= 4)
    copy = ("copy", source[1].upper(), f" {source[2]}", "2026-01-01")
    found = matches(batch([*rows, copy]))
    mine = found[(found["later"] == "copy") & (found["probability"] == 1.0) & (found["level"] == "copy")]
    same = {
        row[0]
        for row in rows
        if normalize.fold(f"{row[1]}\n{row[2]}") == normalize.fold(f"{source[1]}\n{source[2]}")
    }
    assert same & set(mine["earlier"])


def test_texts_of_three_words_are_not_the_same_for_being_equal(learned):
    """A text of fewer than four syllables says too little: equal ones, and empty ones, are no copies."""
    rows = [
        (f"N{number}", text, "", "") for number, text in enumerate(["", "", "Cải tiến máy", "Cải tiến máy"])
    ]
    assert len(matches(batch(rows))) == 0
    assert len(matches(batch(rows), **learned)) == 0


@FEW
@given(old=records("A", DATES, 6), new=records("N", DATES, 6))
def test_pairs_inside_the_archive_are_nobodys_question(old, new):
    """Every match has a new record in it."""
    found = matches(batch(new), batch(old))
    ids = {row[0] for row in new}
    assert all(
        {later, earlier} & ids for later, earlier in zip(found["later"], found["earlier"], strict=True)
    )


@settings(max_examples=30)
@given(old=records("A", DATES, 6), new=records("N", DATES, 6))
def test_new_against_archive_is_one_run_over_everything(old, new):
    """A batch against the archive finds what a run over both finds, but for pairs inside the archive."""
    apart = matches(batch(new), batch(old))
    together = matches(batch([*old, *new]))
    ids = {row[0] for row in new}
    asked = together["later"].isin(ids) | together["earlier"].isin(ids)
    pd.testing.assert_frame_equal(apart, together[asked].reset_index(drop=True))


def test_of_one_day_the_archive_stands_first():
    """A new record is later than an archived one of the same day, whatever their ids."""
    text = (*SENTENCES[:2], "2025-01-01")
    found = matches(batch([("A", *text)]), batch([("Z", *text)]))
    assert found[["later", "earlier"]].values.tolist() == [["A", "Z"]]


def test_a_copy_is_compared_with_all_that_its_source_resembles():
    """A new copy of an archived record also matches the other archived ones that the record resembles."""
    whole, half = "\n".join(SENTENCES[:4]), "\n".join(SENTENCES[1:3])
    old = batch([("A1", SENTENCES[5], whole, "2024-01-01"), ("A2", SENTENCES[6], half, "2024-02-01")])
    found = matches(batch([("N", SENTENCES[5], whole, "2025-01-01")]), old)
    assert set(found["earlier"]) == {"A1", "A2"}
    assert set(found["later"]) == {"N"}


def test_an_empty_archive_and_an_empty_batch_are_no_accident():
    """Nothing to compare gives a table without rows."""
    nothing = batch([])
    one = batch([("N1", *SENTENCES[:2], "")])
    for new, archive in ((nothing, None), (nothing, one), (one, nothing), (one, None)):
        assert len(matches(new, archive)) == 0


def test_sorted_by_probability_then_ids():
    """The table is sorted: most probable first, then the later and the earlier id."""
    rows = [
        (f"N{number:02}", SENTENCES[number % 3], "\n".join(SENTENCES[3 : 4 + number % 4]), "")
        for number in range(24)
    ]
    found = matches(batch(rows))
    keys = list(zip(-found["probability"], found["later"], found["earlier"], strict=True))
    assert len(keys) > 50
    assert keys == sorted(keys)


@pytest.mark.parametrize("most", [1, 3, 50])
def test_of_a_record_no_more_than_the_most_probable_matches(most):
    """Each later record is shown with at most so many earlier ones, the most probable."""
    chance = random.Random(7)
    text = " ".join(SENTENCES)
    rows = [(f"N{number:03}", "Cải tiến", mistyped(text, 0.02, chance), "") for number in range(70)]
    knobs = replace(KNOBS, matches_per_record=most)
    found = matches(batch(rows), knobs=knobs)
    assert found["later"].value_counts().max() == most


@pytest.fixture(scope="module")
def learned(models):
    """The shipped form text and the starter model."""
    known = starter.knowledge(settings=KNOBS)
    return {"judge": starter.pairs(models, settings=KNOBS, known=known).model, "known": known}


@pytest.fixture(scope="module")
def archive(sample):
    """The sample's archive, normalized."""
    return normalize.frame(read.tables([sample / "archive.csv"]).batch)


@pytest.mark.parametrize(
    ("count", "alone"),
    [(2, True), (5, True), (10, True), (300, True), (2, False), (300, False)],
    ids=lambda each: str(each).lower(),
)
def test_near_copies_are_one_group(learned, archive, count, alone):
    """One text filed again and again, each time mistyped, is one group: alone in a file or among others."""
    source = archive.loc[archive["description"].str.len().sort_values().index[-40]]
    chance = random.Random(11)
    rows = [
        (
            f"N{number:03}",
            mistyped(source["title"], 0.05, chance),
            mistyped(source["description"], 0.05, chance),
            f"2026-01-{number % 28 + 1:02}",
        )
        for number in range(count)
    ]
    others = None if alone else archive[archive["id"] != source["id"]]
    new = batch(rows)
    found = matches(new, others, **learned)
    assert found["later"].value_counts().max() <= 50
    inside = groups(new, found[~found["earlier"].isin(archive["id"])])
    assert set(inside) == {row[0] for row in rows}
    assert len(set(inside.values())) == 1


def test_thousands_of_identical_rows_are_one_group(learned):
    """Two thousand identical rows are one group: each follower has a match, and none more than fifty."""
    rows = [(f"N{number:04}", SENTENCES[0], "\n".join(SENTENCES), "2026-01-01") for number in range(2000)]
    new = batch(rows)
    found = matches(new, **learned)
    counts = found["later"].value_counts()
    assert len(counts) == 1999
    assert counts.max() <= 50
    inside = groups(new, found)
    assert len(inside) == 2000
    assert set(inside.values()) == {"N0000"}


def test_form_text_alone_is_no_match(learned):
    """Records with nothing in common but the shipped form sentences are not called the same."""
    form = (
        "Tôi xin cam đoan những thông tin nêu trên là trung thực, đúng sự thật và hoàn toàn chịu trách nhiệm "
        "trước pháp luật."
    )
    new = batch([(f"N{n}", SENTENCES[n], f"{SENTENCES[n + 4]} {form}", "") for n in range(3)])
    assert len(matches(new, **learned)) == 0


def test_a_form_that_nobody_named_is_no_match_in_a_small_file(learned, archive):
    """Thirty records with sixty words of an unknown form and sixty of their own are not called the same."""
    form = " ".join(random.Random(5).choices(SYLLABLES, k=60))
    long = archive.loc[archive["description"].str.split().str.len() >= 60, "description"]
    own = [" ".join(text.split()[:60]) for text in long[::8].tolist()[:30]]
    new = batch([(f"N{n:02}", text[:40], f"{form} {text}", "") for n, text in enumerate(own)])
    found = matches(new, **learned)
    assert len(found[found["level"].isin(DUPLICATE_LEVELS)]) == 0


def test_sentences_of_an_offices_own_form_do_not_count(tmp_path):
    """Two records of one unlisted form of sixty words share it no more once it is in the office's sheet."""
    form = " ".join(random.Random(11).choices(SYLLABLES, k=60))
    own = [" ".join(random.Random(seed).choices(SYLLABLES, k=40)) for seed in (70, 71)]
    new = batch([(f"N{at}", "", f"{form}. {text}", "") for at, text in enumerate(own)])
    sheet = tmp_path / "form.csv"
    sheet.write_text(f"phrase\n{form}\n", encoding="utf-8")
    corpus = dedupe.corpus(new, None, NOTHING, KNOBS)
    shares = [
        dedupe.compare(corpus, starter.knowledge(settings=KNOBS, form=path), KNOBS).alike[:, 0].max(initial=0)
        for path in (None, sheet)
    ]
    assert shares[1] < 0.1 < shares[0]
