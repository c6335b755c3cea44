"""Drift: planted changes are named, nothing is named where nothing changed, and few records cry no wolf."""

from __future__ import annotations

import json
import shutil
import unicodedata

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import classify, drifting, normalize, registry, starter
from pipeline.classify.shares import Errors
from pipeline.cli.main import main
from pipeline.errors import GateRefused
from pipeline.evaluate import drift
from pipeline.taxonomy import default

TEXT = ("clean_title", "clean_description")


@pytest.fixture(scope="module")
def halves(sample):
    """A model of a random half of the sample's short registrations, and the other half."""
    table = pd.read_csv(sample / "labelled.csv", dtype="str", keep_default_na=False)
    batch = normalize.frame(table).sample(frac=1, random_state=0).reset_index(drop=True)
    mine = batch.iloc[: len(batch) // 2].reset_index(drop=True)
    labels = mine["field"].tolist()
    fitted = classify.fit(mine, labels, phrases=starter.phrases(default()))
    ready = starter.Ready(
        fitted.model,
        "half",
        trained=True,
        stored=None,
        errors=Errors.of_fitted(fitted, mine, labels, None),
        profile=classify.profile(fitted, mine, labels, None, starter.phrases(default())),
    )
    return ready, batch.iloc[len(batch) // 2 :].reset_index(drop=True)


def named(content):
    """What a comparison calls different: name to size."""
    every = [*content["effects"], *content["fields"]]
    return {each["name"]: each["size"] for each in every if each["size"] != "none"}


def test_a_half_is_like_the_other_half(halves):
    """Of files drawn from records like those learnt from, at most one in twenty names anything."""
    ready, other = halves
    files = [other.sample(size, random_state=seed) for seed in range(10) for size in (60, 300)]
    found = [drifting.content(ready, each) for each in files]
    assert sum(bool(named(each)) for each in found) <= 1
    assert sum(each["conclusion"] != drifting.NOTHING for each in found) <= 1


def test_new_vocabulary_is_named(halves):
    """Records of a subject that nobody filed before: the words are named, with where they stand."""
    ready, other = halves
    new = "Thiết bị bay flycam quét lidar dựng bản đồ viễn thám blockchain metaverse drone quadcopter"
    table = other.head(100)
    text = [f"{text} {new} {new}" for text in table["clean_description"]]
    found = drifting.content(ready, table.assign(clean_description=text))
    assert named(found)["vocabulary"] in ("medium", "large")
    assert found["conclusion"] == drifting.RETRAIN
    terms = " ".join(each["term"] for each in found["new_terms"])
    assert any(word in terms for word in ("flycam", "lidar", "metaverse", "quadcopter"))
    first = found["new_terms"][0]
    assert first["records"] == 100
    assert first["example"] in set(table["clean_title"])


def test_another_mix_of_fields_is_named(halves):
    """A file of which two thirds belong to one field names that field, and no new subject or form.

    A field has words of its own, which a file full of it shows a little.
    """
    ready, other = halves
    own = other[other["field"] == "agriculture"].head(60)
    table = pd.concat([own, other[other["field"] != "agriculture"].head(30)], ignore_index=True)
    found = drifting.content(ready, table)
    assert named(found)["agriculture"] in ("medium", "large")
    assert named(found).get("vocabulary", "small") == "small"
    assert not {"titles", "bare"} & set(named(found))
    assert found["stability"] > 0.25


def test_titles_alone_are_a_change_of_form(halves):
    """Titles are named as that; words and confidence are held against those of titles, and stay."""
    ready, other = halves
    found = drifting.content(ready, other.head(200).assign(clean_description=""))
    assert named(found)["titles"] == "large"
    assert not {"vocabulary", "bare", "automatic"} & set(named(found))
    assert found["conclusion"] == drifting.LOOK


def test_texts_without_marks_are_a_change_of_form(halves):
    """What is typed without marks has no new words: only its form is named."""
    ready, other = halves
    table = other.head(200)
    bare = table.assign(**{name: [normalize.fold(text) for text in table[name]] for name in TEXT})
    found = drifting.content(ready, bare)
    assert named(found)["bare"] == "large"
    assert "vocabulary" not in named(found)


def test_decomposed_letters_change_nothing(halves):
    """The same texts in NFD give the same comparison, to the last digit."""
    ready, other = halves
    table = other.head(80)
    apart = table.assign(
        **{name: [unicodedata.normalize("NFD", text) for text in table[name]] for name in TEXT}
    )
    both = [drifting.content(ready, each) for each in (table, apart)]
    assert both[0]["effects"] == both[1]["effects"]
    assert both[0]["fields"] == both[1]["fields"]


def test_the_order_of_rows_does_not_matter(halves):
    """A file shuffled gives the same comparison."""
    ready, other = halves
    table = other.head(120)
    assert drifting.content(ready, table) == drifting.content(ready, table.sample(frac=1, random_state=1))


def test_copies_count_once(halves):
    """The same text many times over is no evidence of anything."""
    ready, other = halves
    table = other.head(60)
    often = pd.concat([table] * 5, ignore_index=True)
    often["id"] = [str(row) for row in range(len(often))]
    both = [drifting.content(ready, each) for each in (table, often)]
    assert both[0] == both[1]


@pytest.mark.parametrize("rows", [0, 1, 5, 12])
def test_a_tiny_file_cries_no_wolf(halves, rows):
    """Of a handful of records like the others nothing is named, and nothing fails."""
    ready, other = halves
    found = drifting.content(ready, other.head(rows))
    assert found["records"] == rows
    assert (named(found), found["conclusion"]) == ({}, drifting.NOTHING)


def test_a_record_is_not_known_by_itself(halves):
    """Held-out training records are as new to the model as fresh ones: neither share of unknown is larger."""
    ready, other = halves
    found = drifting.content(ready, other)
    (words,) = [each for each in found["effects"] if each["name"] == "vocabulary"]
    assert abs(words["value"]) < 0.1


def test_a_model_without_a_profile_says_so(halves):
    """A model of an earlier version is not guessed about."""
    ready, other = halves
    with pytest.raises(GateRefused, match="Train it again"):
        drifting.content(ready._replace(profile=None), other)


def test_a_profile_holds_numbers_only_and_stays_small(halves):
    """No word of a record, no name, no id stands in what a card keeps."""
    profile = halves[0].profile

    def texts(value):
        if isinstance(value, dict):
            return [text for each in value.values() for text in texts(each)]
        if isinstance(value, list):
            return [text for each in value for text in texts(each)]
        return [value] if isinstance(value, str) else []

    assert texts(profile) == []
    assert len(json.dumps(profile)) < 10_000


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=10, max_size=60), st.lists(st.integers(0, 5), min_size=12))
def test_cliffs_delta_is_the_plain_count(now, then):
    """Delta is how many pairs are larger less how many are smaller, over all pairs."""
    pairs = [np.sign(a - b) for a in now for b in then]
    found = drift.of_values("length", [(np.array(now, dtype=float), [float(x) for x in then], len(then))])
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low <= found.value + 0.05
    assert found.high >= found.value - 0.05
    turned = drift.of_values("length", [(-np.array(now, dtype=float), [-float(x) for x in then], len(then))])
    assert turned.value == pytest.approx(-found.value)


