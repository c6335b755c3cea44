"""The zoo of bad input: what a hostile or careless file becomes, case by case."""

import datetime as dt
import io
import json
import os
import random
import time
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from pipeline import read
from pipeline.errors import InputNotFound, NoUsableRow, UsageError

HEAD = "Mã số,Tên sáng kiến,Nội dung\n"


@pytest.fixture
def given(tmp_path):
    """Return a function that writes a file and reads it."""

    def write(content, name="a.csv", **others):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        for other, text in others.items():
            (tmp_path / other).write_bytes(text.encode())
        return read.tables([tmp_path / name, *(tmp_path / other for other in others)])

    return write


@pytest.fixture
def workbook(tmp_path):
    """Return a function that writes the sheets of an XLSX file and gives its path."""

    def write(name="a.xlsx", **sheets):
        path = tmp_path / name
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            for title, rows in sheets.items():
                sheet = book.add_worksheet(title)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)
        return path

    return write


def codes(reading):
    """Return (row, code) of what was refused."""
    return [(row.row, row.code) for row in reading.quarantine]


def titles(reading):
    """Return the titles that were accepted."""
    return reading.batch["title"].tolist()


def refusal(content, path):
    """Return the code for a file that cannot be read as a whole."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NoUsableRow) as caught:
        read.tables([path])
    (only,) = caught.value.reading.quarantine
    assert only.row == 0
    assert path.name in str(only.note)
    assert "{" not in str(only.note)
    return only.code


# Text files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(given, encoding, ending):
    """UTF-8 and UTF-16, with and without BOM, and every line end read alike; no final line end is needed."""
    text = (HEAD + "007,Máy gieo hạt,Gieo đều\n008,Bếp đun trấu,Ít khói").replace("\n", ending)
    reading = given(text.encode(encoding))
    assert reading.batch["id"].tolist() == ["007", "008"]
    assert titles(reading) == ["Máy gieo hạt", "Bếp đun trấu"]
    assert reading.batch["source_row"].tolist() == ["2", "3"]


def as_1258(text):
    """Return ``text`` in windows-1258: letters composed, tones apart."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    out = []
    for char in unicodedata.normalize("NFC", text):
        apart = unicodedata.normalize("NFD", char)
        tone = "".join(mark for mark in apart if mark in tones)
        out.append(unicodedata.normalize("NFC", apart.replace(tone, "") if tone else apart) + tone)
    return "".join(out).encode("cp1258")


def test_windows_1258(given):
    """windows-1258 is recognised, composed, and said."""
    reading = given(as_1258(HEAD + "1,Cải tiến máy gặt đập liên hợp,Giảm thất thoát\n" * 1))
    assert titles(reading) == ["Cải tiến máy gặt đập liên hợp"]
    assert any("WINDOWS-1258" in str(note).upper() for note in reading.sources[0].notes)


def test_bytes_of_old_fonts_are_converted_and_said(tmp_path):
    """A file saved in TCVN3 or VNI is read in Unicode, with a word of warning; other bytes are refused."""
    rows = "1,Thùc tr¹ng y tÕ,C¶i tiÕn m¸y gÆt ®Ëp\n2,S¸ng kiÕn míi,Nhµ m¸y\n"
    (tmp_path / "a.csv").write_bytes(f"Sè,Tªn s¸ng kiÕn,Néi dung\n{rows}".encode("cp1252"))
    rows = "1,Thöïc traïng y teá,Caûi tieán maùy gaët ñaäp\n2,Saùng kieán môùi,Nhaø maùy\n"
    (tmp_path / "b.csv").write_bytes(f"Soá,Teân saùng kieán,Noäi dung\n{rows}".encode("cp1252"))
    for name in ("a.csv", "b.csv"):
        reading = read.tables([tmp_path / name])
        assert reading.batch["title"].tolist() == ["Thực trạng y tế", "Sáng kiến mới"]
        assert reading.batch["description"].tolist() == ["Cải tiến máy gặt đập", "Nhà máy"]
        assert any("Check the Vietnamese letters" in str(note) for note in reading.sources[0].notes)
    assert refusal(bytes(range(0x80, 0x100)) * 3, tmp_path / "c.csv") == "E-ENC"


