"""The notebooks: they run as they stand, and hold nothing but what was written."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def notebook(request):
    """Each notebook, read."""
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks():
    """The other tests have something to look at."""
    assert NOTEBOOKS


def test_outputs_are_not_kept(notebook):
    """A notebook is stored without results, which would go stale and might hold somebody's data."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert {cell.execution_count for cell in code} == {None}


def test_a_notebook_is_valid(notebook):
    """Any program that opens notebooks can open it."""
    nbformat.validate(notebook)


@pytest.mark.slow
def test_a_notebook_runs(notebook, tmp_path, monkeypatch):
    """Every cell runs in a fresh kernel, in an empty folder, without writing into it."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # without it the libraries warn
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "work"
    folder.mkdir()
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    manager = client.create_kernel_manager()
    manager.kernel_spec.argv[0] = sys.executable  # this interpreter, whatever kernels the machine knows
    client.execute()
    assert list(folder.iterdir()) == []
