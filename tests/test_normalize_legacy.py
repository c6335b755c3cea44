"""What normalize makes of old encodings and of disguised letters."""

from __future__ import annotations

import html.entities
import random
import shutil
import subprocess
import time
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.normalize import clean, fold, fold_table, frame, key, legacy, trace
from pipeline.normalize.characters import look_alikes, styled
from pipeline.normalize.cleaning import STEPS
from pipeline.normalize.syllable import TONES, is_syllable, old_style
from pipeline.records import FIXES, FLAGS

ENCODINGS = ("cp1258", "tcvn3", "utf8", "vni")
SAC, HUYEN, HOI, NGA, NANG = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
TEXT = (
    "Mục đích của giải pháp: Giảm tỷ lệ sản phẩm lỗi, tiết kiệm nguyên vật liệu ở xưởng.\n"
    "Người thực hiện đã lắp thêm cảm biến để công nhân không phải canh máy."
)


def parts(letter: str) -> tuple[str, str]:
    """Return a letter without its tone, and the tone."""
    marks = unicodedata.normalize("NFD", letter)
    tone = "".join(mark for mark in marks if mark in TONES)
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES)), tone


def as_windows(data: bytes) -> str:
    """Return bytes as windows-1252, its undefined ones as control characters."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)


def utf8(text: str) -> str:
    """Return UTF-8 as it looks in windows-1252."""
    return as_windows(text.encode())


def cp1258(text: str) -> str:
    """Return windows-1258 as it looks in windows-1252: Python's codec needs the tones apart."""
    found = b""
    for letter in text:
        try:
            found += letter.encode("cp1258")
        except UnicodeEncodeError:
            found += "".join(parts(letter)).encode("cp1258")
    return as_windows(found)


# The vowels of the norm in its order (huyền, hỏi, ngã, sắc, nặng), each with the byte of its first letter.
ROWS = {"a": 0xB5, "ă": 0xBB, "â": 0xC7, "e": 0xCC, "ê": 0xD2, "i": 0xD7, "o": 0xDF, "ô": 0xE5}
ROWS |= {"ơ": 0xEA, "u": 0xEF, "ư": 0xF5, "y": 0xFA}
SKIPPED = (0xBA, 0xBF, *range(0xC0, 0xC6), 0xCD, 0xD9, 0xDA, 0xDB, 0xE0, 0xF0)
BARE = dict(zip("ĂÂÊÔƠƯĐăâêôơưđ", range(0xA1, 0xAF), strict=True))


def tcvn3_table() -> dict[str, str]:
    """Return letter to character of TCVN3: rows of five tones, jumping over the skipped places."""
    found = {letter: chr(byte) for letter, byte in BARE.items()}
    for vowel, first in ROWS.items():
        free = (byte for byte in range(first, 0xFF) if byte not in SKIPPED)
        if vowel == "ă":  # the dotted letter stands behind the gap
            free = iter((0xBB, 0xBC, 0xBD, 0xBE, 0xC6))
        for tone in (HUYEN, HOI, NGA, SAC, NANG):
            found[unicodedata.normalize("NFC", vowel + tone)] = chr(next(free))
    return found


TCVN3 = tcvn3_table()


def tcvn3(text: str) -> str:
    """Return TCVN3 as it looks in windows-1252; capitals with a tone are the small letters."""
    return "".join(TCVN3.get(letter) or TCVN3.get(letter.lower()) or letter for letter in text)


def vni(text: str) -> str:
    """Return VNI-Windows as it looks in windows-1252."""
    own = {"đ": "ñ", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "í": "í", "ì": "ì"}
    tone = dict(zip((SAC, HUYEN, HOI, NGA, NANG), "ùøûõï", strict=True))
    hat = dict(zip(("", SAC, HUYEN, HOI, NGA, NANG), "âáàåãä", strict=True))
    bow = dict(zip(("", SAC, HUYEN, HOI, NGA, NANG), "êéèúüë", strict=True))
    found = []
    for letter in text:
        small = letter.lower()
        bare, mark = parts(small)
        if small in own:
            spelled = own[small]
        elif bare in tuple("âêô"):
            spelled = {"â": "a", "ê": "e", "ô": "o"}[bare] + hat[mark]
        elif bare == "ă":
            spelled = "a" + bow[mark]
        else:
            spelled = {"ơ": "ô", "ư": "ö"}.get(bare, bare) + tone.get(mark, "")
        found.append(spelled if letter == small else spelled.upper())
    return "".join(found)


