"""Unit names and people: what is one and what is not, and which pairs lie inside a scope."""

from __future__ import annotations

import csv
import random
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import flow, read, starter, units
from pipeline.errors import InputNotFound, UsageError
from pipeline.settings import Settings, checkout

SHEET = starter.unit_names()

SAME = [
    ("TP.HCM", "Thành phố Hồ Chí Minh"),
    ("TPHCM", "Tp. HCM"),
    ("TP HCM", "thành phố hồ chí minh"),
    ("Trường THCS Lê Lợi, Q.1, TP.HCM", "trường trung học cơ sở Lê Lợi - Quận 1 - Thành phố Hồ Chí Minh"),
    ("THCS Lê Lợi Quận 1", "Trường THCS Lê Lợi, quận 01"),
    ("THCS LÊ LỢI (Q1)", "Trường THCS Lê Lợi, Quận 1"),
    ("Truong THCS Le Loi, quan 1", "Trường THCS Lê Lợi, Quận 1"),
    ("Quận 1, Trường THCS Lê Lợi", "Trường THCS Lê Lợi, Quận 1"),
    ("Trường THCS Lê Lợi, Quận 1", "Trường THCS Lê Lợi, Quận 1, TP.HCM"),
    ("Trường TH Lê Lợi", "Trường Tiểu học Lê Lợi"),
    ("Truong MN Hoa Hong", "Trường Mầm non Hoa Hồng"),
    ("Trường TH & THCS Hòa Bình, huyện Lạc Sơn", "Trường Tiểu học và THCS Hoà Bình huyện Lạc Sơn"),
    ("Trường THCS Nguyễn Tri Phương, Q. 10", "THCS Nguyễn Tri Phương - Quận 10"),
    ("TT GDNN-GDTX huyện Ba Vì", "Trung tâm GDNN - GDTX H. Ba Vì"),
    ("Phòng GD&ĐT huyện Mê Linh", "Phòng Giáo dục và Đào tạo huyện Mê Linh"),
    ("BVĐK tỉnh Hà Nam", "Bệnh viện Đa khoa tỉnh Hà Nam"),
    ("Khoa Dược - BV Đức Giang", "Bệnh viện Đức Giang, khoa Dược"),
    ("Khoa Dược BV Đức Giang", "Khoa Dược, Bệnh viện Đức Giang"),
    ("TTYT H. Ba Vì", "Trung tâm Y tế huyện Ba Vì"),
    ("TYT xã Hua Nhàn", "Trạm Y tế xã Hua Nhàn"),
    ("Bệnh viện Bạch Mai", "Bệnh viện Bạch Mai, Hà Nội"),
    ("Cty CP May 10", "Công ty cổ phần May 10"),
    ("CTCP May 10", "CÔNG TY CP MAY 10"),
    ("Cty TNHH MTV Hoa Sen", "Công ty trách nhiệm hữu hạn một thành viên Hoa Sen"),
    ("Công ti TNHH Kĩ thuật số", "Công ty TNHH Kỹ thuật số"),
    ("CĐCS Trường THPT Chu Văn An", "Trường THPT Chu Văn An"),
    ("Công đoàn Công ty CP Nhôm kính Quang Vinh", "Công ty CP Nhôm kính Quang Vinh"),
    ("UBND P.5, Q.3, TPHCM", "Ủy ban nhân dân phường 5, quận 3, TP. Hồ Chí Minh"),
    ("UBND P5 Q3", "Uỷ ban nhân dân phường 5 quận 3"),
    ("LĐLĐ huyện Châu Thành (Trà Vinh)", "Liên đoàn Lao động huyện Châu Thành, tỉnh Trà Vinh"),
    ("Công đoàn ngành Y tế Hà Nội", "CĐ ngành Y tế TP Hà Nội"),
    ("Công đoàn các KCN và Chế xuất Hà Nội", "Công đoàn các Khu công nghiệp và Chế xuất HN"),
    ("Công đoàn Than - Khoáng sản VN", "Công đoàn Than – Khoáng sản Việt Nam"),
    ("Sở NN&PTNT Sơn La", "Sở Nông nghiệp và Phát triển nông thôn tỉnh Sơn La"),
    ("Đắc Lắc", "tỉnh Đắk Lắk"),
    ("Công đoàn Viên chức TT Huế", "Công đoàn Viên chức tỉnh Thừa Thiên Huế"),
    ("Trường THCS Ba Trăng (nay là Trường THCS Lê Lợi)", "Trường THCS Lê Lợi"),
    ("Trường Ba Trăng, nay là THCS Lê Lợi", "THCS Lê Lợi"),
    ("Trường THCS Lê Lợi (trước đây là THCS Ba Trăng), Q.1", "THCS Ba Trăng quận 1"),
    ("Khoa Nhi, Bệnh viện Một (nay là Bệnh viện Hai)", "Khoa Nhi - BV Hai"),
    ("Trường THCS Nguyễn Du cũ", "THCS Nguyễn Du"),
    ("Nay là Trường THCS Lê Lợi", "THCS Lê Lợi"),
    ("Công ty CP May Hưng Việt, tỉnh Bình Dương", "Công ty CP May Hưng Việt, TP.HCM"),
    (
        "Trường TH Ánh Sao, phường Rạch Dừa, TP Vũng Tàu, tỉnh BR-VT",
        "Trường TH Ánh Sao, phường Rạch Dừa, TP.HCM",
    ),
]
"""Two spellings or names of one unit."""

