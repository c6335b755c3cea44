"""Versions of the taxonomy: what changed, and where labels of the past belong now."""

from __future__ import annotations

import json
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from pipeline import read
from pipeline.cli.main import main
from pipeline.errors import InputNotFound, UsageError
from pipeline.revision import Course, compare
from pipeline.taxonomy import COLUMNS, Taxonomy, check, default

CODES = ("a", "b", "c", "other")


def sheet(version: str, *codes: str, **cells: dict[str, str]) -> Taxonomy:
    """A taxonomy of fields named after their codes; ``cells`` are what differs, by code."""
    rows = [
        {"version": version, "code": code, "name": f"Tên {code}", **cells.get(code, {})}
        for code in codes or CODES
    ]
    found = check(enumerate(rows, 2), file=f"{version}.csv")
    assert found.taxonomy, [str(each) for each in found.problems]
    return found.taxonomy


def kinds(old: Taxonomy, new: Taxonomy) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The changes as plain values."""
    return [(each.kind, each.old, each.new) for each in compare(old, new).changes]


@pytest.mark.parametrize(
    ("codes", "cells", "change"),
    [
        (CODES, {"a": {"name": "Khác hẳn"}}, ("renamed", ("a",), ("a",))),
        (CODES, {"a": {"definition": "hẹp hơn"}}, ("redefined", ("a",), ("a",))),
        (CODES, {"a": {"to_date": "2023-12-31"}}, ("closed", ("a",), ("a",))),
        ((*CODES, "d"), {}, ("new", (), ("d",))),
        ((*CODES, "d"), {"a": {"replaced_by": "d"}}, ("renamed", ("a",), ("d",))),
        (CODES, {"a": {"replaced_by": "b"}}, ("merged", ("a",), ("b",))),
        (
            (*CODES, "d"),
            {"a": {"replaced_by": "d"}, "b": {"replaced_by": "d"}},
            ("merged", ("a", "b"), ("d",)),
        ),
        ((*CODES, "d"), {"a": {"replaced_by": "a; d"}}, ("split", ("a",), ("a", "d"))),
        ((*CODES, "d"), {"a": {"replaced_by": "b; d"}}, ("split", ("a",), ("b", "d"))),
        (("b", "c", "other"), {}, ("gone", ("a",), ())),
    ],
)
def test_each_kind_of_change_is_told(codes, cells, change):
    """One change to a sheet is told as that change and as nothing else."""
    assert kinds(sheet("1"), sheet("2", *codes, **cells)) == [change]


def test_a_field_that_opens_again_is_told():
    """A limit that is taken away is a change of its own."""
    assert kinds(sheet("1", a={"to_date": "2023-12-31"}), sheet("2")) == [("reopened", ("a",), ("a",))]


def test_what_changed_before_is_no_news():
    """A merger and a split that the old sheet had are not told again."""
    cells = {"a": {"replaced_by": "b"}, "c": {"replaced_by": "c; other"}}
    assert kinds(sheet("2", **cells), sheet("3", **cells)) == []


def test_labels_go_along_with_names_and_mergers_and_a_closed_field_keeps_its_own():
    """A label follows every merger since it was given; a closed field's stays where it is."""
    course = Course(
        (
            sheet("1"),
            sheet("2", a={"replaced_by": "b"}, c={"to_date": "2023-12-31"}),
            sheet(
                "3", *CODES, "d", a={"replaced_by": "b"}, b={"replaced_by": "d"}, c={"to_date": "2023-12-31"}
            ),
        )
    )
    assert [course.now(code, "1") for code in "abc"] == ["d", "d", "c"]
    assert course.now("b", "2") == "d"


def test_a_split_asks_again_only_what_was_given_before_it():
    """A label from before the split is to be given anew, one given since stands, also in later versions."""
    parts = {"a": {"replaced_by": "a; d"}}
    course = Course((sheet("1"), sheet("2", *CODES, "d", **parts), sheet("3", *CODES, "d", **parts)))
    assert (course.now("a", "1"), course.now("a", "2"), course.now("a", "3")) == ("", "a", "a")
    assert course.now("gone", "1") == ""


def test_a_label_that_went_along_into_a_split_is_asked_again():
    """Rows merged into a field that is split later are to be given anew as well."""
    merged = {"a": {"replaced_by": "b"}}
    later = merged | {"b": {"replaced_by": "b; d"}}
    course = Course((sheet("1"), sheet("2", **merged), sheet("3", *CODES, "d", **later)))
    assert [course.now(code, "1") for code in "abc"] == ["", "", "c"]


@given(st.permutations(["a", "b", "c"]), st.integers(0, 2))
def test_moves_end_at_a_field_in_use(order, length):
    """However mergers are chained, every code ends at one that nobody took over."""
    cells = {order[place]: {"replaced_by": order[place + 1]} for place in range(length)}
    new = sheet("2", **cells)
    step = compare(sheet("1"), new)
    assert all(not new.end(goal).successors and goal not in step.moves for goal in step.moves.values())
    assert set(step.moves) == set(cells)


@pytest.mark.parametrize("cell", ["a; gone", "a; b"])
def test_a_split_into_nothing_known_or_in_a_circle_is_refused(cell):
    """Each part of a split field must be a field, and none may lead back."""
    rows = [{"version": "1", "code": code, "name": code} for code in CODES]
    rows[0]["replaced_by"] = cell
    rows[1]["replaced_by"] = "a"
    assert check(enumerate(rows, 2), file="t.csv").taxonomy is None


