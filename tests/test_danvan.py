"""Dân vận khéo: another programme's list of fields, from the sheet to labels, beside the program's own."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from pipeline import read, registry, starter
from pipeline.cli.main import main
from pipeline.errors import GateRefused
from pipeline.settings import checkout
from pipeline.store import Store
from pipeline.taxonomy import OTHER, default, load

SHEET = checkout("data", "taxonomy_danvan.csv")
NAMES = ("Phát triển kinh tế", "Văn hoá, xã hội", "Quốc phòng, an ninh", "Xây dựng hệ thống chính trị")
WORKS = {
    "economy": (
        "Giúp nhau trồng bưởi thay vườn tạp", "Tổ hợp tác nuôi cá lồng ven sông",
        "Góp vốn xoay vòng cho hội viên nuôi bò", "Hợp tác xã rau sạch bán qua cửa hàng chung",
        "Chuyển ruộng trũng sang trồng sen nuôi cá", "Cùng nhau làm vườn ươm giống cây ăn quả",
    ),
    "culture": (
        "Hiến đất mở rộng đường làng", "Bếp ăn từ thiện cho người bệnh nghèo",
        "Dòng họ khuyến học thưởng học sinh nghèo", "Đoạn đường hoa thay bãi rác ở ngõ",
        "Sửa nhà cho hộ nghèo neo đơn trong ngõ", "Thu gom rác tái chế lấy tiền giúp trẻ nghèo",
    ),
    "security": (
        "Tiếng kẻng báo trộm ở xóm", "Tổ tự quản tuần tra ban đêm giữ trật tự",
        "Camera nhân dân góp tiền giữ an ninh ngõ", "Vận động thanh niên lên đường nhập ngũ",
        "Tổ liên gia báo cháy và tuần tra xóm", "Đội xe ôm tự quản báo tin tội phạm",
    ),
    "politics": (
        "Ngày thứ sáu nghe dân nói ở chi bộ", "Trả kết quả thủ tục hành chính tại nhà dân",
        "Đối thoại của bí thư chi bộ với dân", "Hòm thư góp ý cho cán bộ uỷ ban",
        "Chi bộ phân công đảng viên phụ trách hộ dân", "Uỷ ban hẹn giờ làm thủ tục cho người dân",
    ),
}  # fmt: skip


@pytest.fixture
def call(monkeypatch, tmp_path, models, capsys):
    """Run a command in an empty folder with models of its own; gives code, the machine's summary, stderr."""
    shutil.copytree(models, tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)

    def run(*arguments: object) -> tuple[int, dict, str]:
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments), "--lang", "en", "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out else {}, err

    return run


def labelled(path: Path) -> Path:
    """Write the works with their fields, by name as an office writes them, and return the table."""
    names = load(SHEET).names
    rows = [
        (f"{code}-{number}", title, f"{title}. Bà con cùng bàn, cùng làm và cùng kiểm tra.", names[code])
        for code, titles in WORKS.items()
        for number, title in enumerate(titles)
    ]
    pd.DataFrame(rows, columns=["Mã", "Tên sáng kiến", "Nội dung", "Lĩnh vực"]).to_csv(path, index=False)
    return path


def test_the_sheet_has_the_programme_s_four_fields():
    """Four fields and `other`, each with a definition and phrases, all open, of a version of its own."""
    found = load(SHEET)
    assert read.taxonomy_sheet(SHEET).taxonomy == found
    assert found.version == "dvk-1"
    assert tuple(found.names[code] for code in found.codes if code != OTHER) == NAMES
    assert found.offered(date(2026, 1, 1)) == found.fields
    assert all(field.definition and len(field.phrases) > 3 for field in found.fields if field.code != OTHER)
    assert set(found.codes) & set(default().codes) == {OTHER}


