"""Filled sheets come back: as they were exported, as people mangle them, and with every bad row named."""

from __future__ import annotations

import datetime as dt
import unicodedata

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import read, report
from pipeline.decisions import CHOICE, CONTENT, UNSEEN, content_hash, key
from pipeline.errors import InputNotFound, UsageError
from pipeline.records import VERDICTS, Decision

TODAY = "2026-01-02"
HASH = content_hash("máy", "")


def table(path, *lines):
    """Write lines of a CSV and return its path."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def decided(path, **more):
    """What a file holds."""
    return read.decided([path], today=TODAY, **more)


texts = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"], exclude_characters="\ufffe\uffff"
    ),
    max_size=12,
).map(lambda text: unicodedata.normalize("NFC", text.strip()))
names = texts.filter(bool)
hashes = st.sampled_from(["", HASH, content_hash("bơm", "")])


@st.composite
def recorded(draw):
    """A decision as the store may hold it."""
    one, other = draw(st.lists(names, min_size=2, max_size=2, unique=True))
    return Decision(
        later=one,
        earlier=other,
        verdict=draw(st.sampled_from(VERDICTS)),
        later_content=draw(hashes),
        earlier_content=draw(hashes),
        note=draw(texts),
        reviewer=draw(texts),
        decided=draw(st.dates(dt.date(1990, 1, 1), dt.date(2026, 1, 2)).map(str) | st.just("")),
    )


@settings(max_examples=40)
@given(told=st.lists(recorded(), min_size=1, max_size=6), language=st.sampled_from(["vi", "en"]))
def test_what_is_exported_comes_back(tmp_path_factory, told, language):
    """Every decision is read from the exported workbook as it was written, in order."""
    path = tmp_path_factory.mktemp("export") / "kết luận.xlsx"
    report.export(told, path, titles={}, language=language)
    found = decided(path)
    assert found.problems == ()
    assert [key(each) for each in found.decisions] == [key(each) for each in told]
    assert {each.source for each in found.decisions} == {path.name}


def test_an_export_writes_over_nothing(tmp_path):
    """A workbook that is there may hold verdicts nobody imported: it is left alone; a wrong name is told."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match="there already"):
        report.export([], path, titles={})
    with pytest.raises(UsageError, match=r"\.xlsx"):
        report.export([], tmp_path / "a.csv", titles={})
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_mangled_workbook_is_read(tmp_path):
    """Sheet renamed, columns moved and dropped, rows sorted, a title above: the verdicts are those given."""
    told = [
        Decision(
            later=f"B{number}",
            earlier="A",
            verdict=verdict,
            later_content=HASH,
            earlier_content=HASH,
            note="=1+1",
            reviewer="Lan",
            decided="2025-03-04",
        )
        for number, verdict in enumerate(VERDICTS)
    ]
    path = tmp_path / "a.xlsx"
    report.export(told, path, titles={"A": "Máy"})
    sheet = openpyxl.load_workbook(path)["Kết luận"]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = rows[0]
    order = sorted(
        (place for place, name in enumerate(head) if name not in ("Mức", "Tên bản sau", "Tên bản trước")),
        key=lambda place: str(head[place]),
    )
    book = openpyxl.Workbook()
    book.active.title = "Ghi chép"
    book.active.append(["Kết luận của tổ", None])
    other = book.create_sheet("đã xem xong")
    other.append(["Danh sách các cặp đã xem"])
    for row in [head, *sorted(rows[1:], key=lambda row: str(row[0]), reverse=True)]:
        other.append([row[place] for place in order])
    for cell in (cell for row in other.iter_rows() for cell in row if cell.value == "=1+1"):
        cell.data_type = "s"
    book.save(tmp_path / "b.xlsx")
    found = decided(tmp_path / "b.xlsx")
    assert found.problems == ()
    assert sorted(map(key, found.decisions)) == sorted(map(key, told))


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("Trùng", "duplicate"),
        ("  TRÙNG ", "duplicate"),
        (unicodedata.normalize("NFD", "Trùng"), "duplicate"),
        ("trung", "duplicate"),
        ("Gần giống - yêu cầu làm rõ", "similar"),
        ("gần giống — Yêu cầu  làm rõ.", "similar"),
        ("gan giong", "similar"),
        ("Khác", "different"),
        ("không trùng", "different"),
        ("Different", "different"),
        *((choice, verdict) for verdict, choice in CHOICE.items()),
        *((verdict, verdict) for verdict in VERDICTS),
    ],
)
def test_verdicts_are_read_as_people_write_them(tmp_path, word, verdict):
    """Case, spaces, dashes, marks and their encoding do not matter."""
    found = decided(table(tmp_path / "a.csv", "later,earlier,verdict", f'B,A,"{word}"'))
    assert [each.verdict for each in found.decisions] == [verdict]


