"""Words of many texts at once: exactly those of underthesea, whatever the text, and told where they stand."""

from __future__ import annotations

import struct
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline import normalize, segment
from pipeline.cli import main, options
from pipeline.segment import crf, engine, library, warm
from pipeline.segment.batch import Batch
from pipeline.segment.lattice import GAP, Lattice, Tokens
from pipeline.segment.lexicon import Featurizer, Lexicon

_PIECES = """
    học sinh Sáng kiến CẢI TIẾN máy móc lao động an toàn nghành Hoà bíết Th S Th.S ThS. Tp. HCM ABC. ABC TNHH
    1.250.000 02/03/2024 5A1 43H-0530 v.v v.v... :D :)) <3 e-mail NĐ-CP T.Ư H&M H'Mông a@b.vn www.a.vn x.y.com
    http://a.b/c?d=1 https://x.y/(z) ftp://q a-b-c 3-4 1,5 % °C => -> -- ... … “ ” ( ) [ ] _ a_b + 3x4
    Thes Mr. PGS.TS. Ðảng II ß İstanbul ΑΣ ǅ ﬁ ½ ² ٣ 漢字 😀 \u200b \xad \u0301 ạ\u0301 e\u0323\u0302
    o\u031b\u0300 BOS EOS
"""
PIECES = tuple(_PIECES.split())
GAPS = (" ", " ", " ", " ", "", "\n", "\t", "\xa0", " \n", "\r\n", "\x1c", "\u2028")
ORDINARY = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GAPS)), max_size=25).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)
TEXT = st.one_of(
    ORDINARY,
    ORDINARY.map(str.strip),
    ORDINARY.map(str.upper),
    ORDINARY.map(lambda t: unicodedata.normalize("NFD", t)),
)
ODD = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="abAĐ19..--/()@:+_&%=?,<> \n\u0301\u0323", max_size=40),
    st.lists(st.builds(lambda unit, n: unit * n, st.text(min_size=1, max_size=3), st.integers(1, 300))).map(
        "".join
    ),
)


@pytest.fixture(scope="module")
def slow():
    """Return an engine without a batch, as for a model that is not known."""
    return engine.load(digests={"models.bin": "another"})


# -------------------------------------------------------------------------------- the same, by three oracles


@settings(max_examples=300)
@given(st.lists(TEXT, max_size=4))
@example(["Th Sáng", "gặp Th\tS", "ABC.", "ABC.\n", "ABC. ", "ABC.\n\n", "a\nTP.", ":D", "", "\n"])
def test_the_words_are_those_of_underthesea(texts):
    """Byte for byte what `word_tokenize` gives, where no guard says otherwise."""
    from underthesea import word_tokenize

    for text, words in zip(texts, segment.like_underthesea(texts), strict=True):
        if not segment.tokens(text).guarded:
            assert words == word_tokenize(text)


@settings(max_examples=200)
@given(st.lists(st.one_of(TEXT, ODD), max_size=4))
@example(["0\n0\n0\n0\n? A\n0\nÐ"])
@example([" a" * 66 + "0\x08À" * 67])
@example(["CẢI TIẾN MÁY\nÉP nhựa", "\ud800 học sinh", "http://" + "!" * 50, "x" * 999 + " y"])
def test_all_at_once_is_one_by_one(slow, texts):
    """Words and guards do not depend on which way was taken."""
    assert segment.column(texts) == segment.cut(texts, slow)


def test_a_plain_word_with_a_sign_is_cut_as_by_the_library():
    """What is cut without asking the tokenizer is what the tokenizer would cut."""
    from underthesea import word_tokenize

    words = (
        "máy",
        "Máy",
        "MÁY",
        "a",
        "ab",
        "tp",
        "Tp",
        "ThS",
        "TNHH",
        "v",
        "http",
        "www",
        "Th",
        "đ",
        "Đ",
        "These",
        "ThaSa",
        "aThes",
    )
    for before, word, behind in product(("", '"', "“", "("), words, ("", *',;:!?)”".')):
        text = f"rằng {before}{word}{behind} thì"
        assert segment.like_underthesea([text]) == [word_tokenize(text)], text


