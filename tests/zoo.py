"""The zoo: what careless, damaged and hostile input becomes, case by case.

`test_zoo` holds the reader to it, and `docs/generate.py` writes the table of `docs/input.md` from it.
"""

from __future__ import annotations

import io
import json
import os
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xlsxwriter

HEAD: Final = "Mã số,Tên sáng kiến,Nội dung\n"
ROWS: Final = "1,Máy gieo hạt,Gieo đều\n2,Bếp đun trấu,Ít khói\n"
GOOD: Final = HEAD + ROWS
SHEET: Final = [
    ["Mã số", "Tên sáng kiến", "Nội dung"],
    ["1", "Máy gieo hạt", "a"],
    ["2", "Bếp đun trấu", "b"],
]

Content = str | bytes | Callable[[Path], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of input and what it gets.

    Attributes:
        group: Heading in the document.
        name: What the input is.
        files: Name to content; a function makes the file itself. They are read in this order.
        counts: Rows read, accepted, quarantined, blank.
        codes: Row and code of each line of the quarantine.
        says: A part of a message that people get, in English.
        exit: How the command ends.
    """

    group: str
    name: str
    files: Mapping[str, Content]
    counts: tuple[int, int, int, int]
    codes: tuple[tuple[int, str], ...] = ()
    says: str = ""
    exit: int = 0

    def write(self, folder: Path) -> list[Path]:
        """Make the files in ``folder``; return their paths."""
        paths = []
        for name, content in self.files.items():
            path = folder / name
            if callable(content):
                content(path)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(path)
        return paths


def csv(text: str | bytes, **more: Content) -> dict[str, Content]:
    """Return one CSV file (and others)."""
    return {"a.csv": text, **more}


def xlsx(**sheets: Iterable[Iterable[object]]) -> Callable[[Path], None]:
    """Return what writes a workbook."""

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)

    return write


def changed(
    change: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], object],
) -> Callable[[Path], None]:
    """Return what writes the workbook `SHEET` and does something to it."""

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("SK")
            for number, row in enumerate(SHEET):
                sheet.write_row(number, 0, row)
            change(book, sheet)

    return write


def with_hidden_sheet(book: xlsxwriter.Workbook, _: object) -> None:
    """Add a sheet that cannot be seen."""
    sheet = book.add_worksheet("Ẩn")
    sheet.write_row(0, 0, ["Tên sáng kiến"])
    sheet.write_row(1, 0, ["Lò sấy"])
    sheet.hide()


def packed(**parts: bytes | Iterable[bytes]) -> Callable[[Path], None]:
    """Return what writes the workbook `SHEET` with parts replaced or added."""

    def write(path: Path) -> None:
        xlsx(SK=SHEET)(path)
        old = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in source.namelist():
                if name not in parts:
                    new.writestr(name, source.read(name))
            for name, content in parts.items():
                with new.open(name, "w", force_zip64=True) as part:
                    for piece in [content] if isinstance(content, bytes) else content:
                        part.write(piece)

    return write


def sheet_xml(rows: str, *, before: str = "", head: str = "") -> bytes:
    """Return a sheet written by hand."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'{head}<worksheet xmlns="{space}">{before}<sheetData>{rows}</sheetData></worksheet>'.encode()


def inline(reference: str, text: str) -> str:
    """Return a cell with its text."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


TITLE: Final = f'<row r="1">{inline("A1", "Tên sáng kiến")}{inline("B1", "Nội dung")}</row>'
MACHINE: Final = f'<row r="2">{inline("A2", "Máy")}{inline("B2", "x")}</row>'
FAR: Final = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def half(path: Path) -> None:
    """Write the first half of a workbook."""
    xlsx(SK=SHEET)(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    """Write a workbook with one bit of its sheet turned."""
    xlsx(SK=SHEET)(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data[archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 120] ^= 1
    path.write_bytes(data)


def twice_in_it(path: Path) -> None:
    """Write a workbook one part of which stands twice."""
    xlsx(SK=SHEET)(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL/worksheets/sheet1.xml", sheet_xml(TITLE))


def as_1258(text: str) -> bytes:
    """Return ``text`` in windows-1258: letters composed, tones apart."""
    out = []
    for char in text:
        apart = unicodedata.normalize("NFD", char)
        tone = "".join(mark for mark in apart if mark in "\u0300\u0301\u0303\u0309\u0323")
        out.append(unicodedata.normalize("NFC", apart.replace(tone, "") if tone else apart) + tone)
    return "".join(out).encode("cp1258")


def thousand(change: Mapping[int, bytes]) -> bytes:
    """Return a table of 1,000 rows, some of them replaced."""
    rows = [f'{n},"Máy, số {n}",Mô tả\n'.encode() for n in range(1000)]
    for number, row in change.items():
        rows[number] = row
    return HEAD.encode() + b"".join(rows)


def refused(path: Path) -> None:
    """Write a file that may not be read."""
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0)


OFFICE: Final = [
    ["DANH SÁCH SÁNG KIẾN GIAI ĐOẠN 1"],
    [],
    ["STT", "Thông tin tác giả", "", "", "Sáng kiến", "", "Công đoàn cấp trên", "Quyết định", ""],
    ["", "Họ và tên", "Năm sinh", "CĐCS", "Tên", "Nội dung", "", "Số", "Ngày"],
    [f"({number})" for number in range(1, 10)],
    [1, "Nguyễn An", 1980, "Tổ 1", "Máy gieo hạt", "Gieo đều", "CĐ ngành Công thương", 12, "04/03/2025"],
    [2, "Trần Bình", 1985, "Tổ 2", "Bếp đun trấu", "Ít khói", "LĐLĐ quận Ba Đình", 13, "05/03/2025"],
    [],
    ["", "Tổng cộng", "", "", 2],
    ["", "Người lập biểu", "", "", "Thủ trưởng đơn vị"],
    ["", "Lê Cúc", "", "", "Phạm Dũng"],
]
"""What an office sends: the date is that of the decision, not of filing."""

EMPTY, ENCODING, TEXT, IDS = "Empty files", "Encodings", "CSV and text", "Ids"
HEADERS, SHEETS, HOSTILE, PATHS, JSON = "Headers", "Workbooks", "Hostile workbooks", "Files and paths", "JSON"
NONE: Final = (0, 0, 0, 0)

CASES: Final = (
    Case(
        group=EMPTY,
        name="0 bytes",
        files=csv(b""),
        counts=NONE,
        codes=((0, "E-EMPTY"),),
        says="the file is empty",
        exit=65,
    ),
    Case(
        group=EMPTY,
        name="a header only",
        files=csv(HEAD),
        counts=NONE,
        says="no row stands below the header",
        exit=65,
    ),
    Case(
        group=EMPTY,
        name="blank lines only",
        files=csv("\n \n,,\n"),
        counts=NONE,
        codes=((0, "E-EMPTY"),),
        exit=65,
    ),
    Case(
        group=EMPTY, name="a header and blank rows", files=csv(HEAD + ",,\n\n"), counts=(2, 0, 0, 2), exit=65
    ),
    Case(group=ENCODING, name="UTF-8 with BOM", files=csv(GOOD.encode("utf-8-sig")), counts=(2, 2, 0, 0)),
    Case(
        group=ENCODING,
        name="UTF-16 LE with BOM and tabs",
        files=csv(GOOD.replace(",", "\t").encode("utf-16")),
        counts=(2, 2, 0, 0),
    ),
    Case(
        group=ENCODING,
        name="UTF-16 BE without BOM",
        files=csv(GOOD.encode("utf-16-be")),
        counts=(2, 2, 0, 0),
        says="was read as UTF-16-BE",
    ),
    Case(
        group=ENCODING,
        name="windows-1258",
        files=csv(as_1258(GOOD)),
        counts=(2, 2, 0, 0),
        says="windows-1258",
    ),
    Case(
        group=ENCODING,
        name="one invalid byte in row 501",
        files=csv(thousand({500: b"500,M\xffy,x\n"})),
        counts=(1000, 999, 1, 0),
        codes=((502, "E-ENC"),),
    ),
    Case(
        group=ENCODING,
        name="two encodings in one file",
        files=csv(GOOD.encode() + "3,Lò sấy,".encode() + b"m\xe1y\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-ENC"),),
    ),
    Case(
        group=ENCODING,
        name="files joined, with a BOM and a second header in the middle",
        files=csv(GOOD + "\ufeff" + GOOD.replace("1,", "3,").replace("2,", "4,")),
        counts=(5, 4, 1, 0),
        codes=((4, "E-NOTDATA"),),
        says="byte order mark",
    ),
    Case(
        group=ENCODING,
        name="UTF-8 read as windows-1252 (repaired in the clean text)",
        files=csv(
            HEAD + "1," + "Cải tiến máy".encode().decode("cp1252", "replace").replace("\ufffd", "") + ",x\n"
        ),
        counts=(1, 1, 0, 0),
    ),
    Case(
        group=ENCODING,
        name="NUL in a cell",
        files=csv(GOOD + "3,a\0b,c\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-NUL"),),
    ),
    Case(
        group=ENCODING,
        name="control characters in a cell",
        files=csv(GOOD + "3,a\x01b\x1b,c\n"),
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=ENCODING,
        name="lone surrogate in JSON",
        files={"a.jsonl": '{"title": "a"}\n{"title": "\\ud800b"}\n'},
        counts=(2, 1, 1, 0),
        codes=((2, "E-JSON"),),
        says="half a character",
    ),
    Case(
        group=TEXT,
        name="a quotation mark that is not closed, in 1,000 rows",
        files=csv(thousand({500: '500,"Máy số 500,Mô tả\n'.encode()})),
        counts=(1000, 999, 1, 0),
        codes=((502, "E-QUOTE"),),
        says="opened and never closed",
    ),
    Case(
        group=TEXT,
        name="a quotation mark inside a cell",
        files=csv(GOOD + '3,Máy 5" mới,x\n'),
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=TEXT,
        name='text behind a closing quotation mark (`"a" b`)',
        files=csv(GOOD + '3,"Máy" mới,x\n'),
        counts=(3, 3, 0, 0),
        says="behind a closing quotation mark",
    ),
    Case(
        group=TEXT,
        name='quotation marks written `\\"`',
        files=csv(HEAD + '1,"Máy \\"gieo\\", mới",x\n2,"a \\"b\\"",y\n'),
        counts=(2, 2, 0, 0),
        says='are written \\"',
    ),
    Case(
        group=TEXT,
        name="a delimiter too many",
        files=csv(GOOD + "3,a,b,c\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-COLS"),),
        says="4 cells where the header has 3",
    ),
    Case(
        group=TEXT,
        name="a cell missing",
        files=csv(HEAD + "3,a\n" + ROWS),
        counts=(3, 2, 1, 0),
        codes=((2, "E-COLS"),),
        says="2 cells where the header has 3",
    ),
    Case(
        group=TEXT,
        name="line ends in a quoted cell",
        files=csv(HEAD + '1,"Máy\ngieo\r\nhạt",x\n'),
        counts=(1, 1, 0, 0),
    ),
    Case(
        group=TEXT, name="CR as the only line end", files=csv(GOOD.replace("\n", "\r")), counts=(2, 2, 0, 0)
    ),
    Case(
        group=TEXT,
        name="CRLF, LF and CR in one file: each ends a row",
        files=csv(HEAD + "1,a,b\r\n2,c,d\r3,e,f\n"),
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=TEXT,
        name="U+2028, U+2029, VT, FF, NEL in a cell end no row",
        files=csv(HEAD + "1,a\u2028b\u2029c\x0bd\x0ce\x85f,x\n"),
        counts=(1, 1, 0, 0),
    ),
    Case(group=TEXT, name="semicolons", files=csv(GOOD.replace(",", ";")), counts=(2, 2, 0, 0)),
    Case(group=TEXT, name="pipes", files=csv(GOOD.replace(",", "|")), counts=(2, 2, 0, 0)),
    Case(
        group=TEXT,
        name="`sep=;` above the header",
        files=csv("sep=;\n" + GOOD.replace(",", ";")),
        counts=(2, 2, 0, 0),
    ),
    Case(group=TEXT, name="no line end at the end", files=csv(GOOD.rstrip("\n")), counts=(2, 2, 0, 0)),
    Case(
        group=TEXT,
        name="cut in the middle of a row",
        files=csv(GOOD + '3,"Lò sấy'),
        counts=(3, 2, 1, 0),
        codes=((4, "E-TRUNC"),),
        says="ends in the middle",
    ),
    Case(
        group=TEXT,
        name="a cell of 200,000 characters",
        files=csv(GOOD + f"3,{'x' * 200_000},b\n"),
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=TEXT,
        name="a cell of 1,000,000 characters",
        files=csv(GOOD + f"3,http://{'!' * 1_000_000},b\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-LONG"),),
    ),
    Case(
        group=TEXT,
        name="a row of 5 MB without a line end",
        files=csv(GOOD + f"3,{'x' * 5_000_000},b\n4,Lò,c\n"),
        counts=(4, 3, 1, 0),
        codes=((4, "E-LONG"),),
    ),
    Case(
        group=TEXT,
        name="a row of 10,000 cells",
        files=csv(GOOD + ",x" * 10_000 + "\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-COLS"),),
    ),
    Case(
        group=TEXT,
        name="a header of 10,000 columns",
        files=csv("title," + ",".join(f"c{n}" for n in range(9999)) + "\n"),
        counts=NONE,
        codes=((0, "E-COLS"),),
        exit=65,
    ),
    Case(
        group=IDS,
        name="one id, the same content",
        files=csv(GOOD + "1,Máy gieo hạt,Gieo đều\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-ID-DUPLICATE"),),
    ),
    Case(
        group=IDS,
        name="one id, other content: both are set aside",
        files=csv(GOOD + "1,Lò sấy,x\n"),
        counts=(3, 1, 2, 0),
        codes=((2, "E-ID-CONFLICT"), (4, "E-ID-CONFLICT")),
    ),
    Case(
        group=IDS,
        name="no id (one is made from the content)",
        files=csv(GOOD + ",Lò sấy,x\n"),
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=IDS,
        name='"0", "N/A", "0000123", 20 digits',
        files=csv(HEAD + "0,a,x\nN/A,b,x\n0000123,c,x\n12345678901234567890,d,x\n"),
        counts=(4, 4, 0, 0),
    ),
    Case(
        group=IDS,
        name="an id that a spreadsheet shortened (1.23E+15)",
        files=csv(GOOD + "1.23E+15,Lò,x\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-ID-SCI"),),
        says="shortened by a spreadsheet",
    ),
    Case(
        group=IDS,
        name="ids that differ in case, spaces or look-alike letters",
        files=csv(HEAD + "SK-1,a,x\nsk-1,b,x\nЅК-1,c,x\n"),
        counts=(3, 3, 0, 0),
        says="differ from another only in case",
    ),
    Case(
        group=HEADERS,
        name='cells "NA", "NULL", "None", "nan", "TRUE"',
        files=csv(HEAD + "NA,NULL,None\nx,nan,TRUE\n"),
        counts=(2, 2, 0, 0),
    ),
    Case(
        group=HEADERS,
        name="no title and no description",
        files=csv("Mã số,Tên sáng kiếm mới\n1,a\n"),
        counts=NONE,
        codes=((0, "E-HEADER"),),
        says='Nearest headers found: "Tên sáng kiếm mới"',
        exit=65,
    ),
    Case(
        group=HEADERS,
        name='"Tên SK", "TEN SANG KIEN", "Tên sáng kiến/giải pháp"',
        files={
            "a.csv": "Tên SK\nMáy\n",
            "b.csv": "TEN SANG KIEN\nBếp\n",
            "c.csv": "Tên sáng kiến/giải pháp\nLò\n",
        },
        counts=(3, 3, 0, 0),
    ),
    Case(
        group=HEADERS,
        name="a header in TCVN3 (.VnTime)",
        files={
            "a.xlsx": xlsx(SK=[["STT", "Tªn s¸ng kiÕn", "T¸c gi¶"], [1, "M¸y gieo h¹t", "NguyÔn V¨n An"]])
        },
        counts=(1, 1, 0, 0),
    ),
    Case(
        group=HEADERS,
        name="two columns with one name that is needed",
        files=csv("Tên sáng kiến,Tên sáng kiến\na,b\n"),
        counts=NONE,
        codes=((0, "E-HEADER-DUP"),),
        says="stands more than once",
        exit=65,
    ),
    Case(
        group=HEADERS,
        name="two columns with one other name",
        files=csv("Tên sáng kiến,Ghi chú,Ghi chú\na,b,c\n"),
        counts=(1, 1, 0, 0),
        says='carried along as "Ghi chú (2)"',
    ),
    Case(
        group=HEADERS,
        name="a header in row 5, below a title",
        files=csv("CÔNG ĐOÀN,,\n\nDANH SÁCH,,\n\n" + GOOD),
        counts=(2, 2, 0, 0),
        says="the header stands in row 5",
    ),
    Case(
        group=HEADERS,
        name="a header of two rows with merged cells",
        files={
            "a.xlsx": xlsx(
                SK=[
                    ["STT", "Tác giả", "", "Sáng kiến", ""],
                    ["", "Tên", "CĐCS", "Tên", "Nội dung"],
                    [1, "An", "Tổ 1", "Máy gieo hạt", "x"],
                ]
            )
        },
        counts=(1, 1, 0, 0),
    ),
    Case(
        group=HEADERS,
        name="a header of two rows under a title, with column numbers, totals and signatures",
        files={"a.xlsx": xlsx(SK=OFFICE)},
        counts=(7, 2, 4, 1),
        codes=((5, "E-NOTDATA"), (9, "E-NOTDATA"), (10, "E-NOTDATA"), (11, "E-NOTDATA")),
        says="the header stands in row 3",
    ),
    Case(
        group=HEADERS,
        name="the numbers of the columns below the header",
        files=csv(HEAD + "(1),(2),(3)\n" + ROWS),
        counts=(3, 2, 1, 0),
        codes=((2, "E-NOTDATA"),),
    ),
    Case(
        group=HEADERS,
        name='"Tổng cộng", "Người lập biểu" and the name below',
        files=csv(GOOD + "Tổng cộng,2,\n,Người lập biểu,\n,Nguyễn Văn A,\n"),
        counts=(5, 2, 3, 0),
        codes=((4, "E-NOTDATA"), (5, "E-NOTDATA"), (6, "E-NOTDATA")),
    ),
    Case(
        group=HEADERS,
        name="the header again in mid-sheet",
        files=csv(GOOD + HEAD + "3,Lò,x\n"),
        counts=(4, 3, 1, 0),
        codes=((4, "E-NOTDATA"),),
    ),
    Case(
        group=HEADERS,
        name="neither a title nor a description in a row",
        files=csv(GOOD + "3, ,\n"),
        counts=(3, 2, 1, 0),
        codes=((4, "E-EMPTY-TEXT"),),
    ),
    Case(
        group=SHEETS,
        name="cells merged down",
        files={"a.xlsx": changed(lambda _, sheet: sheet.merge_range("D2:D3", "chung"))},
        counts=(2, 2, 0, 0),
        says="merged areas span several rows",
    ),
    Case(
        group=SHEETS,
        name="hidden rows and columns (read, and flagged `hidden_row`)",
        files={
            "a.xlsx": changed(
                lambda _, sheet: (
                    sheet.set_row(2, None, None, {"hidden": True}),
                    sheet.set_column("C:C", None, None, {"hidden": True}),
                )
            )
        },
        counts=(2, 2, 0, 0),
        says="1 hidden rows and 1 groups of hidden columns",
    ),
    Case(
        group=SHEETS,
        name="a hidden sheet",
        files={"a.xlsx": changed(with_hidden_sheet)},
        counts=(3, 3, 0, 0),
        says="the sheet is hidden",
    ),
    Case(
        group=SHEETS,
        name="several sheets: all with a header are read",
        files={"a.xlsx": xlsx(Một=SHEET, Hai=[["Báo cáo"], [5]], Ba=[["title"], ["Lò sấy"]])},
        counts=(3, 3, 0, 0),
        says="Hai: no header row was found",
    ),
    Case(
        group=SHEETS,
        name="a formula with its value",
        files={"a.xlsx": changed(lambda _, sheet: sheet.write_formula(1, 2, '="a"&"b"', None, "ab"))},
        counts=(2, 2, 0, 0),
    ),
    Case(
        group=SHEETS,
        name="a formula saved without its value",
        files={
            "a.xlsx": packed(
                **{
                    "xl/worksheets/sheet1.xml": sheet_xml(
                        TITLE + '<row r="2"><c r="A2"><f>B2&amp;"x"</f></c>' + inline("B2", "y") + "</row>"
                    )
                }
            )
        },
        counts=(1, 0, 1, 0),
        codes=((2, "E-FORMULA-NOVALUE"),),
        says="was saved without its value",
        exit=65,
    ),
    Case(
        group=SHEETS,
        name="#REF!, #N/A in a column that matters",
        files={"a.xlsx": changed(lambda _, sheet: sheet.write_formula(1, 1, "=#REF!", None, "#REF!"))},
        counts=(2, 1, 1, 0),
        codes=((2, "E-CELL"),),
        says="shows the error #REF!",
    ),
    Case(
        group=SHEETS,
        name="`=cmd|…`, `+`, `-`, `@` as text",
        files={"a.xlsx": xlsx(SK=[*SHEET, ["3", "=cmd|' /C calc'!A0", "@x"], ["4", "+1", "-1"]])},
        counts=(4, 4, 0, 0),
    ),
    Case(
        group=SHEETS,
        name="blank rows inside",
        files={"a.xlsx": xlsx(SK=[*SHEET, [], [], ["3", "Lò sấy", "c"]])},
        counts=(5, 3, 0, 2),
    ),
    Case(
        group=SHEETS,
        name="a workbook named .csv",
        files={"a.csv": xlsx(SK=SHEET)},
        counts=(2, 2, 0, 0),
        says="was read as XLSX",
    ),
    Case(
        group=SHEETS,
        name="a text named .xlsx",
        files={"a.xlsx": GOOD},
        counts=(2, 2, 0, 0),
        says="was read as CSV",
    ),
    Case(
        group=SHEETS,
        name="a web page named .xls",
        files={"a.xls": "<html><table><tr><td>x</td></tr></table></html>"},
        counts=NONE,
        codes=((0, "E-TYPE"),),
        says="a web page",
        exit=65,
    ),
    Case(
        group=SHEETS,
        name="a password",
        files={"a.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")},
        counts=NONE,
        codes=((0, "E-PASSWORD"),),
        says="protected by a password",
        exit=65,
    ),
    Case(
        group=SHEETS,
        name="`_x000D_` is the character it stands for",
        files={"a.xlsx": xlsx(SK=[["title"], ["a\rb"]])},
        counts=(1, 1, 0, 0),
    ),
    Case(
        group=SHEETS,
        name="a dimension that lies, or cannot be (A0:C9)",
        files={
            "a.xlsx": packed(
                **{"xl/worksheets/sheet1.xml": sheet_xml(TITLE + MACHINE, before='<dimension ref="A1"/>')}
            ),
            "b.xlsx": packed(
                **{
                    "xl/worksheets/sheet1.xml": sheet_xml(
                        TITLE + MACHINE.replace("Máy", "Bếp"), before='<dimension ref="A0:C9"/>'
                    )
                }
            ),
        },
        counts=(2, 2, 0, 0),
    ),
    Case(
        group=HOSTILE,
        name="half a file",
        files={"a.xlsx": half},
        counts=NONE,
        codes=((0, "E-XLSX-DAMAGED"),),
        says="the workbook is damaged",
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="one bit turned in a sheet",
        files={"a.xlsx": flipped},
        counts=NONE,
        codes=((0, "E-XLSX-DAMAGED"),),
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="a part that stands twice",
        files={"a.xlsx": twice_in_it},
        counts=NONE,
        codes=((0, "E-XLSX-DAMAGED"),),
        says="stands twice",
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="a part that points outside",
        files={"a.xlsx": packed(**{"xl/../../evil.xml": b"x"})},
        counts=NONE,
        codes=((0, "E-XLSX-DAMAGED"),),
        says="points outside",
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="a bomb: 30 MB of shared strings in 30 kB",
        files={"a.xlsx": packed(**{"xl/sharedStrings.xml": [b" " * (1 << 20)] * 30})},
        counts=NONE,
        codes=((0, "E-XLSX-LIMIT"),),
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="a bomb: one cell of 40 MB",
        files={
            "a.xlsx": packed(
                **{"xl/worksheets/sheet1.xml": [b"<worksheet><sheetData>", *[b"a" * (1 << 20)] * 40]}
            )
        },
        counts=NONE,
        codes=((0, "E-XLSX-LIMIT"),),
        says="packed over 200:1",
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="two cells, A1 and XFD1048576",
        files={"a.xlsx": packed(**{"xl/worksheets/sheet1.xml": sheet_xml(FAR)}), "b.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-XLSX-LIMIT"),),
        says="1048576 rows by 16384 columns",
    ),
    Case(
        group=HOSTILE,
        name="over 1,000 parts",
        files={"a.xlsx": packed(**{f"xl/media/{n}.bin": b"" for n in range(1001)})},
        counts=NONE,
        codes=((0, "E-XLSX-LIMIT"),),
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="entities and external DTDs",
        files={
            "a.xlsx": packed(
                **{
                    "xl/worksheets/sheet1.xml": sheet_xml(
                        TITLE, head='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                    )
                }
            )
        },
        counts=NONE,
        codes=((0, "E-XLSX-DAMAGED"),),
        says="no ordinary XML",
        exit=65,
    ),
    Case(
        group=HOSTILE,
        name="links, connections and macros (not followed, not run)",
        files={
            "a.xlsm": packed(
                **{
                    "xl/externalLinks/externalLink1.xml": b"<x/>",
                    "xl/connections.xml": b"<x/>",
                    "xl/vbaProject.bin": b"x",
                }
            )
        },
        counts=(2, 2, 0, 0),
        says="macros stand in the workbook",
    ),
    Case(
        group=JSON,
        name="JSON Lines with damaged lines",
        files={"a.jsonl": '{"title": "Máy"}\n[1]\n{"id": \n\n{"id": "2", "id": "3"}\n'},
        counts=(5, 1, 3, 1),
        codes=((2, "E-JSON"), (3, "E-JSON"), (5, "E-JSON")),
    ),
    Case(
        group=JSON,
        name="a JSON array",
        files={"a.json": json.dumps([{"id": "1", "title": "Máy"}, {"id": "2", "title": "Bếp"}], indent=1)},
        counts=(2, 2, 0, 0),
    ),
    Case(
        group=JSON,
        name="a JSON array with a damaged element",
        files={"a.json": '[\n{"id": "1", "title": "Máy},\n{"id": "2", "title": "Bếp"}\n]'},
        counts=(2, 1, 1, 0),
        codes=((1, "E-JSON"),),
    ),
    Case(
        group=JSON,
        name="a JSON array that was cut",
        files={"a.json": '[\n{"id": "1", "title": "Máy"},\n{"id": "2", "ti'},
        counts=(2, 1, 1, 0),
        codes=((2, "E-TRUNC"),),
    ),
    Case(
        group=PATHS,
        name="a folder, a pipe",
        files={"a": lambda path: path.mkdir(), "b": os.mkfifo, "c.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-TYPE"), (0, "E-TYPE")),
    ),
    Case(
        group=PATHS,
        name=".gz, .rar, .zip, .pdf, .docx",
        files={"a.gz": b"\x1f\x8b\x08", "b.rar": b"Rar!\x1a\x07", "c.pdf": b"%PDF-1.7", "d.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-TYPE"),) * 3,
        says="Unpack it",
    ),
    Case(
        group=PATHS,
        name="an .ods, an .xlsb",
        files={
            "a.ods": lambda path: zipfile.ZipFile(path, "w").writestr("mimetype", "x"),
            "b.xlsb": lambda path: zipfile.ZipFile(path, "w").writestr("xl/workbook.bin", "x"),
            "c.csv": GOOD,
        },
        counts=(2, 2, 0, 0),
        codes=((0, "E-TYPE"),) * 2,
        says="save it as .xlsx",
    ),
    Case(
        group=PATHS,
        name="no permission to any file",
        files={"a.csv": refused},
        counts=NONE,
        codes=((0, "E-PERM"),),
        says="Ask for read permission",
        exit=77,
    ),
    Case(
        group=PATHS,
        name="no permission to one file",
        files={"a.csv": refused, "b.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-PERM"),),
    ),
    Case(
        group=PATHS,
        name="a link that leads to itself",
        files={"a.csv": lambda path: path.symlink_to(path), "b.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-IO"),),
    ),
    Case(
        group=PATHS,
        name="names with spaces, line ends, dashes, NFD",
        files={" a b.csv": GOOD, "-rf\n.csv": HEAD + "3,Lò,x\n", "Sa\u0301ng.csv": HEAD + "4,Ao,x\n"},
        counts=(4, 4, 0, 0),
    ),
    Case(
        group=PATHS,
        name="`~$a.xlsx`, the lock file of an open workbook",
        files={"~$a.xlsx": b"x", "b.csv": GOOD},
        counts=(2, 2, 0, 0),
        says="lock file",
    ),
    Case(
        group=PATHS,
        name="the same file twice, renamed or not",
        files={"a.csv": GOOD, "b.csv": GOOD},
        counts=(2, 2, 0, 0),
        codes=((0, "E-FILE-TWICE"),),
        says="same bytes as a.csv",
    ),
)
