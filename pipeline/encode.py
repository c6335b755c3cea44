"""Texts → vectors: an encoder from a folder of this machine, or the vectors of syllables that travel along.

A folder is one of model2vec (https://github.com/MinishLab/model2vec) or of sentence-transformers
(https://sbert.net). Nothing is downloaded, only weights in safetensors are read, and no code of a folder is
run. Both libraries are optional and are imported when the first text comes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline import normalize
from pipeline.errors import InputNotFound, UsageError

Vectors = npt.NDArray[np.float32]

_COMMON: Final = 1e-3
_WORDS: Final = re.compile(r"\w+").findall
_CODE: Final = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".h5", ".msgpack", ".joblib"})
"""Ends of files whose readers can run code, or that are read by nobody here."""
_OURS: Final = "sentence_transformers."
_HEADER: Final = 100_000_000  # what the format allows


@dataclass(frozen=True, eq=False)
class Syllables:
    """Vectors of syllables; a text's is their mean, rare ones counting more.

    Smooth inverse frequency (Arora, Liang and Ma, *A simple but tough-to-beat baseline for sentence
    embeddings*, ICLR 2017).

    Attributes:
        syllables: Different syllables, lower case, composed; columns of no other spelling.
        frequency: The share (0 to 1) of texts that each stands in.
        vectors: What each means; shape (syllables, dimensions).
    """

    syllables: Sequence[str]
    frequency: npt.NDArray[np.float64]
    vectors: Vectors
    name: str = "syllables"

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of the table."""
        parts = ("\n".join(self.syllables).encode(), self.frequency.tobytes(), self.vectors.tobytes())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    @cached_property
    def _place(self) -> dict[str, int]:
        # Of two spellings of one syllable (thuỷ, thủy) the commoner stands for both.
        order = np.argsort(self.frequency, kind="stable").tolist()
        return {_unified(self.syllables[row]): row for row in order}

    @cached_property
    def _weighted(self) -> Vectors:
        weights = _COMMON / (_COMMON + self.frequency)
        return (self.vectors * weights[:, None]).astype(np.float32)

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Return the mean vector of each text's known syllables; zeros where none is known.

        >>> table = Syllables(["máy", "bơm"], np.array([0.1, 0.1]), np.eye(2, dtype=np.float32))
        >>> (table.encode(["Máy bơm", "máy", ""]) > 0).tolist()
        [[True, True], [True, False], [False, False]]
        """
        found = np.zeros((len(texts), self.vectors.shape[1]), dtype=np.float32)
        for number, text in enumerate(texts):
            words = map(_unified, _WORDS(unicodedata.normalize("NFC", text)))
            rows = [row for word in words if (row := self._place.get(word)) is not None]
            if rows:
                found[number] = self._weighted[rows].mean(axis=0)
        return found


@lru_cache(maxsize=1 << 17)
def _unified(word: str) -> str:
    # Word by word: of a whole text `normalize.key` would also ask whether it is in disguise.
    return normalize.key(word)


@dataclass(frozen=True, eq=False)
class Folder:
    """An encoder in a folder; its library and weights are loaded when the first text comes."""

    path: Path
    kind: str
    _loaded: list[Callable[[list[str]], Any]] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.name

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of names and contents, but for what only people read."""
        whole = hashlib.sha256()
        for file in _files(self.path):
            name = file.relative_to(self.path).as_posix()
            if file.suffix.lower() != ".md" and not name.startswith("."):
                with file.open("rb") as opened:
                    whole.update(f"{name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
        return whole.hexdigest()

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Return a vector a text, shape (texts, dimensions); a text without words has zeros.

        Raises:
            UsageError: The library refuses the folder.
        """
        if not self._loaded:
            self._loaded.append(_LIBRARIES[self.kind][1](self.path))
        # An encoder gives a text without words whatever its library thinks fit, at times not a number.
        said = [number for number, text in enumerate(texts) if text.strip()]
        probe = self._loaded[0]([texts[number] for number in said] or ["a"])
        vectors = np.nan_to_num(np.asarray(probe, dtype=np.float32))
        found = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
        found[said] = vectors[: len(said)]
        return found


def load(path: Path) -> Folder:
    """Return the encoder in a folder, after a look at what stands there; its weights are not loaded yet.

    Raises:
        InputNotFound: There is no such folder.
        UsageError: It holds no encoder, a file that could run code, or the library is not installed.
    """
    if not path.is_dir():
        raise InputNotFound(
            "There is no folder {path}. Name a folder that holds an encoder; nothing is downloaded.",
            path=path,
        )
    files = _files(path)
    for file in files:
        if file.suffix.lower() in _CODE:
            raise UsageError(
                "{path} holds {file}, a kind of file that can run code when it is read. Save the encoder "
                "with safetensors weights only.",
                path=path,
                file=str(file.relative_to(path)),
            )
    if not any(file.suffix == ".safetensors" for file in files):
        raise UsageError(
            "{path} holds no encoder: there is no file of weights (.safetensors). Name the folder that "
            "model2vec or sentence-transformers saved.",
            path=path,
        )
    kind = _kind(path)
    package, _ = _LIBRARIES[kind]
    if find_spec(package) is None:
        raise UsageError(
            "The encoder {path} needs the package {package}, which is not installed.",
            path=path,
            package=package.replace("_", "-"),
        )
    return Folder(path, kind)


def _kind(path: Path) -> str:
    """Return whose the folder is: model2vec keeps one table, called embeddings."""
    modules = _json(path, "modules.json")
    for module in modules if isinstance(modules, list) else []:
        named = str(module.get("type", "")) if isinstance(module, dict) else ""
        # The library imports whatever class is named here.
        if not named.startswith(_OURS):
            raise UsageError(
                "{path}: modules.json names {type}, no part of sentence-transformers. It is not run.",
                path=path,
                type=named or "nothing",
            )
    return "model2vec" if "embeddings" in _tensors(path / "model.safetensors") else "sentence_transformers"


def _tensors(path: Path) -> set[str]:
    """Return the names of the tables in a file of safetensors (https://github.com/huggingface/safetensors)."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            return set(json.loads(file.read(min(size, _HEADER))))
    except (OSError, ValueError, RecursionError, TypeError):
        return set()  # the library that opens it will say what is wrong


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads((path / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise UsageError("{path}: {file} cannot be read as JSON.", path=path, file=name) from None


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def _model2vec(path: Path) -> Callable[[list[str]], Any]:
    _offline()
    from model2vec import StaticModel

    model = _opened(path, lambda: StaticModel.from_pretrained(path))
    # Its own processes would be started again for every part.
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def _sentence_transformers(path: Path) -> Callable[[list[str]], Any]:
    _offline()
    from sentence_transformers import SentenceTransformer

    model = _opened(
        path,
        lambda: SentenceTransformer(
            str(path),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        ),
    )
    # One text at a time: padded beside longer ones, a text gets slightly other numbers.
    return lambda texts: model.encode(texts, batch_size=1, show_progress_bar=False)


_LIBRARIES: Final[dict[str, tuple[str, Callable[[Path], Callable[[list[str]], Any]]]]] = {
    "model2vec": ("model2vec", _model2vec),
    "sentence_transformers": ("sentence_transformers", _sentence_transformers),
}


def _offline() -> None:
    """Forbid the libraries the network, before they are imported."""
    silent = dict.fromkeys(("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"), "1")
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", **silent)


def _opened(path: Path, open_: Callable[[], Any]) -> Any:
    try:
        return open_()
    except Exception as fault:  # a folder can be wrong in any way a library can fail
        raise UsageError(
            "The encoder in {path} cannot be opened: {fault}. Save it again, or name another folder.",
            path=path,
            fault=str(fault).splitlines()[0] if str(fault) else type(fault).__name__,
        ) from fault