def test_one_bad_byte_costs_one_row(given):
    """One invalid byte in a row quarantines that row and no other."""
    rows = [f"{n},Máy số {n},Mô tả\n".encode() for n in range(1000)]
    rows[500] = b"500,M\xffy,x\n"
    reading = given(HEAD.encode() + b"".join(rows))
    assert codes(reading) == [(502, "E-ENC")]
    assert reading.quarantine[0].raw == "500,M\\xffy,x"
    assert len(reading.batch) == 999


def test_unclosed_quote_costs_one_record(given):
    """After an unclosed quotation mark reading goes on at the next whole line: 999 of 1,000 rows are kept."""
    rows = [f'{n},"Máy, số {n}",Mô tả\n' for n in range(1000)]
    rows[500] = '500,"Máy số 500,Mô tả\n'
    reading = given(HEAD + "".join(rows))
    assert codes(reading) == [(502, "E-QUOTE")]
    assert reading.quarantine[0].raw == rows[500].rstrip()
    assert len(reading.batch) == 999


def test_unclosed_quote_in_an_unquoted_file(given):
    """The mark may also never meet another one."""
    reading = given(HEAD + '1,"Máy,a\n2,Bếp,b\n3,Lò,c\n')
    assert codes(reading) == [(2, "E-QUOTE")]
    assert titles(reading) == ["Bếp", "Lò"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1,a,b,c", [(2, "E-COLS")]),
        ("1,a", [(2, "E-COLS")]),
        ('1,"a,b\nc","d",e', [(2, "E-COLS")]),
        ("1,a,b,,", []),
        ("1,a\0b,c", [(2, "E-NUL")]),
        (",,", []),
        ("", []),
        ("1, ,", [(2, "E-EMPTY-TEXT")]),
        ("Tổng cộng,2,", [(2, "E-NOTDATA")]),
        ("Tổng cộng", [(2, "E-NOTDATA")]),
        ("Mã số,Tên sáng kiến,Nội dung", [(2, "E-NOTDATA")]),
        ("\ufeffMã số,Tên sáng kiến,Nội dung", [(2, "E-NOTDATA")]),
        ("9,Tổng công ty và máy,x", []),
    ],
)
def test_row_by_row(given, line, expected):
    """Each damaged row has its code, and the row after it is read."""
    reading = given(HEAD + line + "\nZ,Máy,x\n")
    assert codes(reading) == expected
    assert titles(reading)[-1] == "Máy"


def test_messages_say_counts_and_place(given):
    """A wrong number of cells is told with file, row, and both numbers."""
    reading = given(HEAD + "1,a,b,c\n2,a,b\n")
    assert str(reading.quarantine[0].note).startswith("a.csv, row 2: 4 cells where the header has 3.")


@pytest.mark.parametrize(
    ("cell", "text"),
    [('Máy 5" mới', 'Máy 5" mới'), ('"Máy" mới', '"Máy" mới'), ("a\u2028b\x0bc\x85d", "a\u2028b\x0bc\x85d")],
)
def test_stray_marks_are_letters(given, cell, text):
    """Quotation marks inside a cell are kept; only CR and LF end a row."""
    assert titles(given(HEAD + f"1,{cell},x\n")) == [text]


def test_sep_line_and_semicolons(given):
    """A ``sep=`` line is understood, and lines are counted with it."""
    reading = given("sep=;\nMã số;Tên sáng kiến\n1;a, b\n")
    assert titles(reading) == ["a, b"]
    assert reading.batch["source_row"].tolist() == ["3"]


def test_one_column_with_commas(given):
    """A table of one column is not split at the commas of its texts."""
    assert titles(given("Tên sáng kiến\nMáy, bếp\nLò\n")) == ["Máy, bếp", "Lò"]


def test_long_cell_and_many_marks(given):
    """A cell of 200,000 characters, or of marks heaped on one letter, is kept and costs no time."""
    heap = "a" + "\u0301\u0323" * 50_000
    reading = given(HEAD + f"1,{'x' * 200_000},b\n{heap},Máy,c\n")
    assert [len(title) for title in titles(reading)] == [200_000, 3]


@pytest.mark.parametrize(
    "text", ["NA", "NULL", "None", "nan", "TRUE", "0000123", "12345678901234567890", "1e5", "=1+1"]
)
def test_every_cell_is_text(given, text):
    """Nothing that looks like a number, a truth value or a gap is turned into one."""
    reading = given(HEAD + f"{text},{text},{text}\n")
    assert reading.batch.loc[0, ["id", "title", "description"]].tolist() == [text] * 3


