"""Words: every character is kept, whatever the text, and time is bounded."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
import unicodedata
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import segment
from pipeline.settings import checkout

TEXT = (
    "Cải tiến máy ép nhựa nhằm nâng cao năng suất lao động tại phân xưởng số 2 của Công ty TNHH An Phát.",
    "Giải pháp được áp dụng từ ngày 02/03/2024; chi phí 1.250.000 đồng, tiết kiệm 15,5 % (khoảng 3-4 triệu).",
    "Liên hệ: a.nguyen-van@anphat.com.vn, xem https://anphat.com.vn/sk?id=12&x=(a) hoặc www.laodong.vn/tin.",
    "Theo NĐ-CP số 13/2012/NĐ-CP và Tp. Hồ Chí Minh, PGS.TS. Trần Văn B., xe 43H-0530, máy 3x4 m, v.v...",
    "Học sinh lớp 5A1 trường H'Mông - cơ sở 2 => đạt 95%, nhiệt độ 40°C; e-mail, T.Ư, H&M :)) <3",
    "Truy cập http://vi.wikipedia.org/wiki/Máy_(cơ_khí) và ftp://x.y/z. Điện thoại 024-3573-0235.",
)


def load():
    """The benchmark as a module: it is a script, and of no package."""
    spec = importlib.util.spec_from_file_location("bench_segment", checkout("benchmarks", "segment.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


benchmark = load()

HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            (
                *TEXT,
                "http://",
                "!",
                "!?",
                "a.",
                "1.",
                "a+",
                "@",
                "_",
                "\n",
                "\u0301",
                "\ud800",
                "😀",
                "\0",
                "\xa0",
            )
        ),
        st.text(max_size=8),
        st.builds(lambda unit, times: unit * times, st.text(min_size=1, max_size=3), st.integers(1, 300)),
    ),
    max_size=8,
).map("".join)


def bare(text: str) -> str:
    """Return ``text`` without whitespace."""
    return re.sub(r"\s", "", text)


def test_known_words() -> None:
    """Compound words of everyday initiatives are kept together."""
    assert segment.words("học sinh có sáng kiến mới") == ["học sinh", "có", "sáng kiến", "mới"]
    assert segment.tokens("học sinh\ncó sáng kiến").text == "học_sinh có sáng_kiến"


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
@example("These bíết thực tế Th.S")
@example("!" * 500 + " xong")
@example("a" * 900 + " xong")
@example("dài " * 9000)
@example("İ" * 10 + "CẢI TIẾN")
def test_every_character_is_kept(text: str) -> None:
    """The words without spaces are the text without whitespace; in one line, also without underscores."""
    assert bare("".join(segment.words(text))) == bare(text)
    assert re.sub(r"[\s_]", "", segment.tokens(text).text) == re.sub(r"[\s_]", "", text)


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_words_are_never_empty_and_never_cross_a_line(text: str) -> None:
    """A word holds something, no line end and no other blank than single spaces."""
    for word in segment.words(text):
        assert word
        assert word == " ".join(word.split())
    lines = [bare(line) for line in text.splitlines()]
    ends = set()
    total = 0
    for line in lines:
        total += len(line)
        ends.add(total)
    starts = {0}
    total = 0
    for word in segment.words(text):
        total += len(bare(word))
        starts.add(total)
    assert ends <= starts


@settings(max_examples=30, deadline=None)
@given(st.lists(HOSTILE, max_size=4))
def test_a_batch_is_its_texts_one_by_one(texts: list[str]) -> None:
    """A text's words do not depend on its neighbours, nor on being asked for again."""
    assert segment.column(texts) == [segment.tokens(text) for text in texts]


def test_blank_text_has_no_words() -> None:
    """Nothing in, nothing out."""
    for text in ("", " ", "\n \n"):
        assert segment.words(text) == []
        assert segment.tokens(text) == ("", False)


PIECES = sorted(set(chain.from_iterable(text.split() for text in TEXT)))
ODD = (
    *(
        "a-b-c",
        "1.600m-2.000m",
        "a_b@c.d-e.vn",
        "http://a",
        "http://a.",
        "(http://a.b/c)",
        "x.y.com",
        "a.b.co/",
    ),
    *("http://a.b/(c)", "http://a(b)c", "a--b", "a-+b", "-a-", "foo.na@example.com", "www.a-b.vn/x,y."),
    *(
        "abc.com123",
        "..abc.com/x",
        "A.b.com/x",
        "a+b@c",
        "ftp:x",
        "https:%20",
        "a.b-c.d/e",
        "@a.vn",
        "a.vn@b",
    ),
)


@pytest.mark.parametrize("text", TEXT)
def test_ordinary_text_gives_the_words_of_the_library(text: str) -> None:
    """On ordinary text the bounded rules and the shortened view change no word of underthesea's own."""
    from underthesea import word_tokenize

    assert list(map(bare, segment.words(text))) == list(map(bare, word_tokenize(text)))
    assert segment.tokens(text).guarded is False


