"""The shelf of models: what is saved comes back, and nothing else is ever used."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from pipeline import registry
from pipeline.errors import GateRefused, InputNotFound, OutputError, SangkienError, UsageError

CARD = {"labels": ["a", "b"], "taxonomy": "1", "metrics": {"accuracy": 0.8}, "created": "2026-01-01"}


def model(seed=0):
    """Return a fitted estimator beside an array, as the steps store them."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(40, 3))
    return {
        "svm": LogisticRegression().fit(table, table[:, 0] > 0),
        "terms": np.arange(5, dtype=np.uint8) + seed,
    }


def sealed(card):
    """Return the bytes of a card with a seal that fits it, as someone who knows the format would write it."""
    body = {key: value for key, value in card.items() if key != "seal"}

    def spelt(value):
        return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()

    return spelt(body | {"seal": hashlib.sha256(spelt(body)).hexdigest()})


def replace_model(folder, data):
    """Put another model file in a version's place, with a card that vouches for it."""
    (folder / "model.skops").write_bytes(data)
    card = json.loads((folder / "card.json").read_bytes())
    card["model"] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "card.json").write_bytes(sealed(card))


@pytest.fixture
def shelf(tmp_path):
    """A folder of models with one version in it."""
    version = registry.save(tmp_path, "fields", model(), CARD)
    return tmp_path, version


def test_what_is_saved_comes_back(shelf):
    """A loaded model predicts as the saved one did, and its card holds what the caller wrote."""
    root, version = shelf
    stored = registry.load(root, "fields", version, taxonomy="1")
    table = np.random.default_rng(1).normal(size=(20, 3))
    assert np.array_equal(stored.model["svm"].predict_proba(table), model()["svm"].predict_proba(table))
    assert np.array_equal(stored.model["terms"], model()["terms"])
    assert stored.version == version
    assert stored.card.items() >= CARD.items()
    assert registry.card(root, "fields", version) == stored.card


def test_the_same_model_is_the_same_bytes(tmp_path):
    """Two shelves filled on their own hold the same bytes, whatever lay where in memory."""
    ballast = [object() for _ in range(1000)]
    first = registry.save(tmp_path / "a", "fields", model(), CARD)
    del ballast
    second = registry.save(tmp_path / "b", "fields", model(), CARD)
    assert first == second
    for file in ("model.skops", "card.json"):
        one, other = (tmp_path / side / "fields" / first / file for side in "ab")
        assert one.read_bytes() == other.read_bytes()


def test_saving_twice_is_saving_once(shelf):
    """The same content is one version also when its date differs; other content is the next version."""
    root, version = shelf
    assert registry.save(root, "fields", model(), CARD | {"created": "2027-05-05"}) == version
    other = registry.save(root, "fields", model(1), CARD)
    third = registry.save(root, "fields", model(1), CARD | {"metrics": {}})
    assert registry.versions(root, "fields") == [version, other, third]
    assert [found.split("-")[0] for found in (version, other, third)] == ["0001", "0002", "0003"]


def test_versions_are_ordered_by_number(tmp_path):
    """Version 10000 comes after version 9999."""
    for name in ("10000-aaaaaaaa", "9999-bbbbbbbb", "0002-cccccccc", "current", ".0003", "x"):
        (tmp_path / "fields" / name).mkdir(parents=True)
    assert registry.versions(tmp_path, "fields") == ["0002-cccccccc", "9999-bbbbbbbb", "10000-aaaaaaaa"]


def test_names_are_those_with_a_version(shelf):
    """A folder without a version, a file and a strange name are no models."""
    root, _ = shelf
    (root / "empty").mkdir()
    (root / "README.md").write_text("x", encoding="utf-8")
    assert registry.names(root) == ["fields"]
    assert registry.names(root / "gone") == []


# ------------------------------------------------------------------------------------------ in use


def test_a_new_version_is_not_in_use_until_promoted(shelf):
    """Saving changes nothing for those who load what is in use."""
    root, version = shelf
    assert registry.current(root, "fields") is None
    with pytest.raises(InputNotFound, match="promote"):
        registry.load(root, "fields")
    registry.promote(root, "fields", version)
    registry.save(root, "fields", model(1), CARD)
    assert registry.load(root, "fields").version == version


def test_rolling_back_retraces_the_promotions(shelf):
    """Each roll back puts in use what was in use before, until there is nothing before."""
    root, first = shelf
    second = registry.save(root, "fields", model(1), CARD)
    for version in (first, second, second, first):
        registry.promote(root, "fields", version)
    assert [registry.rollback(root, "fields"), registry.rollback(root, "fields")] == [second, first]
    with pytest.raises(InputNotFound, match="No earlier version"):
        registry.rollback(root, "fields")
    assert registry.current(root, "fields") == first


