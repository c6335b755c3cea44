"""What a run publishes: tables that conserve rows and run nothing, a workbook that people can decide on."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText

from pipeline import report, words
from pipeline.errors import Note
from pipeline.records import CANONICAL, CLEANED, ORIGIN, Match, Quarantined, Source, Span
from pipeline.report import tables
from pipeline.report.files import inert, verbatim
from pipeline.report.wording import Wording

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\0=1+1",
    '  =HYPERLINK("http://x")',
    "＝1+1",
    "http://example.org",
    "mailto:a@b.c",
    "internal:Sheet1!A1",
    "'=1",
    "<r><t>x</t></r>",
    "<r></is></c></row><script>alert(1)</script></r>",
    "_x0041_",
    "{=1+1}",
    "1e5",
    "00012",
    "{{7*7}} %s ${x} '; DROP",
)

SHEETS = ["Cần xem", "Kết luận", "Lĩnh vực", "Thiếu thông tin", "Không trùng", "Tổng hợp"]


def row(identifier: str, **cells: str) -> dict[str, str]:
    """Return a whole row of ``initiatives``, with ``cells`` in place of the usual ones."""
    usual = {
        "id": identifier,
        "title": f"Sáng kiến {identifier}",
        "description": "Dùng thẻ hai màu để quản lý hạn dùng của thuốc ở tủ trực.",
        "author": "Trần Thị Lan",
        "unit": "Trung tâm Y tế",
        "upper_union": "LĐLĐ huyện",
        "sector": "public",
        "submitted": "2022-03-10",
        "field": "",
        "field2": "",
        "source_file": "a.csv",
        "source_row": "2",
        "fixes": "",
        "flags": "",
        "tokens": "",
    }
    filled = {**usual, **cells}
    cleaned = {"clean_title": filled["title"], "clean_description": filled["description"]}
    return {**cleaned, **filled}


def frame(rows: list[dict[str, str]]) -> pd.DataFrame:
    """Return rows as a batch."""
    columns = list(rows[0]) if rows else [*CANONICAL, *ORIGIN, *CLEANED, "tokens"]
    return pd.DataFrame(rows, columns=columns, dtype="str")


def match(later: str, earlier: str, **facts: object) -> Match:
    """Return a match with ``facts`` in place of the usual ones."""
    usual = {
        "probability": 0.9,
        "level": "copy",
        "same_author": False,
        "same_unit": True,
        "shared": "thẻ hai màu",
        "differs": "",
        "order_known": True,
        "spans": (),
    }
    return Match(later=later, earlier=earlier, **{**usual, **facts})  # type: ignore[arg-type]


def outcome(
    rows: list[dict[str, str]],
    *,
    matches: list[Match] | None = None,
    groups: list[tuple[str, str, str]] = (),
    labelled: bool = True,
    quarantine: tuple[Quarantined, ...] = (),
    **more: object,
) -> report.Outcome:
    """Return an outcome of both steps (``matches=None``: of one) that satisfies its equation."""
    batch = frame(rows)
    files = sorted({*batch["source_file"], *(each.file for each in quarantine)})
    sources = []
    for file in files:
        accepted = batch["source_file"].tolist().count(file)
        unread = sum(each.file == file and each.row > 0 for each in quarantine)
        sources.append(Source(file, "0" * 64, "csv", accepted + unread + 1, accepted, unread, 1))
    labels = pd.DataFrame(
        {
            "id": batch["id"],
            "field": "healthcare",
            "probability": 0.97123456,
            "field2": "",
            "probability2": float("nan"),
            "decision": "auto",
            "reason": "confident",
            "model": "starter/0001",
            "taxonomy": "1",
        }
    )
    found = {
        "matches": report.match_frame(matches) if matches is not None else None,
        "groups": pd.DataFrame(groups, columns=["id", "group", "representative"], dtype="str"),
    }
    return report.Outcome(
        initiatives=batch,
        quarantine=quarantine,
        sources=tuple(sources),
        labels=labels if labelled else None,
        field_names={"healthcare": "Y tế"},
        facts={"versions": {"sangkien": "0.1.0"}, "settings": {"shingle": 3}},
        cost={"seconds": {"read": 0.1}},
        **{**(found if matches is not None else {}), **more},
    )


def planted() -> report.Outcome:
    """Return an outcome with one of each: levels, an archived record, gaps, a short one, an unread row."""
    text = "Dùng thẻ hai màu để quản lý hạn dùng"
    rows = [
        row("SK-1", title="Thẻ hai màu", description=text, submitted="2022-03-10"),
        row(
            "SK-2",
            title="Thẻ hai màu, bản khác",
            description=f"Chúng tôi {text.lower()}",
            author="Lê Văn Bình",
        ),
        row("SK-3", title="Tưới tự động", flags="too_short", description="Tưới"),
        row("SK-4", title="Máy gieo hạt", unit="", submitted="", flags="bad_date"),
        row("SK-5", title="=1+1", sector="enterprise", source_file="b.xlsx", source_row="Sheet1!7"),
    ]
    spans = (Span(22 + 10, 22 + 10 + 30, 12 + 0, 12 + 30, text[:30]),)
    matches = [
        match("SK-5", "K-9", probability=0.30004, level="related", order_known=False, spans=()),
        match("SK-2", "SK-1", probability=0.9712345, level="copy", spans=spans, order_known=False),
        match("SK-1", "K-9", probability=0.6, level="reworded", differs="cân điện tử"),
    ]
    archived = row("K-9", title="Thẻ màu cho tủ thuốc", submitted="2019-12-01", source_file="", source_row="")
    unread = Quarantined(
        "a.csv", "", 9, "", "E-COLS", Note("{file}, row {row}: bad", {"file": "a.csv", "row": 9}), "=x,1"
    )
    return outcome(
        rows,
        matches=matches,
        groups=[("SK-1", "K-9", "K-9"), ("SK-2", "K-9", "K-9"), ("K-9", "K-9", "K-9")],
        quarantine=(unread,),
        others=frame([archived]),
        archive_size=56_106,
        archive_date="2021-12-31",
    )


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return a CSV file's rows as the standard library reads them."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def read_sheet(path: Path, name: str) -> list[dict[str, object]]:
    """Return a sheet's rows by header, as openpyxl reads them."""
    header, *rows = openpyxl.load_workbook(path)[name].values
    return [dict(zip(header, cells, strict=True)) for cells in rows]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted outcome, published once."""
    out = tmp_path_factory.mktemp("report") / "out"
    report.publish(planted(), out, language="en")
    return out


# --- laws -----------------------------------------------------------------------------------------


@given(st.text())
def test_a_guarded_cell_is_got_back_whole(cell: str) -> None:
    """Taking the guard away gives back every text, also one that looks guarded already."""
    assert verbatim(inert(cell)) == cell


@given(st.text("'=+-@\t\r\n\0 ＝a", max_size=6))
def test_a_guarded_cell_never_starts_a_formula(cell: str) -> None:
    """After the guard no cell starts, white space aside, with a sign that a spreadsheet takes up."""
    guarded = inert(cell)
    assert not re.match(r"[\t\r\n\0]|\s*[=+\-@＝]", guarded)
    assert guarded in (cell, f"'{cell}")


_cells = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=("Cs",)), max_size=30))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries({"title": _cells, "description": _cells, "author": _cells, "unit": _cells})
    )
)
def test_every_row_and_every_text_comes_out(tmp_path: Path, texts: list[dict[str, str]]) -> None:
    """Whatever stands in the cells, each accepted row is one row of the Parquet file with the same texts."""
    rows = [row(f"SK-{number}", **cells) for number, cells in enumerate(texts)]
    pairs = [
        match(f"SK-{number + 1}", f"SK-{number}", shared=cells["title"])
        for number, cells in enumerate(texts[1:])
    ]
    result = report.publish(outcome(rows, matches=pairs), tmp_path / "out", language="en")
    table = pq.read_table(result.folder / "initiatives.parquet").to_pylist()
    assert [{**each} for each in table] == [{name: each[name] for name in table[0]} for each in rows]
    assert len(read_csv(result.folder / "labels.csv")) == len(rows)
    found = read_csv(result.folder / "matches.csv")
    assert sorted(verbatim(each["shared"]) for each in found) == sorted(each.shared for each in pairs)
    assert len(read_sheet(result.folder / "ket_qua.xlsx", "Kết luận")) == len(pairs)
    assert len(read_sheet(result.folder / "ket_qua.xlsx", "Lĩnh vực")) == len(rows)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_initiative_is_accounted_for_by_a_sheet(tmp_path: Path, data: st.DataObject) -> None:
    """An initiative has a duplicate, was compared without one, or is too short: a sheet names it."""
    ids = [f"SK-{number}" for number in range(data.draw(st.integers(1, 6)))]
    rows = [
        row(each, flags=data.draw(st.sampled_from(["", "too_short", "no_description too_short"])))
        for each in ids
    ]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), unique=True))
    levels = st.sampled_from(["copy", "partial", "reworded", "related"])
    found = [match(*pair, level=data.draw(levels)) for pair in pairs if pair[0] != pair[1]]
    out = report.publish(outcome(rows, matches=found), tmp_path / "out", language="en").folder
    duplicate = {each for one in found if one.level != "related" for each in (one.later, one.earlier)}
    compared = {str(each["Id"]) for each in read_sheet(out / "ket_qua.xlsx", "Không trùng")}
    incomplete = {str(each["Id"]) for each in read_sheet(out / "ket_qua.xlsx", "Thiếu thông tin")}
    short = {each["id"] for each in rows if "too_short" in each["flags"]}
    assert compared == set(ids) - duplicate - short
    assert short <= incomplete


_NEVER_THE_SAME = """
import pathlib, runpy, sys
from pipeline import report
planted = runpy.run_path(sys.argv[1])["planted"]()
report.publish(planted, pathlib.Path(sys.argv[2]), language="en")
"""


@pytest.mark.parametrize(
    "world",
    [
        {"TZ": "Asia/Ho_Chi_Minh", "LANG": "vi_VN.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "2", "PYTHONUTF8": "0"},
    ],
)
def test_the_same_outcome_gives_the_same_bytes_anywhere(
    published: Path, tmp_path: Path, world: dict[str, str]
) -> None:
    """Time zone, language, hash seed and folder leave no trace in any file."""
    command = [sys.executable, "-c", _NEVER_THE_SAME, __file__, str(tmp_path / "elsewhere")]
    subprocess.run(command, env={**os.environ, **world}, check=True)
    for path in sorted(published.iterdir()):
        assert (tmp_path / "elsewhere" / path.name).read_bytes() == path.read_bytes(), path.name


def test_input_order_of_matches_does_not_matter(tmp_path: Path) -> None:
    """Matches given in another order are published in the same one."""
    rows = [row(each) for each in "abc"]
    pairs = [match("b", "a"), match("c", "a"), match("c", "b", probability=0.95)]
    for number, given_pairs in enumerate([pairs, pairs[::-1]]):
        report.publish(outcome(rows, matches=given_pairs), tmp_path / str(number), language="en")
    for name in ("matches.csv", "matches.parquet", "evidence.jsonl", "ket_qua.xlsx", "run.json"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_contradicting_counts_are_refused() -> None:
    """A row that was read is accepted, set aside or blank, and the accepted rows are all there."""
    good = outcome([row("a"), row("b")])
    for wrong in ({"read": 9}, {"read": 2, "accepted": 1}):
        source = Source(**{**{name: getattr(good.sources[0], name) for name in Source.__slots__}, **wrong})
        with pytest.raises(ValueError, match=r"a\.csv|initiatives"):
            report.Outcome(initiatives=good.initiatives, sources=(source,))


def test_records_nobody_gave_are_refused() -> None:
    """A match names records that are there, so that the other side can always be shown."""
    with pytest.raises(ValueError, match="names records"):
        outcome([row("a")], matches=[match("a", "gone")])


# --- files ------------------------------------------------------------------------------------------


def test_the_files_follow_from_the_steps(tmp_path: Path) -> None:
    """Without labels there is no labels file and no sheet of fields; without matches nothing about them."""
    always = {"initiatives.parquet", "quarantine.csv", "ket_qua.xlsx", "run.json"}
    found = {"matches.csv", "matches.parquet", "groups.csv", "evidence.jsonl"}
    labels = {"labels.csv", "labels.parquet"}
    cases = {
        "both": (outcome([row("a")], matches=[]), found | labels, SHEETS),
        "dedupe": (outcome([row("a")], matches=[], labelled=False), found, [*SHEETS[:2], *SHEETS[3:]]),
        "classify": (outcome([row("a")]), labels, ["Lĩnh vực", "Thiếu thông tin", "Tổng hợp"]),
    }
    for name, (what, files, sheets) in cases.items():
        result = report.publish(what, tmp_path / name, language="en")
        assert {path.name for path in result.paths} == always | files
        assert openpyxl.load_workbook(tmp_path / name / "ket_qua.xlsx").sheetnames == sheets


def test_csv_is_what_excel_and_rfc_4180_want(published: Path) -> None:
    """A byte order mark, CRLF, fixed decimals, lower-case truth, and matches by probability, then ids."""
    content = (published / "matches.csv").read_bytes()
    assert content.startswith(
        b"\xef\xbb\xbflater,earlier,probability,level,same_author,same_unit,shared,differs,order_known\r\n"
    )
    assert content.count(b"\n") == content.count(b"\r\n") == 4
    rows = read_csv(published / "matches.csv")
    assert [each["probability"] for each in rows] == ["0.9712", "0.6000", "0.3000"]
    assert {each["same_unit"] for each in rows} == {"true"}
    assert read_csv(published / "labels.csv")[0]["probability2"] == ""


def test_parquet_has_the_types_and_order_of_the_csv(published: Path) -> None:
    """The Parquet twin has numbers and truth values, no index, and the same rows."""
    table = pq.read_table(published / "matches.parquet")
    assert table.column_names == list(report.MATCH_COLUMNS)
    assert [str(each) for each in table.schema.types[2:5]] == ["double", "string", "bool"]
    assert table.schema.metadata is None
    ids = [each["later"] for each in read_csv(published / "matches.csv")]
    assert table["later"].to_pylist() == ids


def test_an_empty_table_has_the_same_types(tmp_path: Path) -> None:
    """A run without a match writes a table of the same schema as one with matches."""
    report.publish(outcome([row("a")], matches=[]), tmp_path / "none", language="en")
    report.publish(outcome([row("a"), row("b")], matches=[match("a", "b")]), tmp_path / "one", language="en")
    schemas = [pq.read_schema(tmp_path / each / "matches.parquet") for each in ("none", "one")]
    assert schemas[0] == schemas[1]


def test_initiatives_keep_columns_the_program_does_not_know(tmp_path: Path) -> None:
    """Known columns come first, carried ones behind them, what was added last."""
    batch = outcome([row("a", phase="I")])
    report.publish(batch, tmp_path / "out", language="en")
    names = pq.read_schema(tmp_path / "out" / "initiatives.parquet").names
    assert names == [*CANONICAL, "phase", *ORIGIN, *CLEANED, "tokens"]


def test_evidence_is_one_object_a_match_in_the_order_of_matches(published: Path) -> None:
    """Offsets cut the shared passage out of the submitted text: title, newline, description."""
    lines = [json.loads(line) for line in (published / "evidence.jsonl").read_text("utf-8").splitlines()]
    assert [(each["later"], each["earlier"]) for each in lines] == [
        (each["later"], each["earlier"]) for each in read_csv(published / "matches.csv")
    ]
    assert list(lines[0]) == ["later", "earlier", "spans"]
    assert list(lines[0]["spans"][0]) == ["later_start", "later_end", "earlier_start", "earlier_end", "text"]
    assert "\\u" not in (published / "evidence.jsonl").read_text("utf-8")


def test_quarantine_says_why_and_keeps_the_row(published: Path) -> None:
    """The message is in words, and the row is got back verbatim."""
    (unread,) = read_csv(published / "quarantine.csv")
    assert list(unread) == ["file", "sheet", "row", "column", "code", "message", "raw"]
    assert unread["message"] == "a.csv, row 9: bad"
    assert unread["raw"] == "'=x,1"
    assert verbatim(unread["raw"]) == "=x,1"


def test_the_run_record_counts_and_vouches(published: Path) -> None:
    """Counts satisfy the equation, every file's SHA-256 is there, and what varies stands under one key."""
    record = json.loads((published / "run.json").read_text("utf-8"))
    rows = record["counts"]
    assert rows["read"] == rows["accepted"] + rows["quarantined"] + rows["blank"] == 8
    assert record["counts"]["after_merging"] == 4
    assert record["counts"]["repeating_archive"] == 1
    assert record["counts"]["matches"] == {"copy": 1, "related": 1, "reworded": 1}
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in published.iterdir()}
    del digests["run.json"]
    assert record["outputs"] == digests
    assert record["cost"] == {"seconds": {"read": 0.1}}
    assert list(record) == sorted(record)