def test_addresses_mail_and_hyphens_give_the_words_of_the_library() -> None:
    """The bounded rules agree with the original ones on addresses, mail and hyphens, alone or in pairs."""
    from underthesea import word_tokenize

    for text in (
        *PIECES,
        *ODD,
        *(first + gap + second for first in ODD for second in ODD for gap in ("", " ")),
    ):
        assert list(map(bare, segment.words(text))) == list(map(bare, word_tokenize(text))), text


def test_capitals_are_segmented_like_lower_case() -> None:
    """A line in capitals has the words of the same line in lower case, in capitals."""
    lower = "cải tiến máy ép nhựa nâng cao năng suất"
    assert segment.words(lower.upper()) == [word.upper() for word in segment.words(lower)]


def test_text_without_diacritics_is_left_in_syllables() -> None:
    """Where marks are missing throughout, every syllable is a word."""
    text = "cai tien ky thuat nham nang cao nang suat lao dong"
    assert segment.words(text) == text.split()


def test_composed_and_decomposed_text_have_the_same_words_once_clean() -> None:
    """After cleaning, the form in which a text arrived does not matter."""
    from pipeline.normalize import clean

    for text in TEXT:
        assert segment.words(clean(unicodedata.normalize("NFD", text)).text) == segment.words(text)


def test_a_guard_is_told() -> None:
    """A run that no word can be as long as is read in part, which is said; a dotted line is no such run."""
    assert segment.tokens("x" * 500).guarded
    assert segment.tokens("hết " * 10_000).guarded
    assert segment.tokens("\ud800").guarded
    assert not segment.tokens("Chữ ký " + "." * 150).guarded


def test_the_model_has_a_version() -> None:
    """The version names the library's release and the model files' digest."""
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", segment.model_version())


@pytest.mark.parametrize("name", benchmark.HOSTILE)
def test_hostile_text_takes_bounded_time(name: str) -> None:
    """Strings made to hang a tokenizer cost milliseconds; the limit only tells them from exponential ones."""
    segment.words("khởi động")
    for size in (1_000, 32_000, 100_000):
        text = benchmark.hostile(name, size)
        started = time.process_time()
        found = segment.words(text)
        assert time.process_time() - started < 5
        assert bare("".join(found)) == bare(text)


def test_a_hostile_row_changes_no_other() -> None:
    """Each row beside hostile ones has the words and the guard it has alone."""
    rows = [text for name in benchmark.HOSTILE for text in (*TEXT, benchmark.hostile(name, 3_000))]
    calm = [segment.tokens(text) for text in TEXT]
    found = segment.column(rows)
    step = len(TEXT) + 1
    for start in range(0, len(rows), step):
        assert found[start : start + len(TEXT)] == calm


def test_at_least_forty_strings_are_hostile() -> None:
    """The set is large, of different strings, and each is as long as asked for."""
    made = {benchmark.hostile(name, 2_000) for name in benchmark.HOSTILE}
    assert len(made) == len(benchmark.HOSTILE) >= 40
    assert {len(text) for text in made} == {2_000}


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("xem http://a.vn/x(y) và a.b.c.d.e.f.g.h.vn", False),
        ("xem http://a.vn/x(y(z)) nhé", True),
        ("xem http://a.vn/x(y)z) nhé", True),
        ("xem a.b.c.d.e.f.g.h.i.k.vn nhé", True),
        ("xem " + "a" * 64 + ".vn nhé", True),
        ("gửi " + "a" * 65 + "@b.vn nhé", True),
        ("gửi " + "a" * 64 + "@b.vn nhé", False),
        ("họ tên" + "." * 300, False),
        ("họ tên " + "_" * 300 + " ngày " + "-" * 300, False),
        ("họ tên " + "=" * 300, True),
        ("họ te" + "\u0302\u0301" * 150 + "n", True),
        ("(((a))) và 1.2.3.4.5.6.7.8.9.10.11", False),
    ],
)
def test_what_is_read_by_other_rules_is_told(text: str, *, guarded: bool) -> None:
    """A guard speaks where words may not be underthesea's, and keeps silent about lines to write on."""
    assert segment.tokens(text).guarded is guarded


def test_lines_to_write_on_give_the_words_of_the_library() -> None:
    """However long a line of dots, dashes or underscores is, it is the one token it is for underthesea."""
    from underthesea import word_tokenize

    for sign in "._-":
        for size in (1, 2, 3, 4, 7, 50, 250, 900):
            for text in (
                f"họ tên {sign * size} ngày",
                f"Tên:{sign * size}",
                f"công ty v.v{sign * size} ở ABC{sign * size}",
            ):
                assert list(map(bare, segment.words(text))) == list(map(bare, word_tokenize(text))), text
