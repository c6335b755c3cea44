"""The benchmarks as a command: each is found by its name, none hides a module of Python's own."""

import sys

import pytest

from pipeline.cli.main import main
from pipeline.settings import checkout

FILES = sorted(path.stem for path in checkout("benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("stem", FILES)
def test_no_benchmark_hides_a_module_of_python(stem):
    """Their folder is looked into first: a file queue.py there would be taken for the standard library's."""
    # Python loads its own `encodings` before it looks into any folder.
    assert stem not in sys.stdlib_module_names - {"encodings"}


@pytest.mark.parametrize("stem", FILES)
def test_every_benchmark_is_called_by_its_name(stem, monkeypatch, capsys):
    """`sangkien bench NAME --help` says what it measures, and nothing of the folder stays on the path."""
    before = list(sys.path)
    monkeypatch.setattr("sys.argv", ["sangkien", "bench", stem, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert f"usage: {stem}.py" in capsys.readouterr().out
    assert sys.path == before
