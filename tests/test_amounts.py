"""Numbers and money as offices write them: laws first, then the forms that were seen."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import flow, read, report
from pipeline.amounts import Style, style, unit_of

WORDS = {
    "nghìn": 10**3, "ngàn": 10**3, "triệu": 10**6, "tr": 10**6, "tỷ": 10**9, "tỉ": 10**9, "nghìn tỷ": 10**12,
}  # fmt: skip
WHOLE = st.integers(0, 10**15)


def vietnamese(number: int) -> str:
    """A whole number with dots between thousands."""
    return f"{number:,}".replace(",", ".")


@given(WHOLE, st.sampled_from(["", " đ", " đồng", "đồng", " VNĐ", " vnd"]))
def test_a_number_with_dots_comes_back(number, currency):
    """Whole đồng written with dots are themselves, with or without the currency."""
    assert Style().money(vietnamese(number) + currency) == number


@given(st.integers(10**6, 10**15))
def test_a_number_with_commas_comes_back_where_its_form_tells(number):
    """Two commas or more can only part thousands."""
    assert Style().money(f"{number:,}") == number
    assert Style().number(f"{number:,}.50") == Decimal(number) + Decimal("0.5")


@given(st.integers(1, 999_999), st.sampled_from(sorted(WORDS)), st.sampled_from(["", " đồng", " đồng/năm"]))
def test_a_word_multiplies(number, word, after):
    """So many nghìn, triệu or tỷ are that many times its value, however it is typed."""
    expected = number * WORDS[word]
    for text in (f"{vietnamese(number)} {word}{after}", f"{vietnamese(number)}{word}{after}".upper()):
        assert Style().money(text) == expected


@given(st.integers(1, 999), st.integers(1, 999), st.integers(0, 999))
def test_descending_units_add_up(billions, millions, thousands):
    """The amount "2 tỷ 500 triệu 30 nghìn" is the sum of its parts; in another order it is no amount."""
    text = f"{billions} tỷ {millions} triệu" + (f" {thousands} nghìn" if thousands else "")
    assert Style().money(text) == billions * 10**9 + millions * 10**6 + thousands * 10**3
    assert Style().money(f"{millions} triệu {billions} tỷ") is None


@given(st.integers(1, 999), st.integers(0, 999))
def test_what_follows_a_unit_is_its_fraction(whole, part):
    """So "1tr2" is 1,2 triệu and "2 tỷ 500" 2,5 tỷ: both ways of saying it agree."""
    digits = f"{part:03d}"
    assert Style().money(f"{whole}tr{digits}") == whole * 10**6 + part * 1000
    assert Style().money(f"{whole} tỷ {digits}") == Style().money(f"{whole},{digits}0 tỷ")


@given(st.text(max_size=100))
def test_any_text_is_an_amount_or_none(text):
    """Whatever a cell holds, the answer is a whole number of đồng or none."""
    found = Style().money(text)
    assert found is None or isinstance(found, int)
    number = Style().number(text)
    assert number is None or number.is_finite()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1tr2", 1_200_000),
        ("10 triệu", 10_000_000),
        ("33.000 tỷ", 33 * 10**12),
        ("2 tỷ 500 triệu", 2_500_000_000),
        ("1,5 tỷ đồng/năm", 1_500_000_000),
        ("1.5 triệu", 1_500_000),
        ("khoảng 12 triệu đồng", 12_000_000),
        ("Tiết kiệm: 300.000đ", 300_000),
        ("1 000 000", 1_000_000),
        ("500k", 500_000),
        ("-1.000.000", -1_000_000),
        ("(1.000.000)", -1_000_000),
        ("1.000,5 nghìn", 1_000_500),
        ("0,5 triệu đồng", 500_000),
        ("1,000", None),
        ("10.000 USD", None),
        ("10-20 triệu", None),
        ("1.00.000", None),
        ("1,5", None),
        ("10 triệu và 5 máy", None),
        ("nhiều", None),
        ("", None),
    ],
)
def test_forms_of_money(text, expected):
    """Forms that were seen; what could be two amounts, or is in another currency, is none."""
    assert Style().money(text) == expected


def test_a_column_tells_how_its_numbers_are_written():
    """One certain number decides for the others; a header may count in millions; two ways tell nothing."""
    assert style("Làm lợi", ["1,250,000", "3,500"]).money("3,500") == 3_500
    assert style("Làm lợi (triệu đồng)", ["12,5", "3,500"]).money("3,500") == 3_500_000
    assert style("Làm lợi", ["1,250,000", "1.250.000"]).money("3,500") is None
    assert style("Làm lợi (tr.đ)", []).money("7") == 7_000_000
    assert style("Làm lợi (triệu đồng)", []).money("7 tỷ") == 7 * 10**9
    assert [unit_of(each) for each in ("ĐVT: 1.000 đ", "nghìn tỷ đồng", "Tỷ lệ", "triệu đồng")] == [
        1_000, 10**12, 1, 10**6,
    ]  # fmt: skip


def test_a_column_of_benefits_is_read_and_summed(tmp_path):
    """The batch has the benefit in đồng, says how many were read, and the totals have their sum."""
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "new.csv"
    rows = [
        ("1", "Máy gieo", "12,5"),
        ("2", "Máy cắt", "2 tỷ"),
        ("3", "Máy in", "nhiều"),
        ("4", "Máy ép", ""),
    ]
    pd.DataFrame(rows, columns=["id", "title", "Giá trị làm lợi (triệu đồng)"]).to_csv(path, index=False)
    reading = read.tables([path])
    assert reading.batch["benefit"].tolist() == ["12500000", "2000000000", "", ""]
    assert reading.batch["Giá trị làm lợi (triệu đồng)"].tolist() == ["12,5", "2 tỷ", "nhiều", ""]
    assert any(
        "of 3 amounts" in str(note) and "2 were read" in str(note) for note in reading.sources[0].notes
    )
    folder = report.publish(flow.run(reading, None, flow.Tools()), tmp_path / "out").folder
    totals = openpyxl.load_workbook(folder / report.WORKBOOK)["Tổng hợp"]
    assert 2_012_500_000 in [row[2].value for row in totals.iter_rows()]
