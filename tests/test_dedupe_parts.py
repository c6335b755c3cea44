"""The parts of a form: told by their headings, however written, and by nothing that only looks like one."""

from __future__ import annotations

import csv
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import normalize, starter
from pipeline.dedupe import parts as forms
from pipeline.dedupe.shingles import fingerprint
from pipeline.errors import UsageError
from pipeline.settings import checkout


def _sheet():
    with checkout("data", "form_headings.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(row["heading"], row["part"]) for row in csv.DictReader(file)]


SHEET = _sheet()
TABLE = forms.headings(SHEET)
BODY = "nhóm tiện khuôn gỗ dày bảy ly rồi ghép mộng"
SECTIONS = st.lists(
    st.sampled_from(
        [row for row in SHEET if row[1] in forms.KINDS[1:4] and " " in row[0] and "1" not in row[0]]
    ),
    min_size=1,
    max_size=5,
)
PIECES = (
    *("Giải pháp", "THỰC TRẠNG", "Kết quả", "kết quả là", "Tôi xin cam đoan", "Sau", "nội dung", "máy ép"),
    *(":", ". ", "\n", "- ", "1. ", "II. ", "Phần I", "a) ", "(nếu có)", " ", "; ", ",", "…", "“", "e\u0301"),
    *("\u0301", "²", "漢字", "🙂", "\u200b", "\ud800", "Đặt vấn đềTôi", "ĐẶT VẤN ĐỀTôi", "x" * 30),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def kinds(text):
    """The kinds of a text's parts, and their texts."""
    return [(part.kind, text[part.start : part.end]) for part in forms.parts(text, TABLE)]


def only_kinds(text):
    """The kinds of a text's parts."""
    return [part.kind for part in forms.parts(text, TABLE)]


def bare(text):
    """The text typed without marks, its signs and lines as they were."""
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter)
    ).translate({ord("đ"): "d", ord("Đ"): "D"})


@given(text=TEXTS)
@example(text="\u0301Giải pháp: khuôn gỗ")
@example(text="Tôi xin cam đoan là đúng.")
def test_parts_cover_the_text(text):
    """The parts stand in order without gap or overlap, none is empty, and neighbours differ in kind."""
    found = forms.parts(text, TABLE)
    assert "".join(text[part.start : part.end] for part in found) == text
    assert [part.start for part in found] == [0, *(part.end for part in found)][: len(found)]
    assert all(part.start < part.end for part in found)
    assert all(one.kind != other.kind for one, other in pairwise(found))


@given(texts=st.lists(TEXTS, max_size=8))
@example(texts=["", "Giải pháp: x", "", "\u0301", "một\u0301 Kết quả: y"])
@example(texts=[" ".join(["máy ép nhựa. Kết quả: tốt"] * 5000), "Giải pháp: x"])
def test_codes_stand_beside_the_syllables_of_the_fingerprint(texts):
    """Each syllable that the fingerprint counts has one code, and neighbours in a batch change none."""
    codes, bounds = forms.part_codes(texts, TABLE)
    assert bounds.tolist() == fingerprint(texts).starts.tolist()
    assert len(codes) == bounds[-1]
    for place, text in enumerate(texts):
        alone, _ = forms.part_codes([text], TABLE)
        assert codes[bounds[place] : bounds[place + 1]].tolist() == alone.tolist()


@given(text=TEXTS)
def test_codes_say_what_the_parts_say(text):
    """A syllable has the code of the part in which it begins: the slow way round gives the same."""
    codes, _ = forms.part_codes([text], TABLE)
    expected = []
    letter = False
    for place, point in enumerate(text):
        shape = normalize.fold_table()[ord(point) if not "\ud800" <= point <= "\udfff" else ord("?")]
        if shape == 0:
            continue
        if shape != ord(" ") and not letter:
            part = next(part for part in forms.parts(text, TABLE) if part.start <= place < part.end)
            expected.append(forms.KINDS.index(part.kind))
        letter = shape != ord(" ")
    assert codes.tolist() == expected


@given(text=TEXTS.filter(lambda text: not any("\ud800" <= point <= "\udfff" for point in text)))
def test_forms_of_unicode_are_one(text):
    """A text in NFD has, once clean, the parts it has in NFC; and the codes need no cleaning for that."""
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    one, other = (forms.part_codes([spelt], TABLE)[0].tolist() for spelt in (composed, decomposed))
    assert one == other
    clean = normalize.clean(decomposed).text
    assert kinds(clean) == kinds(normalize.clean(composed).text)