ENCODE: dict[str, Callable[[str], str]] = {"cp1258": cp1258, "tcvn3": tcvn3, "utf8": utf8, "vni": vni}


def syllables() -> list[str]:
    """Return the syllables of Vietnamese with all their tones, in the old style."""
    onsets = "- b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split()  # noqa: SIM905 - a table
    vowels = "a ă â e ê i o ô ơ u ư y ai ao au ay âu ây eo êu ia iê iu oa oă oai oay oe oi ôi ơi ua uâ uê ui uô uôi uơ uy uya uyê uyu ưa ưi ươ ươi ươu ưu yê yêu iêu".split()  # noqa: E501, SIM905 - a table
    codas = ("", "c", "ch", "m", "n", "ng", "nh", "p", "t")
    found = set()
    for onset in onsets:
        for vowel in vowels:
            for coda in codas:
                bare = onset.strip("-") + vowel + coda
                stopped = coda in ("c", "ch", "p", "t")
                if is_syllable(bare):
                    at = len(onset.strip("-")) + max(map(vowel.find, vowel))
                    tones = (SAC, NANG) if stopped else ("", *TONES)
                    marked = (bare[: at + 1] + tone + bare[at + 1 :] for tone in tones)
                    found.update(old_style(unicodedata.normalize("NFC", word)) for word in marked)
    return sorted(found)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_syllable_survives_the_round_trip(name: str) -> None:
    """Each syllable in each case comes back from each encoding (TCVN3 keeps no case of toned letters)."""
    words = syllables()
    assert len(words) > 15_000
    for word in words:
        for form in (word, word.capitalize(), word.upper()):
            back = legacy.decode(ENCODE[name](form), name)
            assert back == form or (name == "tcvn3" and back.lower() == word), form


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not here")
def test_the_table_of_tcvn3_is_that_of_the_c_library() -> None:
    """Bytes of iconv's TCVN mean the same here, but for its toned capitals and marks, which TCVN3 has not."""
    agreed = 0
    for byte in range(0xA1, 0xFF):
        done = subprocess.run(
            [shutil.which("iconv") or "", "-f", "TCVN", "-t", "UTF-8"],
            input=bytes([byte]),
            capture_output=True,
            check=True,
        )
        letter = done.stdout.decode()
        mine = legacy.decode(chr(byte), "tcvn3")
        if letter in TCVN3:
            assert mine == letter
            agreed += 1
        else:
            assert mine == chr(byte)
    assert agreed == 74


def test_windows_1258_is_read_as_the_codec_reads_it() -> None:
    """Every byte that Python's codec knows becomes the same character, a tone joined to its letter."""
    for byte in range(0x80, 0x100):
        expected = bytes([byte]).decode("cp1258", "ignore")
        if expected:
            read = legacy.decode("a" + as_windows(bytes([byte])), "cp1258")
            assert read == unicodedata.normalize("NFC", "a" + expected)


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_text_in_an_old_encoding_is_repaired(name: str) -> None:
    """The text comes back letter by letter, counted under its encoding, and a reviewer is told."""
    cleaned = clean(ENCODE[name](TEXT))
    assert cleaned.text == TEXT
    assert set(cleaned.fixes) == {name}
    assert cleaned.flags == {"legacy_encoding"}


def test_utf8_read_as_latin_1_or_twice_as_windows_is_repaired() -> None:
    """Control characters stand for bytes where a program read Latin-1; two rounds of damage are undone."""
    assert clean(TEXT.encode().decode("latin-1")).text == TEXT
    assert clean(utf8(utf8(TEXT))).text == TEXT


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_pasted_passage_is_repaired_and_the_form_around_it_stays(name: str) -> None:
    """Of a cell in two encodings only the old one is repaired, in lines of its own and within a line."""
    passage = "Sử dụng phần mềm để quản lý học sinh bán trú ở các trường của huyện"
    form = "1. Nội dung giải pháp: {}\nĐơn vị đề nghị: toà án là café\n{}\nKhả năng áp dụng rộng rãi."
    pasted = ENCODE[name](passage)
    assert clean(form.format(pasted, pasted)).text == form.format(passage, passage)


