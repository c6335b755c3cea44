"""Laws of the normalized forms, on ordinary and hostile text."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.normalize import clean, fold, fold_table, key, trace
from pipeline.normalize.cleaning import STEPS

VIETNAMESE = (
    "Cải tiến máy ép nhựa nhằm nâng cao năng suất, giảm tiêu hao điện năng tại phân xưởng số 2.",
    "Giải pháp: lắp bộ đếm tự động – tiết kiệm 15 % chi phí (khoảng 120 triệu đồng/năm).",
    "Thuỷ thủ hoà thuận, quý giá, khuỷu tay, giếng nước; KỸ THUẬT HOÁ CHẤT “An toàn” ‘lao động’…",
    "Người được hưởng: công nhân, viên chức\nĐơn vị: Công đoàn cơ sở Trường THPT Đống Đa",
    "Diện tích 25 m², nhiệt độ ≤ 40 °C, sai số ±0,5 mm; ký hiệu R&D, H'Mông, 1/2.",
)
FRAGMENTS = (
    *VIETNAMESE,
    *(
        "sоng",
        "сhất",
        "ѕáng",
        "ἀ",
        "ά",
        "𝐬𝐚́𝐧𝐠",
        "đoμn",
        "ng−ời",
        "đ‐ợc",
        "5 μm",
        "kΩ",
        "ɑnh",
        "ðoàn",
        "LÐLÐ",
        "ƣơng",
    ),
    *(
        "&amp;",
        "&amp;amp;lt;",
        "&ocirc;",
        "&#7879;",
        "&#x1EC7",
        ";",
        "&",
        "#38;",
        "&foo;",
        "&lt&#59&#59;",
        "&#xD800;",
    ),
    *(
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u00ad",
        "\u202e",
        "\u2800",
        "\u3164",
        "\U000e0041",
        "\ufe0f",
        "\u034f",
        "\0",
        "\x7f",
    ),
    *("\u0301", "\u0323", "\u0302", "\u031b", "\u0330", "\u0344", "\u0340", "\u0301" * 6, "\u0323\u0301" * 5),
    *(
        "👩\u200d👩",
        "❤️",
        "1️⃣",
        "🏳️\u200d🌈",
        "\U0001d160",
        "\u0958",
        "\u1100\u1161\u11a8",
        "\u09c7\u09be",
        "\u212b",
    ),
    *(
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\xa0",
        "\u3000",
        "\u2028",
        "\x0b",
        "Ｆｕｌｌ",
        "＆ａｍｐ；",
        "ﬁ",
        "½",
        "ß",
        "ŉ",
        "İ",
        "ΐ",
    ),
    *(
        "\ud800",
        "\udfff",
        "hoà",
        "thuý",
        "qúy",
        "ky",
        "kỹ",
        "ty\u0330",
        "а",
        "漢字",
        "ไทย",
        "ки́р",
        "_",
        "-",
        "'",
    ),
)
HOSTILE = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), max_size=12).map("".join)
ORDINARY = st.lists(st.sampled_from(VIETNAMESE), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
@example("ἀ")
@example("a\u200b\u0301")
@example("&amp;amp;amp;lt;")
@example("&lt" + "&#59" * 30 + ";")
@example("\U0001d160" * 20_000)
def test_clean_is_idempotent(raw: str) -> None:
    """Cleaning a clean text changes, counts and flags nothing."""
    once = clean(raw).text
    assert clean(once) == (once, {}, frozenset())


@settings(max_examples=300, deadline=None)
@given(st.one_of(HOSTILE, ORDINARY))
def test_no_step_has_work_left_on_a_clean_text(raw: str) -> None:
    """The short way out for clean cells skips nothing: each step alone finds nothing to edit."""
    text = clean(raw).text
    assert [step.fix for step in STEPS if list(step.edits(text))] == []


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
@example("hoà\u0323 ky\u0330")
def test_key_is_idempotent(raw: str) -> None:
    """The key of a key is that key."""
    assert key(key(raw)) == key(raw)


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
@example("Gµ")
def test_fold_is_idempotent(raw: str) -> None:
    """Folding folded syllables changes nothing."""
    assert fold(fold(raw)) == fold(raw)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
@example("각" + "\u0301" * 6)
def test_composed_and_decomposed_input_give_the_same_forms(raw: str) -> None:
    """NFC and NFD of a text have one clean text, one key and one fold."""
    composed, decomposed = unicodedata.normalize("NFC", raw), unicodedata.normalize("NFD", raw)
    assert clean(composed).text == clean(decomposed).text
    assert key(composed) == key(decomposed)
    assert fold(composed) == fold(decomposed)


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
def test_trace_gives_the_clean_text_with_offsets_in_order(raw: str) -> None:
    """Traced and untraced cleaning agree; offsets never decrease and end within the raw text."""
    text, at = trace(raw)
    assert text == clean(raw).text
    assert len(at) == len(text) + 1
    assert all(a <= b for a, b in pairwise(at.tolist()))
    assert at[0] >= 0
    assert at[-1] <= len(raw)


WORDS = st.sampled_from(
    (
        "Cải",
        "tiến",
        "máy",
        "sо\u0301ng",
        "đoμn",
        "ng−ời",
        "&ocirc;ng",
        "ｋｅｏ",
        "a\u200bn",
        "ÐOÀN",
        "2\u00b2",
        "ƣa",
        "nha\u0300",
    )
)
GAPS = st.sampled_from((" ", "  ", "\n", "\r\n", "\xa0", " \u200b ", "\u3000", "\t"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(WORDS, GAPS, st.booleans()), min_size=1, max_size=12))
def test_offsets_slice_back_to_each_token(pieces: list[tuple[str, str, bool]]) -> None:
    """The raw characters behind a token of the clean text clean to that token."""
    raw = "".join(
        (unicodedata.normalize("NFD", word) if apart else word) + gap for word, gap, apart in pieces
    )
    text, at = trace(raw)
    start = 0
    for token in text.split():
        start = text.index(token, start)
        assert clean(raw[at[start] : at[start + len(token)]]).text == token
        start += len(token)


def gather(text: str) -> str:
    """Fold ``text`` code point by code point, as a batch is folded."""
    mapped = fold_table()[[ord(character) for character in text]]
    return " ".join("".join(map(chr, mapped[mapped > 0])).split())


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_the_table_folds_like_fold(raw: str) -> None:
    """A gather over the clean text is the fold, whatever the text."""
    text = clean(raw).text
    assert (gather(text) if text else "") == fold(raw)


@settings(max_examples=100, deadline=None)
@given(ORDINARY)
def test_the_table_folds_raw_vietnamese(text: str) -> None:
    """For Vietnamese text the gather needs no cleaning: composed, decomposed and upper case fold alike."""
    expected = fold(text)
    for form in ("NFC", "NFD"):
        assert gather(unicodedata.normalize(form, text)) == expected
        assert gather(unicodedata.normalize(form, text.upper())) == expected


@settings(max_examples=100, deadline=None)
@given(ORDINARY, st.sampled_from("\u200b\u200d\u00ad\ufeff\u2060\u2800\u3164\u034f\U000e0041\x00"), st.data())
def test_hidden_characters_leave_no_trace_but_a_flag(text: str, hidden: str, data: st.DataObject) -> None:
    """A hidden character anywhere changes neither the clean text nor the fold, and is flagged."""
    at = data.draw(st.integers(0, len(text)))
    spoilt = text[:at] + hidden + text[at:]
    assert clean(spoilt).text == text
    assert gather(spoilt) == fold(text)
    assert clean(spoilt).flags == {"hidden_characters"}


@pytest.mark.parametrize("text", VIETNAMESE)
def test_ordinary_vietnamese_stays_as_it_is(text: str) -> None:
    """Ordinary text is returned unchanged, with nothing counted and nothing flagged."""
    assert clean(text) == (text, {}, frozenset())


def test_the_table_is_complete_and_of_one_kind() -> None:
    """Every code point folds to nothing, to a blank, or to a letter or digit that folds to itself."""
    table = fold_table()
    assert table.shape == (0x110000,)
    assert table.dtype == np.uint32
    targets = np.unique(table)
    assert np.array_equal(table[targets], targets)
    letters = targets[(targets > ord(" ")) & (targets < 0x20000)]  # beyond are ideographs, as they are
    assert all(chr(code).isalnum() for code in letters.tolist())


@pytest.mark.parametrize(
    "unit",
    [
        "\u0301\u0323",
        "\u200b",
        "&amp;",
        "&#xFF06;",
        "&#59",
        "\u2800a",
        "μ",
        " ",
        " \n",
        "а",
        "Ð",
        "\u0301\u200b",
        "\ufe0f",
        "👩\u200d",
        "\ud800",
        "a−",
        "hoà",
        "hoà ",
        "\u1161",
        "Ａ",
        "aа",
    ],
)
def test_time_is_bounded_on_hostile_text(unit: str) -> None:
    """100 kB of any one thing takes seconds at most; quadratic time would be minutes."""
    text = "a" + unit * (100_000 // len(unit))
    started = time.process_time()
    key(text)
    trace(text)
    assert time.process_time() - started < 20