@pytest.mark.parametrize(
    "write",
    [
        lambda number, heading: f"{heading}: {BODY}.\n",
        lambda number, heading: f"{number}. {heading}: {BODY}. ",
        lambda number, heading: f"{number}. {heading}\n{BODY}.\n",
        lambda number, heading: f"{heading.upper()}\n- {BODY};\n- {BODY}\n",
        lambda number, heading: f"Phần {number}. {heading}: {BODY}\n",
        lambda number, heading: f"{'abcdeg'[number - 1]}) {heading} (nếu có): {BODY}\n",
        lambda number, heading: f"{number}/ {heading} : {BODY}. ",
        lambda number, heading: f"1.{number}. {heading}. {BODY.capitalize()}.\n",
        lambda number, heading: f"- {heading} - {BODY}.\n",
        lambda number, heading: bare(f"{number}) {heading}: {BODY}.\n"),
        lambda number, heading: unicodedata.normalize("NFD", f"{heading}: {BODY}.\n"),
        lambda number, heading: f"+ {heading.replace(' ', '  ')}:{BODY}.\n",
        lambda number, heading: f"{heading.replace(' ', '')}: {BODY}.\n",
        lambda number, heading: f"PHẦN {number}. {heading.upper()}{BODY.capitalize()}.\n",
    ],
    ids=range(14),
)
@settings(max_examples=20)
@given(sections=SECTIONS)
def test_planted_headings_are_found_however_written(write, sections):
    """Every heading of the sheet opens its part: numbered, in any case, spacing or spelling."""
    sections = [*sections, ("Nội dung giải pháp", "solution")]
    text = "".join(write(number, heading) for number, (heading, _) in enumerate(sections, start=1))
    bodies = [place for place in range(len(text)) if text.casefold().startswith("nhom tien", place)]
    if not bodies:
        bodies = [
            place
            for place in range(len(text))
            if unicodedata.normalize("NFC", text[place : place + 30]).casefold().startswith("nhóm tiện")
        ]
    found = forms.parts(text, TABLE)
    told = [next(part.kind for part in found if part.start <= place < part.end) for place in bodies]
    each = len(bodies) // len(sections)
    assert told == [kind for _, kind in sections for _ in range(each)]


@pytest.mark.parametrize(
    "text",
    [
        "Giải pháp của tôi là làm khuôn bằng gỗ.",
        "Chúng tôi đã tìm ra giải pháp: làm khuôn bằng gỗ.",
        "Kết quả cho thấy máy chạy êm. Hiệu quả rõ rệt. Nội dung dễ hiểu.",
        "Kết quả xét nghiệm: máu bình thường.",
        "Máy đo cho kết quả\nrất nhanh.",
        "Được mọi người ủng hộ, sau 3 tháng máy chạy tốt.",
        "- Giải pháp rẻ, dễ làm\n- Kết quả ghi vào sổ mỗi ngày",
        "Tỷ lệ 2.5 kết quả: tốt",
        "Ban ngày đào. Đơn vị đề xuất: mô-đun dài 2 m.",
        "giai phap cua toi la khuon go",
        "",
    ],
)
def test_words_of_headings_in_a_sentence_open_nothing(text):
    """What is said with a heading's words is no heading without a colon, a break or a number."""
    assert set(only_kinds(text)) <= {"unknown"}


def test_a_text_without_headings_is_one_part():
    """Where no heading stands nothing is known of any syllable."""
    text = f"{BODY}. {BODY.capitalize()}\n{BODY}"
    assert kinds(text) == [("unknown", text)]
    codes, _ = forms.part_codes([text], TABLE)
    assert not codes.any()


def test_an_application_form_is_read():
    """The form of Thông tư 18/2013/TT-BKHCN comes apart into form text, solution and benefit."""
    text = (
        "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
        "ĐƠN YÊU CẦU CÔNG NHẬN SÁNG KIẾN\nKính gửi: Hội đồng sáng kiến cơ sở\n"
        "1. Tình trạng giải pháp đã biết: Khuôn gang nặng. Thợ mỏi.\n"
        "2. Mô tả bản chất của sáng kiến: Khuôn gỗ ba lớp. Chốt đồng.\n"
        "3. Những thông tin cần được bảo mật (nếu có): Không.\n"
        "4. Khả năng áp dụng của giải pháp: Mọi xưởng.\n"
        "Tôi xin cam đoan mọi thông tin là đúng sự thật."
    )
    assert only_kinds(text) == ["form", "background", "solution", "form", "benefit", "form"]
    assert kinds(text)[2][1].startswith("2. Mô tả bản chất")


def test_form_text_lasts_one_sentence():
    """Behind a sentence of the form the part before it goes on."""
    text = "Giải pháp: khuôn gỗ. Tôi xin cam đoan là đúng. Khuôn có chốt đồng."
    assert kinds(text)[1:] == [
        ("form", "Tôi xin cam đoan là đúng. "),
        ("solution", "Khuôn có chốt đồng."),
    ]