def test_json_lines(given):
    """Bad lines are refused one by one; half characters too; numbers keep their digits."""
    good = '{"Tên sáng kiến": "Máy", "id": 12345678901234567890, "n": 1.50, "x": null, "k": [1, "ă"]}\n'
    reading = given(
        good + '[1]\n{"id": \n\n{"id": "2", "id": "3"}\n{"Tên sáng kiến": "\\ud800b"}\n', "a.jsonl"
    )
    assert codes(reading) == [(2, "E-JSON"), (3, "E-JSON"), (5, "E-JSON"), (6, "E-JSON")]
    assert reading.batch.loc[0, ["id", "n", "x", "k"]].tolist() == [
        "12345678901234567890",
        "1.50",
        "",
        '[1, "ă"]',
    ]
    assert reading.sources[0].blank == 1


# Headers


def test_header_below_a_title_block(given):
    """The header is found under a title block, whatever its case, marks and punctuation."""
    text = "CÔNG ĐOÀN HÀ NỘI,,,\nDANH SÁCH SÁNG KIẾN,,,\n\n"
    text += "STT,TEN SANG KIEN/GIAI PHAP (*),Họ và tên,CĐCS\n1,Máy,An,Đội 1\n"
    reading = given(text)
    assert reading.batch.loc[0, ["title", "author", "unit", "STT"]].tolist() == ["Máy", "An", "Đội 1", "1"]
    assert reading.sources[0].columns["CĐCS"] == "unit"
    assert reading.made_ids == set(reading.batch["id"])
    assert any("row 4" in str(note) for note in reading.sources[0].notes)


def test_a_header_of_two_rows(tmp_path, workbook):
    """What stands above merged cells counts for each of them, and a word alone says nothing against it."""
    rows = [
        ["DANH SÁCH SÁNG KIẾN"],
        ["STT", "Thông tin tác giả", "", "Sáng kiến", "", "Công đoàn cấp trên", "Quyết định", ""],
        ["", "Họ và tên", "CĐCS", "Tên", "Nội dung", "", "Số", "Ngày"],
        [1, "An", "Tổ 1", "Máy gieo hạt", "Gieo đều", "CĐ ngành", 12, "04/03/2025"],
    ]
    reading = read.tables([workbook(S=rows)])
    columns = ["title", "description", "author", "unit", "upper_union", "submitted", "Quyết định / Ngày"]
    assert reading.batch.loc[0, columns].tolist() == [
        "Máy gieo hạt",
        "Gieo đều",
        "An",
        "Tổ 1",
        "CĐ ngành",
        "",
        "04/03/2025",
    ]
    assert reading.sources[0].columns["Thông tin tác giả / Họ và tên"] == "author"


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_headers_from_before_unicode(workbook, encoding):
    """A header in the bytes of an old font, seen as windows-1252, names the column it named then."""
    written = {
        "tcvn3": ["Tªn s¸ng kiÕn", "Néi dung gi¶i ph¸p", "T¸c gi¶", "§¬n vÞ"],
        "vni": ["Teân saùng kieán", "Noäi dung giaûi phaùp", "Taùc giaû", "Ñôn vò"],
    }[encoding]
    reading = read.tables([workbook(S=[written, ["Máy", "x", "An", "Tổ 1"]])])
    assert list(reading.sources[0].columns.values()) == ["title", "description", "author", "unit"]


def test_an_initiative_is_no_second_row_of_a_header(given):
    """A first row with few cells, or with a title that sounds like a header, stays a row."""
    reading = given("Mã số,Tên sáng kiến,Nội dung,Ghi chú\n,Mô tả công việc,,\n2,Đề tài,Nội dung,\n")
    assert titles(reading) == ["Mô tả công việc", "Đề tài"]


def test_two_headers_for_one_column(given):
    """The better name has the column, the other one is carried along, and both is said."""
    reading = given("Mã số,Sáng kiến,Tên sáng kiến,Ghi chú,Ghi chú\n1,b,a,c,d\n")
    assert reading.batch.loc[0, ["title", "Sáng kiến", "Ghi chú", "Ghi chú (2)"]].tolist() == list("abcd")
    assert len(reading.sources[0].notes) == 2


def test_columns_with_our_names_are_carried_along(given):
    """Reading our own output again overwrites nothing."""
    reading = given("id,title,source_file,flags\n1,a,b,c\n")
    assert reading.batch.loc[0, ["source_file", "source_file (input)", "flags (input)"]].tolist() == [
        "a.csv",
        "b",
        "c",
    ]