def workbook(path, rows):
    """Write a workbook with a title above the header and dates as dates."""
    book = xlsxwriter.Workbook(path)
    page, day = book.add_worksheet("Danh mục"), book.add_format({"num_format": "dd/mm/yyyy"})
    page.write_string(0, 0, "DANH MỤC LĨNH VỰC")
    for at, row in enumerate(rows, 2):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                page.write_datetime(at, column, cell, day)
            else:
                page.write(at, column, cell)
    book.close()
    return path


HEAD = (
    "Phiên bản", "Mã lĩnh vực", "Tên lĩnh vực", "Định nghĩa", "Bao gồm", "Không bao gồm", "Từ ngày",
    "Đến ngày", "Thay bằng",
)  # fmt: skip


def test_a_workbook_with_vietnamese_headings_is_a_taxonomy(tmp_path):
    """Numbers as versions, dates as dates, a title above, other names of columns: all is read."""
    rows = [
        HEAD,
        (2, "dich", "Chống dịch", "Vì dịch", "x; y", "", date(2020, 1, 1), date(2023, 12, 31), "other"),
    ]
    found = read.taxonomy_sheet(
        workbook(tmp_path / "t.xlsx", [*rows, (2, "other", "Khác", *[""] * 6)])
    ).taxonomy
    assert found is not None
    first = found.fields[0]
    assert (found.version, first.includes, first.replaced_by) == ("2", ("x", "y"), "other")
    assert (first.from_date, first.to_date) == (date(2020, 1, 1), date(2023, 12, 31))


def test_the_shipped_sheet_reads_the_same_as_the_program_s(sample):
    """`data/taxonomy.csv`, read as an office's sheet, is the program's taxonomy."""
    assert read.taxonomy_sheet(sample.parent / "taxonomy.csv").taxonomy == default()


def test_every_fault_is_named_by_row_and_column(tmp_path):
    """Not only the first fault is told."""
    path = tmp_path / "t.csv"
    head = ",".join(COLUMNS)
    path.write_text(f"{head}\n2,X!,Tên,,,,,,,,\n2,b,,,,,,,,,\n2,other,Khác,,,,,,x,,\n", encoding="utf-8")
    said = [str(each) for each in read.taxonomy_sheet(path).problems]
    assert len(said) == 3
    assert "row 2, column code: X!" in said[0]
    assert "row 3: the column name is empty" in said[1]
    assert "row 4, column from_date: x is no date" in said[2]


def test_a_table_of_something_else_is_refused(tmp_path):
    """A file without codes, and a file that is not there, are named."""
    path = tmp_path / "t.csv"
    path.write_text("id,title\nA,Đồ gá\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"t\.csv: the column code is missing"):
        read.taxonomy_sheet(path)
    with pytest.raises(InputNotFound):
        read.taxonomy_sheet(tmp_path / "gone.csv")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Call the program in a folder of its own; return exit code, JSON and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), "--lang", "en"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, err

    return run


def write(path, taxonomy):
    """Write a taxonomy as a CSV sheet."""
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in taxonomy.rows())]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_version_is_checked_compared_and_put_in_use(call, tmp_path):
    """Check, diff and apply agree; applying the same sheet again changes nothing."""
    own = [{**row, "version": "2"} for row in default().rows()]
    own[0]["name"] = "Y tế cơ sở"
    new = check(enumerate(own, 2), file="").taxonomy
    rows = [tuple(COLUMNS), *(tuple(row[name] for name in COLUMNS) for row in new.rows())]
    path = workbook(tmp_path / "fields.xlsx", rows)
    assert call("taxonomy", "check", path, "--json")[1]["version"] == "2"
    old = tmp_path / "old.xlsx"
    workbook(old, [tuple(COLUMNS), *(tuple(row[name] for name in COLUMNS) for row in default().rows())])
    told = call("taxonomy", "diff", old, path, "--json")[1]
    assert [each["kind"] for each in told["changes"]] == ["renamed"]
    code, done, _ = call("taxonomy", "apply", path, "--json")
    assert (code, done["from"], done["to"], done["changes"]) == (0, "1", "2", told["changes"])
    assert call("taxonomy", "apply", path, "--json")[1]["changes"] == []


def test_a_sheet_that_loses_a_field_or_takes_another_s_version_is_refused(call, tmp_path):
    """What labels stand on cannot be taken away: the command ends with 3 and says which row is missing."""
    given = tmp_path / "given.csv"
    given.write_text("id,field\nA,union\n", encoding="utf-8")
    assert call("label-queue", "--import", given)[0] == 0
    lost = write(tmp_path / "lost.csv", sheet("2"))
    code, _, said = call("taxonomy", "apply", lost)
    assert code == 3
    assert "healthcare" in said
    code, _, said = call("taxonomy", "apply", write(tmp_path / "one.csv", sheet("1")))
    assert code == 3
    assert "Version 1" in said


def test_a_faulty_sheet_ends_with_2_and_names_its_faults(call, tmp_path):
    """`taxonomy check` says every fault and how many there are."""
    path = tmp_path / "t.csv"
    path.write_text(f"{','.join(COLUMNS)}\n2,X!,Tên,,,,,,,,\n", encoding="utf-8")
    code, told, said = call("taxonomy", "check", path, "--json")
    assert code == 2
    assert "row 2, column code" in said
    assert len(told["problems"]) == 1
