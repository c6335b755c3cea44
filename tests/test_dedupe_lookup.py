"""A large archive is asked by its index, and that finds what reading all of it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import archive, flow, normalize
from pipeline.dedupe import NAMES, Knowledge, features, form_shingles, headings, lexicon, lookup, rarest
from pipeline.dedupe.syllables import syllables
from pipeline.read import Reading
from pipeline.records import Decision, Source
from pipeline.settings import Settings
from pipeline.store import Store

NOW = "2026-01-02T03:04:05+00:00"
RARE = tuple(f"{name}{number}x" for name in "bcdghklm" for number in "aeiou")
COMMON = ("máy", "ép", "nhựa", "khuôn", "gỗ")
DOCUMENTS = np.array([400, 300, 200, 90, 30])
HEADED = headings([("Thực trạng", "background"), ("Giải pháp", "solution")])
DRAWN = np.random.default_rng(7).normal(size=(len(COMMON), 3)).astype(np.float32)
WORDS = lexicon(COMMON, DOCUMENTS, 1000, DRAWN, np.zeros((0, 3)), [("bae1x", "goo2x")])
KNOWN = Knowledge(form_shingles(["Kính gửi hội đồng sáng kiến"]), WORDS, HEADED)
KNOBS = replace(Settings(), many=0)
MADE = archive.Made(KNOBS, KNOWN)

CLAUSE = st.one_of(
    st.lists(st.sampled_from(RARE), min_size=2, max_size=6).map(" ".join),
    st.lists(st.sampled_from((*RARE[:8], *COMMON)), min_size=3, max_size=9).map(" ".join),
    st.just("Kính gửi hội đồng sáng kiến cơ sở"),
    st.just("Thực trạng: máy cũ"),
    st.just("Giải pháp: khuôn gỗ ba mảnh"),
)
TEXT = st.lists(CLAUSE, min_size=1, max_size=4).map(". ".join)
DATE = st.sampled_from(("", "2024-01-05", "2024-06-30", "2025-02-01"))


class ByEverything:
    """A judge whose word depends on every figure, so that a difference in one of them shows."""

    def predict_proba(self, alike, /):
        """Return a mix of all the figures but the last, which is how many records there are."""
        weights = 1 / np.arange(2, len(NAMES) + 1)
        same = 1 / (1 + np.exp(-alike[:, :-1] @ weights + alike[:, -1] / 1000))
        return np.column_stack((1 - same, same))


TOOLS = flow.Tools(judge=ByEverything(), known=KNOWN)


def table(prefix, rows):
    """Records of ``(date, text)``, as they are read."""
    cells = [(f"{prefix}{number}", "", text, day) for number, (day, text) in enumerate(rows)]
    found = pd.DataFrame(cells, columns=["id", "title", "description", "submitted"], dtype="str")
    found = found.assign(source_file="t.csv", source_row=found.index + 2)
    return found.assign(author="", unit="", upper_union="", sector="", field="", field2="", flags="")


def records(prefix, most):
    """Tables of records of few words, so that texts repeat and share a lot."""
    return st.lists(st.tuples(DATE, TEXT), max_size=most).map(lambda rows: table(prefix, rows))


def found(new, old, decisions=()):
    """What a run says of new records: matches, groups and flags."""
    source = Source("t.csv", "", "csv", len(new), len(new), 0, 0)
    outcome = flow.run(Reading(new, (), (source,)), old, TOOLS, decisions=decisions, settings=KNOBS)
    told = outcome.initiatives[["id", "flags", "form_share"]]
    return outcome.matches, outcome.groups, told, outcome.others[["id"]]


def the_same(one, other):
    """Whether two runs say the same; probabilities to the last shown digit."""
    for mine, yours in zip(one, other, strict=True):
        if "probability" in mine:
            np.testing.assert_allclose(mine["probability"], yours["probability"], atol=1.01e-4)
        skipped = ["probability", "evidence"]
        pd.testing.assert_frame_equal(
            mine.drop(columns=skipped, errors="ignore"), yours.drop(columns=skipped, errors="ignore")
        )


@settings(max_examples=40)
@given(old=records("A", 14), new=records("N", 5), cuts=st.sets(st.integers(1, 13)), again=st.integers(0, 3))
@example(old=table("A", [("", "bax gix")]), new=table("N", [("", "bax gix")]), cuts=set(), again=0)
def test_the_index_finds_what_reading_everything_finds(tmp_path_factory, old, new, cuts, again):
    """However an archive came to be, asking its index says what reading it whole says.

    Some of the archived records are filed again under their own ids.
    """
    folder = tmp_path_factory.mktemp("store")
    new = pd.concat([new, old.head(again)], ignore_index=True)
    with Store.open(folder, create=True) as store:
        for part in np.split(np.arange(len(old)), sorted(cut for cut in cuts if cut < len(old))):
            archive.add(folder, store, old.iloc[part].reset_index(drop=True), MADE, now=NOW)
        held = archive.load(folder, store, MADE)
        asked = flow.Indexed(held, store.some)
        stored = store.archive()
        decisions = [
            Decision(later=one, earlier=other, verdict=verdict)
            for one, other, verdict in (("N0", "A0", "different"), ("A0", "A3", "duplicate"))
            if {one, other} <= {*old["id"], *new["id"]}
        ]
        the_same(found(new, asked, decisions), found(new, stored, decisions))


@settings(max_examples=60)
@given(texts=st.lists(TEXT, max_size=12), cuts=st.sets(st.integers(0, 12)), data=st.data())
def test_words_on_disk_are_the_words_of_the_texts(texts, cuts, data):
    """Added in any parts and removed again, words are counted and found as in the texts themselves."""
    said = features.spoken(syllables([("", text) for text in texts], HEADED), KNOWN.form, WORDS)
    held = rarest.nothing()
    for part in np.split(np.arange(len(texts)), sorted(cut for cut in cuts if cut < len(texts))):
        held = rarest.added(held, said.take(part))
    gone = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=bool)
    held = rarest.removed(held, gone)
    sets = [
        set() if dead else {code >> 1 for code in said.codes[start:stop].tolist()}
        for dead, start, stop in zip(gone.tolist(), said.bounds[:-1], said.bounds[1:], strict=True)
    ]
    every = np.array(sorted(set().union(*sets)), dtype=np.uint32)
    assert held.words.tolist() == every.tolist()
    assert held.frequencies(every).tolist() == [sum(word in each for each in sets) for word in every.tolist()]
    asked = every[::3]
    assert held.holders(asked).tolist() == [
        row for row, each in enumerate(sets) if each & set(asked.tolist())
    ]
    left = np.flatnonzero(~gone)[::-1]
    assert held.said(left).codes.tolist() == said.take(left).codes.tolist()


def test_an_index_taken_with_other_knowledge_is_not_asked(tmp_path):
    """Words taken with another sheet of form text are not compared; the index still counts its records."""
    other = replace(MADE, known=replace(KNOWN, form=form_shingles(["một câu khác hẳn"])))
    with Store.open(tmp_path, create=True) as store:
        archive.add(tmp_path, store, table("A", [("", "máy ép nhựa bax")]), MADE, now=NOW)
        assert archive.load(tmp_path, store, other) is None
        assert archive.condition(tmp_path, store, other).current
        archive.remove(tmp_path, store, ["A0"], other, now=NOW)
        assert archive.load(tmp_path, store, MADE) is not None


def test_only_what_is_near_is_read(tmp_path):
    """Of many records a batch reads those near to it and their rivals, and no others."""
    rows = [("", f"{word} {word}y {word}z {word}t khuôn gỗ") for word in RARE]
    with Store.open(tmp_path, create=True) as store:
        archive.add(tmp_path, store, table("A", rows), MADE, now=NOW)
        held = archive.load(tmp_path, store, MADE)
    new = normalize.frame(table("N", [("", f"cải tiến {rows[3][1]}")]))
    around = lookup.around(held, new, KNOWN, KNOBS)
    assert "A3" in around.ids
    assert len(around.ids) <= 2 * KNOBS.neighbours


def test_a_record_filed_anew_is_not_compared_with_what_it_was(tmp_path):
    """An archived id that comes with another text is a conflict, and its former text is nobody's."""
    text = "bax bex bix box bux khuôn gỗ"
    with Store.open(tmp_path, create=True) as store:
        archive.add(tmp_path, store, table("A", [("", text), ("", f"{text} gix")]), MADE, now=NOW)
        asked = flow.Indexed(archive.load(tmp_path, store, MADE), store.some)
        new = table("A", [("", f"{text} gox")])
        matches, _, flags, others = found(new, asked)
    assert "id_conflict" in flags["flags"].iloc[0]
    assert set(zip(matches["later"], matches["earlier"], strict=True)) == {("A0", "A1")}
    assert others["id"].tolist() == ["A1"]


@pytest.mark.parametrize("size", [0, 1])
def test_an_archive_of_nothing_is_asked_too(tmp_path, size):
    """An index without records, or asked by no record, gives no match."""
    with Store.open(tmp_path, create=True) as store:
        archive.add(tmp_path, store, table("A", [("", "máy ép nhựa bax")] * size), MADE, now=NOW)
        asked = flow.Indexed(archive.load(tmp_path, store, MADE), store.some)
        assert found(table("N", [("", "gox hix")] * (1 - size)), asked)[0].empty