def test_each_word_of_the_model_is_cut_as_by_the_library(parts):
    """All words of the model, as they are, with a capital and in capitals, each with some sign about it."""
    from underthesea import word_tokenize

    tables, _ = parts
    words = sorted({*tables.words, *tables.lowers})
    signs = [
        f"{before}{{}}{behind}"
        for before in ("", "", "“", "(", '"')
        for behind in ("", ",", ")", ".", "!", ":")
    ]
    forms = [*words, *map(str.capitalize, words), *map(str.upper, words)]
    runs = [signs[at % len(signs)].format(word) for at, word in enumerate(forms)]
    texts = [" ".join(runs[start : start + 100]) for start in range(0, len(runs), 100)]
    assert segment.like_underthesea(texts) == [word_tokenize(text) for text in texts]


def flat(steps):
    """Return tables of a model that knows no word, with these weights from label to label."""
    two, three, five = np.zeros(4), np.zeros(3), np.zeros(5)
    none2, none3 = (crf.Grams(np.zeros(0, np.int64), np.zeros((0, size))) for size in (4, 3))
    return crf.Tables(
        [], [], five[None, :], five[None, :], np.zeros((8, 5)), five, none2, none2, none3, none3,
        two, three, two, three, three, np.zeros(2), np.zeros(2), np.array(steps),
    )  # fmt: skip


@settings(max_examples=300)
@given(
    st.lists(
        st.lists(st.sampled_from([-3.1, -1.3, -0.7, -0.2, 0.05, 0.4, 0.9, 1.6, 2.7]), max_size=9), max_size=30
    )
)
def test_labels_are_the_best_path(documents):
    """Of all labellings of a document, each tried, the one found has the highest sum."""
    steps = (-0.44, 0.4, 0.41, -0.61)
    weight = dict(zip(product("BI", repeat=2), steps, strict=True))
    row = [0.0] * GAP + [score for document in documents for score in (*document, *[0.0] * GAP)]
    outside = [True] * GAP + [
        flag for document in documents for flag in (*[False] * len(document), *[True] * GAP)
    ]
    zero = np.zeros(len(row), dtype=np.int64)
    scores = np.zeros((len(row), 5))
    scores[:, 2] = row
    labels = Lattice(flat(steps)).label(Tokens(zero, zero, zero > 0, scores), np.array(outside))
    at = GAP

    def total(path, document):
        own = sum(score for label, score in zip(path, document, strict=True) if label == "B")
        return own + sum(weight[step] for step in pairwise(path))

    for document in documents:
        found = ["B" if begins else "I" for begins in labels.begins[at : at + len(document)]]
        margin = min(labels.margin[at : at + len(document)], default=1.0)
        ranked = sorted((total(path, document), path) for path in product("BI", repeat=len(document)))
        if document and margin > 1e-6:
            assert tuple(found) == ranked[-1][1]
            assert ranked[-1][0] > ranked[-2][0]
        at += len(document) + GAP


@pytest.mark.slow
@pytest.mark.shared
def test_news_has_the_words_of_underthesea(bench_data):
    """Passages of six hundred articles and every sentence of a treebank, byte for byte."""
    from underthesea import word_tokenize

    texts = pd.read_parquet(bench_data / "vntc10" / "passages_test.parquet")["text"].tolist()[5_000:5_600]
    for name in ("dev", "test"):
        lines = (bench_data / "ud_vtb" / f"vi_vtb-ud-{name}.conllu").read_text(encoding="utf-8").splitlines()
        texts += [line.removeprefix("# text = ") for line in lines if line.startswith("# text = ")]
    assert len(texts) > 1_700
    assert segment.like_underthesea(texts) == [word_tokenize(text) for text in texts]


# --------------------------------------------------------------------------------------------- the way taken


def test_an_unknown_model_is_read_the_slow_way_and_that_is_said(slow):
    """Where a file of the model is another, nothing is computed from it; the reason names the release."""
    assert slow.batch is None
    assert "underthesea 9." in str(slow.reason)
    assert segment.cut(["học sinh"], slow) == [("học_sinh", False)]
    assert segment.slow_reason() is None


def test_the_self_check_finds_a_library_that_cuts_otherwise():
    """One word parted on one of the sentences is enough, and the sentence is named."""
    known = library.library()
    victim = engine.sentences()[3]
    other = known._replace(tokenize=lambda text: [*known.tokenize(text), *(["x"] if text == victim else [])])
    refused = engine.load(library=other)
    assert refused.batch is None
    assert victim in str(refused.reason)


