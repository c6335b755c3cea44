"""Corrected shares of a run: in run.json, in the workbook and on the screen."""

from __future__ import annotations

import json
import shutil

import openpyxl
import pandas as pd
import pytest

from pipeline import registry
from pipeline.cli.main import main
from pipeline.taxonomy import default


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


@pytest.fixture
def new(tmp_path, sample):
    """A table of 60 records whose column field says nonsense, and one of its rows without text."""
    table = pd.read_csv(sample / "labelled.csv", dtype="str", keep_default_na=False).iloc[::20].head(60)
    table = table.assign(field="safety", field2="")
    table.iloc[0, table.columns.get_indexer(["title", "description"])] = ["...", ""]
    table.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_a_run_counts_fields_with_intervals(call, new, tmp_path):
    """Counts, shares and intervals are the same in run.json and the workbook, and stand on the screen."""
    code, done, said = call("classify", new, "--out", "out", "--json")
    assert code == 0, said
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["counts"]
    assert told["field_shares"] == done["counts"]["field_shares"]
    shares = pd.DataFrame(told["field_shares"].values()).set_index("field")
    assert {name: count for name, count in shares["count"].items() if count} == told["fields"]
    assert shares["corrected"].sum() == pytest.approx(1, abs=1e-3)
    assert ((shares["low"] <= shares["corrected"]) & (shares["corrected"] <= shares["high"])).all()
    assert shares.loc["other", "low"] >= 1 / 60 - 1e-4
    # What authors wrote in the column field proves nothing.
    assert shares.loc["safety", "corrected"] < 0.5
    assert "corrected share" in said
    rows = openpyxl.load_workbook("out/ket_qua.xlsx", data_only=True)["Tổng hợp"].iter_rows(values_only=True)
    head, *rest = rows
    part = [dict(zip(head, row, strict=True)) for row in rest if row[0] == "Initiatives by field"]
    names = default().names
    for code, row in shares.iterrows():
        (line,) = [each for each in part if each["Item"] == names[code]]
        assert (line["Number"], line["Corrected share"]) == (row["count"], row["corrected"])
        assert (line["At least"], line["At most"]) == (row["low"], row["high"])
    assert "95 of 100" in part[-1]["Remark"]


def test_the_workbook_says_it_in_vietnamese(call, new):
    """An officer reads what a corrected share is in plain words."""
    assert call("classify", new, "--out", "out", language="vi")[0] == 0
    sheet = openpyxl.load_workbook("out/ket_qua.xlsx", data_only=True)["Tổng hợp"]
    assert [cell.value for cell in sheet[1]][4:7] == ["Tỷ lệ hiệu chỉnh", "Thấp nhất", "Cao nhất"]
    assert any("giống loại mà mô hình đã học" in str(cell.value) for cell in sheet["H"])


def test_what_people_said_in_the_store_is_certain(call, new, tmp_path):
    """Labels of people on these texts leave nothing open: the shares are theirs, whatever the model says."""
    table = pd.read_csv(new, dtype="str", keep_default_na=False)
    codes = ["union", "safety", "education"]
    said = pd.DataFrame({"id": table["id"], "field": [codes[row % 3] for row in range(len(table))]})
    said.to_csv(tmp_path / "said.csv", index=False)
    assert call("label-queue", "--import", "said.csv", "--json")[1]["added"] == 60
    code, done, _ = call("classify", new, "--out", "out", "--json")
    assert code == 0
    shares = done["counts"]["field_shares"]
    for name in codes:
        found = shares[name]
        assert [found[key] for key in ("corrected", "low", "high")] == pytest.approx([1 / 3] * 3, abs=1e-4)
    assert shares["healthcare"]["corrected"] == 0
    table.tail(30).assign(id=[f"N{row}" for row in range(30)]).to_csv(new, index=False)
    again = call("classify", new, "--out", "out2", "--json")[1]["counts"]["field_shares"]
    assert any(each["high"] > each["low"] for each in again.values())


def test_a_model_that_does_not_say_how_it_errs_still_labels(call, new, tmp_path, monkeypatch, models):
    """A model of an earlier version labels as before; its counts are plain, and that is said."""
    root = tmp_path / "models"
    shutil.copytree(models, root)
    stored = registry.load(root, "fields")
    kept = {key: value for key, value in stored.model.items() if key != "errors"}
    taken = {"schema", "name", "version", "libraries", "model", "promotion", "seal"}
    card = {key: value for key, value in stored.card.items() if key not in taken}
    registry.promote(root, "old", registry.save(root, "old", kept, card))
    monkeypatch.setenv("SANGKIEN_MODELS", str(root))
    code, done, said = call("classify", new, "--model", "old", "--out", "out", "--json")
    assert code == 0, said
    assert {each["corrected"] for each in done["counts"]["field_shares"].values()} == {None}
    assert "shares are not corrected" in said
    assert done["counts"]["fields"] == call("classify", new, "--out", "b", "--json")[1]["counts"]["fields"]
