"""Model files made to harm: none runs code, hangs or fills the memory, and each ends in a sentence."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.preprocessing import FunctionTransformer

import pipeline
from pipeline import registry
from pipeline.cli.main import main

CARD = {"labels": ["a", "b"], "taxonomy": "1", "created": "2026-01-01"}
PLAIN = {"terms": np.arange(500, dtype=np.uint16), "names": ["a", "b"]}


def sealed(card):
    """Return the bytes of a card with a seal that fits it, as someone who knows the format would write it."""
    body = {key: value for key, value in card.items() if key != "seal"}

    def spelt(value):
        return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()

    return spelt(body | {"seal": hashlib.sha256(spelt(body)).hexdigest()})


def vouched(folder, data, **more):
    """Put another model file in a version's place, with a card that vouches for it."""
    (folder / "model.skops").write_bytes(data)
    card = json.loads((folder / "card.json").read_bytes())
    card["model"] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "card.json").write_bytes(sealed(card | more))


def zipped(schema, files=(), *, packed=False):
    """Return a zip with a schema of one's own and other files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(name, data)
        archive.writestr("schema.json", schema if isinstance(schema, str) else json.dumps(schema))
    return out.getvalue()


def node(kind, module, loader, **more):
    """Return what a schema says of one object."""
    return {
        "__class__": kind,
        "__module__": module,
        "__loader__": loader,
        "__id__": id(more),
        "protocol": 2,
        **more,
    }


def text(value):
    """Return what a schema says of a text."""
    return node("str", "builtins", "JsonNode", content=json.dumps(value), is_json=True)


def called(module, name, *arguments):
    """Return schemas that would have a function called with arguments, each in one of skops' ways."""
    given = node("tuple", "builtins", "TupleNode", content=[text(each) for each in arguments])
    function = node(name, module, "FunctionNode", content={"module_path": module, "function": name})
    yield (
        "reduce",
        node(name, module, "ConstructorFromReduceNode", constructor=function, content={"args": given}),
    )
    yield "object", node(name, module, "ObjectNode", content=given)
    yield "type", node(name, module, "TypeNode", content={"__class__": name, "__module__": module})
    yield (
        "partial",
        node(
            "partial",
            "functools",
            "PartialNode",
            content={
                "func": function,
                "args": given,
                "kwds": node("dict", "builtins", "DictNode"),
                "namespace": None,
            },
        ),
    )
    yield (
        "dict",
        node(
            name, module, "DictNode", content={}, key_types=node("list", "builtins", "ListNode", content=[])
        ),
    )
    yield "list", node(name, module, "ListNode", content=[text(each) for each in arguments])
    yield "operator", node(name, module, "OperatorFuncNode", attrs=given)


def aimed(target, how, canary):
    """Return a file that would have a function called in one of the ways of `called`."""
    module, _, name = target.rpartition(".")
    return zipped(dict(called(module, name, TARGETS[target].format(canary=canary)))[how])


