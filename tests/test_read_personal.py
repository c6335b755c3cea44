"""Personal data at the door: what is taken out, what stays, and that nothing of it leaks."""

from __future__ import annotations

import json
import sys
import unicodedata
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import normalize, read, report
from pipeline.cli.main import main
from pipeline.read.personal import GONE, kind_of, without_personal


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        (
            "birth",
            "Ngày sinh|Năm sinh|NGÀY, THÁNG, NĂM SINH|Ngay sinh|NTNS|Ngµy sinh|Ngaøy sinh|Tác giả - Năm sinh",
        ),
        ("phone", "SĐT|Số ĐT|ĐT|Điện thoại|Số điện thoại liên hệ|§iÖn tho¹i|Zalo|Liên hệ|Di động|Phone"),
        ("identity", "CCCD|CMND|Số CCCD/CMND|Căn cước công dân|Số hộ chiếu|Số tài khoản|Mã số BHXH"),
        ("address", "Địa chỉ|Địa chỉ nhà riêng|Hộ khẩu thường trú|Nơi ở hiện nay|Quê quán|§Þa chØ"),
        ("email", "Email|E-mail|Thư điện tử|Địa chỉ email"),
        ("", "Ghi chú|Tên ĐT|Địa chỉ đơn vị|Địa chỉ website|Chứng minh hiệu quả|Minh chứng|Giới tính"),
        ("", "Số năm sinh hoạt Đảng|Ứng dụng trên điện thoại|Nhóm Zalo|Học sinh năm học|Giá trị làm lợi"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_columns_are_told_by_their_header(kind, headers, form):
    """Headers as offices write them, with and without marks and in old fonts, name a kind or none."""
    for header in headers.split("|"):
        assert kind_of(unicodedata.normalize(form, header)) == kind, header


@pytest.mark.parametrize(
    ("cell", "left"),
    [
        ("gọi 0912345678 sau 8h", f"gọi {GONE} sau 8h"),
        ("ĐT: 0912.345.678; 0912 345 678", f"ĐT: {GONE}; {GONE}"),
        ("+84 912 345 678", GONE),
        ("(024) 3825 1234", GONE),
        ("001085123456", GONE),
        ("001 085 123 456", GONE),
        ("CMND: 012345678", GONE),
        ("lien.he+sk@congty-a.com.vn", GONE),
        ("sinh ngày 12/03/1985", GONE),
        ("Lan, SN 1980", f"Lan, {GONE}"),
        ("Thường trú: 12 Lê Lợi; tổ 3", f"{GONE}; tổ 3"),
    ],
)
def test_values_of_a_clear_shape_are_taken_out_of_carried_columns(cell, left):
    """A phone, paper, address or birth date is taken out wherever it stands in a cell, and the rest stays."""
    found, dropped = without_personal(pd.DataFrame({"Ghi chú": [cell]}))
    assert found["Ghi chú"].tolist() == [left]
    assert sum(dropped.cells["Ghi chú"].values()) == 1


@pytest.mark.parametrize(
    "cell",
    [
        "1.000.000.000 đồng",
        "250000000",
        "33.000 tỷ; 0,5 triệu",
        "QĐ 0123/QĐ-UBND ngày 12/03/2020",
        "học sinh năm 2020",
        "20210912345678",
        "2021-2022",
        "SK-0123456789",
        "máy 0,912345678 giây",
        "Sinh hoạt 1980 giờ",
    ],
)
def test_amounts_dates_and_numbers_of_papers_stay(cell):
    """Money, dates, decisions and measures are no personal data."""
    found, dropped = without_personal(pd.DataFrame({"Ghi chú": [cell]}))
    assert found["Ghi chú"].tolist() == [cell]
    assert not dropped.cells


def test_authors_stay_without_their_years_of_birth():
    """An author's cell keeps the names; a year or date in parentheses and a phone go."""
    table = pd.DataFrame({"author": ["Lê Văn A (1980); Bùi B (1/2/1990), 0912345678", "Lê C (60%)"]})
    found, dropped = without_personal(table)
    assert found["author"].tolist() == [f"Lê Văn A {GONE}; Bùi B {GONE}, {GONE}", "Lê C (60%)"]
    assert dropped.cells == {"author": {"birth": 1, "phone": 1}}
    assert not dropped.columns


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["0912345678", "a@b.vn", "(1980)", "sinh năm 1980", "001085123456", "Thường trú: x", "…"]
    ),
)
NAMES = st.sampled_from(["title", "description", "id", "author", "unit", "Ngày sinh", "Ghi chú", "SĐT", "x"])