NOT_SAME = [
    ("THCS Lê Lợi, Q.1", "THCS Lê Lợi, Q.3"),
    ("THCS Lê Lợi, Hà Nội", "THCS Lê Lợi, Nghệ An"),
    ("THCS Lê Lợi", "THCS Lê Lợi, Quận 1"),
    ("Trường TH Lê Lợi", "Trường THCS Lê Lợi"),
    ("Trường THCS Lê Lợi", "Trường THPT Lê Lợi"),
    ("Trường THCS Nguyễn Du 1", "Trường THCS Nguyễn Du 2"),
    ("Trường THCS Hoà Bình", "Trường THCS Phú Thọ"),
    ("Tổ 1, Công ty A", "Tổ 2, Công ty A"),
    ("Tổ 1, Công ty A", "Công ty A"),
    ("Khoa Nhi, BV Đức Giang", "Khoa Dược, BV Đức Giang"),
    ("Khoa Nhi, BV Đức Giang", "Khoa Nhi, BV Thanh Nhàn"),
    ("Công ty CP May 10", "Công ty TNHH May 10"),
    ("Công ty CP Xi măng Hải Dương", "Công ty CP Xi măng Hải Phòng"),
    ("Sở Y tế tỉnh Hà Nam", "Sở Y tế tỉnh Ninh Bình"),
    ("LĐLĐ tỉnh Bắc Giang", "LĐLĐ tỉnh Bắc Ninh"),
    ("THCS Lê Lợi, tỉnh Hà Nam", "THCS Lê Lợi, tỉnh Nam Định"),
    ("Bệnh viện Nhi Hà Nam", "Bệnh viện Nhi Nam Định"),
    ("THCS Lê Lợi, thành phố Bắc Ninh", "THCS Lê Lợi, tỉnh Bắc Ninh"),
    ("UBND huyện Cao Lãnh", "UBND thành phố Cao Lãnh"),
    ("Trung tâm Y tế huyện Ba Vì", "Trung tâm Y tế"),
    ("Trạm Y tế xã Tân Lập", "Trạm Y tế xã Tân Lập, huyện Đan Phượng"),
    ("Sở Y tế, Hà Nam", "Sở Y tế"),
    ("Trường CĐ Y tế Phú Thọ", "Công đoàn Y tế Phú Thọ"),
    ("", ""),
    ("Không có", "không có"),
    ("chưa rõ", "chưa rõ"),
]
"""Names of two units, of a unit and a part of it, or of none."""

WORDS = (
    "Trường THCS TH Lê Lợi Khoa Nhi BV Công ty CP Q. P.5 quận 1 huyện Ba Vì xã Tân , - ( ) . "
    "TP.HCM Hà Nội tỉnh Nam (nay là cũ và & Tổ 2 công đoàn TT Y tế #"
)
CELLS = st.one_of(
    st.sampled_from([name for pair in SAME + NOT_SAME for name in pair]),
    st.lists(
        st.sampled_from(WORDS.split(" ")),
        max_size=9,
    ).map(" ".join),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_names_of_one_unit(one, other):
    """Abbreviations, marks, case, order, former and present names do not make two units of one."""
    assert units.same_unit(one, other, SHEET)
    assert units.same_workplace(one, other, SHEET)


@pytest.mark.parametrize(("one", "other"), NOT_SAME)
def test_two_units(one, other):
    """Another kind, place, department or nothing said: not the same unit."""
    assert not units.same_unit(one, other, SHEET)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tổ 1, Công ty A", "Tổ 2, Công ty A", True),
        ("Tổ 1, Công ty A", "Cty A", True),
        ("Khoa Nhi, TTYT huyện Ba Vì", "Khoa Dược - Trung tâm Y tế H. Ba Vì", True),
        ("Trung tâm Đột quỵ - Bệnh viện Đức Giang", "Khoa Nhi, BV Đức Giang", True),
        ("Khoa Nhi, BV Đức Giang", "Khoa Nhi, BV Thanh Nhàn", False),
        ("Khoa Nhi", "Khoa Dược", False),
        ("Xí nghiệp 1, Công ty A", "Công ty A", False),
    ],
)
def test_one_place_of_work(one, other, same):
    """Departments of one house are one place of work; houses of one company are several."""
    assert units.same_workplace(one, other, SHEET) is same


