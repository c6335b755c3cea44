"""Old encodings as they must be accepted: tables, the vote of a column, and no clean text taken for one."""

from __future__ import annotations

import importlib.util
import random
import shutil
import subprocess
import sys
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.normalize import ENCODINGS, ON_REQUEST, clean, legacy, repaired, trace, vote
from pipeline.settings import checkout


def load():
    """The benchmark as a module, for its encoders: it is a script, and of no package."""
    spec = importlib.util.spec_from_file_location("encodings_bench", checkout("benchmarks", "encodings.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = load()
LETTERS = "".join(sorted(map(chr, {*bench.VISCII})))


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The lines of the sample."""
    return bench.sample()


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not here")
def test_the_table_of_viscii_is_that_of_the_c_library():
    """Each byte of RFC 1456 means what iconv says."""
    agreed = 0
    for byte in (0x02, 0x05, 0x06, 0x14, 0x19, 0x1E, *range(0x80, 0x100)):
        done = subprocess.run(
            [shutil.which("iconv") or "", "-f", "VISCII", "-t", "UTF-8"],
            input=bytes([byte]),
            capture_output=True,
            check=True,
        )
        assert legacy.decode(chr(byte), "viscii") == done.stdout.decode()
        agreed += 1
    assert agreed == 134


@pytest.mark.parametrize("name", ON_REQUEST)
def test_every_letter_of_vietnamese_has_one_byte(name):
    """The 134 letters beyond ASCII come back from their bytes, seen as windows-1252 or as Latin-1."""
    assert len(LETTERS) == 134
    encoded = [bench.ENCODE[name](letter) for letter in LETTERS]
    assert len(set(encoded)) == 134
    assert [legacy.decode(each, name) for each in encoded] == list(LETTERS)


def test_words_as_vps_documents_have_them():
    """Words typed in VPS fonts, as they look in other fonts."""
    assert legacy.decode("Ti‰ng ViŒt", "vps") == "Tiếng Việt"


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("length", [1, 2, 10])
def test_a_column_votes_right_and_its_short_cells_follow(lines, name, length):
    """Each of 20 columns of 30 titles, even of one word, is told; nearly every cell comes back exactly."""
    right, same = bench.by_column(lines, name, length, 20, random.Random(length))
    assert right == 1.0
    assert same >= 0.99


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_clean_column_votes_for_nothing(lines, length):
    """Columns of ordinary words, composed or decomposed, are in no old encoding, nor in one on request."""
    draw = random.Random(length)
    for _column in range(60):
        cells = bench.passages(lines, length, 30, draw)
        for form in ("NFC", "NFD"):
            assert vote([unicodedata.normalize(form, cell) for cell in cells], also=ON_REQUEST) == ""


@pytest.mark.parametrize(
    "cells",
    [
        ["Société générale", "Crème brûlée", "À la carte", "Où êtes-vous", "Château", "Forêt"],
        ["Müller", "Grüße", "Straße", "Öl", "Äpfel", "Über"],
        ["São João", "informação", "Açúcar", "não", "região", "ações"],
        ["25 °C", "±5 µm", "3 m²", "½", "®", "©"],
        ["Cà Mau", "Hà Nam", "Hòa An", "Hà Trì", "Tân Hòa", "Hà Trung"],
        [],
        [""],
    ],
)
def test_other_languages_and_signs_vote_for_nothing(cells):
    """A column of French, German or Portuguese, of signs, or of Latin-1 Vietnamese is left."""
    assert vote(cells) == ""


def test_a_mixed_column_does_not_vote(lines):
    """Where a fifth of the cells is Unicode, a short cell may be either: only what a cell tells counts."""
    draw = random.Random(3)
    old = [bench.tcvn3(cell) for cell in bench.passages(lines, 4, 24, draw)]
    assert vote([*old, *bench.passages(lines, 4, 6, draw)]) == ""
    assert vote(old) == "tcvn3"


WORDS = st.lists(
    st.sampled_from(
        [
            "sáng",
            "kiến",
            "cải",
            "tiến",
            "máy",
            "ép",
            "nhựa",
            "công",
            "ty",
            "cô",
            "vũ",
            "tổ",
            "khoa",
            "à",
            "đề",
        ]
    ),
    min_size=1,
)


@given(WORDS, st.sampled_from(sorted(ENCODINGS)))
def test_cells_of_a_column_come_back(words, name):
    """Any words of a column told to be in an encoding come back, and cleaning again changes nothing."""
    text = " ".join(words)
    found = clean(bench.ENCODE[name](text), encoding=name)
    assert found.text == text
    assert clean(found.text).text == text
    assert set(found.fixes) <= {name}


@given(st.text(max_size=40), st.sampled_from(["", *sorted(ENCODINGS)]))
def test_offsets_and_idempotence_hold_with_a_column_too(raw, name):
    """Traced and untraced cleaning agree whatever the column is in, and what is clean stays so."""
    text, at = trace(raw, encoding=name)
    assert text == clean(raw, encoding=name).text
    assert len(at) == len(text) + 1
    assert clean(text).text == text


@given(st.text(max_size=40))
def test_text_in_unicode_is_left_as_it_was_typed(raw):
    """Undoing an encoding leaves a cell alone that has letters which only Unicode has."""
    cell = f"{raw}ế"
    assert repaired(cell) == cell or "legacy_encoding" in clean(cell).flags


@pytest.mark.parametrize(
    ("name", "least"), [("cp1258", 0.985), ("tcvn3", 0.99), ("utf8", 0.99), ("vni", 0.99)]
)
def test_titles_of_the_sample_come_back_alone(lines, name, least):
    """Passages of 8 and 12 syllables of the sample are repaired exactly without a column."""
    for length in (8, 12):
        assert bench.alone(lines, name, length, 200, random.Random(length)) >= least


def test_no_line_of_the_sample_is_taken_for_old(lines):
    """No line of the sample, composed or decomposed, is told to be in an old encoding."""
    for form in ("NFC", "NFD"):
        assert bench.alarms(lines[::3], form) == []


@pytest.mark.shared
def test_no_column_of_real_text_is_taken_for_old_and_old_ones_are_told(bench_data):
    """Of 200 columns of 30 real titles each votes right in every encoding, and none while it is clean."""
    real = bench.clean_lines(
        pd.read_parquet(bench_data / "vntc10" / "passages_train.parquet")["text"][:6_000]
    )
    draw = random.Random(1)
    for name in ENCODINGS:
        assert bench.by_column(real, name, 10, 200, draw)[0] == 1.0, name
    for _column in range(200):
        assert vote(bench.passages(real, 10, 30, draw), also=ON_REQUEST) == ""
