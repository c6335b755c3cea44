"""Labels to look at again: wrong ones stand first, right ones are left in peace, none is dropped."""

from __future__ import annotations

import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import evaluate
from pipeline.cli.main import main

FIELDS = ["a", "b", "c"]


def chances(seed: int, rows: int) -> pd.DataFrame:
    """Random probabilities of three fields."""
    found = np.random.default_rng(seed).dirichlet(np.ones(3), rows)
    return pd.DataFrame(found.round(4), columns=FIELDS)


def by_the_book(table: pd.DataFrame, labels: list[str]) -> list[bool]:
    """Confident learning as the paper has it, one row at a time."""
    usual = {
        field: [row[field] for _, row in table[[given == field for given in labels]].iterrows()]
        for field in FIELDS
    }
    found = []
    for (_, row), label in zip(table.iterrows(), labels, strict=True):
        others = [
            row[field]
            for field in FIELDS
            if field != label and usual[field] and row[field] >= sum(usual[field]) / len(usual[field])
        ]
        found.append(max(others, default=-1) > row[label])
    return found


@given(st.integers(0, 10_000), st.lists(st.sampled_from(FIELDS), min_size=1, max_size=30))
def test_doubts_follow_the_definition(seed, labels):
    """What is doubtful is what a row-by-row reading of the definition says; ranks are a permutation."""
    table = chances(seed, len(labels))
    found = evaluate.doubts(table, labels)
    assert found["doubtful"].tolist() == by_the_book(table, labels)
    assert sorted(found["rank"]) == list(range(1, len(labels) + 1))
    ordered = found.sort_values("rank")
    assert ordered["doubtful"].is_monotonic_decreasing
    assert all(part["probability"].is_monotonic_increasing for _, part in ordered.groupby("doubtful"))
    assert all(field != label for field, label in zip(found["suggested"], labels, strict=True))


def test_a_second_field_is_not_held_against_the_first():
    """Where the likelier field is the accepted second one, nothing is doubtful."""
    table = pd.DataFrame({"a": [0.9, 0.1], "b": [0.1, 0.9]})
    assert evaluate.doubts(table, ["a", "a"])["doubtful"].tolist() == [False, False]
    table = pd.DataFrame({"a": [0.9, 0.1, 0.1], "b": [0.1, 0.9, 0.9]})
    assert evaluate.doubts(table, ["a", "a", "b"])["doubtful"].tolist() == [False, True, False]
    told = evaluate.doubts(table, ["a", "a", "b"], second=["", "b", ""])
    assert told["doubtful"].tolist() == [False, False, False]
    assert told["suggested"].tolist() == ["b", "", "a"]


def test_labels_without_a_column_are_refused():
    """A label the model does not know, or a list of another length, is a mistake of the caller."""
    with pytest.raises(ValueError, match="labels"):
        evaluate.doubts(chances(0, 2), ["a", "z"])
    with pytest.raises(ValueError, match="labels"):
        evaluate.doubts(chances(0, 2), ["a"])


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, models):
    """Call the program in a folder of its own; return exit code, JSON and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), "--lang", "en"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, err

    return run


def test_planted_errors_stand_first_and_are_corrected(call, tmp_path, sample):
    """Of labels turned into others, most stand in the first fifth; a correction is read back."""
    table = pd.read_csv(sample / "labelled.csv", dtype="str", keep_default_na=False).iloc[::3]
    table = table.reset_index(drop=True).assign(field2="")
    codes = sorted(set(table["field"]))
    wrong = table.index[::20]
    table.loc[wrong, "field"] = [
        codes[(codes.index(field) + 1 + place % (len(codes) - 1)) % len(codes)]
        for place, field in enumerate(table.loc[wrong, "field"])
    ]
    table.to_csv("labelled.csv", index=False)
    code, done, said = call("audit-labels", "labelled.csv", "--out", "doubts.csv", "--json")
    assert code == 0, said
    found = pd.read_csv("doubts.csv", dtype="str", keep_default_na=False)
    assert (done["labels"], done["left"]) == (len(table), 0)
    assert set(found["id"]) == set(table["id"])
    planted = set(table.loc[wrong, "id"])
    first = set(found["id"].head(len(found) // 5))
    assert len(planted & first) >= 0.7 * len(planted)
    assert done["doubtful"] == (found["doubtful"] == "true").sum() < len(found) / 2
    code, _, said = call("audit-labels", "labelled.csv", "--out", "doubts.xlsx")
    assert code == 0, said
    book = openpyxl.load_workbook("doubts.xlsx")
    page = book["Gán nhãn"]
    assert page.cell(2, 1).value == found["id"][0]
    column = [cell.value for cell in page[1]].index("Field") + 1
    page.cell(2, column).value = page.cell(2, column - 2).value
    book.save("doubts.xlsx")
    done = call("label-queue", "--import", "doubts.xlsx", "--json")[1]
    assert (done["added"], done["unseen"], done["problems"]) == (1, len(table) - 1, [])


def test_an_out_of_another_kind_is_refused_first(call, tmp_path):
    """Neither a table nor a workbook: said before anything is read."""
    (tmp_path / "a.csv").write_text("id,title,field\nA,Đồ gá,safety\n", encoding="utf-8")
    assert call("audit-labels", "a.csv", "--out", "a.txt")[0] == 2