def test_bytes_that_are_no_text_do_not_lose_the_run(tmp_path: Path) -> None:
    """A raw row, a file's name or a passage that UTF-8 cannot hold is written as a visible escape."""
    name = "b\udcff.csv"
    unread = Quarantined(name, "", 2, "", "E-ENC", Note("{file}: not text", {"file": name}), "x\udcff,1")
    pair = match("b", "a", spans=(Span(0, 1, 0, 1, "x\udcff"),))
    found = outcome([row("a"), row("b")], matches=[pair], quarantine=(unread,))
    report.publish(found, tmp_path / "out", language="en")
    assert read_csv(tmp_path / "out" / "quarantine.csv")[0]["raw"] == "x\\udcff,1"
    evidence = json.loads((tmp_path / "out" / "evidence.jsonl").read_text("utf-8"))
    assert evidence["spans"][0]["text"] == "x\udcff"
    assert (
        "b\udcff.csv" in json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["inputs"][1]["file"]
    )


def test_a_filled_workbook_survives_the_next_run(published: Path, tmp_path: Path) -> None:
    """What a reviewer saved is told of and stands, byte for byte, beside the new results."""
    first = report.publish(planted(), tmp_path / "out", language="en")
    workbook = tmp_path / "out" / "ket_qua.xlsx"
    book = openpyxl.load_workbook(workbook)
    book["Kết luận"]["F2"] = "Trùng"
    book.save(workbook)
    filled = workbook.read_bytes()
    second = report.publish(planted(), tmp_path / "out", language="en")
    assert (first.kept, second.kept) == ((), (second.folder / "kept" / "1" / "ket_qua.xlsx",))
    assert second.kept[0].read_bytes() == filled
    assert workbook.read_bytes() == (published / "ket_qua.xlsx").read_bytes()
    assert report.publish(planted(), tmp_path / "out", language="en").kept == ()