def test_short_lines_follow_the_cell() -> None:
    """What the cell is told to be in counts for lines too short to tell, even of one word."""
    text = "Biện pháp\nĐể nâng cao chất lượng dạy và học ở trường\nHiệu quả\nRất tốt"
    for name in ENCODINGS:
        assert clean(ENCODE[name](text)).text == text


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_cell_of_two_syllables_is_left(name: str) -> None:
    """Two syllables may be a name of any language: they are not taken for an old encoding."""
    assert "legacy_encoding" not in clean(ENCODE[name]("Điện tử")).flags


def test_capitals_of_tcvn3_fonts_are_capitals_again() -> None:
    """Words typed in a font of capitals come back in capitals, first letters of names as they were."""
    assert clean(tcvn3("CẢI TIẾN MÁY ÉP NHỰA Ở PHÂN XƯỞNG")).text == "CẢI TIẾN MÁY ÉP NHỰA Ở PHÂN XƯỞNG"
    mixed = "Đề tài: NÂNG CAO CHẤT LƯỢNG dạy học môn Toán của cô Vân ở Đà Nẵng năm học vừa qua rất tốt"
    assert clean(tcvn3(mixed)).text == mixed


def test_entities_for_the_bytes_are_repaired() -> None:
    """Web pages made of old documents have an entity for each byte, the soft hyphen among them."""
    assert clean("S&#184;ng ki&Otilde;n nh&shy; th&Otilde; ®&shy;&icirc;c").text == "Sáng kiến như thế được"


