"""Kinds of solution and authors' own words for fields: what cells mean, and that no label comes of them."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import axes, read, starter
from pipeline.errors import InputNotFound, UsageError
from pipeline.normalize import fold, key
from pipeline.read import aliases
from pipeline.records import AUTHOR_CODES, AUTHOR_FIELD, KIND, KIND_CODE, OPTIONAL
from pipeline.revision import Course
from pipeline.settings import checkout
from pipeline.taxonomy import OTHER, Taxonomy, check, default

KINDS = starter.kinds()
WORDS = starter.author_words(default())
SHIPPED = axes.parse(
    checkout("data", "author_fields.csv").read_text(encoding="utf-8"), file="author_fields.csv"
)
HEAD = "phrase,code\n"

CELLS = st.sampled_from(
    [
        "Dạy học sinh khối 4",
        "Tổ Văn thư – Khoa Dược",
        "Bảo trì máy",
        "Lĩnh vực y tế",
        "Xyz",
        "",
        "Toán, Lý",
        "…",
    ]
)


def bare(text: str) -> str:
    """A text without its marks, its punctuation left."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def ways(text: str) -> list[str]:
    """A text as writers and machines differ in writing it."""
    return [
        text, text.upper(), text.lower(), unicodedata.normalize("NFD", text), bare(text), bare(text).upper(),
        f"  {text.replace(' ', '   ')}\u00a0", text.replace("oá", "óa").replace("uỷ", "ủy"),
    ]  # fmt: skip


def kind_codes(*cells: str, sheet: Taxonomy = KINDS) -> list[str]:
    """The codes of cells that name kinds."""
    return axes.kinds(pd.DataFrame({KIND: list(cells)}, dtype="str"), sheet)[0][KIND_CODE].tolist()


def author_codes(*cells: str, words: axes.AuthorWords = WORDS) -> list[str]:
    """The codes of cells in authors' words."""
    found = axes.author_codes(pd.DataFrame({AUTHOR_FIELD: list(cells)}, dtype="str"), words)
    return found[AUTHOR_CODES].tolist()


def own(text: str, taxonomy: Taxonomy | None = None) -> axes.AuthorWords:
    """What an office's sheet says beside the shipped one."""
    return axes.author_words(SHIPPED, axes.parse(HEAD + text, file="own.csv"), taxonomy or default())


@given(st.lists(CELLS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_what_authors_wrote_is_beside_the_labels_and_goes_with_its_row(cells, random):
    """No other column changes, and rows in another order have the same codes."""
    rows = pd.DataFrame({AUTHOR_FIELD: cells, "field": "safety", "field2": "", "title": cells}, dtype="str")
    found = axes.author_codes(rows, WORDS)
    assert found.drop(columns=AUTHOR_CODES).equals(rows)
    order = random.sample(range(len(cells)), len(cells))
    turned = axes.author_codes(rows.iloc[order], WORDS)
    assert turned[AUTHOR_CODES].tolist() == found[AUTHOR_CODES].iloc[order].tolist()


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: f"{row.phrase}-{row.code}")
def test_every_shipped_phrase_leads_to_its_fields_however_it_is_written(row):
    """Case, marks, letters taken apart, tone placement and spaces mean nothing."""
    wanted = [each.code for each in SHIPPED if each.phrase == row.phrase]
    for cell in ways(row.phrase):
        assert author_codes(cell) == [" ".join(wanted)]


def test_the_shipped_sheet_is_whole():
    """Some hundreds of phrases, none twice, each of a field of the program's own list but `other`."""
    assert 150 <= len(SHIPPED) <= 300
    assert len({(fold(key(row.phrase)), row.code) for row in SHIPPED}) == len(SHIPPED)
    assert {row.code for row in SHIPPED} == set(default().codes) - {OTHER}
    assert WORDS.notes == ()


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("Công tác chủ nhiệm ở lớp 5A", "education"),
        ("Tổ văn thư của trường", "administration"),
        ("Xét nghiệm; công nghệ thông tin", "healthcare technology"),
        ("công nghệ thông tin và xét nghiệm", "technology healthcare"),
        ("Chăm sóc sức khỏe, chăm sóc sức khoẻ", "healthcare"),
        ("Khoa học nghệ thuật nấu ăn", ""),
        ("", ""),
        ("–", ""),
    ],
)
def test_codes_come_in_the_order_of_mention_each_once(cell, codes):
    """Several fields in a cell are all told, in its order; what the sheet does not know says nothing."""
    assert author_codes(cell) == [codes]