# --- confidential texts -------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["confidential", "Bảo mật", "Thông tin cần được bảo mật (nếu có)"])
def test_a_confidential_text_is_compared_and_never_quoted(tmp_path: Path, column: str) -> None:
    """Neither side's words stand in matches, evidence or the workbook; whom to ask does."""
    secret = "công thức hợp kim bí mật"
    rows = [row("a", description=secret, **{column: "có"}), row("b", description=secret, **{column: "Không"})]
    pair = match("b", "a", shared=secret, differs=secret, spans=(Span(0, 5, 0, 5, secret),))
    report.publish(outcome(rows, matches=[pair]), tmp_path / "out", language="en")
    for name in ("matches.csv", "evidence.jsonl"):
        assert secret not in (tmp_path / "out" / name).read_text("utf-8")
    (seen,) = read_sheet(tmp_path / "out" / "ket_qua.xlsx", "Cần xem")
    assert secret not in str(seen)
    assert (
        seen["What is the same (extract)"]
        == "Some content is similar; it is marked confidential. Contact Trung tâm Y tế."
    )
    assert tables.matches(outcome(rows, matches=[pair]))["probability"].tolist() == [0.9]


# --- workbook -------------------------------------------------------------------------------------------


def test_sheets_columns_and_layout(published: Path) -> None:
    """Six sheets in order; each freezes, filters and repeats its header and prints across one page."""
    book = openpyxl.load_workbook(published / "ket_qua.xlsx")
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "council" in sheet.oddFooter.left.text
        assert all(cell.alignment.wrap_text for cells in sheet.iter_rows() for cell in cells)