@given(CELLS, CELLS)
def test_sameness_does_not_depend_on_who_is_asked_first(one, other):
    """The same unit is symmetric, and so is the same place of work, which is never the narrower."""
    assert units.same_unit(one, other, SHEET) == units.same_unit(other, one, SHEET)
    whole = units.same_workplace(one, other, SHEET)
    assert whole == units.same_workplace(other, one, SHEET)
    assert whole or not units.same_unit(one, other, SHEET)


@given(CELLS)
def test_a_unit_is_itself(cell):
    """A cell that names a unit names the same one however it is typed; the key of a key is the key."""
    key = units.unit_key(cell, SHEET)
    assert units.unit_key(key, SHEET) == key
    for form in ("NFC", "NFD"):
        assert units.unit_key(unicodedata.normalize(form, cell), SHEET) == key
    assert units.unit_key(cell.swapcase(), SHEET) == key
    assert units.same_unit(cell, cell.upper(), SHEET) is bool(key)
    assert not key or units.same_unit(cell, key, SHEET)


@given(st.text(max_size=60))
def test_any_text_is_read(cell):
    """Whatever a cell holds has a key, or none, and is the same as itself exactly if it has one."""
    key = units.unit_key(cell, SHEET)
    assert units.same_unit(cell, cell, SHEET) is bool(key)
    assert units.people(cell) == units.people(unicodedata.normalize("NFD", cell))


def test_every_old_province_is_a_new_one():
    """63 provinces, and Huế and Hà Tây before them, lead to the 34 of Nghị quyết 202/2025/QH15."""
    path = checkout("data", "unit_aliases.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    now = {row["alias"]: row["name"] for row in rows if row["note"] == "nay là"}
    listed = {row["name"] for row in rows if row["name"].split(" ", 1)[-1] == row["alias"]} | {
        row["name"] for row in rows if row["name"] == f"Thành phố {row['alias']}"
    }
    assert len(now) == 31
    assert set(now) < listed
    assert set(now.values()) <= listed
    assert len(listed) == 34 + 31
    assert len(listed - set(now)) == 34
    for old, new in now.items():
        assert units.same_unit(f"Công ty May Ba Sao, {old}", f"Công ty May Ba Sao - {new}", SHEET)


@pytest.mark.parametrize("separator", [",", ";"])
def test_an_office_adds_its_own_rows(tmp_path, separator):
    """A sheet as Excel saves it adds spellings and renamings to the shipped one; its rows win."""
    path = tmp_path / "đơn vị.csv"
    lines = [
        ("Alias", "Name", "Note"),
        ("LL", "Trường THCS Lê Lợi - Quận 1", ""),
        ("THCS Lê Lợi", "Trường THCS Lê Lợi - Quận 1", ""),
        ("Nhà máy Ba Sao", "Công ty CP Ba Sao", "nay là (từ 2024)"),
        ("XN", "Xuất nhập", ""),
        ("", "", ""),
    ]
    path.write_text("\r\n".join(separator.join(cells) for cells in lines), encoding="utf-8-sig")
    sheet = starter.unit_names(path)
    assert units.same_unit("LL", "Trường THCS Lê Lợi, Q.1", sheet)
    assert units.same_unit("Trường THCS Lê Lợi", "LL", sheet)
    assert units.same_unit("Tổ 1, Nhà máy Ba Sao", "Tổ 1 - CTCP Ba Sao", sheet)
    assert not units.same_unit("Tổ 1, Nhà máy Ba Sao", "Tổ 1 - CTCP Ba Sao", SHEET)
    assert units.unit_key("XN Ba Sao", sheet) == "xuat nhap ba sao"


def test_a_sheet_in_a_circle_still_gives_an_answer():
    """Aliases and renamings that lead back to themselves end."""
    rows = [units.Row("a", "b c"), units.Row("b", "a c"), units.Row("mot", "hai", renamed=True)]
    sheet = units.UnitSheet([*rows, units.Row("hai", "mot", renamed=True)])
    assert units.unit_key("a", sheet)
    assert units.same_unit("Một", "Hai", sheet)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"alias;note\nBV;x", "name"),
        ("alias,name\nBV,Bệnh viện\nCty,\n".encode(), "row 3"),
        (b"alias,name\n" + b"x" * 200_000, "row"),
        (b"", "alias"),
    ],
)
def test_a_sheet_that_is_none_is_refused(tmp_path, content, said):
    """A sheet in another encoding or without its columns is told what is wrong and where."""
    path = tmp_path / "sheet.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        starter.unit_names(path)


