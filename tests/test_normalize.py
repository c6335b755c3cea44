"""What normalize makes of the things that stand in real cells."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from pipeline.normalize import LONGEST, clean, fold, frame, key, lacks_diacritics
from pipeline.normalize.syllable import TONES, is_syllable, old_style
from pipeline.records import CLEANED, FLAGS

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
ONSETS = ("", *"b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split())  # noqa: SIM905 - reads as a table
OPEN = (
    "a ai ao au ay âu ây e eo ê êu i ia iu iêu o oa oai oao oay oe oeo oi ô ôi ơ ơi u ua uê ui uơ uy "
    "uya uyu uôi uây ư ưa ưi ưu ươi ươu y yêu"
)
CLOSED = (
    "ac am ang anh ach ăt âng em ênh iêng iêt in oach oan oang oat oanh oăn oen oong ông ơn uân uât "
    "uêch uôn uyt uynh uyên uych ung ương ươp"
)
DESCRIPTION = (
    "Lắp thêm cảm biến và van tự động vào máy ép để công nhân không phải canh áp suất bằng tay suốt "
    "ca làm việc dài."
)


def place(syllable: str, at: int, tone: str) -> str:
    """Return ``syllable`` with a tone mark on the letter at ``at``."""
    return syllable[:at] + unicodedata.normalize("NFC", syllable[at] + tone) + syllable[at + 1 :]


def old_and_new(onset: str, rime: str) -> tuple[int, int]:
    """Return where old and new orthography put the tone, by looking rimes up instead of by a rule."""
    table = {
        "oa": (0, 1),
        "oe": (0, 1),
        "uy": (0, 1),
        "uya": (1, 1),
        "uyu": (1, 1),
        "uơ": (1, 1),
        "uê": (1, 1),
    }
    vowels = rime.rstrip("cmnpthg") if rime[-1] in "cmnpthg" else rime
    marked = [at for at, letter in enumerate(vowels) if letter in "ăâêôơư"]
    if marked:
        old = new = marked[-1]
    elif len(vowels) < len(rime):
        old = new = len(vowels) - 1
    else:
        old, new = table.get(rime, (1, 1) if len(rime) == 3 else (0, 0))
    return len(onset) + old, len(onset) + new


def syllables() -> list[tuple[str, str]]:
    """Return every onset with every rime that can be spelled so, without tones."""
    rimes = (OPEN + " " + CLOSED).split()
    # Beside "qu" and "gi" the letters u and i belong to the onset, so a rime may not begin with them.
    return [
        (onset, rime)
        for onset in ONSETS
        for rime in rimes
        if not (onset == "qu" and rime[0] in "uươô")
        and not (onset == "gi" and rime[0] in "iy")
        and not (onset in ("g", "q") and rime[0] == "i")
    ]


def test_tone_placement_is_the_old_style_for_every_syllable() -> None:
    """New style, old style and every misplaced tone of every syllable become the old style, in any case."""
    count = 0
    for onset, rime in syllables():
        bare = onset + rime
        old, new = old_and_new(onset, rime)
        for tone in TONES:
            expected = place(bare, old, tone)
            places = [
                new,
                old,
                *(len(onset) + at for at, letter in enumerate(rime) if letter in "aăâeêioôơuưy"),
            ]
            for at in places:
                spelled = place(bare, at, tone)
                assert old_style(spelled) == expected
                assert old_style(spelled.upper()) == expected.upper()
                count += spelled != expected
    assert count > 5_000


def test_tone_placement_leaves_other_words() -> None:
    """Words that are no syllable, or carry two tones, stay as they are."""
    for word in ("café", "résumé", "hòà", "Pokémon", "ABC", "naïve"):
        assert old_style(word) == word


@pytest.mark.parametrize(
    ("raw", "text", "fixes"),
    [
        ("ngu\u031bo\u031b\u0300i", "người", {"compose": 2}),
        ("c&ocirc;ng &#273;o&agrave;n", "công đoàn", {"entity": 3}),
        ("H&amp;M, R&D; &foo;", "H&M, R&D; &foo;", {"entity": 1}),
        ("&amp;amp;lt;", "<", {"entity": 1}),
        ("ÐẢNG ðoàn QÐ-UBND", "ĐẢNG đoàn QĐ-UBND", {"d_stroke": 3}),
        ("Guðrún, ƣu tiên", "Guðrún, ưu tiên", {"d_stroke": 1}),
        ("sоng сhất ɑnh", "song chất anh", {"look_alike": 3}),
        ("москва, 5 kΩ, α = 3, ρV, νmax, Δt", "москва, 5 kΩ, α = 3, ρV, νmax, Δt", {}),
        ("đoμn viên toμn Ngμnh", "đoàn viên toàn Ngành", {"pdf": 3}),
        ("ng−ời đ‐ợc x−y 5 μm bê‐tông", "người được x−y 5 μm bê‐tông", {"pdf": 2}),
        ("\ufeffA\x00n\u200b \u00adtoàn\u2800", "An toàn", {"hidden": 5}),
        ("👩\u200d👩\u200d👧 a\u200db ❤️ ☑️", "👩\u200d👩\u200d👧 ab ❤️ ☑️", {"hidden": 1}),
        (" a\xa0b \r\n\r\n c\td ", "a b\nc d", {"space": 5}),
        ("ＡＢＣ １２３！", "ABC 123!", {"full_width": 7}),
        ("m² ½ µ ™ №", "m² ½ µ ™ №", {}),
        ("x\ud800y", "x\ufffdy", {"surrogate": 1}),
        ("", "", {}),
        (" \n\u200b ", "", {"hidden": 1, "space": 1}),
    ],
)
def test_clean_examples(raw: str, text: str, fixes: dict[str, int]) -> None:
    """Each kind of damage is repaired and counted, and what only resembles damage stays."""
    cleaned = clean(raw)
    assert cleaned.text == text
    assert cleaned.fixes == fixes


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        ("a\u200bn toàn", "hidden_characters"),
        ("\u202etoàn", "hidden_characters"),
        ("\ud800", "hidden_characters"),
        ("sоng", "mixed_script"),
        ("a" + "\u0301" * 5, "stacked_marks"),
        ("dài " * LONGEST, "cut"),
    ],
)
def test_what_a_reviewer_should_know_is_flagged(raw: str, flag: str) -> None:
    """Hidden characters, foreign letters, heaped marks and cut cells raise their flag."""
    assert clean(raw).flags == {flag}
    assert flag in FLAGS


def test_a_letter_keeps_at_most_four_marks() -> None:
    """Of a heap of marks the first four in canonical order stay, those of the letter itself counted."""
    assert len(unicodedata.normalize("NFD", clean("a" + "\u0301" * 1000).text)) == 5
    assert clean("ệ" + "\u0301" * 9).text == clean("e\u0323\u0302" + "\u0301" * 9).text


def test_a_long_cell_is_cut_at_the_limit() -> None:
    """What is longer than a spreadsheet cell can be is cut, composed and decomposed alike."""
    text = "hoàn " * 10_000
    assert len(clean(text).text) <= LONGEST
    assert clean(text).text == clean(unicodedata.normalize("NFD", text)).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà bình", "HÒA BÌNH"),
        ("kỹ thuật", "kĩ thuật"),
        ("Mỹ", "mĩ"),
        ("“trích”", '"trích"'),
        ("2020–2025", "2020-2025"),
        ("thuỷ lợi", "thủy lợi"),
    ],
)
def test_key_unifies_spellings(one: str, other: str) -> None:
    """Writers' variants of one text have one key."""
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ma", "má"), ("tai", "tay"), ("thuy", "thui"), ("đa", "da"), ("m²", "m2")]
)
def test_key_keeps_words_apart(one: str, other: str) -> None:
    """Different words keep different keys."""
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đường Hoà-Bình, số 5!", "duong hoa binh so 5"),
        ("25 m² ⅷ ①", "25 m2 v 1"),
        ("сао ｆｕｌｌ 𝐬𝐚𝐧𝐠 ɡ", "cao full sang g"),
        ("Дзл 漢字", "дзл 漢字"),
        ("H'Mông_A/B", "h mong a b"),
        ("… – !", ""),
        ("", ""),
    ],
)
def test_fold_examples(text: str, folded: str) -> None:
    """Folding leaves bare syllables; letters of other alphabets stay."""
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cai tien may ep nhua nham nang cao nang suat", True),
        ("CAI TIEN MAY EP NHUA NHAM NANG CAO NANG SUAT", True),
        ("cai tien may ep", False),
        ("Cải tiến máy ép nhựa nhằm nâng cao năng suất", False),
        ("The quick brown fox jumps over the lazy dog again", False),
        ("", False),
    ],
)
def test_text_without_diacritics_is_told(text: str, expected: bool) -> None:
    """Enough words, none accented, nearly all possible as bare syllables: then the marks were left out."""
    assert lacks_diacritics(text) is expected


