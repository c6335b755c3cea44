"""The register of units: found by any name as of a day, and what it does not have is told, never taken."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import flow, read, report, starter, units
from pipeline.errors import InputNotFound, UsageError
from pipeline.records import REGISTERED

SHEET = starter.unit_names()
ROWS = (
    units.Unit("Bệnh viện Bạch Mai", "Công đoàn Y tế Việt Nam", "hành chính sự nghiệp"),
    units.Unit("Công ty may Ba Sao, Hà Nam", "LĐLĐ tỉnh Hà Nam", "doanh nghiệp", until="2025-06-30"),
    units.Unit("Công ty may Ba Sao, Ninh Bình", "LĐLĐ tỉnh Ninh Bình", "doanh nghiệp", since="2025-07-01"),
    units.Unit("Khoa Nhi, Bệnh viện Thanh Nhàn", "Công đoàn ngành Y tế Hà Nội"),
)
REGISTER = units.Register(ROWS, SHEET)


@pytest.mark.parametrize(
    ("cell", "day", "union"),
    [
        ("BV BẠCH MAI", "", "Công đoàn Y tế Việt Nam"),
        ("Khoa Nhi - bv Bach Mai", "2022-01-01", "Công đoàn Y tế Việt Nam"),
        ("Cty may Ba Sao, Hà Nam", "2024-05-01", "LĐLĐ tỉnh Hà Nam"),
        ("Cty may Ba Sao, Hà Nam", "2026-05-01", "LĐLĐ tỉnh Ninh Bình"),
        ("Cty may Ba Sao - Ninh Bình", "2026-05-01", "LĐLĐ tỉnh Ninh Bình"),
        ("Khoa Nhi, BV Thanh Nhàn", "", "Công đoàn ngành Y tế Hà Nội"),
    ],
)
def test_a_unit_is_found_by_any_name_as_of_its_day(cell, day, union):
    """Abbreviations, departments, former names and moves between unions lead to the row that held then."""
    assert REGISTER.find(cell, day).upper_union == union


@pytest.mark.parametrize("cell", ["BV Bạch Mia", "BV Thanh Nhàn", "Công ty may Ba Sao", "", "không rõ"])
def test_what_is_not_there_is_not_guessed(cell):
    """A misspelt name, a whole whose part is registered, and a name that says too little are not found."""
    assert REGISTER.find(cell) is None


@given(st.sampled_from([unit.name for unit in ROWS]), st.sampled_from([str.upper, str.lower, str.title]))
def test_every_registered_name_is_found_and_nearest_to_itself(name, spelled):
    """Whatever its case, a name leads to its own row and is the first of its nearest."""
    assert REGISTER.find(spelled(name)).name.split(",")[0] == name.split(",")[0]
    assert REGISTER.nearest(name)[0] == name


@given(st.text(max_size=40))
def test_any_cell_is_known_or_told_with_names_of_the_register(cell):
    """Nearest names are names of the register, at most three, and a batch loses no row."""
    near = REGISTER.nearest(cell)
    assert len(near) <= 3
    assert set(near) <= {unit.name for unit in ROWS}
    batch = pd.DataFrame({"unit": [cell, cell], "submitted": ["", "2025-01-01"]})
    found, unknown = units.registered(batch, REGISTER)
    assert found[["unit", "submitted"]].equals(batch)
    assert sum(each.records for each in unknown) == sum(
        bool(cell.strip()) and not name for name in found[REGISTERED[0]]
    )


@pytest.mark.parametrize(
    ("days", "same"),
    [
        (("2022-01-01", "2023-01-01"), False),
        (("2022-01-01", "2025-07-01"), True),
        (("2025-08-01", "2026-01-01"), True),
        (("", ""), True),
        (("2022-01-01", ""), True),
        (("", "2025-06-30"), False),
    ],
)
def test_a_renaming_counts_for_a_new_name_used_after_it(days, same):
    """Before 1 July 2025 a company in Thành phố Hồ Chí Minh was not that in Bình Dương."""
    one, other = "Công ty May Sao, Bình Dương", "Công ty May Sao, TP.HCM"
    assert units.same_unit(one, other, SHEET, days=days) is same
    assert units.same_unit(other, one, SHEET, days=days[::-1]) is same


def test_the_scope_looks_at_days_too():
    """A pair of a former and a new name lies inside one place of work only after the renaming."""
    rows = pd.DataFrame(
        {
            "unit": ["Công ty May Sao, Bình Dương", "Công ty May Sao, TP.HCM", "Công ty May Sao, TP.HCM"],
            "upper_union": "",
            "submitted": ["2022-01-01", "2023-01-01", "2026-01-01"],
        }
    )
    later, earlier = np.array([1, 2]), np.array([0, 0])
    inside = units.in_scope(rows, later, earlier, scope="unit", sheet=SHEET)
    assert inside.tolist() == [False, True]


def test_renamings_of_the_shipped_sheet_have_days():
    """Each renaming of a province says since when: 2008, 1 January 2025, 1 July 2025."""
    days = {row.alias: row.since for row in SHEET.rows if row.renamed}
    assert set(days.values()) == {"2008-08-01", "2025-01-01", "2025-07-01"}
    assert days["Tỉnh Hà Tây"] == "2008-08-01"
    assert sum(day == "2025-07-01" for day in days.values()) == 29


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("unit,since\nA,\n", "name"),
        ("name,since\nA,1/7/2025\n", "row 2"),
        ("name;until\nA;2025-13-01", "row 2"),
    ],
)
def test_a_register_that_is_none_is_refused(tmp_path, content, said):
    """A register without names, or with a day that is none, is told what is wrong and where."""
    path = tmp_path / "units.csv"
    path.write_text(content, encoding="utf-8-sig")
    with pytest.raises(UsageError, match=said):
        starter.register(path, SHEET)
    with pytest.raises(InputNotFound, match=r"none\.csv"):
        starter.register(tmp_path / "none.csv", SHEET)


def test_a_run_lists_what_the_register_does_not_have(tmp_path):
    """Unknown names are in run.json and in the workbook with the nearest ones; totals use the register's."""
    path = tmp_path / "new.csv"
    pd.DataFrame(
        [
            ("1", "Máy gieo hạt", "BV Bạch Mai"),
            ("2", "Máy cắt", "bệnh viện bạch mai"),
            ("3", "Máy in", "Bệnh viện Bạch Mia"),
            ("4", "Máy ép", "Xưởng 9"),
            ("5", "Máy nén", ""),
        ],
        columns=["id", "title", "unit"],
    ).to_csv(path, index=False)
    outcome = flow.run(read.tables([path]), None, flow.Tools(register=REGISTER, unit_names=SHEET))
    folder = report.publish(outcome, tmp_path / "out").folder
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))["unknown_units"]
    assert told == [
        {"unit": "Bệnh viện Bạch Mia", "records": 1, "nearest": ["Bệnh viện Bạch Mai"]},
        {"unit": "Xưởng 9", "records": 1, "nearest": []},
    ]
    found = pd.read_parquet(folder / "initiatives.parquet")
    assert found["unit"].tolist()[0] == "BV Bạch Mai"
    assert found["registered_unit"].tolist() == ["Bệnh viện Bạch Mai"] * 2 + [""] * 3
    openpyxl = pytest.importorskip("openpyxl")
    totals = openpyxl.load_workbook(folder / report.WORKBOOK)["Tổng hợp"]
    rows = [tuple(cell.value for cell in row[:3]) for row in totals.iter_rows()]
    assert ("Sáng kiến theo đơn vị", "Bệnh viện Bạch Mai", 2) in rows
    assert ("Đơn vị không có trong danh bạ", "Bệnh viện Bạch Mia", 1) in rows


def test_the_register_places_a_record_that_names_no_upper_union():
    """For the scope of an upper union, the register says whose a unit is where the record does not."""
    records = pd.DataFrame({"unit": ["BV Bạch Mai"], "upper_union": [""], "submitted": [""]})
    found, _unknown = units.registered(records, REGISTER)
    assert found["registered_union"].tolist() == ["Công đoàn Y tế Việt Nam"]