def test_a_sheet_that_is_not_there_is_named(tmp_path):
    """A missing sheet is an input that was not found."""
    with pytest.raises(InputNotFound, match=r"none\.csv"):
        starter.unit_names(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Nguyễn Văn A", {"nguyen van a"}),
        ("NGUYEN VAN A", {"nguyen van a"}),
        ("ThS. Nguyễn Văn A", {"nguyen van a"}),
        ("Ths.BS Lưu Đình Phong", {"luu dinh phong"}),
        ("BSCKII. Lê An", {"le an"}),
        ("Ông Nguyễn Văn A và bà Trần Thị Bé", {"nguyen van a", "tran thi be"}),
        ("Đ/c Nguyễn Văn A - SN 1980", {"nguyen van a"}),
        ("Lê Thị Bé sinh năm 1975 & TÔ MẠNH DŨNG", {"le thi be", "to manh dung"}),
        ("1. Nguyễn Văn A 2. Trần Thị Bé", {"nguyen van a", "tran thi be"}),
        ("Trương Quốc Hưng (60%), Đỗ Mai Phong (40%)", {"truong quoc hung", "do mai phong"}),
        ("Nhóm tác giả: Đinh Văn Toại, Lê Cảnh", {"dinh van toai", "le canh"}),
        ("Nguyễn Văn A và các cộng sự", {"nguyen van a"}),
        ("Nguyễn Văn A cùng cộng sự", {"nguyen van a"}),
        ("Ng. Văn Hoạch", {"nguyen van hoach"}),
        ("Y Blưng Niê", {"y blung nie"}),
        ("Thuỳ Mỹ Lý", {"thuy mi li"}),
        ("Bà Lan", {"ba lan"}),
        ("N.V.A", set()),
        ("Lan", set()),
        ("", set()),
        ("Không có", set()),
    ],
)
def test_people_in_a_cell(cell, names):
    """Titles, shares, years and helpers go; initials and single syllables could be anybody's."""
    assert units.people(cell) == names


ROWS = pd.DataFrame(
    [
        ("Khoa Nhi, BV Đức Giang", "Công đoàn ngành Y tế Hà Nội"),
        ("BV Đức Giang", "CĐ ngành Y tế TP Hà Nội"),
        ("BV Thanh Nhàn", "Công đoàn ngành Y tế HN"),
        ("BV Việt Tiệp", "Công đoàn ngành Y tế Hải Phòng"),
        ("", "Công đoàn ngành Y tế Hải Phòng"),
        ("BV Bạch Mai", "chưa rõ"),
    ],
    columns=["unit", "upper_union"],
    dtype="str",
)


@pytest.mark.parametrize(
    ("scope", "outside"),
    [
        ("all", set()),
        ("union", {(0, 3), (1, 3), (2, 3)}),
        ("unit", {(0, 2), (0, 3), (0, 5), (1, 2), (1, 3), (1, 5), (2, 3), (2, 5), (3, 5)}),
    ],
)
def test_what_lies_inside_a_scope(scope, outside):
    """A place of work, an upper union or all; whoever does not say where stays with everybody."""
    size = len(ROWS)
    later, earlier = (side.ravel() for side in np.indices((size, size)))
    inside = units.in_scope(ROWS, later, earlier, scope=scope, sheet=SHEET)
    out = {frozenset(pair) for pair in zip(later[~inside].tolist(), earlier[~inside].tolist(), strict=True)}
    assert out == {frozenset(pair) for pair in outside}


def test_a_wider_scope_loses_nothing():
    """What one place of work shows, one upper union shows too, and all shows everything."""
    later, earlier = (side.ravel() for side in np.indices((len(ROWS), len(ROWS))))
    unit, union, whole = (
        units.in_scope(ROWS, later, earlier, scope=scope, sheet=SHEET) for scope in ("unit", "union", "all")
    )
    assert (unit <= union).all()
    assert whole.all()