@pytest.mark.parametrize(
    ("spoken", "code"),
    [
        ("Lĩnh vực phát triển kinh tế", "economy"),
        ("VĂN HÓA - XÃ HỘI", "culture"),
        ("an ninh quốc phòng", "security"),
        ("Lĩnh vực xây dựng hệ thống chính trị", "politics"),
        ("Giáo dục", ""),
    ],
)
def test_the_programme_s_words_lead_to_the_fields(spoken, code):
    """The words in which the programme names its fields are known, in any case and tone placement."""
    assert load(SHEET).code_of(spoken) == code


def test_a_store_without_labels_begins_with_any_list(call, tmp_path):
    """The other list is no new version of the program's own: it begins the store, and then stays."""
    code, done, said = call("taxonomy", "apply", SHEET, "--store", "dan-van")
    assert code == 0, said
    assert {each["kind"] for each in done["changes"]} == {"new"}
    with Store.read(tmp_path / "dan-van") as store:
        assert [each.version for each in store.course().versions] == ["dvk-1"]
    assert call("taxonomy", "apply", SHEET, "--store", "dan-van")[1]["changes"] == []
    code, _, said = call("taxonomy", "apply", checkout("data", "taxonomy.csv"), "--store", "dan-van")
    assert code == 3
    assert "economy" in said


def test_without_a_model_of_its_fields_an_office_is_told_what_to_do(tmp_path):
    """The sample cannot teach fields that it does not have: no starter is made, the way is said."""
    with pytest.raises(GateRefused, match="train"):
        starter.fields(tmp_path, load(SHEET))
    assert registry.names(tmp_path) == []


def test_labels_can_be_asked_for_before_there_is_a_model(call, tmp_path):
    """Typical records are asked about, with the fields of the store's own list beside them."""
    table = labelled(tmp_path / "mo-hinh.csv")
    pd.read_csv(table).drop(columns="Lĩnh vực").to_csv(table, index=False)
    assert call("taxonomy", "apply", SHEET, "--store", "dan-van")[0] == 0
    code, done, said = call(
        "label-queue", table, "--store", "dan-van", "--count", "8", "--out", "gan-nhan.xlsx"
    )
    assert code == 0, said
    assert (done["records"], done["model"]) == (8, "")
    assert done["why"] == {"split": 0, "start": 8, "unsure": 0}
    book = openpyxl.load_workbook(tmp_path / "gan-nhan.xlsx")
    assert set(NAMES) <= {cell.value for row in book["Danh mục lĩnh vực"] for cell in row}


def test_from_the_sheet_to_labels_and_never_into_another_store(call, tmp_path):
    """Apply, train, promote, classify, evaluate; a store with the program's own list refuses the model."""
    table = labelled(tmp_path / "mo-hinh.csv")
    assert call("taxonomy", "apply", SHEET, "--store", "dan-van")[0] == 0
    code, learnt, said = call("train", table, "--store", "dan-van", "--name", "dan-van")
    assert code == 0, said
    assert call("models", "promote", "dan-van", learnt["version"], "--store", "dan-van")[0] == 0
    asked = ("classify", table, "--model", "dan-van", "--out")
    code, _, said = call(*asked, "out", "--store", "dan-van")
    assert code == 0, said
    labels = pd.read_csv(tmp_path / "out" / "labels.csv", dtype="str", encoding="utf-8-sig")
    assert set(labels["taxonomy"]) == {"dvk-1"}
    right = labels["id"].str.rpartition("-")[0] == labels["field"]
    assert right.mean() > 0.9  # it learnt from these very rows
    code, found, said = call("evaluate", "classify", table, "--model", "dan-van", "--store", "dan-van")
    assert code == 0, said
    assert found["accuracy"] == pytest.approx(right.mean(), abs=1e-4)
    code, _, said = call(*asked, "other")
    assert code == 3
    assert "dvk-1" in said
    assert not (tmp_path / "other").exists()


def test_a_store_that_is_not_there_is_said(call, sample, tmp_path):
    """A folder typed wrongly does not go unnoticed: the program's own fields are not those asked for."""
    code, _, said = call("classify", sample / "batch_unions.csv", "--store", "nowhere", "--out", "out")
    assert code == 0
    assert "no store" in said
