"""Slot swaps: what two titles of one template hold in the same place, found from either side."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pipeline.dedupe.slots import KINDS, LONGEST, Slot, slots, words

FIXED = (
    *("Nâng", "chất", "lượng", "giảng", "dạy", "phương", "pháp", "nhóm", "nhỏ", "thực", "hành", "năm", "học"),
    *("phát", "triển", "kĩ", "thuật", "tổ", "chức", "hoạt", "động", "trải", "nghiệm"),
)
FILLERS = ("nhựa", "gỗ", "thép", "ngô", "vịt", "ong", "mực", "kính", "đá", "rổ", "xích", "bèo")
TITLE_WORDS = (
    *FIXED,
    *FILLERS,
    *("lớp", "4", "5", "môn", "Toán", "Tiếng Việt", "tại", "xã", "Hoà", "cho", "5-6", "tuổi", "ba", "3"),
    *("HS", "học sinh", "“góc”", "–", "e\u0301", "🙂", "漢字", "\ud800", "²"),
)
TITLES = st.lists(st.sampled_from(TITLE_WORDS), max_size=14).map(" ".join)


def exchanged(found):
    """The slots seen from the other title."""
    return [
        Slot(
            slot.earlier_text,
            slot.later_text,
            slot.earlier_start,
            slot.earlier_end,
            slot.later_start,
            slot.later_end,
            slot.kind,
        )
        for slot in found
    ]


def said(later, earlier):
    """The differences of two titles, each with its kind."""
    found = slots(later, earlier)
    return [(word, slot.kind) for word, slot in zip(words(found), found, strict=True)]


@given(later=TITLES, earlier=TITLES)
@example(later="dạy dạy học", earlier="học dạy dạy")
def test_exchanging_the_titles_exchanges_the_sides(later, earlier):
    """Slots do not depend on which title was filed later."""
    assert slots(earlier, later) == exchanged(slots(later, earlier))


@given(later=TITLES, earlier=TITLES)
def test_offsets_point_at_the_words(later, earlier):
    """A slot's texts are what stands at its offsets, in the order of both titles, never overlapping."""
    end = other_end = 0
    for slot in slots(later, earlier):
        assert slot.later_text == later[slot.later_start : slot.later_end] != ""
        assert slot.earlier_text == earlier[slot.earlier_start : slot.earlier_end] != ""
        assert end <= slot.later_start
        assert other_end <= slot.earlier_start
        assert slot.kind in KINDS
        end, other_end = slot.later_end, slot.earlier_end


@given(title=TITLES)
def test_a_title_swaps_nothing_with_itself(title):
    """The same title has no slot, also in capitals or decomposed."""
    assert slots(title, title) == []
    assert slots(title, title.upper()) == []
    assert slots(unicodedata.normalize("NFD", title), unicodedata.normalize("NFC", title)) == []


@given(
    fixed=st.permutations(FIXED).map(lambda some: some[:12]),
    fillers=st.permutations(FILLERS),
    places=st.sets(st.integers(1, 10), min_size=1, max_size=3),
)
def test_planted_slots_are_found(fixed, fillers, places):
    """Wherever words of a template are filled in differently, just these are the slots."""
    places = sorted(places)
    assume(all(there - here > 1 for here, there in pairwise(places)))
    one, other = list(fixed), list(fixed)
    pairs = list(zip(fillers[::2], fillers[1::2], strict=True))
    for place, (mine, yours) in zip(places, pairs, strict=False):
        one[place], other[place] = mine, yours
    found = slots(" ".join(one), " ".join(other))
    assert [(slot.later_text.split()[-1], slot.earlier_text.split()[-1]) for slot in found] == pairs[
        : len(places)
    ]


@given(
    one=st.lists(st.sampled_from(FIXED), min_size=1, max_size=12),
    other=st.lists(st.sampled_from(FILLERS), min_size=1, max_size=12),
)
def test_different_titles_are_no_template(one, other):
    """Titles without a word in common swap nothing."""
    assert slots(" ".join(one), " ".join(other)) == []


