"""Validity: rules as a sheet, one verdict a record, the reason in words."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import flow, read, report, starter, validity
from pipeline.errors import InputNotFound, UsageError
from pipeline.records import PHASE, VALIDITY
from pipeline.report.wording import VALIDITY as NAMES
from pipeline.settings import checkout

SHIPPED = starter.rules()
HEAD = ",".join(validity.COLUMNS)
FULL = {
    "id": "1", "title": "Máy gieo hạt", "description": "Thêm phễu", "author": "Lê A", "unit": "Tổ 1",
    "submitted": "2022-03-01", "source_file": "a.csv",
}  # fmt: skip


def verdict(*rows: dict[str, str], rules=SHIPPED) -> list[tuple[str, str]]:
    """The verdict and the failed rules of rows of one file, each a full record but for what is given."""
    frame = pd.DataFrame([{**FULL, "id": str(place), **row} for place, row in enumerate(rows)]).fillna("")
    found = validity.judged(frame, rules)
    return list(zip(found[VALIDITY[0]], found[VALIDITY[1]], strict=True))


def rules(*lines: str) -> tuple[validity.Rule, ...]:
    """Rules from lines of a sheet."""
    return validity.parse("\n".join([HEAD, *lines]), file="rules.csv")


def test_a_full_record_is_valid():
    """A record with every part is valid, and nothing is said against it."""
    assert verdict({}) == [("valid", "")]


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ({"title": ""}, ("invalid", "title")),
        ({"description": ""}, ("invalid", "description")),
        ({"author": " "}, ("invalid", "author")),
        ({"unit": ""}, ("unclear", "unit")),
        ({"submitted": ""}, ("unclear", "submitted")),
        ({"title": "", "unit": ""}, ("invalid", "title unit")),
        ({"Đã áp dụng": "Chưa"}, ("invalid", "applied")),
        ({"TÌNH TRẠNG ÁP DỤNG": "chua ap dung"}, ("invalid", "applied")),
        ({"Số QĐ công nhận": "", "Đã áp dụng": "Có"}, ("invalid", "decision")),
    ],
)
def test_what_a_record_lacks_decides(lacking, expected):
    """The worst of the failed rules is the verdict; headers and words count without case and marks."""
    other = {name: "12/QĐ" if name.startswith("Số") else "Có" for name in lacking if name not in FULL}
    assert verdict(lacking, other)[0] == expected


@pytest.mark.parametrize(
    ("mark", "expected"), [("x", "valid"), ("Có", "valid"), ("Không", "invalid"), ("", "invalid")]
)
def test_an_empty_description_is_lawful_where_it_is_confidential(mark, expected):
    """Secret technology is entered without its description; then the record must say so."""
    column = {"Thông tin cần bảo mật": mark}
    assert verdict({"description": "", **column}, {"Thông tin cần bảo mật": "x"})[0][0] == expected


def test_what_a_file_does_not_ask_for_is_not_held_against_its_records():
    """A list without authors leaves them unclear, one without a column of decisions is not asked for them."""
    assert verdict({"author": ""}, {"author": ""}) == [("unclear", "author")] * 2


def test_dates_of_a_programme_and_its_phases():
    """Outside the programme is not valid; each record gets its phase, in whatever form its date is."""
    sheet = rules(
        "programme,date_between,Ngày áp dụng,2021-09-01..2023-09-01,invalid,skip,Ngoài chương trình",
        "one,phase,submitted,2022-01-08..2022-05-31,unclear,skip,Giai đoạn 1",
        "two,phase,submitted,2022-06-01..,unclear,skip,Giai đoạn 2",
        "none,in_a_phase,submitted,,unclear,skip,Ngoài các giai đoạn",
    )
    applied = ["01/9/2021", "31/8/2021", "2 tháng 9 năm 2023", "", "hôm qua"]
    days = ["2022-05-31", "2022-06-01", "2021-12-31", "", "2030-01-01"]
    frame = pd.DataFrame([{**FULL, "id": str(place)} for place in range(5)])
    found = validity.judged(frame.assign(**{"Ngày áp dụng": applied, "submitted": days}), sheet)
    assert found["validity_codes"].tolist() == ["", "programme", "programme none", "", "programme"]
    assert found[PHASE].tolist() == ["Giai đoạn 1", "Giai đoạn 2", "", "", "Giai đoạn 2"]
    assert found["validity"].tolist() == ["valid", "invalid", "invalid", "valid", "invalid"]


@settings(max_examples=30)
@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.sampled_from(["", "x", "Không"]) for name in ("title", "description", "author", "unit")}
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_record_has_one_verdict_and_the_reasons_for_it(rows):
    """Valid is exactly without a reason; as many codes as reasons; filling a gap is never worse."""
    frame = pd.DataFrame([{**FULL, **row, "id": str(place)} for place, row in enumerate(rows)])
    found = validity.judged(frame, SHIPPED)
    assert found.drop(columns=list(VALIDITY)).equals(frame)
    for said, codes, reasons in found[list(VALIDITY)].itertuples(index=False):
        assert said in validity.VERDICTS
        assert (said == "valid") == (codes == "")
        assert len(codes.split()) == (len(reasons.split("; ")) if reasons else 0)
    order = {"valid": 0, "unclear": 1, "invalid": 2}
    filled = validity.judged(frame.assign(author="Lê A"), SHIPPED)["validity"].map(order)
    assert (filled <= found["validity"].map(order)).all()


def test_the_shipped_sheet_is_a_sheet_of_rules():
    """Every row of the shipped sheet has a reason in Vietnamese; the dates of a programme are off."""
    assert {"title", "description", "applied", "decision"} <= {rule.code for rule in SHIPPED}
    assert not {"programme", "phase_1"} & {rule.code for rule in SHIPPED}
    assert all(rule.reason for rule in SHIPPED)
    text = checkout("data", "validity.csv").read_text(encoding="utf-8")
    switched = text.replace(",off,", ",invalid,")
    assert {"programme", "phase_1"} <= {rule.code for rule in validity.parse(switched, file="x")}
    assert set(NAMES) == set(validity.VERDICTS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,check\n", "columns"),
        (f"{HEAD}\na,guess,title,,invalid,skip,x", "guess"),
        (f"{HEAD}\na,filled,title,,perhaps,skip,x", "perhaps"),
        (f"{HEAD}\na,filled,title,,invalid,perhaps,x", "missing"),
        (f"{HEAD}\n\na,date_between,title,2021,invalid,skip,x", "row 3"),
        (f"{HEAD}\na,phase,title,2021-13-01..,invalid,skip,x", "2021-13-01"),
    ],
)
def test_a_sheet_that_is_none_is_refused(content, said):
    """What is no rule is said with its row and what is known instead."""
    with pytest.raises(UsageError, match=said):
        validity.parse(content, file="rules.csv")


def test_a_sheet_as_excel_saves_it(tmp_path):
    """Semicolons and a byte order mark are read; a sheet that is not there is named."""
    path = tmp_path / "quy-tắc.csv"
    text = f"{HEAD.replace(',', ';')}\na;filled;author;;invalid;skip;Thiếu tác giả"
    path.write_text(text, encoding="utf-8-sig")
    assert starter.rules(path)[0].reason == "Thiếu tác giả"
    with pytest.raises(InputNotFound, match=r"none\.csv"):
        starter.rules(tmp_path / "none.csv")


def test_a_run_says_it_in_every_output(tmp_path):
    """The table for programs, the counts and the workbook carry the verdict, its codes and its reason."""
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "new.csv"
    table = pd.DataFrame(
        [
            ("1", "Máy gieo hạt", "Thêm phễu", "Lê A", "Tổ 1", "1/3/2022", "Có"),
            ("2", "Máy cắt", "Thêm dao", "Lê B", "Tổ 2", "2/3/2022", "Chưa"),
        ],
        columns=["Mã", "Tên SK", "Nội dung", "Tác giả", "Đơn vị", "Ngày nộp", "Đã áp dụng"],
    )
    table.to_csv(path, index=False)
    outcome = flow.run(read.tables([path]), None, flow.Tools(rules=SHIPPED))
    published = report.publish(outcome, tmp_path / "out")
    found = pd.read_parquet(published.folder / "initiatives.parquet")
    assert found["validity"].tolist() == ["valid", "invalid"]
    assert found["validity_codes"].tolist() == ["", "applied"]
    assert '"invalid": 1' in (published.folder / "run.json").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(published.folder / report.WORKBOOK)
    said = [cell.value or "" for row in book["Thiếu thông tin"].iter_rows() for cell in row]
    assert any("Chưa được áp dụng" in str(cell) for cell in said)
    totals = [row[1].value for row in book["Tổng hợp"].iter_rows()]
    assert "Chưa hợp lệ" in totals