def test_matches_to_look_at_come_by_weight(published: Path) -> None:
    """What may be the same initiative comes first by probability, the merely related last and pale."""
    rows = read_sheet(published / "ket_qua.xlsx", "Cần xem")
    assert [(each["Later id"], each["Earlier id"]) for each in rows] == [
        ("SK-2", "SK-1"),
        ("SK-1", "K-9"),
        ("SK-5", "K-9"),
    ]
    assert rows[0]["Later filed"] == dt.datetime(2022, 3, 10)  # noqa: DTZ001 - a cell has no time zone
    assert [each["Order by date"] for each in rows] == [
        "Same day",
        "Clear from the dates",
        "Not clear from the dates",
    ]
    assert rows[0]["Where the earlier record is"] == "a.csv, row 2"
    assert rows[1]["Where the earlier record is"] == "The archive"
    assert rows[1]["Reason"] == (
        "Both records describe the same solution in different words; different authors; same unit; "
        "the earlier one was filed on 01/12/2019, 830 days before."
    )
    book = openpyxl.load_workbook(published / "ket_qua.xlsx")
    assert [book["Cần xem"].cell(line, 1).font.italic for line in (2, 3, 4)] == [False, False, True]


def test_shared_passages_are_marked_in_both_texts(published: Path) -> None:
    """The marked runs are the shared passage, and all runs together are the text as submitted."""
    sheet = openpyxl.load_workbook(published / "ket_qua.xlsx", rich_text=True)["Cần xem"]
    rows = planted().initiatives.set_index("id")
    for column, identifier in ((17, "SK-2"), (18, "SK-1")):
        cell = sheet.cell(2, column).value
        assert isinstance(cell, CellRichText)
        assert str(cell) == f"{rows.title[identifier]}\n{rows.description[identifier]}"
        marked = [run.text for run in cell if hasattr(run, "font") and run.font.b]
        assert [each.lower() for each in marked] == ["dùng thẻ hai màu để quản lý hạ"]


