"""sangkien repair: a clean copy, nothing else changed, and every change listed."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
import zipfile

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.main import main
from pipeline.normalize import clean
from pipeline.repair import mend, text
from pipeline.repair.cells import Cell, mended
from pipeline.settings import checkout


def load():
    """The benchmark as a module, for its encoders."""
    spec = importlib.util.spec_from_file_location("encodings_bench", checkout("benchmarks", "encodings.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


ENCODE = load().ENCODE
HEAD = ["Mã", "Tên sáng kiến", "Đơn vị", "Số tiền"]
ROWS = [
    ["1", "Cải tiến máy ép nhựa ở phân xưởng", "Tổ 1", "1.000"],
    ["2", "Phần mềm quản lý công văn", "Khoa dược", "2"],
    ["3", "Máy", "Đơn vị 2", ""],
    ["4", "Đồ dùng dạy học môn toán", "Trường mầm non", "0"],
    ["5", "Sắp xếp lại hồ sơ, sổ sách", "Phòng kế toán", "12"],
]


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Run a command in an empty folder; gives the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def encoded(name: str) -> list[list[str]]:
    """The table, its cells in an old encoding."""
    return [[ENCODE[name](cell) for cell in row] for row in [HEAD, *ROWS]]


@pytest.mark.parametrize("name", ["cp1258", "tcvn3", "utf8", "vni"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_text_comes_back_cell_by_cell(tmp_path, name, delimiter):
    """A CSV in an old encoding is the same table in Unicode, with a byte order mark for Excel."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(encoded(name))
    before = path.read_bytes()
    done = mend(path, tmp_path / "out")
    with done.copy.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    assert [[cell.lower() for cell in row] for row in rows] == [
        [cell.lower() for cell in row] for row in [HEAD, *ROWS]
    ]
    assert done.copy.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_bytes() == before
    assert {change.cell.row for change in done.changes} == {1, 2, 3, 4, 5, 6}


TABLE = st.lists(
    st.lists(st.text(alphabet="abế ,;\"'\n\té  1", max_size=8), min_size=2, max_size=4),
    min_size=1,
    max_size=6,
)


@given(TABLE, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_nothing_but_texts_changes(rows, delimiter, ending):
    """Put back unchanged, a text is as it was; mended, every cell is the clean one, once and for all."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerows(rows)
    found = text.document(out.getvalue())
    assert found.made([cell.text for cell in found.cells]).decode("utf-8-sig") == out.getvalue()
    texts, changes = mended(found.cells)
    again = text.document(found.made(texts).decode("utf-8-sig"))
    if text.delimiter_of(out.getvalue()) == text.delimiter_of(found.made(texts).decode("utf-8-sig")):
        assert [cell.text for cell in again.cells] == [each for each in texts if each]
        assert mended(again.cells)[1] == []
    assert len(changes) == sum(cell.text != after for cell, after in zip(found.cells, texts, strict=True))


@given(st.text(max_size=200))
def test_any_text_is_put_back_as_it_was(raw):
    """However broken a file is, what is not mended stays, character by character."""
    found = text.document(raw)
    assert found.made([cell.text for cell in found.cells]).decode("utf-8-sig", "surrogatepass") in (
        raw,
        raw.removeprefix("\ufeff"),
    )


def test_quotes_delimiters_and_blanks_inside_a_cell_stay():
    """A piece that would bring in a delimiter or quotation mark is left; quoted cells keep their blanks."""
    found = text.document('a,"nói ""xin  chào"" nhé, bạn"\nb,&quot;c&#44; d\n')
    texts, _changes = mended(found.cells)
    rows = list(csv.reader(io.StringIO(found.made(texts).decode("utf-8-sig"))))
    assert rows == [["a", 'nói "xin chào" nhé, bạn'], ["b", "&quot;c&#44; d"]]


def workbook(path, rows, font):
    """Write a workbook with a format, a formula, a number and a rich text."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Danh sách")
        styled = book.add_format({"font_name": font, "bold": True, "bg_color": "#FFFF00"})
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell, styled)
        sheet.write_number(0, 5, 45720.5)
        sheet.write_formula(1, 5, "=F1*2", None, 91441)
        sheet.write_rich_string(2, 5, styled, rows[1][1][:10], rows[1][1][10:])
        book.add_worksheet("Trống")


@pytest.mark.parametrize(("name", "font"), [("tcvn3", ".VnTime"), ("vni", "VNI-Times"), ("utf8", "Arial")])
def test_a_workbook_keeps_its_formats_formulas_and_numbers(tmp_path, name, font):
    """Texts are in Unicode and in a font that has it; everything else of the workbook is as it was."""
    path = tmp_path / "a.xlsx"
    workbook(path, encoded(name), font)
    done = mend(path, tmp_path / "out")
    book = openpyxl.load_workbook(done.copy)
    assert book.sheetnames == ["Danh sách", "Trống"]
    sheet = book["Danh sách"]
    for place, row in enumerate([HEAD, *ROWS], start=1):
        for column, cell in enumerate(row, start=1):
            assert (sheet.cell(place, column).value or "").lower() == cell.lower()
    assert sheet["F1"].value == 45720.5
    assert sheet["F2"].value == "=F1*2"
    assert sheet["A2"].font.b
    assert sheet["A2"].fill.fgColor.rgb == "FFFFFF00"
    assert sheet["A2"].font.name == ("Arial" if font == "Arial" else "Times New Roman")
    assert openpyxl.load_workbook(done.copy, data_only=True)["Danh sách"]["F2"].value == 91441
    places = {(change.cell.sheet, change.cell.row, change.cell.column) for change in done.changes}
    assert ("Danh sách", 4, "C") in places
    assert {sheet for sheet, _row, _column in places} == {"Danh sách"}


