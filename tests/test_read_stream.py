"""Reading batch by batch: the same rows, in memory that does not grow with the file."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from pipeline import read
from pipeline.errors import InputNotFound, UsageError

PEAK = """
import resource, sys
from pathlib import Path
from pipeline import read
with read.stream([Path(sys.argv[1])]) as found:
    rows = sum(len(batch) for batch in found.batches())
assert rows == found.totals["accepted"]
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def rows(path, count, *, first=0):
    """Write a table of some rows and return its path."""
    with path.open("w", encoding="utf-8") as file:
        file.write("Mã số,Tên sáng kiến,Nội dung\n")
        for number in range(first, first + count):
            file.write(f'SK{number:07},Cải tiến máy số {number},"Giảm thời gian, {"dễ làm " * 20}"\n')
    return path


def test_batches_are_the_whole(tmp_path):
    """The batches one after the other are the batch of all, columns and all, and none is large."""
    first, second = rows(tmp_path / "a.csv", 25_000), tmp_path / "b.csv"
    second.write_text("title,Ghi chú\nMáy,x\nSK,y\n", encoding="utf-8")
    whole = read.tables([first, second]).batch
    with read.stream([first, second]) as found:
        batches = list(found.batches())
        assert found.totals == {"read": 25_002, "accepted": 25_002, "quarantined": 0, "blank": 0}
    assert max(map(len, batches)) <= 50_000
    assert len(batches) > 2
    assert pd.concat(batches, ignore_index=True).equals(whole)


def test_ids_meet_across_batches(tmp_path):
    """Two rows with one id are found however far apart they stand."""
    first, second = rows(tmp_path / "a.csv", 12_000), rows(tmp_path / "b.csv", 2, first=3)
    with second.open("a", encoding="utf-8") as file:
        file.write("SK0000007,Khác hẳn,x\n")
    with read.stream([first, second]) as found:
        assert [(row.file, row.row, row.code) for row in found.quarantine] == [
            ("a.csv", 9, "E-ID-CONFLICT"),
            ("b.csv", 2, "E-ID-DUPLICATE"),
            ("b.csv", 3, "E-ID-DUPLICATE"),
            ("b.csv", 4, "E-ID-CONFLICT"),
        ]
        assert sum(map(len, found.batches())) == found.totals["accepted"] == 11_999


def test_made_ids_pass_over_given_ones(tmp_path):
    """An id that is made from the content is never one that another row has."""
    path = tmp_path / "a.csv"
    path.write_text("id,title\n,Máy\n,Máy\n", encoding="utf-8")
    first, second = read.tables([path]).batch["id"]
    path.write_text(f"id,title\n,Máy\n,Máy\n{first},Bếp\n{second},Lò\n", encoding="utf-8")
    made = read.tables([path]).batch["id"].tolist()
    assert made == [f"{first}-3", f"{first}-4", first, second]


def test_a_file_that_changes_while_it_is_read(tmp_path):
    """A file to which somebody writes meanwhile is refused as a whole, and the others are read."""
    path, other = rows(tmp_path / "a.csv", 10), rows(tmp_path / "b.csv", 5, first=100)
    told = []

    def write(done):
        if not told:
            with path.open("a", encoding="utf-8") as file:
                file.write("x,y,z\n")
        told.append(done)

    reading = read.tables([path, other], progress=write)
    assert [(row.file, row.code) for row in reading.quarantine] == [("a.csv", "E-CHANGED")]
    assert len(reading.batch) == 5


def test_what_stream_refuses(tmp_path):
    """No file and a missing file are errors; a table without a row is an account of none."""
    with pytest.raises(UsageError):
        read.stream([])
    with pytest.raises(InputNotFound):
        read.stream([tmp_path / "gone.csv"])
    (tmp_path / "a.csv").write_text("title\n", encoding="utf-8")
    with read.stream([tmp_path / "a.csv"]) as found:
        assert list(found.batches()) == []
        assert found.batch().columns[:2].tolist() == ["id", "title"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    """Eight times the rows cost no more than a few numbers each."""
    peaks = []
    for count in (50_000, 400_000):
        path = rows(tmp_path / "a.csv", count)
        done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
        found, peak = map(int, done.stdout.split())
        assert found == count
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 100, peaks
