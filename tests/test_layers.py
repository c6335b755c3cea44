"""The shape of the code: imports point one way, and each library has one owner."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent

LAYERS = [
    {"errors", "words"},
    {"records", "settings", "amounts", "sheets"},
    {"taxonomy", "normalize", "segment", "decisions"},
    {"revision", "encode", "seen"},
    {"labels"},
    {"read", "dedupe", "classify", "report", "evaluate", "registry", "store", "parallel", "units"},
    {"validity", "axes"},
    {"flow", "lessons", "archive", "repair"},
    {"starter"},
    {"judging", "asking", "drifting"},
    {"review"},
    {"cli"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

OWNERS = {
    "underthesea": {"segment"},
    "click": {"cli"},
    "rich": {"cli"},
    "sqlite3": {"store"},
    "joblib": {"parallel"},
    "skops": {"registry"},
    "sklearn": {"dedupe", "classify", "registry"},
    "scipy": {"dedupe", "classify", "registry"},
    "python_calamine": {"read"},
    "xlsxwriter": {"report"},
    "gettext": {"words"},
    "model2vec": {"encode"},
    "sentence_transformers": {"encode"},
    "pyarrow": {"read", "report", "repair"},
}
"""Which modules may import a library; one that is not named may be imported anywhere."""

PURE = {
    *("amounts", "sheets", "validity", "axes", "decisions", "revision", "labels", "units", "normalize"),
    *("segment", "dedupe", "classify", "evaluate", "flow", "lessons", "asking", "seen"),
}
"""Steps: no file is opened, nothing printed, no clock, environment or network looked at."""


def files():
    """Every source file with the module it belongs to (a folder counts as one)."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in {"__init__", "__main__", "_checkout"}:
            yield pytest.param(path, parts[0], id="/".join(parts))


def imported(path: Path):
    """Every absolute module name a file imports, with ours as ``pipeline.<module>``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: imports are absolute"
            if node.module == "pipeline":
                yield from (f"pipeline.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


@pytest.mark.parametrize(("path", "module"), list(files()))
def test_imports_point_one_way(path, module):
    """A module imports only modules of a lower layer, or its own folder."""
    assert module in RANK, f"{module} has no place in the layers"
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("pipeline.")}
    for other in ours - {module}:
        assert RANK[other] < RANK[module], f"{module} must not import {other}"


@pytest.mark.parametrize(("path", "module"), list(files()))
def test_each_library_has_its_owners(path, module):
    """A library is imported only where it is owned, so that it can be replaced in one place."""
    for name in imported(path):
        library = name.split(".")[0]
        owners = OWNERS.get(library, {module})
        assert module in owners, f"{library} belongs to {owners}, not {module}"


@pytest.mark.parametrize(("path", "module"), list(files()))
def test_steps_are_pure(path, module):
    """A step opens no file, prints nothing and looks at no clock, environment or network."""
    if module not in PURE:
        return
    forbidden = {"os", "time", "datetime", "random", "socket", "urllib", "subprocess", "requests"}
    assert not {name.split(".")[0] for name in imported(path)} & forbidden
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "exec", "eval"}


@pytest.mark.parametrize(("path", "module"), list(files()))
def test_nothing_loads_what_could_run_code(path, module):
    """No pickle, no joblib file, no eval, no shell: what comes from a file is data."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "marshal", "shelve", "dill"}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    banned = {"eval", "exec", "joblib.load", "yaml.load", "pd.read_pickle", "pandas.read_pickle", "os.system"}
    assert not called & banned
    assert "shell=True" not in source
    assert not [name for name in called if name.endswith((".executescript", ".extractall"))]


def test_every_layer_name_is_a_module():
    """The table of layers names what there is, and what is to come (review)."""
    there = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(RANK) - there <= {"review"}
