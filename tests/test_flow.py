"""The whole path: rows in are rows out, each step can be left out, and one worker or two find the same."""

from __future__ import annotations

import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from pipeline import classify, flow, normalize, parallel, read, records, starter
from pipeline.settings import Settings
from pipeline.taxonomy import default

KNOBS = Settings()
TABLES = ("matches", "groups", "labels", "initiatives", "others")
CELLS = ("id", "title", "description", "author", "unit", "submitted")
WORDS = (
    "máy ép nhựa khuôn gỗ thép hàn cắt tiện phay bào đúc sơn mài bơm lọc khí nước dầu điện đèn quạt tủ lạnh"
)
TEXT = f"Ghép {WORDS} vào một dây chuyền, mỗi ca giảm hai công và bốn mươi kí phế liệu"
OTHER = (
    "Dạy chữ cho trẻ bằng thẻ tranh tự vẽ, mỗi tuần một chủ đề, cha mẹ cùng chơi ở nhà, "
    "cuối tháng cô giáo ghi lại từng em đã nhớ bao nhiêu từ"
)


def reading(tmp_path, rows, name="new.csv"):
    """Read a table of the given cells, as a run does."""
    path = tmp_path / name
    pd.DataFrame([dict.fromkeys(CELLS, "") | row for row in rows]).to_csv(path, index=False)
    return read.tables([path])


def cut(texts):
    """Stand in for the segmenter: the words as they stand."""
    return [(text.replace("\n", " "), "cái gì" in text) for text in texts]


@pytest.fixture(scope="module")
def tools(models):
    """Trained models and a quick segmenter."""
    known = starter.knowledge(settings=KNOBS)
    ready = starter.fields(models, default())
    return flow.Tools(
        judge=starter.pairs(models, settings=KNOBS, known=known).model,
        known=known,
        label=partial(classify.label, ready.model, name=ready.name),
        cut=cut,
    )


@pytest.fixture(scope="module")
def sampled(sample):
    """The sample's new batches, and its archive."""
    new = read.tables([sample / "batch_unions.csv", sample / "batch_portal.xlsx"])
    return new, read.tables([sample / "archive.csv"]).batch


@pytest.fixture(scope="module")
def outcome(sampled, tools):
    """What the path finds in the sample."""
    return flow.run(*sampled, tools)


def the_same(one, other, tables=TABLES):
    """Whether two outcomes hold the same tables."""
    for name in tables:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_rows_in_are_rows_out(sampled, outcome):
    """Every accepted row is an initiative and has a label, in the order and with the cells of the input."""
    new, archive = sampled
    assert outcome.initiatives[new.batch.columns.drop("flags")].equals(new.batch.drop(columns="flags"))
    assert outcome.labels["id"].tolist() == new.batch["id"].tolist()
    assert {*records.CLEANED, "tokens"} <= set(outcome.initiatives.columns)
    assert outcome.archive_size == len(archive)
    assert outcome.archive_date == archive["submitted"].max()
    assert outcome.sources == new.sources
    assert outcome.quarantine == new.quarantine


def test_every_match_has_a_new_record_and_evidence(sampled, outcome):
    """A match names two records that are there, one of them new, and shows where they are alike."""
    ids = set(sampled[0].batch["id"])
    known = ids | set(outcome.others["id"])
    for match in outcome.matches.itertuples(index=False):
        assert {match.later, match.earlier} & ids
        assert {match.later, match.earlier} <= known
        assert match.spans
        assert match.shared
    assert len(outcome.matches) > 20


def test_groups_join_duplicates_only(outcome):
    """Whoever is in a group matches its representative as a duplicate, and every duplicate is in a group."""
    alike = outcome.matches[outcome.matches["level"].isin(records.DUPLICATE_LEVELS)]
    pairs = set(zip(alike["later"], alike["earlier"], strict=True))
    for member in outcome.groups.itertuples(index=False):
        assert member.group == f"G-{member.representative}"
        assert member.id == member.representative or (member.id, member.representative) in pairs
    assert {*alike["later"], *alike["earlier"]} >= set(outcome.groups["id"])
    assert set(alike["later"]) <= set(outcome.groups["id"])


@pytest.mark.slow
def test_two_workers_find_what_one_finds(sampled, tools, outcome):
    """The outcome does not depend on the number of workers."""
    the_same(flow.run(*sampled, replace(tools, spread=partial(parallel.spread, workers=2))), outcome)