@given(st.dictionaries(NAMES, st.lists(CELLS, min_size=3, max_size=3), min_size=1))
def test_what_is_left_holds_nothing_more_and_rows_and_texts_are_as_they_were(columns):
    """Taking out twice is taking out once; rows stay; titles, descriptions and ids are never touched."""
    table = pd.DataFrame(columns, dtype="str")
    found, dropped = without_personal(table)
    again, more = without_personal(found)
    assert again.equals(found)
    assert not more.cells
    assert len(found) == len(table)
    assert set(table.columns) - set(found.columns) == set(dropped.columns)
    for name in {"title", "description", "id"} & set(columns):
        assert found[name].tolist() == table[name].tolist()


def written(folder: Path, rows: list[dict[str, str]], name: str = "new.csv") -> Path:
    """Write a CSV and return its path."""
    path = folder / name
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


ROW = {
    "Mã SK": "1",
    "Tên SK": "Máy gieo hạt",
    "Tác giả": "Lê A",
    "Ngày sinh": "1/2/1980",
    "SĐT": "0912345678",
}


def test_a_reading_has_no_personal_data_unless_asked(tmp_path):
    """The batch has lost the columns and says how many cells; asked to keep them, it has them all."""
    path = written(tmp_path, [ROW])
    plain, kept = read.tables([path]), read.tables([path], personal=True)
    assert not {"Ngày sinh", "SĐT"} & set(plain.batch.columns)
    assert plain.dropped.cells == {"Ngày sinh": {"birth": 1}, "SĐT": {"phone": 1}}
    assert kept.batch["SĐT"].tolist() == ["0912345678"]
    assert not kept.dropped.cells
    assert plain.batch["id"].tolist() == kept.batch["id"].tolist()