def test_current_names_the_version_in_use(shelf):
    """The first line of the file `current` is the version in use, for people and other programs."""
    root, version = shelf
    registry.promote(root, "fields", version)
    assert (root / "fields" / "current").read_text(encoding="ascii").splitlines()[0] == version


def test_a_damaged_model_is_not_promoted(shelf):
    """What cannot be loaded cannot be put in use."""
    root, version = shelf
    (root / "fields" / version / "model.skops").write_bytes(b"")
    with pytest.raises(OutputError):
        registry.promote(root, "fields", version)
    assert registry.current(root, "fields") is None


@pytest.mark.parametrize("content", ["../x\n", "0001-zzzzzzzz\n", "é\n"])
def test_a_damaged_current_is_named(shelf, content):
    """A file `current` that holds anything but versions is refused, not followed."""
    root, _ = shelf
    (root / "fields" / "current").write_text(content, encoding="utf-8")
    with pytest.raises(OutputError, match="current is not what was saved"):
        registry.load(root, "fields")


# ----------------------------------------------------------------------------------- damage and malice


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_one_flipped_bit_is_refused(shelf, data):
    """Any single changed bit, in the model or in its card, is refused; undone, the model loads again."""
    root, version = shelf
    path = root / "fields" / version / data.draw(st.sampled_from(["model.skops", "card.json"]))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[place // 8] ^= 1 << place % 8
    path.write_bytes(bytes(flipped))
    try:
        with pytest.raises(OutputError, match="is not what was saved"):
            registry.load(root, "fields", version)
    finally:
        path.write_bytes(whole)
    assert registry.load(root, "fields", version)


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
@pytest.mark.parametrize("left", [0, 1, 100, -1])
def test_a_truncated_file_is_refused(shelf, file, left):
    """A file cut anywhere is refused."""
    root, version = shelf
    path = root / "fields" / version / file
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(OutputError, match=file):
        registry.load(root, "fields", version)


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
def test_a_missing_file_is_refused(shelf, file):
    """A version without its model or card is refused."""
    root, version = shelf
    (root / "fields" / version / file).unlink()
    with pytest.raises(OutputError, match=file):
        registry.load(root, "fields", version)


class Trap:
    """An object that makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def packed(data):
    """Return a skops file packed so that a small file could unfold into a large one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return out.getvalue()


HOSTILE = {
    "pickle": lambda marker: pickle.dumps(Trap(marker)),
    "function": lambda marker: skops.io.dumps(FunctionTransformer(os.mkdir, kw_args={"path": str(marker)})),
    "own type": lambda marker: skops.io.dumps({"a": Trap(marker)}),
    "packed": lambda _: packed(skops.io.dumps({"a": np.zeros(10_000)})),
    "text": lambda _: b"model",
    "empty zip": lambda _: b"PK\x05\x06" + bytes(18),
    "deep": lambda _: skops_of('{"a":' * 50_000 + "1" + "}" * 50_000),
    "no loader": lambda _: skops_of('{"__class__": "eval", "__module__": "builtins", "__loader__": "?"}'),
}


def skops_of(schema):
    """Return a skops file with a schema of one's own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("schema.json", schema)
    return out.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_crafted_model_is_refused_and_runs_nothing(shelf, tmp_path, kind):
    """Even with a card that vouches for it, a file that is no plain model is refused before it can act."""
    root, version = shelf
    marker = tmp_path / "marker"
    replace_model(root / "fields" / version, HOSTILE[kind](marker))
    with pytest.raises(GateRefused, match="The model fields"):
        registry.load(root, "fields", version)
    assert not marker.exists()


def test_a_model_of_our_own_types_is_not_even_saved(tmp_path):
    """What could not be loaded again is refused when it is saved, and leaves nothing behind."""
    with pytest.raises(GateRefused, match="mkdir"):
        registry.save(tmp_path, "fields", {"a": FunctionTransformer(os.mkdir)}, CARD)
    assert registry.versions(tmp_path, "fields") == []


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A", "x" * 65, "-a", "a b", "a\n", "é"])
def test_a_name_never_leads_out_of_the_folder(tmp_path, name):
    """Only plain names are names, for reading and for writing."""
    with pytest.raises(UsageError, match="no name for a model"):
        registry.save(tmp_path, name, model(), CARD)
    with pytest.raises(UsageError, match="no name for a model"):
        registry.load(tmp_path, name)


@pytest.mark.parametrize("version", ["..", "0001", "0001-00000000", "/etc", "0001-00000000/../../x"])
def test_a_version_must_be_on_the_shelf(shelf, version):
    """A version that is not there is named, with those that are."""
    root, known = shelf
    with pytest.raises(InputNotFound, match=known):
        registry.load(root, "fields", version)


@pytest.mark.parametrize("key", ["schema", "name", "version", "libraries", "model", "seal"])
def test_a_card_cannot_claim_what_the_registry_vouches_for(tmp_path, key):
    """Keys of the registry are refused in a caller's card."""
    with pytest.raises(UsageError, match=key):
        registry.save(tmp_path, "fields", model(), CARD | {key: "x"})


def test_another_taxonomy_is_refused(shelf):
    """A model of taxonomy 1 is not used for taxonomy 2."""
    root, version = shelf
    with pytest.raises(GateRefused, match="belongs to taxonomy 1; taxonomy 2 is in use"):
        registry.load(root, "fields", version, taxonomy="2")


@pytest.mark.parametrize("library", ["numpy", "scikit-learn", "scipy", "skops"])
def test_other_libraries_are_refused(shelf, library):
    """A model made with another minor release of a library that decides what it says is refused."""
    root, version = shelf
    path = root / "fields" / version / "card.json"
    card = json.loads(path.read_bytes())
    card["libraries"][library] = "0.1.0"
    path.write_bytes(sealed(card))
    with pytest.raises(GateRefused, match=f"made with {library} 0.1.0"):
        registry.load(root, "fields", version)


def test_another_schema_is_refused(shelf):
    """A card of a later program is not guessed at."""
    root, version = shelf
    path = root / "fields" / version / "card.json"
    path.write_bytes(sealed(json.loads(path.read_bytes()) | {"schema": 99}))
    with pytest.raises(GateRefused, match="schema 99"):
        registry.load(root, "fields", version)


# ---------------------------------------------------------------------------------- faults while saving


def test_many_saving_at_once_lose_nothing(tmp_path):
    """Sixteen savers at once get sixteen versions with sixteen numbers, all of which load."""
    ready = [model(seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: registry.save(tmp_path, "fields", one, CARD), ready))
    assert sorted(found) == registry.versions(tmp_path, "fields")
    assert [version.split("-")[0] for version in sorted(found)] == [
        f"{number:04d}" for number in range(1, 17)
    ]
    for one, version in zip(ready, found, strict=True):
        assert np.array_equal(registry.load(tmp_path, "fields", version).model["terms"], one["terms"])


@pytest.mark.slow
def test_processes_saving_at_once_lose_nothing(tmp_path):
    """Three processes that save five models each leave fifteen numbered versions that load."""
    script = (
        "import sys, pathlib, numpy as np; from pipeline import registry\n"
        "for i in range(5): registry.save(pathlib.Path(sys.argv[1]), 'm', {'a': np.arange(9) + 9 * i}, "
        "{'who': sys.argv[2], 'i': i})"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(who)]) for who in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    found = registry.versions(tmp_path, "m")
    assert [version.split("-")[0] for version in found] == [f"{number:04d}" for number in range(1, 16)]
    assert {
        (registry.load(tmp_path, "m", v).card["who"], registry.card(tmp_path, "m", v)["i"]) for v in found
    } == {(str(who), i) for who in range(3) for i in range(5)}