def test_no_header_names_the_nearest(tmp_path):
    """Without a title or description column the nearest header is named."""
    path = tmp_path / "a.csv"
    path.write_text("Mã số,Tên sáng kiếm mới\n1,a\n", encoding="utf-8")
    with pytest.raises(NoUsableRow, match="Tên sáng kiếm mới"):
        read.tables([path])


def test_aliases_can_be_edited(tmp_path, given):
    """A table of header names of one's own is used; a wrong row in it is named."""
    table = tmp_path / "headers.csv"
    table.write_text("alias,column\nCái hay,title\n", encoding="utf-8-sig")
    (tmp_path / "b.csv").write_text("Cái hay\nMáy\n", encoding="utf-8")
    assert titles(read.tables([tmp_path / "b.csv"], aliases=read.aliases(table))) == ["Máy"]
    table.write_text("alias,column\nCái hay,tiêu đề\n", encoding="utf-8")
    with pytest.raises(UsageError, match="row 2"):
        read.aliases(table)


# Meaning


@pytest.mark.parametrize(
    "written",
    [
        "2025-03-04",
        "04/03/2025",
        "4/3/25",
        "4.3.2025",
        "04-03-2025",
        "04 tháng 3 năm 2025",
        "2025-03-04T10:00:00+07:00",
        "2025/3/4",
        "04-Mar-25",
        "04/03/2025 0:00",
        "2025-03-04T00:00:00.000Z",
    ],
)
def test_dates(given, written):
    """Every usual way to write a date gives the same day; the day stands before the month."""
    assert given(f"title;Ngày nộp\nMáy;{written}\n").batch.loc[0, "submitted"] == "2025-03-04"


@pytest.mark.parametrize(
    "written",
    ["31/02/2025", "00/00/0000", "13/13/2025", "hôm qua", "2565-01-01", "12345", "04/03-2025", "٠٤/٠٣/٢٠٢٥"],
)
def test_dates_that_are_none(given, written):
    """A row whose date is no date is kept, flagged, and its date stands in a column of its own."""
    reading = given(f"id;title;Ngày nộp\n1;Máy;{written}\n")
    assert reading.batch.loc[0, ["submitted", "flags", "Ngày nộp (as submitted)"]].tolist() == [
        "",
        "bad_date",
        written,
    ]


def test_sectors(given):
    """Sectors are put into the two known words; what is neither is carried along."""
    reading = given("title,Khối\na,Doanh nghiệp\nb,HCSN\nc,Đơn vị sự nghiệp công lập\nd,Ngoài công lập\n")
    assert reading.batch["sector"].tolist() == ["enterprise", "public", "public", ""]
    assert reading.batch["Khối (as submitted)"].tolist() == ["", "", "", "Ngoài công lập"]


def test_ids_of_the_run(given):
    """The same row under one id counts once; different rows under one id are all refused, across files."""
    reading = given(HEAD + "1,a,x\n1,a,x\n2,b,x\n3,c,x\n", **{"b.csv": HEAD + "2,khác,x\n 3 ,c,x\n4,d,x\n"})
    assert [(row.file, row.row, row.code) for row in reading.quarantine] == [
        ("a.csv", 3, "E-ID-DUPLICATE"),
        ("a.csv", 4, "E-ID-CONFLICT"),
        ("b.csv", 2, "E-ID-CONFLICT"),
        ("b.csv", 3, "E-ID-DUPLICATE"),
    ]
    assert reading.batch["id"].tolist() == ["1", "3", "4"]
    assert reading.totals == {"read": 7, "accepted": 3, "quarantined": 4, "blank": 0}


def test_made_ids(given):
    """Rows without ids are initiatives of their own, with ids that depend on content alone."""
    first = given("title\nMáy\nMáy\nBếp\n")
    second = given("title;Ghi chú\nBếp;x\nMáy;y\n")
    assert first.batch["id"].is_unique
    assert first.batch.loc[1, "id"] == first.batch.loc[0, "id"] + "-2"
    assert second.batch["id"].tolist() == [first.batch.loc[2, "id"], first.batch.loc[0, "id"]]
    assert set(first.batch["flags"]) == {"id_made"}