def test_the_order_of_rows_changes_only_the_order_of_rows(sampled, tools, outcome):
    """The same rows in another order: the same matches, groups, and label of each."""
    new, archive = sampled
    turned = replace(new, batch=new.batch.iloc[::-1].reset_index(drop=True))
    again = flow.run(turned, archive.sample(frac=1, random_state=3), replace(tools, cut=None))
    pd.testing.assert_frame_equal(again.matches, outcome.matches)
    pd.testing.assert_frame_equal(again.groups, outcome.groups)
    pd.testing.assert_frame_equal(again.labels.iloc[::-1].reset_index(drop=True), outcome.labels)


@pytest.mark.parametrize("left_out", [("judge",), ("label",), ("cut",), ("judge", "label", "cut")])
def test_a_step_without_its_tool_is_left_out(tmp_path, tools, left_out):
    """What nobody asked for is None or has no column, and the rest is done."""
    rows = [
        {"id": "A", "title": "Một", "description": TEXT},
        {"id": "B", "title": "Hai", "description": TEXT},
    ]
    found = flow.run(reading(tmp_path, rows), None, replace(tools, **dict.fromkeys(left_out)))
    assert (found.matches is None) == (found.groups is None) == ("judge" in left_out)
    assert (found.labels is None) == ("label" in left_out)
    assert ("tokens" in found.initiatives.columns) == ("cut" not in left_out)


def test_what_is_done_is_shown(tmp_path, tools):
    """Every stage is announced with its size, and what it reports done sums to that."""
    stages = []

    @contextmanager
    def stage(name, total):
        done = []
        yield done.append
        stages.append((name, total, sum(done)))

    rows = [{"id": f"N{number}", "title": f"Số {number}", "description": TEXT} for number in range(5)]
    archive = reading(tmp_path, [{"id": "A", "title": "Kho", "description": TEXT}], "archive.csv").batch
    flow.run(reading(tmp_path, rows), archive, replace(tools, stage=stage))
    assert [name for name, *_ in stages] == [
        "normalize",
        "segment",
        "normalize the archive",
        "dedupe",
        "evidence",
        "classify",
    ]
    assert all(total == done for _, total, done in stages)
    assert [total for _, total, _ in stages] == [5, 5, 1, 1, 15, 5]  # six alike are fifteen pairs


@pytest.mark.parametrize(
    ("first", "second", "known", "later"),
    [
        ("2025-01-01", "2025-02-01", True, "B"),
        ("2025-02-01", "2025-01-01", True, "A"),
        ("2025-01-01", "2025-01-01", False, "B"),
        ("", "2025-01-01", False, "B"),
        ("2025-01-01", "", False, "A"),
        ("", "", False, "B"),
        ("2025-01-01", "31/02/2025", False, "A"),
    ],
)
def test_the_order_is_known_where_two_dates_tell_it(tmp_path, tools, first, second, known, later):
    """Only two different dates tell who was first; whoever has none stands as the earlier."""
    rows = [
        {"id": "A", "title": "Một", "description": TEXT, "submitted": first},
        {"id": "B", "title": "Hai", "description": TEXT, "submitted": second},
    ]
    (match,) = flow.run(reading(tmp_path, rows), None, tools).matches.itertuples(index=False)
    assert (match.order_known, match.later) == (known, later)


def test_same_author_and_unit(tmp_path, tools):
    """One common name is the same author; units are compared without marks; empty ones are not the same."""
    cases = [
        ("Nguyễn Văn A, Trần B", "TRAN B và Lê C", "Xí nghiệp 1", "Xi  nghiep 1", True, True),
        ("Nguyễn Văn A", "Nguyễn Văn An", "Xí nghiệp 1", "Xí nghiệp 2", False, False),
        ("", "", "", "", False, False),
    ]
    for one, other, unit, second, same_author, same_unit in cases:
        rows = [
            {"id": "A", "title": "Một", "description": TEXT, "author": one, "unit": unit},
            {"id": "B", "title": "Hai", "description": TEXT, "author": other, "unit": second},
        ]
        (match,) = flow.run(reading(tmp_path, rows), None, tools).matches.itertuples(index=False)
        assert (match.same_author, match.same_unit) == (same_author, same_unit)


def test_a_record_in_the_archive_is_itself(tmp_path, tools):
    """Under the same id with the same content a record is no match and no conflict, however it is spelled."""
    row = {"id": "A", "title": "Một", "description": TEXT}
    archive = reading(tmp_path, [row], "archive.csv").batch
    again = row | {"description": unicodedata.normalize("NFD", TEXT).replace(" ", "  ")}
    found = flow.run(reading(tmp_path, [again]), archive, tools)
    assert len(found.matches) == 0
    assert "id_conflict" not in found.initiatives.loc[0, "flags"]
    assert found.archive_size == 1