@pytest.mark.parametrize("fault", range(4))
def test_a_failed_save_leaves_no_version(tmp_path, monkeypatch, fault):
    """Whichever write to disk fails, either no version appears or a whole one, and saving again works."""
    calls = []
    sync = os.fsync

    def failing(handle):
        calls.append(handle)
        if len(calls) == fault + 1:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OutputError, match="No space left"):
        registry.save(tmp_path, "fields", model(), CARD)
    monkeypatch.undo()
    for version in registry.versions(tmp_path, "fields"):
        assert registry.load(tmp_path, "fields", version)
    version = registry.save(tmp_path, "fields", model(), CARD)
    assert registry.load(tmp_path, "fields", version)
    assert sorted(entry.name for entry in (tmp_path / "fields").iterdir()) == [version]


def test_what_a_killed_process_left_is_passed_by_and_later_swept(shelf):
    """A half-written version is never a version; its number is skipped, and after a day it is removed."""
    root, _ = shelf
    left = root / "fields" / ".0002"
    left.mkdir()
    (left / "model.skops").write_bytes(b"half")
    assert registry.save(root, "fields", model(1), CARD).startswith("0003-")
    assert left.exists()
    os.utime(left, (0, 0))
    registry.save(root, "fields", model(2), CARD)
    assert not left.exists()


def test_every_refusal_is_a_sentence(shelf):
    """Whatever goes wrong is one of the program's own errors, never a library's."""
    root, version = shelf
    for broken in (b"{}", b"[]", b"null", b"\xff", b'{"seal": 1}', b"[" * 100_000):
        (root / "fields" / version / "card.json").write_bytes(broken)
        with pytest.raises(SangkienError, match=r"card\.json"):
            registry.load(root, "fields", version)