def test_the_longest_phrase_wins_and_what_it_holds_does_not_count():
    """Of "phòng chống dịch bệnh gia súc" the animals count, and "tự nhiên và xã hội" is a subject."""
    assert author_codes("Phòng chống dịch bệnh gia súc", "Tự nhiên và xã hội") == ["agriculture", "education"]
    words = own("nuôi ong,agriculture\nhọc nuôi ong lấy mật,education\n")
    assert author_codes("Nuôi ong", "Lớp học nuôi ong lấy mật", words=words) == ["agriculture", "education"]


def test_a_phrase_of_one_syllable_counts_where_it_stands_alone():
    """Without marks "toán" is a part of "an toàn"; alone between commas, or beside numbers, it counts."""
    told = ["Toán", "Văn, Toán", "TOÁN 8 – 9", "Lý và Hoá", "(toan)"]
    assert author_codes(*told) == ["education"] * len(told)
    assert author_codes("toàn trường", "việc toan tính", "được giao") == ["", "", ""]


@given(
    st.lists(st.lists(st.sampled_from(["ba", "bo", "be", "bi"]), min_size=2, max_size=4), max_size=6),
    st.lists(st.sampled_from(["ba", "bo", "be", "bi", "xe"]), max_size=12),
)
def test_phrases_are_found_as_by_hand(phrases, words):
    """Oracle: strike the longest phrase that is left out of the cell, the first of these, again and again."""
    codes = {" ".join(phrase): [f"c{number}"] for number, phrase in enumerate(phrases)}
    left, found = list(words), []
    for length in (4, 3, 2):
        for start in range(len(words) - length + 1):
            named = codes.get(" ".join(left[start : start + length]))
            if named:
                found.append((start, named[0]))
                left[start : start + length] = ["-"] * length
    wanted = tuple(dict.fromkeys(code for _, code in sorted(found)))
    assert axes.Phrases(codes).codes(" ".join(words)) == wanted


def test_an_office_s_row_wins_and_may_name_fields_by_name():
    """Of one phrase, however it is spelled, the office's fields count, and the shipped ones no more."""
    words = own("XÉT NGHIỆM,An toàn lao động\nxet nghiem,epidemic\nTổ ba,union\n")
    assert author_codes("Xét nghiệm", "tổ 3, tổ ba", words=words) == ["safety epidemic", "union"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("phrase\nA\n", "column code is missing"),
        (HEAD + "Tổ ba,union\nTổ tư,\n", "row 3, column code"),
        (HEAD + "\n,union\n", "row 3, column phrase"),
        (HEAD + "…,union\n", "row 2, column phrase"),
        (HEAD + "Tổ ba,unions\n", "row 2, column code: unions is no field of taxonomy 1"),
        (HEAD + "Tổ ba,union,\n" + '"x\ny', "row"),
    ],
)
def test_a_wrong_row_of_an_office_is_named(tmp_path, text, said):
    """File, row and column of what is wrong are told; a sheet that is not there or no text is named."""
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8-sig")
    with pytest.raises(UsageError, match=said) as fault:
        starter.author_words(default(), path)
    assert "own.csv" in str(fault.value)
    path.write_bytes("phrase,code\nTổ,union".encode("utf-16"))
    with pytest.raises(UsageError, match="UTF-8"):
        starter.author_words(default(), path)
    with pytest.raises(InputNotFound, match=r"none\.csv"):
        starter.author_words(default(), tmp_path / "none.csv")


def test_a_sheet_as_excel_saves_it(tmp_path):
    """Semicolons, a byte order mark and blank lines are read."""
    path = tmp_path / "của-tôi.csv"
    path.write_text("Phrase;Code\n\nTổ ba;union\n", encoding="utf-8-sig")
    assert author_codes("Tổ ba", words=starter.author_words(default(), path)) == ["union"]


def test_what_the_taxonomy_does_not_have_is_left_out_with_one_note():
    """Another list of fields is not stopped by the shipped sheet, and its own sheet is heard."""
    other = starter.load(checkout("data", "taxonomy_danvan.csv"))
    found = own("Nuôi ong,economy\n", other)
    assert len(found.notes) == 1
    assert f"{len(SHIPPED)} rows" in str(found.notes[0])
    assert author_codes("Nuôi ong", "Xét nghiệm", words=found) == ["economy", ""]


