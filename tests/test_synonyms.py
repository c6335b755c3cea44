"""The sheet of synonyms: what a row may hold, so that a word always leads to one concept."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from pipeline import normalize

SHEET = Path(__file__).parents[1] / "data" / "synonyms.csv"
AVOIDED = ("đạo văn", "sao chép")
"""Words that accuse; no sheet of ours brings them up."""

Groups = dict[str, list[str]]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Return the rows as they stand in the file."""
    with SHEET.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def groups(rows: list[dict[str, str]]) -> Groups:
    """Return the words of each group, in their order."""
    return {row["group"]: row["words"].split(";") for row in rows}


@pytest.fixture(scope="module")
def words(groups: Groups) -> list[str]:
    """Return all words, in the order of the file."""
    return [word for members in groups.values() for word in members]


def test_opens_in_excel_with_its_marks():
    """The file says that it is UTF-8, which Excel would else take for another code page."""
    data = SHEET.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfgroup,words\r\n")
    assert data.endswith(b"\r\n")


def test_covers_the_language_of_initiatives(groups: Groups, words: list[str]):
    """The sheet is large enough for eleven fields: 1,800 concepts, 6,000 words."""
    assert len(groups) >= 1_800
    assert len(words) >= 6_000


def test_every_row_has_two_cells_and_a_name_of_its_own(rows: list[dict[str, str]]):
    """No cell is empty or left over, and no two rows have the same name."""
    assert all(set(row) == {"group", "words"} and all(row.values()) for row in rows)
    assert not [name for name, count in Counter(row["group"] for row in rows).items() if count > 1]


def test_a_group_is_named_after_its_commonest_word(groups: Groups):
    """The first word of a row names it, and at least one other word means the same."""
    assert not [name for name, members in groups.items() if members[0] != name or len(members) < 2]


def test_rows_stand_in_one_order(groups: Groups):
    """Rows are sorted by name, first without marks, so that two versions can be compared line by line."""
    assert list(groups) == sorted(groups, key=lambda name: (normalize.fold(name), name))


def test_words_are_written_as_texts_are(words: list[str]):
    """Words are NFC and lower case, letters and digits between single spaces, so that texts can hold them."""
    assert not [word for word in words if word != unicodedata.normalize("NFC", word).lower()]
    assert not [word for word in words if not re.fullmatch(r"[^\W_]+( [^\W_]+)*", word)]
    assert not [word for word in words if normalize.clean(word).text != word]


def test_a_word_leads_to_one_concept(words: list[str]):
    """No word stands twice, in one row or in two, not even spelt with another i/y or place of the tone."""
    assert not [word for word, count in Counter(map(normalize.key, words)).items() if count > 1]


def test_few_words_of_several_syllables_meet_without_marks(groups: Groups):
    """In text without diacritics nearly every longer word still leads to its own concept alone."""
    concepts: dict[str, set[str]] = {}
    for name, members in groups.items():
        for word in members:
            if " " in word:
                concepts.setdefault(normalize.fold(word), set()).add(name)
    assert sum(len(names) > 1 for names in concepts.values()) <= 0.02 * len(concepts)


def test_no_single_syllable_is_left_that_builds_sentences(words: list[str]):
    """Syllables of grammar, or of many meanings, lead to no concept."""
    ambiguous = {"ai", "bàn", "cách", "cao", "cần", "có", "công", "của", "để", "được", "giá", "hay", "khi"}
    ambiguous |= {
        "là",
        "làm",
        "lại",
        "máy",
        "phần",
        "phòng",
        "ra",
        "sau",
        "việc",
        "và",
        "với",
        "điều",
        "đường",
    }
    assert not ambiguous & set(words)


@pytest.mark.parametrize(
    ("one", "other"),
    [("lợn", "heo"), ("cốc", "ly"), ("bệnh nhân", "người bệnh"), ("động cơ", "mô tơ"), ("tivi", "ti vi")],
)
def test_plain_and_regional_words_meet(groups: Groups, one: str, other: str):
    """Northern and Southern, formal and spoken, loan and native words of one thing share a row."""
    assert [name for name, members in groups.items() if {one, other} <= set(members)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("tăng", "giảm"), ("bác sĩ", "điều dưỡng"), ("khoan", "cắt"), ("nhanh", "chậm"), ("lắp", "tháo")],
)
def test_opposites_and_neighbours_are_apart(groups: Groups, one: str, other: str):
    """Opposites, and things that only share a topic, lie in two rows."""
    where = {word: name for name, members in groups.items() for word in (one, other) if word in members}
    assert where[one] != where[other]


def test_nothing_accuses(words: list[str]):
    """No word of the sheet charges anybody with copying."""
    assert not [word for word in words if any(phrase in word for phrase in AVOIDED)]