def test_rows_below_the_signature(given):
    """What stands below a signature line is no initiative; an initiative whose title begins so is one."""
    text = "STT;Tên sáng kiến;Tác giả;Đơn vị\n1;Người lập biểu mẫu tự động;An;Tổ 1\n"
    text += ";Người lập biểu;;Thủ trưởng đơn vị\n;Nguyễn Văn A;;\n"
    reading = given(text)
    assert titles(reading) == ["Người lập biểu mẫu tự động"]
    assert codes(reading) == [(3, "E-NOTDATA"), (4, "E-NOTDATA")]


# Workbooks


def test_typed_cells(tmp_path):
    """Whole numbers have no ``.0``, dates are ISO, truth values are words, blank rows are counted."""
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Mã số", "Tên sáng kiến", "Ngày nộp", "Đúng", "Số"])
    evening = dt.datetime(2025, 3, 4, 17, 30)  # noqa: DTZ001 - a cell has no zone
    sheet.append([7, "Máy", evening, True, 0.5])
    sheet.append([])
    sheet.append(["0008", "NA", dt.date(2025, 3, 4), False, 1e20])
    book.save(path)
    reading = read.tables([path])
    assert reading.batch[["id", "title", "submitted", "Đúng", "Số"]].to_numpy().tolist() == [
        ["7", "Máy", "2025-03-04", "TRUE", "0.5"],
        ["0008", "NA", "2025-03-04", "FALSE", "1e+20"],
    ]
    assert reading.totals == {"read": 3, "accepted": 2, "quarantined": 0, "blank": 1}


def test_error_cells(tmp_path):
    """An Excel error in a column that matters refuses the row; in a carried one it is kept as text."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Danh sách")
        sheet.write_row(0, 0, ["Tên sáng kiến", "Nội dung", "Tra cứu"])
        sheet.write_row(1, 0, ["a", "b"])
        sheet.write_formula(1, 2, "=VLOOKUP(1,A1:B2,9)", None, "#N/A")
        sheet.write_row(2, 0, ["c", ""])
        sheet.write_formula(2, 1, "=A1/0", None, "#DIV/0!")
        sheet.write_row(3, 0, ["d", "#REF!"])
    reading = read.tables([path])
    assert titles(reading) == ["a", "d"]
    assert reading.batch.loc[0, "Tra cứu"] == "#N/A"
    (refused,) = reading.quarantine
    assert (refused.sheet, refused.row, refused.column, refused.code, refused.raw) == (
        "Danh sách",
        3,
        "Nội dung",
        "E-CELL",
        "c\t#DIV/0!",
    )


def test_sheets(tmp_path, workbook):
    """Every sheet with a header is read, and rows of later sheets say which; the rest is noted."""
    path = workbook(Một=[["title"], ["a"]], Hai=[["Báo cáo"], [5]], Ba=[], Bốn=[["x"], ["title"], ["b"]])
    reading = read.tables([path])
    assert reading.batch["source_row"].tolist() == ["2", "Bốn!3"]
    notes = " ".join(map(str, reading.sources[0].notes))
    assert "Hai: no header" in notes
    assert "Ba: the sheet is empty" in notes


def test_a_workbook_named_csv(workbook):
    """A file is what its bytes are, not what its name says; the difference is noted."""
    reading = read.tables([workbook("a.csv", S=[["title"], ["Máy"]])])
    assert reading.sources[0].kind == "xlsx"
    assert "XLSX" in str(reading.sources[0].notes[0])


def test_half_a_workbook(workbook, tmp_path):
    """A workbook cut anywhere is refused and named."""
    data = workbook(S=[["title"], ["Máy"]]).read_bytes()
    for part in (0.1, 0.5, 0.9, 0.99):
        assert refusal(data[: int(len(data) * part)], tmp_path / "cut.xlsx") in {"E-XLSX-DAMAGED", "E-TYPE"}


def test_one_flipped_byte_in_a_sheet(workbook, tmp_path):
    """Damage inside a part is found by its checksum."""
    path = workbook(S=[["title"], *([f"Máy {n}"] for n in range(99))])
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 120
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    assert refusal(bytes(data), tmp_path / "bad.xlsx") == "E-XLSX-DAMAGED"


def repacked(source, **changes):
    """Return the workbook ``source`` with parts replaced or added (bytes, or an iterable of bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, pieces in changes.items():
            with new.open(name, "w", force_zip64=True) as part:
                for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                    part.write(piece)
    return out.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
FAR = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        ("xl/worksheets/sheet1.xml", SHEET % FAR, "E-XLSX-LIMIT"),
        ("xl/sharedStrings.xml", [b" " * (1 << 20)] * 40, "E-XLSX-LIMIT"),
        ("xl/../../evil.xml", b"x", "E-XLSX-DAMAGED"),
        ("XL/workbook.xml", b"x", "E-XLSX-DAMAGED"),
    ],
)
def test_hostile_workbooks(workbook, tmp_path, part, content, code):
    """Far-away cells, bombs, paths that point outside and parts that stand twice are refused."""
    data = repacked(workbook(S=[["title"], ["Máy"]]), **{part: content})
    assert refusal(data, tmp_path / "bad.xlsx") == code


