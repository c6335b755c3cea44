"""Every beast of the zoo gets what the document promises: counts, codes, message, exit code."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from pipeline import read
from pipeline.cli.main import EXIT_CODES
from pipeline.errors import SangkienError


def load():
    """Return the module with the cases, which is no test."""
    spec = importlib.util.spec_from_file_location("zoo", Path(__file__).with_name("zoo.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["zoo"] = module  # where its dataclass looks for its names
    spec.loader.exec_module(module)
    return module


CASES = load().CASES


@pytest.mark.parametrize("case", CASES, ids=[f"{case.group}-{case.name}" for case in CASES])
def test_zoo(case, tmp_path, monkeypatch):
    """The rows are counted, what is refused has its code, people are told, and the command ends so."""
    if os.geteuid() == 0:  # whom the system refuses nothing
        real = Path.open

        def refuse(self, *args, **kwargs):
            if self.exists() and not self.stat().st_mode & 0o777:
                raise PermissionError
            return real(self, *args, **kwargs)

        monkeypatch.setattr(Path, "open", refuse)
    paths = case.write(tmp_path)
    ended = 0
    try:
        reading = read.tables(paths)
    except SangkienError as error:
        reading, ended = error.reading, EXIT_CODES[type(error)]
    assert tuple(reading.totals.values()) == case.counts
    assert tuple((row.row, row.code) for row in reading.quarantine) == case.codes
    said = [
        *(row.note for row in reading.quarantine),
        *(note for each in reading.sources for note in each.notes),
    ]
    assert case.says in "\n".join(map(str, said))
    assert ended == case.exit


def test_the_zoo_is_large_and_each_case_has_a_name_of_its_own():
    """No case hides another, and every group has some."""
    names = [(case.group, case.name) for case in CASES]
    assert len(set(names)) == len(names) > 80
