"""Words written so that only people can read them become words again; honest texts stay as they are."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import normalize, read
from pipeline.normalize import respelling

TEXT = (
    "Trước đây công nhân phải tháo khuôn bằng tay, mỗi ca mất 45 phút và hay kẹp ngón. "
    "Nay lắp thêm hai xi lanh khí nén đẩy khuôn ra trong 3 phút, giảm hẳn tai nạn."
)


def applied(text, edits):
    """The text after the edits."""
    pieces, at = [], 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join([*pieces, text[at:]])


def respelled(text):
    """The text as it is read, folded."""
    return normalize.fold(applied(text, respelling.edits(text)))


def repeated(text):
    """The text with a letter of each long word three times."""
    return re.sub(r"[^\W\d_]{3,}", lambda word: word[0][:2] + word[0][1:2] * 2 + word[0][2:], text)


@pytest.fixture(scope="module")
def honest(sample):
    """Every title and description of the sample, composed."""
    names = ("archive.csv", "batch_unions.csv", "batch_portal.xlsx", "labelled.csv")
    batch = read.tables([sample / name for name in names]).batch
    return [unicodedata.normalize("NFC", text) for text in [*batch["title"], *batch["description"]]]


@pytest.mark.parametrize(
    "disguised",
    [
        "   ".join(" ".join(word) for word in TEXT.split(" ")),
        repeated(TEXT),
        TEXT.replace("o", "0").replace("i", "1"),
    ],
    ids=["spaced", "repeated", "digits"],
)
def test_a_disguise_that_shows_its_words_is_undone(disguised):
    """Spaced out, with letters repeated or digits for letters, nine words in ten are read, and it is told."""
    before, after = normalize.fold(TEXT).split(), respelled(disguised).split()
    assert len(set(before) & set(after)) >= 0.9 * len(set(before))
    assert len(set(before) & set(normalize.fold(disguised).split())) >= 0.9 * len(set(before))
    assert "respelled" in normalize.clean(disguised).flags


@pytest.mark.parametrize("gap", ["", " "], ids=["joined", "evenly spaced"])
def test_words_without_borders_are_found(gap):
    """Where no blank tells words apart, eight in ten are found by what a syllable can be."""
    disguised = gap.join(TEXT.replace(" ", ""))
    before, after = normalize.fold(TEXT).split(), respelled(disguised).split()
    assert len(set(before) & set(after)) >= 0.8 * len(set(before))


def test_honest_texts_stay(honest):
    """No title or description of the sample is changed."""
    assert [text for text in honest if list(respelling.edits(text)) or list(respelling.overrides(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "A B C D E G H I K L M N",
        "1 2 3 4 5 6 7 8 9 10",
        "x x x x x x o o o x x x",
        "H2O, NH3, B20, 1A, 2B, 3C, 4D, M16, K98, A4, P1, T4",
        "polyethylene polypropylene wordpress javascript bluetooth",
        "Krông Pắc, Êđê, ôtô, bêtông, axêtylen, nilông, vắcxin",
        "III VII VIII XIII XXIII google facebook coffee book",
        "",
    ],
)
def test_codes_tables_and_foreign_words_stay(text):
    """Rows of single signs, codes, Roman numerals and foreign words are no disguise."""
    assert respelled(text) == normalize.fold(text)


def test_what_stands_backwards_is_turned_round_with_its_marks():
    """A line under an override is read as it is displayed, decomposed or not; an empty one says nothing."""
    for text in (TEXT, unicodedata.normalize("NFD", TEXT)):
        clusters = re.findall(r"[^\u0300-\u036f][\u0300-\u036f]*", text)
        for end in ("\u202c", ""):
            disguised = "\u202e" + "".join(reversed(clusters)) + end
            assert applied(disguised, respelling.overrides(disguised)) == text
    assert list(respelling.overrides(f"{TEXT}\u202e\u202c")) == []


@given(st.text(alphabet="áaàbcđeêghiklmnoôơptuưvxy 0134.,\n\u202e\u202c", max_size=80))
def test_edits_stand_in_order_inside_the_text(text):
    """Whatever the text: edits follow one another, lie inside it and change what they replace."""
    for found in (list(respelling.edits(text)), list(respelling.overrides(text))):
        at = 0
        for edit in found:
            assert at <= edit.start < edit.end <= len(text)
            assert text[edit.start : edit.end] != edit.text
            at = edit.end


@given(st.text(alphabet="aáâbcđêghikmnôơptuưy", max_size=60))
def test_cutting_keeps_every_letter(word):
    """The pieces of a word, put together, are the word."""
    assert "".join(respelling.cut_syllables(word)) == word


def test_long_input_comes_to_an_end():
    """A cell of the greatest length, in each disguise, is read without quadratic work."""
    for text in ("sángkiến" * 4_000, "s á n g " * 4_000, "\u202eab" * 10_000, "s0" * 16_000, "áá" * 16_000):
        applied(text, respelling.edits(text))
        applied(text, respelling.overrides(text))