def test_units_names_are_phrases():
    """The ways of naming a unit: as typed, written out, without its place, with common abbreviations."""
    batch = pd.DataFrame(
        {"unit": ["Trường THCS Lê Lợi, Q.1, TP.HCM", ""], "upper_union": ["LĐLĐ Quận 1", ""]}
    )
    found = units.unit_phrases(batch, SHEET)
    assert found == sorted(set(found))
    assert {
        "truong thcs le loi q 1 tp hcm",
        "truong trung hoc co so le loi",
        "truong thcs le loi",
        "truong trung hoc co so le loi quan 1 thanh pho ho chi minh",
        "ldld quan 1",
        "lien doan lao dong quan 1",
    } <= set(found)
    assert all(len(phrase.split()) > 1 for phrase in found)


def test_common_words_of_units_are_no_phrases():
    """A part that many units share is content elsewhere: "Khoa Nhi" alone is nobody's name."""
    batch = pd.DataFrame({"unit": ["Khoa Nhi, BV Đức Giang", "không có"], "upper_union": ["", ""]})
    assert not {"khoa nhi", "benh vien", "khong co"} & set(units.unit_phrases(batch, SHEET))


VOCABULARY = "máy ép nhựa khuôn dao cắt băng tải nhiệt độ vít lò sấy"
TEXT = " ".join(random.Random(5).choices(VOCABULARY.split(), k=90))


@pytest.fixture(scope="module")
def tools(models):
    """A pair model and the shipped sheets, as a run has them."""
    known = starter.knowledge(settings=Settings())
    judge = starter.pairs(models, settings=Settings(), known=known).model
    return flow.Tools(judge=judge, known=known, unit_names=SHEET)


def found(tmp_path, tools, rows, scope, **chosen):
    """The outcome of a run over rows of id, unit, upper union, all of one text."""
    path = tmp_path / "new.csv"
    table = pd.DataFrame(rows, columns=["id", "unit", "upper_union"], dtype="str")
    table.assign(title="Cải tiến máy ép", description=TEXT).to_csv(path, index=False)
    return flow.run(read.tables([path]), None, tools, settings=Settings(scope=scope), **chosen)


def pairs(outcome):
    """The pairs of an outcome, whichever is the later."""
    return {frozenset(pair) for pair in outcome.matches[["later", "earlier"]].itertuples(index=False)}


MIXED = [
    ("A", "BV Đức Giang", "Công đoàn ngành Y tế Hà Nội"),
    ("B", "BV Thanh Nhàn", "Công đoàn ngành Y tế Hà Nội"),
    ("C", "Khoa Nhi - BV Thanh Nhàn", "CĐ ngành Y tế TP Hà Nội"),
    ("D", "BV Việt Tiệp", "Công đoàn ngành Y tế Hải Phòng"),
    ("E", "", ""),
]


@pytest.mark.parametrize(
    ("scope", "shown", "outside"),
    [
        ("all", {"AB", "AC", "AD", "AE"}, 0),
        ("union", {"AB", "AC", "AE"}, 1),
        ("unit", {"BC", "AE"}, 3),
    ],
)
def test_a_run_shows_what_lies_inside_the_scope(tmp_path, tools, scope, shown, outside):
    """Pairs outside are in no table and no group, and are counted; copies inside them are still found."""
    outcome = found(tmp_path, tools, MIXED, scope)
    assert pairs(outcome) == {frozenset(pair) for pair in shown}
    assert outcome.outside == outside
    members = outcome.groups.groupby("group")["id"].agg("".join)
    assert "D" not in "".join(members) or scope == "all"
    flags = dict(zip(outcome.matches["later"], outcome.matches["same_unit"], strict=True))
    assert not any(flags.values())


def test_what_people_called_the_same_stays_in_every_scope(tmp_path, tools):
    """A verdict is stronger than a scope: the pair is shown with the model's probability."""
    from pipeline.decisions import content_hash
    from pipeline.records import Decision

    content = content_hash("Cải tiến máy ép", TEXT)
    told = Decision(
        later="D", earlier="A", verdict="duplicate", later_content=content, earlier_content=content
    )
    outcome = found(tmp_path, tools, MIXED, "unit", decisions=[told])
    assert frozenset("AD") in pairs(outcome)
    assert outcome.matches["probability"].min() > 0.9