def test_verdicts_are_chosen_from_a_list(published: Path) -> None:
    """Each match starts as not seen; the list and the date column accept only what is meant."""
    sheet = openpyxl.load_workbook(published / "ket_qua.xlsx")["Kết luận"]
    assert [sheet.cell(line, 6).value for line in (2, 3, 4)] == ["Chưa xem"] * 3
    rules = {each.type: each for each in sheet.data_validations.dataValidation}
    assert rules["list"].formula1 == '"Trùng,Gần giống – yêu cầu làm rõ,Khác,Chưa xem"'
    assert str(rules["list"].sqref) == "F2:F4"
    assert str(rules["date"].sqref) == "I2:I4"
    assert sheet.column_dimensions["J"].hidden
    assert (
        sheet["J2"].value
        == hashlib.sha256(
            "Thẻ hai màu, bản khác\nChúng tôi dùng thẻ hai màu để quản lý hạn dùng".encode()
        ).hexdigest()
    )


def test_fields_are_named_and_reasons_said(published: Path) -> None:
    """A label stands in words, its probability as a share."""
    first = read_sheet(published / "ket_qua.xlsx", "Lĩnh vực")[0]
    assert first["Field"] == "Y tế"
    assert (first["How sure"], first["Probability"]) == ("Sure", 0.9712)
    assert (first["Decision"], first["Reason"]) == (
        "Assigned automatically",
        "The text clearly belongs to this field",
    )


