"""The CSV sheets that offices edit: what they hold comes back, whatever Excel made of commas and rows."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import sheets
from pipeline.errors import UsageError

CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(str.strip)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=6), st.sampled_from(",;"))
def test_what_was_written_comes_back(table, delimiter):
    """Rows of any cells come back in order, blank ones left out, by commas and by semicolons."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows([("Alias", "Name", "Note"), *table])
    found = sheets.rows(out.getvalue(), file="a.csv", columns=["alias", "name", "note"], needed=3)
    assert [tuple(cells.values()) for _, cells in found] == [row for row in table if any(row)]
    lines = [line for line, _ in found]
    assert lines == sorted(set(lines))


def test_short_rows_lack_nothing():
    """A row that ends early has empty cells for the rest, and so has a column that the sheet may lack."""
    found = sheets.rows("a,b\nx\n", file="a.csv", columns=["a", "b", "c"], needed=2)
    assert found == [(2, {"a": "x", "b": "", "c": ""})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the column a is missing"),
        ("a;c\n", "the column b is missing"),
        ('a,b\n"' + "x" * 200_000 + '",\n', "row 2: not a CSV table"),
    ],
)
def test_what_is_no_sheet_is_named(text, said):
    """A missing column and a table that is none are told with the file, and the row where one is known."""
    with pytest.raises(UsageError, match=said) as told:
        sheets.rows(text, file="bang.csv", columns=["a", "b"], needed=2)
    assert "bang.csv" in str(told.value)