@pytest.mark.parametrize(
    "text",
    [
        "Société générale française: où est le café crème brûlée, s'il vous plaît, à la carte?",
        "Die Straße für Fußgänger ist schön, aber Öl und Müll gehören nicht über die Böschung.",
        "São João não é uma canção; a informação está à disposição dos funcionários da região.",
        "El niño español comió piñas mañana; ¿dónde está el señor Muñoz? ¡Qué años aquellos!",
        "Blåbærsyltetøy på brød, Ørsted og Ålesund; smörgåsbord för två på Öland är gott.",
        "±5 µm, 25 °C, 3 m², ½ «x», §12, ©2020 Nestlé® L'Oréal™ naïve Pokémon",
        "do day 5 µm, sai so µm cho phep, may do ® cua hang, may ep nhua ho tro",
        "Hoà bình toà án là của hoá học, cà phê trà sữa và bánh mì, nhà máy khoá cửa",
        "cung môt long môt, Trung Quôc, bôt gao nêp, phân trong nên",
        "Ø 1.500 mm, Ø20; ¹ ghi chú, ¶ mục",
        "Cán bộ T.Ư Ðoàn TNCS Hồ Chí Minh, Ðào Ngọc Dung, đọc diễn văn",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_other_languages_and_signs_are_left(text: str, form: str) -> None:
    """Foreign words, signs, units and slips of typing are not taken for an old encoding."""
    cleaned = clean(unicodedata.normalize(form, text))
    assert not cleaned.flags
    assert set(cleaned.fixes) <= {"compose", "d_stroke"}


LEGACY = st.sampled_from(sorted(ENCODE))
PIECES = st.lists(
    st.one_of(
        st.tuples(LEGACY, st.sampled_from(TEXT.split())).map(lambda pair: ENCODE[pair[0]](pair[1])),
        st.tuples(LEGACY, st.sampled_from(TEXT.split("\n"))).map(lambda pair: ENCODE[pair[0]](pair[1])),
        st.sampled_from(TEXT.split()),
        st.sampled_from(
            (
                "\n",
                "\xad",
                "\xa0",
                "&#184;",
                "\u200b",
                "®",
                "µ",
                "GÞ",
                "25",
                "Ø",
                "\u0301",
                "\u2800",
                "Ã",
                "á»",
            )
        ),
        st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=6),
    ),
    max_size=14,
)
MIXED = st.tuples(PIECES, st.sampled_from((" ", "", "\n"))).map(lambda drawn: drawn[1].join(drawn[0]))


@settings(max_examples=300, deadline=None)
@given(MIXED)
@example(TEXT.replace("Mục", "gÞ") + " GÞ")
def test_cleaning_is_idempotent_on_any_mixture(raw: str) -> None:
    """Of texts in several encodings at once, a second cleaning, key or fold changes nothing more."""
    once = clean(raw).text
    assert clean(once) == (once, {}, frozenset())
    assert [step.fix for step in STEPS if list(step.edits(once))] == []
    assert key(key(raw)) == key(raw)
    assert fold(fold(raw)) == fold(raw)


@settings(max_examples=300, deadline=None)
@given(MIXED)
def test_composed_and_decomposed_damage_is_repaired_alike(raw: str) -> None:
    """NFC and NFD of a damaged text have one clean text."""
    forms = [unicodedata.normalize(form, raw) for form in ("NFC", "NFD")]
    assert clean(forms[0]).text == clean(forms[1]).text


@settings(max_examples=300, deadline=None)
@given(MIXED)
def test_offsets_stay_in_order_through_the_repair(raw: str) -> None:
    """Traced and untraced cleaning agree; offsets never decrease and end within the raw text."""
    text, at = trace(raw)
    assert text == clean(raw).text
    assert len(at) == len(text) + 1
    assert all(a <= b for a, b in pairwise(at.tolist()))
    assert at[0] >= 0
    assert at[-1] <= len(raw)


@pytest.mark.parametrize("name", ENCODINGS)
def test_offsets_of_a_repaired_text_slice_back_to_its_words(name: str) -> None:
    """The raw characters behind each word are that word in its encoding."""
    raw = "Đơn vị: Nhà máy\n" + ENCODE[name](TEXT)
    text, at = trace(raw)
    start = len("Đơn vị: Nhà máy\n")
    for word in TEXT.split():
        start = text.index(word, start)
        assert raw[at[start] : at[start + len(word)]] == ENCODE[name](word)
        start += len(word)


def test_a_batch_names_the_encoding_and_flags_the_row() -> None:
    """The columns fixes and flags of a batch say which encoding was repaired and how often."""
    batch = pd.DataFrame({"title": [vni("Nâng cao chất lượng dạy học")], "description": [tcvn3(TEXT)]})
    done = frame(batch)
    assert done.loc[0, "clean_description"] == TEXT
    fixes = dict(fix.split(":") for fix in done.loc[0, "fixes"].split("; "))
    assert set(fixes) == {"tcvn3", "vni"}
    assert done.loc[0, "flags"] == "legacy_encoding"


def test_every_code_of_a_fix_or_flag_is_explained() -> None:
    """Each step and each encoding has its line in the tables of codes."""
    respelled = {"spaced", "joined", "digits", "repeated"}
    named = {step.fix for step in STEPS} - {"legacy", "respelled"} | set(ENCODINGS) | respelled
    named |= set(legacy.ON_REQUEST)
    assert named == set(FIXES)
    assert {step.flag for step in STEPS if step.flag} <= set(FLAGS)


@pytest.mark.parametrize(
    "unit", ["S¸ng ", "Ã¡", "á»", "¸", "oâ", "ì", "®·\xa0", "Ø\n", "gÞ ", "\u2800an", "𝐚", "ⓐ ", "ᴀ", "٣"]
)
def test_time_is_bounded_on_long_damage(unit: str) -> None:
    """100 kB of any one damage takes seconds at most; quadratic time would be minutes."""
    text = "a " + unit * (100_000 // len(unit))
    started = time.process_time()
    key(text)
    trace(text)
    assert time.process_time() - started < 20


# Disguises: the same words to the eye.

PLAIN = "Sáng kiến cải tiến kỹ thuật giáo dục trong nhà trường năm 2024"


def spelled(table: dict[str, str]) -> str:
    """Return the plain text with letters exchanged, marks staying on them."""
    marked = unicodedata.normalize("NFD", PLAIN)
    return "".join(table.get(letter, letter) for letter in marked)


def in_style(word: str) -> str:
    """Return the plain text in the letters whose Unicode names contain ``word``."""
    found = {plain: letter for letter, plain in styled().items() if word in unicodedata.name(letter)}
    both = {
        small: found.get(small) or found.get(small.upper(), small) for small in "abcdefghijklmnopqrstuvwxyz"
    }
    return spelled(both | {letter: found.get(letter, letter) for letter in found if letter.isupper()})


FOREIGN = {
    "cyrillic": dict(zip("aceopyxi", "асеорухі", strict=True)),
    "cyrillic in part": {"o": "о"},
    "greek": dict(zip("oaiuk", "οαιυκ", strict=True)),
    "phonetic": dict(zip("agi", "ɑɡı", strict=True)),
    "small capitals": dict(zip("acdeghikmnoprtuy", "ᴀᴄᴅᴇɢʜɪᴋᴍɴᴏᴘʀᴛᴜʏ", strict=True)),
    "full width": {chr(code): chr(code + 0xFEE0) for code in range(0x61, 0x7B)},
    "strokes": dict(zip("oitkhnu", "øɨŧƙħɲʉ", strict=True)),
    "armenian": dict(zip("ouhng", "օսհոց", strict=True)),
}
STYLES = (
    *("MATHEMATICAL BOLD SMALL", "MATHEMATICAL ITALIC SMALL", "SCRIPT SMALL", "FRAKTUR SMALL"),
    *(
        "DOUBLE-STRUCK SMALL",
        "SANS-SERIF SMALL",
        "MONOSPACE SMALL",
        "CIRCLED LATIN SMALL",
        "PARENTHESIZED LATIN SMALL",
    ),
)
CAPITALS = ("SQUARED LATIN CAPITAL", "NEGATIVE CIRCLED LATIN CAPITAL", "NEGATIVE SQUARED LATIN CAPITAL")
HIDDEN = (
    "\u2800\u3164\uffa0\u115f\U000e0061\u034f\ufe00\ufe0f\U000e0100\u200b\u200c\u200d"
    "\u2060\ufeff\xad\u200e\u202e\u2066\u180e\u061c\u17b4\x00\x7f"
)


@pytest.mark.parametrize("table", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_of_other_alphabets_are_read_and_flagged(table: dict[str, str], form: str) -> None:
    """Words spelled with look-alikes, in part or whole, become the plain words."""
    cleaned = clean(unicodedata.normalize(form, spelled(table)))
    assert cleaned.text == PLAIN
    assert cleaned.flags == {"mixed_script"}


@pytest.mark.parametrize("style", [*STYLES, *CAPITALS])
def test_letters_in_other_styles_are_read_and_flagged(style: str) -> None:
    """Mathematical and enclosed letters that make words become plain letters."""
    cleaned = clean(in_style(style))
    assert cleaned.text.lower() == PLAIN.lower()
    assert cleaned.flags == {"mixed_script"}


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"])
def test_digits_of_other_scripts_are_read_and_flagged(digits: str) -> None:
    """Numbers in other digits become plain ones, unless letters of another script are about."""
    text = PLAIN.translate(str.maketrans("0123456789", digits))
    assert clean(text).text == PLAIN
    assert clean(text).flags == {"mixed_script"}
    assert clean(f"सन् {digits}").text == f"सन् {digits}"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_characters_go_from_everywhere(hidden: str) -> None:
    """A hidden character behind every letter, or between a letter and its mark, leaves the plain text."""
    for form in ("NFC", "NFD"):
        spoilt = "".join(
            letter + hidden for letter in unicodedata.normalize(form, PLAIN.replace(" 2024", ""))
        )
        cleaned = clean(spoilt)
        assert fold(spoilt) == fold(PLAIN.replace(" 2024", ""))
        assert cleaned.text == PLAIN.replace(" 2024", "")
        assert cleaned.flags == {"hidden_characters"}


@pytest.mark.parametrize("blank", "\u2800\u3164\uffa0\u115f")
def test_wide_blanks_between_words_are_spaces(blank: str) -> None:
    """A blank symbol instead of every space parts the words; within words it goes."""
    assert clean(PLAIN.replace(" ", blank)).text == PLAIN
    assert clean(f"Sá{blank}ng kiến năm 20{blank}24").text == "Sáng kiến năm 2024"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"&#{ord(letter)};" for letter in PLAIN),
        "".join(f"&#x{ord(letter):x};" for letter in PLAIN),
        "".join(f"&amp;#{ord(letter)};" for letter in PLAIN),
        "".join(
            f"&{html.entities.codepoint2name[ord(letter)]};"
            if ord(letter) in html.entities.codepoint2name
            else letter
            for letter in PLAIN
        ),
        *(PLAIN.replace(" ", space) for space in "\xa0\u1680\u2007\u2009\u202f\u205f\u3000"),
    ],
)
def test_entities_and_spaces_are_repaired_without_a_flag(text: str) -> None:
    """What office programs leave behind is repaired and counted, and nobody is suspected."""
    cleaned = clean(text)
    assert cleaned.text == PLAIN
    assert cleaned.fixes
    assert not cleaned.flags