def test_too_many_parts(workbook, tmp_path):
    """An archive of more than a thousand parts is refused."""
    extra = {f"xl/media/{n}.bin": b"" for n in range(1001)}
    assert refusal(repacked(workbook(S=[["title"]]), **extra), tmp_path / "bad.xlsx") == "E-XLSX-LIMIT"


def test_the_child_process_dies_alone(workbook, tmp_path, monkeypatch):
    """What gets past the guard ends the reading process only; the other files are read."""
    monkeypatch.setattr("pipeline.read.workbook_guard.CELLS", 1 << 60)
    good = workbook(S=[["title"], ["Máy"]])
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(repacked(good, **{"xl/worksheets/sheet1.xml": SHEET % FAR}))
    reading = read.tables([bad, good])
    assert codes(reading) == [(0, "E-XLSX-LIMIT")]
    assert titles(reading) == ["Máy"]


# Files


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E-EMPTY"),
        ("\n\n \n", "E-EMPTY"),
        ("{}\n", "E-EMPTY"),
        (b"%PDF-1.7", "E-TYPE"),
        (b"\x1f\x8b\x08", "E-TYPE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "E-TYPE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "E-PASSWORD"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "E-XLSX-DAMAGED"),
        ("<html><table>", "E-TYPE"),
        (b"PAR1xxxx", "E-PARQUET"),
        ("Ngày,Tác giả\n1,2\n", "E-HEADER"),
    ],
)
def test_files_refused_as_a_whole(tmp_path, content, code):
    """A file that holds no table has one code and a sentence with advice."""
    assert refusal(content, tmp_path / "a.csv") == code


def test_one_bad_file_does_not_stop_the_others(given):
    """The good file is read; the bad one has a source of zeros and a line in the quarantine."""
    reading = given(b"%PDF-1.7", **{"b.csv": HEAD + "1,a,b\n"})
    assert [source.read for source in reading.sources] == [0, 1]
    assert codes(reading) == [(0, "E-TYPE")]


def test_header_only(tmp_path):
    """A header alone is no error of the file, but no row could be used."""
    (tmp_path / "a.csv").write_text(HEAD, encoding="utf-8")
    with pytest.raises(NoUsableRow, match="no row stands below the header") as caught:
        read.tables([tmp_path / "a.csv"])
    assert caught.value.reading.totals["read"] == 0


def test_paths(tmp_path):
    """A missing path stops at once; folders and pipes are refused unread; lock files are passed over."""
    good, lock = tmp_path / "a.csv", tmp_path / "~$a.xlsx"
    good.write_text(HEAD + "1,a,b\n", encoding="utf-8")
    lock.write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    reading = read.tables([good, lock, tmp_path, tmp_path / "pipe", Path("/dev/zero")])
    assert [row.code for row in reading.quarantine] == ["E-TYPE"] * 3
    assert "lock file" in str(reading.sources[1].notes[0])
    with pytest.raises(InputNotFound, match="gone"):
        read.tables([good, tmp_path / "gone.csv"])
    with pytest.raises(UsageError):
        read.tables([])


def test_no_permission(given, tmp_path, monkeypatch):
    """A file the system refuses is named, and the others go on."""
    real = Path.open

    def refuse(self, *args, **kwargs):
        if self.name == "secret.csv":
            raise PermissionError
        return real(self, *args, **kwargs)

    (tmp_path / "secret.csv").write_text("x", encoding="utf-8")
    (tmp_path / "a.csv").write_text(HEAD + "1,a,b\n", encoding="utf-8")
    monkeypatch.setattr(Path, "open", refuse)
    assert codes(read.tables([tmp_path / "secret.csv", tmp_path / "a.csv"])) == [(0, "E-PERM")]