def test_a_field_that_was_merged_stands_for_the_one_that_took_it_over():
    """In a newer version the shipped phrases lead where the labels went; of a split field nobody can tell."""
    rows = [{**row, "version": "2"} for row in default().rows()]
    codes = {row["code"]: row for row in rows}
    codes["epidemic"]["replaced_by"] = "healthcare"
    codes["society"]["replaced_by"] = "union; administration"
    found = check(enumerate(rows, 2), file="2").taxonomy
    assert found is not None
    words = axes.author_words(SHIPPED, (), found)
    assert author_codes("Phòng dịch", "Bảo tàng", words=words) == ["healthcare", ""]
    assert "society" in str(words.notes[0])


def test_a_table_without_the_columns_stays_as_it_is():
    """Nothing is added where nothing was handed in."""
    rows = pd.DataFrame({"id": ["1"], "field": ["union"]})
    assert axes.author_codes(rows, WORDS).equals(rows)
    assert axes.kinds(rows, KINDS)[0].equals(rows)


@pytest.mark.parametrize("field", KINDS.fields, ids=lambda field: field.code)
def test_every_name_of_a_kind_is_known_however_it_is_written(field):
    """Names and aliases of the sheet lead to its code."""
    for name in (field.name, *field.aliases):
        assert set(kind_codes(*ways(name))) == {field.code}, name


def test_the_kinds_are_those_of_the_decree():
    """The four kinds and `other`, each with a definition and phrases to learn from."""
    assert KINDS.codes == ("technical", "management", "operational", "application", "other")
    assert all(field.definition and len(field.phrases) > 5 for field in KINDS.fields if field.code != OTHER)
    assert read.taxonomy_sheet(checkout("data", "kinds.csv")).taxonomy == KINDS


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("Giải pháp kỹ thuật (cải tiến máy)", "technical"),
        ("2. GIẢI PHÁP QUẢN LÍ", "management"),
        ("giai phap tac nghiep.", "operational"),
        ("Giải pháp ứng dụng tiến bộ kỹ thuật vào sản xuất", "application"),
        ("Giải pháp kỹ thuật khác", "technical"),
        ("Tác nghiệp, kỹ thuật", "technical operational"),
        ("Quản lý + ứng dụng tiến bộ khoa học kỹ thuật", "management application"),
        ("Đề tài nghiên cứu khoa học", "other"),
        ("Loại A", ""),
        ("Kỹ", ""),
        ("☐ Kỹ thuật ☑ Quản lý", ""),
        ("[x] Kỹ thuật [ ] Quản lý", ""),
        ("Giải pháp", ""),
    ],
)
def test_a_cell_means_the_kinds_that_it_names(cell, codes):
    """Several are told in the order of the sheet; what names none, or offers all to be ticked, means none."""
    assert kind_codes(cell) == [codes]


@given(st.lists(st.sampled_from(["kỹ thuật", "quản lý", "Máy móc", "máy  móc", "-", ""]), max_size=8))
def test_what_is_not_recognised_is_counted_and_never_guessed(cells):
    """Every cell with a word in it has codes or is among the unknown ones; no other column changes."""
    rows = pd.DataFrame({KIND: cells, "field": "union"}, dtype="str")
    found, unknown = axes.kinds(rows, KINDS)
    assert found.drop(columns=KIND_CODE).equals(rows)
    lost = [
        cell for cell, code in zip(cells, found[KIND_CODE], strict=True) if not code and cell not in {"", "-"}
    ]
    assert sum(each.records for each in unknown) == len(lost)
    assert sorted(each.cell for each in unknown) == sorted({" ".join(cell.split()) for cell in lost})


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Lĩnh vực áp dụng", AUTHOR_FIELD),
        ("LĨNH VỰC ÁP DỤNG CỦA SÁNG KIẾN", AUTHOR_FIELD),
        ("3. Lĩnh vực áp dụng sáng kiến (ghi rõ)", AUTHOR_FIELD),
        ("Lĩnh vực (tác giả ghi)", AUTHOR_FIELD),
        ("Lĩnh vực đăng ký", AUTHOR_FIELD),
        ("Lĩnh vực tác giả đăng ký", AUTHOR_FIELD),
        ("LÜnh vùc ¸p dông", AUTHOR_FIELD),
        ("Lĩnh vực (tác giả đề xuất)", ""),
        ("Lĩnh vực", "field"),
        ("Lĩnh vực (bắt buộc)", "field"),
        ("Lĩnh vực chính", "field"),
        ("Nhãn lĩnh vực", "field"),
        ("Lĩnh vực phụ", "field2"),
        ("Loại giải pháp", KIND),
        ("Loại hình sáng kiến", KIND),
        ("Hình thức giải pháp", KIND),
        ("DẠNG GIẢI PHÁP (*)", KIND),
        ("Thể loại", KIND),
        ("Loại hình", "sector"),
        ("Loại hình đơn vị", "sector"),
        ("Loại hình công đoàn", "sector"),
        ("Xếp loại", ""),
        ("Loại", ""),
        ("Hình thức", ""),
        ("Giải pháp", "title"),
        ("Tên giải pháp", "title"),
    ],
)
def test_headers_mean_what_they_meant_but_for_the_new_columns(header, column):
    """The author's own field and the kind of solution have columns; nothing else is taken for them."""
    found = aliases().match(header)
    assert (found[0] if found else "") == column