@pytest.mark.parametrize(
    "text",
    [
        "α = 3, β, η = 85 %, ρV, kΩ, Δt, λ, 5 μA",
        "Москва, на заводе, х и у",
        "nhóm Ⓐ, ⓑ; phương án ⒜, ⒝",
        "x ∈ ℝ, ℓ = 2, 𝑥 + 𝑦, ℃",
        "Łódź, Ørsted, Bjørn, Søren",
        "ＣＮＣ ＡＢＣ",
        "[ɪ] /ˈkɑːr/",
    ],
)
def test_symbols_and_foreign_words_are_not_disguises(text: str) -> None:
    """Symbols of physics and mathematics, list marks and names keep their letters and raise no flag."""
    assert not clean(text).flags


def test_every_look_alike_folds_to_its_letter() -> None:
    """The table of the fold knows every small letter that looks like one plain letter."""
    table = fold_table()
    for letter, plain in look_alikes().items():
        if plain.isascii() and letter.isalpha() and letter.casefold() == letter:
            assert chr(table[ord(letter)]) == plain.lower(), letter


# On real text.


def passages(folder: Path) -> list[str]:
    """Return the texts of the planted records that are not in an old encoding."""
    records = pd.read_parquet(folder / "planted" / "planted_23k.parquet")
    truth = pd.read_csv(folder / "planted" / "truth.csv")
    old = set(truth.loc[truth["kind"] == "tcvn3", "copy_id"])
    return records.loc[~records["id"].isin(old), "description"].tolist()