def test_names_and_progress(tmp_path):
    """Files of one name are told apart by folder; progress is in bytes; the same bytes are read once."""
    done = []
    for folder, text in (("x", "1,a,b\n"), ("y", "2,b,c\n"), ("z", "1,a,b\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(HEAD + text, encoding="utf-8")
    paths = [tmp_path / folder / "a.csv" for folder in "xyz"]
    reading = read.tables(paths, progress=done.append)
    assert sum(done) == read.size(paths[:2])
    assert reading.batch["source_file"].tolist() == ["x/a.csv", "y/a.csv"]
    assert [row.code for row in reading.quarantine] == ["E-FILE-TWICE"]


def test_same_bytes_same_batch(tmp_path):
    """Reading twice gives equal batches of text without gaps."""
    (tmp_path / "a.jsonl").write_text(json.dumps({"title": "Máy", "n": 1}) + "\n{}\n", encoding="utf-8")
    first, second = (read.tables([tmp_path / "a.jsonl"]).batch for _ in range(2))
    assert first.equals(second)
    assert set(map(str, first.dtypes)) == {"str"}
    assert not first.isna().any(axis=None)


def test_error_cells_of_an_xls():
    """In an old workbook too an Excel error refuses the row where its column matters, and is kept elsewhere.

    The file was saved by LibreOffice from formulas.
    """
    reading = read.tables([Path(__file__).parent / "files" / "errors.xls"])
    assert [(row.sheet, row.row, row.column, row.code) for row in reading.quarantine] == [
        ("Danh sách", 3, "Tên sáng kiến", "E-CELL"),
        ("Danh sách", 4, "Nội dung", "E-CELL"),
        ("Hai", 2, "title", "E-CELL"),
    ]
    assert titles(reading) == ["Máy gieo hạt", "Ao cá", "Bơm nước", "Xe"]
    assert reading.batch.loc[1, "Tra cứu"] == "#DIV/0!"
    assert reading.totals == {"read": 7, "accepted": 4, "quarantined": 3, "blank": 0}


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_xls(tmp_path, seed):
    """An old workbook with bytes turned or cut is read, or refused with a sentence."""
    rng = random.Random(seed)
    data = bytearray((Path(__file__).parent / "files" / "errors.xls").read_bytes())
    for _ in range(20):
        data[rng.randrange(24, len(data))] = rng.randrange(256)
    (tmp_path / "a.xls").write_bytes(data[: rng.choice((len(data), 3000))])
    try:
        totals = read.tables([tmp_path / "a.xls"]).totals
    except NoUsableRow as error:
        totals = error.reading.totals
    assert totals["read"] == totals["accepted"] + totals["quarantined"] + totals["blank"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "title,x\n" + 'a,"b\n' * 40_000),
        ("a.csv", "title,x\n" + '"a\n"x,y,z\n' * 40_000),
        ("a.csv", "title,x\n" + "a,b\r" * 40_000),
        ("a.json", "[\n" + '{"title": "x\n' * 4_000),
        ("a.json", "[\n" + '{"title": {"a": \n' * 4_000),
    ],
)
def test_damage_everywhere_costs_no_time(tmp_path, name, text):
    """A file that is damaged in every row is gone through once, not once a row."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    started = time.process_time()
    try:
        totals = read.tables([tmp_path / name]).totals
    except NoUsableRow as error:
        totals = error.reading.totals
    assert totals["read"] >= 3_900
    assert time.process_time() - started < 15


@pytest.mark.parametrize("fill", [False, True])
def test_cells_merged_down_count_for_every_row_on_request(workbook, tmp_path, fill):
    """What is merged down stands in each of its rows where that is asked for, and in the first row else."""
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for row, cells in enumerate(
        [["id", "title", "unit"], ["1", "Máy", ""], ["2", "Đèn", ""], ["3", "Bơm", "B"]]
    ):
        sheet.write_row(row, 0, cells)
    sheet.merge_range("C2:C3", "Tổ A")
    book.close()
    reading = read.tables([path], fill=fill)
    assert reading.batch["unit"].tolist() == ["Tổ A", "Tổ A" if fill else "", "B"]
    wanted = "got their text" if fill else "--fill-merged"
    assert any(wanted in str(note) for note in reading.sources[0].notes)