@pytest.fixture
def command(monkeypatch, tmp_path, models, capsys):
    """Run a command in an empty folder; gives the exit code and all that it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def test_a_run_names_the_columns_and_never_the_values(command, tmp_path):
    """Console and run.json say which columns lost how many cells; --keep-personal is on record too."""
    path = written(tmp_path, [ROW])
    code, said = command("dedupe", path, "--out", "out")
    assert code == 0
    assert "SĐT: 1" in said
    assert "0912345678" not in said
    facts = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert facts["personal_data"] == {
        "kept": False,
        "dropped": {"Ngày sinh": {"birth": 1}, "SĐT": {"phone": 1}},
    }
    code, said = command("dedupe", path, "--out", "out2", "--keep-personal")
    assert code == 0
    assert "SĐT" in pd.read_parquet(tmp_path / "out2" / "initiatives.parquet").columns


COUNT = 200
WORDS = [
    "máy",
    "ép",
    "nhựa",
    "khuôn",
    "gỗ",
    "thép",
    "hàn",
    "cắt",
    "tiện",
    "phay",
    "bào",
    "đúc",
    "sơn",
    "mài",
    "bơm",
    "lọc",
    "khí",
    "nước",
    "dầu",
    "điện",
    "đèn",
    "quạt",
    "tủ",
    "lạnh",
    "kho",
    "hàng",
    "xe",
    "nâng",
    "cẩu",
]
SYLLABLES = [f"Q{a}x{b}wzq" for a in "aăâeêioôơu" for b in "abcdeghiklmnopqrstuv"]
NUMBERS = [f"09{number:08d}" for number in range(31_415_926, 31_415_926 + COUNT)]
PAPERS = [f"0010851{number:05d}" for number in range(COUNT)]


def planted(folder: Path) -> list[Path]:
    """Two tables with the canaries: names of people, phones and papers in usual and in odd places."""
    rows = [
        {
            "Mã": f"C{place}",
            "Tên sáng kiến": f"Cải tiến máy ép nhựa số {place % 50} ở xưởng {place % 7}",
            "Nội dung": f"Thay khuôn {place % 11}, thêm cảm biến nhiệt, băng tải; nhanh {place % 13} phút. "
            + " ".join(f"{WORDS[place * 7 % 29]} {WORDS[(place * at + at) % 29]}" for at in range(3, 23)),
            "Tác giả": f"Ngô Thị {SYLLABLES[place]} ({1960 + place % 40})",
            "Đơn vị": f"Nhà máy {place % 5}, ĐT {NUMBERS[place]}",
            "Số CCCD": PAPERS[place],
            "Ghi chú": f"liên hệ {NUMBERS[place]}, CCCD {PAPERS[place]}",
            "Lĩnh vực": ("engineering", "production")[place % 2],
        }
        for place in range(COUNT)
    ]
    rows.append({"Mã": "Người lập biểu"})
    rows.append({"Mã": f"Ngô Thị {SYLLABLES[0]}"})
    frame = pd.DataFrame(rows).fillna("")
    half = COUNT // 2
    paths = [folder / "archive.csv", folder / "new.csv"]
    frame.iloc[:half].to_csv(paths[0], index=False)
    frame.iloc[half:].to_csv(paths[1], index=False)
    return paths


def canaries() -> list[str]:
    """What must not be found, folded: names' last syllables, phones, numbers of papers."""
    return [*map(str.casefold, SYLLABLES[:COUNT]), *NUMBERS, *PAPERS]


def content(path: Path) -> str:
    """All text in a file, of an archive in its members."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as members:
            return " ".join(members.read(name).decode("utf-8", "replace") for name in members.namelist())
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.slow
def test_no_canary_is_found_where_none_may_be(command, tmp_path, monkeypatch):
    """Of 200 planted names, phones and papers none is in what is said, in file names, models or an index.

    The numbers are in no result either; names stand in the local tables alone, for "the same author".
    """
    archive, new = planted(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "models"))
    said = []
    for words in (
        ("archive", "add", archive, "--store", "office"),
        ("run", new, "--store", "office", "--out", "out", "--json"),
        ("archive", "status", "--store", "office", "--json"),
        ("train", archive, new, "--name", "mine"),
    ):
        code, text = command(*words)
        assert code == 0, text
        said.append(text)
    monkeypatch.setattr(report, "publish", lambda *_arguments, **_options: 1 / 0)
    for debug in ("", "1"):
        monkeypatch.setenv("SANGKIEN_DEBUG", debug)
        if debug:
            with pytest.raises(ZeroDivisionError):
                command("dedupe", new, "--out", "broken")
        else:
            said.append(command("dedupe", new, "--out", "broken")[1])
    spoken = "\n".join(said).casefold()
    assert "không" in spoken
    assert not [each for each in canaries() if each in spoken]
    places = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = " ".join(str(path.relative_to(tmp_path)) for path in places).casefold()
    assert not [each for each in canaries() if each in names]
    learnt = [path for path in places if {"models", "index"} & set(path.relative_to(tmp_path).parts)]
    assert len(learnt) > 3
    for path in learnt:
        text = content(path).casefold()
        assert not [each for each in canaries() if each in text], path
    for path in [*(tmp_path / "out").iterdir(), *(tmp_path / "office").glob("*.sqlite*")]:
        if path.name != "quarantine.csv":
            assert not [each for each in (*NUMBERS, *PAPERS) if each in content(path)], path
    batch = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")
    cells = "\n".join(batch.astype("str").to_numpy().ravel().tolist())
    assert not [each for each in (*NUMBERS, *PAPERS) if each in cells]
    features = " ".join(normalize.frame(batch)["clean_description"]).casefold()
    assert not [each for each in canaries() if each in features]
