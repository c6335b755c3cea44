"""Dates: every usual form, and the column that decides where a cell could be read in two ways."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline import normalize, read
from pipeline.read import dates

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2049, 12, 31))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FORMS = {
    "slashes": lambda day: f"{day.day:02d}/{day.month:02d}/{day.year}",
    "bare": lambda day: f"{day.day}/{day.month}/{day.year}",
    "dashes": lambda day: f"{day.day:02d}-{day.month:02d}-{day.year}",
    "dots": lambda day: f"{day.day}.{day.month}.{day.year}",
    "iso": lambda day: day.isoformat(),
    "iso with time": lambda day: f"{day.isoformat()}T00:00:00",
    "month": lambda day: f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year}",
    "words": lambda day: f"{day.day:02d} tháng {day.month} năm {day.year}",
    "long words": lambda day: f"Hà Nội, ngày {day.day} tháng {day.month:02d} năm {day.year}",
}


@given(DAYS, st.sampled_from(sorted(FORMS)))
def test_every_form_says_the_same_day(day, form):
    """The usual forms of one day, by numbers, by a month's name and in words, are one ISO date."""
    assert dates.date(FORMS[form](day)) == day.isoformat()


@given(DAYS.filter(lambda day: day.day <= 28))
def test_two_digits_are_a_year_of_this_century(day):
    """A year of two digits belongs to the 2000s."""
    written = f"{day.day}/{day.month}/{day.year % 100:02d}"
    assert dates.date(written) == day.replace(year=2000 + day.year % 100).isoformat()


@given(st.text(max_size=70))
def test_any_text_is_a_date_or_none(text):
    """Whatever a cell holds, the answer is an ISO date or none, and asking a column changes neither."""
    found = dates.date(text)
    assert found is None or dt.date.fromisoformat(found)
    column = dates.column([text])
    assert column.order in {"day", "month", "unclear"}
    assert column.read(text) is None or dt.date.fromisoformat(column.read(text).iso)


@given(st.lists(DAYS, min_size=1, max_size=30), st.booleans())
def test_a_column_is_read_in_the_order_that_its_cells_show(days, month_first):
    """Where one date can only be month first, all are; where none can, the day stands first."""
    written = [day.strftime("%m/%d/%Y" if month_first else "%d/%m/%Y") for day in days]
    column = dates.column(written)
    telling = any(day.day > 12 for day in days)
    if telling:
        assert column.order == ("month" if month_first else "day")
        assert [column.read(cell).iso for cell in written] == [day.isoformat() for day in days]
    else:
        assert column.order == "day"
        assert [column.read(cell).iso for cell in written] == list(map(dates.date, written))


@given(st.lists(DAYS, min_size=1, max_size=20), st.randoms())
def test_the_order_of_the_cells_does_not_matter(days, random):
    """A column says the same however its rows are sorted."""
    written = [day.strftime("%d/%m/%Y" if day.year % 2 else "%m/%d/%Y") for day in days]
    shuffled = random.sample(written, len(written))
    assert dates.column(written) == dates.column(shuffled)


def test_cells_that_contradict_each_other_leave_the_others_unread():
    """With both orders among the certain dates, one that could be both is none; the certain day-first are."""
    column = dates.column(["25/03/2025", "03/25/2025", "12/03/2025"])
    assert column.order == "unclear"
    assert column.read("12/03/2025") is None
    assert column.read("25/03/2025") == ("2025-03-25", "")
    assert column.read("07/07/2025") == ("2025-07-07", "")
    assert column.read("03/25/2025") is None


def test_one_slip_among_many_does_not_turn_a_column():
    """A single impossible date among tens of ordinary ones is a slip of its own row."""
    column = dates.column([f"{day}/03/2025" for day in range(13, 30)] + ["03/25/2025", "12/03/2025"])
    assert column.order == "day"
    assert column.read("12/03/2025").iso == "2025-03-12"


@given(DAYS.filter(lambda day: day.year >= 2000))
def test_a_number_is_the_day_that_excel_counts(day):
    """Excel's count of days, alone or among dates, becomes the day; among other numbers it stays one."""
    serial = str((day - dt.date(1899, 12, 30)).days)
    for cells in ([serial], [serial, "25/03/2025", ""], [f"{serial}.5", serial]):
        assert dates.column(cells).read(serial) == (day.isoformat(), "serial_date")
    assert dates.column([serial, "12", "7", "phòng 3"]).read(serial) is None


def written(tmp_path: Path, rows: list[tuple[str, ...]], head: str = "Mã SK,Tên SK,Ngày nộp") -> Path:
    """Write a CSV and return its path."""
    path = tmp_path / "new.csv"
    path.write_text("\n".join([head, *map(",".join, rows)]) + "\n", encoding="utf-8")
    return path