def test_the_syllables_of_ordinary_text_are_known() -> None:
    """Each word of an ordinary sentence is a syllable; foreign words are not."""
    assert all(
        map(
            is_syllable,
            ("Nghiêng", "quanh", "giường", "khuỷu", "toòng", "quốc", "gì", "giếng", "yêu", "rượu"),
        )
    )
    assert not any(map(is_syllable, ("excel", "scada", "bđ", "hơng", "aaaaaaaaa", "x")))


def test_frame_adds_the_columns_in_order() -> None:
    """Texts, fixes and flags are added to a new table; the batch's other columns and index stay."""
    batch = pd.DataFrame(
        {
            "title": ["Cải  tiến", "sоng", "Đủ", "may ep nhua"],
            "description": [
                "",
                "a\u200bn  toàn",
                DESCRIPTION,
                "lam cho cong nhan do met hon khi dung ca dem",
            ],
            "extra": list("abcd"),
        },
        index=[7, 3, 5, 1],
    )
    before = batch.copy()
    done = frame(batch)
    pd.testing.assert_frame_equal(batch, before)
    assert tuple(done.columns) == ("title", "description", "extra", *CLEANED)
    assert done.index.tolist() == [7, 3, 5, 1]
    assert done["clean_description"].tolist()[1] == "an toàn"
    assert done["fixes"].tolist() == ["space:1", "hidden:1; look_alike:1; space:1", "", ""]
    assert done["flags"].tolist() == [
        "no_description too_short",
        "hidden_characters mixed_script too_short",
        "",
        "no_diacritics too_short",
    ]
    assert set(" ".join(done["flags"]).split()) <= set(FLAGS)


def test_frame_keeps_flags_that_were_there() -> None:
    """Flags of an earlier step are joined with the new ones, sorted, each once."""
    batch = pd.DataFrame(
        {"title": ["Đủ"], "description": [DESCRIPTION + "\u200b"], "flags": ["id_made hidden_characters"]}
    )
    assert frame(batch)["flags"].tolist() == ["hidden_characters id_made"]


def test_frame_takes_an_empty_batch() -> None:
    """No rows in, no rows out, with all columns."""
    batch = pd.DataFrame({"title": [], "description": []}, dtype="str")
    assert tuple(frame(batch).columns) == ("title", "description", *CLEANED)


@pytest.mark.skipif(not (SAMPLE / "labelled.csv").exists(), reason="the sample data is not in this tree")
def test_the_sample_of_ordinary_initiatives_raises_no_flag() -> None:
    """Hundreds of ordinary initiatives hold nothing hidden, foreign or heaped."""
    with (SAMPLE / "labelled.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        for cell in row.values():
            assert clean(cell or "").flags == frozenset()
