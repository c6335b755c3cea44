"""Texts in cells: the marked passages are the shared ones, and nothing is longer than a cell may be."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.passages import fit, paint, shown, units

_texts = st.text(st.sampled_from("aàệ🙂 \n\r\0"), max_size=80)
_ranges = st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=6)


@given(_texts, _ranges)
def test_painting_keeps_the_text(text: str, ranges: list[tuple[int, int]]) -> None:
    """The runs together are the text as shown, and marks alternate."""
    painted = paint(text, ranges, more="…")
    assert painted.text.replace("\n", "") == shown(text).replace("\n", "")
    marks = [marked for _, marked in painted.runs]
    assert all(one != other for one, other in pairwise(marks))
    assert all(run for run, _ in painted.runs)


@given(st.text("abcdefgh", max_size=60), _ranges)
def test_a_letter_is_marked_when_a_range_covers_it(text: str, ranges: list[tuple[int, int]]) -> None:
    """Painted letter by letter (the slow way), the marks are the same."""
    slow = [any(start <= place < end for start, end in ranges) for place in range(len(text))]
    fast = [marked for run, marked in paint(text, ranges, more="…").runs for _ in run]
    assert fast == slow


@given(_texts, _ranges, st.integers(5, 60))
def test_nothing_is_longer_than_the_limit(text: str, ranges: list[tuple[int, int]], limit: int) -> None:
    """Cut texts and painted texts fit, counted as Excel counts, and say when there is more."""
    cut = fit(text, "…", limit)
    assert units(cut) <= limit
    assert cut == text or cut.endswith("…")
    painted = paint(text, ranges, more="…", limit=limit).text
    assert units(painted) <= limit
    if units(shown(text)) <= limit:  # the two characters of a line end are one in a cell
        assert painted.replace("\n", "") == shown(text).replace("\n", "")
    else:
        assert "…" in painted


@given(st.text(st.characters(), max_size=40))
def test_what_is_shown_can_stand_in_a_workbook(text: str) -> None:
    """No character is left that XML forbids or that turns the direction of reading, and none is dropped."""
    clean = shown(text)
    assert not any(letter < " " and letter not in "\t\n" for letter in clean)
    assert not set(clean) & {"\ufffe", "\uffff", "\u202e", "\u2066"}
    clean.encode("utf-8")
    assert len(clean) == len(text.replace("\r\n", "\n"))


def test_context_goes_before_the_passage() -> None:
    """A text that does not fit loses what surrounds the shared passage, not the passage."""
    text = "x" * 5_000 + "GIỐNG" + "y" * 5_000
    painted = paint(text, [(5_000, 5_005)], more="…", limit=1_500)
    assert ("GIỐNG", True) in painted.runs
    assert "[…]" in painted.text
    assert units(painted.text) <= 1_500
