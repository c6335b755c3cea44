"""Random damage: whatever happened to a table, every row is accounted for and nothing is changed."""

from __future__ import annotations

import importlib.util
import random

import pytest

from pipeline import read
from pipeline.settings import checkout


def load():
    """Return the benchmark that damages tables."""
    spec = importlib.util.spec_from_file_location("damage", checkout("benchmarks", "input.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCH = load()


@pytest.fixture(scope="module")
def clean():
    """Return a clean table of each kind, by suffix."""
    return {suffix: make(200) for suffix, make in BENCH.CLEAN.items()}


@pytest.mark.parametrize("suffix", list(BENCH.CLEAN))
def test_a_clean_table_is_read_whole(tmp_path, suffix):
    """Without damage every row is an initiative, cell for cell: what is damaged later was sound."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(BENCH.CLEAN[suffix](50))
    batch = read.tables([path]).batch
    columns = ["id", "title", "description", "author"]
    assert batch[columns].to_numpy().tolist() == [list(BENCH.row(number)) for number in range(50)]


@pytest.mark.parametrize("suffix", list(BENCH.CLEAN))
@pytest.mark.parametrize("seed", range(20))
def test_damage(tmp_path, clean, suffix, seed):
    """The rows add up, refused ones stand verbatim in the file, and there is no other end."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(BENCH.damaged(random.Random(seed), clean[suffix]))
    assert BENCH.wrong(path) == ""


@pytest.mark.slow
def test_five_hundred_damaged_tables(tmp_path):
    """So it is for 500 files of 1,000 rows; a CSV loses no more than a few rows to three damages."""
    clean = {suffix: make(1000) for suffix, make in BENCH.CLEAN.items() if suffix != ".xlsx"}
    for seed in range(500):
        suffix = list(clean)[seed % 2]
        path = tmp_path / f"a{suffix}"
        path.write_bytes(BENCH.damaged(random.Random(seed), clean[suffix]))
        assert BENCH.wrong(path) == "", seed
        if suffix == ".csv":
            assert read.tables([path]).totals["accepted"] >= 980, seed


def test_what_is_wrong_is_seen(tmp_path, monkeypatch):
    """A reader that loses a row, or raises something else, is noticed."""
    path = tmp_path / "a.csv"
    path.write_text("title\nMáy\n", encoding="utf-8")
    monkeypatch.setattr(read, "tables", lambda _paths: 1 / 0)
    assert "ZeroDivisionError" in BENCH.wrong(path)