def test_an_id_with_other_content_is_flagged(tmp_path, tools):
    """Under the same id with other content a record is flagged, and is still compared with the others."""
    rows = [
        {"id": "A", "title": "Một", "description": OTHER},
        {"id": "B", "title": "Hai", "description": TEXT},
    ]
    archive = reading(tmp_path, rows, "archive.csv").batch
    found = flow.run(reading(tmp_path, [{"id": "A", "title": "Ba", "description": TEXT}]), archive, tools)
    assert "id_conflict" in found.initiatives.loc[0, "flags"].split()
    assert [set(pair) for pair in found.matches[["later", "earlier"]].itertuples(index=False)] == [{"A", "B"}]
    assert found.others["id"].tolist() == ["B"]


def test_an_archived_record_may_be_the_later(tmp_path, tools):
    """The order is that of the dates: a new row filed before an archived one is the earlier of the two."""
    new = {"id": "N", "title": "Một", "description": TEXT, "submitted": "2024-01-01"}
    old = {"id": "A", "title": "Hai", "description": TEXT, "submitted": "2025-01-01"}
    archive = reading(tmp_path, [old], "archive.csv").batch
    (match,) = flow.run(reading(tmp_path, [new]), archive, tools).matches.itertuples(index=False)
    assert (match.later, match.earlier, match.order_known) == ("A", "N", True)


def test_an_empty_archive_is_as_good_as_none(tmp_path, tools):
    """Compared with an archive without rows, or with none, the same is found."""
    rows = [{"id": name, "title": name, "description": TEXT} for name in "AB"]
    new = reading(tmp_path, rows)
    found = flow.run(new, new.batch.iloc[:0], tools)
    assert len(found.others) == 0
    the_same(found, flow.run(new, None, tools), TABLES[:4])


def test_no_row_is_no_accident(tmp_path, tools):
    """A reading without rows gives an outcome without rows."""
    rows = reading(tmp_path, [{"id": "A", "title": "Một", "description": TEXT}])
    found = flow.run(read.Reading(rows.batch.iloc[:0], (), ()), rows.batch, tools)
    assert [len(getattr(found, name)) for name in TABLES] == [0] * 5


def test_a_shortened_text_says_so(tmp_path, tools):
    """What the segmenter had to be spared is flagged on the row it stood in."""
    rows = [
        {"id": "A", "title": "cái gì", "description": TEXT},
        {"id": "B", "title": "Hai", "description": OTHER},
    ]
    found = flow.run(reading(tmp_path, rows), None, tools)
    assert ["segment_guard" in flags.split() for flags in found.initiatives["flags"]] == [True, False]


def test_spans_are_those_of_the_submitted_texts(sampled, outcome):
    """A span's text stands at its place in the later record, and folds to what stands in the earlier."""
    texts = {
        row.id: f"{row.title}\n{row.description}"
        for table in (sampled[1], sampled[0].batch)
        for row in table.itertuples(index=False)
    }
    checked = 0
    for match in outcome.matches.itertuples(index=False):
        for span in match.spans:
            assert texts[match.later][span.later_start : span.later_end] == span.text
            earlier = texts[match.earlier][span.earlier_start : span.earlier_end]
            assert normalize.fold(earlier) == normalize.fold(span.text)
            checked += 1
    assert checked > 100


def test_the_sample_is_solved(sample, sampled, outcome):
    """Of the sample's judged pairs that can be found by their words, nine in ten are; of the rest few are."""
    judged = starter.judged(sample / "pairs.csv")
    duplicates = outcome.matches[outcome.matches["level"].isin(records.DUPLICATE_LEVELS)]
    found = {frozenset(pair) for pair in duplicates[["later", "earlier"]].itertuples(index=False)}
    new = set(sampled[0].batch["id"])
    there = new | set(sampled[1]["id"])
    asked = [
        (frozenset((row.id_a, row.id_b)), row.relation)
        for row in judged.itertuples(index=False)
        if {row.id_a, row.id_b} <= there and {row.id_a, row.id_b} & new
    ]
    kinds = {"exact", "format", "noise", "partial", "reorder"}
    copies = [pair in found for pair, relation in asked if relation in kinds]
    others = [pair in found for pair, relation in asked if relation in records.NOT_SAME]
    assert len(copies) > 30
    assert np.mean(copies) >= 0.9
    assert not others or np.mean(others) <= 0.2