@pytest.mark.parametrize(
    ("later", "earlier", "expected"),
    [
        (
            "Một số biện pháp giúp học sinh lớp 4 học tốt môn Toán",
            "Một số biện pháp giúp học sinh lớp 5 học tốt môn Tiếng Việt",
            [("lớp 4 ↔ lớp 5", "class"), ("môn Toán ↔ môn Tiếng Việt", "subject")],
        ),
        ("Máy ép nhựa", "Máy ép viên", [("ép nhựa ↔ ép viên", "object")]),
        (
            "Phát triển ngôn ngữ cho trẻ 4-5 tuổi qua kể chuyện",
            "Phát triển ngôn ngữ cho trẻ 5-6 tuổi qua kể chuyện",
            [("4-5 tuổi ↔ 5-6 tuổi", "class")],
        ),
        (
            "Giúp học sinh học tốt Vật lý",
            "Giúp học sinh học tốt Hoá học",
            [("Vật lý ↔ Hoá học", "subject")],
        ),
        (
            "Dạy môn Tiếng Việt theo góc",
            "Dạy môn Tiếng Anh theo góc",
            [("môn Tiếng Việt ↔ môn Tiếng Anh", "subject")],
        ),
        ("Dạy toán lớp Lá bằng tranh", "Dạy toán lớp Chồi bằng tranh", [("lớp Lá ↔ lớp Chồi", "class")]),
        (
            "Giúp học sinh tiểu học thích đọc sách",
            "Giúp học sinh THCS thích đọc sách",
            [("tiểu học ↔ THCS", "class")],
        ),
        ("Cải tiến máy bơm số 1", "Cải tiến máy bơm số 2", [("số 1 ↔ số 2", "number")]),
        (
            "Quản lý văn thư lưu trữ tại UBND xã Hoà Bình",
            "Quản lý văn thư lưu trữ tại trường THCS Kim Đồng",
            [("tại UBND xã Hoà Bình ↔ tại trường THCS Kim Đồng", "place")],
        ),
        (
            "Nâng cao hiệu quả làm việc ở bệnh viện Bạch Mai",
            "Nâng cao hiệu quả làm việc ở bệnh viện Chợ Rẫy",
            [("bệnh viện Bạch Mai ↔ bệnh viện Chợ Rẫy", "place")],
        ),
        ("Cach day toan lop 4 hieu qua", "Cách dạy toán lớp 5 hiệu quả", [("lop 4 ↔ lớp 5", "class")]),
        ("Sơn lớp lót cho tường", "Sơn lớp phủ cho tường", [("lớp lót ↔ lớp phủ", "object")]),
        ("Quản lý tốt kho vật tư", "Quản lý tốt kho thuốc", [("kho vật tư ↔ kho thuốc", "object")]),
    ],
)
def test_swaps_are_told_with_the_noun_that_names_them(later, earlier, expected):
    """Class, age, subject, place, number and thing are told apart, in words a reviewer can read."""
    assert said(later, earlier) == expected


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("Máy ép nhựa", "Máy ép nhựa mini"),
        ("Rèn kĩ năng đọc cho học sinh lớp 4", "Ren ki nang doc cho hoc sinh lop bốn"),
        ("Biện pháp dạy toán", "Biệm pháp dạy toán"),
        ("Giúp HS học tốt", "Giúp học sinh học tốt"),
        ("Phòng ĐK dự phòng", "Phòng điều khiển dự phòng"),
        ("Máyép nhựa mới", "Máy ép nhựa mới"),
        ("Bàn làm từ thùng gỗ", "Bàn làm bằng thùng gỗ"),
        ("Dạy tốt môn Vật lí", "Dạy tốt môn Vật lý"),
        ("Cắt cỏ, tưới cây, bón phân", "Bón phân, cắt cỏ, tưới cây"),
        ("Bồn rửa tay đạp chân", "Xe tuyên truyền lưu động"),
        (
            "Góc thở, bảng trực giúp cô giáo bớt lo, đón trẻ vui",
            "Phòng thở, lịch trực giúp bà giáo bớt mệt, đón cháu vui",
        ),
        ("", "Máy ép"),
        ("", ""),
    ],
)
def test_what_is_no_swap(later, earlier):
    """Additions, spellings, slips, abbreviations, number words, moved words and other titles are no slots."""
    assert slots(later, earlier) == []


def test_long_texts_are_looked_at_from_their_beginning():
    """A pasted page costs no more than `LONGEST` words: what stands behind is not compared."""
    page = " ".join(f"từ{number}" for number in range(LONGEST + 50))
    assert slots(page.replace("từ10 ", "khác "), page)
    assert slots(page.replace(f"từ{LONGEST + 10}", "khác"), page) == []
    maze = " ".join("ab"[number % 7 % 2] for number in range(100_000))
    assert slots(maze, maze[::-1]) == exchanged(slots(maze[::-1], maze))
