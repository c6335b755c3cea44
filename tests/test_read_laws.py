"""Laws of reading: nothing is lost, nothing is changed, and what is refused is kept verbatim."""

import csv
import io
import json
import random

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pipeline import read
from pipeline.errors import NoUsableRow

LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
FEW = settings(LAW, max_examples=8)
COLUMNS = ("id", "title", "description", "author", "note")
TEXT = st.text(
    st.one_of(
        st.sampled_from("aăâđêôơưÁẾ 0,;\t|\"'\n\r\\=-\u2028\x85\u200b\U0001f600"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=20,
).filter(lambda text: "\0" not in text)
SHEET_TEXT = st.text(
    st.one_of(
        st.sampled_from("aăđẾ 0,;\t\n\"'=-+@"),
        st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn"]),
    ),
    max_size=20,
)


def initiatives(texts):
    """Return a strategy of tables whose rows are sure to be initiatives with ids of their own."""
    row = st.tuples(texts, texts, texts, texts)
    return st.lists(row, min_size=1, max_size=6).map(
        lambda rows: [[f"A{n:03}", f"Máy {title}", *rest] for n, (title, *rest) in enumerate(rows)]
    )


def equation(reading):
    """Assert that every row is accounted for, file by file and together."""
    for source in reading.sources:
        assert source.read == source.accepted + source.quarantined + source.blank
        mine = [row for row in reading.quarantine if row.file == source.file and row.row > 0]
        assert len(mine) == source.quarantined
        assert (reading.batch["source_file"] == source.file).sum() == source.accepted


def write_csv(path, rows, *, delimiter=",", encoding="utf-8"):
    """Write a well-formed file with the csv module."""
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows([COLUMNS, *rows])


def same(reading, rows):
    """Assert that the batch holds exactly ``rows``."""
    assert reading.batch[list(COLUMNS)].to_numpy().tolist() == rows
    equation(reading)


@LAW
@given(
    rows=initiatives(TEXT),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_csv_round_trip(tmp_path, rows, delimiter, encoding):
    """What the csv module writes is read back letter for letter, whatever the delimiter and encoding."""
    path = tmp_path / "a.csv"
    write_csv(path, rows, delimiter=delimiter, encoding=encoding)
    same(read.tables([path]), rows)


@LAW
@given(rows=initiatives(TEXT))
def test_csv_oracle(tmp_path, rows):
    """On well-formed input our own splitting agrees with the csv module's."""
    path = tmp_path / "a.csv"
    write_csv(path, rows)
    text = path.read_bytes().decode()
    oracle = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert read.tables([path]).batch[list(COLUMNS)].to_numpy().tolist() == oracle


@LAW
@given(rows=initiatives(TEXT))
def test_jsonl_and_parquet_round_trip(tmp_path, rows):
    """Cells survive JSON Lines and Parquet unchanged."""
    lines, columnar = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    lines.write_text(
        "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows), encoding="utf-8"
    )
    pd.DataFrame(rows, columns=list(COLUMNS), dtype="str").to_parquet(columnar)
    same(read.tables([lines]), rows)
    same(read.tables([columnar]), rows)


@FEW
@given(rows=initiatives(SHEET_TEXT))
def test_xlsx_round_trip_and_oracle(tmp_path, rows):
    """Cells survive XLSX unchanged, as openpyxl reads them too."""
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Danh sách")
    for number, row in enumerate([COLUMNS, *rows]):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    book.close()
    same(read.tables([path]), rows)
    oracle = openpyxl.load_workbook(path).active.iter_rows(min_row=2, max_col=len(COLUMNS), values_only=True)
    assert [[cell or "" for cell in row] for row in oracle] == rows


def damaged(rng, clean):
    """Return a clean file with three random mutations of its bytes."""
    data = bytearray(clean)
    for _ in range(3):
        at = rng.randrange(60, len(data))
        kind = rng.randrange(8)
        if kind == 0:
            data[at:at] = b'"'
        elif kind == 1:
            data[at] = 0xFF
        elif kind == 2:
            data[at:at] = rng.choice([b",", b";;", b",,,"])
        elif kind == 3:
            del data[at : at + rng.randrange(1, 40)]
        elif kind == 4:
            data[at:at] = b"\0"
        elif kind == 5:
            data[at:at] = rng.choice([b"\n\n", b"\r", b"\r\n"])
        elif kind == 6:
            data[at:at] = data[100 : 100 + rng.randrange(1, 200)]
        else:
            del data[max(at, len(data) - 50) :]
    return bytes(data)


@pytest.fixture
def clean():
    """Return a well-formed file of 200 rows."""
    lines = ["Mã số,Tên sáng kiến,Nội dung,Tác giả"]
    lines += [
        f'SK{n:04},"Cải tiến máy số {n}, loại {n % 7}","Mô tả\nthứ {n}",Nguyễn Văn {n}' for n in range(200)
    ]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("seed", range(50))
def test_damage_is_accounted_for(tmp_path, clean, seed):
    """After random damage the equation holds, refused rows stand verbatim in the file, and few are lost."""
    data = damaged(random.Random(seed), clean)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    reading = read.tables([path])
    equation(reading)
    source = data.decode("utf-8", "backslashreplace")
    assert all(row.raw in source for row in reading.quarantine)
    assert len(reading.batch) >= 180


@LAW
@given(data=st.binary(max_size=300))
def test_any_bytes(tmp_path, data):
    """Bytes that are no table are refused with a sentence and never end in another exception."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"title\n" + data)
    try:
        equation(read.tables([path]))
    except NoUsableRow as error:
        equation(error.reading)


def test_a_file_named_twice_keeps_its_short_name(tmp_path):
    """Naming one file twice puts no folder of this machine into the results."""
    (tmp_path / "a.csv").write_text("id,title\n1,Máy gieo hạt\n", encoding="utf-8")
    reading = read.tables([tmp_path / "a.csv", tmp_path / "a.csv"])
    assert [source.file for source in reading.sources] == ["a.csv", "a.csv"]
    assert [row.code for row in reading.quarantine] == ["E-FILE-TWICE"]


def test_a_table_of_blank_rows_says_so(tmp_path):
    """Where every row is blank the error has a reason that names the file."""
    (tmp_path / "a.csv").write_text("id,title\n,\n,\n", encoding="utf-8")
    with pytest.raises(NoUsableRow, match=r"a\.csv"):
        read.tables([tmp_path / "a.csv"])


def test_a_missing_number_is_no_text(tmp_path):
    """NaN in a number column of a Parquet file is an empty cell, so that two of them are not one id."""
    path = tmp_path / "a.parquet"
    columns = {
        "id": pa.array([1.0, float("nan"), float("nan")]),
        "title": ["Máy gieo hạt", "Máy tuốt", "Máy bơm"],
    }
    parquet.write_table(pa.table(columns), path)
    batch = read.tables([path]).batch
    assert batch["id"].str.startswith("SK-").tolist() == [False, True, True]