def test_the_self_check_has_two_hundred_sentences():
    """They are many, different, and none of them blank."""
    assert len(set(engine.sentences())) == 200
    assert all(map(str.strip, engine.sentences()))


def test_what_is_no_model_file_is_refused():
    """Damage is an error, never a table."""
    for damaged in (b"", b"lCRF" + bytes(60), bytes(4_000)):
        with pytest.raises((ValueError, struct.error)):
            crf.tables(damaged, b"\x80\x04]\x94.")


# ---------------------------------------------------------------------------------------------------- memory


@pytest.fixture(scope="module")
def parts():
    """Return the model's tables and what asks the library about tokens."""
    folder = library.folder()
    tables = crf.tables(*((folder / name).read_bytes() for name in ("models.bin", "dictionary.bin")))
    return tables, Featurizer(tables, library.library(), crf.strings((folder / "features.bin").read_bytes()))


def read(batch, texts):
    """Return each text's words in one line."""
    return [line for group in batch.read(texts) for line in group.lines((" ", "_", ""))]


def test_what_is_remembered_changes_no_word(parts):
    """With a vocabulary, without one, after forgetting everything, and in any order: the same words."""
    tables, featurizer = parts
    texts = [f"{text} {number}" for number, text in enumerate(engine.sentences())]
    plain = Lexicon(featurizer)
    first = read(Batch(Lattice(tables), plain), texts)
    plain.trim(0)
    assert read(Batch(Lattice(tables), plain), texts[::-1])[::-1] == first
    assert read(Batch(Lattice(tables), Lexicon(featurizer, featurizer.vocabulary())), texts) == first


def test_threads_may_share_the_reader():
    """Texts read by several threads at once have the words they have alone."""
    texts = [[f"{text} số {number} x{number}y" for text in engine.sentences()[:20]] for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(segment.column, texts))
    assert together == [segment.column(each) for each in texts]


def same(one, other):
    """Return whether two pairs of tables hold the same."""
    (tables, known), (others, words) = one, other
    columns = [*zip(tables, others, strict=True), *zip(known.tokens, words.tokens, strict=True)]
    assert known.words == words.words
    for left, right in columns:
        if isinstance(left, crf.Grams):
            columns += zip(left, right, strict=True)
        elif isinstance(left, list):
            assert left == right
        else:
            assert np.array_equal(left, right)
            assert left.dtype == right.dtype
    return True


def test_tables_come_back_from_disk_as_they_were(parts, tmp_path):
    """Nothing is lost or changed on the way, and nothing else is left behind."""
    tables, featurizer = parts
    kept = tables, featurizer.vocabulary()
    file = warm.path(tmp_path / "new" / "folder", "1.2+ab")
    warm.write(file, *kept)
    found = warm.read(file)
    assert found
    assert same(found, kept)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.fixture(scope="module")
def whole(parts):
    """Return the content of a file of tables."""
    tables, featurizer = parts
    with TemporaryDirectory() as folder:
        file = warm.path(Path(folder), "1")
        warm.write(file, tables, featurizer.vocabulary())
        return file.read_bytes()


@settings(max_examples=30)
@given(st.data())
def test_tables_that_are_damaged_are_not_used(whole, data):
    """One bit turned anywhere, or a file cut anywhere, is nothing that can be used."""
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(st.sampled_from((whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])))
    with TemporaryDirectory() as folder:
        file = warm.path(Path(folder), "1")
        assert warm.read(file) is None
        file.write_bytes(damaged)
        assert warm.read(file) is None
        file.write_bytes(whole)
        assert warm.read(file)


def test_damaged_tables_are_made_anew(tmp_path):
    """The words are the same with a damaged file, and after that the file is whole again."""
    text = "Cải tiến máy ép nhựa tại phân xưởng số 2."
    file = warm.path(tmp_path, library.version())
    engine.load(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:9_999])
    assert segment.cut([text], engine.load(tmp_path)) == [segment.tokens(text)]
    assert file.read_bytes() == whole
    assert segment.cut([text], engine.load(tmp_path)) == [segment.tokens(text)]


def test_a_file_of_another_version_under_this_name_is_not_used(parts, tmp_path):
    """The seal covers the name: tables renamed are tables refused."""
    tables, featurizer = parts
    warm.write(warm.path(tmp_path, "1"), tables, featurizer.vocabulary())
    warm.path(tmp_path, "1").rename(warm.path(tmp_path, "2"))
    assert warm.read(warm.path(tmp_path, "2")) is None


