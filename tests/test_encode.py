"""Encoders: vectors of texts from a folder of this machine, without a network and without foreign code."""

import json
import os
import socket
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import encode
from pipeline.errors import InputNotFound, UsageError

WORDS = ["[UNK]", "máy", "bơm", "nước", "học", "sinh", "bệnh", "viện"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, static_encoder):
    """A folder in which model2vec saved a model of eight words."""
    return static_encoder(tmp_path_factory.mktemp("encoder") / "tiny", WORDS, np.eye(8)[:, :5] + 0.1)


def test_a_folder_of_model2vec_gives_vectors(folder):
    """Texts of other words lie apart, texts of the same words together."""
    vectors = encode.load(folder).encode(["máy bơm", "bơm máy", "học sinh"])
    assert vectors.shape == (3, 5)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors[0], vectors[1])
    assert not np.allclose(vectors[0], vectors[2])


@given(st.permutations(["máy bơm nước", "học sinh", "", "bệnh viện", "lạ"]))
@settings(max_examples=10, deadline=None)
def test_a_vector_does_not_depend_on_its_neighbours(folder, texts):
    """In any order and alone, a text has the same vector."""
    encoder = encode.load(folder)
    together = encoder.encode(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_texts_without_words_have_zeros(folder):
    """Blank texts get zeros, and no texts get no vectors of the right width."""
    encoder = encode.load(folder)
    assert not encoder.encode(["", "  "]).any()
    assert encoder.encode([]).shape == (0, 5)


def test_no_network_is_asked(folder, monkeypatch):
    """With every socket refused an encoder works."""

    def refuse(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr(socket, "socket", refuse)
    assert encode.load(folder).encode(["máy"]).any()


def test_the_digest_is_that_of_the_content(folder, tmp_path):
    """A copy elsewhere has the same digest; a changed word another; a readme does not count."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "README.md").write_text("other", encoding="utf-8")
    assert encode.load(copy).digest == encode.load(folder).digest
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes().replace("máy".encode(), "mày".encode()))
    assert encode.load(copy).digest != encode.load(folder).digest


def test_there_must_be_a_folder(tmp_path):
    """A name that is no folder is never looked up anywhere else."""
    with pytest.raises(InputNotFound, match="nothing is downloaded"):
        encode.load(tmp_path / "minishlab" / "potion-base-8M")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config.json": "{}"}, "no file of weights"),
        ({"model.safetensors": "x", "pytorch_model.bin": "x"}, "can run code"),
        ({"model.safetensors": "x", "1_Dense/model.PKL": "x"}, "can run code"),
        ({"model.safetensors": "x", "modules.json": "[{"}, "cannot be read as JSON"),
        ({"model.safetensors": "x", "modules.json": '[{"type": "os.system"}]'}, "no part of"),
        ({"model.safetensors": "x", "modules.json": '["os.system"]'}, "no part of"),
    ],
)
def test_what_is_no_safe_encoder_is_refused(tmp_path, files, said):
    """Folders without weights, with files that could run code or with foreign classes are named, not run."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        encode.load(tmp_path)


def test_a_damaged_folder_is_refused_when_it_is_opened(folder, tmp_path):
    """A table that is cut short gives an error that names the folder, not a trace of the library."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(UsageError, match="cannot be opened"):
        encode.load(tmp_path).encode(["máy"])


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    """Where the library of a folder is not installed, the error says which package it is."""
    (tmp_path / "model.safetensors").write_bytes(b"x")
    (tmp_path / "modules.json").write_text(
        json.dumps([{"type": "sentence_transformers.models.Transformer"}]), encoding="utf-8"
    )
    monkeypatch.setattr(encode, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="sentence-transformers"):
        encode.load(tmp_path)


def test_loading_looks_at_no_environment_of_others(folder):
    """The libraries are told to stay offline, whatever stood in the environment."""
    encode.load(folder).encode(["máy"])
    assert os.environ["HF_HUB_OFFLINE"] == "1"


SYLLABLES = encode.Syllables(
    ("hòa", "hoà", "máy", "của"), np.array([0.001, 0.01, 0.01, 0.9]), np.eye(4, dtype=np.float32)
)


@given(st.lists(st.sampled_from(["hòa", "máy", "của", "lạ"]), max_size=6))
def test_spelling_does_not_change_a_mean(words):
    """Case, decomposed letters and the place of a tone mark change no vector of syllables."""
    text = " ".join(words)
    spelled = [text, text.upper(), unicodedata.normalize("NFD", text), text.replace("hòa", "hoà")]
    vectors = SYLLABLES.encode(spelled)
    assert np.array_equal(vectors, np.repeat(vectors[:1], 4, axis=0))


def test_rare_syllables_count_more():
    """Beside a rare syllable one that stands nearly everywhere hardly turns the mean."""
    (vector,) = SYLLABLES.encode(["máy của"])
    assert vector[2] > 50 * vector[3] > 0