class Trap:
    """An object that makes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def array(data):
    """Return the bytes of an array in a file, as numpy writes them."""
    out = io.BytesIO()
    np.save(out, data, allow_pickle=True)
    return out.getvalue()


def npz():
    """Return a packed sparse matrix that unfolds a thousandfold."""
    out = io.BytesIO()
    sparse.save_npz(out, sparse.csr_array((np.zeros(1 << 20), (np.zeros(1 << 20, int), np.arange(1 << 20)))))
    return out.getvalue()


def boast():
    """Return the bytes of an array that claims to be 8 TB long."""
    data = array(np.zeros(3))
    return data.replace(b"(3,), }" + b" " * 20, b"(1099511627776,), }".ljust(27), 1)


def numpy_node(name, **more):
    """Return what a schema says of an array in a file."""
    return node("ndarray", "numpy", "NdArrayNode", type="numpy", file=name, **more)


def listed(*nodes):
    """Return what a schema says of a list."""
    return node("list", "builtins", "ListNode", content=list(nodes))


TARGETS = {
    "os.system": "touch {canary}",
    "posix.system": "touch {canary}",
    "builtins.eval": "open('{canary}', 'w').close()",
    "builtins.exec": "open('{canary}', 'w').close()",
    "subprocess.getoutput": "touch {canary}",
    "operator.methodcaller": "touch",
    "functools.partial": "touch",
    "pickle.loads": "touch",
    "joblib.load": "{canary}",
    "numpy.load": "{canary}",
}
BIG = 1 << 18
CRAFTED = {
    "pickle": lambda canary: pickle.dumps(Trap(canary)),
    "object array": lambda canary: zipped(
        numpy_node("a.npy"), [("a.npy", array(np.array([Trap(canary)], dtype=object)))]
    ),
    "pickle as array": lambda canary: zipped(numpy_node("a.npy"), [("a.npy", pickle.dumps(Trap(canary)))]),
    "function": lambda canary: skops.io.dumps(FunctionTransformer(os.mkdir, kw_args={"path": str(canary)})),
    "ufunc": lambda _: skops.io.dumps(FunctionTransformer(np.exp)),
    "bomb": lambda _: zipped(text("a" * (1 << 24)), packed=True),
    "bomb inside": lambda _: zipped(
        node("csr_array", "scipy.sparse._csr", "SparseMatrixNode", type="scipy", file="a.npz"),
        [("a.npz", npz())],
    ),
    "one array many times": lambda _: zipped(
        listed(*(numpy_node("a.npy") | {"__id__": n} for n in range(5_000))), [("a.npy", array(np.ones(BIG)))]
    ),
    "no id": lambda _: zipped(
        listed(*({k: v for k, v in numpy_node("a.npy").items() if k != "__id__"} for _ in range(5_000))),
        [("a.npy", array(np.ones(BIG)))],
    ),
    "8 TB": lambda _: zipped(numpy_node("a.npy"), [("a.npy", boast())]),
    "up and away": lambda canary: zipped(
        numpy_node("../../../a.npy"), [("../../../a.npy", pickle.dumps(Trap(canary)))]
    ),
    "root": lambda _: zipped(numpy_node("/a.npy"), [("/a.npy", b"x")]),
    "not there": lambda _: zipped(numpy_node("/etc/passwd")),
    "deep": lambda _: zipped('{"a":' * 2_000_000 + "1" + "}" * 2_000_000),
    "deep list": lambda _: zipped("[" * 10_000_000),
    "deep text": lambda _: zipped(
        node("str", "builtins", "JsonNode", content="[" * 10_000_000, is_json=True)
    ),
    "wide": lambda _: zipped("[" + "1," * 9_000_000 + "1]"),
    "cut": lambda _: zipped("", [])[:-1],
    "text": lambda _: b"model",
    "nothing": lambda _: b"",
} | {
    f"{target} as {how}": partial(aimed, target, how)
    for target in TARGETS
    for how in ("reduce", "object", "type", "partial", "dict", "list", "operator")
}
"""Hostile model files by name, made for a canary: a file that appears if code has run."""


@pytest.fixture
def shelf(tmp_path):
    """A folder of models with two versions in it, none of them in use, and a place for the canary."""
    root = tmp_path / "models"
    versions = [registry.save(root, "fields", PLAIN | {"n": [n]}, CARD) for n in range(2)]
    return root, versions, tmp_path / "canary"


@pytest.fixture
def call(shelf, monkeypatch, capsys, tmp_path):
    """Call the program beside the shelf; return exit code and message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(shelf[0]))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return run


def refused(call, shelf, *, code, version=None, says):
    """Check that putting a version in use ends with a code and a sentence, changes nothing, runs nothing."""
    root, versions, canary = shelf
    found, said = call("models", "promote", "fields", version or versions[0], "--lang", "en")
    assert found == code, said
    assert says in said
    assert "Traceback" not in said
    assert "The program failed" not in said
    assert not canary.exists()
    assert registry.current(root, "fields") is None


def test_the_canary_sings(tmp_path):
    """Where somebody does unpickle a trap the file appears: the tests below would see it."""
    pickle.loads(CRAFTED["pickle"](tmp_path / "canary"))
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_file_is_refused_at_the_door(call, shelf, name):
    """Whatever it is made of, and though its card vouches for it, it is refused with code 3 and named."""
    root, versions, canary = shelf
    vouched(root / "fields" / versions[0], CRAFTED[name](canary))
    refused(call, shelf, code=3, says="The model fields")
    assert not (root.parent.parent / "a.npy").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is kept on Linux")