@pytest.mark.shared
def test_no_false_alarm_on_real_lines(bench_data: Path) -> None:
    """Of 20,000 lines of Unicode text, composed and decomposed, none is taken for an old encoding."""
    lines = sorted({line for text in passages(bench_data) for line in text.split("\n")})
    for line in random.Random(0).sample(lines, 20_000):
        assert "legacy_encoding" not in clean(line).flags, line
        assert "legacy_encoding" not in clean(unicodedata.normalize("NFD", line)).flags, line


def is_visible(character: str) -> bool:
    """Return whether a character is Latin, or no letter and nothing that cannot be seen."""
    kind = unicodedata.category(character)
    return character == "\n" or (
        kind[0] != "C" and (kind[0] != "L" or "LATIN" in unicodedata.name(character))
    )


@pytest.mark.shared
def test_no_flag_on_real_rows(bench_data: Path) -> None:
    """Of 10,000 rows of visible Latin text, none is said to hold hidden or foreign letters or to be old."""
    suspicious = {"hidden_characters", "mixed_script", "stacked_marks", "legacy_encoding"}
    rows = [text for text in passages(bench_data)[:12_000] if all(map(is_visible, set(text)))]
    assert len(rows) > 10_000
    assert [text for text in rows if clean(text).flags & suspicious] == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "least"), [("cp1258", 0.985), ("tcvn3", 0.995), ("utf8", 0.995), ("vni", 0.995)]
)
@pytest.mark.parametrize("length", [8, 12])
def test_short_titles_are_repaired_exactly(bench_data: Path, name: str, least: float, length: int) -> None:
    """Of 1,000 windows of 8 or 12 words, at least so many come back exactly (TCVN3: but for case)."""
    draw = random.Random(length)
    exact = count = 0
    for text in draw.sample(passages(bench_data), 1000):
        words = clean(text).text.split()
        start = draw.randrange(max(1, len(words) - length))
        window = " ".join(words[start : start + length])
        try:
            encoded = ENCODE[name](window)
        except UnicodeEncodeError:
            continue
        if window.isascii():
            continue
        back = clean(encoded).text
        count += 1
        exact += back == window or (name == "tcvn3" and back.lower() == window.lower())
    assert count > 900
    assert exact >= least * count


@pytest.mark.shared
def test_the_planted_copies_in_tcvn3_read_like_their_sources(bench_data: Path) -> None:
    """Each planted copy is repaired in every line, and holds its source's words again."""
    records = pd.read_parquet(bench_data / "planted" / "planted_23k.parquet").set_index("id")
    truth = pd.read_csv(bench_data / "planted" / "truth.csv")
    for copy, source in truth.loc[truth["kind"] == "tcvn3", ["copy_id", "source_id"]].to_numpy():
        words, expected = (fold(records.loc[row, "description"]).split() for row in (copy, source))
        runs, wanted = (set(zip(w, w[1:], w[2:], strict=False)) for w in (words, expected))
        assert len(runs & wanted) >= 0.99 * len(wanted)