def test_a_clean_workbook_is_the_same_in_every_part(tmp_path):
    """Of a workbook in Unicode every part of the copy has the bytes that it had."""
    path = tmp_path / "a.xlsx"
    workbook(path, [HEAD, *ROWS], "Arial")
    done = mend(path, tmp_path / "out")
    assert done.changes == ()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(done.copy) as new:
        assert old.namelist() == new.namelist()
        assert all(old.read(name) == new.read(name) for name in old.namelist())


def test_types_of_a_parquet_file_stay(tmp_path):
    """Numbers, dates and empty places of a Parquet file are as they were; texts are clean."""
    frame = pd.DataFrame(
        {
            "title": [ENCODE["vni"](row[1]) for row in ROWS],
            "n": [1, 2, 3, 4, 5],
            "day": pd.Timestamp("2025-03-04"),
        }
    )
    frame["note"] = ["a  b", None, "", "x", "y"]
    frame.to_parquet(tmp_path / "a.parquet")
    done = mend(tmp_path / "a.parquet", tmp_path / "out")
    found = pd.read_parquet(done.copy)
    assert found["title"].tolist() == [row[1] for row in ROWS]
    assert found["n"].dtype == frame["n"].dtype
    assert found["day"].tolist() == frame["day"].tolist()
    assert found["note"].isna().tolist() == [False, True, False, False, False]
    assert found["note"][0] == "a b"


def test_json_lines_keep_what_is_no_text(tmp_path):
    """Numbers, lists and lines that are no JSON stay; texts are clean, also deep inside."""
    lines = [json.dumps({"title": ENCODE["tcvn3"](row[1]), "n": 1, "tags": ["a  b"]}) for row in ROWS]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines, "no json"]) + "\n", encoding="utf-8")
    rows = mend(path, tmp_path / "out").copy.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["title"] for line in rows[:-1]] == [row[1] for row in ROWS]
    assert json.loads(rows[0])["tags"] == ["a b"]
    assert rows[-1] == "no json"


def test_a_cell_longer_than_a_spreadsheet_holds_is_left():
    """Cleaning would cut it: a copy loses nothing."""
    long = "a  b " * 10_000
    assert mended([Cell("", 1, "1", long)]) == ([long], [])


def test_the_command_lists_every_change_and_touches_nothing(command, tmp_path):
    """changes.csv names file, row, column, what was done in Vietnamese, before and after."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row[:3]) for row in encoded("tcvn3")), encoding="utf-8")
    before = path.read_bytes()
    code, out, err = command("repair", path, "--json")
    assert code == 0, err
    assert path.read_bytes() == before
    listed = (tmp_path / "repaired" / "changes.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(listed)))
    last = next(row for row in rows if row["row"] == "4" and row["column"] == "2")
    assert (last["file"], last["before"], last["after"]) == ("a.csv", "M¸y", "Máy")
    assert last["what"] == "tcvn3:1"
    assert "TCVN3" in last["meaning"]
    assert "khôi phục" in last["meaning"]
    said = json.loads(out)["files"][0]
    assert said["changed"] == len(rows)
    assert clean((tmp_path / "repaired" / "a.csv").read_text(encoding="utf-8-sig").split("\n")[1]).fixes == {}


def test_the_command_writes_over_nothing(command, tmp_path):
    """A second run, or a run into the file's own folder, is refused and leaves all as it was."""
    path = tmp_path / "a.csv"
    path.write_text("title\nMáy  in\n", encoding="utf-8")
    assert command("repair", path, "--out", tmp_path)[0] == 2
    assert path.read_text(encoding="utf-8") == "title\nMáy  in\n"
    assert command("repair", path)[0] == 0
    copy = (tmp_path / "repaired" / "a.csv").read_bytes()
    code, _out, err = command("repair", path)
    assert code == 2
    assert "a.csv" in err
    assert (tmp_path / "repaired" / "a.csv").read_bytes() == copy


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", None, 66),
        ("a.xlsx", b"PK\x03\x04 damaged", 2),
        ("a.pdf", b"%PDF-1.7", 2),
        ("a.csv", bytes(range(0x80, 0x100)) * 3, 2),
    ],
)
def test_what_cannot_be_mended_is_said(command, tmp_path, name, content, expected):
    """A file that is not there, damaged or no table ends with a sentence that names it, and no copy."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, _out, err = command("repair", name)
    assert code == expected
    assert name in err
    assert "Traceback" not in err
    assert not list((tmp_path / "repaired").glob("a*")) if (tmp_path / "repaired").exists() else True