def test_missing_information_says_what_and_how(published: Path) -> None:
    """Records with gaps, records that could not be compared and rows that could not be read are all there."""
    rows = {
        str(each["Id"] or each["Row"]): each
        for each in read_sheet(published / "ket_qua.xlsx", "Thiếu thông tin")
    }
    assert set(rows) == {"SK-3", "SK-4", "9"}
    assert "Not compared" in str(rows["SK-3"]["What is missing"])
    assert "day/month/year" in str(rows["SK-4"]["How to repair it"])
    assert rows["9"]["As it stands in the file"] == "=x,1"


def test_what_a_whole_file_lacks_is_said_once(tmp_path: Path) -> None:
    """A file without a column of authors gives one line, not one a record; too short ones stay apart."""
    rows = [row(str(number), author="", flags="id_made too_short") for number in range(5)]
    report.publish(outcome(rows, matches=[]), tmp_path / "out", language="en")
    lines = read_sheet(tmp_path / "out" / "ket_qua.xlsx", "Thiếu thông tin")
    assert [each["What is missing"] for each in lines[:2]] == [
        "No author is named",
        "The table gave no id; one was made from the content",
    ]
    assert [each["Id"] for each in lines[2:]] == ["0", "1", "2", "3", "4"]


def test_the_proof_of_checking_names_number_and_date(published: Path) -> None:
    """Without a duplicate, an initiative says with how many it was compared, and how recent they are."""
    rows = {each["Id"]: each for each in read_sheet(published / "ket_qua.xlsx", "Không trùng")}
    assert set(rows) == {"SK-4", "SK-5"}
    assert rows["SK-4"]["Compared with"] == 56_106 + 3
    assert rows["SK-4"]["Archive up to"] == "31/12/2021"
    assert rows["SK-4"]["Result"] == "No similar content was found in 56,109 other initiatives."
    assert "same subject" in str(rows["SK-5"]["Result"])


