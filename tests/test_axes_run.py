"""Kinds of solution and authors' words through the commands: tables, workbook, counts, models of kinds."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from pipeline import asking, classify, judging, registry, starter
from pipeline.cli.main import main
from pipeline.records import AUTHOR_CODES, AUTHOR_FIELD, KIND, KIND_CODE
from pipeline.settings import checkout
from pipeline.taxonomy import default

ROWS = (
    ("A1", "Máy cắt cỏ tự chế", "Cơ khí (xưởng)", "Giải pháp kỹ thuật (cải tiến máy)"),
    ("A2", "Thẻ màu dạy từ mới", "Dạy học sinh khối 2, y tế", "tác nghiệp"),
    ("A3", "Chia lại ca trực đêm", "Khoa Ngoại", "Quản lý; kỹ thuật"),
    ("A4", "Sổ theo dõi hồ sơ", "Xyz", "Máy móc"),
    ("A5", "Tủ hồ sơ theo năm", "", ""),
)
CODES = ["engineering", "education healthcare", "healthcare", "", ""]
DONE = {
    "technical": ("Chế tạo máy", "Lắp cảm biến cho máy", "Làm khuôn thép cho máy", "Hàn khung giá máy"),
    "management": ("Phân công ca trực", "Xếp lịch giám sát", "Bố trí nhân lực ca", "Giám sát tổ trực"),
    "operational": ("Cách dạy hát", "Dạy học sinh đọc", "Kể chuyện dạy trẻ", "Dạy học sinh viết"),
}  # fmt: skip
PLACES = ("phân xưởng một", "tổ hai", "khu ba", "nhóm bốn", "đội năm")


@pytest.fixture
def call(monkeypatch, tmp_path, models, capsys):
    """Run a command in an empty folder with models of its own; gives code, the machine's summary, stderr."""
    shutil.copytree(models, tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)

    def run(*arguments: object) -> tuple[int, dict, str]:
        language = () if "--lang" in arguments else ("--lang", "en")
        monkeypatch.setattr(sys, "argv", ["sangkien", *map(str, arguments), *language, "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out else {}, err

    return run


def handed_in(path: Path) -> Path:
    """Write a workbook as an office sends it, below a title, and return it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["DANH SÁCH SÁNG KIẾN"])
    sheet.append(["Mã", "Tên sáng kiến", "Nội dung giải pháp", "Lĩnh vực áp dụng", "Loại giải pháp"])
    for name, title, field, kind in ROWS:
        sheet.append([name, title, f"{title}, làm nhanh hơn trước và đỡ tốn công.", field, kind])
    book.save(path)
    return path


def told(path: Path, **columns: str) -> Path:
    """Write a table of works of three kinds, twenty each; ``columns`` are headers of what is told of them."""
    rows = [
        {
            "Mã": f"{code}-{number}-{place}",
            "Tên sáng kiến": f"{title} ở {PLACES[place]}",
            "Nội dung": f"{title}, việc nhanh hơn trước",
            **{
                header: starter.kinds().names[code] if said == "kind" else said
                for header, said in columns.items()
            },
        }
        for code, titles in DONE.items()
        for number, title in enumerate(titles)
        for place in range(len(PLACES))
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def read_csv(path: Path) -> pd.DataFrame:
    """A table of results, as text."""
    return pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False)


def rows_of(path: Path, sheet: str) -> list[tuple[object, ...]]:
    """The rows of a sheet of a workbook."""
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


@pytest.mark.parametrize("command", ["run", "classify"])
def test_both_columns_stand_in_every_output_and_label_nothing(call, tmp_path, command):
    """What was handed in stays, codes stand beside it, counts and sheets tell it, no label comes of it."""
    code, done, said = call(command, handed_in(tmp_path / "new.xlsx"), "--out", "out")
    assert code == 0, said
    found = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")
    assert found[AUTHOR_FIELD].tolist() == [row[2] for row in ROWS]
    assert found[KIND].tolist() == [row[3] for row in ROWS]
    assert found[AUTHOR_CODES].tolist() == CODES
    assert found[KIND_CODE].tolist() == ["technical", "operational", "technical management", "", ""]
    assert set(found["field"]) == {""}
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    kinds = {"technical": 1, "operational": 1, "technical management": 1}
    assert record["counts"]["kinds"] == done["counts"]["kinds"] == kinds
    assert record["unknown_kinds"] == [{"kind": "Máy móc", "records": 1}]
    assert "No kind of solution is called “Máy móc” (1 records)." in said
    assert not (tmp_path / "out" / "kinds.csv").exists()
    assert set(read_csv(tmp_path / "out" / "labels.csv")["field"]) <= set(default().codes)


def test_the_workbook_tells_both_in_vietnamese(call, tmp_path):
    """The sheet of fields shows the kind by name and the author's words; the totals count the kinds."""
    path = handed_in(tmp_path / "new.xlsx")
    assert call("classify", path, "--out", "out", "--lang", "vi")[0] == 0
    head, *rows = rows_of(tmp_path / "out" / "ket_qua.xlsx", "Lĩnh vực")
    assert head[-2:] == ("Loại giải pháp", "Lĩnh vực tác giả ghi")
    assert [row[-1] or "" for row in rows] == [row[2] for row in ROWS]
    assert [row[-2] or "" for row in rows] == [
        "Giải pháp kỹ thuật", "Giải pháp tác nghiệp", "Giải pháp kỹ thuật; Giải pháp quản lý", "Máy móc", "",
    ]  # fmt: skip
    totals = rows_of(tmp_path / "out" / "ket_qua.xlsx", "Tổng hợp")
    counted = {row[1]: row[2] for row in totals if row[0] == "Sáng kiến theo loại giải pháp"}
    assert counted.pop("Tổng cộng").startswith("=SUM(")
    assert sum(counted.values()) == len(ROWS)
    assert counted["Không nhận ra"] == counted["Không ghi"] == 1
    assert ("Cách ghi loại giải pháp không có trong bảng", "Máy móc", 1) in [row[:3] for row in totals]


def test_dedupe_tells_the_kinds_too(call, tmp_path):
    """Nothing is classified there, so authors' words have no codes; the kinds are counted."""
    assert call("dedupe", handed_in(tmp_path / "new.xlsx"), "--out", "out")[0] == 0
    found = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")
    assert KIND_CODE in found
    assert AUTHOR_CODES not in found


def test_a_table_without_the_columns_has_the_outputs_it_had(call, sample, tmp_path):
    """No column, no sheet's column and no total is added where nothing of it was handed in."""
    assert call("classify", sample / "batch_unions.csv", "--out", "out")[0] == 0
    names = set(pd.read_parquet(tmp_path / "out" / "initiatives.parquet").columns)
    assert not names & {KIND, KIND_CODE, AUTHOR_FIELD, AUTHOR_CODES}
    assert len(rows_of(tmp_path / "out" / "ket_qua.xlsx", "Lĩnh vực")[0]) == 8
    assert "kinds" not in json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["counts"]


def test_an_office_s_own_sheets_count(call, tmp_path):
    """Its words for fields win, its list of kinds is used instead of the shipped, and both are on record."""
    own, kinds = tmp_path / "own.csv", tmp_path / "kinds.csv"
    own.write_text("phrase,code\nXyz,union\nKhoa ngoại,safety\n", encoding="utf-8")
    kinds.write_text(
        "version,code,name,definition,includes,excludes,from_date,to_date,replaced_by\n"
        "own-1,machine,Máy móc,,,,,,\nown-1,other,Khác,,,,,,\n",
        encoding="utf-8",
    )
    path = handed_in(tmp_path / "new.xlsx")
    code, _, said = call("classify", path, "--out", "out", "--author-fields", own, "--kinds", kinds)
    assert code == 0, said
    found = pd.read_parquet(tmp_path / "out" / "initiatives.parquet")
    assert found[AUTHOR_CODES].tolist() == [*CODES[:2], "safety", "union", ""]
    assert found[KIND_CODE].tolist() == ["", "", "", "machine", ""]
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert (record["author_fields"]["file"], record["kinds"]["file"]) == ("own.csv", "kinds.csv")
    own.write_text("phrase,code\nXyz,unions\n", encoding="utf-8")
    code, _, said = call("classify", path, "--out", "out2", "--author-fields", own)
    assert code == 2
    assert "own.csv, row 2, column code" in said


def test_another_list_of_fields_is_not_stopped_by_the_shipped_sheet(call, tmp_path):
    """One warning, only where a table has authors' words; nothing is said of them otherwise."""
    sheet = checkout("data", "taxonomy_danvan.csv")
    assert call("taxonomy", "apply", sheet, "--store", "dan-van")[0] == 0
    for columns in ({"Lĩnh vực áp dụng": "Chăn nuôi"}, {"Ghi chú": "x"}):
        code, _, said = call(
            "train", told(tmp_path / "t.csv", **{"Lĩnh vực": "Kinh tế"}, **columns), "--store", "dan-van"
        )
        assert code == 2  # one field only: nothing can be learnt
        assert said.count("author_fields.csv: ") == ("Lĩnh vực áp dụng" in columns)


@pytest.mark.parametrize(
    "command",
    [("train",), ("evaluate", "classify"), ("audit-labels", "--out", "doubts.csv")],
    ids=lambda command: command[0],
)
def test_a_table_with_authors_words_alone_has_no_labels(call, tmp_path, command):
    """The command ends with 2, names the table, and says what to do; nothing is learnt or written."""
    path = told(tmp_path / "t.csv", **{"Lĩnh vực áp dụng": "Giảng dạy"})
    code, _, said = call(*command, path)
    assert code == 2
    assert "t.csv: the fields in this table are the authors' own words" in said
    assert '"Lĩnh vực"' in said
    assert not (tmp_path / "doubts.csv").exists()


class Seen(Exception):
    """Ends a command where a batch has reached the classifier."""


@pytest.mark.parametrize(
    ("command", "where", "name"),
    [
        (("run", "{new}", "--out", "o"), classify, "label"),
        (("classify", "{new}", "--out", "o"), classify, "label"),
        (("train", "{labelled}"), classify, "fit"),
        (("train", "--stored", "--store", "s", "{labelled}"), classify, "fit"),
        (("audit-labels", "{labelled}", "--out", "d.csv"), classify, "fit"),
        (("evaluate", "classify", "{labelled}"), judging, "content"),
        (("models", "promote", "fields", "{version}", "--on", "{labelled}"), judging, "ask"),
        (("label-queue", "{new}", "--out", "q.xlsx"), asking, "queue"),
    ],
    ids=lambda each: "-".join(map(str, each[:2])) if isinstance(each, tuple) else "",
)
def test_what_reaches_the_classifier_has_the_codes(call, tmp_path, monkeypatch, command, where, name):
    """Whoever learns, labels or judges, the batch has the column, filled from the author's words."""
    handed_in(tmp_path / "new.xlsx")
    told(tmp_path / "labelled.csv", **{"Lĩnh vực": "Giáo dục", "Lĩnh vực áp dụng": "Giảng dạy"})
    root = tmp_path / "models"
    version = registry.current(root, "fields")
    if "{version}" in command:  # another version, to be compared with the one in use
        stored = registry.load(root, "fields")
        written = {"schema", "name", "version", "model", "libraries"}  # by the registry itself
        card = {key: value for key, value in stored.card.items() if key not in written}
        version = registry.save(root, "fields", stored.model, {**card, "rows": 1})
    seen: list[pd.DataFrame] = []

    def spy(*arguments: object, **_named: object) -> None:
        seen.append(next(each for each in arguments if isinstance(each, pd.DataFrame)))
        raise Seen

    monkeypatch.setattr(where, name, spy)
    monkeypatch.delenv("SANGKIEN_DEBUG", raising=False)
    names = {"new": "new.xlsx", "labelled": "labelled.csv", "version": version}
    if "--stored" in command:
        given = tmp_path / "said.csv"
        given.write_text("id,field\ntechnical-0-0,union\n", encoding="utf-8")
        assert call("label-queue", "--import", given, "--store", "s")[0] == 0
    call(*(part.format(**names) for part in command))
    assert len(seen) == 1
    codes = seen[0][AUTHOR_CODES].tolist()
    assert codes == (CODES if "{new}" in command else ["education"] * len(codes))
    assert codes


def test_a_model_of_kinds_is_learnt_judged_and_fills_what_nobody_told(call, tmp_path):
    """Learnt from told kinds, it fills `kinds.csv` where records name none; `labels.csv` stays the same."""
    table = told(tmp_path / "told.csv", **{"Loại giải pháp": "kind"})
    code, learnt, said = call("train", table, "--axis", "kind")
    assert code == 0, said
    assert learnt["name"] == "kinds"
    card = registry.card(tmp_path / "models", "kinds", learnt["version"])
    assert (card["axis"], card["taxonomy"], card["rows"]) == ("kind", starter.kinds().version, 60)
    new = handed_in(tmp_path / "new.xlsx")
    assert call("classify", new, "--out", "before")[0] == 0
    assert call("models", "promote", "kinds", learnt["version"])[0] == 0
    code, judged, said = call("evaluate", "classify", table, "--axis", "kind")
    assert code == 0, said
    assert judged["accuracy"] > 0.9  # it learnt from these very rows
    code, done, said = call("classify", new, "--out", "out")
    assert code == 0, said
    kinds, labels = read_csv(tmp_path / "out" / "kinds.csv"), read_csv(tmp_path / "out" / "labels.csv")
    assert kinds["id"].tolist() == ["A4", "A5"]
    assert kinds.columns.tolist() == labels.columns.tolist()
    assert set(kinds["field"]) <= set(starter.kinds().codes)
    assert set(kinds["model"]) == {f"kinds/{learnt['version']}"}
    assert sum(done["counts"]["guessed_kinds"].values()) == len(kinds)
    before, after = (tmp_path / name / "labels.csv" for name in ("before", "out"))
    assert before.read_bytes() == after.read_bytes()
    head, *rows = rows_of(tmp_path / "out" / "ket_qua.xlsx", "Lĩnh vực")
    assert [bool(row[head.index("Kind of solution, by the model")]) for row in rows] == [False] * 3 + [
        True
    ] * 2


def test_where_every_record_tells_its_kind_nothing_is_guessed(call, tmp_path):
    """The file of guesses is there, with its columns and without a row."""
    table = told(tmp_path / "told.csv", **{"Loại giải pháp": "kind"})
    version = call("train", table, "--axis", "kind")[1]["version"]
    assert call("models", "promote", "kinds", version)[0] == 0
    assert call("classify", table, "--out", "out")[0] == 0
    assert (tmp_path / "out" / "kinds.csv").read_text(encoding="utf-8-sig").startswith("id,field,")
    assert len(read_csv(tmp_path / "out" / "kinds.csv")) == 0


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"Loại giải pháp": "Máy móc"}, (), "Máy móc"),
        ({"Ghi chú": "x"}, (), "Giải pháp kỹ thuật"),
        ({"Loại giải pháp": "kind"}, ("--stored",), "without --stored"),
        ({"Loại giải pháp": "kind"}, ("--pairs", "p.csv"), "without --pairs"),
    ],
)
def test_kinds_that_cannot_be_learnt_are_said(call, tmp_path, columns, options, said):
    """No kind that is known, or another source of lessons: the command ends with 2 and says what to do."""
    code, _, err = call("train", told(tmp_path / "t.csv", **columns), "--axis", "kind", *options)
    assert code == 2
    assert said in err