@pytest.mark.parametrize("word", ["", UNSEEN, "chua xem", " CHƯA XEM "])
def test_a_pair_nobody_looked_at_is_no_verdict(tmp_path, word):
    """Rows as the program left them are counted and are no decisions."""
    found = decided(table(tmp_path / "a.csv", "later,earlier,verdict", f"B,A,{word}", ",,"))
    assert (found.decisions, found.problems, found.unseen, found.rows) == ((), (), 1, 1)


@pytest.mark.parametrize(
    ("row", "code", "column", "said"),
    [
        ("B,A,có lẽ,,,,,", "E-VERDICT", "verdict", '"có lẽ" is no verdict. Choose one of "Trùng"'),
        ("B,A,??,,,,,", "E-VERDICT", "verdict", "no verdict"),
        (",A,Trùng,,,,,", "E-VERDICT-ID", "later", "missing"),
        ("B,  ,Trùng,,,,,", "E-VERDICT-ID", "earlier", "missing"),
        ("A,A,Trùng,,,,,", "E-VERDICT-ID", "earlier", "both ids are A"),
        ("B,A,Trùng,,,31/02/2025,,", "E-VERDICT-DATE", "date", "31/02/2025"),
        ("B,A,Trùng,,,03/01/2026,,", "E-VERDICT-DATE", "date", "still to come"),
        ("B,A,Trùng,,,,xyz,", "E-VERDICT-TEXT", "content_later", "hidden mark"),
        (f"B,A,Trùng,{'x' * 40_000},,,,", "E-VERDICT-LONG", "note", "longer"),
        ("B,A,Trùng", "E-COLS", "", "3 cells"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(tmp_path, row, code, column, said):
    """What is wrong is told with file, row, column and what to do, once; the rows around it count."""
    head = f"later,earlier,verdict,note,reviewer,date,{','.join(CONTENT)}"
    path = table(tmp_path / "a.csv", head, "C,A,Trùng,,,,,", row, "D,A,Khác,,,,,")
    found = decided(path)
    assert [each.later for each in found.decisions] == ["C", "D"]
    (problem,) = found.problems
    assert (problem.file, problem.row, problem.code, problem.column) == ("a.csv", 3, code, column)
    assert said in str(problem.note)
    assert str(problem.note).startswith("a.csv, row 3")
    assert found.rows == 3


def test_a_bad_row_of_a_workbook_names_its_sheet(tmp_path):
    """In a workbook the place is file, sheet, row and column; an error of Excel is no verdict."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Tổ 1"
    for row in (["Mã sau", "Mã trước", "Kết luận"], ["B", "A", "#REF!"], ["C", "A", "Khác"]):
        sheet.append(row)
    sheet["C2"].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    found = decided(tmp_path / "a.xlsx")
    assert [each.later for each in found.decisions] == ["C"]
    assert str(found.problems[0].note).startswith("a.xlsx › Tổ 1, row 2, column Kết luận: ")
    assert found.problems[0].code == "E-CELL"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E-EMPTY"),
        (b"id,title\n1,x\n", "E-HEADER"),
        (b"later,verdict\nB,khac\n", "E-HEADER"),
        (b"%PDF-1.7", "E-TYPE"),
        (b"PK\x03\x04 cut", "E-XLSX-DAMAGED"),
    ],
)
def test_a_file_without_verdicts_is_named(tmp_path, content, code):
    """A file that is no table of verdicts is told as such, and the other files are read."""
    (tmp_path / "a.csv").write_bytes(content)
    good = table(tmp_path / "b.csv", "later,earlier,verdict", "B,A,khac")
    found = read.decided([tmp_path / "a.csv", good], today=TODAY)
    assert [(each.file, each.row, each.code) for each in found.problems] == [("a.csv", 0, code)]
    assert len(found.decisions) == 1


def test_a_missing_file_and_no_file_are_errors(tmp_path):
    """A name that leads nowhere stops the import before anything is read."""
    with pytest.raises(InputNotFound):
        decided(tmp_path / "a.csv")
    with pytest.raises(UsageError):
        read.decided([], today=TODAY)


def test_the_reviewer_of_the_call_signs_unsigned_rows(tmp_path):
    """A row that names its reviewer keeps the name; the others get the one that was given."""
    path = table(tmp_path / "a.csv", "later,earlier,verdict,reviewer", "B,A,khac,Lan", "C,A,khac,")
    assert [each.reviewer for each in decided(path, reviewer=" Minh ").decisions] == ["Lan", "Minh"]