def test_totals_are_formulas_that_agree_with_their_values(published: Path) -> None:
    """Every sum, recomputed from the cells it names, is the number that stands beside the formula."""
    shown = openpyxl.load_workbook(published / "ket_qua.xlsx", data_only=True)["Tổng hợp"]
    formulas = openpyxl.load_workbook(published / "ket_qua.xlsx")["Tổng hợp"]
    sums = 0
    for (cell,) in formulas["C2" : f"C{formulas.max_row}"]:
        if isinstance(cell.value, str):
            first, last = map(int, re.fullmatch(r"=SUM\(C(\d+):C(\d+)\)", cell.value).groups())
            assert shown.cell(cell.row, 3).value == sum(
                shown.cell(line, 3).value for line in range(first, last + 1)
            )
            sums += 1
    assert sums >= 6
    for (cell,) in formulas["D2" : f"D{formulas.max_row}"]:
        if cell.value:
            line, total = map(int, re.fullmatch(r"=IF\(C\d+=0,0,C(\d+)/C(\d+)\)", cell.value).groups())
            assert shown.cell(cell.row, 4).value == pytest.approx(
                shown.cell(line, 3).value / shown.cell(total, 3).value
            )
    rows = {(each["Part"], each["Item"]): each for each in read_sheet(published / "ket_qua.xlsx", "Tổng hợp")}
    assert rows["Initiatives", "Submissions"]["Number"] == 5
    assert rows["Initiatives", "Initiatives after merging"]["Number"] == 4


def test_nothing_in_a_cell_runs_or_is_lost(tmp_path: Path) -> None:
    """In the workbook and in every CSV a hostile text is a text: no formula, no link, no markup."""
    rows = [
        row(each, title=each, description=each, author=each, unit=each, submitted=each) for each in HOSTILE
    ]
    pairs = [
        match(
            each,
            "a",
            shared=each,
            differs=each,
            spans=(Span(0, 2, 0, 2, each[:2]),),
            probability=1 - order / 100,
        )
        for order, each in enumerate(HOSTILE)
    ]
    unread = tuple(
        Quarantined("a.csv", each, line, each, "E-COLS", Note("{raw}", {"raw": each}), each)
        for line, each in enumerate(HOSTILE, 1)
    )
    groups = [(each, each, "a") for each in HOSTILE]
    found = outcome([row("a"), *rows], matches=pairs, groups=groups, quarantine=unread)
    report.publish(found, tmp_path / "out", language="en")
    book = openpyxl.load_workbook(tmp_path / "out" / "ket_qua.xlsx", rich_text=True)
    for line, cell in enumerate(HOSTILE, 2):
        seen = [str(book["Cần xem"].cell(line, column).value) for column in (2, 4, 6, 8, 13, 14)]
        assert seen == [re.sub("\r\n?", "\n", cell).replace("\0", "␀")] * 6
    for sheet in book.worksheets:
        for each in (each for cells in sheet.iter_rows() for each in cells):
            assert each.hyperlink is None
            ours = sheet.title == "Tổng hợp" and each.column_letter in "CD"
            assert each.data_type in "sn" or ours or each.is_date
    for path in (tmp_path / "out").glob("*.csv"):
        for cells in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")):
            assert all(not re.match(r"[\t\r\n\0]|\s*[=+\-@＝]", each) for each in cells)
    matches = read_csv(tmp_path / "out" / "matches.csv")
    assert [verbatim(each["shared"]) for each in matches] == list(HOSTILE)