def test_background_does_not_swallow_a_solution_without_heading():
    """Where no heading says which is the solution, background is only the sentence that says so."""
    text = "Nguyên nhân: khuôn gang nặng. Tôi đổi sang khuôn gỗ. Thợ đỡ mỏi."
    assert kinds(text) == [
        ("background", "Nguyên nhân: khuôn gang nặng. "),
        ("unknown", "Tôi đổi sang khuôn gỗ. Thợ đỡ mỏi."),
    ]
    assert only_kinds(text + "\nGiải pháp: chốt đồng") == ["background", "solution"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Giải pháp: dùng khuôn gỗ", ["solution"]),
        ("Lí do: chậm. Cách làm: khuôn gỗ", ["background", "solution"]),
        ("Sau: khuôn gỗ nhẹ", ["solution"]),
        ("GP: khuôn gỗ. Kết quả - nhanh gấp đôi", ["solution", "benefit"]),
        ("2. Giải pháp thực hiện tại xưởng mộc:\nkhuôn gỗ", ["solution"]),
        ("Mục II. Nội dung đã làm: khuôn gỗ", ["solution"]),
        ("II. GIẢI QUYẾT VẤN ĐỀTôi làm khuôn gỗ", ["solution"]),
        ("Giải pháp cũ: khuôn gang. Giải pháp mới: khuôn gỗ", ["background", "solution"]),
        ("Về khả năng áp dụng của sáng kiến: mọi xưởng", ["benefit"]),
        ("Các biện pháp\nkhuôn gỗ", ["solution"]),
        ("Tính mới, tính sáng tạo: khuôn gỗ", ["solution"]),
        ("**Hiệu quả:** nhanh", ["unknown", "benefit"]),
    ],
)
def test_headings_of_reports_are_read(text, expected):
    """Headings as reports and Kaizen slips have them are read as what they say."""
    assert only_kinds(text) == expected


def test_a_hostile_line_is_read_at_once():
    """Thousands of words, brackets or numbers where a colon may come do not slow the reading."""
    for text in (
        "1. Giải pháp " + "a" * 50_000,
        "1. Giải pháp " + "a " * 30_000,
        "Giải pháp (" * 10_000,
        "1.1.1. " * 10_000,
        "phần phần " * 10_000,
        "Kết quả, " * 10_000,
        "Kết quả; " * 10_000,
        "Tôi cam đoan; " * 10_000,
        ". - " * 20_000,
    ):
        assert sum(part.end - part.start for part in forms.parts(text, TABLE)) == len(text)


def test_the_sheet_is_sound():
    """Each heading stands once, composed, under a part that there is, and is found."""
    names = [normalize.key(heading.rstrip(" …")) for heading, _ in SHEET]
    assert len(names) == len(set(names))
    assert {part for _, part in SHEET} == {*forms.KINDS[1:], forms.NO_HEADING}
    for heading, part in SHEET:
        assert heading == unicodedata.normalize("NFC", heading).strip()
        if part != forms.NO_HEADING:
            assert only_kinds(f"{heading.rstrip(' …')}: khuôn gỗ.\nGiải pháp: x")[0] == part


def test_the_order_of_the_sheet_means_nothing():
    """A sheet sorted otherwise in Excel finds the same parts."""
    text = "1. Thực trạng: a. 2. Giải pháp cũ: b. 3. Giải pháp: c. 4. Kết quả xét nghiệm: d. 5. Kết quả: e"
    assert forms.parts(text, forms.headings(reversed(SHEET))) == forms.parts(text, TABLE)


def test_an_office_may_add_its_heading():
    """A heading that the sheet does not know opens nothing until somebody writes it there."""
    text = "Điều hay: khuôn gỗ"
    assert only_kinds(text) == ["unknown"]
    assert forms.parts(text, forms.headings([*SHEET, ("điều hay", "solution")]))[0].kind == "solution"
    assert forms.parts(text, forms.headings([])) == [forms.Part("unknown", 0, len(text))]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("Giải pháp", "solutoin")], "there is no part solutoin"),
        ([("Giải pháp", "unknown")], "there is no part unknown"),
        ([("…", "form")], "no letters"),
        ([("Giải pháp", "solution"), ("GIAI PHAP", "benefit")], "Heading 2"),
    ],
)
def test_a_wrong_sheet_is_told(rows, said):
    """A part that does not exist and a heading under two parts are told with their number."""
    with pytest.raises(UsageError, match=said):
        forms.headings(rows)


def test_an_office_names_its_own_sheet(tmp_path):
    """The shipped sheet is read where none is named, and one without its columns is told by its name."""
    assert starter.form_headings().codes == TABLE.codes
    sheet = tmp_path / "de_muc.csv"
    sheet.write_text("heading,part\nĐiều hay,solution\n", encoding="utf-8-sig")
    assert forms.parts("Điều hay: x", starter.form_headings(sheet))[0].kind == "solution"
    sheet.write_text("đề mục\nĐiều hay\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"de_muc\.csv: the columns heading and part"):
        starter.form_headings(sheet)


def test_no_texts_have_no_codes():
    """Nothing in, nothing out, and of the types that numbers are counted with."""
    codes, bounds = forms.part_codes([], TABLE)
    assert codes.dtype == np.uint8
    assert bounds.tolist() == [0]