def test_a_file_says_how_its_dates_were_read(tmp_path):
    """A table exported with the month first is read so, each inferred row is flagged, and a note says it."""
    rows = [("1", "Máy gieo hạt", "03/25/2025"), ("2", "Máy cắt", "12/03/2025"), ("3", "Máy in", "")]
    reading = read.tables([written(tmp_path, rows)])
    assert reading.batch["submitted"].tolist() == ["2025-03-25", "2025-12-03", ""]
    assert reading.batch["flags"].tolist() == ["month_first", "month_first", ""]
    assert [note for note in map(str, reading.sources[0].notes) if "1 dates" in note and "Ngày nộp" in note]


def test_dates_of_one_file_do_not_decide_for_another(tmp_path):
    """Each table has its own order of day and month."""
    first = written(tmp_path, [("1", "Máy gieo hạt", "03/25/2025"), ("2", "Máy cắt", "12/03/2025")])
    second = tmp_path / "other.csv"
    second.write_text("Mã SK,Tên SK,Ngày nộp\n3,Máy in,12/03/2025\n", encoding="utf-8")
    batch = read.tables([first, second]).batch
    assert batch["submitted"].tolist() == ["2025-03-25", "2025-12-03", "2025-03-12"]


def test_what_could_not_be_read_is_kept_as_it_was_written(tmp_path):
    """A date that is none is flagged and stands beside, under its header, as submitted."""
    batch = read.tables([written(tmp_path, [("1", "Máy gieo hạt", "31/02/2025")])]).batch
    assert batch.loc[0, ["submitted", "flags", "Ngày nộp (as submitted)"]].tolist() == [
        "",
        "bad_date",
        "31/02/2025",
    ]


def test_a_column_in_an_old_encoding_is_repaired_whole(tmp_path):
    """Short titles and names of units follow their column; the title submitted stays, the unit's is kept."""
    titles = ["S¸ng kiÕn míi", "C¶i tiÕn m¸y Ðp", "M¸y", "Bµn ghÕ", "Häc sinh tù häc", "§Ìn bµn"]
    units = ["Tæ 1", "§¬n vÞ 2", "Tr­êng mÇm non", "Phßng kÕ to¸n", "Tæ 1", "Khoa d­îc"]
    rows = [(str(place), title, unit) for place, (title, unit) in enumerate(zip(titles, units, strict=True))]
    reading = read.tables([written(tmp_path, rows, "Mã SK,Tên SK,Đơn vị")])
    assert reading.batch["title"].tolist() == titles
    assert reading.batch["unit"].tolist() == [
        "Tổ 1", "Đơn vị 2", "Trường mầm non", "Phòng kế toán", "Tổ 1", "Khoa dược",
    ]  # fmt: skip
    assert reading.batch["Đơn vị (as submitted)"].tolist() == units
    clean = normalize.frame(reading.batch)
    assert clean["clean_title"].tolist() == [
        "Sáng kiến mới", "Cải tiến máy ép", "Máy", "Bàn ghế", "Học sinh tự học", "Đèn bàn",
    ]  # fmt: skip
    assert clean.loc[2, "fixes"] == "tcvn3:1"
    assert clean.loc[2, "flags"].split()[0] == "legacy_encoding"
    assert sum("TCVN3" in str(note) for note in reading.sources[0].notes) == 2


def test_the_encoding_of_a_column_travels_with_the_record(tmp_path):
    """A batch that was stored and taken out again is cleaned as before: the record says what it was in."""
    titles = ["S¸ng kiÕn míi", "C¶i tiÕn m¸y Ðp", "M¸y", "Bµn ghÕ", "Häc sinh tù häc", "§Ìn bµn"]
    batch = read.tables([written(tmp_path, [(str(n), each, "") for n, each in enumerate(titles)])]).batch
    alone = batch[batch["title"] == "M¸y"].reset_index(drop=True)
    assert normalize.frame(alone)["clean_title"].tolist() == ["Máy"]
    assert normalize.frame(alone.drop(columns="encoding"))["clean_title"].tolist() == ["M¸y"]


def test_an_ordinary_table_says_nothing(tmp_path):
    """Of a table in Unicode with ordinary dates nothing is inferred, added or said."""
    rows = [("1", "Máy gieo hạt", "12/03/2025"), ("2", "Cà Mau", "13/03/2025"), ("3", "Hà Nội", "")]
    reading = read.tables([written(tmp_path, rows)])
    assert not reading.sources[0].notes
    assert set(reading.batch["flags"]) == {""}
    assert "encoding" not in reading.batch.columns
    assert pd.Series(reading.batch.columns).str.contains("as submitted").sum() == 0