def test_editing_a_text_does_not_make_it_a_formula(published: Path) -> None:
    """Texts carry the sign that keeps a spreadsheet from reading them anew when someone edits the cell."""
    sheet = openpyxl.load_workbook(published / "ket_qua.xlsx")["Lĩnh vực"]
    cell = next(each for (each,) in sheet["B2":"B6"] if each.value == "=1+1")
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    """The marked passage survives, the cell says that there is more, and the tables hold the whole text."""
    long = "đầu " * 20_000 + "PHẦN GIỐNG" + " cuối" * 20_000
    start = len("t\n") + 80_000
    pair = match(
        "b", "a", shared="x" * 40_000, spans=(Span(start, start + 10, start, start + 10, "PHẦN GIỐNG"),)
    )
    rows = [row("a", title="t", description=long), row("b", title="t", description=long)]
    result = report.publish(outcome(rows, matches=[pair]), tmp_path / "out", language="en")
    (seen,) = read_sheet(tmp_path / "out" / "ket_qua.xlsx", "Cần xem")
    shown = str(seen["Later record – the same in colour"])
    assert "PHẦN GIỐNG" in shown
    assert "[…]" in shown
    assert len(shown) <= 32_767
    assert str(seen["What is the same (extract)"]).endswith(
        "(more; the whole text stands in initiatives.parquet)"
    )
    assert result.cut_cells == 1
    assert pq.read_table(tmp_path / "out" / "initiatives.parquet")["description"].to_pylist() == [long, long]


def test_rows_beyond_a_sheet_go_on_in_the_next(tmp_path: Path) -> None:
    """No row is lost when a sheet is full, and the second sheet stands right behind the first."""
    from pipeline.report.workbook import Column, Phrases, Row, Sheet, write

    def lines() -> list[Row]:
        return [Row((number,)) for number in range(23)]

    sheets = [Sheet("A", (Column("N", 9, "count"),), lines()), Sheet("B", (Column("N", 9),), [])]
    write(tmp_path / "b.xlsx", sheets, Phrases("t", "f", "…", "d", "c"), sheet_rows=11)
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert book.sheetnames == ["A", "A (2)", "A (3)", "B"]
    assert [each for name in book.sheetnames for (each,) in list(book[name].values)[1:]] == list(range(23))


def test_every_word_for_people_comes_from_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a translator that marks its sentences, every heading is marked; sheet names are fixed."""
    monkeypatch.setattr(words, "translator", lambda _language: lambda sentence: f"⟦{sentence}⟧")
    report.publish(planted(), tmp_path / "out", language="vi")
    book = openpyxl.load_workbook(tmp_path / "out" / "ket_qua.xlsx")
    assert book.sheetnames == SHEETS
    for sheet in book:
        headers = [cell.value for cell in sheet[1] if not str(cell.value).startswith("content_")]
        assert all(str(each).startswith("⟦") for each in headers)
    assert [book["Kết luận"].cell(line, 6).value for line in (2, 3)] == ["Chưa xem"] * 2
    assert all(str(cell.value).startswith("⟦") for cell in book["Cần xem"]["A"])
    assert all(str(cell.value).startswith("⟦") for cell in book["Tổng hợp"]["A"])
    with zipfile.ZipFile(tmp_path / "out" / "ket_qua.xlsx") as parts:
        assert "⟦Type a date" in parts.read("xl/worksheets/sheet2.xml").decode()


def test_vietnamese_numbers_and_dates() -> None:
    """Thousands have dots, percentages a decimal comma, and the day comes first."""
    said = Wording(str, "vi")
    assert (said.number(56_106), said.percent(1.079), said.date("2022-07-26")) == (
        "56.106",
        "107,9%",
        "26/07/2022",
    )
