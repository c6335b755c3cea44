"""One process or two: the same results in the same order."""

from __future__ import annotations

import math
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.parallel import chunks, spread


@pytest.mark.parametrize("items", [[], [4], [9, 1, 4, 0, 25, 16, 1]])
def test_two_workers_give_what_one_gives(items):
    """The results come in the order of the items, whatever the number of workers."""
    alone = list(spread(math.sqrt, items))
    assert alone == [math.sqrt(item) for item in items]
    assert list(spread(math.sqrt, items, workers=2)) == alone


def test_what_fails_in_a_worker_fails_here():
    """An error inside a worker is raised to the caller."""
    with pytest.raises(ValueError, match=r"domain|nonnegative"):
        list(spread(math.sqrt, [1, -1, 1], workers=2))


def test_one_worker_takes_items_as_they_are_asked_for():
    """With one worker nothing is worked on before its result is wanted."""
    results = spread(operator.index, [1, "no number"])
    assert next(results) == 1


@given(items=st.lists(st.integers()), size=st.integers(1, 9))
def test_chunks_put_together_are_what_was_cut(items, size):
    """No chunk is empty or too long, none but the last is short, and together they are the items."""
    parts = chunks(items, size)
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])
    assert all(0 < len(part) <= size for part in parts)
