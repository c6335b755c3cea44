"""The taxonomy: which names mean which field, and which files are refused."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import taxonomy
from pipeline.errors import InputNotFound, UsageError

HEAD = ",".join(taxonomy.COLUMNS)
GOOD = (
    f"{HEAD}\n"
    "2,safety,An toàn,An toàn lao động; ATLĐ,Bớt tai nạn,máy; điện,,,2020-01-01,2023-12-31,other\n"
    "2,other,Khác,,,,,,,,\n"
)


def test_default_has_the_twelve_fields():
    """The taxonomy that travels with the program has the twelve promised codes, `other` last."""
    assert taxonomy.default().codes == (
        "healthcare",
        "education",
        "production",
        "engineering",
        "technology",
        "epidemic",
        "union",
        "administration",
        "safety",
        "agriculture",
        "society",
        "other",
    )


def test_default_explains_every_field():
    """Every field but `other` says what is in, what is out and how its texts sound, in NFC."""
    for field in taxonomy.default().fields:
        assert field.name
        assert field.definition
        assert field.code == "other" or (field.includes and field.excludes and len(field.phrases) == 10)
        assert unicodedata.is_normalized("NFC", repr(field))


@given(st.sampled_from(taxonomy.default().fields), st.sampled_from(["NFC", "NFD"]), st.booleans(), st.data())
def test_a_field_is_known_however_its_name_is_typed(field, form, upper, data):
    """Case, Unicode form, missing marks, punctuation and spaces do not change which field a name means."""
    name = data.draw(st.sampled_from([field.code, field.name, *field.aliases]))
    typed = unicodedata.normalize(form, f"  {name.replace(', ', ' -  ')}. ")
    typed = typed.upper() if upper else typed
    assert taxonomy.default().code_of(typed) == field.code
    bare = "".join(c for c in unicodedata.normalize("NFD", typed) if not unicodedata.combining(c))
    assert taxonomy.default().code_of(bare.replace("đ", "d").replace("Đ", "D")) == field.code


@pytest.mark.parametrize("text", ["", " ", "y", "an toan thuc pham", "healthcare2", "?"])
def test_a_stranger_means_no_field(text):
    """A text that names no field gives the empty code, never a guess."""
    assert taxonomy.default().code_of(text) == ""


@pytest.mark.parametrize(
    ("spoken", "code"),
    [
        ("giáo dục", "education"),
        ("Y TẾ", "healthcare"),
        ("công nghệ", "technology"),
        ("Kỹ thuật", "engineering"),
        ("phòng, chống dịch Covid-19", "epidemic"),
        ("tăng năng suất", "production"),
        ("Đổi mới tổ chức, hoạt động công đoàn", "union"),
    ],
)
def test_the_programme_s_own_words_are_known(spoken, code):
    """The words in which the programme names its fields lead to the codes."""
    assert taxonomy.default().code_of(spoken) == code


def test_parse_reads_every_column():
    """Lists are split at semicolons, dates are dates, the version is the file's."""
    found = taxonomy.parse(GOOD, file="t.csv")
    safety = found.fields[0]
    assert (found.version, found.codes) == ("2", ("safety", "other"))
    assert safety.aliases == ("An toàn lao động", "ATLĐ")
    assert safety.includes == ("máy", "điện")
    assert (safety.from_date, safety.to_date, safety.replaced_by) == (
        date(2020, 1, 1),
        date(2023, 12, 31),
        "other",
    )


def test_a_closed_field_takes_no_labels_outside_its_dates():
    """Both limits are included; a field without limits is always open."""
    safety, other = taxonomy.parse(GOOD, file="t.csv").fields
    days = [date(2019, 12, 31), date(2020, 1, 1), date(2023, 12, 31), date(2024, 1, 1)]
    assert [safety.open_on(day) for day in days] == [False, True, True, False]
    assert all(other.open_on(day) for day in days)


def test_a_cell_may_span_lines_and_begin_with_a_byte_order_mark(tmp_path):
    """A file saved by a spreadsheet, with a byte-order mark and a line end inside a cell, is read."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("Bớt tai nạn", '"Bớt\r\ntai nạn"').encode())
    assert taxonomy.load(path).fields[0].definition == "Bớt tai nạn"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2,other", "2,safety", "safety stands in two rows"),
        ("2,other,Khác", "2,none,Khác", "no field with the code other"),
        ("2,other", "3,other", "several versions (2, 3)"),
        ("other,Khác", "other,an toan", "names both other and safety"),
        ("Khác,", "Khác,ATLD", "names both other and safety"),
        ("2,safety", "2,Safety", "row 2, column code: Safety is no code"),
        ("2,other,Khác", "2,other,", "row 3: the column name is empty"),
        ("2,other,Khác", ",other,Khác", "row 3: the column version is empty"),
        ("2020-01-01", "01/01/2020", "row 2, column from_date: 01/01/2020 is no date"),
        ("2023-12-31", "2019-12-31", "row 2: from_date 2020-01-01 is after to_date 2019-12-31"),
        ("2023-12-31,other", "2023-12-31,gone", "field safety: replaced_by gone"),
        ("2023-12-31,other", "2023-12-31,safety", "field safety: replaced_by safety"),
        (HEAD, HEAD.replace("definition", "words"), "the column definition is missing"),
        ("2,other,Khác,,,,,,,,", "2,other,Khác,,,,,,,,,,", "row 3: 13 cells stand under 11 headings"),
        ("Khác", '"Khác', "not a CSV table"),
        (GOOD, "", "the column version is missing"),
        (GOOD, HEAD, "no field with the code other"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_row(old, new, says):
    """Each mistake is refused with a sentence that names the file, and row and column where there are any."""
    with pytest.raises(UsageError) as refusal:
        taxonomy.parse(GOOD.replace(old, new), file="fields.csv")
    assert says in str(refusal.value)
    assert str(refusal.value).startswith("fields.csv")


def test_a_circle_of_replacements_is_refused():
    """Two fields cannot replace each other."""
    text = GOOD.replace("2,other,Khác,,,,,,,,", "2,other,Khác,,,,,,,,safety")
    with pytest.raises(UsageError, match="leads back"):
        taxonomy.parse(text, file="t.csv")


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    """A path that is not there, or is no text, is named in the message."""
    with pytest.raises(InputNotFound, match=r"gone\.csv"):
        taxonomy.load(tmp_path / "gone.csv")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"bad\.csv is not UTF-8"):
        taxonomy.load(tmp_path / "bad.csv")