def test_no_crafted_file_takes_much_memory_or_time(tmp_path):
    """All are refused within a gigabyte above what the libraries take, and in a minute each at most."""
    folders = []
    for number, (name, make) in enumerate(CRAFTED.items()):
        root = tmp_path / str(number)
        version = registry.save(root, "fields", PLAIN, CARD)
        vouched(root / "fields" / version, make(tmp_path / "canary"))
        folders.append([str(root), version, name])
    (tmp_path / "folders.json").write_text(json.dumps(folders), encoding="utf-8")
    script = (
        "import json, resource, sys; from pathlib import Path; from pipeline import registry, starter\n"
        "from pipeline.errors import GateRefused\n"
        "size = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30),) * 2)\n"
        "for root, version, name in json.loads(Path(sys.argv[1]).read_text()):\n"
        "    try: registry.load(Path(root), 'fields', version)\n"
        "    except GateRefused as fault: print(name, 'MemoryError' in str(fault))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "folders.json")],
        capture_output=True, text=True, timeout=60 * len(folders), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert set(told) == set(CRAFTED)
    # A number in a header costs nothing to refuse; nothing else may come near the limit.
    assert {name for name, short in told.items() if short == "True"} <= {"8 TB"}
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
def test_a_flipped_bit_anywhere_ends_with_a_sentence(call, shelf, file):
    """A bit at the start, at the end and in 30 places between: each ends with code 74 and the file's name."""
    root, versions, _ = shelf
    path = root / "fields" / versions[0] / file
    whole = path.read_bytes()
    for place in np.linspace(0, len(whole) * 8 - 1, 32).astype(int).tolist():
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(flipped))
        refused(call, shelf, code=74, says=f"{file} is not what was saved")


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
def test_a_cut_file_ends_with_a_sentence(call, shelf, file):
    """Cut anywhere, or with something behind its end: refused with code 74."""
    root, versions, _ = shelf
    path = root / "fields" / versions[0] / file
    whole = path.read_bytes()
    for data in (b"", whole[:1], whole[: len(whole) // 2], whole[:-1], whole + b"\n"):
        path.write_bytes(data)
        refused(call, shelf, code=74, says=f"{file} is not what was saved")


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
def test_files_of_two_versions_are_not_mixed(call, shelf, file):
    """The file of another version, in itself sound, is refused."""
    root, (first, second), _ = shelf
    shutil.copyfile(root / "fields" / second / file, root / "fields" / first / file)
    refused(call, shelf, code=74, says="is not what was saved")


def test_a_card_of_another_model_is_refused(call, shelf):
    """A whole version that belongs to another name, or another number, does not pass for this one."""
    root, (first, second), _ = shelf
    other = registry.save(root, "other", PLAIN | {"n": [7]}, CARD)
    for source in (root / "other" / other, root / "fields" / second):
        shutil.rmtree(root / "fields" / first)
        shutil.copytree(source, root / "fields" / first)
        refused(call, shelf, code=74, says="card.json is not what was saved")


@pytest.mark.parametrize("suffix", ["joblib", "pkl", "pickle"])
def test_a_pickle_beside_or_instead_is_never_read(call, shelf, suffix):
    """A file that other programs would unpickle is no model, whatever it is called."""
    root, versions, canary = shelf
    folder = root / "fields" / versions[0]
    (folder / "model.skops").rename(folder / f"model.{suffix}")
    (folder / f"model.{suffix}").write_bytes(pickle.dumps(Trap(canary)))
    refused(call, shelf, code=74, says="model.skops is not what was saved")


@pytest.mark.parametrize("file", ["model.skops", "card.json", ""])
def test_a_link_out_of_the_shelf_is_not_followed(call, shelf, tmp_path, file):
    """A file, or a version's whole folder, that is a link is refused, though what it leads to is sound."""
    root, versions, _ = shelf
    place = root / "fields" / versions[0] / file
    outside = tmp_path / "outside"
    place.rename(outside)
    place.symlink_to(outside)
    refused(call, shelf, code=74, says="is not what was saved")


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
def test_a_pipe_or_a_device_does_not_hang(call, shelf, file):
    """What is no plain file is not opened: a pipe nobody writes to, an endless device, a folder."""
    root, versions, _ = shelf
    path = root / "fields" / versions[0] / file
    path.unlink()
    os.mkfifo(path)
    refused(call, shelf, code=74, says="is not what was saved")
    path.unlink()
    path.symlink_to("/dev/zero")
    refused(call, shelf, code=74, says="is not what was saved")
    path.unlink()
    path.mkdir()
    refused(call, shelf, code=74, says="is not what was saved")


@pytest.mark.parametrize("content", ["../../outside\n", "0001-00000000/../../x\n", "\0", "é", "/etc\n"])
def test_current_leads_nowhere(call, shelf, tmp_path, content):
    """The file that names the version in use holds versions or is refused; a link or a pipe is not opened."""
    root, _, canary = shelf
    path = root / "fields" / "current"
    (tmp_path / "new.csv").write_text("id,title\nA,Đồ gá hàn khung xe\n", encoding="utf-8")
    path.write_text(content, encoding="utf-8")
    for make in (lambda: None, lambda: path.symlink_to("/dev/zero"), lambda: os.mkfifo(path)):
        make()
        code, said = call("classify", "new.csv", "--out", "o", "--lang", "en")
        assert code == 74, said
        assert "current is not what was saved" in said
        path.unlink()
    assert not (tmp_path / "o").exists()
    assert not canary.exists()


@pytest.mark.parametrize(
    "card",
    [
        {"libraries": []},
        {"libraries": {}},
        {"model": 1},
        {"model": {}},
        {"model": {"bytes": "9", "sha256": 1}},
    ],
)
def test_a_sealed_card_of_another_shape_is_refused(call, shelf, card):
    """A seal says that nothing changed, not that it makes sense: both are looked at."""
    root, versions, _ = shelf
    path = root / "fields" / versions[0] / "card.json"
    path.write_bytes(sealed(json.loads(path.read_bytes()) | card))
    code, said = call("models", "promote", "fields", versions[0], "--lang", "en")
    assert code in {3, 74}, said
    assert "The program failed" not in said


def test_a_sound_file_that_is_no_classifier_is_named(call, shelf, tmp_path):
    """A model in use that holds other things ends `classify` with a sentence and code 3, not in a crash."""
    root, versions, _ = shelf
    from pipeline import classify, normalize

    folder = root / "fields" / versions[0]
    card = json.loads((folder / "card.json").read_bytes())
    made = {"features": classify.SCHEMA, "normalize": normalize.VERSION, "experts": {"marked": {}}}
    (folder / "card.json").write_bytes(sealed(card | made))
    (root / "fields" / "current").write_text(versions[0] + "\n", encoding="ascii")
    (tmp_path / "new.csv").write_text("id,title\nA,Đồ gá hàn khung xe\n", encoding="utf-8")
    code, said = call("classify", "new.csv", "--out", "o", "--lang", "en")
    assert code == 3, said
    assert "is no field classifier of this program" in said


FORBIDDEN = (
    "pickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib.load", "pandas.read_pickle",
    "pd.read_pickle",
)  # fmt: skip
SOURCES = sorted(Path(pipeline.__file__).parent.rglob("*.py"))


def imported(tree):
    """Return the whole name of everything that a module imports, by the name it has there."""
    names = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in each.names}
        elif isinstance(each, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{each.module}.{alias.name}" for alias in each.names}
    return names


def trusting(call):
    """Return whether a call lets arrays be unpickled, trusts all of a file, or evaluates text."""
    for word in call.keywords:
        fixed = word.value.value if isinstance(word.value, ast.Constant) else None
        if (word.arg == "allow_pickle" and fixed is not False) or (word.arg == "trusted" and fixed is True):
            return True
    return isinstance(call.func, ast.Name) and call.func.id in {"eval", "exec", "__import__"}


def unsafe(tree):
    """Yield what in a module's syntax tree could run code that a file brings along."""
    names = imported(tree)
    yield from (
        name for name in names.values() if any(name == bad or name.startswith(f"{bad}.") for bad in FORBIDDEN)
    )
    for each in ast.walk(tree):
        if isinstance(each, ast.Attribute):
            first, *rest = ast.unparse(each).split(".")
            if ".".join([names.get(first, first), *rest]) in FORBIDDEN or "read_pickle" in rest:
                yield ast.unparse(each)
        elif isinstance(each, ast.Call) and trusting(each):
            yield ast.unparse(each)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_module_unpickles(path):
    """No module can unpickle, trust all of a skops file, or evaluate text."""
    assert list(unsafe(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "import joblib\njoblib.load(p)",
        "from joblib import load", "import joblib as j\nj.load(p)",
        "import numpy as np\nnp.load(p, allow_pickle=True)",
        "np.load(p, allow_pickle=x)", "skops.io.load(p, trusted=True)", "pd.read_pickle(p)", "eval(p)",
        "import _pickle as a, pickle.b as c",
    ],
)  # fmt: skip
def test_the_search_itself_finds_each(code):
    """The search above sees every way that it is meant to see."""
    assert list(unsafe(ast.parse(code)))