def test_below_a_header_of_fields_what_is_the_author_s_is_no_label(tmp_path):
    """In a header of two rows, too, "Tác giả đề xuất" below "Lĩnh vực" is carried along and no label."""
    path = tmp_path / "two.csv"
    path.write_text(
        "STT,Sáng kiến,,Lĩnh vực,\n,Tên,Nội dung,Tác giả ghi,Tác giả đề xuất\n1,Máy,Máy cắt,Cơ khí,Y tế\n",
        encoding="utf-8",
    )
    row = read.tables([path]).batch.iloc[0]
    assert (row["title"], row["field"], row[AUTHOR_FIELD]) == ("Máy", "", "Cơ khí")
    assert row["Lĩnh vực / Tác giả đề xuất"] == "Y tế"


def test_what_an_author_proposes_is_not_imported_as_a_label(tmp_path):
    """A table of ids and authors' fields is no table of labels."""
    path = tmp_path / "said.csv"
    path.write_text("Mã,Lĩnh vực (tác giả đề xuất)\nA,Y tế\n", encoding="utf-8")
    found = read.labelled([path], course=Course((default(),)), today="2026-01-01")
    assert found.labels == ()
    assert found.problems


def test_cells_in_an_old_encoding_are_put_into_unicode(tmp_path):
    """Both columns are read like the others: letters of TCVN3 are restored, what was there is kept."""
    path = tmp_path / "old.csv"
    line = "S¸ng kiÕn {0},N©ng cao chÊt l­îng gi¶ng d¹y,Gi¶i ph¸p qu¶n lý,Gi¶ng d¹y\n"
    path.write_text(
        "Tên SK,Nội dung,Loại giải pháp,Lĩnh vực áp dụng\n" + "".join(map(line.format, range(6))),
        encoding="utf-8",
    )
    batch = read.tables([path]).batch
    assert set(batch[KIND]) == {"Giải pháp quản lý"}
    assert set(batch[AUTHOR_FIELD]) == {"Giảng dạy"}


def test_personal_data_do_not_stand_in_the_new_columns_and_years_stay(tmp_path):
    """A phone number is taken out; a year in brackets, which would be a birth date of an author, is none."""
    path = tmp_path / "new.csv"
    path.write_text(
        "Tên SK,Nội dung,Lĩnh vực áp dụng\nMáy,Máy cắt,Cơ khí (2023) 0912345678\n", encoding="utf-8"
    )
    assert read.tables([path]).batch[AUTHOR_FIELD].tolist() == ["Cơ khí (2023) […]"]


def test_files_with_and_without_the_columns_are_one_batch(tmp_path):
    """Where one file has them, the rows of the others have nothing there; where none has, there are none."""
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("Tên SK,Loại giải pháp,Lĩnh vực áp dụng\nMáy,Quản lý,Cơ khí\n", encoding="utf-8")
    two.write_text("Tên SK\nThẻ\n", encoding="utf-8")
    both = read.tables([one, two]).batch
    assert both[list(OPTIONAL)].to_numpy().tolist() == [["Quản lý", "Cơ khí"], ["", ""]]
    assert not set(OPTIONAL) & set(read.tables([two]).batch.columns)