@given(st.floats(0, 1), st.floats(0, 1))
def test_cohens_h_is_antisymmetric(one, other):
    """What grew from one to the other shrank as much the other way."""
    assert float(drift.cohen_h(one, other)) == pytest.approx(-float(drift.cohen_h(other, one)))


def test_a_size_needs_evidence():
    """The same difference of shares is large in a long file and none in a short one."""
    sizes = [
        drift.of_flags("bare", np.arange(rows) < rows * 0.3, count=150, rows=1_000).size
        for rows in (10, 5_000)
    ]
    assert sizes == ["none", "small"]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, models):
    """Call the program in a folder of its own; return exit code, JSON and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))

    def run(*words, language="en"):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), "--lang", language])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, err

    return run


def test_the_command_says_what_changed_and_what_to_do(call, sample, tmp_path):
    """Titles typed without marks are named on the screen, in JSON and in the workbook, with what to do."""
    table = pd.read_csv(sample / "labelled.csv", dtype="str", keep_default_na=False).head(150)
    bare = table.assign(title=[normalize.fold(text) for text in table["title"]], description="", field="")
    bare.to_csv("new.csv", index=False)
    code, found, said = call("drift", "new.csv", "--out", "drift.xlsx", "--json")
    assert code == 0, said
    assert {"titles", "bare"} <= set(named(found))
    assert found["conclusion"] != drifting.NOTHING
    assert "Texts typed without marks" in said
    book = openpyxl.load_workbook("drift.xlsx")
    assert book.sheetnames == ["Biến động", "Từ mới"]
    rows = list(book["Biến động"].iter_rows(min_row=2, values_only=True))
    assert rows[0][0] == "Conclusion"
    assert ("Texts typed without marks", "A large difference") in {row[:2] for row in rows}
    assert call("drift", "new.csv", "--out", "drift.json")[0] == 0
    assert json.loads((tmp_path / "drift.json").read_text(encoding="utf-8")) == found
    assert "Nội dung gõ không dấu" in call("drift", "new.csv", language="vi")[2]


def test_without_a_table_the_archive_is_compared(call, sample):
    """The archive stands in for a table; where there is none, that is said."""
    code, _, said = call("drift")
    assert code == 66, said
    assert call("archive", "add", sample / "archive.csv")[0] == 0
    code, found, said = call("drift", "--json")
    assert code == 0, said
    assert found["records"] == 484


def test_what_cannot_be_compared_is_refused(call, tmp_path, models, monkeypatch):
    """An odd name for the result, a table without text and a model without a profile each say what to do."""
    (tmp_path / "new.csv").write_text("id,title\nA,Đồ gá hàn khung xe\n", encoding="utf-8")
    (tmp_path / "none.csv").write_text("id,title\nA,...\n", encoding="utf-8")
    assert call("drift", "new.csv", "--out", "drift.txt")[0] == 2
    assert call("drift", "none.csv")[0] == 65
    root = tmp_path / "models"
    shutil.copytree(models, root)
    stored = registry.load(root, "fields")
    taken = {"schema", "name", "version", "libraries", "model", "promotion", "seal", "profile"}
    card = {key: value for key, value in stored.card.items() if key not in taken}
    registry.promote(root, "old", registry.save(root, "old", stored.model, card))
    monkeypatch.setenv("SANGKIEN_MODELS", str(root))
    code, _, said = call("drift", "new.csv", "--model", "old")
    assert code == 3
    assert "Train it again" in said