def test_a_place_where_nothing_can_be_written_only_costs_time(tmp_path):
    """A read-only home, or a file where the folder should be: words all the same."""
    (tmp_path / "file").write_text("")
    ready = engine.load(tmp_path / "file" / "below")
    assert ready.batch
    assert ready.reason is None


# --------------------------------------------------------------------------------------------------- offsets


@settings(max_examples=200)
@given(st.one_of(TEXT, ODD))
@example("dài " * 9_000)
def test_spans_are_the_words_in_order(text):
    """Spans follow one another, hold no blank at their ends, and read as the words in one line."""
    found = segment.spans(text)
    assert " ".join("_".join(text[start:end].split()) for start, end in found) == segment.tokens(text).text
    end = 0
    for span in found:
        assert end <= span.start < span.end <= len(text)
        assert not text[end : span.start].strip()
        assert not text[span.start].isspace()
        assert not text[span.end - 1].isspace()
        end = span.end
    assert not text[end:].strip()


WORDS = "học sinh có sáng kiến cải tiến máy ép nhựa , năng suất tăng 15 % . Hà Nội"
DISGUISED = st.lists(
    st.tuples(
        st.sampled_from(WORDS.split()),
        st.sampled_from(("NFC", "NFD")),
        st.sampled_from(("", "", "\u200b", "\xad", "\ufeff")),
        st.sampled_from((" ", " ", "  ", "\xa0", "\n", " \n ", "\u3000")),
    ),
    max_size=20,
)


@settings(max_examples=200)
@given(DISGUISED)
def test_a_span_of_the_submitted_text_normalizes_to_its_word(parts):
    """Through composition, hidden characters and odd blanks, ``raw[a:b]`` is what the word was made of."""
    raw = "".join(
        unicodedata.normalize(form, word[:1] + hidden + word[1:]) + gap for word, form, hidden, gap in parts
    )
    assume(normalize.clean(raw).fixes.keys() <= {"compose", "hidden", "space"})
    text, origins = normalize.trace(raw)
    words = segment.words(text)
    there = segment.spans(text, origins)
    assert len(there) == len(words)
    for word, (start, end) in zip(words, there, strict=True):
        assert normalize.clean(raw[start:end]).text.split() == word.split()


@settings(max_examples=150)
@given(st.one_of(TEXT, ODD, st.text(max_size=60).map(lambda text: text + " S¸ng kiÕn c¶i tiÕn &amp; ｍáy")))
def test_spans_of_any_submitted_text_are_in_order_and_inside_it(raw):
    """Whatever was repaired, spans lie in the text as submitted and never overlap."""
    text, origins = normalize.trace(raw)
    end = 0
    for span in segment.spans(text, origins):
        assert end <= span.start <= span.end <= len(raw)
        end = span.end


# --------------------------------------------------------------------------------------------- in a command


def test_a_run_says_once_when_words_are_cut_the_slow_way(sample, models, tmp_path, monkeypatch, capfd, slow):
    """The office is told in its language what to do, and the results are the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANGKIEN_MODELS", str(models))
    table = str(sample / "batch_unions.csv")
    words = []
    for name, reader in (("fast", segment.ready()), ("slow", slow)):
        monkeypatch.setattr(segment, "ready", lambda _=None, reader=reader: reader)
        monkeypatch.setattr("sys.argv", ["sangkien", "classify", table, "--out", name, "--workers=1"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        words.append(pd.read_parquet(f"{name}/initiatives.parquet")["tokens"].tolist())
        rmtree("sangkien-store", ignore_errors=True)  # words that were cut before are not cut again
        assert capfd.readouterr().err.count("Hãy cài đúng phiên bản") == (name == "slow")
    assert words[0] == words[1]
    assert any("_" in line for line in words[0])


def test_the_cache_is_the_users_own(monkeypatch, tmp_path):
    """It is where the user says, else where the system keeps such things, else nowhere."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("SANGKIEN_CACHE", str(tmp_path))
    assert options.cache_folder() == tmp_path
    monkeypatch.delenv("SANGKIEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/mine")
    assert options.cache_folder() == Path("/var/mine/sangkien")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/mine")
    assert options.cache_folder() == Path("/home/mine/.cache/sangkien")

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert options.cache_folder() is None
